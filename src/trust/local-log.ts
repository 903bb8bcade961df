/** The local calibration log: outcomes of frozen forecasts of all local patients under one pack, summarised by patient. */
import type { ForecastOutcome } from '#domain/trust.ts';
import { bootstrapInterval } from '#numerics/bootstrap.ts';
import { defined, notDefined, type Estimate } from '#numerics/estimate.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';

export interface LocalOutcome {
  readonly patientId: string;
  readonly outcome: ForecastOutcome;
}

export interface LocalShare {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface LocalLog {
  readonly patients: number;
  readonly values: number;
  /** By level of the bands, ascending. The interval is of 95 %, over patients; null below two of them. */
  readonly coverage: readonly {
    readonly level: number;
    readonly share: number;
    readonly interval: LocalShare | null;
    readonly n: number;
  }[];
  /** Ten equal bins of the rank of each value in its forecast; counts. */
  readonly ranks: readonly number[];
  /** By event and horizon: how many had been forecast to have it, and how many had. */
  readonly events: readonly {
    readonly event: string;
    readonly horizonDays: number;
    readonly patients: number;
    readonly expected: number;
    readonly happened: number;
  }[];
}

const logSeed = 9;

export function logOf(outcomes: readonly LocalOutcome[]): LocalLog {
  const markers = outcomes.flatMap(({ patientId, outcome: { of } }) => (of.kind === 'marker' ? [{ patientId, ...of }] : []));
  const levels = [...new Set(markers.flatMap(({ covered }) => Object.keys(covered)))].map(Number).sort((a, b) => a - b);
  const ranks = new Array<number>(10).fill(0);
  for (const { rank } of markers) ranks[Math.min(9, Math.floor(rank * 10))]!++;
  const events = new Map<
    string,
    { patients: Set<string>; expected: number; happened: number; event: string; horizonDays: number }
  >();
  for (const { patientId, outcome } of outcomes) {
    const { of, horizonDays } = outcome;
    if (of.kind !== 'event' || of.event === null) continue;
    const key = `${of.event} ${horizonDays.toFixed(3)}`;
    const own = events.get(key) ?? { patients: new Set(), expected: 0, happened: 0, event: of.event, horizonDays };
    own.patients.add(patientId);
    own.expected += of.forecast;
    own.happened += of.happened ? 1 : 0;
    events.set(key, own);
  }
  return {
    patients: new Set(outcomes.map(({ patientId }) => patientId)).size,
    values: markers.length,
    coverage: levels.map((level) => {
      const rows = markers.map(({ patientId, covered }) => ({ patientId, value: covered[String(level)] ? 1 : 0 }));
      const share = rows.reduce((sum, { value }) => sum + value, 0) / rows.length;
      return { level, share, interval: overPatients(rows, meanOf), n: rows.length };
    }),
    ranks,
    events: [...events.values()]
      .map(({ patients, ...rest }) => ({ ...rest, patients: patients.size }))
      .sort((a, b) => a.event.localeCompare(b.event) || a.horizonDays - b.horizonDays),
  };
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Resamples patients, so that one patient's values stay together. Null where the statistic is not defined. */
export function overPatients(
  rows: readonly { readonly patientId: string; readonly value: number }[],
  statistic: (values: readonly number[]) => number,
): LocalShare | null {
  const byPatient = [...groupByPatient(rows).values()].map((own) => own.map(({ value }) => value));
  const of = (indices: Int32Array): Estimate => {
    const values = Array.from(indices).flatMap((i) => byPatient[i]!);
    return values.length === 0 ? notDefined('no values') : defined(statistic(values));
  };
  const random = new RandomSequence(seedFrom(logSeed)).uniform;
  const found = bootstrapInterval(of, { persons: byPatient.length, resamples: 500, random });
  return found.defined ? { value: found.value.estimate, low: found.value.lower, high: found.value.upper } : null;
}

export function groupByPatient<T extends { readonly patientId: string }>(rows: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(row.patientId, [...(groups.get(row.patientId) ?? []), row]);
  return groups;
}
