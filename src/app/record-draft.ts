/** A record as it lies on the page while it is typed: text, not numbers, so that nothing a person typed is ever lost or reshaped. */
import type { DoseCourse, PatientRecord } from '#domain/record.ts';
import type { PackManifest } from '#packs/manifest.ts';
import { backgroundSchema, identitySchema, importSourceSchema } from '#vault/read-record.ts';
import * as v from 'valibot';
import { hoursText } from './read-time.ts';

const cellSchema = v.object({
  text: v.string(),
  /** UCUM; what the number means unless the text says another unit. */
  unit: v.string(),
  isConfirmed: v.boolean(),
  /** Observations keep their id and source while their text stays the same. */
  observationId: v.nullable(v.string()),
  source: v.string(),
  /** Of an imported value that nobody changed: what stood in the file. */
  received: v.exactOptional(importSourceSchema),
});

const courseSchema = v.object({
  id: v.string(),
  intervention: v.string(),
  amount: v.string(),
  /** UCUM. */
  unit: v.string(),
  route: v.picklist(['iv-bolus', 'iv-infusion', 'oral', 'subcutaneous', 'radiation']),
  /** Of an infusion: "1", "90 min". */
  duration: v.string(),
  /** `YYYY-MM-DDTHH:MM`, or as much of it as is known. */
  start: v.string(),
  /** "12", "2 weeks"; empty for a single dose. */
  every: v.string(),
  /** Empty while it goes on. */
  count: v.string(),
  /** A person confirmed an amount above what the pack's patients were given. */
  isConfirmed: v.boolean(),
  exceptions: v.array(
    v.object({
      number: v.number(),
      kind: v.picklist(['missed', 'given-at', 'amount']),
      at: v.string(),
      amount: v.string(),
    }),
  ),
});

const draftConsentSchema = v.object({
  /** Empty while none is chosen. */
  basis: v.picklist(['', 'consent', 'care', 'research-approval', 'teaching']),
  purpose: v.string(),
  /** Empty while nothing was recorded. */
  recordedOn: v.string(),
  /** Empty for no end. */
  expiresOn: v.string(),
});
export type DraftConsent = v.InferOutput<typeof draftConsentSchema>;

/** Nothing recorded yet. */
export const noConsent: DraftConsent = { basis: '', purpose: '', recordedOn: '', expiresOn: '' };

const draftSchema = v.object({
  alias: v.string(),
  isSynthetic: v.boolean(),
  entryDate: v.string(),
  note: v.string(),
  covariates: v.record(v.string(), v.object({ text: v.string(), unit: v.string(), isConfirmed: v.boolean() })),
  rows: v.array(
    v.object({
      id: v.string(),
      date: v.string(),
      /** `HH:MM`; empty where the hour is not known or does not matter. */
      time: v.optional(v.string(), ''),
      /** A person confirmed that these values were taken before the first dose. */
      isConfirmed: v.optional(v.boolean(), false),
      cells: v.record(v.string(), cellSchema),
    }),
  ),
  courses: v.optional(v.array(courseSchema), []),
  treatments: v.array(v.object({ id: v.string(), intervention: v.string(), start: v.string(), stop: v.string() })),
  events: v.array(v.object({ id: v.string(), event: v.string(), date: v.string() })),
  identity: v.exactOptional(identitySchema),
  background: v.exactOptional(v.array(backgroundSchema)),
  consent: v.optional(draftConsentSchema, () => ({ ...noConsent })),
  /** The saved version this was made from; null for a new patient. */
  base: v.nullable(v.number()),
});

export type Cell = v.InferOutput<typeof cellSchema>;
export type RecordDraft = Omit<v.InferOutput<typeof draftSchema>, NotTyped> & Pick<PatientRecord, NotTyped>;
type NotTyped = 'identity' | 'background';
export type DraftRow = RecordDraft['rows'][number];
export type DraftCourse = v.InferOutput<typeof courseSchema>;
export type DraftException = DraftCourse['exceptions'][number];

export const byHand = 'entered by hand';

export function readDraft(stored: unknown): RecordDraft {
  return v.parse(draftSchema, stored);
}

export type NewId = () => string;

export function emptyRow(newId: NewId): DraftRow {
  return { id: newId(), date: '', time: '', isConfirmed: false, cells: {} };
}

/** `isSynthetic`: in the demonstration vault, where everybody is made up. */
export function emptyDraft(alias: string, entryDate: string, isSynthetic: boolean, newId: NewId): RecordDraft {
  return {
    alias,
    isSynthetic,
    entryDate,
    note: '',
    covariates: {},
    rows: [emptyRow(newId)],
    courses: [],
    treatments: [],
    events: [],
    consent: { ...noConsent },
    base: null,
  };
}

/** Text of a stored number: as short as it goes, so that 1.4 does not come back as 1.3999999. */
const numberText = (value: number) => String(Number(value.toPrecision(12)));

/** By day, then by clock; what has no clock time first. */
export function byMoment(a: { date: string; time?: string }, b: { date: string; time?: string }): number {
  return a.date.localeCompare(b.date) || (a.time ?? '').localeCompare(b.time ?? '');
}

function courseDraft(course: DoseCourse): DraftCourse {
  return {
    id: course.id,
    intervention: course.intervention,
    amount: numberText(course.amount),
    unit: course.unit,
    route: course.route,
    duration: course.durationHours === null ? '' : hoursText(course.durationHours),
    start: course.start,
    every: course.everyHours === null ? '' : hoursText(course.everyHours),
    count: course.everyHours === null || course.count === null ? '' : String(course.count),
    isConfirmed: true,
    exceptions: course.exceptions.map((one) => ({
      number: one.number,
      kind: one.kind,
      at: one.kind === 'given-at' ? one.at : '',
      amount: one.kind === 'amount' ? numberText(one.amount) : '',
    })),
  };
}

/** What the record has and nobody types. */
export function kept({ identity, background }: Pick<PatientRecord, NotTyped>) {
  return { ...(identity ? { identity } : {}), ...(background ? { background } : {}) };
}

export function draftOf(record: PatientRecord, manifest: PackManifest | null, newId: NewId): RecordDraft {
  const rows: DraftRow[] = [];
  for (const observation of [...record.observations].sort(byMoment)) {
    // Two values of one marker at one time stand in two rows.
    const { date, time = '' } = observation;
    let row = rows.find(
      (candidate) => candidate.date === date && candidate.time === time && !(observation.code in candidate.cells),
    );
    // Confirmed when it was saved, like every unusual value.
    if (!row) rows.push((row = { id: newId(), date, time, isConfirmed: true, cells: {} }));
    row.cells[observation.code] = {
      text: `${observation.isBelowLimit ? '<' : observation.isAboveLimit ? '>' : ''}${numberText(observation.value)}`,
      unit: observation.unit,
      isConfirmed: observation.isConfirmed,
      observationId: observation.id,
      source: observation.source,
      ...(observation.received ? { received: observation.received } : {}),
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
    courses: (record.doses ?? []).map(courseDraft),
    treatments: record.treatments.map((one) => ({ ...one, stop: one.stop ?? '' })),
    events: record.events.map((one) => ({ ...one, id: newId() })),
    ...kept(record),
    consent: record.consent ? { ...record.consent, expiresOn: record.consent.expiresOn ?? '' } : { ...noConsent },
    base: record.updatedAt,
  };
}

export function isEmptyRow(row: DraftRow): boolean {
  return row.date === '' && row.time === '' && Object.values(row.cells).every((cell) => cell.text.trim() === '');
}
