/**
 * npx tsx training/tumour/evaluate-pack.ts [--people 300] [--date YYYY-MM-DD]
 *
 * The pack `lung-tumour-learned` as the app runs it, in simulated test people on one day of their course each: fitted by the app's own
 * fit, rolled out by the app's engine, held against what is true of them, the exact posterior, and the same numbers outside the app
 * (forecaster.ts). Writes the sections markers, what-if and benchmark of its report. People are kept in .cache, so that a stopped run
 * goes on; about six seconds each.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Plan } from '#domain/plan.ts';
import { addDays, type PatientRecord } from '#domain/record.ts';
import type { Drawing, Figure, SectionId, ValidationSection } from '#domain/validation.ts';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { clopperPearsonInterval } from '#numerics/intervals.ts';
import { quantileOfSorted, sorted } from '#numerics/quantiles.ts';
import { seedFrom } from '#numerics/random.ts';
import { loadPack } from '#packs/catalogue.ts';
import type { EquationsPack } from '#packs/pack.ts';
import { modelDigest } from '#packs/validation.ts';
import { courseOf, timelineOf } from '#twin/equations/course.ts';
import { fitPerson, type FittedPerson } from '#twin/equations/fitted-person.ts';
import { readModels } from '../../scripts/read-models.ts';
import { errorDistribution, orThrow, type Predictive } from '../baselines/predictive.ts';
import { finite } from '../evaluation/metrics.ts';
import { valueOutcome, type ValueOutcome } from '../evaluation/outcomes.ts';
import { average, figureOf } from '../validation/figures.ts';
import { root, writePart } from '../validation/parts.ts';
import { valueParts } from '../validation/value-section.ts';
import { writeWhole } from '../whole-file.ts';
import { BayesForecaster } from './bayes.ts';
import { drawCohort } from './cohort.ts';
import { restoreModel } from './fit.ts';
import { LearnedForecaster } from './forecaster.ts';
import { packFitFile, type PackFit } from './pack.ts';
import { options, persistence, randomPlans, sliding, type Forecaster } from './protocol.ts';
import { publishedRows } from './published.ts';
import { protocolSeeds } from './recipe.ts';
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
import { figuresOf, readResults, showSummary, summarise } from './table.ts';

const packId = 'lung-tumour-learned';
const lanes = 4096;
/** Days ahead at which what came is looked up in the forecast. */
const ahead = [1, 7, 14] as const;
/** People whose mean effect is one question. */
const asked = 10;
const entry = '2026-01-01';
/** cm³: below it the pack withholds its forecast. */
const answered = 1e-6;

const methods = ['app', 'same numbers', 'exact posterior', 'persistence'] as const;
type Method = (typeof methods)[number];

/** τ = 1 under all treatments of a day, then τ = 2 … 6 under random and sliding plans. */
const tasks = [
  { test: 'one-step', tau: 1 },
  ...[2, 3, 4, 5, 6].map((tau) => ({ test: 'random' as const, tau })),
  ...[2, 3, 4, 5, 6].map((tau) => ({ test: 'sliding' as const, tau })),
] as const;

interface PersonRow {
  readonly day: number;
  readonly fitMs: number;
  readonly isInConflict: boolean;
  /** By task: true volumes, and what each method expected, cm³. */
  readonly rows: readonly { readonly truth: readonly number[]; readonly expected: Readonly<Record<Method, readonly number[]>> }[];
  readonly values: readonly ValueOutcome[];
  /** Of five days of radiotherapy on the volume six days on, shares of today’s: the truth, and draws of the forecast difference. */
  readonly effect: { readonly truth: number; readonly draws: readonly number[] };
}

