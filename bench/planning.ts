/**
 * The search of plans, whole: 200 plans of three levers, 10,000 futures each in the last round, 60 steps of a network of H = 64, S = 16
 * and five members; the goals are days without an event, the time a marker lies in a range, and the days on treatment. A first look is
 * asked with as few futures as the page asks. How much halving loses is asked of a smaller network, where everything can be scored in full.
 */
import { firstSearchRollouts } from '#app/plan-question.ts';
import type { Goal, PlanAnswer, PlanCandidate, PlanQuestion } from '#domain/planning.ts';
import type { Engine } from '#engine/engine.ts';
import type { LearnedManifest } from '#packs/manifest.ts';
import type { NetworkShape } from '#packs/network.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { meanOfGroups } from '#planning/evaluate.ts';
import type { LearnedSubject } from '#planning/evaluate-learned.ts';
import { searchPlans, type PlanSubject } from '#planning/plan-search.ts';
import { learnedPlanSubject } from '#planning/subject.ts';
import type { Twin } from '#twin/fit.ts';
import type { History } from '#twin/history.ts';
import { toyNetwork, toyStarts } from '../tests/fixtures/toy-network.ts';
import { measure, type Clock } from './measure.ts';
import type { Row } from './work.ts';

const levers = ['a', 'b', 'c'] as const;
const plans = 200;

const goals: readonly Goal[] = [
  { measure: { kind: 'event-free-days' }, wish: 'more', weight: 5 },
  { measure: { kind: 'marker-time', marker: 'm0', low: null, high: 0, fromDay: 0, toDay: 60 }, wish: 'more', weight: 5 },
  { measure: { kind: 'burden', of: 'days-on-treatment' }, wish: 'less', weight: 5 },
];

/** A person at entry of an invented pack; every lever may be given at any time. */
function subjectOf(shape: NetworkShape, steps: number, engine: Engine): PlanSubject {
  const network = toyNetwork({ seed: 21, shape, ordinalEvery: 0, logHazard: -5 });
  const { S, L, H, M } = shape;
  const manifest = {
    kind: 'learned',
    title: 'Bench',
    grid: { stepDays: 1, horizonSteps: steps, historySteps: 1, timeUnit: 'days' },
    network: shape,
    covariates: [],
    markers: Array.from({ length: S }, (_, i) => ({
      id: `m${i}`,
      label: `M${i}`,
      transform: { kind: 'identity', mean: 0, sd: 1 },
      plausible: [-9, 9],
    })),
    signs: [],
    events: Array.from({ length: shape.K }, (_, k) => ({ id: `e${k}`, label: `E${k}`, isTerminal: true })),
    interventions: levers.map((id) => ({ id, label: id, whatIfClass: 'R', exclusiveGroup: null, timing: 'any' })),
    conditioning: levers.map((id) => ({ from: 'intervention', id })),
    usualCare: { label: 'Usual care', description: '', interventions: [] },
    population: { description: '', criteria: [] },
  } as unknown as LearnedManifest;
  const particles = 1024;
  const starts = toyStarts(network, M * particles, 5);
  const width = S + L + H;
  const twin = {
    network,
    members: Array.from({ length: M }, (_, m) => ({
      x: Float32Array.from(
        { length: particles * (S + L) },
        (_, j) => starts[(m * particles + Math.floor(j / (S + L))) * width + (j % (S + L))]!,
      ),
      h: Float32Array.from(
        { length: particles * H },
        (_, j) => starts[(m * particles + Math.floor(j / H)) * width + S + L + (j % H)]!,
      ),
      weights: new Float64Array(particles).fill(1 / particles),
    })),
    conflictProbability: null,
  } as unknown as Twin;
  const history = {
    person: { covariates: {}, inputs: new Float64Array(0) },
    treatments: [],
    todayDays: 0,
    uses: [],
    latest: new Map(),
  };
  const learned: LearnedSubject = {
    pack: { manifest, network } as unknown as LearnedPack,
    history: history as unknown as History,
    twin,
    engine,
  };
  let offered = 0;
  // Three levers at three times make 343 plans; the first 200 are offered.
  return { ...learnedPlanSubject(learned), support: () => ({ distance: offered++ <= plans ? 0 : 1, reasons: [] }) };
}

function question(steps: number, rollouts: number, seed: number): PlanQuestion {
  return {
    goals: goals.map(({ measure: asked, ...goal }) => ({
      ...goal,
      measure: 'toDay' in asked ? { ...asked, toDay: steps } : asked,
    })),
    limits: [],
    excluded: [],
    maximumPerDay: {},
    space: { kind: 'listed', intervention: null, withLoadingDose: false },
    own: [],
    insistsOutside: false,
    horizonDays: steps,
    rollouts,
    seed,
  };
}

const shape: NetworkShape = { S: 16, L: 3, H: 64, K: 2, V: 3, M: 5 };

