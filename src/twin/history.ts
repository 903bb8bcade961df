/**
 * From a patient record to the grid that the model lives on. Every number of the record is either read or named with the reason
 * why it is not.
 *
 * - Grid time t stands for the days nearest to t steps after entry. Of several values of one marker in one cell the latest is read.
 * - Today is the grid time nearest to it. A step that reaches beyond today counts as survived only for the share lived; where the
 *   grid's today comes before the real one, the days between (less than half a step) are not counted as survived.
 * - A history longer than the pack reads begins later, as if the person had entered then; older values are left out and named.
 * - An event that is not terminal is noted and not read: the model knows only first events.
 */
import { AppError } from '#domain/errors.ts';
import type { InputUse } from '#domain/forecast.ts';
import { daysBetween, isIsoDate, type IsoDate, type Observation, type PatientRecord } from '#domain/record.ts';
import type { PlanInputs } from '#engine/drive.ts';
import { covariateInputs, levelOf, toCanonical, toState } from '#packs/conditioning.ts';
import type { Covariate, LearnedManifest, Marker, Sign } from '#packs/manifest.ts';
import { staleWords } from './stale-words.ts';
import { stepInputs, type ActiveSpan, type Person } from './step-inputs.ts';

export interface History {
  readonly today: IsoDate;
  /** Grid steps from the first grid time to today. */
  readonly steps: number;
  /** [(steps + 1) × S] standardised state of a marker, level of a sign; 0 where nothing was measured. */
  readonly values: Float64Array;
  /** [(steps + 1) × S] 1 where measured. */
  readonly mask: Uint8Array;
  /** [steps] share of each step lived by today. */
  readonly lived: Float64Array;
  /** Conditioning of each step; of one step if today is the first grid time. */
  readonly inputs: PlanInputs;
  /** [C] */
  readonly covariates: Float64Array;
  readonly person: Person;
  /** Treatments by days from the first grid time. */
  readonly treatments: readonly ActiveSpan[];
  /** Days from the first grid time to today as it is, not as the grid rounds it. */
  readonly todayDays: number;
  /** Latest value of each marker by today, in its canonical unit. */
  readonly latest: ReadonlyMap<string, number>;
  /** The value of each marker nearest to the day of entry, the earlier of two as near, in its canonical unit. */
  readonly atEntry: ReadonlyMap<string, number>;
  readonly observationsUsed: number;
  readonly uses: readonly InputUse[];
}

/** The record as it was on a day: what was dated later is left out. */
export function recordUntil(record: PatientRecord, day: IsoDate): PatientRecord {
  const isBy = (date: IsoDate) => daysBetween(date, day) >= 0;
  return {
    ...record,
    observations: record.observations.filter(({ date }) => isBy(date)),
    treatments: record.treatments
      .filter(({ start }) => isBy(start))
      .map((treatment) => (treatment.stop !== null && !isBy(treatment.stop) ? { ...treatment, stop: null } : treatment)),
    events: record.events.filter(({ date }) => isBy(date)),
  };
}

