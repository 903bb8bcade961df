/** Makes a pack's golden cases with one engine and asks them again of another. The format is in packs/golden.ts. */
import { conditioningAt, covariateInputs } from '#packs/conditioning.ts';
import type { GoldenCases, GoldenPlan, GoldenPlanAnswer, GoldenProbe, GoldenRollout } from '#packs/golden.ts';
import { leverInterventions } from '#packs/manifest-views.ts';
import type { Intervention, LearnedManifest } from '#packs/manifest.ts';
import type { EncoderTensors, Network } from '#packs/network.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { refusal } from '#packs/refusal.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { drivePlan } from './drive.ts';
import type { Engine, RolloutRequest, RolloutSummary } from './engine.ts';

/** q(z | history) of one history, as `encodePlain` of twin/encoder-plain.ts: T grid times of [T × S], [T × S] and [T × V]. */
export type EncodeHistory = (
  encoder: EncoderTensors,
  history: { readonly values: Float64Array; readonly mask: Float64Array; readonly v: Float64Array },
  prior: { readonly mean: Float64Array; readonly scale: Float64Array },
) => TraitMoments | Promise<TraitMoments>;

interface TraitMoments {
  readonly mean: ArrayLike<number>;
  readonly scale: ArrayLike<number>;
}

export interface GoldenFailure {
  readonly id: string;
  /** The answer and its index, e.g. `plans[0].quantiles[12]`. */
  readonly where: string;
  readonly found: number;
  readonly expected: number;
}

export interface GoldenReport {
  readonly passed: boolean;
  /** The worst value of every answer that is off. */
  readonly failed: readonly GoldenFailure[];
  /** Largest deviation of a compared value, relative where the value is larger than 1. */
  readonly maxError: number;
}

/**
 * Fused f32 engines differ from f64 by rounding and by their own exp and tanh, about 1e-5 a step in standardised units, of which
 * the pull of a fitted drift leaves a few steps' worth: under 1e-4. An error that matters on a page begins at 1e-2.
 */
export const goldenTolerance = 1e-3;

/**
 * An event and an ordinal level are decided by comparing a random number with a computed one, and rounding decides when the two
 * agree to five digits: about one comparison in 10⁵. Cases hold some thousand comparisons and the maker avoids close ones, so one
 * flipped rollout in a hundred (at least one) is already generous.
 */
const allowedFlips = (rollouts: number): number => Math.ceil(rollouts / 100);

/** Asks a pack's golden cases of an engine on this device. Without `encode` the encoder's probes are left out. */
export async function runGolden(engine: Engine, pack: LearnedPack, encode?: EncodeHistory): Promise<GoldenReport> {
  const comparison = new Comparison();
  for (const golden of pack.golden.rollouts) {
    comparison.compareRollout(golden, pack.network, await engine.rollOut(goldenRequest(pack.network, golden)));
  }
  if (encode) {
    for (const probe of pack.golden.encoder) {
      const found = await answerProbe(encode, pack.encoder[probe.member]!, probe.inputs);
      comparison.compare(probe.id, 'mean', found.mean, probe.expected.mean);
      comparison.compare(probe.id, 'scale', found.scale, probe.expected.scale);
    }
  }
  return { passed: comparison.failed.length === 0, failed: comparison.failed, maxError: comparison.maxError };
}

/** A pack is offered only after this: throws `pack_golden_failed` if the engine's answers are not the stored ones. */
export async function requireGolden(engine: Engine, pack: LearnedPack, encode?: EncodeHistory): Promise<GoldenReport> {
  const report = await runGolden(engine, pack, encode);
  const [first] = report.failed;
  if (!first) return report;
  throw refusal(
    'pack_golden_failed',
    `golden.json of '${pack.manifest.id}' on ${engine.description}`,
    `${report.failed.length} answers are off, first ${first.where} of '${first.id}': found ${first.found}, expected ${first.expected}.`,
  );
}

function goldenRequest(network: Network, golden: GoldenRollout): RolloutRequest {
  const { steps, rollouts, groupsPerMember, start, levels } = golden;
  const starts = Float32Array.from(
    Array.from({ length: rollouts }, (_, i) => [...start.x[i % start.x.length]!, ...start.h[i % start.h.length]!]).flat(),
  );
  const plans = golden.plans.map(({ v, logHazardShift, effectError }) =>
    drivePlan(network, {
      v: Float64Array.from(v),
      logHazardShift: Float64Array.from(logHazardShift),
      effectError: Float64Array.from(effectError),
    }),
  );
  return { network, starts, plans, steps, rollouts, groupsPerMember, levels, seed: seedFrom(golden.seed), courses: 0 };
}

