/**
 * Units of the model language: the subset of UCUM that dosing and physiology need, read into a dimension and a scale. One unit of a
 * text is `factor` times the product of the base units; two units can stand for each other when their dimensions are equal.
 *
 * Differences from UCUM, each because a model would otherwise be refused or silently wrong: `U`, `[IU]` and `[iU]` are one base
 * dimension of biological activity (UCUM makes U a catalytic activity, but insulin is written in U), `Gy` is a base dimension
 * (a grey is not a squared velocity to anyone who plans radiotherapy), `mo` and `a` are the Julian month and year.
 */

/** Exponents of mass, length, time, amount of substance, biological activity, absorbed dose. Not integers after a root. */
export type Dimension = readonly [number, number, number, number, number, number];

export interface UnitScale {
  readonly factor: number;
  readonly dimension: Dimension;
}

/** Why a text is no unit; whoever reads units from a pack adds the place. */
export class UnitError extends Error {}

const none: Dimension = [0, 0, 0, 0, 0, 0];
const massDimension: Dimension = [1, 0, 0, 0, 0, 0];
const lengthDimension: Dimension = [0, 1, 0, 0, 0, 0];
const volumeDimension: Dimension = [0, 3, 0, 0, 0, 0];
const timeDimension: Dimension = [0, 0, 1, 0, 0, 0];
const substanceDimension: Dimension = [0, 0, 0, 1, 0, 0];
const activityDimension: Dimension = [0, 0, 0, 0, 1, 0];
const doseDimension: Dimension = [0, 0, 0, 0, 0, 1];
const pressureDimension: Dimension = [1, -1, -2, 0, 0, 0];

export const dimensionless: UnitScale = { factor: 1, dimension: none };

/** Units that take a prefix. Base units: g, m, s, mol, U, Gy. */
const metric: ReadonlyMap<string, UnitScale> = new Map([
  ['g', { factor: 1, dimension: massDimension }],
  ['m', { factor: 1, dimension: lengthDimension }],
  ['L', { factor: 1e-3, dimension: volumeDimension }],
  ['l', { factor: 1e-3, dimension: volumeDimension }],
  ['s', { factor: 1, dimension: timeDimension }],
  ['mol', { factor: 1, dimension: substanceDimension }],
  ['U', { factor: 1, dimension: activityDimension }],
  ['[IU]', { factor: 1, dimension: activityDimension }],
  ['[iU]', { factor: 1, dimension: activityDimension }],
  ['Gy', { factor: 1, dimension: doseDimension }],
  // In g/(m·s²), because the base of mass is the gram.
  ['m[Hg]', { factor: 133_322_000, dimension: pressureDimension }],
]);

const plain: ReadonlyMap<string, UnitScale> = new Map([
  ['min', { factor: 60, dimension: timeDimension }],
  ['h', { factor: 3600, dimension: timeDimension }],
  ['d', { factor: 86_400, dimension: timeDimension }],
  ['wk', { factor: 604_800, dimension: timeDimension }],
  ['mo', { factor: 30.4375 * 86_400, dimension: timeDimension }],
  ['a', { factor: 365.25 * 86_400, dimension: timeDimension }],
  ['%', { factor: 0.01, dimension: none }],
  ['10*', { factor: 10, dimension: none }],
  ['10^', { factor: 10, dimension: none }],
]);

const prefixes: ReadonlyMap<string, number> = new Map([
  ['k', 1e3],
  ['d', 1e-1],
  ['c', 1e-2],
  ['m', 1e-3],
  ['u', 1e-6],
  ['n', 1e-9],
  ['p', 1e-12],
  ['f', 1e-15],
]);

const maxLength = 64;
const maxDepth = 4;

/** Throws `UnitError`. */
export function parseUnit(text: string): UnitScale {
  if (text.length > maxLength) throw new UnitError(`it has ${text.length} characters, expected at most ${maxLength}`);
  if (/\s/.test(text)) throw new UnitError('it holds a space; a product is written with a point, as in mg.h/L');
  if (/[µμ]/.test(text)) throw new UnitError("micro is written u, as in 'ug'");
  if (text === '') throw new UnitError("it is empty; a plain number has the unit '1'");
  return new UnitReader(text).read();
}

class UnitReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): UnitScale {
    const unit = this.#term(0);
    if (this.#at < this.#text.length) throw new UnitError(`'${this.#text.slice(this.#at)}' is left over`);
    return unit;
  }

