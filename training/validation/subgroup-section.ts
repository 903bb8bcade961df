/** The bias audit: the same figures by age, sex and origin, and how a group differs from everyone else. */
import type { Drawing, Figure } from '#domain/validation.ts';
import { bootstrapInterval, type ResampleStatistic } from '#numerics/bootstrap.ts';
import { harrellC } from '#numerics/concordance.ts';
import { defined, notDefined, type Estimate } from '#numerics/estimate.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { survivalCalibration } from '#numerics/survival-calibration.ts';
import { pick } from '../evaluation/metrics.ts';
import { reportLevels, type EventOutcome, type Outcomes, type ValueOutcome } from '../evaluation/outcomes.ts';
import { average, bootstrapSeed, capital, figureOf, type DrawingOf } from './figures.ts';

/** Groups smaller than this are named and not scored; smaller than that, their size is not told. */
export const smallestScored = 50;
const smallestTold = 5;

interface Person {
  readonly values: readonly ValueOutcome[];
  readonly event: EventOutcome | null;
}

interface Measured {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly better: Figure['better'];
  readonly wanted: number | null;
  /** Of whoever is given. */
  readonly statistic: (people: readonly Person[]) => Estimate;
}

export function subgroupParts(
  { set, values, events, horizons, groups }: Outcomes,
  { outcome, at, label }: { outcome: string; at: number; label: string },
): { figures: Figure[]; drawings: Drawing[] } {
  const people = new Map<string, Person>(
    Object.keys(groups).map((id) => [
      id,
      {
        values: values.filter(({ person }) => person === id),
        event: events.find((row) => row.person === id && row.from === 'entry') ?? null,
      },
    ]),
  );
  const everyone = [...people.values()];
  const ids = [...people.keys()];
  const measured = measuredOf(outcome, at, label, horizons[at]!);
  const divisions = [...new Set(ids.flatMap((id) => Object.keys(groups[id]!)))].flatMap((division) => {
    const labels = [...new Set(ids.map((id) => groups[id]![division]!))].sort(byNumber);
    return labels.map((group) => ({
      division,
      group,
      isIn: ids.map((id) => groups[id]![division] === group),
      n: ids.filter((id) => groups[id]![division] === group).length,
    }));
  });
  const scored = divisions.filter(({ n }) => n >= smallestScored);
  const unscored = divisions
    .filter(({ n }) => n < smallestScored)
    .map(({ division, group, n }) => ({ label: nameOf(division, group), n: n < smallestTold ? null : n }));
  const figures: Figure[] = [];
  const drawings: Drawing[] = [];
  for (const { name, title, unit, better, wanted, statistic } of measured) {
    const rows: DrawingOf<'forest'>['rows'][number][] = [];
    const random = () => new RandomSequence(seedFrom(bootstrapSeed)).uniform;
    const all = bootstrapInterval((rows_) => statistic(pick(rows_, everyone)), {
      persons: everyone.length,
      resamples: 300,
      random: random(),
    });
    if (!all.defined) continue;
    rows.push({ label: 'Everyone', value: all.value.estimate, low: all.value.lower, high: all.value.upper, n: everyone.length });
    for (const { division, group, isIn, n } of scored) {
      const within =
        (wantedSide: boolean): ResampleStatistic =>
        (indices) =>
          statistic(
            Array.from(
              indices.filter((i) => isIn[i] === wantedSide),
              (i) => everyone[i]!,
            ),
          );
      const figure = figureOf({
        name: `${name}: ${nameOf(division, group)}`,
        set,
        people: everyone.length,
        better,
        ...(wanted === null ? {} : { wanted }),
        statistic: within(true),
        // Whoever is everyone has nobody to be held against.
        baselines: n < everyone.length ? [{ name: 'everyone else', statistic: within(false) }] : [],
        resamples: 300,
      });
      figures.push({ ...figure, n });
      if (figure.value === null || figure.interval === null) continue;
      rows.push({ label: nameOf(division, group), value: figure.value, ...figure.interval, n });
    }
    drawings.push({
      kind: 'forest',
      title: `${title} ${capital(set)}`,
      unit,
      line:
        wanted === null
          ? { value: all.value.estimate, label: 'everyone', isWanted: false }
          : { value: wanted, label: 'ideal', isWanted: true },
      rows,
      unscored,
    });
  }
  return { figures, drawings };
}

