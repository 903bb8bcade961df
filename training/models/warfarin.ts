import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Constant, Definition, EquationsModel, State, Table } from '#packs/equations/model.ts';
import type { Covariate, EquationsManifest, Target } from '#packs/manifest.ts';
import { alleles, iwpcCyp2c9, iwpcRace, iwpcVkorc1 } from '#training/warfarin/formulas.ts';
import { cyp2c9Genotypes, races, vkorc1Genotypes, type Cyp2c9, type Race } from '#training/warfarin/subjects.ts';
import { age, everyDose, height, weight, type GoldenRequest } from './people.ts';

/** What the pack took from the consortium's training rows: `npx tsx training/warfarin/fit.ts` writes it. Aggregates only. */
export interface IwpcSummary {
  /** Training subjects on a stable dose with everything known. */
  readonly n: number;
  readonly correction: DoseCorrection;
  readonly shares: {
    readonly race: Readonly<Record<Race, number>>;
    readonly cyp2c9: Readonly<Record<Race, readonly number[]>>;
    readonly vkorc1: Readonly<Record<Race, readonly number[]>>;
    readonly amiodarone: number;
    readonly inducer: number;
    readonly smoker: number;
    readonly valve: number;
    readonly heartFailure: number;
    readonly thrombosis: number;
  };
}

/** Terms of the logarithm of the weekly dose that neither published formula has. */
export interface DoseCorrection {
  readonly valve: number;
  readonly heartFailure: number;
  /** Times (decades beyond 65 years)² / 10. */
  readonly ageCurve: number;
  /** Times the number of variant CYP2C9 alleles, in carriers of VKORC1 A. */
  readonly interaction: number;
}

const summaryFile = join(fileURLToPath(import.meta.url), '../warfarin-iwpc.json');
export const iwpcSummary = JSON.parse(readFileSync(summaryFile, 'utf8')) as IwpcSummary;

const hamberg2010 =
  'Hamberg AK, Wadelius M, Lindh JD, Dahl ML, Padrini R, Deloukas P, Rane A, Jonsson EN. A pharmacometric model describing the relationship between warfarin dose and INR response with respect to variations in CYP2C9, VKORC1, and age. Clin Pharmacol Ther 2010;87:727–34';
const hamberg2007 =
  'Hamberg AK, Dahl ML, Barban M, Scordo MG, Wadelius M, Pengo V, Padrini R, Jonsson EN. A PK-PD model for predicting the impact of age, CYP2C9, and VKORC1 genotype on individualization of warfarin therapy. Clin Pharmacol Ther 2007;81:529–38';
const iwpc =
  'International Warfarin Pharmacogenetics Consortium. Estimation of the warfarin dose with clinical and pharmacogenetic data. N Engl J Med 2009;360:753–64';
const gage =
  'Gage BF et al. Use of pharmacogenetic and clinical factors to predict the therapeutic dose of warfarin. Clin Pharmacol Ther 2008;84:326–31';

/** ω² of a log-normal effect whose coefficient of variation is published. */
const fromCv = (cv: number): number => Math.log1p(cv * cv);
const byCyp2c9 = (value: (genotype: Cyp2c9) => number): Table['values'] =>
  Object.fromEntries(cyp2c9Genotypes.map((genotype) => [genotype, value(genotype)]));
const byVkorc1 = (values: readonly [GG: number, AG: number, AA: number]): Table['values'] =>
  Object.fromEntries(vkorc1Genotypes.map((genotype, i) => [genotype, values[i]!]));

const genotypes = { CYP2C9: 'cyp2c9', VKORC1: 'vkorc1' };
const alleleClearance: Readonly<Record<string, number>> = { '*1': 0.174, '*2': 0.0879, '*3': 0.0422 };

const racemic: Constant = { symbol: 'Sshare', value: 0.5, unit: '1', label: 'S-warfarin in racemic warfarin' };
const ka: Constant = { symbol: 'ka', value: 2, unit: '1/h', label: 'Absorption' };
const inrMax: Constant = { symbol: 'INRmax', value: 20, unit: '1', label: 'Largest rise of the INR' };

const constants2010: readonly Constant[] = [
  { symbol: 'Vpop', value: 14.3, unit: 'L', label: 'Volume of S-warfarin' },
  { symbol: 'ageSlope', value: -0.00571, unit: '1/a', label: 'Relative change of clearance per year of age' },
  { symbol: 'ageRef', value: 71, unit: 'a', label: 'Reference age' },
  { symbol: 'hill', value: 1.15, unit: '1', label: 'Steepness γ' },
  { symbol: 'MTT1', value: 28.6, unit: 'h', label: 'Mean transit time of the fast factors' },
  { symbol: 'MTT2', value: 118.3, unit: 'h', label: 'Mean transit time of the slow factors' },
  racemic,
  ka,
  inrMax,
];

