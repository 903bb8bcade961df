/**
 * What stands before the session: what is on this device, and how it is opened. Until a vault is open nothing of it is known here but
 * the ways of unlocking, and after a lock the page begins here again.
 */
import type { AuditEvent, Damage, Found, OpenedBackup, Vault, VaultDoor } from '#vault/vault.ts';
import type { Secret, WrapKind } from '#vault/keys.ts';
import { failureOf } from './failure.ts';
import type { Failure } from './failure.ts';
import type { BrowserPasskeys } from '#vault/passkey.ts';
import type { Next, Session } from './session.svelte.ts';
import type { Role } from './settings.svelte.ts';

export type { Secret } from '#vault/keys.ts';
export type { BrowserPasskeys } from '#vault/passkey.ts';
export type { Damage, OpenedBackup } from '#vault/vault.ts';

export type Step =
  | 'looking'
  | 'welcome'
  | 'choose'
  | 'passphrase'
  | 'recovery-key'
  | 'unlock'
  | 'closed-demonstration'
  | 'seal'
  | 'damaged'
  | 'newer'
  | 'restore'
  | 'start-over'
  | 'deleted'
  | 'opening'
  | 'failed';

/** How a vault or a backup can be opened. */
export interface Way {
  readonly kind: WrapKind;
  readonly credentialId: string | null;
}

/** What a browser still holds for this site, counted after everything was deleted. */
export interface Remains {
  readonly databases: number;
  readonly files: number;
  readonly keptItems: number;
}

export interface ChosenBackup {
  readonly file: File;
  readonly ways: readonly Way[];
}

export interface GateParts {
  readonly door: VaultDoor;
  readonly passkeys: BrowserPasskeys;
  /** Makes and starts the session of an opened vault. */
  readonly open: (vault: Vault) => Promise<Session>;
  readonly now: () => number;
  /** The page was locked just now, and where it was to go afterwards. */
  readonly after: { readonly isLocked: boolean; readonly next: Next | null };
  readonly countRemains: () => Promise<Remains>;
  /** From here on the page is the session's. */
  readonly onentered: (session: Session) => void;
}

/** What a person types so that nothing is replaced or deleted by a slip. */
export const typedConfirmation = { restore: 'replace', 'start-over': 'delete' } as const;

const notOurs = 'That did not work, for a reason of the program’s own. Nothing was changed; try again.';

export class Gate {
  step = $state<Step>('looking');
  found = $state.raw<Found | null>(null);
  failure = $state.raw<Failure | null>(null);
  /** A key is being derived, or files are being read. */
  isBusy = $state(false);
  canUsePasskeys = $state(false);
  /** Shown once, after a vault was made. */
  recoveryKey = $state.raw<string | null>(null);
  /** A passkey was wanted and could not be added; the vault was made all the same. */
  passkeyFailure = $state.raw<string | null>(null);
  backup = $state.raw<ChosenBackup | null>(null);
  /** The chosen backup, unlocked and read to its end; nothing here was changed yet. */
  preview = $state.raw<OpenedBackup | null>(null);
  remains = $state.raw<Remains | null>(null);
  readonly ways: readonly Way[] = $derived.by(() => waysOf(this.found));
  readonly damage: Damage | null = $derived(this.found?.kind === 'damaged' ? this.found.damage : null);
  /** There is something on this device that a restored backup or a new start would put an end to. */
  readonly hasSomething: boolean = $derived(
    this.found !== null && this.found.kind !== 'nothing' && this.found.kind !== 'unavailable',
  );
  readonly wasLocked: boolean;
  readonly passkeys: BrowserPasskeys;
  readonly #parts: GateParts;
  #role: Role | null = null;
  #opened: Session | null = null;

  constructor(parts: GateParts) {
    this.#parts = parts;
    this.passkeys = parts.passkeys;
    this.wasLocked = parts.after.isLocked;
  }

  async start(): Promise<void> {
    this.failure = null;
    this.step = 'looking';
    void this.passkeys.isAvailable().then(
      (isAvailable) => (this.canUsePasskeys = isAvailable),
      () => {},
    );
    try {
      this.found = await this.#parts.door.look();
    } catch (error) {
      this.failure = failureOf(error, 'What is stored on this device could not be looked at. Nothing was changed; try again.');
      this.step = 'failed';
      return;
    }
    const { next } = this.#parts.after;
    if (next && this.hasSomething) this.step = next;
    else if (this.found.kind === 'demonstration' && !this.wasLocked) await this.openDemonstration();
    else this.home();
  }

  /** The screen that belongs to what was found. */
  home(): void {
    this.failure = null;
    this.#forgetBackup();
    const { kind } = this.found!;
    this.step =
      kind === 'nothing' || kind === 'unavailable'
        ? this.#role
          ? 'choose'
          : 'welcome'
        : kind === 'unencrypted'
          ? 'seal'
          : kind === 'locked'
            ? 'unlock'
            : kind === 'demonstration'
              ? 'closed-demonstration'
              : kind;
  }

  go(step: 'choose' | 'passphrase' | 'restore' | 'start-over'): void {
    this.failure = null;
    this.#forgetBackup();
    this.step = step;
  }

  acknowledge(role: Role): void {
    this.#role = role;
    this.go('choose');
  }

