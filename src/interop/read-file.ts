/**
 * Any file to what it is and what it holds. Looks at the first bytes, not at the name, except that JSON and NDJSON are told from other
 * text by name too; hands each kind to its reader; puts files together that are parts of one export.
 */
import type { ImportCode } from './import-codes.ts';
import type { ImportFormat } from './imported.ts';
import { readFhir, readFhirNdjson } from './fhir/read-fhir.ts';
import { Notices } from './notices.ts';
import type { ImportGroup, StageOrder, TableLook } from './protocol.ts';
import { ImportRefusal } from './refusal.ts';
import { importSentences } from './sentences.ts';
import { refusedSummary, stagedOutcome, type Staged } from './staged.ts';
import { guessReading, guessSheet, lookAtTable, type TextGuess } from './tables/look-table.ts';
import type { TableReading } from './tables/mapping.ts';
import type { ModelFile } from './tables/model-rows.ts';
import { stageModel } from './tables/stage-model.ts';
import { omopModel, omopPart } from './tables/stage-omop.ts';
import { sdtmModel, sdtmPart } from './tables/stage-sdtm.ts';
import { sampleTable, stageTable } from './tables/stage-table.ts';
import { readHead, wideEncoding, type FileSource, type Pace } from './tables/text-file.ts';

/** How a long reading reports and stops; `of` gives the pace of one file. Throws where the person stopped it. */
export interface Pacing {
  of(file: FileSource): Pace;
}

/** A group that was opened: what it is, and how it is read. */
export interface OpenGroup {
  readonly group: ImportGroup;
  readonly look: (reading: TableReading, pacing: Pacing) => Promise<OpenGroup>;
  readonly sample: (order: StageOrder) => Promise<Staged>;
  readonly stage: (order: StageOrder, pacing: Pacing) => Promise<Staged>;
}

/** What one file is, before files are put together. */
type Sniffed =
  | { readonly kind: 'refused'; readonly format: ImportFormat; readonly code: ImportCode; readonly message: string }
  | { readonly kind: 'json' }
  | { readonly kind: 'ndjson'; readonly isBulk: boolean }
  | { readonly kind: 'workbook' }
  | { readonly kind: 'model'; readonly format: 'omop' | 'sdtm'; readonly part: string; readonly guess: TextGuess }
  | { readonly kind: 'table'; readonly guess: TextGuess };

/**
 * Opens files that were chosen together. Tables of OMOP are joined on person_id, domains of SDTM on USUBJID, and NDJSON files named as
 * bulk exports name them (`Observation.000.ndjson`) by their references; every other file stands alone. Never rejects for what a file
 * holds: it is then a group with a refusal.
 */
export async function openFiles(files: readonly FileSource[], pacing: Pacing): Promise<readonly OpenGroup[]> {
  const sniffed: { readonly file: FileSource; readonly is: Sniffed }[] = [];
  for (const file of files) sniffed.push({ file, is: await refusing(() => sniff(file, pacing.of(file))) });
  const groups: OpenGroup[] = [];
  const joined = new Set<string>();
  for (const { file, is } of sniffed) {
    const id = groups.length;
    if (is.kind === 'model') {
      if (joined.has(is.format)) continue;
      joined.add(is.format);
      const members = sniffed.flatMap(({ file, is: other }) =>
        other.kind === 'model' && other.format === is.format ? [{ file, part: other.part, guess: other.guess }] : [],
      );
      groups.push(modelGroup(id, is.format, members));
    } else if (is.kind === 'ndjson') {
      if (!is.isBulk) {
        groups.push(ndjsonGroup(id, [file]));
        continue;
      }
      if (joined.has('bulk')) continue;
      joined.add('bulk');
      groups.push(
        ndjsonGroup(
          id,
          sniffed.flatMap(({ file, is: other }) => (other.kind === 'ndjson' && other.isBulk ? [file] : [])),
        ),
      );
    } else if (is.kind === 'json') groups.push(jsonGroup(id, file));
    else if (is.kind === 'refused') groups.push(refusedGroup(id, [file], is.format, is.code, is.message));
    else groups.push(await tableGroup(id, file, is.kind === 'table' ? is.guess : null, null, pacing));
  }
  return groups;
}