const tables2010: readonly Table[] = [
  {
    symbol: 'CLgenotype',
    by: 'CYP2C9',
    unit: 'L/h',
    values: byCyp2c9((genotype) => genotype.split('/').reduce((sum, allele) => sum + alleleClearance[allele]!, 0)),
    label: 'Clearance of S-warfarin at 71 years: *1 0.174, *2 0.0879, *3 0.0422 L/h an allele',
  },
  {
    symbol: 'EC50genotype',
    by: 'VKORC1',
    unit: 'mg/L',
    values: byVkorc1([4.1, 3.01, 1.92]),
    label: 'Concentration of half inhibition: G 2.05, A 0.96 mg/L an allele',
  },
];

const effect = (symbol: string, variance: number, label: string) => ({ symbol, variance, label, per: 'person' as const });
const effects2010 = [
  effect('etaCL', 0.089, 'Clearance, log scale'),
  effect('etaV', 0.054, 'Volume, log scale'),
  effect('etaEC50', 0.34, 'Concentration of half inhibition, log scale'),
];

const hambergClearance = 'CLgenotype * (1 + ageSlope * (AGE - ageRef))';

const input = {
  symbol: 'WARFARIN',
  intervention: 'warfarin',
  label: 'Warfarin (racemic), swallowed',
  unit: 'mg',
  routes: ['oral'],
  bioavailability: 'Sshare',
} as const;

const oneCompartment: EquationsModel['compartments'] = {
  amountUnit: 'mg',
  central: 'As',
  clearance: 'CL',
  volume: 'V',
  peripherals: [],
  depot: { symbol: 'Ag', rate: 'ka' },
};

/** Three compartments: everything at 1 without the drug. */
const transit = (name: string, mtt: string): readonly State[] =>
  [1, 2, 3].map((k) => ({
    symbol: `${name}${k}`,
    unit: '1',
    initial: '1',
    derivative: `3 / ${mtt} * (${k === 1 ? '1 - inhibition' : `${name}${k - 1}`} - ${name}${k})`,
  }));

const concentration: Definition = { symbol: 'C', unit: 'mg/L', formula: 'max(As / V, 0)', label: 'S-warfarin in plasma' };
const inhibition = (ratio: string): Definition => ({
  symbol: 'inhibition',
  unit: '1',
  formula: `(${ratio})^hill / (1 + (${ratio})^hill)`,
  label: 'Inhibition of the clotting factors’ production',
});

const readouts2010: readonly Definition[] = [
  { symbol: 'inr', unit: '1', formula: 'BASE + INRmax * (1 - (x3 + y3) / 2)', label: 'INR' },
  { symbol: 'concentration', unit: 'mg/L', formula: 'C', label: 'S-warfarin in plasma' },
];

const stepper: EquationsModel['stepper'] = {
  kind: 'dopri5',
  relativeTolerance: 1e-8,
  absoluteTolerance: 1e-8,
  firstStep: 0.1,
  maximumStep: 24,
  maximumSteps: 200_000,
};

const observed = (sd: number): EquationsModel['observations'] => [{ marker: 'inr', readout: 'inr', error: { kind: 'log', sd } }];

const published2010: EquationsModel = {
  id: 'warfarin-hamberg-2010',
  title: 'Hamberg 2010 as published (for comparison, not fitted)',
  citation: hamberg2010,
  priorWeight: 0,
  time: 'h',
  timeZero: 'first-event',
  covariates: { AGE: 'age', ...genotypes, BASE: 'baseline-inr' },
  constants: constants2010,
  tables: tables2010,
  effects: effects2010,
  parameters: [
    { symbol: 'CL', unit: 'L/h', formula: `${hambergClearance} * exp(etaCL)`, label: 'Clearance of S-warfarin' },
    { symbol: 'V', unit: 'L', formula: 'Vpop * exp(etaV)', label: 'Volume' },
    { symbol: 'EC50', unit: 'mg/L', formula: 'EC50genotype * exp(etaEC50)', label: 'Concentration of half inhibition' },
  ],
  constraints: ['CL > 0'],
  compartments: oneCompartment,
  states: [...transit('x', 'MTT1'), ...transit('y', 'MTT2')],
  algebra: [concentration, inhibition('C / EC50')],
  inputs: [{ ...input, into: 'Ag' }],
  readouts: readouts2010,
  observations: observed(0.2),
  stepper,
};

const kineticPharmacodynamic: EquationsModel = {
  ...published2010,
  id: 'warfarin-hamberg-2010-kpd',
  title: 'Hamberg 2010 without concentrations (K-PD, for comparison, not fitted)',
  constants: constants2010.filter(({ symbol }) => symbol !== 'ka'),
  effects: [effect('etaKDE', 0.589, 'Elimination rate, log scale'), effect('etaEDK50', 0.34, 'Rate of half inhibition, log scale')],
  parameters: [
    { symbol: 'V', unit: 'L', formula: 'Vpop', label: 'Volume' },
    { symbol: 'KDE', unit: '1/h', formula: `${hambergClearance} / V * exp(etaKDE)`, label: 'Elimination rate' },
    { symbol: 'EDK50', unit: 'mg/h', formula: `${hambergClearance} * EC50genotype * exp(etaEDK50)`, label: 'Rate of half inhibition' },
  ],
  constraints: ['KDE > 0'],
  compartments: { amountUnit: 'mg', central: 'As', clearance: 'KDE * V', volume: 'V', peripherals: [] },
  algebra: [concentration, inhibition('KDE * max(As, 0) / EDK50')],
  inputs: [{ ...input, into: 'As' }],
};

