/**
 * The one door through which a pack enters. A pack may come from anyone: whatever is wrong with it is an `AppError` with a code of
 * docs/errors.md, never a crash or a hang, and past this door nobody checks again.
 */
import { fileNames, packDigest, sha256 } from './digests.ts';
import { fromHalf } from './float16.ts';
import { refuseForbiddenText, refuseForbiddenTexts } from './forbidden-text.ts';
import { decodeGolden } from './golden.ts';
import { decodeText, parseJson } from './json.ts';
import { compileModel } from './equations/compile.ts';
import { decodeEquationsGolden } from './equations/decode-golden.ts';
import { checkEquations } from './equations/manifest-checks.ts';
import { checkDescription, checkLearned } from './manifest-checks.ts';
import { equationsSchema, learnedSchema } from './manifest-schema.ts';
import { covariateInputCount, headsOf } from './manifest-views.ts';
import type { LearnedManifest, PackManifest, TensorEntry } from './manifest.ts';
import type { EncoderTensors, Head, MemberTensors } from './network.ts';
import type { LearnedPack, Pack, PackFiles } from './pack.ts';
import { quoted, refusal } from './refusal.ts';
import { checkSchema } from './schema-check.ts';
import { dtypeBytes, elementCount, encoderTensorShapes, memberTensorShapes } from './tensors.ts';

export interface PackLimits {
  readonly manifestBytes: number;
  readonly weightsBytes: number;
  readonly goldenBytes: number;
  readonly cardBytes: number;
  /** The file and every weight twice in f32: once here, once as an engine packs them. */
  readonly memoryBytes: number;
}

const MiB = 2 ** 20;

export const packLimits: PackLimits = {
  manifestBytes: MiB,
  weightsBytes: 32 * MiB,
  goldenBytes: 4 * MiB,
  cardBytes: MiB / 4,
  memoryBytes: 128 * MiB,
};

/** Beyond this a weight is a mistake: nothing trained comes near, and products of a few would leave f32. */
const maxWeight = 1e4;

export async function decodePack(files: PackFiles, limits: PackLimits = packLimits): Promise<Pack> {
  for (const key of ['manifest', 'weights', 'golden', 'card'] as const) {
    checkSize(fileNames[key], files[key].byteLength, limits[`${key}Bytes`]);
  }
  const manifest = decodeManifest(files.manifest, limits);
  await checkDigests(manifest, files);
  const card = decodeText(files.card, fileNames.card);
  refuseForbiddenText(card, fileNames.card);
  const digest = await packDigest(files);
  if (manifest.kind === 'equations') {
    const programs = manifest.models.map((model, i) => compileModel(model, manifest, `${fileNames.manifest}, models[${i}]`));
    return { manifest, programs, digest, card, golden: decodeEquationsGolden(files.golden, manifest, programs) };
  }
  const golden = decodeGolden(files.golden, manifest);
  return { manifest, ...readTensors(manifest, files.weights, limits), digest, card, golden };
}

/** What a pack says about itself, of either kind, without its weights. */
export function decodeManifest(bytes: Uint8Array, limits: PackLimits = packLimits): PackManifest {
  const file = fileNames.manifest;
  checkSize(file, bytes.byteLength, limits.manifestBytes);
  const value = parseJson(bytes, file);
  refuseForbiddenTexts(value, file);
  if ((Object(value) as { kind?: unknown }).kind === 'equations') {
    const manifest = checkSchema(equationsSchema, value, file);
    checkDescription(manifest);
    checkEquations(manifest);
    return manifest;
  }
  const manifest = checkSchema(learnedSchema, value, file);
  checkDescription(manifest);
  checkLearned(manifest);
  return manifest;
}

/** Throws `pack_too_large`; also for sizes that are only announced, before anything is fetched. */
export function checkSize(file: string, bytes: number, limit: number): void {
  if (bytes > limit) throw refusal('pack_too_large', file, `it has ${bytes} bytes, expected at most ${limit}.`);
}

async function checkDigests(manifest: PackManifest, files: PackFiles): Promise<void> {
  const found = files.weights.byteLength;
  if (manifest.kind === 'learned') {
    const { bytes } = manifest.weights;
    if (found < bytes) throw refusal('pack_weights_truncated', fileNames.weights, `it has ${found} bytes, expected ${bytes}.`);
    await checkDigest(manifest, 'weights', manifest.weights.sha256, files);
  } else if (found > 0) {
    throw refusal('pack_digest_mismatch', fileNames.weights, `it has ${found} bytes, expected no such file beside equations.`);
  }
  for (const key of ['golden', 'card'] as const) await checkDigest(manifest, key, manifest[key].sha256, files);
}

async function checkDigest({ id }: PackManifest, key: keyof PackFiles, expected: string, files: PackFiles): Promise<void> {
  if ((await sha256(files[key])) === expected) return;
  const what = `it is not the file that pack.json of ${quoted(id)} was written for (its SHA-256 differs).`;
  throw refusal('pack_digest_mismatch', fileNames[key], what);
}

