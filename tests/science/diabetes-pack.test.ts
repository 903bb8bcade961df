/** People of the type 1 diabetes pack: the published ones, those around them, and their rest. */
import { describe, expect, test } from 'vitest';
import { answerGoldenCase } from '#engine/equations-golden.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { cholesky } from '#numerics/linear-algebra.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { compileModel } from '#packs/equations/compile.ts';
import { individualParameters, keepsConstraints } from '#twin/equations/individual.ts';
import { covariatesOf, effectsOf, manifest } from '#training/models/type-1-diabetes.ts';
import { ageGroups, freeParameters, groupMoments, virtualPatients } from '#training/models/t1d-patients.ts';

const programs = manifest.models.map((model, i) => compileModel(model, manifest, `models[${i}]`));
const program = programs[0]!;
const at = (symbol: string): number => program.parameters.findIndex((parameter) => parameter.symbol === symbol);

test('the random effects of a published patient give back all of the patient’s parameters', () => {
  for (const patient of virtualPatients) {
    const effects = effectsOf(patient);
    const parameters = individualParameters(program, {
      lanes: 1,
      effect: (index) => Float64Array.of(effects[program.effects[index]!.symbol]!),
      covariate: (index) =>
        Float64Array.of(program.covariates[index] === 'weight' ? patient.values.BW : ageGroups.indexOf(patient.group)),
    });
    for (const symbol of freeParameters.slice(1)) {
      expect(parameters[at(symbol)]![0]! / patient.values[symbol]).toBeCloseTo(1, 10);
    }
  }
});

test('a published patient on the nominal basal rate stays at rest', async () => {
  const patient = virtualPatients.find(({ name }) => name === 'child#003')!;
  const ask = (doses: readonly { input: string; time: number; amount: number; duration: number }[]) =>
    answerGoldenCase(
      new ReferenceSimulator(),
      { manifest, programs },
      {
        id: 'rest',
        model: program.modelId,
        covariates: covariatesOf(patient),
        effects: effectsOf(patient),
        doses,
        controls: [],
        initialStates: {},
        times: [0, 720],
        readouts: ['glucose', 'nominalBasal'],
      },
    );
  const [[, perHour]] = (await ask([])) as [[number, number]];
  const rows = await ask([{ input: 'BASAL', time: 0, amount: 12 * perHour, duration: 720 }]);
  expect(rows[1]![0]).toBeCloseTo(patient.values.Gb, 4);
});

describe('people drawn from the population', () => {
  const lanes = 4000;
  const random = new RandomSequence(seedFrom(11));
  const E = program.effects.length;
  const l = cholesky(Array.from({ length: E }, (_, i) => Array.from(program.omega.slice(i * E, (i + 1) * E))))!;
  const columns = Array.from({ length: E }, () => new Float64Array(lanes));
  const weights = new Float64Array(lanes);
  const adult = {
    location: Math.log(groupMoments.BW.adult[0]) - Math.log1p(0.19 ** 2) / 2,
    spread: Math.sqrt(Math.log1p(0.19 ** 2)),
  };
  for (let lane = 0; lane < lanes; lane++) {
    const z = Array.from({ length: E }, () => random.normal());
    for (let i = 0; i < E; i++) columns[i]![lane] = l[i]!.reduce((sum, value, j) => sum + value * (z[j] ?? 0), 0);
    weights[lane] = Math.exp(adult.location + adult.spread * random.normal());
  }
  const individuals = {
    lanes,
    effect: (index: number) => columns[index]!,
    covariate: (index: number) => (program.covariates[index] === 'weight' ? weights : new Float64Array(lanes)),
  };
  const parameters = individualParameters(program, individuals);

  // Four standard errors of a mean of 4,000, where the sd is `cv` of it.
  test.each(['Gb', 'Ib', 'Vg', 'CL', 'kd', 'b', 'd'] as const)('%s has the mean of the table', (symbol) => {
    const [mean, cvPercent] = groupMoments[symbol].adult;
    const found = parameters[at(symbol)]!.reduce((sum, value) => sum + value / lanes, 0);
    expect(Math.abs(found / mean - 1)).toBeLessThan((4 * cvPercent) / 100 / Math.sqrt(lanes));
  });

  test('most of them keep the constraints, and whoever does is at rest with positive masses', () => {
    const keeps = keepsConstraints(program, individuals);
    const share = keeps.reduce((sum, value) => sum + value / lanes, 0);
    expect(share).toBeGreaterThan(0.8);
    keeps.forEach((kept, lane) => {
      if (kept === 0) return;
      for (const symbol of ['Gpb', 'Gtb', 'Ipb', 'Ilb', 'Isc1ss', 'Isc2ss', 'Vm0']) {
        expect(parameters[at(symbol)]![lane]).toBeGreaterThan(0);
      }
    });
  });
});
