/** The keys of an open vault: one data key, and from it by HKDF-SHA-256 a key of its own for each use. All are non-extractable. */
import { AppError, invariant } from '#domain/errors.ts';
import { fromBase64url } from './base64url.ts';
import { canonicalBytes } from './canonical-bytes.ts';
import { signedHeader } from './header-bytes.ts';
import { chooseKdf } from './kdf.ts';
import type { KdfParameters, Place, Secret, VaultHeader, VaultKeys } from './keys.ts';
import { pad, unpad } from './padding.ts';
import { isSame } from './same-bytes.ts';
import { wrapDataKey } from './wraps.ts';
import type { DataKey, RandomBytes } from './wraps.ts';

export interface KeyOptions {
  readonly randomBytes: RandomBytes;
  /** Milliseconds of a clock that only goes up; measures how slow a new passphrase's derivation can be. */
  readonly now: () => number;
  /** For a new passphrase; default: measured to take about a second here. */
  readonly kdf?: KdfParameters;
}

/** The first byte of a sealed row. 0 was the unencrypted form before there were keys. */
const sealedFormat = 1;
const ivBytes = 12;
const tagBytes = 16;

interface Held {
  readonly root: CryptoKey;
  readonly rows: CryptoKey;
  readonly patients: CryptoKey;
  /** The data key once more, closed under a key derived from itself, so that a new way of unlocking can be added without its bytes. */
  readonly self: CryptoKey;
  readonly selfWrapped: Uint8Array<ArrayBuffer>;
  readonly selfIv: Uint8Array<ArrayBuffer>;
  readonly macs: Map<string, Promise<CryptoKey>>;
}

export class OpenKeys implements VaultKeys {
  readonly vaultId: string;
  readonly #options: KeyOptions;
  #held: Held | null;

  private constructor(vaultId: string, held: Held, options: KeyOptions) {
    this.vaultId = vaultId;
    this.#held = held;
    this.#options = options;
  }

  static async of(vaultId: string, { root, wrappable }: DataKey, options: KeyOptions): Promise<OpenKeys> {
    const [rows, patients, self] = await Promise.all([
      derived(root, vaultId, 'rows', aes, ['encrypt', 'decrypt']),
      derived(root, vaultId, 'patient keys', aes, ['encrypt', 'unwrapKey']),
      derived(root, vaultId, 'data key', aes, ['wrapKey', 'unwrapKey']),
    ]);
    const selfIv = options.randomBytes(ivBytes);
    const selfWrapped = new Uint8Array(await crypto.subtle.wrapKey('raw', wrappable, self, { name: 'AES-GCM', iv: selfIv }));
    return new OpenKeys(vaultId, { root, rows, patients, self, selfWrapped, selfIv, macs: new Map() }, options);
  }

  async seal(place: Place, plain: Uint8Array, patientKey?: CryptoKey): Promise<Uint8Array<ArrayBuffer>> {
    const padded = pad(plain);
    const sealed = await this.#close(patientKey ?? this.#keys().rows, this.#where(place), padded);
    padded.fill(0);
    return sealed;
  }

