import { addDays, type Observation } from '#domain/record.ts';
import { requiredNumber } from '#training/clinical-data.ts';
import { entryDate, type Recipe } from './recipe.ts';

/** One marker that drifts, one event that follows it, one randomised drug that halves the drift: trained for real by a test. */
export const toy: Recipe = {
  id: 'toy-drift',
  folder: 'toy_drift',
  L: 1,
  H: 4,
  E: 4,
  members: 2,
  fit: {
    iterations: 150,
    learningRate: 0.03,
    penalty: { core: 2, drift: 0.5, hazard: 0.5, treatment: 0.1, entry: 0.5 },
    start: { innovation: 0.3, observation: 0.3, reversion: 0.02 },
  },
  encoder: { iterations: 40, batch: 32, learningRate: 0.02 },
  record: (data, id) => ({
    id,
    alias: id,
    isSynthetic: true,
    entryDate,
    covariates: { age: requiredNumber(data.subjects.get(id)!, 'age', id) },
    observations: (data.visits.get(id) ?? []).flatMap(({ time, values }) =>
      [...values].map(([code, value]): Observation => ({
        id: `${id}-${time}`,
        code,
        date: addDays(entryDate, time),
        value,
        unit: 'mg/dL',
        isConfirmed: true,
        source: 'made up',
      })),
    ),
    treatments:
      data.subjects.get(id)!['drug'] === 1 ? [{ id: `${id}-drug`, intervention: 'drug', start: entryDate, stop: null }] : [],
    events: [],
    note: '',
    updatedAt: 0,
  }),
  followUp: (data, id) => {
    const row = data.subjects.get(id)!;
    return { endDay: requiredNumber(row, 'days', id), event: requiredNumber(row, 'event', id) === 1 ? 0 : -1 };
  },
  plan: {
    id: 'toy-drift',
    version: '0.0.1',
    title: 'Toy',
    summary: 'A made-up disease for tests.',
    licence: 'Apache-2.0',
    authors: ['Counterpart developers'],
    sources: [{ role: 'training', citation: 'Made up by a seeded function', licence: 'Apache-2.0' }],
    population: { description: 'Nobody real.', criteria: [] },
    era: { from: 2000, to: 2001 },
    place: 'nowhere',
    notFor: ['Anything but tests.'],
    grid: { stepDays: 30, horizonSteps: 12, historySteps: 12, timeUnit: 'weeks' },
    usualCare: { label: 'Usual care', description: 'No drug.', interventions: [] },
    covariates: [
      {
        kind: 'number',
        id: 'age',
        label: 'Age',
        unit: 'a',
        plausible: [0, 120],
        required: true,
        transform: 'identity',
        decimals: 0,
      },
    ],
    markers: [
      {
        id: 'marker',
        label: 'Marker',
        unit: 'mg/dL',
        plausible: [-50, 50],
        transform: 'identity',
        decimals: 1,
        staleAfterDays: 90,
      },
    ],
    signs: [],
    events: [{ id: 'event', label: 'Event', verb: 'have the event', isTerminal: true }],
    interventions: [
      {
        id: 'drug',
        label: 'Drug',
        shortLabel: 'Drug',
        whatIfClass: 'R',
        exclusiveGroup: null,
        timing: 'from-entry',
        evidence: { statement: 'Made up.', citation: 'None' },
      },
    ],
    conditioning: [
      { from: 'covariate', id: 'age' },
      { from: 'intervention', id: 'drug' },
    ],
  },
};