const published2007: EquationsModel = {
  id: 'warfarin-hamberg-2007',
  title: 'Hamberg 2007 as published (for comparison, not fitted)',
  citation: hamberg2007,
  priorWeight: 0,
  time: 'h',
  timeZero: 'first-event',
  covariates: { AGE: 'age', ...genotypes, BASE: 'baseline-inr' },
  constants: [
    { symbol: 'CLpop', value: 0.314, unit: 'L/h', label: 'Clearance of S-warfarin, *1/*1 at 71 years' },
    { symbol: 'ageSlope', value: -0.0091, unit: '1/a', label: 'Relative change of clearance per year of age' },
    { symbol: 'ageRef', value: 71, unit: 'a', label: 'Reference age' },
    { symbol: 'V1pop', value: 13.8, unit: 'L', label: 'Central volume' },
    { symbol: 'Qpop', value: 0.131, unit: 'L/h', label: 'Flow between the compartments' },
    { symbol: 'V2pop', value: 6.59, unit: 'L', label: 'Peripheral volume' },
    { symbol: 'hill', value: 0.424, unit: '1', label: 'Steepness γ' },
    { symbol: 'MTT1pop', value: 11.6, unit: 'h', label: 'Transit time of each of six compartments' },
    { symbol: 'MTT2pop', value: 120, unit: 'h', label: 'Transit time of the slow compartment' },
    { symbol: 'lambda', value: 3.61, unit: '1', label: 'Exponent λ of the INR' },
    racemic,
    ka,
    inrMax,
  ],
  tables: [
    {
      symbol: 'CLloss',
      by: 'CYP2C9',
      unit: '1',
      values: Object.fromEntries(cyp2c9Genotypes.map((genotype, i) => [genotype, [0, 0.315, 0.453, 0.722, 0.69, 0.852][i]!])),
      label: 'Clearance lost to the genotype, share',
    },
    {
      symbol: 'EC50genotype',
      by: 'VKORC1',
      unit: 'mg/L',
      values: byVkorc1([4.61, 3.02, 2.2]),
      label: 'Concentration of half inhibition',
    },
  ],
  effects: [
    effect('etaCL', fromCv(0.31), 'Clearance, log scale (CV 31.0 %)'),
    effect('etaV1', fromCv(0.262), 'Central volume, log scale (CV 26.2 %)'),
    effect('etaV2', fromCv(0.991), 'Peripheral volume, log scale (CV 99.1 %)'),
    effect('etaMTT1', fromCv(0.141), 'Fast transit time, log scale (CV 14.1 %)'),
    effect('etaMTT2', fromCv(1.02), 'Slow transit time, log scale (CV 102 %)'),
    effect('etaEC50', fromCv(0.409), 'Concentration of half inhibition, log scale (CV 40.9 %)'),
  ],
  parameters: [
    {
      symbol: 'CL',
      unit: 'L/h',
      formula: 'CLpop * (1 - CLloss) * (1 + ageSlope * (AGE - ageRef)) * exp(etaCL)',
      label: 'Clearance of S-warfarin',
    },
    { symbol: 'V1', unit: 'L', formula: 'V1pop * exp(etaV1)', label: 'Central volume' },
    { symbol: 'Q', unit: 'L/h', formula: 'Qpop', label: 'Flow between the compartments' },
    { symbol: 'V2', unit: 'L', formula: 'V2pop * exp(etaV2)', label: 'Peripheral volume' },
    { symbol: 'MTT1', unit: 'h', formula: 'MTT1pop * exp(etaMTT1)', label: 'Fast transit time' },
    { symbol: 'MTT2', unit: 'h', formula: 'MTT2pop * exp(etaMTT2)', label: 'Slow transit time' },
    { symbol: 'EC50', unit: 'mg/L', formula: 'EC50genotype * exp(etaEC50)', label: 'Concentration of half inhibition' },
  ],
  constraints: ['CL > 0'],
  compartments: {
    amountUnit: 'mg',
    central: 'As',
    clearance: 'CL',
    volume: 'V1',
    peripherals: [{ symbol: 'Ap', flow: 'Q', volume: 'V2' }],
    depot: { symbol: 'Ag', rate: 'ka' },
  },
  states: [
    ...[1, 2, 3, 4, 5, 6].map((k) => ({
      symbol: `x${k}`,
      unit: '1',
      initial: '1',
      derivative: `(${k === 1 ? '1 - inhibition' : `x${k - 1}`} - x${k}) / MTT1`,
    })),
    { symbol: 'y1', unit: '1', initial: '1', derivative: '(1 - inhibition - y1) / MTT2' },
  ],
  algebra: [{ ...concentration, formula: 'max(As / V1, 0)' }, inhibition('C / EC50')],
  inputs: [{ ...input, into: 'Ag' }],
  readouts: [
    { symbol: 'inr', unit: '1', formula: 'BASE + INRmax * max(1 - x6 * y1, 0)^lambda', label: 'INR' },
    { symbol: 'concentration', unit: 'mg/L', formula: 'C', label: 'S-warfarin in plasma' },
  ],
  observations: observed(0.0325),
  stepper,
};

