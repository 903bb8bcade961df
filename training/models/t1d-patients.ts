/**
 * The 30 virtual patients of simglucose (MIT licence, Copyright Jinyu Xie), and the population that is sampled around them: means and
 * coefficients of variation by age group, and one correlation of the logarithms within groups.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseCsv, parseNumber } from '#training/csv.ts';

export const ageGroups = ['adult', 'adolescent', 'child'] as const;
export type AgeGroup = (typeof ageGroups)[number];

/** Columns of the file that a person's physiology is made of, weight first. */
export const freeParameters = [
  'BW',
  'EGPb',
  'Gb',
  'Ib',
  'kabs',
  'kmax',
  'kmin',
  'b',
  'd',
  'Vg',
  'Vi',
  'Vmx',
  'Km0',
  'k2',
  'k1',
  'p2u',
  'm1',
  'CL',
  'ki',
  'kp2',
  'kp3',
  'kd',
  'ksc',
  'ka1',
  'ka2',
] as const;
export type FreeParameter = (typeof freeParameters)[number];

export interface VirtualPatient {
  /** As `adult#001`. */
  readonly name: string;
  readonly group: AgeGroup;
  /** In the units of the specification: BW kg, EGPb mg/kg/min, Gb mg/dL, … */
  readonly values: Readonly<Record<FreeParameter, number>>;
  /** Carbohydrate ratio in g/U and correction factor in mg/dL/U, as the simulator's authors tuned them. */
  readonly carbohydrateRatio: number;
  readonly correctionFactor: number;
}

const file = join(fileURLToPath(import.meta.url), '../t1d-virtual-patients.csv');

export const virtualPatients: readonly VirtualPatient[] = readPatients();

function readPatients(): VirtualPatient[] {
  const table = parseCsv(readFileSync(file, 'utf8'), file);
  const column = (fields: readonly string[], name: string): number => parseNumber(fields[table.columns.indexOf(name)]!)!;
  return table.rows.map(({ fields }) => {
    const name = fields[table.columns.indexOf('Name')]!;
    const values = Object.fromEntries(freeParameters.map((symbol) => [symbol, column(fields, symbol)]));
    return {
      name,
      group: name.split('#')[0] as AgeGroup,
      values: values as Record<FreeParameter, number>,
      carbohydrateRatio: column(fields, 'CR'),
      correctionFactor: column(fields, 'CF'),
    };
  });
}

/** Mean and coefficient of variation in percent: the table of the specification, which summarises ten patients a group. */
type Moments = readonly [mean: number, cvPercent: number];

export const groupMoments: Readonly<Record<FreeParameter, Readonly<Record<AgeGroup, Moments>>>> = {
  BW: { adult: [86.1, 19], adolescent: [47.7, 17], child: [35.9, 18] },
  EGPb: { adult: [2.51, 13], adolescent: [3.16, 16], child: [2.95, 19] },
  Gb: { adult: [142.8, 4], adolescent: [143.8, 4], child: [139.0, 4] },
  Ib: { adult: [108.5, 16], adolescent: [104.1, 12], child: [107.2, 8] },
  kabs: { adult: [0.21, 98], adolescent: [0.278, 146], child: [0.193, 79] },
  kmax: { adult: [0.0387, 30], adolescent: [0.0356, 41], child: [0.0445, 44] },
  kmin: { adult: [0.00739, 55], adolescent: [0.0104, 53], child: [0.0109, 40] },
  b: { adult: [0.785, 15], adolescent: [0.766, 18], child: [0.762, 17] },
  d: { adult: [0.179, 39], adolescent: [0.184, 34], child: [0.141, 31] },
  Vg: { adult: [1.848, 7], adolescent: [1.846, 10], child: [1.862, 7] },
  Vi: { adult: [0.0525, 27], adolescent: [0.0508, 21], child: [0.0559, 21] },
  Vmx: { adult: [0.0537, 59], adolescent: [0.0555, 25], child: [0.0975, 33] },
  Km0: { adult: [236.7, 9], adolescent: [231.9, 10], child: [228.8, 11] },
  k2: { adult: [0.129, 41], adolescent: [0.13, 54], child: [0.105, 35] },
  k1: { adult: [0.0625, 30], adolescent: [0.0673, 31], child: [0.0672, 27] },
  p2u: { adult: [0.0339, 32], adolescent: [0.0348, 40], child: [0.0523, 31] },
  m1: { adult: [0.2, 37], adolescent: [0.186, 53], child: [0.225, 26] },
  CL: { adult: [1.16, 9], adolescent: [0.729, 10], child: [0.379, 11] },
  ki: { adult: [0.00843, 49], adolescent: [0.0127, 90], child: [0.00851, 33] },
  kp2: { adult: [0.00419, 44], adolescent: [0.00841, 79], child: [0.00491, 83] },
  kp3: { adult: [0.00951, 59], adolescent: [0.0131, 57], child: [0.0112, 47] },
  kd: { adult: [0.0159, 12], adolescent: [0.0164, 9], child: [0.0163, 11] },
  ksc: { adult: [0.0954, 28], adolescent: [0.0855, 28], child: [0.0893, 23] },
  ka1: { adult: [0.00337, 23], adolescent: [0.00379, 39], child: [0.00412, 37] },
  ka2: { adult: [0.0159, 28], adolescent: [0.0173, 34], child: [0.0192, 31] },
};

