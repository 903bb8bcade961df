import type { Constant, Correlation, Definition, EquationsModel, RandomEffect, State, Table } from '#packs/equations/model.ts';
import type { Covariate, Demonstration, EquationsManifest, Target } from '#packs/manifest.ts';
import { weight, type GoldenRequest } from './people.ts';
import {
  ageGroups,
  freeParameters,
  isShare,
  linkMoments,
  pooledCorrelation,
  standardised,
  virtualPatients,
  type AgeGroup,
  type FreeParameter,
  type VirtualPatient,
} from './t1d-patients.ts';

/** Weight is asked, not drawn: what is left to draw is conditional on it. */
const drawn = freeParameters.filter((symbol) => symbol !== 'BW');

const units: Readonly<Record<Exclude<FreeParameter, 'BW'>, readonly [unit: string, label: string]>> = {
  EGPb: ['mg/kg/min', 'Endogenous glucose production at rest'],
  Gb: ['mg/dL', 'Glucose at rest on the nominal basal rate'],
  Ib: ['pmol/L', 'Insulin at rest on the nominal basal rate'],
  kabs: ['1/min', 'Absorption from the intestine'],
  kmax: ['1/min', 'Fastest emptying of the stomach'],
  kmin: ['1/min', 'Slowest emptying of the stomach'],
  b: ['1', 'Share of a meal in the stomach at which emptying slows'],
  d: ['1', 'Share of a meal in the stomach at which emptying quickens'],
  Vg: ['dL/kg', 'Volume of glucose'],
  Vi: ['L/kg', 'Volume of insulin'],
  Vmx: ['mg.L/kg/min/pmol', 'Effect of remote insulin on glucose use'],
  Km0: ['mg/kg', 'Tissue glucose at half of maximal use'],
  k2: ['1/min', 'Glucose from tissue to plasma'],
  k1: ['1/min', 'Glucose from plasma to tissue'],
  p2u: ['1/min', 'Onset of insulin action on use'],
  m1: ['1/min', 'Insulin from liver to plasma'],
  CL: ['L/min', 'Clearance of insulin'],
  ki: ['1/min', 'Delay of insulin action on production'],
  kp2: ['1/min', 'Effect of glucose on production'],
  kp3: ['mg.L/kg/min/pmol', 'Effect of delayed insulin on production'],
  kd: ['1/min', 'Dissociation of insulin under the skin'],
  ksc: ['1/min', 'Exchange of plasma and subcutaneous glucose'],
  ka1: ['1/min', 'Absorption of non-monomeric insulin'],
  ka2: ['1/min', 'Absorption of monomeric insulin'],
};
const unitOf = (symbol: FreeParameter) => units[symbol as keyof typeof units];

const effectOf = (symbol: FreeParameter): string => `eta_${symbol}`;

const byGroup = (value: (group: AgeGroup) => number): Table['values'] =>
  Object.fromEntries(ageGroups.map((group) => [group, value(group)]));

const tables: readonly Table[] = [
  { symbol: 'mid_BW', by: 'GROUP', unit: 'kg', values: byGroup((group) => Math.exp(linkMoments('BW', group).location)), label: 'Weight, median of the group' },
  { symbol: 'sd_BW', by: 'GROUP', unit: '1', values: byGroup((group) => linkMoments('BW', group).spread), label: 'Weight, sd of its logarithm' },
  ...drawn.flatMap((symbol): Table[] => {
    const [unit, label] = unitOf(symbol);
    const [scale, what] = isShare(symbol) ? ['1', 'middle on the logit scale'] : [unit, 'median'];
    return [
      {
        symbol: `mid_${symbol}`,
        by: 'GROUP',
        unit: scale,
        values: byGroup((group) => {
          const { location } = linkMoments(symbol, group);
          return isShare(symbol) ? location : Math.exp(location);
        }),
        label: `${label}, ${what}`,
      },
      {
        symbol: `sd_${symbol}`,
        by: 'GROUP',
        unit: '1',
        values: byGroup((group) => linkMoments(symbol, group).spread),
        label: `${label}, sd on that scale`,
      },
    ];
  }),
];