/** Published coefficients of both formulas, and what the training rows add. Logarithms are of mg. */
const doseConstants = ({ valve, heartFailure, ageCurve, interaction }: DoseCorrection): readonly Constant[] => [
  { symbol: 'iwpc0', value: 5.6044, unit: '1', label: 'IWPC: intercept of √(mg/week)', source: iwpc },
  { symbol: 'iwpcDecade', value: -0.2614, unit: '1', label: 'IWPC: per decade of age, taken from its middle', source: iwpc },
  { symbol: 'iwpcHeight', value: 0.0087, unit: '1', label: 'IWPC: per cm', source: iwpc },
  { symbol: 'iwpcWeight', value: 0.0128, unit: '1', label: 'IWPC: per kg', source: iwpc },
  { symbol: 'iwpcInducer', value: 1.1816, unit: '1', label: 'IWPC: enzyme inducer', source: iwpc },
  { symbol: 'iwpcAmiodarone', value: -0.5503, unit: '1', label: 'IWPC: amiodarone', source: iwpc },
  { symbol: 'gage0', value: 0.9751 + 0.2029 * 2.5, unit: '1', label: 'Gage: intercept of ln(mg/day) at INR 2.5', source: gage },
  { symbol: 'gageSurface', value: 0.4317, unit: '1', label: 'Gage: per m² of body surface (DuBois)', source: gage },
  { symbol: 'gageAge', value: -0.00745, unit: '1', label: 'Gage: per year of age', source: gage },
  { symbol: 'gageAmiodarone', value: -0.2538, unit: '1', label: 'Gage: amiodarone', source: gage },
  { symbol: 'gageSmoker', value: 0.0922, unit: '1', label: 'Gage: current smoker', source: gage },
  { symbol: 'gageThrombosis', value: 0.0664, unit: '1', label: 'Gage: thrombosis or embolism as the indication', source: gage },
  { symbol: 'ownValve', value: valve, unit: '1', label: 'IWPC training rows: valve replacement, ln(dose)' },
  { symbol: 'ownFailure', value: heartFailure, unit: '1', label: 'IWPC training rows: heart failure, ln(dose)' },
  { symbol: 'ownAge', value: ageCurve, unit: '1', label: 'IWPC training rows: per 10 squared decades from 65 years, ln(dose)' },
  { symbol: 'ownInteraction', value: interaction, unit: '1', label: 'IWPC training rows: per variant CYP2C9 allele in carriers of VKORC1 A, ln(dose)' },
  { symbol: 'rootFloor', value: 1, unit: '1', label: '√(mg/week) counts as at least this' },
  { symbol: 'excess', value: 1.5, unit: '1', label: 'Rise of the INR at which the dose is matched: from 1 to 2.5' },
];

const doseTables: readonly Table[] = [
  { symbol: 'iwpcCYP2C9', by: 'CYP2C9', unit: '1', values: iwpcCyp2c9, label: 'IWPC: CYP2C9' },
  { symbol: 'iwpcVKORC1', by: 'VKORC1', unit: '1', values: iwpcVkorc1, label: 'IWPC: VKORC1 −1639' },
  { symbol: 'iwpcRace', by: 'RACE', unit: '1', values: iwpcRace, label: 'IWPC: race' },
  {
    symbol: 'gageCYP2C9',
    by: 'CYP2C9',
    unit: '1',
    values: byCyp2c9((genotype) => -0.2066 * alleles(genotype, '*2') - 0.4008 * alleles(genotype, '*3')),
    label: 'Gage: CYP2C9, −0.2066 for each *2 and −0.4008 for each *3',
  },
  { symbol: 'gageVKORC1', by: 'VKORC1', unit: '1', values: byVkorc1([0, -0.3238, -0.6476]), label: 'Gage: VKORC1 −1639' },
  { symbol: 'gageRace', by: 'RACE', unit: '1', values: { white: 0, asian: 0, black: -0.0901, other: 0 }, label: 'Gage: race' },
  {
    symbol: 'variants',
    by: 'CYP2C9',
    unit: '1',
    values: byCyp2c9((genotype) => alleles(genotype, '*2') + alleles(genotype, '*3')),
    label: 'Variant CYP2C9 alleles',
  },
];

