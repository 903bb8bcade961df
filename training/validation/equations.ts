/** The sections of packs of equations: published values, calibration on simulated people, and what was measured on real ones. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Drawing, Figure, SectionId, ValidationSection } from '#domain/validation.ts';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { clopperPearsonInterval } from '#numerics/intervals.ts';
import { loadPack } from '#packs/catalogue.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { modelDigest } from '#packs/validation.ts';
import { readModels } from '../../scripts/read-models.ts';
import { checksOf } from '../../scripts/golden-conformance.ts';
import type { Metric } from '../evaluation/metrics.ts';
import { orThrow } from '../baselines/predictive.ts';
import { capital, fromMetric } from './figures.ts';
import { root } from './parts.ts';
import { smallestScored } from './subgroup-section.ts';

type Part = Omit<ValidationSection, 'id' | 'made'>;

export async function equationsSections(manifest: EquationsManifest, date: string): Promise<ValidationSection[]> {
  const model = await modelDigest(manifest);
  const section = (id: SectionId, command: string, seed: number | null, part: Part): ValidationSection => ({
    id,
    made: { command, date, seed, model },
    ...part,
  });
  const sections = [section('people', `npm run validate -- --pack ${manifest.id} --make`, null, peopleOf(manifest))];
  const references = await referencesOf(manifest.id);
  if (references) {
    sections.push(section('references', 'npm run conformance -- --golden tests/fixtures/golden-models/*.json', null, references));
  }
  const posterior = posteriorOf(manifest.id);
  if (posterior) sections.push(section('posterior', `npm run calibrate -- --pack ${manifest.id}`, 1, posterior));
  if (manifest.id === 'warfarin') {
    sections.push(
      section('markers', 'npm run evaluate -- --pack warfarin', null, warfarinDoses()),
      section('subgroups', 'npm run evaluate -- --pack warfarin', null, warfarinGroups()),
      section('benchmark', 'npx tsx training/warfarin-trial.ts --people 60', null, tablesOf('models/warfarin/trial.md')),
    );
  }
  if (manifest.id === 'lung-tumour') {
    sections.push(section('benchmark', 'npx tsx training/tumour-bayes.ts', null, tablesOf('models/lung-tumour/bayes.md')));
  }
  if (manifest.id === 'hiv-dynamics') {
    sections.push(section('benchmark', 'npm run evaluate -- --pack hiv-dynamics', 1, plannerReturns()));
  }
  return sections;
}

/** Who the published estimates are from; no row of theirs is here. */
function peopleOf({ sources, population, notFor }: EquationsManifest): Part {
  return {
    method:
      'What the sources say of the people their estimates are from. None of their rows is in the pack or was read by us, unless a note says so.',
    figures: [],
    drawings: [
      {
        kind: 'table',
        title: 'Whose estimates these are',
        columns: ['Source', 'Used as', 'People'],
        rows: sources
          .filter(({ role }) => role !== 'method')
          .map(({ citation, role, n }) => [citation, role.replace('-', ' '), n ?? 'not in our source']),
      },
      {
        kind: 'counts',
        title: 'Who was missing',
        total: 0,
        groups: [],
        missing: [...population.criteria.filter(({ severity }) => severity === 'soft').map(({ reason }) => reason), ...notFor],
      },
    ],
    notes: [population.description],
  };
}

interface AskedCheck {
  readonly file: string;
  readonly where: string;
  readonly engine: string;
  readonly packs: ReadonlySet<string>;
  readonly messages: readonly string[];
}

let asked: Promise<readonly AskedCheck[]> | null = null;

/** Every published check of the repository on the f64 engine and on the processor's, once a run: which packs it asks is seen then. */
function publishedChecks(): Promise<readonly AskedCheck[]> {
  return (asked ??= askAll());
}

async function askAll(): Promise<readonly AskedCheck[]> {
  const folder = join(root, 'tests/fixtures/golden-models');
  const found: AskedCheck[] = [];
  for (const simulator of [new ReferenceSimulator(), new CpuSimulator()]) {
    for (const file of readdirSync(folder).sort()) {
      for (const { where, run } of checksOf(JSON.parse(readFileSync(join(folder, file), 'utf8')))) {
        const packs = new Set<string>();
        const pack = async (id: string) => {
          packs.add(id);
          return (await loadPack(id, readModels())).manifest as EquationsManifest;
        };
        const messages = await run({ simulator, isExact: simulator.kind === 'reference', pack });
        found.push({ file, where, engine: simulator.kind, packs, messages });
      }
    }
  }
  return found;
}

