/** What was read and not yet imported: summed up, and handed out person by person. */
import type { ImportCode } from './import-codes.ts';
import type { ImportedObservation, ImportedPatient, ImportFormat, ImportOutcome } from './imported.ts';
import type { Notices } from './notices.ts';
import type { ObservationStore } from './observation-store.ts';
import { analyteOf } from './analytes.ts';
import type { ImportSummary, PatientSummary, StagedPatient, UnknownCode } from './protocol.ts';
import { personWithoutObservations, identityOf, type People } from './tables/people.ts';

export interface Staged {
  readonly summary: Omit<ImportSummary, 'patients'>;
  patients(from: number, count: number): readonly PatientSummary[];
  /** Null for a key that the file has not. */
  person(key: string): StagedPatient | null;
  take(key: string, from: number, count: number): readonly ImportedObservation[];
}

const firstValues = 3;

function statusOf(notices: Notices, raw: number): Pick<ImportOutcome, 'status' | 'code' | 'message'> {
  const [first] = notices.kept;
  if (!first && raw === 0) return { status: 'accepted', code: null, message: '' };
  return {
    status: 'warned',
    code: first?.code ?? null,
    message: first ? [first.place, first.message].filter(Boolean).join(': ') : '',
  };
}

export function refusedSummary(
  file: string,
  format: ImportFormat,
  code: ImportCode,
  message: string,
): Omit<ImportSummary, 'patients'> {
  return {
    file,
    format,
    status: 'refused',
    code,
    message,
    notices: [],
    noticeCount: 0,
    unknown: [],
    patientCount: 0,
    kept: 0,
    raw: 0,
  };
}

/** Of tables: people and a closed store. */
export function stagedTable(
  file: string,
  format: ImportFormat,
  { people, store, notices }: { readonly people: People; readonly store: ObservationStore; readonly notices: Notices },
  unknown: readonly UnknownCode[],
): Staged {
  let kept = 0;
  let raw = 0;
  for (let i = 0; i < people.all.length; i++) {
    const sum = store.sum(i);
    kept += sum.kept;
    raw += sum.raw;
  }
  return {
    summary: {
      file,
      format,
      ...statusOf(notices, raw),
      notices: notices.kept,
      noticeCount: notices.count,
      unknown,
      patientCount: people.all.length,
      kept,
      raw,
    },
    patients: (from, count) =>
      people.all.slice(from, from + count).map((person, index) => {
        const { kept, raw, doubtful, from: first, to } = store.sum(from + index);
        return {
          key: person.key,
          identity: identityOf(person),
          kept,
          raw,
          doubtful,
          doses: person.doses.length,
          background: person.background.length,
          from: first,
          to,
          firstValues: store.read(from + index, 0, firstValues),
        };
      }),
    person(key) {
      const number = people.find(key);
      return number === null
        ? null
        : { ...personWithoutObservations(people.all[number]), observationCount: store.countOf(number) };
    },
    take(key, from, count) {
      const number = people.find(key);
      return number === null ? [] : store.read(number, from, count);
    },
  };
}

/** Of a reader that gives everything as objects. */
export function stagedOutcome(outcome: ImportOutcome): Staged {
  const byKey = new Map(outcome.patients.map((patient) => [patient.key, patient]));
  const summaries = outcome.patients.map(sumUp);
  const { patients: _, ...rest } = outcome;
  return {
    summary: {
      ...rest,
      unknown: unknownOf(outcome),
      patientCount: summaries.length,
      kept: summaries.reduce((sum, { kept }) => sum + kept, 0),
      raw: summaries.reduce((sum, { raw }) => sum + raw, 0),
    },
    patients: (from, count) => summaries.slice(from, from + count),
    person(key) {
      const patient = byKey.get(key);
      if (!patient) return null;
      const { observations, ...others } = patient;
      return { ...others, observationCount: observations.length };
    },
    take: (key, from, count) => byKey.get(key)?.observations.slice(from, from + count) ?? [],
  };
}

function sumUp({ key, identity, observations, doses, background }: ImportedPatient): PatientSummary {
  const kept = observations.filter(({ problem }) => problem === null);
  const dates = observations.flatMap(({ date }) => (date === null ? [] : [date])).sort();
  return {
    key,
    identity,
    kept: kept.length,
    raw: observations.length - kept.length,
    doubtful: kept.filter(({ doubts }) => doubts.length > 0).length,
    doses: doses.length,
    background: background.length,
    from: dates[0] ?? null,
    to: dates.at(-1) ?? null,
    firstValues: observations.slice(0, firstValues),
  };
}

function unknownOf({ patients }: ImportOutcome): readonly UnknownCode[] {
  const byConcept = new Map<ImportedObservation['concept'], { count: number; readonly units: Set<string> }>();
  for (const { observations } of patients) {
    for (const { concept, problem, receivedUnit } of observations) {
      if (problem !== 'analyte_unknown') continue;
      const seen = byConcept.get(concept) ?? { count: 0, units: new Set<string>() };
      byConcept.set(concept, seen);
      seen.count++;
      if (seen.units.size < 5) seen.units.add(receivedUnit);
    }
  }
  return [...byConcept]
    .map(([{ codings, label }, { count, units }]) => ({
      system: codings[0]?.system ?? '',
      code: codings[0]?.code ?? label,
      label,
      count,
      units: [...units],
      suggestion: analyteOf([], label)?.analyte.id ?? null,
    }))
    .sort((a, b) => b.count - a.count)
    .slice(0, 500);
}
