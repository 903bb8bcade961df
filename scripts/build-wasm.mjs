// npm run build:wasm: compiles every AssemblyScript file in src/engine/cpu/assembly to build/<name>.wasm.
// Options for all of them stand in src/engine/cpu/assembly/asconfig.json when there is one, else below.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root } from './packages.mjs';

const folder = join(root, 'src/engine/cpu/assembly');
const target = join(root, 'build');
const plainSimd = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'];

const sources = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts')) : [];
const config = join(folder, 'asconfig.json');
const newestSource = Math.max(
  0,
  ...[...sources, ...(existsSync(config) ? ['asconfig.json'] : [])].map((name) => statSync(join(folder, name)).mtimeMs),
);

for (const source of sources) {
  const wasm = join(target, `${basename(source, '.ts')}.wasm`);
  // Any source may import any other, so all are as old as the newest.
  if (existsSync(wasm) && statSync(wasm).mtimeMs > newestSource) continue;
  mkdirSync(target, { recursive: true });
  const options = existsSync(config) ? ['--config', config] : plainSimd;
  const asc = join(root, 'node_modules/assemblyscript/bin/asc.js');
  const result = spawnSync(process.execPath, [asc, join(folder, source), '--outFile', wasm, ...options], {
    cwd: root,
    stdio: 'inherit',
  });
  if (result.status !== 0) {
    console.error(`build:wasm: ${source} did not compile, see above.`);
    process.exit(1);
  }
}
