/**
 * npx tsx training/warfarin-trial.ts [--people 100] [--first 0] [--seed 1] [--draws 1024] [--json FILE] [--markdown FILE]
 *
 * A simulated trial of dosing warfarin by the pack's own posterior, in the manner of Augustin et al. (Front Pharmacol 2023), with our
 * own protocol:
 * - People are drawn from the recentred model: covariates and known genotypes by the pack's shares, random effects by its Ω. A figure of
 *   this trial says how well dosing works **if the model is true**.
 * - 84 days from the first tablet, one dose a day in steps of 0.5 mg, none missed. The INR is measured on days 3, 5, 7, 10, 14, 21, 28,
 *   42, 56 and 70 with the residual error of the model (20 % of ln INR); the dose is chosen anew on these days.
 * - Arm "posterior": the dose whose expected share of INR in 2–3 over days 3 to 17 from now is largest, on 96 draws of the posterior
 *   that the app's own fit gives for all INRs so far (day 0: the prior).
 * - Arm "titration": first dose by the IWPC clinical formula, then −15 % above 4 (with a dose left out), −10 % above 3, +10 % below 2,
 *   +20 % below 1.5, to the nearest 0.5 mg: a usual clinic protocol. Arm "genotype, then titration": first dose by the IWPC
 *   pharmacogenetic formula, the same rule.
 * - Time in range: share of half days with the true INR in 2–3, over days 0–84 and 14–84. All arms see the same people and errors.
 *
 * The stepper is loosened (relative tolerance 1e-5) for speed; everything else is the shipped pack.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import type { Lanes, Timeline } from '#engine/simulation.ts';
import { buildTimeline } from '#engine/timeline.ts';
import { sorted, quantileOfSorted } from '#numerics/quantiles.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { compileModel } from '#packs/equations/compile.ts';
import type { Program } from '#packs/equations/program.ts';
import { drawLanes, fitModel } from '#twin/equations/posterior.ts';
import type { FitObservation } from '#twin/equations/fit-problem.ts';
import { iwpcSummary, manifest } from './models/warfarin.ts';
import { warfarinStudy } from './calibration/warfarin.ts';
import { iwpcClinical, iwpcPharmacogenetic } from './warfarin/formulas.ts';
import type { CompleteSubject, Cyp2c9, Race, Vkorc1 } from './warfarin/subjects.ts';

const day = 24;
const end = 84;
const visits = [3, 5, 7, 10, 14, 21, 28, 42, 56, 70];
const amounts = Array.from({ length: 30 }, (_, k) => 0.5 * (k + 1));
const dosingDraws = 96;
/** Doses are tried between these shares of the median dose that would hold INR 2.5: the best one is never outside. */
const tried = { from: 0.5, to: 1.7 };

const program: Program = {
  ...compileModel(manifest.models[0]!, manifest, 'models[0]'),
  stepper: {
    kind: 'dopri5',
    relativeTolerance: 1e-5,
    absoluteTolerance: 1e-5,
    firstStep: 1,
    maximumStep: 24,
    maximumSteps: 100_000,
  },
};
const inr = program.readouts.findIndex(({ symbol }) => symbol === 'inr');
const residualSd = 0.2;
const simulator = new CpuSimulator();

interface Person {
  readonly row: Float64Array;
  readonly subject: CompleteSubject;
  readonly truth: Lanes;
  /** Standard normal errors of the INRs, one a visit. */
  readonly errors: readonly number[];
}

function drawPerson(random: RandomSequence): Person {
  let scenario = warfarinStudy.draw(random);
  while (Object.keys(scenario.unknown ?? {}).length > 0) scenario = warfarinStudy.draw(random);
  const { covariates } = scenario;
  const row = Float64Array.from(program.covariates, (id) => {
    const covariate = manifest.covariates.find((one) => one.id === id)!;
    const value = covariates[id]!;
    return covariate.kind === 'category' ? covariate.categories.findIndex((category) => category.value === value) : Number(value);
  });
  const count = program.effects.length;
  const effects = Float64Array.from({ length: count }, (_, e) => Math.sqrt(program.omega[e * count + e]!) * random.normal());
  const subject: CompleteSubject = {
    id: '',
    split: '',
    site: '',
    isStable: true,
    weeklyDose: 0,
    age: Number(covariates['age']),
    heightCm: Number(covariates['height']),
    weightKg: Number(covariates['weight']),
    race: covariates['race'] as Race,
    cyp2c9: covariates['cyp2c9'] as Cyp2c9,
    vkorc1: covariates['vkorc1'] as Vkorc1,
    amiodarone: covariates['amiodarone'] === 'yes',
    inducer: covariates['enzyme-inducer'] === 'yes',
    smoker: covariates['smoker'] === 'yes',
    valve: covariates['valve-replacement'] === 'yes',
    heartFailure: covariates['heart-failure'] === 'yes',
    thrombosis: covariates['thrombosis'] === 'yes',
  };
  return { row, subject, truth: { lanes: 1, effects, laneCovariates: [] }, errors: visits.map(() => random.normal()) };
}