const doseParameters: readonly Definition[] = [
  { symbol: 'decade', unit: '1', formula: "in(AGE, 'a') / 10 - 0.5", label: 'Age in decades' },
  {
    symbol: 'iwpcRoot',
    unit: '1',
    formula:
      "max(iwpc0 + iwpcDecade * decade + iwpcHeight * in(HT, 'cm') + iwpcWeight * in(WT, 'kg') + iwpcCYP2C9 + iwpcVKORC1 + iwpcRace, rootFloor)",
    label: 'IWPC: √(mg/week) without interacting drugs',
  },
  {
    symbol: 'gageLog',
    unit: '1',
    formula:
      "gage0 + gageSurface * 0.007184 * in(WT, 'kg')^0.425 * in(HT, 'cm')^0.725 + gageAge * in(AGE, 'a') + gageCYP2C9 + gageVKORC1 + gageRace + if(SMOKER == 'yes', gageSmoker, 0) + if(THROMBOSIS == 'yes', gageThrombosis, 0)",
    label: 'Gage: ln(mg/day) without interacting drugs',
  },
  {
    symbol: 'ownLog',
    unit: '1',
    formula:
      "if(VALVE == 'yes', ownValve, 0) + if(FAILURE == 'yes', ownFailure, 0) + ownAge * (decade - 6)^2 / 10 + if(VKORC1 == 'GG', 0, ownInteraction * variants)",
    label: 'What the training rows add, ln(dose)',
  },
  {
    symbol: 'weeklyWithout',
    unit: 'mg/wk',
    formula: "unit(iwpcRoot * exp((gageLog + log(7)) / 2 + ownLog), 'mg/wk')",
    label: 'Typical weekly dose for INR 2.5 without interacting drugs',
  },
  {
    symbol: 'interactions',
    unit: '1',
    formula:
      "max(iwpcRoot + if(INDUCER == 'yes', iwpcInducer, 0) + if(AMIODARONE == 'yes', iwpcAmiodarone, 0), rootFloor) / iwpcRoot * if(AMIODARONE == 'yes', exp(gageAmiodarone / 2), 1)",
    label: 'Factor of interacting drugs on the dose, taken as one on clearance',
  },
  { symbol: 'weeklyDose', unit: 'mg/wk', formula: 'weeklyWithout * interactions', label: 'Typical weekly dose for INR 2.5' },
];

/** INR − BASE = INRmax · C^γ/(EC50^γ + C^γ) at the average concentration of the steady state. */
const steadyDose = (clearance: string, ec50: string): string =>
  `${clearance} * ${ec50} / Sshare * (excess / (INRmax - excess))^(1 / hill)`;

const hybrid = (correction: DoseCorrection): EquationsModel => ({
  ...published2010,
  id: 'warfarin-hamberg-2010-iwpc',
  title: 'Hamberg 2010, recentred on the doses of the IWPC and Gage formulas and of IWPC patients',
  citation: `${hamberg2010}; typical dose: ${iwpc}; ${gage}`,
  priorWeight: 1,
  covariates: {
    ...published2010.covariates,
    WT: 'weight',
    HT: 'height',
    RACE: 'race',
    AMIODARONE: 'amiodarone',
    INDUCER: 'enzyme-inducer',
    SMOKER: 'smoker',
    VALVE: 'valve-replacement',
    FAILURE: 'heart-failure',
    THROMBOSIS: 'thrombosis',
  },
  constants: [...constants2010, ...doseConstants(correction)],
  tables: [...tables2010, ...doseTables],
  parameters: [
    ...doseParameters,
    {
      symbol: 'recentring',
      unit: '1',
      formula: `weeklyWithout / (${steadyDose(`${hambergClearance}`, 'EC50genotype')})`,
      label: 'Factor on the published concentration of half inhibition',
    },
    { symbol: 'CL', unit: 'L/h', formula: `${hambergClearance} * interactions * exp(etaCL)`, label: 'Clearance of S-warfarin' },
    { symbol: 'V', unit: 'L', formula: 'Vpop * exp(etaV)', label: 'Volume' },
    {
      symbol: 'EC50',
      unit: 'mg/L',
      formula: 'EC50genotype * recentring * exp(etaEC50)',
      label: 'Concentration of half inhibition',
    },
    { symbol: 'maintenance', unit: 'mg/wk', formula: steadyDose('CL', 'EC50'), label: 'Own weekly dose for INR 2.5' },
  ],
  readouts: [
    ...readouts2010,
    { symbol: 'maintenanceDose', unit: 'mg/wk', formula: 'maintenance', label: 'Weekly dose that holds INR 2.5' },
  ],
});

