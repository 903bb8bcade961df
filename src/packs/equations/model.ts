/**
 * The model language of an `equations` pack, as it stands in `pack.json`. docs/pack-format.md, section 9, is the specification for
 * people who write models; `compile.ts` turns a model into a `Program` (program.ts) or refuses it with its place.
 *
 * A `Formula` is text such as `"CLpop * (CRCL / unit(120, 'mL/min'))^0.8 * exp(etaCL)"`. A symbol is a letter followed by letters,
 * digits and `_`. All symbols of a model share one name space. Formulas are unit-checked: `in(x, 'kg')` is the number of kilograms in
 * x, `unit(3, 'kg')` is three kilograms, and quantities of one dimension on different scales are converted by themselves.
 */

export type Formula = string;
/** A name that formulas use. */
export type SymbolName = string;
/** UCUM, of the subset that `units.ts` reads. */
export type Unit = string;

export interface EquationsModel {
  /** An id, unique within the pack. */
  readonly id: string;
  readonly title: string;
  /** Authors, journal, year, pages. */
  readonly citation: string;
  /** Unit of `time`, of steps, and of whatever is "per time". */
  readonly time: Unit;
  /** What model time 0 is: the first dose or observation of a person, the record's entry date, or birth (needs a covariate `age` in a). */
  readonly timeZero: 'first-event' | 'entry' | 'birth';
  /**
   * Prior weight against the pack's other models; 1 unless told otherwise. 0: kept for reference cases and comparison, as published,
   * and never fitted.
   */
  readonly priorWeight?: number;
  /** People whose category is another are not averaged over this model: it was not made for them. A category not known keeps it. */
  readonly onlyWhere?: { readonly covariate: string; readonly values: readonly string[] };
  /** Symbol → id of a covariate of the manifest. A number has the covariate's canonical unit; a category compares with its values. */
  readonly covariates: Readonly<Record<SymbolName, string>>;
  readonly constants: readonly Constant[];
  readonly tables?: readonly Table[];
  readonly effects?: readonly RandomEffect[];
  readonly correlations?: readonly Correlation[];
  /** Individual parameters: formulas over constants, tables, covariates, effects and each other. */
  readonly parameters: readonly Definition[];
  /** Conditions over parameters: a draw of the population that breaks one is drawn again; a posterior has no mass there. */
  readonly constraints?: readonly Formula[];
  readonly compartments?: Compartments;
  readonly states?: readonly State[];
  readonly memory?: readonly Memory[];
  /** Quantities of the moment, over everything above; used by derivatives, read-outs and events. */
  readonly algebra?: readonly Definition[];
  readonly inputs?: readonly InputChannel[];
  readonly controls?: readonly Control[];
  /** Names of standard normal numbers drawn anew each step; only for the `map` stepper. */
  readonly noises?: readonly SymbolName[];
  readonly readouts: readonly Definition[];
  readonly observations: readonly ObservationModel[];
  readonly events?: readonly ModelEvent[];
  readonly stepper: StepperChoice;
}

export interface Constant {
  readonly symbol: SymbolName;
  readonly value: number;
  readonly unit: Unit;
  /** What it is, for the parameter table of the card. */
  readonly label: string;
  /** Where in the cited paper, if it is not the model's own citation. */
  readonly source?: string;
}

/** A value for each category of a covariate. */
export interface Table {
  readonly symbol: SymbolName;
  /** A symbol of `covariates` that is a category. */
  readonly by: SymbolName;
  readonly unit: Unit;
  readonly values: Readonly<Record<string, number>>;
  readonly label: string;
}

/** A standard-deviation-scaled unknown of a person: normal with mean 0. Log-normal, logit-normal … is what formulas make of it. */
export interface RandomEffect {
  readonly symbol: SymbolName;
  /** ω². */
  readonly variance: number;
  readonly label: string;
  /** A person's own value, or a new one on each occasion. */
  readonly per: 'person' | 'occasion';
}

export interface Correlation {
  readonly between: readonly [SymbolName, SymbolName];
  readonly value: number;
}

export interface Definition {
  readonly symbol: SymbolName;
  readonly unit: Unit;
  readonly formula: Formula;
  readonly label?: string;
}

/**
 * Linear compartments with a closed form: amounts in `amountUnit`, all symbols readable wherever states are. Elimination from the
 * central compartment only.
 */
export interface Compartments {
  readonly amountUnit: Unit;
  readonly central: SymbolName;
  /** Clearance and volume; formulas over parameters. */
  readonly clearance: Formula;
  readonly volume: Formula;
  /** At most two. */
  readonly peripherals: readonly { readonly symbol: SymbolName; readonly flow: Formula; readonly volume: Formula }[];
  /** First-order absorption from a depot. */
  readonly depot?: { readonly symbol: SymbolName; readonly rate: Formula };
  /** Effect-site concentration: d/dt = ke0·(central/volume − site). */
  readonly effectSite?: { readonly symbol: SymbolName; readonly rate: Formula };
  /** Accumulated ∫ central/volume dt since the start of the timeline: differences of it are areas under the curve. */
  readonly exposure?: SymbolName;
}

