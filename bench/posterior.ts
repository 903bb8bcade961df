/**
 * The whole posterior of a person of the vancomycin pack with two levels: 65,536 draws of one model (Goti 2018, as published
 * alone) and of the three that are averaged, with most probable effects, marginal likelihood, conflict, residuals and resampling.
 */
import type { Simulator } from '#engine/simulation.ts';
import { buildTimeline } from '#engine/timeline.ts';
import { seedFrom } from '#numerics/random.ts';
import { compileModel } from '#packs/equations/compile.ts';
import { manifest } from '#training/models/vancomycin.ts';
import { fitEquations } from '#twin/equations/averaging.ts';
import type { ModelProblem } from '#twin/equations/fit-problem.ts';
import { measure } from './measure.ts';
import { processCpuMs } from './node-host.ts';
import type { Row } from './work.ts';

const draws = 65_536;
const covariates: Readonly<Record<string, number>> = { age: 72, weight: 64, creatinine: 0.7, sex: 0, haemodialysis: 0 };

function problems(): ModelProblem[] {
  return manifest.models.map((model, m) => {
    const program = compileModel(model, manifest, `pack.json, models[${m}]`);
    return {
      program,
      logPriorWeight: -Math.log(manifest.models.length),
      timeline: buildTimeline(program, {
        start: 0,
        end: 48,
        doses: [
          { input: 0, time: 0, amount: 1500, duration: 2 },
          { input: 0, time: 24, amount: 750, duration: 1 },
        ],
        covariates: [{ time: 0, row: Float64Array.from(program.covariates, (id) => covariates[id]!) }],
        controls: [],
        setStates: [],
        occasions: [],
        steadyState: null,
      }),
      occasions: 1,
      unknownCovariates: [],
      observations: [
        { of: 0, time: 4, value: 31, isBelowLimit: false },
        { of: 0, time: 23.5, value: 15.2, isBelowLimit: false },
      ],
    };
  });
}

export async function benchPosterior(path: string, simulator: Simulator, rounds: number): Promise<Row[]> {
  const models = problems();
  const works = { 'posterior-65536x2-levels': models.slice(0, 1), 'posterior-65536x2-levels-3-models': models };
  const rows: Row[] = [];
  for (const [work, own] of Object.entries(works)) {
    const fit = () => fitEquations({ models: own, simulator, seed: seedFrom(1), draws, lanes: draws });
    await fit();
    const run = async (times: number) => {
      for (let k = 0; k < times; k++) await fit();
    };
    const samples = await measure([{ path, run }], processCpuMs, rounds);
    rows.push({ work, path, host: 'node', error: null, ...samples.get(path)! });
  }
  simulator.dispose();
  return rows;
}
