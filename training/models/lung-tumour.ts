import type { EquationsModel } from '#packs/equations/model.ts';
import type { Demonstration, EquationsManifest, Target } from '#packs/manifest.ts';
import type { GoldenRequest } from './people.ts';

const gengCitation =
  'Geng C, Paganetti H, Grassberger C. Prediction of treatment response for combined chemo- and radiation therapy for non-small cell lung cancer patients using a bio-mathematical model. Sci Rep 2017;7:13542';
const benchmarkCitation =
  'Lim B, Alaa AM, van der Schaar M. Forecasting treatment responses over time using recurrent marginal structural networks. NeurIPS 2018; as in Melnychuk V, Frauen D, Feuerriegel S. Causal Transformer. ICML 2022';

/** π/6 · diameter³, cm³. */
const sphere = (diameterCm: number): number => (Math.PI / 6) * diameterCm ** 3;
const sd = { alpha: 0.168, rho: 7.23e-3, betaC: 0.0007 };

const geng: EquationsModel = {
  id: 'tumour-geng2017',
  title: 'Geng 2017, as the counterfactual benchmark simulates it',
  citation: `${gengCitation}; ${benchmarkCitation}`,
  time: 'd',
  // Days begin at midnight, as treatments do.
  timeZero: 'entry',
  covariates: { TYPE: 'patient-type' },
  constants: [
    { symbol: 'K', value: sphere(30), unit: 'cm3', label: 'Carrying capacity: a sphere of 30 cm' },
    { symbol: 'Vdeath', value: sphere(13), unit: 'cm3', label: 'Volume at death: a sphere of 13 cm' },
    { symbol: 'cellDensity', value: 5.8e8, unit: '/cm3', label: 'Tumour cells per cm³' },
    { symbol: 'Vtypical', value: sphere(2.04), unit: 'cm3', label: 'Volume where none was observed: the benchmark’s median diameter, 2.04 cm' },
    { symbol: 'Vfloor', value: 1e-30, unit: 'cm3', label: 'Keeps the logarithm finite' },
    { symbol: 'alphaMean', value: 0.0398, unit: '1/Gy', label: 'Radiosensitivity α, mean before truncation' },
    { symbol: 'rhoMean', value: 7e-5, unit: '1', label: 'Growth ρ a day, mean before truncation' },
    { symbol: 'betaCMean', value: 0.028, unit: '1', label: 'Chemosensitivity βc per unit of concentration a day, mean' },
    { symbol: 'responder', value: 0.1, unit: '1', label: 'Extra response of types 1 and 3, share of the mean' },
    { symbol: 'alphaOverBeta', value: 10, unit: 'Gy', label: 'α/β' },
    { symbol: 'chemoDose', value: 5, unit: '1', label: 'Concentration that a day of chemotherapy adds' },
    { symbol: 'fraction', value: 2, unit: 'Gy', label: 'Dose of a day of radiotherapy' },
    { symbol: 'noiseSd', value: 0.01, unit: '1', label: 'Sd of the daily relative noise' },
  ],
  effects: [
    { symbol: 'etaAlpha', variance: sd.alpha ** 2, label: 'Radiosensitivity, added (sd 0.168 per Gy), truncated', per: 'person' },
    { symbol: 'etaRho', variance: sd.rho ** 2, label: 'Growth, added (sd 0.00723 a day), truncated', per: 'person' },
    { symbol: 'etaBetaC', variance: sd.betaC ** 2, label: 'Chemosensitivity, added (sd 0.0007), truncated', per: 'person' },
  ],
  correlations: [{ between: ['etaAlpha', 'etaRho'], value: 0.87 }],
  parameters: [
    { symbol: 'alphaDrawn', unit: '1/Gy', formula: 'alphaMean + unit(etaAlpha, \'1/Gy\')', label: 'Radiosensitivity before the type' },
    { symbol: 'betaCDrawn', unit: '1', formula: 'betaCMean + etaBetaC', label: 'Chemosensitivity before the type' },
    {
      symbol: 'alpha',
      unit: '1/Gy',
      formula: "alphaDrawn + if(TYPE == '1', responder * alphaMean, 0)",
      label: 'Radiosensitivity α',
    },
    { symbol: 'rho', unit: '1', formula: 'rhoMean + etaRho', label: 'Growth ρ a day' },
    {
      symbol: 'betaC',
      unit: '1',
      formula: "betaCDrawn + if(TYPE == '3', responder * betaCMean, 0)",
      label: 'Chemosensitivity βc',
    },
  ],
  constraints: ['alphaDrawn > 0', 'rho > 0', 'betaCDrawn > 0'],
  states: [
    {
      symbol: 'V',
      unit: 'cm3',
      initial: 'Vtypical',
      next: 'V * (1 + rho * log(K / max(V, Vfloor)) - betaC * C - alpha * d * (1 + d / alphaOverBeta) + noiseSd * e)',
      scale: 10,
      observedExactly: 'tumour-volume',
    },
    // Yesterday's concentration; today's is the algebra C.
    { symbol: 'Cbefore', unit: '1', initial: '0', next: 'C', scale: 5 },
  ],
  algebra: [
    { symbol: 'C', unit: '1', formula: 'Cbefore / 2 + chemoDose * chemo', label: 'Chemotherapy today (half-life one day)' },
    { symbol: 'd', unit: 'Gy', formula: 'fraction * radio', label: 'Radiotherapy today' },
  ],
  controls: [
    { symbol: 'chemo', unit: '1', intervention: 'chemotherapy', off: 0, on: 1 },
    { symbol: 'radio', unit: '1', intervention: 'radiotherapy', off: 0, on: 1 },
  ],
  noises: ['e'],
  readouts: [
    { symbol: 'volume', unit: 'cm3', formula: 'V', label: 'Tumour volume' },
    { symbol: 'diameter', unit: 'cm', formula: "unit((6 * in(max(V, 0), 'cm3') / 3.141592653589793)^(1 / 3), 'cm')", label: 'Diameter of a sphere of that volume' },
  ],
  observations: [{ marker: 'tumour-volume', readout: 'volume', error: { kind: 'transition', fraction: 0.01 } }],
  events: [
    {
      id: 'death',
      kind: 'crossing',
      of: 'V',
      direction: 'rising',
      at: 'Vdeath',
      terminal: true,
      set: [{ state: 'V', to: 'Vdeath' }],
    },
    {
      // −ln(1 − p) of a day, p = exp(−cells): recovery when only a few cells are left.
      id: 'recovery',
      kind: 'hazard',
      hazard: "unit(-log1p(-min(exp(-cellDensity * max(V, 0)), 0.999999)), '1/d')",
      terminal: true,
      set: [{ state: 'V', to: '0' }],
    },
  ],
  stepper: { kind: 'map', step: 1 },
};

