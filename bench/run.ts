// npm run bench -- [--quick] [--only gru|forecast|posterior|t1d|plans|why] [--host node|browser] [--adapter gpu] [--json FILE] [--baselines]
// Medians in CPU time of all threads, and ratios inside one host. --adapter gpu times this machine's GPU in Node instead, in wall
// time. --baselines writes what was measured into bench/baselines.json. The search of plans and the contributions of inputs take minutes and run only when they are
// named.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { firstSearchRollouts } from '#app/plan-question.ts';
import { CpuEngine } from '#engine/cpu/engine.ts';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import type { Engine } from '#engine/engine.ts';
import { GpuEngine } from '#engine/gpu/forecast.ts';
import { GpuSimulator } from '#engine/gpu/simulation.ts';
import { probeNodeGpu } from '../scripts/node-gpu.ts';
import { openBrowserBench } from './browser-host.ts';
import { benchForecast, benchGlucoseInNode, benchInNode, benchOnGpu, processCpuMs } from './node-host.ts';
import { benchPlanning, halvingLoss } from './planning.ts';
import { benchPosterior } from './posterior.ts';
import { measuredRatios, type Ratio } from './ratios.ts';
import { minutesOfDay, simglucosePatientDaysPerSecond } from './glucose-work.ts';
import { benchWhy } from './why.ts';
import { gruWork, type Row } from './work.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    host: { type: 'string' },
    adapter: { type: 'string' },
    json: { type: 'string' },
    baselines: { type: 'boolean', default: false },
  },
});
const rounds = options.quick ? 3 : 5;
const isAsked = (work: string): boolean => work.startsWith(options.only);
const work = gruWork();
const glucoseLanes = 10_000;
const rows: Row[] = [];
let adapter = 'none';

if (options.adapter === 'gpu') await runOnGpu();
else {
  if (options.host !== 'browser') await runInNode();
  if (options.host !== 'node' && (isAsked('gru-1024x24') || isAsked('t1d-10000x24h'))) await runInBrowser();
}

const ratios = measuredRatios(rows, options.adapter === 'gpu' ? 'wallMs' : 'cpuMs');
printTables();
if (options.json) writeJson(options.json, { adapter, rows });
if (options.baselines) storeBaselines(fileURLToPath(new URL('baselines.json', import.meta.url)));
// Dawn and ORT's threads would keep the process alive.
process.exit(0);

async function runInNode(): Promise<void> {
  const paths = ['wasm-fused', 'ort-wasm', 'ort-wasm-1-thread', 'tfjs-wasm', 'reference'] as const;
  if (isAsked('gru-1024x24')) rows.push(...(await benchInNode(work, paths, rounds)));
  if (isAsked('forecast-10000x60')) rows.push(...(await benchForecast('wasm-fused', CpuEngine.create, rounds)));
  if (isAsked('posterior')) rows.push(...(await benchPosterior('wasm', new CpuSimulator(), rounds)));
  if (isAsked('t1d-10000x24h')) rows.push(...(await benchGlucoseInNode(glucoseLanes, rounds)));
  if (options.only === 'plans') await runPlans('wasm-fused', CpuEngine.create);
  if (options.only === 'why') rows.push(...(await benchWhy(processCpuMs)));
}

async function runPlans(path: string, makeEngine: () => Promise<Engine>): Promise<void> {
  rows.push(...(await benchPlanning(path, makeEngine, processCpuMs, rounds)));
  const engine = await makeEngine();
  for (const rollouts of [firstSearchRollouts({ kind: 'learned' }), 1000]) {
    console.log(`Halving against scoring everything in full, last round ${rollouts}:`, await halvingLoss(engine, 24, rollouts));
  }
  engine.dispose();
}

async function runInBrowser(): Promise<void> {
  const browser = await openBrowserBench();
  adapter = browser.adapter;
  const paths = ['wgsl-fused', 'tfjs-webgpu', 'tfjs-webgl', 'wasm-fused', 'ort-wasm', 'ort-wasm-1-thread', 'tfjs-wasm'] as const;
  if (isAsked('gru-1024x24')) rows.push(...(await browser.gru(work, paths, rounds)));
  const glucosePaths = ['wgsl-dopri5', 'wgsl-rk4', 'wasm-dopri5', 'wasm-rk4', 'js-rk4', 'tfjs-webgpu-rk4'] as const;
  const timedMinutes = options.quick ? 15 : minutesOfDay;
  if (isAsked('t1d-10000x24h')) rows.push(...(await browser.glucose(glucoseLanes, glucosePaths, timedMinutes, rounds)));
  await browser.close();
}

async function runOnGpu(): Promise<void> {
  const { gpu, reason } = await probeNodeGpu();
  if (!gpu) throw new Error(reason);
  adapter = reason;
  if (isAsked('gru-1024x24')) rows.push(...(await benchOnGpu(work, gpu, rounds)));
  if (isAsked('forecast-10000x60')) rows.push(...(await benchForecast('wgsl-fused', () => GpuEngine.create(gpu), rounds)));
  if (isAsked('posterior')) rows.push(...(await benchPosterior('wgsl', await GpuSimulator.create(gpu), rounds)));
  if (options.only === 'plans') await runPlans('wgsl-fused', () => GpuEngine.create(gpu));
}

/** Ratios that were not measured now stay as they were. */
function storeBaselines(file: string): void {
  const stored = JSON.parse(readFileSync(file, 'utf8')) as { adapter: string; ratios: Ratio[] };
  const isSame = (a: Ratio, b: Ratio) => a.host === b.host && a.fast === b.fast && a.slow === b.slow;
  const kept = stored.ratios.filter((before) => !ratios.some((now) => isSame(before, now)));
  writeJson(file, { adapter: adapter === 'none' ? stored.adapter : adapter, ratios: [...kept, ...ratios] });
}

function writeJson(file: string, content: unknown): void {
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}

function printTables(): void {
  console.log(`WebGPU adapter: ${adapter}. Medians of ${rounds}; CPU time of all threads.`);
  console.table(
    rows.map(({ work, host, path, cpuMs, wallMs, error }) => ({
      work,
      host,
      path,
      'CPU ms': Number(cpuMs.toFixed(1)),
      'wall ms': Number(wallMs.toFixed(1)),
      'error against f64': error === null ? '' : error.toExponential(1),
    })),
  );
  if (ratios.length > 0) console.table(ratios);
  const glucose = rows.filter(({ work: name }) => name.startsWith('t1d'));
  if (glucose.length === 0) return;
  console.log(
    'Glucose ensemble: errors in mg/dL against Dormand–Prince at rtol 1e-10; simglucose as its specification quotes it.',
  );
  console.table([
    ...glucose.map(({ host, path, cpuMs, share = 1 }) => ({
      host,
      path,
      'patient-days per CPU-second': Math.round((1000 * glucoseLanes) / cpuMs),
      'timed share of the day': share,
    })),
    {
      host: 'quoted',
      path: 'simglucose',
      'patient-days per CPU-second': simglucosePatientDaysPerSecond,
      'timed share of the day': 0,
    },
  ]);
}
