/**
 * npx tsx training/evaluation/what-if.ts --study coin|arms|placebo|negative|truth [--runs N]
 * npx tsx training/evaluation/what-if.ts --write [--date YYYY-MM-DD]
 *
 * Do intervals of a what-if hold what is true? Each run fits an ensemble anew and keeps its effects in .cache/training/what-if, so that
 * a stopped study goes on where it was. `--write` puts the figures of what is there into training/results/validation: the coin of
 * ACTG 175 for the pack that was learned from it, simulated people for the pack that simulates them.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Figure, ValidationSection } from '#domain/validation.ts';
import { clopperPearsonInterval } from '#numerics/intervals.ts';
import { memberSpread, spreadQuantile } from '#numerics/member-spread.ts';
import { quantileOfSorted, sorted } from '#numerics/quantiles.ts';
import { studentQuantile } from '#numerics/special-functions.ts';
import { loadPack } from '#packs/catalogue.ts';
import { modelDigest } from '#packs/validation.ts';
import { readModels } from '../../scripts/read-models.ts';
import { idsOfSplit } from '../clinical-data.ts';
import { readRecipeData } from '../prepare.ts';
import { hivActg175 } from '../recipes/hiv-actg175.ts';
import { effectRun, study, type EffectRun, type World } from '../tumour/effects.ts';
import { average } from '../validation/figures.ts';
import { root, writePart } from '../validation/parts.ts';
import { writeWhole } from '../whole-file.ts';
import { shamRun, shamStudy, type ShamRun } from './sham-arms.ts';

const cache = join(root, '.cache/training/what-if');

const worlds: Readonly<Record<'placebo' | 'negative' | 'truth', World>> = {
  placebo: { gamma: 0, isWorking: false, people: 120 },
  negative: { gamma: 4, isWorking: false, people: 120 },
  truth: { gamma: 2, isWorking: true, people: 120 },
};
/** Runs wanted of each study. */
const wanted = { coin: 200, arms: 20, placebo: 200, negative: 200, truth: 200 } as const;
type Study = keyof typeof wanted;

const fileOf = (name: Study): string => join(cache, `${name}.json`);
const runsOf = <T>(name: Study): T[] => (existsSync(fileOf(name)) ? (JSON.parse(readFileSync(fileOf(name), 'utf8')) as T[]) : []);

function carryOut(name: Study, runs: number): void {
  mkdirSync(cache, { recursive: true });
  const done = runsOf<EffectRun | ShamRun>(name);
  const data = name === 'coin' || name === 'arms' ? readRecipeData(hivActg175) : null;
  const ids = data ? idsOfSplit(data, 'train') : [];
  for (let run = done.length; run < runs; run++) {
    done.push(data ? shamRun(data, ids, name as 'coin' | 'arms', run) : effectRun(worlds[name as keyof typeof worlds], run));
    writeWhole(fileOf(name), JSON.stringify(done));
    if ((run + 1) % 10 === 0) console.log(`${name}: ${run + 1} of ${runs}`);
  }
}

/** Effects by member, by group. */
type Groups = readonly (readonly number[])[];

/** As the page draws it, though that draws 90 %. */
function asDrawn(groups: Groups): [low: number, high: number] {
  const spread = memberSpread(groups.flat(), groups.length);
  return [spreadQuantile(spread, 0.025), spreadQuantile(spread, 0.975)];
}

/** As it was drawn before: the middle 95 % of the groups of all members. */
function byQuantiles(groups: Groups): [low: number, high: number] {
  const all = sorted(groups.flat());
  return [quantileOfSorted(all, 0.025), quantileOfSorted(all, 0.975)];
}

const intervals = [
  { name: 'interval over members, as the page draws it', of: asDrawn },
  { name: 'interval of quantiles over groups, as drawn before', of: byQuantiles },
] as const;

function coverageFigures(what: string, set: string, runs: readonly { groups: Groups; truth: number }[]): Figure[] {
  return intervals.map(({ name, of }) => {
    const held = runs.filter(({ groups, truth }) => {
      const [low, high] = of(groups);
      return low <= truth && truth <= high;
    }).length;
    return shareFigure(`${what}, 95 % ${name}`, set, held, runs.length, { better: 'nearer', wanted: 0.95 });
  });
}

function shareFigure(
  name: string,
  set: string,
  held: number,
  n: number,
  { better, wanted: aim }: { better: Figure['better']; wanted: number | null },
): Figure {
  const interval = clopperPearsonInterval(held, n);
  return {
    name,
    set,
    value: held / n,
    interval: interval.defined ? { low: interval.value.lower, high: interval.value.upper } : null,
    n,
    counted: 'runs',
    better,
    wanted: aim,
    baselines: [],
    note: null,
  };
}

/** Mean over runs, with Student's interval. */
function meanFigure(name: string, set: string, values: readonly number[], aim: number | null): Figure {
  const centre = average(values);
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
  const reach = (studentQuantile(0.975, values.length - 1) * sd) / Math.sqrt(values.length);
  return {
    name,
    set,
    value: centre,
    interval: { low: centre - reach, high: centre + reach },
    n: values.length,
    counted: 'runs',
    better: aim === null ? 'lower' : 'nearer',
    wanted: aim,
    baselines: [],
    note: null,
  };
}

