/**
 * What the import page would make of files, without a page: `npm run import-check -- FILE…`. One JSON line a file. The mapping of a table
 * is the suggested one, used only where nothing is left to guess; docs/import.md says what that means.
 */
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ImportedObservation } from '#interop/imported.ts';
import { openFiles, type OpenGroup, type Pacing } from '#interop/read-file.ts';
import type { Staged } from '#interop/staged.ts';
import type { FileSource } from '#interop/tables/text-file.ts';

const paths = process.argv.slice(2).filter((argument) => argument !== '--');
if (paths.length === 0 || paths.some((path) => path.startsWith('--'))) {
  process.stderr.write(
    'Usage: npm run import-check -- FILE…\nPrints one JSON line for each file: whether the import takes it, what of it, and why not the rest.\n',
  );
  process.exit(2);
}

const noPacing: Pacing = { of: () => () => {} };
const atOnce = 1000;

function sourceOf(path: string): FileSource {
  return {
    name: basename(path),
    size: statSync(path).size,
    async *chunks() {
      for await (const chunk of createReadStream(path)) yield chunk as Uint8Array;
    },
  };
}

/** The script's end of the pipe may be slower than its beginning. */
async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await new Promise((resolve) => process.stdout.once('drain', resolve));
}

type Line = Readonly<Record<string, unknown>>;

function refused(file: string, format: string, code: string, message: string): Line {
  return { file, outcome: 'refused', code, message, format, patients: 0, kept: [], refused: [], notices: [] };
}

function kept(
  patient: string,
  { concept, date, time, value, unit, comparator, receivedValue, receivedUnit, place, doubts }: ImportedObservation,
): Line {
  return {
    patient,
    analyte: concept.analyte,
    label: concept.label,
    codes: concept.codings.map(({ code }) => code),
    date,
    time,
    value,
    unit,
    comparator,
    received: { value: receivedValue, unit: receivedUnit },
    place,
    doubts,
  };
}

function left(patient: string, { concept, date, receivedValue, receivedUnit, place, problem }: ImportedObservation): Line {
  return { patient, place, code: problem, label: concept.label, date, received: { value: receivedValue, unit: receivedUnit } };
}

/** Prints the line of one file of a group piece by piece: a million values are never one text. */
async function printGroup(path: string, group: OpenGroup, staged: Staged): Promise<void> {
  const { summary } = staged;
  const name = basename(path);
  const isJoined = group.group.files.length > 1;
  if (summary.status === 'refused') {
    await print(`${JSON.stringify(refused(path, summary.format, summary.code ?? 'format_unknown', summary.message))}\n`);
    return;
  }
  // Of joined files each value is told with the file that it stands in.
  const isOfFile = (place: string): boolean => !isJoined || place.startsWith(`${name} line `);
  const isOfOther = (place: string): boolean => group.group.files.some((file) => place.startsWith(`${file.name} line `));
  const head = {
    file: path,
    outcome: 'accepted',
    warnings: summary.noticeCount,
    code: summary.code,
    message: summary.message,
    format: summary.format,
    ...(isJoined ? { joined: group.group.files.map((file) => file.name) } : {}),
    patients: summary.patientCount,
  };
  await print(JSON.stringify(head).slice(0, -1));
  const refusedLines: string[] = [];
  let separator = ',"kept":[';
  let doses = 0;
  let background = 0;
  for (let from = 0; from < summary.patientCount; from += atOnce) {
    for (const { key } of staged.patients(from, atOnce)) {
      const person = staged.person(key);
      doses += person?.doses.length ?? 0;
      background += person?.background.length ?? 0;
      for (let at = 0; at < (person?.observationCount ?? 0); at += atOnce) {
        for (const observation of staged.take(key, at, atOnce)) {
          if (!isOfFile(observation.place)) continue;
          if (observation.problem !== null) refusedLines.push(JSON.stringify(left(key, observation)));
          else {
            await print(`${separator}${JSON.stringify(kept(key, observation))}`);
            separator = ',';
          }
        }
      }
    }
  }
  if (separator !== ',') await print(separator);
  await print(`],"refused":[${refusedLines.join(',')}],"doses":${doses},"background":${background}`);
  const unmapped = group.group.table?.questions.map(({ code, message }) => ({ code, message })) ?? [];
  await print(
    `,"questions":${JSON.stringify(unmapped)},"notices":${JSON.stringify(summary.notices.filter(({ place }) => isOfFile(place) || !isOfOther(place)))}}\n`,
  );
}

/** The first JSON line of a file that could not be read at all, whatever went wrong. */
async function printFault(path: string, error: unknown): Promise<void> {
  const what = error instanceof Error ? error.message : String(error);
  await print(`${JSON.stringify(refused(path, 'unknown', 'format_unknown', `The file could not be read: ${what}`))}\n`);
}

const today = new Date().toISOString().slice(0, 10);

/** Files of one folder are opened together, as they would be chosen together on the page. */
async function checkFolder(inFolder: readonly string[]): Promise<void> {
  const pathOf = new Map<FileSource, string>();
  for (const path of inFolder) {
    try {
      pathOf.set(sourceOf(path), path);
    } catch (error) {
      await printFault(path, error);
    }
  }
  const sources = [...pathOf.keys()];
  let groups: readonly OpenGroup[];
  try {
    groups = await openFiles(sources, noPacing);
  } catch (error) {
    for (const path of pathOf.values()) await printFault(path, error);
    return;
  }
  for (const group of groups) {
    const members = [...pathOf.values()].filter((path) => group.group.files.some(({ name }) => name === basename(path)));
    try {
      const staged = await group.stage({ group: group.group.id, mapping: null, confirmed: [], today }, noPacing);
      for (const path of members) await printGroup(path, group, staged);
    } catch (error) {
      for (const path of members) await printFault(path, error);
    }
  }
}

/** A folder stands for the files in it. */
function filesAt(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(path, entry.name))
      .sort();
  } catch {
    return [path];
  }
}

const folders = new Map<string, string[]>();
for (const path of paths.flatMap(filesAt)) folders.set(dirname(path), [...(folders.get(dirname(path)) ?? []), path]);
for (const inFolder of folders.values()) await checkFolder(inFolder);
