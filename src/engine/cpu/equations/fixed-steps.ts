import { streams } from '#numerics/random.ts';
import { stepEntry, type Motion, type StepNoise, type StepperCode } from './motion.ts';
import type { Scratch } from './memory-plan.ts';
import { control, i32, sequence, v128, type Code, type FunctionHandle, type FunctionScope, type Local } from './wasm-bytes.ts';

/** What steppers with a table of steps have in common: all active lanes take each step together. */
abstract class FixedSteps implements StepperCode {
  readonly usesTable = true;
  protected readonly motion: Motion;
  /** Right-hand sides of a step. */
  protected abstract readonly cost: number;

  constructor(motion: Motion) {
    this.motion = motion;
  }

  reset(): Code {
    return [];
  }

  prepare(): Code {
    return [];
  }

  attempt(scope: FunctionScope, lane: Local, step: Local): Code {
    const { code, to, done, active, after } = this.motion;
    const broken = scope.local('v128');
    const { v } = code;
    return sequence(
      to.set(0, v.broadcast(step.get, stepEntry.to)),
      code.count(active.get(), this.cost),
      this.move(scope, lane, step),
      broken.set(v128.andnot(active.get(), code.areFinite(Array.from({ length: this.motion.size }, (_, i) => after.get(i))))),
      code.diverge(lane, broken),
      active.set(0, v128.andnot(active.get(), broken.get)),
      done.set(0, active.get()),
    );
  }

  /** From `before` to `after`. */
  protected abstract move(scope: FunctionScope, lane: Local, step: Local): Code;
  abstract interpolate(scope: FunctionScope, lane: Local, time: Code): Code;

  settle(): Code {
    return [];
  }

  protected length(step: Local): Code {
    return this.motion.code.v.broadcast(step.get, stepEntry.length);
  }

  /** How much of the step lies before `time`. */
  protected share(time: Code): Code {
    const { code, from, to } = this.motion;
    return code.v.div(code.v.sub(time, from.get()), code.v.sub(to.get(), from.get()));
  }
}

/** numerics/steppers/rk4.ts. */
export class Rk4Code extends FixedSteps {
  protected readonly cost = 4;
  readonly #slopes: Scratch;

  constructor(motion: Motion) {
    super(motion);
    this.#slopes = motion.code.memory.scratch(5 * motion.size);
  }

  protected move(scope: FunctionScope, lane: Local, step: Local): Code {
    const { motion } = this;
    const { code, before, after, from, to, size } = motion;
    const { v } = code;
    const slopes = this.#slopes;
    const [h, half, middle] = [scope.local('v128'), scope.local('v128'), scope.local('v128')];
    const slope = (row: number, i: number) => slopes.get(row * size + i);
    const stage = (row: number, time: Code, h: Local): Code =>
      sequence(
        motion.show(time, (i) => v.add(before.get(i), v.mul(h.get, slope(row - 1, i)))),
        motion.derivatives(lane, slopes, row),
      );
    const sixth = v.mul(h.get, code.number(1 / 6));
    return sequence(
      h.set(this.length(step)),
      half.set(v.mul(h.get, code.number(0.5))),
      middle.set(v.add(from.get(), half.get)),
      motion.show(from.get(), (i) => before.get(i)),
      motion.derivatives(lane, slopes, 0),
      stage(1, middle.get, half),
      stage(2, middle.get, half),
      stage(3, to.get(), h),
      half.set(sixth),
      motion.each((i) => {
        const inner = v.add(slope(1, i), slope(2, i));
        const sum = v.add(v.add(slope(0, i), slope(3, i)), v.add(inner, inner));
        return after.set(i, v.add(before.get(i), v.mul(half.get, sum)));
      }),
    );
  }

  /** The cubic with the values and slopes of both ends. */
  interpolate(scope: FunctionScope, lane: Local, time: Code): Code {
    const { motion } = this;
    const { code, before, after, from, to, size } = motion;
    const { v } = code;
    const [s, r, h] = [scope.local('v128'), scope.local('v128'), scope.local('v128')];
    const slopes = this.#slopes;
    const weight = (a: Local, b: Local): Code => v.mul(v.mul(a.get, a.get), v.add(code.number(1), v.add(b.get, b.get)));
    const [wBefore, wAfter, wSlope] = [scope.local('v128'), scope.local('v128'), scope.local('v128')];
    return sequence(
      motion.show(to.get(), (i) => after.get(i)),
      motion.derivatives(lane, slopes, 4),
      s.set(this.share(time)),
      r.set(v.sub(code.number(1), s.get)),
      h.set(v.sub(to.get(), from.get())),
      wBefore.set(weight(r, s)),
      wAfter.set(weight(s, r)),
      wSlope.set(v.mul(h.get, v.mul(s.get, r.get))),
      motion.show(time, (i) => {
        const bend = v.sub(v.mul(r.get, slopes.get(i)), v.mul(s.get, slopes.get(4 * size + i)));
        return v.add(v.add(v.mul(wBefore.get, before.get(i)), v.mul(wAfter.get, after.get(i))), v.mul(wSlope.get, bend));
      }),
    );
  }
}

/** Itô equations with one Wiener process for each state that has a diffusion; numerics/steppers/stochastic.ts. */
abstract class StochasticCode extends FixedSteps {
  protected readonly slopes: Scratch;
  /** What chance adds to each state over the step. */
  protected readonly kicks: Scratch;
  readonly #noise: StepNoise;
  readonly #diffusions: FunctionHandle;

