/** Records made of what was read, piece by piece, so that the page never stands still. Nothing here is stored. */
import type { Consent, CovariateValue, IsoDate, Observation, PatientRecord } from '#domain/record.ts';
import type { ImportClient } from '#interop/client.ts';
import type { ImportedObservation } from '#interop/imported.ts';
import type { PackManifest } from '#packs/manifest.ts';
import type { NewId } from '../record-draft.ts';
import { addToRecord, mergeBackground } from './duplicates.ts';
import type { Conflict } from './duplicates.ts';
import type { PackCodes } from './pack-codes.ts';
import { suggestCovariates } from './suggestions.ts';
import type { Suggestion, SuggestionKind } from './suggestions.ts';
import { entryOf, placeFacts, placeObservation, placePatient } from './to-record.ts';
import type { PlacedPatient, RecordContext } from './to-record.ts';

/** Values placed in one go: a few milliseconds of work. */
const piece = 1000;

export interface BuildParts {
  readonly client: ImportClient;
  readonly codes: PackCodes;
  readonly newId: NewId;
  readonly today: IsoDate;
  readonly signal: AbortSignal;
  /** Lets the page draw and answer. */
  readonly pause: () => Promise<void>;
  readonly onPlaced: (count: number) => void;
}

/** Somebody in a file. */
export interface SourcePerson {
  readonly group: number;
  readonly key: string;
  readonly file: string;
}

/** One record to be written, and who goes into it. */
export interface Target {
  readonly id: string;
  readonly alias: string;
  /** As it lies in the vault; null for a new patient. */
  readonly before: PatientRecord | null;
  readonly sources: readonly SourcePerson[];
}

export interface BuiltRecord {
  readonly id: string;
  readonly before: PatientRecord | null;
  /** Without the facts that wait for a yes, and without consent. */
  readonly record: PatientRecord;
  readonly suggestions: readonly Suggestion[];
  readonly facts: readonly { readonly file: string; readonly facts: Readonly<Record<string, string>> }[];
  readonly counts: Counts;
  readonly conflicts: readonly Conflict[];
  readonly packUse: readonly PackUse[];
}

export interface Counts {
  /** New values that can be computed with. */
  readonly values: number;
  /** Values kept as received, in the background. */
  readonly raw: number;
  /** Were there already. */
  readonly doubled: number;
  readonly limits: number;
  readonly doses: number;
  readonly treatments: number;
  readonly background: number;
}

/** What a pack could read of a record. */
export interface PackUse {
  readonly packId: string;
  readonly title: string;
  readonly values: number;
  /** Of its markers, how many have a value; and how many there are. */
  readonly markers: number;
  readonly allMarkers: number;
}

/** All values of a person of a file, in pieces. */
export async function* valuesOf(
  source: SourcePerson,
  { client, signal, pause }: Pick<BuildParts, 'client' | 'signal' | 'pause'>,
): AsyncIterable<readonly ImportedObservation[]> {
  const { group, key } = source;
  for (let from = 0; ; from += piece) {
    const values = await client.call('take', { group, key, from, count: piece }, { signal });
    if (values.length > 0) yield values;
    if (values.length < piece) return;
    await pause();
  }
}

