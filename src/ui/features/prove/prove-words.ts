import type { Attempt, Stop } from '#app/prove.svelte.ts';

const stops: Record<Stop, string> = {
  removed: 'taken away',
  guard: 'guard',
  policy: 'content policy',
  exception: 'refused',
};

/** What became of an attempt, for a cell. */
export function outcomeWords(attempt: Attempt | undefined): string {
  if (!attempt) return '–';
  if (attempt.outcome === 'reached') return 'GOT OUT';
  if (attempt.outcome === 'absent') return 'not in this browser';
  if (attempt.outcome === 'skipped') return 'not tried: would leave the page';
  if (attempt.outcome === 'unknown') return 'no sign';
  return `stopped: ${attempt.stoppedBy.map((stop) => stops[stop]).join(', ')}`;
}

/** The whole proof in one sentence. */
export function resultSentence(count: {
  readonly tried: number;
  readonly reached: number;
  readonly stopped: number;
  readonly unknown: number;
}): string {
  const { tried, reached, stopped, unknown } = count;
  const rest = `${stopped} were seen to be stopped, ${unknown} ended without a sign`;
  return reached === 0
    ? `Of ${tried} ways out that were tried, none reached anything: ${rest}.`
    : `${reached} of ${tried} ways out reached something: ${rest}. Do not enter patient data at this address.`;
}
