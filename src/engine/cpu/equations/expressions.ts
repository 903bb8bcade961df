import type { ApplyExpr, Expr, Program, ReadExpr, SlotKind } from '#packs/equations/program.ts';
import type { VectorMath } from './vector-math.ts';
import type { VectorType } from './vectors.ts';
import { v128, type Code, type FunctionScope, type Local } from './wasm-bytes.ts';

/** What stays as it is from a segment's start to its end. */
const heldSlots: ReadonlySet<SlotKind> = new Set([
  'covariate',
  'hoisted',
  'effect',
  'parameter',
  'memory',
  'rate',
  'previousRate',
  'control',
  'doseTime',
  'segmentLength',
]);

/** The expressions of a program, algebra written out. */
export class Expressions {
  readonly #algebra: Program['algebra'];
  readonly #held = new Map<Expr, boolean>();

  constructor({ algebra }: Program) {
    this.#algebra = algebra;
  }

  /** A symbol of the algebra is another name for its formula. */
  resolve(expr: Expr): Expr {
    let named = expr;
    while (named.op === 'read' && named.from === 'algebra') named = this.#algebra[named.index].value;
    return named;
  }

  /** Whether it has one value for the whole of a segment. */
  isHeld(expr: Expr): boolean {
    const node = this.resolve(expr);
    if (node.op === 'number') return true;
    if (node.op === 'read') return heldSlots.has(node.from);
    let isHeld = this.#held.get(node);
    if (isHeld === undefined) {
      isHeld = node.args.every((argument) => this.isHeld(argument));
      this.#held.set(node, isHeld);
    }
    return isHeld;
  }

  /** The largest parts of `roots` that are held and worth remembering: what is computed once at a segment's start. */
  heldParts(roots: readonly Expr[]): ApplyExpr[] {
    const found = new Set<ApplyExpr>();
    const seen = new Set<Expr>();
    const visit = (expr: Expr): void => {
      const node = this.resolve(expr);
      if (node.op === 'number' || node.op === 'read' || seen.has(node)) return;
      seen.add(node);
      if (this.isHeld(node)) found.add(node);
      else node.args.forEach(visit);
    };
    roots.forEach(visit);
    return [...found];
  }

  /** Whether any of the roots reads such a slot. */
  reads(roots: readonly Expr[], from: SlotKind): boolean {
    const seen = new Set<Expr>();
    const visit = (expr: Expr): boolean => {
      const node = this.resolve(expr);
      if (seen.has(node)) return false;
      seen.add(node);
      return node.op === 'read' ? node.from === from : node.op !== 'number' && node.args.some(visit);
    };
    return roots.some(visit);
  }
}

/** Where an emitter finds what a formula reads: a slot's code, and the code of parts that have been computed before. */
export interface Sources {
  read(slot: ReadExpr): Code;
  remembered(expr: ApplyExpr): Code | null;
}

/**
 * Code for the formulas of one function without branches. A part that is used more than once is computed where it is first needed
 * and kept in a local variable, so code must run in the order in which it was asked for.
 */
export class ExpressionEmitter {
  readonly #expressions: Expressions;
  readonly #scope: FunctionScope;
  readonly #v: VectorType;
  readonly #math: VectorMath;
  readonly #sources: Sources;
  readonly #uses = new Map<Expr, number>();
  readonly #locals = new Map<Expr, Local>();

  /** `roots`: all that will be asked for, each as often as it will be. */
  constructor(
    expressions: Expressions,
    scope: FunctionScope,
    v: VectorType,
    math: VectorMath,
    sources: Sources,
    roots: readonly Expr[],
  ) {
    this.#expressions = expressions;
    this.#scope = scope;
    this.#v = v;
    this.#math = math;
    this.#sources = sources;
    roots.forEach((root) => this.#count(root));
  }

  #count(expr: Expr): void {
    const node = this.#expressions.resolve(expr);
    if (node.op === 'number' || node.op === 'read' || this.#sources.remembered(node)) return;
    const uses = this.#uses.get(node) ?? 0;
    this.#uses.set(node, uses + 1);
    if (uses === 0) node.args.forEach((argument) => this.#count(argument));
  }

  value(expr: Expr): Code {
    const node = this.#expressions.resolve(expr);
    if (node.op === 'number') return this.#math.number(this.#v, node.value);
    if (node.op === 'read') return this.#sources.read(node);
    const remembered = this.#sources.remembered(node);
    if (remembered) return remembered;
    const local = this.#locals.get(node);
    if (local) return local.get;
    const code = this.#apply(node);
    if (this.#uses.get(node) === 1) return code;
    const kept = this.#scope.local('v128');
    this.#locals.set(node, kept);
    return kept.tee(code);
  }

  #apply({ op, args }: ApplyExpr): Code {
    const v = this.#v;
    if (op === 'pow') return this.#power(args[0], args[1]);
    if (op === 'if') {
      // In the order in which the instruction takes them.
      const [then, otherwise, condition] = [this.value(args[1]), this.value(args[2]), this.value(args[0])];
      return v128.select(condition, then, otherwise);
    }
    const [a, b] = args.map((argument) => this.value(argument));
    switch (op) {
      case 'exp':
      case 'log':
      case 'tanh':
      case 'sinh':
      case 'expm1':
      case 'log1p':
        return this.#math.apply(op, v, a);
      case 'neg':
      case 'sqrt':
      case 'abs':
      case 'floor':
        return v[op](a);
      case 'not':
        return v128.not(a);
      case 'and':
      case 'or':
        return v128[op](a, b);
      case 'min':
      case 'max':
        // With a number on the right, the faster one loses no NaN.
        return this.#expressions.resolve(args[1]).op === 'number' ? v[op === 'min' ? 'pmin' : 'pmax'](a, b) : v[op](a, b);
      default:
        return v[op](a, b);
    }
  }

  #power(base: Expr, exponent: Expr): Code {
    const v = this.#v;
    const constant = this.#expressions.resolve(exponent);
    const a = this.value(base);
    if (constant.op === 'number') {
      if (constant.value === 0.5) return v.sqrt(a);
      if (constant.value === 2 || constant.value === 3) {
        const local = this.#scope.local('v128');
        const square = v.mul(local.tee(a), local.get);
        return constant.value === 2 ? square : v.mul(square, local.get);
      }
    }
    return this.#math.apply('pow', v, a, this.value(exponent));
  }
}
