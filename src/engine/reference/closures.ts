/**
 * Expressions as closures over one flat array of numbers: slots for everything that formulas read, then constants, then a place for
 * each node that is computed. Nodes are interned, so a tape computes a shared subtree once, and nothing is evaluated from text.
 */
import { invariant } from '#domain/errors.ts';
import type { ApplyExpr, Expr, Program, SlotKind } from '#packs/equations/program.ts';

type Instruction = (m: Float64Array) => void;

/** Computes its roots; `outputs` says where in the memory each one lies afterwards. */
export interface Tape {
  readonly instructions: readonly Instruction[];
  readonly outputs: Int32Array;
  /** Kinds of slots that it reads, through algebra as well. */
  readonly reads: ReadonlySet<SlotKind>;
}

export function runTape(tape: Tape, memory: Float64Array): void {
  for (const instruction of tape.instructions) instruction(memory);
}

/** Where each kind of slot begins. Algebra has no slots: a tape that reads it computes it. */
export type SlotOffsets = Readonly<Record<Exclude<SlotKind, 'algebra' | 'hoisted'>, number>>;

export class TapeCompiler {
  readonly offsets: SlotOffsets;
  readonly #program: Program;
  readonly #constants = new Map<number, number>();
  #size: number;

  constructor(program: Program) {
    this.#program = program;
    let size = 0;
    const take = (count: number): number => (size += count) - count;
    this.offsets = {
      covariate: take(program.covariates.length),
      effect: take(program.effects.length),
      parameter: take(program.parameters.length),
      compartment: take(program.compartments?.symbols.length ?? 0),
      state: take(program.states.length),
      memory: take(program.memory.length),
      rate: take(program.inputs.length),
      previousRate: take(program.inputs.length),
      control: take(program.controls.length),
      noise: take(program.noises.length),
      time: take(1),
      segmentLength: take(1),
      doseTime: take(1),
    };
    this.#size = size;
  }

  /** The tape of these roots, each computed before the next one is begun. */
  compile(roots: readonly Expr[]): Tape {
    const instructions: Instruction[] = [];
    const reads = new Set<SlotKind>();
    const places = new Map<Expr, number>();
    const placeOf = (node: Expr): number => {
      const known = places.get(node);
      if (known !== undefined) return known;
      let place: number;
      if (node.op === 'number') place = this.#constant(node.value);
      else if (node.op === 'read') {
        reads.add(node.from);
        place = node.from === 'algebra' ? placeOf(this.#program.algebra[node.index].value) : this.#slot(node.from, node.index);
      } else {
        const args = node.args.map(placeOf);
        place = this.#size++;
        instructions.push(instruction(node.op, place, args[0], args[1], args[2]));
      }
      places.set(node, place);
      return place;
    };
    return { outputs: Int32Array.from(roots, placeOf), instructions, reads };
  }

  /** Parameters: each is written to its slot before the next one is computed. */
  compileInto(kind: 'parameter', roots: readonly Expr[]): Tape {
    const instructions: Instruction[] = [];
    const reads = new Set<SlotKind>();
    const outputs = roots.map((root, i) => {
      const tape = this.compile([root]);
      const [from] = tape.outputs;
      const to = this.offsets[kind] + i;
      instructions.push(...tape.instructions, (m) => void (m[to] = m[from]));
      for (const read of tape.reads) reads.add(read);
      return to;
    });
    return { instructions, outputs: Int32Array.from(outputs), reads };
  }

  /** A memory for all tapes compiled so far, constants in place. */
  makeMemory(): Float64Array {
    const memory = new Float64Array(this.#size);
    for (const [value, place] of this.#constants) memory[place] = value;
    return memory;
  }

  #constant(value: number): number {
    let place = this.#constants.get(value);
    if (place === undefined) this.#constants.set(value, (place = this.#size++));
    return place;
  }

  #slot(kind: SlotKind, index: number): number {
    invariant(kind !== 'hoisted' && kind !== 'algebra', 'the reference takes programs as they were checked, before hoisting');
    return this.offsets[kind] + index;
  }
}

function instruction(op: ApplyExpr['op'], to: number, a: number, b: number, c: number): Instruction {
  switch (op) {
    case 'neg':
      return (m) => void (m[to] = -m[a]);
    case 'exp':
      return (m) => void (m[to] = Math.exp(m[a]));
    case 'log':
      return (m) => void (m[to] = Math.log(m[a]));
    case 'sqrt':
      return (m) => void (m[to] = Math.sqrt(m[a]));
    case 'tanh':
      return (m) => void (m[to] = Math.tanh(m[a]));
    case 'sinh':
      return (m) => void (m[to] = Math.sinh(m[a]));
    case 'abs':
      return (m) => void (m[to] = Math.abs(m[a]));
    case 'floor':
      return (m) => void (m[to] = Math.floor(m[a]));
    case 'expm1':
      return (m) => void (m[to] = Math.expm1(m[a]));
    case 'log1p':
      return (m) => void (m[to] = Math.log1p(m[a]));
    case 'not':
      return (m) => void (m[to] = m[a] === 0 ? 1 : 0);
    case 'add':
      return (m) => void (m[to] = m[a] + m[b]);
    case 'sub':
      return (m) => void (m[to] = m[a] - m[b]);
    case 'mul':
      return (m) => void (m[to] = m[a] * m[b]);
    case 'div':
      return (m) => void (m[to] = m[a] / m[b]);
    case 'pow':
      return (m) => void (m[to] = m[a] ** m[b]);
    case 'min':
      return (m) => void (m[to] = Math.min(m[a], m[b]));
    case 'max':
      return (m) => void (m[to] = Math.max(m[a], m[b]));
    case 'lt':
      return (m) => void (m[to] = m[a] < m[b] ? 1 : 0);
    case 'le':
      return (m) => void (m[to] = m[a] <= m[b] ? 1 : 0);
    case 'eq':
      return (m) => void (m[to] = m[a] === m[b] ? 1 : 0);
    case 'and':
      return (m) => void (m[to] = m[a] !== 0 && m[b] !== 0 ? 1 : 0);
    case 'or':
      return (m) => void (m[to] = m[a] !== 0 || m[b] !== 0 ? 1 : 0);
    case 'if':
      return (m) => void (m[to] = m[a] !== 0 ? m[b] : m[c]);
  }
}
