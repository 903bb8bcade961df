/**
 * Taking the person out of a record and a run. Everything that is kept is on a list: numbers, and words that packs and the analyte
 * table use. Whatever a person typed or a file brought is dropped, and all dates move by one number of days that is written nowhere.
 */
import type { Forecast, InputUse } from '#domain/forecast.ts';
import type { Plan } from '#domain/plan.ts';
import { addDays, daysBetween } from '#domain/record.ts';
import type { CovariateValue, DoseCourse, IsoDate, IsoMinute, Observation, PatientRecord } from '#domain/record.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Above this an age is written as one more: so few people are older that the number itself may name one (45 CFR 164.514). */
const oldestAge = 89;
const ageAbove = oldestAge + 1;

/** Days to move all dates by: into the past, so that nothing lies in the future, by a month to two years. `random` is in 0 … 1, 1 excluded. */
export function drawShift(random: number): number {
  return -(30 + Math.floor(random * 701));
}

export interface Removal {
  readonly vocabulary: Vocabulary;
  /** Days, from `drawShift`. */
  readonly shiftDays: number;
}

/** Rows whose code, unit or name is not in the vocabulary are left out. Ids are numbered anew. */
export function deIdentifyRecord(record: PatientRecord, removal: Removal): PatientRecord {
  const { vocabulary, shiftDays } = removal;
  const { interventions, events } = vocabulary;
  const day = (date: IsoDate) => addDays(date, shiftDays);
  return {
    id: 'person',
    alias: record.isSynthetic ? 'Synthetic person' : 'De-identified person',
    isSynthetic: record.isSynthetic,
    entryDate: day(record.entryDate),
    covariates: Object.fromEntries(
      Object.entries(record.covariates).flatMap(([id, value]) => {
        const kept = keptCovariate(id, value, vocabulary);
        return kept === null ? [] : [[id, kept]];
      }),
    ),
    observations: record.observations
      .filter(({ code, unit }) => vocabulary.quantities.get(code)?.units.includes(unit) || isFinding(code, unit, vocabulary))
      .map((one, index) => keptObservation(one, index, shiftDays)),
    ...(record.doses
      ? {
          doses: record.doses
            .filter(({ intervention, unit }) => interventions.get(intervention)?.units.includes(unit))
            .map((one, index) => keptDose(one, index, shiftDays)),
        }
      : {}),
    treatments: record.treatments
      .filter(({ intervention }) => interventions.has(intervention))
      .map(({ intervention, start, stop }, index) => ({
        id: `treatment-${index + 1}`,
        intervention,
        start: day(start),
        stop: stop && day(stop),
      })),
    events: record.events.filter(({ event }) => events.has(event)).map(({ event, date }) => ({ event, date: day(date) })),
    note: '',
    ...(record.consent
      ? {
          consent: {
            basis: record.consent.basis,
            purpose: '',
            recordedOn: day(record.consent.recordedOn),
            expiresOn: record.consent.expiresOn && day(record.consent.expiresOn),
          },
        }
      : {}),
    updatedAt: 0,
  };
}

const isFinding = (code: string, unit: string, { quantities }: Vocabulary) =>
  unit === '' && quantities.get(code)?.units.length === 0;

function keptCovariate(id: string, value: CovariateValue, { quantities, categories }: Vocabulary): CovariateValue | null {
  if (typeof value === 'string') return categories.get(id)?.values.has(value) ? value : null;
  if (!quantities.has(id)) return null;
  return isAge(id, quantities.get(id)!.units) ? cappedAge(value) : value;
}

const isAge = (id: string, units: readonly string[]) => /(^|-)age(-|$)/.test(id) && (units[0] ?? 'a') === 'a';
const cappedAge = (value: number) => (value >= ageAbove ? ageAbove : value);

function keptObservation(one: Observation, index: number, shiftDays: number): Observation {
  return {
    id: `value-${index + 1}`,
    code: one.code,
    date: addDays(one.date, shiftDays),
    ...(one.time === undefined ? {} : { time: one.time }),
    ...(one.isBelowLimit ? { isBelowLimit: true as const } : {}),
    ...(one.isAboveLimit ? { isAboveLimit: true as const } : {}),
    value: one.value,
    unit: one.unit,
    isConfirmed: one.isConfirmed,
    source: one.received ? 'imported' : 'entered',
  };
}

function keptDose(one: DoseCourse, index: number, shiftDays: number): DoseCourse {
  return {
    id: `dose-${index + 1}`,
    intervention: one.intervention,
    amount: one.amount,
    unit: one.unit,
    route: one.route,
    durationHours: one.durationHours,
    start: moveMinute(one.start, shiftDays),
    everyHours: one.everyHours,
    count: one.count,
    exceptions: one.exceptions.map((exception) =>
      exception.kind === 'given-at' ? { ...exception, at: moveMinute(exception.at, shiftDays) } : exception,
    ),
  };
}

