/**
 * npx tsx training/tumour-bayes.ts [--gamma 0,1,2,3,4] [--seeds 10,101,1010,10101,101010] [--people 1000] [--published-window]
 *   [--json FILE] [--markdown FILE]
 *
 * The row of the mechanistic pack in the counterfactual benchmark: normalised RMSE of one-step and τ-step forecasts under the exact
 * posterior of the lung-tumour pack. Given the volumes, V(t+1)/V(t) − 1 is linear in (ρ, βc, α) with Gaussian noise, so the posterior
 * is the truncated normal prior times a Gaussian, in closed form; nothing is learned from training patients.
 *
 * Protocol (specification, section "Protocol for a row of the published table"), with what we had to settle:
 * - People, noise and treatments are drawn by our own generator, so a seed names our draw and not numpy's.
 * - Treatment begins on day 0; the policy on day t reads the mean diameter of day t and the 14 before it of the same person. The
 *   published test generators read it from row i of the output table for the i-th person, which belongs to one of the first few people
 *   and holds zeros beyond its own day. `--published-window` does as they do, but for the hypothetical last volume of such a row.
 * - Counterfactual truths are not cut off at the lethal volume; rows whose truth is negative on the way are dropped.
 * - A forecast is the mean of `draws` courses without noise, from draws of the posterior. The mean over draws inflates the RMSE by
 *   less than 1 / (2 · draws).
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cholesky, inverseSymmetric, multiplyVector } from '#numerics/linear-algebra.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { manifest } from './models/lung-tumour.ts';

const [model] = manifest.models;
const constant = (symbol: string): number => model!.constants.find((one) => one.symbol === symbol)!.value;
const variance = (symbol: string): number => model!.effects!.find((effect) => effect.symbol === symbol)!.variance;
const alphaRho = model!.correlations![0]!.value;

const K = constant('K');
const lethal = constant('Vdeath');
const noiseSd = constant('noiseSd');
const cellDensity = constant('cellDensity');
const dosePerDay = constant('chemoDose');
const fraction = constant('fraction');
/** What a day of radiotherapy multiplies α by: d + d²/(α/β). */
const radioFactor = fraction * (1 + fraction / constant('alphaOverBeta'));

const days = 60;
const horizon = 5;
const draws = 32;

/** People of each stage, and the law of ln(diameter/cm), cut off to [low, high] cm. */
const stages = [
  { name: 'I', people: 1432, location: 1.72, spread: 4.7, low: 0.3, high: 5 },
  { name: 'II', people: 128, location: 1.96, spread: 1.63, low: 0.3, high: 13 },
  { name: 'IIIA', people: 1306, location: 1.91, spread: 9.4, low: 0.3, high: 13 },
  { name: 'IIIB', people: 7248, location: 2.76, spread: 6.87, low: 0.3, high: 13 },
  { name: 'IV', people: 12840, location: 3.86, spread: 8.82, low: 0.3, high: 13 },
] as const;

/** (ρ, βc, α) and the volume before the first day. */
interface Person {
  readonly type: 1 | 2 | 3;
  readonly stage: (typeof stages)[number]['name'];
  readonly theta: Vector;
  /** Added to βc and α by the type. */
  readonly shift: Vector;
  readonly firstVolume: number;
}
type Vector = readonly [rho: number, betaC: number, alpha: number];

export function drawPerson(random: RandomSequence): Person {
  const type = (1 + Math.floor(3 * random.uniform())) as Person['type'];
  const shift: Vector = [
    0,
    type === 3 ? constant('responder') * constant('betaCMean') : 0,
    type === 1 ? constant('responder') * constant('alphaMean') : 0,
  ];
  let theta: Vector;
  do {
    const [z1, z2, z3] = [random.normal(), random.normal(), random.normal()];
    const alpha = constant('alphaMean') + Math.sqrt(variance('etaAlpha')) * z1;
    const rho = constant('rhoMean') + Math.sqrt(variance('etaRho')) * (alphaRho * z1 + Math.sqrt(1 - alphaRho ** 2) * z2);
    theta = [rho, constant('betaCMean') + Math.sqrt(variance('etaBetaC')) * z3, alpha];
  } while (theta.some((value) => value <= 0));
  let pick = random.uniform() * stages.reduce((sum, { people }) => sum + people, 0);
  const stage = stages.find(({ people }) => (pick -= people) < 0) ?? stages[0];
  let diameter: number;
  do diameter = Math.exp(stage.location + stage.spread * random.normal());
  while (!(diameter >= stage.low && diameter <= stage.high));
  const [rho, betaC, alpha] = theta;
  return { type, stage: stage.name, theta: [rho, betaC + shift[1], alpha + shift[2]], shift, firstVolume: volumeOf(diameter) };
}

