import type { EquationsModel } from '#packs/equations/model.ts';
import type { EquationsManifest, Target } from '#packs/manifest.ts';
import { age, closedFormTolerance, everyDose, height, sex, weight, type GoldenRequest } from './people.ts';

const cpic =
  'Birdwell KA et al. Clinical Pharmacogenetics Implementation Consortium (CPIC) guidelines for CYP3A5 genotype and tacrolimus dosing. Clin Pharmacol Ther 2015;98:19–24';
const alleleFrequencies =
  'Zhou Y, Ingelman-Sundberg M, Lauschke VM. Worldwide distribution of cytochrome P450 alleles: a meta-analysis of population-scale sequencing projects. Clin Pharmacol Ther 2017;102:688–700, table 5; diplotypes by Hardy–Weinberg';

const diplotypes = [
  '*1/*1',
  '*1/*3',
  '*1/*6',
  '*1/*7',
  '*3/*3',
  '*3/*6',
  '*3/*7',
  '*6/*6',
  '*6/*7',
  '*7/*7',
] as const;

const isExpresser = (diplotype: string): boolean => diplotype.startsWith('*1');

function diplotypeLabel(diplotype: string): string {
  if (diplotype === '*1/*1') return `${diplotype} (expresser: normal metaboliser)`;
  return isExpresser(diplotype) ? `${diplotype} (expresser: intermediate metaboliser)` : `${diplotype} (non-expresser: poor metaboliser)`;
}

interface AlleleShares {
  readonly '*1': number;
  readonly '*3': number;
  readonly '*6': number;
  readonly '*7': number;
}

/** Percent of chromosomes; *3 is what the others leave, rare alleles among it. */
const alleles: Readonly<Record<'european' | 'african' | 'east-asian' | 'south-asian' | 'american', AlleleShares>> = {
  european: { '*1': 5.3, '*3': 94.4, '*6': 0.3, '*7': 0 },
  african: { '*1': 56.3, '*3': 18, '*6': 15.4, '*7': 10.3 },
  'east-asian': { '*1': 27.7, '*3': 72.3, '*6': 0, '*7': 0 },
  'south-asian': { '*1': 33.2, '*3': 66.8, '*6': 0, '*7': 0 },
  american: { '*1': 17.5, '*3': 79.8, '*6': 2.3, '*7': 0.4 },
};

/** Shares of the diplotypes in their order, by Hardy–Weinberg. */
function hardyWeinberg(shares: AlleleShares): readonly number[] {
  return diplotypes.map((diplotype) => {
    const [a, b] = diplotype.split('/') as [keyof AlleleShares, keyof AlleleShares];
    return Number(((a === b ? 1 : 2) * (shares[a] / 100) * (shares[b] / 100)).toFixed(6));
  });
}

