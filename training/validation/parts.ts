/** Parts of reports on disk: training/results/validation/<pack>/<section>.json, one a section, written by whoever measures it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sectionIds, type ValidationSection } from '#domain/validation.ts';
import { decodeValidationSection } from '#packs/validation.ts';
import { rounded } from './figures.ts';

export const root = join(fileURLToPath(import.meta.url), '../../..');
export const partsFolder = join(root, 'training/results/validation');

/** Checked as the app will check it, so that a part that cannot be read is never written. */
export function writePart(packId: string, section: ValidationSection, folder = partsFolder): void {
  const text = `${JSON.stringify(rounded(section), null, 1)}\n`;
  const file = join(folder, packId, `${section.id}.json`);
  decodeValidationSection(new TextEncoder().encode(text), file);
  mkdirSync(join(folder, packId), { recursive: true });
  writeFileSync(file, text);
}

/** In the order of a report. */
export function readParts(packId: string, folder = partsFolder): ValidationSection[] {
  const own = join(folder, packId);
  if (!existsSync(own)) return [];
  const parts = readdirSync(own)
    .filter((name) => name.endsWith('.json'))
    .map((name) => {
      const section = decodeValidationSection(new Uint8Array(readFileSync(join(own, name))), join(own, name));
      if (name !== `${section.id}.json`)
        throw new Error(`${join(own, name)} holds the section '${section.id}'. Expected one file a section, named so.`);
      return section;
    });
  return parts.sort((a, b) => sectionIds.indexOf(a.id) - sectionIds.indexOf(b.id));
}
