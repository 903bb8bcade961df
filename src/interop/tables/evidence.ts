/** What the cells of one column say about it: numbers and their decimal mark, dates and their order, tokens for "no value". */
import { isAskedAbout, isErrorCell, isMissing, looksLikeDate, markEvidence, orderEvidence } from './cells.ts';
import { readSex } from './header-words.ts';
import { detached } from '../observation-store.ts';

const none: ReadonlySet<string> = new Set();
const mostDistinct = 500;

export class ColumnEvidence {
  filled = 0;
  numbers = 0;
  dates = 0;
  loinc = 0;
  sexes = 0;
  /** Numbers with `<` or `>`. */
  limits = 0;
  /** `120/80`. */
  pairs = 0;
  readonly marks = { comma: 0, point: 0, maybeComma: 0, maybePoint: 0 };
  readonly orders = { dmy: 0, mdy: 0, either: 0 };
  /** Tokens that always mean "no value", and those that a person is asked about. */
  readonly missing = new Map<string, number>();
  readonly asked = new Map<string, number>();
  /** Distinct cells; null when there were more than 500. */
  distinct: Map<string, number> | null = new Map();
  readonly #known = new Map<string, (this: ColumnEvidence) => void>();

  see(cell: string): void {
    const text = cell.trim();
    if (text === '') return;
    this.filled++;
    if (this.distinct) {
      const count = this.distinct.get(text);
      if (count !== undefined) this.distinct.set(text, count + 1);
      else if (this.distinct.size < mostDistinct) this.distinct.set(detached(text), 1);
      else this.distinct = null;
    }
    let mark = this.#known.get(text);
    if (!mark) {
      mark = judge(text);
      if (this.#known.size < 4096) this.#known.set(detached(text), mark);
    }
    mark.call(this);
  }

  /** Cells that say something, tokens for "no value" not among them. */
  get values(): number {
    let missing = 0;
    for (const count of this.missing.values()) missing += count;
    return this.filled - missing;
  }

  get samples(): readonly string[] {
    return [...this.#known.keys()].slice(0, 5);
  }
}

function judge(text: string): (this: ColumnEvidence) => void {
  if (isMissing(text, none)) {
    return function () {
      countIn(this.missing, text);
    };
  }
  if (isErrorCell(text)) return function () {};
  if (isAskedAbout(text)) {
    return function () {
      countIn(this.asked, text);
      this.numbers++;
    };
  }
  const isLoinc = /^\d{1,7}-\d$/.test(text);
  const isDate = looksLikeDate(text);
  const order = orderEvidence(text);
  const mark = markEvidence(text);
  const isNumber = mark !== null || /^(?:<=|>=|[<>≤≥])?\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*%?$/i.test(text);
  const isLimit = isNumber && /^[<>≤≥]/.test(text);
  const isPair = /^\d{2,3}\s*\/\s*\d{2,3}$/.test(text);
  const isSex = text.length < 14 && readSex(text) !== null;
  return function () {
    if (isDate) this.dates++;
    if (isNumber) this.numbers++;
    if (isLoinc) this.loinc++;
    if (isSex) this.sexes++;
    if (isLimit) this.limits++;
    if (isPair) this.pairs++;
    if (mark) this.marks[mark]++;
    if (order) this.orders[order]++;
  };
}

function countIn(counts: Map<string, number>, text: string): void {
  const known = counts.get(text);
  if (known !== undefined || counts.size < 50) counts.set(text, (known ?? 0) + 1);
}