const correlation = pooledCorrelation();
/** Of a parameter with weight. */
const withWeight = (symbol: FreeParameter): number => correlation[0]![freeParameters.indexOf(symbol)]!;

const effects: readonly RandomEffect[] = drawn.map((symbol) => ({
  symbol: effectOf(symbol),
  variance: 1 - withWeight(symbol) ** 2,
  label: `${unitOf(symbol)[1]}, in the group’s sd, beyond what weight says`,
  per: 'person',
}));

/** Of what is left once weight is known. */
const correlations: readonly Correlation[] = drawn.flatMap((first, i) =>
  drawn.slice(i + 1).map((second): Correlation => {
    const [x, y] = [withWeight(first), withWeight(second)];
    const joint = correlation[freeParameters.indexOf(first)]![freeParameters.indexOf(second)]!;
    return {
      between: [effectOf(first), effectOf(second)],
      value: (joint - x * y) / Math.sqrt((1 - x * x) * (1 - y * y)),
    };
  }),
);

const constants: readonly Constant[] = [
  { symbol: 'f', value: 0.9, unit: '1', label: 'Share of eaten glucose that reaches plasma' },
  { symbol: 'Fsnc', value: 1, unit: 'mg/kg/min', label: 'Glucose use of brain and blood cells' },
  { symbol: 'HEb', value: 0.6, unit: '1', label: 'Share of insulin that the liver extracts at rest' },
  { symbol: 'HEref', value: 0.6, unit: '1', label: 'Extraction at which insulin’s rate constants are defined' },
  { symbol: 'ke1', value: 0.0005, unit: '1/min', label: 'Renal clearance of glucose' },
  { symbol: 'ke2', value: 339, unit: 'mg/kg', label: 'Renal threshold of glucose' },
  { symbol: 'peripheralShare', value: 0.4, unit: '1', label: 'Share of insulin’s clearance outside the liver' },
  { symbol: 'pmolPerUnit', value: 6000, unit: 'pmol/U', label: 'Insulin in a unit' },
  { symbol: 'EGPlow', value: 1.2, unit: 'mg/kg/min', label: 'Production at rest is above this' },
  ...drawn.map(
    (symbol): Constant => ({
      symbol: `withBW_${symbol}`,
      value: withWeight(symbol),
      unit: '1',
      label: `${unitOf(symbol)[1]}, correlation with weight`,
    }),
  ),
];

const free: readonly Definition[] = drawn.map((symbol) => {
  const [unit, label] = unitOf(symbol);
  const deviation = `sd_${symbol} * (withBW_${symbol} * zBW + ${effectOf(symbol)})`;
  const formula = isShare(symbol) ? `logistic(mid_${symbol} + ${deviation})` : `mid_${symbol} * exp(${deviation})`;
  return { symbol, unit, formula, label };
});

const parameters: readonly Definition[] = [
  { symbol: 'zBW', unit: '1', formula: 'log(BW / mid_BW) / sd_BW', label: 'Weight in the group’s sd' },
  ...free,
  { symbol: 'Gpb', unit: 'mg/kg', formula: 'Gb * Vg', label: 'Plasma glucose at rest' },
  { symbol: 'm2', unit: '1/min', formula: 'CL / (Vi * BW) * HEref / HEb', label: 'Insulin from plasma to liver' },
  { symbol: 'm4', unit: '1/min', formula: 'peripheralShare * CL / (Vi * BW)', label: 'Insulin lost outside the liver' },
  { symbol: 'm30', unit: '1/min', formula: 'HEb * m1 / (1 - HEb)', label: 'Insulin lost in the liver' },
  { symbol: 'Ipb', unit: 'pmol/kg', formula: 'Ib * Vi', label: 'Plasma insulin at rest' },
  { symbol: 'Ilb', unit: 'pmol/kg', formula: 'Ipb * m2 / (m1 + m30)', label: 'Liver insulin at rest' },
  { symbol: 'Gtb', unit: 'mg/kg', formula: '(Fsnc - EGPb + k1 * Gpb) / k2', label: 'Tissue glucose at rest' },
  { symbol: 'Vm0', unit: 'mg/kg/min', formula: '(EGPb - Fsnc) * (Km0 + Gtb) / Gtb', label: 'Glucose use without remote insulin' },
  { symbol: 'kp1', unit: 'mg/kg/min', formula: 'EGPb + kp2 * Gpb + kp3 * Ib', label: 'Production at zero glucose and insulin' },
  { symbol: 'uss', unit: 'pmol/kg/min', formula: '(m2 + m4) * Ipb - m1 * Ilb', label: 'Nominal basal rate' },
  { symbol: 'Isc1ss', unit: 'pmol/kg', formula: 'uss / (kd + ka1)', label: 'Non-monomeric insulin under the skin at rest' },
  { symbol: 'Isc2ss', unit: 'pmol/kg', formula: 'kd * Isc1ss / ka2', label: 'Monomeric insulin under the skin at rest' },
];

