/**
 * A worker that the browser kills says nothing, and no error is fired. So it holds a lock for as long as it lives, and tells the page once
 * it has it: whoever is then granted that lock knows that the worker is gone. Where a page is not secure there are no locks.
 */
export function holdLifeLock(lock: string, tell: () => void): void {
  const locks = navigator.locks as LockManager | undefined;
  void locks?.request(lock, () => {
    tell();
    return new Promise<never>(() => {});
  });
}
