/** What must hold between the fields of a manifest, so that nobody past the door meets an id that names nothing. */
import { cholesky } from '#numerics/linear-algebra.ts';
import { covariateInputCount, leverClasses } from './manifest-views.ts';
import type {
  ConditioningInput,
  Covariate,
  Intervention,
  LearnedManifest,
  PackDescription,
  Quantity,
  Transform,
} from './manifest.ts';
import { quoted, refusal } from './refusal.ts';

type CategoryCovariate = Extract<Covariate, { kind: 'category' }>;

export function checkDescription(pack: PackDescription): void {
  checkUniqueIds('covariates', pack.covariates);
  checkUniqueIds('events', pack.events);
  checkUniqueIds('interventions', pack.interventions);
  // Observations name markers and signs by one code.
  checkUniqueIds('markers and signs', [...pack.markers, ...pack.signs]);
  require(pack.era.from <= pack.era.to, 'era', `found ${pack.era.from} to ${pack.era.to}, expected an earlier year first.`);
  pack.covariates.forEach((covariate, i) => checkCovariate(pack.covariates, covariate, `covariates[${i}]`));
  pack.markers.forEach((marker, i) => {
    checkQuantity(marker, `markers[${i}]`);
    const { normalRange } = marker;
    if (normalRange) require(normalRange.low < normalRange.high, `markers[${i}].normalRange`, 'expected low below high.');
  });
  pack.signs.forEach(({ levels, cuts }, i) => {
    require(cuts.length ===
      levels.length - 1, `signs[${i}].cuts`, `found ${cuts.length} for ${levels.length} levels, expected ${levels.length - 1}.`);
    require(isAscending(cuts), `signs[${i}].cuts`, 'expected ascending numbers.');
    require(isAscending(levels.map(({ value }) => value)), `signs[${i}].levels`, 'expected ascending values.');
  });
  pack.population.criteria.forEach((criterion, i) => {
    const at = `population.criteria[${i}]`;
    if (criterion.of === 'marker') requireId(pack.markers, criterion.id, `${at}.id`, 'marker');
    else numberCovariate(pack.covariates, criterion.id, `${at}.id`);
    require(criterion.of === 'marker' ||
      criterion.at === undefined, `${at}.at`, 'only a marker has a value at entry and a later one.');
    const { min, max } = criterion;
    require(min !== undefined || max !== undefined, at, 'found no limit, expected min, max or both.');
    require(min === undefined || max === undefined || min < max, at, `found ${min} to ${max}, expected min below max.`);
  });
  pack.interventions.forEach((intervention, i) => checkIntervention(pack, intervention, `interventions[${i}]`));
  checkUsualCare(pack);
}

function checkCovariate(covariates: readonly Covariate[], covariate: Covariate, at: string): void {
  if (covariate.kind === 'number') return checkQuantity(covariate, at);
  const values = covariate.categories.map(({ value }) => value);
  require(new Set(values).size === values.length, `${at}.categories`, 'found a value twice, expected each once.');
  checkShares(
    covariate.categories.map(({ share }) => share),
    `${at}.categories`,
  );
  if (covariate.sharesBy) checkSharesBy(covariates, covariate.sharesBy, values.length, `${at}.sharesBy`);
}

/** Shares of this covariate's categories for every category of the other one. */
function checkSharesBy(
  covariates: readonly Covariate[],
  { covariate: id, shares }: NonNullable<CategoryCovariate['sharesBy']>,
  count: number,
  at: string,
): void {
  const other = requireId(covariates, id, `${at}.covariate`, 'covariate');
  require(other.kind === 'category', `${at}.covariate`, `${quoted(id)} is a number, expected a covariate that is a category.`);
  require(!other.sharesBy, `${at}.covariate`, `${quoted(id)} has sharesBy itself, expected one that has plain shares.`);
  const values = other.categories.map(({ value }) => value);
  const unknown = Object.keys(shares).find((value) => !values.includes(value));
  require(unknown === undefined, `${at}.shares`, `${quoted(unknown)} is no category of ${quoted(id)}.`);
  const missing = values.find((value) => !Object.hasOwn(shares, value));
  require(missing === undefined, `${at}.shares`, `there are none for ${quoted(missing)}, expected shares for each category.`);
  for (const [value, list] of Object.entries(shares)) {
    require(list.length === count, `${at}.shares.${value}`, `found ${list.length}, expected ${count} as in categories.`);
    checkShares(list, `${at}.shares.${value}`);
  }
}