const states: readonly State[] = [
  { symbol: 'Qsto1', unit: 'mg', initial: '0', derivative: '-kmax * Qsto1', scale: 10_000 },
  { symbol: 'Qsto2', unit: 'mg', initial: '0', derivative: 'kmax * Qsto1 - kempt * Qsto2', scale: 10_000 },
  { symbol: 'Qgut', unit: 'mg', initial: '0', derivative: 'kempt * Qsto2 - kabs * Qgut', scale: 10_000 },
  {
    symbol: 'Gp',
    unit: 'mg/kg',
    initial: 'Gpb',
    derivative: 'EGP + Ra - Fsnc - renal - k1 * Gp + k2 * Gt',
    holdsWhenNegative: true,
    scale: 250,
  },
  { symbol: 'Gt', unit: 'mg/kg', initial: 'Gtb', derivative: '-Uid + k1 * Gp - k2 * Gt', holdsWhenNegative: true, scale: 150 },
  {
    symbol: 'Ip',
    unit: 'pmol/kg',
    initial: 'Ipb',
    derivative: '-(m2 + m4) * Ip + m1 * Il + ka1 * Isc1 + ka2 * Isc2',
    holdsWhenNegative: true,
    scale: 5,
  },
  { symbol: 'X', unit: 'pmol/L', initial: '0', derivative: '-p2u * X + p2u * (I - Ib)', scale: 100 },
  { symbol: 'I1', unit: 'pmol/L', initial: 'Ib', derivative: '-ki * (I1 - I)', scale: 100 },
  { symbol: 'Id', unit: 'pmol/L', initial: 'Ib', derivative: '-ki * (Id - I1)', scale: 100 },
  { symbol: 'Il', unit: 'pmol/kg', initial: 'Ilb', derivative: '-(m1 + m30) * Il + m2 * Ip', holdsWhenNegative: true, scale: 2 },
  { symbol: 'Isc1', unit: 'pmol/kg', initial: 'Isc1ss', derivative: '-(kd + ka1) * Isc1', holdsWhenNegative: true, scale: 100 },
  { symbol: 'Isc2', unit: 'pmol/kg', initial: 'Isc2ss', derivative: 'kd * Isc1 - ka2 * Isc2', holdsWhenNegative: true, scale: 100 },
  { symbol: 'Gs', unit: 'mg/kg', initial: 'Gpb', derivative: '-ksc * Gs + ksc * Gp', holdsWhenNegative: true, scale: 250 },
];

