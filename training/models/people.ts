/** What several packs ask of a person, with the limits that differ between them; and the doses and hours of a golden case. */
import type { EquationsGoldenCase } from '#packs/equations/golden.ts';
import type { Covariate } from '#packs/manifest.ts';

type NumberCovariate = Extract<Covariate, { kind: 'number' }>;
type CategoryCovariate = Extract<Covariate, { kind: 'category' }>;

/** Outside `plausible` a value is refused unless confirmed; `seen` is the range of the derivation cohorts. */
export interface Ranges {
  readonly plausible: readonly [number, number];
  readonly seen: readonly [number, number];
}

export const age = (ranges: Ranges): NumberCovariate => ({
  kind: 'number',
  id: 'age',
  label: 'Age',
  unit: 'a',
  alternativeUnits: [{ unit: 'mo', factor: 1 / 12 }],
  codes: [{ system: 'LOINC', code: '30525-0' }],
  required: true,
  ...ranges,
});

/** Share of women: used where the sex of a synthetic person is drawn. */
export const sex = (women: number): CategoryCovariate => ({
  kind: 'category',
  id: 'sex',
  label: 'Sex',
  codes: [{ system: 'LOINC', code: '76689-9' }],
  required: true,
  categories: [
    { value: 'female', label: 'female', share: women },
    { value: 'male', label: 'male', share: 1 - women },
  ],
});

export const weight = (ranges: Ranges): NumberCovariate => ({
  kind: 'number',
  id: 'weight',
  label: 'Body weight',
  unit: 'kg',
  alternativeUnits: [{ unit: 'g', factor: 0.001 }],
  codes: [{ system: 'LOINC', code: '29463-7' }],
  required: true,
  varies: true,
  ...ranges,
});

export const height = (ranges: Ranges): NumberCovariate => ({
  kind: 'number',
  id: 'height',
  label: 'Height',
  unit: 'cm',
  alternativeUnits: [{ unit: 'm', factor: 100 }],
  codes: [{ system: 'LOINC', code: '8302-2' }],
  required: true,
  ...ranges,
});

/** A golden case before the reference engine has answered it. */
export type GoldenRequest = Omit<EquationsGoldenCase, 'rows'>;

type GoldenDose = GoldenRequest['doses'][number];

/** Dose k, from 0, at first + k · every, in model time. */
export function everyDose(
  input: string,
  { first = 0, every, count, ...dose }: { first?: number; every: number; count: number; amount: number; duration?: number },
): readonly GoldenDose[] {
  return Array.from({ length: count }, (_, k) => ({ input, time: first + k * every, ...dose }));
}

/**
 * Closed-form kinetics in f32 (README of the specifications): 2e-4 relative, or 1e-5 of the largest value of a column.
 */
export const closedFormTolerance = { relative: 2e-4, ofLargest: 1e-5 } as const;
