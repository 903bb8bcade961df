/** Closes a value into bytes and opens it again. The first byte says how, so that rows of several kinds can lie side by side. */
export interface Sealer {
  seal(value: unknown): Promise<Uint8Array<ArrayBuffer>>;
  /** Throws when the bytes were not made by this sealer. */
  open(sealed: Uint8Array): Promise<unknown>;
}

const plainJson = 0;

/** Seals nothing: the JSON text behind a byte 0. It holds the place of the encrypting sealer, and reads what was stored before it. */
export const plainSealer: Sealer = {
  async seal(value) {
    const text = new TextEncoder().encode(JSON.stringify(value));
    const sealed = new Uint8Array(text.length + 1);
    sealed[0] = plainJson;
    sealed.set(text, 1);
    return sealed;
  },
  async open(sealed) {
    if (sealed[0] !== plainJson) throw new Error(`Sealed row: kind ${sealed[0] ?? 'none'}, expected ${plainJson}.`);
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(sealed.subarray(1)));
  },
};
