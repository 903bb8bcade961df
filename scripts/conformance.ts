/**
 * npm run conformance -- [--metrics FILE…] [--engine reference|cpu|gpu]
 *
 * Without files: the golden cases of every pack in models/ on the engines of this machine. With --metrics: the metric vectors of
 * each file. Ends with `N passed, N failed` and fails if anything did.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { CpuEngine } from '#engine/cpu/engine.ts';
import type { Engine } from '#engine/engine.ts';
import { runGolden } from '#engine/golden.ts';
import { GpuEngine } from '#engine/gpu/forecast.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { listPacks, loadPack } from '#packs/catalogue.ts';
import { isLearned } from '#packs/pack.ts';
import { encodePlain } from '#twin/encoder-plain.ts';
import { runMetricCases, type MetricFile } from './metrics-conformance.ts';
import { requestNodeGpu } from './node-gpu.ts';
import { readModels } from './read-models.ts';

interface Tally {
  readonly passed: number;
  readonly failed: number;
}

function checkMetrics(paths: readonly string[]): Tally {
  const reports = paths.map((path) => {
    const report = runMetricCases(JSON.parse(readFileSync(path, 'utf8')) as MetricFile);
    for (const message of report.messages) console.log(`${path}: ${message}`);
    return report;
  });
  return {
    passed: reports.reduce((sum, report) => sum + report.passed, 0),
    failed: reports.reduce((sum, report) => sum + report.failed, 0),
  };
}

const engineKinds = ['reference', 'cpu', 'gpu'] as const;

async function makeEngine(kind: (typeof engineKinds)[number]): Promise<Engine> {
  if (kind === 'reference') return new ReferenceEngine();
  if (kind === 'cpu') return CpuEngine.create();
  const gpu = await requestNodeGpu();
  if (!gpu) throw new Error('There is no GPU adapter here. Name the engines to check with --engine reference or --engine cpu.');
  return GpuEngine.create(gpu);
}

async function checkPacks(kinds: readonly (typeof engineKinds)[number][]): Promise<Tally> {
  const fetchBytes = readModels();
  let [passed, failed] = [0, 0];
  for (const kind of kinds) {
    const engine = await makeEngine(kind);
    for (const { id } of await listPacks(fetchBytes)) {
      const pack = await loadPack(id, fetchBytes);
      if (!isLearned(pack)) continue;
      const report = await runGolden(engine, pack, encodePlain);
      console.log(`${id} on ${kind}: largest error ${report.maxError.toExponential(1)}`);
      for (const { where, found, expected } of report.failed) console.log(`  ${where}: found ${found}, expected ${expected}`);
      if (report.passed) passed++;
      else failed++;
    }
    engine.dispose();
  }
  return { passed, failed };
}

const { values, positionals } = parseArgs({
  options: { metrics: { type: 'string', multiple: true }, engine: { type: 'string', multiple: true } },
  allowPositionals: true,
});
const wanted = engineKinds.filter((kind) => values.engine === undefined || values.engine.includes(kind));
const tally = values.metrics ? checkMetrics([...values.metrics, ...positionals]) : await checkPacks(wanted);
console.log(`${tally.passed} passed, ${tally.failed} failed`);
// Dawn keeps Node alive.
process.exit(tally.failed === 0 ? 0 : 1);
