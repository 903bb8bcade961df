/**
 * From a patient record to what the programs of an `equations` pack are told: doses, levels, covariates and controls in time. Time here
 * is hours from now, negative in the past; each model's own time is made from it in `course.ts`. Every number of the record is either
 * read or named with the reason why it is not.
 */
import { expandCourse, hoursBetween } from '#domain/doses.ts';
import { AppError } from '#domain/errors.ts';
import type { InputUse } from '#domain/forecast.ts';
import type { Regimen } from '#domain/plan.ts';
import { isIsoDate, type DoseCourse, type IsoMinute, type Observation, type PatientRecord } from '#domain/record.ts';
import { toCanonical } from '#packs/conditioning.ts';
import type { Route } from '#packs/equations/model.ts';
import { conversionFactor, parseUnit, UnitError } from '#packs/equations/units.ts';
import type { Covariate, EquationsManifest, MarkerDescription } from '#packs/manifest.ts';
import { staleWords } from '../stale-words.ts';

export interface Person {
  readonly now: IsoMinute;
  /** Hours from now to midnight of the record's entry date, and to birth if the record has an age. */
  readonly entryHours: number;
  readonly birthHours: number | null;
  /** Ascending in time, up to now. Amounts in the unit of the pack's inputs. */
  readonly doses: readonly PersonDose[];
  /** Courses of the record that go on after now. */
  readonly continuing: readonly Regimen[];
  /** Ascending in time, up to now, in the markers' units. */
  readonly levels: readonly Level[];
  /** By manifest id: the value from each hour on, ascending; the first also holds before. Categories as their index. */
  readonly covariates: ReadonlyMap<string, readonly { readonly hours: number; readonly value: number }[]>;
  /** Categories that are not known, with the shares that stand in their place. */
  readonly unknown: ReadonlyMap<string, readonly number[]>;
  /** Treatments of the record: when a control of the model was on. `stop` is Infinity while it goes on. */
  readonly treatments: readonly { readonly intervention: string; readonly start: number; readonly stop: number }[];
  readonly uses: readonly InputUse[];
}

export interface PersonDose {
  readonly intervention: string;
  readonly route: Route;
  readonly hours: number;
  readonly amount: number;
  /** 0 for what is not infused. */
  readonly durationHours: number;
}

export interface Level {
  readonly marker: string;
  readonly hours: number;
  readonly value: number;
  readonly isBelowLimit: boolean;
}

const hoursPerYear = 365.25 * 24;

/** Throws `AppError` for what a person must mend first: dates, doses, values, units, covariates. */
export function readPerson(manifest: EquationsManifest, record: PatientRecord, now: IsoMinute): Person {
  if (!isIsoDate(record.entryDate))
    throw new AppError('date_invalid', 'Day of entry: expected a calendar day written YYYY-MM-DD.');
  const entryHours = hoursBetween(now, `${record.entryDate}T00:00`);
  const age = record.covariates['age'];
  // Age is in completed years at entry, so the birthday may be almost a year earlier than the number says.
  const birthHours = typeof age === 'number' ? entryHours - age * hoursPerYear : null;
  const isBeforeBirth = (hours: number) => birthHours !== null && hours < birthHours - hoursPerYear;

  const courses = (record.doses ?? []).map((course, index) => readCourse(manifest, course, index, now));
  const doses = courses.flatMap((course) => course.doses).sort((a, b) => a.hours - b.hours);
  const given = new Set<string>();
  doses.forEach((dose) => {
    if (isBeforeBirth(dose.hours)) {
      throw new AppError('dose_before_birth', 'A dose is dated before the person was born. Correct its date, or the age.');
    }
    // A bolus may begin together with an infusion; the same drug twice by one route at one instant is a line entered twice.
    const instant = `${dose.hours} ${dose.intervention} ${dose.route}`;
    if (given.has(instant)) {
      const label = labelOf(manifest, dose.intervention);
      throw new AppError(
        'dose_duplicate',
        `${label}: two doses stand at one instant. Remove one, or enter their sum as one dose.`,
      );
    }
    given.add(instant);
  });

  const readings = record.observations.map((observation, index) => {
    const reading = readObservation(manifest, observation, index, now);
    if (isBeforeBirth(reading.hours)) {
      const where = `Observation ${index + 1} (${observation.code})`;
      throw new AppError(
        'observation_before_birth',
        `${where}: it is dated before the person was born. Correct the date or the age.`,
      );
    }
    return reading;
  });
  const levels = readings.flatMap(({ level }) => (level ? [level] : [])).sort((a, b) => a.hours - b.hours);

  const covariates = new Map<string, { hours: number; value: number }[]>();
  const unknown = new Map<string, readonly number[]>();
  const uses: InputUse[] = [];
  for (const covariate of manifest.covariates) {
    const course = covariateCourse(covariate, record, readings, entryHours);
    if (course.length > 0) covariates.set(covariate.id, course);
    else if (covariate.kind === 'category') unknown.set(covariate.id, sharesOf(covariate, record));
    else if (covariate.whenMissing !== undefined)
      covariates.set(covariate.id, [{ hours: entryHours, value: covariate.whenMissing }]);
    uses.push(covariateUse(manifest, covariate, course, record));
  }
  const missing = manifest.covariates.filter((one) => one.required && !covariates.has(one.id));
  if (missing.length > 0) {
    const labels = missing.map(({ label }) => label).join(', ');
    throw new AppError('covariate_missing', `${manifest.title} cannot be forecast without: ${labels}. Enter the missing values.`);
  }

  return {
    now,
    entryHours,
    birthHours,
    doses,
    continuing: courses.flatMap((course) => course.continuing),
    levels,
    covariates,
    unknown,
    treatments: record.treatments.map(({ intervention, start, stop }) => ({
      intervention,
      start: hoursBetween(now, `${start}T00:00`),
      stop: stop === null ? Infinity : hoursBetween(now, `${stop}T00:00`),
    })),
    uses: [...uses, ...markerUses(manifest, readings), ...courses.map((course) => course.use)],
  };
}