export const moveMinute = (minute: IsoMinute, shiftDays: number): IsoMinute =>
  `${addDays(minute.slice(0, 10), shiftDays)}${minute.slice(10)}`;

/** Plans lose their names, and ids that are none of ours. */
export function deIdentifyForecast(forecast: Forecast, removal: Removal): Forecast {
  const { vocabulary, shiftDays } = removal;
  const plans = forecast.plans.map((own, index) => ({ ...own, plan: namelessPlan(own.plan, index, vocabulary) }));
  const moved = (date: IsoDate | null) => date && addDays(date, shiftDays);
  return {
    ...forecast,
    today: addDays(forecast.today, shiftDays),
    plans,
    differences: forecast.differences.map((own, index) => ({ ...own, planId: plans[index + 1]?.plan.id ?? own.planId })),
    fit: {
      ...forecast.fit,
      inputs: forecast.fit.inputs.flatMap((own) => {
        const kept = keptInput(own, forecast.today, vocabulary, shiftDays);
        return kept ? [{ ...kept, date: moved(own.date) }] : [];
      }),
    },
  };
}

function namelessPlan(plan: Plan, index: number, { usualCare }: Vocabulary): Plan {
  const isUsualCare = plan.id === 'usual-care';
  const mark = /^plan-([a-d])$/.exec(plan.id)?.[1] ?? String(index);
  const { blocks, regimens, stopsCurrentDoses } = plan;
  return {
    id: isUsualCare ? plan.id : `plan-${mark}`,
    name: isUsualCare ? usualCare : `Plan ${mark.toUpperCase()}`,
    blocks,
    ...(regimens ? { regimens } : {}),
    ...(stopsCurrentDoses === undefined ? {} : { stopsCurrentDoses }),
  };
}

const number = String.raw`-?\d+(?:\.\d+)?(?:e[+-]?\d+)?`;

/**
 * One line of what went in, from what may be said: its name in the vocabulary, its value where that is a number with a known unit or a
 * word of the vocabulary. What a source said of it is dropped; what the model did is said again from the remark and the dates.
 */
function keptInput(one: InputUse, today: IsoDate, vocabulary: Vocabulary, shiftDays: number): InputUse | null {
  const { quantities, categories, interventions, events } = vocabulary;
  const quantity = quantities.get(one.id);
  const category = categories.get(one.id);
  const term = quantity ?? category ?? interventions.get(one.id) ?? events.get(one.id);
  if (!term) return null;
  return {
    id: one.id,
    label: one.label === `${term.label} at entry` ? one.label : term.label,
    value: one.value === null ? null : keptValue(one.id, one.value, vocabulary, shiftDays),
    date: one.date,
    remark: one.remark,
    // Of what is missing nobody typed anything: the words are the pack's own.
    detail: one.value === null && one.remark === 'missing' ? one.detail : detailOf(one, today),
  };
}

function keptValue(id: string, value: string, vocabulary: Vocabulary, shiftDays: number): string {
  const quantity = vocabulary.quantities.get(id);
  const found = new RegExp(`^(<? ?)(${number})(?: (\\S.*))?$`).exec(value);
  if (quantity && found) {
    const [, sign = '', amount = '', unit = ''] = found;
    if (isAge(id, quantity.units) && Number(amount) >= ageAbove) return `${ageAbove} or above ${unit}`.trim();
    if (unit === '' || quantity.units.includes(unit)) return `${sign}${amount} ${unit}`.trim();
  }
  const intervention = vocabulary.interventions.get(id);
  if (intervention) {
    if (value === 'ongoing') return value;
    const until = /^until (\d{4}-\d{2}-\d{2})$/.exec(value)?.[1];
    if (until) return `until ${addDays(until, shiftDays)}`;
    const dose = new RegExp(`^${number} (\\S+)(?: every ${number} h)?$`).exec(value);
    if (dose && intervention.units.includes(dose[1]!)) return value;
  }
  const words = vocabulary.categories.get(id);
  if (words && [...words.values.values()].includes(value)) return value;
  return quantity?.levels.includes(value) ? value : 'not shown';
}

function detailOf({ remark, date }: InputUse, today: IsoDate): string {
  const age = date === null ? 0 : daysBetween(date, today);
  const words: Record<InputUse['remark'], string> = {
    used: '',
    missing: '',
    stale: 'Older than the pack counts as current.',
    'outside-seen': 'Outside what most people of the pack had.',
    'too-old': 'Older than the history that the pack reads.',
    'not-an-input': 'Not read by this pack.',
  };
  return [
    words[remark],
    age >= 730 ? `${(age / 365.25).toFixed(1)} years before today.` : age > 0 ? `${age} days before today.` : '',
  ]
    .filter(Boolean)
    .join(' ');
}
