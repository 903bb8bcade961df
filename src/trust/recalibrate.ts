/**
 * Corrections learned from local outcomes of frozen forecasts. Patients are split once, by their ids: one half teaches, the other half
 * judges, and a correction is kept only where the second half is better off with it. Nothing is switched on here.
 */
import type { PatientRecord } from '#domain/record.ts';
import type {
  Correction,
  ForecastOutcome,
  FrozenForecast,
  RecalibrationAnswer,
  RecalibrationFigure,
  RecalibrationKind,
} from '#domain/trust.ts';
import { bootstrapInterval } from '#numerics/bootstrap.ts';
import { defined } from '#numerics/estimate.ts';
import { fnv1a } from '#numerics/fnv1a.ts';
import { fitLogistic, logit } from '#numerics/logistic-regression.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { normalQuantile } from '#numerics/special-functions.ts';
import type { PackManifest } from '#packs/manifest.ts';
import { corrected } from './corrections.ts';
import { groupByPatient, overPatients } from './local-log.ts';
import { outcomesOf } from './outcomes.ts';

export interface LocalCase {
  readonly frozen: FrozenForecast;
  /** As it is now: what came since included. */
  readonly record: PatientRecord;
}

/**
 * With fewer the judging half cannot tell a correction from chance: of 20 patients the share inside 90 % bands is known to ± 13 points,
 * and of 20 patients with an event its odds to a factor of about two. A head has many numbers, and asks for more.
 */
const needed = {
  intervals: { patients: 40 },
  'event-odds': { patients: 40, with: 20, without: 20 },
  head: { patients: 60 },
} as const;

/** One line for each kind: whether the local outcomes suffice, and how many are missing. */
export function shortfall(kind: RecalibrationKind, cases: readonly LocalCase[], manifest: PackManifest): string | null {
  const rows = scoredRows(cases, manifest);
  const withValues = groupByPatient(rows.filter(({ outcome }) => outcome.of.kind === 'marker')).size;
  const known = rows.filter(({ outcome }) => outcome.of.kind === 'event');
  const withEvents = groupByPatient(known);
  const had = [...withEvents.values()].filter((own) =>
    own.some(({ outcome: { of } }) => of.kind === 'event' && of.happened),
  ).length;
  if (kind === 'event-odds') {
    const { patients, with: wanted, without } = needed[kind];
    const lacks = withEvents.size < patients || had < wanted || withEvents.size - had < without;
    const found = `${withEvents.size} patients whose events are known, ${had} of them with one`;
    return lacks
      ? `Found ${found}; needed are ${patients}, at least ${wanted} with and ${without} without one: with fewer the half that judges cannot tell a correction from chance.`
      : null;
  }
  const { patients } = needed[kind];
  return withValues < patients
    ? `Found ${withValues} patients with values after their frozen forecast; needed are ${patients}: with fewer the half that judges cannot tell a correction from chance.`
    : null;
}

interface Row {
  readonly patientId: string;
  readonly at: LocalCase;
  readonly outcome: ForecastOutcome;
}

function scoredRows(cases: readonly LocalCase[], manifest: PackManifest): Row[] {
  return cases.flatMap((at) =>
    outcomesOf(at.frozen, at.record, manifest).map((outcome) => ({ patientId: at.frozen.patientId, at, outcome })),
  );
}

/** The halves do not depend on the order of patients, nor on who is added later. */
export function isJudge(patientId: string): boolean {
  return ((fnv1a(patientId) >>> 16) & 1) === 1;
}

export interface RecalibrationRequest {
  readonly manifest: PackManifest;
  readonly packDigest: string;
  readonly cases: readonly LocalCase[];
  readonly id: string;
  readonly madeAt: number;
}

