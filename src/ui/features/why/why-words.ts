/** Every sentence of the Why page, and what its charts take, from an explanation and a manifest. */
import type { Attribution, GroupKind, InputGroup, Sensitivity } from '#domain/explanation.ts';
import { unitText } from '#app/units.ts';
import type { Covariate, Intervention, PackManifest } from '#app/manifest.ts';
import { timeIndex } from '#app/reading.ts';
import type { Figure, Subject, WhyPart } from '#app/why.svelte.ts';
import type { PlanIdentity, RankedRow, RiverGroup, SensitivityLine } from '#ui/charts/chart-types.ts';
import { formatPercent, formatRange, formatSigned, formatValue } from '#ui/charts/chart-words.ts';
import { mostLayers, ranked } from '#ui/charts/river-layout.ts';

/** How a figure is written: chances become people of 100, of 1,000 where they are rare. */
export interface Scale {
  readonly factor: number;
  readonly unit: string;
}

export function scaleOf(figure: Figure, unit: string, largest: number): Scale {
  if (figure.kind === 'marker') return { factor: 1, unit: unitText(unit) };
  const of = largest < 0.015 ? 1000 : 100;
  return { factor: of, unit: `people of ${formatValue(of)}` };
}

export function scaleOfAnswer({ base, full, unit }: Pick<Attribution, 'base' | 'full' | 'unit'>, { figure }: Subject): Scale {
  return scaleOf(figure, unit, Math.max(...base.map(Math.abs), ...full.map(Math.abs)));
}

export const timeAt = (timesDays: readonly number[], day: number): number => timeIndex({ timesDays }, day);

/** The first letter small, unless the word is an abbreviation: "bilirubin", "INR", "CD4 cells". */
export function inSentence(label: string): string {
  const second = label[1] ?? '';
  return /[\p{Lu}\d]/u.test(second) ? label : label[0]!.toLowerCase() + label.slice(1);
}

export function figureWords(figure: Figure, manifest: PackManifest): string {
  if (figure.kind === 'marker')
    return inSentence(manifest.markers.find(({ id }) => id === figure.marker)?.label ?? figure.marker);
  const events = manifest.events.filter(({ id }) => figure.event === null || id === figure.event);
  return `the chance of ${events.map(({ label }) => inSentence(label)).join(' or ')}`;
}

/** "bilirubin under usual care", "the chance of death under plan A less usual care". */
export function subjectWords({ figure, isDifference }: Subject, plan: PlanIdentity, manifest: PackManifest): string {
  const what = figureWords(figure, manifest);
  return isDifference ? `${what} under ${plan.name} less usual care` : `${what} under ${plan.name}`;
}

export const figureId = (figure: Figure): string =>
  figure.kind === 'marker' ? `marker:${figure.marker}` : `event:${figure.event ?? ''}`;

export function figureOf(id: string): Figure {
  const [kind, ...rest] = id.split(':');
  const name = rest.join(':');
  return kind === 'marker' ? { kind: 'marker', marker: name } : { kind: 'event', event: name === '' ? null : name };
}

export function figureOptions(manifest: PackManifest): { value: string; label: string; group: string }[] {
  const events = [
    ...(manifest.events.length > 1 && manifest.kind === 'learned' ? [{ value: 'event:', label: 'Whatever comes first' }] : []),
    ...manifest.events.map(({ id, label }) => ({ value: `event:${id}`, label })),
  ];
  return [
    ...manifest.markers.map(({ id, label }) => ({ value: `marker:${id}`, label, group: 'A marker’s middle course' })),
    ...events.map((one) => ({ ...one, group: 'The chance of an event' })),
  ];
}

export const kindWords: Readonly<Record<GroupKind, string>> = {
  person: 'who the person is',
  genes: 'genes',
  lifestyle: 'lifestyle',
  labs: 'what was measured',
  history: 'the course so far',
  doses: 'doses that were given',
  plan: 'the plan',
};

export const staleWords: Readonly<Record<WhyPart, string>> = {
  record: 'the record',
  plan: 'the plan',
  pack: 'the pack',
  today: 'the time',
  run: 'the seed',
  subject: 'what is explained',
  wish: 'the question',
};

