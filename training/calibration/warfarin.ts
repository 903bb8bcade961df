import type { RandomSequence } from '#numerics/random.ts';
import { pick } from '#twin/equations/prior.ts';
import { iwpcSummary, manifest } from '../models/warfarin.ts';
import { cyp2c9Genotypes, races, vkorc1Genotypes } from '../warfarin/subjects.ts';
import type { Scenario, Study } from './study.ts';

/**
 * Three weeks from the first tablet: a daily dose of 2.5, 5 or 7.5 mg, one dose in twenty missed, three INRs in the first ten days.
 * Three people in ten have no genotype: both genes are then drawn from the frequencies of their ancestry, and fitted as unknown.
 */
function draw(random: RandomSequence): Scenario {
  const between = (low: number, high: number): number => low + (high - low) * random.uniform();
  const coin = (share: number): string => (random.uniform() < share ? 'yes' : 'no');
  const day = 24;
  const { shares } = iwpcSummary;
  const race =
    races[
      pick(
        races.map((one) => shares.race[one]),
        random.uniform(),
      )
    ]!;
  const amount = [2.5, 5, 7.5][random.below(3)]!;
  const isTyped = random.uniform() < 0.7;
  const genotypes = {
    cyp2c9: cyp2c9Genotypes[pick(shares.cyp2c9[race], random.uniform())]!,
    vkorc1: vkorc1Genotypes[pick(shares.vkorc1[race], random.uniform())]!,
  };
  return {
    covariates: {
      age: between(30, 88),
      weight: Math.min(130, Math.max(45, 80 + 18 * random.normal())),
      height: Math.min(195, Math.max(148, 170 + 10 * random.normal())),
      race,
      'baseline-inr': between(0.95, 1.15),
      amiodarone: coin(shares.amiodarone),
      'enzyme-inducer': coin(shares.inducer),
      smoker: coin(shares.smoker),
      'valve-replacement': coin(shares.valve),
      'heart-failure': coin(shares.heartFailure),
      thrombosis: coin(shares.thrombosis),
      ...(isTyped ? genotypes : {}),
    },
    unknown: isTyped ? {} : { cyp2c9: shares.cyp2c9[race], vkorc1: shares.vkorc1[race] },
    doses: Array.from({ length: 21 }, (_, k) => ({ time: k * day + (k > 0 ? between(-2, 2) : 0), amount, duration: 0 })).filter(
      ({ time }) => time === 0 || random.uniform() > 0.05,
    ),
    observations: [3, 5, 9].map((days) => ({ marker: 'inr', time: days * day + between(8, 16) })),
    readout: 'inr',
    futureTimes: [14 * day, 21 * day],
  };
}

export const warfarinStudy: Study = {
  id: 'warfarin',
  manifest,
  draw,
  quantities: { 'INR on day 14': ([inr]) => inr!, 'INR on day 21': ([, inr]) => inr! },
};
