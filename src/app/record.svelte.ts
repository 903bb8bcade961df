/** The record being typed: draft, checks, confirmation, saving. Knows no page. */
import { hoursBetween, isIsoMinute } from '#domain/doses.ts';
import { AppError } from '#domain/errors.ts';
import type { IsoMinute, PatientRecord } from '#domain/record.ts';
import { unitsOf } from '#packs/conditioning.ts';
import type { PackManifest, Quantity } from '#packs/manifest.ts';
import type { Shelf } from '#vault/vault.ts';
import { dueDoses, mostDoses } from './dose-check.ts';
import type { DueDose } from './dose-check.ts';
import { readShorthand } from './dose-shorthand.ts';
import { dosedInterventions } from './dosed.ts';
import type { Dosed } from './dosed.ts';
import { checkDraft } from './record-check.ts';
import type { Issue, Place } from './issues.ts';
import { byHand, draftOf, emptyDraft, emptyRow, isEmptyRow } from './record-draft.ts';
import type { DraftCourse, DraftException, DraftRow, NewId, RecordDraft } from './record-draft.ts';
import { readClock, readHours } from './read-time.ts';

export interface RecordParts {
  readonly patients: Shelf<PatientRecord>;
  readonly drafts: Shelf<RecordDraft>;
  readonly now: () => IsoMinute;
  readonly newId: NewId;
  /** In the demonstration vault everybody is made up. */
  readonly isDemonstration: boolean;
  /** Called after a save, with the record as it is now in the vault. */
  readonly onSaved: (record: PatientRecord) => void;
}

export interface Column {
  readonly code: string;
  readonly label: string;
  readonly units: readonly string[];
  /** Only for signs. */
  readonly levels: readonly { readonly value: number; readonly label: string }[];
}

