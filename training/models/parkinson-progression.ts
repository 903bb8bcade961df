import type { EquationsManifest } from '#packs/manifest.ts';
import { age, closedFormTolerance, type GoldenRequest } from './people.ts';
import { progressionEffects, progressionMarkers, progressionModel, visit, type ProgressionPanel } from './progression.ts';

export const panel: ProgressionPanel = {
  id: 'leaspy-parkinson',
  title: 'Disease course of ten scores',
  citation:
    'leaspy 2 (Inria/Aramis, BSD-3-Clause-Clear): pre-fitted logistic model. Schiratti JB et al., NIPS 2015;28:2404–12; Koval I et al., Sci Rep 2021;11:8020',
  onset: { mean: 65.659332275390625, sd: 9.881054878234863 },
  paceSd: 0.5016743540763855,
  sources: 3,
  // As the package ships them, f32 printed in full.
  scores: [
    {
      symbol: 'mds1',
      marker: 'mds-updrs-1',
      label: 'MDS-UPDRS part 1',
      logG: 1.8579226732254028,
      logV0: -4.4875006675720215,
      noise: 0.06213844195008278,
      mixing: [0.005288681481033564, -0.012971548363566399, -0.0373607762157917],
    },
    {
      symbol: 'mds2',
      marker: 'mds-updrs-2',
      label: 'MDS-UPDRS part 2',
      logG: 1.8027533292770386,
      logV0: -4.205735206604004,
      noise: 0.06462288647890091,
      mixing: [0.004847388714551926, -0.01958712562918663, -0.04236620292067528],
    },
    {
      symbol: 'mds3',
      marker: 'mds-updrs-3-off',
      label: 'MDS-UPDRS part 3, off',
      logG: 1.1920188665390015,
      logV0: -4.536120891571045,
      noise: 0.08449842035770416,
      mixing: [-0.016669131815433502, 0.007159186992794275, -0.02252187207341194],
    },
    {
      symbol: 'scopa',
      marker: 'scopa',
      label: 'SCOPA-AUT',
      logG: 1.3551826477050781,
      logV0: -4.160358905792236,
      noise: 0.1064048632979393,
      mixing: [0.007062074728310108, -0.030832966789603233, -0.03447728604078293],
    },
    {
      symbol: 'moca',
      marker: 'moca',
      label: 'MoCA',
      logG: 2.349271774291992,
      logV0: -4.855291366577148,
      noise: 0.06281979382038116,
      mixing: [-0.0627201497554779, 0.013306874781847, -0.0014183640014380217],
    },
    {
      symbol: 'rem',
      marker: 'rem',
      label: 'REM sleep behaviour',
      logG: 0.7713785767555237,
      logV0: -3.792064666748047,
      noise: 0.1628199815750122,
      mixing: [0.11242029815912247, -0.031213445588946342, -0.072915218770504],
    },
    {
      symbol: 'putamenR',
      marker: 'putamen-right',
      label: 'Putamen uptake, right',
      logG: -0.9012769460678101,
      logV0: -3.826040744781494,
      noise: 0.03644188866019249,
      mixing: [0.0053919898346066475, 0.06632719933986664, 0.017316393554210663],
    },
    {
      symbol: 'putamenL',
      marker: 'putamen-left',
      label: 'Putamen uptake, left',
      logG: -0.9581974148750305,
      logV0: -3.8687050342559814,
      noise: 0.037754692137241364,
      mixing: [-0.020028293132781982, -0.03742639347910881, 0.023776713758707047],
    },
    {
      symbol: 'caudateR',
      marker: 'caudate-right',
      label: 'Caudate uptake, right',
      logG: 0.23143373429775238,
      logV0: -3.241763114929199,
      noise: 0.03609469532966614,
      mixing: [0.03563942760229111, 0.08462703973054886, 0.0884876400232315],
    },
    {
      symbol: 'caudateL',
      marker: 'caudate-left',
      label: 'Caudate uptake, left',
      logG: 0.23514987528324127,
      logV0: -3.2764084339141846,
      noise: 0.035417068749666214,
      mixing: [-0.0001515112817287445, -0.039118461310863495, 0.09692152589559555],
    },
  ],
};

