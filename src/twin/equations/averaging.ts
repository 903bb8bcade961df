/** The twin of an equations pack: every model's posterior, weighted by how well the model foretold this person. */
import { AppError, invariant } from '#domain/errors.ts';
import type { RunHooks } from '#engine/engine.ts';
import type { Simulator } from '#engine/simulation.ts';
import type { Seed } from '#numerics/random.ts';
import { apportion, normaliseLogWeights } from '#numerics/weighted-draws.ts';
import type { EquationsTwin, ModelProblem } from './fit-problem.ts';
import { drawLanes, fitModel, part, type ModelPosterior } from './posterior.ts';
import { foretell, surprise } from './surprise.ts';

export interface EquationsFitRequest {
  readonly models: readonly ModelProblem[];
  readonly simulator: Simulator;
  readonly seed: Seed;
  /** Draws of each model's prior; without it, as `FitOptions` says. */
  readonly draws?: number;
  /** As in `FitOptions`. */
  readonly sufficient?: number;
  /** As in `FitOptions`. */
  readonly starts?: number;
  /** Equally weighted lanes wanted over all models. */
  readonly lanes: number;
}

/** Below this chance the population is taken not to describe the person, and the fit is done again with a prior so much wider. */
const conflict = { below: 0.01, flattening: 4 } as const;

/**
 * Each model gives its share of the lanes by its posterior weight, none where that rounds to nothing: the lanes of all models
 * together are equally weighted. A model under which nobody could have been observed like this is left out; where that is every
 * model, fit_failed is thrown.
 */
export async function fitEquations(request: EquationsFitRequest, hooks: RunHooks = {}): Promise<EquationsTwin> {
  const { seed, lanes } = request;
  invariant(request.models.length > 0, 'a pack has a model');
  let posteriors = await fitAll(request, 1, part(hooks, 0, 0.7));
  const conflictProbability = surprise(
    posteriors.map(foretell),
    posteriors.map(({ objective }) => objective.prior.problem.logPriorWeight),
  );
  const isInConflict = conflictProbability !== null && conflictProbability < conflict.below;
  if (isInConflict) posteriors = await fitAll(request, conflict.flattening, part(hooks, 0.7, 1));
  hooks.onProgress?.(1);
  const logs = posteriors.map(({ objective, sample }) => objective.prior.problem.logPriorWeight + sample.logMarginal.value);
  const { weights } = normaliseLogWeights(Float64Array.from(logs));
  const counts = apportion(lanes, [...weights]);
  return {
    models: posteriors.map((posterior, m) => drawLanes(posterior, weights[m]!, counts[m]!, seed)),
    conflictProbability,
    flattening: isInConflict ? conflict.flattening : null,
  };
}

async function fitAll(
  { models, simulator, seed, draws, sufficient, starts }: EquationsFitRequest,
  flattening: number,
  hooks: RunHooks,
): Promise<ModelPosterior[]> {
  const posteriors: ModelPosterior[] = [];
  let failure: unknown;
  for (const [m, problem] of models.entries()) {
    try {
      const options = {
        flattening,
        ...(draws === undefined ? {} : { draws }),
        ...(sufficient === undefined ? {} : { sufficient }),
        ...(starts === undefined ? {} : { starts }),
      };
      posteriors.push(await fitModel(problem, simulator, seed, options, part(hooks, m / models.length, (m + 1) / models.length)));
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'fit_failed')) throw error;
      failure = error;
    }
  }
  if (posteriors.length === 0) throw failure;
  return posteriors;
}