const storset: EquationsModel = {
  id: 'storset-2014',
  title: 'Størset 2014: kidney transplantation, theory-based',
  citation:
    'Størset E, Holford N, Hennig S, Bergmann TK, Bergan S, Bremer S, Åsberg A, Midtvedt K, Staatz CE. Improved prediction of tacrolimus concentrations early after kidney transplantation using theory-based pharmacokinetic modelling. Br J Clin Pharmacol 2014;78:509–23',
  time: 'h',
  timeZero: 'first-event',
  covariates: {
    SEX: 'sex',
    WT: 'weight',
    HT: 'height',
    CYP3A5: 'cyp3a5',
    HCT: 'haematocrit',
    PRED: 'prednisolone',
    SINCE: 'since-transplantation',
  },
  constants: [
    { symbol: 'CLpop', value: 811, unit: 'L/h', label: 'Apparent plasma clearance at 60 kg fat-free mass, non-expresser' },
    { symbol: 'V1pop', value: 6290, unit: 'L', label: 'Apparent central plasma volume at 60 kg fat-free mass' },
    { symbol: 'Qpop', value: 1200, unit: 'L/h', label: 'Apparent flow between the compartments at 60 kg fat-free mass' },
    { symbol: 'V2pop', value: 32100, unit: 'L', label: 'Apparent peripheral plasma volume at 60 kg fat-free mass' },
    { symbol: 'FFMref', value: 60, unit: 'kg', label: 'Reference fat-free mass' },
    { symbol: 'flowExponent', value: 0.75, unit: '1', label: 'Exponent of fat-free mass on flows (theory)' },
    { symbol: 'expresserCL', value: 1.3, unit: '1', label: 'Clearance of CYP3A5 expressers, relative' },
    { symbol: 'expresserF', value: 0.82, unit: '1', label: 'Bioavailability of CYP3A5 expressers, relative' },
    { symbol: 'ka', value: 1.01, unit: 'h-1', label: 'Absorption rate' },
    { symbol: 'tlag', value: 0.41, unit: 'h', label: 'Lag before absorption' },
    { symbol: 'PREDmax', value: 0.67, unit: '1', label: 'Largest fall of bioavailability through prednisolone' },
    { symbol: 'PRED50', value: 35, unit: 'mg/d', label: 'Prednisolone for half of that fall' },
    { symbol: 'firstDayF', value: 2.68, unit: '1', label: 'Bioavailability of doses in the first 24 hours, relative' },
    { symbol: 'firstDay', value: 24, unit: 'h', label: 'Length of the first day after transplantation' },
    { symbol: 'Bmax', value: 418, unit: 'ug/L', label: 'Binding capacity of red cells' },
    { symbol: 'KD', value: 3.8, unit: 'ug/L', label: 'Plasma concentration at half of the binding' },
    {
      symbol: 'WHSmax',
      value: 9270,
      unit: 'kg',
      label: 'Fat-free mass: numerator',
      source: 'Janmahasatian S et al., Clin Pharmacokinet 2005;44:1051–65',
    },
  ],
  tables: [
    {
      symbol: 'EXPRESSER',
      by: 'CYP3A5',
      unit: '1',
      values: Object.fromEntries(diplotypes.map((diplotype) => [diplotype, isExpresser(diplotype) ? 1 : 0])),
      label: 'Carries at least one *1',
    },
  ],
  effects: [
    { symbol: 'etaCL', variance: Math.log1p(0.4 ** 2), label: 'Clearance, log scale (CV 40 %)', per: 'person' },
    { symbol: 'etaV1', variance: Math.log1p(0.54 ** 2), label: 'Central volume, log scale (CV 54 %)', per: 'person' },
    { symbol: 'etaQ', variance: Math.log1p(0.63 ** 2), label: 'Flow between the compartments, log scale (CV 63 %)', per: 'person' },
    { symbol: 'etaF1', variance: Math.log1p(0.57 ** 2), label: 'Bioavailability on the first day, log scale (CV 57 %)', per: 'person' },
  ],
  correlations: [
    { between: ['etaCL', 'etaV1'], value: 0.43 },
    { between: ['etaCL', 'etaQ'], value: 0.62 },
  ],
  parameters: [
    { symbol: 'BMI', unit: 'kg/m2', formula: 'WT / HT^2', label: 'Body mass index' },
    {
      symbol: 'FFM',
      unit: 'kg',
      formula:
        "WHSmax * in(WT, 'kg') / if(SEX == 'female', 8780 + 244 * in(BMI, 'kg/m2'), 6680 + 216 * in(BMI, 'kg/m2'))",
      label: 'Fat-free mass (Janmahasatian)',
    },
    {
      symbol: 'CL',
      unit: 'L/h',
      formula: 'CLpop * (FFM / FFMref)^flowExponent * if(EXPRESSER > 0, expresserCL, 1) * exp(etaCL)',
      label: 'Apparent plasma clearance',
    },
    { symbol: 'V1', unit: 'L', formula: 'V1pop * (FFM / FFMref) * exp(etaV1)', label: 'Apparent central volume' },
    { symbol: 'Q', unit: 'L/h', formula: 'Qpop * (FFM / FFMref)^flowExponent * exp(etaQ)', label: 'Apparent flow between the compartments' },
    { symbol: 'V2', unit: 'L', formula: 'V2pop * (FFM / FFMref)', label: 'Apparent peripheral volume' },
    {
      symbol: 'F0',
      unit: '1',
      formula: '(1 - PREDmax * PRED / (PRED50 + PRED)) * if(EXPRESSER > 0, expresserF, 1)',
      label: 'Relative bioavailability after the first day',
    },
    { symbol: 'Fday1', unit: '1', formula: 'firstDayF * exp(etaF1)', label: 'Bioavailability on the first day, relative to later' },
  ],
  compartments: {
    amountUnit: 'mg',
    central: 'A1',
    clearance: 'CL',
    volume: 'V1',
    peripherals: [{ symbol: 'A2', flow: 'Q', volume: 'V2' }],
    depot: { symbol: 'gut', rate: 'ka' },
    exposure: 'AUC',
  },
  inputs: [
    {
      symbol: 'TAC',
      intervention: 'tacrolimus',
      label: 'Tacrolimus, immediate release, by mouth',
      unit: 'mg',
      routes: ['oral'],
      into: 'gut',
      bioavailability: 'F0 * if(doseTime + SINCE < firstDay, Fday1, 1)',
      lag: 'tlag',
    },
  ],
  readouts: [
    { symbol: 'plasma', unit: 'ug/L', formula: 'A1 / V1', label: 'Tacrolimus in plasma' },
    {
      symbol: 'concentration',
      unit: 'ug/L',
      formula: "A1 / V1 * (1 + Bmax * in(HCT, '%') / 100 / (A1 / V1 + KD))",
      label: 'Tacrolimus in whole blood',
    },
    { symbol: 'exposure', unit: 'ug.h/L', formula: 'AUC', label: 'Accumulated area under the plasma curve' },
  ],
  observations: [{ marker: 'tacrolimus', readout: 'concentration', error: { kind: 'proportional', fraction: 0.149 } }],
  stepper: { kind: 'closed-form' },
};

