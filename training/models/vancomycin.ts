import type { Constant, Definition, EquationsModel, Formula } from '#packs/equations/model.ts';
import type { EquationsManifest, Target } from '#packs/manifest.ts';
import { age, closedFormTolerance, everyDose, sex, weight, type GoldenRequest } from './people.ts';

const consensus =
  'Rybak MJ et al. Therapeutic monitoring of vancomycin for serious methicillin-resistant Staphylococcus aureus infections: a revised consensus guideline. Am J Health Syst Pharm 2020;77:835–64';

const cockcroftConstants: readonly Constant[] = [
  { symbol: 'womenCrCL', value: 0.85, unit: '1', label: 'Creatinine clearance of women, share of men’s', source: 'Cockcroft & Gault, Nephron 1976;16:31–41' },
];

/** Cockcroft–Gault with total body weight, from a creatinine symbol. */
const cockcroftGault = (creatinine: string): Formula =>
  `unit((140 - in(AGE, 'a')) * in(WT, 'kg') / (72 * in(${creatinine}, 'mg/dL')), 'mL/min') * if(SEX == 'female', womenCrCL, 1)`;

const readouts: readonly Definition[] = [
  { symbol: 'concentration', unit: 'mg/L', formula: 'A1 / V1', label: 'Vancomycin in serum' },
  { symbol: 'exposure', unit: 'mg.h/L', formula: 'AUC', label: 'Accumulated area under the curve' },
];

const input = {
  symbol: 'VANC',
  intervention: 'vancomycin',
  label: 'Vancomycin, infused',
  unit: 'mg',
  routes: ['iv-infusion'],
  into: 'A1',
} as const;

/** ω² of a log-normal effect whose coefficient of variation is published. */
const fromCv = (cv: number): number => Math.log1p(cv * cv);

const goti: EquationsModel = {
  id: 'goti-2018',
  title: 'Goti 2018: hospital patients with and without haemodialysis',
  citation:
    'Goti V, Chaturvedula A, Fossler MJ, Mok S, Jacob JT. Hospitalized patients with and without hemodialysis have markedly different vancomycin pharmacokinetics. Ther Drug Monit 2018;40:212–21',
  time: 'h',
  timeZero: 'first-event',
  covariates: { AGE: 'age', SEX: 'sex', WT: 'weight', SCR: 'creatinine', DIAL: 'haemodialysis' },
  constants: [
    { symbol: 'CLpop', value: 4.5, unit: 'L/h', label: 'Clearance at a creatinine clearance of 120 mL/min' },
    { symbol: 'CLexponent', value: 0.8, unit: '1', label: 'Exponent of creatinine clearance on clearance' },
    { symbol: 'CRCLref', value: 120, unit: 'mL/min', label: 'Reference creatinine clearance' },
    { symbol: 'CRCLmax', value: 150, unit: 'mL/min', label: 'Creatinine clearance is capped here' },
    { symbol: 'oldAge', value: 60, unit: 'a', label: 'Above this age low creatinine is raised' },
    { symbol: 'SCRfloor', value: 1, unit: 'mg/dL', label: 'Creatinine of older people counts as at least this' },
    { symbol: 'dialysisCL', value: 0.7, unit: '1', label: 'Clearance with intermittent haemodialysis, share' },
    { symbol: 'dialysisV1', value: 0.5, unit: '1', label: 'Central volume with intermittent haemodialysis, share' },
    { symbol: 'WTref', value: 70, unit: 'kg', label: 'Reference weight' },
    { symbol: 'V1pop', value: 58.4, unit: 'L', label: 'Central volume at 70 kg' },
    { symbol: 'V2pop', value: 38.4, unit: 'L', label: 'Peripheral volume at 70 kg' },
    { symbol: 'Qpop', value: 6.5, unit: 'L/h', label: 'Flow between the compartments' },
    ...cockcroftConstants,
  ],
  effects: [
    { symbol: 'etaCL', variance: fromCv(0.398), label: 'Clearance, log scale (CV 39.8 %)', per: 'person' },
    { symbol: 'etaV1', variance: fromCv(0.816), label: 'Central volume, log scale (CV 81.6 %)', per: 'person' },
    { symbol: 'etaV2', variance: fromCv(0.571), label: 'Peripheral volume, log scale (CV 57.1 %)', per: 'person' },
  ],
  parameters: [
    { symbol: 'SCRused', unit: 'mg/dL', formula: 'if(AGE > oldAge, max(SCR, SCRfloor), SCR)', label: 'Creatinine as the model takes it' },
    { symbol: 'CRCL', unit: 'mL/min', formula: `min(${cockcroftGault('SCRused')}, CRCLmax)`, label: 'Creatinine clearance (Cockcroft–Gault)' },
    {
      symbol: 'CL',
      unit: 'L/h',
      formula: "CLpop * (CRCL / CRCLref)^CLexponent * if(DIAL == 'yes', dialysisCL, 1) * exp(etaCL)",
      label: 'Clearance',
    },
    { symbol: 'V1', unit: 'L', formula: "V1pop * (WT / WTref) * if(DIAL == 'yes', dialysisV1, 1) * exp(etaV1)", label: 'Central volume' },
    { symbol: 'Q', unit: 'L/h', formula: 'Qpop', label: 'Flow between the compartments' },
    { symbol: 'V2', unit: 'L', formula: 'V2pop * (WT / WTref) * exp(etaV2)', label: 'Peripheral volume' },
  ],
  compartments: {
    amountUnit: 'mg',
    central: 'A1',
    clearance: 'CL',
    volume: 'V1',
    peripherals: [{ symbol: 'A2', flow: 'Q', volume: 'V2' }],
    exposure: 'AUC',
  },
  inputs: [input],
  readouts,
  observations: [{ marker: 'vancomycin', readout: 'concentration', error: { kind: 'combined', sd: 3.4, fraction: 0.227 } }],
  stepper: { kind: 'closed-form' },
};

