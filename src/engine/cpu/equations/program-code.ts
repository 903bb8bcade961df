import { invariant } from '#domain/errors.ts';
import type { Expr, Program, ReadExpr } from '#packs/equations/program.ts';
import { CompartmentWriter } from './compartments.ts';
import { ExpressionEmitter, Expressions } from './expressions.ts';
import { MemoryPlan, type Columns, type Scalars, type Scratch } from './memory-plan.ts';
import { VectorMath } from './vector-math.ts';
import { ConstantPool, type VectorType } from './vectors.ts';
import {
  f64,
  i32,
  ModuleWriter,
  sequence,
  v128,
  type Code,
  type FunctionHandle,
  type FunctionScope,
  type Local,
} from './wasm-bytes.ts';

const constantBytes = 32_768;

/** 32-bit words that the caller sets before a call. */
const words = [
  /** Of all lanes of the request, the number of the block's first. */
  'firstLane',
  /** 1 in the first segment. */
  'isFirst',
  /** 1 where the compartments begin in a steady state. */
  'isSteady',
  /** Addresses: times that are reported, since the segment's start, closed by an infinity; [rows × read-outs] columns for them. */
  'rows',
  'reports',
  /** Address of the table of steps, and of the byte after it; see `stepEntry`. */
  'steps',
  'stepsEnd',
  /** Address of the noise of step 0 as [steps × noises] numbers that all lanes share; 0 where it is drawn. */
  'givenNoise',
] as const;
export type Word = (typeof words)[number];

/**
 * What all functions of one program's module share: where its slots lie, and its formulas as code. Formulas read the instant that
 * `stage` (states), `stageTime` (since the segment's start) and `now` of the compartments hold.
 */
export class ProgramCode {
  readonly module = new ModuleWriter();
  readonly pool = new ConstantPool(constantBytes);
  readonly v: VectorType;
  readonly math: VectorMath;
  readonly memory: MemoryPlan;
  readonly program: Program;
  readonly compartments: CompartmentWriter | null;
  readonly scalars: {
    readonly covariates: Scalars;
    readonly hoisted: Scalars;
    readonly rates: Scalars;
    readonly previousRates: Scalars;
    readonly doses: Scalars;
    readonly controls: Scalars;
    /** NaN where the states stay as they are. */
    readonly setStates: Scalars;
    /** NaN where the formula says how a state begins. */
    readonly initialStates: Scalars;
    /** Start of the segment, in model time; how long it is gone through, 0 for nothing; what formulas read of it. */
    readonly start: Scalars;
    readonly length: Scalars;
    readonly segmentLength: Scalars;
    readonly doseTime: Scalars;
    /** Amount, rate during the infusion, whole intervals that it lasts, and what is left of it; interval. */
    readonly steadyState: Scalars;
  };
  readonly columns: {
    readonly effects: Columns;
    readonly covariates: Columns;
    readonly parameters: Columns;
    readonly states: Columns;
    readonly memory: Columns;
    readonly stateRates: Columns;
    readonly held: Columns;
    /** Masks: lanes that are still followed, and lanes that diverged. */
    readonly running: Columns;
    readonly diverged: Columns;
  };
  readonly #wordsAddress: number;
  readonly stage: Scratch;
  readonly stageTime: Scratch;
  readonly noise: Scratch;
  /** One f64: right-hand sides of all lanes so far. */
  readonly evaluations: Scratch;
  readonly expressions: Expressions;
  readonly #laneCovariates: readonly number[];
  readonly #held: ReadonlyMap<Expr, number>;
  readonly #compartmentsAt: FunctionHandle | null;

