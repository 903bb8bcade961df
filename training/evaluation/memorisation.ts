/**
 * Does the pack give training people back? Entry values of people drawn from the pack are compared with those of training people:
 * if they lay closer to training people than people of the valid and test splits do, the pack would have copied. A smoke detector,
 * not a proof of privacy.
 */
import { drawPerson } from '#cohorts/people.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { defined, notDefined } from '#numerics/estimate.ts';
import { seedFrom } from '#numerics/random.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { gridCohort, type Cohort } from '../cohort.ts';
import { personOf } from '../prepare.ts';
import { entryDate } from '../recipes/recipe.ts';
import { measure, type Metric } from './metrics.ts';

export function memorisationMetrics(pack: LearnedPack, train: Cohort, held: Cohort): Metric[] {
  const known = complete(train);
  const unseen = complete(held);
  if (unseen.length < 10) return [];
  const drawn = drawPeople(pack, train, 1000);
  const toTraining = (rows: readonly Float64Array[]) => rows.map((row) => nearest(row, known));
  const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
  const real = toTraining(unseen);
  const made = toTraining(drawn);
  const smallestReal = quantile(real, 0.05);
  return [
    measure({
      name: 'memorisation: median distance from a drawn person to the nearest training person, over that of unseen real people',
      n: drawn.length,
      better: 'higher',
      target: 1,
      statistic: (indices) => defined(median(Array.from(indices, (i) => made[i]!)) / median(real)),
      resamples: 200,
    }),
    measure({
      name: 'memorisation: share of drawn people nearer to a training person than 95 % of unseen real people are',
      n: drawn.length,
      better: 'lower',
      target: 0.05,
      statistic: (indices) =>
        indices.length === 0
          ? notDefined('nobody drawn')
          : defined(Array.from(indices, (i) => made[i]!).filter((distance) => distance < smallestReal).length / indices.length),
      resamples: 200,
    }),
  ];
}

function quantile(values: readonly number[], level: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * level)]!;
}

/** Covariates and everything measured at entry, for people who had it all. */
function complete(cohort: Cohort): Float64Array[] {
  const { S, C, V } = cohort;
  const rows: Float64Array[] = [];
  for (let i = 0; i < cohort.ids.length; i++) {
    const seen = Array.from({ length: S }, (_, k) => k).filter((k) => !isSometimesMissing(cohort, k));
    if (!seen.every((k) => cohort.masks[0]![i * S + k] === 1)) continue;
    rows.push(Float64Array.from([...cohort.v.subarray(i * V, i * V + C), ...seen.map((k) => cohort.values[0]![i * S + k]!)]));
  }
  return rows;
}

const isSometimesMissing = (cohort: Cohort, k: number): boolean => {
  const missing = cohort.ids.filter((_, i) => cohort.masks[0]![i * cohort.S + k] !== 1).length;
  return missing > cohort.ids.length / 4;
};

/** People as the app draws them: covariates from the pack's copula, entry values from its model. */
function drawPeople(pack: LearnedPack, train: Cohort, n: number): Float64Array[] {
  const stepper = new ReferenceEngine();
  const people = Array.from({ length: n }, (_, number) => {
    const { record } = drawPerson(pack, seedFrom(7), { historySteps: 1, today: entryDate, stepper, number });
    return personOf(pack.manifest, record, { endDay: 1, event: -1 });
  });
  const { S, K, C } = train;
  const cohort = gridCohort(people, { S, K, C, stepDays: pack.manifest.grid.stepDays, maxSteps: 1 });
  return complete(cohort);
}

function nearest(row: Float64Array, others: readonly Float64Array[]): number {
  let best = Infinity;
  for (const other of others) {
    if (other === row) continue;
    let sum = 0;
    for (let j = 0; j < row.length; j++) sum += (row[j]! - other[j]!) ** 2;
    if (sum < best) best = sum;
  }
  return Math.sqrt(best);
}
