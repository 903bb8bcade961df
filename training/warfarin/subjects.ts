/** People of the International Warfarin Pharmacogenetics Consortium's table, as the pack and the dosing formulas read them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ClinicalDataError, parseCsv, parseNumber } from '#training/csv.ts';

export type Race = 'white' | 'asian' | 'black' | 'other';
export type Cyp2c9 = '*1/*1' | '*1/*2' | '*1/*3' | '*2/*2' | '*2/*3' | '*3/*3';
export type Vkorc1 = 'GG' | 'AG' | 'AA';

export const races: readonly Race[] = ['white', 'asian', 'black', 'other'];
export const cyp2c9Genotypes: readonly Cyp2c9[] = ['*1/*1', '*1/*2', '*1/*3', '*2/*2', '*2/*3', '*3/*3'];
export const vkorc1Genotypes: readonly Vkorc1[] = ['GG', 'AG', 'AA'];

export interface Subject {
  readonly id: string;
  /** Empty where the folder marks none. */
  readonly split: string;
  readonly site: string;
  readonly isStable: boolean;
  /** mg racemic warfarin a week, at which the INR was stable. */
  readonly weeklyDose: number | null;
  /** Middle of the decade that the table gives; 95 for 90 and over. */
  readonly age: number | null;
  readonly heightCm: number | null;
  readonly weightKg: number | null;
  readonly race: Race;
  /** Null where unknown, and for the rare alleles that no formula names. */
  readonly cyp2c9: Cyp2c9 | null;
  readonly vkorc1: Vkorc1 | null;
  /** What is not recorded counts as no, as the consortium's formula has it. */
  readonly amiodarone: boolean;
  readonly inducer: boolean;
  readonly smoker: boolean;
  readonly valve: boolean;
  readonly heartFailure: boolean;
  readonly thrombosis: boolean;
}

/** A subject whom every dosing formula can score: size and age known. */
export type CompleteSubject = Subject & {
  readonly weeklyDose: number;
  readonly age: number;
  readonly heightCm: number;
  readonly weightKg: number;
};

/** Stable on a known dose, with age, height and weight: the rows on which the published figures stand. */
export function isComplete(subject: Subject): subject is CompleteSubject {
  const { isStable, weeklyDose, age, heightCm, weightKg } = subject;
  return isStable && weeklyDose !== null && weeklyDose > 0 && age !== null && heightCm !== null && weightKg !== null;
}

const raceOf: Readonly<Record<string, Race>> = { White: 'white', Asian: 'asian', 'Black or African American': 'black' };

/** Reads `subjects.csv` or `subjects.csv.gz` of a folder. */
export function readSubjects(folder: string): Subject[] {
  const plain = join(folder, 'subjects.csv');
  const packed = `${plain}.gz`;
  if (!existsSync(plain) && !existsSync(packed)) {
    throw new ClinicalDataError(`${folder} has no subjects.csv and no subjects.csv.gz.`);
  }
  const text = existsSync(plain) ? readFileSync(plain, 'utf8') : gunzipSync(readFileSync(packed)).toString('utf8');
  const table = parseCsv(text, plain);
  const index = (name: string): number => {
    const j = table.columns.indexOf(name);
    if (j < 0) throw new ClinicalDataError(`${plain} has no column '${name}'.`);
    return j;
  };
  const startsWith = (name: string): string => table.columns.find((column) => column.startsWith(name)) ?? name;
  const columns = {
    id: index('id'),
    site: index('Project Site'),
    stable: index('Subject Reached Stable Dose of Warfarin'),
    dose: index('Therapeutic Dose of Warfarin'),
    age: index('Age'),
    height: index('Height (cm)'),
    weight: index('Weight (kg)'),
    race: index('Race (OMB)'),
    cyp2c9: index(table.columns.includes('CYP2C9 consensus') ? 'CYP2C9 consensus' : 'Cyp2C9 genotypes'),
    rs9923231: index('VKORC1 -1639 consensus'),
    rs9934438: index('VKORC1 1173 consensus'),
    rs8050894: index('VKORC1 1542 consensus'),
    rs2359612: index('VKORC1 2255 consensus'),
    amiodarone: index('Amiodarone (Cordarone)'),
    carbamazepine: index('Carbamazepine (Tegretol)'),
    phenytoin: index('Phenytoin (Dilantin)'),
    rifampicin: index('Rifampin or Rifampicin'),
    smoker: index('Current Smoker'),
    valve: index('Valve Replacement'),
    heartFailure: index(startsWith('Congestive Heart Failure')),
    indication: index('Indication for Warfarin Treatment'),
  };
  const split = table.columns.indexOf('split');
  return table.rows.map(({ fields }): Subject => {
    const is = (column: keyof typeof columns): boolean => fields[columns[column]] === '1';
    const race = raceOf[fields[columns.race]!] ?? 'other';
    const decade = parseNumber(fields[columns.age]!.slice(0, 2).trim());
    return {
      id: fields[columns.id]!,
      split: split < 0 ? '' : fields[split]!,
      site: fields[columns.site]!,
      isStable: is('stable'),
      weeklyDose: parseNumber(fields[columns.dose]!),
      age: decade === null ? null : 10 * Math.floor(decade / 10) + 5,
      heightCm: parseNumber(fields[columns.height]!),
      weightKg: parseNumber(fields[columns.weight]!),
      race,
      cyp2c9: cyp2c9Genotypes.find((genotype) => genotype === fields[columns.cyp2c9]) ?? null,
      vkorc1: vkorc1Of(
        [fields[columns.rs9923231]!, fields[columns.rs2359612]!, fields[columns.rs9934438]!, fields[columns.rs8050894]!],
        race,
      ),
      amiodarone: is('amiodarone'),
      inducer: is('carbamazepine') || is('phenytoin') || is('rifampicin'),
      smoker: is('smoker'),
      valve: is('valve'),
      heartFailure: is('heartFailure'),
      thrombosis: /\b[12]\b/.test(fields[columns.indication]!),
    };
  });
}

/**
 * −1639 G>A, or what linkage says of it where it was not typed, by the consortium's rule (N Engl J Med 2009;360:753, supplement): 2255
 * and 1542 stand for it in people who are White or Asian, 1173 in everybody.
 */
function vkorc1Of([own, c2255, c1173, g1542]: readonly [string, string, string, string], race: Race): Vkorc1 | null {
  const isLinked = race === 'white' || race === 'asian';
  const typed: Readonly<Record<string, Vkorc1>> = { 'G/G': 'GG', 'A/G': 'AG', 'A/A': 'AA' };
  const from2255: Readonly<Record<string, Vkorc1>> = { 'C/C': 'GG', 'C/T': 'AG', 'T/T': 'AA' };
  const from1173: Readonly<Record<string, Vkorc1>> = { 'C/C': 'GG', 'C/T': 'AG', 'T/T': 'AA' };
  const from1542: Readonly<Record<string, Vkorc1>> = { 'G/G': 'GG', 'C/G': 'AG', 'C/C': 'AA' };
  return (
    typed[own] ?? (isLinked ? from2255[c2255] : undefined) ?? from1173[c1173] ?? (isLinked ? from1542[g1542] : undefined) ?? null
  );
}
