/**
 * Sizes in classes, so that the length of a sealed row says little about what is in it: Padmé (Nikitin et al., "Reducing metadata
 * leakage from encrypted files", PETS 2019) above a floor of 512 bytes. Sixteen classes from one power of two to the next (32 from
 * 64 KiB on), so at most 6.3 % more bytes above the floor. Powers of two would tell less and cost up to 100 %; steps of a fixed size
 * tell more the larger a row is.
 */
import { invariant } from '#domain/errors.ts';

const lengthBytes = 4;
export const smallestClass = 512;

/** The class of `length` bytes: the smallest number not below it whose mantissa is as short as its exponent's binary length. */
export function sizeClass(length: number): number {
  if (length <= smallestClass) return smallestClass;
  const exponent = Math.floor(Math.log2(length));
  const step = 2 ** (exponent - Math.floor(Math.log2(exponent)) - 1);
  return Math.ceil(length / step) * step;
}

/** The length as four bytes (big endian), the content, and zeros up to the class. */
export function pad(plain: Uint8Array): Uint8Array<ArrayBuffer> {
  invariant(plain.length <= 0xffff_ffff - lengthBytes, 'a row is below 4 GiB');
  const padded = new Uint8Array(sizeClass(plain.length + lengthBytes));
  new DataView(padded.buffer).setUint32(0, plain.length);
  padded.set(plain, lengthBytes);
  return padded;
}

/** Undoes `pad`; null when it was not `pad` that wrote it. Shares the memory of `padded`. */
export function unpad(padded: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | null {
  if (padded.length < smallestClass) return null;
  const length = new DataView(padded.buffer, padded.byteOffset).getUint32(0);
  if (padded.length !== sizeClass(length + lengthBytes)) return null;
  return padded.subarray(lengthBytes, lengthBytes + length);
}
