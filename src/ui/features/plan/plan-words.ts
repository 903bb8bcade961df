/** What the Plan page says. Numbers come from the answer; nothing here ranks. */
import type { Measure, MeasureValue, PlanAnswer, PlanCandidate, SearchSpace } from '#domain/planning.ts';
import { dosedInterventions } from '#app/dosed.ts';
import type { EquationsManifest, PackManifest, Target } from '#app/manifest.ts';
import { burdenWords, isChance } from '#app/measures.ts';
import type { ExclusionReason, TypedQuestion } from '#app/plan-question.ts';
import { latestRollouts } from '#app/planning.svelte.ts';
import { unitText } from '#app/units.ts';
import { formatDuration, formatPercent, formatRange, formatSigned, formatValue } from '#ui/charts/chart-words.ts';
import type { FrontAxis } from '#ui/charts/front-geometry.ts';
import { toTime } from '#ui/features/forecast/picture.ts';

const count = new Intl.NumberFormat();
const list = new Intl.ListFormat('en-GB');
const plural = (number: number, one: string, many = `${one}s`): string => `${count.format(number)} ${number === 1 ? one : many}`;

export const exclusionWords: Readonly<Record<ExclusionReason, string>> = {
  allergy: 'because of an allergy',
  refused: 'because the person refuses it',
  other: 'for another reason',
};

const labelOf = (those: readonly { readonly id: string; readonly label: string }[], id: string): string =>
  those.find((one) => one.id === id)?.label ?? id;

const span = (days: number, manifest: PackManifest): string =>
  formatDuration(toTime(days, manifest.grid.timeUnit), manifest.grid.timeUnit);

/** "between 2 and 3", "from 2 on", "up to 3" with the marker's unit. */
export function rangeText(low: number | null, high: number | null, unit: string): string {
  const inUnit = (text: string) => `${text} ${unitText(unit)}`.trim();
  if (low !== null && high !== null) return inUnit(`between ${formatValue(low)} and ${formatValue(high)}`);
  if (low !== null) return inUnit(`at least ${formatValue(low)}`);
  return high === null ? 'anywhere' : inUnit(`at most ${formatValue(high)}`);
}

/** What is beyond the range: "below 2 or above 3". */
export function beyondText(low: number | null, high: number | null, unit: string): string {
  const sides = [
    ...(low === null ? [] : [`below ${formatValue(low)}`]),
    ...(high === null ? [] : [`above ${formatValue(high)}`]),
  ];
  return `${sides.join(' or ')} ${unitText(unit)}`.trim();
}

/** As in a sentence or over a column: "death within 5 years", "INR ever above 4". */
export function measureText(measure: Measure, manifest: PackManifest): string {
  const marker = 'marker' in measure ? manifest.markers.find(({ id }) => id === measure.marker) : undefined;
  switch (measure.kind) {
    case 'event-free-days':
      return 'days without an event';
    case 'event':
      return `${measure.event === null ? 'any event' : labelOf(manifest.events, measure.event)} within ${span(measure.byDay, manifest)}`;
    case 'marker-at':
      return `${marker?.label} ${rangeText(measure.low, measure.high, marker?.unit ?? '')} in ${span(measure.day, manifest)}`;
    case 'marker-time':
      return `time with ${marker?.label} ${rangeText(measure.low, measure.high, marker?.unit ?? '')}`;
    case 'marker-ever-outside':
      return `${marker?.label} ever ${beyondText(measure.low, measure.high, marker?.unit ?? '')}`;
    case 'target':
      return manifest.kind === 'equations' ? labelOf(manifest.targets, measure.target) : measure.target;
    case 'burden': {
      const [first] = dosedInterventions(manifest);
      return measure.of === 'amount' && first
        ? `${first.intervention.shortLabel} given, ${unitText(first.unit)}`
        : burdenWords[measure.of];
    }
  }
  return measure satisfies never;
}

export function goalText({ measure, wish, weight }: TypedQuestion['goals'][number], manifest: PackManifest): string {
  return `Want ${wish}: ${measureText(measure, manifest)}, counts ${weight} of 10`;
}

export function limitText({ measure, atMost }: TypedQuestion['limits'][number], manifest: PackManifest): string {
  return `Chance of ${measureText(measure, manifest)}: at most ${formatValue(100 * atMost)} in 100`;
}

export const spaceId = (space: SearchSpace): string =>
  `${space.kind}:${space.kind === 'on-off' ? space.interventions.join() : (space.intervention ?? '')}`;

