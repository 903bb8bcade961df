/** What leaves the app by a person's own hand: made here as text, noted in the audit log, and downloaded by the page. */
import { AppError } from '#domain/errors.ts';
import type { Plan } from '#domain/plan.ts';
import { addDays } from '#domain/record.ts';
import type { IsoMinute } from '#domain/record.ts';
import { fileName, safetyLine, stampLines } from '#interop/export/about.ts';
import type { FileKind } from '#interop/export/about.ts';
import { measuredCsv, simulatedCsv } from '#interop/export/csv.ts';
import { deIdentifyForecast, deIdentifyRecord, drawShift, moveMinute } from '#interop/export/de-identify.ts';
import type { Removal } from '#interop/export/de-identify.ts';
import { writeBundle } from '#interop/export/fhir-parts.ts';
import { recordBundle } from '#interop/export/fhir-record.ts';
import { runBundle } from '#interop/export/fhir-run.ts';
import type { RecordedAction } from '#interop/export/fhir-run.ts';
import { inputsText } from '#interop/export/inputs.ts';
import { contentText, readRun, readRunFile, runFormat, stampOf, writeRun } from '#interop/export/run-file.ts';
import type { RunFile } from '#interop/export/run-file.ts';
import { sha256 } from '#packs/digests.ts';
import { decodeManifest } from '#packs/decode.ts';
import type { PackManifest } from '#packs/manifest.ts';
import { readRecord } from '#vault/read-record.ts';
import type { AuditLog } from '#vault/vault.ts';
import type { Audit } from '../audit.svelte.ts';
import { disagreements, disagreementSentence } from '../disagreement.ts';
import { failureOf } from '../failure.ts';
import type { Failure } from '../failure.ts';
import type { ForecastState } from '../forecast.svelte.ts';
import type { Packs } from '../packs.svelte.ts';
import { letterOf, usualCareId } from '../plans.ts';
import type { PlanningState } from '../planning.svelte.ts';
import type { Patients } from '../patients.svelte.ts';
import { vocabularyOf } from './vocabulary.ts';

export interface ExportsParts {
  readonly forecast: ForecastState;
  readonly planning: PlanningState;
  readonly packs: Packs;
  readonly patients: Patients;
  readonly log: AuditLog;
  readonly audit: Audit;
  /** What computes here, in a few words. */
  readonly engine: () => string;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly newId: () => string;
  /** A whole number below 2³². */
  readonly randomSeed: () => number;
}

export interface ExportFile {
  /** Names no person. */
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

/** As charts take it: see the type of the same name beside them. */
export interface PictureMark {
  readonly lines: readonly string[];
  readonly metadata: readonly (readonly [name: string, value: string])[];
  readonly replaced: ReadonlyMap<string, string>;
}

export type RunKind = 'run' | 'forecast-csv' | 'run-fhir' | 'run-fhir-courses';
export type RecordKind = 'record-csv' | 'record-fhir';

/** Of an export: names, notes, sources and true dates only where a person said so. */
export interface ExportChoice {
  readonly isWithIdentity: boolean;
}

export class Exports {
  failure = $state.raw<Failure | null>(null);
  /** The page shows the choice of files. */
  isAsked = $state(false);
  /** The open run in the form in which it leaves: what the report shows. */
  report = $state.raw<RunFile | null>(null);
  readonly #parts: ExportsParts;

  constructor(parts: ExportsParts) {
    this.#parts = parts;
  }

