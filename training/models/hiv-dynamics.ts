import type { Constant, Definition, EquationsModel, RandomEffect } from '#packs/equations/model.ts';
import type { Demonstration, EquationsManifest, Target } from '#packs/manifest.ts';
import type { GoldenRequest } from './people.ts';

const adamsCitation =
  'Adams BM, Banks HT, Kwon HD, Tran HT. Dynamic multidrug therapies for HIV: optimal and STI control approaches. Math Biosci Eng 2004;1:223–41';
const ernstCitation =
  'Ernst D, Stan GB, Gonçalves J, Wehenkel L. Clinical data based optimal STI strategies for HIV: a reinforcement learning approach. Proc IEEE Conf Decision and Control 2006:667–72';

const cells = '{cells}/mL';

/** Published values that are the same for everybody. */
const fixed: readonly Constant[] = [
  { symbol: 'lambda2', value: 31.98, unit: '{cells}/mL/d', label: 'Production of macrophages' },
  { symbol: 'd2', value: 0.01, unit: '1/d', label: 'Loss of macrophages' },
  { symbol: 'f', value: 0.34, unit: '1', label: 'Efficacy of reverse-transcriptase inhibitors in macrophages, share' },
  { symbol: 'rho1', value: 1, unit: '{virions}/{cells}', label: 'Virions that infect a CD4 cell' },
  { symbol: 'rho2', value: 1, unit: '{virions}/{cells}', label: 'Virions that infect a macrophage' },
  { symbol: 'lambdaE', value: 1, unit: '{cells}/mL/d', label: 'Production of immune effectors' },
  { symbol: 'deltaE', value: 0.1, unit: '1/d', label: 'Loss of immune effectors' },
];

/** Published value, unit, label, and the coefficient of variation that we made up. */
const varied = [
  ['lambda1', 1e4, '{cells}/mL/d', 'Production of CD4 cells', 0.2],
  ['d1', 0.01, '1/d', 'Loss of CD4 cells', 0.2],
  ['k1', 8e-7, 'mL/{virions}/d', 'Infection of CD4 cells', 0.25],
  ['k2', 1e-4, 'mL/{virions}/d', 'Infection of macrophages', 0.25],
  ['delta', 0.7, '1/d', 'Loss of infected cells', 0.15],
  ['m1', 1e-5, 'mL/{cells}/d', 'Killing of infected CD4 cells by effectors', 0.2],
  ['m2', 1e-5, 'mL/{cells}/d', 'Killing of infected macrophages by effectors', 0.2],
  ['NT', 100, '{virions}/{cells}', 'Virions from an infected cell', 0.2],
  ['c', 13, '1/d', 'Clearance of virus', 0.15],
  ['bE', 0.3, '1/d', 'Fastest growth of effectors', 0.15],
  ['Kb', 100, cells, 'Infected cells at half of it', 0.2],
  ['dE', 0.25, '1/d', 'Fastest exhaustion of effectors', 0.15],
  ['Kd', 500, cells, 'Infected cells at half of it', 0.2],
] as const;

const constants: readonly Constant[] = [
  ...varied.map(([symbol, value, unit, label]): Constant => ({ symbol: `${symbol}pop`, value, unit, label })),
  ...fixed,
];
const effects: readonly RandomEffect[] = varied.map(([symbol, , , label, cv]) => ({
  symbol: `eta_${symbol}`,
  variance: Math.log1p(cv * cv),
  label: `${label}, log scale (CV ${100 * cv} %, illustrative)`,
  per: 'person',
}));
const parameters: readonly Definition[] = varied.map(([symbol, , unit, label]) => ({
  symbol,
  unit,
  formula: `${symbol}pop * exp(eta_${symbol})`,
  label,
}));

