/** What a person set up and ran for one patient: kept, so that a reload shows the same page. */
import * as v from 'valibot';
import type { Forecast } from '#domain/forecast.ts';
import { questionSchema } from './plan-question.ts';
import type { TypedQuestion } from './plan-question.ts';

const planSchema = v.object({
  id: v.string(),
  name: v.string(),
  blocks: v.array(v.object({ intervention: v.string(), startDay: v.number(), stopDay: v.number() })),
  regimens: v.exactOptional(
    v.array(
      v.object({
        intervention: v.string(),
        amount: v.number(),
        route: v.picklist(['iv-bolus', 'iv-infusion', 'oral', 'subcutaneous', 'radiation']),
        durationHours: v.nullable(v.number()),
        startHour: v.number(),
        everyHours: v.nullable(v.number()),
        count: v.nullable(v.number()),
      }),
    ),
  ),
  stopsCurrentDoses: v.exactOptional(v.boolean()),
});

/** What a result was made from, part by part, so that the page can say what changed since. */
const basisSchema = v.object({
  record: v.string(),
  plans: v.string(),
  pack: v.string(),
  today: v.string(),
  run: v.string(),
});

const benchSchema = v.object({
  plans: v.array(planSchema),
  seed: v.number(),
  rollouts: v.number(),
  /** Event id, `any`, or `target:` and a target's id. */
  outcome: v.string(),
  readDay: v.number(),
  /** What was asked on the Plan page. */
  question: v.exactOptional(v.custom<TypedQuestion>((value) => v.is(questionSchema, value))),
  result: v.nullable(
    v.object({
      basis: basisSchema,
      madeAt: v.number(),
      /** The minute that the forecast counts from; results from before packs counted hours have none. */
      now: v.optional(v.string()),
      // Summaries made by this app and checked when they were made; the stamp below goes up when their shape changes.
      forecast: v.custom<Forecast>((value) => typeof value === 'object' && value !== null && 'timesDays' in value),
    }),
  ),
});

const workspaceSchema = v.object({ format: v.literal(1), packId: v.string(), benches: v.record(v.string(), benchSchema) });

export type Basis = v.InferOutput<typeof basisSchema>;
/** Plans, settings and the last result under one pack. */
export type Bench = v.InferOutput<typeof benchSchema>;
export type Workspace = v.InferOutput<typeof workspaceSchema>;

export function readWorkspace(stored: unknown): Workspace {
  return v.parse(workspaceSchema, stored);
}
