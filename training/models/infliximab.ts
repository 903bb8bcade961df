import type { EquationsModel } from '#packs/equations/model.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { age, closedFormTolerance, everyDose, sex, weight, type GoldenRequest } from './people.ts';

const troughRange =
  'Vande Casteele N et al. Trough concentrations of infliximab guide dosing for patients with inflammatory bowel disease (TAXIT). Gastroenterology 2015;148:1320–9';

const fasanmade: EquationsModel = {
  id: 'fasanmade-2009',
  title: 'Fasanmade 2009: ulcerative colitis',
  citation:
    'Fasanmade AA, Adedokun OJ, Ford J, Hernandez D, Johanns J, Hu C, Davis HM, Zhou H. Population pharmacokinetic analysis of infliximab in patients with ulcerative colitis. Eur J Clin Pharmacol 2009;65:1211–28',
  time: 'd',
  timeZero: 'first-event',
  covariates: { SEX: 'sex', WT: 'weight', ALB: 'albumin', ADA: 'antibodies' },
  constants: [
    { symbol: 'CLpop', value: 0.407, unit: 'L/d', label: 'Clearance of a man with albumin 4.1 g/dL and no antibodies' },
    { symbol: 'ALBref', value: 4.1, unit: 'g/dL', label: 'Reference albumin' },
    { symbol: 'ALBexponent', value: -1.54, unit: '1', label: 'Exponent of albumin on clearance' },
    { symbol: 'ADArise', value: 0.471, unit: '1', label: 'Relative rise of clearance with antibodies to infliximab' },
    { symbol: 'womenCL', value: -0.236, unit: '1', label: 'Relative change of clearance in women' },
    { symbol: 'V1pop', value: 3.29, unit: 'L', label: 'Central volume of a man of 77 kg' },
    { symbol: 'WTref', value: 77, unit: 'kg', label: 'Reference weight' },
    { symbol: 'WTexponent', value: 0.538, unit: '1', label: 'Exponent of weight on central volume' },
    { symbol: 'womenV1', value: -0.137, unit: '1', label: 'Relative change of central volume in women' },
    { symbol: 'Qpop', value: 7.14, unit: 'L/d', label: 'Flow between the compartments' },
    { symbol: 'V2pop', value: 4.13, unit: 'L', label: 'Peripheral volume' },
  ],
  effects: [
    { symbol: 'etaCL', variance: 0.131, label: 'Clearance, log scale (CV 37.7 %)', per: 'person' },
    { symbol: 'etaV1', variance: 0.048, label: 'Central volume, log scale (CV 22.1 %)', per: 'person' },
  ],
  parameters: [
    {
      symbol: 'CL',
      unit: 'L/d',
      formula:
        "CLpop * (ALB / ALBref)^ALBexponent * (1 + ADArise * ADA) * if(SEX == 'female', 1 + womenCL, 1) * exp(etaCL)",
      label: 'Clearance',
    },
    {
      symbol: 'V1',
      unit: 'L',
      formula: "V1pop * (WT / WTref)^WTexponent * if(SEX == 'female', 1 + womenV1, 1) * exp(etaV1)",
      label: 'Central volume',
    },
    { symbol: 'Q', unit: 'L/d', formula: 'Qpop', label: 'Flow between the compartments' },
    { symbol: 'V2', unit: 'L', formula: 'V2pop', label: 'Peripheral volume' },
  ],
  compartments: {
    amountUnit: 'mg',
    central: 'A1',
    clearance: 'CL',
    volume: 'V1',
    peripherals: [{ symbol: 'A2', flow: 'Q', volume: 'V2' }],
    exposure: 'AUC',
  },
  inputs: [
    {
      symbol: 'IFX',
      intervention: 'infliximab',
      label: 'Infliximab, infused',
      unit: 'mg',
      routes: ['iv-infusion'],
      into: 'A1',
    },
  ],
  readouts: [
    { symbol: 'concentration', unit: 'ug/mL', formula: 'A1 / V1', label: 'Infliximab in serum' },
    { symbol: 'exposure', unit: 'ug.d/mL', formula: 'AUC', label: 'Accumulated area under the curve' },
  ],
  observations: [{ marker: 'infliximab', readout: 'concentration', error: { kind: 'combined', sd: 0.0413, fraction: 0.403 } }],
  stepper: { kind: 'closed-form' },
};

