/**
 * What a virtual clinician believes of a future: the draws of today weighed by all that was measured in that future. The clinician knows
 * the record, the doses and the measured values; nothing here is given the truth that the values were drawn from.
 */
import { AppError } from '#domain/errors.ts';
import type { RunHooks } from '#engine/engine.ts';
import { normaliseLogWeights } from '#numerics/weighted-draws.ts';
import { fitEquations, type EquationsFitRequest } from '#twin/equations/averaging.ts';
import { courseOf, modelProblem, timelineOf } from '#twin/equations/course.ts';
import { logDensity } from '#twin/equations/error-models.ts';
import type { EquationsTwin, FitObservation } from '#twin/equations/fit-problem.ts';
import { measurementOf } from '#twin/equations/virtual-measurement.ts';
import { followPlans, type CourseDeps } from './courses.ts';
import type { DosePlan } from './dose-rules.ts';
import { join, type DrawSet } from './draws.ts';

export interface VirtualMeasurement {
  readonly marker: string;
  readonly day: number;
  readonly value: number;
}

export interface Belief {
  readonly set: DrawSet;
  /** [draws of the set], the largest 0; −Infinity for a draw that is given up. */
  readonly logWeights: Float64Array;
  readonly weights: Float64Array;
  readonly effectiveDraws: number;
}

/** Fewer draws than this tell two doses apart by chance; the twin is then fitted afresh. */
export const fewestEffectiveDraws = 32;
/** A draw this much less likely than the most likely one will not be simulated again: e⁻¹⁶ is one in nine million. */
const givenUp = -16;
/**
 * A fresh fit of one future among many: it ends at twice the draws that a choice asks for, and starts from three places. The ladder's dearest
 * rung is not worth its price for more.
 */
const briefly: FitEffort = { draws: 1024, lanes: 256, sufficient: 2 * fewestEffectiveDraws, starts: 3 };

export type FitEffort = Pick<EquationsFitRequest, 'draws' | 'lanes' | 'sufficient' | 'starts'>;

/** Equal weights: the posterior of today. */
export function beliefToday(set: DrawSet): Belief {
  return weigh(set, new Float64Array(set.size));
}

function weigh(set: DrawSet, logWeights: Float64Array): Belief {
  const { weights, effectiveSize } = normaliseLogWeights(logWeights);
  const largest = logWeights.reduce((most, log) => Math.max(most, log), -Infinity);
  const kept = logWeights.map((log) => (log - largest >= givenUp ? log - largest : -Infinity));
  return { set, logWeights: kept, weights, effectiveDraws: effectiveSize };
}

/** Futures in which the same was given so far, with beliefs over the same draws, and what was measured in each of them today. */
export interface MeasuredFutures {
  readonly plan: DosePlan;
  readonly day: number;
  readonly set: DrawSet;
  readonly beliefs: readonly Belief[];
  /** One list a future, all of `day`. */
  readonly today: readonly (readonly VirtualMeasurement[])[];
}

/** Their beliefs after today's measurements, by weighing alone: one simulation for all of them. */
export async function absorb(
  { plan, day, set, beliefs, today }: MeasuredFutures,
  deps: CourseDeps,
  hooks: RunHooks,
): Promise<readonly Belief[]> {
  const markers = [...new Set(today.flat().map(({ marker }) => marker))];
  if (markers.length === 0) return beliefs;
  const isAlive = new Uint8Array(set.size);
  for (const { logWeights } of beliefs) logWeights.forEach((log, draw) => (isAlive[draw]! |= log === -Infinity ? 0 : 1));
  const draws = Uint32Array.from(isAlive.keys()).filter((draw) => isAlive[draw] === 1);
  const [course] = await followPlans(set, draws, [plan], { days: [day], readouts: [], markers }, deps, hooks);
  return beliefs.map(({ logWeights }, f) => {
    const logs = logWeights.slice();
    for (const { marker, value } of today[f]!) {
      const measurements = set.models.map(({ program }) =>
        measurementOf(program.observations.find((one) => one.marker === marker)!.error, value),
      );
      let m = 0;
      draws.forEach((draw, i) => {
        while (m + 1 < set.models.length && set.models[m + 1]!.first <= draw) m++;
        const log = logDensity(measurements[m]!, course!.marker(marker, 0, i));
        logs[draw] = Number.isNaN(log) ? -Infinity : logs[draw]! + log;
      });
    }
    return weigh(set, logs);
  });
}

/**
 * The twin fitted anew, by the same ladder as any person's, to the record and all virtual measurements under what was given. Null where
 * no draw of the population could have been observed like this.
 */
export async function fitAfresh(
  twin: Pick<EquationsTwin, 'models'>,
  plan: DosePlan,
  measurements: readonly VirtualMeasurement[],
  deps: CourseDeps,
  hooks: RunHooks,
  effort: FitEffort = briefly,
): Promise<Belief | null> {
  const { person, simulator, changes, seed } = deps;
  const horizonDays = Math.max(...measurements.map(({ day }) => day));
  const programs = twin.models.map(({ program }) => program);
  const totalWeight = programs.reduce((sum, { priorWeight }) => sum + priorWeight, 0);
  const models = programs.map((program) => {
    const { toModelTime } = courseOf(program, person);
    const problem = modelProblem(program, person, Math.log(program.priorWeight / totalWeight));
    const virtual = measurements.map(({ marker, day, value }): FitObservation => {
      const of = program.observations.findIndex((one) => one.marker === marker);
      return { of, time: toModelTime(day), value, isBelowLimit: false };
    });
    return {
      ...problem,
      timeline: timelineOf(program, person, { plan, changes, horizonDays }),
      observations: [...problem.observations, ...virtual],
    };
  });
  try {
    const fitted = await fitEquations({ models, simulator, seed, ...effort }, hooks.signal ? { signal: hooks.signal } : {});
    return beliefToday(join(fitted.models));
  } catch (error) {
    if (error instanceof AppError && error.code === 'fit_failed') return null;
    throw error;
  }
}
