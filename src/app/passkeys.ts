/** What the page needs of passkeys, so that states can be tested without an authenticator. main.ts hands in vault/passkey.ts. */
import type { Secret } from '#vault/keys.ts';

export type PasskeySecret = Extract<Secret, { kind: 'passkey' }>;

export interface Passkeys {
  /** Whether this device and browser can unlock with one. */
  isAvailable(): Promise<boolean>;
  /** Makes a new one; rejects with `passkey_unavailable`. */
  create(): Promise<PasskeySecret>;
  /** Asks for one of these; rejects with `passkey_unavailable`. */
  ask(credentialIds: readonly string[]): Promise<PasskeySecret>;
}