  /** A new vault; what an unencrypted version left is sealed into it. The passkey is asked for while the press is fresh. */
  async create(passphrase: string, options: { readonly withPasskey: boolean }): Promise<void> {
    await this.#work(async () => {
      let passkey: Secret | null = null;
      this.passkeyFailure = null;
      if (options.withPasskey) {
        try {
          passkey = await this.passkeys.create();
        } catch (error) {
          this.passkeyFailure = failureOf(error, 'No passkey was made. You can add one later in Settings.').message;
        }
      }
      const secret: Secret = { kind: 'passphrase', text: passphrase };
      const { vault, recoveryKey } = await this.#parts.door.create(secret);
      if (passkey) {
        await vault.setSecret(secret, passkey).catch((error: unknown) => {
          this.passkeyFailure = failureOf(error, 'The passkey was not added. You can add one later in Settings.').message;
        });
      }
      await vault.askToPersist().catch(() => false);
      this.#opened = await this.#open(vault, { action: 'vault.create' });
      this.recoveryKey = recoveryKey;
      this.step = 'recovery-key';
    });
  }

  /** The key was written down: forget it here, and go in. */
  enter(): void {
    this.recoveryKey = null;
    if (this.#opened) this.#parts.onentered(this.#opened);
  }

  async createDemonstration(): Promise<void> {
    await this.#work(async () => {
      const { vault } = await this.#parts.door.create({ kind: 'none' });
      this.#parts.onentered(await this.#open(vault, { action: 'vault.create', detail: 'demonstration' }));
    });
  }

  async openDemonstration(): Promise<void> {
    this.step = 'opening';
    await this.#enter(() => this.#parts.door.unlock({ kind: 'none' }), { action: 'vault.unlock', detail: 'demonstration' });
    if (this.failure) this.step = 'closed-demonstration';
  }

  async unlock(secret: Secret): Promise<void> {
    await this.#enter(() => this.#parts.door.unlock(secret), { action: 'vault.unlock', detail: secret.kind });
    // A store that turns out to be damaged once it is opened gets its own screen.
    if (this.failure?.code === 'vault_damaged') await this.#lookAgain();
  }

  async recover(secret: Secret): Promise<void> {
    await this.#enter(() => this.#parts.door.recover(secret), { action: 'vault.recover', detail: 'second copy' });
  }

  async chooseBackup(file: File): Promise<void> {
    this.#forgetBackup();
    await this.#work(async () => {
      const { ways } = await this.#parts.door.lookAtBackup(file);
      this.backup = { file, ways };
    });
  }

  /** Unlocks the chosen file and reads it, so that a person sees what it holds before anything is changed. */
  async openBackup(secret: Secret): Promise<void> {
    const { backup } = this;
    if (!backup) return;
    await this.#work(async () => {
      this.preview = await this.#parts.door.openBackup(backup.file, secret);
    });
  }

  /** Puts the opened backup in the place of what is here. After a failure it is opened anew. */
  async restore(): Promise<void> {
    const { preview } = this;
    if (!preview) return;
    const detail = preview.isOtherVault ? 'in the place of another vault' : preview.isOlder ? 'older than what was here' : null;
    await this.#enter(() => preview.restore(), { action: 'backup.restore', ...(detail ? { detail } : {}) });
    if (this.failure) this.preview = null;
  }

  #forgetBackup(): void {
    // A worker that ended has forgotten it as well.
    void this.preview?.close().catch(() => {});
    this.backup = this.preview = null;
  }

  /** The second copy as a file; null where there is none. Needs no secret and tells nothing. */
  async rescue(): Promise<Blob | null> {
    let file: Blob | null = null;
    await this.#work(async () => {
      file = await this.#parts.door.rescue();
    });
    return file;
  }

  /** Deletes everything, then counts what the browser still holds. */
  async startOver(): Promise<void> {
    await this.#work(async () => {
      await this.#parts.door.startOver();
      this.remains = await this.#parts.countRemains();
      this.found = { kind: 'nothing' };
      this.step = 'deleted';
    });
  }

  async #lookAgain(): Promise<void> {
    const { failure } = this;
    const found = await this.#parts.door.look().catch(() => this.found);
    this.found = found;
    this.home();
    if (found?.kind === 'locked') this.failure = failure;
  }

  async #enter(open: () => Promise<Vault>, event: AuditEvent): Promise<void> {
    await this.#work(async () => {
      this.#parts.onentered(await this.#open(await open(), event));
    });
  }

  async #open(vault: Vault, event: AuditEvent): Promise<Session> {
    const session = await this.#parts.open(vault);
    if (this.#role && !session.settings.isAcknowledged) await session.settings.acknowledge(this.#role, this.#parts.now());
    session.audit(event);
    return session;
  }

  async #work(work: () => Promise<void>): Promise<void> {
    if (this.isBusy) return;
    this.failure = null;
    this.isBusy = true;
    try {
      await work();
    } catch (error) {
      this.failure = failureOf(error, notOurs);
    } finally {
      this.isBusy = false;
    }
  }
}

function waysOf(found: Found | null): readonly Way[] {
  if (found?.kind === 'locked') return found.ways;
  if (found?.kind !== 'damaged') return [];
  // Without a readable header the copy's own ways are not known: both that a person can type are offered.
  const wraps = found.header?.wraps ?? [{ kind: 'passphrase' as const }, { kind: 'recovery' as const }];
  return wraps.map((wrap) => ({ kind: wrap.kind, credentialId: 'credentialId' in wrap ? (wrap.credentialId ?? null) : null }));
}