const uvaPadova: EquationsModel = {
  id: 't1d-uvapadova-s2008',
  title: 'UVA/Padova S2008, as in simglucose',
  citation:
    'Dalla Man C, Rizza RA, Cobelli C. Meal simulation model of the glucose-insulin system. IEEE Trans Biomed Eng 2007;54:1740–9; Kovatchev BP et al. In silico preclinical trials. J Diabetes Sci Technol 2009;3:44–55; parameters of the 30 virtual patients: Xie J, simglucose v0.2.1 (2018)',
  time: 'min',
  timeZero: 'first-event',
  covariates: { GROUP: 'age-group', BW: 'weight' },
  constants,
  tables,
  effects,
  correlations,
  parameters,
  constraints: ['EGPb > EGPlow', 'kmin < kmax', 'Gtb > 0', 'b > d'],
  states,
  memory: [
    {
      // What was still in the stomach when the meal began.
      symbol: 'lastQsto',
      unit: 'mg',
      initial: '0',
      atSegmentStart: 'if(rate(MEAL) > 0 and previousRate(MEAL) <= 0, Qsto1 + Qsto2, lastQsto)',
    },
    {
      // Eaten since then, this segment's share included.
      symbol: 'food',
      unit: 'g',
      initial: '0',
      atSegmentStart: 'if(rate(MEAL) > 0, if(previousRate(MEAL) <= 0, 0, food) + rate(MEAL) * segmentLength, food)',
    },
  ],
  algebra: [
    { symbol: 'Dbar', unit: 'mg', formula: 'lastQsto + food', label: 'Size of the meal as the stomach feels it' },
    { symbol: 'Qsto', unit: 'mg', formula: 'Qsto1 + Qsto2', label: 'Stomach' },
    {
      symbol: 'kempt',
      unit: '1/min',
      formula:
        'if(Dbar > 0, kmin + (kmax - kmin) / 2 * (tanh(2.5 * (Qsto - b * Dbar) / (Dbar * (1 - b))) - tanh(2.5 * (Qsto - d * Dbar) / (Dbar * d)) + 2), kmax)',
      label: 'Emptying of the stomach',
    },
    { symbol: 'Ra', unit: 'mg/kg/min', formula: 'f * kabs * Qgut / BW', label: 'Glucose from the meal' },
    { symbol: 'I', unit: 'pmol/L', formula: 'Ip / Vi', label: 'Insulin in plasma' },
    { symbol: 'EGP', unit: 'mg/kg/min', formula: 'max(kp1 - kp2 * Gp - kp3 * Id, 0)', label: 'Endogenous production' },
    { symbol: 'renal', unit: 'mg/kg/min', formula: 'max(ke1 * (Gp - ke2), 0)', label: 'Lost in urine' },
    { symbol: 'Uid', unit: 'mg/kg/min', formula: '(Vm0 + Vmx * X) * Gt / (Km0 + Gt)', label: 'Insulin-dependent use' },
  ],
  inputs: [
    {
      symbol: 'MEAL',
      intervention: 'meal',
      label: 'Carbohydrate, eaten at 5 g a minute',
      unit: 'g',
      routes: ['oral'],
      into: 'Qsto1',
      maximumRate: 5,
      segmentLength: 1,
    },
    {
      symbol: 'BOLUS',
      intervention: 'bolus-insulin',
      label: 'Rapid-acting insulin, given in a minute',
      unit: 'U',
      routes: ['subcutaneous'],
      into: 'Isc1',
      bioavailability: 'pmolPerUnit / BW',
      deliveredOver: 1,
    },
    {
      symbol: 'BASAL',
      intervention: 'basal-insulin',
      label: 'Rapid-acting insulin from a pump: an amount over a duration, a day where none is given',
      unit: 'U',
      routes: ['subcutaneous'],
      into: 'Isc1',
      bioavailability: 'pmolPerUnit / BW',
      deliveredOver: 1440,
    },
  ],
  readouts: [
    { symbol: 'glucose', unit: 'mg/dL', formula: 'Gp / Vg', label: 'Glucose in plasma' },
    { symbol: 'sensor', unit: 'mg/dL', formula: 'Gs / Vg', label: 'Glucose under the skin' },
    { symbol: 'insulin', unit: 'pmol/L', formula: 'I', label: 'Insulin in plasma' },
    { symbol: 'nominalBasal', unit: 'U/h', formula: 'uss * BW / pmolPerUnit', label: 'Basal rate that keeps this person at rest' },
  ],
  observations: [
    // A meter within ISO 15197:2013 (95 % of readings within 15 mg/dL or 15 %).
    { marker: 'glucose', readout: 'glucose', error: { kind: 'combined', sd: 5, fraction: 0.06 } },
    // The sd of the specification's sensor noise at one instant; its correlation in time is not in the likelihood.
    { marker: 'sensor-glucose', readout: 'sensor', error: { kind: 'additive', sd: 11 } },
  ],
  stepper: {
    kind: 'dopri5',
    relativeTolerance: 1e-6,
    absoluteTolerance: 1e-6,
    firstStep: 0.5,
    maximumStep: 60,
    maximumSteps: 100_000,
  },
};

