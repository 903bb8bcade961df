/**
 * Which unknowns of an equations pack spread a forecast: Sobol indices over time, of the random effects and of categories that are not
 * known. What is known of the person is not varied.
 *
 * Before anything is measured the effects are those of the population. Afterwards they are what the measurements leave open: the normal
 * distribution with the mean and covariance of the posterior draws. Measurements correlate effects; sobol.ts says what the indices then
 * mean.
 */
import type { Explained, Sensitivity } from '#domain/explanation.ts';
import type { RunHooks } from '#engine/engine.ts';
import { effectColumn, effectColumns, type Lanes, type Simulator } from '#engine/simulation.ts';
import { RandomSequence, seedFrom, streams } from '#numerics/random.ts';
import { zeros } from '#numerics/linear-algebra.ts';
import type { Program } from '#packs/equations/program.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { courseOf, timelineOf } from '#twin/equations/course.ts';
import type { FittedModel } from '#twin/equations/fit-problem.ts';
import type { FittedPerson } from '#twin/equations/fitted-person.ts';
import { asPlan, type Subject } from './elements.ts';
import { gridTimes } from './equations-game.ts';
import { figureOf } from './game.ts';
import { mixedSpace, type MixedDistribution, type MixedPoint } from './gaussian-space.ts';
import { notForecast } from './learned-game.ts';
import { sobolDesign, sobolIndices } from './sobol.ts';

export interface SensitivityOptions {
  readonly seed: number;
  /** Rows of the design; by what a virtual patient costs unless told otherwise. */
  readonly samples?: number;
  /** Milliseconds, only to say how long it took. Without it it took 0. */
  readonly now?: () => number;
}

const resamples = 100;
const designSubstream = 0x30000;
/** Lanes of one simulation: between two of them a run can be stopped. */
const lanesAtOnce = 2048;

export async function sensitivity(
  manifest: EquationsManifest,
  fitted: FittedPerson,
  subject: Subject,
  explained: Explained,
  { seed, samples: wanted, now = () => 0 }: SensitivityOptions,
  simulator: Simulator,
  hooks: RunHooks = {},
): Promise<Sensitivity> {
  const started = now();
  const model = fitted.twin.models.reduce((most, one) => (one.weight > most.weight ? one : most));
  const { program } = model;
  const isMeasured = model.residuals.length > 0;
  const unknowns = unknownsOf(manifest, model, isMeasured);
  const samples = wanted ?? samplesFor(program, simulator);
  const random = new RandomSequence(seedFrom(seed), streams.people, designSubstream);
  const design = sobolDesign(mixedSpace(unknowns.distribution), samples, random);
  const timesDays = gridTimes(manifest.grid.stepDays, subject.horizonDays);
  const values = await evaluate(
    design.points,
    { manifest, fitted, model, subject, explained, timesDays, seed },
    simulator,
    hooks,
  );
  const indices = values.map((ofTime) => sobolIndices(design, ofTime, resamples, random));
  return {
    timesDays,
    parameters: unknowns.named.map((unknown, i) => ({
      ...unknown,
      first: indices.map(({ first }) => first[i]!),
      total: indices.map(({ total }) => total[i]!),
    })),
    samples,
    message: messageOf(manifest, fitted, model, isMeasured),
    elapsedMs: now() - started,
  };
}

function samplesFor({ stepper }: Program, { kind }: Simulator): number {
  if (kind === 'gpu') return 2048;
  return stepper.kind === 'closed-form' ? 1024 : 256;
}

function messageOf(manifest: EquationsManifest, { twin }: FittedPerson, model: FittedModel, isMeasured: boolean): string {
  const title = manifest.models.find(({ id }) => id === model.program.modelId)!.citation;
  const what = isMeasured
    ? 'What this person’s measurements leave open is varied, as a normal distribution'
    : 'The whole population’s spread is varied: nothing was measured in this person';
  const others = twin.models.filter(({ weight }) => weight > 0).length > 1 ? `, under the most probable model (${title})` : '';
  const noise = model.program.noises.length > 0 ? ' The chance of each step is left out.' : '';
  return `${what}${others}.${noise}`;
}

interface Unknowns {
  readonly distribution: MixedDistribution;
  readonly named: readonly { readonly symbol: string; readonly label: string; readonly kind: 'parameter' | 'covariate' }[];
}

/** Effects that vary, each with its columns of all occasions, and unknown categories by their shares among the draws. */
function unknownsOf(manifest: EquationsManifest, { program, lanes }: FittedModel, isMeasured: boolean): Unknowns {
  const columns = lanes.effects.length / lanes.lanes;
  const occasions = occasionsOf(program, columns);
  const { mean, covariance } = isMeasured ? momentsOf(lanes, columns) : populationOf(program, columns, occasions);
  const effects = program.effects.flatMap(({ symbol, label }, index) => {
    const { first, stride } = effectColumn(program, index);
    const own = stride === 0 ? [first] : Array.from({ length: occasions }, (_, occasion) => first + stride * occasion);
    return own.some((column) => covariance[column]![column]! > 0) ? [{ symbol, label, own }] : [];
  });
  const categories = lanes.laneCovariates.flatMap(({ covariate, values }) => {
    const described = manifest.covariates.find(({ id }) => id === program.covariates[covariate])!;
    if (described.kind !== 'category') return [];
    const drawn = Uint8Array.from(values);
    const shares = described.categories.map((_, k) => drawn.filter((value) => value === k).length / lanes.lanes);
    return [{ symbol: described.id, label: described.label, shares }];
  });
  return {
    distribution: {
      mean,
      covariance,
      inputs: effects.map(({ own }) => own),
      categories: categories.map(({ shares }) => shares),
    },
    named: [
      ...effects.map(({ symbol, label }) => ({ symbol, label, kind: 'parameter' as const })),
      ...categories.map(({ symbol, label }) => ({ symbol, label, kind: 'covariate' as const })),
    ],
  };
}

