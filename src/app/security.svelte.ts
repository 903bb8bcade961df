/** The ways into the vault: shown, added, changed, removed. The present secret is asked for before each change. */
import type { KdfParameters, Secret, WrapKind } from '#vault/keys.ts';
import type { Vault } from '#vault/vault.ts';
import type { Audit } from './audit.svelte.ts';
import { failureOf } from './failure.ts';
import type { Failure } from './failure.ts';
import type { BrowserPasskeys } from '#vault/passkey.ts';

export interface VaultWay {
  readonly id: string;
  readonly kind: WrapKind;
  readonly kdf: KdfParameters | null;
}

export interface SecurityParts {
  readonly vault: Pick<Vault, 'ways' | 'setSecret' | 'newRecoveryKey' | 'removeWay'>;
  readonly passkeys: BrowserPasskeys;
  readonly audit: Audit;
}

export class SecurityState {
  ways = $state.raw<readonly VaultWay[]>([]);
  canUsePasskeys = $state(false);
  isBusy = $state(false);
  failure = $state.raw<Failure | null>(null);
  /** A new printed key, shown until it was written down. */
  recoveryKey = $state.raw<string | null>(null);
  readonly passkeys: BrowserPasskeys;
  readonly #parts: SecurityParts;

  constructor(parts: SecurityParts) {
    this.#parts = parts;
    this.passkeys = parts.passkeys;
  }

  async load(): Promise<void> {
    this.failure = null;
    try {
      this.ways = await this.#parts.vault.ways();
      this.canUsePasskeys = await this.passkeys.isAvailable().catch(() => false);
    } catch (error) {
      this.failure = failureOf(error, 'The ways of unlocking could not be read. Try again.');
    }
  }

  /** True when the passphrase is now `next`. */
  changePassphrase(current: Secret, next: string): Promise<boolean> {
    return this.#change('passphrase', () => this.#parts.vault.setSecret(current, { kind: 'passphrase', text: next }));
  }

  addPasskey(current: Secret): Promise<boolean> {
    return this.#change('passkey added', async () => this.#parts.vault.setSecret(current, await this.passkeys.create()));
  }

  removeWay(current: Secret, id: string): Promise<boolean> {
    const kind = this.ways.find((way) => way.id === id)?.kind ?? 'way';
    return this.#change(`${kind} removed`, () => this.#parts.vault.removeWay(current, id));
  }

  renewRecoveryKey(current: Secret): Promise<boolean> {
    return this.#change('recovery key renewed', async () => {
      this.recoveryKey = await this.#parts.vault.newRecoveryKey(current);
    });
  }

  async #change(detail: string, change: () => Promise<void>): Promise<boolean> {
    if (this.isBusy) return false;
    this.isBusy = true;
    this.failure = null;
    try {
      await change();
      this.#parts.audit({ action: 'secret.change', detail });
      this.ways = await this.#parts.vault.ways();
      return true;
    } catch (error) {
      this.failure = failureOf(error, 'That did not work. The ways of unlocking are as they were; try again.');
      return false;
    } finally {
      this.isBusy = false;
    }
  }
}

/** How much work one guess at the passphrase costs, in words. */
export function kdfWords(kdf: KdfParameters): string {
  return kdf.name === 'argon2id'
    ? `Argon2id: every guess takes ${Math.round(kdf.memoryKiB / 1024)} MiB of memory, gone through ${kdf.iterations} times.`
    : `PBKDF2-SHA-256: every guess takes ${kdf.iterations.toLocaleString('en-GB')} rounds. WebAssembly was refused when it was set, so it is weaker than it could be; setting the passphrase again where it is allowed makes it stronger.`;
}
