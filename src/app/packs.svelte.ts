/** The installed packs: what they say, which were refused and why, and whether they pass their own reference cases here. */
import { AppError } from '#domain/errors.ts';
import { packGroups, packNames } from './manifest.ts';
import type { PackGroup } from './manifest.ts';
import type { EngineClient } from '#engine/client.ts';
import type { GoldenReport, PackInfo, RefusedPack } from '#engine/protocol.ts';

export type { PackInfo } from '#engine/protocol.ts';

export class Packs {
  status = $state<'loading' | 'ready' | 'failed'>('loading');
  all = $state.raw<readonly PackInfo[]>([]);
  refused = $state.raw<readonly RefusedPack[]>([]);
  failure = $state.raw<string | null>(null);
  golden = $state.raw<Readonly<Record<string, GoldenReport | 'running'>>>({});
  readonly groups: readonly PackGroup[] = $derived(packGroups(this.all.map(({ manifest }) => manifest)));
  /** What each is called on a button, by id. */
  readonly names: ReadonlyMap<string, string> = $derived(packNames(this.all.map(({ manifest }) => manifest)));
  readonly #client: EngineClient;

  constructor(client: EngineClient) {
    this.#client = client;
  }

  async load(): Promise<void> {
    this.status = 'loading';
    this.failure = null;
    try {
      const { packs, refused } = await this.#client.call('packs', null);
      // In the order in which they are offered everywhere; the first is the one a new patient begins with.
      const order = packGroups(packs.map(({ manifest }) => manifest)).flatMap((group) => group.manifests);
      this.all = order.flatMap((manifest) => packs.filter((pack) => pack.manifest === manifest));
      this.refused = refused;
      this.status = 'ready';
    } catch (error) {
      this.failure =
        error instanceof AppError
          ? error.message
          : 'The list of packs could not be read. Reload the page; if that does not help, the copy of Counterpart is incomplete.';
      this.status = 'failed';
    }
  }

  find(id: string | null): PackInfo | null {
    return this.all.find((pack) => pack.manifest.id === id) ?? null;
  }

  /** Asks the pack's reference cases again on this device. Once a pack, unless `again`. */
  async checkGolden(packId: string, options: { again?: boolean } = {}): Promise<void> {
    const known = this.golden[packId];
    if (known === 'running' || (known && !options.again)) return;
    this.golden = { ...this.golden, [packId]: 'running' };
    try {
      this.golden = { ...this.golden, [packId]: await this.#client.call('golden', { packId }) };
    } catch (error) {
      const report: GoldenReport = {
        packId,
        isPassed: false,
        engine: '',
        lines: [error instanceof Error ? error.message : 'The check did not finish.'],
      };
      this.golden = { ...this.golden, [packId]: report };
    }
  }

  /** After the engine changed, what was checked before says nothing. */
  forgetGolden(): void {
    this.golden = {};
  }
}