const targets: readonly Target[] = [
  {
    id: 'shrinks-to-1cm',
    label: 'Tumour below 0.52 cm³ (a sphere of 1 cm) at the end',
    intent: 'reach',
    measure: { readout: 'volume', statistic: 'at-end', window: { kind: 'horizon' } },
    high: 0.52,
    unit: 'cm3',
    citation: 'A benchmark’s target of ours, without clinical meaning',
  },
  {
    id: 'lethal-volume',
    label: 'Tumour beyond 1,150 cm³ (a sphere of 13 cm) at any time',
    intent: 'avoid',
    measure: { readout: 'volume', statistic: 'maximum', window: { kind: 'horizon' } },
    low: sphere(13),
    unit: 'cm3',
    citation: gengCitation,
  },
];

/** One volume a day, ending now. */
const daily = (from: number, volumes: readonly number[]): Demonstration['observations'] =>
  volumes.map((value, day) => ({ marker: 'tumour-volume', hours: 24 * (from + day), value }));

export const manifest = {
  format: 'counterpart-pack/1',
  kind: 'equations',
  id: 'lung-tumour',
  version: '1.0.0',
  title: 'Lung tumour: the counterfactual benchmark',
  summary:
    'Volume of a lung tumour under days of chemotherapy and radiotherapy: the simulator on which methods for counterfactual forecasts are compared. A benchmark, not a model of care.',
  licence: 'Apache-2.0',
  authors: ['Counterpart developers'],
  sources: [
    { role: 'model', citation: gengCitation, licence: 'CC BY 4.0' },
    { role: 'method', citation: benchmarkCitation, licence: 'Published method; simulator MIT' },
  ],
  population: {
    description:
      'Simulated people with non-small-cell lung cancer; response parameters from Geng 2017, spread as the benchmark draws them.',
    criteria: [
      {
        of: 'marker',
        id: 'tumour-volume',
        min: 1e-6,
        max: sphere(13),
        severity: 'hard',
        reason: 'The simulator ends at the volume of a 13 cm sphere, and counts single cells below a billionth of a cm³.',
      },
      {
        of: 'marker',
        id: 'tumour-volume',
        min: sphere(0.3),
        max: sphere(12.5),
        severity: 'soft',
        reason: 'The simulated people begin with 0.3 to 13 cm.',
      },
    ],
  },
  era: { from: 2017, to: 2022 },
  place: 'Simulated',
  notFor: [
    'Any person with cancer: doses, concentrations and noise are those of a benchmark.',
    'Choosing between chemotherapy and radiotherapy, their toxicity, spread of the tumour.',
    'Judging how good a method is on real data.',
  ],
  grid: { stepDays: 1, horizonSteps: 60, historySteps: 120, timeUnit: 'days' },
  covariates: [
    {
      kind: 'category',
      id: 'patient-type',
      label: 'Type of the benchmark',
      required: false,
      help: 'Type 1 responds a little better to radiotherapy, type 3 to chemotherapy. Unknown: each a third.',
      categories: [
        { value: '1', label: '1: better response to radiotherapy', share: 1 / 3 },
        { value: '2', label: '2: neither', share: 1 / 3 },
        { value: '3', label: '3: better response to chemotherapy', share: 1 / 3 },
      ],
    },
  ],
  markers: [
    {
      id: 'tumour-volume',
      label: 'Tumour volume',
      unit: 'cm3',
      alternativeUnits: [
        { unit: 'mL', factor: 1 },
        { unit: 'mm3', factor: 0.001 },
      ],
      plausible: [1e-9, 1200],
      seen: [0.01, 1000],
      staleAfterDays: 7,
      decimals: 2,
      thresholds: [{ value: sphere(13), direction: 'above', label: 'a sphere of 13 cm' }],
    },
  ],
  signs: [],
  events: [
    { id: 'death', label: 'Death (tumour of 13 cm)', verb: 'reach the lethal volume', isTerminal: true },
    { id: 'recovery', label: 'Recovery (no cell left)', verb: 'have no tumour cell left', isTerminal: true },
  ],
  interventions: [
    {
      id: 'chemotherapy',
      label: 'Chemotherapy (a dose a day)',
      shortLabel: 'Chemo',
      whatIfClass: 'M',
      exclusiveGroup: null,
      timing: 'any',
      evidence: {
        statement: 'A rule of the simulator: each treated day adds 5 units that halve daily and kill in proportion. True in the benchmark by construction, and nowhere else.',
        citation: benchmarkCitation,
      },
    },
    {
      id: 'radiotherapy',
      label: 'Radiotherapy (2 Gy a day)',
      shortLabel: 'Radio',
      whatIfClass: 'M',
      exclusiveGroup: null,
      timing: 'any',
      evidence: {
        statement: 'A rule of the simulator: the linear-quadratic effect of 2 Gy on each treated day. True in the benchmark by construction, and nowhere else.',
        citation: benchmarkCitation,
      },
    },
  ],
  usualCare: { label: 'No further treatment', description: 'No day of chemotherapy or radiotherapy from today on.', interventions: [] },
  models: [geng],
  targets,
  doseGrids: [],
  demonstrations: [
    {
      alias: 'Mira: after a first course',
      story:
        'A simulated tumour of 4 cm: two days of chemotherapy, five of radiotherapy, then none. It has begun to grow again. What do ten more days of either do?',
      covariates: { 'patient-type': '1' },
      courses: [],
      treatments: [
        { intervention: 'radiotherapy', startHours: -168, stopHours: -48 },
        { intervention: 'chemotherapy', startHours: -240, stopHours: -192 },
      ],
      observations: daily(-10, [33.5, 30.2, 24.7, 23.1, 14, 8.66, 5.54, 3.55, 2.34, 2.48, 2.61]),
    },
    {
      alias: 'Niklas: nothing given yet',
      story: 'A simulated tumour of 7.5 cm, three days observed, untreated. The spread of the forecast is that of the population.',
      covariates: {},
      courses: [],
      observations: daily(-3, [221, 225.8, 227.4, 231.9]),
    },
  ],
  educationOnly:
    'This is a benchmark simulator: what it shows is true of simulated tumours by construction, and says nothing about a person’s.',
} satisfies Omit<EquationsManifest, 'golden' | 'card'>;

