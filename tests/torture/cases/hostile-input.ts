import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../../scripts/packages.mjs';
import type { TortureCase } from '../case.ts';

/** The tests that read `MUTANTS`, and those that read every file of shared/data/bad-input where it is there. */
const tests = ['mutants', 'fuzz', 'bad-input'];

interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly title: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

function runTests(mutants: number, file: string): Promise<void> {
  return new Promise((done) => {
    const vitest = spawn(
      process.execPath,
      [
        join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        '--project',
        'node',
        '--testTimeout=7200000',
        '--reporter=json',
        `--outputFile=${file}`,
        ...tests,
      ],
      { cwd: root, env: { ...process.env, MUTANTS: String(mutants) }, stdio: 'ignore' },
    );
    vitest.on('close', () => done());
  });
}

export const hostileInput: TortureCase = {
  name: 'hostile-input',
  must: 'bad input and mutants of files, backups, packs and runs: never a crash, hang, wrong number or half import',
  // Mutants a surface. `npm test` has these tests among its own.
  times: { short: 0, long: 5000 },
  limitSeconds: 0,
  async run({ times }) {
    const file = join(root, 'test-results/hostile-input.json');
    await runTests(times, file);
    const { numPassedTests, testResults } = JSON.parse(readFileSync(file, 'utf8')) as Report;
    rmSync(file);
    const failures = testResults.flatMap(({ message, assertionResults }) => [
      ...(assertionResults.length === 0 ? [message] : []),
      ...assertionResults
        .filter(({ status }) => status === 'failed')
        .map(({ title, failureMessages }) => `${title}: ${failureMessages[0]?.split('\n')[0]}`),
    ]);
    return { tried: times, failures, figures: { testsPassed: numPassedTests } };
  },
};
