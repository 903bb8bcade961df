import { RandomSequence, seedFrom, streams } from '#numerics/random.ts';
import { Adam } from '../adam.ts';
import { volumeScaleOf, type Series } from './cohort.ts';
import { Likelihood } from './likelihood.ts';
import { TumourModel, type ModelShape, type VolumeScale } from './model.ts';

export interface FitOptions {
  readonly shape: ModelShape;
  readonly seed: number;
  readonly epochs: number;
  /** Ends when so many epochs have not raised the log-likelihood of the valid people. */
  readonly patience: number;
  /** People a step of the optimiser. */
  readonly batch: number;
  /** First rate; it falls along a cosine to a hundredth. */
  readonly learningRate: number;
  /** By person; one where it is missing. */
  readonly weights?: Float64Array;
  /** By person, by step; one where it is missing. */
  readonly stepWeights?: readonly Float64Array[];
  /** Goes on from here; every epoch has its own random numbers, so a resumed fit ends with the same numbers. */
  readonly resume?: FitCheckpoint;
  readonly onEpoch?: (epoch: number, valid: number, save: () => FitCheckpoint) => void;
}

export interface FitCheckpoint {
  readonly epoch: number;
  readonly parameters: readonly number[];
  readonly moments: readonly [first: readonly number[], second: readonly number[]];
  readonly steps: number;
  readonly best: { readonly parameters: readonly number[]; readonly valid: number; readonly epoch: number };
}

/** A model as plain JSON. */
export interface StoredModel {
  readonly shape: ModelShape;
  readonly scale: VolumeScale;
  readonly parameters: readonly number[];
}

export function storeModel({ shape, scale, theta }: TumourModel): StoredModel {
  return { shape, scale, parameters: [...theta] };
}

export function restoreModel({ shape, scale, parameters }: StoredModel): TumourModel {
  const model = new TumourModel(shape, scale);
  model.theta.set(parameters);
  return model;
}

/** Maximises the log-likelihood of the people of `train` by Adam; the epoch that `valid` people like best is kept. */
export function fitTumourModel(
  train: readonly Series[],
  valid: readonly Series[],
  options: FitOptions,
): { model: TumourModel; valid: number; epochs: number } {
  const { seed, batch, resume } = options;
  const model = new TumourModel(options.shape, volumeScaleOf(train));
  model.initialise(new RandomSequence(seedFrom(seed), streams.twin));
  const likelihood = new Likelihood(model);
  const adam = new Adam(model);
  let best = { parameters: [...model.theta], valid: -Infinity, epoch: 0 };
  if (resume) {
    model.theta.set(resume.parameters);
    adam.restore(resume.steps, ...resume.moments);
    best = { ...resume.best, parameters: [...resume.best.parameters] };
  }
  let epoch = resume?.epoch ?? 0;
  for (; epoch < options.epochs && epoch - best.epoch < options.patience; epoch++) {
    const order = shuffled(train.length, new RandomSequence(seedFrom(seed), streams.twin, epoch + 1));
    for (let from = 0; from < order.length; from += batch) {
      const to = Math.min(from + batch, order.length);
      likelihood.update();
      model.gradient.fill(0);
      for (let i = from; i < to; i++) {
        const who = order[i]!;
        likelihood.person(train[who]!, options.weights?.[who] ?? 1, options.stepWeights?.[who]);
      }
      const share = (epoch + from / order.length) / options.epochs;
      adam.ascend(options.learningRate * (0.01 + 0.99 * 0.5 * (1 + Math.cos(Math.PI * share))), 1 / (to - from));
    }
    const score = meanLogLikelihood(likelihood, valid);
    if (score > best.valid) best = { parameters: [...model.theta], valid: score, epoch: epoch + 1 };
    const after = epoch + 1;
    options.onEpoch?.(after, score, () => ({
      epoch: after,
      parameters: [...model.theta],
      moments: [[...adam.first], [...adam.second]],
      steps: adam.steps,
      best,
    }));
  }
  model.theta.set(best.parameters);
  return { model, valid: best.valid, epochs: epoch };
}

/** Per person. */
function meanLogLikelihood(likelihood: Likelihood, people: readonly Series[]): number {
  likelihood.update();
  return people.reduce((sum, series) => sum + likelihood.person(series, 0), 0) / people.length;
}

/** 0 … n − 1 in random order (Fisher and Yates). */
function shuffled(n: number, random: RandomSequence): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