const thomson: EquationsModel = {
  id: 'thomson-2009',
  title: 'Thomson 2009: hospital patients',
  onlyWhere: { covariate: 'haemodialysis', values: ['no'] },
  citation:
    'Thomson AH, Staatz CE, Tobin CM, Gall M, Lovering AM. Development and evaluation of vancomycin dosage guidelines designed to achieve new target concentrations. J Antimicrob Chemother 2009;63:1050–7',
  time: 'h',
  timeZero: 'first-event',
  covariates: { AGE: 'age', SEX: 'sex', WT: 'weight', SCR: 'creatinine' },
  constants: [
    { symbol: 'CLpop', value: 2.99, unit: 'L/h', label: 'Clearance at a creatinine clearance of 66 mL/min' },
    { symbol: 'CRCLref', value: 66, unit: 'mL/min', label: 'Reference creatinine clearance' },
    { symbol: 'CLslope', value: 0.0154, unit: 'min/mL', label: 'Relative rise of clearance per mL/min of creatinine clearance' },
    { symbol: 'V1perKg', value: 0.675, unit: 'L/kg', label: 'Central volume per kg' },
    { symbol: 'V2perKg', value: 0.732, unit: 'L/kg', label: 'Peripheral volume per kg' },
    { symbol: 'Qpop', value: 2.28, unit: 'L/h', label: 'Flow between the compartments' },
    ...cockcroftConstants,
  ],
  effects: [
    { symbol: 'etaCL', variance: 0.27 ** 2, label: 'Clearance, log scale (sd 0.27)', per: 'person' },
    { symbol: 'etaV1', variance: 0.15 ** 2, label: 'Central volume, log scale (sd 0.15)', per: 'person' },
    { symbol: 'etaV2', variance: 1.3 ** 2, label: 'Peripheral volume, log scale (sd 1.3)', per: 'person' },
    { symbol: 'etaQ', variance: 0.49 ** 2, label: 'Flow between the compartments, log scale (sd 0.49)', per: 'person' },
  ],
  parameters: [
    { symbol: 'CRCL', unit: 'mL/min', formula: cockcroftGault('SCR'), label: 'Creatinine clearance (Cockcroft–Gault)' },
    { symbol: 'CL', unit: 'L/h', formula: 'CLpop * (1 + CLslope * (CRCL - CRCLref)) * exp(etaCL)', label: 'Clearance' },
    { symbol: 'V1', unit: 'L', formula: 'V1perKg * WT * exp(etaV1)', label: 'Central volume' },
    { symbol: 'Q', unit: 'L/h', formula: 'Qpop * exp(etaQ)', label: 'Flow between the compartments' },
    { symbol: 'V2', unit: 'L', formula: 'V2perKg * WT * exp(etaV2)', label: 'Peripheral volume' },
  ],
  compartments: {
    amountUnit: 'mg',
    central: 'A1',
    clearance: 'CL',
    volume: 'V1',
    peripherals: [{ symbol: 'A2', flow: 'Q', volume: 'V2' }],
    exposure: 'AUC',
  },
  inputs: [input],
  readouts,
  observations: [{ marker: 'vancomycin', readout: 'concentration', error: { kind: 'combined', sd: 1.6, fraction: 0.15 } }],
  stepper: { kind: 'closed-form' },
};