const adams: EquationsModel = {
  id: 'hiv-adams2004',
  title: 'Adams 2004: CD4 cells, macrophages, virus and immune effectors',
  citation: adamsCitation,
  time: 'd',
  timeZero: 'first-event',
  covariates: {},
  constants,
  effects,
  parameters,
  // The untreated steady state of the published parameters: chronic infection.
  states: [
    {
      symbol: 'T1',
      unit: cells,
      initial: `unit(163573, '${cells}')`,
      derivative: 'lambda1 - d1 * T1 - (1 - e1) * k1 * V * T1',
      scale: 1e5,
    },
    {
      symbol: 'I1',
      unit: cells,
      initial: `unit(11945, '${cells}')`,
      derivative: '(1 - e1) * k1 * V * T1 - delta * I1 - m1 * E * I1',
      scale: 1e3,
    },
    {
      symbol: 'T2',
      unit: cells,
      initial: `unit(5, '${cells}')`,
      derivative: 'lambda2 - d2 * T2 - (1 - f * e1) * k2 * V * T2',
      scale: 10,
    },
    {
      symbol: 'I2',
      unit: cells,
      initial: `unit(46, '${cells}')`,
      derivative: '(1 - f * e1) * k2 * V * T2 - delta * I2 - m2 * E * I2',
      scale: 10,
    },
    {
      symbol: 'V',
      unit: '{virions}/mL',
      initial: "unit(63919, '{virions}/mL')",
      derivative:
        '(1 - e2) * NT * delta * (I1 + I2) - c * V - ((1 - e1) * rho1 * k1 * T1 + (1 - f * e1) * rho2 * k2 * T2) * V',
      scale: 1e3,
    },
    {
      symbol: 'E',
      unit: cells,
      initial: `unit(24, '${cells}')`,
      derivative: 'lambdaE + bE * infected / (infected + Kb) * E - dE * infected / (infected + Kd) * E - deltaE * E',
      scale: 10,
    },
  ],
  algebra: [{ symbol: 'infected', unit: cells, formula: 'I1 + I2', label: 'Infected cells' }],
  controls: [
    { symbol: 'e1', unit: '1', intervention: 'rt-inhibitors', off: 0, on: 0.7 },
    { symbol: 'e2', unit: '1', intervention: 'protease-inhibitors', off: 0, on: 0.3 },
  ],
  readouts: [
    { symbol: 'logViralLoad', unit: '1', formula: "log(in(max(V, 0), '{virions}/mL') + 1e-12) / log(10)", label: 'Viral load, log₁₀ copies/mL' },
    { symbol: 'cd4', unit: '{cells}/uL', formula: 'T1 + I1', label: 'CD4 cells' },
    { symbol: 'effectors', unit: cells, formula: 'E', label: 'Immune effectors' },
    { symbol: 'virus', unit: '{virions}/mL', formula: 'V', label: 'Virus' },
    { symbol: 'healthyT1', unit: cells, formula: 'T1', label: 'Uninfected CD4 cells' },
    { symbol: 'infectedT1', unit: cells, formula: 'I1', label: 'Infected CD4 cells' },
    { symbol: 'healthyT2', unit: cells, formula: 'T2', label: 'Uninfected macrophages' },
    { symbol: 'infectedT2', unit: cells, formula: 'I2', label: 'Infected macrophages' },
  ],
  observations: [
    { marker: 'log-viral-load', readout: 'logViralLoad', error: { kind: 'additive', sd: 0.2 } },
    { marker: 'cd4', readout: 'cd4', error: { kind: 'log', sd: 0.1 } },
  ],
  stepper: {
    kind: 'rosenbrock',
    relativeTolerance: 1e-9,
    absoluteTolerance: 1e-9,
    firstStep: 1e-3,
    maximumStep: 5,
    maximumSteps: 200_000,
  },
};

