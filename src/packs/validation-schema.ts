/** The fields of `validation.json`: types in `src/domain/validation.ts`. */
import * as v from 'valibot';
import { sectionIds, type ValidationReport } from '#domain/validation.ts';
import { finite, id, list, share, text, whole } from './schema-parts.ts';

const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const date = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\d$/));
const count = whole(0, 1e9);
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(400));
const bounds = { low: finite, high: finite };
const interval = v.strictObject(bounds);
const sectionId = v.picklist(sectionIds);

const figure = v.strictObject({
  name,
  set: v.nullable(name),
  value: v.nullable(finite),
  interval: v.nullable(interval),
  n: count,
  counted: v.picklist(['people', 'simulated people', 'values', 'runs', 'reference values', 'drawn people']),
  better: v.nullable(v.picklist(['higher', 'lower', 'nearer'])),
  wanted: v.nullable(finite),
  baselines: list(
    v.strictObject({ name, value: v.nullable(finite), difference: v.nullable(v.strictObject({ value: finite, ...bounds })) }),
    0,
    16,
  ),
  note: v.nullable(text),
});

const trial = v.strictObject({
  name,
  measure: name,
  citation: text,
  noEffect: v.nullable(finite),
  published: v.strictObject({ value: finite, interval: v.nullable(interval), n: v.nullable(count) }),
  simulated: v.strictObject({ value: finite, interval, n: count }),
  arms: list(v.strictObject({ name, published: v.nullable(finite), simulated: finite, unit: text }), 0, 16),
  independence: v.picklist(['learned from it', 'effect taken from it', 'independent']),
  isReplicated: v.boolean(),
  words: text,
});

/** More than any report needs, and few enough to draw. */
const points = 400;

const drawing = v.variant('kind', [
  v.strictObject({
    kind: v.literal('coverage'),
    title: name,
    rows: list(
      v.strictObject({ label: name, nominal: share, observed: share, ...bounds, standardError: finite, n: count, people: count }),
      1,
      64,
    ),
  }),
  v.strictObject({
    kind: v.literal('pit'),
    title: name,
    shares: list(share, 2, 50),
    standardErrors: list(finite, 2, 50),
    n: count,
    people: count,
  }),
  v.strictObject({
    kind: v.literal('calibration'),
    title: name,
    outcome: name,
    points: list(v.strictObject({ predicted: share, observed: share, ...bounds, n: count }), 0, 50),
    curve: list(v.strictObject({ predicted: share, observed: share }), 0, points),
    ici: v.nullable(finite),
    n: count,
  }),
  v.strictObject({ kind: v.literal('d-calibration'), title: name, shares: list(share, 2, 50), p: share, n: count }),
  v.strictObject({
    kind: v.literal('decision'),
    title: name,
    outcome: name,
    thresholds: list(share, 2, points),
    model: list(finite, 2, points),
    interval: list(interval, 2, points),
    treatAll: list(finite, 2, points),
    baselines: list(v.strictObject({ name, values: list(finite, 2, points) }), 0, 8),
    n: count,
  }),
  v.strictObject({
    kind: v.literal('forest'),
    title: name,
    unit: v.string(),
    line: v.nullable(v.strictObject({ value: finite, label: name, isWanted: v.boolean() })),
    rows: list(v.strictObject({ label: name, value: finite, ...bounds, n: count }), 0, 64),
    unscored: list(v.strictObject({ label: name, n: v.nullable(count) }), 0, 64),
  }),
  v.strictObject({ kind: v.literal('trials'), title: name, trials: list(trial, 1, 64) }),
  v.strictObject({
    kind: v.literal('counts'),
    title: name,
    total: count,
    groups: list(v.strictObject({ of: name, rows: list(v.strictObject({ label: name, n: v.nullable(count) }), 1, 64) }), 0, 16),
    missing: list(text, 0, 32),
  }),
  v.strictObject({
    kind: v.literal('table'),
    title: name,
    columns: list(name, 1, 16),
    rows: list(list(v.nullable(v.union([v.string(), finite])), 1, 16), 0, 200),
  }),
]);

export const sectionSchema = v.strictObject({
  id: sectionId,
  method: text,
  made: v.strictObject({ command: text, date, seed: v.nullable(whole(0, 2 ** 32 - 1)), model: digest }),
  figures: list(figure, 0, points),
  drawings: list(drawing, 0, 64),
  notes: list(text, 0, 32),
});

export const reportSchema = v.strictObject({
  format: v.literal('counterpart-validation/1'),
  packId: id,
  packVersion: text,
  packDigest: digest,
  isOnRealPeople: v.boolean(),
  validatedOn: text,
  sections: list(sectionSchema, 0, sectionIds.length),
  absent: list(v.strictObject({ id: sectionId, reason: text }), 0, sectionIds.length),
  knownFailures: list(text, 0, 64),
}) satisfies v.GenericSchema<unknown, ValidationReport>;