const targets: readonly Target[] = [
  {
    id: 'time-in-range',
    label: 'INR between 2 and 3 for 65 % of the last four weeks',
    intent: 'reach',
    measure: { readout: 'inr', statistic: 'share-within', between: { low: 2, high: 3 }, window: { kind: 'last-days', days: 28 } },
    low: 0.65,
    unit: '1',
    citation:
      'Range: Holbrook A et al. Evidence-based management of anticoagulant therapy. Chest 2012;141(2 Suppl):e152S–84S. Share: Connolly SJ et al. Circulation 2008;118:2029–37 (observed centres, 58 to 65 %)',
  },
  {
    id: 'in-range-at-end',
    label: 'INR between 2 and 3 at the end',
    intent: 'reach',
    measure: { readout: 'inr', statistic: 'at-end', window: { kind: 'horizon' } },
    low: 2,
    high: 3,
    unit: '1',
    citation: 'Holbrook A et al. Chest 2012;141(2 Suppl):e152S–84S',
  },
  {
    id: 'above-4',
    label: 'INR above 4 at any time',
    intent: 'avoid',
    measure: { readout: 'inr', statistic: 'maximum', window: { kind: 'horizon' } },
    low: 4,
    unit: '1',
    citation:
      'Hylek EM, Singer DE. Risk factors for intracranial hemorrhage in outpatients taking warfarin. Ann Intern Med 1994;120:897–902. An association in observed patients.',
  },
  {
    id: 'below-1-5',
    label: 'INR below 1.5 at the end',
    intent: 'avoid',
    measure: { readout: 'inr', statistic: 'at-end', window: { kind: 'horizon' } },
    high: 1.5,
    unit: '1',
    citation:
      'Hylek EM et al. Effect of intensity of oral anticoagulation on stroke severity and mortality in atrial fibrillation. N Engl J Med 2003;349:1019–26. An association in observed patients.',
  },
];

const yesNo = (id: string, label: string, yes: number, help: string): Covariate => ({
  kind: 'category',
  id,
  label,
  required: false,
  help,
  categories: [
    { value: 'no', label: 'no', share: 1 - yes },
    { value: 'yes', label: 'yes', share: yes },
  ],
});

const raceLabels: Readonly<Record<Race, string>> = {
  white: 'White',
  asian: 'Asian',
  black: 'Black or African American',
  other: 'other, mixed or not known',
};

function genotype<T extends string>(
  id: string,
  label: string,
  values: readonly T[],
  shares: IwpcSummary['shares'],
  byRace: Readonly<Record<Race, readonly number[]>>,
  help: string,
): Covariate {
  const overall = values.map((_, i) => races.reduce((sum, race) => sum + shares.race[race] * byRace[race][i]!, 0));
  return {
    kind: 'category',
    id,
    label,
    required: false,
    help,
    categories: values.map((value, i) => ({ value, label: value, share: overall[i]! })),
    sharesBy: {
      covariate: 'race',
      shares: byRace,
      source: 'Genotypes of the IWPC training subjects by race (aggregates)',
    },
  };
}