  /** The shown run as a file; null when it could not be made, and `failure` says why. */
  run(kind: RunKind, choice: ExportChoice): Promise<ExportFile | null> {
    return this.#attempt(async () => {
      const run = await this.#runFile(choice);
      const file = await this.#written(run, kind);
      this.#noteRun(kind, run);
      return file;
    });
  }

  /** People's records without anything simulated. */
  records(ids: readonly string[], kind: RecordKind, { isWithIdentity }: ExportChoice): Promise<ExportFile | null> {
    return this.#attempt(async () => {
      const found = ids.flatMap((id) => this.#parts.patients.find(id) ?? []);
      if (found.length === 0) throw new AppError('export_failed', 'There is no record to export. Choose a patient first.');
      const vocabulary = this.#vocabulary();
      const shiftDays = isWithIdentity ? 0 : this.#shift();
      const records = isWithIdentity ? found : found.map((record) => deIdentifyRecord(record, { vocabulary, shiftDays }));
      const exportedAt = isoAt(this.#parts.now(), shiftDays);
      const [about, options] = [
        { appVersion: this.#parts.version, isDeIdentified: !isWithIdentity, day: exportedAt.slice(0, 10) },
        { ...this.#fhir(isWithIdentity), appVersion: this.#parts.version, exportedAt },
      ];
      const text =
        kind === 'record-csv' ? measuredCsv(records, about, vocabulary) : writeBundle(recordBundle(records, vocabulary, options));
      for (const { id } of found)
        this.#parts.audit({ action: 'export', patientId: id, detail: `${kind}, ${identityWords(isWithIdentity)}` });
      return file(
        kind === 'record-csv' ? 'record' : 'record-fhir',
        exportedAt,
        await hashOf(text),
        kind === 'record-csv' ? 'csv' : 'json',
        text,
      );
    });
  }

  /** Makes what the report shows. */
  async makeReport(choice: ExportChoice): Promise<void> {
    this.report = null;
    this.report = await this.#attempt(() => this.#runFile(choice));
  }

  /** The report was printed. */
  noteReport(): void {
    if (this.report) this.#noteRun('report', this.report);
  }

  /**
   * What a picture of a chart carries, and its file's name: of the shown forecast, or of what the Plan page made without one. A picture
   * holds no dates of the person and no typed names. Null where it cannot be said; `failure` says why.
   */
  async pictureMark(of: 'forecast' | 'plan'): Promise<{ readonly name: string; readonly mark: PictureMark } | null> {
    return this.#attempt(async () => (of === 'forecast' ? this.#runMark() : this.#packMark()));
  }

  async #runMark() {
    const run = await this.#runFile({ isWithIdentity: false });
    const stamp = stampOf(run);
    const shown = this.#parts.forecast.forecast!.plans;
    const replaced = new Map(
      shown.map(({ plan }, index) => [plan.name, run.forecast.plans[index]!.plan.name] as const).filter(([a, b]) => a !== b),
    );
    const lines = [
      `SIMULATED, not a measurement. ${safetyLine}`,
      `Counterpart ${stamp.appVersion}, pack ${stamp.packId} ${stamp.packVersion} (${stamp.packDigest.slice(0, 12)}), seed ${stamp.seed}, ${stamp.rollouts} courses a plan, ${stamp.engine}. Run on ${stamp.madeAt.slice(0, 10)} (date moved). Inputs ${stamp.inputsHash.slice(0, 12)}.`,
    ];
    const outside = run.forecast.plans.filter(({ outsideSupport }) => outsideSupport.length > 0).map(({ plan }) => plan.name);
    if (outside.length > 0) lines.push(`Outside the pack’s evidence: ${outside.join(', ')}.`);
    const limits = limitsOf(run, manifestOf(run));
    lines.push(...pictureLimits(limits));
    const metadata = [['simulated', 'true'] as const, ...stampLines(stamp), ...limits.map((limit) => ['limit', limit] as const)];
    return { name: fileName('chart', run.madeAt, run.inputsHash), mark: { lines, metadata, replaced } };
  }

  async #packMark() {
    const { forecast, planning, version, engine, now } = this.#parts;
    if (!forecast.pack) throw new AppError('export_failed', 'There is no pack that this picture is of. Choose a patient first.');
    const { manifest, digest } = forecast.pack;
    const day = new Date(now()).toISOString().slice(0, 10);
    const limits = packLimits(manifest);
    const lines = [
      `SIMULATED, not a measurement. ${safetyLine}`,
      `Counterpart ${version}, pack ${manifest.id} ${manifest.version} (${digest.slice(0, 12)}), seed ${forecast.seed}, ${engine()}. Made on ${day}.`,
      ...(planning.isOutsideShown ? ['Some of the plans drawn lie outside what the pack’s people had.'] : []),
      ...pictureLimits(limits),
    ];
    const metadata = [
      ['simulated', 'true'],
      ['app', `Counterpart ${version}`],
      ['pack', `${manifest.id} ${manifest.version}`],
      ['pack digest', digest],
      ['seed', String(forecast.seed)],
      ['engine', engine()],
      ['made on', day],
      ...limits.map((limit) => ['limit', limit] as const),
    ] as const;
    // A name that a person typed for a plan stands in titles and words.
    const replaced = new Map(forecast.plans.map((plan) => [plan.name, genericName(plan)] as const).filter(([a, b]) => a !== b));
    return { name: fileName('chart', day, digest), mark: { lines, metadata, replaced } };
  }

  pictureFailed(): void {
    this.failure = { code: 'export_failed', message: 'The picture could not be drawn. Nothing was saved; try the other format.' };
  }

  notePicture(kind: 'svg' | 'png'): void {
    const { record, pack } = this.#parts.forecast;
    this.#parts.audit({
      action: 'export',
      ...(record && !this.#parts.forecast.opened ? { patientId: record.id } : {}),
      ...(pack ? { packId: pack.manifest.id } : {}),
      detail: `chart ${kind}`,
    });
  }

  /** Opens a run from a file as it was when it was written. False when it was refused: `failure` says why, and what was open stays. */
  async open(bytes: Uint8Array): Promise<boolean> {
    const opened = await this.#attempt(async () => {
      const run = readRunFile(bytes, readRecord);
      const manifest = manifestOf(run);
      if ((await this.#hash(run)) !== run.inputsHash || (await hashOf(contentText(run))) !== run.contentHash) {
        throw new AppError(
          'run_invalid',
          'This is not a run that can be opened: it is not what its hashes were made from, so it was changed after it was written. Nothing was taken from it.',
        );
      }
      this.#show(run, manifest);
      return true;
    });
    return opened ?? false;
  }

  /** After a new run of an opened one: back to what the file holds. */
  showStored(): void {
    const run = this.#parts.forecast.opened;
    if (run) this.#show(run, manifestOf(run));
  }

  /** The installed pack, if it is the one that was used; otherwise the file's own words, so that the picture is the same. */
  #show(run: RunFile, manifest: PackManifest): void {
    const { digest } = run.forecast.pack;
    const installed = this.#parts.packs.find(run.forecast.pack.id);
    this.#parts.forecast.openRun(run, installed?.digest === digest ? installed : { manifest, digest, card: cardOf(run) });
  }

  #vocabulary() {
    const { forecast, packs } = this.#parts;
    return vocabularyOf(forecast.pack?.manifest ?? null, packs.all);
  }

  #shift(): number {
    return drawShift(this.#parts.randomSeed() / 2 ** 32);
  }

  async #runFile({ isWithIdentity }: ExportChoice): Promise<RunFile> {
    const { forecast: page, version } = this.#parts;
    const { forecast, ranRecord, pack, opened, madeAt } = page;
    if (!forecast || !ranRecord || !pack || madeAt === null)
      throw new AppError('export_failed', 'There is no forecast to export yet. Run one first.');
    const reading = { outcome: page.outcome, readDay: page.readDay };
    const isRemoved = opened?.identity === 'removed';
    if (opened && opened.forecast === forecast && (isRemoved || isWithIdentity)) return sealed({ ...opened, reading });
    const now: IsoMinute = page.now.startsWith(forecast.today) ? page.now : `${forecast.today}T00:00`;
    const removal: Removal | null =
      isWithIdentity || isRemoved ? null : { vocabulary: this.#vocabulary(), shiftDays: this.#shift() };
    const unsigned: RunFile = {
      format: runFormat,
      simulated: true,
      notice: safetyLine,
      app: { name: 'Counterpart', version },
      madeAt: isoAt(madeAt, removal?.shiftDays ?? 0),
      identity: removal || isRemoved ? 'removed' : 'kept',
      inputsHash: noHash,
      contentHash: noHash,
      now: moveMinute(now, removal?.shiftDays ?? 0),
      rollouts: page.rollouts,
      isPreliminary: page.isPreliminary,
      reading,
      manifest: pack.manifest,
      record: removal ? deIdentifyRecord(ranRecord, removal) : ranRecord,
      forecast: removal ? deIdentifyForecast(forecast, removal) : forecast,
    };
    // Through its own reader: what is written can be read again, and its keys are in the order of the format.
    const run = readRun(JSON.parse(writeRun({ ...unsigned, inputsHash: await this.#hash(unsigned) })), readRecord);
    return sealed(run);
  }

  #hash({ record, forecast, now, rollouts }: RunFile): Promise<string> {
    const plans = forecast.plans.map(({ plan }) => plan);
    return hashOf(inputsText({ record, plans, pack: forecast.pack, now, seed: forecast.run.seed, rollouts }));
  }

  async #written(run: RunFile, kind: RunKind): Promise<ExportFile> {
    const manifest = manifestOf(run);
    const vocabulary = vocabularyOf(manifest, this.#parts.packs.all);
    const made = (name: FileKind, extension: string, text: string) => file(name, run.madeAt, run.inputsHash, extension, text);
    if (kind === 'run') return made('run', 'json', writeRun(run));
    if (kind === 'forecast-csv')
      return made('forecast', 'csv', simulatedCsv(run.forecast, stampOf(run), limitsOf(run, manifest), vocabulary));
    const actions = run.identity === 'kept' ? await this.#actions() : [];
    const limits = limitsOf(run, manifest);
    const options = { ...this.#fhir(run.identity === 'kept'), hasCourses: kind === 'run-fhir-courses', actions, limits };
    return made('fhir', 'json', writeBundle(runBundle(run, vocabulary, options)));
  }

  /** What the log says of this person. Its times are true ones, so it goes along only where identity does. */
  async #actions(): Promise<readonly RecordedAction[]> {
    const { record, opened } = this.#parts.forecast;
    if (!record || opened) return [];
    const { entries } = await this.#parts.log.read();
    return entries
      .filter(({ patientId }) => patientId === record.id)
      .map(({ action, at, role, packId }) => ({ action, at, ...(role ? { role } : {}), ...(packId ? { packId } : {}) }));
  }

  #fhir(isWithIdentity: boolean) {
    return { newId: this.#parts.newId, zone: isWithIdentity ? zoneAt : () => 'Z' };
  }

  #noteRun(kind: RunKind | 'report', run: RunFile): void {
    const { record, opened } = this.#parts.forecast;
    this.#parts.audit({
      action: 'export',
      ...(record && !opened ? { patientId: record.id } : {}),
      packId: run.forecast.pack.id,
      detail: `${kind}, ${identityWords(run.identity === 'kept')}, pack ${run.forecast.pack.digest}`,
    });
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T | null> {
    this.failure = null;
    try {
      return await work();
    } catch (error) {
      this.failure = failureOf(
        error,
        'The export could not be made, for a reason of the program’s own. Nothing left the device; try again.',
      );
      return null;
    }
  }
}

