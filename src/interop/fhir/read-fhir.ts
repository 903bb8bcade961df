/**
 * The doors for FHIR: one JSON file (resource, Bundle, SMART health card) or NDJSON in pieces. Nothing is fetched: a reference is
 * answered from the same file or not at all. Must not throw, whatever the bytes; a file that cannot be read gives a refused outcome.
 */
import type { IsoDate } from '#domain/record.ts';
import type { ImportFormat, ImportedPatient, ImportOutcome } from '../imported.ts';
import { cleanText, shortened } from '../clean-text.ts';
import { decodeText, PieceDecoder } from '../decode-text.ts';
import {
  isObject,
  pathText,
  readJson,
  type Json,
  type JsonNotice,
  type JsonObject,
  type JsonRefusalCode,
} from '../json-reader.ts';
import { Notices } from '../notices.ts';
import { ImportRefusal } from '../refusal.ts';
import { importSentences } from '../sentences.ts';
import { addBundle, addParameters } from './bundle.ts';
import { shownText } from './elements.ts';
import { Gather } from './gather.ts';
import { openHealthCard } from './health-card.ts';
import type { ConfirmedCode } from '../protocol.ts';

export interface FhirOptions {
  /** The file's name, without its folder. */
  readonly file: string;
  /** The last day that is not in the future. */
  readonly today: IsoDate;
  /** Local codes and names that a person has confirmed; none by default. */
  readonly confirmed?: readonly ConfirmedCode[];
  /** Called with the bytes (of text: characters) read so far, often enough to stop within a second. It may throw to stop. */
  readonly pace?: (done: number) => void | Promise<void>;
  /** What a line of NDJSON is called, by its number from 1. Default: `line 14`. */
  readonly lineName?: (line: number) => string;
  /** Stops the reading: the outcome is then refused with `cancelled`. */
  readonly signal?: AbortSignal;
}

/** What can be read at once; larger exports are NDJSON. */
const mostBytes = 256 * 1024 * 1024;
const mostLineCharacters = 32 * 1024 * 1024;

/** Reads one file of JSON: a resource, a Bundle, a SMART health card. Text or bytes; NDJSON is recognised and read too. */
export async function readFhir(content: Uint8Array | string, options: FhirOptions): Promise<ImportOutcome> {
  const notices = new Notices();
  return outcomeOf('fhir-json', options, notices, async () => {
    if (content.length > mostBytes) throw new ImportRefusal('too_large', importSentences.too_large);
    const text = textOfContent(content, notices);
    const json = readJson(text);
    if (!json.ok && json.code === 'not_json' && isLines(text)) {
      return { format: 'fhir-ndjson', patients: await readLines(asPieces(text), options, notices) };
    }
    if (!json.ok) throw jsonRefusal(json.code, `line ${json.line}, column ${json.column}`);
    await options.pace?.(content.length);
    stopIfAsked(options);
    tell(json.notices, notices, '');
    return readValue(json.value, options, notices);
  });
}

/** Reads NDJSON from pieces of any length, cut anywhere. Lines that cannot be read are named and left out; the others are taken. */
export async function readFhirNdjson(pieces: AsyncIterable<Uint8Array | string>, options: FhirOptions): Promise<ImportOutcome> {
  const notices = new Notices();
  return outcomeOf('fhir-ndjson', options, notices, async () => ({
    format: 'fhir-ndjson',
    patients: await readLines(pieces, options, notices),
  }));
}

interface Read {
  readonly format: ImportFormat;
  readonly patients: readonly ImportedPatient[];
}

async function outcomeOf(
  format: ImportFormat,
  options: FhirOptions,
  notices: Notices,
  read: () => Promise<Read>,
): Promise<ImportOutcome> {
  try {
    const done = await read();
    const first = notices.kept[0];
    return {
      file: options.file,
      format: done.format,
      status: first ? 'warned' : 'accepted',
      code: first?.code ?? null,
      message: first ? summaryOf(first.place, first.message, notices.count) : '',
      patients: done.patients,
      notices: notices.kept,
      noticeCount: notices.count,
    };
  } catch (error) {
    const refusal = refusalOf(error, options.signal);
    return {
      file: options.file,
      format,
      status: 'refused',
      code: refusal.code,
      message: refusal.message,
      patients: [],
      notices: notices.kept,
      noticeCount: notices.count,
    };
  }
}

function summaryOf(place: string, message: string, count: number): string {
  const where = place === '' ? '' : `${place}: `;
  return `${where}${message}${count > 1 ? ` And ${count - 1} more.` : ''}`;
}

function refusalOf(error: unknown, signal: AbortSignal | undefined): ImportRefusal {
  if (error instanceof ImportRefusal) return error;
  if (signal?.aborted || (error instanceof Error && error.name === 'AbortError')) {
    return new ImportRefusal('cancelled', importSentences.cancelled);
  }
  throw error;
}

function stopIfAsked(options: FhirOptions): void {
  if (options.signal?.aborted) throw new ImportRefusal('cancelled', importSentences.cancelled);
}

function textOfContent(content: Uint8Array | string, notices: Notices): string {
  const text = typeof content === 'string' ? content.replace(/^\ufeff/u, '') : decodeText(content, notices);
  if (text.trim() === '') throw new ImportRefusal('empty', importSentences.empty);
  if (/^\s*</u.test(text)) throw new ImportRefusal('is_xml', importSentences.is_xml);
  return text;
}

