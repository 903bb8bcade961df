/**
 * What the next measurement would be worth for a choice between plans. Where next to measure to know a *quantity* better is asked of
 * `twin/equations/sampling-times.ts`, by the same weighing; here it is asked how much better the *choice* becomes, and a measurement that
 * changes no choice is worth nothing however much it tells.
 */
import { AppError } from '#domain/errors.ts';
import type { CovariateChange } from '#domain/dosing.ts';
import type { MeasurementAnswer, MeasurementQuestion } from '#domain/planning.ts';
import type { Plan } from '#domain/plan.ts';
import type { RunHooks } from '#engine/engine.ts';
import { seedFrom } from '#numerics/random.ts';
import type { PackManifest } from '#packs/manifest.ts';
import { checkEquationsPlan } from '#twin/equations/plans.ts';
import { reportEquationsFit } from '#twin/equations/report.ts';
import { drawValue, measurementOf } from '#twin/equations/virtual-measurement.ts';
import { reportFit } from '#twin/fit-report.ts';
import { checkPlan, usualCareId, usualCarePlan } from '#twin/plan-check.ts';
import { checkMeasure, unitOf } from '../evaluate.ts';
import { requireFutures } from './arms.ts';
import { composeBlocks } from './compose.ts';
import { everyDraw, followPlans, type CourseDeps } from './courses.ts';
import { followFrom, type DosePlan } from './dose-rules.ts';
import { splitDraws, type DrawSet } from './draws.ts';
import { amountUnit, writeOut, type EquationsPolicyDeps } from './equations-policies.ts';
import { figuresOfFutures } from './figures.ts';
import { chanceOf } from './follow.ts';
import { decisionStep, futureFigures, learnedFutures, type LearnedPolicyDeps } from './learned-policies.ts';
import { bestOption, valueByRegression, valueByWeighing, valueOfPerfection, type SampleValue } from './sample-information.ts';

/** Draws with which the choice is made: enough that a chance is known to one or two points. */
const knownDraws = 2000;

