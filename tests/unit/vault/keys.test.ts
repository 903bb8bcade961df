import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { createHeader, newRecoveryKey, openHeader, readHeader } from '#vault/header.ts';
import type { Place, Secret, VaultHeader } from '#vault/keys.ts';
import { floor } from '#vault/kdf.ts';
import { seededBytes } from '../../fixtures/crypto/seeded-bytes.ts';

const options = (seed = 1) => ({ randomBytes: seededBytes(seed), now: () => 0, kdf: floor.argon2id });
const passphrase: Secret = { kind: 'passphrase', text: 'correct horse battery staple' };
/** A secret is used once: its bytes are overwritten. */
const passkey = (byte = 7, credentialId = 'Y3JlZA'): Secret => ({
  kind: 'passkey',
  credentialId,
  prf: new Uint8Array(32).fill(byte),
});
const place: Place = { table: 'patients', id: 'p1', schemaVersion: 3, counter: 12 };
const text = (value: string) => new TextEncoder().encode(value);
const code = (value: string) => expect.objectContaining({ code: value });

function withBit(bytes: Uint8Array, bit: number): Uint8Array<ArrayBuffer> {
  const changed = new Uint8Array(bytes);
  changed[bit >> 3]! ^= 1 << (bit & 7);
  return changed;
}

describe('a vault opens', () => {
  test('with its passphrase, its recovery key and a passkey, and then reads what was sealed', async () => {
    const { header, keys, recoveryKey } = await createHeader(passphrase, options());
    const withPasskey = readHeader(JSON.parse(JSON.stringify(await keys.withWrap(header, passkey()))));
    const sealed = await keys.seal(place, text('something'));
    for (const secret of [passphrase, { kind: 'recovery', text: recoveryKey! } as const, passkey()]) {
      const opened = await openHeader(withPasskey, secret, options());
      expect(new TextDecoder().decode(await opened.open(place, sealed))).toBe('something');
    }
  });

  test('with nothing else', async () => {
    const { header, recoveryKey } = await createHeader(passkey(), options());
    const other = await createHeader(passkey(), options(2));
    const wrong: Secret[] = [
      { kind: 'passphrase', text: 'correct horse battery staple' },
      passkey(8),
      passkey(7, 'b3RoZXI'),
      { kind: 'recovery', text: other.recoveryKey! },
      { kind: 'none' },
    ];
    for (const secret of wrong) await expect(openHeader(header, secret, options())).rejects.toEqual(code('vault_secret_wrong'));
    const mistyped = recoveryKey!.replace(/^./, (letter) => (letter === '7' ? '8' : '7'));
    await expect(openHeader(header, { kind: 'recovery', text: mistyped }, options())).rejects.toEqual(code('vault_secret_wrong'));
  });

  test('with a passphrase written on another keyboard: composed and decomposed letters are the same', async () => {
    const { header } = await createHeader({ kind: 'passphrase', text: 'Zürich größe naïve café' }, options());
    await openHeader(header, { kind: 'passphrase', text: 'Zürich größe naïve café'.normalize('NFD') }, options());
    for (const text of [
      'Zurich grosse naive cafe',
      'zürich größe naïve café',
      'Zürich größe naïve café ',
      '',
      'x'.repeat(5000),
    ]) {
      await expect(openHeader(header, { kind: 'passphrase', text }, options())).rejects.toEqual(code('vault_secret_wrong'));
    }
  });

  test('the same bytes come out when the same random bytes go in, and others otherwise', async () => {
    const first = await createHeader(passkey(), options(5));
    expect((await createHeader(passkey(), options(5))).header).toEqual(first.header);
    expect((await createHeader(passkey(), options(6))).header.vaultId).not.toBe(first.header.vaultId);
  });

  test('the demonstration vault opens without a secret, has no recovery key, and never becomes a real one', async () => {
    const { header, keys, recoveryKey } = await createHeader({ kind: 'none' }, options());
    expect(recoveryKey).toBeNull();
    expect(header.isDemonstration).toBe(true);
    await openHeader(readHeader(header), { kind: 'none' }, options());
    await expect(keys.withWrap(header, passkey())).rejects.toThrow('demonstration');
    const real = await createHeader(passkey(), options());
    await expect(real.keys.withWrap(real.header, { kind: 'none' })).rejects.toThrow('demonstration');
  });
});

