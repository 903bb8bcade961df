/**
 * The stored formats of version 1, as docs/vault.md writes them down. What was stored once opens for ever, by our code and by the
 * document alone: the second reader below uses Node's cryptography and nothing of src.
 */
import { createDecipheriv, createHash, createHmac, hkdfSync, pbkdf2Sync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readBackup, writeBackup } from '#vault/backup-stream.ts';
import { createHeader, openHeader, readHeader } from '#vault/header.ts';
import { floor } from '#vault/kdf.ts';
import type { Wrap } from '#vault/keys.ts';
import { seededBytes } from '../../fixtures/crypto/seeded-bytes.ts';

const folder = new URL('../../fixtures/crypto/', import.meta.url);
const stored = JSON.parse(readFileSync(new URL('vault-format-1.json', folder), 'utf8'));
const file = readFileSync(new URL('vault-format-1.backup', folder));

const options = () => ({ randomBytes: seededBytes(1), now: () => 0, kdf: floor['pbkdf2-sha256'] });
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'));
const passkey = () => ({ kind: 'passkey', credentialId: stored.credentialId, prf: bytes(stored.prf) }) as const;
const passphrase = { kind: 'passphrase', text: stored.passphrase } as const;

/** Everything of the fixture, written now. `given` are its inputs. */
async function write(given: typeof stored) {
  const { header: first, keys, recoveryKey } = await createHeader({ kind: 'passphrase', text: given.passphrase }, options());
  const header = await keys.withWrap(first, { kind: 'passkey', credentialId: given.credentialId, prf: bytes(given.prf) });
  const { key, wrapped } = await keys.newPatientKey(given.place.id);
  const text = new TextEncoder().encode(given.text);
  const backup = await writeBackup(
    header,
    keys,
    given.meta,
    (async function* () {
      yield text;
    })(),
    options(),
  );
  return {
    written: {
      ...given,
      recoveryKey,
      header,
      row: base64(await keys.seal(given.place, text)),
      patientKey: base64(wrapped),
      patientRow: base64(await keys.seal(given.place, text, key)),
      mac: base64(await keys.mac('audit', text)),
    },
    backup: Buffer.from(await backup.arrayBuffer()),
  };
}

test('writing the same things with the same random bytes gives the same bytes as when the format was made', async () => {
  const { written, backup } = await write(stored);
  expect(written).toEqual(stored);
  expect(backup.equals(file)).toBe(true);
});

test('what was stored opens with each of its ways', async () => {
  for (const secret of [passphrase, { kind: 'recovery', text: stored.recoveryKey } as const, passkey()]) {
    const keys = await openHeader(readHeader(stored.header), secret, options());
    const patient = await keys.openPatientKey(stored.place.id, bytes(stored.patientKey));
    for (const row of [keys.open(stored.place, bytes(stored.row)), keys.open(stored.place, bytes(stored.patientRow), patient)]) {
      expect(new TextDecoder().decode(await row)).toBe(stored.text);
    }
  }
  const opened = await readBackup(new Blob([file]), passkey(), options());
  expect(opened.meta).toEqual(stored.meta);
  for await (const part of opened.payload) expect(new TextDecoder().decode(part)).toBe(stored.text);
});