const troughTarget = (id: string, label: string, intent: Target['intent'], limits: Pick<Target, 'low' | 'high'>): Target => ({
  id,
  label,
  intent,
  measure: { readout: 'concentration', statistic: 'at-end', window: { kind: 'last-interval' } },
  ...limits,
  unit: 'ug/L',
  citation:
    'Brunet M et al. Therapeutic drug monitoring of tacrolimus-personalized therapy: second consensus report. Ther Drug Monit 2019;41:261–307. Ranges differ between centres: use your own.',
});

export const manifest = {
  format: 'counterpart-pack/1',
  kind: 'equations',
  id: 'tacrolimus',
  version: '1.0.0',
  title: 'Tacrolimus: trough after kidney transplantation',
  summary:
    'Tacrolimus in whole blood of adults after kidney transplantation, by CYP3A5 genotype, fat-free mass, haematocrit and prednisolone; which dose reaches the trough range.',
  licence: 'Apache-2.0',
  authors: ['Counterpart developers'],
  sources: [
    { role: 'model', citation: storset.citation, licence: 'Published equations and estimates', n: 242 },
    { role: 'method', citation: cpic, licence: 'Published guideline' },
    { role: 'method', citation: alleleFrequencies, licence: 'Published frequencies' },
  ],
  population: {
    description:
      'Adults after kidney transplantation in Brisbane (173) and Oslo (69) on oral immediate-release tacrolimus, mycophenolate and prednisolone; 3,100 concentrations, from the fifth day on.',
    criteria: [
      { of: 'covariate', id: 'age', min: 18, severity: 'hard', reason: 'The cohorts were adults.' },
      { of: 'covariate', id: 'age', min: 23, max: 71, severity: 'soft', reason: 'The cohorts were 23 to 71 years old.' },
      { of: 'covariate', id: 'weight', min: 30, max: 200, severity: 'hard', reason: 'Far outside the cohorts’ 51 to 121 kg.' },
      { of: 'covariate', id: 'weight', min: 51, max: 121, severity: 'soft', reason: 'The cohorts weighed 51 to 121 kg.' },
      { of: 'covariate', id: 'haematocrit', min: 12, max: 60, severity: 'hard', reason: 'Binding to red cells was not observed there.' },
      { of: 'covariate', id: 'haematocrit', min: 24, max: 45, severity: 'soft', reason: 'The cohorts’ haematocrit was 24 to 45 %.' },
      { of: 'covariate', id: 'prednisolone', max: 80, severity: 'soft', reason: 'The cohorts took at most 80 mg a day.' },
    ],
  },
  era: { from: 2005, to: 2014 },
  place: 'Brisbane, Australia; Oslo, Norway',
  notFor: [
    'Care of a patient without a transplant physician.',
    'Other organs, children, extended-release or intravenous tacrolimus, doses given sublingually.',
    'People on azoles, macrolides, rifampicin, antiepileptics, diltiazem or protease inhibitors: no interaction but prednisolone is modelled.',
    'Predicting rejection, kidney injury or infection: only concentrations are modelled.',
    'Genotypes other than CYP3A5, such as CYP3A4*22.',
  ],
  grid: { stepDays: 1 / 24, horizonSteps: 240, historySteps: 400, timeUnit: 'days' },
  covariates: [
    age({ plausible: [18, 95], seen: [23, 71] }),
    sex(0.318),
    weight({ plausible: [30, 250], seen: [51, 121] }),
    height({ plausible: [120, 220], seen: [145, 200] }),
    {
      kind: 'category',
      id: 'ancestry',
      label: 'Ancestry',
      required: false,
      help: 'Only gives the chances of a CYP3A5 genotype that is not known. Nothing else depends on it.',
      categories: [
        { value: 'european', label: 'European', share: 0.9 },
        { value: 'african', label: 'African', share: 0.025 },
        { value: 'east-asian', label: 'East Asian', share: 0.025 },
        { value: 'south-asian', label: 'South Asian', share: 0.025 },
        { value: 'american', label: 'Indigenous or admixed American', share: 0.025 },
      ],
    },
    {
      kind: 'category',
      id: 'cyp3a5',
      label: 'CYP3A5 genotype',
      required: false,
      help: 'Unknown: all genotypes are kept with their chances by ancestry, and levels tell them apart. *3, *6 and *7 do not work.',
      categories: [
        // Of the cohort: 3 of 261 were *1/*1, 53 *1/*3, 205 *3/*3.
        ...diplotypes.map((diplotype) => ({
          value: diplotype,
          label: diplotypeLabel(diplotype),
          share: { '*1/*1': 0.0115, '*1/*3': 0.2031, '*3/*3': 0.7854 }[diplotype as string] ?? 0,
        })),
      ],
      sharesBy: {
        covariate: 'ancestry',
        shares: Object.fromEntries(Object.entries(alleles).map(([ancestry, shares]) => [ancestry, hardyWeinberg(shares)])),
        source: alleleFrequencies,
      },
    },
    {
      kind: 'number',
      id: 'haematocrit',
      label: 'Haematocrit',
      unit: '%',
      alternativeUnits: [{ unit: '1', factor: 100 }],
      codes: [
        { system: 'LOINC', code: '4544-3' },
        { system: 'LOINC', code: '20570-8' },
      ],
      required: true,
      varies: true,
      help: 'Whole blood is what the laboratory measures; red cells bind the drug. A falling haematocrit lowers the level without lowering the plasma.',
      plausible: [10, 65],
      seen: [24, 45],
    },
    {
      kind: 'number',
      id: 'prednisolone',
      label: 'Prednisolone by mouth',
      unit: 'mg/d',
      required: true,
      varies: true,
      help: '0 if none. Each value holds until the next.',
      plausible: [0, 200],
      seen: [0, 80],
    },
    {
      kind: 'number',
      id: 'since-transplantation',
      label: 'From transplantation to the first dose or level of this record',
      unit: 'h',
      alternativeUnits: [{ unit: 'd', factor: 24 }],
      required: true,
      help: 'Doses in the first 24 hours after transplantation are absorbed about 2.7 times as well. Negative if tacrolimus began before.',
      plausible: [-72, 300_000],
      seen: [0, 62_000],
    },
  ],
  markers: [
    {
      id: 'tacrolimus',
      label: 'Tacrolimus in whole blood',
      unit: 'ug/L',
      alternativeUnits: [
        { unit: 'ng/mL', factor: 1 },
        { unit: 'nmol/L', factor: 0.80402 },
      ],
      codes: [{ system: 'LOINC', code: '11253-2' }],
      plausible: [0.3, 80],
      seen: [1, 50],
      staleAfterDays: 30,
      decimals: 1,
      thresholds: [{ value: 15, direction: 'above', label: 'trough above 15 µg/L' }],
    },
  ],
  signs: [],
  events: [],
  interventions: [
    {
      id: 'tacrolimus',
      label: 'Tacrolimus, immediate release',
      shortLabel: 'Tacrolimus',
      whatIfClass: 'M',
      codes: [{ system: 'ATC', code: 'L04AD02' }],
      exclusiveGroup: null,
      timing: 'any',
      evidence: {
        statement:
          'What a dose does to the level follows from mass balance and published population estimates; genotype-guided dosing reaches the range sooner, while a benefit for rejection or graft survival has not been shown.',
        citation: cpic,
      },
    },
  ],
  usualCare: { label: 'Doses as recorded', description: 'The doses in the record go on as entered; nothing is added.', interventions: [] },
  models: [storset],
  targets: [
    troughTarget('trough-early', 'Trough 8–12 µg/L (first months)', 'reach', { low: 8, high: 12 }),
    troughTarget('trough-later', 'Trough 5–8 µg/L (later)', 'reach', { low: 5, high: 8 }),
    troughTarget('trough-low', 'Trough below 5 µg/L', 'avoid', { high: 5 }),
    troughTarget('trough-high', 'Trough above 15 µg/L', 'avoid', { low: 15 }),
  ],
  doseGrids: [
    {
      intervention: 'tacrolimus',
      route: 'oral',
      amounts: [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16],
      per: 'dose',
      roundTo: 0.5,
      intervalHours: [12],
      durationHours: [],
      startHours: [0],
      loadingAmounts: [0],
      maximumDose: 20,
    },
  ],
  demonstrations: [
    {
      alias: 'Gunnar: as expected',
      story: 'A 52-year-old man, *3/*3, on 5 mg twice a day from the day of transplantation; trough on day five 9.4 µg/L.',
      covariates: {
        age: 52,
        sex: 'male',
        weight: 82,
        height: 180,
        ancestry: 'european',
        cyp3a5: '*3/*3',
        haematocrit: 33,
        prednisolone: 20,
        'since-transplantation': 6,
      },
      courses: [{ intervention: 'tacrolimus', amount: 5, route: 'oral', startHours: -120, everyHours: 12 }],
      observations: [{ marker: 'tacrolimus', hours: -0.5, value: 9.4 }],
    },
    {
      alias: 'Hope: genotype unknown',
      story:
        'A 45-year-old woman of African ancestry, genotype not known, on a standard 4 mg twice a day. Troughs stay at 3 to 4 µg/L. The levels themselves say that she is an expresser; she needs about 1.6 times the dose of a non-expresser.',
      covariates: {
        age: 45,
        sex: 'female',
        weight: 74,
        height: 166,
        ancestry: 'african',
        haematocrit: 31,
        prednisolone: 20,
        'since-transplantation': 8,
      },
      courses: [{ intervention: 'tacrolimus', amount: 4, route: 'oral', startHours: -144, everyHours: 12 }],
      observations: [
        { marker: 'tacrolimus', hours: -72.5, value: 3.9 },
        { marker: 'tacrolimus', hours: -0.5, value: 3.6 },
      ],
    },
    {
      alias: 'Ivo: haematocrit falls',
      story:
        'A 60-year-old man three weeks after transplantation. Bleeding took the haematocrit from 36 to 24 %, and the trough from 8.3 to 6.0 µg/L on the same dose. The surprise: his plasma concentration has hardly changed.',
      covariates: {
        age: 60,
        sex: 'male',
        weight: 77,
        height: 174,
        ancestry: 'european',
        cyp3a5: '*3/*3',
        haematocrit: 36,
        prednisolone: 20,
        'since-transplantation': 240,
      },
      courses: [{ intervention: 'tacrolimus', amount: 5, route: 'oral', startHours: -240, everyHours: 12 }],
      observations: [
        { marker: 'haematocrit', hours: -240, value: 36 },
        { marker: 'prednisolone', hours: -240, value: 20 },
        { marker: 'tacrolimus', hours: -120.5, value: 8.3 },
        { marker: 'haematocrit', hours: -48, value: 24 },
        { marker: 'tacrolimus', hours: -0.5, value: 6 },
      ],
    },
  ],
} satisfies Omit<EquationsManifest, 'golden' | 'card'>;