export class RecordEditor {
  readonly id: string;
  readonly #parts: RecordParts;
  draft = $state({} as RecordDraft);
  manifest = $state.raw({} as PackManifest);
  /** Unsaved changes are in the draft. */
  isDirty = $state(false);
  isSaving = $state(false);
  /** Whether everything is to be marked, or only what was left behind. */
  wasAsked = $state(false);
  failure = $state.raw<AppError | null>(null);
  /** A draft from an earlier visit was found and is shown. */
  isRestored = $state(false);
  readonly columns: readonly Column[] = $derived(columnsOf(this.manifest));
  /** The rows that this pack has a column for: dates on which only other packs' values were measured have nothing to show. */
  readonly rows: readonly DraftRow[] = $derived(
    this.draft.rows.filter((row) => {
      const codes = Object.keys(row.cells);
      return codes.length === 0 || this.columns.some(({ code }) => code in row.cells);
    }),
  );
  readonly #checked = $derived.by(() =>
    checkDraft(this.draft, { manifest: this.manifest, now: this.#parts.now(), newId: this.#parts.newId }),
  );
  readonly issues: readonly Issue[] = $derived(this.#checked.issues);
  /** What can be given in doses under this pack. */
  readonly dosed: readonly Dosed[] = $derived(dosedInterventions(this.manifest));
  #keeping: Promise<unknown> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #units = $state<Record<string, string>>({});

  private constructor(id: string, draft: RecordDraft, manifest: PackManifest, parts: RecordParts) {
    this.id = id;
    this.#parts = parts;
    this.draft = draft;
    this.manifest = manifest;
  }

  /** Opens what was left unsaved, else the saved record, else an empty one. */
  static async open(
    id: string,
    saved: PatientRecord | null,
    alias: string,
    manifest: PackManifest,
    parts: RecordParts,
  ): Promise<RecordEditor> {
    const kept = await parts.drafts.get(id).catch(() => null);
    const draft =
      kept?.value ??
      (saved
        ? draftOf(saved, manifest, parts.newId)
        : emptyDraft(alias, parts.now().slice(0, 10), parts.isDemonstration, parts.newId));
    const editor = new RecordEditor(id, draft, manifest, parts);
    editor.isDirty = editor.isRestored = kept !== null;
    return editor;
  }

  issueAt(at: Place): Issue | null {
    return this.issues.find((issue) => issue.at === at) ?? null;
  }

  /** Call after every change: keeps the draft on the disk, so that a closed tab loses nothing. */
  changed(): void {
    this.isDirty = true;
    this.failure = null;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.keep(), 250);
  }

  /** Writes the draft now. */
  keep(): Promise<unknown> {
    clearTimeout(this.#timer);
    if (!this.isDirty) return this.#keeping;
    const draft = $state.snapshot(this.draft) as RecordDraft;
    // In order: a slow earlier write must not land after a later one. A draft that cannot be written is still on the page.
    this.#keeping = this.#keeping.then(() => this.#parts.drafts.put(this.id, draft, 'any')).catch(() => {});
    return this.#keeping;
  }

  setCovariate(id: string, text: string, unit?: string): void {
    const covariate = this.manifest.covariates.find((one) => one.id === id);
    const canonical = covariate?.kind === 'number' ? covariate.unit : '';
    this.draft.covariates[id] = { text, unit: unit ?? this.draft.covariates[id]?.unit ?? canonical, isConfirmed: false };
    this.changed();
  }

  setDate(row: string, date: string): void {
    this.#row(row).date = date;
    this.#keepEmptyRow();
    this.changed();
  }

  setTime(row: string, time: string): void {
    this.#row(row).time = time;
    this.#keepEmptyRow();
    this.changed();
  }

  setCell(row: string, code: string, text: string): void {
    const cells = this.#row(row).cells;
    const cell = cells[code];
    if (cell?.text === text) return;
    if (text === '') delete cells[code];
    else
      cells[code] = {
        text,
        unit: cell?.unit ?? this.unitOf(code),
        isConfirmed: false,
        observationId: cell?.observationId ?? null,
        source: byHand,
      };
    this.#keepEmptyRow();
    this.changed();
  }

  /** The unit that numbers without one are read in: that of the column's latest value, else the pack's. */
  unitOf(code: string): string {
    const used = this.draft.rows.findLast((row) => row.cells[code])?.cells[code]?.unit;
    return this.#units[code] ?? used ?? this.columns.find((column) => column.code === code)?.units[0] ?? '';
  }

  /** For values typed from now on; what stands there keeps its own unit. */
  setUnit(code: string, unit: string): void {
    this.#units[code] = unit;
  }

  confirm(at: Place): void {
    const [kind, id, code] = at.split(':') as [string, string, string | undefined];
    const confirmed = {
      covariate: () => this.draft.covariates[id],
      cell: () => this.#row(id).cells[code!],
      date: () => this.#row(id),
      course: () => this.#course(id),
    }[kind as 'covariate' | 'cell' | 'date' | 'course']();
    if (confirmed) confirmed.isConfirmed = true;
    this.changed();
  }

  /** Cells of a spreadsheet, from one cell to the right and down. Column −1 is the date. */
  paste(row: string, column: number, text: string): void {
    const lines = text.replace(/\r\n?/g, '\n').replace(/\n$/, '').split('\n');
    // Down the rows that are seen: a row that is not shown must not take a value.
    let index = this.rows.findIndex((one) => one.id === row);
    for (const line of lines) {
      if (index >= this.rows.length) this.draft.rows.push(emptyRow(this.#parts.newId));
      const target = this.#row(this.rows[index++]!.id);
      line.split('\t').forEach((value, offset) => {
        const at = column + offset;
        if (at < 0) {
          const [, day, clock] = /^(.*?)(?:[ T](\d{1,2}[:.]\d{2})(?::\d{2})?)?$/.exec(value.trim()) ?? [];
          target.date = dayOf(day ?? '');
          if (clock) target.time = readClock(clock) ?? clock;
        } else if (this.columns[at]) this.setCell(target.id, this.columns[at].code, value.trim());
      });
    }
    this.#keepEmptyRow();
    this.changed();
  }

  removeRow(row: string): void {
    this.draft.rows = this.draft.rows.filter((one) => one.id !== row);
    this.#keepEmptyRow();
    this.changed();
  }

  /** Takes a line of shorthand as a new course. Null when it was understood, else one sentence why not. */
  addShorthand(typed: string): string | null {
    const read = readShorthand(typed, this.dosed, this.#parts.now().slice(0, 10));
    if ('fault' in read) return read.fault;
    this.#addCourse(read.fields);
    return null;
  }

  /** A line to fill in, like the last one but for its start. */
  addCourse(): void {
    const drug = this.dosed[0];
    const last = this.draft.courses.at(-1);
    this.#addCourse({
      intervention: last?.intervention ?? (this.dosed.length === 1 ? drug!.intervention.id : ''),
      amount: last?.amount ?? '',
      unit: last?.unit ?? drug?.unit ?? '',
      route: last?.route ?? drug?.routes[0] ?? 'oral',
      duration: last?.duration ?? '',
      start: '',
      every: last?.every ?? '',
      count: '',
    });
  }

  #addCourse(fields: Omit<DraftCourse, 'id' | 'isConfirmed' | 'exceptions'>): void {
    this.draft.courses.push({ id: this.#parts.newId(), isConfirmed: false, exceptions: [], ...fields });
    this.changed();
  }

  /** Changes a line. Another drug brings its own unit and route. */
  setCourse(id: string, fields: Partial<DraftCourse>): void {
    const course = this.#course(id);
    const drug = this.dosed.find(({ intervention }) => intervention.id === fields.intervention);
    if (drug && !drug.units.includes(course.unit)) course.unit = drug.unit;
    if (drug && !drug.routes.includes(course.route)) course.route = drug.routes[0]!;
    Object.assign(course, fields, { isConfirmed: false });
    this.changed();
  }

  removeCourse(id: string): void {
    this.draft.courses = this.draft.courses.filter((one) => one.id !== id);
    this.changed();
  }

  /** What was made of one dose; null is "as planned". */
  setException(courseId: string, number: number, exception: Omit<DraftException, 'number'> | null): void {
    const course = this.#course(courseId);
    const others = course.exceptions.filter((one) => one.number !== number);
    course.exceptions = exception ? [...others, { number, ...exception }].sort((a, b) => a.number - b.number) : others;
    this.changed();
  }

  /** The doses of a line that were due by now, as far as its interval can be read. */
  dosesOf(course: DraftCourse): readonly DueDose[] {
    const everyHours = course.every.trim() === '' ? null : readHours(course.every);
    const count = course.count.trim() === '' ? null : Number(course.count);
    if (!isIsoMinute(course.start) || (everyHours !== null && !(everyHours > 0)) || (count !== null && !(count >= 1))) return [];
    const now = this.#parts.now();
    if (everyHours !== null && hoursBetween(course.start, now) / everyHours > mostDoses) return [];
    return dueDoses({ start: course.start, everyHours, count }, now);
  }

  addTreatment(): void {
    this.draft.treatments.push({ id: this.#parts.newId(), intervention: '', start: this.draft.entryDate, stop: '' });
    this.changed();
  }

  removeTreatment(id: string): void {
    this.draft.treatments = this.draft.treatments.filter((one) => one.id !== id);
    this.changed();
  }

  addEvent(): void {
    this.draft.events.push({ id: this.#parts.newId(), event: '', date: '' });
    this.changed();
  }

  removeEvent(id: string): void {
    this.draft.events = this.draft.events.filter((one) => one.id !== id);
    this.changed();
  }

  /** True when the record is on the disk. Otherwise `issues` or `failure` say why not, and everything typed is still there. */
  async save(options: { overwrite?: boolean; asNew?: string } = {}): Promise<boolean> {
    this.wasAsked = true;
    const { record } = this.#checked;
    if (!record || this.isSaving) return false;
    this.isSaving = true;
    this.failure = null;
    try {
      const id = options.asNew ?? this.id;
      const full = { ...($state.snapshot(record) as typeof record), id, updatedAt: 0 };
      const expected = options.overwrite ? 'any' : options.asNew ? null : this.draft.base;
      const updatedAt = await this.#parts.patients.put(id, full, expected);
      this.draft.base = updatedAt;
      clearTimeout(this.#timer);
      this.isDirty = this.isRestored = false;
      await this.#keeping;
      await this.#parts.drafts.remove(this.id).catch(() => {});
      this.#parts.onSaved({ ...full, updatedAt });
      return true;
    } catch (error) {
      this.failure =
        error instanceof AppError
          ? error
          : new AppError('vault_write_failed', 'The record could not be saved. What you typed is still here; try again.');
      await this.keep();
      return false;
    } finally {
      this.isSaving = false;
    }
  }

  /** Lets go of what was typed since the last save. */
  async discard(saved: PatientRecord | null): Promise<void> {
    clearTimeout(this.#timer);
    await this.#keeping;
    await this.#parts.drafts.remove(this.id).catch(() => {});
    if (saved) this.draft = draftOf(saved, this.manifest, this.#parts.newId);
    this.isDirty = this.isRestored = this.wasAsked = false;
    this.failure = null;
  }

  #course(id: string) {
    return this.draft.courses.find((course) => course.id === id)!;
  }

  #row(id: string) {
    return this.draft.rows.find((row) => row.id === id)!;
  }

  /** There is always one empty line to type into. */
  #keepEmptyRow(): void {
    const last = this.draft.rows.at(-1);
    if (!last || !isEmptyRow(last)) this.draft.rows.push(emptyRow(this.#parts.newId));
  }
}

/** The units a covariate may be typed in, the pack's own first. */
export const unitsFor = unitsOf;

function columnsOf(manifest: PackManifest): Column[] {
  return [
    ...manifest.markers.map((marker) => ({ code: marker.id, label: marker.label, units: unitsOf(marker), levels: [] })),
    ...manifest.covariates
      .filter((covariate) => covariate.kind === 'number' && covariate.varies === true)
      .map((covariate) => ({ code: covariate.id, label: covariate.label, units: unitsOf(covariate as Quantity), levels: [] })),
    ...manifest.signs.map((sign) => ({ code: sign.id, label: sign.label, units: [], levels: sign.levels })),
  ];
}

/** A pasted day: ISO as it is; 3.11.2024 and 13/11/2024 where only one reading exists. Anything else stays as text and is refused in place. */
function dayOf(text: string): string {
  const match = /^(\d{1,2})([./-])(\d{1,2})\2(\d{4})$/.exec(text);
  if (!match) return text;
  const [, first, mark, second, year] = match as unknown as [string, string, string, string, string];
  const isDayFirst = mark === '.' || Number(first) > 12;
  if (!isDayFirst && Number(second) <= 12) return text;
  const [day, month] = isDayFirst ? [first, second] : [second, first];
  return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
}