function answerProbe(encode: EncodeHistory, encoder: EncoderTensors, { values, mask, v }: GoldenProbe['inputs']) {
  const L = encoder.encoderMeanBias.length;
  return encode(
    encoder,
    { values: Float64Array.from(values.flat()), mask: Float64Array.from(mask.flat()), v: Float64Array.from(v.flat()) },
    { mean: new Float64Array(L), scale: new Float64Array(L).fill(1) },
  );
}

class Comparison {
  readonly failed: GoldenFailure[] = [];
  maxError = 0;

  compareRollout({ id, rollouts, levels, expected }: GoldenRollout, network: Network, found: RolloutSummary): void {
    const { S, M } = network.shape;
    const allowed = allowedFlips(rollouts);
    // Where a rollout has flipped, quantiles are of other people: the counts answer for that cell.
    const same = expected.plans.map((answer, p) => sameCells(answer, found.plans[p]!, S));
    expected.plans.forEach((answer, p) => {
      const own = found.plans[p]!;
      const at = `plans[${p}]`;
      const isSame = (cell: number): boolean => same[p]![cell]!;
      this.compareCounts(id, `${at}.alive`, own.alive, answer.alive, allowed);
      this.compareCounts(id, `${at}.levelCounts`, own.levelCounts, answer.levelCounts, allowed);
      this.compareCounts(id, `${at}.diverged`, [own.diverged], [answer.diverged], allowed);
      this.compare(id, `${at}.quantiles`, own.quantiles, answer.quantiles, (j) => isSame(Math.floor(j / levels.length)));
      this.compare(id, `${at}.memberMedians`, own.memberMedians, answer.memberMedians, (j) => isSame(Math.floor(j / M)));
      // Means over every rollout that did not diverge, whether or not its event has come: they cannot flip otherwise.
      if (own.diverged !== answer.diverged) return;
      this.compare(id, `${at}.incidence`, own.incidence, answer.incidence);
      this.compare(id, `${at}.eventFreeSteps`, own.eventFreeSteps, answer.eventFreeSteps);
    });
    expected.differences.forEach((answer, d) => {
      const isSame = (cell: number): boolean => same[0]![cell]! && same[d + 1]![cell]!;
      const own = found.differences[d]!.quantiles;
      this.compare(id, `differences[${d}]`, own, answer, (j) => isSame(Math.floor(j / levels.length)));
    });
  }

  compare(
    id: string,
    where: string,
    found: ArrayLike<number>,
    expected: readonly (number | null)[],
    isComparable: (index: number) => boolean = () => true,
  ): void {
    let worst = 0;
    let failure: GoldenFailure | null = null;
    expected.forEach((stored, j) => {
      if (!isComparable(j)) return;
      const want = stored ?? NaN;
      const error = deviation(found[j]!, want);
      if (error > this.maxError) this.maxError = error;
      if (error <= goldenTolerance || error <= worst) return;
      worst = error;
      failure = { id, where: `${where}[${j}]`, found: found[j]!, expected: want };
    });
    if (failure) this.failed.push(failure);
  }

  compareCounts(id: string, where: string, found: ArrayLike<number>, expected: readonly number[], allowed: number): void {
    const j = expected.findIndex((count, i) => !(Math.abs(found[i]! - count) <= allowed));
    if (j >= 0) this.failed.push({ id, where: `${where}[${j}]`, found: found[j]!, expected: expected[j]! });
  }
}

function deviation(found: number, expected: number): number {
  if (Number.isNaN(expected) && Number.isNaN(found)) return 0;
  const error = Math.abs(found - expected) / Math.max(1, Math.abs(expected));
  return Number.isNaN(error) ? Infinity : error;
}

/** [(steps + 1) × S]: whether the same rollouts, at the same levels, stand behind a cell's quantiles. */
function sameCells(expected: GoldenPlanAnswer, found: RolloutSummary['plans'][number], S: number): boolean[] {
  return Array.from({ length: expected.alive.length * S }, (_, cell) => {
    const step = Math.floor(cell / S);
    if (expected.alive[step] !== found.alive[step]) return false;
    return [0, 1, 2, 3].every((level) => expected.levelCounts[cell * 4 + level] === found.levelCounts[cell * 4 + level]);
  });
}