/** The random effects that make a person of the pack one of the 30 published patients. */
export function effectsOf({ group, values }: VirtualPatient): Readonly<Record<string, number>> {
  const zBW = standardised('BW', group, values.BW);
  return Object.fromEntries(
    drawn.map((symbol) => [effectOf(symbol), standardised(symbol, group, values[symbol]) - withWeight(symbol) * zBW]),
  );
}

export function covariatesOf({ group, values }: VirtualPatient): Readonly<Record<string, number | string>> {
  return { 'age-group': group, weight: values.BW };
}

export function patientNamed(name: string): VirtualPatient {
  const patient = virtualPatients.find((each) => each.name === name);
  if (!patient) throw new Error(`'${name}' is none of the 30 virtual patients, as in adult#001.`);
  return patient;
}

const consensus =
  'Battelino T et al. Clinical targets for continuous glucose monitoring data interpretation: recommendations from the international consensus on time in range. Diabetes Care 2019;42:1593–603';

const shareBelow = (id: string, value: number, share: number): Target => ({
  id,
  label: `Time below ${value} mg/dL over ${share * 100} %`,
  intent: 'avoid',
  measure: { readout: 'glucose', statistic: 'share-within', between: { high: value }, window: { kind: 'horizon' } },
  low: share,
  unit: '1',
  citation: consensus,
});

const targets: readonly Target[] = [
  {
    id: 'time-in-range',
    label: 'Time between 70 and 180 mg/dL at least 70 %',
    intent: 'reach',
    measure: { readout: 'glucose', statistic: 'share-within', between: { low: 70, high: 180 }, window: { kind: 'horizon' } },
    low: 0.7,
    unit: '1',
    citation: consensus,
  },
  shareBelow('time-below-70', 70, 0.04),
  shareBelow('time-below-54', 54, 0.01),
  {
    id: 'lowest-below-54',
    label: 'Glucose below 54 mg/dL at any time',
    intent: 'avoid',
    measure: { readout: 'glucose', statistic: 'minimum', window: { kind: 'horizon' } },
    high: 54,
    unit: 'mg/dL',
    citation: `${consensus}. Level 2 hypoglycaemia; the model has no counter-regulation, which overstates deep lows.`,
  },
  {
    id: 'time-above-250',
    label: 'Time above 250 mg/dL over 5 %',
    intent: 'avoid',
    measure: { readout: 'glucose', statistic: 'share-within', between: { low: 250 }, window: { kind: 'horizon' } },
    low: 0.05,
    unit: '1',
    citation: consensus,
  },
];

const glucoseUnits = [{ unit: 'mmol/L', factor: 18.0156 }];

const mechanism =
  'What carbohydrate and insulin do to glucose follows from the meal model of Dalla Man, Rizza and Cobelli, fitted to 204 people without diabetes after a mixed meal and adapted to type 1 diabetes; it is a model, not a trial.';
const mechanismSource = 'Dalla Man C, Rizza RA, Cobelli C. IEEE Trans Biomed Eng 2007;54:1740–9';

const ageGroup: Covariate = {
  kind: 'category',
  id: 'age-group',
  label: 'Age group',
  required: true,
  help: 'Adult, adolescent (about 12 to 18 years) or child (about 7 to 11 years): the three groups of ten virtual patients.',
  categories: ageGroups.map((value) => ({ value, label: value, share: 1 / 3 })),
};

