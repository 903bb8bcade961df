/** From what was typed to a record, or to what is wrong with it and where. Nothing is repaired silently and nothing is dropped. */
import type { ErrorCode } from '#domain/errors.ts';
import { expandCourse } from '#domain/doses.ts';
import { addDays, isIsoDate } from '#domain/record.ts';
import type { CovariateValue, ImportSource, IsoMinute, Observation, PatientRecord } from '#domain/record.ts';
import { toCanonical, unitsOf } from '#packs/conditioning.ts';
import type { Covariate, MarkerDescription, PackManifest, Sign } from '#packs/manifest.ts';
import { readConsent } from './consent.ts';
import { checkCourses } from './dose-check.ts';
import { beforeFirstDose, countsHours } from './dosed.ts';
import { place } from './issues.ts';
import type { Issue, Place } from './issues.ts';
import { readLimit, readQuantity } from './read-number.ts';
import { readClock } from './read-time.ts';
import { byHand, byMoment, isEmptyRow, kept } from './record-draft.ts';
import type { Cell, DraftRow, NewId, RecordDraft } from './record-draft.ts';
import { unitMeant, unitText } from './units.ts';

export interface Checked {
  readonly issues: readonly Issue[];
  /** Null while anything is refused or waits for a yes. */
  readonly record: Omit<PatientRecord, 'id' | 'updatedAt'> | null;
}

export interface CheckContext {
  readonly manifest: PackManifest;
  readonly now: IsoMinute;
  readonly newId: NewId;
}

/** Nobody was this old; beyond it "unusual" is the wrong word. */
const oldestYears = 125;

