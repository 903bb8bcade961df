/** "Is this patient one of those?": a person's place among the people that a pack was made from, in the pack's own inputs. */
import type { InputUse } from '#domain/forecast.ts';
import type { CovariateValue } from '#domain/record.ts';
import type { Standing } from '#domain/trust.ts';
import { quantileOfSorted } from '#numerics/quantiles.ts';
import type { Person } from '#twin/equations/person.ts';
import { conflict } from '#twin/fit-report.ts';
import type { History } from '#twin/history.ts';
import { distancesOf, type Distance } from './distance.ts';
import { shownValue, type Values } from './inputs.ts';
import { coordinates, type Reference } from './reference.ts';

/**
 * Chosen on the valid people of pbc and hiv-actg175 (training/evaluation/standing.ts), never on the test people. Distances count in units of
 * the one that 99 of 100 reference people do not reach; real people reach further than drawn ones, whose tails are the network's.
 */
const limits = {
  distance: { partly: 1.2, outside: 2.4 },
  /** One value alone, in halves of the range in which 98 % of the pack's people lie, from its middle. */
  single: { partly: 1.75, outside: 3.5 },
  /** Share of the inputs that are not known. */
  missing: 0.5,
} as const;

export interface Placed {
  readonly values: Values;
  readonly uses: readonly InputUse[];
  readonly conflictProbability: number | null;
}

export function ofHistory({ person, latest, uses }: History, conflictProbability: number | null): Placed {
  return {
    values: new Map<string, CovariateValue>([...Object.entries(person.covariates), ...latest]),
    uses,
    conflictProbability,
  };
}

/** Covariates are those of now; of an equations pack the categories are indices, and what stands for a missing value is not the person's. */
export function ofPerson(reference: Reference, { covariates, levels, uses }: Person, conflictProbability: number | null): Placed {
  const missing = new Set(uses.filter(({ remark }) => remark === 'missing').map(({ id }) => id));
  const values = new Map<string, CovariateValue>();
  for (const input of reference.inputs) {
    const last = covariates.get(input.id)?.at(-1);
    if (!last || missing.has(input.id)) continue;
    values.set(input.id, input.kind === 'category' ? input.values[last.value]!.value : last.value);
  }
  for (const { marker, value, isBelowLimit } of levels) if (!isBelowLimit) values.set(marker, value);
  return { values, uses, conflictProbability };
}

/** Works with any part of the inputs missing: people are then compared in what is known. */
export function standingOf(reference: Reference, { values, uses, conflictProbability }: Placed): Standing {
  const { inputs } = reference;
  const person = coordinates(inputs, values);
  const { mahalanobis, neighbours, given } = distancesOf(reference, person);
  const unknown = new Set(uses.filter(({ remark }) => remark === 'missing').map(({ id }) => id));
  const missing = inputs.filter(({ id }) => unknown.has(id));
  const missingShare = inputs.length === 0 ? 0 : missing.length / inputs.length;
  const beyond = inputs.flatMap((input, i) => {
    const value = values.get(input.id);
    if (input.kind !== 'number' || typeof value !== 'number' || Number.isNaN(person[i]!)) return [];
    const [low, high] = [input.toCoordinate(input.seen[0]), input.toCoordinate(input.seen[1])];
    const halves = Math.abs(person[i]! - (low + high) / 2) / ((high - low) / 2);
    return value < input.seen[0] || value > input.seen[1] ? [{ input, value, halves }] : [];
  });
  const drivers = [...given]
    .map(([i, { share, expected }]) => {
      const input = inputs[i]!;
      const { id, label } = input;
      const unit = input.kind === 'number' ? input.fromCoordinate(expected) : 0;
      return { id, label, value: shownValue(input, values.get(id)!), expected: shownValue(input, unit), share };
    })
    .filter(({ share }) => share >= 0.05)
    .sort((a, b) => b.share - a.share);

  const outside: string[] = [];
  const partly: string[] = [];
  const most = drivers.slice(0, 2).map(({ label }) => label);
  const counts = most.length > 0 ? ` What counts most: ${most.join(', ')}.` : '';
  const judge = (distance: Distance | null, words: string) => {
    if (!distance || distance.timesFar <= limits.distance.partly) return;
    (distance.timesFar > limits.distance.outside ? outside : partly).push(words + counts);
  };
  judge(mahalanobis, 'Taken together, these values lie further from the pack’s people than those of 99 in 100 of them.');
  if (outside.length + partly.length === 0) judge(neighbours, 'Even the nearest of the pack’s people are unlike this person.');
  const far = (limit: number) => beyond.filter(({ halves }) => halves > limit).map(({ input }) => input.label);
  const extreme = far(limits.single.outside);
  const unusual = far(limits.single.partly);
  if (extreme.length > 0) outside.push(`Far beyond what the pack’s people had: ${extreme.join(', ')}.`);
  else if (unusual.length > 0) partly.push(`Well outside what the pack’s people had: ${unusual.join(', ')}.`);
  if (missingShare > limits.missing) {
    const names = missing.map(({ label }) => label).join(', ');
    partly.push(`More than half of what the pack reads is not known (${missing.length} of ${inputs.length}): ${names}.`);
  }
  return {
    verdict: outside.length > 0 ? 'outside' : partly.length > 0 ? 'partly' : 'inside',
    reasons: [...outside, ...partly],
    farOut: Math.max(
      0,
      ...[mahalanobis, neighbours].map((distance) => (distance?.timesFar ?? 0) / limits.distance.partly),
      ...beyond.map(({ halves }) => halves / limits.single.partly),
      conflictProbability === null ? 0 : orders(conflictProbability) / orders(conflict.partly),
    ),
    scores: [
      ...scoreOf('nearest-neighbours', 'Distance to the tenth nearest of the pack’s people', neighbours),
      ...scoreOf('mahalanobis', 'Distance from the middle of the pack’s people, all numbers together', mahalanobis),
      ...(conflictProbability === null
        ? []
        : [
            {
              id: 'likelihood',
              label: 'How surprising the course is to the model, each value given those before',
              value: orders(conflictProbability),
              pValue: conflictProbability,
              reference: 0,
              quantiles: [],
            } as const,
          ]),
    ],
    missingShare,
    outOfRange: [
      ...beyond.map(({ input, value }) => ({
        id: input.id,
        label: input.label,
        value: shownValue(input, value),
        seen: `${shownValue(input, input.seen[0])} to ${shownValue(input, input.seen[1])}`,
      })),
    ],
    drivers,
    method: reference.method,
  };
}

/** Orders of magnitude below certainty: 2 for 1 in 100. */
function orders(probability: number): number {
  return -Math.log10(Math.max(probability, 1e-300));
}

function scoreOf(
  id: 'nearest-neighbours' | 'mahalanobis',
  label: string,
  distance: Distance | null,
): readonly Standing['scores'][number][] {
  if (!distance) return [];
  const { value, pValue, reference } = distance;
  const quantiles = Array.from({ length: 21 }, (_, i) => quantileOfSorted(reference, i / 20));
  return [{ id, label, value, pValue, reference: reference.length, quantiles }];
}
