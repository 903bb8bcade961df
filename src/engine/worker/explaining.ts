/** What the model used for a forecast: contributions, sensitivities, smallest changes, synthetic neighbours. */
import { AppError } from '#domain/errors.ts';
import type { Handler } from './hooks.ts';

async function notYet(): Promise<never> {
  throw new AppError('request_invalid', 'This build cannot answer that yet.');
}

export const attribution: Handler<'attribution'> = notYet;
export const gradients: Handler<'gradients'> = notYet;
export const sensitivity: Handler<'sensitivity'> = notYet;
export const counterfactual: Handler<'counterfactual'> = notYet;
export const neighbours: Handler<'neighbours'> = notYet;
