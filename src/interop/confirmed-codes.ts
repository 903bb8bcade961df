/** Local codes and names that a person has confirmed for an analyte: one way to look them up, whatever the format. */
import { normaliseName } from './analytes.ts';
import type { ConfirmedCode } from './protocol.ts';

export class ConfirmedCodes {
  readonly #analytes: ReadonlyMap<string, string>;

  constructor(confirmed: readonly ConfirmedCode[]) {
    this.#analytes = new Map(confirmed.map(({ system, code, analyte }) => [keyOf(system, code), analyte]));
  }

  /** The analyte's id; `system` is empty for a name, of which case, spaces and signs do not matter. */
  find(system: string, code: string): string | undefined {
    return this.#analytes.get(keyOf(system, code));
  }
}

function keyOf(system: string, code: string): string {
  return system === '' ? `\n${normaliseName(code)}` : `${system}\n${code}`;
}
