import { describe, expect, it } from 'vitest';
import { inverseWeights } from '#training/tumour/ablation.ts';
import { BayesForecaster } from '#training/tumour/bayes.ts';
import { drawCohort, seriesOf } from '#training/tumour/cohort.ts';
import { LearnedForecaster, MeanForecaster } from '#training/tumour/forecaster.ts';
import { TumourModel } from '#training/tumour/model.ts';
import { persistence, runTest, type Forecaster } from '#training/tumour/protocol.ts';
import {
  carryingCapacity,
  chemoDose,
  drawPerson,
  hypotheticalCourse,
  hypotheticalNext,
  lethalVolume,
  noiseSd,
  observedCourse,
  population,
  radioFactor,
  randomOf,
  testCourse,
  type Course,
} from '#training/tumour/simulator.ts';

const people = (gamma: number, count: number, draw: typeof observedCourse): Course[] =>
  Array.from({ length: count }, (_, i) => {
    const random = randomOf(3, 'train', i);
    return draw(drawPerson(random), gamma, random);
  });
const share = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('the simulator', () => {
  it('treats by the toss of a coin at γ = 0, mostly large tumours at γ = 4, and nobody to learn from on day 0', () => {
    const coin = people(0, 200, observedCourse);
    expect(share(coin.flatMap(({ chemo }) => chemo.slice(1)))).toBeCloseTo(0.5, 1);
    expect(coin.every(({ chemo, radio }) => chemo[0] === 0 && radio[0] === 0)).toBe(true);
    expect(people(0, 200, testCourse).some(({ chemo }) => chemo[0] === 1)).toBe(true);
    const bySize = people(4, 200, observedCourse).flatMap(({ volumes, chemo }) =>
      chemo.slice(1).map((value, t) => ({ value, volume: volumes[t + 1]! })),
    );
    const treated = (isLarge: boolean): number =>
      share(bySize.filter(({ volume }) => volume > 150 === isLarge).map(({ value }) => value));
    expect(treated(true)).toBeGreaterThan(2 * treated(false));
  });

  it('the hypothetical course under the treatments that were given is the course that was', () => {
    const random = randomOf(4, 'one-step', 0);
    const person = drawPerson(random);
    const course = testCourse(person, 1, random);
    const plan = [2, 3, 4, 5, 6].map((day) => [course.chemo[day]!, course.radio[day]!] as const);
    hypotheticalCourse(person, course, 1, plan)!.forEach((volume, step) => {
      // The published generator adds 1e-7 to a volume and to a ratio before the logarithm.
      expect(volume / course.volumes[step + 3]! - 1).toBeCloseTo(0, 6);
    });
    expect(hypotheticalNext(person, course, 4, [course.chemo[4]!, course.radio[4]!])).toBeCloseTo(course.volumes[5]!, 9);
  });

  it('a course that goes on from a negative volume is none', () => {
    const random = randomOf(4, 'one-step', 1);
    const person = { ...drawPerson(random), theta: [0.005, 0.028, 0.9] as const };
    const course = testCourse({ ...person, theta: [0.005, 0.028, 0.01] }, 0, random);
    expect(
      hypotheticalCourse(person, course, 1, [
        [0, 1],
        [0, 0],
      ]),
    ).toBeNull();
    expect(
      hypotheticalCourse(person, course, 1, [
        [0, 0],
        [0, 1],
      ])!.at(-1),
    ).toBeLessThan(0);
  });
});

describe('series to learn from', () => {
  const course = (volumes: number[]): Course => ({
    volumes,
    chemo: volumes.slice(1).map(() => 0),
    radio: volumes.slice(1).map(() => 1),
    concentrations: [],
    noise: [],
  });

  it('know a death and a disappearance as limits, and leave out the end of what could not be counted', () => {
    expect(seriesOf(1, course([1000, lethalVolume]))).toMatchObject({ type: 0, limit: 1 });
    expect(seriesOf(2, course([5, 3, 0]))).toMatchObject({ type: 1, limit: -1 });
    expect([...seriesOf(2, course([5, 3, 0])).changes].at(-1)).toBe(-1);
    expect(seriesOf(3, course([5, 3, 2]))).toMatchObject({ type: 2, limit: 0 });
    const gone = seriesOf(3, course([5, 1e-8, 0]));
    expect([gone.changes.length, gone.limit]).toEqual([1, 0]);
  });

  it('inverse weights are one on average, and large for who is treated although small', () => {
    const cohort = drawCohort(4, 5, 'train', 300);
    const weights = inverseWeights(cohort);
    expect(share(weights.flatMap((own) => [...own]))).toBeCloseTo(1, 9);
    const steps = cohort.flatMap(({ volumes, chemo, radio }, i) =>
      [...volumes].map((volume, t) => ({ volume, isTreated: chemo[t]! + radio[t]! > 0, weight: weights[i]![t]!, t })),
    );
    const mean = (isTreated: boolean, isLarge: boolean): number =>
      share(
        steps
          .filter((step) => step.t > 0 && step.isTreated === isTreated && step.volume > 150 === isLarge)
          .map(({ weight }) => weight),
      );
    expect(mean(true, false)).toBeGreaterThan(mean(false, false));
    expect(mean(false, true)).toBeGreaterThan(mean(true, true));
  });
});

