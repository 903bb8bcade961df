import { addDays, type Observation, type PatientRecord } from '#domain/record.ts';
import { requiredLevel, requiredNumber } from '#training/clinical-data.ts';
import { entryDate, type Recipe } from './recipe.ts';

const year = 365.25;

/** Column of the data folder → id and unit in the pack. */
const columns: Readonly<Record<string, readonly [id: string, unit: string]>> = {
  bili: ['bilirubin', 'mg/dL'],
  albumin: ['albumin', 'g/dL'],
  alk_phos: ['alkaline-phosphatase', 'U/L'],
  ast: ['ast', 'U/L'],
  chol: ['cholesterol', 'mg/dL'],
  platelet: ['platelets', '10*9/L'],
  protime: ['prothrombin-time', 's'],
  ascites: ['ascites', '1'],
  hepato: ['hepatomegaly', '1'],
  spiders: ['spider-naevi', '1'],
  edema: ['oedema', '1'],
};

const absentPresent = [
  { value: 0, label: 'absent' },
  { value: 1, label: 'present' },
];

/** Primary biliary cholangitis: the Mayo Clinic D-penicillamine trial, 1974–84. */
export const pbc: Recipe = {
  id: 'pbc',
  folder: 'pbc_mayo',
  L: 4,
  H: 8,
  E: 16,
  members: 5,
  fit: {
    iterations: 250,
    learningRate: 0.02,
    penalty: { core: 30, drift: 5, hazard: 3, treatment: 200, entry: 2 },
    start: { innovation: 0.3, observation: 0.2, reversion: 0.05 },
  },
  encoder: { iterations: 150, batch: 96, learningRate: 0.02 },
  record: (data, id) => {
    const row = data.subjects.get(id)!;
    const observations: Observation[] = (data.visits.get(id) ?? []).flatMap(({ time, values }) =>
      [...values].flatMap(([column, value]) => {
        const known = columns[column];
        if (!known) return [];
        return [
          {
            id: `${id}-${time}-${column}`,
            code: known[0],
            date: addDays(entryDate, time),
            value,
            unit: known[1],
            isConfirmed: true,
            source: 'data folder',
          },
        ];
      }),
    );
    const record: PatientRecord = {
      id,
      alias: id,
      isSynthetic: false,
      entryDate,
      covariates: {
        age: requiredNumber(row, 'age', id),
        sex: requiredLevel(row, 'sex', ['f', 'm'], id) === 'f' ? 'female' : 'male',
      },
      observations,
      treatments:
        row['arm'] === 'D-penicillamine'
          ? [{ id: `${id}-arm`, intervention: 'd-penicillamine', start: entryDate, stop: null }]
          : [],
      events: [],
      note: '',
      updatedAt: 0,
    };
    return record;
  },
  followUp: (data, id) => {
    const row = data.subjects.get(id)!;
    const status = requiredNumber(row, 'status', id);
    return { endDay: requiredNumber(row, 'futime', id), event: status === 2 ? 0 : status === 1 ? 1 : -1 };
  },
  plan: {
    id: 'pbc',
    version: '1.0.0',
    title: 'Liver: primary biliary cholangitis',
    summary: 'Liver tests, signs, transplantation and death over up to ten years, learned from the Mayo Clinic trial of 1974–84.',
    licence: 'Apache-2.0',
    authors: ['Counterpart developers'],
    sources: [
      {
        role: 'training',
        citation:
          'Mayo Clinic trial in primary biliary cirrhosis: Fleming & Harrington 1991; Murtaugh et al., Hepatology 1994;20:126–34. Data: pbcseq and pbc of the R package survival 3.8-6.',
        licence: 'LGPL (>= 2), rows not redistributed',
        n: 312,
      },
      {
        role: 'external-validation',
        citation: 'PBC3 trial of ciclosporin: Lombard et al., Gastroenterology 1993;104:519–26. Data: Pbc3 of the R package pec.',
        licence: 'GPL (>= 2), rows not redistributed',
        n: 349,
      },
      {
        role: 'effect',
        citation: 'Ursodiol trial: Lindor et al., Gastroenterology 1994;106:1284–90. Data: udca of the R package survival.',
        licence: 'LGPL (>= 2), rows not redistributed',
        n: 170,
      },
    ],
    population: {
      description:
        'Adults with primary biliary cholangitis (then called cirrhosis) seen at one referral centre in the United States, most of them women, and eligible for a randomised trial.',
      criteria: [
        { of: 'covariate', id: 'age', min: 18, severity: 'hard', reason: 'The pack has seen no one under 26 years.' },
        {
          of: 'covariate',
          id: 'age',
          min: 26,
          max: 79,
          severity: 'soft',
          reason: 'The trial’s patients were 26 to 78 years old.',
        },
      ],
    },
    era: { from: 1974, to: 1988 },
    place: 'Rochester, Minnesota, United States',
    notFor: [
      'Care of a patient: absolute risks describe 1974–88, before ursodiol and modern transplantation.',
      'Deciding on or timing a transplantation.',
      'Liver disease other than primary biliary cholangitis, and people under 18.',
      'Judging a drug other than by the evidence named beside it.',
    ],
    grid: { stepDays: year / 2, horizonSteps: 20, historySteps: 28, timeUnit: 'years' },
    usualCare: {
      label: 'Usual care',
      description: 'Supportive care of 1974–88 without a drug for the disease (placebo in the trial).',
      interventions: [],
    },
    covariates: [
      {
        kind: 'number',
        id: 'age',
        label: 'Age at entry',
        unit: 'a',
        plausible: [18, 100],
        required: true,
        transform: 'identity',
        decimals: 0,
        codes: [{ system: 'LOINC', code: '30525-0' }],
      },
      {
        kind: 'category',
        id: 'sex',
        label: 'Sex',
        required: true,
        codes: [{ system: 'LOINC', code: '76689-9' }],
        categories: [
          { value: 'female', label: 'female' },
          { value: 'male', label: 'male' },
        ],
      },
    ],
    markers: [
      {
        id: 'bilirubin',
        label: 'Bilirubin',
        unit: 'mg/dL',
        alternativeUnits: [{ unit: 'umol/L', factor: 1 / 17.104 }],
        codes: [{ system: 'LOINC', code: '1975-2' }],
        plausible: [0.1, 60],
        transform: 'log',
        decimals: 1,
        staleAfterDays: 400,
        normalRange: { low: 0.2, high: 1.2, source: 'Common adult reference range' },
        thresholds: [
          { value: 2, direction: 'above', label: 'above 2 mg/dL' },
          { value: 6, direction: 'above', label: 'above 6 mg/dL' },
        ],
      },
      {
        id: 'albumin',
        label: 'Albumin',
        unit: 'g/dL',
        alternativeUnits: [{ unit: 'g/L', factor: 0.1 }],
        codes: [{ system: 'LOINC', code: '1751-7' }],
        plausible: [0.8, 6],
        transform: 'identity',
        decimals: 2,
        staleAfterDays: 400,
        normalRange: { low: 3.5, high: 5, source: 'Common adult reference range' },
        thresholds: [{ value: 3, direction: 'below', label: 'below 3 g/dL' }],
      },
      {
        id: 'alkaline-phosphatase',
        label: 'Alkaline phosphatase',
        unit: 'U/L',
        codes: [{ system: 'LOINC', code: '6768-6' }],
        plausible: [20, 20000],
        transform: 'log',
        decimals: 0,
        staleAfterDays: 400,
      },
      {
        id: 'ast',
        label: 'Aspartate aminotransferase',
        unit: 'U/L',
        codes: [{ system: 'LOINC', code: '1920-8' }],
        plausible: [3, 2000],
        transform: 'log',
        decimals: 0,
        staleAfterDays: 400,
        normalRange: { low: 5, high: 40, source: 'Common adult reference range' },
      },
      {
        id: 'cholesterol',
        label: 'Cholesterol',
        unit: 'mg/dL',
        alternativeUnits: [{ unit: 'mmol/L', factor: 38.67 }],
        codes: [{ system: 'LOINC', code: '2093-3' }],
        plausible: [40, 2500],
        transform: 'log',
        decimals: 0,
        staleAfterDays: 800,
      },
      {
        id: 'platelets',
        label: 'Platelets',
        unit: '10*9/L',
        codes: [{ system: 'LOINC', code: '777-3' }],
        plausible: [5, 1200],
        transform: 'sqrt',
        decimals: 0,
        staleAfterDays: 400,
        normalRange: { low: 150, high: 400, source: 'Common adult reference range' },
        thresholds: [{ value: 150, direction: 'below', label: 'below 150 × 10⁹/L' }],
      },
      {
        id: 'prothrombin-time',
        label: 'Prothrombin time',
        unit: 's',
        codes: [{ system: 'LOINC', code: '5902-2' }],
        plausible: [7, 60],
        transform: 'log',
        decimals: 1,
        staleAfterDays: 400,
        normalRange: { low: 9, high: 12, source: 'Range of healthy people at the trial centre’s assay' },
      },
    ],
    signs: [
      {
        id: 'ascites',
        label: 'Ascites',
        codes: [{ system: 'SNOMED', code: '389026000' }],
        levels: absentPresent,
        cuts: [0],
        staleAfterDays: 400,
      },
      {
        id: 'hepatomegaly',
        label: 'Enlarged liver',
        codes: [{ system: 'SNOMED', code: '80515008' }],
        levels: absentPresent,
        cuts: [0],
        staleAfterDays: 400,
      },
      {
        id: 'spider-naevi',
        label: 'Spider naevi',
        codes: [{ system: 'SNOMED', code: '247479008' }],
        levels: absentPresent,
        cuts: [0],
        staleAfterDays: 400,
      },
      {
        id: 'oedema',
        label: 'Oedema',
        codes: [{ system: 'SNOMED', code: '267038008' }],
        levels: [
          { value: 0, label: 'none' },
          { value: 0.5, label: 'without diuretics, or resolved by them' },
          { value: 1, label: 'despite diuretics' },
        ],
        cuts: [0, 1.5],
        staleAfterDays: 400,
      },
    ],
    events: [
      { id: 'death', label: 'Death', verb: 'die', isTerminal: true, codes: [{ system: 'SNOMED', code: '419099009' }] },
      {
        id: 'transplant',
        label: 'Liver transplantation',
        verb: 'have a liver transplantation',
        isTerminal: true,
        codes: [{ system: 'SNOMED', code: '18027006' }],
      },
    ],
    interventions: [
      {
        id: 'd-penicillamine',
        label: 'D-penicillamine',
        shortLabel: 'D-pen',
        whatIfClass: 'R',
        codes: [{ system: 'ATC', code: 'M01CC01' }],
        exclusiveGroup: null,
        timing: 'from-entry',
        evidence: {
          statement: 'Randomised against placebo from entry in these very patients; no effect on survival was found.',
          citation: 'Mayo Clinic trial; Cox model on the 312 randomised patients',
          n: 312,
          estimate: { measure: 'hazard ratio of death against placebo', value: 1, low: 0.72, high: 1.39 },
        },
      },
      {
        id: 'ursodiol',
        label: 'Ursodiol (ursodeoxycholic acid)',
        shortLabel: 'UDCA',
        whatIfClass: 'X',
        codes: [{ system: 'ATC', code: 'A05AA02' }],
        exclusiveGroup: null,
        timing: 'any',
        evidence: {
          statement:
            'Cited effect, not learned: in another randomised trial (n = 170) ursodiol delayed the first of several endpoints (death, transplantation, histologic progression, varices, ascites, encephalopathy, doubling of bilirubin, worse symptoms).',
          citation:
            'Lindor et al., Gastroenterology 1994;106:1284–90; udca data of the R package survival, adjusted for log bilirubin and stage',
          n: 169,
          estimate: { measure: 'hazard ratio of the first endpoint against placebo', value: 0.36, low: 0.22, high: 0.59 },
        },
        // The headline 0.36 is of a composite that mostly counts progression; death and transplantation are what this pack
        // forecasts, so the same trial's own estimate for these two is laid over them: 28 events, and as wide as that makes it.
        citedEffect: {
          events: ['death', 'transplant'],
          logHazardRatio: -0.711,
          standardError: 0.405,
          assumption:
            'The trial’s own hazard ratio of death or transplantation, 0.49 (95 % interval 0.22 to 1.09; 28 events in 169 people, adjusted for bilirubin and stage), multiplies both hazards while ursodiol is taken. Laboratory values are left on their natural course.',
        },
      },
    ],
    conditioning: [
      { from: 'covariate', id: 'age' },
      { from: 'covariate', id: 'sex', equals: 'male' },
      { from: 'intervention', id: 'd-penicillamine' },
    ],
  },
};