export const manifest = {
  format: 'counterpart-pack/1',
  kind: 'equations',
  id: 'infliximab',
  version: '1.0.0',
  title: 'Infliximab: trough in ulcerative colitis',
  summary:
    'Infliximab concentrations of adults with ulcerative colitis, by albumin, antibodies, weight and sex; which dose and interval keep the trough in range.',
  licence: 'Apache-2.0',
  authors: ['Counterpart developers'],
  sources: [
    { role: 'model', citation: fasanmade.citation, licence: 'Published equations and estimates', n: 482 },
    { role: 'method', citation: troughRange, licence: 'Published trial' },
  ],
  population: {
    description: 'Adults with moderately to severely active ulcerative colitis in the trials ACT 1 and ACT 2, on 5 or 10 mg/kg.',
    criteria: [
      { of: 'covariate', id: 'age', min: 18, severity: 'hard', reason: 'The trials enrolled adults.' },
      { of: 'covariate', id: 'age', max: 76, severity: 'soft', reason: 'The trials’ patients were 18 to 76 years old.' },
      { of: 'covariate', id: 'weight', min: 36, max: 159, severity: 'soft', reason: 'The trials’ patients weighed 36 to 159 kg.' },
      {
        of: 'covariate',
        id: 'albumin',
        min: 1.5,
        max: 6,
        severity: 'hard',
        reason: 'The power of albumin runs away outside the range of the trials.',
      },
      {
        of: 'covariate',
        id: 'albumin',
        min: 2.5,
        max: 5.2,
        severity: 'soft',
        reason: 'Few patients of the trials had so low or so high an albumin; acute severe colitis was excluded.',
      },
    ],
  },
  era: { from: 2002, to: 2005 },
  place: 'Trials ACT 1 and ACT 2: North America, Europe and others',
  notFor: [
    'Care of a patient without a clinician who checks the disease and the level.',
    'Acute severe colitis, where infliximab is lost through the gut; Crohn’s disease and rheumatic disease, which have other kinetics.',
    'Children; subcutaneous infliximab.',
    'Predicting remission: only concentrations are modelled.',
  ],
  grid: { stepDays: 1, horizonSteps: 224, historySteps: 400, timeUnit: 'weeks' },
  covariates: [
    age({ plausible: [18, 100], seen: [18, 76] }),
    sex(0.392),
    weight({ plausible: [30, 250], seen: [36, 159] }),
    {
      kind: 'number',
      id: 'albumin',
      label: 'Albumin in serum',
      unit: 'g/dL',
      alternativeUnits: [{ unit: 'g/L', factor: 0.1 }],
      codes: [{ system: 'LOINC', code: '1751-7' }],
      required: true,
      varies: true,
      help: 'The strongest covariate: low albumin means fast clearance.',
      plausible: [1, 6.5],
      seen: [2.5, 5.2],
    },
    {
      kind: 'number',
      id: 'antibodies',
      label: 'Antibodies to infliximab (0 absent, 1 present)',
      unit: '1',
      required: false,
      whenMissing: 0,
      varies: true,
      help: 'Absent if nothing is entered. The source called a patient positive for the whole trial once antibodies were found; here they count from the day they are entered.',
      plausible: [0, 1],
      seen: [0, 1],
    },
  ],
  markers: [
    {
      id: 'infliximab',
      label: 'Infliximab in serum',
      unit: 'ug/mL',
      alternativeUnits: [{ unit: 'mg/L', factor: 1 }],
      plausible: [0.05, 400],
      seen: [0.1, 200],
      staleAfterDays: 120,
      decimals: 1,
      thresholds: [{ value: 3, direction: 'below', label: 'trough below 3 µg/mL' }],
    },
  ],
  signs: [],
  events: [],
  interventions: [
    {
      id: 'infliximab',
      label: 'Infliximab',
      shortLabel: 'Infliximab',
      whatIfClass: 'M',
      codes: [{ system: 'ATC', code: 'L04AB02' }],
      exclusiveGroup: null,
      timing: 'any',
      evidence: {
        statement:
          'What a dose does to the concentration follows from mass balance and the population estimates of two trials; dosing to a trough of 3–7 µg/mL was tried in TAXIT and did not raise remission at one year over clinical dosing.',
        citation: troughRange,
      },
    },
  ],
  usualCare: { label: 'Doses as recorded', description: 'The infusions in the record go on as entered; nothing is added.', interventions: [] },
  models: [fasanmade],
  targets: [
    {
      id: 'trough-maintenance',
      label: 'Trough 3–7 µg/mL',
      intent: 'reach',
      measure: { readout: 'concentration', statistic: 'at-end', window: { kind: 'last-interval' } },
      low: 3,
      high: 7,
      unit: 'ug/mL',
      citation: troughRange,
    },
    {
      id: 'trough-low',
      label: 'Trough below 3 µg/mL',
      intent: 'avoid',
      measure: { readout: 'concentration', statistic: 'at-end', window: { kind: 'last-interval' } },
      high: 3,
      unit: 'ug/mL',
      citation: troughRange,
    },
    {
      id: 'trough-induction',
      label: 'Six weeks from now at least 15 µg/mL (for an induction that starts today)',
      intent: 'reach',
      measure: { readout: 'concentration', statistic: 'at-end', window: { kind: 'days', from: 41, to: 42 } },
      low: 15,
      unit: 'ug/mL',
      citation:
        'Papamichael K et al. Infliximab trough concentrations during induction therapy are associated with short-term mucosal healing in patients with ulcerative colitis. Clin Gastroenterol Hepatol 2016;14:543–9. An association.',
    },
  ],
  doseGrids: [
    {
      intervention: 'infliximab',
      route: 'iv-infusion',
      amounts: [3, 5, 7.5, 10],
      per: 'kg',
      roundTo: 100,
      intervalHours: [4, 5, 6, 7, 8].map((weeks) => weeks * 168),
      durationHours: [2],
      startHours: [0, 168, 336],
      loadingAmounts: [0],
      maximumDose: 2000,
    },
  ],
  demonstrations: [
    {
      alias: 'Dana: in range',
      story: 'A 41-year-old woman of 62 kg after induction and one maintenance infusion; trough 5.6 µg/mL, albumin 4.2 g/dL.',
      covariates: { age: 41, sex: 'female', weight: 62, albumin: 4.2, antibodies: 0 },
      courses: [
        { intervention: 'infliximab', amount: 300, route: 'iv-infusion', durationHours: 2, startHours: -154 * 24, count: 1 },
        { intervention: 'infliximab', amount: 300, route: 'iv-infusion', durationHours: 2, startHours: -140 * 24, count: 1 },
        { intervention: 'infliximab', amount: 300, route: 'iv-infusion', durationHours: 2, startHours: -112 * 24, everyHours: 1344 },
      ],
      observations: [{ marker: 'infliximab', hours: -1, value: 5.6 }],
    },
    {
      alias: 'Emil: antibodies',
      story:
        'A 35-year-old man of 84 kg. The trough was 4.1 µg/mL at week 14; at week 22 antibodies are found and it is 0.6. The surprise: doubling the dose doubles the trough, halving the interval raises it twelvefold.',
      covariates: { age: 35, sex: 'male', weight: 84, albumin: 3.9, antibodies: 0 },
      courses: [
        { intervention: 'infliximab', amount: 400, route: 'iv-infusion', durationHours: 2, startHours: -154 * 24, count: 1 },
        { intervention: 'infliximab', amount: 400, route: 'iv-infusion', durationHours: 2, startHours: -140 * 24, count: 1 },
        { intervention: 'infliximab', amount: 400, route: 'iv-infusion', durationHours: 2, startHours: -112 * 24, everyHours: 1344 },
      ],
      observations: [
        { marker: 'infliximab', hours: -56 * 24 - 1, value: 4.1 },
        { marker: 'antibodies', hours: -28 * 24, value: 1 },
        { marker: 'infliximab', hours: -1, value: 0.6 },
      ],
    },
    {
      alias: 'Frida: albumin low at the start',
      story:
        'A 29-year-old woman of 55 kg, albumin 2.9 g/dL when induction began and 3.8 now. Part of what was lost early went with the inflamed gut; eight-weekly infusions may still be too far apart.',
      covariates: { age: 29, sex: 'female', weight: 55, albumin: 2.9, antibodies: 0 },
      courses: [
        { intervention: 'infliximab', amount: 300, route: 'iv-infusion', durationHours: 2, startHours: -70 * 24, count: 1 },
        { intervention: 'infliximab', amount: 300, route: 'iv-infusion', durationHours: 2, startHours: -56 * 24, count: 1 },
        { intervention: 'infliximab', amount: 300, route: 'iv-infusion', durationHours: 2, startHours: -28 * 24, everyHours: 1344 },
      ],
      observations: [
        { marker: 'albumin', hours: -70 * 24, value: 2.9 },
        { marker: 'albumin', hours: -42 * 24, value: 3.3 },
        { marker: 'infliximab', hours: -28 * 24 - 1, value: 7.9 },
        { marker: 'albumin', hours: -7 * 24, value: 3.8 },
      ],
    },
  ],
} satisfies Omit<EquationsManifest, 'golden' | 'card'>;

