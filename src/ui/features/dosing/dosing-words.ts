/** What the Plan page says. Numbers come from the answer; nothing here ranks. */
import type { DoseCandidate } from '#domain/dosing.ts';
import type { DosingState } from '#app/dosing.svelte.ts';
import type { EquationsManifest, Target } from '#app/manifest.ts';
import { formatValue } from '#ui/charts/chart-words.ts';

const people = (share: number) => Math.round(100 * share);

export function targetOf(manifest: EquationsManifest, id: string): Target | undefined {
  return manifest.targets.find((target) => target.id === id);
}

const list = new Intl.ListFormat('en-GB');

/** "Of 54 ways to give vancomycin, 17 keep every limit; with these AUC24 400 to 600 is reached in 38 to 71 of 100 draws." */
export function searchSentence(
  { answer, question, isStale }: Pick<DosingState, 'answer' | 'question' | 'isStale'>,
  manifest: EquationsManifest,
  alias: string,
): string {
  const drug = manifest.interventions.find(({ id }) => id === question?.intervention);
  const name = drug?.shortLabel.toLowerCase() ?? 'it';
  if (!answer || !question) return `What dose of ${name} reaches the target in ${alias}?`;
  const { candidates } = answer;
  const keeping = candidates.filter(({ keepsLimits }) => keepsLimits);
  const ways = `Of ${candidates.length} ways to give ${name}`;
  // What was wanted may have changed since; the numbers belong to the question that was asked.
  if (isStale) return `${ways}, ${keeping.length} kept every limit of the last search.`;
  const hasLimits = Object.keys(question.atMost).length > 0;
  if (hasLimits && keeping.length === 0)
    return `${ways}, none keeps every limit. All are shown; change a limit, or look at what breaks it.`;
  const wanted = list.format(question.reach.map((id) => targetOf(manifest, id)?.label ?? id));
  const shares = keeping.map(({ allReached }) => people(allReached));
  const [low, high] = [Math.min(...shares), Math.max(...shares)];
  const range = low === high ? `${low}` : `${low} to ${high}`;
  const reached = `${wanted} ${question.reach.length > 1 ? 'are reached together' : 'is reached'} in ${range} of 100 draws`;
  return hasLimits
    ? `${ways}, ${keeping.length} ${keeping.length === 1 ? 'keeps' : 'keep'} every limit; with ${keeping.length === 1 ? 'it' : 'these'} ${reached}.`
    : `${ways}: ${reached}.`;
}

/** The limits that a candidate breaks, by label. */
export function brokenLimits(
  candidate: DoseCandidate,
  atMost: Readonly<Record<string, number>>,
  manifest: EquationsManifest,
): string[] {
  return Object.entries(atMost)
    .filter(([id, limit]) => (candidate.targets[id]?.probability ?? 0) > limit)
    .map(([id]) => targetOf(manifest, id)?.label ?? id);
}

/** One target for each measure: targets about the same quantity share a picture of it. */
export function measures(manifest: EquationsManifest): Target[] {
  const keyOf = ({ measure: { readout, statistic, window }, unit }: Target) => JSON.stringify([readout, statistic, window, unit]);
  return manifest.targets.filter((target, index) => manifest.targets.findIndex((one) => keyOf(one) === keyOf(target)) === index);
}

/** "A level in 6 h would narrow it from ±80 to ±55 mg·h/L." */
export function narrowing(from: number, to: number, unit: string): string {
  return `±${formatValue(from)} to ±${formatValue(to)} ${unit}`.trim();
}