const buelgaVariance = { CL: 0.07631, V1: 0.1293, covariance: 0.02296 };

const buelga: EquationsModel = {
  id: 'buelga-2005',
  title: 'Buelga 2005: haematological malignancy',
  onlyWhere: { covariate: 'haemodialysis', values: ['no'] },
  citation:
    'Buelga DS, Fernandez de Gatta MM, Herrera EV, Dominguez-Gil A, Garcia MJ. Population pharmacokinetic analysis of vancomycin in patients with hematological malignancies. Antimicrob Agents Chemother 2005;49:4934–41',
  time: 'h',
  timeZero: 'first-event',
  covariates: { AGE: 'age', SEX: 'sex', WT: 'weight', SCR: 'creatinine' },
  constants: [
    { symbol: 'CLratio', value: 1.08, unit: '1', label: 'Vancomycin clearance over creatinine clearance' },
    { symbol: 'V1perKg', value: 0.98, unit: 'L/kg', label: 'Volume per kg' },
    ...cockcroftConstants,
  ],
  effects: [
    { symbol: 'etaCL', variance: buelgaVariance.CL, label: 'Clearance, log scale (CV 28.2 %)', per: 'person' },
    { symbol: 'etaV1', variance: buelgaVariance.V1, label: 'Volume, log scale (CV 37.2 %)', per: 'person' },
  ],
  correlations: [
    { between: ['etaCL', 'etaV1'], value: buelgaVariance.covariance / Math.sqrt(buelgaVariance.CL * buelgaVariance.V1) },
  ],
  parameters: [
    { symbol: 'CRCL', unit: 'mL/min', formula: cockcroftGault('SCR'), label: 'Creatinine clearance (Cockcroft–Gault)' },
    { symbol: 'CL', unit: 'L/h', formula: 'CLratio * CRCL * exp(etaCL)', label: 'Clearance' },
    { symbol: 'V1', unit: 'L', formula: 'V1perKg * WT * exp(etaV1)', label: 'Volume' },
  ],
  compartments: { amountUnit: 'mg', central: 'A1', clearance: 'CL', volume: 'V1', peripherals: [], exposure: 'AUC' },
  inputs: [input],
  readouts,
  observations: [{ marker: 'vancomycin', readout: 'concentration', error: { kind: 'additive', sd: 3.52 } }],
  stepper: { kind: 'closed-form' },
};