const volumeOf = (diameter: number): number => (Math.PI / 6) * diameter ** 3;
export const diameterOf = (volume: number): number => Math.cbrt((6 * volume) / Math.PI);

/** The factual run of a person under the benchmark's policy. Day t: volume, concentration with that day's dose, radiotherapy. */
interface Course {
  readonly volumes: readonly number[];
  readonly concentrations: readonly number[];
  readonly radio: readonly number[];
  /** e(t), also beyond the run. */
  readonly noise: readonly number[];
}

function factual(
  { theta, firstVolume }: Person,
  gamma: number,
  random: RandomSequence,
  policyRow: readonly number[] | null,
): Course {
  const noise = Array.from({ length: days + horizon + 2 }, () => noiseSd * random.normal());
  const volumes = [firstVolume];
  const concentrations: number[] = [];
  const radio: number[] = [];
  for (let t = 0; t < days - 1; t++) {
    const seen = policyRow ?? volumes;
    const window = Array.from({ length: Math.min(t, 14) + 1 }, (_, k) => diameterOf(seen[t - k] ?? 0));
    const mean = window.reduce((sum, each) => sum + each, 0) / window.length;
    const probability = 1 / (1 + Math.exp((-gamma / 13) * (mean - 6.5)));
    const isChemo = random.uniform() < probability;
    radio.push(random.uniform() < probability ? 1 : 0);
    concentrations.push((concentrations[t - 1] ?? 0) / 2 + (isChemo ? dosePerDay : 0));
    const next = volumes[t]! * (1 + growth(theta, volumes[t]!, concentrations[t]!, radio[t]!) + noise[t + 1]!);
    volumes.push(Math.min(next, lethal));
    const isRecovered = random.uniform() < Math.exp(-Math.max(next, 0) * cellDensity);
    if (next >= lethal || isRecovered || next <= 0) break;
  }
  return { volumes, concentrations, radio, noise };
}

function growth([rho, betaC, alpha]: Vector, volume: number, concentration: number, radio: number): number {
  return rho * Math.log(K / volume) - betaC * concentration - alpha * radioFactor * radio;
}

/** Precision and precision × mean of (ρ, βc, α), type included. */
class Posterior {
  readonly #shift: Vector;
  readonly #precision: number[][];
  readonly #information: number[];

