/** Interventions in time, from today (day 0) on. */
export interface Plan {
  readonly id: string;
  readonly name: string;
  readonly blocks: readonly PlanBlock[];
}

export interface PlanBlock {
  readonly intervention: string;
  readonly startDay: number;
  /** Exclusive; the horizon if it never stops. */
  readonly stopDay: number;
}
