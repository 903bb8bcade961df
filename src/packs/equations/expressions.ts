/**
 * Makes expression nodes: equal subtrees become one object, constant subtrees one number. Every rewriting gives the same value as the
 * tree it replaces, but for the sign of a zero and for the last digit of a power written as products: nothing is multiplied out,
 * reordered or cancelled, and a product with zero stays, because the other factor may be no number.
 */
import { applyOperation } from './evaluate.ts';
import type { ApplyExpr, Expr, NumberExpr, SlotKind } from './program.ts';

export interface ExpressionLimits {
  readonly nodes: number;
  readonly depth: number;
  /** What becomes of a constant part that no f32 can hold (1/0, log(-1), 1e39): an error, or it stays as it is written. */
  readonly constants: 'must-be-finite' | 'any';
}

/** A model grows beyond the limits; whoever compiles it adds the place. */
export class ExpressionError extends Error {}

const largestNumber = 3e38;

const commutative: ReadonlySet<ApplyExpr['op']> = new Set(['add', 'mul', 'min', 'max', 'eq', 'and', 'or']);
const truthOps: ReadonlySet<Expr['op']> = new Set(['lt', 'le', 'eq', 'and', 'or', 'not']);
/**
 * Up to here a power is cheaper and more exact as products than through logarithms, and in WGSL, whose pow knows no negative base, the
 * only right one.
 */
const maxProductPower = 32;

export function isTruth(expr: Expr): boolean {
  return truthOps.has(expr.op);
}

export class Expressions {
  readonly #limits: ExpressionLimits;
  readonly #interned = new Map<string, Expr>();
  readonly #facts = new Map<Expr, { readonly id: number; readonly depth: number }>();

  constructor(limits: ExpressionLimits) {
    this.#limits = limits;
  }

  number(value: number): NumberExpr {
    if (this.#limits.constants === 'must-be-finite' && !(Math.abs(value) <= largestNumber)) {
      throw new ExpressionError(`a constant part of the formula is ${value}, expected a number of at most ${largestNumber}`);
    }
    const key = Object.is(value, -0) ? '-0' : String(value);
    return this.#intern(key, 1, () => ({ op: 'number', value })) as NumberExpr;
  }

  read(from: SlotKind, index: number): Expr {
    return this.#intern(`${from} ${index}`, 1, () => ({ op: 'read', from, index }));
  }

  /** Folded and simplified; the arguments are nodes made here. */
  apply(op: ApplyExpr['op'], ...args: readonly Expr[]): Expr {
    const [a, b, c] = args as readonly [Expr, Expr, Expr];
    if (op === 'if') {
      const isTrue = this.constantTruth(a);
      if (isTrue !== null) return isTrue ? b : c;
      return b === c ? b : this.#node(op, args);
    }
    if (!truthOps.has(op) && args.every((arg) => arg.op === 'number')) {
      const [x, y] = args.map((arg) => (arg as NumberExpr).value);
      const value = applyOperation(op, x!, y ?? 0, 0);
      if (this.#limits.constants === 'must-be-finite' || Number.isFinite(value)) return this.number(value);
    }
    return this.#simpler(op, a, b) ?? this.#node(op, args);
  }

  /** The same expression with every read replaced; `from` may have been made elsewhere. Each node is visited once. */
  rebuild(from: Expr, replace: (node: Expr) => Expr | null, known = new Map<Expr, Expr>()): Expr {
    const before = known.get(from);
    if (before) return before;
    let made = replace(from);
    if (!made) {
      if (from.op === 'number') made = this.number(from.value);
      else if (from.op === 'read') made = this.read(from.from, from.index);
      else made = this.apply(from.op, ...from.args.map((arg) => this.rebuild(arg, replace, known)));
    }
    known.set(from, made);
    return made;
  }

  #simpler(op: ApplyExpr['op'], a: Expr, b: Expr): Expr | null {
    const left = a.op === 'number' ? a.value : null;
    const right = b?.op === 'number' ? b.value : null;
    switch (op) {
      case 'add':
        return left === 0 ? b : right === 0 ? a : null;
      case 'sub':
        return right === 0 ? a : left === 0 ? this.apply('neg', b) : null;
      case 'mul':
        if (left === 1) return b;
        if (right === 1) return a;
        return left === -1 ? this.apply('neg', b) : right === -1 ? this.apply('neg', a) : null;
      case 'div':
        return right === 1 ? a : null;
      case 'neg':
        return a.op === 'neg' ? (a as ApplyExpr).args[0]! : null;
      case 'not':
        return a.op === 'not' ? (a as ApplyExpr).args[0]! : null;
      case 'and':
      case 'or':
        return this.#simplerLogic(op, a, b);
      case 'pow':
        return right === null ? null : this.#power(a, right);
      default:
        return null;
    }
  }

  #simplerLogic(op: 'and' | 'or', a: Expr, b: Expr): Expr | null {
    // `true and x` is x, `false and x` is false; the other way round for `or`.
    const first = this.constantTruth(a);
    if (first !== null) return first === (op === 'and') ? b : a;
    const second = this.constantTruth(b);
    return second === null ? null : second === (op === 'and') ? a : b;
  }

  #power(base: Expr, exponent: number): Expr | null {
    if (exponent === 0.5) return this.apply('sqrt', base);
    if (!Number.isInteger(exponent) || Math.abs(exponent) > maxProductPower) return null;
    if (exponent === 0) return this.number(1);
    if (exponent < 0) return this.apply('div', this.number(1), this.#power(base, -exponent)!);
    if (exponent === 1) return base;
    const half = this.#power(base, Math.floor(exponent / 2))!;
    const square = this.apply('mul', half, half);
    return exponent % 2 === 0 ? square : this.apply('mul', square, base);
  }

  /** Null where the truth depends on something read. Truth values have no constant of their own, so they are looked through. */
  constantTruth(expr: Expr): boolean | null {
    if (!isTruth(expr)) return null;
    const { op, args } = expr as ApplyExpr;
    if (op === 'not') {
      const inner = this.constantTruth(args[0]!);
      return inner === null ? null : !inner;
    }
    // Constant `and` and `or` have been reduced to one of their sides.
    const [a, b] = args;
    if (a!.op !== 'number' || b?.op !== 'number') return null;
    return applyOperation(op, a.value, b.value, 0) !== 0;
  }

  #node(op: ApplyExpr['op'], given: readonly Expr[]): Expr {
    const id = (arg: Expr) => this.#facts.get(arg)!.id;
    const args = commutative.has(op) && id(given[0]!) > id(given[1]!) ? [given[1]!, given[0]!] : given;
    const depth = 1 + Math.max(...args.map((arg) => this.#facts.get(arg)!.depth));
    return this.#intern(`${op} ${args.map(id).join(' ')}`, depth, () => ({ op, args }));
  }

  #intern(key: string, depth: number, make: () => Expr): Expr {
    const before = this.#interned.get(key);
    if (before) return before;
    if (this.#facts.size >= this.#limits.nodes) {
      throw new ExpressionError(`the formulas of the model have more than ${this.#limits.nodes} parts`);
    }
    if (depth > this.#limits.depth) throw new ExpressionError(`the formula is nested more than ${this.#limits.depth} deep`);
    const made = make();
    this.#interned.set(key, made);
    this.#facts.set(made, { id: this.#facts.size, depth });
    return made;
  }
}
