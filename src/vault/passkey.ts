/**
 * Unlocking with a passkey, on the page's side (a worker has no WebAuthn): the PRF extension gives 32 secret bytes that only this
 * credential and this device's owner can bring about, and the same ones each time. No server is asked and no signature is checked: what
 * counts is the bytes, which open the vault or do not.
 */
import { AppError } from '#domain/errors.ts';
import { fromBase64url, toBase64url } from './base64url.ts';
import type { Secret } from './keys.ts';

export type PasskeySecret = Extract<Secret, { kind: 'passkey' }>;

/** What of the browser is used; a test passes its own. */
export interface PasskeyHost {
  /** Absent where the browser has no WebAuthn, or the page is not in a secure context. */
  readonly credentials: Pick<CredentialsContainer, 'create' | 'get'> | undefined;
  readonly hostname: string;
  readonly randomBytes: (length: number) => Uint8Array<ArrayBuffer>;
  /** `PublicKeyCredential.getClientCapabilities`, where there is one. */
  readonly capabilities?: () => Promise<Readonly<Record<string, boolean>>>;
}

export interface BrowserPasskeys {
  /** False where none can be used for certain; whether a passkey gives a secret shows only when it is made. */
  isAvailable(): Promise<boolean>;
  /** Makes a passkey and gives its secret. Rejects with `passkey_unavailable`. */
  create(): Promise<PasskeySecret>;
  /** Asks for one of `credentialIds` (base64url) and gives its secret. Rejects with `passkey_unavailable`. */
  ask(credentialIds: readonly string[]): Promise<PasskeySecret>;
}

/**
 * What the PRF is asked with. One text for all: what it gives differs by credential, and a vault's header, which could hold another
 * one, is in the worker. A change here makes every passkey useless.
 */
const prfInput = new TextEncoder().encode('counterpart passkey 1');
const prfBytes = 32;
const timeoutMs = 120_000;

/** Of this page: `passkeys(browserHost(), 'Counterpart on this device')`. `label` is shown by the device among other passkeys: no patient's name. */
export function passkeys(host: PasskeyHost, label: string): BrowserPasskeys {
  return {
    async isAvailable() {
      if (whyNone(host)) return false;
      const known = await host.capabilities?.().catch(() => null);
      return known?.['extension:prf'] !== false;
    },
    create: () => register(host, label),
    ask: (credentialIds) => use(host, credentialIds),
  };
}

export function browserHost(): PasskeyHost {
  const credentialType = typeof PublicKeyCredential === 'undefined' ? null : PublicKeyCredential;
  return {
    credentials: credentialType ? navigator.credentials : undefined,
    hostname: location.hostname,
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    ...(credentialType?.getClientCapabilities ? { capabilities: () => credentialType.getClientCapabilities() } : {}),
  };
}

/** Why no passkey can be used here, in one sentence; null when one can be tried. */
function whyNone({ credentials, hostname }: Pick<PasskeyHost, 'credentials' | 'hostname'>): string | null {
  if (!credentials) return 'This browser has no passkeys, or the page was not opened over https or from localhost.';
  if (/^[\d.]+$|^\[/.test(hostname)) {
    return `Passkeys need a host name, and this page was opened at a number (${hostname}). Open it by its name.`;
  }
  return null;
}

async function register(host: PasskeyHost, label: string): Promise<PasskeySecret> {
  const created = await asked(host, (credentials) =>
    credentials.create({
      publicKey: {
        rp: { id: host.hostname, name: 'Counterpart' },
        user: { id: host.randomBytes(16), name: label, displayName: label },
        challenge: host.randomBytes(32),
        // ES256, EdDSA and RS256: which one is of no matter, as no signature is checked.
        pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key', alg })),
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
        extensions: { prf: { eval: { first: prfInput } } },
        timeout: timeoutMs,
      },
    }),
  );
  const { prf } = created.getClientExtensionResults();
  if (!prf?.enabled && !prf?.results) {
    throw unavailable(
      'This passkey cannot give a secret (its device or browser lacks the PRF extension). You may delete it from the device; choose another kind, or use the passphrase.',
    );
  }
  const credentialId = toBase64url(new Uint8Array(created.rawId));
  // Many devices give the secret only when the passkey is used, and not yet when it is made.
  return prf.results ? secretOf(credentialId, prf.results.first) : use(host, [credentialId]);
}

async function use(host: PasskeyHost, credentialIds: readonly string[]): Promise<PasskeySecret> {
  const allowCredentials = credentialIds.flatMap((credentialId) => {
    const id = fromBase64url(credentialId);
    return id ? [{ type: 'public-key' as const, id }] : [];
  });
  const used = await asked(host, (credentials) =>
    credentials.get({
      publicKey: {
        rpId: host.hostname,
        challenge: host.randomBytes(32),
        allowCredentials,
        userVerification: 'required',
        extensions: { prf: { eval: { first: prfInput } } },
        timeout: timeoutMs,
      },
    }),
  );
  return secretOf(toBase64url(new Uint8Array(used.rawId)), used.getClientExtensionResults().prf?.results?.first);
}

async function asked(
  host: PasskeyHost,
  ask: (credentials: NonNullable<PasskeyHost['credentials']>) => Promise<Credential | null>,
): Promise<PublicKeyCredential> {
  const why = whyNone(host);
  if (why || !host.credentials) throw unavailable(why ?? '');
  try {
    const credential = await ask(host.credentials);
    if (credential) return credential as PublicKeyCredential;
  } catch (cause) {
    throw unavailable(reasonOf(cause), cause);
  }
  throw unavailable('The browser gave no passkey.');
}

/** Browsers tell little on purpose: no passkey, a refusal and a time-out have one name. */
function reasonOf(cause: unknown): string {
  switch (cause instanceof DOMException ? cause.name : '') {
    case 'NotAllowedError':
      return 'The passkey was not used: the request was closed, took too long, or this device has no such passkey.';
    case 'InvalidStateError':
      return 'This device already holds a passkey for this vault.';
    case 'SecurityError':
      return 'The address of this page does not allow passkeys.';
    case 'NotSupportedError':
    case 'ConstraintError':
      return 'No device here can make a passkey that asks for a fingerprint, a face or a PIN.';
    default:
      return 'The browser could not use a passkey.';
  }
}

/** Copies the secret and overwrites what the browser gave. */
function secretOf(credentialId: string, first: BufferSource | undefined): PasskeySecret {
  const given = first && (first instanceof ArrayBuffer ? new Uint8Array(first) : new Uint8Array(first.buffer as ArrayBuffer));
  if (given?.length !== prfBytes) {
    throw unavailable('This passkey gave no secret (its device or browser lacks the PRF extension).');
  }
  const prf = given.slice();
  given.fill(0);
  return { kind: 'passkey', credentialId, prf };
}

function unavailable(why: string, cause?: unknown): AppError {
  return new AppError('passkey_unavailable', `${why} The passphrase and the recovery key work as before.`, { cause });
}
