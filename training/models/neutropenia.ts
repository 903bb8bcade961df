import type { Constant, Definition, EquationsModel, State } from '#packs/equations/model.ts';
import type { Covariate, EquationsManifest, Target } from '#packs/manifest.ts';
import { everyDose, height, sex, weight, type GoldenRequest } from './people.ts';

const ozawaCitation =
  'Ozawa K, Minami H, Sato H. Population pharmacokinetic and pharmacodynamic analysis for time courses of docetaxel-induced neutropenia in Japanese cancer patients. Cancer Sci 2007;98:1985–92';
const kloftCitation =
  'Kloft C, Wallin J, Henningsson A, Chatelut E, Karlsson MO. Population pharmacokinetic-pharmacodynamic model for neutropenia with patient subgroup identification: comparison across anticancer drugs. Clin Cancer Res 2006;12:5481–90; as reused by Netterberg I et al. Cancer Chemother Pharmacol 2017;79:1067–76';
const fribergCitation =
  'Friberg LE, Henningsson A, Maas H, Nguyen L, Karlsson MO. Model of chemotherapy-induced myelosuppression with parameter consistency across drugs. J Clin Oncol 2002;20:4713–21';
const ctcae = 'Common Terminology Criteria for Adverse Events, version 5.0, National Cancer Institute 2017: neutrophil count decreased';
const label = 'Docetaxel prescribing information: no treatment below 1.5 × 10⁹/L neutrophils';

/** ω² of a log-normal effect whose coefficient of variation is published. */
const fromCv = (cv: number): number => Math.log1p(cv * cv);

const kinetics: readonly Constant[] = [
  { symbol: 'CLpop', value: 35.7, unit: 'L/h', label: 'Clearance of docetaxel' },
  { symbol: 'V1pop', value: 6.94, unit: 'L', label: 'Central volume' },
  { symbol: 'Q2', value: 5.58, unit: 'L/h', label: 'Flow to the shallow compartment' },
  { symbol: 'V2', value: 7.39, unit: 'L', label: 'Shallow compartment' },
  { symbol: 'Q3', value: 12.5, unit: 'L/h', label: 'Flow to the deep compartment' },
  { symbol: 'V3', value: 225, unit: 'L', label: 'Deep compartment' },
];

const compartments: EquationsModel['compartments'] = {
  amountUnit: 'mg',
  central: 'A1',
  clearance: 'CL',
  volume: 'V1',
  peripherals: [
    { symbol: 'A2', flow: 'Q2', volume: 'V2' },
    { symbol: 'A3', flow: 'Q3', volume: 'V3' },
  ],
};

const input = {
  symbol: 'DOC',
  intervention: 'docetaxel',
  label: 'Docetaxel, infused',
  unit: 'mg',
  routes: ['iv-infusion'],
  into: 'A1',
} as const;

/** Friberg's chain; `ANC0` and what enters the blood besides it differ between models. */
const chain = (release: string): readonly State[] => [
  {
    symbol: 'Prol',
    unit: '10*9/L',
    initial: 'ANC0',
    derivative: 'ktr * Prol * (1 - SLOPE * concentration) * (ANC0 / max(Circ, floorANC))^feedback - ktr * Prol',
  },
  { symbol: 'T1', unit: '10*9/L', initial: 'ANC0', derivative: 'ktr * (Prol - T1)' },
  { symbol: 'T2', unit: '10*9/L', initial: 'ANC0', derivative: 'ktr * (T1 - T2)' },
  { symbol: 'T3', unit: '10*9/L', initial: 'ANC0', derivative: 'ktr * (T2 - T3)' },
  { symbol: 'Circ', unit: '10*9/L', initial: 'ANC0', derivative: `ktr * T3${release} - ktr * Circ` },
];

const guard: Constant = { symbol: 'floorANC', value: 1e-4, unit: '10*9/L', label: 'Neutrophils count as at least this in the feedback' };

const concentration: Definition = { symbol: 'concentration', unit: 'mg/L', formula: 'A1 / V1', label: 'Docetaxel in plasma' };

const readouts: readonly Definition[] = [
  { symbol: 'neutrophils', unit: '10*9/L', formula: 'Circ', label: 'Neutrophils' },
  { symbol: 'docetaxel', unit: 'mg/L', formula: 'concentration', label: 'Docetaxel in plasma' },
];

