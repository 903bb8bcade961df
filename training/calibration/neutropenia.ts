import type { RandomSequence } from '#numerics/random.ts';
import { manifest } from '../models/neutropenia.ts';
import type { Scenario, Study } from './study.ts';

/** 60 to 100 mg/m² of docetaxel over an hour; counts before treatment's nadir, on days 3 and 6; the rest of the cycle is forecast. */
function draw(random: RandomSequence): Scenario {
  const between = (low: number, high: number): number => low + (high - low) * random.uniform();
  const coin = (share: number): string => (random.uniform() < share ? 'yes' : 'no');
  const surface = Math.min(2.4, Math.max(1.3, 1.75 + 0.2 * random.normal()));
  const perSurface = [60, 75, 100][random.below(3)]!;
  const day = 24;
  return {
    covariates: {
      'anc-baseline': Math.exp(Math.log(4.5) + 0.3 * random.normal()),
      aag: Math.min(2, Math.max(0.5, 1 + 0.25 * random.normal())),
      dexamethasone: coin(0.7),
      sex: random.uniform() < 0.4 ? 'female' : 'male',
      ecog: coin(0.5),
      pretreated: coin(0.5),
    },
    doses: [{ time: 0, amount: Math.round(perSurface * surface), duration: 1 }],
    observations: [
      { marker: 'anc', time: 3 * day + between(-6, 6) },
      { marker: 'anc', time: 6 * day + between(-6, 6) },
    ],
    readout: 'neutrophils',
    futureTimes: Array.from({ length: 30 }, (_, k) => (6.5 + 0.5 * k) * day),
  };
}

export const neutropeniaStudy: Study = {
  id: 'neutropenia',
  manifest,
  draw,
  quantities: { 'lowest count': (future) => future.reduce((least, value) => Math.min(least, value), Infinity) },
  risk: { quantity: 'lowest count', threshold: 0.5 },
};