/** Daily doses from day 0; `until` in days. */
function timelineOf(row: Float64Array, doses: readonly number[], until: number): Timeline {
  return buildTimeline(program, {
    start: 0,
    end: until * day,
    doses: doses.flatMap((amount, k) => (amount > 0 ? [{ input: 0, time: k * day, amount, duration: 0 }] : [])),
    covariates: [{ time: 0, row }],
    controls: [],
    setStates: [],
    occasions: [],
    steadyState: null,
  });
}

async function inrOf(
  timelines: readonly Timeline[],
  lanes: Lanes,
  days: readonly number[],
): Promise<readonly ArrayLike<number>[]> {
  const { values } = await simulator.simulate({
    program,
    timelines,
    times: Float64Array.from(days, (at) => at * day),
    readouts: [inr],
    ...lanes,
    seed: seedFrom(1),
  });
  return values;
}

const isInRange = (value: number): boolean => value >= 2 && value <= 3;

/** What is given each day until the next visit. */
type Policy = (now: number, doses: readonly number[], observed: readonly FitObservation[]) => Promise<number[]>;

const repeated = (amount: number, from: number, to: number): number[] => Array.from({ length: to - from }, () => amount);
const nextAfter = (now: number): number => visits.find((visit) => visit > now) ?? end;

function posteriorPolicy({ row }: Person, draws: number): Policy {
  return async (now, doses, observations) => {
    const problem = {
      program,
      logPriorWeight: 0,
      timeline: timelineOf(row, doses, Math.max(now, 1)),
      occasions: 1,
      unknownCovariates: [],
      observations,
    };
    const posterior = await fitModel(problem, simulator, seedFrom(7), { draws });
    const { lanes } = drawLanes(posterior, 1, dosingDraws, seedFrom(8));
    const days = Array.from({ length: 15 }, (_, k) => now + 3 + k);
    const middle = (await medianMaintenance(lanes, row)) / 7;
    const near = amounts.filter((amount) => amount >= tried.from * middle && amount <= tried.to * middle);
    const candidates = near.length > 0 ? near : [middle < amounts[0]! ? amounts[0]! : amounts.at(-1)!];
    const futures = candidates.map((amount) => timelineOf(row, [...doses, ...repeated(amount, now, now + 17)], now + 17));
    const values = await inrOf(futures, lanes, days);
    const shares = values.map((of) => Array.from(of).filter(isInRange).length);
    const best = candidates[shares.indexOf(Math.max(...shares))]!;
    return repeated(best, now, nextAfter(now));
  };
}

/** mg a week. */
async function medianMaintenance(lanes: Lanes, row: Float64Array): Promise<number> {
  const readout = program.readouts.findIndex(({ symbol }) => symbol === 'maintenanceDose');
  const timelines = [timelineOf(row, [], 1)];
  const { values } = await simulator.simulate({
    program,
    timelines,
    times: Float64Array.of(0),
    readouts: [readout],
    ...lanes,
    seed: seedFrom(1),
  });
  return quantileOfSorted(sorted(Float64Array.from(values[0]!)), 0.5);
}

function titrationPolicy(firstWeekly: number): Policy {
  let current = Math.min(15, Math.max(0.5, Math.round((2 * firstWeekly) / 7) / 2));
  return (now, _doses, observations) => {
    const seen = observations.at(-1)?.value;
    if (seen !== undefined) {
      const factor = seen > 4 ? 0.85 : seen > 3 ? 0.9 : seen < 1.5 ? 1.2 : seen < 2 ? 1.1 : 1;
      current = Math.max(0.5, Math.round(2 * current * factor) / 2);
    }
    const doses = repeated(current, now, nextAfter(now));
    if (seen !== undefined && seen > 4) doses[0] = 0;
    return Promise.resolve(doses);
  };
}

