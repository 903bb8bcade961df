/** What the page told this worker before its first call. */
import { invariant } from '#domain/errors.ts';
import type { WorkerSettings } from '../protocol.ts';

let received: WorkerSettings | null = null;

export function keepSettings(settings: WorkerSettings): void {
  received = settings;
}

export function currentSettings(): WorkerSettings {
  invariant(received, 'the page sends settings before any call');
  return received;
}

/** Whether an address lies in the packs' folder; none does before the settings came. */
export function isOfPacks(url: URL): boolean {
  return received !== null && url.href.startsWith(received.modelsUrl);
}
