/**
 * A checked model, ready to be compiled: what closures (f64), WGSL and WebAssembly are made from, and nothing else. Units are gone:
 * every value is a plain number in the unit that the model declared for its symbol, conversions have become constants, and constants
 * have been folded in f64. Expression nodes are interned: equal subtrees are one object, so an emitter that remembers nodes by
 * identity computes each once.
 */
import type { EquationsModel, ErrorModel, Route, StepperChoice } from './model.ts';

export type Expr = NumberExpr | ReadExpr | ApplyExpr;

export interface NumberExpr {
  readonly op: 'number';
  readonly value: number;
}

/** Where a value that is not made by the formula itself comes from. */
export type SlotKind =
  /** A value of the segment's covariate row. */
  | 'covariate'
  /** A value of the segment's covariate row that depends on covariates alone, computed once in f64 (see hoist.ts). */
  | 'hoisted'
  /** A random effect of the lane. */
  | 'effect'
  | 'parameter'
  /** Depot, central, peripherals, effect site, exposure: in the order of `CompiledCompartments.symbols`. */
  | 'compartment'
  | 'state'
  | 'memory'
  | 'algebra'
  /** Of an input channel: amount per time as given. */
  | 'rate'
  | 'previousRate'
  | 'control'
  | 'noise'
  /** index 0: model time since the timeline's zero. */
  | 'time'
  /** index 0. */
  | 'segmentLength'
  /** index 0: when the dose that is now arriving was given, before its lag. */
  | 'doseTime';

export interface ReadExpr {
  readonly op: 'read';
  readonly from: SlotKind;
  readonly index: number;
}

export const unaryOps = ['neg', 'exp', 'log', 'sqrt', 'tanh', 'sinh', 'abs', 'floor', 'expm1', 'log1p', 'not'] as const;
export const binaryOps = ['add', 'sub', 'mul', 'div', 'pow', 'min', 'max', 'lt', 'le', 'eq', 'and', 'or'] as const;

/** `lt`, `le`, `eq`, `and`, `or`, `not` give truth values; only `if`, `and`, `or`, `not` take them. */
export interface ApplyExpr {
  readonly op: (typeof unaryOps)[number] | (typeof binaryOps)[number] | 'if';
  readonly args: readonly Expr[];
}

export interface Assignment {
  readonly symbol: string;
  readonly unit: string;
  readonly value: Expr;
}

export interface Program {
  readonly modelId: string;
  /** Symbol → its unit, for whoever shows or reads values. */
  readonly timeUnit: string;
  readonly timeZero: EquationsModel['timeZero'];
  readonly priorWeight: number;
  /** Manifest id of a category and the numbers of its values in which the model is used; null for everyone. */
  readonly onlyWhere: { readonly covariate: string; readonly categories: readonly number[] } | null;
  /** One model time unit in days. */
  readonly daysPerTime: number;
  readonly effects: readonly { readonly symbol: string; readonly perOccasion: boolean; readonly label: string }[];
  /** Row-major covariance of the effects, [E × E]. */
  readonly omega: Float64Array;
  /** Manifest ids; the order of a covariate row. Categories are numbered as the manifest lists them. */
  readonly covariates: readonly string[];
  /** In order of evaluation. */
  readonly parameters: readonly Assignment[];
  /** Truth values over parameters, effects and covariates. */
  readonly constraints: readonly Expr[];
  readonly compartments: CompiledCompartments | null;
  readonly states: readonly CompiledState[];
  readonly memory: readonly { readonly symbol: string; readonly initial: Expr; readonly atSegmentStart: Expr }[];
  /** In order of evaluation. */
  readonly algebra: readonly Assignment[];
  readonly inputs: readonly CompiledInput[];
  readonly controls: readonly {
    readonly symbol: string;
    readonly intervention: string;
    readonly off: number;
    readonly on: number;
  }[];
  readonly noises: readonly string[];
  readonly readouts: readonly Assignment[];
  /** `readout` is an index into `readouts`; `factor` takes the read-out's unit to the marker's. */
  readonly observations: readonly {
    readonly marker: string;
    readonly readout: number;
    readonly factor: number;
    readonly error: ErrorModel;
  }[];
  readonly events: readonly CompiledEvent[];
  readonly stepper: StepperChoice;
  /** [states][states] ∂derivative/∂state with algebra written out, for `rosenbrock`; null for zero. Else null. */
  readonly jacobian: readonly (readonly (Expr | null)[])[] | null;
}

export interface CompiledCompartments {
  /** depot?, central, peripherals…, effectSite?, exposure?: the order of slot kind `compartment`. */
  readonly symbols: readonly string[];
  readonly clearance: Expr;
  readonly volume: Expr;
  readonly peripherals: readonly { readonly flow: Expr; readonly volume: Expr }[];
  readonly absorptionRate: Expr | null;
  readonly effectSiteRate: Expr | null;
  readonly hasExposure: boolean;
}

export interface CompiledState {
  readonly symbol: string;
  readonly unit: string;
  readonly initial: Expr;
  /** d/dt; for the `map` stepper the value one step later. */
  readonly change: Expr;
  readonly diffusion: Expr | null;
  readonly holdsWhenNegative: boolean;
  readonly scale: number;
  readonly observedExactly: string | null;
}

export interface CompiledInput {
  readonly symbol: string;
  readonly intervention: string;
  readonly unit: string;
  readonly routes: readonly Route[];
  readonly into: { readonly kind: 'state' | 'compartment'; readonly index: number };
  /** Amount as given × this = amount that arrives, in the target's unit. */
  readonly bioavailability: Expr;
  /** Over covariates alone. */
  readonly lag: Expr;
  readonly deliveredOver: number | null;
  readonly maximumRate: number | null;
  readonly segmentLength: number | null;
}

export interface CompiledEvent {
  readonly id: string;
  readonly kind: 'crossing' | 'hazard';
  /** Crossing: rises through 0 at the event. Hazard: per time. */
  readonly of: Expr;
  readonly terminal: boolean;
  readonly set: readonly { readonly state: number; readonly to: Expr }[];
}
