/**
 * A whole run in one file that opens again to the same picture. `docs/run-file.md` is its specification; `readRun` is the one door by
 * which such a file enters, and past it nobody checks again.
 */
import * as v from 'valibot';
import { AppError } from '#domain/errors.ts';
import type { Forecast } from '#domain/forecast.ts';
import type { IsoMinute, PatientRecord } from '#domain/record.ts';
import { isIsoMinute } from '#domain/doses.ts';
import type { RunStamp } from './about.ts';
import { safetyLine } from './about.ts';
import { isObject, JsonConflict, JsonNumber, readJson } from '../json-reader.ts';
import type { Json } from '../json-reader.ts';
import { forecastSchema, shapeFault } from './forecast-schema.ts';

export const runFormat = 'counterpart-run/1';

/** Above so many bytes a file is not read. */
const mostRunBytes = 16 * 2 ** 20;

export interface RunFile {
  readonly format: typeof runFormat;
  readonly simulated: true;
  readonly notice: string;
  readonly app: { readonly name: 'Counterpart'; readonly version: string };
  /** UTC, ISO 8601. Moved like every other date when `identity` is `removed`. */
  readonly madeAt: string;
  /** `removed`: no name, text or true date; `kept`: as in the vault. */
  readonly identity: 'removed' | 'kept';
  /** SHA-256 of `inputsText`. */
  readonly inputsHash: string;
  /** SHA-256 of `contentText`: what was changed after writing is noticed. It is no signature; whoever changes a file can make it anew. */
  readonly contentHash: string;
  /** The minute from which the forecast counts, on the person's own clock. */
  readonly now: IsoMinute;
  /** As the run was ordered; `forecast.run.rollouts` is what was simulated. */
  readonly rollouts: number;
  /** True where the run was stopped after its first courses. */
  readonly isPreliminary: boolean;
  /** How the result was read on the page. */
  readonly reading: { readonly outcome: string; readonly readDay: number };
  /** What the pack says of itself, so that the picture can be drawn where the pack is not installed. Read by the door of packs. */
  readonly manifest: unknown;
  readonly record: PatientRecord;
  readonly forecast: Forecast;
}

const text = (most: number) => v.pipe(v.string(), v.maxLength(most));
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'expected 64 digits of a SHA-256'));

const runSchema = v.strictObject({
  format: v.literal(runFormat),
  simulated: v.literal(true),
  notice: v.literal(safetyLine),
  app: v.strictObject({ name: v.literal('Counterpart'), version: text(64) }),
  madeAt: v.pipe(v.string(), v.isoTimestamp()),
  identity: v.picklist(['removed', 'kept']),
  inputsHash: hash,
  contentHash: hash,
  now: v.pipe(v.string(), v.check(isIsoMinute, 'expected YYYY-MM-DDTHH:MM')),
  rollouts: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000_000)),
  isPreliminary: v.boolean(),
  reading: v.strictObject({ outcome: text(200), readDay: v.pipe(v.number(), v.finite(), v.minValue(0)) }),
  manifest: v.looseObject({}),
  record: v.unknown(),
  forecast: forecastSchema,
});

/** The file's text, in one line. The same run gives the same bytes, also when it was opened from a file. */
export function writeRun(run: RunFile): string {
  return `${JSON.stringify(run)}\n`;
}

/** Everything but the hash itself, whatever the order of keys or the blanks were in a file. */
export function contentText(run: RunFile): string {
  return writeRun({ ...run, contentHash: '' });
}

/**
 * A file to a run, every number checked: JSON that a stranger may have made, read with bounded depth; equal keys and keys that name
 * parts of objects are refused.
 *
 * @throws AppError `run_invalid` naming the place, never its value.
 */
export function readRunFile(bytes: Uint8Array, readRecord: (value: unknown) => PatientRecord): RunFile {
  if (bytes.byteLength > mostRunBytes) throw refused(`it has more than ${mostRunBytes / 2 ** 20} MiB`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refused('it is not text in UTF-8');
  }
  const read = readJson(text);
  if (!read.ok) throw refused(`line ${read.line}, column ${read.column}: not JSON that can be read`);
  const doubtful = read.notices.find(({ code }) => code === 'key_duplicate' || code === 'key_forbidden');
  if (doubtful)
    throw refused(`${doubtful.path.join('.').slice(0, 80) || 'the file'}: a key that may not be there, or is there twice`);
  return readRun(plain(read.value), readRecord);
}

/** Numbers as numbers; the notices have been seen. */
function plain(json: Json): unknown {
  if (json instanceof JsonNumber) return json.value;
  if (json instanceof JsonConflict) return undefined;
  if (Array.isArray(json)) return json.map(plain);
  if (!isObject(json)) return json;
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, value === undefined ? value : plain(value)]));
}

/**
 * A parsed file to a run, every number checked. Keys come in the order of the format, so that `writeRun` gives back the same bytes.
 * `readRecord` is the door for records, which throws on what is none.
 *
 * @throws AppError `run_invalid` naming the place, never its value.
 */
export function readRun(value: unknown, readRecord: (value: unknown) => PatientRecord): RunFile {
  const found = Object(value) as { readonly format?: unknown };
  if (typeof found.format !== 'string' || !found.format.startsWith('counterpart-run/'))
    throw refused('it does not say that it is one (format)');
  if (found.format !== runFormat)
    throw refused(`it has another format than ${runFormat}. A later version of Counterpart may have written it`);
  const outcome = v.safeParse(runSchema, value);
  if (!outcome.success) {
    const places = [...new Set(outcome.issues.map((issue) => v.getDotPath(issue) ?? 'the file'))];
    throw refused(`${places.slice(0, 3).join(', ')}: not what the format asks for there`);
  }
  const run = { ...outcome.output, record: recordOf(outcome.output.record, readRecord) };
  const fault = shapeFault(run.forecast);
  if (fault) throw refused(fault);
  if (run.now.slice(0, 10) !== run.forecast.today) throw refused('now and forecast.today: they name different days');
  return run;
}

function recordOf(value: unknown, readRecord: (value: unknown) => PatientRecord): PatientRecord {
  try {
    return readRecord(value);
  } catch (cause) {
    if (cause instanceof AppError) throw refused('record: it is not a patient record of this version');
    throw cause;
  }
}

function refused(why: string): AppError {
  return new AppError(
    'run_invalid',
    `This is not a run that can be opened: ${why}. Nothing was taken from it. Export the run again where it was made.`,
  );
}

export function stampOf({ forecast, app, inputsHash, madeAt, identity, record }: RunFile): RunStamp {
  const { pack, run } = forecast;
  return {
    appVersion: app.version,
    packId: pack.id,
    packVersion: pack.version,
    packDigest: pack.digest,
    packTitle: pack.title,
    seed: run.seed,
    rollouts: run.rollouts,
    engine: run.engine,
    engineDescription: run.engineDescription,
    inputsHash,
    madeAt,
    isDeIdentified: identity === 'removed',
    corrections: (forecast.corrections ?? []).map(({ words }) => words),
    isSynthetic: record.isSynthetic,
  };
}
