/** Who may be the same person, and what is in a record already. Findings only: what is done about them is a person's decision. */
import type { BackgroundEntry, DoseCourse, Identity, IsoDate, Observation, PatientRecord } from '#domain/record.ts';
import type { PackManifest } from '#packs/manifest.ts';
import { normaliseName } from '#interop/analytes.ts';
import { toCanonical, unitsOf } from '#packs/conditioning.ts';
import { byMoment } from '../record-draft.ts';
import type { PlacedPatient } from './to-record.ts';

/** Why two are taken for one person, the surest first. */
export type Likeness = 'identifier' | 'name-and-birth' | 'values';

export const likenessWords: Readonly<Record<Likeness, string>> = {
  identifier: 'the same identifier',
  'name-and-birth': 'the same name and date of birth',
  values: 'the same values on the same days',
};

/** What can be compared of a person before all values are read. */
export interface Known {
  readonly identity: Identity | undefined;
  readonly values: ReadonlySet<string>;
}

/** So many values must agree, and be most of those known of either, before values alone speak for one person. */
const fewestValues = 3;

export function likenessOf(one: Known, other: Known): Likeness | null {
  if (sharesIdentifier(one.identity, other.identity)) return 'identifier';
  if (sharesNameAndBirth(one.identity, other.identity)) return 'name-and-birth';
  if (contradict(one.identity, other.identity)) return null;
  let shared = 0;
  for (const key of one.values) if (other.values.has(key)) shared++;
  return shared >= fewestValues && shared * 2 > Math.min(one.values.size, other.values.size) ? 'values' : null;
}

/** Said to be two: other names, birth dates, or numbers of one system. Equal values of such people are chance, or a template. */
function contradict(one: Identity | undefined, other: Identity | undefined): boolean {
  if (!one || !other) return false;
  if (one.name && other.name && wordsOf(one.name) !== wordsOf(other.name)) return true;
  // As far as both are known.
  const length = Math.min(one.birthDate?.length ?? 0, other.birthDate?.length ?? 0);
  if (one.birthDate?.slice(0, length) !== other.birthDate?.slice(0, length) && length > 0) return true;
  return one.identifiers.some(({ system }) => {
    const of = ({ identifiers }: Identity) => identifiers.filter((id) => id.system === system).map(({ value }) => value);
    const theirs = of(other);
    return theirs.length > 0 && !of(one).some((value) => theirs.includes(value));
  });
}

/** A name whatever its order, accents and punctuation. */
export const wordsOf = (name: string) => normaliseName(name).split(' ').sort().join(' ');

function sharesIdentifier(one: Identity | undefined, other: Identity | undefined): boolean {
  return (one?.identifiers ?? []).some(
    // Without a system "1" is somebody in every file.
    ({ system, value }) =>
      system !== '' && (other?.identifiers ?? []).some((second) => second.system === system && second.value === value),
  );
}

function sharesNameAndBirth(one: Identity | undefined, other: Identity | undefined): boolean {
  if (!one?.name || !other?.name || one.birthDate?.length !== 10 || one.birthDate !== other.birthDate) return false;
  return wordsOf(one.name) === wordsOf(other.name);
}

/** Code, day and value, to so many figures as survive a conversion. */
export function valueKey({ code, date, value }: Pick<Observation, 'code' | 'date' | 'value'>): string {
  return `${code} ${date} ${value.toPrecision(5)}`;
}

export interface Conflict {
  readonly code: string;
  readonly date: IsoDate;
  readonly time: string;
  readonly values: readonly Observation[];
}

export interface Merged {
  readonly observations: readonly Observation[];
  /** Values that were there already: same code, time and value. */
  readonly doubled: number;
  /** Different values of one thing at one time. All of them are kept. */
  readonly conflicts: readonly Conflict[];
}

