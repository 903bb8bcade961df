/** Writes packs. Only the training pipeline and tests use it; what it writes, `decodePack` has read once. */
import { decodePack } from './decode.ts';
import { sha256 } from './digests.ts';
import type { EquationsGolden } from './equations/golden.ts';
import { fromHalf, toHalf } from './float16.ts';
import type { GoldenCases } from './golden.ts';
import { covariateInputCount } from './manifest-views.ts';
import type { EquationsManifest, LearnedManifest, TensorEntry } from './manifest.ts';
import type { EncoderTensors, MemberTensors } from './network.ts';
import type { PackFiles } from './pack.ts';
import { dtypeBytes, encoderTensorShapes, memberTensorShapes } from './tensors.ts';

/** `pack.json` without what follows from the weights and the other files. */
export type ManifestDraft = Omit<LearnedManifest, 'tensors' | 'weights' | 'golden' | 'card'>;

/** The same of a pack of equations. */
export type EquationsDraft = Omit<EquationsManifest, 'golden' | 'card'>;

export interface EncodeOptions {
  /** How matrices are stored. Vectors (biases, scales, counts) stay f32: they are few and errors in them add up. Default f32. */
  readonly matrices?: TensorEntry['dtype'];
}

type Tensors = Readonly<Record<string, Float32Array>>;

const storedAs = (shape: readonly number[], { matrices = 'f32' }: EncodeOptions): TensorEntry['dtype'] =>
  shape.length > 1 ? matrices : 'f32';

/**
 * The network as a reader of the pack will have it. Golden cases and every published figure must be made with these tensors: in f16
 * they are not those that were trained.
 */
export function asStored(
  draft: ManifestDraft,
  members: readonly MemberTensors[],
  encoders: readonly EncoderTensors[],
  options: EncodeOptions = {},
): { readonly members: readonly MemberTensors[]; readonly encoders: readonly EncoderTensors[] } {
  const memberShapes = memberTensorShapes(draft.network, covariateInputCount(draft));
  const encoderShapes = encoderTensorShapes(draft.network, draft.encoder.E);
  const round = <T extends object>(tensors: T, shapes: Readonly<Record<keyof T, readonly number[]>>): T => {
    const rounded = Object.entries(tensors as Tensors).map(([name, values]) => {
      const isHalf = storedAs(shapes[name as keyof T], options) === 'f16';
      return [name, isHalf ? values.map((value) => fromHalf(toHalf(value))) : values];
    });
    return Object.fromEntries(rounded) as T;
  };
  return {
    members: members.map((member) => round(member, memberShapes)),
    encoders: encoders.map((encoder) => round(encoder, encoderShapes)),
  };
}

/** The four files of a pack. Throws what `decodePack` would throw, so that an unreadable pack is never written. */
export async function encodePack(
  draft: ManifestDraft,
  members: readonly MemberTensors[],
  encoders: readonly EncoderTensors[],
  golden: GoldenCases,
  card: string,
  options: EncodeOptions = {},
): Promise<PackFiles> {
  const memberShapes = memberTensorShapes(draft.network, covariateInputCount(draft));
  const encoderShapes = encoderTensorShapes(draft.network, draft.encoder.E);
  const tensors: TensorEntry[] = [];
  const chunks: Uint8Array[] = [];
  let offset = 0;
  members.forEach((member, m) => {
    const values: Tensors = { ...member, ...encoders[m] };
    for (const [name, shape] of Object.entries({ ...memberShapes, ...encoderShapes })) {
      const dtype = storedAs(shape, options);
      const chunk = tensorBytes(values[name]!, dtype);
      tensors.push({ name: `member${m}/${name}`, dtype, shape, offset });
      chunks.push(chunk);
      offset += chunk.length;
    }
  });
  const weights = concatenate(chunks, offset);
  const goldenBytes = new TextEncoder().encode(prettyJson(golden));
  const cardBytes = new TextEncoder().encode(card);
  const manifest: LearnedManifest = {
    ...draft,
    weights: { file: 'weights.bin', bytes: offset, sha256: await sha256(weights) },
    golden: { file: 'golden.json', sha256: await sha256(goldenBytes) },
    card: { file: 'card.md', sha256: await sha256(cardBytes) },
    tensors,
  };
  const files: PackFiles = {
    manifest: new TextEncoder().encode(prettyJson(manifest)),
    weights,
    golden: goldenBytes,
    card: cardBytes,
  };
  await decodePack(files);
  return files;
}

/** The three files of a pack of equations. Throws what `decodePack` would throw. */
export async function encodeEquationsPack(draft: EquationsDraft, golden: EquationsGolden, card: string): Promise<PackFiles> {
  const goldenBytes = new TextEncoder().encode(prettyJson(golden));
  const cardBytes = new TextEncoder().encode(card);
  const manifest: EquationsManifest = {
    ...draft,
    golden: { file: 'golden.json', sha256: await sha256(goldenBytes) },
    card: { file: 'card.md', sha256: await sha256(cardBytes) },
  };
  const files: PackFiles = {
    manifest: new TextEncoder().encode(prettyJson(manifest)),
    weights: new Uint8Array(),
    golden: goldenBytes,
    card: cardBytes,
  };
  await decodePack(files);
  return files;
}

function tensorBytes(values: Float32Array, dtype: TensorEntry['dtype']): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * dtypeBytes[dtype]));
  values.forEach((value, i) => {
    if (dtype === 'f32') view.setFloat32(4 * i, value, true);
    else view.setUint16(2 * i, toHalf(value), true);
  });
  return new Uint8Array(view.buffer);
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** JSON that a diff shows well: fields on lines of their own, a list of plain values on one. */
export function prettyJson(value: unknown): string {
  return `${print(value, '')}\n`;
}

function print(value: unknown, indent: string): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const isPlain = (child: unknown) => typeof child !== 'object' || child === null;
  if (Array.isArray(value) && value.every(isPlain)) return JSON.stringify(value);
  const inner = `${indent}  `;
  const lines = Array.isArray(value)
    ? value.map((child) => inner + print(child, inner))
    : Object.entries(value)
        .filter(([, child]) => child !== undefined)
        .map(([key, child]) => `${inner}${JSON.stringify(key)}: ${print(child, inner)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return lines.length === 0 ? `${open}${close}` : `${open}\n${lines.join(',\n')}\n${indent}${close}`;
}