export function spaceText(space: SearchSpace, manifest: PackManifest): string {
  const name = (id: string) => manifest.interventions.find((one) => one.id === id)?.shortLabel ?? id;
  switch (space.kind) {
    case 'listed':
      return space.intervention === null
        ? 'Every choice that the pack lists'
        : `Every dose of ${name(space.intervention)} that the pack lists`;
    case 'on-off':
      return `${list.format(space.interventions.map(name))}, each on or off in each period`;
    case 'amounts':
      return `Any amount of ${name(space.intervention)} in each period`;
  }
  return space satisfies never;
}

/** "1" as a share or a chance, anything else in its unit. */
function scaleOf(measure: Measure, unit: string): { readonly factor: number; readonly unit: string } {
  if (isChance(measure)) return { factor: 100, unit: 'of 100' };
  if (measure.kind === 'marker-time') return { factor: 100, unit: '%' };
  // Their words say what is counted.
  if (measure.kind === 'burden' || measure.kind === 'event-free-days') return { factor: 1, unit: '' };
  return { factor: 1, unit: unit === '1' ? '' : unitText(unit) };
}

export type Interval = Pick<MeasureValue, 'low' | 'value' | 'high'>;

/** The interval, then the middle: "60 to 72 of 100 (66)". A figure of the plan itself has no interval. */
export function figureText({ low, value, high }: Interval, measure: Measure, unit: string): string {
  const scale = scaleOf(measure, unit);
  const behind = scale.unit === '' ? '' : ` ${scale.unit}`;
  const own = (number: number) => numberText(scale.factor * number, (scale.factor * (high - low)) / 2);
  if (low === high) return `${own(value)}${behind}`;
  if (scale.factor === 100) {
    const [from, to] = [own(low), own(high)];
    return from === to ? `${own(value)}${behind}` : `${from} to ${to}${behind} (${own(value)})`;
  }
  return `${formatRange(low, high)}${behind} (${own(value)})`;
}

function numberText(value: number, halfWidth: number): string {
  if (halfWidth > 0 && Math.abs(value) <= 100) return formatValue(value, { halfWidth: Math.max(halfWidth, 0.3), most: 1 });
  return halfWidth > 0 ? formatValue(value, { halfWidth }) : formatValue(value);
}

/** Plan minus usual care: "3 fewer to 8 more of 100 (4 more)". */
export function differenceText({ low, value, high }: Interval, measure: Measure, unit: string): string {
  const scale = scaleOf(measure, unit);
  const behind = scale.unit === '' ? '' : ` ${scale.unit}`;
  const half = (scale.factor * (high - low)) / 2;
  const isPeople = isChance(measure);
  const side = (number: number) => {
    const scaled = scale.factor * number;
    if (!isPeople) return formatSigned(scaled, half > 0 ? half : undefined);
    const text = numberText(Math.abs(scaled), half);
    return /[1-9]/.test(text) ? `${text} ${scaled < 0 ? 'fewer' : 'more'}` : 'none';
  };
  if (low === 0 && high === 0 && value === 0) return 'no difference';
  if (side(low) === side(high)) return `${side(value)}${behind}`;
  return `${side(low)} to ${side(high)}${behind} (${side(value)})`;
}

export function axisOf(measure: Measure, wish: 'more' | 'less', unit: string, manifest: PackManifest): FrontAxis {
  const scale = scaleOf(measure, unit);
  return {
    label: `${measureText(measure, manifest)}${scale.unit === '' ? '' : `, ${scale.unit}`}`,
    wish,
    text: (value) => formatValue(Number((scale.factor * value).toPrecision(3))),
  };
}

/** The unit of differences in a distribution, and what its dots are multiplied with. */
export function dotScale(measure: Measure, unit: string): { readonly factor: number; readonly unit: string } {
  const scale = scaleOf(measure, unit);
  return { factor: scale.factor, unit: isChance(measure) ? 'people of 100' : scale.unit };
}