describe('the bytes of a secret', () => {
  test('of a passkey are overwritten once used, and are refused when used twice', async () => {
    const secret = passkey();
    const { header } = await createHeader(secret, options());
    expect(secret.kind === 'passkey' && secret.prf.every((byte) => byte === 0)).toBe(true);
    await expect(openHeader(header, secret, options())).rejects.toThrow('used once');
  });

  test('drawn for a data key, a recovery key and a patient key are overwritten', async () => {
    const drawn: Uint8Array[] = [];
    const draw = seededBytes(1);
    const randomBytes = (length: number) => {
      const bytes = draw(length);
      drawn.push(bytes);
      return bytes;
    };
    const { keys } = await createHeader(passkey(), { ...options(), randomBytes });
    await keys.newPatientKey('p1');
    // Salts, identifiers and initialisation vectors are no secrets: 8, 12 and, but for the recovery key, 16 bytes.
    const zeroed = drawn.filter((bytes) => bytes.every((byte) => byte === 0)).map(({ length }) => length);
    expect(zeroed).toEqual([32, 16, 32]);
    expect(drawn.filter(({ length }) => length === 32)).toHaveLength(2);
  });

  test('never leave the keys: none can be exported', async () => {
    const { keys } = await createHeader(passkey(), options());
    const { key, wrapped } = await keys.newPatientKey('p1');
    for (const made of [key, await keys.openPatientKey('p1', wrapped), await keys.backupKey(new Uint8Array(32))]) {
      expect(made.extractable).toBe(false);
      await expect(crypto.subtle.exportKey('raw', made)).rejects.toThrow();
    }
  });
});

describe('ways of unlocking', () => {
  test('a new passphrase takes the place of the old one, which no longer opens', async () => {
    const { header, keys } = await createHeader(passphrase, options());
    const next: Secret = { kind: 'passphrase', text: 'four quite unrelated words' };
    const changed = await keys.withWrap(header, next);
    expect(changed.wraps.map(({ kind }) => kind).toSorted()).toEqual(['passphrase', 'recovery']);
    await openHeader(readHeader(changed), next, options());
    await expect(openHeader(changed, passphrase, options())).rejects.toEqual(code('vault_secret_wrong'));
  });

  test('a new recovery key takes the place of the old one', async () => {
    const { header, keys, recoveryKey } = await createHeader(passkey(), options());
    const next: Secret = { kind: 'recovery', text: await newRecoveryKey(seededBytes(99)) };
    const changed = await keys.withWrap(header, next);
    await openHeader(changed, next, options());
    await expect(openHeader(changed, { kind: 'recovery', text: recoveryKey! }, options())).rejects.toEqual(
      code('vault_secret_wrong'),
    );
  });

  test('several passkeys lie side by side; one taken out no longer opens', async () => {
    const { header, keys } = await createHeader(passphrase, options());
    const two = await keys.withWrap(await keys.withWrap(header, passkey(1, 'b25l')), passkey(2, 'dHdv'));
    await openHeader(two, passkey(1, 'b25l'), options());
    await openHeader(two, passkey(2, 'dHdv'), options());
    const one = await keys.withoutWrap(two, two.wraps.find(({ credentialId }) => credentialId === 'b25l')!.id);
    await openHeader(one, passkey(2, 'dHdv'), options());
    await expect(openHeader(one, passkey(1, 'b25l'), options())).rejects.toEqual(code('vault_secret_wrong'));
  });

  test('the last one cannot be taken out, and a weak passphrase is refused', async () => {
    const { header, keys } = await createHeader({ kind: 'none' }, options());
    await expect(keys.withoutWrap(header, header.wraps[0]!.id)).rejects.toThrow('way to be unlocked');
    await expect(createHeader({ kind: 'passphrase', text: 'too short' }, options())).rejects.toEqual(code('vault_secret_weak'));
    const real = await createHeader(passkey(), options());
    await expect(real.keys.withWrap(real.header, { kind: 'passphrase', text: 'too short' })).rejects.toEqual(
      code('vault_secret_weak'),
    );
  });

  test('no way is added to a header that was changed, or to the one of another vault', async () => {
    const { header, keys } = await createHeader(passkey(), options());
    const other = await createHeader(passkey(), options(2));
    await expect(keys.withWrap({ ...header, wraps: header.wraps.slice(1) }, passkey())).rejects.toEqual(code('vault_damaged'));
    await expect(keys.withWrap(other.header, passkey())).rejects.toEqual(code('vault_damaged'));
  });
});

