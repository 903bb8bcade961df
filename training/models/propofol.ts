import type { EquationsModel, Formula } from '#packs/equations/model.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { age, closedFormTolerance, height, sex, weight, type GoldenRequest } from './people.ts';

const bisRange =
  'Lewis SR et al. Bispectral index for improving intraoperative awareness and early postoperative recovery in adults. Cochrane Database Syst Rev 2019;9:CD003843';

/** Fat-free mass in kg (Al-Sallami) from formulas for age in years, weight in kg and body mass index in kg/m². */
const maleMass = (years: Formula, kg: Formula, bmi: Formula): Formula =>
  `(0.88 + 0.12 / (1 + (${years} / 13.4)^-12.7)) * 9270 * ${kg} / (6680 + 216 * ${bmi})`;
const femaleMass = (years: Formula, kg: Formula, bmi: Formula): Formula =>
  `(1.11 - 0.11 / (1 + (${years} / 7.1)^-1.1)) * 9270 * ${kg} / (8780 + 244 * ${bmi})`;

const maturation = (age: Formula): Formula => `1 / (1 + (CLmatHalf / ${age})^CLmatSlope)`;
const q3Maturation = (age: Formula): Formula => `${age} / (${age} + Q3matHalf)`;

const eleveld: EquationsModel = {
  id: 'eleveld-2018',
  title: 'Eleveld 2018: newborn to 88 years, arterial samples',
  citation:
    'Eleveld DJ, Colin P, Absalom AR, Struys MMRF. Pharmacokinetic-pharmacodynamic model for propofol for broad application in anaesthesia and sedation. Br J Anaesth 2018;120:942–59',
  time: 'min',
  timeZero: 'first-event',
  covariates: { AGE: 'age', SEX: 'sex', WT: 'weight', HT: 'height', OPIOID: 'opioids' },
  constants: [
    { symbol: 'V1ref', value: Math.exp(1.83786), unit: 'L', label: 'Central volume, reference man' },
    { symbol: 'V2ref', value: Math.exp(3.23873), unit: 'L', label: 'Fast peripheral volume, reference man' },
    { symbol: 'V3ref', value: Math.exp(5.6088), unit: 'L', label: 'Slow peripheral volume, reference man' },
    { symbol: 'CLmen', value: Math.exp(0.581983), unit: 'L/min', label: 'Clearance, reference man' },
    { symbol: 'CLwomen', value: Math.exp(0.742043), unit: 'L/min', label: 'Clearance, reference woman' },
    { symbol: 'Q2ref', value: Math.exp(0.559672), unit: 'L/min', label: 'Flow to the fast compartment, reference man' },
    { symbol: 'Q3ref', value: Math.exp(0.103046), unit: 'L/min', label: 'Flow to the slow compartment, reference man' },
    { symbol: 'CLmatHalf', value: Math.exp(3.74422), unit: 'wk', label: 'Postmenstrual age at half of adult clearance' },
    { symbol: 'CLmatSlope', value: Math.exp(2.2033), unit: '1', label: 'Steepness of the maturation of clearance' },
    { symbol: 'V1half', value: Math.exp(3.51313), unit: 'kg', label: 'Weight at half of the largest central volume' },
    { symbol: 'Q3matHalf', value: Math.exp(4.22357), unit: 'wk', label: 'Postmenstrual age at half of the adult slow flow' },
    { symbol: 'Q2child', value: Math.exp(0.265642), unit: '1', label: 'Rise of the fast flow in children' },
    { symbol: 'V2age', value: 0.015633, unit: 'a-1', label: 'Fall of the fast volume with age' },
    { symbol: 'V3opioids', value: 0.0138166, unit: 'a-1', label: 'Fall of the slow volume with age under opioids' },
    { symbol: 'CLopioids', value: 0.00285709, unit: 'a-1', label: 'Fall of clearance with age under opioids' },
    { symbol: 'WTref', value: 70, unit: 'kg', label: 'Reference weight' },
    { symbol: 'AGEref', value: 35, unit: 'a', label: 'Reference age' },
    { symbol: 'PMAref', value: 1860, unit: 'wk', label: 'Postmenstrual age at the reference age' },
    { symbol: 'BMIref', value: 70 / 1.7 ** 2, unit: 'kg/m2', label: 'Body mass index of the reference man (70 kg, 170 cm)' },
    { symbol: 'ke0ref', value: 0.146, unit: 'min-1', label: 'Rate between arterial blood and effect site at 70 kg' },
    { symbol: 'Ce50ref', value: 3.08, unit: 'ug/mL', label: 'Effect-site concentration of half effect at 35 years' },
    { symbol: 'Ce50age', value: 0.00635, unit: 'a-1', label: 'Fall of that concentration with age' },
    { symbol: 'BIS0', value: 93, unit: '1', label: 'Bispectral index awake' },
    { symbol: 'gammaLow', value: 1.89, unit: '1', label: 'Steepness below the concentration of half effect' },
    { symbol: 'gammaHigh', value: 1.47, unit: '1', label: 'Steepness above the concentration of half effect' },
  ],
  effects: [
    { symbol: 'etaV1', variance: 0.61, label: 'Central volume, log scale', per: 'person' },
    { symbol: 'etaV2', variance: 0.565, label: 'Fast peripheral volume, log scale', per: 'person' },
    { symbol: 'etaV3', variance: 0.597, label: 'Slow peripheral volume, log scale', per: 'person' },
    { symbol: 'etaCL', variance: 0.265, label: 'Clearance, log scale', per: 'person' },
    { symbol: 'etaQ2', variance: 0.346, label: 'Fast flow, log scale', per: 'person' },
    { symbol: 'etaQ3', variance: 0.209, label: 'Slow flow, log scale', per: 'person' },
    { symbol: 'etaKe0', variance: 0.702, label: 'Effect-site rate, log scale', per: 'person' },
    { symbol: 'etaCe50', variance: 0.242, label: 'Concentration of half effect, log scale', per: 'person' },
  ],
  parameters: [
    { symbol: 'PMA', unit: 'wk', formula: "unit(52 * in(AGE, 'a') + 40, 'wk')", label: 'Postmenstrual age of someone born at term' },
    { symbol: 'BMI', unit: 'kg/m2', formula: 'WT / HT^2', label: 'Body mass index' },
    {
      symbol: 'FFM',
      unit: 'kg',
      formula: `unit(if(SEX == 'female', ${femaleMass("in(AGE, 'a')", "in(WT, 'kg')", "in(BMI, 'kg/m2')")}, ${maleMass("in(AGE, 'a')", "in(WT, 'kg')", "in(BMI, 'kg/m2')")}), 'kg')`,
      label: 'Fat-free mass (Al-Sallami)',
    },
    {
      symbol: 'FFMref',
      unit: 'kg',
      formula: `unit(${maleMass("in(AGEref, 'a')", "in(WTref, 'kg')", "in(BMIref, 'kg/m2')")}, 'kg')`,
      label: 'Fat-free mass of the reference man',
    },
    {
      symbol: 'V1',
      unit: 'L',
      formula: 'V1ref * (WT / (WT + V1half)) / (WTref / (WTref + V1half)) * exp(etaV1)',
      label: 'Central volume',
    },
    {
      symbol: 'V2',
      unit: 'L',
      formula: 'V2ref * (WT / WTref) * exp(-V2age * (AGE - AGEref)) * exp(etaV2)',
      label: 'Fast peripheral volume',
    },
    {
      symbol: 'V3',
      unit: 'L',
      formula: "V3ref * (FFM / FFMref) * if(OPIOID == 'yes', exp(-V3opioids * AGE), 1) * exp(etaV3)",
      label: 'Slow peripheral volume',
    },
    {
      symbol: 'CL',
      unit: 'L/min',
      formula: `if(SEX == 'female', CLwomen, CLmen) * (WT / WTref)^0.75 * (${maturation('PMA')}) / (${maturation('PMAref')}) * if(OPIOID == 'yes', exp(-CLopioids * AGE), 1) * exp(etaCL)`,
      label: 'Clearance',
    },
    {
      symbol: 'Q2',
      unit: 'L/min',
      formula: `Q2ref * (V2 / V2ref)^0.75 * (1 + Q2child * (1 - ${q3Maturation('PMA')})) * exp(etaQ2)`,
      label: 'Fast flow; the volume in it is the person’s own',
    },
    {
      symbol: 'Q3',
      unit: 'L/min',
      formula: `Q3ref * (V3 / V3ref)^0.75 * (${q3Maturation('PMA')}) / (${q3Maturation('PMAref')}) * exp(etaQ3)`,
      label: 'Slow flow; the volume in it is the person’s own',
    },
    { symbol: 'ke0', unit: 'min-1', formula: 'ke0ref * (WT / WTref)^-0.25 * exp(etaKe0)', label: 'Effect-site rate' },
    {
      symbol: 'Ce50',
      unit: 'ug/mL',
      formula: 'Ce50ref * exp(-Ce50age * (AGE - AGEref)) * exp(etaCe50)',
      label: 'Effect-site concentration of half effect',
    },
  ],
  compartments: {
    amountUnit: 'mg',
    central: 'A1',
    clearance: 'CL',
    volume: 'V1',
    peripherals: [
      { symbol: 'A2', flow: 'Q2', volume: 'V2' },
      { symbol: 'A3', flow: 'Q3', volume: 'V3' },
    ],
    effectSite: { symbol: 'Ce', rate: 'ke0' },
    exposure: 'AUC',
  },
  algebra: [
    // Rounding of the closed form may leave the effect site a hair below zero, where a power is no number.
    { symbol: 'strength', unit: '1', formula: 'max(Ce / Ce50, 0)', label: 'Effect-site concentration over that of half effect' },
  ],
  inputs: [
    {
      symbol: 'PROP',
      intervention: 'propofol',
      label: 'Propofol, bolus or infusion',
      unit: 'mg',
      routes: ['iv-bolus', 'iv-infusion'],
      into: 'A1',
    },
  ],
  readouts: [
    { symbol: 'concentration', unit: 'ug/mL', formula: 'A1 / V1', label: 'Propofol in arterial blood' },
    { symbol: 'effectSite', unit: 'ug/mL', formula: 'Ce', label: 'Propofol at the effect site' },
    {
      symbol: 'bis',
      unit: '1',
      formula: 'BIS0 / (1 + strength^if(strength <= 1, gammaLow, gammaHigh))',
      label: 'Bispectral index, without the monitor’s delay',
    },
    { symbol: 'exposure', unit: 'ug.min/mL', formula: 'AUC', label: 'Accumulated area under the curve' },
  ],
  observations: [
    { marker: 'propofol', readout: 'concentration', error: { kind: 'log', sd: 0.191 } },
    { marker: 'bis', readout: 'bis', error: { kind: 'additive', sd: 8.03 } },
  ],
  stepper: { kind: 'closed-form' },
};

