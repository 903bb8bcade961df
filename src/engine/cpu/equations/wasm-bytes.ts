/**
 * Writes WebAssembly modules byte by byte (WebAssembly core specification 2.0, chapter 5, with 128-bit SIMD). Code is put together
 * as an expression: a function of this file takes the code of its operands and gives the code of its result, so what is read from
 * the inside out is what runs. Nothing here knows of models; nothing but numbers goes in, so no text can become code.
 */

/** Bytes, as a rope: parts are shared and joined once, by `encode`. */
export type Code = number | readonly Code[];

const valueTypes = { i32: 0x7f, f64: 0x7c, v128: 0x7b } as const;
export type ValueType = keyof typeof valueTypes;

/** Unsigned LEB128. */
export function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}

/** Signed LEB128 of a 32-bit integer. */
function signed(value: number): Code {
  const bytes: number[] = [];
  let rest = value | 0;
  while (rest < -0x40 || rest >= 0x40) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  return [...bytes, rest & 0x7f];
}

/** The eight bytes of a double. */
function double(value: number): Code {
  return Array.from(new Uint8Array(new Float64Array([value]).buffer));
}

/** An instruction of the 0xfd page. */
export function simd(opcode: number, ...operands: readonly Code[]): Code {
  return [...operands, 0xfd, unsigned(opcode)];
}

const plain =
  (opcode: number) =>
  (...operands: readonly Code[]): Code => [...operands, opcode];

