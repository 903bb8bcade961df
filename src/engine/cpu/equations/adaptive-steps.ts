import { invariant } from '#domain/errors.ts';
import { dormandPrince } from '#numerics/steppers/dopri5.ts';
import { rodas } from '#numerics/steppers/rosenbrock.ts';
import type { Columns, Scratch } from './memory-plan.ts';
import type { Motion, StepperCode } from './motion.ts';
import { control, i32, sequence, v128, type Code, type FunctionHandle, type FunctionScope, type Local } from './wasm-bytes.ts';

export interface AdaptiveOptions {
  readonly relativeTolerance: number;
  readonly absoluteTolerance: number;
  readonly firstStep: number;
  readonly maximumStep: number;
  readonly maximumSteps: number;
}

/**
 * Each lane takes its own steps, under masks: those of a vector try one together, and a lane that is refused tries a smaller one while
 * its neighbours go on. The controller is that of numerics/steppers.
 */
abstract class AdaptiveSteps implements StepperCode {
  readonly usesTable = false;
  protected readonly motion: Motion;
  protected readonly options: AdaptiveOptions;
  /** Length of the step that is being tried; 0 in lanes that have arrived. */
  protected readonly length: Scratch;
  protected readonly error: Scratch;
  readonly #next: Scratch;
  readonly #wasRefused: Scratch;
  readonly #tried: Columns;
  readonly #errorNorm: FunctionHandle;
  /** Right-hand sides of a try; a step changes by at least this factor; 1/(order + 1) of the lower method. */
  protected abstract readonly cost: number;
  protected abstract readonly leastFactor: number;
  protected abstract readonly exponent: number;

