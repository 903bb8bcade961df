/** What staging an export of OMOP and one of SDTM have in common: its files, given together, are read row by row into one sink. */
import type { IsoDate } from '#domain/record.ts';
import { ConfirmedCodes } from '../confirmed-codes.ts';
import type { ConfirmedCode } from '../protocol.ts';
import type { Staged } from '../staged.ts';
import { eachRow, type ModelFile, type ModelRow } from './model-rows.ts';
import { ObservationSink } from './observation-sink.ts';
import type { Pace } from './text-file.ts';

export interface ModelReader {
  read(part: string, row: ModelRow, where: string, file: string): void;
  /** After the last row of the last file. */
  finish?(files: readonly ModelFile[]): void;
}

/** A data model: how its rows are read, and what is said of a table of it that is not. */
export interface DataModel {
  readonly format: 'omop' | 'sdtm';
  readonly unread: string;
  readonly reader: (sink: ObservationSink, confirmed: ConfirmedCodes) => ModelReader;
}

/** Files given together are joined on the person, whatever their order. */
export async function stageModel(
  { format, unread, reader: readerOf }: DataModel,
  name: string,
  files: readonly ModelFile[],
  confirmed: readonly ConfirmedCode[],
  today: IsoDate,
  paceOf: (file: ModelFile) => Pace,
): Promise<Staged> {
  const sink = new ObservationSink(today);
  const reader = readerOf(sink, new ConfirmedCodes(confirmed));
  for (const file of files) {
    if (file.part === 'other') {
      sink.notices.add('resource_unread', file.file.name, unread);
      continue;
    }
    await eachRow(file, sink.notices, paceOf(file), (row, where) => reader.read(file.part, row, where, file.file.name));
  }
  reader.finish?.(files);
  return sink.close(name, format, () => (files[0] ? paceOf(files[0])(files[0].file.size) : undefined));
}
