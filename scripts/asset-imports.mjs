// Lets Node and tsx import what Vite imports: './step.wgsl?raw' is the file's text, './add.wasm?url' its file: address.
// `node --import ./scripts/asset-imports.mjs` registers it; with-gpu.mjs does.
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';

const suffix = /\?(raw|url)$/;

export async function resolve(specifier, context, next) {
  const asked = suffix.exec(specifier);
  if (!asked) return next(specifier, context);
  const { url } = await next(specifier.replace(suffix, ''), context);
  return { url: `${url.split('?')[0]}?${asked[1]}`, format: 'module', shortCircuit: true };
}

export async function load(url, context, next) {
  const asked = suffix.exec(url);
  if (!asked || !url.startsWith('file:')) return next(url, context);
  const file = url.replace(suffix, '');
  const value = asked[1] === 'raw' ? await readFile(fileURLToPath(file), 'utf8') : file;
  return { format: 'module', source: `export default ${JSON.stringify(value)};`, shortCircuit: true };
}

// The loader thread imports this module again, for the two functions above only.
if (!new URL(import.meta.url).searchParams.has('hooks')) register(`${import.meta.url}?hooks`);
