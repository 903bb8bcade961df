/** A browser whose profile outlives it, and the ways of ending it badly. Linux only: processes are found in /proc. */
import { chromium } from '@playwright/test';
import type { BrowserContext } from '@playwright/test';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromiumFlags, requireChromium } from '../../scripts/chromium.mjs';

export function newProfile(): string {
  return mkdtempSync(join(tmpdir(), 'counterpart-torture-'));
}

export function removeProfile(profile: string): void {
  rmSync(profile, { recursive: true, force: true });
}

export interface OpenOptions {
  readonly flags?: readonly string[];
  /** For relative addresses. */
  readonly baseURL?: string;
}

export async function openBrowser(profile: string, { flags = [], baseURL }: OpenOptions = {}): Promise<BrowserContext> {
  // What a killed browser leaves behind, and what the next one takes for a running one.
  for (const name of readdirSync(profile)) if (name.startsWith('Singleton')) rmSync(join(profile, name), { force: true });
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: requireChromium(),
    args: [...chromiumFlags, ...flags],
    locale: 'en-GB',
    timezoneId: 'UTC',
    ...(baseURL ? { baseURL } : {}),
  });
  // What does not come says so, and does not hold the case until its end.
  context.setDefaultTimeout(60_000);
  return context;
}

export interface Process {
  readonly pid: number;
  /** `browser`, `renderer`, `gpu-process`, `utility`… */
  readonly type: string;
}

/** The processes of one profile. Children do not name it, so they are found by their parents. */
function processesOf(profile: string): Process[] {
  const all = new Map<number, { parent: number; line: string }>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const line = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      all.set(Number(name), { parent, line });
    } catch {
      // It ended while the list was read.
    }
  }
  const isOurs = (pid: number): boolean => {
    for (let at = all.get(pid); at; at = all.get(at.parent)) if (at.line.includes(profile)) return true;
    return false;
  };
  return [...all]
    .filter(([pid, { line }]) => isOurs(pid) && /chrom/i.test(line))
    .map(([pid, { line }]) => ({ pid, type: /--type=([\w-]+)/.exec(line)?.[1] ?? 'browser' }));
}

/** SIGKILL, as the power button of a task manager: nobody may say goodbye. `types` restricts it. */
export function kill(profile: string, types?: readonly string[]): number {
  const targets = processesOf(profile).filter(({ type }) => !types || types.includes(type));
  for (const { pid } of targets) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  return targets.length;
}

export async function waitUntilGone(profile: string, withinMs = 10_000): Promise<void> {
  const until = Date.now() + withinMs;
  while (processesOf(profile).length > 0) {
    if (Date.now() > until) throw new Error(`${profile}: the killed browser still has processes after ${withinMs} ms.`);
    await sleep(20);
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** Resident memory of a profile's renderers, bytes: the greatest, since one page has one. */
export function rendererBytes(profile: string): number {
  let most = 0;
  for (const { pid, type } of processesOf(profile)) {
    if (type !== 'renderer' || !existsSync(`/proc/${pid}/status`)) continue;
    try {
      const kiB = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
      most = Math.max(most, kiB * 1024);
    } catch {
      // It ended while it was read.
    }
  }
  return most;
}