const minute = 1 / 1440;

/** An infusion that began a minute after the bolus and goes on: mg in every five minutes, so that a plan can stop it. */
const infusion = (amount: number, bolusHours: number): EquationsManifest['demonstrations'][number]['courses'] => [
  {
    intervention: 'propofol',
    amount,
    route: 'iv-infusion',
    durationHours: 1 / 12,
    startHours: bolusHours + 1 / 60,
    everyHours: 1 / 12,
  },
];

export const manifest = {
  format: 'counterpart-pack/1',
  kind: 'equations',
  id: 'propofol',
  version: '1.0.0',
  title: 'Propofol: concentration and bispectral index',
  summary:
    'Propofol in blood and at the effect site and the bispectral index, from newborn to 88 years: what a bolus and an infusion do, minute by minute. For teaching.',
  licence: 'Apache-2.0',
  authors: ['Counterpart developers'],
  sources: [
    { role: 'model', citation: eleveld.citation, licence: 'Published equations and estimates', n: 1033 },
    { role: 'method', citation: bisRange, licence: 'Published review' },
  ],
  population: {
    description:
      'Volunteers and patients of 30 studies, from preterm newborns to 88 years and 0.68 to 160 kg; the bispectral index was recorded in 122 of them, adults in five studies.',
    criteria: [
      { of: 'covariate', id: 'age', max: 100, severity: 'hard', reason: 'Nobody older than 88 years was seen.' },
      {
        of: 'covariate',
        id: 'age',
        min: 18,
        max: 88,
        severity: 'soft',
        reason: 'Concentrations were seen from birth to 88 years; the bispectral index means little in young children.',
      },
      { of: 'covariate', id: 'weight', min: 0.68, max: 160, severity: 'hard', reason: 'The studies’ people weighed 0.68 to 160 kg.' },
      { of: 'covariate', id: 'weight', min: 2.5, severity: 'soft', reason: 'Born early: this pack counts everyone as born at term.' },
    ],
  },
  era: { from: 1988, to: 2018 },
  place: '30 published studies, Europe, North America and others',
  notFor: [
    'Giving an anaesthetic. This pack is for teaching; no pump may be driven from it.',
    'Sedation in intensive care over days, liver failure, extracorporeal circulation, shock.',
    'Venous samples: the model here is of arterial blood.',
    'Breathing, blood pressure, awareness or recovery: only concentration and bispectral index are modelled.',
  ],
  grid: { stepDays: minute, horizonSteps: 180, historySteps: 400, timeUnit: 'minutes' },
  covariates: [
    age({ plausible: [0, 110], seen: [0, 88] }),
    sex(0.35),
    weight({ plausible: [0.5, 250], seen: [0.68, 160] }),
    height({ plausible: [30, 220], seen: [33, 200] }),
    {
      kind: 'category',
      id: 'opioids',
      label: 'Opioid given together with propofol',
      required: true,
      categories: [
        { value: 'no', label: 'no', share: 0.3 },
        { value: 'yes', label: 'yes', share: 0.7 },
      ],
    },
  ],
  markers: [
    {
      id: 'propofol',
      label: 'Propofol in arterial blood',
      unit: 'ug/mL',
      alternativeUnits: [{ unit: 'mg/L', factor: 1 }],
      plausible: [0.01, 60],
      seen: [0.05, 20],
      staleAfterDays: 0.25,
      decimals: 2,
    },
    {
      id: 'bis',
      label: 'Bispectral index',
      unit: '1',
      plausible: [0, 100],
      seen: [15, 98],
      staleAfterDays: 0.05,
      decimals: 0,
      normalRange: { low: 40, high: 60, source: 'Usual range for general anaesthesia; awake is above 90' },
    },
  ],
  signs: [],
  events: [],
  interventions: [
    {
      id: 'propofol',
      label: 'Propofol',
      shortLabel: 'Propofol',
      whatIfClass: 'M',
      codes: [{ system: 'ATC', code: 'N01AX10' }],
      exclusiveGroup: null,
      timing: 'any',
      evidence: {
        statement:
          'What a dose does to concentration and bispectral index follows from published population estimates of 1,033 people; it says nothing about awareness, breathing or blood pressure.',
        citation: eleveld.citation,
        n: 1033,
      },
    },
  ],
  usualCare: {
    label: 'Infusion as recorded',
    description: 'Boluses and infusions in the record run on as entered; nothing is added.',
    interventions: [],
  },
  educationOnly: 'For teaching only: not for giving an anaesthetic, and no pump may be driven from it.',
  models: [eleveld],
  targets: [
    {
      id: 'bis-in-range',
      label: 'Bispectral index 40–60 for four fifths of minutes 10 to 60',
      intent: 'reach',
      measure: {
        readout: 'bis',
        statistic: 'share-within',
        between: { low: 40, high: 60 },
        window: { kind: 'days', from: 10 * minute, to: 60 * minute },
      },
      low: 0.8,
      unit: '1',
      citation: bisRange,
    },
    {
      id: 'bis-mean',
      label: 'Mean bispectral index 40–60 over minutes 10 to 60',
      intent: 'reach',
      measure: { readout: 'bis', statistic: 'mean', window: { kind: 'days', from: 10 * minute, to: 60 * minute } },
      low: 40,
      high: 60,
      unit: '1',
      citation: bisRange,
    },
    {
      id: 'bis-deep',
      label: 'Bispectral index below 30 within the first hour',
      intent: 'avoid',
      measure: { readout: 'bis', statistic: 'minimum', window: { kind: 'days', from: 0, to: 60 * minute } },
      high: 30,
      unit: '1',
      citation: bisRange,
    },
    {
      id: 'bis-light',
      label: 'Bispectral index above 70 between minutes 10 and 60',
      intent: 'avoid',
      measure: { readout: 'bis', statistic: 'maximum', window: { kind: 'days', from: 10 * minute, to: 60 * minute } },
      low: 70,
      unit: '1',
      citation: bisRange,
    },
  ],
  doseGrids: [
    {
      intervention: 'propofol',
      route: 'iv-infusion',
      // In steps of five minutes: a slower first push (loading), then 2 to 12 mg/kg an hour, as a hand would follow a target.
      amounts: [2, 3, 4, 5, 6, 7, 8, 9, 10, 12].map((perHour) => perHour / 12),
      per: 'kg',
      roundTo: 1,
      intervalHours: [1 / 12],
      durationHours: [1 / 12],
      startHours: [0],
      loadingAmounts: [0, 0.5, 1, 1.5, 2, 2.5, 3],
      maximumDose: 400,
    },
  ],
  demonstrations: [
    {
      alias: 'Jon: induction',
      story: 'A 35-year-old man of 70 kg, no opioid, before induction. What bolus and what hourly rate keep the index at 40 to 60?',
      covariates: { age: 35, sex: 'male', weight: 70, height: 170, opioids: 'no' },
      courses: [],
      observations: [],
    },
    {
      alias: 'Karin: 78 years',
      story:
        'A 78-year-old woman of 58 kg with remifentanil, half an hour into the same mg/kg that suits the young. The surprise is how deep she is: an index of 33.',
      covariates: { age: 78, sex: 'female', weight: 58, height: 160, opioids: 'yes' },
      courses: [
        { intervention: 'propofol', amount: 100, route: 'iv-bolus', startHours: -0.5, count: 1 },
        ...infusion(29, -0.5),
      ],
      observations: [
        { marker: 'bis', hours: -0.4, value: 30 },
        { marker: 'bis', hours: -0.25, value: 32 },
        { marker: 'bis', hours: -0.05, value: 33 },
      ],
    },
    {
      alias: 'Leo: six years',
      story: 'A six-year-old boy of 21 kg. Children clear propofol faster for their weight: 6 mg/kg an hour leaves him light.',
      covariates: { age: 6, sex: 'male', weight: 21, height: 117, opioids: 'yes' },
      courses: [
        { intervention: 'propofol', amount: 60, route: 'iv-bolus', startHours: -0.25, count: 1 },
        ...infusion(10.5, -0.25),
      ],
      observations: [
        { marker: 'bis', hours: -0.15, value: 52 },
        { marker: 'bis', hours: -0.02, value: 64 },
      ],
    },
  ],
} satisfies Omit<EquationsManifest, 'golden' | 'card'>;