/** Throws `AppError` for what a person can mend in the question. The same question gives the same answer but for its time. */
export async function equationsMeasurementValue(
  question: MeasurementQuestion,
  { manifest, fitted, simulator, placing, now = () => 0 }: EquationsPolicyDeps,
  hooks: RunHooks = {},
): Promise<MeasurementAnswer> {
  const started = now();
  const { horizonDays, goal, futures } = question;
  const choices = question.choices.filter(({ id }) => id !== usualCareId);
  checkQuestion(manifest, question);
  choices.forEach((plan) => checkEquationsPlan(manifest, plan));
  const asked = new Set(question.candidates.map(({ marker }) => marker));
  const exact = manifest.models.some(({ observations }) =>
    observations.some(({ marker, error }) => asked.has(marker) && error.kind === 'transition'),
  );
  if (exact)
    throw new AppError(
      'request_invalid',
      'This marker is observed exactly: its next value is worth nothing beside the last. Choose another.',
    );
  const unit = unitOf(goal.measure, amountUnit(manifest));
  const finish = answerOf(question, unit, () => now() - started);
  const fit = reportEquationsFit(manifest, fitted, placing);
  if (fit.standing === 'outside') return finish.withheld(fit.reasons);

  const seed = seedFrom(question.seed);
  const changes: readonly CovariateChange[] = question.changes ?? [];
  const deps: CourseDeps = { person: fitted.person, simulator, changes, horizonDays, seed };
  const { truths, known } = splitDraws(fitted.twin, futures, knownDraws, seed);
  const written = [usualCarePlan(manifest, horizonDays), ...choices].map((plan) => writeOut(fitted, plan));
  const sign = goal.wish === 'more' ? 1 : -1;
  const days = [...new Set(question.candidates.map(({ day }) => day))];
  const parts = 2 * written.length + days.length * 2 * (written.length - 1);
  let done = 0;
  const figures = async (set: DrawSet, plan: DosePlan): Promise<Float64Array> => {
    const [own] = await figuresOfFutures([goal.measure], manifest, set, [plan], new Uint32Array(set.size), deps, quiet(hooks));
    hooks.onProgress?.(++done / parts);
    return own!.map((value) => sign * value);
  };
  const ofPlans = { known: [] as Float64Array[], truths: [] as Float64Array[] };
  for (const plan of written) {
    ofPlans.known.push(await figures(known, plan));
    ofPlans.truths.push(await figures(truths, plan));
  }
  // Chosen by those who do not score it, as every later choice is.
  const chosen = bestOption(ofPlans.known.map(meanOfKnown));
  const others = [...written.keys()].filter((plan) => plan !== chosen);
  const options = new Map<number, typeof ofPlans>();
  for (const day of days) {
    const own = { known: [ofPlans.known[chosen]!], truths: [ofPlans.truths[chosen]!] };
    for (const other of others) {
      const plan = day === 0 ? written[other]! : followFrom(written[chosen]!, day, written[other]!);
      own.known.push(day === 0 ? ofPlans.known[other]! : await figures(known, plan));
      own.truths.push(day === 0 ? ofPlans.truths[other]! : await figures(truths, plan));
    }
    options.set(day, own);
  }
  const candidates: Candidate[] = [];
  for (const { marker, day } of question.candidates) {
    const predicted = async (set: DrawSet) => {
      const wanted = { days: [day], readouts: [], markers: [marker] };
      const own = { ...deps, horizonDays: day };
      const [course] = await followPlans(set, everyDraw(set), [written[chosen]!], wanted, own, quiet(hooks));
      return Float64Array.from({ length: set.size }, (_, i) => course!.marker(marker, 0, i));
    };
    const errors = known.models.map(({ program }) => program.observations.find((one) => one.marker === marker)!.error);
    const modelOf = Uint8Array.from({ length: known.size }, (_, n) => known.models.findLastIndex(({ first }) => first <= n));
    const measured = (await predicted(truths)).map((f, t) => {
      const { program } = truths.models.findLast(({ first }) => first <= t)!;
      const { error } = program.observations.find((one) => one.marker === marker)!;
      return Number.isNaN(f) ? f : drawValue(error, f, chanceOf(t, day, marker, seed));
    });
    const underModels = Array.from(measured, (value) =>
      Number.isNaN(value) ? null : errors.map((error) => measurementOf(error, value)),
    );
    const own = options.get(day)!;
    const value = valueByWeighing(
      { values: own.known, predictions: await predicted(known) },
      { values: own.truths, measurement: (t, n) => underModels[t]?.[modelOf[n]!] ?? null },
    );
    candidates.push({ marker, day, ...value });
  }
  const everything = [ofPlans.truths[chosen]!, ...ofPlans.truths, ...[...options.values()].flatMap(({ truths: own }) => own)];
  return finish.completed({
    now: sign * meanOfKnown(ofPlans.truths[chosen]!),
    chosen: written[chosen]!.id,
    candidates,
    perfect: valueOfPerfection(everything),
    futures: truths.size,
  });
}

