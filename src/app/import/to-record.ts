/**
 * From what a reader gave to what a record holds. Nothing is guessed and nothing is dropped: a value that cannot be computed with, or not
 * be placed on a day, goes to the background with its reason. Pure: ids are asked of `newId`, and there is no clock.
 */
import { addHours, hoursBetween, isIsoMinute } from '#domain/doses.ts';
import type { BackgroundEntry, DoseCourse, IsoDate, Observation, PartialDate, RecordedEvent, Treatment } from '#domain/record.ts';
import { isIsoDate } from '#domain/record.ts';
import type { ImportCode } from '#interop/import-codes.ts';
import type { ImportedDose, ImportedObservation, ImportedPatient } from '#interop/imported.ts';
import { leverInterventions } from '#packs/manifest-views.ts';
import { dosedInterventions } from '../dosed.ts';
import type { NewId } from '../record-draft.ts';
import { unitMeant } from '../units.ts';
import { codeWords } from './import-words.ts';
import { codeSystem, inPackUnit } from './pack-codes.ts';
import type { PackCodes } from './pack-codes.ts';

export interface RecordContext {
  readonly codes: PackCodes;
  readonly newId: NewId;
  /** The file's name, without its folder. */
  readonly file: string;
}

/** Doubts under which a value cannot stand in a record: no forecast would run with it. */
const misplaced: ReadonlySet<ImportCode> = new Set([
  'before_birth',
  'after_death',
  'date_in_future',
  'date_impossible',
  'value_impossible',
]);

export interface Placed {
  /** Null for what goes to the background. */
  readonly observation: Observation | null;
  readonly background: BackgroundEntry | null;
  /** Why it is not an observation. */
  readonly reason: ImportCode | null;
}

/** One value, as an observation of the record or as background. */
export function placeObservation(one: ImportedObservation, context: RecordContext): Placed {
  const reason = reasonAgainst(one);
  const code = reason === null ? context.codes.of(one.concept) : null;
  if (reason !== null || code === null || one.value === null || one.date === null) {
    const why = reason ?? 'analyte_unknown';
    return { observation: null, background: backgroundOf(one, why, context), reason: why };
  }
  const { value, unit } = inPackUnit(code, one.value, one.unit);
  const rounded = withoutNoise(value);
  return {
    observation: {
      id: context.newId(),
      code: code.code,
      date: one.date,
      ...(one.time === null ? {} : { time: one.time }),
      value: rounded,
      unit,
      ...(one.comparator === '<' ? { isBelowLimit: true as const } : {}),
      ...(one.comparator === '>' ? { isAboveLimit: true as const } : {}),
      // Nobody has looked at it yet. What a pack finds unusual waits for a yes on the record's page.
      isConfirmed: false,
      source: sourceText(context.file, one),
      received: {
        file: context.file,
        place: one.place,
        receivedValue: one.receivedValue,
        receivedUnit: one.receivedUnit,
      },
    },
    background: null,
    reason: null,
  };
}

/** Six figures of a number that has more than seven: conversions and simulators make such, no laboratory does. What was received stays beside it. */
function withoutNoise(value: number): number {
  const digits = String(value).replace(/e.*/, '').replace(/\D/g, '').replace(/^0+/, '');
  return digits.length > 7 ? Number(value.toPrecision(6)) : value;
}

function reasonAgainst(one: ImportedObservation): ImportCode | null {
  if (one.problem !== null) return one.problem;
  const doubt = one.doubts.find((code) => misplaced.has(code));
  if (doubt) return doubt;
  if (one.date === null) return 'date_missing';
  if (!isIsoDate(one.date)) return 'date_partial';
  return one.value === null || !Number.isFinite(one.value) ? 'value_not_a_number' : null;
}

/** "labs.csv, line 14; preliminary result; received as 34.2 µmol/L.": stands beside the value wherever it is traced. */
function sourceText(file: string, { place, doubts, receivedValue, receivedUnit }: ImportedObservation): string {
  const where = [file, place].filter(Boolean).join(', ');
  const received = `received as ${[receivedValue, receivedUnit].filter(Boolean).join(' ')}`;
  return `${[where, ...doubts.map((code) => codeWords[code]), received].join('; ')}.`;
}