function labelOf(manifest: EquationsManifest, intervention: string): string {
  return manifest.interventions.find(({ id }) => id === intervention)?.label ?? intervention;
}

interface ReadCourse {
  readonly doses: readonly PersonDose[];
  readonly continuing: readonly Regimen[];
  readonly use: InputUse;
}

function readCourse(manifest: EquationsManifest, course: DoseCourse, index: number, now: IsoMinute): ReadCourse {
  const where = `Course ${index + 1} (${labelOf(manifest, course.intervention)})`;
  const inputs = manifest.models.flatMap((model) => model.inputs ?? []).filter((one) => one.intervention === course.intervention);
  const input = inputs.find(({ routes }) => routes.includes(course.route));
  const use = {
    id: course.intervention,
    label: labelOf(manifest, course.intervention),
    value: `${course.amount} ${course.unit}${course.everyHours === null ? '' : ` every ${course.everyHours} h`}`,
    date: course.start.slice(0, 10),
  };
  if (!input && inputs.length > 0) {
    const routes = [...new Set(inputs.flatMap((one) => one.routes))].join(', ');
    throw new AppError('dose_invalid', `${where}: this pack knows it by these routes only: ${routes}. Correct the route.`);
  }
  if (!input)
    return { doses: [], continuing: [], use: { ...use, remark: 'not-an-input', detail: 'This pack does not read it.' } };
  const factor = doseFactor(course.unit, input.unit, where);
  const { intervention, route, durationHours, everyHours } = course;
  const given = expandCourse(course, now).map(({ at, amount }) => ({
    intervention,
    route,
    hours: hoursBetween(now, at),
    amount: amount * factor,
    durationHours: durationHours ?? 0,
  }));
  const from = hoursBetween(now, course.start);
  const nextDose = everyHours === null ? (from > 0 ? 0 : 1) : Math.max(0, Math.floor(-from / everyHours) + 1);
  const left = everyHours === null ? 1 - nextDose : course.count === null ? Infinity : course.count - nextDose;
  const continuing: Regimen[] =
    left > 0
      ? [
          {
            intervention,
            amount: course.amount * factor,
            route,
            durationHours,
            startHour: from + nextDose * (everyHours ?? 0),
            everyHours: left === 1 ? null : everyHours,
            count: left === Infinity ? null : left,
          },
        ]
      : [];
  const doses = given.length === 1 ? '1 dose' : `${given.length} doses`;
  return { doses: given, continuing, use: { ...use, remark: 'used', detail: `${doses} up to now.` } };
}

