/** Events held against their forecast risks: who comes first, how large the risks are, and what acting on them would gain. */
import type { Drawing, Figure } from '#domain/validation.ts';
import { bootstrapInterval } from '#numerics/bootstrap.ts';
import { harrellC, unoC } from '#numerics/concordance.ts';
import { survivalNetBenefit } from '#numerics/decision-curve.ts';
import { defined, type Estimate } from '#numerics/estimate.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { survivalCalibration, type SurvivalCalibration } from '#numerics/survival-calibration.ts';
import { dCalibration, integratedBrier, ipcwBrier } from '#numerics/survival-scores.ts';
import { orThrow } from '../baselines/predictive.ts';
import { pick } from '../evaluation/metrics.ts';
import type { EventOutcome, Outcomes } from '../evaluation/outcomes.ts';
import { bootstrapSeed, capital, figureOf, type DrawingOf } from './figures.ts';

export interface EventParts {
  readonly figures: readonly Figure[];
  readonly drawings: readonly Drawing[];
}

export interface EventWords {
  /** "death or transplantation". */
  readonly outcome: string;
  /** Indices into `horizons` at which calibration is drawn, with words: "5 years". */
  readonly horizons: readonly { readonly at: number; readonly label: string }[];
  /** Of the decision curve. */
  readonly thresholds: readonly number[];
  /** How far ahead the pack forecasts: who is followed longer counts as censored then. */
  readonly longestDays: number;
}

type Rows = readonly EventOutcome[];
const times = (rows: Rows) => rows.map(({ time }) => time);
const events = (rows: Rows) => rows.map(({ event }) => event);
/** A forecast of exactly 0 or 1 has no place on a logistic scale. */
const inside = (risk: number): number => Math.min(1 - 1e-6, Math.max(1e-6, risk));

export function eventParts(outcomes: Outcomes, words: EventWords): EventParts {
  const figures: Figure[] = [];
  const drawings: Drawing[] = [];
  for (const from of [...new Set(outcomes.events.map((row) => row.from))]) {
    const rows = outcomes.events.filter((row) => row.from === from);
    if (rows.length < 20) continue;
    figures.push(...figuresFrom(outcomes, words, from, rows));
    if (from === 'entry') drawings.push(...drawingsFrom(outcomes, words, rows));
  }
  return { figures, drawings };
}

function figuresFrom({ set, horizons }: Outcomes, { outcome, horizons: shown }: EventWords, from: string, rows: Rows): Figure[] {
  const n = rows.length;
  const names = Object.keys(rows[0]!.baselines);
  const ranked = names.filter((name) => rows[0]!.baselines[name]!.rank !== null);
  const own = (statistic: (rows: Rows) => Estimate) => (indices: Int32Array) => statistic(pick(indices, rows));
  const head = `${capital(outcome)} from ${from}`;
  const c = (rank: (row: EventOutcome) => number) =>
    own((some) => valueOf(harrellC(times(some), events(some), some.map(rank)), (result) => result.cIndex));
  const last = horizons.at(-1)!;
  const uno = (rank: (row: EventOutcome) => number) => own((some) => unoC(times(some), events(some), some.map(rank), last));
  const ibs = (risks: (row: EventOutcome) => readonly number[]) =>
    own((some) =>
      integratedBrier(
        times(some),
        events(some),
        some.map((row) => risks(row).map((risk) => 1 - Math.min(1, risk))),
        horizons,
      ),
    );
  const figures = [
    figureOf({
      name: `${head}: Harrell’s C`,
      set,
      people: n,
      better: 'higher',
      statistic: c((row) => row.rank),
      baselines: ranked.map((name) => ({ name, statistic: c((row) => row.baselines[name]!.rank!) })),
    }),
    figureOf({
      name: `${head}: Uno’s C`,
      set,
      people: n,
      better: 'higher',
      statistic: uno((row) => row.rank),
      baselines: ranked.map((name) => ({ name, statistic: uno((row) => row.baselines[name]!.rank!) })),
      resamples: 200,
    }),
    figureOf({
      name: `${head}: integrated Brier score`,
      set,
      people: n,
      better: 'lower',
      statistic: ibs((row) => row.risks),
      baselines: names.map((name) => ({ name, statistic: ibs((row) => row.baselines[name]!.risks) })),
      resamples: 200,
    }),
  ];
  for (const { at, label } of shown) {
    const horizon = horizons[at]!;
    const calibration = (some: Rows, risk: (row: EventOutcome) => number) =>
      survivalCalibration(times(some), events(some), some.map(risk).map(inside), horizon);
    const of = (pickOne: (result: SurvivalCalibration) => Estimate, risk: (row: EventOutcome) => number) =>
      own((some) => {
        const result = calibration(some, risk);
        return result.defined ? pickOne(result.value) : result;
      });
    const brier = (risk: (row: EventOutcome) => number) =>
      own((some) =>
        ipcwBrier(
          times(some),
          events(some),
          some.map((row) => 1 - Math.min(1, risk(row))),
          horizon,
        ),
      );
    const fitted = ranked.map((name) => ({ name, risk: (row: EventOutcome) => row.baselines[name]!.risks[at]! }));
    const mine = (row: EventOutcome) => row.risks[at]!;
    const slope = (result: SurvivalCalibration) => valueOf(result.slope, (line) => line.slope);
    const large = (result: SurvivalCalibration) => result.observedOverExpected;
    const ici = (result: SurvivalCalibration) => valueOf(result.index, (index) => index.ici);
    const with95 = { set, people: n, resamples: 200 };
    figures.push(
      figureOf({
        ...with95,
        name: `${head}, within ${label}: Brier score`,
        better: 'lower',
        statistic: brier(mine),
        baselines: names.map((name) => ({ name, statistic: brier((row) => row.baselines[name]!.risks[at]!) })),
      }),
      figureOf({
        ...with95,
        name: `${head}, within ${label}: observed over expected`,
        better: 'nearer',
        wanted: 1,
        statistic: of(large, mine),
        baselines: fitted.map(({ name, risk }) => ({ name, statistic: of(large, risk) })),
      }),
      figureOf({
        ...with95,
        name: `${head}, within ${label}: calibration slope`,
        better: 'nearer',
        wanted: 1,
        statistic: of(slope, mine),
        baselines: fitted.map(({ name, risk }) => ({ name, statistic: of(slope, risk) })),
      }),
      figureOf({
        ...with95,
        name: `${head}, within ${label}: integrated calibration index`,
        better: 'lower',
        statistic: of(ici, mine),
        baselines: fitted.map(({ name, risk }) => ({ name, statistic: of(ici, risk) })),
        note: 'Resampling adds to it: its interval lies high, above all among few people.',
      }),
    );
  }
  return figures;
}