export function checkDraft(draft: RecordDraft, context: CheckContext): Checked {
  const { manifest, now } = context;
  const today = now.slice(0, 10);
  const issues: Issue[] = [];
  const refuse = (at: Place, code: ErrorCode, message: string) => issues.push({ at, code, message, kind: 'refused' });
  const confirm = (at: Place, code: ErrorCode, message: string) => issues.push({ at, code, message, kind: 'confirm' });

  function checkDay(at: Place, date: string, what: string): boolean {
    if (!isIsoDate(date))
      refuse(at, 'date_invalid', date === '' ? `${what}: a date is needed.` : `${what}: this is not a calendar day.`);
    else if (date > today)
      refuse(at, 'date_in_future', `${what}: this day is in the future. Only what has happened belongs in a record.`);
    else return true;
    return false;
  }

  if (draft.alias.trim() === '') refuse(place.alias, 'record_invalid', 'Give the patient a short name that only you can place.');
  const hasEntry = checkDay(place.entryDate, draft.entryDate, 'Start of the record');

  const covariates: Record<string, CovariateValue> = {};
  for (const covariate of manifest.covariates) {
    const typed = draft.covariates[covariate.id];
    const at = place.covariate(covariate.id);
    if (!typed || typed.text.trim() === '') {
      const isMeasured = draft.rows.some((row) => row.cells[covariate.id]?.text.trim());
      if (covariate.required && !isMeasured)
        refuse(at, 'covariate_missing', `${covariate.label} is needed: this pack cannot forecast without it.`);
      continue;
    }
    const value = covariate.kind === 'category' ? categoryOf(typed.text, covariate, at) : numberOf(typed, covariate, at);
    if (value !== null) covariates[covariate.id] = value;
  }
  // Values of other packs stay in the record untouched.
  for (const [id, typed] of Object.entries(draft.covariates)) {
    if (manifest.covariates.some((covariate) => covariate.id === id) || typed.text.trim() === '') continue;
    const number = Number(typed.text);
    covariates[id] = Number.isFinite(number) ? number : typed.text;
  }

  function categoryOf(text: string, { label, categories }: Extract<Covariate, { kind: 'category' }>, at: Place) {
    if (categories.some(({ value }) => value === text)) return text;
    refuse(
      at,
      'covariate_invalid',
      `${label}: this pack does not know this one. Expected ${categories.map((one) => one.label).join(', ')}.`,
    );
    return null;
  }

  function numberOf(
    typed: { text: string; unit: string; isConfirmed: boolean },
    quantity: Extract<Covariate, { kind: 'number' }>,
    at: Place,
  ) {
    const read = valueOf(typed, quantity, at);
    return read && toCanonical(quantity, read.value, read.unit);
  }

  /** The number and its unit as entered, after every check; null when it may not be saved. */
  function valueOf(
    typed: { text: string; unit: string; isConfirmed: boolean; received?: ImportSource },
    quantity: MarkerDescription | Extract<Covariate, { kind: 'number' }>,
    at: Place,
  ) {
    const limit = readLimit(typed.text);
    // A limit that a file brought stays in the record whatever this pack makes of it; a new one is not typed in for nothing.
    if (limit && !typed.received && (limit.side === '>' || isCovariate(quantity) || manifest.kind === 'learned')) {
      refuse(
        at,
        'value_not_a_number',
        `${quantity.label}: a limit (“<” or “>”) is not a number, and this pack cannot use it here. Leave the cell empty and write the limit in the note.`,
      );
      return null;
    }
    const read = readQuantity(limit?.rest ?? typed.text);
    if (!read) {
      refuse(
        at,
        'value_not_a_number',
        `${quantity.label}: this is not a number. Write it like 1.4, with the unit behind it if it is not ${unitText(quantity.unit) || 'plain'}.`,
      );
      return null;
    }
    const known = unitsOf(quantity);
    const unit = read.unit === '' ? typed.unit || quantity.unit : unitMeant(read.unit, known);
    if (unit === null || !known.includes(unit)) {
      refuse(
        at,
        'unit_unknown',
        `${quantity.label}: “${read.unit || typed.unit}” is not a unit of this measure. Expected ${known.map(unitText).join(' or ')}.`,
      );
      return null;
    }
    const canonical = toCanonical(quantity, read.value, unit);
    const isAge = quantity.unit === 'a';
    const [low, high] = quantity.plausible;
    if (isAge ? canonical < 0 || canonical > oldestYears : canonical < 0 && low >= 0) {
      refuse(
        at,
        'value_implausible',
        isAge
          ? `${quantity.label}: nobody is this old. Expected 0 to ${oldestYears} years.`
          : `${quantity.label}: this cannot be below zero.`,
      );
      return null;
    }
    if (canonical === 0 && (low > 0 || limit) && !isAge) {
      const belowLimit =
        isCovariate(quantity) || manifest.kind === 'learned'
          ? ''
          : ' If it was too little to measure, type the limit, like <0.5.';
      refuse(at, 'value_implausible', `${quantity.label}: this cannot be zero.${belowLimit}`);
      return null;
    }
    if (((canonical < low && !limit) || canonical > high) && !typed.isConfirmed) {
      const range = `${rangeText(low, high)} ${unitText(quantity.unit)}`.trim();
      const converted = unit === quantity.unit ? '' : ` (${numberText(canonical)} ${unitText(quantity.unit)})`;
      confirm(
        at,
        'value_implausible',
        `${quantity.label}${converted}: unusual, expected ${range}. Check the number and the unit; if both are right, confirm it.`,
      );
      return null;
    }
    return { value: read.value, unit, ...limitOf(limit) };
  }

  const death = draft.events
    .filter((one) => isIsoDate(one.date) && manifest.events.some((event) => event.id === one.event && event.isTerminal))
    .map((one) => one.date)
    .sort()[0];
  const age = covariates['age'];
  // The latest day that a person of this age at entry can have been born on, a year's doubt included.
  const born = hasEntry && typeof age === 'number' ? addDays(draft.entryDate, -(age + 1) * 366) : null;

  const { issues: doseIssues, doses } = checkCourses(draft.courses, { manifest, now, born, ended: death ?? null });
  issues.push(...doseIssues);
  const firstDose = doses
    .flatMap((course) => expandCourse(course, now))
    .map(({ at }) => at)
    .sort()[0];

  const observations: Observation[] = [];
  for (const row of draft.rows) {
    if (isEmptyRow(row)) continue;
    const at = place.date(row.id);
    const isDay = checkDay(at, row.date, 'Date of these values');
    if (isDay && death && row.date > death) {
      refuse(
        at,
        'observation_after_death',
        'These values are dated after the end of the record (a final event is recorded before them). Correct one of the two dates.',
      );
    }
    if (isDay && born !== null && row.date < born) {
      refuse(
        at,
        'observation_before_birth',
        'By the age in this record, these values would be dated before birth. Correct the date or the age.',
      );
    }
    const time = checkTime(row);
    const levels: string[] = [];
    for (const [code, cell] of Object.entries(row.cells)) {
      if (cell.text.trim() === '') continue;
      const observation = observationOf(row, code, cell);
      if (!observation || !isDay || time === null) continue;
      observations.push({ ...observation, ...(time === '' ? {} : { time }) });
      if (firstDose && !observation.isBelowLimit && !observation.isAboveLimit && `${row.date}T${time || '23:59'}` <= firstDose)
        levels.push(code);
    }
    checkLevels(row, levels);
  }

  /** The clock time, empty where none is needed and none was given; null when it is missing or wrong. */
  function checkTime(row: DraftRow): string | null {
    const at = place.time(row.id);
    const isNeeded = countsHours(manifest) && manifest.markers.some(({ id }) => row.cells[id]?.text.trim());
    if (row.time.trim() === '') {
      if (!isNeeded) return '';
      refuse(at, 'date_invalid', 'The clock time of these values is needed: this pack counts in hours. Write it like 7:30.');
      return null;
    }
    const time = readClock(row.time);
    if (time === null) refuse(at, 'date_invalid', 'This is not a time of day. Write it like 7:30.');
    else if (`${row.date}T${time}` > now && row.date === today)
      refuse(at, 'date_in_future', 'This time is in the future. Only what has happened belongs in a record.');
    else return time;
    return null;
  }

  function checkLevels(row: DraftRow, codes: readonly string[]): void {
    const named = (verdict: string) =>
      manifest.markers
        .filter(({ id }) => codes.includes(id) && beforeFirstDose(manifest, id) === verdict)
        .map(({ label }) => label);
    const impossible = named('impossible');
    const doubtful = named('doubtful');
    if (impossible.length > 0) {
      refuse(
        place.date(row.id),
        'observation_before_dose',
        `${impossible.join(', ')}: this was measured before the first dose in the record, when there can be none. Enter the doses before it, or correct the time.`,
      );
    } else if (doubtful.length > 0 && !row.isConfirmed) {
      confirm(
        place.date(row.id),
        'observation_before_dose',
        `${doubtful.join(', ')}: this was measured before the first dose in the record. If a dose is missing, enter it; if the value was taken before treatment, confirm it.`,
      );
    }
  }

  function observationOf(row: DraftRow, code: string, cell: Cell): Observation | null {
    const at = place.cell(row.id, code);
    const common = {
      id: cell.observationId ?? context.newId(),
      code,
      date: row.date,
      source: cell.source || byHand,
      ...(cell.received ? { received: cell.received } : {}),
    };
    const sign = manifest.signs.find((candidate) => candidate.id === code);
    if (sign) {
      const level = levelMeant(sign, cell.text);
      if (level !== null) return { ...common, value: level, unit: '', isConfirmed: cell.isConfirmed };
      refuse(at, 'level_unknown', `${sign.label}: expected one of ${sign.levels.map((one) => one.label).join(', ')}.`);
      return null;
    }
    const marker = manifest.markers.find((candidate) => candidate.id === code);
    if (marker) {
      const read = valueOf(cell, marker, at);
      return read && { ...common, ...read, isConfirmed: cell.isConfirmed };
    }
    const covariate = manifest.covariates.find((candidate) => candidate.id === code);
    if (covariate?.kind === 'number') {
      const read = valueOf(cell, covariate, at);
      return read && { ...common, ...read, isConfirmed: cell.isConfirmed };
    }
    // Of another pack: kept as it was stored.
    const limit = readLimit(cell.text);
    const number = Number(limit?.rest ?? cell.text);
    if (!Number.isFinite(number)) return null;
    return { ...common, value: number, unit: cell.unit, ...limitOf(limit), isConfirmed: cell.isConfirmed };
  }

  for (const treatment of draft.treatments) {
    const at = place.treatment(treatment.id);
    if (!manifest.interventions.some((one) => one.id === treatment.intervention) && treatment.intervention === '') {
      refuse(at, 'record_invalid', 'Choose which treatment it was, or remove the line.');
    }
    const hasStart = checkDay(at, treatment.start, 'Start of the treatment');
    if (
      treatment.stop !== '' &&
      checkDay(at, treatment.stop, 'End of the treatment') &&
      hasStart &&
      treatment.stop < treatment.start
    ) {
      refuse(at, 'date_invalid', 'The treatment ends before it starts. Exchange or correct the two dates.');
    }
  }
  for (const event of draft.events) {
    if (event.event === '') refuse(place.event(event.id), 'record_invalid', 'Choose what happened, or remove the line.');
    checkDay(place.event(event.id), event.date, 'Date of the event');
  }

  const consent = readConsent(draft.consent, today);
  if (consent && 'fault' in consent) refuse(place.consent, 'consent_missing', consent.fault);

  if (issues.length > 0) return { issues, record: null };
  return {
    issues,
    record: {
      alias: draft.alias.trim(),
      isSynthetic: draft.isSynthetic,
      entryDate: draft.entryDate,
      covariates,
      observations: observations.sort(byMoment),
      ...(doses.length > 0 ? { doses } : {}),
      treatments: draft.treatments.map((one) => ({ ...one, stop: one.stop === '' ? null : one.stop })),
      events: draft.events.map(({ event, date }) => ({ event, date })),
      note: draft.note,
      ...kept(draft),
      ...(consent && !('fault' in consent) ? { consent } : {}),
    },
  };
}

function limitOf(limit: ReturnType<typeof readLimit>): { isBelowLimit?: true; isAboveLimit?: true } {
  if (!limit) return {};
  return limit.side === '<' ? { isBelowLimit: true } : { isAboveLimit: true };
}

const isCovariate = (quantity: MarkerDescription | Extract<Covariate, { kind: 'number' }>) => 'kind' in quantity;

/** A level by its label or its number. */
export function levelMeant(sign: Sign, typed: string): number | null {
  const wanted = typed.trim().toLowerCase();
  const level = sign.levels.find((one) => one.label.toLowerCase() === wanted || String(one.value) === wanted);
  return level ? level.value : null;
}

const numberText = (value: number) => String(Number(value.toPrecision(3)));
const rangeText = (low: number, high: number) => `${numberText(low)} to ${numberText(high)}`;
