/**
 * Synthetic people near a person, and what became of them: drawn from the pack's aggregates and its equations or network, never
 * anybody's row. The same seed draws the same people.
 */
import { continueCourse } from '#cohorts/course.ts';
import { drawPerson, futureOf, type DrawnPerson } from '#cohorts/people.ts';
import type { Neighbour, NeighbourAnswer, NeighbourQuestion } from '#domain/explanation.ts';
import type { CovariateValue, PatientRecord } from '#domain/record.ts';
import { drivePlan } from '#engine/drive.ts';
import type { RunHooks, Stepper } from '#engine/engine.ts';
import type { Simulator } from '#engine/simulation.ts';
import { RandomSequence, seedFrom, streams, type Seed } from '#numerics/random.ts';
import { shareAt } from '#numerics/weighted-draws.ts';
import { covariateInputs } from '#packs/conditioning.ts';
import type { Covariate, EquationsManifest } from '#packs/manifest.ts';
import type { EquationsPack, LearnedPack } from '#packs/pack.ts';
import { courseOf, timelineOf } from '#twin/equations/course.ts';
import { problemsOf } from '#twin/equations/fitted-person.ts';
import { readPerson, type Person } from '#twin/equations/person.ts';
import { Prior } from '#twin/equations/prior.ts';
import { readHistory, type History } from '#twin/history.ts';
import { stepInputs } from '#twin/step-inputs.ts';
import { asPlan, type Subject } from './elements.ts';
import { gridTimes } from './equations-game.ts';
import { isRead } from './groups.ts';
import { wholeSteps } from './learned-game.ts';
import { isWide } from './reference.ts';

type Count = Pick<NeighbourQuestion, 'count' | 'drawn' | 'seed'>;

const caution = 'Made-up people, drawn by the pack; never rows of real people.';

/**
 * Learned packs: people as long after entry as this one and without an event until then, near in covariates and in what was measured
 * last. Their course goes on from their own hidden state under this person's plan.
 */
export async function learnedNeighbours(
  pack: LearnedPack,
  subject: Subject,
  { count, drawn, seed }: Count,
  stepper: Stepper,
  pause: () => Promise<void>,
  hooks: RunHooks = {},
): Promise<NeighbourAnswer> {
  const { manifest } = pack;
  const { record, today, horizonDays } = subject;
  const own = readHistory(manifest, record, today);
  const words = seedFrom(seed);
  const people: {
    readonly number: number;
    readonly distance: number;
    readonly person: DrawnPerson;
    readonly history: History;
  }[] = [];
  const wanted = coordinates(pack, own, record);
  for (let number = 0; number < drawn; number++) {
    if (number % peopleAtOnce === 0) {
      hooks.onProgress?.(number / drawn);
      await pause();
      hooks.signal?.throwIfAborted();
    }
    const person = drawPerson(pack, words, { historySteps: own.steps, today, stepper, number });
    const history = readHistory(manifest, person.record, today);
    people.push({ number, distance: distanceOf(wanted, coordinates(pack, history, person.record)), person, history });
  }
  const steps = wholeSteps(manifest, horizonDays);
  const nearest = people.sort((a, b) => a.distance - b.distance || a.number - b.number).slice(0, count);
  return {
    neighbours: nearest.map(({ number, distance, person, history }): Neighbour => ({
      id: `synthetic-${number}`,
      distance,
      covariates: person.record.covariates,
      ...learnedCourse(pack, subject, person, history, { number, steps, seed: words, stepper }),
    })),
    drawn,
    message: caution,
  };
}

const peopleAtOnce = 25;

/** Conditioning inputs of the person, then the latest state of each marker and level of each sign; NaN where not known. */
function coordinates(
  { manifest }: LearnedPack,
  { values, mask, steps, covariates: inputs }: History,
  { covariates }: PatientRecord,
) {
  const S = manifest.network.S;
  const latest = Array.from({ length: S }, (_, j) => {
    for (let t = steps; t >= 0; t--) if (mask[t * S + j] === 1) return values[t * S + j]!;
    return Number.NaN;
  });
  const missing = new Set(covariateInputs(manifest, covariates, {}).missing);
  const own = manifest.conditioning
    .slice(0, inputs.length)
    .flatMap((input, j) => (input.from === 'covariate' ? [missing.has(input.id) ? Number.NaN : inputs[j]!] : []));
  return [...own, ...latest];
}