/** What the app knows of a person on the morning of a day. */
export function recordOf(i: number, type: PatientType, { volumes, chemo, radio }: Course, day: number): PatientRecord {
  const given = { chemotherapy: chemo, radiotherapy: radio } as const;
  return {
    id: `simulated-${i}`,
    alias: `Simulated ${i}`,
    isSynthetic: true,
    entryDate: entry,
    covariates: { 'patient-type': String(type) },
    observations: volumes.slice(0, day + 1).map((value, t) => ({
      id: `volume-${t}`,
      code: 'tumour-volume',
      date: addDays(entry, t),
      time: '00:00',
      value,
      unit: 'cm3',
      isConfirmed: true,
      source: 'Simulated',
    })),
    treatments: Object.entries(given).flatMap(([intervention, days]) =>
      days
        .slice(0, day)
        .flatMap((isGiven, t) =>
          isGiven ? [{ id: `${intervention}-${t}`, intervention, start: addDays(entry, t), stop: addDays(entry, t + 1) }] : [],
        ),
    ),
    events: [],
    note: '',
    updatedAt: 0,
  };
}

function planOf(number: number, treatments: readonly Treatment[]): Plan {
  const blocks = treatments.flatMap(([chemo, radio], day) =>
    (['chemotherapy', 'radiotherapy'] as const)
      .filter((_, which) => [chemo, radio][which] === 1)
      .map((intervention) => ({ intervention, startDay: day, stopDay: day + 1 })),
  );
  return { id: `plan-${number}`, name: `Plan ${number}`, blocks };
}

/** [plans][days][draws], cm³; who has died has the lethal volume, who has recovered none. `isOver`: [plans][draws], day or Infinity. */
async function rollOut(
  { person, twin }: FittedPerson,
  plans: readonly (readonly Treatment[])[],
  days: readonly number[],
  simulator: CpuSimulator,
  seed: number,
): Promise<{ volumes: Float64Array[][]; over: Float64Array[] }> {
  const draws = twin.models.reduce((sum, model) => sum + model.lanes.lanes, 0);
  const volumes = plans.map(() => days.map(() => new Float64Array(draws)));
  const over = plans.map(() => new Float64Array(draws).fill(Infinity));
  let from = 0;
  for (const { program, lanes: own } of twin.models) {
    if (own.lanes === 0) continue;
    const { toModelTime, initialStates, now } = courseOf(program, person);
    const simulation = await simulator.simulate({
      program,
      ...own,
      ...(initialStates ? { initialStates } : {}),
      timelines: plans.map((plan, p) =>
        timelineOf(program, person, { plan: planOf(p, plan), horizonDays: days.at(-1)!, changes: [] }),
      ),
      times: Float64Array.from(days, toModelTime),
      readouts: [program.observations[0]!.readout],
      seed: seedFrom(seed),
    });
    plans.forEach((_, p) => {
      program.events.forEach(({ id }, e) => {
        for (let lane = 0; lane < own.lanes; lane++) {
          const time = simulation.eventTimes[p]![e * own.lanes + lane]! - now;
          if (Number.isNaN(time)) continue;
          over[p]![from + lane] = time;
          days.forEach((day, d) => {
            if (day >= time) volumes[p]![d]![from + lane] = id === 'death' ? lethalVolume : 0;
          });
        }
      });
      days.forEach((day, d) => {
        for (let lane = 0; lane < own.lanes; lane++) {
          if (day < over[p]![from + lane]!) volumes[p]![d]![from + lane] = simulation.values[p]![d * own.lanes + lane]!;
        }
      });
    });
    from += own.lanes;
  }
  return { volumes, over };
}

const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
};

/** A hypothetical course with the benchmark's ends. */
function ended(course: readonly number[] | null): number {
  if (course === null) return 0;
  return course.some((volume) => volume > lethalVolume) ? lethalVolume : Math.max(course.at(-1)!, 0);
}

interface Setting {
  readonly pack: EquationsPack;
  readonly fit: PackFit;
  readonly climatology: ReadonlyMap<number, readonly number[]>;
}