/** A first look and the whole search; and of the whole search how many futures halving saved. */
export async function benchPlanning(
  path: string,
  makeEngine: () => Promise<Engine>,
  clock: Clock,
  rounds: number,
): Promise<Row[]> {
  const engine = await makeEngine();
  const rows: Row[] = [];
  const firstLook = firstSearchRollouts({ kind: 'learned' });
  for (const rollouts of [firstLook, 10_000]) {
    let answer: PlanAnswer | null = null;
    const run = async (times: number) => {
      for (let k = 0; k < times; k++)
        answer = await searchPlans(question(60, rollouts, 1), { subject: subjectOf(shape, 60, engine) });
    };
    // The whole search takes a minute and is timed once.
    const samples = rollouts === firstLook ? await measure([{ path, run }], clock, rounds) : await once(path, run, clock);
    const { simulated, fullEnumeration, rounds: halving } = answer!;
    const shown = halving.map((round) => `${round.candidates} × ${round.rollouts}`).join(', ');
    console.log(
      `plans, last round ${rollouts}: ${shown}; ${simulated} of ${fullEnumeration} futures (${((100 * simulated) / fullEnumeration).toFixed(0)} %)`,
    );
    rows.push({ work: `plans-200x${rollouts}x60`, path, host: 'node', error: null, ...samples.get(path)! });
  }
  engine.dispose();
  return rows;
}

async function once(path: string, run: (times: number) => Promise<void>, clock: Clock): ReturnType<typeof measure> {
  const [startedCpu, started] = [await clock(), performance.now()];
  await run(1);
  const wallMs = performance.now() - started;
  return new Map([[path, { cpuMs: (await clock()) - startedCpu, wallMs }]]);
}

export interface HalvingLoss {
  readonly seeds: number;
  readonly savedShare: number;
  /** Score of the plan that halving puts first less that of full enumeration, in truth; mean and 90 % interval over seeds. */
  readonly regret: readonly [mean: number, low: number, high: number];
  /** The same for the one that full enumeration puts first against the one that is best in truth: what luck alone costs. */
  readonly luck: readonly [mean: number, low: number, high: number];
  /** Share of the front of full enumeration that halving ends with. */
  readonly frontFound: number;
}

/** Everything scored in full as well, on a small network; "in truth" is 5,000 futures of another seed. */
export async function halvingLoss(engine: Engine, seeds: number, rollouts: number): Promise<HalvingLoss> {
  const small: NetworkShape = { S: 4, L: 2, H: 8, K: 1, V: 3, M: 5 };
  const steps = 20;
  // Without the burden, which is known exactly, many plans lie close together.
  const asked = { ...question(steps, rollouts, 1), goals: question(steps, rollouts, 1).goals.slice(0, 2) };
  const { goals: wanted } = asked;
  const all = (await searchPlans(asked, { subject: subjectOf(small, steps, engine) })).candidates.map(({ plan }) => plan);
  const scoresOf = async (futures: number, seed: number) => {
    const evaluator = await subjectOf(small, steps, engine).evaluator(asked, seed, {});
    const figures = (await evaluator.evaluate(all, futures)).map(({ groups }) => groups.map(meanOfGroups));
    return figures.map((own) => own.map((value, g) => (wanted[g]!.wish === 'more' ? value : -value)));
  };
  const truth = await scoresOf(5000, 99);
  const scales = wanted.map((_, g) => spread(truth.map((own) => own[g]!)));
  const score = (own: readonly number[]) => own.reduce((sum, value, g) => sum + (wanted[g]!.weight * value) / scales[g]!, 0);
  const argmax = (values: readonly number[]) => values.indexOf(Math.max(...values));
  const worth = truth.map(score);
  const [regret, luck, saved, found] = [[], [], [], []] as number[][];
  for (let seed = 1; seed <= seeds; seed++) {
    const answer = await searchPlans({ ...asked, seed }, { subject: subjectOf(small, steps, engine) });
    const full = await scoresOf(rollouts, seed);
    const most = Math.max(...answer.candidates.map((one) => one.rollouts));
    const isInLast = (one: PlanCandidate) => one.rollouts === most;
    const chosen = argmax(answer.candidates.map((one) => (isInLast(one) ? one.score : -Infinity)));
    const fullChosen = argmax(full.map(score));
    regret!.push(worth[fullChosen]! - worth[chosen]!);
    luck!.push(Math.max(...worth) - worth[fullChosen]!);
    const searched = answer.rounds.reduce((sum, round) => sum + round.candidates * round.rollouts, 0);
    saved!.push(1 - searched / answer.fullEnumeration);
    const front = full.flatMap((own, i) => (full.some((other) => dominates(other, own)) ? [] : [i]));
    found!.push(front.filter((i) => isInLast(answer.candidates[i]!)).length / front.length);
  }
  return { seeds, savedShare: mean(saved!), regret: interval(regret!), luck: interval(luck!), frontFound: mean(found!) };
}

const dominates = (a: readonly number[], b: readonly number[]) =>
  a.every((value, i) => value >= b[i]!) && a.some((value, i) => value > b[i]!);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const spread = (values: readonly number[]) =>
  Math.sqrt(values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1));

function interval(values: readonly number[]): readonly [number, number, number] {
  const half = (1.645 * spread(values)) / Math.sqrt(values.length);
  return [mean(values), mean(values) - half, mean(values) + half];
}
