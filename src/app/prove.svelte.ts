/** The proof that nothing leaves: tries every way out, compares the headers, checks the files. Knows no page. */
import { buildCode, sumsText } from '#guard/build-list.ts';
import type { BuildList } from '#guard/build-list.ts';
import { clearing, securityHeaders } from '#guard/headers.mjs';
import type { GuardCounts, PageGuard } from '#guard/page-guard.ts';
import { pageWays } from '#guard/page-ways.ts';
import { tryWays } from '#guard/try-ways.ts';
import type { Attempt } from '#guard/try-ways.ts';
import { nobody, scopeWays } from '#guard/ways.ts';
import type { Target, Way } from '#guard/ways.ts';
import { ask } from './offline.svelte.ts';

export type { Attempt, Stop } from '#guard/try-ways.ts';
export type { Place, Way } from '#guard/ways.ts';

/** All ways, in the order in which they are shown. */
export const allWays: readonly Way[] = [...pageWays, ...scopeWays.filter(({ from }) => !from.includes('page'))];

/** Addresses under which the attempts made here show among the page's requests, refused as they were. */
const attempted = [nobody.origin, nobody.named];
/** Asked for, so that an answer without a file is looked at too. */
const noFile = 'no-such-file';

/** The headers of one answer that are not as they should be. */
export interface HeaderReport {
  readonly address: string;
  readonly from: 'server' | 'service worker or server';
  readonly differences: readonly { readonly name: string; readonly expected: string; readonly found: string | null }[];
}

export interface BuildReport {
  readonly version: string;
  readonly code: string;
  readonly files: number;
  /** Paths of files that are not what the list says. */
  readonly changed: readonly string[];
  /** Files that this page loaded and no list names. */
  readonly unlisted: readonly string[];
}

export interface ProofParts {
  readonly guard: PageGuard;
  /** The document, where violations are told. */
  readonly speaker: EventTarget;
  /** Whether leaving the page can be cancelled, so that it may be tried. */
  readonly mayLeave: boolean;
  /** Folder of the app, with a slash at its end. */
  readonly base: string;
  readonly fetch: typeof fetch;
  /** Calls with the address of each file that the page has fetched since it was opened, and of each later one. */
  readonly onRequest: (listener: (address: string) => void) => void;
  readonly startWorker: () => Worker;
  readonly serviceWorker: () => ServiceWorker | null;
  readonly now: () => number;
}

export class Proof {
  attempts = $state.raw<readonly Attempt[]>([]);
  isRunning = $state(false);
  /** Milliseconds since 1970. */
  finishedAt = $state<number | null>(null);
  headers = $state.raw<readonly HeaderReport[] | null>(null);
  build = $state.raw<BuildReport | null>(null);
  /** Why headers or files could not be checked. */
  headersFailure = $state<string | null>(null);
  buildFailure = $state<string | null>(null);
  /** Files that the page fetched since it was opened, from its own site and from others; the attempts made here are not counted. */
  requests = $state.raw({ own: 0, foreign: 0 });
  counts = $state.raw<GuardCounts>({
    refused: { navigation: 0, link: 0, form: 0, popup: 0, request: 0, frame: 0 },
    violations: {},
  });
  /** No service worker was there to try from. */
  isWithoutServiceWorker = $state(false);
  readonly #parts: ProofParts;
  readonly #fetched = new Set<string>();

  constructor(parts: ProofParts) {
    this.#parts = parts;
    const { origin } = new URL(parts.base);
    parts.onRequest((address) => {
      if (attempted.includes(new URL(address).origin)) return;
      this.#fetched.add(address);
      const isOwn = new URL(address).origin === origin;
      this.requests = { own: this.requests.own + Number(isOwn), foreign: this.requests.foreign + Number(!isOwn) };
    });
    this.counts = parts.guard.counts();
    parts.guard.onChange(() => (this.counts = parts.guard.counts()));
  }

  /** Of the attempts made so far. */
  get count(): { readonly tried: number; readonly reached: number; readonly stopped: number; readonly unknown: number } {
    const of = (outcome: Attempt['outcome']) => this.attempts.filter((attempt) => attempt.outcome === outcome).length;
    return {
      tried: this.attempts.length - of('absent') - of('skipped'),
      reached: of('reached'),
      stopped: of('stopped'),
      unknown: of('unknown'),
    };
  }

