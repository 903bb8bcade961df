/**
 * Published reference files of the mechanistic models, asked of our packs on any engine. Which checks a file holds is read off its
 * fields and each case's own `model`; nothing is keyed to a case. What is not recognised is a failure that says so.
 */
import { readFileSync } from 'node:fs';
import { AppError } from '#domain/errors.ts';
import type { Simulator } from '#engine/simulation.ts';
import { loadPack } from '#packs/catalogue.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { caseCheck } from './golden/cases.ts';
import { listOf, valuesOf, type Check, type Setting, type Values } from './golden/check.ts';
import { diabetesCheck, diabetesModel } from './golden/diabetes.ts';
import { mapCheck } from './golden/fits.ts';
import { hivCheck, hivModel, hivReturnChecks } from './golden/hiv.ts';
import { regimenCheck, tableFiveCheck, tumourPopulationCheck } from './golden/populations.ts';
import { panelChecks, subjectChecks } from './golden/progression.ts';
import { isTumourCase, tumourCheck, tumourConstantsCheck } from './golden/tumour.ts';
import { publishedModels } from './published-models.ts';
import { readModels } from './read-models.ts';

/** A file's checks; `file` is parsed JSON of any shape. */
export function checksOf(file: unknown): Check[] {
  if (Array.isArray(file)) return file.map((one) => checkOfCase(one as Values));
  if (typeof file !== 'object' || file === null) return [failing('file', 'expected a list of cases or an object with them')];
  return Object.entries(file).flatMap(([field, value]) => checksOfField(field, value));
}

function checksOfField(field: string, value: unknown): Check[] {
  switch (field) {
    case 'cases':
      return listOf(value).map(checkOfCase);
    case 'map':
      return listOf(value).map(mapCheck);
    case 'population':
      return Array.isArray(value) ? listOf(value).map(regimenCheck) : [tumourPopulationCheck(valuesOf(value))];
    case 'table5':
      return [tableFiveCheck(listOf(value))];
    case 'returns':
      return hivReturnChecks(valuesOf(value));
    case 'constants':
      return [tumourConstantsCheck(valuesOf(value))];
    case 'models':
      return panelChecks(valuesOf(value));
    case 'subjects':
      return listOf(value).flatMap(subjectChecks);
    default:
      return [failing(field, 'this part of a file is not known here')];
  }
}

function checkOfCase(published: Values): Check {
  const model = published['model'];
  if (isTumourCase(published)) return tumourCheck(published);
  if (model === diabetesModel) return diabetesCheck(published);
  if (model === hivModel) return hivCheck(published);
  if (typeof model === 'string' && model in publishedModels) return caseCheck(published);
  return failing(String(published['id'] ?? 'a case'), `the model '${String(model)}' is not known here`);
}

const failing = (where: string, message: string): Check => ({ where, run: () => Promise.resolve([message]) });

export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** Every check of every file on one engine; `say` gets a line a failure. */
export async function checkGoldenFiles(
  paths: readonly string[],
  simulator: Simulator,
  say: (line: string) => void,
): Promise<Tally> {
  const packs = new Map<string, Promise<EquationsManifest>>();
  const setting: Setting = {
    simulator,
    isExact: simulator.kind === 'reference',
    pack: (id) => {
      if (!packs.has(id)) packs.set(id, equationsManifest(id));
      return packs.get(id)!;
    },
  };
  let [passed, failed] = [0, 0];
  for (const path of paths) {
    for (const { where, run } of readChecks(path)) {
      const messages = await run(setting).catch((error: unknown) => [sentenceOf(error)]);
      for (const message of messages) say(`${path}: ${where} on ${simulator.kind}: ${message}`);
      if (messages.length === 0) passed++;
      else failed++;
    }
  }
  return { passed, failed };
}

function readChecks(path: string): Check[] {
  try {
    const checks = checksOf(JSON.parse(readFileSync(path, 'utf8')));
    return checks.length > 0 ? checks : [failing('file', 'there is no case in it')];
  } catch (error) {
    return [failing('file', sentenceOf(error))];
  }
}

const sentenceOf = (error: unknown): string => {
  if (error instanceof AppError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
};

async function equationsManifest(id: string): Promise<EquationsManifest> {
  const { manifest } = await loadPack(id, readModels());
  if (manifest.kind !== 'equations') throw new Error(`'${id}' is no pack of equations`);
  return manifest;
}