/** What the reader of a result has to know of its bounds: the fit's reasons, plans outside the evidence, what the pack is not for. */
export function limitsOf(
  { forecast, reading }: Pick<RunFile, 'forecast' | 'reading'>,
  manifest: PackManifest,
): readonly string[] {
  const { outcome, readDay } = reading;
  const nameOf = (planId: string) => forecast.plans.find(({ plan }) => plan.id === planId)!.plan.name;
  const apart = forecast.status === 'completed' ? disagreements(forecast, manifest, outcome, readDay) : [];
  return [
    ...(forecast.corrections ?? []).map(({ words }) => `Corrected: ${words}`),
    ...forecast.fit.reasons,
    ...forecast.plans.flatMap(({ plan, outsideSupport }) => outsideSupport.map((why) => `${plan.name}: ${why}`)),
    ...apart.map((one) => disagreementSentence(one, nameOf(one.planId), manifest, `${Math.round(readDay * 100) / 100} days`)),
    ...packLimits(manifest),
  ];
}

/** What holds for every result of a pack. */
function packLimits(manifest: PackManifest): readonly string[] {
  return [
    ...(manifest.kind === 'equations' && manifest.educationOnly ? [manifest.educationOnly] : []),
    ...manifest.notFor.map((what) => `Not for: ${what}`),
  ];
}