/** Widths of bands, or odds of events: from the frozen forecasts themselves. */
export function recalibrate(kind: 'intervals' | 'event-odds', request: RecalibrationRequest): RecalibrationAnswer {
  const { manifest, cases } = request;
  const message = shortfall(kind, cases, manifest);
  if (message) return { status: 'too-few', message };
  const taught = cases.filter(({ frozen }) => !isJudge(frozen.patientId));
  const correction =
    kind === 'intervals' ? widthsFrom(scoredRows(taught, manifest)) : oddsFrom(scoredRows(taught, manifest), manifest);
  if (!correction) return nothingToLearn;
  const after = cases.map((one) => ({
    ...one,
    frozen: { ...one.frozen, forecast: corrected(one.frozen.forecast, manifest, [{ id: 'trial', words: '', correction }]) },
  }));
  return judged(request, correction, cases, after);
}

const nothingToLearn: RecalibrationAnswer = {
  status: 'no-better',
  message: 'The outcomes of the teaching half do not determine a correction. Nothing was changed.',
  before: [],
  after: [],
};

/** Values of one marker count for themselves from about so many on; with fewer they lean on those of all markers. */
const ownValues = 20;

function widthsFrom(rows: readonly Row[]): Correction | null {
  const scores = rows.flatMap(({ outcome: { of } }) =>
    // One wild value must not set the width for everybody.
    of.kind === 'marker'
      ? [{ marker: of.marker, z: Math.max(-4, Math.min(4, normalQuantile(Math.min(1 - 1e-9, Math.max(1e-9, of.rank))))) }]
      : [],
  );
  if (scores.length === 0) return null;
  const logSpread = (own: readonly { readonly z: number }[]) =>
    Math.log(Math.sqrt(own.reduce((sum, { z }) => sum + z ** 2, 0) / own.length) || 1e-3);
  const all = logSpread(scores);
  const markers = [...new Set(scores.map(({ marker }) => marker))];
  const factors = markers.map((marker) => {
    const own = scores.filter((one) => one.marker === marker);
    const weight = own.length / (own.length + ownValues);
    return [marker, Math.exp(weight * logSpread(own) + (1 - weight) * all)] as const;
  });
  return { kind: 'intervals', factors: Object.fromEntries(factors) };
}

/** An event with fewer than ten on either side takes the intercept and slope of all events. */
const fewestEvents = 10;

function oddsFrom(rows: readonly Row[], manifest: PackManifest): Correction | null {
  const events = rows.flatMap(({ outcome: { of } }) =>
    of.kind === 'event' && of.event !== null && of.forecast > 0 && of.forecast < 1
      ? [{ event: of.event, x: logit(of.forecast), y: of.happened ? 1 : 0 }]
      : [],
  );
  const fit = (own: typeof events) => {
    const found = fitLogistic(
      own.map(({ x }) => [1, x]),
      own.map(({ y }) => y),
    );
    return found.defined ? { intercept: found.value.coefficients[0]!, slope: found.value.coefficients[1]! } : null;
  };
  const all = fit(events);
  if (!all) return null;
  const own = manifest.events.map(({ id }) => {
    const rowsOf = events.filter(({ event }) => event === id);
    const had = rowsOf.reduce((sum, { y }) => sum + y, 0);
    const isEnough = had >= fewestEvents && rowsOf.length - had >= fewestEvents;
    return [id, (isEnough ? fit(rowsOf) : null) ?? all] as const;
  });
  const odds = Object.fromEntries(own);
  // A slope turned round would rank people backwards: that is no recalibration.
  return Object.values(odds).every(({ slope }) => slope > 0) ? { kind: 'event-odds', events: odds } : null;
}