describe('a changed header', () => {
  test('is noticed, whichever part was changed', async () => {
    const { header, keys } = await createHeader(passkey(), options());
    const two = await keys.withWrap(header, passkey(1, 'b25l'));
    const other = (await createHeader(passkey(), options(2))).header;
    const [first, second, third] = two.wraps as [(typeof two.wraps)[0], (typeof two.wraps)[0], (typeof two.wraps)[0]];
    const changes: readonly [VaultHeader, string][] = [
      [{ ...two, wraps: [first, second] }, 'vault_damaged'],
      [{ ...two, wraps: [second, first, third] }, 'vault_damaged'],
      [{ ...two, wraps: [first, second, { ...third, id: other.wraps[0]!.id }] }, 'vault_damaged'],
      [{ ...two, wraps: [first, second, { ...third, wrapped: other.wraps[0]!.wrapped }] }, 'vault_damaged'],
      [{ ...two, mac: other.mac }, 'vault_damaged'],
      [{ ...two, isDemonstration: true }, 'vault_damaged'],
      [{ ...two, vaultId: other.vaultId }, 'vault_secret_wrong'],
      [{ ...two, wraps: [{ ...first, salt: other.wraps[0]!.salt }, second, third] }, 'vault_secret_wrong'],
    ];
    await openHeader(two, passkey(), options());
    for (const [changed, expected] of changes) {
      await expect(openHeader(changed, passkey(), options())).rejects.toEqual(code(expected));
    }
  });

  test('every single flipped bit of its stored text is noticed', async () => {
    const { header } = await createHeader(passkey(), options());
    const stored = text(JSON.stringify(header));
    const attempt = async (bytes: Uint8Array) => {
      try {
        await openHeader(readHeader(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))), passkey(), options());
        return 'opened';
      } catch (error) {
        return error instanceof AppError ? error.code : 'no JSON';
      }
    };
    expect(await attempt(stored)).toBe('opened');
    const noticed = new Map<string, number>();
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const outcome = await attempt(withBit(stored, bit));
      noticed.set(outcome, (noticed.get(outcome) ?? 0) + 1);
    }
    expect(noticed.get('opened')).toBeUndefined();
    expect([...noticed.keys()].toSorted()).toEqual(['no JSON', 'vault_damaged', 'vault_newer', 'vault_secret_wrong']);
  });

  test('is refused at the door when it is none, or says two things at once', async () => {
    const { header } = await createHeader(passkey(), options());
    const demonstration = (await createHeader({ kind: 'none' }, options())).header;
    const [wrap] = header.wraps;
    for (const stored of [
      null,
      7,
      'header',
      [],
      {},
      { ...header, format: 0 },
      { ...header, wraps: [] },
      { ...header, wraps: [wrap, wrap] },
      { ...header, wraps: Array.from({ length: 17 }, (_, at) => ({ ...wrap, credentialId: `c${at}` })) },
      { ...header, wraps: [...header.wraps, ...demonstration.wraps] },
      { ...demonstration, isDemonstration: false },
      { ...header, wraps: [{ ...wrap, kdf: floor.argon2id }] },
      { ...header, wraps: [{ ...wrap, kind: 'passphrase' }] },
      { ...header, extra: 1 },
    ]) {
      expect(() => readHeader(stored)).toThrow(code('vault_damaged'));
    }
    expect(() => readHeader({ ...header, format: 2 })).toThrow(code('vault_newer'));
    expect(() => readHeader({ format: 2, everything: 'else' })).toThrow(code('vault_newer'));
  });

  test('that asks for absurd work is refused before any is done', async () => {
    const { header } = await createHeader(passphrase, options());
    const [first, ...rest] = header.wraps;
    for (const kdf of [
      { name: 'argon2id', memoryKiB: 4 * 1024 ** 3, iterations: 3, parallelism: 1 } as const,
      { name: 'argon2id', memoryKiB: 64 * 1024, iterations: 1, parallelism: 1 } as const,
      { name: 'pbkdf2-sha256', iterations: 1 } as const,
      { name: 'pbkdf2-sha256', iterations: 4_000_000_000 } as const,
    ]) {
      const start = performance.now();
      const changed = readHeader({ ...header, wraps: [{ ...first!, kdf }, ...rest] });
      await expect(openHeader(changed, passphrase, options())).rejects.toEqual(code('vault_cost_refused'));
      expect(performance.now() - start).toBeLessThan(100);
    }
  });
});