/** As many as a reader of a picture bears; the file's metadata have all. */
function pictureLimits(limits: readonly string[]): readonly string[] {
  const shown = limits.slice(0, mostPictureLimits).map((limit) => `Limit: ${limit}`);
  return limits.length > shown.length
    ? [...shown, `And ${limits.length - shown.length} more limits, in the pack’s card.`]
    : shown;
}

const mostPictureLimits = 3;

const genericName = (plan: Plan) => (plan.id === usualCareId ? plan.name : `Plan ${letterOf(plan)}`);

/** The pack's description in a run, through the door of packs. */
function manifestOf({ manifest, forecast }: Pick<RunFile, 'manifest' | 'forecast'>): PackManifest {
  const read = decodeManifest(new TextEncoder().encode(JSON.stringify(manifest)));
  if (read.id === forecast.pack.id && read.version === forecast.pack.version) return read;
  throw new AppError(
    'run_invalid',
    'This is not a run that can be opened: the pack it describes is not the pack it ran with. Nothing was taken from it.',
  );
}

const cardOf = ({ forecast }: RunFile) =>
  `# ${forecast.pack.title}\n\nThis run came from a file. Its pack, version ${forecast.pack.version}, is not installed here, so its card is not at hand.\n`;

const noHash = '0'.repeat(64);

const sealed = async (run: RunFile): Promise<RunFile> => ({ ...run, contentHash: await hashOf(contentText(run)) });

const identityWords = (isWithIdentity: boolean) => (isWithIdentity ? 'with identity' : 'de-identified');

const isoAt = (ms: number, shiftDays: number): string => {
  const iso = new Date(ms).toISOString();
  return `${addDays(iso.slice(0, 10), shiftDays)}${iso.slice(10)}`;
};

const hashOf = (text: string) => sha256(new TextEncoder().encode(text));

function file(kind: FileKind, day: string, hash: string, extension: string, text: string): ExportFile {
  const types: Readonly<Record<string, string>> = { csv: 'text/csv;charset=utf-8', json: 'application/json' };
  const type = kind === 'fhir' || kind === 'record-fhir' ? 'application/fhir+json' : types[extension]!;
  return { name: `${fileName(kind, day, hash)}.${extension}`, type, text };
}

/** Of this machine's clock at a minute: `Z`, `+01:00`. */
function zoneAt(minute: IsoMinute): string {
  const ahead = -new Date(`${minute}:00`).getTimezoneOffset();
  if (ahead === 0) return 'Z';
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${ahead > 0 ? '+' : '-'}${two(Math.abs(ahead) / 60)}:${two(Math.abs(ahead) % 60)}`;
}
