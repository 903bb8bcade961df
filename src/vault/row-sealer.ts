/** Values to sealed bytes and back, each bound to its place. The first byte of a row says the version of its content. */
import { canonicalBytes } from './canonical-bytes.ts';
import type { VaultKeys } from './keys.ts';
import { goneId } from './store.ts';
import type { Row } from './store.ts';
import type { StoreName } from './tables.ts';

/** Version 1 was JSON in the clear behind a byte 0. */
const plainJson = 0;
const contentVersion = 2;

/** A row of version 1. */
export interface PlainRow {
  readonly id: string;
  readonly updatedAt: number;
  readonly sealed: Uint8Array;
}

export interface RowSealer {
  seal(store: StoreName, at: { id: string; counter: number }, value: unknown, key?: CryptoKey): Promise<Uint8Array<ArrayBuffer>>;
  /** Rejects with `vault_row_changed` unless row, place and key are those it was sealed with. */
  open(store: StoreName, row: Row, key?: CryptoKey): Promise<unknown>;
  /** Shows that whoever removed a row held the vault's key. */
  proveGone(store: StoreName, id: string, counter: number): Promise<Uint8Array<ArrayBuffer>>;
}

export function makeRowSealer(keys: VaultKeys): RowSealer {
  return {
    async seal(store, { id, counter }, value, key) {
      const place = { table: store, id, schemaVersion: contentVersion, counter };
      const closed = await keys.seal(place, new TextEncoder().encode(JSON.stringify(value)), key);
      const sealed = new Uint8Array(closed.length + 1);
      sealed[0] = contentVersion;
      sealed.set(closed, 1);
      return sealed;
    },
    async open(store, { id, counter, sealed }, key) {
      const place = { table: store, id, schemaVersion: sealed[0] ?? 0, counter };
      return JSON.parse(decode(await keys.open(place, sealed.subarray(1), key)));
    },
    proveGone: (store, id, counter) => keys.mac('gone', canonicalBytes(goneId(store, id), counter)),
  };
}

export function isPlain(row: { readonly sealed: Uint8Array }): boolean {
  return row.sealed[0] === plainJson;
}

/** Throws when the bytes are not JSON. */
export function openPlain(row: PlainRow): unknown {
  return JSON.parse(decode(row.sealed.subarray(1)));
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}
