import type { RandomSequence } from '#numerics/random.ts';
import { manifest } from '../models/vancomycin.ts';
import type { Scenario, Study } from './study.ts';

/**
 * Adults with all degrees of kidney function, four to seven doses of about 15 mg/kg by interval, infused over one to two hours at
 * times that slip by up to an hour, and two levels: one after an infusion, one before a dose. Below 2 mg/L a level is "below".
 */
function draw(random: RandomSequence): Scenario {
  const between = (low: number, high: number): number => low + (high - low) * random.uniform();
  const weight = Math.min(140, Math.max(45, 75 + 15 * random.normal()));
  const every = [8, 12, 24][random.below(3)]!;
  const amount = Math.max(500, 250 * Math.round((15 * weight) / 250));
  const count = 4 + random.below(4);
  const doses = Array.from({ length: count }, (_, k) => ({
    time: k === 0 ? 0 : k * every + between(-1, 1),
    amount: k === 0 ? 1.5 * amount : amount,
    duration: between(1, 2),
  }));
  const seen = 1 + random.below(Math.min(3, count - 2));
  const infused = doses[seen]!;
  const last = doses.at(-1)!;
  return {
    covariates: {
      age: between(20, 90),
      weight,
      sex: random.uniform() < 0.46 ? 'female' : 'male',
      creatinine: Math.min(4, Math.max(0.4, Math.exp(0.35 * random.normal()))),
      haemodialysis: 'no',
    },
    doses,
    observations: [
      { marker: 'vancomycin', time: infused.time + infused.duration + between(0.5, 2) },
      { marker: 'vancomycin', time: doses[seen + 1]!.time - between(0.1, 1) },
    ],
    limit: 2,
    readout: 'exposure',
    // A day from the last dose on, and half an hour at its end for the trough's area.
    futureTimes: [last.time, last.time + 24],
  };
}

export const vancomycinStudy: Study = {
  id: 'vancomycin',
  manifest,
  draw,
  quantities: { 'AUC over a day from the last dose': ([from, to]) => to! - from! },
};
