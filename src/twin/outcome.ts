import { AppError } from '#domain/errors.ts';
import type { ForecastStatus } from '#domain/forecast.ts';

/** What ended a run and is an answer all the same. Whatever else ended it is thrown on. */
export function outcomeOf(error: unknown): readonly [status: ForecastStatus, message: string] {
  if (error instanceof Error && error.name === 'AbortError') return ['stopped', 'The run was stopped before it was complete.'];
  if (error instanceof AppError && error.code === 'gpu_out_of_memory') {
    const message = 'The graphics card has too little memory for this run. Ask for fewer futures or a shorter horizon.';
    return ['out-of-memory', message];
  }
  throw error;
}
