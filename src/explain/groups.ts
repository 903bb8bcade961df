/**
 * Inputs of a person and a plan in groups that can be taken away: by kind, and each kind as fine as the number of groups allows. An
 * input that the pack does not read is in no group: its contribution would be zero.
 */
import type { GroupKind, InputGroup } from '#domain/explanation.ts';
import { hoursBetween } from '#domain/doses.ts';
import { daysBetween } from '#domain/record.ts';
import { levelOf } from '#packs/conditioning.ts';
import type { Covariate, PackManifest } from '#packs/manifest.ts';
import type { Person, PersonDose } from '#twin/equations/person.ts';
import { doseHours, nothingGiven, type Element, type ResolvedPlan, type Subject } from './elements.ts';
import { covariateReference, inUnit, valueInWords } from './reference.ts';
import { timeBins } from './time-bins.ts';

export interface GroupOfElements extends InputGroup {
  readonly elements: readonly Element[];
}

/** One kind's inputs from coarse to fine: each partition holds all of them. */
type Partitions = readonly (readonly GroupOfElements[])[];

/** Who gets finer groups first where not all can have them. */
const priority: readonly GroupKind[] = ['plan', 'doses', 'history', 'genes', 'labs', 'lifestyle', 'person'];
const order: readonly GroupKind[] = ['person', 'genes', 'lifestyle', 'labs', 'history', 'doses', 'plan'];
const mostBins = 4;

/** `person` of an equations pack: its doses up to now. At most `most` groups, 12 unless told otherwise and never fewer than kinds. */
export function groupInputs(subject: Subject, person: Person | null, most = 12): GroupOfElements[] {
  const partitions = new Map<GroupKind, Partitions>();
  for (const kind of ['person', 'genes', 'lifestyle', 'labs'] as const) {
    partitions.set(kind, covariatePartitions(subject, kind));
  }
  partitions.set('history', observationPartitions(subject));
  partitions.set('doses', givenPartitions(subject, person?.doses ?? []));
  partitions.set('plan', planPartitions(subject));
  for (const [kind, own] of partitions) if (own.length === 0) partitions.delete(kind);

  const chosen = new Map([...partitions].map(([kind, own]) => [kind, own[0]!]));
  for (const kind of priority) {
    const taken = [...chosen].reduce((sum, [other, groups]) => sum + (other === kind ? 0 : groups.length), 0);
    const finest = partitions.get(kind)?.findLast((groups) => taken + groups.length <= most);
    if (finest) chosen.set(kind, finest);
  }
  return order.flatMap((kind) => chosen.get(kind) ?? []);
}

/** What kind of input a covariate is. The pack format does not say, so its name, label and unit do. */
export function covariateKind(covariate: Covariate): 'person' | 'genes' | 'lifestyle' | 'labs' {
  const name = `${covariate.id} ${covariate.label}`.toLowerCase();
  if (/\b(cyp\d|vkorc|apoe|hla|ugt\d|tpmt|nudt|dpyd|g6pd|slco|gene|genotype|allele)/.test(name)) return 'genes';
  if (/smok|tobacco|alcohol|drinking|inject|diet|exercise|physical activity/.test(name)) return 'lifestyle';
  if (covariate.kind === 'category') return 'person';
  const isLaboratory =
    /\b(inr|antibod|ratio|baseline|haematocrit|hematocrit)/.test(name) ||
    /(^|[^a-z])(g|mg|ug|ng|pg|mol|mmol|umol|nmol|pmol|u|iu|m?eq|10\*\d+|\{cells\})\/(d?l|ul|ml)/i.test(covariate.unit);
  return isLaboratory ? 'labs' : 'person';
}

const kindLabels = {
  person: 'Age, sex and other facts',
  genes: 'Genes',
  lifestyle: 'Lifestyle',
  labs: 'Laboratory values at entry',
} as const;

function covariatePartitions(subject: Subject, kind: keyof typeof kindLabels): Partitions {
  const { manifest, record } = subject;
  const single = manifest.covariates
    .filter((covariate) => covariateKind(covariate) === kind && isRead(manifest, covariate.id))
    .flatMap((covariate): GroupOfElements[] => {
      const { id, label } = covariate;
      const dated = record.observations.filter(({ code }) => code === id);
      const last = dated.toSorted((a, b) => `${a.date}T${a.time ?? ''}`.localeCompare(`${b.date}T${b.time ?? ''}`)).at(-1);
      const entered = Object.hasOwn(record.covariates, id) ? record.covariates[id]! : null;
      if (entered === null && !last) return [];
      const value = last ? inUnit(last.value, last.unit) : valueInWords(covariate, entered!);
      const times = dated.length > 1 ? `, last of ${dated.length}` : '';
      const { words } = covariateReference(manifest, covariate);
      return [
        { id: `${kind}-${id}`, label, kind, value: `${value}${times}`, reference: words, elements: [{ of: 'covariate', id }] },
      ];
    });
  return coarseAndFine(single, (all) => joined(kind, kind, all.length === 1 ? all[0]!.label : kindLabels[kind], all));
}

