import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { lookAtBackup, readBackup, writeBackup } from '#vault/backup-stream.ts';
import type { BackupMeta } from '#vault/backup-stream.ts';
import { createHeader } from '#vault/header.ts';
import { floor } from '#vault/kdf.ts';
import type { Secret, VaultHeader, VaultKeys } from '#vault/keys.ts';
import { seededBytes } from '../../fixtures/crypto/seeded-bytes.ts';

const options = (seed = 1) => ({ randomBytes: seededBytes(seed), now: () => 0, kdf: floor.argon2id });
const passkey = (byte = 7): Secret => ({ kind: 'passkey', credentialId: 'Y3JlZA', prf: new Uint8Array(32).fill(byte) });
const meta: BackupMeta = { commitCounter: 41, madeAt: 1_800_000_000_000, counts: { patients: 2, audit: 9 } };
const sealedChunk = 64 * 1024 + 16;

let header: VaultHeader;
let keys: VaultKeys;
beforeAll(async () => {
  ({ header, keys } = await createHeader(passkey(), options()));
});

async function* pieces(...all: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* all;
}

const written = (content: Uint8Array, seed = 3) => writeBackup(header, keys, meta, pieces(content), options(seed));
const bytesOf = async (file: Blob) => new Uint8Array(await file.arrayBuffer());

async function contentOf(payload: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of payload) parts.push(part);
  return Buffer.concat(parts);
}

/** What reading the whole of it comes to: a code, or 'read'. */
async function outcome(file: Uint8Array<ArrayBuffer> | Blob, secret: Secret = passkey()): Promise<string> {
  try {
    await contentOf((await readBackup(file instanceof Blob ? file : new Blob([file]), secret, options())).payload);
    return 'read';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

const startOf = (file: Uint8Array): number => 13 + new DataView(file.buffer).getUint32(9) + 64;
const content = (length: number) => seededBytes(length)(length);

test('what was written reads back, of any size and in pieces of any size', async () => {
  const sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 300_000];
  for (const size of sizes) {
    const opened = await readBackup(await written(content(size)), passkey(), options());
    expect(opened.meta).toEqual(meta);
    expect(opened.header).toEqual(header);
    expect(Buffer.compare(await contentOf(opened.payload), content(size))).toBe(0);
  }
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 6 }), async (lengths) => {
      const parts = lengths.map((length) => content(length));
      const file = await writeBackup(header, keys, meta, pieces(...parts), options());
      const opened = await readBackup(file, passkey(), options());
      expect(Buffer.compare(await contentOf(opened.payload), Buffer.concat(parts))).toBe(0);
    }),
    { seed: 1, numRuns: 20 },
  );
});

test('the keys it gives open rows of the vault, and its ways of unlocking show before it is opened', async () => {
  const place = { table: 'patients', id: 'p', schemaVersion: 1, counter: 1 };
  const row = await keys.seal(place, Uint8Array.of(1, 2, 3));
  const file = await written(row);
  expect((await lookAtBackup(file)).wraps.map(({ kind }) => kind)).toEqual(['passkey', 'recovery']);
  const opened = await readBackup(file, passkey(), options());
  expect(await opened.keys.open(place, await contentOf(opened.payload))).toEqual(Uint8Array.of(1, 2, 3));
});

test('it opens with its own secret alone', async () => {
  expect(await outcome(await written(content(10)), passkey(8))).toBe('vault_secret_wrong');
  expect(await outcome(await written(content(10)), { kind: 'passphrase', text: 'correct horse battery staple' })).toBe(
    'vault_secret_wrong',
  );
});

test('its size tells its content only to 64 KiB, and neither counts nor times stand in it', async () => {
  expect((await written(content(10))).size).toBe((await written(content(65_535))).size);
  const text = Buffer.from(await bytesOf(await written(content(10)))).toString('latin1');
  expect(text).not.toContain('patients');
  expect(text).not.toContain('1800000000000');
});

