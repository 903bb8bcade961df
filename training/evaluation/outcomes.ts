/**
 * What forecasts said of people who were not trained on, beside what came: the rows that figures and drawings are made from. They are
 * of real people, so they stay in .cache; only aggregates are written to training/results and models.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crpsEnsemble, ensemblePit } from '#numerics/probabilistic.ts';
import { quantileOfSorted, sorted } from '#numerics/quantiles.ts';
import { errorDistribution, orThrow, predictiveCrps, predictivePoint, type Predictive } from '../baselines/predictive.ts';
import type { SurvivalForecast } from '../baselines/survival-baseline.ts';
import type { ClinicalData } from '../clinical-data.ts';
import type { Predictor } from './predict.ts';

export const reportLevels = [0.5, 0.8, 0.9, 0.95] as const;

export interface ValueOutcome {
  readonly person: string;
  readonly marker: string;
  /** "next visit", "from entry". */
  readonly task: string;
  /** From the day of the forecast. */
  readonly days: number;
  /** Shares of the draws below, and at or below, what came. */
  readonly pit: readonly [lower: number, upper: number];
  /** In the order of `reportLevels`. */
  readonly isInside: readonly boolean[];
  readonly crps: number;
  /** Mean of the forecast less what came, on the marker's scale. */
  readonly error: number;
  readonly baselines: Readonly<Record<string, { readonly crps: number; readonly error: number }>>;
}

export interface EventOutcome {
  readonly person: string;
  /** "entry", "year 3". */
  readonly from: string;
  /** Days from then to the event or to the end of follow-up. */
  readonly time: number;
  readonly event: 0 | 1;
  /** Ranks people: higher is earlier. */
  readonly rank: number;
  /** Forecast share without the event at `min(time, longest horizon)`. */
  readonly survivalAtOwnTime: number;
  /** In the order of `horizons` of `Outcomes`. */
  readonly risks: readonly number[];
  readonly baselines: Readonly<Record<string, { readonly rank: number | null; readonly risks: readonly number[] }>>;
}

/** A person under every arm of a trial: cumulative incidence at each grid time. */
export interface ArmOutcome {
  readonly person: string;
  readonly arms: Readonly<Record<string, { readonly event: readonly number[]; readonly competing: readonly number[] | null }>>;
  /** Mean of the marker that the trial reports, where it reports one. */
  readonly marker: Readonly<Record<string, number>> | null;
}

export interface Outcomes {
  /** "51 test people". */
  readonly set: string;
  readonly values: readonly ValueOutcome[];
  readonly events: readonly EventOutcome[];
  /** Days. */
  readonly horizons: readonly number[];
  readonly arms: readonly ArmOutcome[];
  /** By person, the group in each division: { sex: "women", age: "under 45" }. */
  readonly groups: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What a pack's script is given to forecast people with. */
export interface OutcomesInput<Baselines> {
  readonly predictor: Predictor;
  readonly baselines: Baselines;
  readonly data: ClinicalData;
  readonly ids: readonly string[];
  /** Whose values are the climatology: people whom the baselines were fitted to. */
  readonly trainingIds: readonly string[];
  readonly onDone?: (share: number) => void;
}

export interface ValueForecast {
  readonly person: string;
  readonly marker: string;
  readonly task: string;
  readonly days: number;
  readonly observed: number;
  readonly draws: Float64Array;
  readonly baselines: Readonly<Record<string, Predictive>>;
}

export function valueOutcome({ observed, draws, baselines, ...labels }: ValueForecast): ValueOutcome {
  const ascending = sorted(draws);
  const pit = orThrow('PIT', ensemblePit(observed, ascending));
  const errorOf = (point: number) => point - observed;
  return {
    ...labels,
    pit: [pit.lower, pit.upper],
    isInside: reportLevels.map(
      (level) =>
        observed >= quantileOfSorted(ascending, (1 - level) / 2) && observed <= quantileOfSorted(ascending, (1 + level) / 2),
    ),
    crps: orThrow('CRPS', crpsEnsemble(observed, ascending)),
    error: errorOf(ascending.reduce((sum, value) => sum + value, 0) / ascending.length),
    baselines: Object.fromEntries(
      Object.entries(baselines).map(([name, own]) => [
        name,
        { crps: predictiveCrps(own, observed), error: errorOf(predictivePoint(own)) },
      ]),
    ),
  };
}

export interface EventForecast {
  readonly person: string;
  readonly from: string;
  readonly time: number;
  readonly event: 0 | 1;
  /** Forecast share with the event within so many days. */
  readonly risk: (days: number) => number;
  readonly horizons: readonly number[];
  readonly grid: { readonly stepDays: number; readonly horizonSteps: number };
  /** What Cox and Kaplan–Meier say at `horizons`. */
  readonly cox: SurvivalForecast;
  readonly names: { readonly cox: string; readonly kaplanMeier: string };
}

export function eventOutcome({ person, from, time, event, risk, horizons, grid, cox, names }: EventForecast): EventOutcome {
  const { stepDays, horizonSteps } = grid;
  let rank = 0;
  for (let step = 1; step <= horizonSteps; step++) rank += risk(step * stepDays);
  return {
    person,
    from,
    time,
    event,
    rank,
    survivalAtOwnTime: 1 - risk(Math.min(time, horizonSteps * stepDays)),
    risks: horizons.map(risk),
    baselines: {
      [names.cox]: { rank: cox.risk, risks: cox.survival.map((s) => 1 - s) },
      [names.kaplanMeier]: { rank: null, risks: cox.kaplanMeier.map((s) => 1 - s) },
    },
  };
}

/** All values of the training people as equally likely: a forecast that knows nothing of the person. */
export function climatologyOf(values: readonly number[]): Predictive {
  const members = errorDistribution(values);
  return { kind: 'empirical', point: members.reduce((sum, value) => sum + value, 0) / members.length, members };
}

const cacheFolder = join(fileURLToPath(import.meta.url), '../../../.cache/validation');

/** What `make` gives, kept on this machine under `name` for as long as `key` (the model, the people, the code's version) is the same. */
export async function cached<T>(name: string, key: unknown, make: () => Promise<T>): Promise<T> {
  const digest = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 16);
  const file = join(cacheFolder, `${name}-${digest}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as T;
  const made = await make();
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(made));
  return made;
}