/** Nothing for nothing, one partition where there is one group. */
function coarseAndFine(
  single: readonly GroupOfElements[],
  join: (all: readonly GroupOfElements[]) => GroupOfElements,
): Partitions {
  if (single.length === 0) return [];
  return single.length === 1 ? [single] : [[join(single)], single];
}

function joined(id: string, kind: GroupKind, label: string, parts: readonly GroupOfElements[]): GroupOfElements {
  const one = (say: (part: GroupOfElements) => string) => {
    const said = [...new Set(parts.map(say))];
    return said.length === 1 ? said[0]! : parts.map((part) => `${part.label}: ${say(part)}`).join('; ');
  };
  return {
    id,
    label,
    kind,
    value: parts.map((part) => `${part.label}: ${part.value}`).join('; '),
    reference: one(({ reference }) => reference),
    elements: parts.flatMap(({ elements }) => elements),
  };
}

/** Whether a value of this covariate can change a forecast of the pack. */
export function isRead(manifest: PackManifest, id: string): boolean {
  if (manifest.kind === 'learned') {
    return manifest.conditioning.some((input) => {
      if (input.from === 'covariate') return input.id === id;
      return input.from === 'intervention' && 'when' in input && input.when.covariate === id;
    });
  }
  const models = manifest.models.filter(({ priorWeight = 1 }) => priorWeight > 0);
  const read = new Set(models.flatMap(({ covariates }) => Object.values(covariates)));
  if (models.some(({ timeZero }) => timeZero === 'birth')) read.add('age');
  const givesShares = manifest.covariates.some(
    (one) => one.kind === 'category' && one.sharesBy?.covariate === id && read.has(one.id),
  );
  return read.has(id) || givesShares || models.some(({ onlyWhere }) => onlyWhere?.covariate === id);
}

const notMeasured = 'not measured';

function observationPartitions(subject: Subject): Partitions {
  const { manifest, record } = subject;
  const placesOf = (id: string) => record.observations.flatMap(({ code }, place) => (code === id ? [place] : []));
  const perQuantity = [...manifest.markers, ...manifest.signs].flatMap(({ id, label }) => {
    const places = placesOf(id);
    return places.length === 0 ? [] : [observationGroup(subject, `history-${id}`, label, places)];
  });
  if (perQuantity.length === 0) return [];
  const all = perQuantity.length === 1 ? perQuantity : [joinedHistory('history', 'Everything measured so far', perQuantity)];
  const signIds = new Set(manifest.signs.map(({ id }) => `history-${id}`));
  const signs: readonly GroupOfElements[] = perQuantity.filter(({ id }) => signIds.has(id));
  const markers = perQuantity.filter(({ id }) => !signIds.has(id));
  const signsTogether = signs.length < 2 ? signs : [joinedHistory('history-signs', 'Signs', signs)];
  const partitions: (readonly GroupOfElements[])[] = [
    all,
    ...(markers.length > 1 && signs.length > 0
      ? [[joinedHistory('history-markers', 'Laboratory course', markers), ...signsTogether]]
      : []),
    ...(perQuantity.length > 1 ? [[...markers, ...signsTogether]] : []),
    ...(signs.length > 1 ? [perQuantity] : []),
  ];
  // A single quantity is split by when it was measured.
  if (perQuantity.length === 1) partitions.push(...datedPartitions(subject, perQuantity[0]!));
  return partitions;
}

function joinedHistory(id: string, label: string, parts: readonly GroupOfElements[]): GroupOfElements {
  return { ...joined(id, 'history', label, parts), reference: notMeasured };
}

function observationGroup(subject: Subject, id: string, label: string, places: readonly number[]): GroupOfElements {
  return {
    id,
    label,
    kind: 'history',
    value: observationsInWords(subject, places),
    reference: notMeasured,
    elements: [{ of: 'observations', places }],
  };
}

function observationsInWords({ manifest, record, today }: Subject, places: readonly number[]): string {
  const own = places.map((place) => record.observations[place]!).toSorted((a, b) => a.date.localeCompare(b.date));
  const { code, value, unit, date, isBelowLimit } = own.at(-1)!;
  const sign = manifest.signs.find(({ id }) => id === code);
  const shown = sign ? sign.levels[levelOf(sign, value)]!.label : `${isBelowLimit ? '< ' : ''}${inUnit(value, unit)}`;
  const when = daysAgo(date, today);
  return own.length === 1 ? `${shown}, ${when}` : `${own.length} values, last ${shown}, ${when}`;
}

