export interface Toast {
  readonly id: number;
  readonly message: string;
  readonly undo: (() => void) | undefined;
  /** Called when it leaves and was not undone. */
  readonly gone: (() => void) | undefined;
}

/** What was just done, with a way back. A toast leaves by itself, but never while it is pointed at or focused. */
export class Toasts {
  shown = $state.raw<readonly Toast[]>([]);
  #next = 1;
  #timers = new Map<number, ReturnType<typeof setTimeout>>();
  /** Milliseconds a toast stays; with an undo twice as long. */
  readonly #stay: number;

  constructor(stay = 6000) {
    this.#stay = stay;
  }

  show(message: string, undo?: () => void, gone?: () => void): number {
    const toast: Toast = { id: this.#next++, message, undo, gone };
    // Three at most: older ones have been read or will not be.
    for (const old of this.shown.slice(0, -2)) this.dismiss(old.id);
    this.shown = [...this.shown, toast];
    this.release(toast.id);
    return toast.id;
  }

  dismiss(id: number): void {
    this.#take(id)?.gone?.();
  }

  undo(id: number): void {
    this.#take(id)?.undo?.();
  }

  #take(id: number): Toast | undefined {
    this.hold(id);
    const toast = this.shown.find((one) => one.id === id);
    this.shown = this.shown.filter((one) => one.id !== id);
    return toast;
  }

  /** Stops the clock while the toast is pointed at or focused. */
  hold(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  release(id: number): void {
    const toast = this.shown.find((one) => one.id === id);
    if (!toast) return;
    this.hold(id);
    this.#timers.set(
      id,
      setTimeout(() => this.dismiss(id), toast.undo ? 2 * this.#stay : this.#stay),
    );
  }
}