export interface GoldenParts {
  readonly manifest: Pick<
    LearnedManifest,
    'grid' | 'conditioning' | 'covariates' | 'markers' | 'events' | 'interventions' | 'usualCare'
  >;
  readonly network: Network;
  readonly encoder: readonly EncoderTensors[];
}

/**
 * Golden cases of a new pack: two plans over a short time with every lever pulled in the second, usual care over the whole
 * horizon, and one history through every member's encoder. `engine` is the reference engine and `encode` its plain counterpart.
 */
export async function makeGolden(engine: Engine, encode: EncodeHistory, parts: GoldenParts, seed = 1): Promise<GoldenCases> {
  const { manifest, network, encoder } = parts;
  const { M } = network.shape;
  const { horizonSteps } = manifest.grid;
  const short = { id: 'two-plans', steps: Math.min(12, horizonSteps), rollouts: 20 * M, groupsPerMember: 2 };
  const long = { id: 'whole-horizon', steps: horizonSteps, rollouts: 8 * M, groupsPerMember: 1 };
  const rollouts = [
    await makeRollout(engine, parts, { ...short, plans: makePlans(manifest, short.steps, seed) }, seed),
    await makeRollout(engine, parts, { ...long, plans: makePlans(manifest, long.steps, seed).slice(0, 1) }, seed),
  ];
  const probes: GoldenProbe[] = [];
  for (const [member, tensors] of encoder.entries()) {
    const inputs = makeHistory(network, member + seed);
    const { mean, scale } = await answerProbe(encode, tensors, inputs);
    probes.push({ id: `member-${member}`, member, inputs, expected: { mean: rounded(mean), scale: rounded(scale) } });
  }
  return { format: 'counterpart-golden/1', rollouts, encoder: probes };
}

type RolloutPlan = Pick<GoldenRollout, 'id' | 'steps' | 'rollouts' | 'groupsPerMember' | 'plans'>;

async function makeRollout(
  engine: Engine,
  { network }: GoldenParts,
  plan: RolloutPlan,
  firstSeed: number,
): Promise<GoldenRollout> {
  const { S, L, H } = network.shape;
  const attempts = 20;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const seed = firstSeed + attempt;
    const random = new RandomSequence(seedFrom(seed));
    const rows = (width: number, value: () => number) =>
      Array.from({ length: 5 }, () => Array.from({ length: width }, () => toDecimals(value())));
    const start = { x: rows(S + L, random.normal), h: rows(H, () => 1.8 * random.uniform() - 0.9) };
    const golden = { ...plan, seed, start, levels: [0.1, 0.5, 0.9], expected: { plans: [], differences: [] } };
    const summary = await engine.rollOut(goldenRequest(network, golden));
    const isLast = attempt === attempts - 1;
    if (isLast || (await isSteady(engine, network, golden, summary))) return { ...golden, expected: storedAnswers(summary) };
  }
  throw new Error('The last attempt is always taken.');
}

/** Whether nobody's event or level hangs on the fourth digit, so that rounding on another engine flips no count. */
async function isSteady(engine: Engine, network: Network, golden: GoldenRollout, summary: RolloutSummary): Promise<boolean> {
  if (summary.plans.some(({ diverged }) => diverged > 0)) return false;
  for (const shift of [1e-4, -1e-4]) {
    const moved = await engine.rollOut(goldenRequest(shifted(network, shift), golden));
    const hasFlipped = summary.plans.some(
      (plan, p) => !equal(plan.alive, moved.plans[p]!.alive) || !equal(plan.levelCounts, moved.plans[p]!.levelCounts),
    );
    if (hasFlipped) return false;
  }
  return true;
}

function shifted(network: Network, shift: number): Network {
  const members = network.members.map((member) => ({
    ...member,
    driftBias: member.driftBias.map((bias) => bias + shift / 5),
    hazardBias: member.hazardBias.map((bias) => bias + shift),
  }));
  return { ...network, members };
}

const equal = (a: Uint32Array, b: Uint32Array): boolean => a.every((value, i) => value === b[i]);