function checkQuantity({ plausible, seen, unit, alternativeUnits = [] }: Quantity, at: string): void {
  require(plausible[0] < plausible[1], `${at}.plausible`, `found ${plausible.join(' to ')}, expected the lower limit first.`);
  require(seen[0] < seen[1], `${at}.seen`, `found ${seen.join(' to ')}, expected the lower limit first.`);
  const units = [unit, ...alternativeUnits.map((alternative) => alternative.unit)];
  require(new Set(units).size === units.length, `${at}.alternativeUnits`, 'found a unit twice, expected each once.');
}

function checkTransform({ kind }: Transform, [low]: Quantity['plausible'], at: string): void {
  if (kind === 'log') require(low > 0, at, `found log where the plausible range starts at ${low}, expected a range above zero.`);
  if (kind === 'sqrt')
    require(low >= 0, at, `found sqrt where the plausible range starts at ${low}, expected no negative values.`);
}

function checkIntervention(pack: PackDescription, { whatIfClass, citedEffect, evidence }: Intervention, at: string): void {
  require((whatIfClass === 'X') ===
    (citedEffect !==
      undefined), `${at}.citedEffect`, `class ${whatIfClass} ${citedEffect ? 'has one, expected only class X to have' : 'has none, expected'} a cited effect.`);
  citedEffect?.events.forEach((id, j) => requireId(pack.events, id, `${at}.citedEffect.events[${j}]`, 'event'));
  const { estimate } = evidence;
  if (estimate) {
    const { low, value, high } = estimate;
    require(low <= value &&
      value <= high, `${at}.evidence.estimate`, `found ${value} in ${low} to ${high}, expected a value inside its interval.`);
  }
}

function checkUsualCare({ usualCare, interventions }: PackDescription): void {
  const groups = new Set<string>();
  usualCare.interventions.forEach((id, i) => {
    const { exclusiveGroup } = requireId(interventions, id, `usualCare.interventions[${i}]`, 'intervention');
    const group = exclusiveGroup ?? `alone ${id}`;
    require(!groups.has(group), `usualCare.interventions[${i}]`, `${quoted(id)} cannot be given with the ones before it.`);
    groups.add(group);
  });
}

export function checkLearned(pack: LearnedManifest): void {
  const { network, markers, signs, events, conditioning, interventions } = pack;
  require(network.S ===
    markers.length +
      signs.length, 'network.S', `found ${network.S}, expected ${markers.length + signs.length} (markers and signs).`);
  require(network.K === events.length, 'network.K', `found ${network.K}, expected ${events.length} (events).`);
  require(network.V ===
    conditioning.length, 'network.V', `found ${network.V}, expected ${conditioning.length} (conditioning inputs).`);
  const C = covariateInputCount(pack);
  require(C >= 1, 'conditioning', 'found no input that describes the person, expected at least one.');
  markers.forEach(({ transform, plausible }, i) => checkTransform(transform, plausible, `markers[${i}].transform`));
  conditioning.forEach((input, i) => {
    const at = `conditioning[${i}]`;
    require((input.from === 'intervention') ===
      i >= C, at, 'expected all inputs that describe the person before all interventions.');
    checkConditioning(pack, input, at);
  });
  interventions.forEach((intervention, i) => checkLever(pack, intervention, `interventions[${i}]`));
  checkPeople(pack);
}

/**
 * A lever that no input reaches would be shown to do exactly nothing, which is a statement about the drug that nobody made. Only the
 * reference of a group has none of its own: it is what the others' inputs at zero mean.
 */
function checkLever(
  { conditioning, interventions }: LearnedManifest,
  { id, whatIfClass, exclusiveGroup }: Intervention,
  at: string,
): void {
  const isRead = (candidate: string) => conditioning.some((input) => input.from === 'intervention' && input.id === candidate);
  if (whatIfClass === 'X') {
    require(!isRead(id), at, 'class X is laid over natural history, expected no conditioning input for it.');
  } else if (leverClasses.includes(whatIfClass)) {
    const isReference =
      exclusiveGroup !== null && interventions.some((other) => other.exclusiveGroup === exclusiveGroup && isRead(other.id));
    require(isRead(id) ||
      isReference, at, `expected a conditioning input for class ${whatIfClass}, or for another of its exclusive group.`);
  }
}

