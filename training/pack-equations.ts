/**
 * npx tsx training/pack-equations.ts ID…
 *
 * Writes models/ID/ from training/models/ID.ts (which exports `manifest` and `goldenCases`) and training/models/ID.card.md, where
 * `{{parameters MODEL}}` becomes the tables of a model and `{{figures …}}` those of models/ID/evaluation*.json (card.ts). The answers
 * of the golden cases are those of the f64 reference engine.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answerGoldenCase } from '#engine/equations-golden.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { fileNames } from '#packs/digests.ts';
import { encodeEquationsPack, type EquationsDraft } from '#packs/encode.ts';
import { compileModel } from '#packs/equations/compile.ts';
import type { EquationsGoldenCase } from '#packs/equations/golden.ts';
import type { PackFiles } from '#packs/pack.ts';
import { fillCard } from './card.ts';
import { fillModelTables } from './models/card-tables.ts';
import type { GoldenRequest } from './models/people.ts';

export interface EquationsSource {
  readonly manifest: EquationsDraft;
  readonly goldenCases: readonly GoldenRequest[];
}

/** The pack's files. Throws what the pack's door throws, and where a reference answer is no number. */
export async function packEquations({ manifest, goldenCases }: EquationsSource, card: string): Promise<PackFiles> {
  const programs = manifest.models.map((model, i) => compileModel(model, manifest, `models[${i}]`));
  const cases: EquationsGoldenCase[] = [];
  for (const request of goldenCases) {
    if (!programs.some(({ modelId }) => modelId === request.model)) throw new Error(`${request.id}: no model ${request.model}`);
    const rows = await answerGoldenCase(new ReferenceSimulator(), { manifest, programs }, request);
    if (!rows.flat().every(Number.isFinite)) throw new Error(`${request.id}: the reference engine gives no number`);
    cases.push({ ...request, rows });
  }
  const figures = fillCard(card, (file) => readFileSync(join(folderOf(manifest.id), file), 'utf8'));
  return encodeEquationsPack(manifest, { cases }, fillModelTables(figures, manifest.models));
}

const folderOf = (id: string): string => join(fileURLToPath(import.meta.url), '../../models', id);

const here = fileURLToPath(import.meta.url);
if (process.argv[1] === here) {
  for (const id of process.argv.slice(2)) {
    const source = (await import(`./models/${id}.ts`)) as EquationsSource;
    const card = readFileSync(join(here, '../models', `${id}.card.md`), 'utf8');
    const files = await packEquations(source, card);
    const folder = folderOf(id);
    mkdirSync(folder, { recursive: true });
    for (const key of ['manifest', 'golden', 'card'] as const) writeFileSync(join(folder, fileNames[key]), files[key]);
    console.log(`${id}: pack.json ${files.manifest.byteLength} bytes, ${source.goldenCases.length} golden cases`);
  }
}
