import { AppError } from '#domain/errors.ts';
import type { ErrorCode } from '#domain/errors.ts';

/** What a state keeps of an error, for the screen. */
export interface Failure {
  readonly code: ErrorCode | 'unknown';
  readonly message: string;
}

/** `otherwise` is said where the error is no person's to mend. */
export function failureOf(error: unknown, otherwise: string): Failure {
  if (error instanceof AppError) return { code: error.code, message: error.message };
  return { code: 'unknown', message: otherwise };
}