/** Half of the interval in which a contribution would lie with another seed and other orders of the groups, at 95 %. */
export function halfWidth(answer: Attribution, group: number, time: number): number {
  const sampling = answer.standardErrors?.[group]?.[time] ?? 0;
  return 1.96 * Math.hypot(sampling, answer.noise[time]!);
}

export function riverGroups(answer: Attribution, { factor }: Scale): RiverGroup[] {
  return answer.groups.map(({ id, label }, index) => ({
    id,
    label,
    contributions: answer.contributions[index]!.map((value) => factor * value),
  }));
}

/** At one time, largest first; numbers are those of the river. */
export function rankedRows(answer: Attribution, scale: Scale, time: number): RankedRow[] {
  const groups = riverGroups(answer, scale);
  const order = ranked(groups).map(({ id }) => id);
  const hasRest = groups.length > mostLayers + 1;
  return groups
    .map(({ id, label, contributions }, index): RankedRow => {
      const value = contributions[time]!;
      const half = scale.factor * halfWidth(answer, index, time);
      const place = order.indexOf(id) + 1;
      return {
        id,
        name: label,
        number: place <= mostLayers || !hasRest ? Math.min(place, mostLayers + 1) : null,
        value,
        low: value - half,
        high: value + half,
        words: moves(value, half),
      };
    })
    .map((row) => (row.number !== null && row.number !== undefined && row.number > mostLayers ? { ...row, number: null } : row))
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
}

/** "raises it by 0.5–0.9"; an interval, and no direction where chance could turn it round. */
export function moves(value: number, half: number): string {
  if (!isClear(value, half)) return `no more than chance (${formatSigned(value, half || undefined)})`;
  return `${value > 0 ? 'raises' : 'lowers'} it by ${sizeOf(value, half)}`;
}

const isClear = (value: number, half: number) => Math.abs(value) > half && value !== 0;
const sizeOf = (value: number, half: number) =>
  half > 0 ? formatRange(Math.abs(value) - half, Math.abs(value) + half) : formatValue(Math.abs(value));

/** The page's first sentence: from where to where, and what does most of the way. */
export function headSentence(
  answer: Attribution,
  subject: Subject,
  words: { readonly what: string; readonly when: string },
  scale: Scale,
  time: number,
): string {
  const { factor, unit } = scale;
  const noise = 1.96 * factor * answer.noise[time]!;
  // Noise is no reason to say that a level or a chance might be below nothing, or a chance above everybody.
  const least = (value: number) => (subject.isDifference || value < 0 ? -Infinity : 0);
  const most = subject.isDifference || subject.figure.kind === 'marker' ? Infinity : factor;
  const number = (value: number) =>
    noise > 0
      ? formatRange(Math.max(least(value), value - noise), Math.min(most, value + noise))
      : subject.isDifference
        ? formatSigned(value)
        : formatValue(value);
  const [base, full] = [number(factor * answer.base[time]!), number(factor * answer.full[time]!)];
  const opening = `What the model used for ${words.what} ${words.when}: ${full} ${unit} for this person, ${base} with every input at what stands in its place.`;
  const clear = rankedRows(answer, scale, time).filter(({ value, low, high }) => isClear(value, (high - low) / 2));
  if (clear.length === 0) return `${opening} No group of inputs moves it by more than chance.`;
  const said = clear.slice(0, 3);
  const side = (rows: readonly RankedRow[], verb: string) =>
    rows.length === 0
      ? ''
      : `${verb} ${new Intl.ListFormat('en-GB').format(rows.map(({ name, value, low, high }) => `${inSentence(name)} (${sizeOf(value, (high - low) / 2)})`))}`;
  const sides = [
    side(
      said.filter(({ value }) => value > 0),
      'raised by',
    ),
    side(
      said.filter(({ value }) => value < 0),
      'lowered by',
    ),
  ].filter(Boolean);
  const rest = clear.length > said.length ? `; ${clear.length - said.length} more do less` : '';
  return `${opening} It is ${sides.join(', and ')}${rest}.`;
}

/** What of a record and a pack a group of inputs is about. The worker names groups `kind`, `kind-id` or `kind-id-number`. */
export interface GroupMembers {
  readonly markers: readonly { readonly id: string; readonly label: string; readonly unit: string }[];
  readonly covariates: readonly Covariate[];
  readonly interventions: readonly Intervention[];
}

