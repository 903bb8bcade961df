/**
 * npm run validate -- [--pack ID]… [--make] [--date YYYY-MM-DD]
 *
 * Writes models/ID/validation.json, the report of how far a pack's forecasts came true, from the parts in
 * training/results/validation/ID. With --make the parts that this script knows how to measure are measured anew first: for the learned
 * packs that needs the data folders, and rows of people stay in .cache. A part that was made with other weights or equations is
 * refused. Without --pack, every pack of models/.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { sectionIds, type ValidationReport } from '#domain/validation.ts';
import { listPacks, loadPack } from '#packs/catalogue.ts';
import { isLearned, type Pack } from '#packs/pack.ts';
import { decodeValidation, modelDigest, validationFile } from '#packs/validation.ts';
import { readModels } from '../scripts/read-models.ts';
import { equationsSections } from './validation/equations.ts';
import { hivSections, pbcSections } from './validation/learned.ts';
import { partsFolder, readParts, root, writePart } from './validation/parts.ts';
import { reasonsOf, statementOf } from './validation/statements.ts';

/** The bullets of a card's section on known failures. */
export function knownFailuresOf(card: string): string[] {
  const section = /^## Known failure[^\n]*\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(card)?.[1] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('- '))
    .map((line) =>
      line
        .slice(2)
        .replace(/\*\*|`/g, '')
        .trim(),
    );
}

/** Throws where a part was made with another model than the pack's. */
export async function assembleReport(pack: Pack, folder = partsFolder): Promise<ValidationReport> {
  const { manifest, digest, card } = pack;
  const sections = readParts(manifest.id, folder);
  const model = await modelDigest(manifest);
  const stale = sections.find(({ made }) => made.model !== model);
  if (stale) {
    throw new Error(
      `${join(folder, manifest.id, `${stale.id}.json`)} was made with another model than models/${manifest.id} has now. Make it again: ${stale.made.command}`,
    );
  }
  const statement = statementOf(manifest.id);
  const reasons = { ...reasonsOf(manifest), ...statement.absent };
  const present = new Set(sections.map(({ id }) => id));
  return {
    format: 'counterpart-validation/1',
    packId: manifest.id,
    packVersion: manifest.version,
    packDigest: digest,
    isOnRealPeople: statement.isOnRealPeople,
    validatedOn: statement.validatedOn,
    sections,
    absent: sectionIds.filter((id) => !present.has(id)).map((id) => ({ id, reason: reasons[id] })),
    knownFailures: knownFailuresOf(card),
  };
}

async function makeParts({ manifest }: Pack, date: string): Promise<void> {
  const made =
    manifest.kind === 'equations'
      ? await equationsSections(manifest, date)
      : manifest.id === 'pbc'
        ? await pbcSections(manifest, date)
        : manifest.id === 'hiv-actg175'
          ? await hivSections(manifest, date)
          : [];
  for (const section of made) writePart(manifest.id, section);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { pack: { type: 'string', multiple: true }, make: { type: 'boolean', default: false }, date: { type: 'string' } },
  });
  const fetchBytes = readModels();
  const ids = (await listPacks(fetchBytes)).map(({ id }) => id).filter((id) => values.pack?.includes(id) ?? true);
  if (ids.length === 0) throw new Error(`models/ has no pack called ${values.pack?.join(' or ')}.`);
  const date = values.date ?? new Date().toISOString().slice(0, 10);
  for (const id of ids) {
    const pack = await loadPack(id, fetchBytes);
    if (values.make) await makeParts(pack, date);
    const text = `${JSON.stringify(await assembleReport(pack), null, 1)}\n`;
    const file = join(root, 'models', id, validationFile);
    const report = decodeValidation(new TextEncoder().encode(text), file);
    writeFileSync(file, text);
    console.log(`${id}: ${report.sections.map((section) => section.id).join(', ') || 'no section'}`);
    if (isLearned(pack) && report.sections.length === 0)
      console.log(`  Measure it with npm run validate -- --pack ${id} --make.`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