const targets: readonly Target[] = [
  {
    id: 'healthy-basin',
    label: 'Immune effectors above 100,000 per mL at the end: on the way to control without drugs',
    intent: 'reach',
    measure: { readout: 'effectors', statistic: 'at-end', window: { kind: 'horizon' } },
    low: 1e5,
    unit: '{cells}/mL',
    citation: ernstCitation,
  },
  {
    id: 'suppressed',
    label: 'Viral load below 1,000 copies/mL at the end',
    intent: 'reach',
    measure: { readout: 'logViralLoad', statistic: 'at-end', window: { kind: 'horizon' } },
    high: 3,
    unit: '1',
    citation: 'World Health Organization, consolidated guidelines on HIV 2021: viral failure is above 1,000 copies/mL',
  },
  {
    id: 'cd4-low',
    label: 'CD4 cells below 200 per µL at any time',
    intent: 'avoid',
    measure: { readout: 'cd4', statistic: 'minimum', window: { kind: 'horizon' } },
    high: 200,
    unit: '{cells}/uL',
    citation: 'Centers for Disease Control and Prevention, revised surveillance case definition for HIV infection, 2014: stage 3',
  },
];

const mechanism = (what: string): string =>
  `${what} in the equations by construction. A teaching model: structured interruption harmed people in the SMART trial (N Engl J Med 2006;355:2283–96).`;

/** Of the made-up people: days from now, log₁₀ copies/mL, cells/µL. */
const visits = (...rows: readonly (readonly [day: number, load: number, cd4: number])[]): Demonstration['observations'] =>
  rows.flatMap(([day, load, cd4]) => [
    { marker: 'log-viral-load', hours: 24 * day, value: load },
    { marker: 'cd4', hours: 24 * day, value: cd4 },
  ]);
const bothClasses = (startDay: number): NonNullable<Demonstration['treatments']> =>
  ['rt-inhibitors', 'protease-inhibitors'].map((intervention) => ({ intervention, startHours: 24 * startDay }));

export const manifest = {
  format: 'counterpart-pack/1',
  kind: 'equations',
  id: 'hiv-dynamics',
  version: '1.0.0',
  title: 'HIV dynamics: structured interruption (teaching)',
  summary:
    'CD4 cells, virus and immune effectors under two classes of drugs, from the equations of Adams 2004; for teaching non-linear dynamics and planning, not for care.',
  licence: 'Apache-2.0',
  authors: ['Counterpart developers'],
  sources: [
    { role: 'model', citation: adamsCitation, licence: 'Published equations and values' },
    { role: 'method', citation: ernstCitation, licence: 'Published method' },
  ],
  population: {
    description:
      'Nobody: one set of published values, with a spread of 15 to 25 % between people that we made up so that uncertainty can be shown.',
    criteria: [
      {
        of: 'marker',
        id: 'log-viral-load',
        min: 0,
        max: 7.2,
        severity: 'soft',
        reason: 'The acute peak of the published values is just below 10⁷ copies/mL.',
      },
      { of: 'marker', id: 'cd4', min: 10, max: 1300, severity: 'soft', reason: 'The equations hold between 0 and about 1,000 cells per µL.' },
    ],
  },
  era: { from: 2004, to: 2006 },
  place: 'Simulated',
  notFor: [
    'Any person with HIV. Antiretroviral treatment is lifelong and is not interrupted: in the SMART trial interruption raised deaths and opportunistic disease.',
    'Resistance, adherence, toxicity, immune reconstitution, today’s drugs and their potency.',
    'The spread between people, which is illustrative.',
  ],
  grid: { stepDays: 5, horizonSteps: 120, historySteps: 160, timeUnit: 'days' },
  covariates: [],
  markers: [
    {
      id: 'log-viral-load',
      label: 'Viral load, log₁₀ copies/mL',
      unit: '1',
      codes: [{ system: 'LOINC', code: '29539-4' }],
      plausible: [-6, 9],
      seen: [0, 7],
      staleAfterDays: 120,
      decimals: 2,
      thresholds: [{ value: 3, direction: 'above', label: 'above 1,000 copies/mL' }],
    },
    {
      id: 'cd4',
      label: 'CD4 cells',
      unit: '{cells}/uL',
      alternativeUnits: [{ unit: '10*6/L', factor: 1 }],
      codes: [{ system: 'LOINC', code: '24467-3' }],
      plausible: [0, 3000],
      seen: [20, 1100],
      staleAfterDays: 200,
      decimals: 0,
      normalRange: { low: 500, high: 1500, source: 'Common adult reference range' },
      thresholds: [{ value: 200, direction: 'below', label: 'below 200 per µL' }],
    },
  ],
  signs: [],
  events: [],
  interventions: [
    {
      id: 'rt-inhibitors',
      label: 'Reverse-transcriptase inhibitors (70 % effective)',
      shortLabel: 'RTI',
      whatIfClass: 'M',
      codes: [{ system: 'ATC', code: 'J05AF' }],
      exclusiveGroup: null,
      timing: 'any',
      evidence: { statement: mechanism('They lower infection of CD4 cells by 70 % and of macrophages by 24 %'), citation: adamsCitation },
    },
    {
      id: 'protease-inhibitors',
      label: 'Protease inhibitors (30 % effective)',
      shortLabel: 'PI',
      whatIfClass: 'M',
      codes: [{ system: 'ATC', code: 'J05AE' }],
      exclusiveGroup: null,
      timing: 'any',
      evidence: { statement: mechanism('They lower the release of infectious virus by 30 %'), citation: adamsCitation },
    },
  ],
  usualCare: {
    label: 'Both classes throughout',
    description: 'Reverse-transcriptase and protease inhibitors from today to the horizon.',
    interventions: ['rt-inhibitors', 'protease-inhibitors'],
  },
  models: [adams],
  targets,
  doseGrids: [],
  demonstrations: [
    {
      alias: 'Oskar: half a year on both classes',
      story:
        'A made-up person with chronic infection, untreated for a hundred days of observation and on both classes since. CD4 cells rise, the virus is suppressed and creeps back: what would an interruption do in these equations?',
      covariates: {},
      courses: [],
      treatments: bothClasses(-180),
      observations: visits([-280, 4.9, 171], [-190, 4.72, 166], [-170, 2.5, 231], [-140, 0.3, 402], [-90, 3.4, 676], [-30, 4.1, 731], [0, 4.5, 690]),
    },
    {
      alias: 'Paula: untreated',
      story: 'A made-up person with chronic infection and no drug. Three visits, and the choice of every plan.',
      covariates: {},
      courses: [],
      observations: visits([-120, 4.62, 160], [-60, 4.81, 151], [0, 4.7, 158]),
    },
  ],
  educationOnly:
    'For teaching only: a simplified model with a made-up spread between people. Interrupting treatment harmed people in a randomised trial.',
} satisfies Omit<EquationsManifest, 'golden' | 'card'>;