export const i32 = {
  const: (value: number): Code => [0x41, signed(value)],
  eqz: plain(0x45),
  eq: plain(0x46),
  lt: plain(0x48),
  gt: plain(0x4a),
  add: plain(0x6a),
  sub: plain(0x6b),
  mul: plain(0x6c),
  and: plain(0x71),
  shl: plain(0x74),
  shr: plain(0x76),
  popcnt: plain(0x69),
  load: (address: Code, offset = 0): Code => [address, 0x28, 2, unsigned(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [address, value, 0x36, 2, unsigned(offset)],
};

export const f64 = {
  const: (value: number): Code => [0x44, double(value)],
  load: (address: Code, offset = 0): Code => [address, 0x2b, 3, unsigned(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [address, value, 0x39, 3, unsigned(offset)],
  add: plain(0xa0),
  lt: plain(0x63),
  fromI32: plain(0xb7),
};

export const v128 = {
  load: (address: Code, offset = 0): Code => [address, 0xfd, 0x00, 4, unsigned(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [address, value, 0xfd, 0x0b, 4, unsigned(offset)],
  const: (bytes: Uint8Array): Code => [0xfd, 0x0c, Array.from(bytes)],
  not: (a: Code) => simd(0x4d, a),
  and: (a: Code, b: Code) => simd(0x4e, a, b),
  /** a without the bits of b. */
  andnot: (a: Code, b: Code) => simd(0x4f, a, b),
  or: (a: Code, b: Code) => simd(0x50, a, b),
  xor: (a: Code, b: Code) => simd(0x51, a, b),
  /** a where the mask is set, else b. */
  select: (mask: Code, a: Code, b: Code) => simd(0x52, a, b, mask),
  anyTrue: (a: Code) => simd(0x53, a),
};

/** Runs what is given in turn. */
export const sequence = (...parts: readonly Code[]): Code => parts;

const noResult = 0x40;
const end = 0x0b;

export const control = {
  if: (condition: Code, then: Code, otherwise?: Code): Code =>
    otherwise === undefined ? [condition, 0x04, noResult, then, end] : [condition, 0x04, noResult, then, 0x05, otherwise, end],
  while: (condition: Code, body: Code): Code => [
    [0x02, noResult],
    [0x03, noResult],
    [i32.eqz(condition), 0x0d, 1],
    body,
    [0x0c, 0],
    [end, end],
  ],
  /** Counts from `from` up, or with a negative step down, until `to` is reached. */
  for: (counter: Local, from: Code, to: Code, step: number, body: Code): Code => [
    counter.set(from),
    control.while(
      step > 0 ? i32.lt(counter.get, to) : i32.gt(counter.get, to),
      sequence(body, counter.set(i32.add(counter.get, i32.const(step)))),
    ),
  ],
};

/** A local variable or parameter of a function. */
export interface Local {
  readonly get: Code;
  set(value: Code): Code;
  /** Sets it and gives the value. */
  tee(value: Code): Code;
}

/** A function that is being written. */
export class FunctionScope {
  readonly #parameters: number;
  readonly #locals: ValueType[] = [];

  constructor(parameters: number) {
    this.#parameters = parameters;
  }

  local(type: ValueType): Local {
    this.#locals.push(type);
    return localAt(this.#parameters + this.#locals.length - 1);
  }

  get declarations(): Code {
    return [unsigned(this.#locals.length), this.#locals.map((type) => [1, valueTypes[type]])];
  }
}

function localAt(index: number): Local {
  return {
    get: [0x20, unsigned(index)],
    set: (value) => [value, 0x21, unsigned(index)],
    tee: (value) => [value, 0x22, unsigned(index)],
  };
}

export interface FunctionHandle {
  /** What it leaves is what it gives. */
  call(...operands: readonly Code[]): Code;
}

interface WrittenFunction {
  readonly name: string | null;
  readonly type: Code;
  readonly body: Code;
}

/** One memory, exported as `memory`, functions, and what stands in memory at the start. */
export class ModuleWriter {
  readonly #functions: WrittenFunction[] = [];
  readonly #data: { readonly address: number; readonly bytes: Uint8Array }[] = [];

  /** Exported under `name`, unless that is null. */
  function(
    name: string | null,
    parameters: readonly ValueType[],
    results: readonly ValueType[],
    write: (scope: FunctionScope, ...parameters: Local[]) => Code,
  ): FunctionHandle {
    const scope = new FunctionScope(parameters.length);
    const code = write(scope, ...parameters.map((_, index) => localAt(index)));
    const types = (list: readonly ValueType[]): Code => [unsigned(list.length), list.map((type) => valueTypes[type])];
    this.#functions.push({ name, type: [0x60, types(parameters), types(results)], body: [scope.declarations, code, end] });
    const index = this.#functions.length - 1;
    return { call: (...operands) => [...operands, 0x10, unsigned(index)] };
  }

  data(address: number, bytes: Uint8Array): void {
    this.#data.push({ address, bytes });
  }

  encode(pages: number): Uint8Array<ArrayBuffer> {
    const functions = this.#functions;
    const named = functions.flatMap(({ name }, index) => (name === null ? [] : [{ name, index }]));
    return join([
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(
        1,
        functions.map(({ type }) => type),
      ),
      section(
        3,
        functions.map((_, index) => unsigned(index)),
      ),
      section(5, [[0x00, unsigned(pages)]]),
      section(7, [[text('memory'), 0x02, 0], ...named.map(({ name, index }): Code => [text(name), 0x00, unsigned(index)])]),
      section(
        10,
        functions.map(({ body }) => sized(body)),
      ),
      section(
        11,
        this.#data.map(({ address, bytes }): Code => [0, i32.const(address), end, unsigned(bytes.length), Array.from(bytes)]),
      ),
    ]);
  }
}

function section(id: number, items: readonly Code[]): Code {
  return [id, sized([unsigned(items.length), ...items])];
}

function sized(content: Code): Code {
  const bytes = join(content);
  return [unsigned(bytes.length), Array.from(bytes)];
}

function text(value: string): Code {
  return sized(Array.from(new TextEncoder().encode(value)));
}

function join(code: Code): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  const append = (part: Code): void => {
    if (typeof part === 'number') bytes.push(part);
    else for (const inner of part) append(inner);
  };
  append(code);
  return Uint8Array.from(bytes);
}
