/** Synthetic people: drawn from a pack's aggregates and its network, never from anybody's row. */
import { AppError, invariant } from '#domain/errors.ts';
import type { DrawnFuture } from '#domain/truth.ts';
import { addDays, type CovariateValue, type IsoDate, type Observation, type PatientRecord } from '#domain/record.ts';
import { drivePlan } from '#engine/drive.ts';
import type { Stepper } from '#engine/engine.ts';
import { cholesky } from '#numerics/linear-algebra.ts';
import { RandomSequence, streams, type Seed } from '#numerics/random.ts';
import { normalCdf } from '#numerics/special-functions.ts';
import { shareAt } from '#numerics/weighted-draws.ts';
import { conditioningAt, covariateInputs, fromState } from '#packs/conditioning.ts';
import { peopleQuantileLevels, type LearnedManifest, type PeopleMarginal } from '#packs/manifest.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { continueCourse, drawCourse, type Course, type CourseEnd } from './course.ts';

export interface DrawOptions {
  /** Length of the history, in grid steps. */
  readonly historySteps: number;
  readonly today: IsoDate;
  readonly stepper: Stepper;
  /** The person's number: "Synthetic 3". Another number is another person of the same seed. */
  readonly number: number;
}

export interface DrawnPerson {
  readonly record: PatientRecord;
  readonly today: IsoDate;
  /** What no record shows, for teaching and tests. */
  readonly truth: {
    readonly member: number;
    readonly traits: Float64Array;
    readonly states: Float64Array;
    /** At today. */
    readonly end: CourseEnd;
    /** [·] the conditioning of every step under usual care. */
    readonly conditioning: Float64Array;
  };
}

const mostAttempts = 200;
/** Share of grid steps with a visit, and of markers measured at a visit; at entry and at the last visit all are. */
const attendance = { visit: 0.75, marker: 0.9 } as const;

/**
 * A person under usual care who is alive and without an event at today. Covariates come from the pack's copula, traits and entry
 * state from its priors, the course from its network. People whose event comes earlier are drawn again, as they would not be seen.
 */
export function drawPerson(pack: LearnedPack, seed: Seed, options: DrawOptions): DrawnPerson {
  const { manifest, network } = pack;
  const { historySteps: steps, today, stepper, number } = options;
  const random = new RandomSequence(seed, streams.people, number);
  const active = new Set(manifest.usualCare.interventions);
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const covariates = drawCovariates(manifest, random);
    const entryMarkers = drawEntryMarkers(manifest, random);
    const { values } = covariateInputs(manifest, covariates, entryMarkers);
    const v = conditioningAt(manifest, values, active, covariates);
    const rows = everyStep(pack, v, steps);
    const member = random.below(network.shape.M);
    const course = drawCourse({ network, member, covariates: values, rows, steps, stepper, random });
    if (course.event !== null) continue;
    const record = asRecord(manifest, covariates, entryMarkers, course, options, random);
    const { traits, states, end } = course;
    return { record, today, truth: { member, traits, states, end, conditioning: v } };
  }
  throw new AppError(
    'request_invalid',
    `Synthetic person: none of ${mostAttempts} was without an event after ${steps} steps. Ask for a shorter history.`,
  );
}

/** Usual care throughout, multiplied through the network. */
function everyStep({ network }: LearnedPack, v: Float64Array, steps: number): Float32Array {
  const none = new Float64Array(steps * network.shape.K);
  const all = Float64Array.from({ length: steps * v.length }, (_, j) => v[j % v.length]!);
  return drivePlan(network, { v: all, logHazardShift: none, effectError: none }).rows;
}

/**
 * What comes after today for a person who was drawn: one course under usual care, from the same seed and number always the same. It is
 * the truth of markers, without the error of a measurement.
 */
export function drawFuture(
  pack: LearnedPack,
  seed: Seed,
  { truth }: DrawnPerson,
  { number, steps, stepper }: Pick<DrawOptions, 'number' | 'stepper'> & { readonly steps: number },
): DrawnFuture {
  const { manifest, network } = pack;
  const { member, conditioning, end } = truth;
  const random = new RandomSequence(seed, streams.future, number);
  const rows = everyStep(pack, conditioning, steps);
  return futureOf(manifest, continueCourse({ network, member, rows, steps, stepper, random }, end), steps);
}

/** A course that went on for so many grid steps, in the markers' units, without the error of a measurement. */
export function futureOf(
  manifest: LearnedManifest,
  { states, event }: Pick<Course, 'states' | 'event'>,
  steps: number,
): DrawnFuture {
  const { stepDays } = manifest.grid;
  const { S } = manifest.network;
  const times = Array.from({ length: steps + 1 }, (_, t) => t);
  const happened = event && manifest.events[event.cause]!;
  return {
    timesDays: times.map((t) => t * stepDays),
    markers: Object.fromEntries(
      manifest.markers.map((marker, j) => [
        marker.id,
        times.map((t) => (event && happened!.isTerminal && t > event.step ? null : fromState(marker, states[t * S + j]!))),
      ]),
    ),
    // Within a step the network does not say when: its middle.
    event: event && { id: happened!.id, day: (event.step + 0.5) * stepDays },
  };
}