const stepper: EquationsModel['stepper'] = {
  kind: 'dopri5',
  relativeTolerance: 1e-8,
  absoluteTolerance: 1e-8,
  firstStep: 0.05,
  maximumStep: 24,
  maximumSteps: 100_000,
};

const ozawa: EquationsModel = {
  id: 'docetaxel-neutropenia-ozawa2007',
  title: 'Ozawa 2007: Japanese patients with solid tumours',
  citation: ozawaCitation,
  time: 'h',
  timeZero: 'first-event',
  covariates: { BASELINE: 'anc-baseline', AAG: 'aag', DEX: 'dexamethasone' },
  constants: [
    ...kinetics,
    { symbol: 'MTTpop', value: 113, unit: 'h', label: 'Mean transit time from marrow to blood' },
    { symbol: 'SLOPEpop', value: 17.9, unit: 'L/mg', label: 'Loss of proliferating cells per mg/L of docetaxel' },
    { symbol: 'AAGref', value: 0.94, unit: 'g/L', label: 'Reference α1-acid glycoprotein' },
    { symbol: 'AAGexponent', value: -1.38, unit: '1', label: 'Exponent of α1-acid glycoprotein on the slope' },
    { symbol: 'feedback', value: 0.196, unit: '1', label: 'Exponent of the feedback from blood to marrow' },
    { symbol: 'MIT', value: 35.5, unit: 'h', label: 'Mean time of release after dexamethasone' },
    { symbol: 'IP0pop', value: 5.19, unit: '10*9/L', label: 'Neutrophils released after dexamethasone' },
    guard,
  ],
  effects: [
    { symbol: 'etaCL', variance: fromCv(0.399), label: 'Clearance, log scale (CV 39.9 %)', per: 'person' },
    { symbol: 'etaV1', variance: fromCv(0.264), label: 'Central volume, log scale (CV 26.4 %)', per: 'person' },
    { symbol: 'etaMTT', variance: fromCv(0.111), label: 'Mean transit time, log scale (CV 11.1 %)', per: 'person' },
    { symbol: 'etaSLOPE', variance: fromCv(0.682), label: 'Slope, log scale (CV 68.2 %)', per: 'person' },
    { symbol: 'etaIP0', variance: fromCv(1.1), label: 'Release after dexamethasone, log scale (CV 110 %)', per: 'person' },
  ],
  parameters: [
    { symbol: 'CL', unit: 'L/h', formula: 'CLpop * exp(etaCL)', label: 'Clearance' },
    { symbol: 'V1', unit: 'L', formula: 'V1pop * exp(etaV1)', label: 'Central volume' },
    { symbol: 'MTT', unit: 'h', formula: 'MTTpop * exp(etaMTT)', label: 'Mean transit time' },
    { symbol: 'ktr', unit: '1/h', formula: '4 / MTT', label: 'Rate from stage to stage' },
    { symbol: 'SLOPE', unit: 'L/mg', formula: 'SLOPEpop * (AAG / AAGref)^AAGexponent * exp(etaSLOPE)', label: 'Slope' },
    { symbol: 'IP0', unit: '10*9/L', formula: "if(DEX == 'yes', IP0pop * exp(etaIP0), 0)", label: 'Release after dexamethasone' },
    { symbol: 'ANC0', unit: '10*9/L', formula: 'BASELINE', label: 'Neutrophils before treatment' },
  ],
  compartments,
  states: chain(' + reserve / MIT'),
  memory: [
    {
      // Premedication comes with each infusion; between infusions the reserve decays in closed form.
      symbol: 'reserveThen',
      unit: '10*9/L',
      initial: '0',
      atSegmentStart:
        'if(rate(DOC) > 0 and previousRate(DOC) <= 0, reserveThen * exp(-(time - reserveTime) / MIT) + IP0, reserveThen)',
    },
    {
      symbol: 'reserveTime',
      unit: 'h',
      initial: '0',
      atSegmentStart: 'if(rate(DOC) > 0 and previousRate(DOC) <= 0, time, reserveTime)',
    },
  ],
  algebra: [
    concentration,
    { symbol: 'reserve', unit: '10*9/L', formula: 'reserveThen * exp(-(time - reserveTime) / MIT)', label: 'Still to be released' },
  ],
  inputs: [input],
  readouts,
  observations: [
    { marker: 'anc', readout: 'neutrophils', error: { kind: 'log', sd: 0.291 } },
    { marker: 'docetaxel-concentration', readout: 'docetaxel', error: { kind: 'proportional', fraction: 0.268 } },
  ],
  stepper,
};

