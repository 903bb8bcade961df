import type { GoldenCases } from './golden.ts';
import type { LearnedManifest } from './manifest.ts';
import type { EncoderTensors, Network } from './network.ts';

/** A pack of kind `learned`, past the door: everything in it has been checked and fits together. */
export interface LearnedPack {
  readonly manifest: LearnedManifest;
  readonly network: Network;
  /** One per ensemble member. */
  readonly encoder: readonly EncoderTensors[];
  /** Names these exact four files; see `packDigest`. */
  readonly digest: string;
  /** Markdown. */
  readonly card: string;
  readonly golden: GoldenCases;
}

/** The four files of a pack's folder. */
export interface PackFiles {
  /** pack.json */ readonly manifest: Uint8Array<ArrayBuffer>;
  /** weights.bin */ readonly weights: Uint8Array<ArrayBuffer>;
  /** golden.json */ readonly golden: Uint8Array<ArrayBuffer>;
  /** card.md */ readonly card: Uint8Array<ArrayBuffer>;
}