  constructor(motion: Motion, noise: StepNoise) {
    super(motion);
    const { code, size } = motion;
    this.slopes = code.memory.scratch(2 * size);
    this.kicks = code.memory.scratch(size);
    this.#noise = noise;
    this.#diffusions = code.module.function(null, ['i32'], [], (scope, lane) => {
      const roots = code.program.states.flatMap(({ diffusion }) => (diffusion ? [diffusion] : []));
      const emitter = code.inSegment(scope, lane, roots);
      return sequence(
        code.showCompartmentsFor(roots, lane),
        code.program.states.map(({ diffusion }, i) => this.kicks.set(i, diffusion ? emitter.value(diffusion) : code.number(0))),
      );
    });
  }

  /** Drift and kicks at the start of the step. */
  protected start(scope: FunctionScope, lane: Local, step: Local): Code {
    const { motion } = this;
    const { code, before, from } = motion;
    const { v } = code;
    const driven = code.program.states.flatMap(({ diffusion }, i) => (diffusion ? [i] : []));
    const scale = scope.local('v128');
    return sequence(
      motion.show(from.get(), (i) => before.get(i)),
      motion.derivatives(lane, this.slopes, 0),
      this.#diffusions.call(lane.get),
      scale.set(v.broadcast(step.get, stepEntry.scale)),
      this.#noise.normals(scope, lane, i32.load(step.get, stepEntry.number), streams.process, driven.length, (j, value) =>
        this.kicks.set(driven[j], v.mul(this.kicks.get(driven[j]), v.mul(scale.get, value))),
      ),
    );
  }

  interpolate(scope: FunctionScope, _: Local, time: Code): Code {
    const { motion } = this;
    const { code, before, after } = motion;
    const { v } = code;
    const s = scope.local('v128');
    return sequence(
      s.set(this.share(time)),
      motion.show(time, (i) => v.add(before.get(i), v.mul(s.get, v.sub(after.get(i), before.get(i))))),
    );
  }
}

export class EulerMaruyamaCode extends StochasticCode {
  protected readonly cost = 1;

  protected move(scope: FunctionScope, lane: Local, step: Local): Code {
    const { motion, slopes, kicks } = this;
    const { code, before, after } = motion;
    const { v } = code;
    const h = scope.local('v128');
    return sequence(
      this.start(scope, lane, step),
      h.set(this.length(step)),
      motion.each((i) => after.set(i, v.add(v.add(before.get(i), v.mul(h.get, slopes.get(i))), kicks.get(i)))),
    );
  }
}

export class HeunCode extends StochasticCode {
  protected readonly cost = 2;

  protected move(scope: FunctionScope, lane: Local, step: Local): Code {
    const { motion, slopes, kicks } = this;
    const { code, before, after, to, size } = motion;
    const { v } = code;
    const h = scope.local('v128');
    const half = scope.local('v128');
    return sequence(
      this.start(scope, lane, step),
      h.set(this.length(step)),
      half.set(v.mul(h.get, code.number(0.5))),
      motion.show(to.get(), (i) => v.add(v.add(before.get(i), kicks.get(i)), v.mul(h.get, slopes.get(i)))),
      motion.derivatives(lane, slopes, 1),
      motion.each((i) => {
        const mean = v.mul(half.get, v.add(slopes.get(i), slopes.get(size + i)));
        return after.set(i, v.add(v.add(before.get(i), kicks.get(i)), mean));
      }),
    );
  }
}

/** One step of a `map` takes all states at once; between steps they stay. */
export class MapCode extends FixedSteps {
  protected readonly cost = 1;
  readonly #noise: StepNoise;
  readonly #next: FunctionHandle;

  constructor(motion: Motion, noise: StepNoise) {
    super(motion);
    const { code } = motion;
    const { v, program, columns } = code;
    this.#noise = noise;
    this.#next = code.module.function(null, ['i32', 'v128'], [], (scope, lane, length) => {
      const roots = program.states.map(({ change }) => change);
      const emitter = code.inSegment(scope, lane, roots);
      return sequence(
        code.showCompartmentsFor(roots, lane),
        roots.map((change, i) => {
          const own = emitter.value(change);
          return motion.after.set(i, code.isFed(i) ? v.add(own, v.mul(length.get, columns.stateRates.get(lane, i))) : own);
        }),
      );
    });
  }

  protected move(scope: FunctionScope, lane: Local, step: Local): Code {
    const { motion } = this;
    const { code, before, from } = motion;
    const { v, noise } = code;
    const number = i32.load(step.get, stepEntry.number);
    const row = scope.local('i32');
    const givenNoise = code.word('givenNoise');
    const given = sequence(
      row.set(i32.add(givenNoise, i32.mul(number, i32.const(noise.count * v.bytes)))),
      Array.from({ length: noise.count }, (_, j) => noise.set(j, v.broadcast(row.get, j * v.bytes))),
    );
    const drawn = this.#noise.normals(scope, lane, number, streams.process, noise.count, (j, value) => noise.set(j, value));
    return sequence(
      noise.count === 0 ? [] : control.if(givenNoise, given, drawn),
      motion.show(from.get(), (i) => before.get(i)),
      this.#next.call(lane.get, this.length(step)),
    );
  }

  interpolate(_: FunctionScope, __: Local, time: Code): Code {
    return this.motion.show(time, (i) => this.motion.before.get(i));
  }
}