/** Shares of the stomach's content between 0 and 1: logit-normal. All else is log-normal. */
export const isShare = (symbol: FreeParameter): boolean => symbol === 'b' || symbol === 'd';

const link = (symbol: FreeParameter, value: number): number => (isShare(symbol) ? Math.log(value / (1 - value)) : Math.log(value));

/** Mean and sd on the scale of the logarithm or logit that give a group's mean and coefficient of variation. */
export function linkMoments(symbol: FreeParameter, group: AgeGroup): { readonly location: number; readonly spread: number } {
  const [mean, cvPercent] = groupMoments[symbol][group];
  const cv = cvPercent / 100;
  if (!isShare(symbol)) {
    const variance = Math.log1p(cv * cv);
    return { location: Math.log(mean) - variance / 2, spread: Math.sqrt(variance) };
  }
  return logitNormal(mean, cv * mean);
}

/** The logit-normal with a given mean and sd, by fixed-point steps on both; moments by the trapezium rule on ±8 sd. */
function logitNormal(mean: number, sd: number): { readonly location: number; readonly spread: number } {
  let location = Math.log(mean / (1 - mean));
  let spread = sd / (mean * (1 - mean));
  for (let step = 0; step < 200; step++) {
    let [weight, first, second] = [0, 0, 0];
    for (let z = -8; z <= 8; z += 0.02) {
      const w = Math.exp((-z * z) / 2);
      const x = 1 / (1 + Math.exp(-(location + spread * z)));
      weight += w;
      first += w * x;
      second += w * x * x;
    }
    const m = first / weight;
    const s = Math.sqrt(second / weight - m * m);
    location += (mean - m) / (m * (1 - m));
    spread *= sd / s;
  }
  return { location, spread };
}

/** How far a patient is from the middle of the group, in the group's sd, on the scale of the logarithm or logit. */
export function standardised(symbol: FreeParameter, group: AgeGroup, value: number): number {
  const { location, spread } = linkMoments(symbol, group);
  return (link(symbol, value) - location) / spread;
}

/**
 * Correlation of the free parameters' logarithms (logits of b and d): each group is centred on its own mean, the 30 patients are
 * pooled, and the result is shrunk halfway to the identity, because 30 patients cannot tell 300 correlations.
 */
export function pooledCorrelation(): readonly (readonly number[])[] {
  const columns = freeParameters.map((symbol) => {
    const values = virtualPatients.map(({ group, values: own }) => ({ group, value: link(symbol, own[symbol]) }));
    return values.map(({ group, value }) => {
      const ofGroup = values.filter((other) => other.group === group);
      return value - ofGroup.reduce((sum, other) => sum + other.value, 0) / ofGroup.length;
    });
  });
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return columns.map((x, i) => columns.map((y, j) => (i === j ? 1 : (0.5 * dot(x, y)) / Math.sqrt(dot(x, x) * dot(y, y)))));
}
