/** Individual parameters and constraints of many lanes at once: every node of a formula is an array with one value a lane. */
import { invariant } from '#domain/errors.ts';
import { applyOperation } from '#packs/equations/evaluate.ts';
import type { Expr, Program } from '#packs/equations/program.ts';

/** What a lane is: [effects] and [covariates of the program], each an array with one value a lane. */
export interface Individuals {
  readonly lanes: number;
  readonly effect: (index: number) => Float64Array;
  readonly covariate: (index: number) => Float64Array;
}

/** [parameters] of [lanes], in the order of the program. */
export function individualParameters(program: Pick<Program, 'parameters'>, individuals: Individuals): Float64Array[] {
  const parameters: Float64Array[] = [];
  for (const { value } of program.parameters) parameters.push(evaluateLanes(value, individuals, parameters));
  return parameters;
}

/** [lanes]: 1 where every constraint of the program holds. A constraint that is no number does not hold. */
export function keepsConstraints(program: Pick<Program, 'parameters' | 'constraints'>, individuals: Individuals): Uint8Array {
  const parameters = individualParameters(program, individuals);
  const keeps = new Uint8Array(individuals.lanes).fill(1);
  for (const constraint of program.constraints) {
    const holds = evaluateLanes(constraint, individuals, parameters);
    for (let lane = 0; lane < keeps.length; lane++) if (holds[lane] !== 1) keeps[lane] = 0;
  }
  return keeps;
}

function evaluateLanes(root: Expr, { lanes, effect, covariate }: Individuals, parameters: readonly Float64Array[]): Float64Array {
  const known = new Map<Expr, Float64Array>();
  const none = new Float64Array(lanes);
  const valuesOf = (node: Expr): Float64Array => {
    const before = known.get(node);
    if (before) return before;
    const values = compute(node);
    known.set(node, values);
    return values;
  };
  const compute = (node: Expr): Float64Array => {
    if (node.op === 'number') return new Float64Array(lanes).fill(node.value);
    if (node.op === 'read') {
      if (node.from === 'effect') return effect(node.index);
      if (node.from === 'covariate') return covariate(node.index);
      invariant(node.from === 'parameter', `parameters and constraints do not read '${node.from}'`);
      return parameters[node.index]!;
    }
    const { op } = node;
    const [a, b = none, c = none] = node.args.map(valuesOf) as [Float64Array, Float64Array?, Float64Array?];
    const values = new Float64Array(lanes);
    for (let lane = 0; lane < lanes; lane++) values[lane] = applyOperation(op, a[lane]!, b[lane]!, c[lane]!);
    return values;
  };
  return valuesOf(root);
}
