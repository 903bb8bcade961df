/** The validation reports of packs, fetched once each when somebody looks. */
import type { ValidationReport } from '#domain/validation.ts';
import type { EngineClient } from '#engine/client.ts';
import { failureOf } from './failure.ts';

export type KnownReport =
  | { readonly status: 'loading' }
  | { readonly status: 'ready'; readonly report: ValidationReport }
  | { readonly status: 'none' }
  | { readonly status: 'failed'; readonly message: string };

export class Validation {
  reports = $state.raw<Readonly<Record<string, KnownReport>>>({});
  readonly #client: EngineClient;

  constructor(client: EngineClient) {
    this.#client = client;
  }

  of(packId: string): KnownReport | null {
    return this.reports[packId] ?? null;
  }

  /** Once a pack; one that failed is tried again. */
  async load(packId: string): Promise<void> {
    const known = this.reports[packId];
    if (known && known.status !== 'failed') return;
    this.#keep(packId, { status: 'loading' });
    try {
      const report = await this.#client.call('validation', { packId });
      this.#keep(packId, report ? { status: 'ready', report } : { status: 'none' });
    } catch (error) {
      const { message } = failureOf(error, 'The report could not be read. Try again, or reload the page.');
      this.#keep(packId, { status: 'failed', message });
    }
  }

  #keep(packId: string, known: KnownReport): void {
    this.reports = { ...this.reports, [packId]: known };
  }
}
