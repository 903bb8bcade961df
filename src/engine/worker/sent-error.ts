/** An error as it crosses the worker boundary; the client makes it again. */
import { AppError } from '#domain/errors.ts';
import type { SentError } from '../protocol.ts';

export function sent(error: unknown): SentError {
  if (error instanceof AppError) return { name: error.name, code: error.code, message: error.message };
  if (error instanceof Error) return { name: error.name, code: null, message: error.message };
  return { name: 'Error', code: null, message: 'The worker failed without saying why.' };
}