  constructor(shift: Vector) {
    this.#shift = shift;
    const [rho, betaC, alpha] = [variance('etaRho'), variance('etaBetaC'), variance('etaAlpha')];
    const joint = alphaRho * Math.sqrt(rho * alpha);
    this.#precision = inverseSymmetric([
      [rho, 0, joint],
      [0, betaC, 0],
      [joint, 0, alpha],
    ])!;
    const mean = [constant('rhoMean'), constant('betaCMean') + shift[1], constant('alphaMean') + shift[2]];
    this.#information = multiplyVector(this.#precision, mean);
  }

  observe(before: number, after: number, concentration: number, radio: number): void {
    const x = [Math.log(K / before), -concentration, -radioFactor * radio];
    const y = after / before - 1;
    for (let i = 0; i < 3; i++) {
      this.#information[i]! += (x[i]! * y) / noiseSd ** 2;
      for (let j = 0; j < 3; j++) this.#precision[i]![j]! += (x[i]! * x[j]!) / noiseSd ** 2;
    }
  }

  /** [draws × 3]: of the Gaussian, in antithetic pairs, those that break a limit drawn again. */
  draw(random: RandomSequence, out: Float64Array): void {
    const covariance = inverseSymmetric(this.#precision)!;
    const mean = multiplyVector(covariance, this.#information);
    const l = cholesky(covariance)!;
    const shift = this.#shift;
    let kept = 0;
    for (let tries = 0; kept < draws; tries++) {
      if (tries > 1e6) throw new Error('The posterior lies outside its limits.');
      const z = [random.normal(), random.normal(), random.normal()] as const;
      for (const sign of [1, -1]) {
        const rho = mean[0]! + sign * l[0]![0]! * z[0];
        const betaC = mean[1]! + sign * (l[1]![0]! * z[0] + l[1]![1]! * z[1]);
        const alpha = mean[2]! + sign * (l[2]![0]! * z[0] + l[2]![1]! * z[1] + l[2]![2]! * z[2]);
        if (kept === draws || rho <= 0 || betaC <= shift[1] || alpha <= shift[2]) continue;
        out[3 * kept] = rho;
        out[3 * kept + 1] = betaC;
        out[3 * kept + 2] = alpha;
        kept++;
      }
    }
  }
}

/** Sum of squared errors over rows. */
class Score {
  #sum = 0;
  rows = 0;

  add(predicted: number, truth: number): void {
    if (!Number.isFinite(truth)) return;
    this.#sum += (predicted - truth) ** 2;
    this.rows++;
  }

  /** Percent of the lethal volume. */
  get normalisedRmse(): number {
    return (100 * Math.sqrt(this.#sum / this.rows)) / lethal;
  }
}

type Treatments = readonly (readonly [chemo: number, radio: number])[];

/** Ten sequences: one day of chemotherapy or of radiotherapy, on each of the five days. */
const sliding: readonly Treatments[] = Array.from({ length: 2 * horizon }, (_, k) =>
  Array.from({ length: horizon }, (_day, day) =>
    day !== k % horizon ? ([0, 0] as const) : k < horizon ? ([1, 0] as const) : ([0, 1] as const),
  ),
);

interface Scores {
  readonly oneStep: Score;
  readonly persistence: Score;
  readonly random: readonly Score[];
  readonly sliding: readonly Score[];
}

function scorePerson(person: Person, course: Course, random: RandomSequence, scores: Scores, isOneStep: boolean): void {
  const { volumes, concentrations, radio, noise } = course;
  const posterior = new Posterior(person.shift);
  const theta = new Float64Array(3 * draws);
  const start = new Float64Array(draws);
  for (let t = 0; t < volumes.length - 1; t++) {
    if (t > 0) posterior.observe(volumes[t - 1]!, volumes[t]!, concentrations[t - 1]!, radio[t - 1]!);
    posterior.draw(random, theta);
    const now = volumes[t]!;
    const before = (concentrations[t - 1] ?? 0) / 2;
    if (isOneStep) {
      const [rho, betaC, alpha] = meanOf(theta);
      for (const [chemo, rays] of [
        [0, 0],
        [1, 0],
        [0, 1],
        [1, 1],
      ] as const) {
        const dose = before + dosePerDay * chemo;
        const truth = now * (1 + growth(person.theta, now, dose, rays) + noise[t + 1]!);
        scores.oneStep.add(now * (1 + growth([rho, betaC, alpha], now, dose, rays)), truth);
        scores.persistence.add(now, truth);
      }
      continue;
    }
    for (let k = 0; k < draws; k++) {
      const own: Vector = [theta[3 * k]!, theta[3 * k + 1]!, theta[3 * k + 2]!];
      start[k] = now * (1 + growth(own, now, concentrations[t]!, radio[t]!));
    }
    const redrawn = Array.from({ length: 2 * horizon }, (): Treatments =>
      Array.from({ length: horizon }, () => [random.uniform() < 0.5 ? 1 : 0, random.uniform() < 0.5 ? 1 : 0] as const),
    );
    const first = now * (1 + growth(person.theta, now, concentrations[t]!, radio[t]!) + noise[t + 1]!);
    const walk = (sequences: readonly Treatments[], into: readonly Score[]) => {
      for (const sequence of sequences) {
        const truths = truthOf(person.theta, first, concentrations[t]!, sequence, noise, t + 1);
        const forecasts = forecastOf(theta, start, concentrations[t]!, sequence);
        truths.forEach((truth, step) => into[step]!.add(forecasts[step]!, truth));
      }
    };
    walk(redrawn, scores.random);
    walk(sliding, scores.sliding);
  }
}

function meanOf(theta: Float64Array): Vector {
  const sums = [0, 0, 0];
  theta.forEach((value, i) => (sums[i % 3]! += value / draws));
  return sums as unknown as Vector;
}

/** V(t+2) … V(t+6); not a number from where it was negative on. */
function truthOf(
  theta: Vector,
  first: number,
  dose: number,
  treatments: Treatments,
  noise: readonly number[],
  day: number,
): number[] {
  let volume = first;
  let concentration = dose;
  return treatments.map(([chemo, radio], step) => {
    concentration = concentration / 2 + dosePerDay * chemo;
    // The logarithm of a negative volume is no number, and stays none.
    volume *= 1 + growth(theta, volume, concentration, radio) + noise[day + step + 1]!;
    return volume;
  });
}

function forecastOf(theta: Float64Array, start: Float64Array, dose: number, treatments: Treatments): number[] {
  const sums = treatments.map(() => 0);
  for (let k = 0; k < draws; k++) {
    const [rho, betaC, alpha] = [theta[3 * k]!, theta[3 * k + 1]!, theta[3 * k + 2]!];
    let volume = start[k]!;
    let concentration = dose;
    for (let step = 0; step < treatments.length; step++) {
      const [chemo, radio] = treatments[step]!;
      concentration = concentration / 2 + dosePerDay * chemo;
      // A volume cannot be negative: such a draw has no tumour left.
      volume = volume <= 0 ? 0 : volume * (1 + rho * Math.log(K / volume) - betaC * concentration - alpha * radioFactor * radio);
      sums[step]! += volume / draws;
    }
  }
  return sums;
}

/** Names and normalised RMSE, percent. */
function bayesRow(
  gamma: number,
  seed: number,
  { people, hasPublishedWindow }: { readonly people: number; readonly hasPublishedWindow: boolean },
): Readonly<Record<string, number>> {
  const scores: Scores = {
    oneStep: new Score(),
    persistence: new Score(),
    random: Array.from({ length: horizon }, () => new Score()),
    sliding: Array.from({ length: horizon }, () => new Score()),
  };
  let length = 0;
  for (const isOneStep of [true, false]) {
    /** Of the published generators' table: four rows, or ten sequences, a day. */
    const table: (readonly number[])[] = [];
    for (let i = 0; i < people; i++) {
      const random = new RandomSequence(seedFrom(seed), undefined, (isOneStep ? 0 : people) + i);
      const person = drawPerson(random);
      const course = factual(person, gamma, random, hasPublishedWindow ? (table[i] ?? []) : null);
      for (let t = 0; t < course.volumes.length - 1 && table.length < people; t++) {
        const row = course.volumes.slice(0, t + 1);
        for (let k = 0; k < (isOneStep ? 4 : 2 * horizon); k++) table.push(row);
      }
      length += course.volumes.length / (2 * people);
      scorePerson(person, course, random, scores, isOneStep);
    }
  }
  const steps = (name: string, list: readonly Score[]) =>
    list.map((score, step) => [`τ=${step + 2}, ${name}`, score.normalisedRmse] as const);
  return Object.fromEntries([
    ['one-step', scores.oneStep.normalisedRmse],
    ['one-step, persistence', scores.persistence.normalisedRmse],
    ...steps('random treatments', scores.random),
    ...steps('sliding treatment', scores.sliding),
    ['mean length of a run', length],
    ['rows of one-step', scores.oneStep.rows],
  ]);
}

export interface BenchmarkFigure {
  readonly gamma: number;
  readonly name: string;
  readonly mean: number;
  readonly sd: number;
  readonly seeds: readonly number[];
}

/** Figures by row, γ by column. */
function benchmarkTable(rows: readonly BenchmarkFigure[]): string {
  const gammas = [...new Set(rows.map(({ gamma }) => gamma))];
  const names = [...new Set(rows.map(({ name }) => name))];
  const cell = (gamma: number, name: string): string => {
    const found = rows.find((row) => row.gamma === gamma && row.name === name);
    if (!found) return '';
    return name.startsWith('rows') ? found.mean.toFixed(0) : `${found.mean.toFixed(3)} ± ${found.sd.toFixed(3)}`;
  };
  return [
    `| normalised RMSE, % | ${gammas.map((gamma) => `γ = ${gamma}`).join(' | ')} |`,
    `|---|${gammas.map(() => '---|').join('')}`,
    ...names.map((name) => `| ${name} | ${gammas.map((gamma) => cell(gamma, name)).join(' | ')} |`),
    '',
  ].join('\n');
}

const here = fileURLToPath(import.meta.url);
if (process.argv[1] === here) {
  const { values } = parseArgs({
    options: {
      gamma: { type: 'string', default: '0,1,2,3,4' },
      seeds: { type: 'string', default: '10,101,1010,10101,101010' },
      people: { type: 'string', default: '1000' },
      'published-window': { type: 'boolean', default: false },
      json: { type: 'string' },
      markdown: { type: 'string' },
    },
  });
  const numbers = (list: string): number[] => list.split(',').map(Number);
  const options = { people: Number(values.people), hasPublishedWindow: values['published-window'] };
  const rows: BenchmarkFigure[] = [];
  for (const gamma of numbers(values.gamma)) {
    const bySeed = numbers(values.seeds).map((seed) => bayesRow(gamma, seed, options));
    for (const name of Object.keys(bySeed[0]!)) {
      const seeds = bySeed.map((row) => row[name]!);
      const mean = seeds.reduce((sum, value) => sum + value, 0) / seeds.length;
      const sd = Math.sqrt(seeds.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(seeds.length - 1, 1));
      rows.push({ gamma, name, mean, sd, seeds });
      console.log(
        `γ=${gamma}  ${name.padEnd(28)} ${mean.toFixed(3)} ± ${sd.toFixed(3)}  (${seeds.map((value) => value.toFixed(3)).join(', ')})`,
      );
    }
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ pack: 'lung-tumour', rows }, null, 1)}\n`);
  if (values.markdown !== undefined) writeFileSync(values.markdown, benchmarkTable(rows));
}
