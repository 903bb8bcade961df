/** The sections of the learned packs that are made from outcomes of real people. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Provenance, SectionId, ValidationSection } from '#domain/validation.ts';
import type { LearnedManifest } from '#packs/manifest.ts';
import { hivGroups } from '../evaluation/hiv-outcomes.ts';
import type { Metric } from '../evaluation/metrics.ts';
import type { Outcomes } from '../evaluation/outcomes.ts';
import { pbcGroups } from '../evaluation/pbc-outcomes.ts';
import { readRecipeData } from '../prepare.ts';
import { recipeOf } from '../recipes/all.ts';
import { eventParts, type EventWords } from './event-section.ts';
import { fromMetric } from './figures.ts';
import { foldOutcomes, outcomesSeed, testOutcomes } from './learned-outcomes.ts';
import { root } from './parts.ts';
import { countsDrawing, subgroupParts } from './subgroup-section.ts';
import { replicateDifference, replicateTrial, trialSeed, type PublishedTrial } from './trial-section.ts';
import { valueParts, type Horizon, type ScoredTask } from './value-section.ts';

const year = 365.25;
const week = 7;
const intervals =
  'Intervals are 95 % percentile bootstrap over people (a person’s values stay together); differences are ours less the simpler method’s on the same resamples.';

type Make = (id: SectionId, part: Omit<ValidationSection, 'id' | 'made'>, seed?: number) => ValidationSection;

function maker(packId: string, manifest: LearnedManifest, date: string): Make {
  return (id, part, seed = outcomesSeed) => {
    const made: Provenance = {
      command: `npm run validate -- --pack ${packId} --make`,
      date,
      seed,
      model: manifest.weights.sha256,
    };
    return { id, made, ...part };
  };
}

function evaluationOf(packId: string): readonly Metric[] {
  const file = join(root, 'models', packId, 'evaluation-test.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { metrics: readonly Metric[] }).metrics;
}

function memorisation(make: Make, packId: string): ValidationSection {
  return make(
    'memorisation',
    {
      method:
        'Entry values of 1,000 people drawn from the pack are held against those of training people, beside people whom the pack never saw. A smoke detector, not a proof of privacy: data that pass it have been attacked with success.',
      figures: evaluationOf(packId)
        .filter(({ name }) => name.startsWith('memorisation: '))
        .map((metric) => fromMetric({ ...metric, name: metric.name.slice('memorisation: '.length) }, null, 'drawn people')),
      drawings: [],
      notes: [`The figures are those of models/${packId}/evaluation-test.json (npm run evaluate -- --pack ${packId}).`],
    },
    7,
  );
}

const markersOf = (manifest: LearnedManifest, { values }: Outcomes): ReadonlyMap<string, string> =>
  new Map(
    manifest.markers.flatMap(({ id, label }) => (values.some(({ marker }) => marker === id) ? [[id, label] as const] : [])),
  );

function together<T>(parts: readonly { readonly figures: readonly T[]; readonly drawings: readonly unknown[] }[]) {
  return { figures: parts.flatMap(({ figures }) => figures), drawings: parts.flatMap(({ drawings }) => drawings) };
}

export async function pbcSections(manifest: LearnedManifest, date: string): Promise<ValidationSection[]> {
  const make = maker('pbc', manifest, date);
  const [test, folds] = [await testOutcomes('pbc'), await foldOutcomes()];
  const sets = [test, folds];
  const tasks: ScoredTask[] = [{ task: 'next visit', label: 'next visit' }];
  const horizons: Horizon[] = [
    { label: 'up to 9 months', fromDays: 0, toDays: 0.75 * year },
    { label: '9 to 18 months', fromDays: 0.75 * year, toDays: 1.5 * year },
    { label: '18 months to 3 years', fromDays: 1.5 * year, toDays: 3 * year },
    { label: '3 to 6 years', fromDays: 3 * year, toDays: 6 * year },
    { label: '6 to 10 years', fromDays: 6 * year, toDays: 10 * year },
  ];
  const words: EventWords = {
    outcome: 'death or transplantation',
    horizons: [
      { at: 1, label: '2 years' },
      { at: 4, label: '5 years' },
    ],
    thresholds: Array.from({ length: 15 }, (_, k) => (k + 1) * 0.05),
    longestDays: manifest.grid.stepDays * manifest.grid.horizonSteps,
  };
  const data = readRecipeData(recipeOf('pbc'));
  const groups = Object.fromEntries([...data.subjects.keys()].map((id) => [id, pbcGroups(data, id)]));
  const penicillamine: PublishedTrial = {
    control: 'placebo',
    treated: 'D-penicillamine',
    name: 'D-penicillamine against placebo, Mayo Clinic 1974–84',
    citation: 'Cox model of death on all 312 randomised people (transplantation ends follow-up); Fleming & Harrington 1991',
    independence: 'learned from it',
    hazardRatio: [1, 0.72, 1.39],
    people: [154, 158],
    measure: 'hazard ratio of death',
    risk: { days: 5 * year, words: 'died within 5 years' },
    publishedRisks: [1 - 0.703, 1 - 0.72],
  };
  const external = evaluationOf('pbc').filter(({ name }) => name.startsWith('PBC3'));
  const evaluated = evaluationOf('pbc').filter(({ name }) => name.startsWith('death '));
  const events = together(sets.map((set) => eventParts(set, words)));
  return [
    make('markers', {
      method: `Every visit after the first was forecast from what was known the visit before (next visit), and every later visit from entry and from year 3, among people still free of death and transplantation. Test people: the weights of this pack, once. Folds: packs of the same recipe that had not seen the person. ${intervals}`,
      ...(together(sets.map((set) => valueParts(set, { tasks, horizons, markers: markersOf(manifest, set) }))) as Pick<
        ValidationSection,
        'figures' | 'drawings'
      >),
      notes: [
        'CRPS and errors are on the scale on which a marker is forecast: natural logarithms of bilirubin, AST, alkaline phosphatase and cholesterol. A CRPS is lower where the whole forecast lay nearer to what came.',
        'Climatology is the spread of all training values of the marker, carried forward is the last value with the errors that this made in training.',
      ],
    }),
    make('events', {
      method: `Risk of death or transplantation, whichever comes first, from entry and from years 1, 3 and 5 for those still free of both; what is observed is Kaplan–Meier or weighted for censoring. The Cox models are fitted at each landmark to bilirubin, albumin, prothrombin time, age and oedema. ${intervals}`,
      figures: [
        ...(events.figures as ValidationSection['figures']),
        ...evaluated.map((metric) => fromMetric(metric, test.set)),
        ...external.map((metric) => fromMetric(metric, '343 people of PBC3')),
      ],
      drawings: events.drawings as ValidationSection['drawings'],
      notes: [
        'Figures of death alone count transplantation as the end of follow-up; the pack forecasts both as competing events, which makes its risk of death a little smaller than theirs.',
        'The people of PBC3 entered with bilirubin, albumin, age and sex alone; nothing was fitted to them.',
      ],
    }),
    make('subgroups', {
      method: `The people in five folds, so that groups are large enough. Groups under 50 are named and not scored. ${intervals} Each group is also held against everyone else, resampled together.`,
      ...subgroupParts(folds, { outcome: 'death or transplantation', at: 4, label: '5 years' }),
      notes: ['Ethnicity is not in the data: nothing can be said of it.'],
    }),
    make('people', {
      method: 'Counts of all people of the trial. Cells below five are not told, nor one that would give such a cell away.',
      figures: [],
      drawings: [
        countsDrawing('Who was in the data', groups, [
          'Nobody under 26 or over 78 years at entry.',
          `Men are few: ${menOf(groups)} of ${data.subjects.size}.`,
          'Ethnicity, income and place of living are in no file.',
          'Nobody was treated with ursodiol or obeticholic acid: they did not exist or were not yet given.',
          'One referral centre in the United States, 1974 to 1984; people whom the trial did not admit (very advanced or very early disease) are missing.',
        ]),
      ],
      notes: [],
    }),
    make(
      'trials',
      {
        method:
          'Each test person was forecast from entry under both arms. The simulated value is the hazard ratio of an endless trial with these people; its interval is that of 300 trials of the published size, people and events drawn anew. A trial counts as replicated when the published value lies inside that interval and the direction is right.',
        figures: [],
        drawings: [
          {
            kind: 'trials',
            title: 'The trial run again',
            trials: [replicateTrial(penicillamine, test.arms, manifest.grid.stepDays)],
          },
        ],
        notes: [
          'The pack learned from 225 of these trial people: that it repeats their result shows that it did not invent an effect, no more.',
          'Ursodiol’s effect is taken from its trial as cited, not learned; running that trial again would give back what was put in.',
        ],
      },
      trialSeed,
    ),
    memorisation(make, 'pbc'),
  ];
}

const menOf = (groups: Outcomes['groups']): number => Object.values(groups).filter((own) => own['Sex'] === 'men').length;

const actg = 'ACTG 175: Hammer et al., N Engl J Med 1996;335:1081–90; Cox model on the people of the R package speff2trial';

export async function hivSections(manifest: LearnedManifest, date: string): Promise<ValidationSection[]> {
  const make = maker('hiv-actg175', manifest, date);
  const test = await testOutcomes('hiv-actg175');
  const data = readRecipeData(recipeOf('hiv-actg175'));
  const tasks: ScoredTask[] = [
    { task: 'week 20 from entry', label: 'week 20 from entry' },
    { task: 'week 96 from entry', label: 'week 96 from entry' },
    { task: 'week 96 from week 20', label: 'week 96 from week 20' },
  ];
  const horizons: Horizon[] = [
    { label: '20 weeks', fromDays: 0, toDays: 30 * week },
    { label: '76 weeks', fromDays: 30 * week, toDays: 80 * week },
    { label: '96 weeks', fromDays: 80 * week, toDays: 100 * week },
  ];
  const words: EventWords = {
    outcome: 'first event (half of CD4 lost, AIDS or death)',
    horizons: [
      { at: 2, label: '48 weeks' },
      { at: 6, label: '96 weeks' },
    ],
    thresholds: Array.from({ length: 16 }, (_, k) => Number((0.02 + k * 0.03).toFixed(2))),
    longestDays: manifest.grid.stepDays * manifest.grid.horizonSteps,
  };
  const all = Object.fromEntries([...data.subjects.keys()].map((id) => [id, hivGroups(data, id)]));
  return [
    make('markers', {
      method: `CD4 counts at weeks 20 and 96 from entry, and at week 96 from week 20, with the weights of this pack, once. ${intervals}`,
      ...valueParts(test, { tasks, horizons, markers: markersOf(manifest, test) }),
      notes: [
        'Week 96 is missing for 37 % of the trial, most likely because treatment stopped or the disease went on: figures are of those who came.',
        'Climatology is the spread of all training counts of that week, carried forward is the last count with the errors that this made in training, ANCOVA is a linear model of arm, earlier treatment, counts, age, performance and symptoms.',
      ],
    }),
    make('events', {
      method: `Risk of the first event from entry under each person’s own arm; what is observed is Kaplan–Meier or weighted for censoring. The Cox model knows arm, CD4, CD8, age, weight, performance, symptoms, earlier treatment and the other entry data. ${intervals}`,
      ...eventParts(test, words),
      notes: [],
    }),
    make('subgroups', {
      method: `The test people. Groups under 50 are named and not scored. ${intervals} Each group is also held against everyone else, resampled together.`,
      ...subgroupParts(test, { outcome: 'a first event', at: 6, label: '96 weeks' }),
      notes: ['The trial recorded ethnicity as white or not, nothing finer.'],
    }),
    make('people', {
      method: `Counts of the ${data.subjects.size} people of the trial that we have; a tenth is kept away from us for acceptance. Cells below five are not told, nor one that would give such a cell away.`,
      figures: [],
      drawings: [
        countsDrawing('Who was in the data', all, [
          'Nobody with fewer than 200 or more than 500 CD4 cells per µL at screening, nobody with AIDS before, nobody under 12 years.',
          'Only people who had a count at week 20: 2,139 of the 2,467 who were randomised.',
          'Nobody on a protease or integrase inhibitor: the trial is of 1991 to 1994.',
          'United States and Puerto Rico only.',
        ]),
      ],
      notes: [],
    }),
    make(
      'trials',
      {
        method:
          'Each test person was forecast from entry under all four arms. The simulated value is that of an endless trial with these people; its interval is that of 300 trials of the published size, people, events and measured counts drawn anew. A trial counts as replicated when the published value lies inside that interval and the direction is right.',
        figures: evaluationOf('hiv-actg175')
          .filter(({ name }) => name.startsWith('benefit'))
          .map((metric) => fromMetric(metric, test.set)),
        drawings: [{ kind: 'trials', title: 'The trial run again', trials: hivTrials(test, all, manifest.grid.stepDays) }],
        notes: [
          'The pack learned from 1,473 people of this very trial; the people forecast here are others. That arms differ as published is asked of it, not a discovery by it.',
          'Benefit of a newer regimen by fifths of what was predicted: within a fifth, randomisation makes the observed difference a fair estimate of what the prediction should have been.',
        ],
      },
      trialSeed,
    ),
    memorisation(make, 'hiv-actg175'),
  ];
}

/** People in each arm of the whole trial file. */
const armSizes: Readonly<Record<string, number>> = { ZDV: 532, 'ZDV + ddI': 522, 'ZDV + ddC': 524, ddI: 561 };

