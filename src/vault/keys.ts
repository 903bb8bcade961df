/**
 * The vault's keys: a random data key, wrapped once for each way of unlocking; a key of its own for every patient, wrapped by the data
 * key, so that deleting 32 wrapped bytes erases a person. All of it lives in the vault's worker and nowhere else.
 */

/** A way into the vault, as the person gave it. The bytes of a secret are overwritten once a key was derived from them. */
export type Secret =
  | { readonly kind: 'passphrase'; readonly text: string }
  /** The printed key, as typed: case, blanks and dashes do not matter. */
  | { readonly kind: 'recovery'; readonly text: string }
  /** What WebAuthn's PRF extension gave for `credentialId`; 32 bytes. */
  | { readonly kind: 'passkey'; readonly credentialId: string; readonly prf: Uint8Array<ArrayBuffer> }
  /** Of the demonstration vault: no secret at all. */
  | { readonly kind: 'none' };

export type WrapKind = Secret['kind'];

/** Argon2id, or PBKDF2-SHA-256 where WebAssembly is refused. Checked against caps and floors before any work is done. */
export type KdfParameters =
  | { readonly name: 'argon2id'; readonly memoryKiB: number; readonly iterations: number; readonly parallelism: 1 }
  | { readonly name: 'pbkdf2-sha256'; readonly iterations: number };

/** The data key, closed for one way of unlocking. Byte strings are base64url. */
export interface Wrap {
  readonly kind: WrapKind;
  /** Random, to tell wraps apart. */
  readonly id: string;
  readonly salt: string;
  /** Of a passphrase. */
  readonly kdf?: KdfParameters;
  /** Of a passkey. */
  readonly credentialId?: string;
  readonly iv: string;
  readonly wrapped: string;
}

/** Everything about a vault that is not secret. Stored beside it, in its second copy and in every backup. */
export interface VaultHeader {
  readonly format: 1;
  readonly vaultId: string;
  /** True: opens without a secret, for made-up people only. */
  readonly isDemonstration: boolean;
  readonly wraps: readonly Wrap[];
  /** HMAC under the data key over everything above, so that a swapped wrap or a changed flag is noticed. */
  readonly mac: string;
}

/** Where a row stands: bound to its ciphertext, so that no row can be moved to another place or put back to an older state. */
export interface Place {
  readonly table: string;
  readonly id: string;
  /** Of the row's content. */
  readonly schemaVersion: number;
  /** Goes up with every writing of this row. */
  readonly counter: number;
}

/** An open vault's keys. Every method rejects with `vault_locked` after `destroy`. */
export interface VaultKeys {
  readonly vaultId: string;
  /** `patientKey`: for what belongs to one patient; without it the data key seals. Pads to size classes. */
  seal(place: Place, plain: Uint8Array, patientKey?: CryptoKey): Promise<Uint8Array<ArrayBuffer>>;
  /** Rejects with `vault_row_changed` when the bytes, the place or the key are others than when it was sealed. */
  open(place: Place, sealed: Uint8Array, patientKey?: CryptoKey): Promise<Uint8Array<ArrayBuffer>>;
  /** A new key for a patient, and its wrapped form to be stored under the patient's id. */
  newPatientKey(patientId: string): Promise<{ readonly key: CryptoKey; readonly wrapped: Uint8Array<ArrayBuffer> }>;
  openPatientKey(patientId: string, wrapped: Uint8Array): Promise<CryptoKey>;
  /** HMAC-SHA-256 under a key of its own for each `purpose` (HKDF of the data key). 32 bytes. */
  mac(purpose: string, bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
  /** AES-256-GCM key for one backup file, from a random salt. */
  backupKey(salt: Uint8Array): Promise<CryptoKey>;
  /** The header with one more way of unlocking, or with the one of that kind replaced. */
  withWrap(header: VaultHeader, secret: Secret): Promise<VaultHeader>;
  withoutWrap(header: VaultHeader, wrapId: string): Promise<VaultHeader>;
  destroy(): void;
}
