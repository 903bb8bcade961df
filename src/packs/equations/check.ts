/**
 * Checks one formula: every symbol is known and may be read here, every operation is given what it takes, and units agree. What comes
 * out computes plain numbers; conversions have become factors.
 */
import { invariant } from '#domain/errors.ts';
import { quoted, refusal } from '../refusal.ts';
import { ExpressionError, type Expressions } from './expressions.ts';
import { parseFormula, type BinaryOperator, type Tree } from './parse.ts';
import { unaryOps, type ApplyExpr, type Expr } from './program.ts';
import {
  conversionFactor,
  describeDimension,
  dimensionless,
  divideUnits,
  isDimensionless,
  multiplyUnits,
  parseUnit,
  powerOfUnit,
  sameDimension,
  UnitError,
  type UnitScale,
} from './units.ts';

export type SymbolKind =
  | 'constant'
  | 'table'
  | 'covariate'
  | 'effect'
  | 'parameter'
  | 'compartment'
  | 'state'
  | 'memory'
  | 'algebra'
  | 'input'
  | 'control'
  | 'noise'
  | 'read-out'
  | 'time'
  | 'segmentLength'
  | 'doseTime';

/** What a symbol stands for. */
export type Meaning =
  | { readonly kind: 'quantity'; readonly expr: Expr; readonly unit: UnitScale }
  | { readonly kind: 'category'; readonly expr: Expr; readonly values: readonly string[] }
  | { readonly kind: 'input'; readonly index: number; readonly rateUnit: UnitScale };

export interface Entry {
  readonly kind: SymbolKind;
  /** Null until its turn comes; nothing that may read it is checked before. */
  readonly meaning: Meaning | null;
}

/** What a formula may see. */
export interface Scope {
  readonly symbols: ReadonlyMap<string, Entry>;
  readonly mayRead: ReadonlySet<SymbolKind>;
  /** `rate(…)`, and for memory also `previousRate(…)`. */
  readonly rates: 'none' | 'rate' | 'both';
  /** Who reads, for messages: "a parameter". */
  readonly reader: string;
}

/** `unit` null: the number 0, which fits every unit. */
interface Quantity {
  readonly kind: 'quantity';
  readonly expr: Expr;
  readonly unit: UnitScale | null;
}

type Value =
  | Quantity
  | { readonly kind: 'truth'; readonly expr: Expr }
  | { readonly kind: 'category'; readonly expr: Expr; readonly values: readonly string[] }
  | { readonly kind: 'text'; readonly value: string };

const plainFunctions: ReadonlySet<string> = new Set(['exp', 'log', 'tanh', 'sinh', 'floor', 'expm1', 'log1p']);
const argumentCounts: ReadonlyMap<string, readonly [least: number, most: number]> = new Map<string, readonly [number, number]>([
  ...unaryOps.map((name) => [name, [1, 1]] as const),
  ['logistic', [1, 1]],
  ['pow', [2, 2]],
  ['min', [2, 16]],
  ['max', [2, 16]],
  ['if', [3, 3]],
  ['in', [2, 2]],
  ['unit', [2, 2]],
  ['rate', [1, 1]],
  ['previousRate', [1, 1]],
]);

/** Words with a meaning of their own, which no symbol may have. */
export const reservedWords: ReadonlySet<string> = new Set([
  ...[...argumentCounts.keys()].filter((name) => name !== 'neg'),
  'and',
  'or',
  'time',
  'segmentLength',
  'doseTime',
]);

export class FormulaChecker {
  readonly #expressions: Expressions;
  #scope!: Scope;
  #where = '';

  constructor(expressions: Expressions) {
    this.#expressions = expressions;
  }

  /** A formula whose result is a number of `unit`; `tree` where it has been parsed before. */
  quantity(text: string, where: string, scope: Scope, unit: UnitScale, unitName: string, tree?: Tree): Expr {
    return this.#within(where, scope, () => this.#converted(this.#quantity(tree ?? parseFormula(text, where)), unit, unitName));
  }

  /** A formula whose result has whatever unit comes out of it. */
  anyQuantity(text: string, where: string, scope: Scope): { readonly expr: Expr; readonly unit: UnitScale } {
    const { expr, unit } = this.#within(where, scope, () => this.#quantity(parseFormula(text, where)));
    return { expr, unit: unit ?? dimensionless };
  }

  /** A formula whose result is true or false. */
  truth(text: string, where: string, scope: Scope): Expr {
    return this.#within(where, scope, () => this.#truth(parseFormula(text, where)));
  }

