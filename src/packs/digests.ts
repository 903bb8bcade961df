import { AppError } from '#domain/errors.ts';
import type { PackFiles } from './pack.ts';

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (!crypto.subtle) {
    throw new AppError(
      'insecure_origin',
      'This page was not served securely, so packs cannot be checked. Open it over https or from localhost.',
    );
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export const fileNames = { card: 'card.md', golden: 'golden.json', manifest: 'pack.json', weights: 'weights.bin' } as const;

/**
 * The digest that names a pack: what `sha256sum card.md golden.json pack.json weights.bin | sha256sum` prints in its folder, so that
 * anyone can check it with two commands. A pack of equations has no weights.bin, and its digest names three files.
 */
export async function packDigest(files: PackFiles): Promise<string> {
  let lines = '';
  for (const [key, name] of Object.entries(fileNames)) {
    const file = files[key as keyof PackFiles];
    if (key !== 'weights' || file.byteLength > 0) lines += `${await sha256(file)}  ${name}\n`;
  }
  return sha256(new TextEncoder().encode(lines));
}