export function membersOf(
  group: Pick<InputGroup, 'id' | 'kind'>,
  manifest: PackManifest,
  planned: readonly string[],
): GroupMembers {
  const part = group.id === group.kind ? null : group.id.slice(group.kind.length + 1);
  const isMeant = (id: string) =>
    part === null || part === id || (part.startsWith(`${id}-`) && /^\d+$/.test(part.slice(id.length + 1)));
  const signs = manifest.signs.map(({ id, label }) => ({ id, label, unit: '' }));
  const dated = [...manifest.markers, ...signs];
  switch (group.kind) {
    case 'history':
      return {
        markers: part === 'markers' ? manifest.markers : part === 'signs' ? signs : dated.filter(({ id }) => isMeant(id)),
        covariates: [],
        interventions: [],
      };
    case 'doses':
    case 'plan': {
      const own = manifest.interventions.filter(({ id, exclusiveGroup }) =>
        part === null ? planned.includes(id) : isMeant(id) || exclusiveGroup === part,
      );
      return { markers: [], covariates: [], interventions: own };
    }
    default: {
      const covariates = part === null ? [] : manifest.covariates.filter(({ id }) => isMeant(id));
      return { markers: [], covariates, interventions: [] };
    }
  }
}

/** A value as the worker says it, with its UCUM unit as people read it: "54 a" becomes "54 years". */
export function readableValue(text: string): string {
  return text.replaceAll(/(?<=\d )([^\s,;]+)(?=[,;]|$)/g, (unit) => unitText(unit));
}

/** Largest over all times first. */
export function sensitivityLines({ parameters }: Sensitivity): SensitivityLine[] {
  return parameters
    .map(({ symbol, label, first, total }) => ({
      id: symbol,
      name: label,
      first: first.map(({ value }) => value),
      low: first.map(({ low }) => low),
      high: first.map(({ high }) => high),
      total: total.map(({ value }) => value),
    }))
    .sort((a, b) => Math.max(...b.first) - Math.max(...a.first));
}

/** At one time, in parts of a hundred; numbers are those of the lines. */
export function sensitivityRows(answer: Sensitivity, time: number): RankedRow[] {
  const order = sensitivityLines(answer).map(({ id }) => id);
  return answer.parameters
    .map(({ symbol, label, first, total }): RankedRow => {
      const { value, low, high } = first[time]!;
      const place = order.indexOf(symbol) + 1;
      return {
        id: symbol,
        name: label,
        number: place <= 6 ? place : null,
        value: 100 * value,
        low: 100 * low,
        high: 100 * high,
        total: 100 * total[time]!.value,
        words: `${formatRange(100 * low, 100 * high)} known alone, ${formatPercent(total[time]!.value)} left without`,
      };
    })
    .sort((a, b) => b.value - a.value);
}

/** "Of the spread of INR in 7 days, knowing clearance alone would take away 40–55 %, volume 20–30 %." */
export function unknownSentence(answer: Sensitivity, time: number, what: string, when: string): string {
  const rows = sensitivityRows(answer, time).filter(({ low }) => low > 0);
  if (rows.length === 0)
    return `Knowing no single unknown would take more away from the spread of ${what} ${when} than chance does.`;
  const [first, ...others] = rows
    .slice(0, 3)
    .map(({ name, low, high }) => ({ name: inSentence(name), share: `${formatRange(low, high)} %` }));
  const rest = others.map(({ name, share }) => `, ${name} ${share}`).join('');
  return `Of the spread of ${what} ${when}, knowing ${first!.name} alone would take away ${first!.share}${rest}.`;
}

/** "age 52 years, female": what the pack says of a drawn person. */
export function covariatesWords(covariates: Readonly<Record<string, number | string>>, manifest: PackManifest): string {
  return manifest.covariates
    .flatMap((covariate) => {
      const value = covariates[covariate.id];
      if (value === undefined) return [];
      if (covariate.kind === 'number')
        return [`${inSentence(covariate.label)} ${formatValue(Number(value))} ${unitText(covariate.unit)}`.trim()];
      const label = covariate.categories.find((one) => one.value === value)?.label ?? String(value);
      return [/^(yes|no|not known)$/i.test(label) ? `${inSentence(covariate.label)}: ${label}` : label];
    })
    .join(', ');
}