const targets: readonly Target[] = [
  {
    id: 'auc24-second-day',
    label: 'AUC over hours 24 to 48 from now, 400–600 mg·h/L',
    intent: 'reach',
    measure: { readout: 'exposure', statistic: 'increase', window: { kind: 'days', from: 1, to: 2 } },
    low: 400,
    high: 600,
    unit: 'mg.h/L',
    citation: `${consensus}. For a minimum inhibitory concentration of 1 mg/L.`,
  },
  {
    id: 'auc24-last-day',
    label: 'AUC over the last 24 hours of the forecast, 400–600 mg·h/L',
    intent: 'reach',
    measure: { readout: 'exposure', statistic: 'increase', window: { kind: 'last-days', days: 1 } },
    low: 400,
    high: 600,
    unit: 'mg.h/L',
    citation: `${consensus}. For a minimum inhibitory concentration of 1 mg/L.`,
  },
  {
    id: 'auc24-high-first-day',
    label: 'AUC over the first 24 hours above 650 mg·h/L',
    intent: 'avoid',
    measure: { readout: 'exposure', statistic: 'increase', window: { kind: 'days', from: 0, to: 1 } },
    low: 650,
    unit: 'mg.h/L',
    citation: `${consensus}. Kidney injury is more frequent above 600–650; an association in observed patients, not a trial.`,
  },
  {
    id: 'auc24-high-last-day',
    label: 'AUC over the last 24 hours of the forecast above 600 mg·h/L',
    intent: 'avoid',
    measure: { readout: 'exposure', statistic: 'increase', window: { kind: 'last-days', days: 1 } },
    low: 600,
    unit: 'mg.h/L',
    citation: `${consensus}. Kidney injury is more frequent above 600–650; an association in observed patients, not a trial.`,
  },
  {
    id: 'trough-high',
    label: 'Trough above 20 mg/L',
    intent: 'avoid',
    measure: { readout: 'concentration', statistic: 'at-end', window: { kind: 'last-interval' } },
    low: 20,
    unit: 'mg/L',
    citation:
      'van Hal SJ, Paterson DL, Lodise TP. Systematic review and meta-analysis of vancomycin-induced nephrotoxicity associated with dosing schedules that maintain troughs between 15 and 20 milligrams per liter. Antimicrob Agents Chemother 2013;57:734–44. An association.',
  },
];

