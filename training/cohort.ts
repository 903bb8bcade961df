/** A cohort on the pack's grid, as the filter reads it: people sorted by length of follow-up, longest first. */
export interface Cohort {
  readonly ids: readonly string[];
  /** Markers and signs, causes, conditioning inputs (the first C of them covariates). */
  readonly S: number;
  readonly K: number;
  readonly V: number;
  readonly C: number;
  /** [N] grid steps that each person was followed for: to the event or the end, or to the last visit where markers went on. */
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
      const visits = person.visits.map(({ day, values }) => ({ cell: cellOf(day, person.endDay, stepDays), values }));
      const lastCell = Math.max(0, ...visits.map(({ cell }) => cell).filter((cell) => cell < maxSteps));
      const ended = Math.max(1, Math.ceil(end - 1e-9));
      const event = person.endDay / stepDays <= maxSteps ? person.event : -1;
      return { person, end, visits, ended, steps: Math.max(ended, lastCell + 1), event };
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
    present.forEach(({ end, visits, ended, event: cause }, i) => {
      for (const visit of visits) {
        if (visit.cell !== t) continue;
        for (const [index, v] of visit.values) {
          value[i * S + index] = v;
          mask[i * S + index] = 1;
        }
      }
      exposure[i] = Math.min(1, Math.max(0, end - t));
      if (cause >= 0 && t === ended - 1) event[i * K + cause] = 1;
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

/** People `from` … `to` − 1 of a cohort, in the same order. */
export function partOfCohort(cohort: Cohort, from: number, to: number): Cohort {
  const steps = cohort.steps.slice(from, to);
  const longest = steps[0] ?? 0;
  const rows = (columns: readonly Float64Array[], width: number) =>
    columns.slice(0, longest).map((column) => column.subarray(from * width, Math.min(to * width, column.length)));
  return {
    ...cohort,
    ids: cohort.ids.slice(from, to),
    steps,
    v: cohort.v.subarray(from * cohort.V, to * cohort.V),
    values: rows(cohort.values, cohort.S),
    masks: rows(cohort.masks, cohort.S),
    exposures: rows(cohort.exposures, 1),
    events: rows(cohort.events, cohort.K),
  };
}

/**
 * The grid time nearest to a visit, but never beyond the event's or the end's own step: otherwise what was seen before the end
 * would count as seen after it. Visits after an event that does not end observation (a halved CD4 count) keep their time.
 */
function cellOf(day: number, endDay: number, stepDays: number): number {
  const nearest = Math.round(day / stepDays);
  return day <= endDay ? Math.min(nearest, Math.max(0, Math.ceil(endDay / stepDays - 1e-9) - 1)) : nearest;
}
