/** What the comparison of two seeds says. */
import type { Forecast } from '#domain/forecast.ts';
import type { PackManifest } from '#app/manifest.ts';
import type { Reading } from '#app/reading.ts';
import { isFar } from '#app/seed-check.svelte.ts';
import type { SeedComparison } from '#app/seed-check.svelte.ts';
import { unitText } from '#app/units.ts';
import type { PlanIdentity } from '#ui/charts/chart-types.ts';
import { formatRange, formatValue } from '#ui/charts/chart-words.ts';
import { identityOf } from './picture.ts';

const list = new Intl.ListFormat('en-GB');

export function seedSentence({ pairs, turned, keeps }: SeedComparison, one: Forecast, other: Forecast): string {
  if (pairs.length === 0) return `With seed ${other.run.seed} there is nothing to read: ${other.message}`;
  if (keeps) {
    return `The message keeps: with seed ${other.run.seed} instead of ${one.run.seed} middles and intervals move by little, and every difference from usual care stays on its side of none.`;
  }
  const names = (ids: readonly string[]) =>
    list.format(one.plans.filter(({ plan }) => ids.includes(plan.id)).map(({ plan }) => identityOf(plan).name));
  const far = pairs.filter(isFar).map(({ planId }) => planId);
  const parts = [
    ...(far.length > 0 ? [`what is read under ${names(far)} moves by more than a quarter of its interval`] : []),
    ...(turned.length > 0
      ? [`whether the difference of ${names(turned)} from usual care includes none depends on the seed`]
      : []),
  ];
  return `The message moves: with seed ${other.run.seed} instead of ${one.run.seed}, ${parts.join('; ')}. Read the wider of the two, and the differences as open.`;
}

/** A row a plan: the interval and middle with each seed, how far chance moved the middle and an end, and how wide the interval is. */
export function seedRows(
  { pairs }: SeedComparison,
  forecast: Forecast,
  manifest: PackManifest,
): { readonly plan: PlanIdentity; readonly cells: readonly string[] }[] {
  return pairs.map(({ planId, one, other, middle, end }) => {
    const times = one.kind === 'chance' ? 100 : 1;
    const unit = one.kind === 'chance' ? 'of 100' : unitText(one.unit);
    const width = times * (one.high - one.low);
    const decimals = one.kind === 'value' ? manifest.markers.find(({ id }) => id === one.marker)?.decimals : undefined;
    const most = decimals === undefined ? (width < 10 ? 1 : 0) : decimals + 1;
    const text = ({ low, high, value }: Reading) =>
      `${formatRange(times * low, times * high, { most })}, middle ${formatValue(times * value, { halfWidth: (times * (high - low)) / 2, most })}`;
    return {
      plan: identityOf(forecast.plans.find(({ plan }) => plan.id === planId)!.plan),
      cells: [
        text(one),
        text(other),
        `${formatValue(Math.abs(times * middle), { most })} ${unit}`,
        `${formatValue(times * end, { most })} ${unit}`,
        `${formatValue(width, { most })} ${unit}`,
      ],
    };
  });
}