/** Root mean square over what is known of both. */
function distanceOf(a: readonly number[], b: readonly number[]): number {
  let [sum, count] = [0, 0];
  a.forEach((value, i) => {
    const difference = value - b[i]!;
    if (Number.isNaN(difference)) return;
    sum += difference ** 2;
    count++;
  });
  return count === 0 ? Infinity : Math.sqrt(sum / count);
}

function learnedCourse(
  { manifest, network }: LearnedPack,
  { plan }: Subject,
  { truth: { member, end } }: DrawnPerson,
  history: History,
  { number, steps, seed, stepper }: { number: number; steps: number; seed: Seed; stepper: Stepper },
): Pick<Neighbour, 'timesDays' | 'markers' | 'event'> {
  const { rows } = drivePlan(network, stepInputs(manifest, history.person, plan.blocks, steps));
  const random = new RandomSequence(seed, streams.future, number);
  return futureOf(manifest, continueCourse({ network, member, rows, steps, stepper, random }, end), steps);
}

/** Virtual patients of each set of covariates: their effects differ. */
const perCovariates = 2;

/**
 * Equations packs: people with other covariates and effects who are given the same doses, near in covariates and in what their levels
 * would have been when this person's were measured. Each covariate is drawn for itself: how they go together is not in such a pack.
 */
export async function equationsNeighbours(
  pack: EquationsPack,
  subject: Subject,
  { count, drawn, seed }: Count,
  simulator: Simulator,
  hooks: RunHooks = {},
): Promise<NeighbourAnswer> {
  const { manifest } = pack;
  const { record, now, horizonDays } = subject;
  const own = readPerson(manifest, record, now);
  const read = manifest.covariates.filter(({ id }) => isRead(manifest, id));
  const words = seedFrom(seed);
  const sets = Array.from({ length: Math.ceil(drawn / perCovariates) }, (_, number) =>
    drawCovariates(read, record, new RandomSequence(words, streams.people, number)),
  );
  const timesDays = gridTimes(manifest.grid.stepDays, horizonDays);
  const levelDays = own.levels.map(({ hours }) => hours / 24);
  const days = [...new Set([...levelDays, ...timesDays])].sort((a, b) => a - b);
  const people: { readonly covariates: Record<string, CovariateValue>; readonly levels: number[]; readonly course: Course }[] =
    [];
  for (const [number, covariates] of sets.entries()) {
    hooks.onProgress?.(number / sets.length);
    hooks.signal?.throwIfAborted();
    const known = readPerson(manifest, withCovariates(record, covariates), now);
    const courses = await simulateSet(pack, known, subject, { number, seed: words, days, timesDays }, simulator, hooks);
    courses.forEach((course) => {
      const levels = own.levels.map(({ marker }, i) => course.at(marker, levelDays[i]!));
      people.push({ covariates, levels, course });
    });
  }
  // A level is as far off as it is in the spread of the drawn people's own; where these are all alike it tells nobody apart.
  const spreads = own.levels.map((_, i) => spread(people.map(({ levels }) => levels[i]!)));
  const distances = people.map(({ covariates, levels }) =>
    distanceOf(
      [
        ...read.map((covariate) => between(covariate, latestCovariate(own, manifest, covariate), covariates[covariate.id]!)),
        ...levels.map((level, i) => (level - own.levels[i]!.value) / spreads[i]!),
      ],
      [...read.map(() => 0), ...levels.map(() => 0)],
    ),
  );
  const nearest = people
    .map((_, i) => i)
    .sort((a, b) => distances[a]! - distances[b]! || a - b)
    .slice(0, count);
  return {
    neighbours: nearest.map((i): Neighbour => {
      const { covariates, course } = people[i]!;
      return {
        id: `synthetic-${i}`,
        distance: distances[i]!,
        covariates,
        timesDays,
        markers: course.markers,
        event: course.event,
      };
    }),
    drawn: people.length,
    message: `${caution} They are given this person’s doses.`,
  };
}

interface Course extends Pick<Neighbour, 'markers' | 'event'> {
  readonly at: (marker: string, day: number) => number;
}

