/**
 * Fine-tuning of a learned pack's head on local outcomes: one number a marker for its drift and one for its spread in a step, one an
 * event for its hazard, added to the output biases of every ensemble member. Gradient descent with the gradient taken by differences on
 * common random numbers, through whichever engine rolls futures out: the GPU where there is one. Nothing leaves the device.
 */
import type { Forecast } from '#domain/forecast.ts';
import type { Correction, FrozenForecast, RecalibrationAnswer } from '#domain/trust.ts';
import { drivePlan } from '#engine/drive.ts';
import type { RunHooks } from '#engine/engine.ts';
import { roundUpRollouts } from '#engine/request.ts';
import { pinballLoss } from '#numerics/probabilistic.ts';
import { seedFrom } from '#numerics/random.ts';
import type { Plan } from '#domain/plan.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { drawStarts, type Twin } from '#twin/fit.ts';
import { fitHistory } from '#twin/fitted-history.ts';
import { forecast, type ForecastDeps } from '#twin/forecast.ts';
import { recordUntil, type History } from '#twin/history.ts';
import { stepInputs } from '#twin/step-inputs.ts';
import { withHead } from './corrections.ts';
import { outcomesOf } from './outcomes.ts';
import { isJudge, judged, shortfall, type LocalCase, type RecalibrationRequest } from './recalibrate.ts';

type Head = Extract<Correction, { readonly kind: 'head' }>;

export interface FineTuneRequest extends RecalibrationRequest {
  readonly pack: LearnedPack;
  readonly seed: number;
}

const teachingRollouts = 400;
const judgingRollouts = 2000;
const rounds = 16;
const learningRate = 0.12;
/** Of a difference: small beside what a round may move, large beside rounding. */
const reach = 0.02;
/** A priori a head differs by about so much from the pack's: in standard deviations over the horizon, in log spread, in log hazard. */
const priorSd = 0.7;
const levels = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95] as const;
/** Fewer values of a marker, or events, do not move their own numbers. */
const fewestValues = 10;

export async function fineTune(request: FineTuneRequest, deps: ForecastDeps, hooks: RunHooks = {}): Promise<RecalibrationAnswer> {
  const { manifest } = request.pack;
  const message = shortfall('head', request.cases, manifest);
  if (message) return { status: 'too-few', message };
  const taught = request.cases.filter(({ frozen }) => !isJudge(frozen.patientId));
  const lessons: Lesson[] = [];
  for (const one of taught) {
    hooks.signal?.throwIfAborted();
    const lesson = await lessonOf(request, one, deps);
    if (lesson) lessons.push(lesson);
    hooks.onProgress?.((0.15 * lessons.length) / taught.length);
  }
  const head = await descend(request, lessons, deps, hooks);
  const again = async (one: LocalCase, pack: LearnedPack): Promise<LocalCase> => {
    hooks.signal?.throwIfAborted();
    return { ...one, frozen: { ...one.frozen, forecast: await forecastAgain(pack, one, request.seed, deps) } };
  };
  // Before and after are both made anew, with the same seed, so that nothing but the head differs.
  const tuned = { ...request.pack, network: withHead(request.pack.network, manifest, head) };
  const before: LocalCase[] = [];
  const after: LocalCase[] = [];
  const judges = request.cases.filter(({ frozen }) => isJudge(frozen.patientId));
  for (const one of judges) {
    before.push(await again(one, request.pack));
    after.push(await again(one, tuned));
    hooks.onProgress?.(0.75 + (0.25 * after.length) / judges.length);
  }
  return judged(request, head, before, after);
}

/** One patient's frozen moment and what came, ready to be rolled out again under any head. */
interface Lesson {
  readonly history: History;
  readonly twin: Twin;
  readonly plan: Plan;
  readonly steps: number;
  /** Of markers: state index, step (between grid times), standardised value. */
  readonly values: readonly { readonly state: number; readonly step: number; readonly x: number }[];
  readonly events: readonly { readonly cause: number; readonly step: number; readonly happened: boolean }[];
}

async function lessonOf(
  { pack, seed }: FineTuneRequest,
  { frozen, record }: LocalCase,
  deps: ForecastDeps,
): Promise<Lesson | null> {
  const { manifest } = pack;
  const plan = planOf(frozen);
  if (!plan) return null;
  const today = frozen.now.slice(0, 10);
  const { history, twin } = await fitHistory({ pack, record: recordUntil(record, today), today, seed }, deps);
  const { stepDays } = manifest.grid;
  const known = outcomesOf(frozen, record, manifest);
  const values = known.flatMap(({ of, horizonDays }) =>
    of.kind === 'marker'
      ? [{ state: manifest.markers.findIndex(({ id }) => id === of.marker), step: horizonDays / stepDays, x: of.x }]
      : [],
  );
  const events = known.flatMap(({ of, horizonDays }) => {
    if (of.kind !== 'event') return [];
    const cause = manifest.events.findIndex(({ id }) => id === of.event);
    return cause < 0 ? [] : [{ cause, step: horizonDays / stepDays, happened: of.happened }];
  });
  const steps = Math.min(
    manifest.grid.horizonSteps,
    Math.max(1, ...[...values, ...events].map(({ step }) => Math.ceil(step - 1e-9))),
  );
  return { history, twin, plan, steps, values, events };
}

function planOf({ forecast: { plans }, planId }: FrozenForecast): Plan | null {
  return plans.find(({ plan }) => plan.id === planId)?.plan ?? null;
}

/** A number of the head, and how it enters. */
interface Knob {
  readonly of: 'drift' | 'logScale' | 'logHazard';
  readonly id: string;
  /** One unit of the knob is so much in the network: drifts are counted over the lessons' mean length. */
  readonly unit: number;
}

