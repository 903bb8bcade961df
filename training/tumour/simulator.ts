/**
 * The lung-tumour simulator of the counterfactual benchmark: its people, the course that a policy treats them on, and what would have
 * come under other treatments. Constants are those of the mechanistic pack. The order of events is that of the published generators
 * (`cancer_simulation.py` of the CausalTransformer repository), whose two differ:
 *
 * - people to learn from are not treated on day 0, and the policy of day t reads the 15 days before it;
 * - test people are treated from day 0 on, and the policy of day t reads day t and the 15 before it. There it reads row i of the table
 *   of test rows for the i-th person, which belongs to one of the first few people, ends in a hypothetical volume and holds zeros
 *   beyond it. Where that volume is negative its diameter is not a number, and the person goes untreated while it is in the window.
 *
 * People, noise and treatments come from our own random numbers, so a seed names our draw and not numpy's.
 */
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { manifest } from '../models/lung-tumour.ts';

const [model] = manifest.models;
const constant = (symbol: string): number => model!.constants.find((one) => one.symbol === symbol)!.value;
const variance = (symbol: string): number => model!.effects!.find((effect) => effect.symbol === symbol)!.variance;

/** Volume of a sphere of 30 cm, cm³. */
export const carryingCapacity = constant('K');
/** Volume of a sphere of 13 cm, cm³: the course ends there. */
export const lethalVolume = constant('Vdeath');
export const noiseSd = constant('noiseSd');
export const chemoDose = constant('chemoDose');
const cellDensity = constant('cellDensity');
const fraction = constant('fraction');
/** What a day of radiotherapy multiplies α by: d + d²/(α/β). */
export const radioFactor = fraction * (1 + fraction / constant('alphaOverBeta'));
export const days = 60;
/** Days of treatment that a plan of the τ-step test fixes. */
export const horizon = 5;

/** Means, variances and the correlation of α and ρ before truncation. */
export const population = {
  alpha: { mean: constant('alphaMean'), variance: variance('etaAlpha') },
  rho: { mean: constant('rhoMean'), variance: variance('etaRho') },
  betaC: { mean: constant('betaCMean'), variance: variance('etaBetaC') },
  correlation: model!.correlations![0]!.value,
} as const;

/** People of each stage, and the law of ln(diameter/cm), cut off to [low, high] cm. */
const stages = [
  { name: 'I', people: 1432, location: 1.72, spread: 4.7, low: 0.3, high: 5 },
  { name: 'II', people: 128, location: 1.96, spread: 1.63, low: 0.3, high: 13 },
  { name: 'IIIA', people: 1306, location: 1.91, spread: 9.4, low: 0.3, high: 13 },
  { name: 'IIIB', people: 7248, location: 2.76, spread: 6.87, low: 0.3, high: 13 },
  { name: 'IV', people: 12840, location: 3.86, spread: 8.82, low: 0.3, high: 13 },
] as const;

export type PatientType = 1 | 2 | 3;
export type Vector = readonly [rho: number, betaC: number, alpha: number];

/** (ρ, βc, α) and the volume before the first day. */
export interface Person {
  readonly type: PatientType;
  readonly stage: (typeof stages)[number]['name'];
  readonly theta: Vector;
  readonly firstVolume: number;
}

/** What a type adds to (ρ, βc, α). */
export function shiftOf(type: PatientType): Vector {
  const extra = constant('responder');
  return [0, type === 3 ? extra * population.betaC.mean : 0, type === 1 ? extra * population.alpha.mean : 0];
}

export function drawPerson(random: RandomSequence): Person {
  const type = (1 + Math.floor(3 * random.uniform())) as PatientType;
  const { alpha, rho, betaC, correlation } = population;
  let theta: Vector;
  do {
    const [z1, z2, z3] = [random.normal(), random.normal(), random.normal()];
    theta = [
      rho.mean + Math.sqrt(rho.variance) * (correlation * z1 + Math.sqrt(1 - correlation ** 2) * z2),
      betaC.mean + Math.sqrt(betaC.variance) * z3,
      alpha.mean + Math.sqrt(alpha.variance) * z1,
    ];
  } while (theta.some((value) => value <= 0));
  let pick = random.uniform() * stages.reduce((sum, { people }) => sum + people, 0);
  const stage = stages.find(({ people }) => (pick -= people) < 0) ?? stages[0];
  let diameter: number;
  do diameter = Math.exp(stage.location + stage.spread * random.normal());
  while (!(diameter >= stage.low && diameter <= stage.high));
  const shift = shiftOf(type);
  return {
    type,
    stage: stage.name,
    theta: [theta[0], theta[1] + shift[1], theta[2] + shift[2]],
    firstVolume: (Math.PI / 6) * diameter ** 3,
  };
}

export const diameterOf = (volume: number): number => (volume < 0 ? NaN : Math.cbrt((6 * volume) / Math.PI));

/** Relative change of a day without noise. */
export function growth([rho, betaC, alpha]: Vector, volume: number, concentration: number, radio: number): number {
  return rho * Math.log(carryingCapacity / volume) - betaC * concentration - alpha * radioFactor * radio;
}

/** How strongly the size of the tumour moves the treatment: the benchmark's γ. */
function treatmentProbability(gamma: number, meanDiameter: number): number {
  return 1 / (1 + Math.exp((-gamma / 13) * (meanDiameter - 6.5)));
}

