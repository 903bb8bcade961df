/** The audit log as it is read, checked and taken out. What is appended goes through the session's `audit`. */
import type { AuditEntry, AuditEvent, AuditLog } from '#vault/vault.ts';
import { failureOf } from './failure.ts';
import type { Failure } from './failure.ts';

export type { AuditEntry } from '#vault/vault.ts';

/** Notes down what happened. Never fails: what could not be written is said by whoever made this. */
export type Audit = (event: AuditEvent) => void;

export class AuditState {
  entries = $state.raw<readonly AuditEntry[]>([]);
  /** The first entry that does not follow from the one before; null while the chain holds. */
  brokenAt = $state<number | null>(null);
  headCode = $state('');
  isLoaded = $state(false);
  failure = $state.raw<Failure | null>(null);
  /** What came of the last check; `number` null: the code belongs to no entry. */
  checked = $state.raw<{ readonly code: string; readonly number: number | null } | null>(null);
  readonly #log: AuditLog;

  constructor(log: AuditLog) {
    this.#log = log;
  }

  async load(): Promise<void> {
    this.failure = null;
    try {
      const { entries, brokenAt, headCode } = await this.#log.read();
      this.entries = entries;
      this.brokenAt = brokenAt;
      this.headCode = headCode;
      this.isLoaded = true;
    } catch (error) {
      this.failure = failureOf(error, 'The log could not be read. Nothing was changed; try again.');
    }
  }

  async check(code: string): Promise<void> {
    const wanted = code.trim();
    if (wanted === '') return;
    this.failure = null;
    try {
      this.checked = { code: wanted, number: await this.#log.check(wanted) };
    } catch (error) {
      this.failure = failureOf(error, 'The code could not be checked. Try again.');
    }
  }

  /** No names: ids are random, and only this vault knows whose they are. */
  json(): string {
    const { entries, brokenAt, headCode } = this;
    return `${JSON.stringify({ format: 'counterpart-audit', version: 1, headCode, brokenAt, entries }, null, 1)}\n`;
  }

  csv(): string {
    const columns = ['number', 'at', 'action', 'patientId', 'packId', 'detail', 'role'] as const;
    const rows = this.entries.map((entry) => columns.map((column) => quoted(String(entry[column] ?? ''))).join(','));
    return [columns.join(','), ...rows, ''].join('\r\n');
  }
}

/** As RFC 4180 says; what a spreadsheet would take for a formula gets an apostrophe before it. */
function quoted(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