async function measurePerson(i: number, { pack, fit, climatology }: Setting): Promise<PersonRow> {
  const simulator = new CpuSimulator();
  const random = randomOf(fit.seed, 'one-step', i);
  const person = drawPerson(random);
  const course = testCourse(person, fit.gamma, random);
  const planned = randomOf(fit.seed, 'plans', i);
  const open = course.volumes.slice(0, -1).filter((volume) => volume >= answered).length;
  const day = planned.below(Math.max(open, 1));
  const [volume, today] = [course.volumes[day]!, [course.chemo[day]!, course.radio[day]!] as const];

  const known = {
    'same numbers': new LearnedForecaster(restoreModel(fit.model), i),
    'exact posterior': new BayesForecaster(i),
    persistence,
  };
  const forecasters = Object.entries(known) as [Exclude<Method, 'app'>, Forecaster][];
  for (const [, forecaster] of forecasters) {
    forecaster.begin(person.type);
    for (let t = 0; t < day; t++)
      forecaster.observe(course.volumes[t]!, [course.chemo[t]!, course.radio[t]!], course.volumes[t + 1]!);
  }

  const started = performance.now();
  const record = recordOf(i, person.type, course, day);
  const fitted = await fitPerson({ pack, record, now: `${addDays(entry, day)}T00:00`, lanes, seed: i }, { simulator });
  const fitMs = performance.now() - started;

  const plansOf = { random: randomPlans(planned), sliding };
  const several = (['random', 'sliding'] as const).flatMap((test) =>
    plansOf[test].flatMap((plan) => {
      const truth = hypotheticalCourse(person, course, day, plan);
      return truth ? [{ test, plan, truth }] : [];
    }),
  );
  const five = (radio: 0 | 1): Treatment[] => Array.from({ length: horizon }, (): Treatment => [0, radio]);
  const days = Array.from({ length: horizon + 1 }, (_, k) => k + 1);
  const { volumes } = await rollOut(
    fitted,
    [
      ...options.map((option) => [option]),
      ...[...several.map(({ plan }) => plan), five(1), five(0)].map((plan) => [today, ...plan]),
    ],
    days,
    simulator,
    i,
  );
  const expected = volumes.map((ofPlan) => ofPlan.map(mean));
  const nexts = options.map((option) => hypotheticalNext(person, course, day, option));
  const courses = new Map(
    forecasters.map(([name, one]) => [
      name,
      one.follow(
        volume,
        today,
        several.map(({ plan }) => plan),
      ),
    ]),
  );
  const rows = tasks.map(({ test, tau }): PersonRow['rows'][number] => {
    if (test === 'one-step') {
      const others = forecasters.map(([name, one]) => [name, options.map((option) => one.next(volume, option))] as const);
      const app = options.map((_, p) => expected[p]![0]!);
      return { truth: nexts, expected: { app, ...Object.fromEntries(others) } as Record<Method, number[]> };
    }
    const own = [...several.keys()].filter((p) => several[p]!.test === test);
    const others = forecasters.map(([name]) => [name, own.map((p) => courses.get(name)![p]![tau - 2]!)] as const);
    const app = own.map((p) => expected[options.length + p]![tau - 1]!);
    return {
      truth: own.map((p) => several[p]!.truth[tau - 2]!),
      expected: { app, ...Object.fromEntries(others) } as Record<Method, number[]>,
    };
  });

  const [withIt, without] = volumes.slice(-2).map((ofPlan) => ofPlan.at(-1)!);
  const [trueWith, trueWithout] = [five(1), five(0)].map((plan) => ended(hypotheticalCourse(person, course, day, plan)));
  // Every fourth draw is a sample as well.
  const draws = Array.from({ length: lanes / 4 }, (_, k) => (withIt![4 * k]! - without![4 * k]!) / volume);

  const factual = Array.from({ length: ahead.at(-1)! }, (_, d): Treatment => [
    course.chemo[day + d] ?? 0,
    course.radio[day + d] ?? 0,
  ]);
  const future = await rollOut(fitted, [factual], ahead, simulator, i);
  const values = ahead.flatMap((days, d) => {
    // The last volume of a course is that of its end, which is an event and no measurement.
    if (day + days >= course.volumes.length - 1) return [];
    const alive = future.volumes[0]![d]!.filter((_, lane) => future.over[0]![lane]! > days);
    const usual: Predictive = { kind: 'empirical', point: 1, members: climatology.get(days)! };
    return [
      valueOutcome({
        person: String(i),
        marker: 'tumour-volume',
        task: String(days),
        days,
        observed: course.volumes[day + days]! / volume,
        draws: alive.map((value) => value / volume),
        baselines: { 'what came in the people learned from': usual },
      }),
    ];
  });
  return {
    day,
    fitMs,
    isInConflict: fitted.twin.flattening !== null,
    rows,
    values,
    effect: { truth: (trueWith! - trueWithout!) / volume, draws },
  };
}