/** Stiff in f32 (README of the specifications): 2e-3 relative. */
const tolerance = { relative: 2e-3, ofLargest: 1e-5 } as const;
const states = ['healthyT1', 'infectedT1', 'healthyT2', 'infectedT2', 'virus', 'effectors'];
const unhealthy = { T1: 163573, I1: 11945, T2: 5, I2: 46, V: 63919, E: 24 };
const acute = { T1: 1e6, I1: 1e-4, T2: 3198, I2: 1e-4, V: 1, E: 10 };
const fiveDays = (days: number): readonly number[] => Array.from({ length: days / 5 + 1 }, (_, k) => 5 * k);
const both = (from: number, isOn: boolean): GoldenRequest['controls'] => [
  { control: 'e1', from, value: isOn ? 0.7 : 0 },
  { control: 'e2', from, value: isOn ? 0.3 : 0 },
];
const common = { model: adams.id, covariates: {}, doses: [], readouts: states, tolerance };

export const goldenCases: readonly GoldenRequest[] = [
  { ...common, id: 'acute-untreated', effects: {}, controls: [], initialStates: acute, times: fiveDays(200) },
  { ...common, id: 'acute-treated-from-day-100', effects: {}, controls: both(100, true), initialStates: acute, times: fiveDays(200) },
  { ...common, id: 'chronic-treated', effects: {}, controls: both(0, true), initialStates: unhealthy, times: fiveDays(400) },
  {
    ...common,
    id: 'ten-days-on-ten-off',
    effects: {},
    controls: Array.from({ length: 40 }, (_, k) => both(10 * k, k % 2 === 0)).flat(),
    initialStates: unhealthy,
    times: fiveDays(400),
  },
];