/** Throws `AppError` for what a person must mend first: dates, values, units, covariates. */
export function readHistory(manifest: LearnedManifest, record: PatientRecord, today: IsoDate): History {
  checkDates(manifest, record, today);
  const { stepDays, historySteps } = manifest.grid;
  const S = manifest.network.S;
  const cellOf = (date: IsoDate) => Math.round(daysBetween(record.entryDate, date) / stepDays);
  const todayCell = cellOf(today);
  const firstCell = Math.max(0, todayCell - historySteps);
  const steps = todayCell - firstCell;
  const todayDays = daysBetween(record.entryDate, today) - firstCell * stepDays;

  const readings = record.observations.map((observation, index) => readObservation(manifest, observation, index, today));
  const byDate = readings.filter((reading) => reading.index >= 0).sort((a, b) => a.date.localeCompare(b.date));
  const values = new Float64Array((steps + 1) * S);
  const mask = new Uint8Array((steps + 1) * S);
  const inCell = new Map<number, Reading>();
  for (const reading of byDate) {
    const t = cellOf(reading.date) - firstCell;
    if (t < 0) continue;
    const cell = t * S + reading.index;
    values[cell] = reading.state;
    mask[cell] = 1;
    inCell.set(cell, reading);
  }
  const read = new Set(inCell.values());

  const entryMarkers: Record<string, number> = {};
  for (const reading of byDate) if (cellOf(reading.date) === 0) entryMarkers[reading.code] ??= reading.canonical;
  checkCovariates(manifest, record);
  const { values: covariates } = covariateInputs(manifest, record.covariates, entryMarkers);
  const person: Person = { covariates: record.covariates, inputs: covariates };
  const fromFirst = (date: IsoDate) => daysBetween(record.entryDate, date) - firstCell * stepDays;
  const daysFromEntry = ({ date }: Reading) => Math.abs(daysBetween(record.entryDate, date));
  const treatments = record.treatments.map(({ intervention, start, stop }) => ({
    intervention,
    startDay: fromFirst(start),
    stopDay: stop === null ? Infinity : fromFirst(stop),
  }));
  return {
    today,
    steps,
    values,
    mask,
    lived: Float64Array.from({ length: steps }, (_, t) => Math.min(1, Math.max(0, todayDays / stepDays - t))),
    inputs: stepInputs(manifest, person, treatments, Math.max(1, steps)),
    covariates,
    person,
    treatments,
    todayDays,
    latest: new Map(byDate.map(({ code, canonical }) => [code, canonical])),
    atEntry: new Map(
      byDate
        .toReversed()
        .sort((a, b) => daysFromEntry(b) - daysFromEntry(a))
        .map(({ code, canonical }) => [code, canonical]),
    ),
    observationsUsed: read.size,
    uses: [
      ...manifest.covariates.map((covariate) => covariateUse(covariate, record, today)),
      ...[...manifest.markers, ...manifest.signs].flatMap((quantity) =>
        quantityUses(quantity, byDate, read, cellOf, firstCell, today),
      ),
      ...entryMarkerUses(manifest, entryMarkers),
      ...readings.filter((reading) => reading.index < 0).map(({ use }) => use),
      ...treatmentUses(manifest, record),
      ...eventUses(manifest, record),
    ],
  };
}

interface Reading {
  readonly code: string;
  readonly date: IsoDate;
  /** Component of s, −1 for a code that the pack does not read. */
  readonly index: number;
  readonly canonical: number;
  readonly state: number;
  readonly use: InputUse;
}

function readObservation(manifest: LearnedManifest, observation: Observation, at: number, today: IsoDate): Reading {
  const { code, date, value, unit, source } = observation;
  const where = `Observation ${at + 1} (${code})`;
  if (!Number.isFinite(value))
    throw new AppError('value_not_a_number', `${where}: expected a number. Enter one or remove the row.`);
  const use = { id: code, label: code, value: `${value} ${unit}`.trim(), date, detail: source };
  const sign = manifest.signs.findIndex(({ id }) => id === code);
  if (sign >= 0) {
    const { label, levels } = manifest.signs[sign]!;
    const level = levelOf(manifest.signs[sign]!, value);
    const shown = { ...use, label, value: levels[level]!.label, remark: 'used' } as const;
    return { code, date, index: manifest.markers.length + sign, canonical: value, state: level, use: shown };
  }
  const index = manifest.markers.findIndex(({ id }) => id === code);
  if (index < 0 || observation.isBelowLimit || observation.isAboveLimit) {
    const side = observation.isBelowLimit ? 'below' : 'above';
    const why =
      index < 0 ? 'This pack does not read it.' : `This pack cannot read a value that is only known to lie ${side} a limit.`;
    const limit = observation.isBelowLimit ? '< ' : observation.isAboveLimit ? '> ' : '';
    const label = manifest.markers[index]?.label ?? code;
    const notRead = {
      ...use,
      label,
      value: `${limit}${use.value}`,
      remark: 'not-an-input',
      detail: sentence(source, why),
    } as const;
    return { code, date, index: -1, canonical: value, state: 0, use: notRead };
  }
  const marker = manifest.markers[index]!;
  const canonical = toCanonical(marker, value, unit);
  checkPlausible(marker, canonical, observation.isConfirmed, where);
  const isOutsideSeen = canonical < marker.seen[0] || canonical > marker.seen[1];
  const converted = unit === marker.unit ? '' : `Read as ${Number(canonical.toPrecision(4))} ${marker.unit}.`;
  const age = daysBetween(date, today);
  const outside = isOutsideSeen ? 'Outside what 98 % of the training people had.' : '';
  return {
    code,
    date,
    index,
    canonical,
    state: toState(marker, canonical),
    use: {
      ...use,
      label: marker.label,
      remark: isOutsideSeen ? 'outside-seen' : 'used',
      detail: sentence(source, converted, outside, age === 0 ? '' : `${age} days before today.`),
    },
  };
}

