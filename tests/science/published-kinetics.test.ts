import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import type { SteadyState } from '#engine/simulation.ts';
import { buildTimeline, type TimelineDose } from '#engine/timeline.ts';
import { cholesky } from '#numerics/linear-algebra.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { compileModel } from '#packs/equations/compile.ts';
import { evaluate } from '#packs/equations/evaluate.ts';
import type { EquationsModel } from '#packs/equations/model.ts';
import type { Program } from '#packs/equations/program.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import * as alzheimerAdas from '../../training/models/alzheimer-adas.ts';
import * as infliximab from '../../training/models/infliximab.ts';
import * as propofol from '../../training/models/propofol.ts';
import * as tacrolimus from '../../training/models/tacrolimus.ts';
import * as vancomycin from '../../training/models/vancomycin.ts';

type Manifest = Omit<EquationsManifest, 'golden' | 'card'>;
type Values = Readonly<Record<string, number | string>>;

function programOf(manifest: Manifest, modelId = manifest.models[0]!.id): Program {
  const index = manifest.models.findIndex(({ id }) => id === modelId);
  return compileModel(manifest.models[index] as EquationsModel, manifest, `models[${index}]`);
}

/** Values by manifest id as the program's covariate row. */
function rowOf(manifest: Manifest, program: Program, values: Values): Float64Array {
  return Float64Array.from(program.covariates, (id) => {
    const covariate = manifest.covariates.find((one) => one.id === id)!;
    if (covariate.kind === 'number') return Number(values[id]);
    return covariate.categories.findIndex(({ value }) => value === values[id]);
  });
}

function parameters(
  manifest: Manifest,
  program: Program,
  values: Values,
  effects: readonly number[] = [],
): Record<string, number> {
  const row = rowOf(manifest, program, values);
  const found: number[] = [];
  for (const { value } of program.parameters) {
    found.push(
      evaluate(value, (from, index) => {
        if (from === 'parameter') return found[index]!;
        return from === 'effect' ? (effects[index] ?? 0) : row[index]!;
      }),
    );
  }
  return Object.fromEntries(program.parameters.map(({ symbol }, i) => [symbol, found[i]!]));
}

/** Draws of the effects, [effects × lanes], lane fastest. */
function drawEffects(program: Program, lanes: number): Float64Array {
  const n = program.effects.length;
  const L = cholesky(Array.from({ length: n }, (_, i) => [...program.omega.slice(i * n, (i + 1) * n)]))!;
  const random = new RandomSequence(seedFrom(17));
  const effects = new Float64Array(n * lanes);
  for (let lane = 0; lane < lanes; lane++) {
    const z = Array.from({ length: n }, () => random.normal());
    for (let i = 0; i < n; i++) effects[i * lanes + lane] = L[i]!.slice(0, i + 1).reduce((sum, l, j) => sum + l * z[j]!, 0);
  }
  return effects;
}

async function simulate(
  manifest: Manifest,
  program: Program,
  {
    values,
    doses = [],
    steadyState = null,
    times,
    readout,
    effects = new Float64Array(program.effects.length),
  }: {
    values: Values;
    doses?: readonly TimelineDose[];
    steadyState?: SteadyState | null;
    times: readonly number[];
    readout: string;
    effects?: Float64Array;
  },
): Promise<Float64Array> {
  const timeline = buildTimeline(program, {
    start: 0,
    end: times.at(-1)! + 1,
    doses,
    covariates: [{ time: 0, row: rowOf(manifest, program, values) }],
    controls: [],
    setStates: [],
    occasions: [],
    steadyState,
  });
  const simulation = await new ReferenceSimulator().simulate({
    program,
    timelines: [timeline],
    times: Float64Array.from(times),
    readouts: [program.readouts.findIndex(({ symbol }) => symbol === readout)],
    lanes: effects.length / program.effects.length,
    effects,
    laneCovariates: [],
    seed: seedFrom(1),
  });
  return Float64Array.from(simulation.values[0]!);
}

const every = (interval: number, count: number, amount: number, duration = 0): TimelineDose[] =>
  Array.from({ length: count }, (_, k) => ({ input: 0, time: k * interval, amount, duration }));

interface PublishedPopulation {
  readonly covariates: { readonly age: number; readonly wt: number; readonly scr: number; readonly sex: string };
  readonly dose: number;
  readonly tau_h: number;
  readonly dur_h: number;
  readonly auc24_ss_percentiles: Readonly<Record<string, number>>;
  readonly trough_ss_percentiles: Readonly<Record<string, number>>;
  readonly p_auc_400_600: number;
  readonly p_auc_gt_600: number;
}