export interface State {
  readonly symbol: SymbolName;
  readonly unit: Unit;
  readonly initial: Formula;
  /** d/dt, for every stepper but `map`. */
  readonly derivative?: Formula;
  /** The value one step later, for `map`; reads all states as they were. */
  readonly next?: Formula;
  /** For stochastic steppers: the factor before dW, in unit per square root of time. */
  readonly diffusion?: Formula;
  /** While the state is negative, its derivative counts as zero (as UVA/Padova's reference implementation does it). */
  readonly holdsWhenNegative?: boolean;
  /** A usual size, for the error norms of adaptive steppers; 1 unless told otherwise. */
  readonly scale?: number;
  /** Marker id: at an observation of it the state is set to the observed value, which is taken as exact (see error kind `transition`). */
  readonly observedExactly?: string;
}

/** A value that changes only when a segment of the timeline begins, before its doses: formulas may read rates and old memory. */
export interface Memory {
  readonly symbol: SymbolName;
  readonly unit: Unit;
  readonly initial: Formula;
  readonly atSegmentStart: Formula;
}

export interface InputChannel {
  /** Readable as `rate(symbol)` and `previousRate(symbol)`: amount per time now, and in the segment before, as given (before bioavailability). */
  readonly symbol: SymbolName;
  /** An intervention of the manifest: what a person doses. */
  readonly intervention: string;
  readonly label: string;
  /** Of the amount as it is written in a record. */
  readonly unit: Unit;
  readonly routes: readonly Route[];
  /** Symbol of a state, or of a compartment: depot or central. */
  readonly into: SymbolName;
  /** Amount given × this = amount that arrives. 1 unless told otherwise. May read `doseTime`, effects, parameters. */
  readonly bioavailability?: Formula;
  /** Over constants and covariates only: the timeline is one for all draws. */
  readonly lag?: Formula;
  /** A dose without a duration is given as a rate over this time (model time); else it is a bolus. */
  readonly deliveredOver?: number;
  /** Amount per model time; announced amounts queue up and are taken in at most this fast. */
  readonly maximumRate?: number;
  /** While the rate is not zero, segments are cut to this length (model time). */
  readonly segmentLength?: number;
}

export type Route = 'iv-bolus' | 'iv-infusion' | 'oral' | 'subcutaneous' | 'radiation';

/** A piecewise constant lever, e.g. the efficacy of a drug class. */
export interface Control {
  readonly symbol: SymbolName;
  readonly unit: Unit;
  /** An intervention of the manifest: inside its blocks the control is `on`, outside `off`. */
  readonly intervention: string;
  readonly off: number;
  readonly on: number;
}

/** How a read-out shows in measurements of a marker. `sd` in the marker's unit, `fraction` of the prediction. */
export interface ObservationModel {
  readonly marker: string;
  readonly readout: SymbolName;
  readonly error: ErrorModel;
}

export type ErrorModel =
  | { readonly kind: 'additive'; readonly sd: number }
  | { readonly kind: 'proportional'; readonly fraction: number }
  /** var = sd² + (fraction·f)². */
  | { readonly kind: 'combined'; readonly sd: number; readonly fraction: number }
  /** sd of ln(observation). */
  | { readonly kind: 'log'; readonly sd: number }
  /** value/maximum ~ Beta(μτ, (1−μ)τ). */
  | { readonly kind: 'beta'; readonly precision: number; readonly maximum: number }
  /** The state was exactly observed; sd = fraction × previous observed value × √steps. */
  | { readonly kind: 'transition'; readonly fraction: number };

/** Localised at the end of the step (linear interpolation inside it). */
export type ModelEvent =
  | {
      readonly id: string;
      readonly kind: 'crossing';
      readonly of: Formula;
      readonly direction: 'rising' | 'falling';
      readonly at: Formula;
      readonly terminal: boolean;
      readonly set?: readonly { readonly state: SymbolName; readonly to: Formula }[];
    }
  | {
      readonly id: string;
      readonly kind: 'hazard';
      /** Per time. With the `map` stepper: −ln(1 − probability) of one step, divided by the step. */
      readonly hazard: Formula;
      readonly terminal: boolean;
      readonly set?: readonly { readonly state: SymbolName; readonly to: Formula }[];
    };

/** Steps and first steps in model time. */
export type StepperChoice =
  /** Only compartments and read-outs: nothing to step. */
  | { readonly kind: 'closed-form' }
  | { readonly kind: 'rk4'; readonly step: number }
  | {
      readonly kind: 'dopri5' | 'rosenbrock';
      readonly relativeTolerance: number;
      readonly absoluteTolerance: number;
      readonly firstStep: number;
      readonly maximumStep: number;
      readonly maximumSteps: number;
    }
  | { readonly kind: 'euler-maruyama' | 'heun'; readonly step: number }
  | { readonly kind: 'map'; readonly step: number };
