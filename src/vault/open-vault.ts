import { openDexieStore } from './dexie-store.ts';
import { memoryStore } from './memory-store.ts';
import { plainSealer } from './sealer.ts';
import { browserTabs, soleTab } from './tabs.ts';
import { makeVault } from './vault.ts';
import type { Vault } from './vault.ts';

/** The browser's vault; where it refuses one, a vault that lasts as long as the tab and says so (`isLasting`). */
export async function openVault(name: string, now: () => number): Promise<Vault> {
  try {
    const store = await openDexieStore(name);
    const tabs = await browserTabs({
      name: `${name}-writer`,
      locks: navigator.locks,
      channel: new BroadcastChannel(`${name}-changes`),
    });
    return makeVault({ store, sealer: plainSealer, tabs, isLasting: true, now });
  } catch {
    return memoryVault(now);
  }
}

function memoryVault(now: () => number): Vault {
  return makeVault({ store: memoryStore(), sealer: plainSealer, tabs: soleTab(), isLasting: false, now });
}
