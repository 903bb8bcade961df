/**
 * The data key, closed once for each way of unlocking. Its bytes never stand in script: they go from one key of the browser into
 * another (wrapKey, unwrapKey), but for the moment in which a new vault draws them.
 */
import { AppError, invariant } from '#domain/errors.ts';
import { fromBase64url, toBase64url } from './base64url.ts';
import { canonicalBytes } from './canonical-bytes.ts';
import { checkCost, stretch } from './kdf.ts';
import type { KdfParameters, Secret, Wrap } from './keys.ts';
import { checkPassphrase, isPossiblePassphrase, passphraseBytes } from './passphrase.ts';
import { readRecoveryKey } from './recovery-key.ts';

/** `crypto.getRandomValues` in the app; a test passes its own. */
export type RandomBytes = (length: number) => Uint8Array<ArrayBuffer>;

export interface DataKey {
  /** From which every other key is derived. Non-extractable. */
  readonly root: CryptoKey;
  /** The same bytes in a form that `wrapKey` takes. Dropped as soon as it was wrapped. */
  readonly wrappable: CryptoKey;
}

const dataKeyBytes = 32;
const wrappableUse = { name: 'AES-GCM', length: 256 } as const;

/** A random data key; its bytes are overwritten before this resolves. */
export async function newDataKey(randomBytes: RandomBytes): Promise<DataKey> {
  const bytes = randomBytes(dataKeyBytes);
  const [root, wrappable] = await Promise.all([
    crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveKey']),
    crypto.subtle.importKey('raw', bytes, wrappableUse, true, ['encrypt']),
  ]);
  bytes.fill(0);
  return { root, wrappable };
}

/** Rejects with `vault_secret_weak` for a passphrase that is too easy, and with `vault_cost_refused` for `kdf` outside the limits. */
export async function wrapDataKey(
  wrappable: CryptoKey,
  vaultId: string,
  secret: Secret,
  { kdf, randomBytes }: { readonly kdf: KdfParameters | null; readonly randomBytes: RandomBytes },
): Promise<Wrap> {
  if (secret.kind === 'passphrase') checkPassphrase(secret.text);
  invariant((kdf !== null) === (secret.kind === 'passphrase'), 'a passphrase, and nothing else, is stretched');
  const open: OpenWrap = {
    kind: secret.kind,
    id: toBase64url(randomBytes(8)),
    salt: toBase64url(randomBytes(16)),
    ...(kdf ? { kdf } : {}),
    ...(secret.kind === 'passkey' ? { credentialId: secret.credentialId } : {}),
    iv: toBase64url(randomBytes(12)),
  };
  const closing = await wrappingKey(vaultId, open, secret);
  const wrapped = await crypto.subtle.wrapKey('raw', wrappable, closing, bound(vaultId, open));
  return { ...open, wrapped: toBase64url(new Uint8Array(wrapped)) };
}

/** Null when the secret is another one, or anything of the wrap was changed. */
export async function unwrapDataKey(vaultId: string, wrap: Wrap, secret: Secret): Promise<DataKey | null> {
  const closing = await wrappingKey(vaultId, wrap, secret);
  const wrapped = bytesOf(wrap.wrapped);
  const how = bound(vaultId, wrap);
  try {
    const [root, wrappable] = await Promise.all([
      crypto.subtle.unwrapKey('raw', wrapped, closing, how, 'HKDF', false, ['deriveKey']),
      crypto.subtle.unwrapKey('raw', wrapped, closing, how, wrappableUse, true, ['encrypt']),
    ]);
    return { root, wrappable };
  } catch {
    return null;
  }
}

type OpenWrap = Omit<Wrap, 'wrapped'>;

/** Everything the wrap says of itself, and whose it is. */
function bound(vaultId: string, wrap: OpenWrap): AesGcmParams {
  const additionalData = canonicalBytes('counterpart wrap 1', vaultId, ...wrapValues(wrap));
  return { name: 'AES-GCM', iv: bytesOf(wrap.iv), additionalData };
}

/** A wrap's fields in a fixed order, to be authenticated. */
export function wrapValues(wrap: OpenWrap): (string | number | null)[] {
  const { kind, id, salt, kdf, credentialId, iv } = wrap;
  const argon2 = kdf?.name === 'argon2id' ? kdf : null;
  return [
    ...[kind, id, salt, kdf?.name ?? null, kdf?.iterations ?? null],
    ...[argon2?.memoryKiB ?? null, argon2?.parallelism ?? null, credentialId ?? null, iv],
  ];
}

async function wrappingKey(vaultId: string, wrap: OpenWrap, secret: Secret): Promise<CryptoKey> {
  const bytes = await secretBytes(wrap, secret);
  const source = await crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveKey']);
  bytes.fill(0);
  return crypto.subtle.deriveKey(
    {
      name: 'HKDF',
      hash: 'SHA-256',
      salt: bytesOf(wrap.salt),
      info: canonicalBytes('counterpart wrapping key 1', vaultId, wrap.kind, wrap.id),
    },
    source,
    { name: 'AES-GCM', length: 256 },
    false,
    ['wrapKey', 'unwrapKey'],
  );
}

/** 16 or 32 secret bytes, which the caller overwrites. */
async function secretBytes(wrap: OpenWrap, secret: Secret): Promise<Uint8Array<ArrayBuffer>> {
  switch (secret.kind) {
    case 'passphrase': {
      invariant(wrap.kdf, 'a wrap of a passphrase has parameters');
      checkCost(wrap.kdf);
      if (!isPossiblePassphrase(secret.text)) {
        throw new AppError('vault_secret_wrong', 'This is not the passphrase of this vault. Type it again.');
      }
      const text = passphraseBytes(secret.text);
      try {
        return await stretch(text, bytesOf(wrap.salt), wrap.kdf);
      } finally {
        text.fill(0);
      }
    }
    case 'recovery':
      return readRecoveryKey(secret.text);
    case 'passkey':
      invariant(
        secret.prf.some((byte) => byte !== 0),
        'what a passkey gave is used once, then overwritten',
      );
      return secret.prf;
    case 'none':
      // Anyone can do the same: the demonstration vault is closed in form only.
      return new Uint8Array(32);
    default:
      return secret satisfies never;
  }
}

/** Of a field whose form was checked when the header was read. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const bytes = fromBase64url(text);
  invariant(bytes, 'a header was read before it is used');
  return bytes;
}