/** Of the made-up people, hours from now. */
type Course = Demonstration['courses'][number];
const pump = { intervention: 'basal-insulin', route: 'subcutaneous', durationHours: 24, everyHours: 24 } as const;
const meal = (startHours: number, amount: number): Course => ({ intervention: 'meal', route: 'oral', amount, startHours });
const bolus = (startHours: number, amount: number): Course => ({
  intervention: 'bolus-insulin',
  route: 'subcutaneous',
  amount,
  startHours,
});
const meter = (...readings: readonly (readonly [hours: number, value: number])[]): Demonstration['observations'] =>
  readings.map(([hours, value]) => ({ marker: 'glucose', hours, value }));

/** One value for the whole record: the states are per kilogram. */
const { varies: _, ...bodyWeight } = weight({ plausible: [10, 200], seen: [24, 121] });

export const manifest = {
  format: 'counterpart-pack/1',
  kind: 'equations',
  id: 'type-1-diabetes',
  version: '1.0.0',
  title: 'Type 1 diabetes: glucose, meals, insulin',
  summary:
    'Glucose of a person with type 1 diabetes after meals, boluses and basal insulin, from the UVA/Padova S2008 model with people sampled around its 30 published virtual patients; for teaching and research.',
  licence: 'Apache-2.0',
  authors: ['Counterpart developers'],
  sources: [
    { role: 'model', citation: uvaPadova.citation, licence: 'Published equations; parameters MIT (simglucose)', n: 30 },
    {
      role: 'method',
      citation: 'Dalla Man C et al. The UVA/PADOVA type 1 diabetes simulator: new features. J Diabetes Sci Technol 2014;8:26–34',
      licence: 'Published method; its S2013 parameters are not open and not used',
    },
    { role: 'method', citation: consensus, licence: 'Published consensus' },
  ],
  population: {
    description:
      'People with type 1 diabetes and no insulin of their own, sampled around thirty virtual patients (10 adults, 10 adolescents, 10 children) that describe how such people differ; no real person is in it.',
    criteria: [
      {
        of: 'covariate',
        id: 'weight',
        min: 20,
        max: 160,
        severity: 'hard',
        reason: 'The virtual patients weigh 24 to 121 kg; the model was not made for other bodies.',
      },
      {
        of: 'covariate',
        id: 'weight',
        min: 24,
        max: 121,
        severity: 'soft',
        reason: 'The lightest virtual patient weighs about 24 kg, the heaviest about 121 kg.',
      },
      {
        of: 'marker',
        id: 'glucose',
        min: 40,
        max: 400,
        severity: 'soft',
        reason: 'Deep lows need counter-regulation and high values ketosis, which the model does not have.',
      },
    ],
  },
  era: { from: 2007, to: 2018 },
  place: 'Virtual patients; meal studies in Rochester, Minnesota, and Padova',
  notFor: [
    'Dosing insulin of a real person. This is the academic re-implementation, not the simulator that the FDA accepts.',
    'Exercise, illness, alcohol, stress, pregnancy, gastroparesis, dawn phenomenon, insulin sensitivity that changes within a day.',
    'Glucagon, deep hypoglycaemia and recovery from it, ketoacidosis.',
    'Long-acting insulin, inhaled insulin, closed pump loops with a sensor’s noise.',
  ],
  grid: { stepDays: 10 / 1440, horizonSteps: 288, historySteps: 1000, timeUnit: 'hours' },
  covariates: [ageGroup, bodyWeight],
  markers: [
    {
      id: 'glucose',
      label: 'Glucose (meter or laboratory)',
      unit: 'mg/dL',
      alternativeUnits: glucoseUnits,
      codes: [
        { system: 'LOINC', code: '2339-0' },
        { system: 'LOINC', code: '2345-7' },
        { system: 'LOINC', code: '14743-9' },
      ],
      plausible: [20, 700],
      seen: [60, 400],
      staleAfterDays: 0.25,
      decimals: 0,
      normalRange: { low: 70, high: 180, source: 'Target range of the 2019 consensus on time in range' },
      thresholds: [
        { value: 54, direction: 'below', label: 'below 54 mg/dL' },
        { value: 250, direction: 'above', label: 'above 250 mg/dL' },
      ],
    },
    {
      id: 'sensor-glucose',
      label: 'Glucose (sensor under the skin)',
      unit: 'mg/dL',
      alternativeUnits: glucoseUnits,
      codes: [{ system: 'LOINC', code: '99504-3' }],
      plausible: [39, 600],
      seen: [60, 400],
      staleAfterDays: 0.25,
      decimals: 0,
      normalRange: { low: 70, high: 180, source: 'Target range of the 2019 consensus on time in range' },
    },
  ],
  signs: [],
  events: [],
  interventions: [
    {
      id: 'meal',
      label: 'Carbohydrate',
      shortLabel: 'Meal',
      whatIfClass: 'M',
      exclusiveGroup: null,
      timing: 'any',
      evidence: { statement: mechanism, citation: mechanismSource, n: 204 },
    },
    {
      id: 'bolus-insulin',
      label: 'Bolus of rapid-acting insulin',
      shortLabel: 'Bolus',
      whatIfClass: 'M',
      codes: [{ system: 'ATC', code: 'A10AB' }],
      exclusiveGroup: null,
      timing: 'any',
      evidence: { statement: mechanism, citation: mechanismSource, n: 204 },
    },
    {
      id: 'basal-insulin',
      label: 'Basal insulin from a pump',
      shortLabel: 'Basal',
      whatIfClass: 'M',
      codes: [{ system: 'ATC', code: 'A10AB' }],
      exclusiveGroup: null,
      timing: 'any',
      evidence: { statement: mechanism, citation: mechanismSource, n: 204 },
    },
  ],
  usualCare: {
    label: 'Meals and insulin as recorded',
    description: 'Basal insulin and planned meals of the record go on; nothing is added.',
    interventions: [],
  },
  models: [uvaPadova],
  targets,
  doseGrids: [
    {
      intervention: 'bolus-insulin',
      route: 'subcutaneous',
      amounts: [1, 2, 3, 4, 5, 6, 7, 8, 10, 12],
      per: 'dose',
      roundTo: 0.5,
      intervalHours: [48],
      durationHours: [],
      startHours: [0, 0.25, 0.5, 1],
      loadingAmounts: [0],
      maximumDose: 25,
    },
  ],
  demonstrations: [
    {
      alias: 'Jana: a missed bolus',
      story:
        'A 17-year-old of 47 kg on a pump. Breakfast and lunch went well; two hours ago she ate 75 g of carbohydrate and forgot the bolus. The meter says 346. How much insulin now brings her down without a low in the night?',
      covariates: { 'age-group': 'adolescent', weight: 47 },
      courses: [
        { ...pump, amount: 17.3, startHours: -24 },
        meal(-14, 45),
        meal(-9, 80),
        meal(-2, 75),
        bolus(-14, 3.8),
        bolus(-9, 6.7),
      ],
      observations: meter([-22, 155], [-15, 141], [-12, 189], [-9.5, 121], [-6, 155], [-2.5, 86], [-0.25, 346]),
    },
    {
      alias: 'Konrad: an ordinary day',
      story:
        'A man of 63 kg whose doses fit his meals. He is about to eat 70 g. Which bolus, and is it better a quarter of an hour before?',
      covariates: { 'age-group': 'adult', weight: 63 },
      courses: [
        { ...pump, amount: 22.5, startHours: -24 },
        meal(-17, 60),
        meal(-12, 75),
        meal(-6, 45),
        bolus(-17, 4),
        bolus(-12, 5),
        bolus(-6, 3),
      ],
      observations: meter([-23, 152], [-15, 145], [-13, 141], [-10, 138], [-7, 98], [-4, 128], [-0.5, 123]),
    },
    {
      alias: 'Lukas: two boluses for one meal',
      story:
        'A child of 41 kg was given the bolus for 45 g twice, by both parents. Glucose is still 200 and everything looks fine. What is coming, and how much carbohydrate keeps him above 70?',
      covariates: { 'age-group': 'child', weight: 41 },
      courses: [
        { ...pump, amount: 6.9, startHours: -16 },
        meal(-8, 40),
        meal(-1, 45),
        bolus(-8, 1.8),
        bolus(-1, 2),
        bolus(-0.75, 2),
      ],
      observations: meter([-15, 129], [-8.5, 124], [-6, 175], [-3, 166], [-1.25, 130], [-0.1, 205]),
    },
  ],
} satisfies Omit<EquationsManifest, 'golden' | 'card'>;

