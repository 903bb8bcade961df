/** A `Forecast` as it comes out of a file: every field, every number, every length. */
import * as v from 'valibot';
import { bandLevels } from '#domain/forecast.ts';
import type { Forecast, MarkerForecast } from '#domain/forecast.ts';
import { isIsoDate } from '#domain/record.ts';

const text = v.pipe(v.string(), v.maxLength(20_000));
const id = v.pipe(v.string(), v.maxLength(200));
const finite = v.pipe(v.number(), v.finite());
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const date = v.pipe(v.string(), v.check(isIsoDate, 'expected a day as YYYY-MM-DD'));

/** What has no value, because no simulated course got there, is `null` in JSON and NaN here. */
const orNone = v.pipe(
  v.nullable(finite),
  v.transform((value) => value ?? Number.NaN),
);
const share = v.pipe(
  v.nullable(v.pipe(finite, v.minValue(-1e-6), v.maxValue(1 + 1e-6))),
  v.transform((value) => value ?? Number.NaN),
);
const difference = v.pipe(finite, v.minValue(-1 - 1e-6), v.maxValue(1 + 1e-6));

const series = v.array(orNone);
const shares = v.array(share);
const estimate = v.strictObject({ value: orNone, low: orNone, high: orNone });
const byId = <Schema extends v.GenericSchema>(schema: Schema) => v.record(id, schema);

const route = v.picklist(['iv-bolus', 'iv-infusion', 'oral', 'subcutaneous', 'radiation']);
const plan = v.strictObject({
  id,
  name: v.pipe(v.string(), v.maxLength(500)),
  blocks: v.array(
    v.strictObject({ intervention: id, startDay: v.pipe(finite, v.minValue(0)), stopDay: v.pipe(finite, v.minValue(0)) }),
  ),
  regimens: v.exactOptional(
    v.array(
      v.strictObject({
        intervention: id,
        amount: v.pipe(finite, v.minValue(0)),
        route,
        durationHours: v.nullable(v.pipe(finite, v.minValue(0))),
        startHour: finite,
        everyHours: v.nullable(v.pipe(finite, v.gtValue(0))),
        count: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1))),
      }),
    ),
  ),
  stopsCurrentDoses: v.exactOptional(v.boolean()),
});

const band = v.strictObject({ level: v.picklist(bandLevels), low: series, high: series });
const marker = v.strictObject({
  unit: id,
  bands: v.array(band),
  median: series,
  memberMedians: v.array(series),
  courses: v.array(v.array(v.nullable(finite))),
});
const event = v.strictObject({ incidence: shares, members: v.array(shares), low: shares, high: shares });
const target = v.strictObject({
  probability: share,
  low: share,
  high: share,
  unit: id,
  quantiles: v.strictTuple([orNone, orNone, orNone, orNone, orNone]),
});

const equationsFit = v.strictObject({
  models: v.array(
    v.strictObject({
      id,
      title: text,
      weight: share,
      rung: v.picklist(['prior', 'importance', 'laplace', 'smc']),
      effectiveSampleSize: orNone,
      draws: count,
      divergedShare: share,
      parameters: v.array(
        v.strictObject({ symbol: id, label: text, unit: id, map: orNone, low: orNone, median: orNone, high: orNone }),
      ),
    }),
  ),
  flattening: v.nullable(finite),
  residuals: v.array(
    v.strictObject({
      marker: id,
      daysFromNow: finite,
      observed: finite,
      isBelowLimit: v.boolean(),
      predicted: v.strictTuple([orNone, orNone, orNone]),
    }),
  ),
});

export const forecastSchema = v.strictObject({
  status: v.picklist(['completed', 'diverged', 'outside-support', 'stopped', 'out-of-memory']),
  message: text,
  pack: v.strictObject({ id, version: id, digest: id, title: text }),
  today: date,
  timesDays: v.pipe(v.array(v.pipe(finite, v.minValue(0))), v.minLength(1), v.maxLength(100_000)),
  plans: v.pipe(
    v.array(
      v.strictObject({
        plan,
        markers: byId(marker),
        signs: byId(v.array(shares)),
        events: byId(event),
        eventFree: shares,
        anyEvent: v.exactOptional(v.strictObject({ low: shares, high: shares })),
        eventFreeDays: estimate,
        outsideSupport: v.array(text),
        targets: v.exactOptional(byId(target)),
      }),
    ),
    v.maxLength(8),
  ),
  differences: v.array(
    v.strictObject({
      planId: id,
      markers: byId(marker),
      events: byId(v.array(v.array(difference))),
      anyEvent: v.array(v.array(difference)),
      eventFreeDays: v.array(finite),
    }),
  ),
  fit: v.strictObject({
    standing: v.picklist(['fits', 'partly', 'outside']),
    reasons: v.array(text),
    particles: count,
    effectiveSampleSize: orNone,
    temperedMoves: count,
    conflictProbability: v.nullable(share),
    observationsUsed: count,
    inputs: v.array(
      v.strictObject({
        id,
        label: text,
        value: v.nullable(text),
        date: v.nullable(date),
        remark: v.picklist(['used', 'missing', 'stale', 'outside-seen', 'too-old', 'not-an-input']),
        detail: text,
      }),
    ),
    equations: v.exactOptional(equationsFit),
  }),
  run: v.strictObject({
    engine: id,
    engineDescription: text,
    seed: v.pipe(count, v.maxValue(2 ** 32 - 1)),
    rollouts: count,
    members: count,
    elapsedMs: v.strictObject({ fit: v.pipe(finite, v.minValue(0)), rollOut: v.pipe(finite, v.minValue(0)) }),
  }),
  corrections: v.exactOptional(
    v.pipe(
      v.array(v.strictObject({ kind: v.picklist(['intervals', 'event-odds', 'head', 'conformal']), id, words: text })),
      v.maxLength(8),
    ),
  ),
  past: v.exactOptional(
    v.strictObject({
      timesDays: v.array(v.pipe(finite, v.maxValue(0))),
      markers: byId(v.strictObject({ unit: id, bands: v.array(band), median: series })),
    }),
  ),
});

