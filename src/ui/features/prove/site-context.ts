/** What belongs to this copy of the program and not to any session: kept files, updates, the proof. Put there by main.ts. */
import { getContext } from 'svelte';
import type { Offline } from '#app/offline.svelte.ts';
import type { Proof } from '#app/prove.svelte.ts';

export interface Site {
  readonly offline: Offline;
  readonly proof: Proof;
}

const key = Symbol('site');

/** For `mount`. */
export const siteContext = (site: Site) => new Map([[key, site]]);
export const useSite = () => getContext<Site>(key);