describe('vancomycin', () => {
  const { population } = JSON.parse(readFileSync('tests/fixtures/golden-models/vancomycin.json', 'utf8')) as {
    readonly population: readonly PublishedPopulation[];
  };
  const lanes = 20_000;
  /** Three standard errors of our share, and one of the published figure (0.0008). */
  const within = (share: number) => 3 * Math.sqrt((share * (1 - share)) / lanes) + 0.0008;

  it.each(population.map((one) => [`${one.dose} mg every ${one.tau_h} h`, one] as const))(
    'the population of Goti’s model has the published AUC and troughs: %s',
    async (_, one) => {
      const { manifest } = vancomycin;
      const program = programOf(manifest, 'goti-2018');
      const values = {
        age: one.covariates.age,
        weight: one.covariates.wt,
        creatinine: one.covariates.scr,
        sex: one.covariates.sex === 'F' ? 'female' : 'male',
        haemodialysis: 'no',
      };
      const effects = drawEffects(program, lanes);
      const auc = Float64Array.from({ length: lanes }, (__, lane) => {
        const own = program.effects.map((___, i) => effects[i * lanes + lane]!);
        return ((24 / one.tau_h) * one.dose) / parameters(manifest, program, values, own)['CL']!;
      });
      const steadyState = { input: 0, amount: one.dose, duration: one.dur_h, interval: one.tau_h };
      const trough = await simulate(manifest, program, { values, steadyState, times: [0], readout: 'concentration', effects });
      const share = (found: Float64Array, holds: (value: number) => boolean) => found.filter(holds).length / lanes;
      for (const [percent, value] of Object.entries(one.auc24_ss_percentiles))
        expect(Math.abs(share(auc, (own) => own < value) - Number(percent) / 100)).toBeLessThan(within(Number(percent) / 100));
      for (const [percent, value] of Object.entries(one.trough_ss_percentiles))
        expect(Math.abs(share(trough, (own) => own < value) - Number(percent) / 100)).toBeLessThan(within(Number(percent) / 100));
      const between = share(auc, (own) => own >= 400 && own <= 600);
      expect(Math.abs(between - one.p_auc_400_600)).toBeLessThan(within(one.p_auc_400_600));
      const above = share(auc, (own) => own > 600);
      expect(Math.abs(above - one.p_auc_gt_600)).toBeLessThan(within(one.p_auc_gt_600));
    },
  );

  it('clearance is positive at every corner of the hard limits', () => {
    const { manifest } = vancomycin;
    const limits = (id: string) => {
      const { min, max } = manifest.population.criteria.find((one) => one.id === id && one.severity === 'hard')!;
      return [min, max];
    };
    for (const { id } of manifest.models)
      for (const age of limits('age'))
        for (const weight of limits('weight'))
          for (const creatinine of limits('creatinine'))
            for (const sex of ['female', 'male'])
              for (const haemodialysis of ['no', 'yes']) {
                const values = { age, weight, creatinine, sex, haemodialysis };
                const { CL } = parameters(manifest, programOf(manifest, id), values);
                expect(CL, JSON.stringify({ id, ...values })).toBeGreaterThan(0);
              }
  });

  it('over a steady interval the exposure is the dose over the clearance, in all three models', async () => {
    const { manifest } = vancomycin;
    const values = { age: 57, weight: 79, creatinine: 1, sex: 'male', haemodialysis: 'no' };
    for (const { id } of manifest.models) {
      const program = programOf(manifest, id);
      const steadyState = { input: 0, amount: 1000, duration: 1.5, interval: 12 };
      const doses = every(12, 2, 1000, 1.5);
      const [from, to] = await simulate(manifest, program, { values, steadyState, doses, times: [0, 12], readout: 'exposure' });
      expect((to! - from!) / (1000 / parameters(manifest, program, values)['CL']!)).toBeCloseTo(1, 9);
    }
  });
});