function doseFactor(entered: string, unit: string, where: string): number {
  if (entered === unit) return 1;
  try {
    return conversionFactor(parseUnit(entered), parseUnit(unit));
  } catch (cause) {
    if (!(cause instanceof UnitError)) throw cause;
    throw new AppError(
      'unit_unknown',
      `${where}: '${entered}' is not a unit of this dose. Expected ${unit}, or another unit of the same kind.`,
      { cause },
    );
  }
}

interface Reading {
  readonly code: string;
  readonly hours: number;
  readonly value: number;
  /** False for what the pack does not know, and for limits that it cannot compute with. */
  readonly isRead: boolean;
  readonly level: Level | null;
  readonly use: InputUse;
}

function readObservation(manifest: EquationsManifest, observation: Observation, index: number, now: IsoMinute): Reading {
  const { code, date, time = '00:00', value, unit, source, isBelowLimit = false, isAboveLimit = false } = observation;
  const where = `Observation ${index + 1} (${code})`;
  if (!isIsoDate(date)) throw new AppError('date_invalid', `${where}: expected a calendar day written YYYY-MM-DD.`);
  if (!Number.isFinite(value))
    throw new AppError('value_not_a_number', `${where}: expected a number. Enter one or remove the row.`);
  const hours = hoursBetween(now, `${date}T${time}`);
  if (hours > 0) {
    throw new AppError(
      'date_in_future',
      `${where}: it is dated after the moment of the forecast. Correct it, or forecast from later.`,
    );
  }
  const sign = isBelowLimit ? '< ' : isAboveLimit ? '> ' : '';
  const use = { id: code, label: code, value: `${sign}${value} ${unit}`.trim(), date, detail: source };
  const marker = manifest.markers.find(({ id }) => id === code);
  const quantity = marker ?? manifest.covariates.find(({ id, kind }) => id === code && kind === 'number');
  if (!quantity || !('plausible' in quantity)) {
    const detail = [source, 'This pack does not read it.'].filter(Boolean).join(' ');
    return { code, hours, value, isRead: false, level: null, use: { ...use, remark: 'not-an-input', detail } };
  }
  // Below the limit of an assay is what an error model knows; anything else about a limit is no number.
  if (isAboveLimit || (isBelowLimit && !marker)) {
    const why = `This pack cannot read a value that is only known to lie ${isAboveLimit ? 'above' : 'below'} a limit.`;
    const detail = [source, why].filter(Boolean).join(' ');
    return {
      code,
      hours,
      value,
      isRead: false,
      level: null,
      use: { ...use, label: quantity.label, remark: 'not-an-input', detail },
    };
  }
  const canonical = toCanonical(quantity, value, unit);
  const [low, high] = quantity.plausible;
  if (!observation.isConfirmed && !isBelowLimit && (canonical < low || canonical > high)) {
    throw new AppError(
      'value_implausible',
      `${where}: the value is outside ${low} to ${high} ${quantity.unit}. Check the number and its unit, or confirm it.`,
    );
  }
  const isOutsideSeen = canonical < quantity.seen[0] || canonical > quantity.seen[1];
  const outside = isOutsideSeen ? 'Outside what the pack’s patients had.' : '';
  const converted = unit === quantity.unit ? '' : `Read as ${Number(canonical.toPrecision(4))} ${quantity.unit}.`;
  return {
    code,
    hours,
    value: canonical,
    isRead: true,
    level: marker ? { marker: code, hours, value: canonical, isBelowLimit } : null,
    use: {
      ...use,
      label: quantity.label,
      remark: isOutsideSeen ? 'outside-seen' : 'used',
      detail: [source, converted, outside].filter(Boolean).join(' '),
    },
  };
}

function covariateCourse(
  covariate: Covariate,
  record: PatientRecord,
  readings: readonly Reading[],
  entryHours: number,
): { hours: number; value: number }[] {
  const { id, label } = covariate;
  const value = Object.hasOwn(record.covariates, id) ? record.covariates[id] : undefined;
  if (covariate.kind === 'category') {
    if (value === undefined) return [];
    const index = covariate.categories.findIndex((category) => category.value === value);
    if (index >= 0) return [{ hours: entryHours, value: index }];
    const known = covariate.categories.map((category) => category.value).join(', ');
    throw new AppError('covariate_invalid', `${label}: expected one of ${known}. Choose one of these.`);
  }
  const [low, high] = covariate.plausible;
  if (value !== undefined && !(typeof value === 'number' && value >= low && value <= high)) {
    throw new AppError('covariate_invalid', `${label}: expected ${low} to ${high} ${covariate.unit}. Correct the value.`);
  }
  const measured = readings
    .filter(({ code, isRead }) => code === id && isRead)
    .map(({ hours, value: measuredValue }) => ({ hours, value: measuredValue }));
  const atEntry =
    typeof value === 'number' ? [{ hours: Math.min(entryHours, ...measured.map(({ hours }) => hours)), value }] : [];
  return [...atEntry, ...measured].sort((a, b) => a.hours - b.hours);
}

