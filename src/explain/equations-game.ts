/**
 * Coalitions under an equations pack. What is known of a person (covariates, levels) decides which virtual patients count; what was and
 * will be given decides their course. So:
 *
 * - Each choice of covariates has one sample of virtual patients, drawn from the population and from around the most probable effects.
 *   Levels that are left out are left out of its weights: that costs no simulation.
 * - Past doses that are left out are left out of the course, not of the fit: the levels were measured after these doses. The
 *   contribution of a dose is what it does to the body of this person, not what it says about it.
 */
import { hoursBetween } from '#domain/doses.ts';
import type { Explained } from '#domain/explanation.ts';
import type { RunHooks } from '#engine/engine.ts';
import type { Simulator, Timeline } from '#engine/simulation.ts';
import { seedFrom, type Seed } from '#numerics/random.ts';
import { weightedMedian } from '#numerics/weighted-median.ts';
import { normaliseLogWeights } from '#numerics/weighted-draws.ts';
import type { EquationsPack } from '#packs/pack.ts';
import { courseOf, timelineOf } from '#twin/equations/course.ts';
import { logDensity } from '#twin/equations/error-models.ts';
import type { ModelProblem } from '#twin/equations/fit-problem.ts';
import { problemsOf } from '#twin/equations/fitted-person.ts';
import { joinLaplace, samplePrior, type Sample } from '#twin/equations/importance.ts';
import { findModes } from '#twin/equations/map.ts';
import { Objective } from '#twin/equations/objective.ts';
import { readPerson, type Person } from '#twin/equations/person.ts';
import { allocatePoints, copyPoint, Prior, type Points } from '#twin/equations/prior.ts';
import { asPlan, dosesWithout, planWithout, recordWithout, type Element, type ResolvedPlan, type Subject } from './elements.ts';
import { absentIn, figureOf, maskOf, sharing, type Game } from './game.ts';
import { groupInputs } from './groups.ts';
import { notForecast } from './learned-game.ts';

export interface EquationsGameOptions {
  readonly mostGroups?: number;
  /** Virtual patients from the population, and as many from around the most probable effects, of each model. */
  readonly lanes: number;
  /** Factor on the population's covariance, where this person's levels do not fit it; 1 unless told otherwise. */
  readonly flattening?: number;
}

const mostTimes = 48;
/** Timelines of one simulation: between two of them a run can be stopped. */
const timelinesAtOnce = 16;

