// npm run torture -- [--short] [--only NAME]… [--times N] [--seed N] [--json FILE]
// Every fault of docs/torture.md on the built app. Prints a line a case; exits with 1 when anything did not hold.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { cases } from './cases.ts';
import { startServers } from './servers.ts';

const { values: options } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    times: { type: 'string' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});
const chosen = cases
  .filter(({ times }) => !options.short || times.short > 0)
  .filter(({ name }) => options.only.length === 0 || options.only.some((part) => name.includes(part)));
if (chosen.length === 0) {
  console.error(`--only ${options.only.join(' ')}: no such case. There are: ${cases.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}

const servers = await startServers();
const rows = [];
let isBroken = false;
for (const one of chosen) {
  const times = options.times ? Number(options.times) : one.times[options.short ? 'short' : 'long'];
  const began = performance.now();
  const outcome = await one
    .run({
      ...servers.urls,
      times,
      seed: Number(options.seed),
      progress: (done, of, words = '') => process.stderr.write(`\r${one.name}: ${done} of ${of} ${words}   `),
    })
    .catch((error: Error) => ({ tried: 0, failures: [`the case itself broke: ${error.message}`], figures: {} }));
  const seconds = Math.round((performance.now() - began) / 1000);
  process.stderr.write('\r');
  const figures = Object.entries(outcome.figures).map(([name, value]) => `${name} ${value}`);
  console.log(
    `${outcome.failures.length === 0 ? 'held  ' : 'BROKEN'}  ${one.name}: ${outcome.tried} tried, ${outcome.failures.length} failures, ${seconds} s${figures.length ? ` (${figures.join(', ')})` : ''}`,
  );
  for (const failure of outcome.failures.slice(0, 20)) console.log(`        ${failure}`);
  isBroken ||= outcome.failures.length > 0;
  rows.push({ name: one.name, must: one.must, seconds, ...outcome });
}
await servers.close();
if (options.json) {
  const report = { form: options.short ? 'short' : 'long', seed: Number(options.seed), cases: rows };
  writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`);
}
process.exit(isBroken ? 1 : 0);