/** V(t + h)/V(t) of people learned from, over all their days. */
function climatologyOf({ gamma, seed }: PackFit): Map<number, readonly number[]> {
  const cohort = drawCohort(gamma, seed, 'train', 1000);
  return new Map(
    ahead.map((days) => [
      days,
      errorDistribution(
        cohort.flatMap(({ volumes }) =>
          Array.from({ length: Math.max(volumes.length - days, 0) }, (_, t) => volumes[t + days]! / volumes[t]!),
        ),
      ),
    ]),
  );
}

const labelOf = ({ test, tau }: { test: string; tau: number }): string =>
  test === 'one-step' ? 'One step' : `τ = ${tau}, ${test === 'random' ? 'random treatments' : 'a single sliding treatment'}`;

/** Normalised RMSE of a method over the rows of a task of some people, percent of the lethal volume. */
function errorOf(people: readonly PersonRow[], task: number, method: Method): number {
  const squares = people.flatMap(({ rows }) =>
    rows[task]!.truth.map((truth, k) => (rows[task]!.expected[method][k]! - truth) ** 2),
  );
  return (100 * Math.sqrt(average(squares))) / lethalVolume;
}

function benchmarkPart(
  people: readonly PersonRow[],
  { gamma, seed }: PackFit,
): Pick<ValidationSection, 'method' | 'figures' | 'drawings' | 'notes'> {
  const set = `${people.length} simulated test people, one day each`;
  const over = (statistic: (own: readonly PersonRow[]) => number) => (rows: Int32Array) =>
    finite(statistic(Array.from(rows, (row) => people[row]!)));
  const figures = tasks.flatMap((task, t): Figure[] => {
    const of = { set, people: people.length, counted: 'simulated people' as const };
    const rows = people.reduce((sum, person) => sum + person.rows[t]!.truth.length, 0);
    const ratio = (method: Method) => over((own) => errorOf(own, t, 'app') / errorOf(own, t, method));
    return [
      figureOf({
        name: `${labelOf(task)}: normalised RMSE, %`,
        ...of,
        better: 'lower',
        statistic: over((own) => errorOf(own, t, 'app')),
        baselines: [{ name: 'today’s volume', statistic: over((own) => errorOf(own, t, 'persistence')) }],
        note: `${rows} rows`,
      }),
      figureOf({
        name: `${labelOf(task)}: error as a multiple of the exact posterior’s`,
        ...of,
        better: 'nearer',
        wanted: 1,
        statistic: ratio('exact posterior'),
      }),
      figureOf({
        name: `${labelOf(task)}: error as a multiple of the same numbers’ in closed form`,
        ...of,
        better: 'nearer',
        wanted: 1,
        statistic: ratio('same numbers'),
      }),
    ];
  });
  const squares = people.map((person) => person.rows[0]!.truth.length * errorOf([person], 0, 'app') ** 2);
  const largestShare = Math.max(...squares) / squares.reduce((sum, value) => sum + value, 0);
  const results = readResults();
  const shown = tasks.filter(({ tau }) => tau === 1 || tau === 2 || tau === 6);
  const cellsOf = (own: (task: (typeof tasks)[number]) => string | null) => shown.map(own);
  const published = [...new Set(publishedRows.map(({ method }) => method))].map((name) => [
    name,
    ...cellsOf(({ test, tau }) => {
      const row = publishedRows.find((one) => one.method === name && one.test === test && one.tau === tau);
      return row ? showSummary({ mean: row.rmse[gamma]!, sd: row.sd?.[gamma] ?? NaN }) : null;
    }),
  ]);
  const measured = (['learned', 'bayes', 'persistence'] as const).map((method) => [
    { learned: 'Learned, two larger members', bayes: 'Exact posterior (the bound)', persistence: 'Today’s volume' }[method],
    ...cellsOf(({ test, tau }) => {
      const values = figuresOf(results, method, { test, tau, gamma, window: 'published' });
      return values.length === 0 ? null : showSummary(summarise(values));
    }),
  ]);
  const seeds = new Set(results.filter((one) => one.gamma === gamma).map((one) => one.seed)).size;
  const drawing: Drawing = {
    kind: 'table',
    title: `The published benchmark at γ = ${gamma}, normalised RMSE in percent, mean ± sd over seeds`,
    columns: ['Method', ...shown.map(labelOf)],
    rows: [...published, ...measured],
  };
  return {
    method: `On one day of the course of each person the pack was fitted by the app to what was known by then, and its ${lanes} draws were rolled out under every treatment of that day (one step) and under ten plans of five days, random and sliding (τ = 2 to 6); the mean over draws is held against what would have come. People are of seed ${seed}, γ = ${gamma}, treated by their own history; none was learned from. Days on which the app withholds its forecast, of less than a millionth of a cm³, were not drawn. Intervals are 95 % percentile bootstrap over people.`,
    figures,
    drawings: [drawing],
    notes: [
      'The exact posterior knows the simulator’s equations: over many people nothing can do better. On few people chance can put a ratio below one.',
      `A few large tumours decide these errors: one person makes ${(100 * largestShare).toFixed(0)} % of the squared error of one step, and resamples without that person reach far.`,
      'In the app a course ends at the lethal volume and a volume is never negative; what is scored, as in the benchmark, goes on beyond. The closed form of the same numbers goes on too.',
      `The table is of the benchmark’s own protocol, ${seeds} of ${protocolSeeds.length} seeds of 10,000 people each, with models of its recipe (docs/tumour-benchmark.md) and not of this pack, which is smaller and was learned once.`,
      `${people.filter(({ isInConflict }) => isInConflict).length} of ${people.length} people were called in conflict with the population and fitted with a wider prior. A fit took ${quantileOfSorted(sorted(people.map(({ fitMs }) => fitMs / 1000)), 0.5).toFixed(1)} s (median), on one thread.`,
    ],
  };
}