describe('a sealed row', () => {
  test('comes back, whatever it holds', async () => {
    const { keys } = await createHeader(passkey(), options());
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 3000 }),
        fc.string({ unit: 'grapheme' }),
        fc.nat(),
        async (plain, id, counter) => {
          const where = { ...place, id: id, counter };
          expect(await keys.open(where, await keys.seal(where, plain))).toEqual(new Uint8Array(plain));
        },
      ),
      { numRuns: 200, seed: 1 },
    );
  });

  test('is noticed when any single bit of it was flipped, and when it was cut or grew', async () => {
    const { keys } = await createHeader(passkey(), options());
    const sealed = await keys.seal(place, text('x'.repeat(100)));
    const refused = async (bytes: Uint8Array) => expect(keys.open(place, bytes)).rejects.toEqual(code('vault_row_changed'));
    for (let bit = 0; bit < sealed.length * 8; bit++) await refused(withBit(sealed, bit));
    for (let length = 0; length < sealed.length; length++) await refused(sealed.slice(0, length));
    await refused(new Uint8Array([...sealed, 0]));
  });

  test('does not open in another place, as another version, or with another key', async () => {
    const { keys } = await createHeader(passkey(), options());
    const other = (await createHeader(passkey(), options(2))).keys;
    const mine = await keys.newPatientKey('p1');
    const yours = await keys.newPatientKey('p2');
    const sealed = await keys.seal(place, text('mine'), mine.key);
    const refused = (opening: Promise<unknown>) => expect(opening).rejects.toEqual(code('vault_row_changed'));
    expect(new TextDecoder().decode(await keys.open(place, sealed, mine.key))).toBe('mine');
    await refused(keys.open(place, sealed));
    await refused(keys.open(place, sealed, yours.key));
    await refused(other.open(place, sealed, mine.key));
    for (const moved of [{ table: 'drafts' }, { id: 'p2' }, { schemaVersion: 4 }, { counter: 11 }, { counter: 13 }]) {
      await refused(keys.open({ ...place, ...moved }, sealed, mine.key));
    }
    // Where one field ends and the next begins is part of what is authenticated.
    await refused(keys.open({ ...place, table: 'patientsp', id: '1' }, sealed, mine.key));
  });

  test('has a size of few classes, whatever the length of what it holds', async () => {
    const { keys } = await createHeader(passkey(), options());
    const sizeOf = async (length: number) => (await keys.seal(place, new Uint8Array(length))).length;
    const sizes = new Set<number>();
    for (let length = 0; length <= 4092; length += 16) sizes.add(await sizeOf(length));
    // One to 512 bytes, and sixteen to each power of two.
    expect(sizes.size).toBe(1 + 3 * 16);
    expect(await sizeOf(0)).toBe(await sizeOf(508));
  });

  test('is never the same twice', async () => {
    const { keys } = await createHeader(passkey(), options());
    expect(await keys.seal(place, text('same'))).not.toEqual(await keys.seal(place, text('same')));
  });
});