function hivTrials({ arms, groups, values }: Outcomes, all: Outcomes['groups'], stepDays: number) {
  const treatedBefore = 'Treated before';
  const shareOf = (label: string) =>
    Object.values(all).filter((own) => own[treatedBefore] === label).length / Object.keys(all).length;
  const week20 = values.filter(({ task }) => task === 'week 20 from entry');
  const residualSd = Math.sqrt(week20.reduce((sum, { error }) => sum + error ** 2, 0) / week20.length);
  const strata = [
    {
      label: '',
      who: null,
      ratios: { 'ZDV + ddI': [0.49, 0.39, 0.63], 'ZDV + ddC': [0.52, 0.41, 0.67], ddI: [0.59, 0.47, 0.73] },
    },
    {
      label: ', never treated',
      who: 'never treated',
      ratios: { 'ZDV + ddI': [0.54, 0.35, 0.82], 'ZDV + ddC': [0.36, 0.22, 0.58], ddI: [0.63, 0.42, 0.92] },
    },
    {
      label: ', treated before',
      who: 'treated before',
      ratios: { 'ZDV + ddI': [0.46, 0.34, 0.62], 'ZDV + ddC': [0.59, 0.45, 0.78], ddI: [0.57, 0.43, 0.75] },
    },
  ] as const;
  const hazards = strata.flatMap(({ label, who, ratios }) => {
    const people = who === null ? arms : arms.filter(({ person }) => groups[person]![treatedBefore] === who);
    const size = (arm: string) => Math.round(armSizes[arm]! * (who === null ? 1 : shareOf(who)));
    return Object.entries(ratios).map(([arm, hazardRatio]) =>
      replicateTrial(
        {
          control: 'ZDV',
          treated: arm,
          name: `${arm} against ZDV${label}`,
          citation: actg,
          independence: 'learned from it',
          hazardRatio,
          people: [size('ZDV'), size(arm)],
          measure: 'hazard ratio of the first event',
          risk: { days: 96 * week, words: 'had the event within 96 weeks' },
        },
        people,
        stepDays,
      ),
    );
  });
  const gains = Object.entries({ 'ZDV + ddI': 67, 'ZDV + ddC': 36, ddI: 38 }).map(([arm, published]) =>
    replicateDifference(
      {
        control: 'ZDV',
        treated: arm,
        name: `${arm} less ZDV`,
        citation: actg,
        independence: 'learned from it',
        measure: 'difference of mean CD4 at week 20, cells/µL',
        people: [armSizes['ZDV']!, armSizes[arm]!],
        published,
        publishedInterval: null,
        residualSd,
        unit: 'CD4 at week 20',
      },
      arms,
    ),
  );
  return [...hazards, ...gains];
}
