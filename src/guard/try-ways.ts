/** Tries the ways out, one after the other, and says what stopped each. */
import type { Place, Target, Way } from './ways.ts';

export type Stop =
  /** What it needs was taken from the scope. */
  | 'removed'
  /** Refused by the page's guard. */
  | 'guard'
  /** A violation of the content policy was reported. */
  | 'policy'
  /** The browser refused by an exception. */
  | 'exception';

export interface Attempt {
  readonly id: string;
  readonly place: Place;
  /**
   * `unknown`: nothing was reached, and the browser does not say why; the Connection-Allowlist stops without a word. `absent`: this
   * browser does not know the way. `skipped`: it could not be tried without leaving the page.
   */
  readonly outcome: 'stopped' | 'unknown' | 'reached' | 'absent' | 'skipped';
  readonly stoppedBy: readonly Stop[];
  /** Directive of the policy, or name of the exception. */
  readonly detail: string;
}

export interface TryOptions {
  /** Where violations of the policy are told: the document, or a worker's scope. */
  readonly speaker: EventTarget;
  /** Default true: ways that leave the page or open a window are tried too. */
  readonly mayLeave?: boolean;
  /** How often the guard has refused so far; default: there is none. */
  readonly refusals?: () => number;
  readonly onAttempt?: (attempt: Attempt) => void;
}

export async function tryWays(
  ways: readonly Way[],
  place: Place,
  target: Target,
  { speaker, mayLeave = true, refusals = () => 0, onAttempt }: TryOptions,
): Promise<readonly Attempt[]> {
  const attempts: Attempt[] = [];
  for (const way of ways) {
    if (!way.from.includes(place)) continue;
    const attempt =
      way.isLeaving && !mayLeave ? told(way, place, 'skipped') : await tryOne(way, place, target, speaker, refusals);
    attempts.push(attempt);
    onAttempt?.(attempt);
  }
  return attempts;
}

async function tryOne(way: Way, place: Place, target: Target, speaker: EventTarget, refusals: () => number): Promise<Attempt> {
  const scope = globalThis as unknown as Record<string, unknown>;
  if (way.needs && scope[way.needs] === undefined) {
    return way.needs in scope ? told(way, place, 'stopped', ['removed']) : told(way, place, 'absent');
  }
  const directives = new Set<string>();
  const hear = (event: Event) => directives.add((event as SecurityPolicyViolationEvent).effectiveDirective);
  speaker.addEventListener('securitypolicyviolation', hear);
  const refusedBefore = refusals();
  let result: 'reached' | 'failed' | 'silent' = 'silent';
  let exception = '';
  try {
    result = await way.attempt(target);
  } catch (error) {
    exception = error instanceof Error ? error.name : 'Error';
  }
  // Violations are told in a task of their own.
  await new Promise((done) => setTimeout(done, 60));
  speaker.removeEventListener('securitypolicyviolation', hear);
  if (result === 'reached') return told(way, place, 'reached');
  const stoppedBy: Stop[] = [];
  if (refusals() > refusedBefore) stoppedBy.push('guard');
  if (directives.size > 0) stoppedBy.push('policy');
  if (exception) stoppedBy.push('exception');
  return told(
    way,
    place,
    stoppedBy.length > 0 ? 'stopped' : 'unknown',
    stoppedBy,
    [...directives, exception].filter(Boolean).join(', '),
  );
}

function told(way: Way, place: Place, outcome: Attempt['outcome'], stoppedBy: readonly Stop[] = [], detail = ''): Attempt {
  return { id: way.id, place, outcome, stoppedBy, detail };
}
