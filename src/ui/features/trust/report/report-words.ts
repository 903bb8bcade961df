/** The words of a validation report. */
import type { Figure, SectionId, ValidationReport } from '#domain/validation.ts';
import {
  comparisonsOf,
  coverageAt,
  failuresOf,
  isOffTarget,
  standingTo,
  trialsOf,
  type Failure,
} from '#domain/validation-findings.ts';
import { formatPercent, formatPercentRange, formatRange, formatSigned, formatValue } from '#ui/charts/chart-words.ts';

export const sectionTitles: Readonly<Record<SectionId, string>> = {
  markers: 'Measured values',
  events: 'Events',
  subgroups: 'Groups of people',
  people: 'Who was in the data, and who was missing',
  trials: 'Trials run again',
  'what-if': 'What-if questions with a known answer',
  references: 'Published values',
  posterior: 'The fit to a person',
  benchmark: 'A task with other methods’ results',
  conformal: 'Corrected ranges',
  standing: 'Is this patient one of those?',
  explanation: 'Explanations',
  memorisation: 'Does it give people back?',
};

export const failureTitles: Readonly<Record<Failure['kind'], string>> = {
  'off target': 'Figures that miss what is wanted of them',
  'worse than a simpler method': 'Figures in which a simpler method is better',
  'trial not replicated': 'Trials that were not replicated',
  'group differs': 'Figures in which a group differs from everyone else',
};

/** "91 %", "0.84"; to the digits that the interval supports. */
export function valueText({ value, interval }: Pick<Figure, 'value' | 'interval'>): string {
  if (value === null) return 'not defined';
  const halfWidth = interval ? (interval.high - interval.low) / 2 : undefined;
  return formatValue(value, { halfWidth });
}

export function intervalText(interval: Figure['interval']): string {
  return interval === null ? '–' : formatRange(interval.low, interval.high);
}

/** "landmark Cox 0.85; difference −0.006 (−0.04 to 0.03), no clear difference". */
export function baselineText(figure: Figure, at: number): string {
  const baseline = figure.baselines[at]!;
  const { difference } = baseline;
  const value = baseline.value === null ? 'not defined' : formatValue(baseline.value, { halfWidth: halfWidthOf(figure) });
  if (!difference) return `${baseline.name} ${value}`;
  const gap = formatSigned(difference.value, (difference.high - difference.low) / 2);
  return `${baseline.name} ${value}; difference ${gap} (${formatRange(difference.low, difference.high)})${standingText(figure, at)}`;
}

const halfWidthOf = ({ interval }: Figure): number | undefined => (interval ? (interval.high - interval.low) / 2 : undefined);

function standingText(figure: Figure, at: number): string {
  const standing = standingTo(figure, at);
  if (standing === null) return '';
  return `, ${standing === 1 ? 'the pack is better' : standing === -1 ? 'the pack is worse' : 'no clear difference'}`;
}

/** What a figure should be, in words; null where nothing is wanted. */
export function wantedText(figure: Figure): string | null {
  const { better, wanted } = figure;
  if (better === null) return null;
  const aim =
    wanted === null
      ? better
      : `${better === 'nearer' ? '' : better === 'higher' ? 'at least ' : 'at most '}${formatValue(wanted)}`;
  return isOffTarget(figure) ? `${aim}: missed` : aim;
}

/** The report in a minute: each a sentence or two. */
export function summaryLines(report: ValidationReport): { readonly label: string; readonly text: string }[] {
  const lines = [{ label: 'On whom', text: report.validatedOn }];
  const coverage = coverageAt(report, 0.9);
  lines.push({
    label: 'Were the ranges true?',
    text:
      coverage.length === 0
        ? 'Not measured on real people.'
        : coverage
            .map(
              ({ observed, low, high, n, people }) =>
                `Ranges that should hold 9 in 10 held ${formatPercentRange(observed, low, high)} of ${formatValue(n)} values of ${formatValue(people)} people.`,
            )
            .join(' '),
  });
  lines.push({ label: 'Better than what?', text: comparisonText(report) });
  const trials = trialsOf(report);
  const replicated = trials.filter(({ isReplicated }) => isReplicated).length;
  lines.push({
    label: 'Trials run again',
    text:
      trials.length === 0
        ? 'None.'
        : `${replicated} of ${trials.length} comparisons replicated${replicated < trials.length ? `; not: ${trials.flatMap(({ isReplicated, name }) => (isReplicated ? [] : [name])).join('; ')}` : ''}.${trials.every(({ independence }) => independence === 'learned from it') ? ' All are of the trial that the pack learned from.' : ''}`,
  });
  lines.push({ label: 'What falls short', text: failureText(report) });
  return lines;
}

function comparisonText(report: ValidationReport): string {
  const comparisons = comparisonsOf(report);
  if (comparisons.length === 0) return 'It was compared with no simpler method.';
  return comparisons
    .map(({ baseline, better, undecided, worseAt }) => {
      const of = better + undecided + worseAt.length;
      const rest = [
        undecided > 0 ? `no clear difference in ${undecided}` : '',
        worseAt.length > 0 ? `worse in ${worseAt.length}` : '',
      ].filter(Boolean);
      return `${baseline.charAt(0).toUpperCase()}${baseline.slice(1)}: better in ${better} of ${of} figures${rest.length > 0 ? `, ${rest.join(', ')}` : ''}.`;
    })
    .join(' ');
}

function failureText(report: ValidationReport): string {
  const failures = failuresOf(report);
  const known = report.knownFailures.length;
  const measured =
    failures.length === 0
      ? report.sections.length === 0
        ? 'Nothing was measured.'
        : 'No figure misses what is wanted of it.'
      : `${failures.length} ${failures.length === 1 ? 'finding' : 'findings'} in the figures below: ${(
          Object.keys(failureTitles) as Failure['kind'][]
        )
          .flatMap((kind) => {
            const count = failures.filter((failure) => failure.kind === kind).length;
            return count === 0 ? [] : [`${count} ${shortKinds[kind]}`];
          })
          .join(', ')}.`;
  return `${measured}${known > 0 ? ` ${known} known ${known === 1 ? 'way' : 'ways'} to fail ${known === 1 ? 'is' : 'are'} listed.` : ''}`;
}

const shortKinds: Readonly<Record<Failure['kind'], string>> = {
  'off target': 'off target',
  'worse than a simpler method': 'worse than a simpler method',
  'trial not replicated': 'not replicated',
  'group differs': 'between groups',
};

/** A count of people that may be hidden. */
export const countText = (n: number | null): string => (n === null ? 'fewer than 5, or not told' : formatValue(n));

export function shareText(n: number | null, total: number): string {
  return n === null || total === 0 ? '' : formatPercent(n / total);
}
