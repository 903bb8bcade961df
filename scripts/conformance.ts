/**
 * npm run conformance -- [--metrics FILE… | --golden FILE…] [--engine reference|cpu|gpu]
 *
 * Without files: the golden cases of every pack in models/ on the engines of this machine. With --golden: published reference files
 * of mechanistic models, asked of our packs on those engines. With --metrics: the metric vectors of each file. Ends with
 * `N passed, N failed` and fails if anything did.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { CpuEngine } from '#engine/cpu/engine.ts';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { runEquationsGolden } from '#engine/equations-golden.ts';
import { runGolden } from '#engine/golden.ts';
import { acquireDevice } from '#engine/gpu/device.ts';
import { GpuEngine } from '#engine/gpu/forecast.ts';
import { GpuSimulator } from '#engine/gpu/simulation.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { asMachine, type Machine } from '#engine/resilient.ts';
import { listPacks, loadPack } from '#packs/catalogue.ts';
import { isLearned } from '#packs/pack.ts';
import { encodePlain } from '#twin/encoder-plain.ts';
import { checkGoldenFiles, type Tally } from './golden-conformance.ts';
import { runMetricCases, type MetricFile } from './metrics-conformance.ts';
import { requestNodeGpu } from './node-gpu.ts';
import { readModels } from './read-models.ts';

async function checkMetrics(paths: readonly string[]): Promise<Tally> {
  let [passed, failed] = [0, 0];
  for (const path of paths) {
    const report = await runMetricCases(JSON.parse(readFileSync(path, 'utf8')) as MetricFile);
    for (const message of report.messages) console.log(`${path}: ${message}`);
    passed += report.passed;
    failed += report.failed;
  }
  return { passed, failed };
}

const engineKinds = ['reference', 'cpu', 'gpu'] as const;

async function makeMachine(kind: (typeof engineKinds)[number]): Promise<Machine> {
  if (kind === 'reference') return asMachine(new ReferenceEngine(), new ReferenceSimulator());
  if (kind === 'cpu') return asMachine(await CpuEngine.create(), new CpuSimulator());
  const gpu = await requestNodeGpu();
  if (!gpu) throw new Error('There is no GPU adapter here. Name the engines to check with --engine reference or --engine cpu.');
  const device = await acquireDevice(gpu);
  return asMachine(new GpuEngine(device), new GpuSimulator(device));
}

async function checkPacks(machine: Machine): Promise<Tally> {
  const fetchBytes = readModels();
  let [passed, failed] = [0, 0];
  for (const { id } of await listPacks(fetchBytes)) {
    const pack = await loadPack(id, fetchBytes);
    const report = isLearned(pack) ? await runGolden(machine, pack, encodePlain) : await runEquationsGolden(machine, pack);
    console.log(`${id} on ${machine.kind}: largest error ${report.maxError.toExponential(1)}`);
    for (const { id: golden, where, found, expected } of report.failed) {
      console.log(`  ${golden}, ${where}: found ${found}, expected ${expected}`);
    }
    if (report.passed) passed++;
    else failed++;
  }
  return { passed, failed };
}

async function onEachEngine(kinds: readonly (typeof engineKinds)[number][], check: (machine: Machine) => Promise<Tally>) {
  let [passed, failed] = [0, 0];
  for (const kind of kinds) {
    const machine = await makeMachine(kind);
    const tally = await check(machine);
    passed += tally.passed;
    failed += tally.failed;
    machine.dispose();
  }
  return { passed, failed };
}

const texts = { type: 'string', multiple: true } as const;
const { values, positionals } = parseArgs({ options: { metrics: texts, golden: texts, engine: texts }, allowPositionals: true });
const wanted = engineKinds.filter((kind) => values.engine === undefined || values.engine.includes(kind));
const golden = values.golden && [...values.golden, ...positionals];
let tally: Tally;
if (values.metrics) tally = await checkMetrics([...values.metrics, ...positionals]);
else if (golden) tally = await onEachEngine(wanted, (machine) => checkGoldenFiles(golden, machine, console.log));
else tally = await onEachEngine(wanted, checkPacks);
console.log(`${tally.passed} passed, ${tally.failed} failed`);
// Dawn keeps Node alive.
process.exit(tally.failed === 0 ? 0 : 1);
