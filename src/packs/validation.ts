/** The one door through which a validation report, or a part of one, enters. */
import { sectionIds, type SectionId, type ValidationReport, type ValidationSection } from '#domain/validation.ts';
import { checkSize } from './decode.ts';
import { sha256 } from './digests.ts';
import { refuseForbiddenTexts } from './forbidden-text.ts';
import { parseJson } from './json.ts';
import type { PackManifest } from './manifest.ts';
import { quoted, refusal } from './refusal.ts';
import { checkSchema } from './schema-check.ts';
import { reportSchema, sectionSchema } from './validation-schema.ts';

export const validationFile = 'validation.json';
export const maxValidationBytes = 2 ** 20;

/** Throws `pack_schema_invalid` (and what reading JSON throws), naming `file` and the field. */
export function decodeValidation(bytes: Uint8Array, file: string): ValidationReport {
  const report = checkSchema(reportSchema, read(bytes, file), file);
  const places = new Map<SectionId, string>();
  for (const [list, at] of [
    [report.sections, 'sections'],
    [report.absent, 'absent'],
  ] as const) {
    list.forEach(({ id }, i) => {
      const before = places.get(id);
      if (before) throw refusal('pack_schema_invalid', `${file}, ${at}[${i}]`, `${quoted(id)} stands in ${before} too.`);
      places.set(id, `${at}[${i}]`);
    });
  }
  for (const id of sectionIds) {
    if (places.has(id)) continue;
    throw refusal('pack_schema_invalid', file, `${quoted(id)} is neither a section nor named as absent with its reason.`);
  }
  report.sections.forEach((section, i) => checkSection(section, `${file}, sections[${i}]`));
  return report;
}

/** One section as an evaluation script wrote it. */
export function decodeValidationSection(bytes: Uint8Array, file: string): ValidationSection {
  const section = checkSchema(sectionSchema, read(bytes, file), file);
  checkSection(section, file);
  return section;
}

function read(bytes: Uint8Array, file: string): unknown {
  checkSize(file, bytes.byteLength, maxValidationBytes);
  const value = parseJson(bytes, file);
  refuseForbiddenTexts(value, file);
  return value;
}

/** What holds between fields. */
function checkSection(section: ValidationSection, at: string): void {
  const seen = new Set<string>();
  section.figures.forEach(({ name, set, interval }, i) => {
    const key = JSON.stringify([name, set]);
    if (seen.has(key)) throw refusal('pack_schema_invalid', `${at}, figures[${i}]`, `${quoted(name)} stands here twice.`);
    seen.add(key);
    if (interval && interval.low > interval.high) {
      throw refusal('pack_schema_invalid', `${at}, figures[${i}].interval`, 'the low end lies above the high end.');
    }
  });
  section.drawings.forEach((drawing, i) => {
    const what = `${at}, drawings[${i}]`;
    if (drawing.kind === 'pit') sameLength(what, [drawing.shares, drawing.standardErrors]);
    if (drawing.kind === 'decision') {
      const { thresholds, model, interval, treatAll, baselines } = drawing;
      sameLength(what, [thresholds, model, interval, treatAll, ...baselines.map(({ values }) => values)]);
    }
    if (drawing.kind === 'table') sameLength(what, [drawing.columns, ...drawing.rows]);
  });
}

function sameLength(at: string, lists: readonly (readonly unknown[])[]): void {
  const [first, ...others] = lists.map(({ length }) => length);
  const wrong = others.find((length) => length !== first);
  if (wrong === undefined) return;
  throw refusal('pack_schema_invalid', at, `one list has ${wrong} entries, another ${first}: expected equally many.`);
}

/**
 * Names what computes in a pack: its weights, or its equations and targets. A new card leaves it as it is, so that figures need not
 * be made again for a corrected sentence.
 */
export async function modelDigest(manifest: PackManifest): Promise<string> {
  if (manifest.kind === 'learned') return manifest.weights.sha256;
  const { models, targets } = manifest;
  return sha256(new TextEncoder().encode(JSON.stringify({ models, targets })));
}