/** One set of covariates with several draws of the effects, under the pack's first model for it. */
async function simulateSet(
  pack: EquationsPack,
  known: Person,
  { plan, horizonDays }: Subject,
  { number, seed, days, timesDays }: { number: number; seed: Seed; days: readonly number[]; timesDays: readonly number[] },
  simulator: Simulator,
  hooks: RunHooks,
): Promise<Course[]> {
  const { manifest } = pack;
  const problem = problemsOf(pack, known).reduce((most, one) => (one.logPriorWeight > most.logPriorWeight ? one : most));
  const { program } = problem;
  const prior = new Prior(problem, seed);
  const { points } = prior.draw(perCovariates, number);
  const { toModelTime, initialStates } = courseOf(program, known);
  const readouts = [...new Set(program.observations.map(({ readout }) => readout))];
  const { values, eventTimes } = await simulator.simulate(
    {
      program,
      ...prior.lanes(points),
      ...(initialStates ? { initialStates } : {}),
      timelines: [timelineOf(program, known, { plan: asPlan('neighbour', plan), horizonDays, changes: [] })],
      times: Float64Array.from(days, toModelTime),
      readouts,
      seed,
    },
    hooks.signal ? { signal: hooks.signal } : {},
  );
  return Array.from({ length: points.n }, (_, lane): Course => {
    const at = (marker: string, day: number) => {
      const shown = program.observations.find((one) => one.marker === marker);
      if (!shown) return Number.NaN;
      const row = readouts.indexOf(shown.readout) * days.length + days.indexOf(day);
      return values[0]![row * points.n + lane]! * shown.factor;
    };
    const events = program.events
      .map(({ id }, e) => ({ id, day: (eventTimes[0]![e * points.n + lane]! - toModelTime(0)) * program.daysPerTime }))
      .filter(({ day }) => day >= 0 && day <= horizonDays)
      .sort((a, b) => a.day - b.day);
    return {
      at,
      markers: Object.fromEntries(
        manifest.markers.map(({ id }) => [
          id,
          timesDays.map((day) => {
            const value = at(id, day);
            return Number.isNaN(value) ? null : value;
          }),
        ]),
      ),
      event: events[0] ?? null,
    };
  });
}

/** Between the 1st and the 99th percentile of a normal lie so many standard deviations. */
const seenWidth = 2 * 2.3263478740408408;

/** Percentiles as of a normal, in the logarithm where the range is wide; nobody beyond what was seen. */
function drawCovariates(
  covariates: readonly Covariate[],
  record: PatientRecord,
  random: RandomSequence,
): Record<string, CovariateValue> {
  const drawn: Record<string, CovariateValue> = {};
  for (const covariate of covariates) {
    if (covariate.kind === 'category') {
      const by = covariate.sharesBy
        ? (drawn[covariate.sharesBy.covariate] ?? record.covariates[covariate.sharesBy.covariate])
        : undefined;
      const shares =
        (typeof by === 'string' ? covariate.sharesBy?.shares[by] : undefined) ?? covariate.categories.map(({ share }) => share);
      drawn[covariate.id] = covariate.categories[shareAt(shares, random.uniform())]!.value;
      continue;
    }
    const [low, high] = covariate.seen.map((value) => onScale(covariate, value)) as [number, number];
    const at = Math.min(high, Math.max(low, (low + high) / 2 + ((high - low) / seenWidth) * random.normal()));
    drawn[covariate.id] = Number((isWide(covariate.seen) ? Math.exp(at) : at).toPrecision(3));
  }
  return drawn;
}

function onScale({ seen }: Extract<Covariate, { kind: 'number' }>, value: number): number {
  return isWide(seen) ? Math.log(value) : value;
}

/** In standard deviations of what was seen; two categories are one apart. NaN where this person's is not known. */
function between(covariate: Covariate, own: CovariateValue | null, other: CovariateValue): number {
  if (own === null) return Number.NaN;
  if (covariate.kind === 'category') return own === other ? 0 : 1;
  const [low, high] = covariate.seen.map((value) => onScale(covariate, value)) as [number, number];
  return ((onScale(covariate, own as number) - onScale(covariate, other as number)) / (high - low)) * seenWidth;
}

function latestCovariate({ covariates }: Person, manifest: EquationsManifest, { id }: Covariate): CovariateValue | null {
  const value = covariates.get(id)?.at(-1)?.value;
  if (value === undefined) return null;
  const covariate = manifest.covariates.find((one) => one.id === id)!;
  return covariate.kind === 'category' ? covariate.categories[value]!.value : value;
}

function withCovariates(record: PatientRecord, covariates: Readonly<Record<string, CovariateValue>>): PatientRecord {
  return {
    ...record,
    covariates: { ...record.covariates, ...covariates },
    observations: record.observations.filter(({ code }) => !(code in covariates)),
  };
}

/** Standard deviation; NaN where the values differ by rounding only. */
function spread(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const deviation = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, known.length - 1));
  return deviation > 1e-5 * Math.abs(mean) ? deviation : Number.NaN;
}