/** Before and after on the half that judges, and whether the difference is more than chance. */
export function judged(
  { manifest, packDigest, cases, id, madeAt }: RecalibrationRequest,
  correction: Correction,
  before: readonly LocalCase[],
  after: readonly LocalCase[],
): RecalibrationAnswer {
  if (correction.kind === 'conformal') return nothingToLearn;
  const judges = (of: readonly LocalCase[]) => of.filter(({ frozen }) => isJudge(frozen.patientId));
  const [was, is] = [judges(before), judges(after)];
  const figures = [figuresOf(was, manifest, correction.kind), figuresOf(is, manifest, correction.kind)] as const;
  const [old, now] = [lossesOf(was, manifest, correction.kind), lossesOf(is, manifest, correction.kind)];
  const gains = new Map<string, number[]>();
  old.forEach(({ patientId, value }, i) => gains.set(patientId, [...(gains.get(patientId) ?? []), now[i]!.value - value]));
  const byPatient = [...gains.values()];
  const difference = bootstrapInterval(
    (rows) => {
      const values = Array.from(rows).flatMap((row) => byPatient[row]!);
      return defined(values.reduce((sum, value) => sum + value, 0) / values.length);
    },
    { persons: byPatient.length, resamples: 2000, random: new RandomSequence(seedFrom(judgeSeed)).uniform },
  );
  const isBetter = difference.defined && difference.value.upper < 0;
  const [beforeFigures, afterFigures] = figures;
  if (!isBetter) {
    return {
      status: 'no-better',
      message: `On the ${byPatient.length} patients kept apart the correction is not better by more than chance. It was not kept.`,
      before: beforeFigures,
      after: afterFigures,
    };
  }
  const patients = new Set(cases.map(({ frozen }) => frozen.patientId));
  const testedOn = [...patients].filter(isJudge).length;
  return {
    status: 'better',
    message: `On the ${testedOn} patients kept apart the correction is better by more than chance.`,
    recalibration: {
      format: 1,
      id,
      packId: manifest.id,
      packDigest,
      madeAt,
      correction,
      trainedOn: patients.size - testedOn,
      testedOn,
      before: beforeFigures,
      after: afterFigures,
      isOn: false,
    },
  };
}

const judgeSeed = 17;

interface Loss {
  readonly patientId: string;
  readonly value: number;
}

/** One loss an outcome, in the same order for the same outcomes: interval score in coordinates, or squared error of a probability. */
function lossesOf(cases: readonly LocalCase[], manifest: PackManifest, kind: RecalibrationKind): Loss[] {
  const rows = scoredRows(cases, manifest);
  const values = kind === 'event-odds' ? [] : bandLosses(rows);
  const events =
    kind === 'intervals'
      ? []
      : rows.flatMap(({ patientId, outcome: { of } }) =>
          of.kind === 'event' ? [{ patientId, value: (of.forecast - (of.happened ? 1 : 0)) ** 2 }] : [],
        );
  return [...values, ...events];
}

const bandLosses = (rows: readonly Row[]): Loss[] =>
  rows.flatMap(({ patientId, outcome: { of } }) => (of.kind === 'marker' ? [{ patientId, value: of.score }] : []));

function figuresOf(cases: readonly LocalCase[], manifest: PackManifest, kind: RecalibrationKind): RecalibrationFigure[] {
  const rows = scoredRows(cases, manifest);
  const figures: RecalibrationFigure[] = [];
  const add = (label: string, of: readonly Loss[], wanted: number | null) => {
    const found = overPatients(of, (values) => values.reduce((sum, value) => sum + value, 0) / values.length);
    if (found) figures.push({ label, ...found, n: of.length, wanted });
  };
  if (kind !== 'event-odds') {
    for (const level of [0.5, 0.8, 0.9]) {
      const inside = rows.flatMap(({ patientId, outcome: { of } }) =>
        of.kind === 'marker' ? [{ patientId, value: of.covered[String(level)] ? 1 : 0 }] : [],
      );
      add(`Values inside the ${Math.round(100 * level)} % band`, inside, level);
    }
    add('Interval score, in standard deviations (lower is better)', bandLosses(rows), null);
  }
  if (kind !== 'intervals') {
    const events = rows.flatMap(({ patientId, outcome: { of } }) => (of.kind === 'event' ? [{ patientId, of }] : []));
    add(
      'Forecast less what happened, in people of 1',
      events.map(({ patientId, of }) => ({ patientId, value: of.forecast - (of.happened ? 1 : 0) })),
      0,
    );
    add(
      'Brier score (lower is better)',
      events.map(({ patientId, of }) => ({ patientId, value: (of.forecast - (of.happened ? 1 : 0)) ** 2 })),
      null,
    );
  }
  return figures;
}