async function referencesOf(packId: string): Promise<Part | null> {
  const own = (await publishedChecks()).filter(({ packs }) => packs.has(packId));
  if (own.length === 0) return null;
  const groups = [...new Set(own.map(({ file, engine }) => `${file}|${engine}`))];
  return {
    method:
      'Published courses, parameters and population values of the model, asked of the pack as the app has it. Tolerances are those of scripts/golden: printed digits and rounding on the f64 engine, 2e-4 relative in f32. That a pack repeats its source says nothing of how right the source is for a patient.',
    figures: groups.map((group) => {
      const [file, engine] = group.split('|');
      const checks = own.filter((check) => check.file === file && check.engine === engine);
      const passed = checks.filter(({ messages }) => messages.length === 0).length;
      return {
        name: `Published checks reproduced, ${file}`,
        set: engine === 'reference' ? 'f64 engine' : 'processor, f32',
        value: passed / checks.length,
        interval: null,
        n: checks.length,
        counted: 'reference values',
        better: 'nearer',
        wanted: 1,
        baselines: [],
        note: `${passed} of ${checks.length}, each within its stated tolerance`,
      };
    }),
    drawings: [],
    notes: own
      .filter(({ messages }) => messages.length > 0)
      .map(({ where, engine, messages }) => `${where} on the ${engine} engine: ${messages.join('; ')}.`)
      .slice(0, 32),
  };
}

interface Study {
  readonly people: number;
  readonly seed: number;
  readonly draws: number;
  readonly ranks: Readonly<Record<string, { readonly n: number; readonly p: number; readonly coverage90: number }>>;
  readonly inConflict: number;
}

/** Simulation-based calibration: simulated people with known parameters, fitted as a patient is. */
function posteriorOf(packId: string): Part | null {
  const folder = join(root, 'training/results');
  const files = readdirSync(folder).filter((name) => new RegExp(`^calibration-${packId}-\\d+\\.json$`).test(name));
  if (files.length === 0) return null;
  const figures: Figure[] = [];
  const drawings: Drawing[] = [];
  for (const file of files.sort()) {
    const study = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Study;
    const set = `${study.people} simulated people, seed ${study.seed}`;
    const rows = Object.entries(study.ranks).map(([label, { n, coverage90 }]) => {
      const inside = Math.round(coverage90 * n);
      const { lower, upper } = orThrow('coverage', clopperPearsonInterval(inside, n));
      const standardError = Math.sqrt((coverage90 * (1 - coverage90)) / n);
      return { label, nominal: 0.9, observed: coverage90, low: lower, high: upper, standardError, n, people: n };
    });
    drawings.push({ kind: 'coverage', title: `Did 90 % ranges of the fit hold the truth? ${capital(set)}`, rows });
    for (const [name, { n, p }] of Object.entries(study.ranks)) {
      figures.push({
        name: `p of even ranks: ${name}`,
        set,
        value: p,
        interval: null,
        n,
        counted: 'simulated people',
        better: null,
        wanted: null,
        baselines: [],
        note: null,
      });
    }
    figures.push({
      name: 'Share called in conflict with the population',
      set,
      value: study.inConflict / study.people,
      interval: null,
      n: study.people,
      counted: 'simulated people',
      better: 'lower',
      wanted: null,
      baselines: [],
      note: 'All of them are from the population: this is the share of false alarms.',
    });
  }
  return {
    method:
      'People are drawn from the model with known parameters, given its doses and measured with its errors, then fitted as the app fits a patient. The true value’s rank among the draws should be even, and 90 % ranges should hold it nine times in ten. It shows that the fit is right where the model is, not that the model is right.',
    figures,
    drawings,
    notes: ['Among so many p-values, one in twenty below 0.05 is what chance gives.'],
  };
}

function metricsOf(file: string): readonly Metric[] {
  return (JSON.parse(readFileSync(join(root, 'models/warfarin', file), 'utf8')) as { metrics: readonly Metric[] }).metrics;
}

const warfarinSets = [
  { file: 'evaluation-test.json', set: 'test people' },
  { file: 'evaluation-folds.json', set: 'five folds of whole sites' },
] as const;

