// What must be on the machine before anything else can run. Only Node's own modules: nothing is installed yet.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Throws a sentence for a person when this Node is too old. */
export function requireNode() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [, wantedMajor, wantedMinor] = /(\d+)\.(\d+)/.exec(engines.node);
  if (major > Number(wantedMajor) || (major === Number(wantedMajor) && minor >= Number(wantedMinor))) return;
  throw new Error(
    `Node ${process.versions.node} is too old: Counterpart needs ${wantedMajor}.${wantedMinor} or newer. Install it from https://nodejs.org and try again.`,
  );
}

/** Runs npm with the Node and the npm that started us, where npm did. */
export function npm(args, options = {}) {
  const cli = process.env.npm_execpath;
  const [command, first] = cli?.endsWith('npm-cli.js') ? [process.execPath, [cli]] : ['npm', []];
  return spawnSync(command, [...first, ...args], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32' && command === 'npm',
    ...options,
  });
}

/** The first way in which node_modules differs from the lock file, or null when it is as the lock file says. */
export function packageDifference() {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const record = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(record)) return 'they are not installed yet';
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  for (const [path, { version, optional }] of Object.entries(lock)) {
    if (path === '') continue;
    const found = installed[path];
    // Optional packages of other systems are in the lock file and rightly not on this machine.
    if (!found && optional) continue;
    if (!found || !existsSync(join(root, path))) return `${path} is missing`;
    if (found.version !== version) return `${path} is ${found.version}, the lock file says ${version}`;
  }
  return null;
}

/** Installs the packages of the lock file when they are missing or others. No install script of any package is run. */
export function ensurePackages() {
  const difference = packageDifference();
  if (!difference) return;
  console.log(`Installing packages (${difference}). The first time takes a minute or two.`);
  const result = npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  if (result.status === 0) return;
  throw new Error(
    'The packages could not be installed: `npm ci` failed, see above. It needs the npm registry (or a mirror: npm config set registry URL), and about 700 MB of disk.',
  );
}
