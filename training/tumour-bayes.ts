/**
 * npx tsx training/tumour-bayes.ts
 *
 * The row of the mechanistic pack in the counterfactual benchmark: normalised RMSE of one-step and τ-step forecasts under the exact
 * posterior of the lung-tumour pack (training/tumour/bayes.ts), on the test people of training/tumour/protocol.ts, by both windows of
 * their policy. Writes models/lung-tumour/bayes.md, which the pack's card and docs/evidence.md hold. What training/tumour/run.ts has
 * measured already is taken from its files.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BayesForecaster } from './tumour/bayes.ts';
import { persistence, runTest, tests, type PolicyWindow } from './tumour/protocol.ts';
import { protocolGammas, protocolPeople, protocolSeeds } from './tumour/recipe.ts';
import { resultFile, type BenchmarkResult } from './tumour/run.ts';
import { showSummary, summarise } from './tumour/table.ts';

/** Figures by row, of one draw. */
function rowsOf(gamma: number, seed: number, window: PolicyWindow): Map<string, number> {
  const file = resultFile(gamma, seed);
  const known = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as BenchmarkResult).windows[window] : undefined;
  const rows = new Map<string, number>();
  for (const test of tests) {
    const set = { gamma, seed, people: protocolPeople.test, window };
    const [bayes, carried] = known
      ? [known[test].bayes, known[test].persistence]
      : runTest(test, set, [new BayesForecaster(seed), persistence]);
    bayes!.rmse.forEach((value, step) => rows.set(test === 'one-step' ? test : `τ=${step + 2}, ${treatmentsOf[test]}`, value));
    if (test === 'one-step') {
      rows.set('one-step, persistence', carried!.rmse[0]!);
      rows.set('rows of one-step', bayes!.rows);
    }
  }
  return rows;
}

const treatmentsOf = { random: 'random treatments', sliding: 'sliding treatment' } as const;

/** Figures by row, γ by column. */
function tableOf(window: PolicyWindow): string {
  const columns = protocolGammas.map((gamma) => protocolSeeds.map((seed) => rowsOf(gamma, seed, window)));
  return [
    `| normalised RMSE, % | ${protocolGammas.map((gamma) => `γ = ${gamma}`).join(' | ')} |`,
    `|---|${protocolGammas.map(() => '---|').join('')}`,
    ...[...columns[0]![0]!.keys()].map((name) => {
      const cells = columns.map((seeds) => summarise(seeds.map((rows) => rows.get(name)!)));
      return `| ${name} | ${cells.map((cell) => (name.startsWith('rows') ? cell.mean.toFixed(0) : showSummary(cell))).join(' | ')} |`;
    }),
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = `Exact posterior of the pack, mean ± sd over five seeds of 1,000 people each (\`npx tsx training/tumour-bayes.ts\`, protocol in \`training/tumour/protocol.ts\`). Seeds name our generator's draws, not numpy's.

Test people treated by their own history:

${tableOf('own')}

Test people treated as the published generators do, by another person's row: the row to hold beside the published table, whose best methods have a one-step error of 0.755 (γ = 0) to 1.319 (γ = 4).

${tableOf('published')}
`;
  writeFileSync(join(fileURLToPath(import.meta.url), '../../models/lung-tumour/bayes.md'), text);
}
