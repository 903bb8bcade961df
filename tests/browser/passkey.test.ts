/** Chromium's own WebAuthn with a virtual authenticator in the place of a fingerprint reader. */
import { afterEach, expect, test } from 'vitest';
import { cdp } from 'vitest/browser';
import { createHeader, openHeader } from '#vault/header.ts';
import { browserHost, passkeys } from '#vault/passkey.ts';

interface Protocol {
  send(method: string, parameters?: object): Promise<{ readonly authenticatorId: string }>;
}

const protocol = cdp() as unknown as Protocol;
const options = { randomBytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)), now: () => performance.now() };

async function plugIn(authenticator: object): Promise<void> {
  await protocol.send('WebAuthn.enable');
  await protocol.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      ...authenticator,
    },
  });
}

afterEach(async () => {
  await protocol.send('WebAuthn.disable');
});

test('a passkey gives the same 32 bytes each time, and they unlock the vault', async () => {
  await plugIn({ hasPrf: true });
  const keys = passkeys(browserHost(), 'Counterpart');
  expect(await keys.isAvailable()).toBe(true);
  const made = await keys.create();
  const first = made.prf.slice();
  expect(first).toHaveLength(32);
  expect(first.some((byte) => byte !== 0)).toBe(true);
  const vault = await createHeader(made, options);
  const place = { table: 'patients', id: 'p', schemaVersion: 1, counter: 1 };
  const sealed = await vault.keys.seal(place, Uint8Array.of(1, 2, 3));

  const used = await keys.ask([made.credentialId]);
  expect(used.prf).toEqual(first);
  const opened = await openHeader(vault.header, used, options);
  expect(await opened.open(place, sealed)).toEqual(Uint8Array.of(1, 2, 3));
});

test('another passkey gives other bytes and does not unlock it', async () => {
  await plugIn({ hasPrf: true });
  const keys = passkeys(browserHost(), 'Counterpart');
  const made = await keys.create();
  const { header } = await createHeader({ ...made, prf: made.prf.slice() }, options);
  const other = await keys.create();
  expect(other.prf).not.toEqual(made.prf);
  await expect(openHeader(header, other, options)).rejects.toMatchObject({ code: 'vault_secret_wrong' });
});

test('a device whose passkeys give no secret is refused with the reason', async () => {
  await plugIn({ hasPrf: false });
  await expect(passkeys(browserHost(), 'Counterpart').create()).rejects.toMatchObject({
    code: 'passkey_unavailable',
    message: expect.stringContaining('PRF'),
  });
});

test('a passkey that is not on this device is refused with the reason', async () => {
  await plugIn({ hasPrf: true });
  await expect(passkeys(browserHost(), 'Counterpart').ask(['AQIDBA'])).rejects.toMatchObject({ code: 'passkey_unavailable' });
});
