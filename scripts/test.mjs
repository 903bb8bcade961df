// npm test: sets up what is missing, then runs every stage, one after the other, whatever the ones before gave.
// The last line is the sum over all of them, alone: "N passed, N failed".
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runChecks } from './check.mjs';
import { gpuEnvironment } from './gpu-environment.mjs';
import { ensureChromium } from './install-chromium.mjs';
import { ensurePackages, npm, requireNode, root } from './packages.mjs';

const results = join(root, 'test-results');
const stageLimit = 45 * 60_000;
const totals = { passed: 0, failed: 0, skipped: 0 };
const summary = [];

/** Runs one stage, times it, and adds what it gives to the totals. A stage that breaks counts as one failure. */
function stage(name, run) {
  console.log(`\n── ${name}`);
  const began = performance.now();
  let result;
  try {
    result = { passed: 0, failed: 0, skipped: 0, ...run() };
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    result = { passed: 0, failed: 1, skipped: 0 };
  }
  for (const key of Object.keys(totals)) totals[key] += result[key];
  const skipped = result.skipped ? `, ${result.skipped} skipped` : '';
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  summary.push(
    `  ${result.failed ? 'FAILED' : 'ok    '}  ${name}: ${result.passed} passed, ${result.failed} failed${skipped} (${seconds} s)`,
  );
  return result.failed === 0;
}

function node(args, env = {}) {
  const { status, error } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    timeout: stageLimit,
    env: { ...process.env, ...env },
  });
  if (error) console.error(`The stage was ended: ${error.message}`);
  return status ?? 1;
}

function hasTests(...folders) {
  return folders.some(
    (folder) =>
      existsSync(join(root, 'tests', folder)) &&
      readdirSync(join(root, 'tests', folder), { recursive: true, encoding: 'utf8' }).some((name) => name.endsWith('.test.ts')),
  );
}

function report(file) {
  if (!existsSync(file)) throw new Error(`${file}: the runner ended before it wrote its report, see above.`);
  return JSON.parse(readFileSync(file, 'utf8'));
}

function vitest(...projects) {
  const file = join(results, `vitest-${projects.join('-')}.json`);
  const status = node(
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      ...projects.flatMap((name) => ['--project', name]),
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
    ],
    gpuEnvironment(),
  );
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = report(file);
  // A file that cannot be loaded has no tests in it that could fail.
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((t) => t.status === 'failed'),
  );
  const failed = numFailedTests + broken.length;
  return { passed: numPassedTests, failed: failed || (status === 0 ? 0 : 1), skipped: numPendingTests + numTodoTests };
}

function journeys() {
  const file = join(results, 'journeys.json');
  const status = node([join(root, 'node_modules/@playwright/test/cli.js'), 'test', '--reporter=list,json'], {
    PLAYWRIGHT_JSON_OUTPUT_NAME: file,
  });
  const { stats, errors } = report(file);
  const failed = stats.unexpected + errors.length;
  return { passed: stats.expected + stats.flaky, failed: failed || (status === 0 ? 0 : 1), skipped: stats.skipped };
}

function run() {
  const isSetUp = stage('set-up', () => {
    requireNode();
    ensurePackages();
    console.log(`Chromium: ${ensureChromium()}`);
    const hasData = existsSync(join(root, '../shared/data'));
    console.log(
      hasData
        ? '../shared/data is there: the tests that need the source data run.'
        : '../shared/data is not there: the tests that need the source data are skipped; all others run.',
    );
    rmSync(results, { recursive: true, force: true });
    mkdirSync(results, { recursive: true });
    return {};
  });
  if (!isSetUp) return;

  const isBuilt = stage('build', () => {
    const status = npm(['run', '--silent', 'build']).status;
    return status === 0 ? { passed: 1 } : { failed: 1 };
  });
  stage('checks', () => {
    const { passed, failed } = runChecks();
    return { passed, failed: failed.length };
  });
  stage('unit, conformance, science, golden and architecture tests', () => vitest('node', 'dom'));
  if (hasTests('browser')) stage('component tests in Chromium', () => vitest('browser'));
  else console.log('\nThere are no component tests in tests/browser yet.');
  if (!hasTests('journeys')) console.log('\nThere are no journeys in tests/journeys yet.');
  else {
    stage('journeys in Chromium', () => {
      if (!isBuilt) throw new Error('The journeys run on the built app, and the build failed.');
      return journeys();
    });
  }
}

const began = performance.now();
run();
console.log(`\n── sum, after ${((performance.now() - began) / 60_000).toFixed(1)} minutes\n${summary.join('\n')}`);
if (totals.skipped) console.log(`  ${totals.skipped} skipped`);
console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed === 0 ? 0 : 1);