/** Weeks 0, 2, 6, then every 8 weeks; infused over two hours. */
const standard = (amount: number) => [
  { input: 'IFX', time: 0, amount, duration: 2 / 24 },
  { input: 'IFX', time: 14, amount, duration: 2 / 24 },
  ...everyDose('IFX', { first: 42, every: 56, count: 4, amount, duration: 2 / 24 }),
];
const common = {
  model: fasanmade.id,
  effects: {},
  controls: [],
  initialStates: {},
  times: [0, 1, 7, 14, 28, 42, 56, 70, 98, 126, 154, 182, 210, 266],
  readouts: ['concentration', 'exposure'],
  tolerance: closedFormTolerance,
};

export const goldenCases: readonly GoldenRequest[] = [
  { ...common, id: 'ifx-01', covariates: { sex: 'male', weight: 77, albumin: 4.1, antibodies: 0 }, doses: standard(385) },
  { ...common, id: 'ifx-02', covariates: { sex: 'female', weight: 60, albumin: 3.2, antibodies: 1 }, doses: standard(300) },
  {
    ...common,
    id: 'ifx-own-effects',
    covariates: { sex: 'male', weight: 91, albumin: 3.7, antibodies: 0 },
    effects: { etaCL: 0.4, etaV1: -0.2 },
    doses: standard(455),
  },
];
