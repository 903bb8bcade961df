/**
 * A pack's stored answers. `golden.json` holds small questions with what the reference engine answered in f64 when the pack was
 * made; `engine/golden.ts` asks them again on the engine in use before the pack is offered.
 */
import * as v from 'valibot';
import { parseJson } from './json.ts';
import type { LearnedManifest } from './manifest.ts';
import { divergenceLimit } from './network.ts';
import { refusal } from './refusal.ts';
import { checkSchema } from './schema-check.ts';

export interface GoldenCases {
  readonly format: 'counterpart-golden/1';
  readonly rollouts: readonly GoldenRollout[];
  readonly encoder: readonly GoldenProbe[];
}

export interface GoldenRollout {
  readonly id: string;
  readonly seed: number;
  readonly steps: number;
  readonly rollouts: number;
  readonly groupsPerMember: number;
  /** Rollout i starts from row i modulo the number of rows. */
  readonly start: {
    /** Rows of S + L. */
    readonly x: readonly (readonly number[])[];
    /** As many rows of H. */
    readonly h: readonly (readonly number[])[];
  };
  /** The first is usual care. */
  readonly plans: readonly GoldenPlan[];
  readonly levels: readonly number[];
  readonly expected: {
    readonly plans: readonly GoldenPlanAnswer[];
    /** [plans − 1] each [(steps + 1) × S × levels]; null where nobody is alive under both plans. */
    readonly differences: readonly (readonly (number | null)[])[];
  };
}

export interface GoldenPlan {
  /** [steps × V] */
  readonly v: readonly number[];
  /** [steps × K] */
  readonly logHazardShift: readonly number[];
  /** [steps × K] */
  readonly effectError: readonly number[];
}

/** Shapes as in `PlanSummary` of engine/engine.ts; null where nobody is alive. */
export interface GoldenPlanAnswer {
  readonly alive: readonly number[];
  readonly quantiles: readonly (number | null)[];
  readonly memberMedians: readonly (number | null)[];
  readonly levelCounts: readonly number[];
  readonly incidence: readonly (number | null)[];
  readonly eventFreeSteps: readonly (number | null)[];
  readonly diverged: number;
}

/** One history through the encoder of one member. */
export interface GoldenProbe {
  readonly id: string;
  readonly member: number;
  /** Rows per grid time, oldest first, as the encoder reads them. */
  readonly inputs: {
    /** Rows of S, any number where the mask is 0. */
    readonly values: readonly (readonly number[])[];
    /** Rows of S, 0 or 1. */
    readonly mask: readonly (readonly number[])[];
    /** Rows of V. */
    readonly v: readonly (readonly number[])[];
  };
  /** [L] each: mean and sd of q(z | history) when the prior of every trait is N(0, 1): a and exp(−softplus(b)). */
  readonly expected: { readonly mean: readonly number[]; readonly scale: readonly number[] };
}

/**
 * Rollouts × steps × plans, summed over all cases. The reference engine needs about 0.1 ms for one step of the largest network, so
 * that a pack cannot keep a device busy for more than some seconds.
 */
const maxGoldenSteps = 50_000;

const number = v.pipe(v.number(), v.finite());
const id = v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/));
const count = (low: number, high: number) => v.pipe(v.number(), v.integer(), v.minValue(low), v.maxValue(high));
const numbers = v.array(number);
const answers = v.array(v.nullable(number));
const within = (limit: number) => v.array(v.pipe(number, v.minValue(-limit), v.maxValue(limit)));
const states = v.array(within(divergenceLimit));
const counts = v.array(count(0, maxGoldenSteps));

const schema = v.strictObject({
  format: v.literal('counterpart-golden/1'),
  rollouts: v.pipe(
    v.array(
      v.strictObject({
        id,
        seed: count(0, Number.MAX_SAFE_INTEGER),
        steps: count(1, 400),
        rollouts: count(1, maxGoldenSteps),
        groupsPerMember: count(1, 100),
        start: v.strictObject({ x: states, h: states }),
        plans: v.pipe(
          // Bounded, so that no product with a weight leaves f32.
          v.array(v.strictObject({ v: within(1000), logHazardShift: within(50), effectError: within(50) })),
          v.minLength(1),
          v.maxLength(8),
        ),
        levels: v.pipe(v.array(v.pipe(number, v.gtValue(0), v.ltValue(1))), v.minLength(1), v.maxLength(16)),
        expected: v.strictObject({
          plans: v.array(
            v.strictObject({
              alive: counts,
              quantiles: answers,
              memberMedians: answers,
              levelCounts: counts,
              incidence: answers,
              eventFreeSteps: answers,
              diverged: count(0, maxGoldenSteps),
            }),
          ),
          differences: v.array(answers),
        }),
      }),
    ),
    v.minLength(1),
    v.maxLength(32),
  ),
  encoder: v.pipe(
    v.array(
      v.strictObject({
        id,
        member: count(0, 63),
        inputs: v.strictObject({
          values: v.pipe(v.array(within(1000)), v.minLength(1), v.maxLength(401)),
          mask: v.array(v.array(v.picklist([0, 1]))),
          v: v.array(within(1000)),
        }),
        expected: v.strictObject({ mean: numbers, scale: numbers }),
      }),
    ),
    v.minLength(1),
    v.maxLength(64),
  ),
}) satisfies v.GenericSchema<unknown, GoldenCases>;

