// node scripts/with-gpu.mjs SCRIPT [arguments]: runs a TypeScript file under tsx with WebGPU reachable from Node.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { gpuEnvironment } from './gpu-environment.mjs';

const [script, ...rest] = process.argv.slice(2);
if (!script) {
  console.error('with-gpu: no script was named. Usage: node scripts/with-gpu.mjs SCRIPT [arguments]');
  process.exit(2);
}
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const assets = new URL('./asset-imports.mjs', import.meta.url).href;
const child = spawn(process.execPath, ['--import', tsx, '--import', assets, script, ...rest], {
  stdio: 'inherit',
  env: { ...process.env, ...gpuEnvironment() },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  if (signal) console.error(`with-gpu: ${script} was ended by ${signal}.`);
  process.exit(code ?? 1);
});
