/**
 * What a run was made from, in one text whose SHA-256 stands on every export: two files with the same hash are of the same run. Times
 * count from the moment of the forecast, so the hash is the same whether dates were moved or not, and cannot be used to find by how much.
 */
import { hoursBetween } from '#domain/doses.ts';
import type { Forecast } from '#domain/forecast.ts';
import type { Plan } from '#domain/plan.ts';
import type { IsoDate, IsoMinute, PatientRecord } from '#domain/record.ts';

export interface RunInputs {
  readonly record: PatientRecord;
  readonly plans: readonly Plan[];
  readonly pack: Forecast['pack'];
  readonly now: IsoMinute;
  readonly seed: number;
  readonly rollouts: number;
}

/** Without names, notes, sources and ids: what the engine reads, in a fixed order. */
export function inputsText({ record, plans, pack, now, seed, rollouts }: RunInputs): string {
  const day = (date: IsoDate | null) => date && hoursBetween(`${now.slice(0, 10)}T00:00`, `${date}T00:00`) / 24;
  const hour = (minute: IsoMinute) => hoursBetween(now, minute);
  const sorted = (rows: readonly (readonly unknown[])[]) => rows.map((row) => JSON.stringify(row)).sort();
  return JSON.stringify([
    [pack.id, pack.version, pack.digest],
    [seed, rollouts, now.slice(11)],
    day(record.entryDate),
    sorted(Object.entries(record.covariates)),
    sorted(
      record.observations.map((one) => [
        one.code,
        day(one.date),
        one.time ?? '',
        one.isBelowLimit ? '<' : one.isAboveLimit ? '>' : '',
        one.value,
        one.unit,
        one.isConfirmed,
      ]),
    ),
    sorted(record.treatments.map(({ intervention, start, stop }) => [intervention, day(start), day(stop)])),
    sorted(
      (record.doses ?? []).map((one) => [
        one.intervention,
        one.amount,
        one.unit,
        one.route,
        one.durationHours,
        hour(one.start),
        one.everyHours,
        one.count,
        one.exceptions.map((exception) => (exception.kind === 'given-at' ? { ...exception, at: hour(exception.at) } : exception)),
      ]),
    ),
    sorted(record.events.map(({ event, date }) => [event, day(date)])),
    plans.map(({ blocks, regimens = [], stopsCurrentDoses = false }) => [
      blocks.map(({ intervention, startDay, stopDay }) => [intervention, startDay, stopDay]),
      regimens.map((one) => [
        one.intervention,
        one.amount,
        one.route,
        one.durationHours,
        one.startHour,
        one.everyHours,
        one.count,
      ]),
      stopsCurrentDoses,
    ]),
  ]);
}