const file = 'golden.json';

/** Reads golden.json of a pack and checks that its cases fit the pack's network. Throws like `decodePack`. */
export function decodeGolden(bytes: Uint8Array, manifest: LearnedManifest): GoldenCases {
  const golden = checkSchema(schema, parseJson(bytes, file), file);
  golden.rollouts.forEach((rollout, i) => checkRollout(rollout, manifest, `rollouts[${i}]`));
  golden.encoder.forEach((probe, i) => checkProbe(probe, manifest, `encoder[${i}]`));
  const work = golden.rollouts.reduce((sum, { rollouts, steps, plans }) => sum + rollouts * steps * plans.length, 0);
  require(work <= maxGoldenSteps, 'rollouts', `ask for ${work} steps in all, expected at most ${maxGoldenSteps}.`);
  return golden;
}

function checkRollout(golden: GoldenRollout, { network }: LearnedManifest, at: string): void {
  const { S, L, H, K, V, M } = network;
  const { steps, rollouts, groupsPerMember, start, plans, levels, expected } = golden;
  const groups = M * groupsPerMember;
  require(rollouts % groups === 0, `${at}.rollouts`, `found ${rollouts}, expected a multiple of ${groups} (members × groups).`);
  const ascends = levels.every((level, i) => i === 0 || level > levels[i - 1]!);
  require(ascends, `${at}.levels`, 'expected ascending numbers.');
  require(start.x.length >= 1, `${at}.start.x`, 'found no row, expected at least one.');
  requireLength(start.h, start.x.length, `${at}.start.h`);
  start.x.forEach((row, i) => requireLength(row, S + L, `${at}.start.x[${i}]`));
  start.h.forEach((row, i) => requireLength(row, H, `${at}.start.h[${i}]`));
  plans.forEach((plan, p) => {
    requireLength(plan.v, steps * V, `${at}.plans[${p}].v`);
    requireLength(plan.logHazardShift, steps * K, `${at}.plans[${p}].logHazardShift`);
    requireLength(plan.effectError, steps * K, `${at}.plans[${p}].effectError`);
  });
  requireLength(expected.plans, plans.length, `${at}.expected.plans`);
  const cells = (steps + 1) * S;
  expected.plans.forEach((answer, p) => {
    const inPlan = `${at}.expected.plans[${p}]`;
    requireLength(answer.alive, steps + 1, `${inPlan}.alive`);
    requireLength(answer.quantiles, cells * levels.length, `${inPlan}.quantiles`);
    requireLength(answer.memberMedians, cells * M, `${inPlan}.memberMedians`);
    requireLength(answer.levelCounts, cells * 4, `${inPlan}.levelCounts`);
    requireLength(answer.incidence, groups * (steps + 1) * K, `${inPlan}.incidence`);
    requireLength(answer.eventFreeSteps, groups, `${inPlan}.eventFreeSteps`);
  });
  requireLength(expected.differences, plans.length - 1, `${at}.expected.differences`);
  expected.differences.forEach((answer, p) => requireLength(answer, cells * levels.length, `${at}.expected.differences[${p}]`));
}

function checkProbe({ member, inputs, expected }: GoldenProbe, { network }: LearnedManifest, at: string): void {
  const { S, L, V, M } = network;
  require(member < M, `${at}.member`, `found ${member}, expected less than ${M}.`);
  const widths = { values: S, mask: S, v: V };
  for (const key of ['values', 'mask', 'v'] as const) {
    requireLength(inputs[key], inputs.values.length, `${at}.inputs.${key}`);
    inputs[key].forEach((row, t) => requireLength(row, widths[key], `${at}.inputs.${key}[${t}]`));
  }
  requireLength(expected.mean, L, `${at}.expected.mean`);
  requireLength(expected.scale, L, `${at}.expected.scale`);
}

function requireLength(values: readonly unknown[], expected: number, at: string): void {
  require(values.length === expected, at, `found ${values.length} entries, expected ${expected}.`);
}

function require(condition: boolean, at: string, what: string): void {
  if (!condition) throw refusal('pack_schema_invalid', `${file}, ${at}`, what);
}