async function readValue(json: Json, options: FhirOptions, notices: Notices): Promise<Read> {
  const gather = new Gather({ file: options.file, today: options.today, confirmed: options.confirmed ?? [] }, notices);
  if (!isObject(json)) throw new ImportRefusal('not_fhir', importSentences.not_fhir);
  if (json.verifiableCredential !== undefined) {
    for (const bundle of await openHealthCard(json, notices)) addBundle(bundle, gather, notices, '');
    return { format: 'smart-health-card', patients: finish(gather, notices) };
  }
  if (typeof json.resourceType !== 'string') throw new ImportRefusal('not_fhir', importSentences.not_fhir);
  if (json.resourceType === 'Bundle') addBundle(json, gather, notices, '');
  else if (json.resourceType === 'Parameters') addParameters(json, gather, notices, '');
  else gather.add(json, { place: placeOf(json, ''), fullUrl: '' });
  return { format: 'fhir-json', patients: finish(gather, notices) };
}

/** Patients, unless the file is of an old version, every patient in it was refused, or nothing in it is of a patient. */
function finish(gather: Gather, notices: Notices): readonly ImportedPatient[] {
  const { version } = gather.signs;
  if (version !== null) {
    throw new ImportRefusal(
      'fhir_version_unsupported',
      `The file is FHIR ${version}. Expected R4, R4B or R5: export it as FHIR R4.`,
    );
  }
  const patients = gather.finish();
  if (patients.length > 0) return patients;
  const refused = notices.kept.find((notice) => notice.code === 'birth_in_future' || notice.code === 'date_impossible');
  if (refused) throw new ImportRefusal(refused.code, `${refused.place}: ${refused.message}`);
  if (gather.count === 0) throw new ImportRefusal('not_fhir', importSentences.not_fhir);
  notices.add('no_patient', '');
  return [];
}

async function readLines(
  pieces: AsyncIterable<Uint8Array | string>,
  options: FhirOptions,
  notices: Notices,
): Promise<readonly ImportedPatient[]> {
  const gather = new Gather({ file: options.file, today: options.today, confirmed: options.confirmed ?? [] }, notices);
  let number = 0;
  let filled = 0;
  let good = 0;
  for await (const line of linesOf(pieces, options, notices)) {
    number += 1;
    if (line?.trim() === '') continue;
    filled += 1;
    const place = options.lineName?.(number) ?? `line ${number}`;
    const json = line === null ? null : readJson(line);
    if (json === null || !json.ok || !isObject(json.value) || typeof json.value.resourceType !== 'string') {
      const what = json === null ? 'too long' : json.ok ? 'no resource' : json.code === 'number_overflow' ? 'a number too large' : json.code === 'too_deep' ? 'nested too deep' : 'not JSON'; // prettier-ignore
      notices.add('line_invalid', place, `The line cannot be read (${what}) and was left out. The other lines were read.`);
      continue;
    }
    good += 1;
    tell(json.notices, notices, place);
    if (json.value.resourceType === 'Bundle') addBundle(json.value, gather, notices, place);
    else gather.add(json.value, { place: placeOf(json.value, place), fullUrl: '' });
  }
  if (filled === 0) throw new ImportRefusal('empty', importSentences.empty);
  if (good === 0) throw new ImportRefusal('not_json', importSentences.not_json);
  return finish(gather, notices);
}

/** Lines of pieces that may be cut anywhere, null for one that is too long; the pace is kept after each piece. */
async function* linesOf(
  pieces: AsyncIterable<Uint8Array | string>,
  options: FhirOptions,
  notices: Notices,
): AsyncGenerator<string | null> {
  const decoder = new PieceDecoder(notices);
  const line = new OpenLine();
  let done = 0;
  for await (const piece of pieces) {
    stopIfAsked(options);
    done += piece.length;
    const text = typeof piece === 'string' ? piece : decoder.decode(piece);
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      line.add(text.slice(start, end));
      yield line.take();
      start = end + 1;
    }
    line.add(text.slice(start));
    await options.pace?.(done);
  }
  stopIfAsked(options);
  line.add(decoder.end());
  if (!line.isEmpty) yield line.take();
}

/** A line whose end has not come yet. What is longer than a line may be is not kept. */
class OpenLine {
  #parts: string[] = [];
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  add(text: string): void {
    this.#length += text.length;
    if (this.#length > mostLineCharacters) this.#parts = [];
    else if (text !== '') this.#parts.push(text);
  }

  take(): string | null {
    const line = this.#length > mostLineCharacters ? null : this.#parts.join('');
    this.#parts = [];
    this.#length = 0;
    // A byte order mark stands before the first line, and before others where files were joined.
    return line?.startsWith('\ufeff') ? line.slice(1) : line;
  }
}

/** Whether a text that is not one JSON value can be NDJSON: its first line is one. */
function isLines(text: string): boolean {
  const end = text.trimStart().indexOf('\n');
  return end !== -1 && readJson(text.trimStart().slice(0, end)).ok;
}

async function* asPieces(text: string): AsyncGenerator<string> {
  yield text;
}

function placeOf(resource: JsonObject, line: string): string {
  const type = shownText(resource.resourceType);
  const id = shownText(resource.id);
  const name = id === '' ? type : `${type}/${id}`;
  return line === '' ? name : `${line}, ${name}`;
}

function tell(found: readonly JsonNotice[], notices: Notices, line: string): void {
  for (const { code, path } of found) {
    const where = shortened(cleanText(pathText(path)));
    notices.add(code, line === '' ? where : `${line}, ${where}`);
  }
}

function jsonRefusal(code: JsonRefusalCode, place: string): ImportRefusal {
  return new ImportRefusal(code, `${place}: ${importSentences[code]}`);
}
