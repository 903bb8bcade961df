// npm start: installs what is missing, builds what is out of date, serves the app.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages, npm, requireNode, root } from './packages.mjs';
import { portFromEnvironment, serveUntilStopped } from './serve.mjs';

/** Newest change under `path`, in milliseconds, 0 when there is none. A folder's own time moves when a file is deleted. */
function newest(path) {
  if (!existsSync(path)) return 0;
  const found = statSync(path);
  if (!found.isDirectory()) return found.mtimeMs;
  return Math.max(found.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

const sources = [
  'src',
  'models',
  'public',
  'index.html',
  'vite.config.ts',
  'package-lock.json',
  'scripts/build-wasm.mjs',
  'scripts/vite-plugins.ts',
];

async function start() {
  requireNode();
  portFromEnvironment();
  ensurePackages();
  const page = join(root, 'dist/index.html');
  if (!existsSync(page) || sources.some((path) => newest(join(root, path)) > statSync(page).mtimeMs)) {
    console.log('Building the app.');
    if (npm(['run', '--silent', 'build']).status !== 0)
      throw new Error('The build failed, see above. On an unchanged clone this is a fault of ours.');
  }
  await serveUntilStopped(join(root, 'dist'));
}

start().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