/** Halfway between the two published figures for f32: 0.06 mg/dL of 138 for the adaptive stepper, 0.2 for RK4. */
const tolerance = { relative: 5e-4, ofLargest: 2e-4 } as const;

interface Day {
  readonly id: string;
  readonly patient: string;
  readonly minutes: number;
  readonly meals?: readonly (readonly [minute: number, grams: number])[];
  readonly boluses?: readonly (readonly [minute: number, units: number])[];
  /** Times nominal, from a minute on. */
  readonly basal?: readonly (readonly [minute: number, factor: number])[];
}

/** In U/min: u_ss · BW / 6000, from the patient's own columns. */
function nominalBasal({ values: { CL, Vi, BW, Ib, m1 } }: VirtualPatient): number {
  const m2 = CL / (Vi * BW);
  const m30 = 1.5 * m1;
  const Ipb = Ib * Vi;
  return (((m2 + 0.4 * m2) * Ipb - (m1 * (Ipb * m2)) / (m1 + m30)) * BW) / 6000;
}

function goldenDay({ id, patient: name, minutes, meals = [], boluses = [], basal = [[0, 1]] }: Day): GoldenRequest {
  const patient = patientNamed(name);
  const infusions = basal.map(([from, factor], i) => {
    const duration = (basal[i + 1]?.[0] ?? minutes) - from;
    return { input: 'BASAL', time: from, amount: nominalBasal(patient) * factor * duration, duration };
  });
  return {
    id,
    model: uvaPadova.id,
    covariates: covariatesOf(patient),
    effects: effectsOf(patient),
    doses: [
      ...infusions.filter(({ amount }) => amount > 0),
      ...meals.map(([time, amount]) => ({ input: 'MEAL', time, amount })),
      ...boluses.map(([time, amount]) => ({ input: 'BOLUS', time, amount })),
    ].toSorted((a, b) => a.time - b.time),
    controls: [],
    initialStates: {},
    times: Array.from({ length: minutes / 30 + 1 }, (_, i) => 30 * i),
    readouts: ['glucose', 'sensor', 'insulin'],
    tolerance,
  };
}

