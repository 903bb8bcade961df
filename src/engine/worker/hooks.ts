/** What every handler gets beside its argument. */
import type { CallName, Calls } from '../protocol.ts';

export interface Hooks {
  readonly signal: AbortSignal;
  readonly onProgress: (fraction: number) => void;
}

/** Answers one of the calls; throws `AppError` for what a person can mend. */
export type Handler<Name extends CallName> = (
  argument: Calls[Name]['argument'],
  /** With `onPartial`, for what a call would answer if it was cancelled now. */
  hooks: Hooks & { readonly onPartial: (answer: Calls[Name]['answer']) => void },
) => Promise<Calls[Name]['answer']>;

/** Progress of a part of the work, from one fraction to another. */
export function part({ signal, onProgress }: Hooks, from: number, to: number): Hooks {
  return { signal, onProgress: (fraction) => onProgress(from + fraction * (to - from)) };
}