  async run(): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    this.attempts = [];
    this.finishedAt = null;
    try {
      await Promise.all([this.#checkHeaders(), this.#checkBuild(), this.#tryAll()]);
      this.finishedAt = this.#parts.now();
    } finally {
      this.isRunning = false;
    }
  }

  /** Against an address that belongs to nobody. */
  async #tryAll(target: Target = nobody): Promise<void> {
    const { guard, speaker, mayLeave, startWorker, serviceWorker } = this.#parts;
    const add = (...attempts: readonly Attempt[]) => (this.attempts = [...this.attempts, ...attempts]);
    await tryWays(pageWays, 'page', target, {
      speaker,
      mayLeave,
      refusals: () => Object.values(guard.counts().refused).reduce((sum, count) => sum + count, 0),
      onAttempt: (attempt) => add(attempt),
    });
    const worker = startWorker();
    add(
      ...(await new Promise<readonly Attempt[]>((done) => {
        worker.onmessage = ({ data }) => done(data as readonly Attempt[]);
        worker.onerror = () => done([]);
        worker.postMessage(target);
      })),
    );
    worker.terminate();
    const service = serviceWorker();
    this.isWithoutServiceWorker = service === null;
    if (service) add(...(await ask<readonly Attempt[]>(service, { type: 'try-ways', target })));
  }

  async #checkHeaders(): Promise<void> {
    const { base } = this.#parts;
    this.headersFailure = null;
    try {
      const scripts = [...this.#fetched].filter((address) => address.startsWith(base) && address.endsWith('.js'));
      const asked = [base, `${base}service-worker.js`, `${base}models/index.json`, `${base}${noFile}`, ...scripts.slice(0, 2)];
      this.headers = await Promise.all([
        ...asked.map((address) => this.#headersOf(address, 'HEAD')),
        ...[base, ...scripts.slice(0, 1)].map((address) => this.#headersOf(address, 'GET')),
      ]);
    } catch {
      this.headers = null;
      this.headersFailure = 'The server could not be asked: this device is offline, or the server does not answer.';
    }
  }

  /** HEAD goes past the service worker to the server; GET gives what the page is given. */
  async #headersOf(address: string, method: 'HEAD' | 'GET'): Promise<HeaderReport> {
    const { base, fetch } = this.#parts;
    const { headers } = await fetch(address, { method, cache: 'no-store' });
    return {
      address: address.slice(base.length) || './',
      from: method === 'HEAD' ? 'server' : 'service worker or server',
      differences: Object.entries(securityHeaders)
        .map(([name, expected]) => ({ name, expected, found: headers.get(name) }))
        .filter(({ expected, found }) => found !== expected),
    };
  }

  async #checkBuild(): Promise<void> {
    const { base, fetch } = this.#parts;
    this.buildFailure = null;
    try {
      const response = await fetch(`${base}build.json`, { cache: 'no-cache' });
      const list = (await response.json()) as BuildList;
      // Fetching the page that empties the storage would be one way to empty it.
      const files = list.files.filter(({ path }) => path !== clearing.page);
      const changed: string[] = [];
      for (const { path, sha256 } of files) {
        const bytes = await (await fetch(new URL(path, base), { cache: 'no-cache' })).arrayBuffer();
        if ((await hex(bytes)) !== sha256) changed.push(path);
      }
      const listed = new Set([
        base,
        `${base}build.json`,
        `${base}${noFile}`,
        ...list.files.map(({ path }) => new URL(path, base).href),
      ]);
      this.build = {
        version: list.version,
        code: buildCode(await hex(new TextEncoder().encode(sumsText(list)))),
        files: files.length,
        changed,
        unlisted: [...this.#fetched]
          .filter((address) => address.startsWith(base) && !listed.has(address))
          .map((address) => address.slice(base.length)),
      };
    } catch {
      this.build = null;
      this.buildFailure = 'The list of files could not be read: this device is offline, or the server does not answer.';
    }
  }
}

async function hex(bytes: BufferSource): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