/** Shares of a category that is not known: by another covariate where the pack knows them so, else overall. */
function sharesOf(covariate: Extract<Covariate, { kind: 'category' }>, record: PatientRecord): readonly number[] {
  const by = covariate.sharesBy && record.covariates[covariate.sharesBy.covariate];
  const shares = covariate.sharesBy?.shares ?? {};
  const own = typeof by === 'string' && Object.hasOwn(shares, by) ? shares[by] : undefined;
  return own ?? covariate.categories.map(({ share }) => share);
}

function covariateUse(
  manifest: EquationsManifest,
  covariate: Covariate,
  course: readonly { readonly hours: number; readonly value: number }[],
  record: PatientRecord,
): InputUse {
  const { id, label } = covariate;
  const base = { id, label, date: record.entryDate };
  const last = course.at(-1);
  if (covariate.kind === 'category') {
    if (last) return { ...base, value: covariate.categories[last.value]!.label, remark: 'used', detail: '' };
    const by = covariate.sharesBy && record.covariates[covariate.sharesBy.covariate];
    const other = manifest.covariates.find((one) => one.id === covariate.sharesBy?.covariate);
    const group = other?.kind === 'category' ? other.categories.find(({ value }) => value === by)?.label : undefined;
    const source = covariate.sharesBy && group ? ` in ${group} (${covariate.sharesBy.source})` : ' overall';
    return { ...base, value: null, remark: 'missing', detail: `Not known: integrated over its frequencies${source}.` };
  }
  if (!last) {
    const stand = covariate.whenMissing === undefined ? '' : `${covariate.whenMissing} ${covariate.unit} stands in its place.`;
    return { ...base, value: null, remark: 'missing', detail: stand };
  }
  const isOutsideSeen = last.value < covariate.seen[0] || last.value > covariate.seen[1];
  return {
    ...base,
    value: `${last.value} ${covariate.unit}`,
    remark: isOutsideSeen ? 'outside-seen' : 'used',
    detail: [
      course.length > 1 ? `${course.length} values in time, each holds until the next.` : '',
      isOutsideSeen ? 'Outside what the pack’s patients had.' : '',
    ]
      .filter(Boolean)
      .join(' '),
  };
}

function markerUses(manifest: EquationsManifest, readings: readonly Reading[]): InputUse[] {
  const missing = manifest.markers
    .filter(({ id }) => !readings.some(({ code, isRead }) => code === id && isRead))
    .map(({ id, label }: MarkerDescription): InputUse => {
      const detail = 'No level yet: the forecast is what the population with these covariates shows.';
      return { id, label, value: null, date: null, remark: 'missing', detail };
    });
  const latestFirst = readings.toSorted((a, b) => b.hours - a.hours);
  const uses = latestFirst.map((reading) => {
    const { code, hours, use } = reading;
    const marker = manifest.markers.find(({ id }) => id === code);
    const isLatest = reading === latestFirst.find((one) => one.code === code && one.isRead);
    const ageDays = -hours / 24;
    if (!marker || !isLatest || use.remark !== 'used' || ageDays <= marker.staleAfterDays) return use;
    const detail = [staleWords(ageDays, marker.staleAfterDays), use.detail].filter(Boolean).join(' ');
    return { ...use, remark: 'stale' as const, detail };
  });
  return [...missing, ...uses];
}

/** Latest weight, and body surface by Mosteller (1987) where it is not itself known; for doses per kg and per m². */
export function bodySize({ covariates }: Pick<Person, 'covariates'>): {
  readonly weightKg: number | null;
  readonly surfaceM2: number | null;
} {
  const latest = (id: string) => covariates.get(id)?.at(-1)?.value ?? null;
  const [weightKg, heightCm, surface] = [latest('weight'), latest('height'), latest('bsa')];
  const mosteller = weightKg === null || heightCm === null ? null : Math.sqrt((weightKg * heightCm) / 3600);
  return { weightKg, surfaceM2: surface ?? mosteller };
}