export function equationsGame(
  pack: EquationsPack,
  subject: Subject,
  explained: Explained,
  { mostGroups, lanes, flattening = 1 }: EquationsGameOptions,
  simulator: Simulator,
): Game {
  const { manifest } = pack;
  const person = readPerson(manifest, subject.record, subject.now);
  const groups = groupInputs(subject, person, mostGroups);
  const figure = figureOf(explained);
  const marker = figure.kind === 'marker' ? manifest.markers.find(({ id }) => id === figure.marker) : undefined;
  if (figure.kind === 'marker' && !marker) throw notForecast(manifest.title, figure.marker);
  if (figure.kind === 'event' && !manifest.events.some(({ id }) => figure.event === null || figure.event === id))
    throw notForecast(manifest.title, figure.event ?? 'an event');
  const timesDays = gridTimes(manifest.grid.stepDays, subject.horizonDays);
  // Where a state is set to what was seen, a level decides the course as well.
  const isExact = pack.programs.some(({ states }) => states.some(({ observedExactly }) => observedExactly !== null));
  const fitMask = maskOf(groups, isExact ? ['covariate', 'observations'] : ['covariate']);
  const futureMask = maskOf(groups, ['past-doses', 'treatments', 'blocks', 'planned-doses']);

  return {
    groups,
    timesDays,
    unit: marker?.unit ?? '1',
    async values(coalitions, seed, hooks) {
      const words = seedFrom(seed);
      const found = new Map<number, Float64Array>();
      // A group that is as its reference is makes no other person.
      const people = new Map<string, number[]>();
      for (const own of sharing(coalitions, fitMask).values()) {
        const { covariates, observations } = recordWithout(subject, absentIn(groups, own[0]!).filter(isOfFit(isExact)));
        const key = JSON.stringify([covariates, observations]);
        people.set(key, [...(people.get(key) ?? []), ...own]);
      }
      for (const own of people.values()) {
        const masked = recordWithout(subject, absentIn(groups, own[0]!).filter(isOfFit(isExact)));
        const known = readPerson(manifest, masked, subject.now);
        const samples = await drawSamples(pack, known, { simulator, lanes, flattening, seed: words }, hooks);
        const courses = await runCourses(own, samples, known, words, hooks, found.size / coalitions.length, coalitions.length);
        for (const coalition of own) {
          const weights = weightsOf(samples, absentIn(groups, coalition));
          const { course, usual } = courses(coalition);
          const values = timesDays.map((_, t) => figureAt(course[t]!, weights));
          found.set(
            coalition,
            Float64Array.from(values, (value, t) => (usual ? value - figureAt(usual[t]!, weights) : value)),
          );
        }
        hooks.onProgress?.(found.size / coalitions.length);
      }
      return coalitions.map((coalition) => found.get(coalition)!);
    },
  };

  function figureAt(values: Float32Array, weights: Float64Array): number {
    if (figure.kind === 'marker') return weightedMedian(values, weights);
    let share = 0;
    for (let lane = 0; lane < values.length; lane++) share += weights[lane]! * values[lane]!;
    return share;
  }

  /** [time] of [lane, models one after the other] under what each coalition is given; of an event 1 once it has come. */
  async function runCourses(
    own: readonly number[],
    samples: readonly ModelSample[],
    known: Person,
    seed: Seed,
    hooks: RunHooks,
    before: number,
    all: number,
  ) {
    const futures = new Map<string, { readonly person: Person; readonly plan: ResolvedPlan }>();
    const keys = new Map<number, { readonly course: string; readonly usual: string | null }>();
    const keep = (absent: readonly Element[], plan: ResolvedPlan) => {
      const stopped = new Set(absent.flatMap((one) => (one.of === 'treatments' ? one.places : [])));
      const doses = dosesWithout(known.doses, absent);
      const treatments = known.treatments.filter((_, place) => !stopped.has(place));
      const key = JSON.stringify([doses.map(({ amount }) => amount), treatments, plan]);
      if (!futures.has(key)) futures.set(key, { person: { ...known, doses, treatments }, plan });
      return key;
    };
    for (const coalition of own) {
      const absent = absentIn(groups, coalition & futureMask);
      keys.set(coalition, {
        course: keep(absent, planWithout(subject, absent)),
        usual: explained.kind === 'difference' ? keep(absent, subject.planReference) : null,
      });
    }
    const total = samples.reduce((sum, { sample }) => sum + sample.points.n, 0);
    const courses = new Map([...futures.keys()].map((key) => [key, timesDays.map(() => new Float32Array(total))]));
    const list = [...futures];
    let offset = 0;
    for (const [m, { problem, prior, sample, toModelTime }] of samples.entries()) {
      const { program } = problem;
      const { initialStates } = courseOf(program, known);
      const observation = program.observations.find((one) => one.marker === marker?.id);
      const readout = observation?.readout ?? 0;
      const events = program.events.flatMap(({ id }, e) =>
        figure.kind === 'event' && (figure.event === null || figure.event === id) ? [e] : [],
      );
      const { n } = sample.points;
      for (let from = 0; from < list.length; from += timelinesAtOnce) {
        hooks.signal?.throwIfAborted();
        const part = list.slice(from, from + timelinesAtOnce);
        const simulation = await simulator.simulate(
          {
            program,
            ...prior.lanes(sample.points),
            ...(initialStates ? { initialStates } : {}),
            timelines: part.map(([, { person: own, plan }]): Timeline =>
              timelineOf(program, own, { plan: asPlan('coalition', plan), horizonDays: subject.horizonDays, changes: [] }),
            ),
            times: Float64Array.from(timesDays, toModelTime),
            readouts: [readout],
            seed,
          },
          hooks.signal ? { signal: hooks.signal } : {},
        );
        part.forEach(([key], p) => {
          const course = courses.get(key)!;
          for (let t = 0; t < timesDays.length; t++) {
            for (let lane = 0; lane < n; lane++) {
              course[t]![offset + lane] = observation
                ? simulation.values[p]![t * n + lane]! * observation.factor
                : happened(events, simulation.eventTimes[p]!, n, lane, toModelTime(timesDays[t]!));
            }
          }
        });
        const done = (m + (from + part.length) / list.length) / samples.length;
        hooks.onProgress?.(before + (done * own.length) / all);
      }
      offset += n;
    }
    return (coalition: number) => {
      const { course, usual } = keys.get(coalition)!;
      return { course: courses.get(course)!, usual: usual === null ? null : courses.get(usual)! };
    };
  }

  /** Over all lanes, adding up to one: prior × likelihood of the levels that are given / proposal, and each model's prior weight. */
  function weightsOf(samples: readonly ModelSample[], absent: readonly Element[]): Float64Array {
    const left = isExact ? new Set<string>() : leftOut(subject, absent);
    const logs = samples.flatMap(({ problem, objective, sample }) => {
      const { n } = sample.points;
      const own = sample.logRatio.map((ratio, lane) =>
        sample.diverged[lane] === 1 ? -Infinity : ratio + problem.logPriorWeight - Math.log(n),
      );
      objective.measurements.forEach((measurement, m) => {
        const { of, time } = measurement.observation;
        if (left.has(levelKey(problem.program.observations[of]!.marker, time))) return;
        for (let lane = 0; lane < n; lane++) {
          const log = logDensity(measurement, sample.predictions[m * n + lane]!);
          own[lane]! += Number.isNaN(log) ? -Infinity : log;
        }
      });
      return [...own];
    });
    return normaliseLogWeights(Float64Array.from(logs)).weights;

    function leftOut({ record, now }: Subject, elements: readonly Element[]): Set<string> {
      const keys = elements
        .flatMap((element) => (element.of === 'observations' ? element.places : []))
        .flatMap((place) => {
          const { code, date, time = '00:00' } = record.observations[place]!;
          const days = hoursBetween(now, `${date}T${time}`) / 24;
          return samples.map(({ toModelTime }) => levelKey(code, toModelTime(days)));
        });
      return new Set(keys);
    }
  }
}

