// Vite plugins of the app: the packs under models/, and the policy in the page.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';
import { metaPolicy } from '../src/guard/headers.mjs';

/** One row of models/index.json: a pack's id and its files, so that the app can check what it fetches. */
interface PackListing {
  readonly id: string;
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
}

/** The packs in `folder`: each sub-folder with a pack.json, in alphabetical order. */
export function listPacks(folder: string): PackListing[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .filter((id) => existsSync(join(folder, id, 'pack.json')))
    .map((id) => ({
      id,
      files: readdirSync(join(folder, id), { withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
        .map((entry) => entry.name)
        .sort()
        .map((name) => {
          const content = readFileSync(join(folder, id, name));
          return { name, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
        }),
    }));
}

function indexText(folder: string): string {
  return `${JSON.stringify({ packs: listPacks(folder) }, null, 1)}\n`;
}

/** Serves models/<id>/… and models/index.json, in development from the folder and in the build as files. */
export function models(folder: string): Plugin {
  return {
    name: 'counterpart-models',
    configureServer(server) {
      // The files themselves are served by Vite, models/ being inside its root; only the index has to be made.
      server.middlewares.use((request, response, next) => {
        if (request.url?.split('?')[0] !== '/models/index.json') return next();
        response.setHeader('Content-Type', 'application/json; charset=utf-8');
        response.setHeader('Cache-Control', 'no-cache');
        response.end(indexText(folder));
      });
    },
    generateBundle() {
      for (const { id, files } of listPacks(folder)) {
        for (const { name } of files) {
          this.emitFile({ type: 'asset', fileName: `models/${id}/${name}`, source: readFileSync(join(folder, id, name)) });
        }
      }
      this.emitFile({ type: 'asset', fileName: 'models/index.json', source: indexText(folder) });
    },
  };
}

/** Writes the policy into the built page too. Not in development, where Vite injects styles and opens a socket. */
export function policyInPage(): Plugin {
  return {
    name: 'counterpart-policy',
    apply: 'build',
    transformIndexHtml: () => [
      { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: metaPolicy() }, injectTo: 'head-prepend' },
    ],
  };
}