/** Adds values to those of a record. `existing` stay as they are, in front of an equal newcomer. */
export function mergeObservations(
  existing: readonly Observation[],
  added: readonly Observation[],
  packs: readonly PackManifest[],
): Merged {
  const comparable = comparableValue(packs);
  const at = new Map<string, Observation[]>();
  const observations: Observation[] = [...existing];
  for (const one of existing) push(at, momentKey(one), one);
  let doubled = 0;
  for (const one of added) {
    const there = at.get(momentKey(one)) ?? [];
    if (there.some((other) => isSame(comparable(other), comparable(one)) && limitOf(other) === limitOf(one))) {
      doubled++;
      continue;
    }
    push(at, momentKey(one), one);
    observations.push(one);
  }
  const news = new Set(added);
  const conflicts = [...at.values()]
    .filter((values) => values.length > 1 && values.some((one) => news.has(one)))
    .map((values) => ({ code: values[0]!.code, date: values[0]!.date, time: values[0]!.time ?? '', values }));
  return { observations: observations.sort(byMoment), doubled, conflicts };
}

const momentKey = ({ code, date, time = '' }: Observation) => `${code} ${date} ${time}`;
const limitOf = (one: Observation) => (one.isBelowLimit ? '<' : one.isAboveLimit ? '>' : '');

function push(at: Map<string, Observation[]>, key: string, one: Observation): void {
  const there = at.get(key);
  if (there) there.push(one);
  else at.set(key, [one]);
}

/** A value in the first unit of a pack that knows it, so that 34.2 µmol/L and 2 mg/dL can be held against each other. */
function comparableValue(packs: readonly PackManifest[]) {
  const quantities = packs.flatMap((manifest) => [
    ...manifest.markers,
    ...manifest.covariates.flatMap((covariate) => (covariate.kind === 'number' ? [covariate] : [])),
  ]);
  return ({ code, value, unit }: Observation) => {
    const quantity = quantities.find((candidate) => candidate.id === code && unitsOf(candidate).includes(unit));
    return quantity ? { value: toCanonical(quantity, value, unit), unit: quantity.unit } : { value, unit };
  };
}

/** Converted values are kept to six figures. */
const tolerance = 1e-5;

function isSame(one: { value: number; unit: string }, other: { value: number; unit: string }): boolean {
  if (one.unit !== other.unit) return false;
  return Math.abs(one.value - other.value) <= tolerance * Math.max(Math.abs(one.value), Math.abs(other.value));
}

export interface Addition {
  readonly observations: readonly Observation[];
  readonly rest: PlacedPatient;
  readonly identity: Identity;
}

/** A record with a patient of a file added. What the record says stays; the file fills what it leaves open. */
export function addToRecord(
  record: PatientRecord,
  { observations, rest, identity }: Addition,
  packs: readonly PackManifest[],
): { readonly record: PatientRecord; readonly merged: Merged } {
  const merged = mergeObservations(record.observations, observations, packs);
  const doses = withNew(record.doses ?? [], rest.doses, doseKey);
  const background = mergeBackground(record.background ?? [], rest.background);
  return {
    merged,
    record: {
      ...record,
      observations: merged.observations,
      ...(doses.length > 0 ? { doses } : {}),
      treatments: withNew(record.treatments, rest.treatments, ({ intervention, start }) => `${intervention} ${start}`),
      events: withNew(record.events, rest.events, ({ event }) => event),
      identity: mergeIdentity(record.identity, identity),
      ...(background.length > 0 ? { background } : {}),
    },
  };
}

function withNew<T>(existing: readonly T[], added: readonly T[], keyOf: (one: T) => string): readonly T[] {
  const keys = new Set(existing.map(keyOf));
  return [...existing, ...added.filter((one) => !keys.has(keyOf(one)) && keys.add(keyOf(one)))];
}

const doseKey = ({ intervention, start, amount, unit, route }: DoseCourse) =>
  [intervention, start, amount, unit, route].join(' ');
const backgroundKey = ({ kind, label, date, detail }: BackgroundEntry) => JSON.stringify([kind, label, date, detail]);

/** Entries that say the same are one, whatever file they came with. */
export function mergeBackground(
  existing: readonly BackgroundEntry[],
  added: readonly BackgroundEntry[],
): readonly BackgroundEntry[] {
  return withNew(existing, added, backgroundKey);
}

function mergeIdentity(existing: Identity | undefined, added: Identity): Identity {
  return {
    ...added,
    ...existing,
    identifiers: withNew(existing?.identifiers ?? [], added.identifiers, ({ system, value }) => JSON.stringify([system, value])),
  };
}
