import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newProfile, openBrowser, removeProfile } from '../browser.ts';
import { seeded } from '../case.ts';
import type { TortureCase } from '../case.ts';
import type { Driver } from '../driver/main.ts';

declare const driver: Driver;

/** Records before the last pause, which must all come back, and after it, which may be the last seconds of work. */
const settled = 40;
const fresh = 5;

/** The folder of the origin's database inside a profile. */
function databaseFolder(profile: string): string {
  const folder = join(profile, 'Default/IndexedDB');
  const name = readdirSync(folder).find((one) => one.endsWith('.leveldb'));
  if (!name) throw new Error(`${folder}: no database was found.`);
  return join(folder, name);
}

function filesOf(folder: string, ending: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(folder, name));
}

function newestLog(folder: string): string {
  const log = filesOf(folder, '.log').at(-1);
  if (!log) throw new Error(`${folder}: no log was found.`);
  return log;
}

function flip(file: string, count: number, random: () => number): void {
  const bytes = readFileSync(file);
  for (let i = 0; i < count; i++) bytes[Math.floor(random() * bytes.length)]! ^= 0xff;
  writeFileSync(file, bytes);
}

type Harm = (folder: string, random: () => number) => void;

/** What a failing disk, a cut current or a clearing tool leaves of a database. */
const harms: Readonly<Record<string, Harm>> = {
  'the log is cut by 7 bytes': (folder) => {
    const log = newestLog(folder);
    truncateSync(log, Math.max(0, readFileSync(log).length - 7));
  },
  'the log is cut by 40 %': (folder) => {
    const log = newestLog(folder);
    truncateSync(log, Math.floor(readFileSync(log).length * 0.6));
  },
  'a byte of the log is flipped': (folder, random) => flip(newestLog(folder), 1, random),
  'fifty bytes of the tables or the log are flipped': (folder, random) => {
    const [file = newestLog(folder)] = filesOf(folder, '.ldb');
    flip(file, 50, random);
  },
  'a table is gone, or the log where there is none': (folder) => {
    const [file = newestLog(folder)] = filesOf(folder, '.ldb');
    rmSync(file);
  },
  'MANIFEST is gone': (folder) => {
    for (const name of readdirSync(folder)) if (name.startsWith('MANIFEST')) rmSync(join(folder, name));
  },
  'CURRENT is gone': (folder) => rmSync(join(folder, 'CURRENT')),
  'the log is empty': (folder) => truncateSync(newestLog(folder), 0),
  'the database is gone': (folder) => rmSync(folder, { recursive: true }),
};

/** A profile with a vault of `settled` records, written twice over so that tables exist, and `fresh` ones right before closing. */
async function makeTemplate(driverUrl: string): Promise<string> {
  const profile = newProfile();
  const context = await openBrowser(profile);
  const page = await context.newPage();
  await page.goto(driverUrl);
  await page.evaluate(() => driver.openVault());
  await page.evaluate((count) => driver.writeNumbered(1, count), settled);
  await page.waitForTimeout(5000);
  await page.evaluate(([from, count]) => driver.writeNumbered(from, count), [settled + 1, fresh] as const);
  await context.close();
  return profile;
}

export const storeDamaged: TortureCase = {
  name: 'store-damaged',
  must: 'corrupted or emptied IndexedDB: detected before any other screen, recovered, at most 5 s of work lost, never an unannounced empty app',
  // Rounds over all harms.
  times: { short: 1, long: 10 },
  limitSeconds: 300,
  async run({ driverUrl, times, seed, progress }) {
    const failures: string[] = [];
    const random = seeded(seed);
    const answers: Record<string, number> = {};
    let tried = 0;
    const template = await makeTemplate(driverUrl);
    try {
      for (let round = 0; round < times; round++) {
        for (const [words, harm] of Object.entries(harms)) {
          progress(tried++, times * Object.keys(harms).length);
          const profile = newProfile();
          cpSync(template, profile, { recursive: true });
          harm(databaseFolder(profile), random);
          const context = await openBrowser(profile);
          try {
            const page = await context.newPage();
            await page.goto(driverUrl);
            const { found, opened, numbers, wrong, unreadable } = await page.evaluate(() => driver.openDamaged());
            answers[found] = (answers[found] ?? 0) + 1;
            const where = `seed ${seed}, round ${round}, ${words}`;
            const missing = Array.from({ length: settled }, (_, i) => i + 1).filter((number) => !numbers.includes(number));
            if (found === 'nothing' || found === 'unencrypted') failures.push(`${where}: the start said “${found}”`);
            if (opened !== 'open') failures.push(`${where}: found “${found}”, but opening gave “${opened}”`);
            if (missing.length > 0) failures.push(`${where}: ${missing.length} of ${settled} settled records are lost`);
            if (wrong > 0 || unreadable > 0) failures.push(`${where}: ${wrong} wrong, ${unreadable} unreadable records`);
          } finally {
            await context.close();
            removeProfile(profile);
          }
        }
      }
    } finally {
      removeProfile(template);
    }
    if (existsSync(template)) failures.push('the template profile was left behind');
    return { tried, failures, figures: answers };
  },
};