/** The simulator's own equations as a learned model: what it could find, here put in by hand. */
function trueModel(): TumourModel {
  const model = new TumourModel({ traits: 3, components: 1, memory: 1, hidden: 1, readsCourse: false }, { mean: 2, sd: 3 });
  const set = (name: string, values: readonly number[]): void => model.view(name).set(values);
  set('drive', [chemoDose, 0, 0]); // decay 0 in the logit is one half
  // Rows φ₀, ρ, βc, α; columns logarithm of volume, memory, chemotherapy, radiotherapy.
  set('linear', [0, 0, 0, 0, -3, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, -radioFactor]);
  set('bias', [0, Math.log(carryingCapacity) - 2, 0, 0]);
  set('logNoise', [Math.log(noiseSd)]);
  const { alpha, rho, betaC, correlation } = population;
  set('centres', [rho.mean, betaC.mean, alpha.mean]);
  set('types', [0, 0, 0.1 * alpha.mean, 0, 0, 0, 0, 0.1 * betaC.mean, 0]);
  // Lower triangular C with C Cᵀ the precision, its diagonal as logarithms: of (ρ, βc, α), ρ and α correlated.
  const [r, b, a] = [Math.sqrt(rho.variance), Math.sqrt(betaC.variance), Math.sqrt(alpha.variance)];
  const rest = Math.sqrt(1 - correlation ** 2);
  set('factors', [-Math.log(r * rest), 0, 0, 0, -Math.log(b), 0, -correlation / (a * rest), 0, -Math.log(a)]);
  return model;
}

describe('forecasts', () => {
  it('of a model that holds the true equations are those of the exact posterior, once the limits of the prior no longer tell', () => {
    const learned = new LearnedForecaster(trueModel(), 1);
    const bayes = new BayesForecaster(1);
    let compared = 0;
    for (let i = 0; i < 20; i++) {
      const random = randomOf(6, 'one-step', i);
      const person = drawPerson(random);
      learned.begin(person.type);
      bayes.begin(person.type);
      testCourse(person, 0, random, undefined, (course, day) => {
        const today = [course.chemo[day]!, course.radio[day]!] as const;
        const now = course.volumes[day]!;
        if (day > 20) {
          compared++;
          for (const option of [
            [0, 1],
            [1, 0],
          ] as const)
            expect(Math.abs(learned.next(now, option) - bayes.next(now, option)) / now).toBeLessThan(0.01);
          const [ours, exact] = [learned, bayes].map((one) =>
            one
              .follow(now, today, [
                [
                  [0, 1],
                  [1, 0],
                  [0, 0],
                ],
              ])[0]!
              .at(-1)!,
          );
          expect(Math.abs(ours! - exact!) / now).toBeLessThan(0.02);
        }
        for (const one of [learned, bayes]) one.observe(now, today, course.volumes[day + 1]!);
      });
    }
    expect(compared).toBeGreaterThan(300);
  });

  it('of an ensemble are the mean of its members', () => {
    const doubling: Forecaster = { ...persistence, next: (volume) => 2 * volume, follow: () => [[2, 4]] };
    const still: Forecaster = { ...persistence, follow: () => [[1, 1]] };
    const both = new MeanForecaster([doubling, still]);
    expect(both.next(10, [0, 0])).toBe(15);
    expect(
      both.follow(
        1,
        [0, 0],
        [
          [
            [0, 0],
            [0, 0],
          ],
        ],
      ),
    ).toEqual([[1.5, 2.5]]);
  });

  it('are scored on the same rows, whoever else is tested', () => {
    const set = { gamma: 4, seed: 8, people: 8, window: 'published' } as const;
    for (const test of ['one-step', 'random', 'sliding'] as const) {
      const [alone] = runTest(test, set, [persistence]);
      expect(runTest(test, set, [new BayesForecaster(1), persistence])[1]).toEqual(alone);
      expect(alone!.rmse).toHaveLength(test === 'one-step' ? 1 : 5);
    }
  });
});