  constructor(motion: Motion, options: AdaptiveOptions) {
    const { code, size, before, after } = motion;
    const { v, memory, program } = code;
    this.motion = motion;
    this.options = options;
    this.length = memory.scratch(1);
    this.error = memory.scratch(size);
    this.#next = memory.scratch(1);
    this.#wasRefused = memory.scratch(1);
    this.#tried = memory.columns(1);
    this.#errorNorm = code.module.function(null, [], ['v128'], (scope) => {
      const sum = scope.local('v128');
      const share = scope.local('v128');
      return sequence(
        sum.set(code.number(0)),
        program.states.map(({ scale }, i) => {
          const extent = v.max(v.abs(before.get(i)), v.abs(after.get(i)));
          const tolerance = v.add(
            v.mul(extent, code.number(options.relativeTolerance)),
            code.number(options.absoluteTolerance * scale),
          );
          return [share.set(v.div(this.error.get(i), tolerance)), sum.set(v.add(sum.get, v.mul(share.get, share.get)))];
        }),
        v.mul(sum.get, code.number(1 / size)),
      );
    });
  }

  /** At the start of a timeline. */
  reset(lane: Local): Code {
    return this.#tried.set(lane, 0, this.motion.code.number(0));
  }

  prepare(scope: FunctionScope, lane: Local): Code {
    const { code, hasSet } = this.motion;
    const all = code.v.eq(code.number(0), code.number(0));
    return sequence(hasSet.set(0, all), this.settle(scope, lane));
  }

  attempt(scope: FunctionScope, lane: Local): Code {
    const { motion, options, length } = this;
    const { code, from, to, active, done } = motion;
    const { v } = code;
    const local = () => scope.local('v128');
    const [wanted, isLast, square, factor, isLost] = [local(), local(), local(), local(), local()];
    const end = code.scalars.length.get();
    const limit = v128.select(this.#wasRefused.get(), code.number(1), code.number(5));
    const tried = this.#tried;
    return sequence(
      wanted.set(v.pmin(this.#next.get(), code.number(options.maximumStep))),
      // A step that would leave less than a millionth of itself takes the rest as well.
      isLast.set(v.le(end, v.add(from.get(), v.mul(wanted.get, code.number(1 + 1e-6))))),
      length.set(0, v128.and(active.get(), v128.select(isLast.get, v.sub(end, from.get()), wanted.get))),
      to.set(0, v128.select(isLast.get, end, v.add(from.get(), length.get()))),
      code.count(active.get(), this.cost),
      this.move(scope, lane),
      square.set(this.#errorNorm.call()),
      done.set(0, v128.and(active.get(), v.le(square.get, code.number(1)))),
      // pmax and pmin let their first argument pass where the second is no number.
      factor.set(v.mul(code.number(0.9), this.#power(square.get, -this.exponent / 2))),
      factor.set(v.pmin(v.pmax(code.number(this.leastFactor), factor.get), limit)),
      this.#next.set(0, v128.select(active.get(), v.mul(length.get(), factor.get), this.#next.get())),
      this.#wasRefused.set(0, v128.andnot(active.get(), done.get())),
      // Out of tries, or a step too short to be told from none.
      tried.set(lane, 0, v.add(tried.get(lane), v128.and(active.get(), code.number(1)))),
      isLost.set(
        v128.and(
          this.#wasRefused.get(),
          v128.or(
            v.le(code.number(options.maximumSteps), tried.get(lane)),
            v.eq(from.get(), v.add(from.get(), this.#next.get())),
          ),
        ),
      ),
      // The tries of a step that was done count as well: none is left for the next one.
      isLost.set(
        v128.or(
          isLost.get,
          v128.and(v128.and(done.get(), v.lt(to.get(), end)), v.le(code.number(options.maximumSteps), tried.get(lane))),
        ),
      ),
      code.diverge(lane, isLost),
      active.set(0, v128.andnot(active.get(), isLost.get)),
    );
  }

  #power(x: Code, exponent: number): Code {
    const { v, math } = this.motion.code;
    return math.apply('exp', v, v.mul(math.number(v, exponent), math.apply('log', v, x)));
  }

  /** From `before` to `after` in `length`, and the error of it. */
  protected abstract move(scope: FunctionScope, lane: Local): Code;
  abstract interpolate(scope: FunctionScope, lane: Local, time: Code): Code;

  settle(_: FunctionScope, __: Local): Code {
    const { code, hasSet } = this.motion;
    return this.#next.set(0, v128.select(hasSet.get(), code.number(this.options.firstStep), this.#next.get()));
  }
}

/** numerics/steppers/dopri5.ts. */
export class Dopri5Code extends AdaptiveSteps {
  protected readonly cost = 6;
  protected readonly leastFactor = 0.2;
  protected readonly exponent = 0.2;
  readonly #slopes: Scratch;

  constructor(motion: Motion, options: AdaptiveOptions) {
    super(motion, options);
    this.#slopes = motion.code.memory.scratch(7 * motion.size);
  }

  protected move(scope: FunctionScope, lane: Local): Code {
    const { motion, length, error } = this;
    const { code, before, after, from } = motion;
    const { v } = code;
    const slopes = this.#slopes;
    const h = scope.local('v128');
    const { a, c, error: errorWeights } = dormandPrince;
    const stages = [1, 2, 3, 4, 5, 6].map((stage) => {
      const time = c[stage] === 1 ? v.add(from.get(), h.get) : v.add(from.get(), v.mul(code.number(c[stage]), h.get));
      return sequence(
        motion.show(time, (i) => v.add(before.get(i), v.mul(h.get, motion.combine(slopes, a[stage], i)))),
        // The last stage is at the result itself.
        stage === 6 ? motion.each((i) => after.set(i, code.stage.get(i))) : [],
        motion.derivatives(lane, slopes, stage),
      );
    });
    return sequence(
      h.set(length.get()),
      ...stages,
      motion.each((i) => error.set(i, v.mul(h.get, motion.combine(slopes, errorWeights, i)))),
    );
  }

  interpolate(scope: FunctionScope, _: Local, time: Code): Code {
    const { motion, length } = this;
    const { code, before, after, from, size } = motion;
    const { v } = code;
    const slopes = this.#slopes;
    const local = () => scope.local('v128');
    const [h, s, r, difference, bend] = [local(), local(), local(), local(), local()];
    return sequence(
      h.set(length.get()),
      s.set(v.div(v.sub(time, from.get()), h.get)),
      r.set(v.sub(code.number(1), s.get)),
      code.stageTime.set(0, time),
      motion.each((i) => {
        const correction = v.mul(v.mul(r.get, h.get), motion.combine(slopes, dormandPrince.dense, i));
        const inner = v.add(v.sub(v.sub(difference.get, v.mul(h.get, slopes.get(6 * size + i))), bend.get), correction);
        const curve = v.add(difference.get, v.mul(r.get, v.add(bend.get, v.mul(s.get, inner))));
        return sequence(
          difference.set(v.sub(after.get(i), before.get(i))),
          bend.set(v.sub(v.mul(h.get, slopes.get(i)), difference.get)),
          code.stage.set(i, v.add(before.get(i), v.mul(s.get, curve))),
        );
      }),
    );
  }

  /** The last stage of a step is the first of the next; where a piece begins, at a segment's start or an event, there is none yet. */
  override settle(scope: FunctionScope, lane: Local): Code {
    const { motion } = this;
    const { code, after, before, from, to, done, active, hasSet, size } = motion;
    const slopes = this.#slopes;
    const isNew = v128.and(active.get(), hasSet.get());
    return sequence(
      super.settle(scope, lane),
      motion.each((i) => slopes.set(i, v128.select(done.get(), slopes.get(6 * size + i), slopes.get(i)))),
      control.if(
        v128.anyTrue(isNew),
        sequence(
          code.count(isNew, 1),
          motion.show(v128.select(done.get(), to.get(), from.get()), (i) => v128.select(done.get(), after.get(i), before.get(i))),
          motion.derivatives(lane, slopes, 6),
          motion.each((i) => slopes.set(i, v128.select(hasSet.get(), slopes.get(6 * size + i), slopes.get(i)))),
        ),
      ),
    );
  }
}

/** numerics/steppers/rosenbrock.ts. The Jacobian is computed at each try, as lanes take turns in being refused. */
export class RosenbrockCode extends AdaptiveSteps {
  protected readonly cost: number;
  protected readonly leastFactor = 1 / 6;
  protected readonly exponent = 0.25;
  readonly #isAutonomous: boolean;
  readonly #slopes: Scratch;
  readonly #stages: Scratch;
  readonly #timeSlopes: Scratch;
  readonly #matrix: Scratch;
  readonly #swaps: Scratch;
  readonly #jacobian: FunctionHandle;
  readonly #decompose: FunctionHandle;
  readonly #solve: FunctionHandle;

  constructor(motion: Motion, options: AdaptiveOptions) {
    super(motion, options);
    const { code, size } = motion;
    const { memory, module, program } = code;
    const changes = program.states.map(({ change }) => change);
    this.#isAutonomous = !code.expressions.reads(changes, 'time') && !code.expressions.reads(changes, 'compartment');
    this.cost = this.#isAutonomous ? 6 : 7;
    this.#slopes = memory.scratch(size);
    this.#stages = memory.scratch(6 * size);
    this.#timeSlopes = memory.scratch(size);
    this.#matrix = memory.scratch(size * size);
    this.#swaps = memory.scratch(size * size);
    this.#jacobian = module.function(null, ['i32', 'v128'], [], (scope, lane, diagonal) =>
      this.#writeMatrix(scope, lane, diagonal),
    );
    this.#decompose = module.function(null, [], [], (scope) => this.#writeDecompose(scope));
    this.#solve = module.function(null, [], [], (scope) => this.#writeSolve(scope));
  }

  protected move(scope: FunctionScope, lane: Local): Code {
    const { motion, length, error } = this;
    const { code, before, after, from, size } = motion;
    const { v } = code;
    const local = () => scope.local('v128');
    const [h, inverse, delta] = [local(), local(), local()];
    const slopes = this.#slopes;
    const stages = this.#stages;
    const { gamma, a, c, d, coupling } = rodas;
    const perLength = (stage: number, i: number): Code => v.mul(inverse.get, motion.combine(stages, coupling[stage], i));
    const solveStage = (stage: number): Code => {
      const time = c[stage] === 0 ? from.get() : v.add(from.get(), v.mul(code.number(c[stage]), h.get));
      const right = (i: number): Code => {
        const own = stage === 0 ? slopes.get(i) : v.add(slopes.get(i), perLength(stage, i));
        const drift = v.mul(v.mul(h.get, code.number(d[stage])), this.#timeSlopes.get(i));
        return this.#isAutonomous || d[stage] === 0 ? own : v.add(own, drift);
      };
      return sequence(
        motion.show(time, (i) => (stage === 0 ? before.get(i) : v.add(before.get(i), motion.combine(stages, a[stage], i)))),
        stage === 5 ? motion.each((i) => after.set(i, code.stage.get(i))) : [],
        motion.derivatives(lane, slopes, 0),
        stage === 0 && !this.#isAutonomous ? this.#slopeInTime(lane, delta) : [],
        motion.each((i) => slopes.set(i, right(i))),
        this.#solve.call(),
        motion.each((i) => stages.set(stage * size + i, slopes.get(i))),
      );
    };
    return sequence(
      h.set(length.get()),
      inverse.set(v.div(code.number(1), h.get)),
      motion.show(from.get(), (i) => before.get(i)),
      this.#jacobian.call(lane.get, v.mul(inverse.get, code.number(1 / gamma))),
      this.#decompose.call(),
      ...[0, 1, 2, 3, 4, 5].map(solveStage),
      // `after` held the result of order 3; the last stage is its error.
      motion.each((i) =>
        sequence(error.set(i, stages.get(5 * size + i)), after.set(i, v.add(after.get(i), stages.get(5 * size + i)))),
      ),
    );
  }

  /** ∂f/∂t by a difference over half the digits of t, and of 1e-5 near zero. */
  #slopeInTime(lane: Local, delta: Local): Code {
    const { motion } = this;
    const { code, from } = motion;
    const { v } = code;
    const slopes = this.#slopes;
    const later = this.#timeSlopes;
    const time = v.abs(v.add(code.scalars.start.get(), from.get()));
    return sequence(
      delta.set(v.sqrt(v.mul(code.number(Number.EPSILON), v.max(code.number(1e-5), time)))),
      code.stageTime.set(0, v.add(from.get(), delta.get)),
      motion.derivatives(lane, later, 0),
      motion.each((i) => later.set(i, v.div(v.sub(later.get(i), slopes.get(i)), delta.get))),
    );
  }

  interpolate(scope: FunctionScope, _: Local, time: Code): Code {
    const { motion, length } = this;
    const { code, before, after, from } = motion;
    const { v } = code;
    const stages = this.#stages;
    const [s, r] = [scope.local('v128'), scope.local('v128')];
    const [first, second] = rodas.dense;
    return sequence(
      s.set(v.div(v.sub(time, from.get()), length.get())),
      r.set(v.sub(code.number(1), s.get)),
      motion.show(time, (i) => {
        const bend = v.add(motion.combine(stages, first, i), v.mul(s.get, motion.combine(stages, second, i)));
        return v.add(v.mul(r.get, before.get(i)), v.mul(s.get, v.add(after.get(i), v.mul(r.get, bend))));
      }),
    );
  }

  /** diagonal·I − ∂f/∂y at `stage`. */
  #writeMatrix(scope: FunctionScope, lane: Local, diagonal: Local): Code {
    const { code, size } = this.motion;
    const { v, program } = code;
    const { jacobian } = program;
    invariant(jacobian, 'a program for Rosenbrock has a Jacobian');
    const roots = jacobian.flatMap((row) => row.filter((entry) => entry !== null));
    const emitter = code.inSegment(scope, lane, roots);
    return sequence(
      code.showCompartmentsFor(roots, lane),
      jacobian.map((row, i) =>
        row.map((entry, j) => {
          const own = entry === null ? code.number(0) : emitter.value(entry);
          const isHeld = program.states[i].holdsWhenNegative && entry !== null;
          const value = isHeld ? v128.andnot(own, v.lt(code.stage.get(i), code.number(0))) : own;
          return this.#matrix.set(i * size + j, i === j ? v.sub(diagonal.get, value) : v.neg(value));
        }),
      ),
    );
  }

  /** Address of an entry of the matrix. */
  #entry(row: Code, column: Code, of = this.#matrix): Code {
    const index = i32.add(i32.mul(row, i32.const(this.motion.size)), column);
    return i32.add(i32.const(of.address), i32.shl(index, i32.const(4)));
  }

  /** LU with row pivots: a lane's rows k and i change places where the entry below is the larger one. */
  #writeDecompose(scope: FunctionScope): Code {
    const { code } = this.motion;
    const { v } = code;
    const integer = () => scope.local('i32');
    const vector = () => scope.local('v128');
    const [k, i, j, one, other] = [integer(), integer(), integer(), integer(), integer()];
    const [swap, inverse, factor, a, b] = [vector(), vector(), vector(), vector(), vector()];
    const n = i32.const(this.motion.size);
    const next = i32.add(k.get, i32.const(1));
    const swapRows = control.for(j, k.get, n, 1, [
      one.set(this.#entry(k.get, j.get)),
      other.set(this.#entry(i.get, j.get)),
      a.set(v128.load(one.get)),
      b.set(v128.load(other.get)),
      v128.store(one.get, v128.select(swap.get, b.get, a.get)),
      v128.store(other.get, v128.select(swap.get, a.get, b.get)),
    ]);
    const pivot = control.for(i, next, n, 1, [
      swap.set(v.lt(v.abs(v128.load(this.#entry(k.get, k.get))), v.abs(v128.load(this.#entry(i.get, k.get))))),
      v128.store(this.#entry(k.get, i.get, this.#swaps), swap.get),
      control.if(v128.anyTrue(swap.get), swapRows),
    ]);
    const eliminate = control.for(i, next, n, 1, [
      factor.set(v.mul(v128.load(this.#entry(i.get, k.get)), inverse.get)),
      v128.store(this.#entry(i.get, k.get), factor.get),
      control.for(j, next, n, 1, [
        other.set(this.#entry(i.get, j.get)),
        v128.store(other.get, v.sub(v128.load(other.get), v.mul(factor.get, v128.load(this.#entry(k.get, j.get))))),
      ]),
    ]);
    return control.for(k, i32.const(0), n, 1, [
      pivot,
      inverse.set(v.div(code.number(1), v128.load(this.#entry(k.get, k.get)))),
      eliminate,
    ]);
  }

  /** Solves for the slopes in place, with the exchanges and factors that `decompose` left. */
  #writeSolve(scope: FunctionScope): Code {
    const { v } = this.motion.code;
    const integer = () => scope.local('i32');
    const [k, i, one, other] = [integer(), integer(), integer(), integer()];
    const [swap, a, b] = [scope.local('v128'), scope.local('v128'), scope.local('v128')];
    const n = i32.const(this.motion.size);
    const place = (index: Code): Code => i32.add(i32.const(this.#slopes.address), i32.shl(index, i32.const(4)));
    const next = i32.add(k.get, i32.const(1));
    return sequence(
      control.for(k, i32.const(0), n, 1, [
        one.set(place(k.get)),
        control.for(i, next, n, 1, [
          other.set(place(i.get)),
          swap.set(v128.load(this.#entry(k.get, i.get, this.#swaps))),
          a.set(v128.load(one.get)),
          b.set(v128.load(other.get)),
          v128.store(one.get, v128.select(swap.get, b.get, a.get)),
          v128.store(other.get, v128.select(swap.get, a.get, b.get)),
        ]),
        control.for(i, next, n, 1, [
          other.set(place(i.get)),
          v128.store(other.get, v.sub(v128.load(other.get), v.mul(v128.load(this.#entry(i.get, k.get)), v128.load(one.get)))),
        ]),
      ]),
      control.for(k, i32.sub(n, i32.const(1)), i32.const(-1), -1, [
        one.set(place(k.get)),
        a.set(v128.load(one.get)),
        control.for(i, next, n, 1, a.set(v.sub(a.get, v.mul(v128.load(this.#entry(k.get, i.get)), v128.load(place(i.get)))))),
        v128.store(one.get, v.div(a.get, v128.load(this.#entry(k.get, k.get)))),
      ]),
    );
  }
}