/** A discrete map in f32 over 60 days (README of the specifications): 1e-4 relative. */
const tolerance = { relative: 1e-4, ofLargest: 1e-6 } as const;

/** From 60 days of 0 and 1 to changes of a control. */
const changes = (control: string, onDays: readonly number[]): GoldenRequest['controls'] =>
  Array.from({ length: 60 }, (_, day) => ({ control, from: day, value: onDays.includes(day) ? 1 : 0 }));

const everyThirdDay = Array.from({ length: 20 }, (_, k) => 3 * k);
const weekdays = Array.from({ length: 60 }, (_, day) => day).filter((day) => day % 7 < 5);

const common = {
  model: geng.id,
  doses: [],
  times: Array.from({ length: 31 }, (_, k) => 2 * k),
  readouts: ['volume', 'diameter'],
  tolerance,
};
/** A fixed wave instead of drawn noise. */
const wave = Array.from({ length: 60 }, (_, day) => Number((1.5 * Math.sin(1.7 * day)).toFixed(6)));
const still = Array.from({ length: 60 }, () => 0);

export const goldenCases: readonly GoldenRequest[] = [
  {
    ...common,
    id: 'untreated',
    covariates: { 'patient-type': '2' },
    effects: { etaAlpha: 0.1, etaRho: 0.004, etaBetaC: 0 },
    controls: [],
    initialStates: { V: 14.137166941154067 },
    noise: still,
  },
  {
    ...common,
    id: 'chemotherapy-every-third-day',
    covariates: { 'patient-type': '3' },
    effects: { etaAlpha: 0.1, etaRho: 0.006, etaBetaC: 0.0003 },
    controls: changes('chemo', everyThirdDay),
    initialStates: { V: 65.44984694978736 },
    noise: wave,
  },
  {
    ...common,
    id: 'both-on-weekdays',
    covariates: { 'patient-type': '1' },
    effects: { etaAlpha: -0.02, etaRho: 0.009, etaBetaC: -0.0004 },
    controls: [...changes('chemo', weekdays), ...changes('radio', weekdays)].toSorted((a, b) => a.from - b.from),
    initialStates: { V: 523.5987755982989 },
    noise: wave,
  },
];
