// npm run egress: a walk through every feature with a meter on the only cable out of the machine; then the same meter on a planted leak,
// which it must see. `--short` leaves out the run of all journeys under the meter; `--log` reads the browser's log even where
// namespaces are permitted.
//
// With Linux network namespaces, server and browser live in one of their own. A cable (veth) leads to a second one, which is the rest of
// the world: default route, name server, packet counter. Without permission for namespaces the browser's own log is read instead, which
// is weaker because it is the browser's word; the last line says which of the two it was. Last line: one JSON object. Exit 1 on a leak
// and on a meter that did not move for the planted one.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './packages.mjs';

export const farAddress = '10.231.0.1';
const nearAddress = '10.231.0.2';
/** What Chromium asks for on its own account; measured with an empty page. Never `*`: that would hide what the page asks for, too. */
const ownHosts = [
  'accounts.google.com',
  'android.clients.google.com',
  'clients2.google.com',
  'clientservices.googleapis.com',
  'content-autofill.googleapis.com',
  'edgedl.me.gvt1.com',
  'mtalk.google.com',
  'optimizationguide-pa.googleapis.com',
  'redirector.gvt1.com',
  'safebrowsing.googleapis.com',
  'update.googleapis.com',
  'www.google.com',
  'www.googleapis.com',
];
const mapped = `--host-resolver-rules=${ownHosts.map((host) => `MAP ${host} 127.0.0.1`).join(', ')}`;

const isShort = process.argv.includes('--short');
const self = fileURLToPath(import.meta.url);

function quiet(command, ...args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function must(command, ...args) {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

/** How to enter namespaces of our own: as root, as root of a user namespace, or not at all. */
function wayIn() {
  if (process.platform !== 'linux' || !quiet('ip', 'link')) return null;
  for (const flags of [
    ['-n', '-m'],
    ['-r', '-n', '-m'],
  ]) {
    const tryCable =
      'ip link add near type veth peer name far && mount --bind /dev/null /etc/resolv.conf && mount --bind /dev/null /etc/hosts';
    if (quiet('unshare', ...flags, 'sh', '-c', tryCable)) return flags;
  }
  return null;
}

/** Runs a Node program and gives the JSON of its last line. */
function nodeRun(args, flags) {
  const { status, stdout } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 2 ** 20,
    env: { ...process.env, COUNTERPART_BROWSER_FLAGS: JSON.stringify(flags) },
  });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  return { status, report: last.startsWith('{') ? JSON.parse(last) : null, stdout };
}

const walk = (flags) => nodeRun([join(root, 'node_modules/tsx/dist/cli.mjs'), 'scripts/egress-walk.ts'], flags);
const leak = (flags) => nodeRun(['scripts/egress-leak.mjs'], flags);
const journeys = (flags) => nodeRun([join(root, 'node_modules/@playwright/test/cli.js'), 'test', '--reporter=dot'], flags);

