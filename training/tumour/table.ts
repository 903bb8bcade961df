/**
 * npx tsx training/tumour/table.ts
 *
 * Writes docs/tumour-benchmark.md from training/tumour/benchmark.md and the results in training/results/tumour, whatever seeds are
 * there: `{{seeds}}`, `{{table TEST TAU…}}`, `{{bound}}`, `{{own}}` and `{{ablation}}` become what was measured. Nobody types a figure.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ablationFile, type AblationResult } from './ablation.ts';
import type { PolicyWindow, Test } from './protocol.ts';
import { publishedRows } from './published.ts';
import { protocolGammas, protocolSeeds } from './recipe.ts';
import { resultFile, type BenchmarkResult, type Method } from './run.ts';

const root = join(fileURLToPath(import.meta.url), '../../..');

export interface Summary {
  readonly mean: number;
  /** Of seeds; not a number for one. */
  readonly sd: number;
  readonly seeds: number;
}

export function summarise(values: readonly number[]): Summary {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
  return { mean, sd, seeds: values.length };
}

export function readResults(): BenchmarkResult[] {
  return protocolSeeds.flatMap((seed) =>
    protocolGammas
      .map((gamma) => resultFile(gamma, seed))
      .filter((file) => existsSync(file))
      .map((file) => JSON.parse(readFileSync(file, 'utf8')) as BenchmarkResult),
  );
}

/** By seed, of the seeds that have this γ and window. */
export function figuresOf(
  results: readonly BenchmarkResult[],
  method: Method,
  at: { test: Test; tau: number; gamma: number; window: PolicyWindow },
): number[] {
  const step = at.test === 'one-step' ? 0 : at.tau - 2;
  return results
    .filter(({ gamma, windows }) => gamma === at.gamma && windows[at.window])
    .map(({ windows }) => windows[at.window]![at.test][method].rmse[step]!);
}

export const showSummary = ({ mean, sd }: Pick<Summary, 'mean' | 'sd'>): string =>
  Number.isNaN(sd) ? mean.toFixed(3) : `${mean.toFixed(3)} ± ${sd.toFixed(3)}`;

const head = (first: string): string[] => [
  `| ${first} | ${protocolGammas.map((gamma) => `γ = ${gamma}`).join(' | ')} |`,
  `|---|${protocolGammas.map(() => '---|').join('')}`,
];
const line = (name: string, cells: readonly string[]): string => `| ${name} | ${cells.join(' | ')} |`;
function ownCells(results: readonly BenchmarkResult[], method: Method, test: Test, tau: number, window: PolicyWindow): string[] {
  return protocolGammas.map((gamma) => {
    const values = figuresOf(results, method, { test, tau, gamma, window });
    return values.length === 0 ? '' : showSummary(summarise(values));
  });
}

/** Published rows, then ours, of the τ asked for. */
function table(results: readonly BenchmarkResult[], test: Test, taus: readonly number[]): string {
  const rows = taus.flatMap((tau) => {
    const label = test === 'one-step' ? '' : `τ = ${tau}, `;
    const published = publishedRows
      .filter((row) => row.test === test && row.tau === tau)
      .map(({ method, rmse, sd }) =>
        line(
          `${label}${method}`,
          rmse.map((mean, g) => showSummary({ mean, sd: sd?.[g] ?? NaN })),
        ),
      );
    const ours = [
      line(`**${label}learned model**`, ownCells(results, 'learned', test, tau, 'published')),
      line(`${label}exact posterior (bound)`, ownCells(results, 'bayes', test, tau, 'published')),
      ...(test === 'one-step' ? [line('persistence', ownCells(results, 'persistence', test, tau, 'published'))] : []),
    ];
    return [...published, ...ours];
  });
  return [...head('normalised RMSE, %'), ...rows].join('\n');
}

const allTaus = [
  ['one-step', 1],
  ...[2, 3, 4, 5, 6].map((tau) => ['random', tau] as const),
  ...[2, 3, 4, 5, 6].map((tau) => ['sliding', tau] as const),
] as const satisfies readonly (readonly [Test, number])[];

const labelOf = (test: Test, tau: number): string => (test === 'one-step' ? 'one-step' : `τ = ${tau}, ${test}`);

/** Learned over bound on the same rows, by seed, then averaged. */
function boundTable(results: readonly BenchmarkResult[]): string {
  const rows = allTaus.map(([test, tau]) =>
    line(
      labelOf(test, tau),
      protocolGammas.map((gamma) => {
        const at = { test, tau, gamma, window: 'published' } as const;
        const bayes = figuresOf(results, 'bayes', at);
        const ratios = figuresOf(results, 'learned', at).map((value, i) => value / bayes[i]!);
        return ratios.length === 0 ? '' : showSummary(summarise(ratios));
      }),
    ),
  );
  return [...head('learned model / bound'), ...rows].join('\n');
}

function ownWindowTable(results: readonly BenchmarkResult[]): string {
  if (!results.some(({ windows }) => windows.own))
    return 'Not measured yet: `npx tsx training/tumour/run.ts --windows published,own`.';
  const rows = allTaus.flatMap(([test, tau]) =>
    (['learned', 'bayes'] as const).map((method) =>
      line(
        `${labelOf(test, tau)}, ${method === 'learned' ? 'learned model' : 'bound'}`,
        ownCells(results, method, test, tau, 'own'),
      ),
    ),
  );
  return [...head('normalised RMSE, %'), ...rows].join('\n');
}

function ablationTable(): string {
  const results = existsSync(ablationFile) ? (JSON.parse(readFileSync(ablationFile, 'utf8')) as AblationResult[]) : [];
  if (results.length === 0) return 'Not measured yet: `npx tsx training/tumour/ablation.ts`.';
  return [
    '| γ | seed | model | log-likelihood of a valid person | one-step | τ = 2, random | τ = 6, random | τ = 6, sliding |',
    '|---|---|---|---|---|---|---|---|',
    ...results.map(({ gamma, seed, variant, valid, figures }) =>
      line(String(gamma), [
        String(seed),
        variant,
        valid.toFixed(2),
        figures['one-step'].rmse[0]!.toFixed(3),
        figures.random.rmse[0]!.toFixed(3),
        figures.random.rmse[4]!.toFixed(3),
        figures.sliding.rmse[4]!.toFixed(3),
      ]),
    ),
  ].join('\n');
}

/** "10 and 101 (all γ), 1010 (γ = 0)". */
function seedsIn(results: readonly BenchmarkResult[]): string {
  const parts = protocolSeeds
    .map((seed) => ({ seed, gammas: results.filter((result) => result.seed === seed).map(({ gamma }) => gamma) }))
    .filter(({ gammas }) => gammas.length > 0)
    .map(({ seed, gammas }) => `${seed} (${gammas.length === protocolGammas.length ? 'every γ' : `γ = ${gammas.join(', ')}`})`);
  return `${parts.length} of ${protocolSeeds.length}: ${parts.join('; ')}`;
}

function fill(template: string): string {
  const results = readResults();
  return template
    .replace('{{seeds}}', seedsIn(results))
    .replace(/\{\{table (\S+) (\S+)\}\}/g, (_, test: Test, taus: string) => table(results, test, taus.split(',').map(Number)))
    .replace('{{bound}}', boundTable(results))
    .replace('{{own}}', ownWindowTable(results))
    .replace('{{ablation}}', ablationTable());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const template = readFileSync(join(root, 'training/tumour/benchmark.md'), 'utf8');
  writeFileSync(join(root, 'docs/tumour-benchmark.md'), fill(template));
}
