import type { Expr } from '#packs/equations/program.ts';
import type { Scratch } from './memory-plan.ts';
import { NoiseWriter } from './noise.ts';
import type { ProgramCode } from './program-code.ts';
import { i32, sequence, v128, type Code, type FunctionHandle, type FunctionScope, type Local } from './wasm-bytes.ts';

/** One entry of the table of steps, for steppers whose steps are the same for all lanes. Byte offsets; 8 bytes to each field. */
export const stepEntry = { to: 0, length: 8, scale: 16, number: 24, bytes: 32 } as const;

/** The vector in hand: where its states are, and between what times the step goes. Times since the segment's start. */
export class Motion {
  readonly code: ProgramCode;
  readonly size: number;
  /** States at `from`, and at `to`. */
  readonly before: Scratch;
  readonly after: Scratch;
  readonly from: Scratch;
  readonly to: Scratch;
  /** Lanes that have not reached the segment's end, and those whose step is done (an adaptive one may have been refused). */
  readonly active: Scratch;
  readonly done: Scratch;
  /** Lanes in which an event has set a state at the end of the step. */
  readonly hasSet: Scratch;
  readonly #derivatives: FunctionHandle;

  constructor(code: ProgramCode) {
    this.code = code;
    const { memory, program } = code;
    this.size = program.states.length;
    this.before = memory.scratch(this.size);
    this.after = memory.scratch(this.size);
    this.from = memory.scratch(1);
    this.to = memory.scratch(1);
    this.active = memory.scratch(1);
    this.done = memory.scratch(1);
    this.hasSet = memory.scratch(1);
    this.#derivatives = code.module.function(null, ['i32', 'i32'], [], (scope, lane, out) =>
      this.#writeDerivatives(scope, lane, out),
    );
  }

  /** d/dt of the states in `stage` at `stageTime`, to row `row` of `slopes` [rows × states]. */
  derivatives(lane: Local, slopes: Scratch, row: number): Code {
    return this.#derivatives.call(lane.get, i32.const(slopes.address + 16 * row * this.size));
  }

  #writeDerivatives(scope: FunctionScope, lane: Local, out: Local): Code {
    const { code } = this;
    const { v, program, stage, columns } = code;
    const roots = program.states.map(({ change }) => change);
    const emitter = code.inSegment(scope, lane, roots);
    return sequence(
      code.showCompartmentsFor(roots, lane),
      program.states.map(({ change, holdsWhenNegative }, i) => {
        const own = emitter.value(change);
        const fed = code.isFed(i) ? v.add(own, columns.stateRates.get(lane, i)) : own;
        const held = holdsWhenNegative ? v128.andnot(fed, v.lt(stage.get(i), code.number(0))) : fed;
        return v128.store(out.get, held, 16 * i);
      }),
    );
  }

  /** Each state in turn. */
  each(write: (state: number) => Code): Code {
    return Array.from({ length: this.size }, (_, i) => write(i));
  }

  /** A weighted sum of rows of `slopes`; weights of 0 are left out. */
  combine(slopes: Scratch, weights: readonly number[], state: number): Code {
    const { v } = this.code;
    return weights
      .flatMap((weight, row) => (weight === 0 ? [] : [v.mul(this.code.number(weight), slopes.get(row * this.size + state))]))
      .reduce((sum, term) => v.add(sum, term));
  }

  /** The instant that formulas read: `time`, and each state from where the step is. */
  show(time: Code, state: (index: number) => Code): Code {
    return sequence(
      this.code.stageTime.set(0, time),
      this.each((i) => this.code.stage.set(i, state(i))),
    );
  }
}

/** How states move through a segment. All code is for one vector of lanes. */
export interface StepperCode {
  /** Whether all lanes take the steps of a table, or each its own. */
  readonly usesTable: boolean;
  /** At a timeline's start. */
  reset(lane: Local): Code;
  /** At a segment's start: `before` and `from` are set. */
  prepare(scope: FunctionScope, lane: Local): Code;
  /** Tries a step: sets `after`, `to` and `done`, and takes lanes that cannot go on out of `active`. `step`: entry of the table. */
  attempt(scope: FunctionScope, lane: Local, step: Local): Code;
  /** States at `time` inside the step, to `stage`. */
  interpolate(scope: FunctionScope, lane: Local, time: Code): Code;
  /** After events have looked at `after`, before it becomes `before`. */
  settle(scope: FunctionScope, lane: Local): Code;
}

/** The noise of a step: normals of the lanes in hand. */
export class StepNoise {
  readonly #code: ProgramCode;
  readonly writer: NoiseWriter;

  constructor(code: ProgramCode) {
    this.#code = code;
    this.writer = new NoiseWriter(code.module, code.v, code.math, code.memory);
  }

  /** Normals 0 … count − 1 of step `number`, each handed to `use` once. */
  normals(
    scope: FunctionScope,
    lane: Local,
    number: Code,
    stream: number,
    count: number,
    use: (j: number, value: Code) => Code,
  ): Code {
    const cosine = scope.local('v128');
    const sine = scope.local('v128');
    const parts: Code[] = [];
    for (let j = 0; j < count; j += 2) {
      if (j % 4 === 0) parts.push(this.writer.draw(this.#code.laneNumber(lane), number, i32.const(j / 4), i32.const(stream)));
      parts.push(
        this.writer.normals(j % 4 === 0 ? 0 : 1, cosine, sine),
        use(j, cosine.get),
        j + 1 < count ? use(j + 1, sine.get) : [],
      );
    }
    return parts;
  }
}

/** Formulas that a program evaluates while it runs through a segment. */
export function segmentRoots(
  code: Pick<ProgramCode['program'], 'states' | 'events' | 'jacobian' | 'readouts'>,
  readouts: readonly number[],
): Expr[] {
  return [
    ...code.states.flatMap(({ change, diffusion }) => (diffusion ? [change, diffusion] : [change])),
    ...code.events.flatMap(({ of, set }) => [of, ...set.map(({ to }) => to)]),
    ...(code.jacobian ?? []).flatMap((row) => row.filter((entry) => entry !== null)),
    ...readouts.map((index) => code.readouts[index].value),
  ];
}
