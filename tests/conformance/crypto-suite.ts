/** The browser's cryptography, and hash-wasm's, against public vectors; run in Node and in a browser. */
import { argon2id } from 'hash-wasm';
import { describe, expect, test } from 'vitest';
import { stretch } from '#vault/kdf.ts';
import argon2 from '../fixtures/crypto/argon2id.json' with { type: 'json' };
import wycheproof from '../fixtures/crypto/wycheproof.json' with { type: 'json' };

const bytes = (hex: string): Uint8Array<ArrayBuffer> => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (buffer: ArrayBuffer | Uint8Array): string =>
  Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');

export function cryptoSuite(): void {
  const { subtle } = crypto;

  describe(`AES-256-GCM (Wycheproof ${wycheproof.aesGcm.file})`, () => {
    test.each(wycheproof.aesGcm.tests)('case $tcId $comment ($result)', async ({ key, iv, aad, msg, ct, tag, result }) => {
      const aes = await subtle.importKey('raw', bytes(key), 'AES-GCM', false, ['encrypt', 'decrypt']);
      const how = { name: 'AES-GCM', iv: bytes(iv), additionalData: bytes(aad) };
      if (result === 'valid') {
        expect(hex(await subtle.encrypt(how, aes, bytes(msg)))).toBe(ct + tag);
        expect(hex(await subtle.decrypt(how, aes, bytes(ct + tag)))).toBe(msg);
      } else {
        await expect(subtle.decrypt(how, aes, bytes(ct + tag))).rejects.toMatchObject({ name: 'OperationError' });
      }
    });
  });

  describe(`HKDF-SHA-256 (Wycheproof ${wycheproof.hkdf.file})`, () => {
    test.each(wycheproof.hkdf.tests)('case $tcId $comment ($result)', async ({ ikm, salt, info, size, okm, result }) => {
      const key = await subtle.importKey('raw', bytes(ikm), 'HKDF', false, ['deriveBits']);
      const made = subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: bytes(salt), info: bytes(info) }, key, size * 8);
      if (result === 'valid') expect(hex(await made)).toBe(okm);
      else await expect(made).rejects.toMatchObject({ name: 'OperationError' });
    });
  });

  describe(`PBKDF2-HMAC-SHA-256 (Wycheproof ${wycheproof.pbkdf2.file})`, () => {
    test.each(wycheproof.pbkdf2.tests)('case $tcId $comment ($result)', async ({ password, salt, iterationCount, dkLen, dk }) => {
      const key = await subtle.importKey('raw', bytes(password), 'PBKDF2', false, ['deriveBits']);
      const how = { name: 'PBKDF2', hash: 'SHA-256', salt: bytes(salt), iterations: iterationCount };
      expect(hex(await subtle.deriveBits(how, key, dkLen * 8))).toBe(dk);
    });
  });

  describe(`Argon2id: hash-wasm agrees with ${argon2.agreeing.join(', ')}`, () => {
    test.each(argon2.tests)(
      'case $number: $memoryKiB KiB, $iterations passes',
      async ({ password, salt, memoryKiB, iterations, out }) => {
        const made = await argon2id({
          password: bytes(password),
          salt: bytes(salt),
          iterations,
          parallelism: 1,
          memorySize: memoryKiB,
          hashLength: 32,
          outputType: 'hex',
        });
        expect(made).toBe(out);
      },
    );

    test.each(argon2.tests.filter(({ memoryKiB, iterations }) => memoryKiB >= 19 * 1024 && iterations > 1))(
      'case $number as the vault asks for it',
      async ({ password, salt, memoryKiB, iterations, out }) => {
        const kdf = { name: 'argon2id', memoryKiB, iterations, parallelism: 1 } as const;
        expect(hex(await stretch(bytes(password), bytes(salt), kdf))).toBe(out);
      },
    );
  });
}