/** The page's first sentence: how many were searched, kept the limits, are on the front, and what the first goal ranges over there. */
export function planSentence(
  {
    answer,
    candidates,
    question,
  }: { answer: PlanAnswer | null; candidates: readonly PlanCandidate[]; question: TypedQuestion | null },
  manifest: PackManifest,
  alias: string,
): string {
  if (!answer || !question) return `What else could be done for ${alias}, and at what price?`;
  const others = candidates.filter(({ origin }) => origin !== 'usual-care');
  if (answer.status === 'outside-support') return answer.message;
  if (others.length === 0) return `There is no plan to hold against usual care. ${answer.message}`;
  const keeping = candidates.filter(({ keepsLimits }) => keepsLimits);
  const simulated = `${plural(others.length, 'plan')} ${others.length === 1 ? 'was' : 'were'} held against usual care`;
  const hasLimits = question.limits.length > 0;
  if (hasLimits && keeping.length === 0) {
    return `${simulated}; none keeps every limit. All are shown: change a limit, or look at what breaks it.`;
  }
  const kept = hasLimits ? `, ${others.filter(({ keepsLimits }) => keepsLimits).length} keep every limit` : '';
  const front = keeping.filter(({ isOnFront }) => isOnFront);
  const [goal] = question.goals;
  const values = front.flatMap(({ goals }) => (goals[0] ? [goals[0].value] : []));
  if (!goal || values.length === 0) return `${simulated}${kept}.`;
  const scale = scaleOf(goal.measure, answer.units[0] ?? '1');
  const shown = (value: number) =>
    formatValue(scale.factor === 100 ? Math.round(100 * value) : Number((scale.factor * value).toPrecision(3)));
  const [low, high] = [shown(Math.min(...values)), shown(Math.max(...values))];
  const behind = scale.unit === '' ? '' : ` ${scale.unit}`;
  const usual = candidates.find(({ origin }) => origin === 'usual-care')?.goals[0]?.value;
  const held = usual === undefined ? '' : ` (usual care: ${shown(usual)})`;
  return `${simulated}${kept}. ${front.length} ${front.length === 1 ? 'is' : 'are'} on the front; there “${measureText(goal.measure, manifest)}” comes to ${low === high ? low : `${low} to ${high}`}${behind}${held}.`;
}

/** Of a search that was stopped: how far its figures can be trusted. */
export function stoppedText(answer: PlanAnswer): string {
  return `Stopped at ${plural(latestRollouts(answer), 'future')} a plan; figures are rough.`;
}

/** The limits that a candidate breaks, in words. */
export function brokenLimits(candidate: PlanCandidate, question: TypedQuestion, manifest: PackManifest): string[] {
  return question.limits
    .filter(({ atMost }, index) => (candidate.limits[index]?.value ?? 0) > atMost)
    .map((limit) => limitText(limit, manifest));
}

/** What the choice among many cost: said with the figures that are shown instead. */
export function optimismText({ optimism }: PlanAnswer): string | null {
  if (!optimism) return null;
  const { value, low, high, candidates } = optimism;
  const half = (high - low) / 2;
  const said = `${formatRange(low, high)} (${formatValue(value, { halfWidth: half })})`;
  const leading = `the ${plural(candidates, 'plan')} that led the search`;
  const found =
    value > 0
      ? `${leading} came out lower by ${said} in the sum of weights on fresh futures`
      : `${leading} did not come out lower on fresh futures (by ${said} in the sum of weights)`;
  return `The winner’s curse: ${found}. The figures shown are those of the fresh futures.`;
}

export function effortText({ rounds, simulated, fullEnumeration, elapsedMs }: PlanAnswer): string {
  const each = rounds.map(({ candidates, rollouts }) => `${count.format(candidates)} × ${count.format(rollouts)}`).join(', ');
  const saved = fullEnumeration > simulated ? ` (${formatPercent(1 - simulated / fullEnumeration)} saved)` : '';
  const all = `${count.format(simulated)} futures; every plan in full would have taken ${count.format(fullEnumeration)}${saved}`;
  return `Rounds, plans × futures: ${each}. ${all}. ${formatValue(elapsedMs / 1000)} s.`;
}

export function targetOf(manifest: EquationsManifest, id: string): Target | undefined {
  return manifest.targets.find((target) => target.id === id);
}

/** One target for each measure: targets about the same quantity share a picture of it. */
export function targetMeasures(manifest: EquationsManifest): Target[] {
  const keyOf = ({ measure: { readout, statistic, window }, unit }: Target) => JSON.stringify([readout, statistic, window, unit]);
  return manifest.targets.filter((target, index) => manifest.targets.findIndex((one) => keyOf(one) === keyOf(target)) === index);
}

/** "A level in 6 h would narrow it from ±80 to ±55 mg·h/L." */
export function narrowing(from: number, to: number, unit: string): string {
  return `±${formatValue(from)} to ±${formatValue(to)} ${unit}`.trim();
}