/** Refuses to write less than was asked for. */
function allRuns<T>(name: Study): T[] {
  const runs = runsOf<T>(name);
  if (runs.length < wanted[name]) {
    throw new Error(
      `The study '${name}' has ${runs.length} of ${wanted[name]} runs. Go on with npx tsx training/evaluation/what-if.ts --study ${name}.`,
    );
  }
  return runs.slice(0, wanted[name]);
}

function coinFigures(): Figure[] {
  const coin = allRuns<ShamRun>('coin');
  const arms = allRuns<ShamRun>('arms');
  const set = `${shamStudy.people} people of the trial, drawn anew in each run`;
  return [
    ...coverageFigures(
      'An effect of a coin on the risk by week 96 is not found',
      set,
      coin.map(({ risk }) => ({ groups: risk, truth: 0 })),
    ),
    ...coverageFigures(
      'An effect of a coin on √CD4 at week 96 is not found',
      set,
      coin.map(({ marker }) => ({ groups: marker, truth: 0 })),
    ),
    shareFigure(
      'The true arms ZDV + ddI and ZDV: an effect on the risk is found, 95 % interval as the page draws it',
      set,
      arms.filter(({ risk }) => asDrawn(risk)[1] < 0).length,
      arms.length,
      { better: 'higher', wanted: null },
    ),
  ];
}

function simulatedFigures(): Figure[] {
  const [placebo, negative, truth] = (['placebo', 'negative', 'truth'] as const).map((name) => allRuns<EffectRun>(name));
  const sets = {
    placebo: 'Placebo: radiotherapy without effect, given by the toss of a coin',
    negative: 'Negative control: radiotherapy without effect, given mostly to large tumours (γ = 4)',
    truth: 'Known truth: radiotherapy that works, given more to large tumours (γ = 2)',
  };
  return [
    ...coverageFigures('The mean effect lies in its interval', sets.placebo, placebo!),
    ...coverageFigures('The mean effect lies in its interval', sets.negative, negative!),
    ...coverageFigures('The mean effect lies in its interval', sets.truth, truth!),
    meanFigure(
      'Bias of the mean effect, shares of today’s volume',
      sets.truth,
      truth!.map(({ groups, truth: own }) => average(groups.map(average)) - own),
      0,
    ),
    meanFigure(
      'Error of a person’s effect (PEHE, root mean square), shares of today’s volume',
      sets.truth,
      truth!.map(({ personError }) => personError),
      null,
    ),
    meanFigure(
      'The same as a share of the spread of the effects between people',
      sets.truth,
      truth!.map(({ personError, personSpread }) => personError / personSpread),
      null,
    ),
    meanFigure(
      'Bias of the mean effect, shares of today’s volume',
      sets.negative,
      negative!.map(({ groups }) => average(groups.map(average))),
      0,
    ),
  ];
}

async function write(date: string): Promise<void> {
  const command = 'npx tsx training/evaluation/what-if.ts --write';
  const section = async (pack: string, part: Pick<ValidationSection, 'method' | 'figures' | 'notes'>): Promise<void> => {
    const { manifest } = await loadPack(pack, readModels());
    writePart(pack, {
      id: 'what-if',
      made: { command, date, seed: 3_000_000, model: await modelDigest(manifest) },
      drawings: [],
      ...part,
    });
  };
  const quantiles =
    'The page draws 90 % of Student’s t over members and the draws inside them (src/numerics/member-spread.ts). Quantiles over five members are too narrow for what is not known of the parameters: six equally likely places for the truth among five members leave it outside all of them in one of three.';
  await section('hiv-actg175', {
    method: `Placebo. ${shamStudy.people} people of the trial’s training people are split into two arms by the toss of a coin, whatever they were given, and an ensemble of ${shamStudy.members} members of the pack’s family, smaller (one marker, one event, steps of ${shamStudy.stepDays} days, ${shamStudy.fit.iterations} steps of the optimiser), is fitted anew. Its effect of the coin is held against zero. The same with arms that were truly compared shows that an effect would be found.`,
    figures: coinFigures(),
    notes: [
      quantiles,
      'The shipped pack itself is not refitted 200 times: what is tested is its family, its fitting and its bootstrap.',
    ],
  });
  await section('lung-tumour', {
    method: `An ensemble of ${study.members} learned models (training/tumour) is fitted anew to ${worlds.truth.people} people simulated by this pack’s equations, in each run others, and asked for the effect of five days of radiotherapy on the volume six days on in ${study.asked} others whose first ${study.day} days it has seen. What is true of them is known.`,
    figures: simulatedFigures(),
    notes: [
      quantiles,
      'This tests learned models on the pack’s simulated people; the pack’s own equations are true there by construction.',
    ],
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      study: { type: 'string' },
      runs: { type: 'string' },
      write: { type: 'boolean', default: false },
      date: { type: 'string' },
    },
  });
  if (values.study !== undefined) {
    const name = values.study as Study;
    if (!(name in wanted)) throw new Error(`There is no study '${name}'. Choose one of ${Object.keys(wanted).join(', ')}.`);
    carryOut(name, Number(values.runs ?? wanted[name]));
  }
  if (values.write) await write(values.date ?? new Date().toISOString().slice(0, 10));
}