export const manifest = {
  format: 'counterpart-pack/1',
  kind: 'equations',
  id: 'vancomycin',
  version: '1.0.0',
  title: 'Vancomycin: concentration and AUC',
  summary:
    'Vancomycin concentrations of adults from three published population models, averaged by how well each explains this person’s levels; which dose gives AUC 400–600 with what probability.',
  licence: 'Apache-2.0',
  authors: ['Counterpart developers'],
  sources: [
    { role: 'model', citation: goti.citation, licence: 'Published equations and estimates', n: 1812 },
    { role: 'model', citation: thomson.citation, licence: 'Published equations and estimates', n: 398 },
    { role: 'model', citation: buelga.citation, licence: 'Published equations and estimates', n: 215 },
    {
      role: 'method',
      citation:
        'Uster DW et al. A model averaging/selection approach improves the predictive performance of model-informed precision dosing: vancomycin as a case study. Clin Pharmacol Ther 2021;109:175–83',
      licence: 'Published method',
    },
    { role: 'method', citation: consensus, licence: 'Published guideline' },
  ],
  population: {
    description:
      'Adults in hospital: general wards and intensive care with and without intermittent haemodialysis in Atlanta (1,812), hospital patients in the United Kingdom (398), patients with haematological malignancy outside intensive care in Salamanca (215).',
    criteria: [
      { of: 'covariate', id: 'age', min: 16, max: 101, severity: 'hard', reason: 'The models saw people from 15 or 17 to 101 years; children are outside.' },
      { of: 'covariate', id: 'age', min: 18, max: 95, severity: 'soft', reason: 'Few people in the cohorts were younger than 18 or older than 95.' },
      { of: 'covariate', id: 'weight', min: 33, max: 255, severity: 'hard', reason: 'The largest cohort weighed 33 to 255 kg.' },
      {
        of: 'covariate',
        id: 'weight',
        min: 40,
        max: 140,
        severity: 'soft',
        reason: 'Volumes grow in proportion to total weight in all three models, which overstates them in severe obesity.',
      },
      {
        of: 'covariate',
        id: 'creatinine',
        min: 0.2,
        max: 10,
        severity: 'hard',
        reason: 'Beyond these values the clearance formulas were not fitted; Thomson’s line would cross zero.',
      },
      {
        of: 'covariate',
        id: 'creatinine',
        min: 0.4,
        max: 4,
        severity: 'soft',
        reason: 'Creatinine clearance from so low or so high a creatinine says little about the kidney; above 4 mg/dL dialysis is often near.',
      },
    ],
  },
  era: { from: 1989, to: 2012 },
  place: 'Atlanta, United States; Glasgow and Bristol, United Kingdom; Salamanca, Spain',
  notFor: [
    'Care of a patient without a clinician who checks dose, kidney function and infection.',
    'Children, pregnancy, burns, continuous renal replacement, extracorporeal circulation, peritoneal dialysis.',
    'Oral or intrathecal vancomycin, continuous infusion beyond a few hours.',
    'Timing of doses around a haemodialysis session: removal during the session is an average, not a schedule.',
    'Predicting cure or kidney injury: only concentrations are modelled.',
  ],
  grid: { stepDays: 1 / 48, horizonSteps: 240, historySteps: 400, timeUnit: 'hours' },
  covariates: [
    age({ plausible: [16, 110], seen: [17, 101] }),
    sex(0.46),
    weight({ plausible: [25, 300], seen: [33, 255] }),
    {
      kind: 'number',
      id: 'creatinine',
      label: 'Creatinine in serum',
      unit: 'mg/dL',
      alternativeUnits: [{ unit: 'umol/L', factor: 0.0113122 }],
      codes: [
        { system: 'LOINC', code: '2160-0' },
        { system: 'LOINC', code: '14682-9' },
      ],
      required: true,
      varies: true,
      help: 'Each value holds until the next. Kidney function that is changing fast is ahead of its creatinine.',
      plausible: [0.1, 20],
      seen: [0.4, 8],
    },
    {
      kind: 'category',
      id: 'haemodialysis',
      label: 'Intermittent haemodialysis',
      required: true,
      help: 'With it only Goti’s model is used: the other two were not made for people on haemodialysis.',
      categories: [
        { value: 'no', label: 'no', share: 0.815 },
        { value: 'yes', label: 'yes', share: 0.185 },
      ],
    },
  ],
  markers: [
    {
      id: 'vancomycin',
      label: 'Vancomycin in serum',
      unit: 'mg/L',
      alternativeUnits: [
        { unit: 'ug/mL', factor: 1 },
        { unit: 'umol/L', factor: 1.44925 },
      ],
      codes: [
        { system: 'LOINC', code: '20578-1' },
        { system: 'LOINC', code: '4092-3' },
        { system: 'LOINC', code: '4090-7' },
      ],
      plausible: [0.5, 120],
      seen: [2, 60],
      staleAfterDays: 3,
      decimals: 1,
      thresholds: [{ value: 20, direction: 'above', label: 'trough above 20 mg/L' }],
    },
  ],
  signs: [],
  events: [],
  interventions: [
    {
      id: 'vancomycin',
      label: 'Vancomycin',
      shortLabel: 'Vancomycin',
      whatIfClass: 'M',
      codes: [{ system: 'ATC', code: 'J01XA01' }],
      exclusiveGroup: null,
      timing: 'any',
      evidence: {
        statement:
          'What a dose does to the concentration follows from mass balance and published population estimates; that AUC 400–600 cures more and harms less is a consensus from observed patients.',
        citation: consensus,
      },
    },
  ],
  usualCare: { label: 'Doses as recorded', description: 'The doses in the record go on as entered; nothing is added.', interventions: [] },
  models: [goti, thomson, buelga],
  targets,
  doseGrids: [
    {
      intervention: 'vancomycin',
      route: 'iv-infusion',
      amounts: [500, 750, 1000, 1250, 1500, 1750, 2000],
      per: 'dose',
      roundTo: 250,
      intervalHours: [8, 12, 24],
      durationHours: [1, 1.5, 2],
      startHours: [0, 12, 24],
      loadingAmounts: [0, 20, 25, 30],
      loadingPer: 'kg',
      loadingDurationHours: 2,
      maximumDose: 3000,
    },
  ],
  demonstrations: [
    {
      alias: 'Adam: one level',
      story:
        'A 57-year-old man of 79 kg on 1 g every 12 hours. The level before the fifth dose is 17.8 mg/L: a trough many wards would accept. If nothing changes, the chance that the AUC exceeds 600 is about even.',
      covariates: { age: 57, sex: 'male', weight: 79, creatinine: 1, haemodialysis: 'no' },
      courses: [
        { intervention: 'vancomycin', amount: 1000, route: 'iv-infusion', durationHours: 1.5, startHours: -48, everyHours: 12 },
      ],
      observations: [{ marker: 'vancomycin', hours: -0.5, value: 17.8 }],
    },
    {
      alias: 'Berta: falling kidney function',
      story:
        'A 68-year-old woman whose creatinine rises from 0.8 to 1.9 mg/dL in three days on an unchanged dose. The first level was fine. The surprise is how high the next ones will be if nothing changes.',
      covariates: { age: 68, sex: 'female', weight: 71, creatinine: 0.8, haemodialysis: 'no' },
      courses: [
        { intervention: 'vancomycin', amount: 1000, route: 'iv-infusion', durationHours: 1, startHours: -60, everyHours: 12 },
      ],
      observations: [
        { marker: 'creatinine', hours: -60, value: 0.8 },
        { marker: 'creatinine', hours: -36, value: 1.1 },
        { marker: 'vancomycin', hours: -24.5, value: 14.2 },
        { marker: 'creatinine', hours: -14, value: 1.5 },
        { marker: 'creatinine', hours: -2, value: 1.9 },
        { marker: 'vancomycin', hours: -1, value: 27.5 },
      ],
    },
    {
      alias: 'Carl: leukaemia, clearance high',
      story:
        'A 34-year-old man with acute leukaemia, 64 kg, creatinine 0.6 mg/dL. 1 g every 12 hours leaves 5.1 mg/L at the trough: half of the AUC that is meant. The model that caps creatinine clearance at 150 loses weight.',
      covariates: { age: 34, sex: 'male', weight: 64, creatinine: 0.6, haemodialysis: 'no' },
      courses: [
        { intervention: 'vancomycin', amount: 1000, route: 'iv-infusion', durationHours: 1, startHours: -36, everyHours: 12 },
      ],
      observations: [
        { marker: 'vancomycin', hours: -10, value: 17.6 },
        { marker: 'vancomycin', hours: -0.5, value: 5.1 },
      ],
    },
  ],
} satisfies Omit<EquationsManifest, 'golden' | 'card'>;

