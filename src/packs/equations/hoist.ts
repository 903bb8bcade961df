/**
 * Takes out of a program what is the same for all lanes: whatever depends on the covariates of a row alone is computed once a row in
 * f64, and lane code (f32) reads the result. Maturation functions, genotype tables and powers of body size leave the lanes this way.
 */
import { evaluate } from './evaluate.ts';
import { Expressions, isTruth } from './expressions.ts';
import type { Assignment, Expr, Program } from './program.ts';

export interface HoistedProgram {
  readonly program: Program;
  /** Over covariates alone; slot `hoisted` i of a row is the value of formula i. */
  readonly rowFormulas: readonly Expr[];
}

/** `laneCovariates`: indices into `program.covariates` whose values differ between lanes. */
export function hoistProgram(program: Program, laneCovariates: readonly number[]): HoistedProgram {
  return new Hoister(program, new Set(laneCovariates)).hoist();
}

/** The hoisted values of one covariate row. */
export function evaluateRow(rowFormulas: readonly Expr[], row: Float64Array): Float64Array {
  return Float64Array.from(rowFormulas, (formula) => evaluate(formula, (_, index) => row[index]!));
}

class Hoister {
  readonly #program: Program;
  readonly #laneCovariates: ReadonlySet<number>;
  // The program was within its bounds, and this makes no more of it than there was.
  readonly #expressions = new Expressions({ nodes: Infinity, depth: Infinity, constants: 'any' });
  readonly #rowFormulas: Expr[] = [];
  readonly #rowIndex = new Map<Expr, number>();
  readonly #isOfRow = new Map<Expr, boolean>();
  readonly #done = new Map<Expr, Expr>();
  /** Per parameter: written out over covariates where it depends on nothing else. */
  readonly #rowParameters: (Expr | null)[] = [];

  constructor(program: Program, laneCovariates: ReadonlySet<number>) {
    this.#program = program;
    this.#laneCovariates = laneCovariates;
  }

  hoist(): HoistedProgram {
    const { compartments, jacobian, ...rest } = this.#program;
    const take = (expr: Expr) => this.#take(this.#writeOut(expr));
    const takeIfAny = (expr: Expr | null) => expr && take(expr);
    // First and in order: later formulas see through parameters of the row.
    const parameters = rest.parameters.map((parameter): Assignment => {
      const written = this.#writeOut(parameter.value);
      this.#rowParameters.push(this.#dependsOnRow(written) ? written : null);
      return { ...parameter, value: this.#take(written) };
    });
    const assignments = (list: readonly Assignment[]) => list.map((each): Assignment => ({ ...each, value: take(each.value) }));
    const program: Program = {
      ...rest,
      parameters,
      constraints: rest.constraints.map(take),
      compartments: compartments && {
        ...compartments,
        clearance: take(compartments.clearance),
        volume: take(compartments.volume),
        peripherals: compartments.peripherals.map(({ flow, volume }) => ({ flow: take(flow), volume: take(volume) })),
        absorptionRate: takeIfAny(compartments.absorptionRate),
        effectSiteRate: takeIfAny(compartments.effectSiteRate),
      },
      states: rest.states.map((state) => ({
        ...state,
        initial: take(state.initial),
        change: take(state.change),
        diffusion: takeIfAny(state.diffusion),
      })),
      memory: rest.memory.map((each) => ({
        ...each,
        initial: take(each.initial),
        atSegmentStart: take(each.atSegmentStart),
      })),
      algebra: assignments(rest.algebra),
      // The lag stays: the timeline is laid from it before there are lanes.
      inputs: rest.inputs.map((input) => ({ ...input, bioavailability: take(input.bioavailability) })),
      readouts: assignments(rest.readouts),
      events: rest.events.map((event) => ({
        ...event,
        of: take(event.of),
        set: event.set.map(({ state, to }) => ({ state, to: take(to) })),
      })),
      jacobian: jacobian && jacobian.map((row) => row.map(takeIfAny)),
    };
    return { program, rowFormulas: this.#rowFormulas };
  }

  /** The expression made here, with parameters of the row replaced by what they are. */
  #writeOut(expr: Expr): Expr {
    return this.#expressions.rebuild(expr, (node) =>
      node.op === 'read' && node.from === 'parameter' ? (this.#rowParameters[node.index] ?? null) : null,
    );
  }

  #dependsOnRow(expr: Expr): boolean {
    const before = this.#isOfRow.get(expr);
    if (before !== undefined) return before;
    let isOfRow = true;
    if (expr.op === 'read') isOfRow = expr.from === 'covariate' && !this.#laneCovariates.has(expr.index);
    else if (expr.op !== 'number') isOfRow = expr.args.every((arg) => this.#dependsOnRow(arg));
    this.#isOfRow.set(expr, isOfRow);
    return isOfRow;
  }

  #take(expr: Expr): Expr {
    return this.#expressions.rebuild(
      expr,
      (node) => {
        // A number or a covariate costs no more than a hoisted value, and a truth value is no number that a row could hold.
        if (node.op === 'number' || node.op === 'read' || isTruth(node) || !this.#dependsOnRow(node)) return null;
        return this.#expressions.read('hoisted', this.#indexOf(node));
      },
      this.#done,
    );
  }

  #indexOf(expr: Expr): number {
    const before = this.#rowIndex.get(expr);
    if (before !== undefined) return before;
    const index = this.#rowFormulas.push(expr) - 1;
    this.#rowIndex.set(expr, index);
    return index;
  }
}