const kloft: EquationsModel = {
  id: 'docetaxel-neutropenia-kloft2006',
  title: 'Kloft 2006: docetaxel in a European pool, kinetics of Ozawa',
  citation: kloftCitation,
  time: 'h',
  timeZero: 'first-event',
  covariates: { SEX: 'sex', ECOG: 'ecog', PRETREATED: 'pretreated', AAG: 'aag' },
  constants: [
    ...kinetics,
    { symbol: 'ANC0pop', value: 5.22, unit: '10*9/L', label: 'Neutrophils before treatment: men, ECOG 0, not pretreated' },
    { symbol: 'womenANC0', value: -0.121, unit: '1', label: 'Relative change of it in women' },
    { symbol: 'ecogANC0', value: 0.13, unit: '1', label: 'Relative change of it with ECOG 1 or more' },
    { symbol: 'pretreatedANC0', value: -0.147, unit: '1', label: 'Relative change of it after earlier chemotherapy' },
    { symbol: 'AAGmid', value: 1.34, unit: 'g/L', label: 'Reference α1-acid glycoprotein' },
    { symbol: 'AAGbelow', value: 0.175, unit: 'L/g', label: 'Relative change of ANC0 per g/L below the reference' },
    { symbol: 'AAGabove', value: 0.495, unit: 'L/g', label: 'Relative change of ANC0 per g/L above the reference' },
    { symbol: 'MTTpop', value: 84.2, unit: 'h', label: 'Mean transit time from marrow to blood' },
    { symbol: 'SLOPEpop', value: 19.27, unit: 'L/mg', label: 'Loss of proliferating cells per mg/L (15.57 L/µmol, 808 g/mol)' },
    { symbol: 'AAGslope', value: -0.351, unit: 'L/g', label: 'Relative change of the slope per g/L' },
    { symbol: 'feedback', value: 0.145, unit: '1', label: 'Exponent of the feedback from blood to marrow' },
    guard,
  ],
  effects: [
    { symbol: 'etaCL', variance: fromCv(0.399), label: 'Clearance, log scale (CV 39.9 %, Ozawa)', per: 'person' },
    { symbol: 'etaV1', variance: fromCv(0.264), label: 'Central volume, log scale (CV 26.4 %, Ozawa)', per: 'person' },
    { symbol: 'etaANC0', variance: 0.064, label: 'Neutrophils before treatment, log scale', per: 'person' },
    { symbol: 'etaMTT', variance: 0.0192, label: 'Mean transit time, log scale', per: 'person' },
    { symbol: 'etaSLOPE', variance: 0.128, label: 'Slope, log scale', per: 'person' },
  ],
  parameters: [
    { symbol: 'CL', unit: 'L/h', formula: 'CLpop * exp(etaCL)', label: 'Clearance' },
    { symbol: 'V1', unit: 'L', formula: 'V1pop * exp(etaV1)', label: 'Central volume' },
    {
      symbol: 'ANC0',
      unit: '10*9/L',
      formula:
        "ANC0pop * (1 + if(SEX == 'female', womenANC0, 0)) * (1 + if(ECOG == 'no', 0, ecogANC0)) * (1 + if(PRETREATED == 'yes', pretreatedANC0, 0)) * (1 + if(AAG < AAGmid, AAGbelow, AAGabove) * (AAG - AAGmid)) * exp(etaANC0)",
      label: 'Neutrophils before treatment',
    },
    { symbol: 'MTT', unit: 'h', formula: 'MTTpop * exp(etaMTT)', label: 'Mean transit time' },
    { symbol: 'ktr', unit: '1/h', formula: '4 / MTT', label: 'Rate from stage to stage' },
    { symbol: 'SLOPE', unit: 'L/mg', formula: 'SLOPEpop * (1 + AAGslope * (AAG - AAGmid)) * exp(etaSLOPE)', label: 'Slope' },
  ],
  constraints: ['SLOPE > 0', 'ANC0 > 0'],
  compartments,
  states: chain(''),
  algebra: [concentration],
  inputs: [input],
  readouts,
  observations: [
    { marker: 'anc', readout: 'neutrophils', error: { kind: 'log', sd: 0.424 } },
    { marker: 'docetaxel-concentration', readout: 'docetaxel', error: { kind: 'proportional', fraction: 0.268 } },
  ],
  stepper,
};

