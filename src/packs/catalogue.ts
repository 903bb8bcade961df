/** Which packs there are, and reading one. Bytes come from whoever calls: `fetch` of the same origin in the app, files in Node. */
import * as v from 'valibot';
import { AppError } from '#domain/errors.ts';
import type { ConformalTable } from '#domain/trust.ts';
import type { ValidationReport } from '#domain/validation.ts';
import { conformalFile, decodeConformal, maxConformalBytes } from './conformal.ts';
import { checkSize, decodeManifest, decodePack, packLimits, type PackLimits } from './decode.ts';
import { fileNames, sha256 } from './digests.ts';
import { parseJson } from './json.ts';
import type { PackManifest } from './manifest.ts';
import type { Pack, PackFiles } from './pack.ts';
import { quoted, refusal } from './refusal.ts';
import { checkSchema } from './schema-check.ts';
import { decodeValidation, maxValidationBytes, modelDigest, validationFile } from './validation.ts';

/** Reads `models/…`; rejects when there is no such file. */
export type FetchBytes = (path: string) => Promise<Uint8Array<ArrayBuffer>>;

export interface PackListing {
  readonly id: string;
  readonly files: readonly ListedFile[];
}

export interface ListedFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

const indexPath = 'models/index.json';
const maxIndexBytes = 2 ** 20;
const id = v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/));
const indexSchema = v.strictObject({
  packs: v.array(
    v.strictObject({
      id,
      files: v.array(
        v.strictObject({
          name: v.string(),
          bytes: v.pipe(v.number(), v.integer(), v.minValue(0)),
          sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
        }),
      ),
    }),
  ),
}) satisfies v.GenericSchema<unknown, { readonly packs: readonly PackListing[] }>;

/** The installed packs as `models/index.json` of the build lists them. */
export async function listPacks(fetchBytes: FetchBytes): Promise<readonly PackListing[]> {
  const bytes = await fetched(indexPath, fetchBytes);
  checkSize(indexPath, bytes.byteLength, maxIndexBytes);
  return checkSchema(indexSchema, parseJson(bytes, indexPath), indexPath).packs;
}

/** What a listed pack says about itself, without its weights: enough for the list a person chooses from. */
export async function describePack(
  listing: PackListing,
  fetchBytes: FetchBytes,
  limits: PackLimits = packLimits,
): Promise<PackManifest> {
  const manifest = decodeManifest(await listedFile(listing, 'manifest', fetchBytes, limits), limits);
  checkId(listing, manifest.id);
  return manifest;
}

/** Reads and checks a whole pack. It may be offered after `requireGolden` (engine/golden.ts) has passed on the engine in use. */
export async function loadPack(packId: string, fetchBytes: FetchBytes, limits: PackLimits = packLimits): Promise<Pack> {
  const listing = (await listPacks(fetchBytes)).find((candidate) => candidate.id === packId);
  if (!listing) throw refusal('pack_not_found', 'models', `there is no pack ${quoted(packId)}.`);
  // A pack of equations has no weights; that a learned one has them is for `decodePack` to see.
  const hasWeights = listing.files.some(({ name }) => name === fileNames.weights);
  const [manifest, golden, card, weights = new Uint8Array()] = await Promise.all(
    (['manifest', 'golden', 'card', ...(hasWeights ? (['weights'] as const) : [])] as const).map((key) =>
      listedFile(listing, key, fetchBytes, limits),
    ),
  );
  const pack = await decodePack({ manifest: manifest!, weights, golden: golden!, card: card! }, limits);
  checkId(listing, pack.manifest.id);
  return pack;
}

/** The report of how far a pack's forecasts came true, or null where the pack has none. It may be of another digest: see `packDigest`. */
export async function loadValidation(packId: string, fetchBytes: FetchBytes): Promise<ValidationReport | null> {
  const listing = (await listPacks(fetchBytes)).find((candidate) => candidate.id === packId);
  const listed = listing?.files.find(({ name }) => name === validationFile);
  if (!listing || !listed) return null;
  const path = `models/${packId}/${validationFile}`;
  const report = decodeValidation(await checkedFile(path, listed, maxValidationBytes, fetchBytes), path);
  checkId(listing, report.packId, `${path}, packId`);
  return report;
}

/**
 * Corrections of intervals learned from people of the pack's data who were not trained on, or null where the pack has none, or has those
 * of other weights or equations.
 */
export async function loadConformal(manifest: PackManifest, fetchBytes: FetchBytes): Promise<ConformalTable | null> {
  const listing = (await listPacks(fetchBytes)).find((candidate) => candidate.id === manifest.id);
  const listed = listing?.files.find(({ name }) => name === conformalFile);
  if (!listing || !listed) return null;
  const path = `models/${manifest.id}/${conformalFile}`;
  const table = decodeConformal(await checkedFile(path, listed, maxConformalBytes, fetchBytes), path);
  checkId(listing, table.packId, `${path}, packId`);
  return table.model === (await modelDigest(manifest)) ? table : null;
}

async function listedFile(
  { id, files }: PackListing,
  key: keyof PackFiles,
  fetchBytes: FetchBytes,
  limits: PackLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const name = fileNames[key];
  const path = `models/${id}/${name}`;
  const listed = files.find((file) => file.name === name);
  if (!listed) throw refusal('pack_not_found', path, 'the list of packs does not name this file.');
  return checkedFile(path, listed, limits[`${key}Bytes`], fetchBytes);
}

async function checkedFile(
  path: string,
  listed: ListedFile,
  limit: number,
  fetchBytes: FetchBytes,
): Promise<Uint8Array<ArrayBuffer>> {
  // Before anything is fetched: a file that says it is too large is not worth its download.
  checkSize(path, listed.bytes, limit);
  const bytes = await fetched(path, fetchBytes);
  if ((await sha256(bytes)) === listed.sha256) return bytes;
  if (listed.name === fileNames.weights && bytes.byteLength < listed.bytes) {
    throw refusal('pack_weights_truncated', path, `it has ${bytes.byteLength} bytes, expected ${listed.bytes}.`);
  }
  throw refusal('pack_digest_mismatch', path, 'it is not the file that models/index.json lists (its SHA-256 differs).');
}

async function fetched(path: string, fetchBytes: FetchBytes): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await fetchBytes(path);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw refusal('pack_not_found', path, 'the file could not be read.', { cause });
  }
}

function checkId(listing: PackListing, found: string, where = `models/${listing.id}/pack.json, id`): void {
  if (found !== listing.id) {
    throw refusal('pack_schema_invalid', where, `found ${quoted(found)}, expected the name of its folder.`);
  }
}