function readTensors(
  manifest: LearnedManifest,
  weights: Uint8Array,
  limits: PackLimits,
): Pick<LearnedPack, 'network' | 'encoder'> {
  const { network: shape, encoder, tensors } = manifest;
  const memberShapes = memberTensorShapes(shape, covariateInputCount(manifest));
  const encoderShapes = encoderTensorShapes(shape, encoder.E);
  const wanted = new Map<string, readonly number[]>();
  for (let m = 0; m < shape.M; m++) {
    for (const [name, dimensions] of Object.entries({ ...memberShapes, ...encoderShapes }))
      wanted.set(`member${m}/${name}`, dimensions);
  }
  const table = checkTable(tensors, wanted);
  checkTiling(tensors, weights.byteLength);
  checkMemory(tensors, weights.byteLength, limits);

  const heads = headsOf(manifest);
  const read = (m: number, names: object) =>
    Object.fromEntries(Object.keys(names).map((name) => [name, readTensor(table.get(`member${m}/${name}`)!, weights)]));
  const members = Array.from({ length: shape.M }, (_, m) => {
    // The keys are those of the table of shapes, whose type names them all.
    const member = read(m, memberShapes) as unknown as MemberTensors;
    checkNoise(member, heads, `weights.bin, member${m}`);
    return member;
  });
  const encoders = Array.from({ length: shape.M }, (_, m) => read(m, encoderShapes) as unknown as EncoderTensors);
  return { network: { shape, heads, members }, encoder: encoders };
}

function checkTable(tensors: readonly TensorEntry[], wanted: ReadonlyMap<string, readonly number[]>): Map<string, TensorEntry> {
  const table = new Map<string, TensorEntry>();
  tensors.forEach((entry, i) => {
    const at = `pack.json, tensors[${i}]`;
    const dimensions = wanted.get(entry.name);
    if (!dimensions) throw refusal('pack_schema_invalid', `${at}.name`, `${quoted(entry.name)} is no tensor of this network.`);
    if (table.has(entry.name)) throw refusal('pack_schema_invalid', `${at}.name`, `${quoted(entry.name)} stands here twice.`);
    if (entry.shape.join() !== dimensions.join()) {
      const what = `${quoted(entry.name)} is [${entry.shape.join(' × ')}], expected [${dimensions.join(' × ')}].`;
      throw refusal('pack_schema_invalid', `${at}.shape`, what);
    }
    table.set(entry.name, entry);
  });
  for (const name of wanted.keys()) {
    if (!table.has(name))
      throw refusal(
        'pack_tensor_missing',
        'pack.json, tensors',
        `there is no ${quoted(name)}, expected ${wanted.size} tensors in all.`,
      );
  }
  return table;
}

function checkTiling(tensors: readonly TensorEntry[], fileBytes: number): void {
  let end = 0;
  tensors.forEach(({ name, offset, shape, dtype }, i) => {
    if (offset !== end) {
      const what = `${quoted(name)} starts at byte ${offset}, expected ${end}, where the one before it ends.`;
      throw refusal('pack_tensors_do_not_tile', `pack.json, tensors[${i}].offset`, what);
    }
    end += elementCount(shape) * dtypeBytes[dtype];
  });
  if (end !== fileBytes) {
    throw refusal(
      'pack_tensors_do_not_tile',
      fileNames.weights,
      `it has ${fileBytes} bytes, expected ${end}, where the last tensor ends.`,
    );
  }
}

function checkMemory(tensors: readonly TensorEntry[], fileBytes: number, { memoryBytes }: PackLimits): void {
  const needed = fileBytes + 2 * tensors.reduce((sum, { shape }) => sum + elementCount(shape) * dtypeBytes.f32, 0);
  if (needed > memoryBytes) {
    throw refusal(
      'pack_memory_exceeded',
      fileNames.weights,
      `it needs ${needed} bytes of memory, expected at most ${memoryBytes}.`,
    );
  }
}

function readTensor({ name, dtype, shape, offset }: TensorEntry, weights: Uint8Array): Float32Array {
  const view = new DataView(weights.buffer, weights.byteOffset, weights.byteLength);
  const values = new Float32Array(elementCount(shape));
  for (let i = 0; i < values.length; i++) {
    const at = offset + i * dtypeBytes[dtype];
    const value = dtype === 'f32' ? view.getFloat32(at, true) : fromHalf(view.getUint16(at, true));
    if (!Number.isFinite(value)) {
      throw refusal('pack_weights_not_finite', `weights.bin, ${name}[${i}]`, `found ${value}, expected a finite number.`);
    }
    if (Math.abs(value) > maxWeight) {
      throw refusal(
        'pack_weights_out_of_range',
        `weights.bin, ${name}[${i}]`,
        `found ${value}, expected at most ${maxWeight} in size.`,
      );
    }
    values[i] = value;
  }
  return values;
}

function checkNoise({ tailCount, tailScale, observationScale }: MemberTensors, heads: readonly Head[], at: string): void {
  heads.forEach((head, i) => {
    const tails = tailCount[i]!;
    const isCount = Number.isInteger(tails) && tails >= 0 && tails <= 256;
    if (!isCount)
      throw refusal(
        'pack_weights_out_of_range',
        `${at}/tailCount[${i}]`,
        `found ${tails}, expected a whole number from 0 to 256.`,
      );
    if (tailScale[i]! < 1)
      throw refusal('pack_weights_out_of_range', `${at}/tailScale[${i}]`, `found ${tailScale[i]}, expected at least 1.`);
    if (head.kind === 'continuous' && observationScale[i]! <= 0) {
      const what = `found ${observationScale[i]}, expected more than 0 for a continuous marker.`;
      throw refusal('pack_weights_out_of_range', `${at}/observationScale[${i}]`, what);
    }
  });
}
