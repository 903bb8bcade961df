/** A cohort on the pack's grid, as the filter reads it: people sorted by length of follow-up, longest first. */
export interface Cohort {
  readonly ids: readonly string[];
  /** Markers and signs, causes, conditioning inputs (the first C of them covariates). */
  readonly S: number;
  readonly K: number;
  readonly V: number;
  readonly C: number;
  /** [N] grid steps that each person was under observation for (the last may be lived in part). */
  readonly steps: Int32Array;
  /** [N × V] conditioning: in both trials it stays what it was at entry. */
  readonly v: Float64Array;
  /** At each grid time t: [n_t × S] standardised values (level index for signs) and 1 where observed; n_t people still followed. */
  readonly values: readonly Float64Array[];
  readonly masks: readonly Float64Array[];
  /** For each step t: [n_t × 1] share of the step lived, [n_t × K] 1 where that event ended it. */
  readonly exposures: readonly Float64Array[];
  readonly events: readonly Float64Array[];
}

export interface Person {
  readonly id: string;
  readonly v: readonly number[];
  /** Days from entry → values by state index. */
  readonly visits: readonly { readonly day: number; readonly values: ReadonlyMap<number, number> }[];
  readonly endDay: number;
  /** Index of the event at `endDay`, −1 if censored. */
  readonly event: number;
}

export interface CohortSizes {
  readonly S: number;
  readonly K: number;
  readonly C: number;
  readonly stepDays: number;
  /** Follow-up beyond this many steps is censored. */
  readonly maxSteps: number;
}

export function gridCohort(people: readonly Person[], sizes: CohortSizes): Cohort {
  const { S, K, C, stepDays, maxSteps } = sizes;
  const sorted = people
    .map((person) => {
      const end = Math.min(person.endDay / stepDays, maxSteps);
      return { person, end, steps: Math.max(1, Math.ceil(end - 1e-9)), event: person.endDay / stepDays <= maxSteps ? person.event : -1 };
    })
    .sort((a, b) => b.steps - a.steps || (a.person.id < b.person.id ? -1 : 1));
  const longest = sorted[0]?.steps ?? 0;
  const V = people[0]?.v.length ?? 0;
  const values: Float64Array[] = [];
  const masks: Float64Array[] = [];
  const exposures: Float64Array[] = [];
  const events: Float64Array[] = [];
  for (let t = 0; t < longest; t++) {
    const present = sorted.filter((row) => row.steps > t);
    const value = new Float64Array(present.length * S);
    const mask = new Float64Array(present.length * S);
    const exposure = new Float64Array(present.length);
    const event = new Float64Array(present.length * K);
    present.forEach(({ person, end, steps, event: cause }, i) => {
      for (const visit of person.visits) {
        // A visit in the last, partly lived step belongs to that step's start: nothing is observed after the end.
        if (Math.min(Math.round(visit.day / stepDays), steps - 1) !== t) continue;
        for (const [index, v] of visit.values) {
          value[i * S + index] = v;
          mask[i * S + index] = 1;
        }
      }
      exposure[i] = Math.min(1, end - t);
      if (cause >= 0 && t === steps - 1) event[i * K + cause] = 1;
    });
    values.push(value);
    masks.push(mask);
    exposures.push(exposure);
    events.push(event);
  }
  const v = new Float64Array(sorted.length * V);
  sorted.forEach(({ person }, i) => v.set(person.v, i * V));
  return {
    ids: sorted.map(({ person }) => person.id),
    S,
    K,
    V,
    C,
    steps: Int32Array.from(sorted.map((row) => row.steps)),
    v,
    values,
    masks,
    exposures,
    events,
  };
}