function backgroundOf(one: ImportedObservation, reason: ImportCode, { newId, file }: RecordContext): BackgroundEntry {
  const received = [one.receivedValue, one.receivedUnit].filter(Boolean).join(' ');
  const clock = one.time === null ? '' : `at ${one.time}`;
  return {
    id: newId(),
    kind: 'observation',
    label: one.concept.label || one.concept.codings[0]?.code || 'Value without a name',
    date: one.date,
    detail: [received, clock, `kept as received: ${codeWords[reason]}`].filter(Boolean).join('; '),
    source: { file, place: one.place },
  };
}

/** What of a dose's line goes where. */
export type PlacedDose =
  | { readonly kind: 'dose'; readonly course: DoseCourse; readonly packId: string }
  | { readonly kind: 'treatment'; readonly treatment: Treatment; readonly packId: string }
  | { readonly kind: 'background'; readonly entry: BackgroundEntry };

/** Doses of a drug that a pack knows by its code, with everything known; anything else is background and says what is missing. */
export function placeDose(dose: ImportedDose, context: RecordContext): PlacedDose {
  const drugs = drugsOf(dose, context.codes);
  const names = new Set(drugs.map(({ id }) => id));
  if (names.size === 0) return doseBackground(dose, 'no installed pack doses it', context);
  if (names.size > 1) return doseBackground(dose, 'its code stands for several drugs of the packs', context);
  const dosed = drugs.find((drug) => drug.dosed !== null);
  return dosed ? placeCourse(dose, dosed, context) : placeTreatment(dose, drugs[0]!, context);
}

interface Drug {
  readonly packId: string;
  readonly id: string;
  readonly dosed: ReturnType<typeof dosedInterventions>[number] | null;
}

function drugsOf({ codings }: ImportedDose, { packs }: PackCodes): Drug[] {
  const own = codings.map(({ system, code }) => ({ system: codeSystem(system), code }));
  return packs.flatMap((manifest) =>
    leverInterventions(manifest)
      .filter(({ codes = [] }) =>
        // An ATC code of fewer letters is a group, and stands for every drug in it.
        codes.some(({ system, code }) =>
          own.some((one) => one.system === system && (system === 'ATC' ? one.code.startsWith(code) : one.code === code)),
        ),
      )
      .map(({ id }) => ({
        packId: manifest.id,
        id,
        dosed: dosedInterventions(manifest).find(({ intervention }) => intervention.id === id) ?? null,
      })),
  );
}

function placeCourse(dose: ImportedDose, { packId, id, dosed }: Drug, context: RecordContext): PlacedDose {
  const unit = unitMeant(dose.unit, dosed!.units);
  const start = dose.time === null ? '' : `${dose.start}T${dose.time}`;
  const { route, durationHours, everyHours, amount } = dose;
  const missing =
    unit === null
      ? 'its unit is not one of this drug’s doses'
      : !(amount > 0 && Number.isFinite(amount))
        ? 'its amount is no number above zero'
        : route === null || !dosed!.routes.includes(route)
          ? 'no pack doses it by this route'
          : !isIsoMinute(start)
            ? 'the hour of the first dose is not known'
            : route === 'iv-infusion' && !(durationHours !== null && durationHours > 0)
              ? 'the length of the infusion is not known'
              : everyHours !== null && !(everyHours > 0)
                ? 'its interval is no number above zero'
                : null;
  if (missing !== null) return doseBackground(dose, missing, context);
  const count = countOf(dose, start);
  if (count === 0) return doseBackground(dose, 'it ends before it begins', context);
  const course: DoseCourse = {
    id: context.newId(),
    intervention: id,
    amount,
    unit: unit!,
    route: route!,
    durationHours: route === 'iv-infusion' ? durationHours : null,
    start,
    everyHours: count === 1 ? null : everyHours,
    count,
    exceptions: [],
  };
  return { kind: 'dose', course, packId };
}

/** Doses up to and on the last day; null while it goes on. */
function countOf({ everyHours, count, stop }: ImportedDose, start: string): number | null {
  if (everyHours === null) return 1;
  if (count !== null || stop === null) return count;
  // Of a month or a year only its beginning is sure.
  const last = isIsoDate(stop) ? `${stop}T23:59` : `${stop.padEnd(10, '-01')}T00:00`;
  return Math.max(0, Math.floor(hoursBetween(start, last) / everyHours + 1e-9) + 1);
}

