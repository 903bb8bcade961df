// npm run check: types for three environments, lint, format, import rules. Prints a line for each check, and the output of
// those that failed. `runChecks` is what npm test counts.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './packages.mjs';

const bin = (name, path) => [join(root, 'node_modules', name, path)];

const checks = [
  { name: 'types: core, without DOM', command: [...bin('typescript', 'bin/tsc'), '-p', 'tsconfig.core.json'] },
  { name: 'types: worker', command: [...bin('typescript', 'bin/tsc'), '-p', 'tsconfig.worker.json'] },
  {
    // It reads the .ts files of tsconfig.json too, so a run of tsc on them would say the same again.
    name: 'types: app, tests and scripts; Svelte',
    command: [
      ...bin('svelte-check', 'bin/svelte-check'),
      '--tsconfig',
      'tsconfig.json',
      '--output',
      'human',
      '--fail-on-warnings',
      '--no-color',
    ],
  },
  { name: 'lint: oxlint', command: [...bin('oxlint', 'bin/oxlint'), '--deny-warnings'] },
  { name: 'lint: eslint', command: [...bin('eslint', 'bin/eslint.js'), '--max-warnings', '0', '.'] },
  {
    name: 'format: prettier (npm run format mends it)',
    command: [...bin('prettier', 'bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'],
  },
  {
    name: 'architecture: import rules',
    command: [
      ...bin('dependency-cruiser', 'bin/dependency-cruise.mjs'),
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'err-long',
      'src',
      ...(existsSync(join(root, 'training')) ? ['training'] : []),
    ],
  },
];

/** Runs every check, whatever the others gave, and prints as it goes. */
export function runChecks() {
  const failed = [];
  for (const { name, command } of checks) {
    const began = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, command, {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
    });
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    if (status === 0) {
      console.log(`  ok      ${name} (${seconds} s)`);
      continue;
    }
    failed.push(name);
    console.log(`  FAILED  ${name} (${seconds} s)`);
    console.log(`${stdout ?? ''}${stderr ?? ''}`.trim().replace(/^/gm, '    '));
  }
  return { passed: checks.length - failed.length, failed };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, failed } = runChecks();
  console.log(failed.length === 0 ? `${passed} checks passed.` : `Failed: ${failed.join('; ')}`);
  process.exit(failed.length === 0 ? 0 : 1);
}
