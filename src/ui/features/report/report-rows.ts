/** What the one-page report says of a run, as rows of words: intervals before points, people before percentages. */
import { dotQuantile, type Forecast, type InputUse, type PlanForecast } from '#domain/forecast.ts';
import type { Plan } from '#domain/plan.ts';
import type { PackManifest } from '#app/manifest.ts';
import { leverBlocks } from '#app/plans.ts';
import { timeIndex } from '#app/reading.ts';
import { regimensText } from '#app/regimens.ts';
import { unitText } from '#app/units.ts';
import { formatDuration, formatMoment, formatRange, formatSigned, formatValue } from '#ui/charts/chart-words.ts';
import { toTime } from '../forecast/picture.ts';

export interface ResultCell {
  /** The interval, then the point. */
  readonly own: string;
  /** Of plans after the first: plan minus usual care. */
  readonly difference: string | null;
}

export interface ResultRow {
  readonly label: string;
  /** What the numbers are of: "of 100 people, 90 % interval". */
  readonly what: string;
  readonly cells: readonly ResultCell[];
}

/** Markers beyond so many are in the exported numbers, not on the page. */
const mostMarkers = 4;

export function resultRows(forecast: Forecast, manifest: PackManifest, day: number): readonly ResultRow[] {
  const index = timeIndex(forecast, day);
  const { plans } = forecast;
  const differenceOf = (plan: PlanForecast) => forecast.differences.find(({ planId }) => planId === plan.plan.id);
  const highest = Math.max(0, ...plans.flatMap(({ events }) => Object.values(events).map(({ incidence }) => incidence[index]!)));
  const of = highest < 0.015 ? 1000 : 100;
  const targets = manifest.kind === 'equations' ? manifest.targets : [];
  return [
    ...targets.map(({ id, label, intent, unit }): ResultRow => ({
      label,
      what: `${intent === 'reach' ? 'reached in' : 'happens in'}, of 100 draws (95 % interval from their number)`,
      cells: plans.map(({ targets: own }) => {
        const one = own?.[id];
        if (!one) return { own: '–', difference: null };
        const measure = formatRange(one.quantiles[0], one.quantiles[4]);
        return {
          own: `${people(one.low, one.high, 100)} (${formatValue(Math.round(100 * one.probability))}); 9 in 10 within ${measure} ${unitText(unit)}`,
          difference: null,
        };
      }),
    })),
    ...manifest.events.map(({ id, label }): ResultRow => ({
      label,
      what: `of ${of} people (90 % interval, middle)`,
      cells: plans.map((plan) => {
        const own = plan.events[id];
        if (!own) return { own: '–', difference: null };
        const dots = differenceOf(plan)?.events[id]?.[index] ?? [];
        return {
          own: `${people(own.low[index]!, own.high[index]!, of)} (${formatValue(Math.round(of * own.incidence[index]!))})`,
          difference:
            dots.length === 0
              ? null
              : differenceWords({
                  low: Math.round(of * dotQuantile(dots, 0.05)),
                  high: Math.round(of * dotQuantile(dots, 0.95)),
                  // From the counts as they are shown, so that the line adds up.
                  middle: Math.round(of * own.incidence[index]!) - Math.round(of * plans[0]!.events[id]!.incidence[index]!),
                }),
        };
      }),
    })),
    ...manifest.markers.slice(0, mostMarkers).map(({ id, label, unit, decimals }): ResultRow => ({
      label,
      what: `${unitText(unit)}: 9 in 10 courses (middle)`,
      cells: plans.map((plan) => {
        const own = plan.markers[id];
        const band = own?.bands.find(({ level }) => level === 0.9);
        if (!own || !band) return { own: '–', difference: null };
        const [low, high, middle] = [band.low[index]!, band.high[index]!, own.median[index]!];
        const paired = differenceOf(plan)?.markers[id];
        const spread = paired?.bands.find(({ level }) => level === 0.9);
        return {
          own: `${formatRange(low, high, { most: decimals + 1 })} (${formatValue(middle, { halfWidth: (high - low) / 2, most: decimals + 1 })})`,
          difference:
            paired && spread
              ? spreadWords(spread.low[index]!, paired.median[index]!, spread.high[index]!, paired.unit === '%' ? ' %' : '')
              : null,
        };
      }),
    })),
  ];
}

