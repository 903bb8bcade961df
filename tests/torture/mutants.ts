/** Seeded damage to valid input: what a broken exporter, a bad disk or an attacker makes of a file. */

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const hostileKeys = ['__proto__', 'constructor', 'toString', 'prototype', 'hasOwnProperty'];

/** A JSON text with one to three wounds: keys dropped, doubled and poisoned, types swapped, numbers scaled, arrays emptied. */
export function mutateJson(text: string, random: () => number): string {
  const root = JSON.parse(text) as Json;
  const wounds = 1 + Math.floor(random() * 3);
  for (let i = 0; i < wounds; i++) wound(root, random);
  const whole = JSON.stringify(root);
  // A tenth is cut or has bytes flipped too, so that the reader of text is met and not only the reader of values.
  if (random() < 0.05) return whole.slice(0, Math.floor(random() * whole.length));
  if (random() < 0.05) return `${whole.slice(0, 40)}${hostile(random)}${whole.slice(40)}`;
  return whole;
}

function hostile(random: () => number): string {
  const all = ['{', ']', '"', '\u0000', '\\', 'NaN', '1e999', '\ud800', '<script>', '‮'];
  return all[Math.floor(random() * all.length)]!;
}

/** Changes one random place below `node`. */
function wound(node: Json, random: () => number): void {
  const places: { holder: Json[] | { [key: string]: Json }; key: string | number }[] = [];
  const walk = (value: Json): void => {
    if (value === null || typeof value !== 'object') return;
    const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
    for (const key of keys) {
      places.push({ holder: value, key });
      walk((value as Record<string | number, Json>)[key]!);
    }
  };
  walk(node);
  if (places.length === 0) return;
  const { holder, key } = places[Math.floor(random() * places.length)]!;
  const at = holder as Record<string | number, Json>;
  const value = at[key]!;
  const choice = Math.floor(random() * 10);
  if (choice === 0) delete at[key];
  else if (choice === 1) at[key] = typeof value === 'number' ? String(value) : typeof value === 'string' ? 7 : 'text';
  else if (choice === 2) at[key] = typeof value === 'number' ? -value : null;
  else if (choice === 3) at[key] = typeof value === 'number' ? value * 10 ** Math.floor(random() * 40 - 10) : [];
  else if (choice === 4) at[key] = Array.isArray(value) ? [...value, ...value] : [value, value];
  else if (choice === 5) at[key] = {};
  else if (choice === 6) at[key] = typeof value === 'string' ? `${value}${hostile(random)}` : hostile(random);
  else if (choice === 7) at[key] = typeof value === 'string' ? value.slice(0, Math.floor(random() * value.length)) : true;
  else if (choice === 8) {
    // An own key of that name, as JSON.parse makes it.
    const poison = hostileKeys[Math.floor(random() * hostileKeys.length)]!;
    if (!Array.isArray(holder)) Object.defineProperty(holder, poison, { value: { polluted: 'yes' }, enumerable: true });
  } else at[key] = typeof value === 'string' ? value.repeat(50) : [[[[value]]]];
}

/** Bytes cut, flipped, doubled, inserted or moved. */
export function mutateBytes(bytes: Uint8Array, random: () => number): Uint8Array<ArrayBuffer> {
  const at = () => Math.floor(random() * bytes.length);
  const choice = Math.floor(random() * 6);
  const copy = new Uint8Array(bytes);
  if (choice === 0) return copy.slice(0, at());
  if (choice === 1) {
    for (let i = 0; i <= Math.floor(random() * 8); i++) copy[at()]! ^= 1 << Math.floor(random() * 8);
    return copy;
  }
  const [from, to] = [at(), at()].sort((a, b) => a - b) as [number, number];
  if (choice === 2) return joined(copy.subarray(0, to), copy.subarray(from, to), copy.subarray(to));
  if (choice === 3) return joined(copy.subarray(0, from), copy.subarray(to));
  if (choice === 4) return joined(copy.subarray(0, from), Uint8Array.of(0, 0xff, 0xfe, 0x22, 0x0a), copy.subarray(from));
  return joined(copy.subarray(from, to), copy.subarray(0, from), copy.subarray(to));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