export function warfarinManifest({ n, correction, shares }: IwpcSummary) {
  return {
    format: 'counterpart-pack/1',
    kind: 'equations',
    id: 'warfarin',
    version: '1.0.0',
    title: 'Warfarin: dose and INR',
    summary:
      'INR under warfarin by CYP2C9, VKORC1, age and size: the dynamics of Hamberg 2010, recentred so that its typical doses are those of thousands of real patients; fitted to this person’s INRs.',
    licence: 'Apache-2.0',
    authors: ['Counterpart developers'],
    sources: [
      { role: 'model', citation: hamberg2010, licence: 'Published equations and estimates' },
      { role: 'model', citation: hamberg2007, licence: 'Published equations and estimates' },
      { role: 'model', citation: iwpc, licence: 'Published formula', n: 4043 },
      { role: 'model', citation: gage, licence: 'Published formula', n: 1015 },
      {
        role: 'training',
        citation: `${iwpc}. Data: IWPC table at PharmGKB/ClinPGx; four terms and genotype frequencies were taken from its training rows.`,
        licence: 'CC BY-SA 4.0, rows not redistributed',
        n,
      },
    ],
    population: {
      description:
        'Adults starting or taking warfarin: Swedish and Italian patients for the dynamics; stable patients of 21 sites in four continents for the typical dose.',
      criteria: [
        { of: 'covariate', id: 'age', min: 18, max: 100, severity: 'hard', reason: 'Clearance falls in a straight line with age, fitted to adults.' },
        { of: 'covariate', id: 'age', min: 20, max: 90, severity: 'soft', reason: 'Few people in the cohorts were younger than 20 or older than 90.' },
        { of: 'covariate', id: 'weight', min: 30, max: 240, severity: 'hard', reason: 'The IWPC patients weighed 30 to 238 kg.' },
        { of: 'covariate', id: 'weight', min: 40, max: 140, severity: 'soft', reason: 'Few IWPC patients weighed less than 40 or more than 140 kg.' },
        { of: 'covariate', id: 'height', min: 120, max: 210, severity: 'hard', reason: 'The IWPC patients were 124 to 202 cm tall.' },
        { of: 'covariate', id: 'baseline-inr', min: 0.8, max: 1.4, severity: 'soft', reason: 'A raised INR before warfarin means liver disease, another anticoagulant, or that warfarin was already taken.' },
      ],
    },
    era: { from: 1994, to: 2009 },
    place: 'Sweden, Italy; 21 sites of the IWPC in nine countries',
    notFor: [
      'Care of a patient without a clinician who checks INR, bleeding and interactions.',
      'Children, pregnancy, liver failure, changes of diet or vitamin K, other coumarins (acenocoumarol, phenprocoumon).',
      'Drugs other than amiodarone and the inducers carbamazepine, phenytoin and rifampicin; these are taken as constant.',
      'Bleeding and thrombosis themselves: only the INR is modelled.',
      'Predicting which INR target is right.',
    ],
    grid: { stepDays: 0.5, horizonSteps: 120, historySteps: 1000, timeUnit: 'days' },
    covariates: [
      age({ plausible: [18, 110], seen: [20, 90] }),
      weight({ plausible: [25, 300], seen: [42, 136] }),
      height({ plausible: [100, 230], seen: [147, 191] }),
      {
        kind: 'category',
        id: 'race',
        label: 'Race or ancestry',
        required: true,
        help: 'As the dosing formulas use it, and for the frequencies of genotypes that are not known.',
        categories: races.map((value) => ({ value, label: raceLabels[value], share: shares.race[value] })),
      },
      genotype(
        'cyp2c9',
        'CYP2C9',
        cyp2c9Genotypes,
        shares,
        shares.cyp2c9,
        'Star alleles. Unknown: averaged over the frequencies of the ancestry. Other alleles (*5, *6, *8, *11 …) count as unknown.',
      ),
      genotype(
        'vkorc1',
        'VKORC1 −1639 G>A',
        vkorc1Genotypes,
        shares,
        shares.vkorc1,
        'rs9923231, read on the G/A strand. Unknown: averaged over the frequencies of the ancestry.',
      ),
      {
        kind: 'number',
        id: 'baseline-inr',
        label: 'INR before warfarin',
        unit: '1',
        codes: [{ system: 'LOINC', code: '6301-6' }],
        required: false,
        whenMissing: 1,
        help: '1.0 where it was not measured.',
        plausible: [0.5, 3],
        seen: [0.9, 1.4],
      },
      yesNo('amiodarone', 'Amiodarone', shares.amiodarone, 'It inhibits CYP2C9 for weeks after it is stopped.'),
      yesNo('enzyme-inducer', 'Carbamazepine, phenytoin or rifampicin', shares.inducer, 'Enzyme inducers raise the dose that is needed.'),
      yesNo('smoker', 'Current smoker', shares.smoker, 'Smokers need a little more.'),
      yesNo('valve-replacement', 'Heart valve replaced', shares.valve, 'In part because their INR was kept higher.'),
      yesNo('heart-failure', 'Heart failure or cardiomyopathy', shares.heartFailure, 'They need a little less.'),
      yesNo('thrombosis', 'Warfarin for thrombosis or embolism', shares.thrombosis, 'As Gage’s formula has it.'),
    ],
    markers: [
      {
        id: 'inr',
        label: 'INR',
        unit: '1',
        codes: [
          { system: 'LOINC', code: '6301-6' },
          { system: 'LOINC', code: '34714-6' },
        ],
        plausible: [0.5, 20],
        seen: [0.9, 8],
        staleAfterDays: 35,
        decimals: 1,
        normalRange: { low: 0.9, high: 1.2, source: 'Common adult reference range without anticoagulant' },
        thresholds: [
          { value: 3, direction: 'above', label: 'above 3' },
          { value: 4, direction: 'above', label: 'above 4' },
          { value: 2, direction: 'below', label: 'below 2' },
        ],
      },
    ],
    signs: [],
    events: [],
    interventions: [
      {
        id: 'warfarin',
        label: 'Warfarin',
        shortLabel: 'Warfarin',
        whatIfClass: 'M',
        codes: [
          { system: 'ATC', code: 'B01AA03' },
          { system: 'RxNorm', code: '11289' },
        ],
        exclusiveGroup: null,
        timing: 'any',
        evidence: {
          statement:
            'What a dose does to the INR follows from published kinetics and clotting-factor turnover, fitted to patients who were all treated; that genotype-guided dosing keeps more time in range was shown in one trial of two (EU-PACT, not COAG).',
          citation: `${hamberg2010}; Pirmohamed M et al. N Engl J Med 2013;369:2294–303; Kimmel SE et al. N Engl J Med 2013;369:2283–93`,
        },
      },
    ],
    usualCare: { label: 'Dose as recorded', description: 'The doses in the record go on as entered; nothing is added.', interventions: [] },
    models: [hybrid(correction), published2010, published2007, kineticPharmacodynamic],
    targets,
    doseGrids: [
      {
        intervention: 'warfarin',
        route: 'oral',
        amounts: [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 10, 12],
        per: 'dose',
        roundTo: 0.5,
        intervalHours: [24],
        durationHours: [],
        startHours: [0],
        loadingAmounts: [0, 5, 10],
        maximumDose: 20,
      },
    ],
    demonstrations: [
      {
        alias: 'Gerda: sensitive twice over',
        story:
          'A 74-year-old woman of 61 kg, CYP2C9 *1/*3 and VKORC1 AA, put on 5 mg a day without a genotype. The INR is 3.4 on day 6 and still rising.',
        covariates: { age: 74, weight: 61, height: 160, race: 'white', cyp2c9: '*1/*3', vkorc1: 'AA', 'baseline-inr': 1, amiodarone: 'no', 'enzyme-inducer': 'no' },
        courses: [{ intervention: 'warfarin', amount: 5, route: 'oral', startHours: -144, everyHours: 24, count: 6 }],
        observations: [
          { marker: 'inr', hours: -74, value: 2.1 },
          { marker: 'inr', hours: -2, value: 3.4 },
        ],
      },
      {
        alias: 'Hans: amiodarone, genotype unknown',
        story:
          'A 68-year-old man with atrial fibrillation and heart failure on amiodarone, never genotyped. Three INRs on 4 mg a day. What do they say of his genotype, and which dose holds 2.5?',
        covariates: { age: 68, weight: 88, height: 178, race: 'white', amiodarone: 'yes', 'enzyme-inducer': 'no', 'heart-failure': 'yes', 'valve-replacement': 'no' },
        courses: [{ intervention: 'warfarin', amount: 4, route: 'oral', startHours: -480, everyHours: 24, count: 20 }],
        observations: [
          { marker: 'inr', hours: -314, value: 1.9 },
          { marker: 'inr', hours: -170, value: 2.7 },
          { marker: 'inr', hours: -2, value: 3.1 },
        ],
      },
      {
        alias: 'Ines: needs a lot',
        story:
          'A 41-year-old woman with a deep vein thrombosis, *1/*1 and GG, 82 kg. After two weeks of 5 mg a day the INR is 1.4. How much more, and how soon is the next INR worth taking?',
        covariates: { age: 41, weight: 82, height: 170, race: 'white', cyp2c9: '*1/*1', vkorc1: 'GG', smoker: 'yes', thrombosis: 'yes' },
        courses: [{ intervention: 'warfarin', amount: 5, route: 'oral', startHours: -336, everyHours: 24, count: 14 }],
        observations: [
          { marker: 'inr', hours: -170, value: 1.2 },
          { marker: 'inr', hours: -2, value: 1.4 },
        ],
      },
    ],
  } satisfies Omit<EquationsManifest, 'golden' | 'card'>;
}

