/** Most probable effects of the packs' own models, through their formulas and engines, against reference figures of an independent fit. */
import { describe, expect, test } from 'vitest';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import type { Simulator } from '#engine/simulation.ts';
import { buildTimeline } from '#engine/timeline.ts';
import { seedFrom } from '#numerics/random.ts';
import { compileModel, type ModelContext } from '#packs/equations/compile.ts';
import type { EquationsModel } from '#packs/equations/model.ts';
import { manifest as vancomycinPack } from '#training/models/vancomycin.ts';
import { manifest as warfarinPack } from '#training/models/warfarin.ts';
import type { ModelProblem } from '#twin/equations/fit-problem.ts';
import { describeMode, findModes } from '#twin/equations/map.ts';
import { Objective } from '#twin/equations/objective.ts';
import { Prior } from '#twin/equations/prior.ts';
import vancomycin from '../fixtures/golden-map/vancomycin.json' with { type: 'json' };
import warfarin from '../fixtures/golden-map/warfarin.json' with { type: 'json' };

interface Person {
  readonly pack: ModelContext & { readonly models: readonly EquationsModel[] };
  readonly model: RegExp;
  readonly covariates: Readonly<Record<string, number | string>>;
  readonly doses: readonly number[][];
  readonly observations: readonly number[][];
  readonly marker: string;
}

const seed = seedFrom(1);

function problemOf({ pack, model, covariates, doses, observations, marker }: Person): ModelProblem {
  const m = pack.models.findIndex(({ id }) => model.test(id));
  const program = compileModel(pack.models[m]!, pack, `pack.json, models[${m}]`);
  const row = Float64Array.from(program.covariates, (id) => {
    const covariate = pack.covariates.find((one) => one.id === id)!;
    const value = covariates[id];
    if (covariate.kind === 'number') return Number(value);
    // Interacting drugs and the like are "no".
    return Math.max(
      0,
      covariate.categories.findIndex((category) => category.value === value),
    );
  });
  const of = program.observations.findIndex((one) => one.marker === marker);
  return {
    program,
    logPriorWeight: 0,
    timeline: buildTimeline(program, {
      start: 0,
      end: 1000,
      doses: doses.map(([time, amount, duration = 0]) => ({ input: 0, time: time!, amount: amount!, duration })),
      covariates: [{ time: 0, row }],
      controls: [],
      setStates: [],
      occasions: [],
      steadyState: null,
    }),
    occasions: 1,
    unknownCovariates: [],
    observations: observations.map(([time, value]) => ({ of, time: time!, value: value!, isBelowLimit: false })),
  };
}

async function fitMap(problem: ModelProblem, simulator: Simulator) {
  const prior = new Prior(problem, seed);
  const objective = new Objective(prior, simulator, seed);
  const modes = await findModes(objective, simulator, prior.draw(8, 0).points);
  return describeMode(objective, modes[0]!);
}

const engines = [
  { simulator: new ReferenceSimulator(), effects: 2e-3, objective: 1e-4 },
  { simulator: new CpuSimulator(), effects: 0.02, objective: 1e-2 },
] as const;

describe.each(engines)('$simulator.description', ({ simulator, effects, objective }) => {
  test.each(vancomycin)('$id ($model)', async (golden) => {
    const { age, wt, scr, sex, dial } = golden.covariates;
    const problem = problemOf({
      pack: vancomycinPack,
      model: new RegExp(`^${golden.model.slice('vancomycin-'.length)}`),
      covariates: {
        age,
        weight: wt,
        creatinine: scr,
        sex: sex === 'F' ? 'female' : 'male',
        haemodialysis: dial === 1 ? 'yes' : 'no',
      },
      doses: golden.doses,
      observations: golden.observations,
      marker: 'vancomycin',
    });
    const map = await fitMap(problem, simulator);
    golden.map_eta.forEach((eta, i) => {
      const index = problem.program.effects.findIndex(({ symbol }) => symbol === `eta${golden.eta_order[i]!}`);
      expect(Math.abs(map.effects[index]! - eta)).toBeLessThan(effects);
    });
    expect(Math.abs(map.minus2LogPosterior - golden.minus2logpost)).toBeLessThan(objective);
    expect(map.parameters['CL']! / golden.params.CL).toBeCloseTo(1, effects < 0.01 ? 3 : 1);
    golden.fitted.forEach((f, m) => expect(map.fitted[m]! / f).toBeCloseTo(1, effects < 0.01 ? 3 : 1));
  });

  test.each(warfarin)('$id ($model)', async (golden) => {
    const { age, cyp2c9, vkorc1 } = golden.covariates;
    const problem = problemOf({
      pack: warfarinPack,
      model: /^warfarin-hamberg-2010$/,
      covariates: { age, cyp2c9, vkorc1, 'baseline-inr': golden.baseline_inr },
      doses: golden.doses_racemic_mg,
      observations: golden.observations_inr,
      marker: 'inr',
    });
    const map = await fitMap(problem, simulator);
    for (const [name, eta] of Object.entries(golden.map_eta)) {
      const index = problem.program.effects.findIndex(({ symbol }) => symbol === `eta${name}`);
      expect(Math.abs(map.effects[index]! - eta)).toBeLessThan(effects);
    }
    expect(Math.abs(map.minus2LogPosterior - golden.minus2logpost)).toBeLessThan(objective);
    golden.fitted_inr.forEach((f, m) => expect(map.fitted[m]! / f).toBeCloseTo(1, effects < 0.01 ? 3 : 1));
  });
});
