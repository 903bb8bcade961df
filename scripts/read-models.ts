// The packs of a folder for programs that run in Node, as the app reads them from its own address.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FetchBytes } from '#packs/catalogue.ts';
import { listPacks } from './vite-plugins.ts';

const modelsFolder = fileURLToPath(new URL('../models', import.meta.url));

/** Answers `models/index.json` and `models/<id>/<file>` from `folder`. Default: models/ of this repository. */
export function readModels(folder: string = modelsFolder): FetchBytes {
  return async (path) => {
    if (path === 'models/index.json') return new TextEncoder().encode(JSON.stringify({ packs: listPacks(folder) }));
    return new Uint8Array(await readFile(join(folder, path.replace(/^models\//, ''))));
  };
}
