const host = globalThis as { setImmediate?: (callback: () => void) => unknown };
let channel: MessageChannel | undefined;

/**
 * Waits for a macrotask, so that a cancel message gets its turn. Node's own call, because Node hands out up to a thousand port
 * messages before it looks at a timer; in browsers a message, because setTimeout would add 4 ms each time.
 */
export function yieldToOthers(): Promise<void> {
  const { setImmediate } = host;
  if (setImmediate) return new Promise((resolve) => void setImmediate(resolve));
  const { port1, port2 } = (channel ??= new MessageChannel());
  return new Promise((resolve) => {
    port1.addEventListener('message', () => resolve(), { once: true });
    port1.start();
    port2.postMessage(null);
  });
}