/** What no field alone can say: lengths that agree, times and bands in order. The first fault, or null. */
export function shapeFault(forecast: Forecast): string | null {
  const { timesDays, plans, differences, past } = forecast;
  if (!ascends(timesDays)) return 'forecast.timesDays: they do not ascend';
  if (timesDays[0] !== 0) return 'forecast.timesDays: the first is not 0';
  const ids = plans.map(({ plan: { id: planId } }) => planId);
  if (new Set(ids).size < ids.length) return 'forecast.plans: two have the same id';
  if (differences.length > 0 && differences.map(({ planId }) => planId).join('\n') !== ids.slice(1).join('\n'))
    return 'forecast.differences: they are not those of the plans after the first';
  const times = timesDays.length;
  for (const [p, one] of plans.entries()) {
    const at = `forecast.plans.${p}`;
    const fault =
      markersFault(one.markers, times, at) ??
      first([one.eventFree, ...Object.values(one.anyEvent ?? {})], (own) => lengthFault(own, times, `${at}.eventFree`)) ??
      first(Object.values(one.signs), (levels) => lengthFault(levels, times, `${at}.signs`)) ??
      first(Object.values(one.events), ({ incidence, low, high, members }) =>
        first([incidence, low, high, ...members], (own) => lengthFault(own, times, `${at}.events`)),
      );
    if (fault) return fault;
  }
  for (const [d, one] of differences.entries()) {
    const at = `forecast.differences.${d}`;
    const fault =
      markersFault(one.markers, times, at) ??
      first([one.anyEvent, ...Object.values(one.events)], (own) => lengthFault(own, times, `${at}.events`) ?? dotsFault(own, at));
    if (fault) return fault;
  }
  if (!past) return null;
  if (!ascends(past.timesDays)) return 'forecast.past.timesDays: they do not ascend';
  return first(Object.values(past.markers), (own) => bandsFault(own, past.timesDays.length, 'forecast.past.markers'));
}

function markersFault(markers: Readonly<Record<string, MarkerForecast>>, times: number, at: string): string | null {
  return first(
    Object.values(markers),
    (own) =>
      bandsFault(own, times, `${at}.markers`) ??
      first([...own.memberMedians, ...own.courses], (line) => lengthFault(line, times, `${at}.markers`)),
  );
}

function bandsFault({ bands, median }: Pick<MarkerForecast, 'bands' | 'median'>, times: number, at: string): string | null {
  if (bands.length === 0) return `${at}: a course without a band`;
  if (new Set(bands.map(({ level }) => level)).size < bands.length) return `${at}: two bands of one level`;
  const fault = first([median, ...bands.flatMap(({ low, high }) => [low, high])], (line) => lengthFault(line, times, at));
  if (fault) return fault;
  // Quantiles of one sample: what separates them is rounding, at most a few units in the last place of f32.
  const isOrdered = bands.every(({ low, high }) => low.every((value, t) => !(value > high[t]! + 1e-5 * Math.abs(value))));
  return isOrdered ? null : `${at}: a band whose low end lies above its high end`;
}

const dotsFault = (byTime: readonly (readonly number[])[], at: string): string | null =>
  byTime.every((dots) => dots.every((value, i) => i === 0 || value >= dots[i - 1]!)) ? null : `${at}: differences do not ascend`;

const lengthFault = (line: readonly unknown[], times: number, at: string): string | null =>
  line.length === times ? null : `${at}: a line of ${line.length} values for ${times} times`;

const ascends = (values: readonly number[]) => values.every((value, index) => index === 0 || value > values[index - 1]!);

function first<Item>(items: readonly Item[], faultOf: (item: Item) => string | null): string | null {
  for (const item of items) {
    const fault = faultOf(item);
    if (fault) return fault;
  }
  return null;
}