export const manifest = warfarinManifest(iwpcSummary);

/** Kinetics and clotting factors in f32 (README of the specifications): 5e-4 relative. */
const tolerance = { relative: 5e-4, ofLargest: 1e-4 } as const;

const daily = (days: number): readonly number[] => Array.from({ length: days + 1 }, (_, day) => 24 * day);
const common = { controls: [], initialStates: {}, times: daily(40), readouts: ['inr', 'concentration'], tolerance };
const reference = { age: 71, cyp2c9: '*1/*1', vkorc1: 'GG', 'baseline-inr': 1 };
const loading = [10, 10, 7.5].map((amount, day) => ({ input: 'WARFARIN', time: 24 * day, amount }));

export const goldenCases: readonly GoldenRequest[] = [
  {
    ...common,
    id: 'published-2010-5-mg',
    model: published2010.id,
    covariates: reference,
    effects: {},
    doses: everyDose('WARFARIN', { every: 24, count: 40, amount: 5 }),
  },
  {
    ...common,
    id: 'published-2010-loading',
    model: published2010.id,
    covariates: { age: 62, cyp2c9: '*1/*3', vkorc1: 'AG', 'baseline-inr': 1 },
    effects: { etaCL: -0.25, etaV: 0.1, etaEC50: 0.4 },
    doses: [...loading, ...everyDose('WARFARIN', { first: 72, every: 24, count: 30, amount: 4 })],
  },
  {
    ...common,
    id: 'published-2007-5-mg',
    model: published2007.id,
    covariates: { ...reference, age: 50 },
    effects: {},
    doses: everyDose('WARFARIN', { every: 24, count: 20, amount: 5 }),
  },
  {
    ...common,
    id: 'published-kpd-6-mg',
    model: kineticPharmacodynamic.id,
    covariates: { ...reference, cyp2c9: '*1/*2' },
    effects: {},
    doses: everyDose('WARFARIN', { every: 24, count: 40, amount: 6 }),
  },
  {
    ...common,
    id: 'recentred-amiodarone',
    model: 'warfarin-hamberg-2010-iwpc',
    covariates: {
      ...reference,
      age: 68,
      vkorc1: 'AG',
      weight: 88,
      height: 178,
      race: 'white',
      amiodarone: 'yes',
      'enzyme-inducer': 'no',
      smoker: 'no',
      'valve-replacement': 'no',
      'heart-failure': 'yes',
      thrombosis: 'no',
    },
    effects: { etaCL: 0.2, etaEC50: -0.3 },
    doses: everyDose('WARFARIN', { every: 24, count: 40, amount: 4 }),
    readouts: ['inr', 'concentration', 'maintenanceDose'],
  },
];