  /** `roots`: the formulas that are evaluated inside segments. */
  constructor(program: Program, v: VectorType, hoisted: number, laneCovariates: readonly number[], roots: readonly Expr[]) {
    this.program = program;
    this.v = v;
    this.#laneCovariates = laneCovariates;
    this.math = new VectorMath(this.module, this.pool);
    this.expressions = new Expressions(program);
    this.#held = new Map(this.expressions.heldParts(roots).map((part, index) => [part, index]));
    const memory = new MemoryPlan(v, constantBytes);
    this.memory = memory;
    this.#wordsAddress = memory.scratch(Math.ceil(words.length / 4)).address;
    const { states, inputs } = program;
    this.scalars = {
      covariates: memory.scalars(program.covariates.length),
      hoisted: memory.scalars(hoisted),
      rates: memory.scalars(inputs.length),
      previousRates: memory.scalars(inputs.length),
      doses: memory.scalars(inputs.length),
      controls: memory.scalars(program.controls.length),
      setStates: memory.scalars(states.length),
      initialStates: memory.scalars(states.length),
      start: memory.scalars(1),
      length: memory.scalars(1),
      segmentLength: memory.scalars(1),
      doseTime: memory.scalars(1),
      steadyState: memory.scalars(5),
    };
    this.stage = memory.scratch(states.length);
    this.stageTime = memory.scratch(1);
    this.noise = memory.scratch(program.noises.length);
    this.evaluations = memory.scratch(1);
    this.columns = {
      effects: memory.columns(program.effects.length),
      covariates: memory.columns(laneCovariates.length),
      parameters: memory.columns(program.parameters.length),
      states: memory.columns(states.length),
      memory: memory.columns(program.memory.length),
      stateRates: memory.columns(states.length),
      held: memory.columns(this.#held.size),
      running: memory.columns(1),
      diverged: memory.columns(1),
    };
    const { compartments } = program;
    this.compartments = compartments && new CompartmentWriter(this.module, v, this.math, memory, compartments);
    this.#compartmentsAt =
      this.compartments &&
      this.module.function(null, ['i32', 'v128'], [], (scope, lane, elapsed) => this.compartments!.at(scope, lane, elapsed));
  }

  number(value: number): Code {
    return this.math.number(this.v, value);
  }

  wordAddress(word: Word): number {
    return this.#wordsAddress + 4 * words.indexOf(word);
  }

  word(word: Word): Code {
    return i32.load(i32.const(this.wordAddress(word)));
  }

  /** Number of a vector's first lane, of all the request's. */
  laneNumber(lane: Local): Code {
    return i32.add(this.word('firstLane'), i32.shr(lane.get, i32.const(this.v.bytes === 4 ? 2 : 3)));
  }

  /** States that some input flows into. */
  isFed(state: number): boolean {
    return this.program.inputs.some(({ into }) => into.kind === 'state' && into.index === state);
  }

  /** Compartments at `stageTime`, where there are any. */
  showCompartments(lane: Local): Code {
    return this.#compartmentsAt ? this.#compartmentsAt.call(lane.get, this.stageTime.get()) : [];
  }

  /** Compartments at `stageTime` if one of the formulas reads them. */
  showCompartmentsFor(roots: readonly Expr[], lane: Local): Code {
    return this.expressions.reads(roots, 'compartment') ? this.showCompartments(lane) : [];
  }

  /** Formulas inside a segment: what is held is remembered from the segment's start. */
  inSegment(scope: FunctionScope, lane: Local, roots: readonly Expr[]): ExpressionEmitter {
    return this.#emitter(scope, lane, roots, (expr) => {
      const index = this.#held.get(expr);
      return index === undefined ? null : this.columns.held.get(lane, index);
    });
  }

  /** Formulas at a segment's start, before anything is held. */
  atStart(scope: FunctionScope, lane: Local, roots: readonly Expr[]): ExpressionEmitter {
    return this.#emitter(scope, lane, roots, () => null);
  }

  /** Computes what is held, from the context as it now is. */
  hold(scope: FunctionScope, lane: Local): Code {
    const parts = [...this.#held.keys()];
    const emitter = this.atStart(scope, lane, parts);
    return parts.map((part, index) => this.columns.held.set(lane, index, emitter.value(part)));
  }

  #emitter(
    scope: FunctionScope,
    lane: Local,
    roots: readonly Expr[],
    remembered: (expr: Expr) => Code | null,
  ): ExpressionEmitter {
    const read = (slot: ReadExpr): Code => this.#read(slot, lane);
    return new ExpressionEmitter(this.expressions, scope, this.v, this.math, { read, remembered }, roots);
  }

  #read({ from, index }: ReadExpr, lane: Local): Code {
    const { scalars, columns } = this;
    switch (from) {
      case 'covariate': {
        const column = this.#laneCovariates.indexOf(index);
        return column < 0 ? scalars.covariates.get(index) : columns.covariates.get(lane, column);
      }
      case 'hoisted':
        return scalars.hoisted.get(index);
      case 'effect':
        return columns.effects.get(lane, index);
      case 'parameter':
        return columns.parameters.get(lane, index);
      case 'compartment':
        return this.compartments!.now.get(index);
      case 'state':
        return this.stage.get(index);
      case 'memory':
        return columns.memory.get(lane, index);
      case 'rate':
        return scalars.rates.get(index);
      case 'previousRate':
        return scalars.previousRates.get(index);
      case 'control':
        return scalars.controls.get(index);
      case 'noise':
        return this.noise.get(index);
      case 'time':
        return this.v.add(scalars.start.get(), this.stageTime.get());
      case 'segmentLength':
        return scalars.segmentLength.get();
      case 'doseTime':
        return scalars.doseTime.get();
      case 'algebra':
        invariant(false, 'algebra is written out before it is read');
    }
  }

  /** Adds a right-hand side for each lane of the mask, so many times. */
  count(mask: Code, times: number): Code {
    const place = i32.const(this.evaluations.address);
    const taken = f64.fromI32(i32.mul(i32.popcnt(this.v.bits(mask)), i32.const(times)));
    return f64.store(place, f64.add(f64.load(place), taken));
  }

  /** Lanes in which all of these are finite numbers. */
  areFinite(values: readonly Code[]): Code {
    const zero = this.number(0);
    const products = values.map((value) => this.v.mul(value, zero));
    return this.v.eq(products.length === 0 ? zero : products.reduce((sum, product) => this.v.add(sum, product)), zero);
  }

  /** Lanes of `mask` are followed no further: their states are no numbers, or their steps ran out. */
  diverge(lane: Local, mask: Local): Code {
    const { running, diverged } = this.columns;
    return sequence(
      diverged.set(lane, 0, v128.or(diverged.get(lane), mask.get)),
      running.set(lane, 0, v128.andnot(running.get(lane), mask.get)),
    );
  }
}
