/** A record as it lies on the page while it is typed: text, not numbers, so that nothing a person typed is ever lost or reshaped. */
import type { PatientRecord } from '#domain/record.ts';
import type { PackManifest } from '#packs/manifest.ts';
import * as v from 'valibot';

const cellSchema = v.object({
  text: v.string(),
  /** UCUM; what the number means unless the text says another unit. */
  unit: v.string(),
  isConfirmed: v.boolean(),
  /** Observations keep their id and source while their text stays the same. */
  observationId: v.nullable(v.string()),
  source: v.string(),
});

const draftSchema = v.object({
  alias: v.string(),
  isSynthetic: v.boolean(),
  entryDate: v.string(),
  note: v.string(),
  covariates: v.record(v.string(), v.object({ text: v.string(), unit: v.string(), isConfirmed: v.boolean() })),
  rows: v.array(v.object({ id: v.string(), date: v.string(), cells: v.record(v.string(), cellSchema) })),
  treatments: v.array(v.object({ id: v.string(), intervention: v.string(), start: v.string(), stop: v.string() })),
  events: v.array(v.object({ id: v.string(), event: v.string(), date: v.string() })),
  /** The saved version this was made from; null for a new patient. */
  base: v.nullable(v.number()),
});

export type Cell = v.InferOutput<typeof cellSchema>;
export type RecordDraft = v.InferOutput<typeof draftSchema>;
export type DraftRow = RecordDraft['rows'][number];

export const byHand = 'entered by hand';

export function readDraft(stored: unknown): RecordDraft {
  return v.parse(draftSchema, stored);
}

export type NewId = () => string;

export function emptyRow(newId: NewId): DraftRow {
  return { id: newId(), date: '', cells: {} };
}

export function emptyDraft(alias: string, entryDate: string, newId: NewId): RecordDraft {
  return {
    alias,
    isSynthetic: false,
    entryDate,
    note: '',
    covariates: {},
    rows: [emptyRow(newId)],
    treatments: [],
    events: [],
    base: null,
  };
}

/** Text of a stored number: as short as it goes, so that 1.4 does not come back as 1.3999999. */
const numberText = (value: number) => String(Number(value.toPrecision(12)));

export function draftOf(record: PatientRecord, manifest: PackManifest | null, newId: NewId): RecordDraft {
  const rows: DraftRow[] = [];
  for (const observation of [...record.observations].sort((a, b) => a.date.localeCompare(b.date))) {
    // Two values of one marker on one day stand in two rows.
    let row = rows.find((candidate) => candidate.date === observation.date && !(observation.code in candidate.cells));
    if (!row) rows.push((row = { id: newId(), date: observation.date, cells: {} }));
    row.cells[observation.code] = {
      text: numberText(observation.value),
      unit: observation.unit,
      isConfirmed: observation.isConfirmed,
      observationId: observation.id,
      source: observation.source,
    };
  }
  return {
    alias: record.alias,
    isSynthetic: record.isSynthetic,
    entryDate: record.entryDate,
    note: record.note,
    covariates: Object.fromEntries(
      Object.entries(record.covariates).map(([id, value]) => {
        const covariate = manifest?.covariates.find((candidate) => candidate.id === id);
        // Confirmed when it was saved: an unusual value could not have been saved otherwise.
        return [
          id,
          {
            text: typeof value === 'number' ? numberText(value) : value,
            unit: covariate?.kind === 'number' ? covariate.unit : '',
            isConfirmed: true,
          },
        ];
      }),
    ),
    rows: [...rows, emptyRow(newId)],
    treatments: record.treatments.map((one) => ({ ...one, stop: one.stop ?? '' })),
    events: record.events.map((one) => ({ ...one, id: newId() })),
    base: record.updatedAt,
  };
}

export function isEmptyRow(row: DraftRow): boolean {
  return row.date === '' && Object.values(row.cells).every((cell) => cell.text.trim() === '');
}
