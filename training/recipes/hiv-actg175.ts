import { addDays, type Observation, type PatientRecord } from '#domain/record.ts';
import { requiredLevel, requiredNumber } from '#training/clinical-data.ts';
import { entryDate, type Recipe } from './recipe.ts';

const arms = { ZDV: 'zdv', 'ZDV+ddI': 'zdv-ddi', 'ZDV+ddC': 'zdv-ddc', ddI: 'ddi' } as const;

const yesNo = [
  { value: 'no', label: 'no' },
  { value: 'yes', label: 'yes' },
];
const flag = (value: number): string => (value === 1 ? 'yes' : 'no');

const zidovudine = { system: 'ATC', code: 'J05AF01' } as const;
const didanosine = { system: 'ATC', code: 'J05AF02' } as const;
const zalcitabine = { system: 'ATC', code: 'J05AF03' } as const;

const trial = 'Hammer et al., N Engl J Med 1996;335:1081–90; Cox model on the patients of the R package speff2trial';
const against = 'hazard ratio of the first event against zidovudine alone';
const statement = 'Randomised from entry against zidovudine alone, in people with 200–500 CD4 cells per µL.';

/** HIV-1 infection: AIDS Clinical Trials Group study 175, 1991–94. */
export const hivActg175: Recipe = {
  id: 'hiv-actg175',
  folder: 'hiv_actg175',
  L: 3,
  H: 12,
  E: 12,
  members: 5,
  fit: {
    iterations: 220,
    learningRate: 0.05,
    penalty: { core: 10, drift: 2, hazard: 3, treatment: 3, entry: 1 },
    start: { innovation: 0.15, observation: 0.35, reversion: 0.02 },
  },
  encoder: { iterations: 120, batch: 96, learningRate: 0.02 },
  record: (data, id) => {
    const row = data.subjects.get(id)!;
    const number = (column: string) => requiredNumber(row, column, id);
    const observations: Observation[] = (data.visits.get(id) ?? []).flatMap(({ time, values }) =>
      [...values].map(([code, value]) => ({
        id: `${id}-${time}-${code}`,
        code,
        date: addDays(entryDate, time),
        value,
        unit: '{cells}/uL',
        isConfirmed: true,
        source: 'data folder',
      })),
    );
    const record: PatientRecord = {
      id,
      alias: id,
      isSynthetic: false,
      entryDate,
      covariates: {
        age: number('age'),
        weight: number('wtkg'),
        karnofsky: number('karnof'),
        sex: number('gender') === 1 ? 'male' : 'female',
        ethnicity: number('race') === 1 ? 'other' : 'white',
        'prior-therapy': number('str2') === 1 ? 'experienced' : 'naive',
        symptomatic: flag(number('symptom')),
        haemophilia: flag(number('hemo')),
        'sex-between-men': flag(number('homo')),
        'injected-drugs': flag(number('drugs')),
      },
      observations,
      treatments: [
        {
          id: `${id}-arm`,
          intervention: arms[requiredLevel(row, 'arm', Object.keys(arms) as (keyof typeof arms)[], id)],
          start: entryDate,
          stop: null,
        },
      ],
      events: [],
      note: '',
      updatedAt: 0,
    };
    return record;
  },
  followUp: (data, id) => {
    const row = data.subjects.get(id)!;
    return { endDay: requiredNumber(row, 'days', id), event: requiredNumber(row, 'cens', id) === 1 ? 0 : -1 };
  },
  plan: {
    id: 'hiv-actg175',
    version: '1.0.0',
    title: 'HIV, 1991–94: four regimens (teaching)',
    summary:
      'CD4 and CD8 counts and progression over two years under four randomised regimens, learned from ACTG 175. All are obsolete: for teaching and method only.',
    licence: 'Apache-2.0',
    authors: ['Counterpart developers'],
    sources: [
      {
        role: 'training',
        citation: 'ACTG 175: Hammer et al., N Engl J Med 1996;335:1081–90. Data: ACTG175 of the R package speff2trial 1.0.5.',
        licence: 'GPL-2, rows not redistributed',
        n: 2139,
      },
    ],
    population: {
      description:
        'People with HIV-1 infection, 12 years or older, 200–500 CD4 cells per µL at screening and no AIDS-defining illness, in the United States and Puerto Rico; nine in ten were men.',
      criteria: [
        { of: 'covariate', id: 'age', min: 12, severity: 'hard', reason: 'The trial admitted no one under 12 years.' },
        {
          of: 'covariate',
          id: 'age',
          min: 16,
          max: 70,
          severity: 'soft',
          reason: 'Nearly all of the trial’s patients were 16 to 70 years old.',
        },
        {
          of: 'marker',
          id: 'cd4',
          min: 50,
          severity: 'hard',
          reason: 'The trial admitted 200–500 CD4 cells per µL; hardly anyone was seen below 50.',
        },
        {
          of: 'marker',
          id: 'cd4',
          at: 'entry',
          // 0.5 and 99.5 % points of the people learned from.
          min: 128,
          max: 718,
          severity: 'soft',
          reason:
            'The trial admitted 200–500 CD4 cells per µL at screening; at entry 99 % of the people learned from had 128 to 718.',
        },
      ],
    },
    era: { from: 1991, to: 1994 },
    place: 'United States and Puerto Rico',
    notFor: [
      'Care of a patient: every regimen here is obsolete and inferior to combination therapy since 1996.',
      'People with AIDS, or with CD4 counts outside 200–500 per µL at the start.',
      'Switching or stopping regimens in mid-course: nobody was randomised to that.',
    ],
    grid: { stepDays: 28, horizonSteps: 39, historySteps: 39, timeUnit: 'weeks' },
    usualCare: {
      label: 'Zidovudine alone',
      description: 'The standard of 1991, and the control arm of the trial.',
      interventions: ['zdv'],
    },
    covariates: [
      {
        kind: 'number',
        id: 'age',
        label: 'Age at entry',
        unit: 'a',
        plausible: [12, 100],
        required: true,
        transform: 'identity',
        decimals: 0,
      },
      {
        kind: 'number',
        id: 'weight',
        label: 'Weight',
        unit: 'kg',
        plausible: [25, 250],
        required: false,
        transform: 'identity',
        decimals: 0,
      },
      {
        kind: 'number',
        id: 'karnofsky',
        label: 'Karnofsky score',
        unit: '1',
        plausible: [50, 100],
        required: false,
        transform: 'identity',
        decimals: 0,
        help: '100: no complaints; 70: cares for self, unable to work.',
        codes: [{ system: 'LOINC', code: '89243-0' }],
      },
      {
        kind: 'category',
        id: 'sex',
        label: 'Sex',
        required: true,
        categories: [
          { value: 'female', label: 'female' },
          { value: 'male', label: 'male' },
        ],
      },
      {
        kind: 'category',
        id: 'ethnicity',
        label: 'Ethnicity as recorded by the trial',
        required: false,
        categories: [
          { value: 'white', label: 'white' },
          { value: 'other', label: 'other' },
        ],
      },
      {
        kind: 'category',
        id: 'prior-therapy',
        label: 'Antiretroviral therapy before entry',
        required: true,
        help: 'The regimens work differently in people already treated.',
        categories: [
          { value: 'naive', label: 'never' },
          { value: 'experienced', label: 'before' },
        ],
      },
      { kind: 'category', id: 'symptomatic', label: 'Symptoms of HIV infection', required: false, categories: yesNo },
      { kind: 'category', id: 'haemophilia', label: 'Haemophilia', required: false, categories: yesNo },
      {
        kind: 'category',
        id: 'sex-between-men',
        label: 'Sex between men (trial’s risk group)',
        required: false,
        categories: yesNo,
      },
      {
        kind: 'category',
        id: 'injected-drugs',
        label: 'Injected drugs (trial’s risk group)',
        required: false,
        categories: yesNo,
      },
    ],
    markers: [
      {
        id: 'cd4',
        label: 'CD4 cells',
        unit: '{cells}/uL',
        alternativeUnits: [
          { unit: '10*6/L', factor: 1 },
          { unit: '10*9/L', factor: 1000 },
        ],
        codes: [{ system: 'LOINC', code: '24467-3' }],
        plausible: [0, 3000],
        transform: 'sqrt',
        decimals: 0,
        staleAfterDays: 180,
        normalRange: { low: 500, high: 1500, source: 'Common adult reference range' },
        thresholds: [{ value: 200, direction: 'below', label: 'below 200 per µL' }],
      },
      {
        id: 'cd8',
        label: 'CD8 cells',
        unit: '{cells}/uL',
        alternativeUnits: [
          { unit: '10*6/L', factor: 1 },
          { unit: '10*9/L', factor: 1000 },
        ],
        codes: [{ system: 'LOINC', code: '14135-8' }],
        plausible: [10, 8000],
        transform: 'log',
        decimals: 0,
        staleAfterDays: 180,
        normalRange: { low: 150, high: 1000, source: 'Common adult reference range' },
      },
    ],
    signs: [],
    events: [
      {
        id: 'progression',
        label: 'CD4 halved, AIDS or death (whichever first)',
        verb: 'see their CD4 count halved, develop AIDS or die',
        isTerminal: true,
      },
    ],
    interventions: [
      {
        id: 'zdv',
        label: 'Zidovudine',
        shortLabel: 'ZDV',
        whatIfClass: 'R',
        codes: [zidovudine],
        exclusiveGroup: 'regimen',
        timing: 'from-entry',
        evidence: { statement: 'The control arm of the trial.', citation: trial, n: 532 },
      },
      {
        id: 'zdv-ddi',
        label: 'Zidovudine + didanosine',
        shortLabel: 'ZDV + ddI',
        whatIfClass: 'R',
        codes: [zidovudine, didanosine],
        exclusiveGroup: 'regimen',
        timing: 'from-entry',
        evidence: { statement, citation: trial, n: 1054, estimate: { measure: against, value: 0.49, low: 0.39, high: 0.63 } },
      },
      {
        id: 'zdv-ddc',
        label: 'Zidovudine + zalcitabine',
        shortLabel: 'ZDV + ddC',
        whatIfClass: 'R',
        codes: [zidovudine, zalcitabine],
        exclusiveGroup: 'regimen',
        timing: 'from-entry',
        evidence: { statement, citation: trial, n: 1056, estimate: { measure: against, value: 0.52, low: 0.41, high: 0.67 } },
      },
      {
        id: 'ddi',
        label: 'Didanosine',
        shortLabel: 'ddI',
        whatIfClass: 'R',
        codes: [didanosine],
        exclusiveGroup: 'regimen',
        timing: 'from-entry',
        evidence: { statement, citation: trial, n: 1093, estimate: { measure: against, value: 0.59, low: 0.47, high: 0.73 } },
      },
    ],
    conditioning: [
      { from: 'covariate', id: 'age' },
      { from: 'covariate', id: 'weight' },
      { from: 'covariate', id: 'karnofsky' },
      { from: 'covariate', id: 'sex', equals: 'male' },
      { from: 'covariate', id: 'ethnicity', equals: 'other' },
      { from: 'covariate', id: 'prior-therapy', equals: 'experienced' },
      { from: 'covariate', id: 'symptomatic', equals: 'yes' },
      { from: 'covariate', id: 'haemophilia', equals: 'yes' },
      { from: 'covariate', id: 'sex-between-men', equals: 'yes' },
      { from: 'covariate', id: 'injected-drugs', equals: 'yes' },
      { from: 'intervention', id: 'zdv-ddi' },
      { from: 'intervention', id: 'zdv-ddc' },
      { from: 'intervention', id: 'ddi' },
      { from: 'intervention', id: 'zdv-ddi', when: { covariate: 'prior-therapy', equals: 'experienced' } },
      { from: 'intervention', id: 'zdv-ddc', when: { covariate: 'prior-therapy', equals: 'experienced' } },
      { from: 'intervention', id: 'ddi', when: { covariate: 'prior-therapy', equals: 'experienced' } },
    ],
  },
};
