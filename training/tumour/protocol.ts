/**
 * The two tests of the counterfactual benchmark, for any method that forecasts: the same people, days, treatments and noise for all of
 * them, so that methods are compared row by row.
 */
import type { RandomSequence } from '#numerics/random.ts';
import {
  drawPerson,
  horizon,
  hypotheticalCourse,
  hypotheticalNext,
  lethalVolume,
  randomOf,
  testCourse,
  type Course,
  type PatientType,
  type Treatment,
} from './simulator.ts';

/** One person at a time, day by day. Volumes in cm³. */
export interface Forecaster {
  begin(type: PatientType): void;
  /** A day lived: its volume, its treatment, the next day's volume. */
  observe(volume: number, treatment: Treatment, next: number): void;
  /** Expected volume of tomorrow under a treatment today. */
  next(volume: number, treatment: Treatment): number;
  /** Expected volumes of days t + 2 … under today's treatment and each plan for the days after: [plans][days]. */
  follow(volume: number, today: Treatment, plans: readonly (readonly Treatment[])[]): number[][];
}

/** Which volumes the test people's policy reads: `published` is the benchmark's own oddity (simulator.ts). */
export type PolicyWindow = 'published' | 'own';

/** Sum of squared errors over rows. */
class Score {
  #sum = 0;
  rows = 0;

  add(predicted: number, truth: number): void {
    this.#sum += (predicted - truth) ** 2;
    this.rows++;
  }

  /** Percent of the lethal volume. */
  get normalisedRmse(): number {
    return (100 * Math.sqrt(this.#sum / this.rows)) / lethalVolume;
  }
}

export const options: readonly Treatment[] = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];

/** Ten plans: one day of chemotherapy, or of radiotherapy, on each of the five days. */
export const sliding: readonly (readonly Treatment[])[] = Array.from({ length: 2 * horizon }, (_, k) =>
  Array.from({ length: horizon }, (_day, day): Treatment => (day !== k % horizon ? [0, 0] : k < horizon ? [1, 0] : [0, 1])),
);

export const randomPlans = (random: RandomSequence): Treatment[][] =>
  Array.from({ length: 2 * horizon }, () =>
    Array.from({ length: horizon }, (): Treatment => [random.uniform() < 0.5 ? 1 : 0, random.uniform() < 0.5 ? 1 : 0]),
  );

/** Persistence, to show how hard a draw of the test is. */
export const persistence: Forecaster = {
  begin: () => {},
  observe: () => {},
  next: (volume) => volume,
  follow: (volume, _, plans) => plans.map((plan) => plan.map(() => volume)),
};

export interface TestSet {
  readonly gamma: number;
  readonly seed: number;
  readonly people: number;
  readonly window: PolicyWindow;
}

export const tests = ['one-step', 'random', 'sliding'] as const;
export type Test = (typeof tests)[number];

/** Normalised RMSE in percent by τ: 1 for one-step, 2 … 6 for the others; and the rows of each. */
export interface TestFigures {
  readonly rmse: readonly number[];
  readonly rows: number;
}

/** Every forecaster over every row of a test. */
export function runTest(test: Test, set: TestSet, forecasters: readonly Forecaster[]): TestFigures[] {
  const steps = test === 'one-step' ? 1 : horizon;
  const scores = forecasters.map(() => Array.from({ length: steps }, () => new Score()));
  /** Rows of the test so far, as far as the published policy will read them. */
  const table: number[][] = [];
  const keep = (row: number[]): void => {
    if (table.length < set.people) table.push(row);
  };
  for (let i = 0; i < set.people; i++) {
    const random = randomOf(set.seed, test === 'one-step' ? 'one-step' : 'several steps', i);
    const planned = randomOf(set.seed, 'plans', i);
    const person = drawPerson(random);
    forecasters.forEach((forecaster) => forecaster.begin(person.type));
    const oneStep = (course: Course, day: number): void => {
      const past = course.volumes.slice(0, day + 1);
      const taken: Treatment = [course.chemo[day]!, course.radio[day]!];
      keep([...past, course.volumes[day + 1]!]);
      for (const option of options) {
        const isTaken = option[0] === taken[0] && option[1] === taken[1];
        const truth = isTaken ? course.volumes[day + 1]! : hypotheticalNext(person, course, day, option);
        if (!isTaken) keep([...past, truth]);
        forecasters.forEach((forecaster, f) => scores[f]![0]!.add(forecaster.next(past[day]!, option), truth));
      }
    };
    const severalSteps = (course: Course, day: number): void => {
      const kept: { plan: readonly Treatment[]; truth: number[] }[] = [];
      for (const plan of test === 'random' ? randomPlans(planned) : sliding) {
        const truth = hypotheticalCourse(person, course, day, plan);
        if (!truth) continue;
        kept.push({ plan, truth });
        keep([...course.volumes.slice(0, day + 2), ...truth]);
      }
      const today: Treatment = [course.chemo[day]!, course.radio[day]!];
      const plans = kept.map(({ plan }) => plan);
      forecasters.forEach((forecaster, f) => {
        const courses = forecaster.follow(course.volumes[day]!, today, plans);
        kept.forEach(({ truth }, k) => truth.forEach((value, step) => scores[f]![step]!.add(courses[k]![step]!, value)));
      });
    };
    const onDay = (course: Course, day: number): void => {
      (test === 'one-step' ? oneStep : severalSteps)(course, day);
      const treatment: Treatment = [course.chemo[day]!, course.radio[day]!];
      forecasters.forEach((forecaster) => forecaster.observe(course.volumes[day]!, treatment, course.volumes[day + 1]!));
    };
    testCourse(person, set.gamma, random, set.window === 'own' ? (own) => own : () => table[i] ?? [], onDay);
  }
  return scores.map((own) => ({ rmse: own.map((score) => score.normalisedRmse), rows: own[0]!.rows }));
}
