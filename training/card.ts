/**
 * npx tsx training/card.ts --pack pbc
 * npx tsx training/card.ts --evidence
 *
 * Writes models/ID/card.md from training/cards/ID.md, with the figures of models/ID/evaluation*.json in place of {{figures …}},
 * and puts the card's new digest into pack.json; or docs/evidence.md from training/cards/evidence.md. Nobody types a figure.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { comparisonsOf, coverageAt, failuresOf, trialsOf } from '#domain/validation-findings.ts';
import { prettyJson } from '#packs/encode.ts';
import { decodeValidation } from '#packs/validation.ts';
import type { Metric } from './evaluation/metrics.ts';

const root = join(fileURLToPath(import.meta.url), '../..');

interface Evaluation {
  readonly pack: string;
  readonly split: string;
  readonly metrics: readonly Metric[];
}

/**
 * `{{figures FILE PATTERN}}` becomes a table of the metrics in FILE whose name matches the regular expression PATTERN, and
 * `{{text FILE}}` the file as it is; `{{report FILE}}` what the figures of a validation report show by themselves.
 */
export function fillCard(template: string, read: (file: string) => string): string {
  return template
    .replace(/\{\{figures (\S+) (.+?)\}\}/g, (_, file: string, pattern: string) =>
      figureTable(JSON.parse(read(file)) as Evaluation, new RegExp(pattern)),
    )
    .replace(/\{\{text (\S+)\}\}/g, (_, file: string) => read(file).trimEnd())
    .replace(/\{\{report (\S+)\}\}/g, (_, file: string) => reportLines(file, read(file)));
}

function reportLines(file: string, text: string): string {
  const report = decodeValidation(new TextEncoder().encode(text), file);
  const trials = trialsOf(report);
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const failures = failuresOf(report).filter(({ kind }) => kind !== 'worse than a simpler method');
  return [
    ...coverageAt(report, 0.9).map(
      ({ observed, low, high, n, people }) =>
        `- 90 % ranges held ${percent(observed)} (${percent(low)} to ${percent(high)}) of ${n} values of ${people} people.`,
    ),
    ...comparisonsOf(report).map(
      ({ baseline, better, undecided, worseAt }) =>
        `- Against ${baseline}: better in ${better}, no clear difference in ${undecided}, worse in ${worseAt.length} figures${worseAt.length > 0 ? ` (${worseAt.join('; ')})` : ''}.`,
    ),
    ...(trials.length === 0
      ? []
      : [
          `- Trials run again: ${trials.filter(({ isReplicated }) => isReplicated).length} of ${trials.length} comparisons replicated.`,
        ]),
    ...failures.map(({ kind, name, set }) => `- ${kind}: ${name}${set === null ? '' : ` (${set})`}.`),
  ].join('\n');
}

function figureTable({ split, metrics }: Evaluation, pattern: RegExp): string {
  const chosen = metrics.filter(({ name }) => pattern.test(name));
  if (chosen.length === 0) throw new Error(`No figure of the ${split} people is called like ${pattern}.`);
  const rows = chosen.map((metric) => {
    const target = metric.target === undefined ? '' : show(metric.target);
    const baseline = metric.baseline === null ? '' : `${metric.baseline} ${show(metric.baselineValue)}`;
    const gap = metric.difference
      ? `${show(metric.difference.value)} (${show(metric.difference.low)} to ${show(metric.difference.high)})`
      : '';
    return `| ${metric.name} | ${show(metric.value)} (${show(metric.low)} to ${show(metric.high)}) | ${metric.n} | ${target} | ${baseline} | ${gap} |`;
  });
  return [
    '| figure | value (95 % interval) | people | ideal | baseline | difference |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function show(value: number | null): string {
  if (value === null) return '–';
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3);
}

function readFrom(folder: string): (file: string) => string {
  return (file) => {
    const path = join(folder, file);
    if (!existsSync(path)) throw new Error(`${path} is missing. Write it with npm run evaluate -- --json FILE.`);
    return readFileSync(path, 'utf8');
  };
}

function main(): void {
  const { values } = parseArgs({ options: { pack: { type: 'string' }, evidence: { type: 'boolean', default: false } } });
  if (values.evidence) {
    const template = readFileSync(join(root, 'training/cards/evidence.md'), 'utf8');
    writeFileSync(join(root, 'docs/evidence.md'), fillCard(template, readFrom(join(root, 'models'))));
    return;
  }
  if (values.pack === undefined) throw new Error('Say which pack: npx tsx training/card.ts --pack pbc.');
  const folder = join(root, 'models', values.pack);
  const card = fillCard(readFileSync(join(root, 'training/cards', `${values.pack}.md`), 'utf8'), readFrom(folder));
  writeFileSync(join(folder, 'card.md'), card);
  const manifestPath = join(folder, 'pack.json');
  const manifest = JSON.parse(readFileSync(manifestPath, 'utf8')) as { card: { sha256: string } };
  manifest.card.sha256 = createHash('sha256').update(card).digest('hex');
  writeFileSync(manifestPath, prettyJson(manifest));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
