/**
 * Do intervals of a what-if hold what is true? Small cohorts of simulated people, of whom everything is known, an ensemble of the
 * learned model fitted to each, and its effect of five days of radiotherapy on people it has not seen.
 */
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { seriesOf, type Series } from './cohort.ts';
import { fitTumourModel } from './fit.ts';
import { LearnedForecaster } from './forecaster.ts';
import type { ModelShape } from './model.ts';
import { chemoDose, drawPerson, growth, horizon, observedCourse, type Course, type Person, type Treatment } from './simulator.ts';

export interface World {
  /** Of the policy: 0 treats by the toss of a coin, 4 mostly the large tumours. */
  readonly gamma: number;
  /** Whether radiotherapy does anything. */
  readonly isWorking: boolean;
  /** People learned from; a quarter of them more to stop by. */
  readonly people: number;
}

export const study = {
  shape: { traits: 3, components: 2, memory: 2, hidden: 4, readsCourse: false } satisfies ModelShape,
  members: 5,
  epochs: 30,
  patience: 30,
  batch: 10,
  learningRate: 0.02,
  /** Of the traits, by member: the groups. */
  draws: 16,
  /** People whose effect is asked for, all on the same day of their course. */
  asked: 60,
  day: 20,
} as const;

/** Volumes are in shares of today's. */
export interface EffectRun {
  /** By member, by draw of the traits: the mean effect over the people asked. */
  readonly groups: readonly (readonly number[])[];
  /** The true mean effect on these people, the noise left out. */
  readonly truth: number;
  /** √ of the mean squared error of the effect by person, and the sd of the true effects. */
  readonly personError: number;
  readonly personSpread: number;
}

const treated: readonly Treatment[] = Array.from({ length: horizon }, (): Treatment => [0, 1]);
const untreated: readonly Treatment[] = Array.from({ length: horizon }, (): Treatment => [0, 0]);

/** One world of people, one ensemble, one effect. The same run gives the same numbers. */
export function effectRun(world: World, run: number): EffectRun {
  const people = (set: number, count: number): { person: Person; course: Course }[] => {
    const out: { person: Person; course: Course }[] = [];
    for (let i = 0; out.length < count; i++) {
      const random = new RandomSequence(seedFrom(1_000_000 + run), undefined, set * 100_000 + i);
      const drawn = drawPerson(random);
      const person = world.isWorking ? drawn : { ...drawn, theta: [drawn.theta[0], drawn.theta[1], 0] as const };
      const course = observedCourse(person, world.gamma, random);
      if (set < 2 || course.volumes.length > study.day + 1) out.push({ person, course });
    }
    return out;
  };
  const series = (set: number, count: number): Series[] =>
    people(set, count).map(({ person, course }) => seriesOf(person.type, course));
  const [train, valid] = [series(0, world.people), series(1, Math.ceil(world.people / 4))];
  const asked = people(2, study.asked);
  const forecasters = Array.from({ length: study.members }, (_, member) => {
    const random = new RandomSequence(seedFrom(2_000_000 + run), undefined, member);
    // Bayesian bootstrap (Rubin 1981), as the packs' members have it.
    const weights = Float64Array.from(train, () => -Math.log(random.uniform()));
    return new LearnedForecaster(
      fitTumourModel(train, valid, { ...study, weights, seed: 10 * run + member }).model,
      run + member,
    );
  });
  const truths = asked.map(({ person, course }) => trueEffect(person, course));
  const byMember = forecasters.map((forecaster) => asked.map(({ person, course }) => effectsOf(forecaster, person, course)));
  const groups = byMember.map((ofPeople) => ofPeople[0]!.map((_, draw) => mean(ofPeople.map((effects) => effects[draw]!))));
  const truth = mean(truths);
  const errors = truths.map((own, i) => (mean(byMember.map((ofPeople) => mean(ofPeople[i]!))) - own) ** 2);
  return {
    groups,
    truth,
    personError: Math.sqrt(mean(errors)),
    personSpread: Math.sqrt(mean(truths.map((own) => (own - truth) ** 2))),
  };
}

/** By draw of the traits. */
function effectsOf(forecaster: LearnedForecaster, person: Person, { volumes, chemo, radio }: Course): number[] {
  forecaster.begin(person.type);
  for (let t = 0; t < study.day; t++) forecaster.observe(volumes[t]!, [chemo[t]!, radio[t]!], volumes[t + 1]!);
  const today = volumes[study.day]!;
  const [withIt, without] = forecaster.courses(today, [0, 0], [treated, untreated], study.draws);
  return withIt!.map((course, draw) => (course.at(-1)! - without![draw]!.at(-1)!) / today);
}

function trueEffect({ theta }: Person, { volumes, concentrations }: Course): number {
  const today = volumes[study.day]!;
  const [withIt, without] = [treated, untreated].map((plan) => {
    let volume = today;
    let concentration = concentrations[study.day - 1]!;
    for (const [chemo, radio] of [[0, 0], ...plan] as Treatment[]) {
      concentration = concentration / 2 + chemoDose * chemo;
      volume *= Math.max(1 + growth(theta, Math.max(volume, 1e-30), concentration, radio), 0);
    }
    return volume;
  });
  return (withIt! - without!) / today;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