const typical = { age: 57, sex: 'male', weight: 79, creatinine: 1, haemodialysis: 'no' };
/** Those a model does not read are left out: a case names what it needs. */
const withoutDialysis = { age: 57, sex: 'male', weight: 79, creatinine: 1 };
const hours = [0, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 11.9, 12, 24, 36, 48, 60, 72];
const common = {
  controls: [],
  initialStates: {},
  times: hours,
  readouts: ['concentration', 'exposure'],
  tolerance: closedFormTolerance,
};
const gram = (duration: number) => everyDose('VANC', { every: 12, count: 6, amount: 1000, duration });

export const goldenCases: readonly GoldenRequest[] = [
  { ...common, id: 'van-01', model: goti.id, covariates: typical, effects: {}, doses: gram(1.5) },
  {
    ...common,
    id: 'van-02',
    model: goti.id,
    covariates: { age: 72, sex: 'female', weight: 64, creatinine: 0.7, haemodialysis: 'no' },
    effects: {},
    doses: [
      { input: 'VANC', time: 0, amount: 1500, duration: 2 },
      { input: 'VANC', time: 24, amount: 750, duration: 1 },
      { input: 'VANC', time: 48, amount: 750, duration: 1 },
    ],
  },
  {
    ...common,
    id: 'van-03',
    model: goti.id,
    covariates: { age: 60, sex: 'female', weight: 70, creatinine: 6, haemodialysis: 'yes' },
    effects: {},
    doses: [{ input: 'VANC', time: 0, amount: 1500, duration: 2 }],
  },
  { ...common, id: 'van-04', model: buelga.id, covariates: withoutDialysis, effects: {}, doses: gram(1) },
  { ...common, id: 'van-05', model: thomson.id, covariates: withoutDialysis, effects: {}, doses: gram(1.5) },
  {
    ...common,
    id: 'van-06',
    model: goti.id,
    covariates: { age: 45, sex: 'male', weight: 110, creatinine: 2.4, haemodialysis: 'no' },
    effects: { etaCL: -0.3, etaV1: 0.25, etaV2: 0.4 },
    doses: [
      { input: 'VANC', time: 0, amount: 2000, duration: 2 },
      { input: 'VANC', time: 24, amount: 1000, duration: 1 },
    ],
  },
];