  #term(depth: number): UnitScale {
    if (depth > maxDepth) throw new UnitError('its brackets are nested too deep');
    let unit = dimensionless;
    let isDivision = this.#accept('/');
    for (;;) {
      const component = this.#component(depth);
      unit = isDivision ? divideUnits(unit, component) : multiplyUnits(unit, component);
      if (this.#accept('.')) isDivision = false;
      else if (this.#accept('/')) isDivision = true;
      else return unit;
    }
  }

  #component(depth: number): UnitScale {
    if (this.#accept('(')) {
      const inner = this.#term(depth + 1);
      if (!this.#accept(')')) throw new UnitError("a ')' is missing");
      return inner;
    }
    if (this.#take(/\{[!-z|~]*\}/y) !== null) return dimensionless;
    const atom = this.#take(/10[*^]|\d+|[A-Za-z%]*(?:\[[A-Za-z]+\])?/y);
    if (!atom) throw new UnitError(`'${this.#text.slice(this.#at)}' is no unit`);
    const exponent = this.#take(/[+-]?\d{1,2}/y);
    this.#take(/\{[!-z|~]*\}/y);
    return powerOfUnit(atomOf(atom), exponent === null ? 1 : Number(exponent));
  }

  #accept(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? null;
    this.#at += found?.length ?? 0;
    return found;
  }
}

function atomOf(atom: string): UnitScale {
  if (/^\d+$/.test(atom)) {
    const factor = Number(atom);
    if (factor === 0 || factor > 1e15) throw new UnitError(`'${atom}' is no factor of a unit`);
    return { factor, dimension: none };
  }
  const exact = plain.get(atom) ?? metric.get(atom);
  if (exact) return exact;
  const prefix = prefixes.get(atom[0]!);
  const unit = metric.get(atom.slice(1));
  if (prefix !== undefined && unit) return { factor: prefix * unit.factor, dimension: unit.dimension };
  throw new UnitError(`'${atom}' is not a unit that models may use`);
}

export function multiplyUnits(a: UnitScale, b: UnitScale): UnitScale {
  return { factor: a.factor * b.factor, dimension: combine(a.dimension, b.dimension, 1) };
}

export function divideUnits(a: UnitScale, b: UnitScale): UnitScale {
  return { factor: a.factor / b.factor, dimension: combine(a.dimension, b.dimension, -1) };
}

export function powerOfUnit(unit: UnitScale, exponent: number): UnitScale {
  return { factor: unit.factor ** exponent, dimension: combine(none, unit.dimension, exponent) };
}

function combine(a: Dimension, b: Dimension, times: number): Dimension {
  const at = (i: number) => a[i]! + times * b[i]!;
  return [at(0), at(1), at(2), at(3), at(4), at(5)];
}

/** Equal but for the rounding of exponents such as 0.1 + 0.2. */
export function sameDimension(a: UnitScale, b: UnitScale): boolean {
  return a.dimension.every((exponent, i) => Math.abs(exponent - b.dimension[i]!) < 1e-9);
}

export function isDimensionless(unit: UnitScale): boolean {
  return sameDimension(unit, dimensionless);
}

/**
 * Multiply a number of `from` by this to get the number of `to`, which must have the same dimension. Ratios that are decimal numbers,
 * or one over them, come out as such: the rounding of a chain of factors (1e-3/60/3600…) leaves no 1.0000000000000002 behind.
 */
export function conversionFactor(from: UnitScale, to: UnitScale): number {
  const ratio = from.factor / to.factor;
  const inverse = decimalNear(1 / ratio);
  return decimalNear(ratio) ?? (inverse === null ? ratio : 1 / inverse);
}

function decimalNear(value: number): number | null {
  const decimal = Number(value.toPrecision(14));
  return Math.abs(decimal - value) <= 1e-15 * Math.abs(value) ? decimal : null;
}

/** For messages: "mass/volume", "1/time", "a plain number". */
export function describeDimension({ dimension }: UnitScale): string {
  const [mass, length, time, substance, activity, dose] = dimension;
  // Volumes read better than cubed lengths.
  const isVolume = length % 3 === 0;
  const parts: readonly (readonly [string, number])[] = [
    ['mass', mass],
    ['substance', substance],
    ['activity', activity],
    ['radiation dose', dose],
    [isVolume ? 'volume' : 'length', isVolume ? length / 3 : length],
    ['time', time],
  ];
  const above = parts.filter(([, exponent]) => exponent > 1e-9).map(([name, exponent]) => powerText(name, exponent));
  const below = parts.filter(([, exponent]) => exponent < -1e-9).map(([name, exponent]) => `/${powerText(name, -exponent)}`);
  if (above.length + below.length === 0) return 'a plain number';
  return (above.join('·') || '1') + below.join('');
}

function powerText(name: string, exponent: number): string {
  return Math.abs(exponent - 1) < 1e-9 ? name : `${name}^${Number(exponent.toPrecision(4))}`;
}
