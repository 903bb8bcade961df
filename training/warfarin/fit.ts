/**
 * npx tsx training/warfarin/fit.ts [--data FOLDER]
 *
 * Writes training/models/warfarin-iwpc.json: the terms that the consortium's training rows add to the published dosing formulas, and
 * frequencies of genotypes and co-medication. Aggregates of the `train` rows only.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { quantileOfSorted } from '#numerics/quantiles.ts';
import { solveSymmetric } from '#numerics/linear-algebra.ts';
import { dataRoot } from '#training/prepare.ts';
import type { DoseCorrection, IwpcSummary } from '#training/models/warfarin.ts';
import { alleles, gage, iwpcPharmacogenetic } from './formulas.ts';
import {
  cyp2c9Genotypes,
  isComplete,
  races,
  readSubjects,
  vkorc1Genotypes,
  type CompleteSubject,
  type Race,
  type Subject,
} from './subjects.ts';

/** Against terms that thirty people could make: chosen with the terms themselves on folds of train and valid. */
const ridge = 30;
/** Sites differ by more than any term; an unseen site has none of these intercepts. */
const siteRidge = 1;
/** Residuals beyond this many robust sd count less (Huber). */
const huber = 1;

function terms({ age, valve, heartFailure, cyp2c9, vkorc1 }: CompleteSubject): number[] {
  const variants = cyp2c9 === null ? 0 : alleles(cyp2c9, '*2') + alleles(cyp2c9, '*3');
  const decades = Math.floor(age / 10) - 6;
  return [valve ? 1 : 0, heartFailure ? 1 : 0, decades ** 2 / 10, vkorc1 === 'GG' ? 0 : variants];
}

/**
 * Robust ridge regression of ln(dose / √(IWPC · Gage)) on the terms, with an intercept for each site: what differs within sites. Only
 * people with both genotypes teach it.
 */
export function fitCorrection(people: readonly CompleteSubject[]): DoseCorrection {
  const rows = people.flatMap((person) => {
    const byGage = gage(person);
    if (byGage === null) return [];
    const target = Math.log(person.weeklyDose) - (Math.log(iwpcPharmacogenetic(person)) + Math.log(byGage)) / 2;
    return [{ x: terms(person), site: person.site, target, weight: 1 }];
  });
  const sites = [...new Set(rows.map(({ site }) => site))];
  const count = 4;
  const size = count + sites.length;
  let coefficients: number[] = [];
  for (let round = 0; round < 25; round++) {
    const normal = Array.from({ length: size }, (_, i) => {
      const row = Array.from({ length: size }, () => 0);
      row[i] = i < count ? ridge : siteRidge;
      return row;
    });
    const right = Array.from({ length: size }, () => 0);
    for (const { x, site, target, weight } of rows) {
      const columns = [...x.map((value, j) => [j, value] as const), [count + sites.indexOf(site), 1] as const];
      for (const [i, value] of columns) {
        right[i] = right[i]! + weight * value * target;
        for (const [j, other] of columns) normal[i]![j] = normal[i]![j]! + weight * value * other;
      }
    }
    coefficients = solveSymmetric(normal, right)!;
    const residuals = rows.map(({ x, site, target }) => {
      const fitted = x.reduce((sum, value, j) => sum + value * coefficients[j]!, coefficients[count + sites.indexOf(site)]!);
      return target - fitted;
    });
    const sizes = residuals.map(Math.abs).sort((a, b) => a - b);
    const scale = 1.4826 * quantileOfSorted(sizes, 0.5);
    rows.forEach((row, i) => (row.weight = Math.min(1, (huber * scale) / Math.max(Math.abs(residuals[i]!), 1e-9))));
  }
  const [valve, heartFailure, ageCurve, interaction] = coefficients as [number, number, number, number];
  return { valve, heartFailure, ageCurve, interaction };
}

/** Shares with half a person added to each cell, so that no genotype is impossible. */
function shares<T>(of: readonly T[], values: readonly T[]): number[] {
  const counts = values.map((value) => of.filter((each) => each === value).length + 0.5);
  const sum = counts.reduce((total, each) => total + each, 0);
  return counts.map((each) => each / sum);
}

function summarise(subjects: readonly Subject[]): IwpcSummary {
  const complete = subjects.filter(isComplete);
  const correction = fitCorrection(complete);
  const raceShares = shares(
    subjects.map(({ race }) => race),
    races,
  );
  const byRace = (value: (ofRace: readonly Subject[]) => number[]): Record<Race, number[]> =>
    Object.fromEntries(races.map((race) => [race, value(subjects.filter((each) => each.race === race)).map(round)])) as Record<
      Race,
      number[]
    >;
  const share = (is: (subject: Subject) => boolean): number => round(subjects.filter(is).length / subjects.length);
  return {
    n: complete.filter((person) => gage(person) !== null).length,
    correction: {
      valve: round(correction.valve),
      heartFailure: round(correction.heartFailure),
      ageCurve: round(correction.ageCurve),
      interaction: round(correction.interaction),
    },
    shares: {
      race: Object.fromEntries(races.map((race, i) => [race, round(raceShares[i]!)])) as Record<Race, number>,
      cyp2c9: byRace((of) =>
        shares(
          of.flatMap(({ cyp2c9 }) => cyp2c9 ?? []),
          cyp2c9Genotypes,
        ),
      ),
      vkorc1: byRace((of) =>
        shares(
          of.flatMap(({ vkorc1 }) => vkorc1 ?? []),
          vkorc1Genotypes,
        ),
      ),
      amiodarone: share(({ amiodarone }) => amiodarone),
      inducer: share(({ inducer }) => inducer),
      smoker: share(({ smoker }) => smoker),
      valve: share(({ valve }) => valve),
      heartFailure: share(({ heartFailure }) => heartFailure),
      thrombosis: share(({ thrombosis }) => thrombosis),
    },
  };
}

const round = (value: number): number => Number(value.toFixed(4));

const here = fileURLToPath(import.meta.url);
if (process.argv[1] === here) {
  const { values } = parseArgs({ options: { data: { type: 'string' } } });
  const subjects = readSubjects(values.data ?? join(dataRoot, 'warfarin_iwpc'));
  const summary = summarise(subjects.filter(({ split }) => split === 'train'));
  writeFileSync(join(here, '../../models/warfarin-iwpc.json'), `${JSON.stringify(summary, null, 2)}\n`);
  console.log(JSON.stringify(summary));
}