export const manifest = {
  format: 'counterpart-pack/1',
  kind: 'equations',
  id: 'parkinson-progression',
  version: '1.0.0',
  title: 'Parkinson: ten scores over age',
  summary:
    'MDS-UPDRS, SCOPA, MoCA, REM sleep and dopamine imaging over age, from one shared disease course with a person’s own onset and pace: natural history, no treatment can be chosen.',
  licence: 'Apache-2.0',
  authors: ['Counterpart developers'],
  sources: [{ role: 'model', citation: panel.citation, licence: 'BSD-3-Clause-Clear' }],
  population: {
    description:
      'The population for which leaspy ships fitted parameters: people with early Parkinson’s disease, by its scores those of the PPMI study. The package describes them no further.',
    criteria: [
      { of: 'covariate', id: 'age', min: 30, max: 100, severity: 'hard', reason: 'The course is a function of age and was fitted to adults with the disease.' },
      { of: 'covariate', id: 'age', min: 40, max: 90, severity: 'soft', reason: 'Onset at the reference point is 66 ± 10 years; few were younger than 40 or older than 90.' },
    ],
  },
  era: { from: 2010, to: 2021 },
  place: 'North America and Europe (by its scores the PPMI study)',
  notFor: [
    'Judging any treatment: the model has no drug. Levodopa hides motor signs; part 3 is meant off.',
    'Diagnosis: everyone is assumed to be on this course.',
    'Care of a patient.',
    'Raw scores: values must be normalised to 0 … 1 first.',
  ],
  grid: { stepDays: 365.25 / 2, horizonSteps: 20, historySteps: 40, timeUnit: 'years' },
  covariates: [{ ...age({ plausible: [20, 115], seen: [40, 90] }), label: 'Age at entry', help: 'With its decimals: the course is a function of age.' }],
  markers: progressionMarkers(panel),
  signs: [],
  events: [],
  interventions: [],
  usualCare: {
    label: 'Natural history',
    description: 'The course under the care that the people behind the parameters had; nothing can be added.',
    interventions: [],
  },
  models: [progressionModel(panel)],
  targets: [],
  doseGrids: [],
  demonstrations: [
    {
      alias: 'Rosa: as most',
      story: 'A woman first seen at 65, three visits in two years, scores near the mean of her age.',
      covariates: { age: 65 },
      courses: [],
      observations: [
        ...visit(2, { 'mds-updrs-1': 0.11, 'mds-updrs-2': 0.12, 'mds-updrs-3-off': 0.2, 'putamen-right': 0.68, 'putamen-left': 0.69 }),
        ...visit(1, { 'mds-updrs-2': 0.14, 'mds-updrs-3-off': 0.23 }),
        ...visit(0, { 'mds-updrs-1': 0.14, 'mds-updrs-2': 0.17, 'mds-updrs-3-off': 0.26, moca: 0.1, 'putamen-right': 0.73, 'putamen-left': 0.74 }),
      ],
    },
    {
      alias: 'Stefan: young and fast',
      story: 'A man first seen at 50 whose motor score doubles in two years while cognition is untouched. Age is not the clock: pace is.',
      covariates: { age: 50 },
      courses: [],
      observations: [
        ...visit(2, { 'mds-updrs-2': 0.12, 'mds-updrs-3-off': 0.18, moca: 0.05, 'caudate-right': 0.4 }),
        ...visit(1, { 'mds-updrs-2': 0.19, 'mds-updrs-3-off': 0.27 }),
        ...visit(0, { 'mds-updrs-2': 0.28, 'mds-updrs-3-off': 0.38, moca: 0.05, 'caudate-right': 0.52 }),
      ],
    },
  ],
} satisfies Omit<EquationsManifest, 'golden' | 'card'>;

const common = {
  model: panel.id,
  covariates: {},
  doses: [],
  controls: [],
  initialStates: {},
  readouts: panel.scores.map(({ symbol }) => symbol),
  tolerance: closedFormTolerance,
};

/** Made-up subjects of the package, at the individual parameters it ships for them. */
export const goldenCases: readonly GoldenRequest[] = [
  {
    ...common,
    id: 'parkinson-gs-001',
    effects: progressionEffects(panel, { xi: 1.0009108781814575, tau: 70.36078643798828, sources: [-0.8487349152565002, 0.9183008074760436, -0.096192181110382] }),
    times: [71.35461, 71.5546, 72.0546, 73.0546, 73.5546, 74.0546, 74.5546, 75.0546, 75.25461],
  },
  {
    ...common,
    id: 'parkinson-gs-002',
    effects: progressionEffects(panel, { xi: -0.2598075866699219, tau: 49.4974479675293, sources: [1.3467799425125122, 0.4696909189224243, -1.7692937850952148] }),
    times: [50.20559, 50.70559, 51.20559, 51.70559, 52.20559, 52.40559, 52.90559, 53.40559, 54.40559, 54.60559],
  },
  {
    ...common,
    id: 'parkinson-gs-003',
    effects: progressionEffects(panel, { xi: 0.320505291223526, tau: 69.80586242675781, sources: [-0.9779667854309082, 0.1803226470947265, -0.8248228430747986] }),
    times: [71.18401, 71.384, 71.884, 72.384, 72.484, 72.984, 73.484, 73.984, 74.984],
  },
];