async function inNamespace() {
  must('ip', 'link', 'set', 'lo', 'up');
  const far = spawn('unshare', ['-n', process.execPath, join(root, 'scripts/egress-far-end.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const names = [];
  far.stdout.setEncoding('utf8').on('data', (text) => names.push(...text.trim().split('\n')));
  try {
    // Its namespace is there once it differs from ours.
    const namespaceOf = (pid) => spawnSync('readlink', [`/proc/${pid}/ns/net`], { encoding: 'utf8' }).stdout;
    while (namespaceOf(far.pid) === namespaceOf('self')) await new Promise((done) => setTimeout(done, 10));
    must('ip', 'link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far', 'netns', String(far.pid));
    quiet('ip', 'link', 'set', 'near', 'addrgenmode', 'none');
    must('ip', 'addr', 'add', `${nearAddress}/24`, 'dev', 'near');
    must('ip', 'link', 'set', 'near', 'up');
    must('ip', 'route', 'add', 'default', 'via', farAddress);
    const folder = mkdtempSync(join(tmpdir(), 'counterpart-egress-'));
    writeFileSync(join(folder, 'resolv.conf'), `nameserver ${farAddress}\n`);
    must('mount', '--bind', join(folder, 'resolv.conf'), '/etc/resolv.conf');
    // Node asks for both addresses of localhost; a machine whose list lacks one would ask the name server, and that would count.
    writeFileSync(join(folder, 'hosts'), '127.0.0.1 localhost\n::1 localhost\n');
    must('mount', '--bind', join(folder, 'hosts'), '/etc/hosts');
    while (!names.includes('ready')) await new Promise((done) => setTimeout(done, 10));

    /** Packets that reached the far end, and names asked for, while `run` ran. */
    const metered = async (run) => {
      const packets = () => Number(/far:\s*\d+\s+(\d+)/.exec(readFileSync(`/proc/${far.pid}/net/dev`, 'utf8'))[1]);
      const before = packets();
      names.length = 0;
      const result = run([mapped]);
      await new Promise((done) => setTimeout(done, 300));
      return { ...result, left: packets() - before, names: [...new Set(names)] };
    };
    const walked = await metered(walk);
    const tested = isShort ? null : await metered(journeys);
    const planted = await metered(leak);
    rmSync(folder, { recursive: true, force: true });
    return report('network namespace, packets counted at the far end', walked, tested, planted);
  } finally {
    far.kill();
  }
}

/** Sockets to, and names of, other hosts in a NetLog file. */
function strangersIn(file) {
  let log;
  const text = readFileSync(file, 'utf8');
  try {
    log = JSON.parse(text);
  } catch {
    // A browser that was ended leaves the list open.
    log = JSON.parse(`${text.trim().replace(/,$/, '')}]}`);
  }
  const types = Object.fromEntries(Object.entries(log.constants.logEventTypes).map(([name, number]) => [number, name]));
  const isOwn = (address) => /^(127\.|\[::1\]|localhost\b|\[::ffff:127\.)/.test(address);
  const found = [];
  for (const { type, params = {} } of log.events) {
    const name = types[type];
    // A UDP socket that is connected and sends nothing is how the browser asks the system for a route.
    if (!['TCP_CONNECT_ATTEMPT', 'UDP_BYTES_SENT', 'HOST_RESOLVER_MANAGER_JOB', 'HOST_RESOLVER_MANAGER_REQUEST'].includes(name))
      continue;
    const address = String(params.address ?? params.host ?? '').replace(/^https?:\/\//, '');
    if (address && !isOwn(address)) found.push(`${name} ${address}`);
  }
  return found;
}

async function byLog(why) {
  const folder = mkdtempSync(join(tmpdir(), 'counterpart-netlog-'));
  const metered = (run, name) => {
    const file = join(folder, `${name}.json`);
    const result = run([mapped, `--log-net-log=${file}`, '--net-log-capture-mode=Everything']);
    const strangers = strangersIn(file);
    return { ...result, left: strangers.length, names: [...new Set(strangers)] };
  };
  const walked = metered(walk, 'walk');
  const planted = metered(leak, 'leak');
  rmSync(folder, { recursive: true, force: true });
  return report(`the browser’s own log (${why})`, walked, null, planted);
}

function report(meter, walked, tested, planted) {
  const runs = [walked, ...(tested ? [tested] : [])];
  const isQuiet = runs.every(({ left, status }) => left === 0 && status === 0) && walked.report?.isClean === true;
  return {
    meter,
    left: walked.left,
    names: walked.names,
    walk: walked.report,
    journeys: tested && { left: tested.left, names: tested.names, status: tested.status },
    planted: { left: planted.left, names: planted.names },
    isProven: isQuiet && planted.left > 0,
  };
}

async function main() {
  const isInside = process.argv.includes('--inside');
  const isLogWanted = process.argv.includes('--log');
  const flags = isInside || isLogWanted ? null : wayIn();
  if (flags) {
    const { status } = spawnSync('unshare', [...flags, process.execPath, self, '--inside', ...process.argv.slice(2)], {
      cwd: root,
      stdio: 'inherit',
    });
    return status ?? 1;
  }
  const found = isInside
    ? await inNamespace()
    : await byLog(isLogWanted ? 'asked for' : 'no permission for network namespaces here');
  console.log(
    found.isProven
      ? `Nothing left: 0 of anything but the planted leak, of which the meter saw ${found.planted.left}. Meter: ${found.meter}.`
      : `NOT PROVEN: ${found.left} left in the walk; the planted leak moved the meter by ${found.planted.left}. Meter: ${found.meter}.`,
  );
  console.log(JSON.stringify(found));
  return found.isProven ? 0 : 1;
}

if (process.argv[1] === self) process.exit(await main());