/** The day, and where a value of the same quantity is of the same day the hour too. */
function ageInWords({ record, today }: Subject, place: number): string {
  const { code, date, time } = record.observations[place]!;
  const isOnlyOne = record.observations.filter((other) => other.code === code && other.date === date).length === 1;
  return `${daysAgo(date, today)}${isOnlyOne || time === undefined ? '' : ` at ${time}`}`;
}

function daysAgo(date: string, today: string): string {
  const age = daysBetween(date, today);
  return age === 0 ? 'today' : age === 1 ? 'yesterday' : `${age} days ago`;
}

/** Each value its own group, or spans of time with some of them. */
function datedPartitions(subject: Subject, { id, label, elements }: GroupOfElements): Partitions {
  const places = elements.flatMap((element) => (element.of === 'observations' ? element.places : []));
  const hourOf = (place: number) => {
    const { date, time = '00:00' } = subject.record.observations[place]!;
    return hoursBetween(subject.now, `${date}T${time}`);
  };
  const hours = places.map(hourOf);
  const cuts = [2, 3, mostBins].map((most) => timeBins(hours, Math.min(...hours), most));
  return distinctCuts(cuts).map((bins) =>
    bins.map(({ from, to, label: when }, i) => {
      const own = places.filter((place) => hourOf(place) >= from && hourOf(place) < to);
      const name = own.length === 1 ? `${label}, ${ageInWords(subject, own[0]!)}` : `${label}, ${when}`;
      return observationGroup(subject, `${id}-${i + 1}`, name, own);
    }),
  );
}

/** Growing numbers of parts, each once, and at least two. */
function distinctCuts<T>(cuts: readonly (readonly T[])[]): (readonly T[])[] {
  return cuts.filter((cut, i) => cut.length > 1 && cuts.slice(0, i).every((other) => other.length !== cut.length));
}

function treatmentGroups({ manifest, record, today }: Subject): GroupOfElements[] {
  return manifest.interventions.flatMap(({ id, label }): GroupOfElements[] => {
    const places = record.treatments.flatMap(({ intervention }, place) => (intervention === id ? [place] : []));
    if (places.length === 0 || !moves(manifest, id)) return [];
    const spans = places.map((place) => {
      const { start, stop } = record.treatments[place]!;
      const from = `from ${daysBetween(start, today)} days ago`;
      return stop === null ? `${from}, goes on` : `${from} to ${daysBetween(stop, today)} days ago`;
    });
    return [
      {
        id: `doses-${id}`,
        label: `${label} so far`,
        kind: 'doses',
        value: spans.join('; '),
        reference: 'not given',
        elements: [{ of: 'treatments', places }],
      },
    ];
  });
}

/** Whether an intervention can change a forecast: under a learned pack the arm that others are held against has no input. */
function moves(manifest: PackManifest, id: string): boolean {
  if (manifest.kind === 'equations') return true;
  const { citedEffect } = manifest.interventions.find((one) => one.id === id)!;
  return citedEffect !== undefined || manifest.conditioning.some((input) => input.from === 'intervention' && input.id === id);
}

function givenPartitions(subject: Subject, doses: readonly PersonDose[]): Partitions {
  const treatments = treatmentGroups(subject);
  const interventions = [...new Set(doses.map(({ intervention }) => intervention))];
  const first = Math.min(...doses.map(({ hours }) => hours));
  const cut = (most: number) => [
    ...treatments,
    ...interventions.flatMap((intervention) => {
      const own = doses.filter((dose) => dose.intervention === intervention);
      const bins = timeBins(
        own.map(({ hours }) => hours),
        first,
        most,
      );
      return bins.map(({ from, to, label }, number) => {
        const inside = own.filter(({ hours }) => hours >= from && hours < to);
        const element: Element = { of: 'past-doses', intervention, from, to };
        return doseGroup(subject, { kind: 'doses', element, number, what: `given, ${label}`, reference: 'not given' }, inside);
      });
    }),
  ];
  return fromCoarse(cut, (whole) => joined('doses', 'doses', 'Given so far', whole));
}

/** All together, one group each, and then finer in time. */
function fromCoarse(
  cut: (mostBins: number) => readonly GroupOfElements[],
  join: (whole: readonly GroupOfElements[]) => GroupOfElements,
): Partitions {
  const whole = cut(1);
  if (whole.length === 0) return [];
  return [whole.length === 1 ? whole : [join(whole)], ...distinctCuts([whole, cut(2), cut(3), cut(mostBins)])];
}

