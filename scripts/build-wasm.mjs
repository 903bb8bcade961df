// npm run build:wasm: compiles the CPU engine's kernel, src/engine/cpu/assembly, and writes it as src/engine/cpu/kernel-bytes.ts.
// The text is committed, so that a clean clone runs without this step, and it is part of the bundle: no address to fetch, the same
// in Node, in a worker and under the page's policy. It is made again when its sources or the compiler are others.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, existsSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './packages.mjs';

const folder = join(root, 'src/engine/cpu/assembly');
const target = join(root, 'src/engine/cpu/kernel-bytes.ts');
const options = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'];

/** A digest of all that the kernel is made from; the first line of kernel-bytes.ts names it. */
export function kernelDigest() {
  const hash = createHash('sha256').update(options.join(' '));
  hash.update(JSON.parse(readFileSync(join(root, 'node_modules/assemblyscript/package.json'), 'utf8')).version);
  for (const name of readdirSync(folder).sort()) if (name !== 'tsconfig.json') hash.update(readFileSync(join(folder, name)));
  return hash.digest('hex');
}

/** The digest that the committed kernel was made from, or null. */
export function builtDigest() {
  return existsSync(target) ? (/sources ([0-9a-f]{64})/.exec(readFileSync(target, 'utf8'))?.[1] ?? null) : null;
}

function build() {
  mkdirSync(join(root, 'build'), { recursive: true });
  const wasm = join(root, 'build/kernel.wasm');
  const asc = join(root, 'node_modules/assemblyscript/bin/asc.js');
  const result = spawnSync(process.execPath, [asc, join(folder, 'kernel.ts'), '--outFile', wasm, ...options], {
    cwd: root,
    stdio: 'inherit',
  });
  if (result.status !== 0) {
    console.error('build:wasm: src/engine/cpu/assembly/kernel.ts did not compile, see above.');
    process.exit(1);
  }
  const text = `// Made by npm run build:wasm from src/engine/cpu/assembly, sources ${kernelDigest()}. Do not edit.
/** The kernel's WebAssembly module, base64. */
export const kernelBase64 =
  '${readFileSync(wasm).toString('base64')}';
`;
  writeFileSync(target, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url) && builtDigest() !== kernelDigest()) build();