export async function buildRecord(target: Target, parts: BuildParts): Promise<BuiltRecord> {
  const { client, codes, newId, signal, today } = parts;
  const { packs } = codes;
  let record = target.before ?? emptyRecord(target, today);
  const facts: { file: string; facts: Readonly<Record<string, string>> }[] = [];
  const conflicts: Conflict[] = [];
  let [raw, doubled] = [0, 0];
  for (const source of target.sources) {
    const context: RecordContext = { codes, newId, file: source.file };
    const patient = await client.call('person', { group: source.group, key: source.key }, { signal });
    const rest = placePatient(patient, context);
    const kept = [...rest.background];
    const observations: Observation[] = [];
    for await (const values of valuesOf(source, parts)) {
      for (const value of values) {
        const placed = placeObservation(value, context);
        if (placed.observation) observations.push(placed.observation);
        else if (placed.background) {
          kept.push(placed.background);
          raw++;
        }
      }
      parts.onPlaced(values.length);
    }
    const added = { observations, rest: { ...rest, background: kept }, identity: patient.identity };
    const outcome = addToRecord(record, added, packs);
    record = outcome.record;
    doubled += outcome.merged.doubled;
    conflicts.push(...outcome.merged.conflicts);
    facts.push({ file: source.file, facts: patient.facts });
    await parts.pause();
  }
  if (!target.before) record = { ...record, entryDate: entryOf(record.observations, restOf(record), today) };
  const allFacts = Object.assign({}, ...facts.map((one) => one.facts)) as Record<string, string>;
  const person = { identity: record.identity ?? { identifiers: [] }, facts: allFacts };
  const before = target.before;
  return {
    id: target.id,
    before,
    record,
    facts,
    conflicts,
    // What the record says already stays.
    suggestions: suggestCovariates(person, record.observations, record.entryDate, packs).filter(
      ({ covariate }) => record.covariates[covariate] === undefined,
    ),
    counts: {
      values: record.observations.length - (before?.observations.length ?? 0),
      raw,
      doubled,
      limits: record.observations.filter((one) => one.received && (one.isBelowLimit || one.isAboveLimit)).length,
      doses: (record.doses?.length ?? 0) - (before?.doses?.length ?? 0),
      treatments: record.treatments.length - (before?.treatments.length ?? 0),
      background: (record.background?.length ?? 0) - (before?.background?.length ?? 0),
    },
    packUse: packUseOf(record.observations, packs),
  };
}

function emptyRecord({ id, alias }: Target, today: IsoDate): PatientRecord {
  return {
    id,
    alias,
    isSynthetic: false,
    entryDate: today,
    covariates: {},
    observations: [],
    treatments: [],
    events: [],
    note: '',
    updatedAt: 0,
  };
}

const restOf = ({ doses = [], treatments, events }: PatientRecord): PlacedPatient => ({
  doses,
  treatments,
  events,
  background: [],
});

/** How much of these values each pack reads; packs that read none are left out. */
export function packUseOf(observations: readonly Observation[], packs: readonly PackManifest[]): readonly PackUse[] {
  const counts = new Map<string, number>();
  for (const { code, isAboveLimit } of observations) if (!isAboveLimit) counts.set(code, (counts.get(code) ?? 0) + 1);
  return packs
    .map((manifest) => {
      const read = [...manifest.markers, ...manifest.covariates.filter((one) => one.kind === 'number')];
      return {
        packId: manifest.id,
        title: manifest.title,
        values: read.reduce((sum, { id }) => sum + (counts.get(id) ?? 0), 0),
        markers: manifest.markers.filter(({ id }) => counts.has(id)).length,
        allMarkers: manifest.markers.length,
      };
    })
    .filter(({ markers }) => markers > 0)
    .sort((a, b) => b.values - a.values);
}

export interface Finish {
  /** The suggestions that a person took over. */
  readonly taken: ReadonlySet<SuggestionKind>;
  /** For those who have none. */
  readonly consent: Consent | null;
  readonly newId: NewId;
}

/** The record as it will be written. */
export function finishRecord(built: BuiltRecord, { taken, consent, newId }: Finish): PatientRecord {
  const { record, suggestions, facts } = built;
  const chosen = suggestions.filter(({ kind }) => taken.has(kind));
  const used = new Set(chosen.flatMap(({ column }) => (column === null ? [] : [column])));
  const background = mergeBackground(
    record.background ?? [],
    facts.flatMap((one) => placeFacts(one.facts, used, { newId, file: one.file })),
  );
  const covariates: Record<string, CovariateValue> = {
    ...record.covariates,
    ...Object.fromEntries(chosen.map(({ covariate, value }) => [covariate, value])),
  };
  const ground = record.consent ?? consent;
  return {
    ...record,
    covariates,
    ...(background.length > 0 ? { background } : {}),
    ...(ground ? { consent: ground } : {}),
  };
}