async function refusing(read: () => Promise<Sniffed>): Promise<Sniffed> {
  try {
    return await read();
  } catch (error) {
    const { code, message } = refusalOf(error);
    return { kind: 'refused', format: 'unknown', code, message };
  }
}

/** What a person is told; anything else that was thrown (stopped, or a fault of ours) goes on. */
function refusalOf(error: unknown): ImportRefusal {
  if (error instanceof ImportRefusal) return error;
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotReadableError' || name === 'NotFoundError') {
    return new ImportRefusal(
      'truncated',
      'The file changed or was moved while it was read. Nothing of it was taken; choose it again.',
    );
  }
  throw error;
}

async function sniff(file: FileSource, pace: Pace): Promise<Sniffed> {
  const head = await readHead(file);
  if (head.length === 0) throw new ImportRefusal('empty', importSentences.empty);
  const seems = binaryKind(head);
  if (seems === 'zip') return { kind: 'workbook' };
  if (seems !== null) {
    const code = seems.startsWith('an old') ? 'spreadsheet_unreadable' : 'format_unknown';
    throw new ImportRefusal(code, `The file seems to be ${seems}. ${importSentences.format_unknown}`);
  }
  const start = new TextDecoder(wideEncoding(head) ?? 'utf-8').decode(head.subarray(0, 4096)).trimStart();
  const isNamedJson = /\.(?:json|ndjson|jsonl|smart-health-card)$/i.test(file.name);
  if (/"format"\s*:\s*"counterpart-run\//.test(start)) {
    return {
      kind: 'refused',
      format: 'counterpart-run',
      code: 'format_unknown',
      message: 'The file is a saved run of Counterpart and no record. Open it as a run.',
    };
  }
  if (isNamedJson || /^[{[]/.test(start)) {
    // A first line that is a lone bracket is the beginning of one value over many lines, whatever the file is called.
    const isLines =
      (/\.(?:ndjson|jsonl)$/i.test(file.name) && !/^[{[][ \t]*\r?\n/.test(start)) || /^\{[^\n]*\}[ \t]*\r?\n\s*\{/.test(start);
    return isLines ? { kind: 'ndjson', isBulk: /^[A-Z][A-Za-z]+(?:[._-]?\d+)?\.ndjson$/.test(file.name) } : { kind: 'json' };
  }
  if (start.startsWith('<?xml') || /^<\w+[^>]*xmlns/.test(start)) throw new ImportRefusal('is_xml', importSentences.is_xml);
  const guess = await guessReading(file, pace);
  if (guess.headers.length < 2)
    throw new ImportRefusal('format_unknown', `No table was found: nothing separates cells. ${importSentences.format_unknown}`);
  const omop = omopPart(guess.headers);
  if (omop) return { kind: 'model', format: 'omop', part: omop, guess };
  const sdtm = sdtmPart(guess.headers);
  return sdtm ? { kind: 'model', format: 'sdtm', part: sdtm, guess } : { kind: 'table', guess };
}

/** What files of other kinds start with. Null for what may be text. */
function binaryKind(head: Uint8Array): string | null {
  const at = (offset: number, text: string): boolean => [...text].every((letter, i) => head[offset + i] === letter.charCodeAt(0));
  if (at(0, 'PK\x03\x04') || at(0, 'PK\x05\x06')) return 'zip';
  if (at(0, '\xd0\xcf\x11\xe0')) return 'an old Excel file (.xls) or a workbook with a password';
  if (at(128, 'DICM')) return 'a DICOM image';
  if (head.length >= 348 && (at(344, 'n+1') || at(344, 'ni1') || at(4, 'n+2'))) return 'a NIfTI image';
  if (head[0] === 0x5c && head[1] === 1 && head[2] === 0 && head[3] === 0) return 'a NIfTI image';
  if (head[0] === 0x1f && head[1] === 0x8b) return 'a compressed file (gzip)';
  if (at(0, '%PDF')) return 'a PDF document';
  if (at(0, '\x89PNG') || at(0, '\xff\xd8\xff') || at(0, 'GIF8')) return 'a picture';
  if (at(0, 'HEADER RECORD*******')) return 'a SAS transport file (.xpt)';
  if (at(0, 'SQLite format 3')) return 'a database (SQLite)';
  if (at(0, 'PAR1')) return 'a Parquet file';
  if (at(0, 'Rar!') || at(0, '7z\xbc\xaf')) return 'a packed archive';
  return null;
}

const nothingToLook = async (): Promise<never> => {
  throw new Error('Broken promise: only tables are looked at again.');
};

function refusedGroup(
  id: number,
  files: readonly FileSource[],
  format: ImportFormat,
  code: ImportCode,
  message: string,
): OpenGroup {
  const nothing = async (): Promise<Staged> => refusedStage(namesOf(files), format, code, message);
  return {
    group: { ...emptyGroup(id, files, format), refusal: { code, message } },
    look: nothingToLook,
    sample: nothing,
    stage: nothing,
  };
}

/** Nothing of it was taken. */
function refusedStage(file: string, format: ImportFormat, code: ImportCode, message: string): Staged {
  return { summary: refusedSummary(file, format, code, message), patients: () => [], person: () => null, take: () => [] };
}

function emptyGroup(id: number, files: readonly FileSource[], format: ImportFormat): ImportGroup {
  return {
    id,
    files: files.map(({ name, size }) => ({ name, bytes: size, part: null })),
    format,
    refusal: null,
    notices: [],
    noticeCount: 0,
    table: null,
  };
}

const namesOf = (files: readonly FileSource[]): string => files.map(({ name }) => name).join(', ');

/** Runs a reader; what it refuses becomes a refused summary. */
async function staging(file: string, format: ImportFormat, read: () => Promise<Staged>): Promise<Staged> {
  try {
    return await read();
  } catch (error) {
    const { code, message } = refusalOf(error);
    return refusedStage(file, format, code, message);
  }
}

function jsonGroup(id: number, file: FileSource): OpenGroup {
  const stage = (order: StageOrder, pacing: Pacing): Promise<Staged> =>
    staging(file.name, 'fhir-json', async () => {
      const pace = pacing.of(file);
      const bytes = await wholeFile(file, pace);
      return stagedOutcome(await readFhir(bytes, { file: file.name, today: order.today, confirmed: order.confirmed, pace }));
    });
  return { group: emptyGroup(id, [file], 'fhir-json'), look: nothingToLook, sample: noSample, stage };
}

function ndjsonGroup(id: number, files: readonly FileSource[]): OpenGroup {
  const name = namesOf(files);
  const stage = (order: StageOrder, pacing: Pacing): Promise<Staged> =>
    staging(name, 'fhir-ndjson', async () => {
      const lines = new LineNames(files.length > 1);
      const options = {
        file: name,
        today: order.today,
        confirmed: order.confirmed,
        lineName: (line: number) => lines.nameOf(line),
      };
      return stagedOutcome(await readFhirNdjson(oneAfterTheOther(files, lines, pacing), options));
    });
  return { group: emptyGroup(id, files, 'fhir-ndjson'), look: nothingToLook, sample: noSample, stage };
}

/** Lines of several files that are read as one, each counted in its own file. */
class LineNames {
  readonly #isJoined: boolean;
  #file = '';
  #before = 0;
  #passed = 0;

  constructor(isJoined: boolean) {
    this.#isJoined = isJoined;
  }

  begin(file: string): void {
    this.#file = file;
    this.#before = this.#passed;
  }

  /** Lines are named after the piece that ends them was passed, and before the next one is. */
  pass(chunk: Uint8Array): void {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) this.#passed++;
  }

  nameOf(line: number): string {
    return this.#isJoined ? `${this.#file} line ${line - this.#before}` : `line ${line}`;
  }
}

const noSample = async (): Promise<never> => {
  throw new Error('Broken promise: only tables are sampled.');
};

async function* oneAfterTheOther(files: readonly FileSource[], lines: LineNames, pacing: Pacing): AsyncGenerator<Uint8Array> {
  const lineEnd = new Uint8Array([10]);
  for (const file of files) {
    const pace = pacing.of(file);
    let done = 0;
    lines.begin(file.name);
    for await (const chunk of file.chunks()) {
      lines.pass(chunk);
      yield chunk;
      done += chunk.length;
      await pace(done);
    }
    lines.pass(lineEnd);
    yield lineEnd;
  }
}

/** JSON has to be read at once. */
const mostJsonBytes = 256 * 1024 * 1024;

async function wholeFile(file: FileSource, pace: Pace): Promise<Uint8Array> {
  if (file.size > mostJsonBytes) throw new ImportRefusal('too_large', importSentences.too_large);
  const bytes = new Uint8Array(file.size);
  let length = 0;
  for await (const chunk of file.chunks()) {
    const part = chunk.subarray(0, bytes.length - length);
    bytes.set(part, length);
    length += part.length;
    await pace(length);
  }
  return bytes.subarray(0, length);
}

function modelGroup(
  id: number,
  format: 'omop' | 'sdtm',
  members: readonly { readonly file: FileSource; readonly part: string; readonly guess: TextGuess }[],
): OpenGroup {
  const files = members.map(({ file }) => file);
  const name = namesOf(files);
  const parts: readonly ModelFile[] = members.map(({ file, part, guess }) => ({ file, part, reading: guess.reading }));
  const notices = new Notices();
  for (const { file, guess } of members) {
    if (guess.reading.encoding !== 'utf-8') notices.add('encoding_guessed', file.name, importSentences.encoding_guessed);
  }
  const model = format === 'omop' ? omopModel : sdtmModel;
  return {
    group: {
      ...emptyGroup(id, files, format),
      files: members.map(({ file, part }) => ({ name: file.name, bytes: file.size, part })),
      notices: notices.kept,
      noticeCount: notices.count,
    },
    look: nothingToLook,
    sample: noSample,
    stage: (order, pacing) =>
      staging(name, format, () => stageModel(model, name, parts, order.confirmed, order.today, ({ file }) => pacing.of(file))),
  };
}

async function tableGroup(
  id: number,
  file: FileSource,
  guess: TextGuess | null,
  chosen: TableReading | null,
  pacing: Pacing,
): Promise<OpenGroup> {
  const pace = pacing.of(file);
  try {
    const sheet = guess ? null : await guessSheet(file, pace);
    const reading = chosen ?? guess?.reading ?? sheet!.reading;
    const { format, table, notices } = await lookAtTable(
      file,
      reading,
      sheet?.sheets ?? [],
      chosen === null && (guess?.delimiterIsUncertain ?? false),
      pace,
    );
    return {
      group: { ...emptyGroup(id, [file], format), notices: notices.kept, noticeCount: notices.count, table },
      look: (again, pacing) => tableGroup(id, file, guess, again, pacing),
      sample: (order) => staging(file.name, format, () => sampleTable(file, mappingOf(order, table), order.today)),
      stage: (order, pacing) =>
        staging(file.name, format, () => stageTable(file, mappingOf(order, table), order.today, pacing.of(file))),
    };
  } catch (error) {
    const { code, message } = refusalOf(error);
    return refusedGroup(id, [file], 'unknown', code, message);
  }
}

function mappingOf({ mapping }: StageOrder, table: TableLook): TableLook['suggestion'] {
  return mapping ?? table.suggestion;
}