function drawCovariates({ people, covariates }: LearnedManifest, random: RandomSequence): Record<string, CovariateValue> {
  const n = people.marginals.length;
  const matrix = Array.from({ length: n }, (_, i) => people.correlation.slice(i * n, (i + 1) * n));
  const factor = cholesky(matrix);
  invariant(factor, 'the correlation of the people distribution is positive definite');
  const independent = people.marginals.map(() => random.normal());
  const drawn = people.marginals.map((marginal, i) => {
    const normal = factor[i]!.reduce((sum, weight, j) => sum + weight * independent[j]!, 0);
    const covariate = covariates.find(({ id }) => id === marginal.covariate)!;
    const categories = covariate.kind === 'category' ? covariate.categories.map(({ value }) => value) : [];
    return [marginal.covariate, atProbability(marginal, normalCdf(normal), categories)];
  });
  return Object.fromEntries(drawn);
}

function atProbability(marginal: PeopleMarginal, p: number, categories: readonly string[]): CovariateValue {
  if (marginal.kind === 'category') {
    return categories[shareAt(marginal.shares, p)]!;
  }
  const { quantiles, decimals } = marginal;
  const levels = peopleQuantileLevels;
  // The outer one per cents are not in the pack, so that no extreme person is; they take its edges.
  const found = levels.findIndex((level) => level >= p);
  const above = found < 0 ? levels.length - 1 : Math.max(1, found);
  const share = Math.min(1, Math.max(0, (p - levels[above - 1]!) / (levels[above]! - levels[above - 1]!)));
  return Number((quantiles[above - 1]! + share * (quantiles[above]! - quantiles[above - 1]!)).toFixed(decimals));
}

/** States are standardised over the training people, so that a standard normal is what the pack says of a marker at entry. */
function drawEntryMarkers(manifest: LearnedManifest, random: RandomSequence): Record<string, number> {
  const ids = manifest.conditioning.filter(({ from }) => from === 'entry-marker').map(({ id }) => id);
  return Object.fromEntries(ids.map((id) => [id, shown(manifest, id, random.normal())]));
}

/** The value on the page as a laboratory would print it. */
function shown(manifest: LearnedManifest, id: string, state: number): number {
  const marker = manifest.markers.find((candidate) => candidate.id === id)!;
  const [low, high] = marker.plausible;
  return Math.min(high, Math.max(low, Number(fromState(marker, state).toFixed(marker.decimals))));
}

function asRecord(
  manifest: LearnedManifest,
  covariates: Record<string, CovariateValue>,
  entryMarkers: Readonly<Record<string, number>>,
  { measured }: Course,
  { historySteps: steps, today, number }: DrawOptions,
  random: RandomSequence,
): PatientRecord {
  const { stepDays } = manifest.grid;
  const { markers, signs } = manifest;
  const S = markers.length + signs.length;
  const entryDate = addDays(today, -Math.round(steps * stepDays));
  const source = `Simulated by ${manifest.title} ${manifest.version}`;
  const observations: Observation[] = [];
  for (let t = 0; t <= steps; t++) {
    const isEnd = t === 0 || t === steps;
    if (!isEnd && random.uniform() > attendance.visit) continue;
    // People come up to a fifth of a step early or late, which leaves the visit in its own grid cell.
    const jitter = isEnd ? 0 : (random.uniform() - 0.5) * 0.4;
    const date = addDays(entryDate, Math.min((t + jitter) * stepDays, Math.round(steps * stepDays)));
    [...markers, ...signs].forEach(({ id }, j) => {
      if (!isEnd && random.uniform() > attendance.marker) return;
      const state = measured[t * S + j]!;
      const marker = markers[j];
      const value = marker
        ? ((t === 0 ? entryMarkers[id] : undefined) ?? shown(manifest, id, state))
        : signs[j - markers.length]!.levels[state]!.value;
      observations.push({ id: `${id}-${t}`, code: id, date, value, unit: marker?.unit ?? '1', isConfirmed: false, source });
    });
  }
  // Natural history is the absence of a treatment and is not recorded as one.
  const given = manifest.interventions.filter(
    ({ id, whatIfClass }) => whatIfClass !== 'N' && manifest.usualCare.interventions.includes(id),
  );
  return {
    id: `synthetic-${manifest.id}-${number}`,
    alias: `Synthetic ${number}`,
    isSynthetic: true,
    entryDate,
    covariates,
    observations,
    treatments: given.map(({ id }) => ({ id: `${id}-0`, intervention: id, start: entryDate, stop: null })),
    events: [],
    note: '',
    updatedAt: 0,
  };
}