function placeTreatment(dose: ImportedDose, { packId, id }: Drug, context: RecordContext): PlacedDose {
  const { start, everyHours, count } = dose;
  if (!isIsoDate(start)) return doseBackground(dose, 'the day of its start is not known', context);
  const byCount =
    everyHours === null || count === null ? null : addHours(`${start}T00:00`, everyHours * (count - 1)).slice(0, 10);
  const stop = dose.stop ?? byCount ?? (everyHours === null ? start : null);
  if (stop !== null && !isIsoDate(stop)) return doseBackground(dose, 'the day of its end is not known', context);
  if (stop !== null && stop < start) return doseBackground(dose, 'it ends before it begins', context);
  return { kind: 'treatment', treatment: { id: context.newId(), intervention: id, start, stop }, packId };
}

function doseBackground(dose: ImportedDose, why: string, { newId, file }: RecordContext): PlacedDose {
  const { amount, unit, route, everyHours, start, stop, place } = dose;
  const rhythm = everyHours === null ? 'once' : `every ${everyHours} h`;
  const until = stop === null ? '' : `until ${stop}`;
  const detail = [`${amount} ${unit}`.trim(), route ?? '', rhythm, until, `not a dose of the record: ${why}`];
  return {
    kind: 'background',
    entry: {
      id: newId(),
      kind: 'medication',
      label: dose.label || dose.codings[0]?.code || 'Medicine without a name',
      date: start,
      detail: detail.filter(Boolean).join('; '),
      source: { file, place },
    },
  };
}

/** A patient of a file without the values, which are placed piece by piece. */
export type PatientWithoutValues = Omit<ImportedPatient, 'observations'>;

export interface PlacedPatient {
  readonly doses: readonly DoseCourse[];
  readonly treatments: readonly Treatment[];
  readonly events: readonly RecordedEvent[];
  readonly background: readonly BackgroundEntry[];
}

/** Everything of a patient but the values and the facts: doses, a death, what came along. */
export function placePatient(patient: PatientWithoutValues, context: RecordContext): PlacedPatient {
  const placed = patient.doses.map((dose) => placeDose(dose, context));
  const death = placeDeath(patient.deceasedOn, context);
  return {
    doses: placed.flatMap((one) => (one.kind === 'dose' ? [one.course] : [])),
    treatments: placed.flatMap((one) => (one.kind === 'treatment' ? [one.treatment] : [])),
    events: death.events,
    background: [
      ...placed.flatMap((one) => (one.kind === 'background' ? [one.entry] : [])),
      ...death.background,
      ...patient.background.map((entry) => ({ ...entry, id: context.newId() })),
    ],
  };
}

/** Facts of a table's columns that became no covariate. */
export function placeFacts(
  facts: Readonly<Record<string, string>>,
  used: ReadonlySet<string>,
  { newId, file }: Pick<RecordContext, 'newId' | 'file'>,
): readonly BackgroundEntry[] {
  return Object.entries(facts)
    .filter(([column]) => !used.has(column))
    .map(([column, text]) => ({
      id: newId(),
      kind: 'other',
      label: column,
      date: null,
      detail: text,
      source: { file, place: `column "${column}"` },
    }));
}

function placeDeath(
  day: PartialDate | null,
  { codes, newId, file }: RecordContext,
): { events: readonly RecordedEvent[]; background: readonly BackgroundEntry[] } {
  if (day === null) return { events: [], background: [] };
  const event = codes.packs
    .flatMap(({ events }) => events)
    .find(
      (one) =>
        one.isTerminal &&
        (one.id === 'death' || one.codes?.some(({ system, code }) => system === 'SNOMED' && code === '419099009')),
    );
  if (event && isIsoDate(day)) return { events: [{ event: event.id, date: day }], background: [] };
  const why = isIsoDate(day) ? 'no installed pack has this event' : codeWords.date_partial;
  const entry: BackgroundEntry = {
    id: newId(),
    kind: 'other',
    label: 'Death',
    date: day,
    detail: `kept as received: ${why}`,
    source: { file, place: 'Patient' },
  };
  return { events: [], background: [entry] };
}

/** The day on which a record begins: the first value or dose; today where there is none. */
export function entryOf(observations: readonly Observation[], rest: PlacedPatient, today: IsoDate): IsoDate {
  const days = [
    ...rest.doses.map(({ start }) => start.slice(0, 10)),
    ...rest.treatments.map(({ start }) => start),
    ...rest.events.map(({ date }) => date),
  ];
  let first = days.sort()[0] ?? null;
  for (const { date } of observations) if (first === null || date < first) first = date;
  return first !== null && first <= today ? first : today;
}
