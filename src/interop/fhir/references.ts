/** Finds what a reference means: by full address, then by type and id, then by identifier. Never by order, never by resemblance. */
import { ownText } from '../clean-text.ts';
import { textOf, type Reference } from './elements.ts';
import { identifiersOf } from './person.ts';
import type { JsonObject } from '../json-reader.ts';

/** `ambiguous`: several different things answer to it. */
export type Resolved<T> = { readonly found: T } | 'unknown' | 'ambiguous';

export class ReferenceIndex<T> {
  readonly #byAddress = new Map<string, T[]>();
  /** With the server that its full address names; empty where it names none. */
  readonly #byId = new Map<string, { readonly target: T; readonly server: string }[]>();
  readonly #byIdentifier = new Map<string, T[]>();

  /** `fullUrl` is that of the entry; empty without one. */
  add(target: T, resource: JsonObject, type: string, fullUrl: string): void {
    const id = textOf(resource.id);
    if (fullUrl !== '') put(this.#byAddress, fullUrl, target);
    if (id !== null) {
      const key = `${type}/${id}`;
      const there = this.#byId.get(key);
      const entry = { target, server: baseOf(fullUrl) };
      if (there) there.push(entry);
      else this.#byId.set(ownText(key), [entry]);
    }
    for (const { system, value } of identifiersOf(resource)) put(this.#byIdentifier, `${system}|${value}`, target);
  }

  /** `base` is the address of the entry that refers, from which relative references start. */
  resolve(reference: Reference, type: string, base: string): Resolved<T> {
    const written = withoutVersion(reference.reference);
    if (written !== '') {
      for (const address of [written, base === '' ? '' : `${base}/${written}`]) {
        const found = this.#byAddress.get(address);
        if (found) return one(found);
      }
      const query = /^[A-Za-z]+\?identifier=([^&]+)$/u.exec(written)?.[1];
      if (query !== undefined) return one(this.#byIdentifier.get(decoded(query)));
      // What two servers call by one id are two things: an address never finds what another server has.
      const server = baseOf(written) || base;
      const named = this.#byId.get(localPart(written, type)) ?? [];
      const fit = named.filter((entry) => server === '' || entry.server === '' || entry.server === server);
      return one([...new Set(fit.map((entry) => entry.target))]);
    }
    const { identifier } = reference;
    return identifier ? one(this.#byIdentifier.get(`${identifier.system}|${identifier.code}`)) : 'unknown';
  }
}

/** The address from which an entry's relative references start: its own without type and id; empty for a `urn:`. */
export function baseOf(fullUrl: string): string {
  return /^(https?:\/\/.+)\/[A-Z][A-Za-z]+\/[^/]+$/u.exec(fullUrl)?.[1] ?? '';
}

function put<T>(map: Map<string, T[]>, key: string, target: T): void {
  const there = map.get(key);
  if (!there) map.set(ownText(key), [target]);
  else if (!there.includes(target)) there.push(target);
}

function one<T>(found: readonly T[] | undefined): Resolved<T> {
  if (!found || found.length === 0) return 'unknown';
  return found.length === 1 ? { found: found[0] as T } : 'ambiguous';
}

function withoutVersion(reference: string): string {
  return reference.replace(/\/_history\/[^/]+$/u, '');
}

/** `Type/id` of a relative reference, and of an address whose server is that of the file as far as anybody can say. */
function localPart(reference: string, type: string): string {
  const match = /^https?:\/\/.+\/([A-Z][A-Za-z]+\/[^/]+)$/u.exec(reference);
  const local = match?.[1] ?? reference;
  return local.startsWith(`${type}/`) ? local : '';
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