function shareFigure(name: string, set: string, held: number, n: number, counted: Figure['counted']): Figure {
  const { lower, upper } = orThrow('coverage', clopperPearsonInterval(held, n));
  return {
    name,
    set,
    value: held / n,
    interval: { low: lower, high: upper },
    n,
    counted,
    better: 'nearer',
    wanted: 0.95,
    baselines: [],
    note: null,
  };
}

function holds(draws: readonly number[], truth: number): boolean {
  const ascending = sorted(draws);
  return quantileOfSorted(ascending, 0.025) <= truth && truth <= quantileOfSorted(ascending, 0.975);
}

function whatIfPart(
  people: readonly PersonRow[],
  { gamma }: PackFit,
): Pick<ValidationSection, 'method' | 'figures' | 'drawings' | 'notes'> {
  const effects = people.map(({ effect }) => effect);
  const groups = Array.from({ length: Math.floor(people.length / asked) }, (_, g) => effects.slice(g * asked, (g + 1) * asked));
  const held = groups.filter((group) => {
    const draws = group[0]!.draws.map((_, k) => average(group.map((one) => one.draws[k]!)));
    return holds(draws, average(group.map(({ truth }) => truth)));
  }).length;
  const set = `${people.length} simulated test people`;
  const of = { set, people: people.length, counted: 'simulated people' as const };
  type Points = readonly { readonly truth: number; readonly expected: number }[];
  const over = (statistic: (own: Points) => number) => (rows: Int32Array) =>
    finite(statistic(Array.from(rows, (row) => points[row]!)));
  const points = effects.map(({ truth, draws }) => ({ truth, expected: average(draws) }));
  const pehe = (own: Points) => Math.sqrt(average(own.map(({ truth, expected }) => (expected - truth) ** 2)));
  const spread = (own: Points) => {
    const centre = average(own.map(({ truth }) => truth));
    return Math.sqrt(average(own.map(({ truth }) => (truth - centre) ** 2)));
  };
  return {
    method: `Five days of radiotherapy against none, after today’s treatment, asked of the pack on one day of each person’s course: the difference in volume six days on, in shares of today’s volume. The truth is the simulator’s, of the same person under both plans with the same noise. The people learned from were treated by the size of their tumour (γ = ${gamma}).`,
    figures: [
      shareFigure('The mean effect lies in its 95 % range', `groups of ${asked} people`, held, groups.length, 'runs'),
      shareFigure(
        'A person’s effect lies in its 95 % range',
        set,
        effects.filter(({ draws, truth }) => holds(draws, truth)).length,
        effects.length,
        'simulated people',
      ),
      figureOf({
        name: 'Bias of the mean effect, shares of today’s volume',
        ...of,
        better: 'nearer',
        wanted: 0,
        statistic: over((own) => average(own.map(({ truth, expected }) => expected - truth))),
      }),
      figureOf({
        name: 'Error of a person’s effect (PEHE, root mean square), shares of today’s volume',
        ...of,
        better: 'lower',
        statistic: over(pehe),
      }),
      figureOf({
        name: 'The same as a share of the spread of the effects between people',
        ...of,
        better: 'lower',
        statistic: over((own) => pehe(own) / spread(own)),
      }),
      figureOf({
        name: 'The true mean effect, shares of today’s volume',
        ...of,
        better: null,
        statistic: over((own) => average(own.map(({ truth }) => truth))),
      }),
    ],
    drawings: [],
    notes: [
      'The pack was learned once: what would vary with other people to learn from is in docs/tumour-benchmark.md (five seeds) and in the report of lung-tumour, where ensembles are fitted anew.',
    ],
  };
}