describe('noticed is', () => {
  test('every single flipped bit of its header, and which kind of damage it is', async () => {
    const file = await bytesOf(await written(content(10)));
    const noticed = new Map<string, number>();
    for (let bit = 0; bit < startOf(file) * 8; bit++) {
      file[bit >> 3]! ^= 1 << (bit & 7);
      const code = await outcome(file);
      noticed.set(code, (noticed.get(code) ?? 0) + 1);
      file[bit >> 3]! ^= 1 << (bit & 7);
    }
    expect(noticed.get('read')).toBeUndefined();
    // The magic; all bits of the version but the one that makes it 0; and the rest.
    expect([...noticed.keys()].toSorted()).toEqual(['backup_changed', 'backup_not_one', 'vault_newer']);
    expect(noticed.get('backup_not_one')).toBe(64);
    expect(noticed.get('vault_newer')).toBe(7);
  });

  test('a flipped bit anywhere in its content, in each of 500 tries', async () => {
    const file = await bytesOf(await written(content(150_000)));
    const contentAt = startOf(file);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: contentAt * 8, max: file.length * 8 - 1 }), async (bit) => {
        const changed = file.slice();
        changed[bit >> 3]! ^= 1 << (bit & 7);
        expect(await outcome(changed)).toBe('backup_changed');
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test('every cut: at each byte of the header, at each edge of a chunk, and anywhere', async () => {
    const file = await bytesOf(await written(content(150_000)));
    const contentAt = startOf(file);
    const cuts = new Set(Array.from({ length: contentAt + 2 }, (_, at) => at));
    for (let at = contentAt; at < file.length; at += sealedChunk) for (const near of [-1, 0, 1]) cuts.add(at + near);
    for (let at = contentAt; at < file.length; at += 997) cuts.add(at);
    cuts.add(file.length - 1);
    for (const cut of cuts) {
      expect(await outcome(file.slice(0, cut)), `cut at ${cut}`).toBe(cut < 8 ? 'backup_not_one' : 'backup_truncated');
    }
  });

  test('chunks that were swapped, repeated, left out or taken from another backup', async () => {
    const file = await bytesOf(await written(content(300_000)));
    const other = await bytesOf(await written(content(300_000), 4));
    const start = file.slice(0, startOf(file));
    const chunksOf = (whole: Uint8Array<ArrayBuffer>) =>
      Array.from({ length: 5 }, (_, at) =>
        whole.slice(startOf(whole) + at * sealedChunk, startOf(whole) + (at + 1) * sealedChunk),
      );
    const chunks = chunksOf(file);
    const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat([start, ...parts]));
    expect(await outcome(join(...chunks))).toBe('read');
    for (let a = 0; a < 5; a++) {
      for (let b = 0; b < 5; b++) {
        if (a === b) continue;
        expect(await outcome(join(...chunks.with(a, chunks[b]!))), `${b} in the place of ${a}`).toBe('backup_changed');
        if (b > a) expect(await outcome(join(...chunks.with(a, chunks[b]!).with(b, chunks[a]!)))).toBe('backup_changed');
      }
      expect(await outcome(join(...chunks.toSpliced(a, 0, chunks[a]!))), `${a} twice`).toBe('backup_changed');
      expect(await outcome(join(...chunks.toSpliced(a, 1))), `without ${a}`).toBe(
        a === 4 ? 'backup_truncated' : 'backup_changed',
      );
      expect(await outcome(join(...chunks.with(a, chunksOf(other)[a]!)))).toBe('backup_changed');
    }
    expect(await outcome(new Uint8Array(Buffer.concat([other.slice(0, startOf(other)), ...chunks])))).toBe('backup_changed');
  });

  test('bytes added at its end', async () => {
    const file = await bytesOf(await written(content(70_000)));
    for (const length of [1, 15, 16, sealedChunk - 1, sealedChunk, sealedChunk + 1, 3 * sealedChunk]) {
      expect(await outcome(new Uint8Array(Buffer.concat([file, new Uint8Array(length)])))).toBe('backup_changed');
    }
    expect(await outcome(new Uint8Array(Buffer.concat([file, file.slice(-sealedChunk)])))).toBe('backup_changed');
  });

  test('another file', async () => {
    for (const bytes of [
      new Uint8Array(),
      new TextEncoder().encode('{"resourceType":"Bundle"}'),
      new Uint8Array(100_000),
      Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
      // A transfer as text: CR LF made LF.
      new Uint8Array((await bytesOf(await written(content(1)))).filter((byte) => byte !== 0x0d)),
    ]) {
      expect(await outcome(bytes)).toBe('backup_not_one');
    }
  });

  test('a later format', async () => {
    const file = await bytesOf(await written(content(1)));
    file[8] = 2;
    expect(await outcome(file)).toBe('vault_newer');
  });
});