  async open(place: Place, sealed: Uint8Array, patientKey?: CryptoKey): Promise<Uint8Array<ArrayBuffer>> {
    const key = patientKey ?? this.#keys().rows;
    const additionalData = this.#where(place);
    try {
      const { iv, closed } = partsOf(sealed);
      const plain = unpad(new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData }, key, closed)));
      if (plain) return plain;
    } catch {
      // Told below, as a wrong padding is.
    }
    throw changed(`A row of '${place.table}'`);
  }

  async newPatientKey(patientId: string): Promise<{ readonly key: CryptoKey; readonly wrapped: Uint8Array<ArrayBuffer> }> {
    const { patients } = this.#keys();
    const bytes = this.#options.randomBytes(32);
    const [key, wrapped] = await Promise.all([
      crypto.subtle.importKey('raw', bytes, aes, false, ['encrypt', 'decrypt']),
      this.#close(patients, this.#whose(patientId), bytes),
    ]);
    bytes.fill(0);
    return { key, wrapped };
  }

  async openPatientKey(patientId: string, wrapped: Uint8Array): Promise<CryptoKey> {
    const { patients } = this.#keys();
    try {
      const { iv, closed } = partsOf(wrapped);
      const how = { name: 'AES-GCM', iv, additionalData: this.#whose(patientId) };
      return await crypto.subtle.unwrapKey('raw', closed, patients, how, aes, false, ['encrypt', 'decrypt']);
    } catch {
      throw changed("A patient's key");
    }
  }

  async mac(purpose: string, bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const { root, macs } = this.#keys();
    let key = macs.get(purpose);
    if (!key) macs.set(purpose, (key = derived(root, this.vaultId, `mac ${purpose}`, hmac, ['sign'])));
    return new Uint8Array(await crypto.subtle.sign('HMAC', await key, new Uint8Array(bytes)));
  }

  async backupKey(salt: Uint8Array): Promise<CryptoKey> {
    return derived(this.#keys().root, this.vaultId, 'backup', aes, ['encrypt', 'decrypt'], salt);
  }

  async withWrap(header: VaultHeader, secret: Secret): Promise<VaultHeader> {
    await this.verify(header);
    invariant(
      !header.isDemonstration && secret.kind !== 'none',
      'a demonstration vault stays one, and a vault never becomes one',
    );
    const { self, selfWrapped, selfIv } = this.#keys();
    const { randomBytes, now } = this.#options;
    const kdf = secret.kind === 'passphrase' ? (this.#options.kdf ?? (await chooseKdf(now))) : null;
    const wrappable = await crypto.subtle.unwrapKey('raw', selfWrapped, self, { name: 'AES-GCM', iv: selfIv }, aes, true, [
      'encrypt',
    ]);
    const wrap = await wrapDataKey(wrappable, this.vaultId, secret, { kdf, randomBytes });
    const others = header.wraps.filter(({ kind, credentialId }) => kind !== wrap.kind || credentialId !== wrap.credentialId);
    return signedHeader(this, { ...header, wraps: [...others, wrap] });
  }

  async withoutWrap(header: VaultHeader, wrapId: string): Promise<VaultHeader> {
    await this.verify(header);
    const wraps = header.wraps.filter(({ id }) => id !== wrapId);
    invariant(wraps.length > 0, 'a vault keeps a way to be unlocked');
    return signedHeader(this, { ...header, wraps });
  }

  /** Rejects with `vault_damaged` unless this vault's data key signed the header as it is. */
  async verify(header: VaultHeader): Promise<void> {
    const signed = fromBase64url((await signedHeader(this, header)).mac);
    const found = fromBase64url(header.mac);
    if (header.vaultId === this.vaultId && signed && found && isSame(signed, found)) return;
    throw new AppError(
      'vault_damaged',
      'What the vault says of itself (its ways of unlocking, or what kind of vault it is) was changed from outside. Nothing was opened; restore a backup.',
    );
  }

  destroy(): void {
    this.#held?.macs.clear();
    this.#held?.selfWrapped.fill(0);
    this.#held = null;
  }

  #keys(): Held {
    if (this.#held) return this.#held;
    throw new AppError('vault_locked', 'The vault is locked. Unlock it and try again.');
  }

  /** Version byte, IV, ciphertext and tag. */
  async #close(key: CryptoKey, additionalData: Uint8Array<ArrayBuffer>, plain: Uint8Array<ArrayBuffer>) {
    const iv = this.#options.randomBytes(ivBytes);
    const closed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, key, plain);
    const sealed = new Uint8Array(1 + ivBytes + closed.byteLength);
    sealed[0] = sealedFormat;
    sealed.set(iv, 1);
    sealed.set(new Uint8Array(closed), 1 + ivBytes);
    return sealed;
  }

  #where({ table, id, schemaVersion, counter }: Place): Uint8Array<ArrayBuffer> {
    this.#keys();
    return canonicalBytes('counterpart row 1', this.vaultId, table, id, schemaVersion, counter);
  }

  #whose(patientId: string): Uint8Array<ArrayBuffer> {
    return canonicalBytes('counterpart patient key 1', this.vaultId, patientId);
  }
}

const aes = { name: 'AES-GCM', length: 256 } as const;
const hmac = { name: 'HMAC', hash: 'SHA-256', length: 256 } as const;

function derived(
  root: CryptoKey,
  vaultId: string,
  use: string,
  algorithm: typeof aes | typeof hmac,
  usages: KeyUsage[],
  salt: Uint8Array = new Uint8Array(),
): Promise<CryptoKey> {
  const info = canonicalBytes('counterpart key 1', vaultId, use);
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(salt), info },
    root,
    algorithm,
    false,
    usages,
  );
}

/** Throws, to be caught, when `sealed` cannot be something that was closed here. */
function partsOf(sealed: Uint8Array): { readonly iv: Uint8Array<ArrayBuffer>; readonly closed: Uint8Array<ArrayBuffer> } {
  if (sealed[0] !== sealedFormat || sealed.length < 1 + ivBytes + tagBytes) throw new RangeError('Not a sealed row.');
  const bytes = new Uint8Array(sealed);
  return { iv: bytes.subarray(1, 1 + ivBytes), closed: bytes.subarray(1 + ivBytes) };
}

function changed(what: string): AppError {
  return new AppError(
    'vault_row_changed',
    `${what} in the vault is not what was saved there: it was changed, moved or put back to an older state. It was left as it is.`,
  );
}