async function descend(
  { pack, seed }: FineTuneRequest,
  lessons: readonly Lesson[],
  deps: ForecastDeps,
  hooks: RunHooks,
): Promise<Head> {
  const { manifest } = pack;
  const meanSteps = lessons.reduce((sum, { steps }) => sum + steps, 0) / Math.max(1, lessons.length);
  const enough = (count: number) => count >= fewestValues;
  const valuesOf = (state: number) => lessons.flatMap(({ values }) => values.filter((one) => one.state === state)).length;
  const eventsOf = (cause: number) =>
    lessons.filter(({ events }) => events.some((one) => one.cause === cause && one.happened)).length;
  const knobs: Knob[] = [
    ...manifest.markers.flatMap(({ id }, i): Knob[] =>
      enough(valuesOf(i))
        ? [
            { of: 'drift', id, unit: 1 / meanSteps },
            { of: 'logScale', id, unit: 1 },
          ]
        : [],
    ),
    ...manifest.events.flatMap(({ id }, k): Knob[] => (enough(eventsOf(k)) ? [{ of: 'logHazard', id, unit: 1 }] : [])),
  ];
  const headAt = (at: readonly number[]): Head => {
    const pick = (of: Knob['of']) =>
      Object.fromEntries(knobs.flatMap((knob, i) => (knob.of === of ? [[knob.id, at[i]! * knob.unit]] : [])));
    return { kind: 'head', drift: pick('drift'), logScale: pick('logScale'), logHazard: pick('logHazard') };
  };
  const loss = async (at: readonly number[]) => {
    const network = withHead(pack.network, manifest, headAt(at));
    const penalty = at.reduce((sum, value) => sum + value ** 2, 0) / (2 * priorSd ** 2 * Math.max(1, lessons.length));
    let total = 0;
    for (const lesson of lessons) total += await lessonLoss(network, manifest, lesson, seed, deps);
    return total / Math.max(1, lessons.length) + penalty;
  };
  // Adam (Kingma & Ba 2015), with differences for gradients.
  let at = knobs.map(() => 0);
  const momentum = knobs.map(() => 0);
  const power = knobs.map(() => 0);
  for (let round = 1; round <= rounds; round++) {
    const base = await loss(at);
    const gradient: number[] = [];
    for (const i of knobs.keys()) {
      hooks.signal?.throwIfAborted();
      gradient.push(((await loss(at.map((value, j) => (i === j ? value + reach : value)))) - base) / reach);
      hooks.onProgress?.(0.15 + (0.6 * (round - 1 + (i + 1) / knobs.length)) / rounds);
    }
    at = at.map((value, i) => {
      momentum[i] = 0.8 * momentum[i]! + 0.2 * gradient[i]!;
      power[i] = 0.95 * power[i]! + 0.05 * gradient[i]! ** 2;
      const first = momentum[i]! / (1 - 0.8 ** round);
      const second = power[i]! / (1 - 0.95 ** round);
      // Smaller steps towards the end, so that it settles.
      return value - ((learningRate * (rounds - round + 1)) / rounds) * (first / (Math.sqrt(second) + 1e-8));
    });
  }
  return headAt(at);
}

/** Pinball loss of the values over quantiles, in standard deviations, and log loss of the events: both of one patient. */
async function lessonLoss(
  network: LearnedPack['network'],
  manifest: LearnedPack['manifest'],
  { history, twin, plan, steps, values, events }: Lesson,
  seed: number,
  { engine }: ForecastDeps,
): Promise<number> {
  const { S, K } = network.shape;
  const words = seedFrom(seed);
  const groupsPerMember = 2;
  const rollouts = roundUpRollouts(teachingRollouts, network.shape.M, groupsPerMember);
  const drive = drivePlan(network, stepInputs(manifest, history.person, plan.blocks, steps));
  const starts = drawStarts(twin, rollouts, groupsPerMember, words);
  const { plans } = await engine.rollOut({ network, plans: [drive], steps, seed: words, levels, courses: 0, ...starts });
  const { quantiles, incidence, eventFreeSteps } = plans[0]!;
  const between = (step: number, read: (t: number) => number) => {
    const t = Math.min(steps - 1, Math.floor(step));
    return read(t) + Math.min(1, step - t) * (read(t + 1) - read(t));
  };
  let total = 0;
  for (const { state, step, x } of values) {
    for (const [l, level] of levels.entries()) {
      const q = between(step, (t) => quantiles[(t * S + state) * levels.length + l]!);
      if (Number.isFinite(q)) total += (2 * pinballLoss(x, q, level)) / levels.length;
    }
  }
  const groups = eventFreeSteps.length;
  for (const { cause, step, happened } of events) {
    const mean = between(step, (t) => {
      let sum = 0;
      for (let g = 0; g < groups; g++) sum += incidence[(g * (steps + 1) + t) * K + cause]!;
      return sum / groups;
    });
    const p = Math.min(1 - 1e-4, Math.max(1e-4, mean));
    // Three horizons of one person are one story.
    total -= Math.log(happened ? p : 1 - p) / 3;
  }
  return total;
}

function forecastAgain(pack: LearnedPack, { frozen, record }: LocalCase, seed: number, deps: ForecastDeps): Promise<Forecast> {
  const today = frozen.now.slice(0, 10);
  const plan = planOf(frozen);
  const others = frozen.forecast.plans.slice(1).map((one) => one.plan);
  const plans = others.filter(({ id }) => id === plan?.id);
  const { timesDays } = frozen.forecast;
  return forecast(
    {
      pack,
      record: { ...recordUntil(record, today), events: [] },
      today,
      plans,
      horizonDays: timesDays.at(-1)!,
      rollouts: judgingRollouts,
      seed,
    },
    { ...deps, placing: () => ({ verdict: 'inside', reasons: [] }) },
  );
}