const targets: readonly Target[] = [
  {
    id: 'grade-4',
    label: 'Neutropenia of grade 4: lowest count below 0.5',
    intent: 'avoid',
    measure: { readout: 'neutrophils', statistic: 'minimum', window: { kind: 'days', from: 0, to: 21 } },
    high: 0.5,
    unit: '10*9/L',
    citation: ctcae,
  },
  {
    id: 'grade-3-or-4',
    label: 'Neutropenia of grade 3 or 4: lowest count below 1.0',
    intent: 'avoid',
    measure: { readout: 'neutrophils', statistic: 'minimum', window: { kind: 'days', from: 0, to: 21 } },
    high: 1,
    unit: '10*9/L',
    citation: ctcae,
  },
  {
    id: 'week-below-half',
    label: 'Seven days or more below 0.5 within three weeks',
    intent: 'avoid',
    measure: {
      readout: 'neutrophils',
      statistic: 'share-within',
      between: { high: 0.5 },
      window: { kind: 'days', from: 0, to: 21 },
    },
    low: 1 / 3,
    unit: '1',
    citation: 'Hughes WT et al. 2002 guidelines for the use of antimicrobial agents in neutropenic patients with cancer. Clin Infect Dis 2002;34:730–51',
  },
  {
    id: 'next-cycle',
    label: 'The next cycle can be given on day 21: count at least 1.5',
    intent: 'reach',
    measure: { readout: 'neutrophils', statistic: 'at-end', window: { kind: 'days', from: 0, to: 21 } },
    low: 1.5,
    unit: '10*9/L',
    citation: label,
  },
];

const yesNo = (id: string, text: string, yes: number, help: string): Covariate => ({
  kind: 'category',
  id,
  label: text,
  required: false,
  help,
  categories: [
    { value: 'no', label: 'no', share: 1 - yes },
    { value: 'yes', label: 'yes', share: yes },
  ],
});

