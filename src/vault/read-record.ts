/** The one door through which a stored patient record comes back. */
import * as v from 'valibot';
import { AppError } from '#domain/errors.ts';
import { isIsoDate } from '#domain/record.ts';
import type { PatientRecord } from '#domain/record.ts';

const text = v.string();
const finite = v.pipe(v.number(), v.finite());
const date = v.pipe(text, v.check(isIsoDate, 'expected a day as YYYY-MM-DD'));

const clockTime = v.pipe(text, v.regex(/^([01]\d|2[0-3]):[0-5]\d$/));
const minute = v.pipe(
  text,
  v.check((value) => isIsoDate(value.slice(0, 10)) && /^.{10}T([01]\d|2[0-3]):[0-5]\d$/.test(value)),
);
/** `1985`, `1985-04` or a real day. */
const partialDate = v.pipe(
  text,
  v.check(
    (value) => isIsoDate(value) || /^\d{4}$/.test(value) || (/^\d{4}-\d{2}$/.test(value) && isIsoDate(`${value}-01`)),
    'expected a day, a month or a year',
  ),
);
const doseNumber = v.pipe(v.number(), v.integer(), v.minValue(0));

const doseCourse = v.object({
  id: text,
  intervention: text,
  amount: finite,
  unit: text,
  route: v.picklist(['iv-bolus', 'iv-infusion', 'oral', 'subcutaneous', 'radiation']),
  durationHours: v.nullable(finite),
  start: minute,
  everyHours: v.nullable(finite),
  count: v.nullable(doseNumber),
  exceptions: v.array(
    v.variant('kind', [
      v.object({ number: doseNumber, kind: v.literal('missed') }),
      v.object({ number: doseNumber, kind: v.literal('given-at'), at: minute }),
      v.object({ number: doseNumber, kind: v.literal('amount'), amount: finite }),
    ]),
  ),
});

export const identitySchema = v.object({
  name: v.exactOptional(text),
  birthDate: v.exactOptional(partialDate),
  sex: v.exactOptional(v.picklist(['female', 'male', 'other', 'unknown'])),
  identifiers: v.array(v.object({ system: text, value: text })),
});

const consentSchema = v.object({
  basis: v.picklist(['consent', 'care', 'research-approval', 'teaching']),
  purpose: text,
  recordedOn: date,
  expiresOn: v.nullable(date),
});

export const importSourceSchema = v.object({ file: text, place: text, receivedValue: text, receivedUnit: text });

export const backgroundSchema = v.object({
  id: text,
  kind: v.picklist(['condition', 'medication', 'allergy', 'procedure', 'immunisation', 'family-history', 'observation', 'other']),
  label: text,
  date: v.nullable(partialDate),
  detail: text,
  source: v.object({ file: text, place: text }),
});

const drawingSchema = v.object({
  packId: text,
  packDigest: text,
  seed: v.pipe(finite, v.integer(), v.minValue(0)),
  number: v.pipe(finite, v.integer(), v.minValue(0)),
  historySteps: v.pipe(finite, v.integer(), v.minValue(0)),
  on: date,
});

const schema = v.object({
  id: text,
  alias: text,
  isSynthetic: v.boolean(),
  entryDate: date,
  covariates: v.record(text, v.union([finite, text])),
  observations: v.array(
    v.object({
      id: text,
      code: text,
      date,
      time: v.exactOptional(clockTime),
      isBelowLimit: v.exactOptional(v.literal(true)),
      isAboveLimit: v.exactOptional(v.literal(true)),
      value: finite,
      unit: text,
      isConfirmed: v.boolean(),
      source: text,
      received: v.exactOptional(importSourceSchema),
    }),
  ),
  doses: v.exactOptional(v.array(doseCourse)),
  treatments: v.array(v.object({ id: text, intervention: text, start: date, stop: v.nullable(date) })),
  events: v.array(v.object({ event: text, date })),
  note: text,
  identity: v.exactOptional(identitySchema),
  consent: v.exactOptional(consentSchema),
  background: v.exactOptional(v.array(backgroundSchema)),
  drawn: v.exactOptional(drawingSchema),
  updatedAt: v.number(),
});

/** Throws `record_invalid` naming the field, never its value. */
export function readRecord(stored: unknown): PatientRecord {
  const outcome = v.safeParse(schema, stored);
  if (outcome.success) return outcome.output;
  const where = outcome.issues.map((issue) => v.getDotPath(issue) ?? 'record').join(', ');
  throw new AppError(
    'record_invalid',
    `A stored record has a wrong field (${where}). It was left as it is; restore a backup, or delete it.`,
  );
}