function checkPlausible(marker: Marker, canonical: number, isConfirmed: boolean, where: string): void {
  const [low, high] = marker.plausible;
  // No confirmation makes a square root or a logarithm of a negative number possible.
  const isImpossible = canonical < 0 && marker.transform.kind !== 'identity';
  if (!isImpossible && (isConfirmed || (canonical >= low && canonical <= high))) return;
  throw new AppError(
    'value_implausible',
    `${where}: the value is outside ${low} to ${high} ${marker.unit}. Check the number and its unit${isImpossible ? '' : ', or confirm it'}.`,
  );
}

function checkDates(manifest: LearnedManifest, record: PatientRecord, today: IsoDate): void {
  const dates: [where: string, date: IsoDate][] = [
    ['Day of entry', record.entryDate],
    ...record.observations.map(({ code, date }, i): [string, IsoDate] => [`Observation ${i + 1} (${code})`, date]),
    ...record.treatments.map(({ intervention, start }, i): [string, IsoDate] => [
      `Treatment ${i + 1} (${intervention}), start`,
      start,
    ]),
    ...record.events.map(({ event, date }): [string, IsoDate] => [`Event '${event}'`, date]),
  ];
  const stops = record.treatments.filter(({ stop }) => stop !== null);
  for (const [where, date] of [
    ['Today', today] as const,
    ...dates,
    ...stops.map(({ stop }, i) => [`Treatment ${i + 1}, stop`, stop!] as const),
  ]) {
    if (!isIsoDate(date)) throw new AppError('date_invalid', `${where}: expected a calendar day written YYYY-MM-DD.`);
  }
  for (const [where, date] of dates) {
    if (daysBetween(date, today) >= 0) continue;
    throw new AppError(
      'date_in_future',
      `${where}: the date is after the day of the forecast. Correct it, or forecast from a later day.`,
    );
  }
  for (const { intervention, start, stop } of record.treatments) {
    if (stop === null || daysBetween(start, stop) >= 0) continue;
    throw new AppError('record_invalid', `Treatment '${intervention}': it stops before it starts. Correct one of the dates.`);
  }
  const terminal = new Set(manifest.events.filter(({ isTerminal }) => isTerminal).map(({ id }) => id));
  const ends = record.events.filter(({ event }) => terminal.has(event)).map(({ date }) => date);
  const age = record.covariates['age'];
  record.observations.forEach(({ code, date }, i) => {
    if (ends.some((end) => daysBetween(end, date) > 0)) {
      const where = `Observation ${i + 1} (${code})`;
      throw new AppError(
        'observation_after_death',
        `${where}: it is dated after an event that ends observation. Correct one of the dates.`,
      );
    }
    // Age is in completed years at entry, so the birthday may be almost a year earlier than the number says.
    if (typeof age === 'number' && daysBetween(record.entryDate, date) < -(age + 1) * 365.25) {
      const where = `Observation ${i + 1} (${code})`;
      throw new AppError(
        'observation_before_birth',
        `${where}: it is dated before the person was born. Correct the date or the age.`,
      );
    }
  });
  if (ends.length > 0) {
    throw new AppError(
      'request_invalid',
      'An event that ends observation has happened to this person: there is nothing to forecast.',
    );
  }
}

function checkCovariates(manifest: LearnedManifest, record: PatientRecord): void {
  const missing = manifest.covariates.filter(({ id, required }) => required && record.covariates[id] === undefined);
  if (missing.length > 0) {
    const labels = missing.map(({ label }) => label).join(', ');
    throw new AppError('covariate_missing', `${manifest.title} cannot be forecast without: ${labels}. Enter the missing values.`);
  }
  for (const covariate of manifest.covariates) {
    const value = record.covariates[covariate.id];
    if (covariate.kind !== 'number' || typeof value !== 'number') continue;
    const [low, high] = covariate.plausible;
    if (value >= low && value <= high) continue;
    throw new AppError(
      'covariate_invalid',
      `${covariate.label}: expected ${low} to ${high} ${covariate.unit}. Correct the value.`,
    );
  }
}

