/** When an open vault locks by itself, and the panic key. Knows no page: the component in ui/features/vault feeds it. */

export type LockReason = 'button' | 'panic' | 'idle' | 'hidden' | 'sleep' | 'other-tab';

export interface LockLimits {
  /** Minutes without a key or a movement. */
  readonly idleMinutes: number;
  /** Minutes in the background. */
  readonly hiddenMinutes: number;
}

export interface AutoLockParts {
  /** Milliseconds. */
  readonly now: () => number;
  readonly limits: () => LockLimits;
  /**
   * False in the demonstration vault, which has nothing to lock away, and in one that the browser does not keep, which a lock would end:
   * only the panic key works there.
   */
  readonly isTimed: boolean;
  readonly onlock: (reason: LockReason) => void;
}

const minute = 60_000;
/** Browsers wake a page in the background once a minute, so a longer silence of the clock was the machine's sleep. */
const sleepGapMs = 2 * minute;
const panicPresses = 3;
const panicWithinMs = 1000;

export class AutoLock {
  /** Whole seconds until the idle lock, in its last minute; null before. */
  secondsLeft = $state<number | null>(null);
  readonly #parts: AutoLockParts;
  #lastActivity: number;
  #lastTick: number;
  #hiddenSince: number | null = null;
  #presses: readonly number[] = [];
  #isLocked = false;

  constructor(parts: AutoLockParts) {
    this.#parts = parts;
    this.#lastActivity = this.#lastTick = parts.now();
  }

  /** A key, a movement, a touch. */
  activity(): void {
    // A machine that just woke up must not be kept open by the hand that woke it.
    this.tick();
    this.#lastActivity = this.#parts.now();
    this.secondsLeft = null;
  }

  setHidden(isHidden: boolean): void {
    this.tick();
    this.#hiddenSince = isHidden ? (this.#hiddenSince ?? this.#parts.now()) : null;
  }

  /** The browser brought the page back as it was when somebody went to another page: nobody knows who sits there now. */
  broughtBack(): void {
    if (this.#parts.isTimed) this.#lock('sleep');
  }

  /** Once a second. */
  tick(): void {
    const now = this.#parts.now();
    const silence = now - this.#lastTick;
    this.#lastTick = now;
    if (!this.#parts.isTimed) return;
    const { idleMinutes, hiddenMinutes } = this.#parts.limits();
    // A clock that was set back would keep everything open for as long as it was set back.
    if (Math.abs(silence) > sleepGapMs) return this.#lock('sleep');
    if (this.#hiddenSince !== null && now - this.#hiddenSince >= hiddenMinutes * minute) return this.#lock('hidden');
    const left = this.#lastActivity + idleMinutes * minute - now;
    if (left <= 0) return this.#lock('idle');
    // A limit of one minute is announced from half of it on: sooner it would always stand there.
    this.secondsLeft = left <= Math.min(minute, (idleMinutes * minute) / 2) ? Math.ceil(left / 1000) : null;
  }

  /** Escape was pressed. The third within a second locks. */
  escape(): void {
    const now = this.#parts.now();
    this.#presses = [...this.#presses.filter((at) => now - at <= panicWithinMs), now];
    if (this.#presses.length >= panicPresses) this.#lock('panic');
  }

  #lock(reason: LockReason): void {
    if (this.#isLocked) return;
    this.#isLocked = true;
    this.#parts.onlock(reason);
  }
}
