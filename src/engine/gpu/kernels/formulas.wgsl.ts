/**
 * Expression trees to WGSL text. The text is made of the tree alone: every name is a letter and a number, every number is printed
 * from an f32, so nothing that a pack's author wrote reaches a shader.
 */
import type { ApplyExpr, Expr, ReadExpr } from '#packs/equations/program.ts';

/**
 * When a value may change: never, with the lane's parameters (a new covariate row or occasion), with the segment (rates, controls,
 * memory, dose times), or at any moment.
 */
export const levels = { constant: 0, parameters: 1, segment: 2, moment: 3 } as const;
export type Level = (typeof levels)[keyof typeof levels];

const slotLevels: Readonly<Record<Exclude<ReadExpr['from'], 'algebra'>, Level>> = {
  covariate: levels.parameters,
  hoisted: levels.parameters,
  effect: levels.parameters,
  parameter: levels.parameters,
  memory: levels.segment,
  rate: levels.segment,
  previousRate: levels.segment,
  control: levels.segment,
  segmentLength: levels.segment,
  doseTime: levels.segment,
  compartment: levels.moment,
  state: levels.moment,
  noise: levels.moment,
  time: levels.moment,
};

/** Levels of expressions of one program, with algebra looked through. */
export class Levels {
  readonly #algebra: readonly Expr[];
  readonly #known = new Map<Expr, Level>();

  constructor(algebra: readonly Expr[]) {
    this.#algebra = algebra;
  }

  of(expr: Expr): Level {
    const known = this.#known.get(expr);
    if (known !== undefined) return known;
    const level = this.#find(expr);
    this.#known.set(expr, level);
    return level;
  }

  #find(expr: Expr): Level {
    if (expr.op === 'number') return levels.constant;
    if (expr.op !== 'read') return Math.max(...expr.args.map((arg) => this.of(arg))) as Level;
    return expr.from === 'algebra' ? this.of(this.#algebra[expr.index]) : slotLevels[expr.from];
  }
}

/** What a block of formulas needs to know of its surroundings. */
export interface Surroundings {
  readonly algebra: readonly Expr[];
  /** WGSL of a slot's value; never asked for algebra. */
  read(expr: ReadExpr): string;
  /** The name under which this value was computed before the block, or null to compute it here. */
  known(expr: ApplyExpr): string | null;
  /** The same for 1 / value. */
  knownInverse(expr: Expr): string | null;
}

/** Formulas that are computed side by side: what they share becomes one `let`. */
export class FormulaBlock {
  readonly #surroundings: Surroundings;
  readonly #prefix: string;
  readonly #lines: string[] = [];
  readonly #names = new Map<Expr, string>();

  /** `prefix` keeps the names of two blocks of one function apart. */
  constructor(surroundings: Surroundings, prefix: string) {
    this.#surroundings = surroundings;
    this.#prefix = prefix;
  }

  /** The `let`s, in order. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** WGSL of the value: a name or a literal. A truth value is a `bool`. */
  value(expr: Expr): string {
    if (expr.op === 'number') return literal(expr.value);
    let name = this.#names.get(expr);
    if (name === undefined) {
      name = this.#make(expr);
      this.#names.set(expr, name);
    }
    return name;
  }

  #make(expr: ReadExpr | ApplyExpr): string {
    if (expr.op !== 'read') return this.#surroundings.known(expr) ?? this.#let(this.#apply(expr));
    if (expr.from !== 'algebra') {
      const text = this.#surroundings.read(expr);
      return /^\w+$/.test(text) ? text : this.#let(text);
    }
    const value = this.#surroundings.algebra[expr.index];
    return value.op === 'number' ? this.#let(literal(value.value)) : this.value(value);
  }

  #let(text: string): string {
    const name = `${this.#prefix}${this.#lines.length}`;
    this.#lines.push(`let ${name} = ${text};`);
    return name;
  }

  #apply({ op, args }: ApplyExpr): string {
    // WGSL computes an expression of literals while it compiles and refuses the shader where it overflows; a `let` is none.
    const isLiteral = args.every((arg) => arg.op === 'number');
    const [a, b, c] = args.map((arg) => (isLiteral ? this.#let(this.value(arg)) : this.value(arg)));
    switch (op) {
      case 'neg':
        return `-(${a})`;
      case 'not':
        return `!${a}`;
      case 'add':
        return `${a} + ${b}`;
      case 'sub':
        return `${a} - ${b}`;
      case 'mul':
        return `${a} * ${b}`;
      case 'div':
        return this.#quotient(a, b, args[1]);
      case 'lt':
        return `${a} < ${b}`;
      case 'le':
        return `${a} <= ${b}`;
      case 'eq':
        return `${a} == ${b}`;
      // Not && and ||, which branch.
      case 'and':
        return `${a} & ${b}`;
      case 'or':
        return `${a} | ${b}`;
      case 'if':
        return `select(${c}, ${b}, ${a})`;
      case 'abs':
      case 'floor':
        return `${op}(${a})`;
      case 'min':
      case 'max':
        return `${op}(${a}, ${b})`;
      case 'pow':
        return `powOf(${a}, ${b})`;
      case 'exp':
      case 'log':
      case 'sqrt':
      case 'tanh':
      case 'sinh':
      case 'expm1':
      case 'log1p':
        return `${op}Of(${a})`;
    }
  }

  /** A divisor that does not change with the moment is inverted once, by whoever computes it. */
  #quotient(numerator: string, denominator: string, divisor: Expr): string {
    const inverse = this.#surroundings.knownInverse(divisor);
    return inverse === null ? `${numerator} / ${denominator}` : `${numerator} * ${inverse}`;
  }
}

const largestF32 = 3.4028234663852886e38;
const smallestNormalF32 = 2 ** -126;

/** The f32 nearest to a number, in as few digits as name it. Infinity and NaN have no literal: the shader is given them. */
export function literal(value: number): string {
  const rounded = Math.fround(value);
  if (Number.isNaN(value)) return 'notANumber()';
  if (Math.abs(rounded) > largestF32) return value > 0 ? 'infinite()' : '-infinite()';
  // Adapters may take subnormal numbers as 0; then all do.
  if (Math.abs(rounded) < smallestNormalF32) return '0f';
  let text = String(rounded);
  for (let digits = 1; digits < 10; digits++) {
    const short = String(Number(rounded.toPrecision(digits)));
    if (Math.fround(Number(short)) !== rounded) continue;
    text = short;
    break;
  }
  return `${text}f`;
}

const truthOps: ReadonlySet<Expr['op']> = new Set(['lt', 'le', 'eq', 'and', 'or', 'not']);

export function isTruth({ op }: Expr): boolean {
  return truthOps.has(op);
}

export function indent(lines: readonly string[], depth = 1): string {
  return lines.map((line) => `${'  '.repeat(depth)}${line}`).join('\n');
}
