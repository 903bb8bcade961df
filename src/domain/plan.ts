/** Interventions in time, from today (day 0) on. */
export interface Plan {
  readonly id: string;
  readonly name: string;
  readonly blocks: readonly PlanBlock[];
  /** Doses from now on, for packs that are dosed. */
  readonly regimens?: readonly Regimen[];
  /** Doses of a course in the record that would still come are given as well unless this is set. */
  readonly stopsCurrentDoses?: boolean;
}

/** Dose k, from 0, is given at startHour + k · everyHours from now. */
export interface Regimen {
  readonly intervention: string;
  /** In the unit of the pack's input. */
  readonly amount: number;
  readonly route: 'iv-bolus' | 'iv-infusion' | 'oral' | 'subcutaneous' | 'radiation';
  readonly durationHours: number | null;
  readonly startHour: number;
  /** Null for a single dose. */
  readonly everyHours: number | null;
  /** Null for doses up to the horizon. */
  readonly count: number | null;
}

export interface PlanBlock {
  readonly intervention: string;
  readonly startDay: number;
  /** Exclusive; the horizon if it never stops. */
  readonly stopDay: number;
}
