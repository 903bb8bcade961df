// Vite plugins of the app: the packs under models/, the policy in the page, the service worker, and the list of what was built.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';
import { buildCode, sumsText } from '../src/guard/build-list.ts';
import type { BuildList } from '../src/guard/build-list.ts';
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
          return { name, bytes: content.length, sha256: sha256(content) };
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

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');

/**
 * Puts the digest of each script and style of the first page into its tag: the browser refuses a changed one, from the network or from
 * a cache.
 */
export function shellIntegrity(): Plugin {
  return {
    name: 'counterpart-integrity',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        for (const page of Object.values(bundle)) {
          if (page.type !== 'asset' || !page.fileName.endsWith('.html')) continue;
          page.source = String(page.source).replace(
            /<(?:script|link)\b[^>]*?(?:src|href)="\.\/([^"]+\.(?:js|css))"/g,
            (tag, name) => {
              const file = bundle[name];
              if (!file) throw new Error(`${page.fileName} names ${name}, which is not in the build.`);
              const content = file.type === 'chunk' ? file.code : file.source;
              return `${tag} integrity="sha384-${createHash('sha384').update(content).digest('base64')}"`;
            },
          );
        }
      },
    },
  };
}

/** Fetched past the service worker, or made after it. */
const notKept = ['service-worker.js', 'build.json', 'recover.html', 'recover-clear.html', 'recover.css'];

/**
 * The service worker of src/service-worker.ts with the list of every built file and its SHA-256. Nothing registers it but main.ts: what the plugin would inject breaks Trusted Types.
 */
export function offline(): Plugin[] {
  let folder = '';
  const place: Plugin = {
    name: 'counterpart-out-folder',
    configResolved: (config) => void (folder = resolve(config.root, config.build.outDir)),
  };
  return [
    place,
    ...VitePWA({
      strategies: 'injectManifest',
      srcDir: 'src',
      filename: 'service-worker.ts',
      injectRegister: false,
      registerType: 'prompt',
      injectManifest: {
        injectionPoint: 'self.listedFiles',
        rollupFormat: 'iife',
        globPatterns: ['**/*'],
        globIgnores: notKept,
        maximumFileSizeToCacheInBytes: 64 * 2 ** 20,
        manifestTransforms: [
          (entries) => ({
            manifest: entries
              .map(({ url, size }) => ({ url, revision: sha256(readFileSync(join(folder, url))), bytes: size, size }))
              .sort((a, b) => (a.url < b.url ? -1 : 1)),
          }),
        ],
      },
      // It would list its own manifest and icons after the others, without a SHA-256: public/manifest.webmanifest is ours.
      manifest: false,
    }),
  ];
}

/** Writes build.json, the list of every built file with its SHA-256, last of all, and prints the code that stands for it. */
export function buildListing(version: string): Plugin {
  let folder = '';
  return {
    name: 'counterpart-build-list',
    apply: 'build',
    enforce: 'post',
    configResolved: (config) => void (folder = resolve(config.root, config.build.outDir)),
    closeBundle: {
      order: 'post',
      sequential: true,
      async handler() {
        const files = readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
          .map((path) => ({ path: path.slice(folder.length + 1).replaceAll('\\', '/'), content: readFileSync(path) }))
          .filter(({ path }) => path !== 'build.json')
          .map(({ path, content }) => ({ path, bytes: content.length, sha256: sha256(content) }))
          .sort((a, b) => (a.path < b.path ? -1 : 1));
        const list: BuildList = { format: 1, version, files };
        writeFileSync(join(folder, 'build.json'), `${JSON.stringify(list, null, 1)}\n`);
        console.log(`Build code of ${files.length} files: ${buildCode(sha256(sumsText(list)))}`);
      },
    },
  };
}
