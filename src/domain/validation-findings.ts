/** What the figures of a validation report show by themselves, so that nobody has to say it for them. */
import type { CoverageDrawing, Figure, SectionId, TrialReplication, ValidationReport } from './validation.ts';

/** How the pack's figures stand to one simpler method: better or worse where the interval of the difference leaves out 0. */
export interface Comparison {
  readonly baseline: string;
  readonly better: number;
  readonly undecided: number;
  /** What it is worse at, with the set. */
  readonly worseAt: readonly string[];
}

/** A figure that misses what is wanted of it, a trial that was not replicated, a group that fares worse. */
export interface Failure {
  readonly section: SectionId;
  readonly kind: 'off target' | 'worse than a simpler method' | 'trial not replicated' | 'group differs';
  readonly name: string;
  readonly set: string | null;
  /** Index in the section's figures; null for a trial. */
  readonly figure: number | null;
}

/** What corrected ranges did, on people whom they were not learned from, to the figures that say where they should be. */
export interface CorrectionTried {
  /** Whose figures these are. */
  readonly set: string | null;
  readonly nearer: number;
  readonly further: number;
  /** Of those that ended further away than they were without, the one that was moved most; null where none did. */
  readonly furthest: { readonly name: string; readonly before: number; readonly after: number; readonly wanted: number } | null;
}

/** Those of groups of people against each other are no simpler methods. */
const audits: ReadonlySet<SectionId> = new Set(['subgroups']);

/** 1 better, −1 worse, 0 undecided; null where there is no difference to judge. */
export function standingTo(figure: Figure, at: number): 1 | 0 | -1 | null {
  const difference = figure.baselines[at]?.difference;
  if (!difference || figure.better === null || figure.better === 'nearer') return null;
  const isAbove = difference.low > 0;
  const isBelow = difference.high < 0;
  if (!isAbove && !isBelow) return 0;
  return isAbove === (figure.better === 'higher') ? 1 : -1;
}

export function comparisonsOf({ sections }: ValidationReport): readonly Comparison[] {
  const found = new Map<string, { better: number; undecided: number; worseAt: string[] }>();
  for (const { id, figures } of sections) {
    if (audits.has(id)) continue;
    for (const figure of figures) {
      figure.baselines.forEach(({ name }, at) => {
        const standing = standingTo(figure, at);
        if (standing === null) return;
        const own = found.get(name) ?? { better: 0, undecided: 0, worseAt: [] };
        found.set(name, own);
        if (standing === 1) own.better++;
        else if (standing === 0) own.undecided++;
        else own.worseAt.push(nameOf(figure));
      });
    }
  }
  return [...found].map(([baseline, own]) => ({ baseline, ...own }));
}

/**
 * Whether what is wanted lies clearly on the other side: outside the interval of a figure that should be near it, above that of one
 * that should reach it, below that of one that should stay under it. A figure without an interval misses by its value.
 */
export function isOffTarget({ better, wanted, value, interval }: Figure): boolean {
  if (better === null || wanted === null || value === null) return false;
  const { low, high } = interval ?? { low: value, high: value };
  if (better === 'higher') return high < wanted;
  if (better === 'lower') return low > wanted;
  return wanted < low || wanted > high;
}

export function failuresOf({ sections }: ValidationReport): readonly Failure[] {
  const failures: Failure[] = [];
  for (const { id, figures, drawings } of sections) {
    figures.forEach((figure, at) => {
      const about = { section: id, name: figure.name, set: figure.set, figure: at };
      if (isOffTarget(figure)) failures.push({ ...about, kind: 'off target' });
      const isWorse = figure.baselines.some((_, baseline) => standingTo(figure, baseline) === -1);
      if (isWorse) failures.push({ ...about, kind: audits.has(id) ? 'group differs' : 'worse than a simpler method' });
      else if (audits.has(id) && differsFromOthers(figure)) failures.push({ ...about, kind: 'group differs' });
    });
    for (const trial of drawings.flatMap((drawing) => (drawing.kind === 'trials' ? drawing.trials : []))) {
      if (!trial.isReplicated)
        failures.push({ section: id, kind: 'trial not replicated', name: trialName(trial), set: null, figure: null });
    }
  }
  return failures;
}

/** For figures that should be near a value, any clear difference between groups counts, whichever side it is on. */
function differsFromOthers({ better, baselines }: Figure): boolean {
  return (
    better === 'nearer' && baselines.some(({ difference }) => difference !== null && (difference.low > 0 || difference.high < 0))
  );
}

export const trialsOf = ({ sections }: ValidationReport): readonly TrialReplication[] =>
  sections.flatMap(({ drawings }) => drawings.flatMap((drawing) => (drawing.kind === 'trials' ? drawing.trials : [])));

/** Null where corrected ranges were not tried. */
export function correctionTried({ sections }: ValidationReport): CorrectionTried | null {
  const tried = (sections.find(({ id }) => id === 'conformal')?.figures ?? []).flatMap(({ name, value, wanted, baselines }) => {
    const before = baselines[0]?.value ?? null;
    if (value === null || wanted === null || before === null) return [];
    return [{ name, before, after: value, wanted, by: Math.abs(value - wanted) - Math.abs(before - wanted) }];
  });
  if (tried.length === 0) return null;
  const further = tried.filter(({ by }) => by > 0).sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before));
  const [most] = further;
  return {
    set: sections.find(({ id }) => id === 'conformal')!.figures[0]!.set,
    nearer: tried.filter(({ by }) => by < 0).length,
    further: further.length,
    furthest: most ? { name: most.name, before: most.before, after: most.after, wanted: most.wanted } : null,
  };
}

/** The measured values' range of this level, one a set of people. */
export function coverageAt({ sections }: ValidationReport, level: number): readonly CoverageDrawing['rows'][number][] {
  const first = sections.find(({ id }) => id === 'markers');
  return (first?.drawings ?? []).flatMap((drawing) => {
    if (drawing.kind !== 'coverage') return [];
    // A drawing of several levels is of everything; those of one level are of parts.
    const isOfAll = new Set(drawing.rows.map(({ nominal }) => nominal)).size > 1;
    return isOfAll ? drawing.rows.filter(({ nominal }) => nominal === level) : [];
  });
}

const trialName = ({ name, measure }: TrialReplication): string => `${name}: ${measure}`;
const nameOf = ({ name, set }: Figure): string => (set === null ? name : `${name} (${set})`);