const threeMeals = [
  [420, 50],
  [720, 70],
  [1080, 60],
] as const;

export const goldenCases: readonly GoldenRequest[] = [
  goldenDay({ id: 'fasting-on-nominal-basal', patient: 'adult#001', minutes: 1440 }),
  goldenDay({
    id: 'three-meals-with-bolus',
    patient: 'adult#001',
    minutes: 1440,
    meals: threeMeals,
    boluses: threeMeals.map(([minute, grams]) => [minute, grams / 10] as const),
  }),
  goldenDay({
    id: 'missed-dinner-bolus',
    patient: 'adolescent#005',
    minutes: 1440,
    meals: [
      [450, 45],
      [750, 80],
      [1140, 75],
    ],
    boluses: [
      [450, 3.75],
      [750, 6.6667],
    ],
  }),
  goldenDay({
    id: 'pump-suspended',
    patient: 'child#003',
    minutes: 720,
    basal: [
      [0, 0.8],
      [300, 0],
      [420, 1],
    ],
  }),
  goldenDay({
    id: 'double-bolus-and-rescue',
    patient: 'adult#007',
    minutes: 720,
    meals: [
      [60, 60],
      [240, 15],
    ],
    boluses: [[45, 5.4546]],
  }),
  goldenDay({
    id: 'second-meal-during-the-first',
    patient: 'adolescent#003',
    minutes: 600,
    meals: [
      [60, 80],
      [68, 30],
    ],
    boluses: [[60, 3.4783]],
  }),
];
