/**
 * Does the pack give training people back? Entry values of people drawn from the pack are compared with those of training people:
 * if they lay closer to training people than people of the valid and test splits do, the pack would have copied. A smoke detector,
 * not a proof of privacy.
 */
import { seedFrom, RandomSequence, streams } from '#numerics/random.ts';
import { defined, notDefined } from '#numerics/estimate.ts';
import { traitPrior } from '#twin/encoder-plain.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { covariateInputCount } from '#packs/manifest-views.ts';
import type { Cohort } from '../cohort.ts';
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

/** Entry values drawn from the pack for covariates of random training people, the hardest case for a copy to hide in. */
function drawPeople(pack: LearnedPack, train: Cohort, n: number): Float64Array[] {
  const { network, manifest } = pack;
  const { S, V } = train;
  const C = covariateInputCount(manifest);
  const random = new RandomSequence(seedFrom(7), streams.people, 9);
  const seen = Array.from({ length: S }, (_, k) => k).filter((k) => !isSometimesMissing(train, k));
  return Array.from({ length: n }, () => {
    const i = random.below(train.ids.length);
    const member = network.members[random.below(network.shape.M)]!;
    const c = train.v.slice(i * V, i * V + C);
    const prior = traitPrior(member, c);
    const context = [...c, ...prior.mean.map((mean, l) => mean + prior.scale[l]! * random.normal())];
    const values = seen.map((k) => {
      let s = member.entryBias[k]! + Math.exp(member.entryLogScale[k]!) * random.normal();
      context.forEach((value, j) => (s += member.entryW[k * context.length + j]! * value));
      const head = network.heads[k]!;
      if (head.kind === 'continuous') return s + member.observationScale[k]! * random.normal();
      const u = random.uniform();
      const shown = s + Math.log(u / (1 - u));
      return head.cuts.filter((cut) => shown > cut).length;
    });
    return Float64Array.from([...c, ...values]);
  });
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