/** A file whose header was rewritten by somebody who repairs everything that needs no key. */
async function forged(
  file: Uint8Array<ArrayBuffer>,
  change: (start: { vault: VaultHeader }) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const length = new DataView(file.buffer).getUint32(9);
  const parsed = JSON.parse(new TextDecoder().decode(file.slice(13, 13 + length)));
  change(parsed);
  const text = new TextEncoder().encode(JSON.stringify(parsed));
  const prelude = file.slice(0, 13);
  new DataView(prelude.buffer).setUint32(9, text.length);
  const start = Buffer.concat([prelude, text]);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', start));
  return new Uint8Array(Buffer.concat([start, digest, file.slice(13 + length + 32)]));
}

describe('made to harm:', () => {
  test('an absurd derivation is refused before any work', async () => {
    const passphrase = { kind: 'passphrase', text: 'correct horse battery staple' } as const;
    const vault = await createHeader(passphrase, options());
    const file = await bytesOf(await writeBackup(vault.header, vault.keys, meta, pieces(content(10)), options()));
    for (const memoryKiB of [4 * 1024 ** 3, 1]) {
      const hostile = await forged(file, (start) => Object.assign(start.vault.wraps[0]!.kdf!, { memoryKiB }));
      const begin = performance.now();
      expect(await outcome(hostile, passphrase)).toBe('vault_cost_refused');
      expect(performance.now() - begin).toBeLessThan(200);
    }
    // Within the limits, but not what was written: the key comes out wrong.
    const weakened = await forged(file, (start) => Object.assign(start.vault.wraps[0]!.kdf!, { iterations: 3 }));
    expect(await outcome(weakened, passphrase)).toBe('vault_secret_wrong');
  });

  test("a header with a way taken out, another vault's flag or another salt is refused though its digest was repaired", async () => {
    const file = await bytesOf(await written(content(10)));
    const changes: ((start: { vault: VaultHeader; salt?: string; meta?: string; extra?: number }) => void)[] = [
      ({ vault }) => void Object.assign(vault, { wraps: vault.wraps.slice(0, 1) }),
      ({ vault }) => void Object.assign(vault, { mac: vault.vaultId }),
      ({ vault }) => void Object.assign(vault, { isDemonstration: true }),
      (start) => void (start.salt = 'A'.repeat(43)),
      (start) => void (start.salt = 'A'.repeat(4)),
      (start) => void (start.meta = 'A'.repeat(8)),
      (start) => void (start.extra = 1),
    ];
    for (const change of changes) expect(await outcome(await forged(file, change))).toBe('backup_changed');
    expect(await outcome(await forged(file, ({ vault }) => void Object.assign(vault, { format: 2 })))).toBe('vault_newer');
  });

  test('a header length of 4 GiB reads nothing', async () => {
    const file = await bytesOf(await written(content(10)));
    file.set([255, 255, 255, 255], 9);
    expect(await outcome(file)).toBe('backup_changed');
  });

  test('random bytes behind the magic never do more than be refused', async () => {
    const file = await bytesOf(await written(content(10)));
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        const code = await outcome(new Uint8Array(Buffer.concat([file.slice(0, 9), bytes])));
        expect(['backup_truncated', 'backup_changed']).toContain(code);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
