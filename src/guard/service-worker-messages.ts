/** What page and service worker say to each other. */
import type { Target } from './ways.ts';

/** A file of the build. `url` is relative to the folder of the app, `revision` its SHA-256 in hex. */
export interface ListedFile {
  readonly url: string;
  readonly revision: string;
  readonly bytes: number;
}

export interface KeptFiles {
  readonly files: number;
  readonly total: number;
  /** Of the files that are kept. */
  readonly bytes: number;
}

export type ToServiceWorker =
  /** A waiting version becomes the one in use, in every tab. */
  | { readonly type: 'take-over' }
  /** Answered with `KeptFiles` on the port that comes along. */
  | { readonly type: 'kept' }
  /** Answered with the list of `Attempt`s on the port that comes along. */
  | { readonly type: 'try-ways'; readonly target: Target };

export interface FromServiceWorker {
  readonly type: 'progress';
  readonly done: number;
  readonly total: number;
  readonly bytes: number;
}