export const manifest = {
  format: 'counterpart-pack/1',
  kind: 'equations',
  id: 'neutropenia',
  version: '1.0.0',
  title: 'Docetaxel: neutropenia',
  summary:
    'Neutrophils over cycles of docetaxel from two published models of myelosuppression, fitted to this person’s counts: risk of grade 4, and whether the next cycle can be given.',
  licence: 'Apache-2.0',
  authors: ['Counterpart developers'],
  sources: [
    { role: 'model', citation: ozawaCitation, licence: 'Published equations and estimates', n: 62 },
    { role: 'model', citation: kloftCitation, licence: 'Published equations and estimates' },
    { role: 'method', citation: fribergCitation, licence: 'Published equations' },
    {
      role: 'method',
      citation:
        'Maier C, Hartung N, de Wiljes J, Kloft C, Huisinga W. Bayesian data assimilation to support informed decision making in individualized chemotherapy. CPT Pharmacometrics Syst Pharmacol 2020;9:153–64',
      licence: 'Published method',
    },
  ],
  population: {
    description:
      'Adults with solid tumours treated with docetaxel alone: 62 Japanese patients with kinetics and counts, and a pool of European patients on 75 or 100 mg/m² for the second model.',
    criteria: [
      { of: 'covariate', id: 'anc-baseline', min: 1.5, max: 20, severity: 'hard', reason: 'Docetaxel is not started below 1.5 × 10⁹/L; beyond 20 the marrow is not at rest.' },
      { of: 'covariate', id: 'anc-baseline', min: 2, max: 10, severity: 'soft', reason: 'Most people in the cohorts began with 2 to 10 × 10⁹/L.' },
      { of: 'covariate', id: 'aag', min: 0.3, max: 3.5, severity: 'hard', reason: 'The second model’s slope reaches zero at 4.2 g/L; neither was fitted that far.' },
      { of: 'covariate', id: 'aag', min: 0.5, max: 2.5, severity: 'soft', reason: 'Few people in the cohorts were outside 0.5 to 2.5 g/L.' },
    ],
  },
  era: { from: 1991, to: 2006 },
  place: 'Japan; Europe',
  notFor: [
    'Care of a patient without an oncologist.',
    'Combination chemotherapy, radiotherapy, marrow disease, growth factors (filgrastim and its kin): none is in the models.',
    'Fever, infection, other toxicities of docetaxel, and whether the tumour responds.',
    'Children, and people with severe liver disease, whose docetaxel clearance is much lower.',
  ],
  grid: { stepDays: 0.25, horizonSteps: 252, historySteps: 400, timeUnit: 'days' },
  covariates: [
    {
      kind: 'number',
      id: 'anc-baseline',
      label: 'Neutrophils before the first cycle',
      unit: '10*9/L',
      alternativeUnits: [{ unit: '/uL', factor: 0.001 }],
      codes: [{ system: 'LOINC', code: '751-8' }],
      required: true,
      help: 'The count at which this person’s marrow is at rest, before any chemotherapy of this line.',
      plausible: [0.5, 40],
      seen: [1.8, 13],
    },
    {
      kind: 'number',
      id: 'aag',
      label: 'α1-acid glycoprotein',
      unit: 'g/L',
      alternativeUnits: [{ unit: 'mg/dL', factor: 0.01 }],
      required: true,
      help: 'It binds docetaxel: more of it, fewer neutrophils lost. Where it was not measured, 0.94 is the middle of the first cohort.',
      plausible: [0.1, 6],
      seen: [0.4, 2.6],
    },
    yesNo('dexamethasone', 'Dexamethasone with each infusion', 0.95, 'It releases neutrophils into the blood for about two days.'),
    { ...sex(0.45), required: false },
    yesNo('ecog', 'ECOG performance status 1 or more', 0.6, 'Only the second model reads it.'),
    yesNo('pretreated', 'Earlier chemotherapy', 0.4, 'Only the second model reads it.'),
    { ...height({ plausible: [120, 220], seen: [140, 190] }), required: false },
    { ...weight({ plausible: [30, 200], seen: [36, 110] }), required: false, help: 'With height: for doses per m².' },
  ],
  markers: [
    {
      id: 'anc',
      label: 'Neutrophils (absolute count)',
      unit: '10*9/L',
      alternativeUnits: [{ unit: '/uL', factor: 0.001 }],
      codes: [
        { system: 'LOINC', code: '751-8' },
        { system: 'LOINC', code: '26499-4' },
      ],
      plausible: [0.005, 60],
      seen: [0.02, 25],
      staleAfterDays: 7,
      decimals: 2,
      normalRange: { low: 1.8, high: 7.5, source: 'Common adult reference range' },
      thresholds: [
        { value: 0.5, direction: 'below', label: 'grade 4: below 0.5' },
        { value: 1, direction: 'below', label: 'grade 3: below 1.0' },
      ],
    },
    {
      id: 'docetaxel-concentration',
      label: 'Docetaxel in plasma',
      unit: 'mg/L',
      alternativeUnits: [
        { unit: 'ug/L', factor: 0.001 },
        { unit: 'umol/L', factor: 0.808 },
      ],
      plausible: [0.0005, 20],
      seen: [0.003, 6],
      staleAfterDays: 7,
      decimals: 3,
    },
  ],
  signs: [],
  events: [],
  interventions: [
    {
      id: 'docetaxel',
      label: 'Docetaxel',
      shortLabel: 'Docetaxel',
      whatIfClass: 'M',
      codes: [{ system: 'ATC', code: 'L01CD02' }],
      exclusiveGroup: null,
      timing: 'any',
      evidence: {
        statement:
          'What a dose does to neutrophils follows from a published model of kinetics and marrow, fitted to people who were all treated; no dose was drawn by lot in it. What a lower dose does to the tumour is not modelled.',
        citation: ozawaCitation,
        n: 62,
      },
    },
  ],
  usualCare: { label: 'Cycles as recorded', description: 'Cycles in the record go on as entered; nothing is added.', interventions: [] },
  models: [ozawa, kloft],
  targets,
  doseGrids: [
    {
      intervention: 'docetaxel',
      route: 'iv-infusion',
      amounts: [35, 50, 60, 75, 100],
      per: 'm2',
      roundTo: 1,
      intervalHours: [168, 504, 672],
      durationHours: [1],
      startHours: [0, 168],
      loadingAmounts: [0],
      maximumDose: 250,
      benefit: 'not-modelled',
    },
  ],
  demonstrations: [
    {
      alias: 'Dora: deep nadir, good recovery',
      story:
        'A 58-year-old woman after two cycles of 75 mg/m². Counts of 0.4 and 0.5 on day 8, yet above 2 before each next cycle. Does a smaller dose spare her grade 4?',
      covariates: { 'anc-baseline': 4.2, aag: 0.9, dexamethasone: 'yes', sex: 'female', ecog: 'no', pretreated: 'no', height: 164, weight: 66 },
      courses: [
        { intervention: 'docetaxel', amount: 129, route: 'iv-infusion', durationHours: 1, startHours: -1008, everyHours: 504, count: 2 },
      ],
      observations: [
        { marker: 'anc', hours: -816, value: 0.4 },
        { marker: 'anc', hours: -720, value: 0.8 },
        { marker: 'anc', hours: -506, value: 3.1 },
        { marker: 'anc', hours: -312, value: 0.5 },
        { marker: 'anc', hours: -216, value: 1 },
        { marker: 'anc', hours: -2, value: 2.4 },
      ],
    },
    {
      alias: 'Emil: high AAG, weekly doses',
      story:
        'A 67-year-old man with an inflamed lung tumour and AAG of 1.9 g/L on 35 mg/m² a week. His counts have hardly moved. How much room is there?',
      covariates: { 'anc-baseline': 7.1, aag: 1.9, dexamethasone: 'yes', sex: 'male', ecog: 'yes', pretreated: 'yes', height: 178, weight: 74 },
      courses: [
        { intervention: 'docetaxel', amount: 67, route: 'iv-infusion', durationHours: 1, startHours: -504, everyHours: 168, count: 3 },
      ],
      observations: [
        { marker: 'anc', hours: -338, value: 6.4 },
        { marker: 'anc', hours: -170, value: 4.9 },
        { marker: 'anc', hours: -2, value: 4.3 },
      ],
    },
    {
      alias: 'Frida: before the first cycle',
      story:
        'A 71-year-old woman of 52 kg, no dose yet. What is known before the first count, and which day of the first cycle would tell most?',
      covariates: { 'anc-baseline': 3.1, aag: 0.8, dexamethasone: 'yes', sex: 'female', ecog: 'yes', pretreated: 'no', height: 158, weight: 52 },
      courses: [],
      observations: [{ marker: 'anc', hours: -24, value: 3.1 }],
    },
  ],
} satisfies Omit<EquationsManifest, 'golden' | 'card'>;

