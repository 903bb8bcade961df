/** Measured values held against their forecasts: how often ranges held them, where in the forecast they fell, errors and scores. */
import type { Drawing, Figure } from '#domain/validation.ts';
import { bootstrapInterval } from '#numerics/bootstrap.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { pitHistogram } from '#numerics/probabilistic.ts';
import { orThrow } from '../baselines/predictive.ts';
import { overVisits, pick } from '../evaluation/metrics.ts';
import { reportLevels, type Outcomes, type ValueOutcome } from '../evaluation/outcomes.ts';
import { average, bootstrapSeed, byPersonOf, capital, figureOf, type DrawingOf } from './figures.ts';

/** The forecasts whose scores are compared with simpler methods. */
export interface ScoredTask {
  readonly task: string;
  readonly label: string;
}

export interface Horizon {
  readonly label: string;
  readonly fromDays: number;
  readonly toDays: number;
}

const pitBins = 10;
const ninety = reportLevels.indexOf(0.9);

export interface ValueParts {
  readonly figures: readonly Figure[];
  readonly drawings: readonly Drawing[];
}

export function valueParts(
  { set, values }: Outcomes,
  {
    tasks,
    horizons,
    markers,
  }: { tasks: readonly ScoredTask[]; horizons: readonly Horizon[]; markers: ReadonlyMap<string, string> },
): ValueParts {
  const figures: Figure[] = [];
  const byLevel = reportLevels.map((level, k) => coverageRow(`${level * 100} % range`, values, k));
  for (const [k, level] of reportLevels.entries()) {
    const people = byPersonOf(values);
    figures.push(
      figureOf({
        name: `Share of values inside the ${level * 100} % range`,
        set,
        people: people.length,
        better: 'nearer',
        wanted: level,
        statistic: overVisits(people, (rows) => average(rows.map(({ isInside }) => (isInside[k] ? 1 : 0)))),
        note: `${values.length} values`,
      }),
    );
  }
  for (const { task, label } of tasks) {
    for (const [marker, name] of markers) {
      const own = values.filter((row) => row.task === task && row.marker === marker);
      const people = byPersonOf(own);
      if (people.length < 20) continue;
      const over = (statistic: (rows: readonly ValueOutcome[]) => number) => overVisits(people, statistic);
      const names = Object.keys(own[0]!.baselines);
      figures.push(
        figureOf({
          name: `${capital(label)}, ${name}: CRPS`,
          set,
          people: people.length,
          better: 'lower',
          statistic: over((rows) => average(rows.map(({ crps }) => crps))),
          baselines: names.map((baseline) => ({
            name: baseline,
            statistic: over((rows) => average(rows.map((row) => row.baselines[baseline]!.crps))),
          })),
          resamples: 300,
          note: `${own.length} values`,
        }),
        figureOf({
          name: `${capital(label)}, ${name}: root mean squared error`,
          set,
          people: people.length,
          better: 'lower',
          statistic: over((rows) => Math.sqrt(average(rows.map(({ error }) => error ** 2)))),
          baselines: names.map((baseline) => ({
            name: baseline,
            statistic: over((rows) => Math.sqrt(average(rows.map((row) => row.baselines[baseline]!.error ** 2)))),
          })),
          resamples: 300,
        }),
      );
    }
  }
  const byHorizon = horizons.flatMap(({ label, fromDays, toDays }) => {
    const own = values.filter(({ days }) => days > fromDays && days <= toDays);
    return byPersonOf(own).length < 20 ? [] : [coverageRow(label, own, ninety)];
  });
  const byMarker = [...markers].flatMap(([marker, name]) => {
    const own = values.filter((row) => row.marker === marker);
    return byPersonOf(own).length < 20 ? [] : [coverageRow(capital(name), own, ninety)];
  });
  const drawings: Drawing[] = [
    { kind: 'coverage', title: `Did the ranges hold what came? ${capital(set)}`, rows: byLevel },
    { kind: 'coverage', title: `The 90 % range by how far ahead. ${capital(set)}`, rows: byHorizon },
    ...(byMarker.length > 1
      ? [{ kind: 'coverage' as const, title: `The 90 % range by marker. ${capital(set)}`, rows: byMarker }]
      : []),
    pitDrawing(set, values),
    ...tasks.map(({ task, label }) =>
      skillDrawing(
        set,
        label,
        values.filter((row) => row.task === task),
        markers,
      ),
    ),
  ];
  return { figures, drawings };
}

function coverageRow(label: string, rows: readonly ValueOutcome[], level: number): DrawingOf<'coverage'>['rows'][number] {
  const people = byPersonOf(rows);
  const interval = orThrow(
    `coverage, ${label}`,
    bootstrapInterval(
      overVisits(people, (own) => average(own.map(({ isInside }) => (isInside[level] ? 1 : 0)))),
      { persons: people.length, resamples: 500, random: new RandomSequence(seedFrom(bootstrapSeed)).uniform },
    ),
  );
  return {
    label,
    nominal: reportLevels[level]!,
    observed: interval.estimate,
    low: interval.lower,
    high: interval.upper,
    standardError: interval.standardError,
    n: rows.length,
    people: people.length,
  };
}

function pitDrawing(set: string, rows: readonly ValueOutcome[]): DrawingOf<'pit'> {
  const people = byPersonOf(rows);
  const sharesOf = (own: readonly ValueOutcome[]) =>
    orThrow(
      'PIT',
      pitHistogram(
        own.map(({ pit: [lower, upper] }) => ({ lower, upper })),
        pitBins,
      ),
    );
  const random = new RandomSequence(seedFrom(bootstrapSeed));
  const resampled = Array.from({ length: 200 }, () => {
    const chosen = Int32Array.from(people, () => random.below(people.length));
    return sharesOf(pick(chosen, people).flat());
  });
  return {
    kind: 'pit',
    title: `Where in the forecast did values fall? ${capital(set)}`,
    shares: sharesOf(rows),
    standardErrors: Array.from({ length: pitBins }, (_, k) => spread(resampled.map((shares) => shares[k]!))),
    n: rows.length,
    people: people.length,
  };
}

function spread(values: readonly number[]): number {
  const centre = average(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/** 1 − CRPS / CRPS of each simpler method: above 0 where the pack's forecast is the better one. */
function skillDrawing(
  set: string,
  label: string,
  values: readonly ValueOutcome[],
  markers: ReadonlyMap<string, string>,
): DrawingOf<'forest'> {
  const rows = [...markers].flatMap(([marker, name]) => {
    const own = values.filter((row) => row.marker === marker);
    const people = byPersonOf(own);
    if (people.length < 20) return [];
    return Object.keys(own[0]!.baselines).map((baseline) => {
      const interval = orThrow(
        'skill',
        bootstrapInterval(
          overVisits(
            people,
            (some) => 1 - average(some.map(({ crps }) => crps)) / average(some.map((row) => row.baselines[baseline]!.crps)),
          ),
          { persons: people.length, resamples: 300, random: new RandomSequence(seedFrom(bootstrapSeed)).uniform },
        ),
      );
      return {
        label: `${capital(name)} over ${baseline}`,
        value: interval.estimate,
        low: interval.lower,
        high: interval.upper,
        n: people.length,
      };
    });
  });
  return {
    kind: 'forest',
    title: `Better than simpler forecasts? ${capital(label)}. ${capital(set)}`,
    unit: 'CRPS skill, 0 is no better',
    line: { value: 0, label: 'no better', isWanted: false },
    rows,
    unscored: [],
  };
}