/** Mean diameter of days `from` to `to` − 1; 0 beyond the end. */
function meanDiameter(volumes: ArrayLike<number>, from: number, to: number): number {
  let sum = 0;
  for (let day = from; day < to; day++) sum += diameterOf(volumes[day] ?? 0);
  return sum / (to - from);
}

/** Day t: volume, treatment, concentration with that day's dose. The last volume has no treatment. */
export interface Course {
  readonly volumes: readonly number[];
  readonly chemo: readonly number[];
  readonly radio: readonly number[];
  readonly concentrations: readonly number[];
  /** e(t), also beyond the end. */
  readonly noise: readonly number[];
}

const drawNoise = (random: RandomSequence): number[] =>
  Array.from({ length: days + horizon + 2 }, () => noiseSd * random.normal());

const hasRecovered = (volume: number, random: RandomSequence): boolean =>
  random.uniform() < Math.exp(-Math.max(volume, 0) * cellDensity);

/** The course of someone to learn from. Who dies ends at the lethal volume, who recovers at 0. */
export function observedCourse({ theta, firstVolume }: Person, gamma: number, random: RandomSequence): Course {
  const noise = drawNoise(random);
  const volumes = [firstVolume];
  const [chemo, radio, concentrations] = [[0], [0], [0]];
  for (let t = 1; t < days; t++) {
    const before = volumes[t - 1]!;
    const next = before * (1 + growth(theta, before, concentrations[t - 1]!, radio[t - 1]!) + noise[t]!);
    if (next > lethalVolume || hasRecovered(next, random)) {
      volumes.push(next > lethalVolume ? lethalVolume : 0);
      break;
    }
    volumes.push(next);
    const probability = treatmentProbability(gamma, meanDiameter(volumes, Math.max(t - 15, 0), t));
    chemo.push(random.uniform() < probability ? 1 : 0);
    radio.push(random.uniform() < probability ? 1 : 0);
    concentrations.push(concentrations[t - 1]! / 2 + chemoDose * chemo[t]!);
  }
  const steps = volumes.length - 1;
  return {
    volumes,
    chemo: chemo.slice(0, steps),
    radio: radio.slice(0, steps),
    concentrations: concentrations.slice(0, steps),
    noise,
  };
}

/** The factual course of a test person. `policyVolumes` are what the policy reads; the person's own without. */
export function testCourse(
  { theta, firstVolume }: Person,
  gamma: number,
  random: RandomSequence,
  policyVolumes: (ownVolumes: readonly number[]) => ArrayLike<number> = (own) => own,
  onDay: (course: Course, day: number) => void = () => {},
): Course {
  const noise = drawNoise(random);
  const volumes = [firstVolume];
  const [chemo, radio, concentrations]: number[][] = [[], [], []];
  const course: Course = { volumes, chemo: chemo!, radio: radio!, concentrations: concentrations!, noise };
  for (let t = 0; t < days - 1; t++) {
    const probability = treatmentProbability(gamma, meanDiameter(policyVolumes(volumes), Math.max(t - 15, 0), t + 1));
    // A probability that is not a number is below none: no treatment.
    chemo!.push(random.uniform() < probability ? 1 : 0);
    radio!.push(random.uniform() < probability ? 1 : 0);
    concentrations!.push((concentrations![t - 1] ?? 0) / 2 + chemoDose * chemo![t]!);
    const now = volumes[t]!;
    const next = now * (1 + growth(theta, now, concentrations![t]!, radio![t]!) + noise[t + 1]!);
    volumes.push(Math.min(Math.max(next, 0), lethalVolume));
    onDay(course, t);
    if (next >= lethalVolume || hasRecovered(next, random)) break;
  }
  return course;
}

export type Treatment = readonly [chemo: number, radio: number];

/** V(t + 1) under a hypothetical treatment of day t, not cut off. */
export function hypotheticalNext({ theta }: Person, course: Course, day: number, [chemo, radio]: Treatment): number {
  const now = course.volumes[day]!;
  const concentration = (course.concentrations[day - 1] ?? 0) / 2 + chemoDose * chemo;
  return now * (1 + growth(theta, now, concentration, radio) + course.noise[day + 1]!);
}

/** V(t + 2) … V(t + 6) under a plan for the days after t, not cut off; null where one is not a number, as after a negative volume. */
export function hypotheticalCourse({ theta }: Person, course: Course, day: number, plan: readonly Treatment[]): number[] | null {
  let volume = course.volumes[day + 1]!;
  let concentration = course.concentrations[day]!;
  const out: number[] = [];
  for (const [step, [chemo, radio]] of plan.entries()) {
    concentration = concentration / 2 + chemoDose * chemo;
    const growing = theta[0] * Math.log(carryingCapacity / (volume + 1e-7) + 1e-7);
    const killing = theta[1] * concentration + theta[2] * radioFactor * radio;
    volume *= 1 + growing - killing + course.noise[day + step + 2]!;
    if (Number.isNaN(volume)) return null;
    out.push(volume);
  }
  return out;
}

/** Draws of a seed: who and what the i-th person of a set is, whatever the other sets are. */
const firstOfSet = { 'one-step': 0, 'several steps': 1000, valid: 10_000, train: 20_000, plans: 40_000 } as const;
export type PeopleSet = keyof typeof firstOfSet;

export function randomOf(seed: number, set: PeopleSet, i: number): RandomSequence {
  return new RandomSequence(seedFrom(seed), undefined, firstOfSet[set] + i);
}