function storedAnswers(summary: RolloutSummary): GoldenRollout['expected'] {
  return {
    plans: summary.plans.map((plan) => ({
      alive: [...plan.alive],
      quantiles: storedNumbers(plan.quantiles),
      memberMedians: storedNumbers(plan.memberMedians),
      levelCounts: [...plan.levelCounts],
      incidence: storedNumbers(plan.incidence),
      eventFreeSteps: storedNumbers(plan.eventFreeSteps),
      diverged: plan.diverged,
    })),
    differences: summary.differences.map(({ quantiles }) => storedNumbers(quantiles)),
  };
}

function makePlans(manifest: GoldenParts['manifest'], steps: number, seed: number): GoldenPlan[] {
  const random = new RandomSequence(seedFrom(seed + 100));
  const { values } = covariateInputs(manifest, {}, {});
  const base = values.map((value) => toDecimals(value + 0.5 * random.normal()));
  const usual = new Set(manifest.usualCare.interventions);
  const pulled = combinableLevers(manifest);
  const groups = new Set(pulled.map(({ exclusiveGroup }) => exclusiveGroup));
  const kept = manifest.interventions.filter(
    ({ id, exclusiveGroup }) => usual.has(id) && (exclusiveGroup === null || !groups.has(exclusiveGroup)),
  );
  const levers = new Set([...kept, ...pulled].map(({ id }) => id));
  // A person in whom the conditional inputs hold.
  const conditions = manifest.conditioning.flatMap((input) =>
    'when' in input ? [[input.when.covariate, input.when.equals]] : [],
  );
  const covariates = Object.fromEntries(conditions) as Readonly<Record<string, string>>;
  return [usual, levers].map((active): GoldenPlan => {
    const cited = manifest.interventions.flatMap(({ id, citedEffect }) => (citedEffect && active.has(id) ? [citedEffect] : []));
    const perCause = (value: (effect: (typeof cited)[number]) => number) =>
      manifest.events.map(({ id }) =>
        cited.filter(({ events }) => events.includes(id)).reduce((sum, effect) => sum + value(effect), 0),
      );
    const repeat = (row: readonly number[]) => Array.from({ length: steps }, () => row).flat();
    // Levers start after the first quarter, so that a change over time is part of every case.
    const startStep = active === levers ? Math.floor(steps / 4) : 0;
    const v = Array.from({ length: steps }, (_, step) => [
      ...conditioningAt(manifest, base, step < startStep ? usual : active, covariates),
    ]).flat();
    return {
      v,
      logHazardShift: repeat(perCause(({ logHazardRatio }) => logHazardRatio)),
      effectError: repeat(perCause(({ standardError }) => standardError)),
    };
  });
}

/** Of every exclusive group the first lever that does something: that the network reads or whose effect is cited. */
function combinableLevers(manifest: GoldenParts['manifest']): readonly Intervention[] {
  const isRead = (id: string) => manifest.conditioning.some((input) => input.from === 'intervention' && input.id === id);
  const effective = leverInterventions(manifest).filter(({ id, citedEffect }) => citedEffect !== undefined || isRead(id));
  return effective.filter(
    ({ exclusiveGroup }, i) =>
      exclusiveGroup === null || effective.findIndex((other) => other.exclusiveGroup === exclusiveGroup) === i,
  );
}

/** Six grid times, half of the values measured. */
function makeHistory({ shape: { S, V } }: Network, seed: number): GoldenProbe['inputs'] {
  const random = new RandomSequence(seedFrom(seed + 200));
  const rows = (width: number, value: () => number) => Array.from({ length: 6 }, () => Array.from({ length: width }, value));
  const draw = () => toDecimals(random.normal());
  return { values: rows(S, draw), mask: rows(S, () => (random.uniform() < 0.5 ? 1 : 0)), v: rows(V, draw) };
}

/** Inputs are stored as they were computed with, so they have few digits from the start. */
const toDecimals = (value: number): number => Math.round(value * 1e4) / 1e4 + 0; // + 0: JSON has no −0

const rounded = (values: ArrayLike<number>): number[] => Array.from(values, (value) => Number(value.toPrecision(6)));

const storedNumbers = (values: Float32Array): (number | null)[] =>
  Array.from(values, (value) => (Number.isNaN(value) ? null : Number(value.toPrecision(6))));
