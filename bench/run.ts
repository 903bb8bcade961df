// npm run bench -- [--quick] [--only gru|forecast] [--host node|browser] [--adapter gpu] [--json FILE] [--baselines]
// Medians of CPU time, and ratios inside one host. README of the numbers: shared/reference/gpu.md, section 1.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openBrowserBench } from './browser-host.ts';
import { benchInNode, forecastInNode } from './node-host.ts';
import { ratioOf, requiredRatios } from './ratios.ts';
import { gruWork, type Row } from './work.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    host: { type: 'string' },
    json: { type: 'string' },
    baselines: { type: 'boolean', default: false },
  },
});
const rounds = options.quick ? 3 : 5;
const isAsked = (work: string) => !options.only || work.startsWith(options.only);
const rows: Row[] = [];
let adapter = 'none';

if (options.host !== 'browser') {
  if (isAsked('gru-1024x24')) {
    rows.push(
      ...(await benchInNode(gruWork(), ['wasm-fused', 'ort-wasm', 'ort-wasm-1-thread', 'tfjs-wasm', 'reference'], rounds)),
    );
  }
  if (isAsked('forecast-10000x60')) rows.push(...(await forecastInNode(rounds)));
}
if (options.host !== 'node') {
  const browser = await openBrowserBench();
  adapter = browser.adapter;
  if (isAsked('gru-1024x24')) {
    const quick = ['wgsl-fused', 'tfjs-webgl', 'wasm-fused', 'ort-wasm', 'tfjs-wasm'] as const;
    rows.push(...(await browser.gru([...quick, 'tfjs-webgpu', 'ort-wasm-1-thread'], rounds)));
  }
  if (isAsked('forecast-10000x60') && !options.quick) rows.push(...(await browser.forecast(['wasm-fused', 'wgsl-fused'], 3)));
  await browser.close();
}

printTable();
if (options.json) writeFileSync(options.json, `${JSON.stringify({ adapter, rows }, null, 1)}\n`);
if (options.baselines) {
  const file = fileURLToPath(new URL('baselines.json', import.meta.url));
  writeFileSync(file, `${JSON.stringify({ adapter, ratios: measuredRatios() }, null, 2)}\n`);
}
// Dawn and ORT's threads would keep the process alive.
process.exit(0);

function measuredRatios() {
  const hosts = ['node', 'browser'] as const;
  return requiredRatios.flatMap(({ fast, slow, required }) =>
    hosts.flatMap((host) => {
      const ratio = ratioOf(rows, host, fast, slow);
      return ratio === null ? [] : [{ host, fast, slow, required, ratio: Math.round(ratio * 100) / 100 }];
    }),
  );
}

function printTable(): void {
  console.log(`WebGPU adapter: ${adapter}. Medians of ${rounds}; ms of CPU time, all threads.`);
  console.table(
    rows.map(({ work, host, path, cpuMs, wallMs, error }) => ({
      work,
      host,
      path,
      'CPU ms': Number(cpuMs.toFixed(1)),
      'wall ms': Number(wallMs.toFixed(1)),
      'error against f64': error === null ? '' : error.toExponential(1),
    })),
  );
  console.table(measuredRatios());
}
