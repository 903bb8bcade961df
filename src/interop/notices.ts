import type { ImportCode } from './import-codes.ts';
import { mostNotices, type ImportNotice } from './imported.ts';
import { importSentences } from './sentences.ts';

/** Gathers notices of one file in its order: the first `mostNotices` are kept, all are counted. */
export class Notices {
  readonly kept: ImportNotice[] = [];
  count = 0;

  /** `place` is empty for the file as a whole; the message is the code's own sentence unless it can be said better. */
  add(code: ImportCode, place: string, message: string = importSentences[code]): void {
    this.count += 1;
    if (this.kept.length < mostNotices) this.kept.push({ code, place, message });
  }
}