const nameOf = (division: string, group: string): string => `${division}, ${group}`;

/** "under 30" before "30 to 39" before "50 and over". */
function byNumber(a: string, b: string): number {
  const rank = (text: string) => Number(/\d+/.exec(text)?.[0] ?? NaN) - (text.startsWith('under') ? 0.5 : 0);
  const [x, y] = [rank(a), rank(b)];
  return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
}

function measuredOf(outcome: string, at: number, label: string, horizon: number): readonly Measured[] {
  const level = reportLevels.indexOf(0.9);
  const ofValues = (statistic: (rows: readonly ValueOutcome[]) => number) => (people: readonly Person[]) => {
    const rows = people.flatMap(({ values }) => values);
    return rows.length === 0 ? notDefined('no values') : defined(statistic(rows));
  };
  const ofEvents = (statistic: (rows: readonly EventOutcome[]) => Estimate) => (people: readonly Person[]) =>
    statistic(people.flatMap(({ event }) => (event ? [event] : [])));
  return [
    {
      name: 'Share of values inside the 90 % range',
      title: 'Do the ranges hold in every group?',
      unit: 'share inside the 90 % range',
      better: 'nearer',
      wanted: 0.9,
      statistic: ofValues((rows) => average(rows.map(({ isInside }) => (isInside[level] ? 1 : 0)))),
    },
    {
      name: 'Mean place of values in their forecast',
      title: 'Are forecasts too high or too low in a group?',
      unit: 'mean place in the forecast, below 0.5: forecasts too high',
      better: 'nearer',
      wanted: 0.5,
      statistic: ofValues((rows) => average(rows.map(({ pit: [lower, upper] }) => (lower + upper) / 2))),
    },
    {
      name: `Observed over expected, ${outcome} within ${label}`,
      title: `Are risks of ${outcome} within ${label} too high or too low in a group?`,
      unit: 'observed over expected',
      better: 'nearer',
      wanted: 1,
      statistic: ofEvents((rows) => {
        const result = survivalCalibration(
          rows.map(({ time }) => time),
          rows.map(({ event }) => event),
          rows.map(({ risks }) => Math.min(1, risks[at]!)),
          horizon,
        );
        return result.defined ? result.value.observedOverExpected : result;
      }),
    },
    {
      name: `Harrell’s C, ${outcome}`,
      title: `Are people of a group put in the right order of ${outcome}?`,
      unit: 'Harrell’s C, 0.5 is chance',
      better: 'higher',
      wanted: null,
      statistic: ofEvents((rows) => {
        const result = harrellC(
          rows.map(({ time }) => time),
          rows.map(({ event }) => event),
          rows.map(({ rank }) => rank),
        );
        return result.defined ? defined(result.value.cIndex) : result;
      }),
    },
  ];
}

/** Who was there, without counts that would point at a few: a cell below five hides, and with it the smallest beside it. */
export function countsDrawing(title: string, groups: Outcomes['groups'], missing: readonly string[]): DrawingOf<'counts'> {
  const people = Object.values(groups);
  const divisions = [...new Set(people.flatMap((own) => Object.keys(own)))];
  return {
    kind: 'counts',
    title,
    total: people.length,
    groups: divisions.map((division) => {
      const labels = [...new Set(people.map((own) => own[division]!))].sort(byNumber);
      const counts = labels.map((group) => ({ label: group, n: people.filter((own) => own[division] === group).length }));
      return { of: division, rows: withoutSmall(counts) };
    }),
    missing,
  };
}

export function withoutSmall(counts: readonly { label: string; n: number }[]): { label: string; n: number | null }[] {
  const hidden = new Set(counts.filter(({ n }) => n > 0 && n < smallestTold).map(({ label }) => label));
  if (hidden.size === 1) {
    // The total is told: one hidden cell could be found by subtraction.
    const next = counts.filter(({ label, n }) => n > 0 && !hidden.has(label)).sort((a, b) => a.n - b.n)[0];
    if (next) hidden.add(next.label);
  }
  return counts.map(({ label, n }) => ({ label, n: hidden.has(label) ? null : n }));
}
