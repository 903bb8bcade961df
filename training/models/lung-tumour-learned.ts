/** The learned model of the tumour benchmark as a pack: numbers of training/results/lung-tumour-learned.json (training/tumour/pack.ts). */
import { readFileSync } from 'node:fs';
import type { EquationsManifest } from '#packs/manifest.ts';
import { restoreModel } from '../tumour/fit.ts';
import { asEquations } from '../tumour/as-equations.ts';
import { packFitFile, type PackFit } from '../tumour/pack.ts';
import { goldenCases as simulatedCases, manifest as simulator } from './lung-tumour.ts';
import type { GoldenRequest } from './people.ts';

const fit = JSON.parse(readFileSync(packFitFile, 'utf8')) as PackFit;
const [geng] = simulator.models;

const citation = `Learned by us (training/tumour) from ${fit.people.train} people of the simulator of ${geng!.citation}`;

const models = asEquations(restoreModel(fit.model), {
  citation,
  time: 'd',
  timeZero: 'entry',
  covariates: geng!.covariates,
  constants: [
    ...geng!.constants.filter(({ symbol }) => symbol === 'Vdeath' || symbol === 'Vtypical'),
    { symbol: 'Vleast', value: 1e-9, unit: 'cm3', label: 'Less than a cell: no tumour. What the network reads is held to it' },
  ],
  controls: geng!.controls!,
  readouts: geng!.readouts,
  events: [
    ...geng!.events!.filter(({ id }) => id === 'death'),
    {
      id: 'recovery',
      kind: 'crossing',
      of: 'V',
      direction: 'falling',
      at: 'Vleast',
      terminal: true,
      set: [{ state: 'V', to: '0' }],
    },
  ],
});

const statement = (what: string): string =>
  `What ${what} does was learned from ${fit.people.train} simulated people who were treated the more often the larger their tumour was (γ = ${fit.gamma}). All that decided their treatment, the volumes, is in the model, so the effect can be learned although nothing was drawn by lot. That is so by construction of the simulator, and not in patients’ records.`;

export const manifest = {
  ...simulator,
  id: 'lung-tumour-learned',
  title: 'Learned lung tumour: the counterfactual benchmark',
  summary:
    'Volume of a lung tumour under days of chemotherapy and radiotherapy, learned from simulated people whose treatment followed the size of their tumour, and told no equation of the simulator. A benchmark, not a model of care.',
  sources: [
    {
      role: 'training',
      citation: `${fit.people.train} people of our own simulator (training/tumour/simulator.ts) after ${geng!.citation}`,
      licence: 'Apache-2.0',
      n: fit.people.train,
    },
    ...simulator.sources.filter(({ role }) => role === 'method'),
  ],
  population: {
    ...simulator.population,
    description: `${fit.people.train} simulated people with non-small-cell lung cancer, treated by a policy that depends on the volume (γ = ${fit.gamma}), seed ${fit.seed}.`,
  },
  interventions: simulator.interventions.map((intervention) => ({
    ...intervention,
    whatIfClass: 'S' as const,
    evidence: { statement: statement(intervention.id), citation },
  })),
  models,
  educationOnly:
    'Learned from a benchmark simulator: what it shows holds of simulated tumours as far as they were learned, and says nothing about a person’s.',
} satisfies Omit<EquationsManifest, 'golden' | 'card'>;

/** Half a standard deviation up, the centre, half down: the traits have no units of their own. */
const sizes = [0.5, 0, -0.5];
/** Treatment goes on no longer, days: with more the tumour is gone before the case ends. */
const treated = 3;

export const goldenCases: readonly GoldenRequest[] = models.flatMap((model, g) =>
  simulatedCases.map((simulated, i) => ({
    ...simulated,
    id: `${model.id}-${simulated.id}`,
    model: model.id,
    effects: Object.fromEntries(model.effects!.map(({ symbol, variance }, j) => [symbol, sizes[(i + j + g) % 3]! * Math.sqrt(variance)])),
    controls: simulated.controls.map((change) => (change.from < treated ? change : { ...change, value: 0 })),
  })),
);