function checkConditioning({ covariates, markers, interventions }: LearnedManifest, input: ConditioningInput, at: string): void {
  if (input.from === 'entry-marker') requireId(markers, input.id, `${at}.id`, 'marker');
  else if (input.from === 'intervention') {
    requireId(interventions, input.id, `${at}.id`, 'intervention');
    if ('when' in input) requireCategory(covariates, input.when.covariate, input.when.equals, `${at}.when`);
  } else if ('equals' in input) requireCategory(covariates, input.id, input.equals, at);
  else checkTransform(input.transform, numberCovariate(covariates, input.id, `${at}.id`).plausible, `${at}.transform`);
}

function checkPeople({ people: { marginals, correlation }, covariates }: LearnedManifest): void {
  marginals.forEach((marginal, i) => {
    const at = `people.marginals[${i}]`;
    const covariate = requireId(covariates, marginal.covariate, `${at}.covariate`, 'covariate');
    require(covariate.kind ===
      marginal.kind, `${at}.kind`, `found ${marginal.kind}, expected ${covariate.kind} as in covariates.`);
    if (marginal.kind === 'number') {
      require(marginal.quantiles.every(
        (value, j) => j === 0 || value >= marginal.quantiles[j - 1]!,
      ), `${at}.quantiles`, 'expected no value below the one before.');
    } else {
      const expected = covariate.kind === 'category' ? covariate.categories.length : 0;
      require(marginal.shares.length ===
        expected, `${at}.shares`, `found ${marginal.shares.length}, expected ${expected} as in covariates.`);
      checkShares(marginal.shares, `${at}.shares`);
    }
  });
  const drawn = marginals.map(({ covariate }) => covariate);
  require(new Set(drawn).size === drawn.length, 'people.marginals', 'found a covariate twice, expected each once.');
  const undrawn = covariates.find(({ id, required }) => required && !drawn.includes(id));
  require(!undrawn, 'people.marginals', `found none for ${undrawn?.id}, expected one for every required covariate.`);
  const n = marginals.length;
  const at = 'people.correlation';
  require(correlation.length === n * n, at, `found ${correlation.length} numbers, expected ${n} × ${n}.`);
  const rows = marginals.map((_, i) => marginals.map((__, j) => correlation[i * n + j]!));
  const isCorrelation = rows.every((row, i) => correlation[i * n + i] === 1 && row.every((value, j) => value === rows[j]![i]));
  require(isCorrelation &&
    cholesky(rows) !== null, at, 'expected a correlation matrix: symmetric, ones on the diagonal, positive definite.');
}

function checkShares(shares: readonly number[], at: string): void {
  const sum = shares.reduce((total, share) => total + share, 0);
  require(Math.abs(sum - 1) <= 0.01, at, `shares sum to ${sum.toFixed(3)}, expected 1.`);
}

export function checkUniqueIds(at: string, items: readonly { readonly id: string }[]): void {
  const twice = items.find(({ id }, i) => items.findIndex((other) => other.id === id) !== i);
  require(!twice, at, `found ${quoted(twice?.id)} twice, expected each id once.`);
}

export function requireId<T extends { readonly id: string }>(items: readonly T[], id: string, at: string, what: string): T {
  const item = items.find((candidate) => candidate.id === id);
  require(item, at, `${quoted(id)} names no ${what} of this pack.`);
  return item;
}

function numberCovariate(covariates: readonly Covariate[], id: string, at: string): Extract<Covariate, { kind: 'number' }> {
  const covariate = requireId(covariates, id, at, 'covariate');
  require(covariate.kind === 'number', at, `${quoted(id)} is a category, expected a covariate that is a number.`);
  return covariate;
}

function requireCategory(covariates: readonly Covariate[], id: string, value: string, at: string): void {
  const covariate = requireId(covariates, id, at, 'covariate');
  const values = covariate.kind === 'category' ? covariate.categories.map((category) => category.value) : [];
  require(values.includes(value), `${at}.equals`, `${quoted(value)} is no category of ${quoted(id)}.`);
}

const isAscending = (values: readonly number[]): boolean => values.every((value, i) => i === 0 || value > values[i - 1]!);

export function require(condition: unknown, at: string, what: string): asserts condition {
  if (!condition) throw refusal('pack_schema_invalid', `pack.json, ${at}`, what);
}