function covariateUse(covariate: Covariate, record: PatientRecord, today: IsoDate): InputUse {
  const { id, label } = covariate;
  const value = record.covariates[id];
  if (value === undefined) {
    return {
      id,
      label,
      value: null,
      date: null,
      remark: 'missing',
      detail: 'The average of the training people stands in its place.',
    };
  }
  const date = daysBetween(record.entryDate, today) >= 0 ? record.entryDate : null;
  if (covariate.kind === 'category') {
    const shown = covariate.categories.find((category) => category.value === value)?.label ?? String(value);
    return { id, label, value: shown, date, remark: 'used', detail: '' };
  }
  const isOutsideSeen = typeof value === 'number' && (value < covariate.seen[0] || value > covariate.seen[1]);
  return {
    id,
    label,
    value: `${value} ${covariate.unit}`,
    date,
    remark: isOutsideSeen ? 'outside-seen' : 'used',
    detail: isOutsideSeen ? 'Outside what 98 % of the training people had.' : '',
  };
}

/** The values of one marker or sign, latest first. */
function quantityUses(
  quantity: Marker | Sign,
  byDate: readonly Reading[],
  read: ReadonlySet<Reading>,
  cellOf: (date: IsoDate) => number,
  firstCell: number,
  today: IsoDate,
): InputUse[] {
  const { id, label } = quantity;
  const own = byDate.filter(({ code }) => code === id).toReversed();
  if (own.length === 0) {
    const detail = 'What the pack expects of people with the other inputs stands in its place, with its spread.';
    return [{ id, label, value: null, date: null, remark: 'missing', detail }];
  }
  return own.map((reading, i) => {
    const { use } = reading;
    if (cellOf(reading.date) < firstCell) {
      return { ...use, remark: 'too-old', detail: sentence(use.detail, 'Older than the history that the pack reads.') };
    }
    if (!read.has(reading)) {
      const detail = sentence(use.detail, 'Not read: a later value falls into the same step of the pack.');
      return { ...use, remark: 'not-an-input', detail };
    }
    const ageDays = daysBetween(reading.date, today);
    const isStale = i === 0 && ageDays > quantity.staleAfterDays;
    if (!isStale || use.remark !== 'used') return use;
    return {
      ...use,
      remark: 'stale',
      detail: sentence(staleWords(ageDays, quantity.staleAfterDays), use.detail),
    };
  });
}

function entryMarkerUses(manifest: LearnedManifest, entryMarkers: Readonly<Record<string, number>>): InputUse[] {
  return manifest.conditioning
    .filter((input) => input.from === 'entry-marker' && entryMarkers[input.id] === undefined)
    .map(({ id }) => {
      const label = `${manifest.markers.find((marker) => marker.id === id)!.label} at entry`;
      return {
        id,
        label,
        value: null,
        date: null,
        remark: 'missing',
        detail: 'The average of the training people stands in its place.',
      };
    });
}

function treatmentUses(manifest: LearnedManifest, record: PatientRecord): InputUse[] {
  const readByModel = new Set(manifest.conditioning.filter(({ from }) => from === 'intervention').map(({ id }) => id));
  return record.treatments.map(({ intervention, start, stop }) => {
    const known = manifest.interventions.find(({ id }) => id === intervention);
    const isRead = known !== undefined && (readByModel.has(intervention) || known.citedEffect !== undefined);
    return {
      id: intervention,
      label: known?.label ?? intervention,
      value: stop === null ? 'ongoing' : `until ${stop}`,
      date: start,
      remark: isRead ? 'used' : 'not-an-input',
      detail: isRead ? '' : 'This pack does not read it.',
    };
  });
}

function eventUses(manifest: LearnedManifest, record: PatientRecord): InputUse[] {
  return record.events.map(({ event, date }) => ({
    id: event,
    label: manifest.events.find(({ id }) => id === event)?.label ?? event,
    value: null,
    date,
    remark: 'not-an-input',
    detail: 'The pack forecasts first events only; this one is noted and not read.',
  }));
}

function sentence(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ');
}
