import type { EquationsModel } from '#packs/equations/model.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { age, closedFormTolerance, sex, type GoldenRequest } from './people.ts';

const variances = { baseline: 0.156, slope: 0.0413, covariance: 0.0224 };
const year = 365.25;

const conrado: EquationsModel = {
  id: 'conrado-2014',
  title: 'Conrado 2014: ADAS-cog, pooled trials',
  citation:
    'Conrado DJ, Denney WS, Chen D, Ito K. An updated Alzheimer’s disease progression model: incorporating non-linearity, beta regression, and a third-level random effect in NONMEM. J Pharmacokinet Pharmacodyn 2014;41:581–98',
  time: 'a',
  timeZero: 'entry',
  covariates: { AGE: 'age', SEX: 'sex', APOE: 'apoe4', DRUG: 'symptomatic-drug' },
  constants: [
    { symbol: 'BLpop', value: 22.2, unit: '1', label: 'Score at entry of a woman with the mean number of ε4 alleles' },
    { symbol: 'menBL', value: 0.953, unit: '1', label: 'Score at entry of men, relative' },
    { symbol: 'apoeMean', value: 0.72, unit: '1', label: 'Mean number of ε4 alleles in the trials' },
    { symbol: 'apoeBL', value: 0.0372, unit: '1', label: 'Relative change of the score at entry per ε4 allele' },
    { symbol: 'SLpop', value: 0.153, unit: 'a-1', label: 'Slope at 75 years with symptomatic drugs' },
    { symbol: 'ageRef', value: 75, unit: 'a', label: 'Reference age' },
    { symbol: 'ageSL', value: 0.024, unit: 'a-1', label: 'Relative fall of the slope per year of age' },
    { symbol: 'apoeSL', value: 0.195, unit: '1', label: 'Relative rise of the slope per ε4 allele' },
    {
      symbol: 'undruggedSL',
      value: 0.698,
      unit: '1',
      label: 'Slope of people without symptomatic drugs, relative: an association, confounded by who is treated',
    },
    { symbol: 'shape', value: 6.91, unit: '1', label: 'Shape of the curve towards the worst score' },
    { symbol: 'worst', value: 70, unit: '1', label: 'Worst score' },
  ],
  tables: [{ symbol: 'ALLELES', by: 'APOE', unit: '1', values: { '0': 0, '1': 1, '2': 2 }, label: 'Number of ε4 alleles' }],
  effects: [
    { symbol: 'etaBL', variance: variances.baseline, label: 'Score at entry, log scale', per: 'person' },
    { symbol: 'etaSL', variance: variances.slope, label: 'Slope, added, per year', per: 'person' },
  ],
  correlations: [
    { between: ['etaBL', 'etaSL'], value: variances.covariance / Math.sqrt(variances.baseline * variances.slope) },
  ],
  parameters: [
    {
      symbol: 'BL',
      unit: '1',
      formula: "BLpop * if(SEX == 'male', menBL, 1) * (1 + apoeBL * (ALLELES - apoeMean)) * exp(etaBL)",
      label: 'Score at entry',
    },
    {
      symbol: 'SL',
      unit: 'a-1',
      formula:
        "(SLpop + unit(etaSL, 'a-1')) * (1 - ageSL * (AGE - ageRef)) * (1 + apoeSL * (ALLELES - apoeMean)) * if(DRUG == 'yes', 1, undruggedSL)",
      label: 'Slope',
    },
    // (BL/70)^shape, through the logarithm so that no large powers are subtracted in f32.
    { symbol: 'start', unit: '1', formula: 'exp(shape * log(BL / worst))', label: 'Score at entry on the curve’s own scale' },
  ],
  constraints: ['BL < worst'],
  algebra: [
    {
      symbol: 'share',
      unit: '1',
      formula: '(BL / worst) / (start + (1 - start) * exp(-shape * SL * time))^(1 / shape)',
      label: 'Score as a share of the worst',
    },
  ],
  readouts: [
    { symbol: 'mu', unit: '1', formula: 'share', label: 'Mean score as a share of 70' },
    { symbol: 'score', unit: '1', formula: 'worst * share', label: 'Mean ADAS-cog' },
  ],
  observations: [{ marker: 'adas-cog', readout: 'score', error: { kind: 'beta', precision: 87.5, maximum: 70 } }],
  stepper: { kind: 'closed-form' },
};