const valueOf = <T>(estimate: Estimate<T>, pickOne: (value: T) => number): Estimate =>
  estimate.defined ? defined(pickOne(estimate.value)) : estimate;

function drawingsFrom({ set, horizons }: Outcomes, words: EventWords, rows: Rows): Drawing[] {
  const { outcome, horizons: shown } = words;
  const calibrations = shown.map(({ at, label }): DrawingOf<'calibration'> => {
    const result = orThrow(
      'calibration',
      survivalCalibration(
        times(rows),
        events(rows),
        rows.map((row) => inside(row.risks[at]!)),
        horizons[at]!,
        rows.length < 100 ? 4 : 8,
      ),
    );
    return {
      kind: 'calibration',
      title: `Were the risks the right size? Within ${label} of entry, ${set}`,
      outcome: `${outcome} within ${label}`,
      points: result.groups.flatMap(({ meanPredicted, observed, interval, n }) =>
        observed === null || interval === null
          ? []
          : [{ predicted: meanPredicted, observed, low: interval.lower, high: interval.upper, n }],
      ),
      curve: result.curve,
      ici: result.index.defined ? result.index.value.ici : null,
      n: rows.length,
    };
  });
  const { at, label } = shown.at(-1)!;
  const asked = { set, outcome: `${outcome} within ${label}`, label, horizon: horizons[at]!, at, thresholds: words.thresholds };
  return [...calibrations, dCalibrationDrawing(set, words, rows), decisionDrawing(asked, rows)];
}

function dCalibrationDrawing(set: string, { outcome, longestDays }: EventWords, rows: Rows): DrawingOf<'d-calibration'> {
  const bins = rows.length < 100 ? 5 : 10;
  const result = orThrow(
    'D-calibration',
    dCalibration(
      rows.map(({ survivalAtOwnTime }) => Math.min(1, Math.max(0, survivalAtOwnTime))),
      rows.map(({ time, event }) => (time > longestDays ? 0 : event)),
      bins,
    ),
  );
  return {
    kind: 'd-calibration',
    title: `Forecast survival at each person’s own time: ${outcome}, ${set}`,
    shares: result.counts.map((count) => count / rows.length),
    p: result.p,
    n: rows.length,
  };
}

interface DecisionAsked {
  readonly set: string;
  readonly outcome: string;
  readonly label: string;
  readonly horizon: number;
  /** Index of the horizon in the rows' risks. */
  readonly at: number;
  readonly thresholds: readonly number[];
}

/** At the thresholds where every curve has a value: one that is reached only by people who could not be followed has none. */
function decisionDrawing({ set, outcome, label, horizon, at, thresholds }: DecisionAsked, rows: Rows): DrawingOf<'decision'> {
  const baselineName = Object.keys(rows[0]!.baselines)[0]!;
  const benefit = (some: Rows, risk: (row: EventOutcome) => number, threshold: number) =>
    survivalNetBenefit(
      times(some),
      events(some),
      some.map((row) => Math.min(1, risk(row))),
      horizon,
      threshold,
    );
  const points = thresholds.flatMap((threshold) => {
    const mine = (some: Rows) => benefit(some, (row) => row.risks[at]!, threshold);
    const [model, baseline] = [mine(rows), benefit(rows, (row) => row.baselines[baselineName]!.risks[at]!, threshold)];
    const interval = bootstrapInterval((indices) => valueOf(mine(pick(indices, rows)), (result) => result.model), {
      persons: rows.length,
      resamples: 200,
      random: new RandomSequence(seedFrom(bootstrapSeed)).uniform,
    });
    if (!model.defined || !baseline.defined || !interval.defined) return [];
    const { lower: low, upper: high } = interval.value;
    return [{ threshold, ...model.value, baseline: baseline.value.model, interval: { low, high } }];
  });
  return {
    kind: 'decision',
    title: `Would acting on these risks gain? Within ${label} of entry, ${set}`,
    outcome,
    thresholds: points.map(({ threshold }) => threshold),
    model: points.map(({ model }) => model),
    interval: points.map(({ interval }) => interval),
    treatAll: points.map(({ treatAll }) => treatAll),
    baselines: [{ name: baselineName, values: points.map(({ baseline }) => baseline) }],
    n: rows.length,
  };
}
