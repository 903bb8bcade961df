/** Asks the reference cases of an `equations` pack of a simulator, and makes their answers with the reference one. */
import type { EquationsGoldenCase } from '#packs/equations/golden.ts';
import type { Program } from '#packs/equations/program.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import type { EquationsPack } from '#packs/pack.ts';
import { seedFrom } from '#numerics/random.ts';
import type { GoldenFailure, GoldenReport } from './golden.ts';
import { effectColumn, effectColumns, type SimulationRequest, type Simulator } from './simulation.ts';
import { buildTimeline } from './timeline.ts';

/** Asks every case on this device. `maxError` is relative to the case's own tolerance: at most 1 passes. */
export async function runEquationsGolden(simulator: Simulator, pack: EquationsPack): Promise<GoldenReport> {
  const failed: GoldenFailure[] = [];
  let maxError = 0;
  for (const golden of pack.golden.cases) {
    const rows = await answerGoldenCase(simulator, pack, golden);
    const { relative, ofLargest } = golden.tolerance;
    golden.readouts.forEach((readout, column) => {
      const largest = Math.max(...golden.rows.map((row) => Math.abs(row[column]!)));
      golden.rows.forEach((row, t) => {
        const [found, expected] = [rows[t]![column]!, row[column]!];
        const allowed = Math.max(relative * Math.abs(expected), ofLargest * largest);
        const difference = Math.abs(found - expected);
        // A read-out that is zero throughout has nothing to be relative to: only zero passes.
        const error = difference === 0 ? 0 : difference / allowed;
        maxError = Math.max(maxError, Number.isNaN(error) ? Infinity : error);
        if (!(error <= 1)) failed.push({ id: golden.id, where: `${readout} at ${golden.times[t]}`, found, expected });
      });
    });
  }
  return { passed: failed.length === 0, failed, maxError };
}

/** [times][readouts]. */
export async function answerGoldenCase(
  simulator: Simulator,
  { manifest, programs }: { readonly manifest: Pick<EquationsManifest, 'covariates'>; readonly programs: readonly Program[] },
  golden: Omit<EquationsGoldenCase, 'rows' | 'tolerance'>,
): Promise<number[][]> {
  const program = programs.find(({ modelId }) => modelId === golden.model)!;
  const { values } = await simulator.simulate(goldenSimulation(program, manifest, golden));
  return golden.times.map((_, t) => golden.readouts.map((_readout, column) => values[0]![column * golden.times.length + t]!));
}

/** One lane with the case's own effects. Names are known to be the program's: the pack's door has checked them. */
function goldenSimulation(
  program: Program,
  manifest: Pick<EquationsManifest, 'covariates'>,
  golden: Omit<EquationsGoldenCase, 'rows' | 'tolerance'>,
): SimulationRequest {
  const { times, doses, controls, covariates, effects, initialStates, noise } = golden;
  const row = Float64Array.from(program.covariates, (id) => {
    const covariate = manifest.covariates.find((one) => one.id === id)!;
    const value = covariates[id];
    if (covariate.kind === 'category') return covariate.categories.findIndex((category) => category.value === value);
    return typeof value === 'number' ? value : Number.NaN;
  });
  const start = Math.min(0, times[0]!, ...doses.map(({ time }) => time));
  const states = Object.keys(initialStates);
  const columns = new Float64Array(effectColumns(program, 1));
  program.effects.forEach(({ symbol }, i) => (columns[effectColumn(program, i).first] = effects[symbol] ?? 0));
  return {
    program,
    timelines: [
      buildTimeline(program, {
        start,
        end: times.at(-1)!,
        doses: doses.map(({ input, time, amount, duration = 0 }) => {
          return { input: program.inputs.findIndex(({ symbol }) => symbol === input), time, amount, duration };
        }),
        covariates: [{ time: start, row }],
        controls: controls.map(({ control, from, value }) => {
          return { control: program.controls.findIndex(({ symbol }) => symbol === control), from, value };
        }),
        setStates: [],
        occasions: [],
        steadyState: null,
      }),
    ],
    times: Float64Array.from(times),
    readouts: golden.readouts.map((symbol) => program.readouts.findIndex((readout) => readout.symbol === symbol)),
    lanes: 1,
    effects: columns,
    laneCovariates: [],
    ...(states.length > 0
      ? { initialStates: Float64Array.from(program.states, ({ symbol }) => initialStates[symbol] ?? Number.NaN) }
      : {}),
    ...(noise ? { noise: Float64Array.from(noise) } : {}),
    seed: seedFrom(1),
  };
}
