/** Symbolic derivatives, for the Jacobian of linearly implicit steppers. */
import type { Expressions } from './expressions.ts';
import type { ApplyExpr, Assignment, CompiledState, Expr } from './program.ts';

/**
 * ∂f/∂variable, or null where it is zero everywhere. `variable` is one read; reads for which `chain` gives a derivative are functions
 * of it. At a kink (abs, min, max, the edge of an `if`) the derivative is that of the side that is taken; floor counts as constant.
 */
export function differentiate(
  f: Expr,
  variable: Expr,
  expressions: Expressions,
  chain: (read: Expr) => Expr | null = () => null,
): Expr | null {
  const make = (op: ApplyExpr['op'], ...args: readonly Expr[]) => expressions.apply(op, ...args);
  const number = (value: number) => expressions.number(value);
  const scaled = (derivative: Expr | null, factor: () => Expr) => derivative && make('mul', factor(), derivative);
  const sum = (a: Expr | null, b: Expr | null, op: 'add' | 'sub' = 'add') => {
    if (!b) return a;
    if (!a) return op === 'add' ? b : make('neg', b);
    return make(op, a, b);
  };
  const choice = (condition: Expr, a: Expr | null, b: Expr | null) =>
    a || b ? make('if', condition, a ?? number(0), b ?? number(0)) : null;
  const known = new Map<Expr, Expr | null>();

  const of = (node: Expr): Expr | null => {
    if (node === variable) return number(1);
    if (node.op === 'number') return null;
    if (node.op === 'read') return chain(node);
    const before = known.get(node);
    if (before !== undefined) return before;
    const made = ofOperation(node);
    known.set(node, made);
    return made;
  };

  const ofOperation = (node: ApplyExpr): Expr | null => {
    const [a, b, c] = node.args as readonly [Expr, Expr, Expr];
    switch (node.op) {
      case 'neg': {
        const inner = of(a);
        return inner && make('neg', inner);
      }
      case 'exp':
        return scaled(of(a), () => node);
      case 'expm1':
        return scaled(of(a), () => make('exp', a));
      case 'log': {
        const inner = of(a);
        return inner && make('div', inner, a);
      }
      case 'log1p': {
        const inner = of(a);
        return inner && make('div', inner, make('add', number(1), a));
      }
      case 'sqrt': {
        const inner = of(a);
        return inner && make('div', inner, make('mul', number(2), node));
      }
      case 'tanh':
        return scaled(of(a), () => make('sub', number(1), make('mul', node, node)));
      case 'sinh': {
        const cosh = () => make('mul', number(0.5), make('add', make('exp', a), make('exp', make('neg', a))));
        return scaled(of(a), cosh);
      }
      case 'abs': {
        const inner = of(a);
        return inner && make('if', make('lt', a, number(0)), make('neg', inner), inner);
      }
      case 'add':
        return sum(of(a), of(b));
      case 'sub':
        return sum(of(a), of(b), 'sub');
      case 'mul':
        return sum(
          scaled(of(a), () => b),
          scaled(of(b), () => a),
        );
      case 'div': {
        // a′/b − (a/b)·b′/b
        const [above, below] = [of(a), of(b)];
        return sum(above && make('div', above, b), below && make('mul', node, make('div', below, b)), 'sub');
      }
      case 'pow':
        return ofPower(node, a, b);
      case 'min':
        return choice(make('lt', b, a), of(b), of(a));
      case 'max':
        return choice(make('lt', a, b), of(b), of(a));
      case 'if':
        return choice(a, of(b), of(c));
      case 'floor':
      case 'not':
      case 'lt':
      case 'le':
      case 'eq':
      case 'and':
      case 'or':
        return null;
    }
  };

  const ofPower = (node: Expr, base: Expr, exponent: Expr): Expr | null => {
    const byBase = scaled(of(base), () => make('mul', exponent, make('pow', base, make('sub', exponent, number(1)))));
    const byExponent = scaled(of(exponent), () => make('mul', node, make('log', base)));
    return sum(byBase, byExponent);
  };

  return of(f);
}

/** [states][states] ∂change/∂state with algebra written out; null for zero. */
export function jacobianOf(
  states: readonly CompiledState[],
  algebra: readonly Assignment[],
  expressions: Expressions,
): readonly (readonly (Expr | null)[])[] {
  // In order of evaluation, so that each only reads what has been written out before.
  const written: Expr[] = [];
  const writeOut = (value: Expr) =>
    expressions.rebuild(value, (node) => (node.op === 'read' && node.from === 'algebra' ? written[node.index]! : null));
  for (const { value } of algebra) written.push(writeOut(value));
  const changes = states.map(({ change }) => writeOut(change));
  return changes.map((change) => states.map((_, j) => differentiate(change, expressions.read('state', j), expressions)));
}