function planPartitions(subject: Subject): Partitions {
  const { manifest, plan, planReference } = subject;
  const blocks = blockGroups(subject);
  const interventions = [...new Set([...plan.regimens, ...planReference.regimens].map(({ intervention }) => intervention))];
  const cut = (most: number) => [
    ...blocks,
    ...interventions.flatMap((intervention) => {
      const own = dosesFrom(subject, plan, intervention);
      const other = dosesFrom(subject, planReference, intervention);
      if (JSON.stringify(own) === JSON.stringify(other)) return [];
      const bins = timeBins(
        [...own, ...other].map(({ hours }) => hours),
        0,
        most,
      );
      return bins.map(({ from, to, label }, number) => {
        const within = (doses: readonly Given[]) => doses.filter(({ hours }) => hours >= from && hours < to);
        const instead = inDoses(manifest, intervention, within(other));
        const reference = planReference === nothingGiven ? 'not given' : `as in usual care: ${instead}`;
        const element: Element = { of: 'planned-doses', intervention, from, to };
        return doseGroup(subject, { kind: 'plan', element, number, what: `planned, ${label}`, reference }, within(own));
      });
    }),
  ];
  return fromCoarse(cut, (whole) => joined('plan', 'plan', 'The plan', whole));
}

interface Given {
  readonly hours: number;
  readonly amount: number;
  readonly durationHours: number;
}

function dosesFrom({ horizonDays }: Subject, { regimens }: ResolvedPlan, intervention: string): Given[] {
  return regimens
    .filter((regimen) => regimen.intervention === intervention)
    .flatMap((regimen) =>
      doseHours(regimen, horizonDays).map((hours) => ({
        hours,
        amount: regimen.amount,
        durationHours: regimen.durationHours ?? 0,
      })),
    )
    .sort((a, b) => a.hours - b.hours);
}

function doseGroup(
  { manifest }: Subject,
  group: {
    readonly kind: 'doses' | 'plan';
    readonly element: Extract<Element, { readonly intervention: string }>;
    readonly number: number;
    readonly what: string;
    readonly reference: string;
  },
  doses: readonly { readonly amount: number }[],
): GroupOfElements {
  const { kind, element, number, what, reference } = group;
  const { intervention } = element;
  const label = manifest.interventions.find(({ id }) => id === intervention)?.label ?? intervention;
  return {
    id: `${kind}-${intervention}-${number + 1}`,
    label: `${label} ${what}`,
    kind,
    value: inDoses(manifest, intervention, doses),
    reference,
    elements: [element],
  };
}

function inDoses(manifest: PackManifest, intervention: string, doses: readonly { readonly amount: number }[]): string {
  const inputs = manifest.kind === 'equations' ? manifest.models.flatMap((model) => model.inputs ?? []) : [];
  const unit = inputs.find((input) => input.intervention === intervention)?.unit ?? '1';
  if (doses.length === 0) return 'none';
  const amounts = new Set(doses.map(({ amount }) => amount));
  if (amounts.size === 1) return `${doses.length === 1 ? '' : `${doses.length} × `}${inUnit(doses[0]!.amount, unit)}`;
  return `${doses.length} doses, ${inUnit(
    doses.reduce((sum, { amount }) => sum + amount, 0),
    unit,
  )} in all`;
}

/** One group for each intervention, or for those of which at most one is given at a time. */
function blockGroups({ manifest, plan, planReference, horizonDays }: Subject): GroupOfElements[] {
  const families = new Map<string, string[]>();
  for (const { id, exclusiveGroup } of manifest.interventions) {
    const key = exclusiveGroup ?? id;
    families.set(key, [...(families.get(key) ?? []), id]);
  }
  const within = ({ blocks }: ResolvedPlan, ids: readonly string[]) =>
    blocks.filter(({ intervention }) => ids.includes(intervention) && moves(manifest, intervention));
  return [...families].flatMap(([key, interventions]): GroupOfElements[] => {
    const [own, other] = [within(plan, interventions), within(planReference, interventions)];
    if (JSON.stringify(own) === JSON.stringify(other)) return [];
    const words = (blocks: typeof own, none: string) =>
      blocks
        .map(({ intervention, startDay, stopDay }) => {
          const name = manifest.interventions.find(({ id }) => id === intervention)!.label;
          const until = stopDay >= horizonDays ? 'to the horizon' : `to day ${Number(stopDay.toPrecision(4))}`;
          return `${name} from ${startDay === 0 ? 'today' : `day ${Number(startDay.toPrecision(4))}`} ${until}`;
        })
        .join('; ') || none;
    const labels = [...new Set([...own, ...other].map(({ intervention }) => intervention))].map(
      (id) => manifest.interventions.find((one) => one.id === id)!.shortLabel,
    );
    return [
      {
        id: `plan-${key}`,
        label: `Plan: ${labels.join(', ')}`,
        kind: 'plan',
        value: words(own, 'not given'),
        reference: planReference === nothingGiven ? 'not given' : `as in usual care: ${words(other, 'not given')}`,
        elements: [{ of: 'blocks', interventions }],
      },
    ];
  });
}
