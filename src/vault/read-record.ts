/** The one door through which a stored patient record comes back. */
import * as v from 'valibot';
import { AppError } from '#domain/errors.ts';
import { isIsoDate } from '#domain/record.ts';
import type { PatientRecord } from '#domain/record.ts';

const text = v.string();
const finite = v.pipe(v.number(), v.finite());
const date = v.pipe(text, v.check(isIsoDate, 'expected a day as YYYY-MM-DD'));

const schema = v.object({
  id: text,
  alias: text,
  isSynthetic: v.boolean(),
  entryDate: date,
  covariates: v.record(text, v.union([finite, text])),
  observations: v.array(
    v.object({ id: text, code: text, date, value: finite, unit: text, isConfirmed: v.boolean(), source: text }),
  ),
  treatments: v.array(v.object({ id: text, intervention: text, start: date, stop: v.nullable(date) })),
  events: v.array(v.object({ event: text, date })),
  note: text,
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