const times = [0, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 24, 36, 48, 72, 96, 120, 144, 168, 169, 170, 172, 174, 176, 180];
const common = {
  model: storset.id,
  controls: [],
  initialStates: {},
  times,
  readouts: ['plasma', 'concentration', 'exposure'],
  tolerance: closedFormTolerance,
};
const twiceDaily = (amount: number) => everyDose('TAC', { every: 12, count: 15, amount });

export const goldenCases: readonly GoldenRequest[] = [
  {
    ...common,
    id: 'tac-01',
    covariates: { sex: 'male', weight: 80, height: 178, cyp3a5: '*3/*3', haematocrit: 33, prednisolone: 20, 'since-transplantation': 0 },
    effects: {},
    doses: twiceDaily(4),
  },
  {
    ...common,
    id: 'tac-02',
    covariates: { sex: 'female', weight: 62, height: 165, cyp3a5: '*1/*3', haematocrit: 36, prednisolone: 10, 'since-transplantation': 0 },
    effects: {},
    doses: twiceDaily(5),
  },
  {
    ...common,
    id: 'tac-03',
    covariates: { sex: 'male', weight: 95, height: 182, cyp3a5: '*3/*3', haematocrit: 27, prednisolone: 0, 'since-transplantation': 1000 },
    effects: { etaCL: 0.3, etaV1: -0.2, etaQ: 0.2 },
    doses: twiceDaily(3),
  },
  {
    ...common,
    id: 'tac-own-first-day',
    covariates: { sex: 'female', weight: 70, height: 170, cyp3a5: '*1/*1', haematocrit: 30, prednisolone: 15, 'since-transplantation': 18 },
    effects: { etaCL: -0.2, etaF1: 0.5 },
    doses: twiceDaily(4),
  },
];