const people = (low: number, high: number, of: number): string => {
  const [from, to] = [Math.round(of * low), Math.round(of * high)];
  return from === to ? String(from) : `${from}–${to}`;
};

function spreadWords(low: number, middle: number, high: number, unit: string): string {
  if (low === 0 && high === 0) return 'no difference';
  const half = (high - low) / 2;
  return `difference ${formatSigned(low, half)} to ${formatSigned(high, half)}${unit} (${formatSigned(middle, half)})`;
}

/** "difference 8 to 18 fewer (12 fewer)", "difference from 3 fewer to 1 more (1 fewer)". */
function differenceWords({ low, middle, high }: { low: number; middle: number; high: number }): string {
  const side = (value: number) => (value === 0 ? 'none' : `${Math.abs(value)} ${value < 0 ? 'fewer' : 'more'}`);
  if (low === 0 && high === 0 && middle === 0) return 'no difference';
  if (high < 0) return `difference ${-high} to ${side(low)} (${side(middle)})`;
  if (low > 0) return `difference ${low} to ${side(high)} (${side(middle)})`;
  return `difference from ${side(low)} to ${side(high)} (${side(middle)})`;
}

/** What a plan gives, in one line. */
export function planText(plan: Plan, manifest: PackManifest): string {
  const { timeUnit } = manifest.grid;
  const labelOf = (id: string) => manifest.interventions.find((one) => one.id === id)?.label ?? id;
  const blocks = leverBlocks(manifest, plan).map(({ intervention, startDay, stopDay }) => {
    const from = startDay === 0 ? 'from today' : `starting ${formatMoment(toTime(startDay, timeUnit), 0, timeUnit)}`;
    return `${labelOf(intervention)} ${from} for ${formatDuration(toTime(stopDay - startDay, timeUnit), timeUnit)}`;
  });
  const regimens =
    plan.regimens && plan.regimens.length > 0
      ? [`${labelOf(plan.regimens[0]!.intervention)} ${regimensText(plan.regimens, manifest)}`]
      : [];
  const current = plan.stopsCurrentDoses ? ['doses of the record stop'] : [];
  const all = [...blocks, ...regimens, ...current];
  if (all.length > 0) return all.join('; ');
  return plan.id === 'usual-care' ? manifest.usualCare.description : 'nothing beside usual care';
}

/** With its unit as people write it: values stand in the report as the fit noted them, in UCUM. */
export function inputValue(value: string | null): string {
  if (value === null) return '–';
  const found = /^(.*\d|.*above) (\S+)$/.exec(value);
  return found ? `${found[1]} ${unitText(found[2]!)}`.trim() : value;
}

/** Doubtful lines first, then the latest value of each input; the rest is counted. */
export function inputRows(
  inputs: readonly InputUse[],
  most: number,
): { readonly rows: readonly InputUse[]; readonly left: number } {
  const isDoubtful = ({ remark }: InputUse) => remark === 'stale' || remark === 'outside-seen' || remark === 'missing';
  const firsts = inputs.filter(
    (one, index) => inputs.findIndex(({ id }) => id === one.id) === index && one.remark !== 'not-an-input',
  );
  const rows =
    firsts.length <= most ? firsts : [...firsts.filter(isDoubtful), ...firsts.filter((one) => !isDoubtful(one))].slice(0, most);
  return { rows, left: inputs.length - rows.length };
}

/** Sources of what the plans use: each intervention's own evidence. */
export function evidenceOf(plans: readonly Plan[], manifest: PackManifest): readonly string[] {
  const used = new Set(
    plans.flatMap(({ blocks, regimens = [] }) => [...blocks, ...regimens].map(({ intervention }) => intervention)),
  );
  return manifest.interventions
    .filter(({ id }) => used.has(id))
    .map(({ label, evidence }) => `${label}: ${evidence.statement} ${evidence.citation}`);
}
