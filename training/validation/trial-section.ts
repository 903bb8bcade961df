/** Randomised trials run again: trials of the published size drawn from the pack's futures, beside what was published. */
import type { Interval, TrialReplication } from '#domain/validation.ts';
import { fitCox } from '#numerics/cox.ts';
import { quantileOfSorted, sorted } from '#numerics/quantiles.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import type { ArmOutcome } from '../evaluation/outcomes.ts';
import { hazardRatioOfCurves, meanCurve } from '../evaluation/replay.ts';
import { orThrow } from '../baselines/predictive.ts';
import { average } from './figures.ts';

export const trialSeed = 20_261_124;
const replicates = 300;

export interface PublishedTrial {
  readonly control: string;
  readonly treated: string;
  readonly name: string;
  readonly citation: string;
  readonly independence: TrialReplication['independence'];
  /** Hazard ratio with its 95 % interval, and people in each arm. */
  readonly hazardRatio: readonly [value: number, low: number, high: number];
  readonly people: readonly [control: number, treated: number];
  readonly measure: string;
  /** Days on which the arms' risks are told, with words. */
  readonly risk: { readonly days: number; readonly words: string };
  /** Of control and treated, where they were published. */
  readonly publishedRisks?: readonly [control: number, treated: number];
}

/**
 * The hazard ratio of a trial of endless size with these arms, and the interval of trials of the published size: people drawn with
 * replacement, each with an event time from the own curve under the arm, followed to the last grid time. What the trial itself lost
 * to follow-up is not drawn.
 */
export function replicateTrial(trial: PublishedTrial, people: readonly ArmOutcome[], stepDays: number): TrialReplication {
  const random = new RandomSequence(seedFrom(trialSeed));
  const curves = (arm: string) => people.map(({ arms }) => arms[arm]!);
  const mean = (arm: string) => {
    const own = curves(arm);
    const event = meanCurve(own.map((one) => one.event));
    const competing = own[0]!.competing ? meanCurve(own.map((one) => one.competing!)) : null;
    return competing ? { event, competing } : { event };
  };
  const [control, treated] = [mean(trial.control), mean(trial.treated)];
  const value = orThrow('hazard ratio', hazardRatioOfCurves(control, treated));
  const ratios: number[] = [];
  for (let replicate = 0; replicate < replicates; replicate++) {
    const time: number[] = [];
    const event: number[] = [];
    const arm: number[][] = [];
    for (const [side, name] of [trial.control, trial.treated].entries()) {
      for (let i = 0; i < trial.people[side]!; i++) {
        const drawn = drawFollowUp(people[random.below(people.length)]!.arms[name]!, stepDays, random);
        time.push(drawn.time);
        event.push(drawn.event);
        arm.push([side]);
      }
    }
    const fit = fitCox(time, event, arm);
    if (fit.defined) ratios.push(Math.exp(fit.value.coefficients[0]!));
  }
  const riskOf = (arm: { event: ArrayLike<number> }) =>
    arm.event[Math.min(arm.event.length - 1, Math.round(trial.risk.days / stepDays))]!;
  const [published, low, high] = trial.hazardRatio;
  return judged({
    name: trial.name,
    measure: trial.measure,
    citation: trial.citation,
    noEffect: 1,
    published: { value: published, interval: { low, high }, n: trial.people[0] + trial.people[1] },
    simulated: { value, interval: interval95(ratios), n: people.length },
    arms: [
      { name: trial.control, published: trial.publishedRisks?.[0] ?? null, simulated: riskOf(control), unit: trial.risk.words },
      { name: trial.treated, published: trial.publishedRisks?.[1] ?? null, simulated: riskOf(treated), unit: trial.risk.words },
    ],
    independence: trial.independence,
  });
}

/** A difference of means of a marker between arms; people and their measured spread are drawn anew. */
export function replicateDifference(
  asked: Pick<PublishedTrial, 'control' | 'treated' | 'name' | 'citation' | 'independence' | 'measure' | 'people'> & {
    readonly published: number;
    readonly publishedInterval: Interval | null;
    /** Standard deviation of one measured value around its forecast. */
    readonly residualSd: number;
    readonly unit: string;
  },
  people: readonly ArmOutcome[],
): TrialReplication {
  const random = new RandomSequence(seedFrom(trialSeed));
  const { control, treated } = asked;
  const meanOf = (arm: string) => average(people.map(({ marker }) => marker![arm]!));
  const differences = Array.from({ length: replicates }, () => {
    const armMean = (arm: string, n: number) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += people[random.below(people.length)]!.marker![arm]! + asked.residualSd * random.normal();
      return sum / n;
    };
    return armMean(treated, asked.people[1]) - armMean(control, asked.people[0]);
  });
  return judged({
    name: asked.name,
    measure: asked.measure,
    citation: asked.citation,
    noEffect: 0,
    published: { value: asked.published, interval: asked.publishedInterval, n: asked.people[0] + asked.people[1] },
    simulated: { value: meanOf(treated) - meanOf(control), interval: interval95(differences), n: people.length },
    arms: [control, treated].map((arm) => ({ name: arm, published: null, simulated: meanOf(arm), unit: asked.unit })),
    independence: asked.independence,
  });
}

interface Arm {
  readonly event: readonly number[];
  readonly competing: readonly number[] | null;
}

/** An event time from a cumulative incidence: the step by chance, the moment in it evenly. */
function drawFollowUp({ event, competing }: Arm, stepDays: number, random: RandomSequence): { time: number; event: 0 | 1 } {
  const u = random.uniform();
  const within = random.uniform();
  const steps = event.length - 1;
  for (let t = 1; t <= steps; t++) {
    // One draw decides both: the event's share of the line comes first in each step.
    const before = event[t - 1]! + (competing?.[t - 1] ?? 0);
    const risen = event[t]! - event[t - 1]!;
    const after = event[t]! + (competing?.[t] ?? 0);
    if (u > after) continue;
    return { time: (t - 1 + within) * stepDays, event: u <= before + risen ? 1 : 0 };
  }
  return { time: steps * stepDays, event: 0 };
}

function interval95(values: readonly number[]): Interval {
  const ascending = sorted(values);
  return { low: quantileOfSorted(ascending, 0.025), high: quantileOfSorted(ascending, 0.975) };
}

/** Replicated: the published value lies inside the simulated interval, and both lie on the same side of no effect or at it. */
export function judged(trial: Omit<TrialReplication, 'isReplicated' | 'words'>): TrialReplication {
  const { published, simulated, noEffect } = trial;
  const isInside = published.value >= simulated.interval.low && published.value <= simulated.interval.high;
  const sideOf = (value: number, interval: Interval | null): number => {
    if (noEffect === null) return 0;
    if (interval && interval.low <= noEffect && interval.high >= noEffect) return 0;
    return Math.sign(value - noEffect);
  };
  const [theirs, ours] = [
    sideOf(published.value, published.interval),
    Math.sign(simulated.value - (noEffect ?? simulated.value)),
  ];
  const isSameDirection = noEffect === null || theirs === 0 || theirs === ours;
  const isReplicated = isInside && isSameDirection;
  const words = isReplicated
    ? theirs === 0 && noEffect !== null
      ? 'The trial found no clear effect, and trials simulated at its size give its value.'
      : 'Trials simulated at its size give its value, in the same direction.'
    : isSameDirection
      ? `The direction is the same, but the published value lies ${published.value > simulated.interval.high ? 'above' : 'below'} what simulated trials of its size give.`
      : 'Simulated trials point in the other direction.';
  return { ...trial, isReplicated, words };
}