// A time that went through the clock and one that did not differ by rounding.
const levelKey = (marker: string, time: number): string => `${marker} ${time.toFixed(6)}`;

const isOfFit =
  (isExact: boolean) =>
  ({ of }: Element): boolean =>
    of === 'covariate' || (isExact && of === 'observations');

function happened(events: readonly number[], times: ArrayLike<number>, n: number, lane: number, until: number): number {
  return events.some((event) => times[event * n + lane]! <= until) ? 1 : 0;
}

/** The pack's grid, thinned to at most 48 steps, and the horizon. */
export function gridTimes(stepDays: number, horizonDays: number): number[] {
  const steps = Math.ceil(horizonDays / stepDays - 1e-9);
  const stride = Math.ceil(steps / mostTimes);
  const times = Array.from({ length: Math.ceil(steps / stride) }, (_, i) => i * stride * stepDays);
  return [...times, steps * stepDays];
}

export interface ModelSample {
  readonly problem: ModelProblem;
  readonly prior: Prior;
  readonly objective: Objective;
  readonly sample: Sample;
  /** Days from now → model time. */
  readonly toModelTime: (days: number) => number;
}

/** For every model draws of the population, joined with draws around the modes where anything was measured. */
async function drawSamples(
  pack: EquationsPack,
  known: Person,
  { simulator, lanes, flattening, seed }: { simulator: Simulator; lanes: number; flattening: number; seed: Seed },
  hooks: RunHooks,
): Promise<ModelSample[]> {
  const quiet: RunHooks = hooks.signal ? { signal: hooks.signal } : {};
  const samples: ModelSample[] = [];
  for (const problem of problemsOf(pack, known)) {
    const prior = new Prior(problem, seed, flattening);
    const objective = new Objective(prior, simulator, seed);
    const { sample: fromPrior, acceptance } = await samplePrior(objective, lanes, quiet);
    const isSeen = objective.measurements.length > 0;
    const modes = isSeen ? await findModes(objective, simulator, startsOf(prior, fromPrior), quiet) : [];
    const sample = modes.length === 0 ? fromPrior : await joinLaplace(objective, fromPrior, acceptance, modes, lanes, quiet);
    samples.push({ problem, prior, objective, sample, toModelTime: courseOf(problem.program, known).toModelTime });
  }
  return samples;
}

/** The population's centre, and the most probable of the draws. */
function startsOf(prior: Prior, { points, logLikelihood }: Sample): Points {
  const { n, z } = points;
  let best = 0;
  let most = -Infinity;
  for (let lane = 0; lane < n; lane++) {
    let log = logLikelihood[lane]!;
    for (let j = 0; j < prior.activeColumns; j++) log -= 0.5 * z[j * n + lane]! ** 2;
    if (log > most) [best, most] = [lane, log];
  }
  const starts = allocatePoints(prior, 2);
  copyPoint(starts, 0, points, best);
  copyPoint(starts, 1, points, best);
  for (let j = 0; j < prior.columns; j++) starts.z[2 * j] = 0;
  return starts;
}