/** Throws `AppError` for what a person can mend in the question. The same question gives the same answer but for its time. */
export async function learnedMeasurementValue(
  question: MeasurementQuestion,
  deps: LearnedPolicyDeps,
  hooks: RunHooks = {},
): Promise<MeasurementAnswer> {
  const { pack, history, twin, now = () => 0 } = deps;
  const { manifest } = pack;
  const started = now();
  const { horizonDays, goal } = question;
  const choices = question.choices.filter(({ id }) => id !== usualCareId);
  checkQuestion(manifest, question);
  choices.forEach((plan) => checkPlan(manifest, plan));
  const finish = answerOf(question, unitOf(goal.measure, '1'), () => now() - started);
  const fit = reportFit(manifest, history, twin, deps.placing);
  if (fit.standing === 'outside') return finish.withheld(fit.reasons);

  const futures = learnedFutures(deps, question);
  const sign = goal.wish === 'more' ? 1 : -1;
  const plans = [usualCarePlan(manifest, horizonDays), ...choices];
  const days = [...new Set(question.candidates.map(({ day }) => day))];
  const parts = plans.length + days.length * (plans.length - 1) + 1;
  let done = 0;
  const rollOut = async (plan: Plan) => {
    const columns = await futures.rollOut(plan, quiet(hooks));
    hooks.onProgress?.(++done / parts);
    const [own] = futureFigures([goal.measure], manifest, columns, plan, futures);
    return { columns, values: own!.map((value) => sign * value) };
  };
  const ofPlans: Float64Array[] = [];
  for (const plan of plans) ofPlans.push((await rollOut(plan)).values);
  const chosen = bestOption(ofPlans.map(meanOfKnown));
  const { columns } = await rollOut(plans[chosen]!);
  const others = [...plans.keys()].filter((plan) => plan !== chosen);
  const options = new Map<number, Float64Array[]>();
  for (const day of days) {
    const own = [ofPlans[chosen]!];
    for (const other of others) {
      const plan = { ...plans[other]!, blocks: composeBlocks(plans[chosen]!, day, plans[other]!) };
      own.push(day === 0 ? ofPlans[other]! : (await rollOut(plan)).values);
    }
    options.set(day, own);
  }
  const { S } = manifest.network;
  const candidates = question.candidates.map(({ marker, day }): Candidate => {
    const index = manifest.markers.findIndex(({ id }) => id === marker);
    const step = decisionStep(day, manifest.grid.stepDays);
    const measured = Float64Array.from({ length: futures.futures }, (_, i) =>
      columns.eventStep[i]! < step ? Number.NaN : columns.values[(step * S + index) * futures.futures + i]!,
    );
    return { marker, day, ...valueByRegression(options.get(day)!, measured) };
  });
  return finish.completed({
    now: sign * meanOfKnown(ofPlans[chosen]!),
    chosen: plans[chosen]!.id,
    candidates,
    perfect: valueOfPerfection([ofPlans[chosen]!, ...ofPlans, ...[...options.values()].flat()]),
    futures: futures.futures,
  });
}

type Candidate = MeasurementAnswer['candidates'][number];

function checkQuestion(manifest: PackManifest, { goal, horizonDays, candidates, choices, futures }: MeasurementQuestion): void {
  checkMeasure(manifest, goal.measure, horizonDays);
  requireFutures(futures);
  if (!choices.some(({ id }) => id !== usualCareId))
    throw new AppError('request_invalid', 'There is nothing to choose between. Add a plan beside usual care.');
  if (candidates.length === 0) throw new AppError('request_invalid', 'No measurement was named. Choose a marker and a day.');
  for (const { marker, day } of candidates) {
    if (!manifest.markers.some(({ id }) => id === marker))
      throw new AppError('request_invalid', `${manifest.title} does not have the marker that was asked for. Choose another.`);
    if (!(day >= 0 && day < horizonDays))
      throw new AppError(
        'request_invalid',
        `A measurement on day ${day}: expected a day from 0 to before ${horizonDays}, the horizon. Correct it.`,
      );
  }
}

interface Found extends Pick<MeasurementAnswer, 'now' | 'chosen' | 'candidates' | 'futures'> {
  readonly perfect: SampleValue;
}

function answerOf({ seed }: MeasurementQuestion, unit: string, elapsed: () => number) {
  const nothing = { gain: 0, standardError: 0 };
  return {
    withheld: (reasons: readonly string[]): MeasurementAnswer => ({
      status: 'outside-support',
      message: `Nothing is simulated. ${reasons.join(' ')}`,
      unit,
      now: Number.NaN,
      chosen: usualCareId,
      candidates: [],
      perfect: nothing,
      futures: 0,
      elapsedMs: elapsed(),
      seed,
    }),
    completed: ({ perfect: { gain, standardError }, ...found }: Found): MeasurementAnswer => ({
      status: 'completed',
      message: `The choice was made again after each measurement in ${found.futures} virtual copies of this person, simulated under the model’s assumptions.`,
      unit,
      ...found,
      perfect: { gain, standardError },
      elapsedMs: elapsed(),
      seed,
    }),
  };
}

function meanOfKnown(values: Float64Array): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length === 0 ? Number.NaN : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function quiet({ signal }: RunHooks): RunHooks {
  return signal ? { signal } : {};
}