function markersPart(
  people: readonly PersonRow[],
  { gamma, seed }: PackFit,
): Pick<ValidationSection, 'method' | 'figures' | 'drawings' | 'notes'> {
  const values = people.flatMap((person) => person.values);
  const set = `${new Set(values.map(({ person }) => person)).size} simulated test people`;
  const { figures, drawings } = valueParts(
    { set, values, events: [], horizons: [], arms: [], groups: {} },
    {
      tasks: ahead.map((days) => ({ task: String(days), label: days === 1 ? 'a day ahead' : `${days} days ahead` })),
      horizons: ahead.map((days) => ({
        label: days === 1 ? 'a day ahead' : `${days} days ahead`,
        fromDays: days - 0.5,
        toDays: days + 0.5,
      })),
      markers: new Map([['tumour-volume', 'volume in shares of today’s']]),
    },
  );
  return {
    method: `The volume that came ${ahead.join(', ')} days later under the treatment that came, in its forecast by the app on one day of each person’s course; among draws whose course has not ended by then. People are simulated (seed ${seed}, γ = ${gamma}) and were not learned from.`,
    figures: figures.map((figure) => ({ ...figure, counted: 'simulated people' as const })),
    drawings,
    notes: [
      'These people come from the simulator that the pack was learned from: nothing here shows that a forecast would come true of a patient.',
    ],
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { people: { type: 'string', default: '300' }, date: { type: 'string' } } });
  const pack = (await loadPack(packId, readModels())) as EquationsPack;
  const fit = JSON.parse(readFileSync(packFitFile, 'utf8')) as PackFit;
  const model = await modelDigest(pack.manifest);
  const file = join(root, '.cache/training/tumour', `pack-${model.slice(0, 16)}.json`);
  const people = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as PersonRow[]) : [];
  mkdirSync(dirname(file), { recursive: true });
  const setting: Setting = { pack, fit, climatology: climatologyOf(fit) };
  const wanted = Number(values.people);
  for (let i = people.length; i < wanted; i++) {
    people.push(await measurePerson(i, setting));
    if (people.length % 10 !== 0 && people.length < wanted) continue;
    writeWhole(file, JSON.stringify(people));
    console.log(`${people.length} of ${wanted}`);
  }
  const parts: [SectionId, ReturnType<typeof markersPart>][] = [
    ['markers', markersPart(people, fit)],
    ['what-if', whatIfPart(people, fit)],
    ['benchmark', benchmarkPart(people, fit)],
  ];
  const made = {
    command: 'npx tsx training/tumour/evaluate-pack.ts',
    date: values.date ?? new Date().toISOString().slice(0, 10),
    seed: fit.seed,
    model,
  };
  for (const [id, part] of parts) writePart(packId, { id, made, ...part });
}