function occasionsOf(program: Program, columns: number): number {
  let occasions = 1;
  while (effectColumns(program, occasions) < columns) occasions++;
  return occasions;
}

function momentsOf({ effects, lanes }: Lanes, columns: number): Pick<MixedDistribution, 'mean' | 'covariance'> {
  const column = (j: number) => Float64Array.from(effects.subarray(j * lanes, (j + 1) * lanes));
  const mean = Array.from({ length: columns }, (_, j) => column(j).reduce((sum, value) => sum + value, 0) / lanes);
  const covariance = zeros(columns, columns);
  for (let a = 0; a < columns; a++) {
    const x = column(a);
    for (let b = 0; b <= a; b++) {
      const y = column(b);
      let sum = 0;
      for (let lane = 0; lane < lanes; lane++) sum += (x[lane]! - mean[a]!) * (y[lane]! - mean[b]!);
      covariance[a]![b] = covariance[b]![a] = sum / (lanes - 1);
    }
  }
  return { mean, covariance };
}

/** Effects of different occasions are independent of each other. */
function populationOf(program: Program, columns: number, occasions: number): Pick<MixedDistribution, 'mean' | 'covariance'> {
  const E = program.effects.length;
  const covariance = zeros(columns, columns);
  const columnOf = (index: number, occasion: number) => {
    const { first, stride } = effectColumn(program, index);
    return first + stride * occasion;
  };
  for (let occasion = 0; occasion < occasions; occasion++) {
    for (let a = 0; a < E; a++) {
      for (let b = 0; b < E; b++) covariance[columnOf(a, occasion)]![columnOf(b, occasion)] = program.omega[a * E + b]!;
    }
  }
  return { mean: new Float64Array(columns), covariance };
}

interface Evaluated {
  readonly manifest: EquationsManifest;
  readonly fitted: FittedPerson;
  readonly model: FittedModel;
  readonly subject: Subject;
  readonly explained: Explained;
  readonly timesDays: readonly number[];
  readonly seed: number;
}

/** [time] of [point]. */
async function evaluate(
  points: readonly MixedPoint[],
  { manifest, fitted: { person }, model, subject, explained, timesDays, seed }: Evaluated,
  simulator: Simulator,
  hooks: RunHooks,
): Promise<Float64Array[]> {
  const { program, lanes: drawn } = model;
  const figure = figureOf(explained);
  const observation = figure.kind === 'marker' ? program.observations.find(({ marker }) => marker === figure.marker) : undefined;
  const events = program.events.flatMap(({ id }, e) =>
    figure.kind === 'event' && (figure.event === null || figure.event === id) ? [e] : [],
  );
  if (!observation && events.length === 0)
    throw notForecast(manifest.title, figure.kind === 'marker' ? figure.marker : (figure.event ?? 'an event'));
  const { toModelTime, initialStates } = courseOf(program, person);
  const plans = explained.kind === 'difference' ? [subject.plan, subject.planReference] : [subject.plan];
  const timelines = plans.map((plan) =>
    timelineOf(program, person, { plan: asPlan('sensitivity', plan), horizonDays: subject.horizonDays, changes: [] }),
  );
  const times = Float64Array.from(timesDays, toModelTime);
  const noise = withoutNoise(program, timelines[0]!.segments[0]!.start, times.at(-1)!);
  const values = timesDays.map(() => new Float64Array(points.length));
  for (let from = 0; from < points.length; from += lanesAtOnce) {
    hooks.signal?.throwIfAborted();
    const part = points.slice(from, from + lanesAtOnce);
    const n = part.length;
    const effects = new Float64Array((drawn.effects.length / drawn.lanes) * n);
    part.forEach(({ columns }, lane) => columns.forEach((value, j) => (effects[j * n + lane] = value)));
    const simulation = await simulator.simulate(
      {
        program,
        lanes: n,
        effects,
        laneCovariates: drawn.laneCovariates.map(({ covariate }, k) => ({
          covariate,
          values: Float64Array.from(part, ({ categories }) => categories[k]!),
        })),
        ...(initialStates ? { initialStates } : {}),
        ...(noise ? { noise } : {}),
        timelines,
        times,
        readouts: [observation?.readout ?? 0],
        seed: seedFrom(seed),
      },
      hooks.signal ? { signal: hooks.signal } : {},
    );
    plans.forEach((_, p) => {
      const sign = p === 0 ? 1 : -1;
      timesDays.forEach((_, t) => {
        for (let lane = 0; lane < n; lane++) {
          const own = observation
            ? simulation.values[p]![t * n + lane]! * observation.factor
            : Number(events.some((event) => simulation.eventTimes[p]![event * n + lane]! <= times[t]!));
          values[t]![from + lane]! += sign * (simulation.diverged[p]![lane] === 1 ? Number.NaN : own);
        }
      });
    });
    hooks.onProgress?.((from + n) / points.length);
  }
  return values;
}

/** Two points of a pair may differ by their inputs only. */
function withoutNoise({ stepper, noises }: Program, start: number, end: number): Float64Array | null {
  if (noises.length === 0) return null;
  const step = 'step' in stepper ? stepper.step : 1;
  return new Float64Array((Math.ceil((end - start) / step) + 1) * noises.length);
}