/** Figures of the same name and set become one with several baselines. */
function warfarinDoses(): Part {
  const figures: Figure[] = [];
  for (const { file, set } of warfarinSets) {
    const isOfGroup = (name: string) => name.includes(', ') && !name.includes('resampled') && !name.includes('bias');
    for (const metric of metricsOf(file)) {
      if (isOfGroup(metric.name) || metric.name.startsWith('fold ')) continue;
      const [name, baseline] = metric.name.split(' against ');
      const figure = fromMetric({ ...metric, name: doseWords(name!) }, `${metric.n} people, ${set}`);
      const known = figures.findIndex((one) => one.name === figure.name && one.set === figure.set);
      if (known < 0) figures.push(figure);
      else if (baseline !== undefined) {
        figures[known] = { ...figures[known]!, baselines: [...figures[known]!.baselines, ...figure.baselines] };
      }
    }
  }
  return {
    method:
      'The typical weekly dose of the pack against the stable dose of real people (IWPC cohort), beside published formulas on the same people. Folds hold out whole sites. Intervals are 95 % percentile bootstrap over people. The course of the INR was held against nobody’s.',
    figures,
    drawings: [],
    notes: ['Doses are in mg a week. Within 20 % of the stable dose is how the IWPC counted a good dose.'],
  };
}

const doseWords = (name: string): string =>
  name
    .replace('mae_weekly_dose', 'Mean absolute error of the weekly dose, mg')
    .replace(/^bias, mg\/week$/, 'Mean error of the weekly dose, mg')
    .replace(/^share within/, 'Share of doses within');

function warfarinGroups(): Part {
  const figures: Figure[] = [];
  const drawings: Drawing[] = [];
  const kinds = [
    {
      prefix: 'mae_weekly_dose, ',
      title: 'How far off is the weekly dose in every group?',
      unit: 'mean absolute error, mg a week',
    },
    { prefix: 'share within 20 %, ', title: 'How many doses are within 20 % in every group?', unit: 'share within 20 %' },
  ];
  for (const { file, set } of warfarinSets) {
    for (const { prefix, title, unit } of kinds) {
      const own = metricsOf(file).filter(({ name }) => name.startsWith(prefix) && !name.includes('resampled'));
      const all = metricsOf(file).find(({ name }) => `${name}, ` === prefix)!;
      const scored = own.filter(({ n }) => n >= smallestScored);
      figures.push(
        ...scored.map((metric) => fromMetric({ ...metric, name: doseWords(metric.name) }, `${metric.n} people, ${set}`)),
      );
      drawings.push({
        kind: 'forest',
        title: `${title} ${capital(set)}`,
        unit,
        line: { value: all.value!, label: 'everyone', isWanted: false },
        rows: [{ ...all, name: `${prefix}everyone` }, ...scored].map(({ name, value, low, high, n }) => ({
          label: capital(name.slice(prefix.length)),
          value: value!,
          low: low!,
          high: high!,
          n,
        })),
        unscored: own
          .filter(({ n }) => n < smallestScored)
          .map(({ name, n }) => ({ label: capital(name.slice(prefix.length)), n })),
      });
    }
  }
  return {
    method:
      'The same doses by race as the cohort recorded it, age, dose needed and genotypes known. Groups under 50 are named and not scored. Intervals are 95 % percentile bootstrap over people. A group’s error grows with the doses it needs: compare the share within 20 % as well.',
    figures,
    drawings,
    notes: ['Race is the cohort’s word and stands here for what was recorded, not for a cause.'],
  };
}

function plannerReturns(): Part {
  const { metrics } = JSON.parse(readFileSync(join(root, 'models/hiv-dynamics/evaluation-planner.json'), 'utf8')) as {
    metrics: readonly Metric[];
  };
  return {
    method:
      'A planner that sees the true state chooses drugs every five days for 400 days; the return is that of the published task (immune response and virus against the cost of drugs). Three seeds.',
    figures: metrics.map((metric) => fromMetric(metric, null, 'runs')),
    drawings: [],
    notes: ['Returns in a simulator say nothing of a patient.'],
  };
}

/** Tables of a Markdown file that a script wrote, as drawings; its sentences are notes. */
function tablesOf(path: string): Part {
  const file = join(root, path);
  if (!existsSync(file)) throw new Error(`${file} is missing.`);
  const blocks = readFileSync(file, 'utf8')
    .trim()
    .split(/\n\s*\n/);
  const drawings: Drawing[] = [];
  const sentences: string[] = [];
  for (const block of blocks) {
    if (!block.startsWith('|')) {
      sentences.push(block.replaceAll('`', '').replaceAll('**', '').replaceAll('\n', ' '));
      continue;
    }
    const cells = (line: string) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
    const [head, , ...rows] = block.split('\n');
    drawings.push({
      kind: 'table',
      title: (sentences.at(-1) ?? path).slice(0, 200).replace(/[:.].*$/, ''),
      columns: cells(head!),
      rows: rows.map(cells),
    });
  }
  return { method: sentences[0] ?? path, figures: [], drawings, notes: sentences.slice(1) };
}
