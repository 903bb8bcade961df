/** Reference cases of an `equations` pack: questions with the answers of the f64 reference engine, asked again on each device. */

export interface EquationsGolden {
  readonly cases: readonly EquationsGoldenCase[];
}

export interface EquationsGoldenCase {
  readonly id: string;
  /** Id of a model of the pack. */
  readonly model: string;
  /** By manifest id: a number in the canonical unit, or a category's value. */
  readonly covariates: Readonly<Record<string, number | string>>;
  /** By symbol; 0 if absent. */
  readonly effects: Readonly<Record<string, number>>;
  /** In model time and in the input's unit. */
  readonly doses: readonly {
    readonly input: string;
    readonly time: number;
    readonly amount: number;
    readonly duration?: number;
  }[];
  readonly controls: readonly { readonly control: string; readonly from: number; readonly value: number }[];
  /** By symbol, instead of the formula. */
  readonly initialStates: Readonly<Record<string, number>>;
  /** [steps × noises], for `map` models; drawn if absent. */
  readonly noise?: readonly number[];
  readonly times: readonly number[];
  readonly readouts: readonly string[];
  /** [times][readouts]. */
  readonly rows: readonly (readonly number[])[];
  /** Relative, and as a share of the largest value of the column: an answer within either passes. */
  readonly tolerance: { readonly relative: number; readonly ofLargest: number };
}