describe('tacrolimus', () => {
  const { manifest } = tacrolimus;
  const program = programOf(manifest);
  const values = (cyp3a5: string) => ({
    sex: 'male',
    weight: 80,
    height: 178,
    haematocrit: 33,
    prednisolone: 10,
    'since-transplantation': 500,
    cyp3a5,
  });
  const exposure = async (genotype: string, amount: number) => {
    const doses = every(12, 100, amount);
    const [from, to] = await simulate(manifest, program, {
      values: values(genotype),
      doses,
      times: [1188, 1200],
      readout: 'exposure',
    });
    return to! - from!;
  };

  it('an expresser needs 1.30/0.82 = 1.585 times the dose for the same exposure, within CPIC’s 1.5 to 2', async () => {
    const usual = await exposure('*3/*3', 4);
    const ratio = usual / (await exposure('*1/*3', 4));
    expect(ratio).toBeCloseTo(1.3 / 0.82, 6);
    expect(await exposure('*1/*3', 4 * ratio)).toBeCloseTo(usual, 6);
    expect(ratio).toBeGreaterThan(1.5);
    expect(ratio).toBeLessThan(2);
  });

  it('shares of an unknown genotype sum to 1 for each ancestry, and expressers are as common as published', () => {
    const cyp3a5 = manifest.covariates.find(({ id }) => id === 'cyp3a5')!;
    if (cyp3a5.kind !== 'category' || !('sharesBy' in cyp3a5)) throw new Error('expected shares by ancestry');
    const expressers = Object.entries(cyp3a5.sharesBy!.shares).map(([ancestry, shares]) => {
      expect(shares).toHaveLength(cyp3a5.categories.length);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 4);
      return [ancestry, shares.reduce((sum, share, i) => sum + (cyp3a5.categories[i]!.value.startsWith('*1') ? share : 0), 0)];
    });
    const published = { european: 0.103, african: 0.809, 'east-asian': 0.477, 'south-asian': 0.554, american: 0.319 };
    for (const [ancestry, share] of expressers) expect(share).toBeCloseTo(published[ancestry as keyof typeof published], 3);
  });

  it('a falling haematocrit lowers whole blood and leaves plasma as it is', async () => {
    const doses = every(12, 40, 5);
    const at = async (haematocrit: number, readout: string) =>
      (await simulate(manifest, program, { values: { ...values('*3/*3'), haematocrit }, doses, times: [480], readout }))[0]!;
    expect(await at(24, 'plasma')).toBe(await at(36, 'plasma'));
    expect((await at(24, 'concentration')) / (await at(36, 'concentration'))).toBeCloseTo(2 / 3, 1);
  });
});

describe('infliximab', () => {
  const { manifest } = infliximab;
  const program = programOf(manifest);
  const trough = async (amount: number, interval: number) => {
    const values = { sex: 'male', weight: 84, albumin: 3.9, antibodies: 1 };
    const steadyState = { input: 0, amount, duration: 2 / 24, interval };
    return (await simulate(manifest, program, { values, steadyState, times: [0], readout: 'concentration' }))[0]!;
  };

  it('with antibodies a doubled dose doubles the trough, a halved interval raises it more than tenfold', async () => {
    const usual = await trough(400, 56);
    expect((await trough(800, 56)) / usual).toBeCloseTo(2, 9);
    expect((await trough(400, 28)) / usual).toBeGreaterThan(10);
  });
});

describe('propofol', () => {
  const { manifest } = propofol;
  const program = programOf(manifest);

  it('the two test people of the paper have its parameters', () => {
    // As printed, so that the last digit says how exact each is.
    const man = { V1: '6.28308', V2: '20.17078', V3: '137.4287', CL: '1.551355', Q2: '1.516118', Q3: '0.6698454' };
    const woman = { V1: '5.772932', V2: '15.84847', V3: '92.31', CL: '1.519402', Q2: '1.265265', Q3: '0.49699' };
    const found = [
      [man, parameters(manifest, program, { age: 50, weight: 70, height: 171, sex: 'male', opioids: 'yes' })],
      [woman, parameters(manifest, program, { age: 50, weight: 55, height: 160, sex: 'female', opioids: 'yes' })],
    ] as const;
    for (const [published, own] of found) {
      for (const [symbol, text] of Object.entries(published)) {
        const decimals = text.length - text.indexOf('.') - 1;
        // The constants have six digits themselves.
        const allowed = Math.max(0.5 * 10 ** -decimals, 1e-6 * Number(text));
        expect(Math.abs(own[symbol]! - Number(text)), symbol).toBeLessThanOrEqual(allowed);
      }
    }
  });

  it('the bispectral index is 93 awake and half of it at the concentration of half effect', async () => {
    const values = { age: 35, weight: 70, height: 170, sex: 'male', opioids: 'no' };
    expect((await simulate(manifest, program, { values, times: [0], readout: 'bis' }))[0]).toBe(93);
    // An infusion at clearance × 3.08 mg/L for days brings blood and effect site there.
    const { CL } = parameters(manifest, program, values);
    const doses = [{ input: 0, time: 0, amount: CL! * 3.08 * 200_000, duration: 200_000 }];
    const [bis] = await simulate(manifest, program, { values, doses, times: [100_000], readout: 'bis' });
    expect(bis).toBeCloseTo(46.5, 4);
  });
});

describe('natural history', () => {
  it('no disease course offers a lever, and the confounded drug term is a covariate alone', () => {
    const { manifest } = alzheimerAdas;
    expect(manifest.interventions).toEqual([]);
    expect(manifest.models.flatMap((model: EquationsModel) => [...(model.inputs ?? []), ...(model.controls ?? [])])).toEqual([]);
    expect(manifest.covariates.map(({ id }) => id)).toContain('symptomatic-drug');
  });
});