describe('by the document and Node alone', () => {
  const nothing = new Uint8Array();
  const number = (value: number, length: number) => {
    const buffer = Buffer.alloc(length);
    buffer.writeUIntBE(value, length - Math.min(length, 6), Math.min(length, 6));
    return buffer;
  };

  /** "List": tag, length, content. */
  function list(...values: (string | number | boolean | null)[]): Buffer {
    return Buffer.concat(
      values.map((value) => {
        const [tag, content] =
          value === null
            ? [0, nothing]
            : typeof value === 'string'
              ? [1, Buffer.from(value, 'utf8')]
              : typeof value === 'number'
                ? [2, number(value, 8)]
                : [3, Uint8Array.of(value ? 1 : 0)];
        return Buffer.concat([Uint8Array.of(tag), number(content.length, 4), content]);
      }),
    );
  }

  const hkdf = (key: Uint8Array, salt: Uint8Array, info: Uint8Array) => Buffer.from(hkdfSync('sha256', key, salt, info, 32));

  function unseal(key: Uint8Array, iv: Uint8Array, closed: Uint8Array, bound: Uint8Array): Buffer {
    const aes = createDecipheriv('aes-256-gcm', key, iv);
    aes.setAAD(bound);
    aes.setAuthTag(closed.subarray(-16));
    return Buffer.concat([aes.update(closed.subarray(0, -16)), aes.final()]);
  }

  const { vaultId, wraps } = stored.header as { vaultId: string; wraps: Wrap[] };
  const fields = ({ kind, id, salt, kdf, credentialId, iv }: Wrap) => {
    const memory = kdf?.name === 'argon2id' ? [kdf.memoryKiB, kdf.parallelism] : [null, null];
    return [kind, id, salt, kdf?.name ?? null, kdf?.iterations ?? null, ...memory, credentialId ?? null, iv];
  };

  function dataKey(kind: Wrap['kind'], secret: Uint8Array): Buffer {
    const wrap = wraps.find((each) => each.kind === kind)!;
    const key = hkdf(secret, bytes(wrap.salt), list('counterpart wrapping key 1', vaultId, kind, wrap.id));
    return unseal(key, bytes(wrap.iv), bytes(wrap.wrapped), list('counterpart wrap 1', vaultId, ...fields(wrap)));
  }

  /** Crockford's base32 without the fifth letter of each group; 128 bits, then 12 of the check sum. */
  function recoveryBytes(text: string): Buffer {
    const bits = [...text.replace(/(.{4}).-?/g, '$1')]
      .map((letter) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(letter).toString(2).padStart(5, '0'))
      .join('');
    return Buffer.from(Array.from({ length: 16 }, (_, at) => parseInt(bits.slice(at * 8, at * 8 + 8), 2)));
  }

  const stretched = pbkdf2Sync(stored.passphrase.normalize('NFKC'), bytes(wraps[0]!.salt), 600_000, 32, 'sha256');
  const root = dataKey('passphrase', stretched);
  const key = (use: string, salt: Uint8Array = nothing) => hkdf(root, salt, list('counterpart key 1', vaultId, use));
  const mac = (purpose: string, content: Uint8Array) =>
    createHmac('sha256', key(`mac ${purpose}`))
      .update(content)
      .digest();

  function openSealed(closing: Uint8Array, sealed: Uint8Array, bound: Uint8Array): Buffer {
    expect(sealed[0]).toBe(1);
    return unseal(closing, sealed.subarray(1, 13), sealed.subarray(13), bound);
  }

  test('every way gives the same data key', () => {
    expect(dataKey('passkey', bytes(stored.prf))).toEqual(root);
    expect(dataKey('recovery', recoveryBytes(stored.recoveryKey))).toEqual(root);
  });

  test('the header is signed', () => {
    const values = wraps.flatMap((wrap) => [...fields(wrap), wrap.wrapped]);
    const signed = list('counterpart header 1', 1, vaultId, false, wraps.length, ...values);
    expect(base64(mac('header', signed))).toBe(stored.header.mac);
  });

  test('rows open, and a MAC is what it should be', () => {
    const { table, id, schemaVersion, counter } = stored.place;
    const bound = list('counterpart row 1', vaultId, table, id, schemaVersion, counter);
    const patient = openSealed(key('patient keys'), bytes(stored.patientKey), list('counterpart patient key 1', vaultId, id));
    for (const [closing, row] of [
      [key('rows'), stored.row],
      [patient, stored.patientRow],
    ]) {
      const padded = openSealed(closing, bytes(row), bound);
      expect(padded.subarray(4, 4 + padded.readUInt32BE()).toString('utf8')).toBe(stored.text);
    }
    expect(base64(mac('audit', Buffer.from(stored.text)))).toBe(stored.mac);
  });

  test('the backup opens', () => {
    expect(file.subarray(0, 9).toString('latin1')).toBe('\x89CPB\r\n\x1a\n\x01');
    const digestAt = 13 + file.readUInt32BE(9);
    const { vault, salt, meta } = JSON.parse(file.subarray(13, digestAt).toString('utf8'));
    expect(vault).toEqual(stored.header);
    const signed = file.subarray(0, digestAt + 32);
    expect(createHash('sha256').update(file.subarray(0, digestAt)).digest()).toEqual(signed.subarray(digestAt));
    const signature = mac('backup header', signed);
    expect(file.subarray(digestAt + 32, digestAt + 64)).toEqual(signature);
    const backupKey = key('backup', bytes(salt));
    const nonce = (index: number, kind: number) => Buffer.concat([new Uint8Array(7), number(index, 4), Uint8Array.of(kind)]);
    expect(JSON.parse(unseal(backupKey, nonce(0, 2), bytes(meta), bytes(salt)).toString('utf8'))).toEqual(stored.meta);
    const last = unseal(backupKey, nonce(0, 1), file.subarray(digestAt + 64), signature);
    expect(last).toHaveLength(65_536);
    expect(last.subarray(0, last.lastIndexOf(0x80)).toString('utf8')).toBe(stored.text);
  });
});
