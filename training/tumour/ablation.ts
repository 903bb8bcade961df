/**
 * npx tsx training/tumour/ablation.ts [--gammas 2,4] [--seeds 10]
 *
 * What each part of the learned model buys where treatment is confounded: traits against a memory of the course against neither, and
 * inverse weighting by the propensity on top of the memory. One member each, otherwise the benchmark's recipe and rows. Writes
 * training/results/tumour/ablation.json, and goes on where it was.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fitLogistic, logistic } from '#numerics/logistic-regression.ts';
import { quantileOfSorted } from '#numerics/quantiles.ts';
import { writeWhole } from '../whole-file.ts';
import { drawCohort, type Series } from './cohort.ts';
import { fitTumourModel } from './fit.ts';
import { LearnedForecaster } from './forecaster.ts';
import type { ModelShape } from './model.ts';
import { runTest, tests, type Test, type TestFigures } from './protocol.ts';
import { protocolPeople, recipe } from './recipe.ts';
import { resultsFolder } from './run.ts';
import { diameterOf } from './simulator.ts';

const noTraits = { traits: 0, components: 1 };
const remembering: ModelShape = { ...recipe.shape, ...noTraits, memory: 8, hidden: 24, readsCourse: true };

export const variants = {
  /** Treatments of the past and today's volume only: what the volumes of the past say of the person is lost. */
  neither: { shape: { ...recipe.shape, ...noTraits }, isWeighted: false },
  /** A recurrent forecaster: the memory also reads how the volume changed under which treatment. */
  memory: { shape: remembering, isWeighted: false },
  'memory, inverse weights': { shape: remembering, isWeighted: true },
  traits: { shape: recipe.shape, isWeighted: false },
} as const satisfies Record<string, { shape: ModelShape; isWeighted: boolean }>;
export type Variant = keyof typeof variants;

export interface AblationResult {
  readonly gamma: number;
  readonly seed: number;
  readonly variant: Variant;
  readonly valid: number;
  readonly figures: Readonly<Record<Test, TestFigures>>;
}

export const ablationFile = join(resultsFolder, 'ablation.json');

/** Size of the tumour today and over the 15 days before: what the policy reads, in its own form, to the weights' advantage. */
function propensityInputs({ volumes }: Series): number[][] {
  const diameters = Array.from(volumes, diameterOf);
  return diameters.map((today, t) => {
    const window = diameters.slice(Math.max(t - 15, 0), Math.max(t, 1));
    return [1, window.reduce((sum, value) => sum + value, 0) / window.length / 13, today / 13];
  });
}

/** P(treatment) / P(treatment | history) of each step, held to its 1st and 99th percentile, one on average. */
export function inverseWeights(cohort: readonly Series[]): Float64Array[] {
  const inputs = cohort.map(propensityInputs);
  // Nobody to learn from is treated on the first day, whatever their tumour.
  const later = <T>(rows: ArrayLike<T>): T[] => Array.from(rows).slice(1);
  const weights = cohort.map(({ changes }) => new Float64Array(changes.length).fill(1));
  for (const which of ['chemo', 'radio'] as const) {
    const taken = cohort.flatMap((series) => later(series[which]));
    const share = taken.reduce((sum, value) => sum + value, 0) / taken.length;
    const fit = fitLogistic(inputs.flatMap(later), taken);
    if (!fit.defined) throw new Error(`The propensity of ${which} cannot be fitted.`);
    const { coefficients } = fit.value;
    cohort.forEach((series, i) => {
      for (let t = 1; t < series.changes.length; t++) {
        const probability = logistic(inputs[i]![t]!.reduce((sum, value, k) => sum + value * coefficients[k]!, 0));
        weights[i]![t]! *= series[which][t] ? share / probability : (1 - share) / (1 - probability);
      }
    });
  }
  const sorted = Float64Array.from(weights.flatMap((own) => [...own])).sort();
  const [low, high] = [quantileOfSorted(sorted, 0.01), quantileOfSorted(sorted, 0.99)];
  const held = weights.map((own) => own.map((value) => Math.min(Math.max(value, low), high)));
  const mean = held.reduce((sum, own) => sum + own.reduce((a, b) => a + b, 0), 0) / sorted.length;
  return held.map((own) => own.map((value) => value / mean));
}

function main(): void {
  const { values } = parseArgs({
    options: { gammas: { type: 'string', default: '2,4' }, seeds: { type: 'string', default: '10' } },
  });
  mkdirSync(resultsFolder, { recursive: true });
  const results = existsSync(ablationFile) ? (JSON.parse(readFileSync(ablationFile, 'utf8')) as AblationResult[]) : [];
  for (const seed of values.seeds.split(',').map(Number)) {
    for (const gamma of values.gammas.split(',').map(Number)) {
      const train = drawCohort(gamma, seed, 'train', protocolPeople.train);
      const valid = drawCohort(gamma, seed, 'valid', protocolPeople.valid);
      for (const [name, { shape, isWeighted }] of Object.entries(variants)) {
        const variant = name as Variant;
        if (results.some((row) => row.gamma === gamma && row.seed === seed && row.variant === variant)) continue;
        const fit = fitTumourModel(train, valid, {
          ...recipe,
          shape,
          seed,
          ...(isWeighted ? { stepWeights: inverseWeights(train) } : {}),
        });
        const figures = Object.fromEntries(
          tests.map((test) => [
            test,
            runTest(test, { gamma, seed, people: protocolPeople.test, window: 'published' }, [
              new LearnedForecaster(fit.model, seed),
            ])[0]!,
          ]),
        ) as Record<Test, TestFigures>;
        results.push({ gamma, seed, variant, valid: fit.valid, figures });
        writeWhole(ablationFile, `${JSON.stringify(results, null, 1)}\n`);
        console.log(
          `γ=${gamma} seed ${seed} ${variant}: ${tests.map((test) => figures[test].rmse.map((v) => v.toFixed(3)).join(' ')).join(' | ')}`,
        );
      }
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