/** Semi-mechanistic chain in f32 (README of the specifications): 5e-4 relative. */
const tolerance = { relative: 5e-4, ofLargest: 1e-4 } as const;

const days = Array.from({ length: 43 }, (_, day) => 24 * day);
const common = {
  controls: [],
  initialStates: {},
  times: [0, 1, 2, 6, 12, ...days.slice(1)],
  readouts: ['neutrophils', 'docetaxel'],
  tolerance,
};

export const goldenCases: readonly GoldenRequest[] = [
  {
    ...common,
    id: 'ozawa-60-mg-per-m2',
    model: ozawa.id,
    covariates: { 'anc-baseline': 4.5, aag: 0.94, dexamethasone: 'yes' },
    effects: {},
    doses: everyDose('DOC', { every: 504, count: 2, amount: 96, duration: 1 }),
  },
  {
    ...common,
    id: 'ozawa-high-aag-no-dexamethasone',
    model: ozawa.id,
    covariates: { 'anc-baseline': 3.2, aag: 1.6, dexamethasone: 'no' },
    effects: {},
    doses: everyDose('DOC', { every: 504, count: 2, amount: 170, duration: 1 }),
  },
  {
    ...common,
    id: 'ozawa-weekly-sensitive',
    model: ozawa.id,
    covariates: { 'anc-baseline': 4.5, aag: 0.94, dexamethasone: 'yes' },
    effects: { etaSLOPE: 0.5, etaMTT: 0.08 },
    doses: everyDose('DOC', { every: 168, count: 6, amount: 56, duration: 1 }),
  },
  {
    ...common,
    id: 'kloft-100-mg-per-m2',
    model: kloft.id,
    covariates: { sex: 'female', ecog: 'yes', pretreated: 'no', aag: 1.5 },
    effects: { etaANC0: 0.1, etaSLOPE: -0.2 },
    doses: everyDose('DOC', { every: 504, count: 2, amount: 170, duration: 1 }),
  },
];
