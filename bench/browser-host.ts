/**
 * The paths that a browser can run, in one page of headless Chromium on the software adapter. CPU time is that of the whole tree of
 * browser processes, from /proc, so this host needs Linux.
 */
import { createServer, type Server } from 'node:http';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from '@playwright/test';
import { build } from 'vite';
import { chromiumFlags, requireChromium } from '../scripts/chromium.mjs';
import { glucosePack } from './glucose-pack.ts';
import { measure, timed, type Clock, type Contender } from './measure.ts';
import type { Bench, BrowserGlucosePath, BrowserPath } from './page/page.ts';
import type { Row, Work } from './work.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = join(root, 'build/bench-page');

/** What the page has on its globalThis; the functions that use it run there. */
declare const bench: Bench | undefined;

export interface BrowserBench {
  readonly adapter: string;
  gru(work: Work, paths: readonly BrowserPath[], rounds: number): Promise<Row[]>;
  /** `timedMinutes`: how much of the day tfjs goes through; the rest is added in proportion. */
  glucose(lanes: number, paths: readonly BrowserGlucosePath[], timedMinutes: number, rounds: number): Promise<Row[]>;
  close(): Promise<void>;
}

export async function openBrowserBench(): Promise<BrowserBench> {
  await build({
    configFile: false,
    root: join(root, 'bench/page'),
    base: './',
    logLevel: 'error',
    // tfjs-wasm's threads break when their source is minified: the names they look for are then others.
    build: { outDir: built, emptyOutDir: true, target: 'esnext', minify: false, chunkSizeWarningLimit: 10_000 },
  });
  const server = await serve();
  const browserServer = await chromium.launchServer({ executablePath: requireChromium(), args: [...chromiumFlags] });
  const browser = await chromium.connect(browserServer.wsEndpoint());
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(`bench page: ${error.message}`));
  const address = server.address();
  await page.goto(`http://localhost:${typeof address === 'object' && address ? address.port : 0}/`);
  await page.waitForFunction(() => typeof bench !== 'undefined');
  const clock: Clock = () => treeCpuMs(browserServer.process().pid!);
  return {
    adapter: await page.evaluate(() => bench!.adapter()),
    gru: (work, paths, rounds) => gruRows(page, clock, work, paths, rounds),
    glucose: (lanes, paths, timedMinutes, rounds) => glucoseRows(page, clock, { lanes, paths, timedMinutes, rounds }),
    close: async () => {
      await browser.close();
      await browserServer.close();
      server.close();
    },
  };
}

async function gruRows(page: Page, clock: Clock, work: Work, paths: readonly BrowserPath[], rounds: number): Promise<Row[]> {
  const errors = new Map<string, number>();
  for (const path of paths) {
    const asked = { path, steps: work.request.steps };
    errors.set(path, await page.evaluate(({ path, steps }) => bench!.prepare(path, steps), asked));
  }
  const samples = await measure(
    paths.map((path) => contender(page, path)),
    clock,
    rounds,
  );
  return paths.map((path) => ({ work: work.name, path, host: 'browser', error: errors.get(path)!, ...samples.get(path)! }));
}

/** A path whose run takes longer than this is timed once, while it is compared. */
const patienceMs = 60_000;

interface GlucoseBench {
  readonly lanes: number;
  readonly paths: readonly BrowserGlucosePath[];
  readonly timedMinutes: number;
  readonly rounds: number;
}

async function glucoseRows(page: Page, clock: Clock, { lanes, paths, timedMinutes, rounds }: GlucoseBench): Promise<Row[]> {
  const asked = { pack: glucosePack, lanes };
  const work = await page.evaluate((own) => bench!.drawGlucose(own.pack, own.lanes), asked);
  const rows: Row[] = [];
  const quick: { path: BrowserGlucosePath; error: number; share: number }[] = [];
  for (const path of paths) {
    const share = await page.evaluate((own) => bench!.prepareGlucose(own.path, own.timedMinutes), { path, timedMinutes });
    let error = NaN;
    const run = async () => void (error = await page.evaluate((own) => bench!.compareGlucose(own), path));
    const sample = await timed({ path, run }, 1, clock);
    if (sample.wallMs > patienceMs && share === 1) rows.push({ work, path, host: 'browser', error, ...sample });
    else quick.push({ path, error, share });
  }
  const samples = await measure(
    quick.map(({ path }) => contender(page, path)),
    clock,
    rounds,
  );
  for (const { path, error, share } of quick) {
    const { cpuMs, wallMs } = samples.get(path)!;
    const whole = { cpuMs: cpuMs / share, wallMs: wallMs / share };
    rows.push({ work, path, host: 'browser', error, ...whole, ...(share < 1 ? { share } : {}) });
  }
  return rows;
}

function contender(page: Page, path: BrowserPath | BrowserGlucosePath): Contender {
  return { path, run: (times) => page.evaluate((asked) => bench!.run(asked.path, asked.times), { path, times }) };
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** The built page, and node_modules for what a bundle cannot hold. Isolated, as threads in WebAssembly need. */
function serve(): Promise<Server> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname);
    const file = path.startsWith('/node_modules/') ? join(root, path) : join(built, path === '/' ? 'index.html' : path);
    readFile(file).then(
      (content) => {
        response.writeHead(200, {
          'Content-Type': types[extname(file)] ?? 'application/octet-stream',
          'Cross-Origin-Opener-Policy': 'same-origin',
          'Cross-Origin-Embedder-Policy': 'require-corp',
        });
        response.end(content);
      },
      () => response.writeHead(404).end(),
    );
  });
  return new Promise((resolve) => server.listen(0, 'localhost', () => resolve(server)));
}

/** Linux counts the CPU time of processes in ticks of 1/100 s, whatever the machine. */
const tickMs = 10;

/** CPU time of a process and all that descends from it and still lives. */
function treeCpuMs(pid: number): number {
  const children = new Map<number, number[]>();
  const cpuMs = new Map<number, number>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const stat = readStat(entry);
    if (!stat) continue;
    cpuMs.set(Number(entry), stat.cpuMs);
    children.set(stat.parent, [...(children.get(stat.parent) ?? []), Number(entry)]);
  }
  const sum = (own: number): number =>
    (cpuMs.get(own) ?? 0) + (children.get(own) ?? []).reduce((total, child) => total + sum(child), 0);
  return sum(pid);
}

function readStat(pid: string): { parent: number; cpuMs: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold spaces. After it: state, parent, and as 12th and 13th utime and stime (proc(5)).
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(fields[1]), cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs };
  } catch {
    return null; // it ended while we looked
  }
}
