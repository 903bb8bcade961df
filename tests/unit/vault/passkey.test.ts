import { describe, expect, test } from 'vitest';
import { passkeys } from '#vault/passkey.ts';
import type { PasskeyHost } from '#vault/passkey.ts';
import { seededBytes } from '../../fixtures/crypto/seeded-bytes.ts';

const unavailable = (part: string) =>
  expect.objectContaining({ code: 'passkey_unavailable', message: expect.stringContaining(part) });

/** A device with one passkey, as browsers show it. `gives`: when the PRF answers. */
function device(gives: 'at once' | 'when used' | 'never' | DOMException) {
  const first = () => new Uint8Array(32).fill(9).buffer;
  const asked: (PublicKeyCredentialCreationOptions | PublicKeyCredentialRequestOptions)[] = [];
  const given: ArrayBuffer[] = [];
  const credential = (prf: AuthenticationExtensionsPRFOutputs | undefined) => {
    if (prf?.results) given.push(prf.results.first as ArrayBuffer);
    return { rawId: Uint8Array.of(1, 2, 3).buffer, getClientExtensionResults: () => (prf ? { prf } : {}) } as PublicKeyCredential;
  };
  const host: PasskeyHost = {
    hostname: 'app.example.org',
    randomBytes: seededBytes(1),
    credentials: {
      async create(options) {
        asked.push(options!.publicKey!);
        if (gives instanceof DOMException) throw gives;
        if (gives === 'never') return credential(undefined);
        return credential(gives === 'at once' ? { enabled: true, results: { first: first() } } : { enabled: true });
      },
      async get(options) {
        asked.push(options!.publicKey!);
        if (gives instanceof DOMException) throw gives;
        return credential(gives === 'never' ? {} : { results: { first: first() } });
      },
    },
  };
  return { keys: passkeys(host, 'Counterpart'), host, asked, given };
}

describe('making a passkey', () => {
  test.each([
    ['at once', 1],
    ['when used', 2],
  ] as const)('gives its secret where the device gives it %s', async (gives, requests) => {
    const { keys, asked } = device(gives);
    expect(await keys.create()).toEqual({ kind: 'passkey', credentialId: 'AQID', prf: new Uint8Array(32).fill(9) });
    expect(asked).toHaveLength(requests);
  });

  test('asks for a person and not just for a device, for this host, with an unguessable user and without names of people', async () => {
    const { keys, asked } = device('at once');
    await keys.create();
    const [options] = asked as [PublicKeyCredentialCreationOptions];
    expect(options.rp).toEqual({ id: 'app.example.org', name: 'Counterpart' });
    expect(options.authenticatorSelection?.userVerification).toBe('required');
    expect(options.user).toMatchObject({ name: 'Counterpart', displayName: 'Counterpart' });
  });

  test('using it asks with the same input, for that passkey alone', async () => {
    const { keys, asked } = device('when used');
    const made = await keys.create();
    await keys.ask([made.credentialId]);
    expect(
      new Set(asked.map(({ extensions }) => new TextDecoder().decode(extensions?.prf?.eval?.first as Uint8Array))).size,
    ).toBe(1);
    for (const options of asked.slice(1) as PublicKeyCredentialRequestOptions[]) {
      expect(options.rpId).toBe('app.example.org');
      expect(options.allowCredentials).toEqual([{ type: 'public-key', id: Uint8Array.of(1, 2, 3) }]);
    }
  });

  test('overwrites what the browser gave', async () => {
    const { keys, given } = device('at once');
    await keys.create();
    expect(given.map((buffer) => new Uint8Array(buffer).every((byte) => byte === 0))).toEqual([true]);
  });
});

describe('says in one sentence why there is none:', () => {
  test('no PRF', async () => {
    const { keys } = device('never');
    await expect(keys.create()).rejects.toEqual(unavailable('cannot give a secret'));
    await expect(keys.ask(['AQID'])).rejects.toEqual(unavailable('gave no secret'));
  });

  test.each([
    ['NotAllowedError', 'no such passkey'],
    ['SecurityError', 'address of this page'],
    ['ConstraintError', 'No device here'],
    ['OperationError', 'could not use'],
  ])('%s', async (name, part) => {
    const { keys } = device(new DOMException('words of the browser', name));
    await expect(keys.create()).rejects.toEqual(unavailable(part));
    await expect(keys.ask(['AQID'])).rejects.toEqual(unavailable(part));
  });

  test.each(['127.0.0.1', '192.168.1.20', '[::1]'])('an address that is a number (%s)', async (hostname) => {
    const { host } = device('at once');
    const keys = passkeys({ ...host, hostname }, 'Counterpart');
    expect(await keys.isAvailable()).toBe(false);
    await expect(keys.create()).rejects.toEqual(unavailable('host name'));
  });

  test('a browser without passkeys', async () => {
    const { host } = device('at once');
    const keys = passkeys({ ...host, credentials: undefined }, 'Counterpart');
    expect(await keys.isAvailable()).toBe(false);
    await expect(keys.ask(['AQID'])).rejects.toEqual(unavailable('has no passkeys'));
  });
});

test('it is offered unless the browser says that it lacks the extension', async () => {
  const { host } = device('at once');
  const withAnswer = (answer: () => Promise<Record<string, boolean>>) =>
    passkeys({ ...host, capabilities: answer }, 'x').isAvailable();
  expect(await passkeys(host, 'x').isAvailable()).toBe(true);
  expect(await withAnswer(async () => ({ 'extension:prf': true }))).toBe(true);
  expect(await withAnswer(async () => ({}))).toBe(true);
  expect(await withAnswer(async () => ({ 'extension:prf': false }))).toBe(false);
  expect(await withAnswer(() => Promise.reject(new Error('not now')))).toBe(true);
});