  #within<T>(where: string, scope: Scope, check: () => T): T {
    this.#where = where;
    this.#scope = scope;
    try {
      return check();
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      throw refusal('model_formula_invalid', where, `${error.message}.`, { cause: error });
    }
  }

  #converted({ expr, unit }: Quantity, to: UnitScale, unitName: string): Expr {
    if (unit === null) return expr;
    if (!sameDimension(unit, to)) {
      const what = `the formula gives ${describeDimension(unit)}, expected ${describeDimension(to)} (${unitName}).`;
      throw refusal('model_units_differ', this.#where, what);
    }
    return this.#scaled(expr, unit, to);
  }

  #scaled(expr: Expr, from: UnitScale, to: UnitScale): Expr {
    const factor = conversionFactor(from, to);
    if (!Number.isFinite(factor) || factor === 0) {
      throw refusal('model_units_differ', this.#where, 'the units differ by a factor that no number can hold.');
    }
    return this.#expressions.apply('mul', this.#expressions.number(factor), expr);
  }

  #value(tree: Tree): Value {
    switch (tree.kind) {
      case 'number':
        return {
          kind: 'quantity',
          expr: this.#expressions.number(tree.value),
          unit: tree.value === 0 ? null : dimensionless,
        };
      case 'text':
        return { kind: 'text', value: tree.value };
      case 'symbol':
        return this.#symbol(tree);
      case 'unary': {
        if (tree.op === 'not') return this.#truthOf('not', this.#truth(tree.argument));
        const { expr, unit } = this.#quantity(tree.argument);
        return { kind: 'quantity', expr: this.#expressions.apply('neg', expr), unit };
      }
      case 'binary':
        return this.#binary(tree);
      case 'call':
        return this.#call(tree);
    }
  }

  #symbol({ name, column }: Extract<Tree, { kind: 'symbol' }>): Value {
    const entry = this.#entry(name, column);
    if (!this.#scope.mayRead.has(entry.kind)) {
      const remedy = entry.kind === 'input' ? `, expected rate(${name})` : '';
      this.#refuse(
        'model_symbol_unknown',
        column,
        `${quoted(name)} is ${kindNouns[entry.kind]}, which ${this.#scope.reader} cannot read${remedy}.`,
      );
    }
    const { meaning } = entry;
    invariant(meaning && meaning.kind !== 'input', `${entry.kind} ${name} is read before it is defined`);
    return meaning;
  }

  #entry(name: string, column: number): Entry {
    const entry = this.#scope.symbols.get(name);
    if (entry) return entry;
    const isFunction = reservedWords.has(name);
    const what = isFunction
      ? `${quoted(name)} is not a symbol that can be read here.`
      : `there is no symbol ${quoted(name)} in this model.${suggestion(name, this.#scope.symbols)}`;
    return this.#refuse('model_symbol_unknown', column, what);
  }

  #binary(tree: Extract<Tree, { kind: 'binary' }>): Value {
    const { op, left, right, column } = tree;
    if (op === 'and' || op === 'or') return this.#truthOf(op, this.#truth(left), this.#truth(right));
    if (op === '==' || op === '!=') return this.#equality(tree);
    const a = this.#quantity(left);
    const b = this.#quantity(right);
    switch (op) {
      case '^':
        return this.#power(a, b, column);
      case '*':
        return this.#product('mul', a, b, column);
      case '/':
        return this.#product('div', a, b, column);
      case '+':
      case '-': {
        const [x, y, unit] = this.#alike(a, b, column, op);
        return { kind: 'quantity', expr: this.#expressions.apply(op === '+' ? 'add' : 'sub', x, y), unit };
      }
      default: {
        const [x, y] = this.#alike(a, b, column, op);
        const isTurned = op === '>' || op === '>=';
        return this.#truthOf(op === '<' || op === '>' ? 'lt' : 'le', isTurned ? y : x, isTurned ? x : y);
      }
    }
  }

  #equality({ op, left, right, column }: Extract<Tree, { kind: 'binary' }>): Value {
    const a = this.#value(left);
    const b = this.#value(right);
    let equal: Expr;
    if (a.kind === 'category' && b.kind === 'text') equal = this.#isCategory(a, b.value, right.column);
    else if (a.kind === 'text' && b.kind === 'category') equal = this.#isCategory(b, a.value, left.column);
    else {
      const [x, y] = this.#alike(this.#asQuantity(a, left), this.#asQuantity(b, right), column, op);
      equal = this.#expressions.apply('eq', x, y);
    }
    return { kind: 'truth', expr: op === '==' ? equal : this.#expressions.apply('not', equal) };
  }

  #isCategory({ expr, values }: Extract<Value, { kind: 'category' }>, value: string, column: number): Expr {
    const index = values.indexOf(value);
    if (index < 0) {
      const expected = values.map((each) => quoted(each)).join(', ');
      this.#refuse(
        'model_symbol_unknown',
        column,
        `${quoted(value)} is no category of this covariate, expected one of ${expected}.`,
      );
    }
    return this.#expressions.apply('eq', expr, this.#expressions.number(index));
  }

  #call(tree: Extract<Tree, { kind: 'call' }>): Value {
    const { name, args, column } = tree;
    const counts = name === 'neg' || name === 'not' ? undefined : argumentCounts.get(name);
    if (!counts) return this.#refuse('model_formula_invalid', column, `${quoted(name)} is no function.`);
    if (args.length < counts[0] || args.length > counts[1]) {
      const expected = counts[0] === counts[1] ? `${counts[0]}` : `${counts[0]} to ${counts[1]}`;
      this.#refuse('model_formula_invalid', column, `${name} has ${args.length} arguments, expected ${expected}.`);
    }
    const [first, second, third] = args as readonly [Tree, Tree, Tree];
    if (plainFunctions.has(name)) {
      const argument = this.#plain(first, `the argument of ${name}`);
      return this.#number(this.#expressions.apply(name as ApplyExpr['op'], argument));
    }
    switch (name) {
      case 'logistic': {
        const argument = this.#plain(first, 'the argument of logistic');
        const one = this.#expressions.number(1);
        const make = (op: ApplyExpr['op'], ...parts: readonly Expr[]) => this.#expressions.apply(op, ...parts);
        return this.#number(make('div', one, make('add', one, make('exp', make('neg', argument)))));
      }
      case 'sqrt':
        return this.#power(this.#quantity(first), this.#number(this.#expressions.number(0.5)), column);
      case 'abs': {
        const { expr, unit } = this.#quantity(first);
        return { kind: 'quantity', expr: this.#expressions.apply('abs', expr), unit };
      }
      case 'pow':
        return this.#power(this.#quantity(first), this.#quantity(second), column);
      case 'min':
      case 'max':
        return args
          .map((arg) => this.#quantity(arg))
          .reduce((left, right) => {
            const [x, y, unit] = this.#alike(left, right, column, name);
            return { kind: 'quantity', expr: this.#expressions.apply(name, x, y), unit };
          });
      case 'if': {
        const condition = this.#truth(first);
        const [x, y, unit] = this.#alike(this.#quantity(second), this.#quantity(third), column, 'if');
        return { kind: 'quantity', expr: this.#expressions.apply('if', condition, x, y), unit };
      }
      case 'in': {
        const unit = this.#unit(second);
        const { expr, unit: from } = this.#quantity(first);
        if (from === null) return this.#number(expr);
        this.#requireSame(from, unit, first.column);
        return this.#number(this.#scaled(expr, from, unit));
      }
      case 'unit':
        return { kind: 'quantity', expr: this.#plain(first, 'what is given a unit'), unit: this.#unit(second) };
      default:
        return this.#rate(tree);
    }
  }

  #rate({ name, args, column }: Extract<Tree, { kind: 'call' }>): Value {
    const [argument] = args;
    if (argument?.kind !== 'symbol')
      return this.#refuse('model_formula_invalid', column, `expected ${name}(symbol of an input).`);
    const { rates, reader } = this.#scope;
    if (rates === 'none' || (rates === 'rate' && name === 'previousRate')) {
      this.#refuse('model_symbol_unknown', column, `${name}(…) cannot be read by ${reader}.`);
    }
    const { meaning } = this.#entry(argument.name, argument.column);
    if (meaning?.kind !== 'input') {
      return this.#refuse('model_symbol_unknown', argument.column, `${quoted(argument.name)} is not an input.`);
    }
    const from = name === 'rate' ? 'rate' : 'previousRate';
    return { kind: 'quantity', expr: this.#expressions.read(from, meaning.index), unit: meaning.rateUnit };
  }

  #power(base: Quantity, exponent: Quantity, column: number): Quantity {
    const power = this.#plainNumber(exponent, 'an exponent', column);
    if (base.unit === null || isDimensionless(base.unit)) {
      return this.#number(this.#expressions.apply('pow', this.#plainNumber(base, 'a base', column), power));
    }
    if (power.op !== 'number') {
      const found = describeDimension(base.unit);
      const what = `the base is ${found} and the exponent is not a constant, expected a base that is a plain number: divide it by a reference.`;
      return this.#refuse('model_units_differ', column, what);
    }
    const unit = this.#possible(powerOfUnit(base.unit, power.value), column);
    return { kind: 'quantity', expr: this.#expressions.apply('pow', base.expr, power), unit };
  }

  #product(op: 'mul' | 'div', a: Quantity, b: Quantity, column: number): Quantity {
    const combine = op === 'mul' ? multiplyUnits : divideUnits;
    const unit = this.#possible(combine(a.unit ?? dimensionless, b.unit ?? dimensionless), column);
    return { kind: 'quantity', expr: this.#expressions.apply(op, a.expr, b.expr), unit };
  }

  /** Both sides on the left one's scale. */
  #alike(a: Quantity, b: Quantity, column: number, op: BinaryOperator | 'min' | 'max' | 'if'): [Expr, Expr, UnitScale | null] {
    if (a.unit === null || b.unit === null) return [a.expr, b.expr, a.unit ?? b.unit];
    if (!sameDimension(a.unit, b.unit)) {
      const [left, right] = [describeDimension(a.unit), describeDimension(b.unit)];
      this.#refuse('model_units_differ', column, `the sides of ${op} are ${left} and ${right}, expected the same of both.`);
    }
    return [a.expr, this.#scaled(b.expr, b.unit, a.unit), a.unit];
  }

  #requireSame(found: UnitScale, expected: UnitScale, column: number): void {
    if (sameDimension(found, expected)) return;
    this.#refuse('model_units_differ', column, `found ${describeDimension(found)}, expected ${describeDimension(expected)}.`);
  }

  #possible(unit: UnitScale, column: number): UnitScale {
    const isPossible = Number.isFinite(unit.factor) && unit.factor > 0 && unit.dimension.every((each) => Math.abs(each) <= 64);
    return isPossible
      ? unit
      : this.#refuse('model_units_differ', column, 'the unit of this product or power is out of all bounds.');
  }

  #unit(tree: Tree): UnitScale {
    if (tree.kind !== 'text')
      return this.#refuse('model_formula_invalid', tree.column, "expected a unit in quotes, such as 'mg/L'.");
    try {
      return parseUnit(tree.value);
    } catch (error) {
      if (!(error instanceof UnitError)) throw error;
      return this.#refuse('model_formula_invalid', tree.column, `${quoted(tree.value)} is no unit: ${error.message}.`);
    }
  }

  #plain(tree: Tree, what: string): Expr {
    return this.#plainNumber(this.#quantity(tree), what, tree.column);
  }

  #plainNumber({ expr, unit }: Quantity, what: string, column: number): Expr {
    if (unit === null) return expr;
    if (!isDimensionless(unit)) {
      const found = describeDimension(unit);
      this.#refuse(
        'model_units_differ',
        column,
        `${what} is ${found}, expected a plain number: divide it by a reference or use in(…).`,
      );
    }
    return this.#scaled(expr, unit, dimensionless);
  }

  #number(expr: Expr): Quantity {
    return { kind: 'quantity', expr, unit: dimensionless };
  }

  #truthOf(op: ApplyExpr['op'], ...args: readonly Expr[]): Value {
    return { kind: 'truth', expr: this.#expressions.apply(op, ...args) };
  }

  #quantity(tree: Tree): Quantity {
    return this.#asQuantity(this.#value(tree), tree);
  }

  #asQuantity(value: Value, { column }: Tree): Quantity {
    if (value.kind === 'quantity') return value;
    const remedy = value.kind === 'category' ? ": compare it, as in sex == 'female'" : '';
    return this.#refuse('model_formula_invalid', column, `found ${a(nouns[value.kind])}, expected a number${remedy}.`);
  }

  #truth(tree: Tree): Expr {
    const value = this.#value(tree);
    if (value.kind === 'truth') return value.expr;
    const found = a(nouns[value.kind]);
    return this.#refuse('model_formula_invalid', tree.column, `found ${found}, expected a condition such as x > 0.`);
  }

  #refuse(code: 'model_formula_invalid' | 'model_symbol_unknown' | 'model_units_differ', column: number, what: string): never {
    throw refusal(code, `${this.#where}, column ${column}`, what);
  }
}

const nouns = { quantity: 'number', truth: 'condition', category: 'category', text: 'text' } as const;

const a = (noun: string): string => (/^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`);

/** For messages: "'C' is algebra". */
const kindNouns: Readonly<Record<SymbolKind, string>> = {
  constant: 'a constant',
  table: 'a table',
  covariate: 'a covariate',
  effect: 'a random effect',
  parameter: 'a parameter',
  compartment: 'a compartment',
  state: 'a state',
  memory: 'memory',
  algebra: 'algebra',
  input: 'an input',
  control: 'a control',
  noise: 'noise',
  'read-out': 'a read-out',
  time: 'the time of the moment',
  segmentLength: 'the length of a segment',
  doseTime: 'the time of a dose',
};

/** A symbol that differs only in case: the commonest slip. */
function suggestion(name: string, symbols: ReadonlyMap<string, Entry>): string {
  const close = [...symbols.keys()].find((other) => other.toLowerCase() === name.toLowerCase());
  return close === undefined ? '' : ` Did you mean ${quoted(close)}?`;
}
