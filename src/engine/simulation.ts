/**
 * The contract of engines that run programs of `equations` packs. Three keep it and one conformance suite holds them to it:
 * `reference/` (closures, f64, the oracle), `gpu/` (WGSL), `cpu/` (SIMD WebAssembly). A lane is one virtual patient: one draw of the
 * random effects. All lanes of a request share timelines; whoever wants other doses makes another timeline or another request.
 */
import type { Seed } from '#numerics/random.ts';
import type { Program } from '#packs/equations/program.ts';
import type { EngineKind, RunHooks } from './engine.ts';

/**
 * What happens to a patient in time. Within a segment inputs, controls and covariates are constant. At a segment's start, in this
 * order: read-outs of that instant are reported (so a row at a dose time is the pre-dose value), `setStates`, memory is updated,
 * `doses` arrive at once, then `rates` run until the next segment starts.
 */
export interface Timeline {
  /** Ascending by `start`, the first at or before the first reported time. The last one runs on for ever. */
  readonly segments: readonly Segment[];
  /** [row][covariate of the program]. NaN where a lane covariate supplies it. */
  readonly covariateRows: readonly Float64Array[];
  /** Closed-form models only: the compartments start in the steady state of this regimen, just before its next dose. */
  readonly steadyState: SteadyState | null;
}

export interface Segment {
  /** Model time. */
  readonly start: number;
  readonly covariateRow: number;
  /** [inputs] amounts that arrive at once, as given (bioavailability is the program's). */
  readonly doses: Float64Array;
  /** [inputs] amount per model time, as given. */
  readonly rates: Float64Array;
  /** When what now arrives was given, before its lag; the slot `doseTime`. */
  readonly doseTime: number;
  readonly controls: Float64Array;
  /** Counts occasions from 0: chooses the columns of effects that are per occasion. */
  readonly occasion: number;
  readonly setStates: readonly { readonly state: number; readonly value: number }[];
}

export interface SteadyState {
  readonly input: number;
  readonly amount: number;
  /** Model time; 0 for a bolus. */
  readonly duration: number;
  readonly interval: number;
}

/** Virtual patients of one program. */
export interface Lanes {
  readonly lanes: number;
  /**
   * [columns × lanes], lane fastest. Columns: the effects per person in their order, then for each occasion the effects per
   * occasion in theirs.
   */
  readonly effects: Float32Array | Float64Array;
  /** Covariates that differ between lanes, because they are not known: `covariate` is an index into `program.covariates`. */
  readonly laneCovariates: readonly { readonly covariate: number; readonly values: Float32Array | Float64Array }[];
}

export interface SimulationRequest extends Lanes {
  readonly program: Program;
  /** One a plan; all see the same lanes and the same noise. */
  readonly timelines: readonly Timeline[];
  /** Model times that are reported, ascending. */
  readonly times: Float64Array;
  /** Indices into `program.readouts`: what is reported. */
  readonly readouts: readonly number[];
  /** [states] instead of the formulas' initial values, shared by all lanes; NaN keeps the formula. */
  readonly initialStates?: Float64Array;
  /** [steps × noises] instead of drawn noise, shared by all lanes; for reference cases. */
  readonly noise?: Float64Array;
  readonly seed: Seed;
}

export interface Simulation {
  /** [timelines] of [readouts × times × lanes], lane fastest. NaN after a terminal event, and from where a lane diverged. */
  readonly values: readonly (Float32Array | Float64Array)[];
  /** [timelines] of [lanes]: 1 where a state was no number or the steps ran out. */
  readonly diverged: readonly Uint8Array[];
  /** [timelines] of [events × lanes], lane fastest: model time, NaN if it did not happen. */
  readonly eventTimes: readonly (Float32Array | Float64Array)[];
  /** Right-hand sides or map steps taken, summed over lanes; null where the engine does not count. */
  readonly evaluations: number | null;
  readonly elapsedMs: number;
}

export interface Simulator {
  readonly kind: EngineKind;
  readonly description: string;
  /** Rejects with an AbortError when the signal fires. The same request on the same engine and device gives the same bytes. */
  simulate(request: SimulationRequest, hooks?: RunHooks): Promise<Simulation>;
  dispose(): void;
}

/** Where an effect stands in `Lanes.effects`: in column first + stride · occasion; `stride` is 0 for what a person keeps. */
export function effectColumn(
  { effects }: Pick<Program, 'effects'>,
  index: number,
): { readonly first: number; readonly stride: number } {
  const own = effects[index]!.perOccasion;
  const rank = effects.slice(0, index).filter(({ perOccasion }) => perOccasion === own).length;
  const perPerson = effects.filter(({ perOccasion }) => !perOccasion).length;
  return own ? { first: perPerson + rank, stride: effects.length - perPerson } : { first: rank, stride: 0 };
}

/** Columns of `SimulationRequest.effects` for so many occasions. */
export function effectColumns({ effects }: Pick<Program, 'effects'>, occasions: number): number {
  const perOccasion = effects.filter((effect) => effect.perOccasion).length;
  return effects.length - perOccasion + occasions * perOccasion;
}
