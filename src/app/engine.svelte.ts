/** Which engine runs, why, and how fast: for the engine chip and its dialog. */
import type { EngineClient } from '#engine/client.ts';
import type { EnginePreference, EngineReport, GoldenReport } from '#engine/protocol.ts';

export type { EnginePreference, EngineReport } from '#engine/protocol.ts';

export class EngineState {
  report = $state.raw<EngineReport | null>(null);
  failure = $state.raw<string | null>(null);
  readonly #client: EngineClient;

  constructor(client: EngineClient) {
    this.#client = client;
  }

  async load(): Promise<void> {
    this.failure = null;
    try {
      this.report = await this.#client.call('engine', null);
    } catch (error) {
      this.report = null;
      this.failure = error instanceof Error ? error.message : 'The engine could not be started.';
    }
  }

  /** A new worker with another engine. Running forecasts stop. */
  async prefer(preference: EnginePreference): Promise<void> {
    this.#client.restart({ preference });
    await this.load();
  }
}

export interface DiagnosticsParts {
  readonly version: string;
  readonly browser: string;
  readonly cores: number;
  readonly report: EngineReport | null;
  readonly golden: readonly GoldenReport[];
  readonly packs: readonly { readonly id: string; readonly version: string; readonly digest: string }[];
  readonly lastRun: {
    readonly rollouts: number;
    readonly plans: number;
    readonly fitMs: number;
    readonly rollOutMs: number;
  } | null;
  readonly isStorageLasting: boolean;
}

/** What a person may send to someone who helps: the machine and the packs, nothing of any patient. */
export function diagnosticsText({
  version,
  browser,
  cores,
  report,
  golden,
  packs,
  lastRun,
  isStorageLasting,
}: DiagnosticsParts): string {
  return [
    `Counterpart ${version}`,
    `Browser: ${browser}; ${cores} cores`,
    `Storage: ${isStorageLasting ? 'kept by the browser' : 'this tab only'}`,
    report ? `Engine: ${report.kind} (${report.description}). ${report.reason}` : 'Engine: none',
    ...(report?.attempts ?? []).map((attempt) => `  ${attempt}`),
    ...packs.map((pack) => `Pack: ${pack.id} ${pack.version} ${pack.digest.slice(0, 12)}`),
    ...golden.map(
      (one) => `Reference cases of ${one.packId}: ${one.isPassed ? 'passed' : 'failed'} on ${one.engine || 'no engine'}`,
    ),
    lastRun
      ? `Last run: ${lastRun.rollouts} rollouts of ${lastRun.plans} plans, fit ${Math.round(lastRun.fitMs)} ms, roll-out ${Math.round(lastRun.rollOutMs)} ms`
      : 'Last run: none',
  ].join('\n');
}
