/** Published dosing formulas, mg of racemic warfarin a week. Unknown genotypes are what each formula says of them. */
import type { CompleteSubject, Cyp2c9, Vkorc1 } from './subjects.ts';

/** International Warfarin Pharmacogenetics Consortium, N Engl J Med 2009;360:753–64, with genotypes. */
export function iwpcPharmacogenetic(person: CompleteSubject): number {
  const { age, heightCm, weightKg, race, cyp2c9, vkorc1, amiodarone, inducer } = person;
  const root =
    5.6044 -
    0.2614 * Math.floor(age / 10) +
    0.0087 * heightCm +
    0.0128 * weightKg +
    (vkorc1 === null ? -0.4854 : iwpcVkorc1[vkorc1]) +
    (cyp2c9 === null ? -0.2188 : iwpcCyp2c9[cyp2c9]) +
    iwpcRace[race] +
    (inducer ? 1.1816 : 0) +
    (amiodarone ? -0.5503 : 0);
  return Math.max(root, 0) ** 2;
}

export const iwpcVkorc1: Readonly<Record<Vkorc1, number>> = { GG: 0, AG: -0.8677, AA: -1.6974 };
export const iwpcCyp2c9: Readonly<Record<Cyp2c9, number>> = {
  '*1/*1': 0,
  '*1/*2': -0.5211,
  '*1/*3': -0.9357,
  '*2/*2': -1.0616,
  '*2/*3': -1.9206,
  '*3/*3': -2.3312,
};
export const iwpcRace = { white: 0, asian: -0.1092, black: -0.276, other: -0.1032 } as const;

/** The same without genotypes. */
export function iwpcClinical({ age, heightCm, weightKg, race, amiodarone, inducer }: CompleteSubject): number {
  const root =
    4.0376 -
    0.2546 * Math.floor(age / 10) +
    0.0118 * heightCm +
    0.0134 * weightKg +
    { white: 0, asian: -0.6752, black: 0.406, other: 0.0443 }[race] +
    (inducer ? 1.2799 : 0) +
    (amiodarone ? -0.5695 : 0);
  return Math.max(root, 0) ** 2;
}

/** Gage et al., Clin Pharmacol Ther 2008;84:326–31, for an INR of 2.5. Null without both genotypes. */
export function gage(person: CompleteSubject): number | null {
  const { age, heightCm, weightKg, race, cyp2c9, vkorc1, amiodarone, smoker, thrombosis } = person;
  if (cyp2c9 === null || vkorc1 === null) return null;
  const surface = 0.007184 * weightKg ** 0.425 * heightCm ** 0.725;
  const logDaily =
    0.9751 -
    0.3238 * { GG: 0, AG: 1, AA: 2 }[vkorc1] +
    0.4317 * surface -
    0.4008 * alleles(cyp2c9, '*3') -
    0.00745 * age -
    0.2066 * alleles(cyp2c9, '*2') +
    0.2029 * 2.5 -
    (amiodarone ? 0.2538 : 0) +
    (smoker ? 0.0922 : 0) -
    (race === 'black' ? 0.0901 : 0) +
    (thrombosis ? 0.0664 : 0);
  return 7 * Math.exp(logDaily);
}

export const alleles = (genotype: Cyp2c9, allele: '*2' | '*3'): number =>
  genotype.split('/').filter((each) => each === allele).length;

export const fixedWeeklyDose = 35;
