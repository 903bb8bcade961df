/** What the readers of published reference files share: a check, what it needs, and how numbers are compared. */
import { compileModel } from '#packs/equations/compile.ts';
import type { Definition, EquationsModel } from '#packs/equations/model.ts';
import type { EquationsGoldenCase } from '#packs/equations/golden.ts';
import type { Program } from '#packs/equations/program.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { answerGoldenCase } from '#engine/equations-golden.ts';
import type { Simulator } from '#engine/simulation.ts';

/** Part of a parsed JSON file. */
export type Values = Readonly<Record<string, unknown>>;

export interface Check {
  /** The case and what of it, e.g. `van-01`. */
  readonly where: string;
  /** What is wrong, one line each; nothing if it passes. */
  readonly run: (setting: Setting) => Promise<readonly string[]>;
}

/** On what a check is run. */
export interface Setting {
  readonly simulator: Simulator;
  /** Computes in f64; the other engines compute in f32 and are held to the tolerances for that. */
  readonly isExact: boolean;
  readonly pack: (id: string) => Promise<EquationsManifest>;
}

/** A value passes within either: relative to itself, or to the largest value of its column. Printed digits come on top. */
export interface Tolerance {
  readonly relative: number;
  readonly ofLargest?: number;
  readonly absolute?: number;
}

/** For the f64 path and for f32. */
export interface Tolerances {
  readonly exact: Tolerance;
  readonly rounded: Tolerance;
}

export const toleranceOf = ({ isExact }: Setting, { exact, rounded }: Tolerances): Tolerance => (isExact ? exact : rounded);

/** A file's value was printed with so many significant digits: it may be off by half a unit of the last one. */
function printed(value: number, digits: number): number {
  return value === 0 ? 0 : 0.5 * 10 ** (Math.floor(Math.log10(Math.abs(value))) + 1 - digits);
}

export function isNear(
  found: number,
  expected: number,
  { relative, ofLargest = 0, absolute = 0 }: Tolerance,
  { largest = 0, digits = 8 }: { readonly largest?: number; readonly digits?: number } = {},
): boolean {
  const allowed = Math.max(relative * Math.abs(expected), ofLargest * largest, absolute);
  // 1e-12: a quantity that is exactly zero in one arithmetic may be a rounding error of a subtraction in another.
  return Math.abs(found - expected) <= allowed + printed(expected, digits) + 1e-12;
}

export const saying = (what: string, found: unknown, expected: unknown): string =>
  `${what}: found ${found}, expected ${expected}`;

/** A message for each value of the table that is off: the worst of each column, and how many more. */
export function compareRows(
  columns: readonly string[],
  times: readonly number[],
  found: readonly (readonly number[])[],
  expected: readonly (readonly number[])[],
  toleranceFor: (column: string) => Tolerance,
  digits = 8,
): string[] {
  return columns.flatMap((column, c) => {
    const largest = Math.max(...expected.map((row) => Math.abs(row[c]!)));
    const off = expected.flatMap((row, t) =>
      isNear(found[t]![c]!, row[c]!, toleranceFor(column), { largest, digits }) ? [] : [t],
    );
    if (off.length === 0) return [];
    const distance = (t: number): number => Math.abs(found[t]![c]! - expected[t]![c]!);
    const worst = off.reduce((a, b) => (distance(b) > distance(a) || Number.isNaN(distance(b)) ? b : a));
    const more = off.length > 1 ? ` (and ${off.length - 1} more rows)` : '';
    return [saying(`${column} at ${times[worst]}`, found[worst]![c], expected[worst]![c]) + more];
  });
}

export function modelOf(manifest: EquationsManifest, id: string): EquationsModel {
  const model = manifest.models.find((one) => one.id === id);
  if (!model) throw new Error(`pack '${manifest.id}' has no model '${id}'`);
  return model;
}

/** What an engine is to show besides a model's own read-outs. */
export interface Shown {
  readonly symbol: string;
  readonly unit: string;
  readonly formula: string;
}

/** The model with more read-outs, their symbols made its own by `shownAs`. */
export function showing(model: EquationsModel, shown: readonly Shown[]): EquationsModel {
  const more = shown.map(({ symbol, unit, formula }): Definition => ({ symbol: shownAs(symbol), unit, formula }));
  return { ...model, readouts: [...model.readouts, ...more] };
}

/** A parameter, constant or state of the model, shown as it is. */
export function asItIs(model: EquationsModel, symbol: string): Shown {
  const known = [...model.constants, ...model.parameters, ...(model.states ?? [])].find((one) => one.symbol === symbol);
  if (!known) throw new Error(`model '${model.id}' has no '${symbol}'`);
  return { symbol, unit: known.unit, formula: symbol };
}

export const shownAs = (symbol: string): string => `shown_${symbol}`;

export function programOf(manifest: EquationsManifest, model: EquationsModel): Program {
  return compileModel(model, manifest, `${manifest.id} as the file asks for it`);
}

/** A case asked of the engine, [times][readouts]; `model` may be changed against the pack's. */
export async function ask(
  { simulator }: Setting,
  manifest: EquationsManifest,
  model: EquationsModel,
  golden: Omit<EquationsGoldenCase, 'rows' | 'tolerance' | 'model'>,
): Promise<number[][]> {
  requireKnown(manifest, golden.covariates);
  return answerGoldenCase(simulator, { manifest, programs: [programOf(manifest, model)] }, { ...golden, model: model.id });
}

/** A name that a pack does not know would else count as its last category. */
export function requireKnown(manifest: EquationsManifest, covariates: Readonly<Record<string, number | string>>): void {
  for (const covariate of manifest.covariates) {
    const value = covariates[covariate.id];
    if (value === undefined) continue;
    const isKnown =
      covariate.kind === 'number' ? Number.isFinite(value) : covariate.categories.some((category) => category.value === value);
    if (!isKnown) throw new Error(`${covariate.id}: the pack does not know '${value}'`);
  }
}

/** With other values of constants; a symbol that the model has not is refused. */
export function withConstants(model: EquationsModel, values: Readonly<Record<string, number>>): EquationsModel {
  const symbols = new Set(model.constants.map(({ symbol }) => symbol));
  const unknown = Object.keys(values).find((symbol) => !symbols.has(symbol));
  if (unknown !== undefined) throw new Error(`model '${model.id}' has no constant '${unknown}'`);
  return { ...model, constants: model.constants.map((one) => ({ ...one, value: values[one.symbol] ?? one.value })) };
}

export const numbersOf = (value: unknown): readonly number[] => (value ?? []) as readonly number[];
export const rowsOf = (value: unknown): readonly (readonly number[])[] => (value ?? []) as readonly (readonly number[])[];
export const valuesOf = (value: unknown): Values => (value ?? {}) as Values;
export const listOf = (value: unknown): readonly Values[] => (value ?? []) as readonly Values[];