export const manifest = {
  format: 'counterpart-pack/1',
  kind: 'equations',
  id: 'alzheimer-adas',
  version: '1.0.0',
  title: 'Alzheimer: ADAS-cog over time',
  summary: 'The course of the ADAS-cog score in mild to moderate Alzheimer’s disease over three years: natural history, no treatment can be chosen.',
  licence: 'Apache-2.0',
  authors: ['Counterpart developers'],
  sources: [{ role: 'model', citation: conrado.citation, licence: 'Published equations and estimates', n: 4494 }],
  population: {
    description:
      'Participants of 15 randomised trials in mild to moderate Alzheimer’s disease whose control arms are pooled in the database of the Coalition Against Major Diseases: 4,494 people.',
    criteria: [
      { of: 'covariate', id: 'age', min: 45, max: 100, severity: 'hard', reason: 'Trials of Alzheimer’s disease do not enrol people so young or so old.' },
      {
        of: 'covariate',
        id: 'age',
        min: 55,
        max: 90,
        severity: 'soft',
        reason: 'The slope falls in a straight line with age; few participants were younger than 55 or older than 90.',
      },
      { of: 'marker', id: 'adas-cog', min: 5, max: 50, severity: 'soft', reason: 'Mild to moderate disease: lower and higher scores were rare in the trials.' },
    ],
  },
  era: { from: 1990, to: 2014 },
  place: 'Pooled international trials (CAMD)',
  notFor: [
    'Judging any drug. The term for symptomatic drugs is an association: people who progress faster are treated more.',
    'Care of a patient; decisions on driving, living alone or capacity.',
    'People without a diagnosis of Alzheimer’s disease, mild cognitive impairment, other dementias.',
    'Courses beyond three years: most trials lasted 6 to 18 months.',
  ],
  grid: { stepDays: year / 12, horizonSteps: 36, historySteps: 60, timeUnit: 'years' },
  covariates: [
    age({ plausible: [40, 110], seen: [50, 95] }),
    sex(0.55),
    {
      kind: 'category',
      id: 'apoe4',
      label: 'APOE ε4 alleles',
      required: false,
      help: 'Unknown: all three are kept with their chances in the trials (mean 0.72 alleles, Hardy–Weinberg).',
      categories: [
        { value: '0', label: 'none', share: 0.41 },
        { value: '1', label: 'one', share: 0.46 },
        { value: '2', label: 'two', share: 0.13 },
      ],
    },
    {
      kind: 'category',
      id: 'symptomatic-drug',
      label: 'On a symptomatic drug at entry (cholinesterase inhibitor or memantine)',
      required: true,
      help: 'Describes who the person is, not what the drug does: those who progress faster are treated more. It cannot be changed in a plan.',
      categories: [
        { value: 'yes', label: 'yes', share: 0.6 },
        { value: 'no', label: 'no', share: 0.4 },
      ],
    },
  ],
  markers: [
    {
      id: 'adas-cog',
      label: 'ADAS-cog (11 items, 0–70, higher is worse)',
      unit: '1',
      plausible: [0, 70],
      seen: [4, 62],
      staleAfterDays: 400,
      decimals: 1,
    },
  ],
  signs: [],
  events: [],
  interventions: [],
  usualCare: { label: 'Natural history', description: 'The course under the care of the trials’ control arms; nothing can be added.', interventions: [] },
  models: [conrado],
  targets: [],
  doseGrids: [],
  demonstrations: [
    {
      alias: 'Maria: as in the trials',
      story: 'A 75-year-old woman with one ε4 allele on a cholinesterase inhibitor, three visits in a year: 21, 22 and 24.',
      covariates: { age: 75, sex: 'female', apoe4: '1', 'symptomatic-drug': 'yes' },
      courses: [],
      observations: [
        { marker: 'adas-cog', hours: -365 * 24, value: 21 },
        { marker: 'adas-cog', hours: -182 * 24, value: 22 },
        { marker: 'adas-cog', hours: 0, value: 24 },
      ],
    },
    {
      alias: 'Nils: faster than thought',
      story:
        'A 61-year-old man, genotype unknown, no drug. 19, 25 and 33 within a year: the surprise is a slope more than twice that of his covariates.',
      covariates: { age: 61, sex: 'male', 'symptomatic-drug': 'no' },
      courses: [],
      observations: [
        { marker: 'adas-cog', hours: -365 * 24, value: 19 },
        { marker: 'adas-cog', hours: -182 * 24, value: 25 },
        { marker: 'adas-cog', hours: 0, value: 33 },
      ],
    },
  ],
} satisfies Omit<EquationsManifest, 'golden' | 'card'>;

const common = {
  model: conrado.id,
  doses: [],
  controls: [],
  initialStates: {},
  times: Array.from({ length: 21 }, (_, quarter) => quarter / 4),
  readouts: ['mu', 'score'],
  tolerance: closedFormTolerance,
};

export const goldenCases: readonly GoldenRequest[] = [
  { ...common, id: 'ad-01', covariates: { age: 75, sex: 'female', apoe4: '1', 'symptomatic-drug': 'yes' }, effects: {} },
  { ...common, id: 'ad-02', covariates: { age: 64, sex: 'male', apoe4: '2', 'symptomatic-drug': 'no' }, effects: {} },
  {
    ...common,
    id: 'ad-03',
    covariates: { age: 82, sex: 'female', apoe4: '0', 'symptomatic-drug': 'yes' },
    effects: { etaBL: 0.4, etaSL: 0.1 },
  },
];