describe("a patient's key", () => {
  test('opens again from its wrapped form, for that patient and in that vault alone', async () => {
    const { keys } = await createHeader(passkey(), options());
    const other = (await createHeader(passkey(), options(2))).keys;
    const { key, wrapped } = await keys.newPatientKey('p1');
    const sealed = await keys.seal(place, text('mine'), key);
    expect(await keys.open(place, sealed, await keys.openPatientKey('p1', wrapped))).toEqual(text('mine'));
    await expect(keys.openPatientKey('p2', wrapped)).rejects.toEqual(code('vault_row_changed'));
    await expect(other.openPatientKey('p1', wrapped)).rejects.toEqual(code('vault_row_changed'));
    for (let bit = 0; bit < wrapped.length * 8; bit++) {
      await expect(keys.openPatientKey('p1', withBit(wrapped, bit))).rejects.toEqual(code('vault_row_changed'));
    }
  });
});

test('a MAC is the same for the same purpose and bytes, and another one for another purpose or vault', async () => {
  const { keys } = await createHeader(passkey(), options());
  const other = (await createHeader(passkey(), options(2))).keys;
  const mac = await keys.mac('audit', text('a'));
  expect(mac).toHaveLength(32);
  expect(await keys.mac('audit', text('a'))).toEqual(mac);
  for (const differs of [keys.mac('canary', text('a')), keys.mac('audit', text('b')), other.mac('audit', text('a'))]) {
    expect(await differs).not.toEqual(mac);
  }
});

test('after destroying, nothing opens or seals, not even with a key that was handed out', async () => {
  const { header, keys } = await createHeader(passkey(), options());
  const { key, wrapped } = await keys.newPatientKey('p1');
  const sealed = await keys.seal(place, text('mine'), key);
  keys.destroy();
  keys.destroy();
  for (const attempt of [
    () => keys.seal(place, text('a')),
    () => keys.seal(place, text('a'), key),
    () => keys.open(place, sealed),
    () => keys.open(place, sealed, key),
    () => keys.newPatientKey('p2'),
    () => keys.openPatientKey('p1', wrapped),
    () => keys.mac('audit', text('a')),
    () => keys.backupKey(new Uint8Array(32)),
    () => keys.withWrap(header, passkey()),
    () => keys.withoutWrap(header, header.wraps[0]!.id),
  ]) {
    await expect(attempt()).rejects.toEqual(code('vault_locked'));
  }
});

test('where WebAssembly is refused, a new passphrase is derived by PBKDF2, and one of Argon2id says what to do', async () => {
  const made = await createHeader(passphrase, options());
  let seconds = 0;
  const slow = () => 1000 * seconds++;
  vi.stubGlobal('WebAssembly', undefined);
  try {
    const { header } = await createHeader(passphrase, { randomBytes: seededBytes(3), now: slow });
    expect(header.wraps[0]!.kdf).toEqual(floor['pbkdf2-sha256']);
    await expect(openHeader(made.header, passphrase, options())).rejects.toEqual(code('vault_cost_refused'));
  } finally {
    vi.unstubAllGlobals();
  }
});
