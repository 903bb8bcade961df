import type { EquationsManifest } from '#packs/manifest.ts';
import { age, closedFormTolerance, type GoldenRequest } from './people.ts';
import { progressionEffects, progressionMarkers, progressionModel, visit, type ProgressionPanel } from './progression.ts';

export const panel: ProgressionPanel = {
  id: 'leaspy-alzheimer',
  title: 'Disease course of seven scores',
  citation:
    'leaspy 2 (Inria/Aramis, BSD-3-Clause-Clear): pre-fitted logistic model. Schiratti JB et al., NIPS 2015;28:2404–12; Koval I et al., Sci Rep 2021;11:8020',
  onset: { mean: 77.15788269042969, sd: 8.441839218139648 },
  paceSd: 0.6068795323371887,
  sources: 2,
  // As the package ships them, f32 printed in full.
  scores: [
    {
      symbol: 'ecogSubject',
      marker: 'ecog-subject',
      label: 'E-Cog, subject',
      logG: 1.0201778411865234,
      logV0: -4.152715682983398,
      noise: 0.17298844456672668,
      mixing: [-0.04417305439710617, -0.04912002757191658],
    },
    {
      symbol: 'ecogPartner',
      marker: 'ecog-partner',
      label: 'E-Cog, study partner',
      logG: 0.3164330720901489,
      logV0: -2.41620635986328125,
      noise: 0.08435539901256561,
      mixing: [-0.029084403067827225, -0.09222227334976196],
    },
    {
      symbol: 'mmse',
      marker: 'mmse',
      label: 'MMSE',
      logG: 1.8107243776321411,
      logV0: -3.6669223308563232,
      noise: 0.0674661174416542,
      mixing: [0.015007591806352139, 0.043063607066869736],
    },
    {
      symbol: 'ravlt',
      marker: 'ravlt',
      label: 'RAVLT',
      logG: -0.6521825790405273,
      logV0: -3.4589483737945557,
      noise: 0.09784171730279922,
      mixing: [-0.003874790156260133, 0.07160281389951706],
    },
    {
      symbol: 'faq',
      marker: 'faq',
      label: 'FAQ',
      logG: 1.381809949874878,
      logV0: -2.5830576419830322,
      noise: 0.0685974508523941,
      mixing: [0.01480199582874775, -0.012778467498719692],
    },
    {
      symbol: 'fdgPet',
      marker: 'fdg-pet',
      label: 'FDG-PET',
      logG: -0.24459393322467804,
      logV0: -3.7795472145080566,
      noise: 0.0822504535317421,
      mixing: [0.06636450439691544, 0.08671408146619797],
    },
    {
      symbol: 'hippocampus',
      marker: 'hippocampus',
      label: 'Hippocampus volume ratio',
      logG: 0.03657829388976097,
      logV0: -3.7707912921905518,
      noise: 0.04291270300745964,
      mixing: [-0.08226002007722855, 0.11882534623146057],
    },
  ],
};

export const manifest = {
  format: 'counterpart-pack/1',
  kind: 'equations',
  id: 'alzheimer-progression',
  version: '1.0.0',
  title: 'Alzheimer: seven scores over age',
  summary:
    'E-Cog, MMSE, RAVLT, FAQ, FDG-PET and hippocampus over age, from one shared disease course with a person’s own onset and pace: natural history, no treatment can be chosen.',
  licence: 'Apache-2.0',
  authors: ['Counterpart developers'],
  sources: [{ role: 'model', citation: panel.citation, licence: 'BSD-3-Clause-Clear' }],
  population: {
    description:
      'The population for which leaspy ships fitted parameters: people on the way to and with Alzheimer’s disease, by its scores those of the ADNI study. The package describes them no further.',
    criteria: [
      { of: 'covariate', id: 'age', min: 45, max: 105, severity: 'hard', reason: 'The course is a function of age and was fitted to older people.' },
      { of: 'covariate', id: 'age', min: 55, max: 95, severity: 'soft', reason: 'Onset at the reference point is 77 ± 8 years; few were younger than 55 or older than 95.' },
    ],
  },
  era: { from: 2005, to: 2021 },
  place: 'North America (by its scores the ADNI study)',
  notFor: [
    'Judging any treatment: the model has no drug.',
    'Diagnosis: everyone is assumed to be on this course.',
    'Care of a patient; decisions on driving, living alone or capacity.',
    'Raw scores: values must be normalised to 0 … 1 first.',
  ],
  grid: { stepDays: 365.25 / 2, horizonSteps: 20, historySteps: 40, timeUnit: 'years' },
  covariates: [{ ...age({ plausible: [30, 115], seen: [55, 95] }), label: 'Age at entry', help: 'With its decimals: the course is a function of age.' }],
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
      alias: 'Olga: memory first',
      story: 'A woman first seen at 74, four visits in three years: RAVLT and hippocampus lead, daily function is still good.',
      covariates: { age: 74 },
      courses: [],
      observations: [
        ...visit(3, { mmse: 0.06, ravlt: 0.5, faq: 0.04, hippocampus: 0.52 }),
        ...visit(2, { mmse: 0.08, ravlt: 0.55, faq: 0.08 }),
        ...visit(1, { mmse: 0.11, ravlt: 0.6, faq: 0.12 }),
        ...visit(0, { mmse: 0.15, ravlt: 0.66, faq: 0.2, hippocampus: 0.6 }),
      ],
    },
    {
      alias: 'Paul: fast',
      story: 'A man first seen at 66 whose MMSE and FAQ worsen threefold in two years. The surprise is not the onset but the pace.',
      covariates: { age: 66 },
      courses: [],
      observations: [
        ...visit(2, { mmse: 0.12, faq: 0.15, ravlt: 0.62, 'fdg-pet': 0.5 }),
        ...visit(1, { mmse: 0.23, faq: 0.34, ravlt: 0.72 }),
        ...visit(0, { mmse: 0.38, faq: 0.58, ravlt: 0.8 }),
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
    id: 'alzheimer-gs-001',
    effects: progressionEffects(panel, { xi: -0.4334084093570709, tau: 75.6981201171875, sources: [-0.0293522421270608, 0.2275881320238113] }),
    times: [73.97318, 74.57318, 75.17318, 75.77319, 75.97318, 77.77319, 78.77319, 79.07318, 79.57318, 80.57318, 80.97318, 81.47318, 82.27319, 82.57318, 83.07318, 83.67318],
  },
  {
    ...common,
    id: 'alzheimer-gs-002',
    effects: progressionEffects(panel, { xi: -0.7687084674835205, tau: 72.37377166748047, sources: [-0.2561300098896026, 0.0692072659730911] }),
    times: [85.45333, 85.95333, 87.55333, 88.05333, 88.15334, 88.65334, 89.05333, 89.55333, 90.05333],
  },
  {
    ...common,
    id: 'alzheimer-gs-003',
    effects: progressionEffects(panel, { xi: 0.1342840790748596, tau: 75.04621124267578, sources: [-0.5117351412773132, 0.3100297749042511] }),
    times: [74.40947, 74.80947],
  },
];