interface Outcome {
  readonly whole: number;
  readonly afterTwoWeeks: number;
  readonly everAbove4: number;
}

async function follow(person: Person, policy: Policy): Promise<Outcome> {
  let doses = await policy(0, [], []);
  const observed: FitObservation[] = [];
  for (const [v, visit] of visits.entries()) {
    const [values] = await inrOf([timelineOf(person.row, doses, visit + 1)], person.truth, [visit]);
    const value = values![0]! * Math.exp(residualSd * person.errors[v]!);
    observed.push({ of: 0, time: visit * day, value, isBelowLimit: false });
    doses = [...doses, ...(await policy(visit, doses, observed))];
  }
  const times = Array.from({ length: 2 * end }, (_, k) => (k + 1) / 2);
  const [values] = await inrOf([timelineOf(person.row, doses, end)], person.truth, times);
  const course = Array.from(values!);
  const share = (of: readonly number[]) => of.filter(isInRange).length / of.length;
  return {
    whole: share(course),
    afterTwoWeeks: share(course.filter((_, k) => times[k]! > 14)),
    everAbove4: course.some((value) => value > 4) ? 1 : 0,
  };
}

interface ArmReport {
  readonly arm: string;
  readonly people: number;
  /** Median and quartiles. */
  readonly timeInRange: readonly number[];
  readonly timeInRangeAfterTwoWeeks: readonly number[];
  readonly everAbove4: number;
}

export function trialTable(report: readonly ArmReport[]): string {
  const percent = (value: number): string => `${(100 * value).toFixed(0)} %`;
  const range = ([median, low, high]: readonly number[]): string => `${percent(median!)} (${percent(low!)}–${percent(high!)})`;
  return [
    '| arm | people | time in INR 2–3, days 0–84: median (quartiles) | days 14–84 | ever above 4 |',
    '|---|---|---|---|---|',
    ...report.map(
      ({ arm, people, timeInRange, timeInRangeAfterTwoWeeks, everAbove4 }) =>
        `| ${arm} | ${people} | ${range(timeInRange)} | ${range(timeInRangeAfterTwoWeeks)} | ${percent(everAbove4)} |`,
    ),
    '',
  ].join('\n');
}

const here = fileURLToPath(import.meta.url);
if (process.argv[1] === here) {
  const { values } = parseArgs({
    options: {
      people: { type: 'string', default: '100' },
      first: { type: 'string', default: '0' },
      seed: { type: 'string', default: '1' },
      draws: { type: 'string', default: '1024' },
      json: { type: 'string' },
      markdown: { type: 'string' },
    },
  });
  const outcomes: Record<string, Outcome[]> = { posterior: [], titration: [], 'genotype, then titration': [] };
  for (let i = Number(values.first); i < Number(values.first) + Number(values.people); i++) {
    const person = drawPerson(new RandomSequence(seedFrom(Number(values.seed)), undefined, i));
    outcomes['posterior']!.push(await follow(person, posteriorPolicy(person, Number(values.draws))));
    outcomes['titration']!.push(await follow(person, titrationPolicy(iwpcClinical(person.subject))));
    outcomes['genotype, then titration']!.push(await follow(person, titrationPolicy(iwpcPharmacogenetic(person.subject))));
    process.stderr.write(`${i + 1} ${outcomes['posterior']!.at(-1)!.whole.toFixed(2)}\n`);
  }
  const report = Object.entries(outcomes).map(([arm, of]): ArmReport => {
    const summary = (pick: (outcome: Outcome) => number) => {
      const ascending = sorted(of.map(pick));
      return [0.5, 0.25, 0.75].map((level) => Number(quantileOfSorted(ascending, level).toFixed(3)));
    };
    return {
      arm,
      people: of.length,
      timeInRange: summary(({ whole }) => whole),
      timeInRangeAfterTwoWeeks: summary(({ afterTwoWeeks }) => afterTwoWeeks),
      everAbove4: of.reduce((sum, { everAbove4 }) => sum + everAbove4, 0) / of.length,
    };
  });
  console.log(JSON.stringify(report, null, 1));
  if (values.json !== undefined) {
    const protocol = { days: end, visits, residualSd, draws: Number(values.draws), trained: iwpcSummary.n };
    writeFileSync(values.json, `${JSON.stringify({ pack: 'warfarin', protocol, report, outcomes }, null, 1)}\n`);
  }
  if (values.markdown !== undefined) writeFileSync(values.markdown, trialTable(report));
}
