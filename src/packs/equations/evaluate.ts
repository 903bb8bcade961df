/** The meaning of every operation, in f64. Engines compile programs; this walks the tree, for whatever is computed once. */
import type { ApplyExpr, Expr, SlotKind } from './program.ts';

/** Truth values are 1 and 0. */
export function applyOperation(op: ApplyExpr['op'], a: number, b: number, c: number): number {
  switch (op) {
    case 'neg':
      return -a;
    case 'exp':
      return Math.exp(a);
    case 'log':
      return Math.log(a);
    case 'sqrt':
      return Math.sqrt(a);
    case 'tanh':
      return Math.tanh(a);
    case 'sinh':
      return Math.sinh(a);
    case 'abs':
      return Math.abs(a);
    case 'floor':
      return Math.floor(a);
    case 'expm1':
      return Math.expm1(a);
    case 'log1p':
      return Math.log1p(a);
    case 'not':
      return a === 0 ? 1 : 0;
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'mul':
      return a * b;
    case 'div':
      return a / b;
    case 'pow':
      return a ** b;
    case 'min':
      return Math.min(a, b);
    case 'max':
      return Math.max(a, b);
    case 'lt':
      return a < b ? 1 : 0;
    case 'le':
      return a <= b ? 1 : 0;
    case 'eq':
      return a === b ? 1 : 0;
    case 'and':
      return a !== 0 && b !== 0 ? 1 : 0;
    case 'or':
      return a !== 0 || b !== 0 ? 1 : 0;
    case 'if':
      return a !== 0 ? b : c;
  }
}

/** The value of an expression; `read` supplies what it reads. A shared subtree is computed once. */
export function evaluate(expr: Expr, read: (from: SlotKind, index: number) => number): number {
  const known = new Map<Expr, number>();
  const valueOf = (node: Expr): number => {
    if (node.op === 'number') return node.value;
    const before = known.get(node);
    if (before !== undefined) return before;
    let value: number;
    if (node.op === 'read') value = read(node.from, node.index);
    else {
      const [a, b, c] = node.args;
      value = applyOperation(node.op, valueOf(a!), b ? valueOf(b) : 0, c ? valueOf(c) : 0);
    }
    known.set(node, value);
    return value;
  };
  return valueOf(expr);
}
