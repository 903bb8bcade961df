import type { GoldenCases } from './golden.ts';
import type { EquationsGolden } from './equations/golden.ts';
import type { Program } from './equations/program.ts';
import type { EquationsManifest, LearnedManifest } from './manifest.ts';
import type { EncoderTensors, Network } from './network.ts';
import { quoted, refusal } from './refusal.ts';

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

/** A pack of kind `equations`, past the door: parsed, unit-checked and ready to be compiled. */
export interface EquationsPack {
  readonly manifest: EquationsManifest;
  /** One a model of the manifest, in its order. */
  readonly programs: readonly Program[];
  readonly digest: string;
  readonly card: string;
  readonly golden: EquationsGolden;
}

export type Pack = LearnedPack | EquationsPack;

export function isLearned(pack: Pack): pack is LearnedPack {
  return pack.manifest.kind === 'learned';
}

/** For whoever can do nothing with equations. Throws `pack_kind_unsupported`. */
export function requireLearned(pack: Pack): LearnedPack {
  if (isLearned(pack)) return pack;
  throw refusal(
    'pack_kind_unsupported',
    `pack.json of ${quoted(pack.manifest.id)}`,
    'its kind is equations, expected learned here.',
  );
}

/** The files of a pack's folder. */
export interface PackFiles {
  /** pack.json */ readonly manifest: Uint8Array<ArrayBuffer>;
  /** weights.bin; empty for a pack of kind `equations` */ readonly weights: Uint8Array<ArrayBuffer>;
  /** golden.json */ readonly golden: Uint8Array<ArrayBuffer>;
  /** card.md */ readonly card: Uint8Array<ArrayBuffer>;
}