const common = {
  model: eleveld.id,
  effects: {},
  controls: [],
  initialStates: {},
  times: [0, 0.5, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60, 61, 65, 70, 80, 90],
  readouts: ['concentration', 'effectSite', 'bis'],
  tolerance: closedFormTolerance,
};
/** A bolus over half a minute, then an infusion up to minute 60. */
const induction = (bolus: number, infusion: number, start: number) => [
  { input: 'PROP', time: 0, amount: bolus, duration: 0.5 },
  { input: 'PROP', time: start, amount: infusion, duration: 60 - start },
];

export const goldenCases: readonly GoldenRequest[] = [
  {
    ...common,
    id: 'pro-01',
    covariates: { age: 35, sex: 'male', weight: 70, height: 170, opioids: 'no' },
    doses: induction(140, 600, 1),
  },
  {
    ...common,
    id: 'pro-02',
    covariates: { age: 78, sex: 'female', weight: 58, height: 160, opioids: 'yes' },
    doses: induction(60, 240, 2),
  },
  {
    ...common,
    id: 'pro-03',
    covariates: { age: 6, sex: 'female', weight: 21, height: 117, opioids: 'yes' },
    doses: induction(63, 200, 1),
  },
  {
    ...common,
    id: 'pro-own-effects',
    covariates: { age: 50, sex: 'male', weight: 70, height: 171, opioids: 'yes' },
    effects: { etaV1: 0.3, etaV2: -0.4, etaV3: 0.2, etaCL: -0.3, etaQ2: 0.5, etaQ3: -0.2, etaKe0: 0.6, etaCe50: 0.3 },
    doses: induction(120, 500, 1),
  },
];
