import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { PatientRecord } from '#domain/record.ts';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { loadPack } from '#packs/catalogue.ts';
import { leverInterventions } from '#packs/manifest-views.ts';
import type { EquationsPack } from '#packs/pack.ts';
import { asEquations } from '#training/tumour/as-equations.ts';
import { seriesOf } from '#training/tumour/cohort.ts';
import { recordOf } from '#training/tumour/evaluate-pack.ts';
import { restoreModel } from '#training/tumour/fit.ts';
import { Basis, TraitPrior, TumourModel } from '#training/tumour/model.ts';
import { packFitFile, type PackFit } from '#training/tumour/pack.ts';
import { drawPerson, randomOf, testCourse } from '#training/tumour/simulator.ts';
import { manifest } from '#training/models/lung-tumour-learned.ts';
import { fitPerson } from '#twin/equations/fitted-person.ts';
import { readModels } from '../../../scripts/read-models.ts';

const fit = JSON.parse(readFileSync(packFitFile, 'utf8')) as PackFit;
const model = restoreModel(fit.model);
const pack = (await loadPack('lung-tumour-learned', readModels())) as EquationsPack;
const prior = new TraitPrior(model);
const { traits: L, memory: E, hidden: H } = model.shape;

/** φ₀, φ of each day of a course. */
function outputsOf(volumes: ArrayLike<number>, chemo: ArrayLike<number>, radio: ArrayLike<number>): Float64Array[] {
  const basis = new Basis(model);
  const memory = new Float64Array(E);
  const driven = new Float64Array(model.driven);
  return Array.from(volumes, (volume, t) => {
    model.drive(driven, chemo[t]!, radio[t]!, { change: 0, chemo: 0, radio: 0 });
    model.remember(memory, driven);
    const rest = basis.newRest();
    basis.rest(Float64Array.of(0, ...memory, chemo[t]!, radio[t]!), 0, rest);
    const out = new Float64Array(model.outputs);
    basis.complete(rest, model.logVolume(volume), out, 0, new Float64Array(H), new Float64Array(H));
    return out;
  });
}

test('of the sizes tried the pack is the smallest that loses no more than is tolerated', () => {
  const most = Math.max(...fit.tried.map(({ valid }) => valid));
  const near = fit.tried.filter(({ valid }) => valid >= most - fit.tolerated);
  expect(fit.chosen.numbers).toBe(Math.min(...near.map(({ numbers }) => numbers)));
  expect(model.theta).toHaveLength(fit.chosen.numbers);
});

test('both treatments are levers, and no stronger evidence is claimed than learning in a simulator', () => {
  expect(leverInterventions(pack.manifest).map(({ id, whatIfClass }) => [id, whatIfClass])).toEqual([
    ['chemotherapy', 'S'],
    ['radiotherapy', 'S'],
  ]);
});

test('a memory that reads the course is refused', () => {
  const reading = new TumourModel({ ...model.shape, readsCourse: true }, model.scale);
  expect(() => asEquations(reading, manifest.models[0]!)).toThrow(/no equations/);
});

describe.each(pack.golden.cases)('the reference case $id', (golden) => {
  test('is what the network gives with the same traits', () => {
    const g = manifest.models.findIndex(({ id }) => id === golden.model);
    const type = Number(golden.covariates['patient-type']) - 1;
    const z = prior.components[g]!.means[type]!.map((value, l) => value + golden.effects[`eta${l + 1}`]!);
    const day = (control: string) => golden.controls.filter((one) => one.control === control).map(({ value }) => value);
    const days = Array.from({ length: 60 }, (_, t) => t);
    const [chemo, radio] = ['chemo', 'radio'].map((control) => days.map((t) => day(control)[t] ?? 0));
    const volumes = [golden.initialStates['V']!];
    for (const t of days) {
      const out = outputsOf(volumes, chemo!, radio!)[t]!;
      const change = z.reduce((sum, value, l) => sum + value * out[1 + l]!, out[0]!);
      volumes.push(volumes[t]! * Math.max(1 + change + golden.noise![t]! * Math.sqrt(model.noiseVariance), 0));
    }
    golden.rows.forEach(([volume], k) => {
      // Numbers of eight digits, over sixty days.
      expect(volume! / volumes[golden.times[k]!]! - 1).toBeCloseTo(0, 6);
    });
  });
});

describe('the app’s fit', () => {
  test.each([2, 5, 7])('weighs the groups as the mixture in closed form does, simulated person %i', async (number) => {
    const random = randomOf(fit.seed, 'several steps', number);
    const person = drawPerson(random);
    const course = testCourse(person, fit.gamma, random);
    const day = 12;
    const record: PatientRecord = recordOf(number, person.type, course, day);
    const { twin } = await fitPerson(
      { pack, record, now: '2026-01-13T00:00', lanes: 4000, seed: 1 },
      { simulator: new CpuSimulator() },
    );
    const { changes, volumes } = seriesOf(person.type, course);
    const precision = new Float64Array(L * L);
    const information = new Float64Array(L);
    outputsOf(volumes.slice(0, day), course.chemo, course.radio).forEach((out, t) => {
      for (let i = 0; i < L; i++) {
        const phi = out[1 + i]! / model.noiseVariance;
        information[i]! += phi * (changes[t]! - out[0]!);
        for (let j = 0; j < L; j++) precision[i * L + j]! += phi * out[1 + j]!;
      }
    });
    const { components } = prior.posterior(person.type - 1, precision, information);
    expect(twin.flattening).toBeNull();
    twin.models.forEach((own, g) => {
      // Marginal likelihoods by importance sampling have a standard error below 0.01.
      expect(Math.abs(own.weight - components[g]!.weight)).toBeLessThan(0.01);
      const { lanes, effects } = own.lanes;
      const sds = components[g]!.covariance.map((row, l) => Math.sqrt(row[l]!));
      for (let l = 0; l < L && lanes > 500; l++) {
        const mean = Array.from(effects.subarray(l * lanes, (l + 1) * lanes)).reduce((sum, value) => sum + value, 0) / lanes;
        const centre = prior.components[g]!.means[person.type - 1]![l]!;
        // Of 500 to 4,000 draws the mean errs by a twentieth of their standard deviation at most twice in a hundred.
        expect(Math.abs(centre + mean - components[g]!.mean[l]!)).toBeLessThan(0.15 * sds[l]!);
      }
    });
  });
});
