import { beforeAll, describe, expect, it } from 'vitest';
import { VectorMath, type FunctionName } from '#engine/cpu/equations/vector-math.ts';
import { ConstantPool, f32x4, f64x2, type VectorType } from '#engine/cpu/equations/vectors.ts';
import { i32, ModuleWriter, v128 } from '#engine/cpu/equations/wasm-bytes.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';

const names = ['exp', 'expm1', 'log', 'log1p', 'tanh', 'sinh', 'pow'] as const;
const page = 65_536;

/** Applies a function to all lanes; the same argument in each. */
type Apply = (name: FunctionName, v: VectorType, x: number, y?: number) => number;

async function makeApply(): Promise<Apply> {
  const module = new ModuleWriter();
  const pool = new ConstantPool(4096);
  const math = new VectorMath(module, pool);
  const operand = (index: number) => v128.load(i32.const(0), page + 16 * index);
  for (const v of [f32x4, f64x2]) {
    for (const name of names) {
      module.function(`${name} ${v.name}`, [], [], () =>
        v128.store(i32.const(0), math.apply(name, v, ...[0, 1].slice(0, name === 'pow' ? 2 : 1).map(operand)), page + 32),
      );
    }
  }
  module.data(0, pool.bytes);
  const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(module.encode(2)));
  const { memory, ...functions } = exports as { memory: WebAssembly.Memory } & Record<string, () => void>;
  const views = { f32x4: new Float32Array(memory.buffer, page, 12), f64x2: new Float64Array(memory.buffer, page, 6) };
  return (name, v, x, y = 0) => {
    const view = views[v.name];
    view.fill(x, 0, v.lanes).fill(y, v.lanes, 2 * v.lanes);
    functions[`${name} ${v.name}`]();
    const results = view.slice(2 * v.lanes);
    expect(results.every((result) => Object.is(result, results[0]))).toBe(true);
    return results[0];
  };
}

const ofMath = (name: FunctionName, x: number, y: number): number =>
  name === 'pow' ? x ** y : (Math[name] as (x: number) => number)(x);

/** Arguments where each function has something to lose: small ones, ones near 1, ones near the ends of its range. */
function argument(name: FunctionName, random: RandomSequence, i: number): [x: number, y: number] {
  const wide = random.uniform() - 0.5;
  if (name === 'log') return [Math.exp(wide * (i % 2 ? 160 : 2)), 0];
  if (name === 'log1p') return [i % 2 ? Math.exp(wide * 80) : wide * 1.98 + 0.495, 0];
  if (name === 'pow') return [Math.exp(wide * 10), 10 * random.uniform() - 5];
  return [wide * [1e-3, 2, 160][i % 3], 0];
}

describe('functions of vectors', () => {
  let apply: Apply;
  beforeAll(async () => {
    apply = await makeApply();
  });

  // Units in the last place at 1. pow in f64 loses as many more as y·ln x is large, here up to 25.
  it.each(names.flatMap((name) => [f32x4, f64x2].map((v) => ({ name, v, bound: v === f32x4 ? 3 : name === 'pow' ? 30 : 4 }))))(
    '$name of $v.name is within $bound units in the last place',
    ({ name, v, bound }) => {
      const random = new RandomSequence(seedFrom(7));
      const round = v === f32x4 ? Math.fround : (value: number) => value;
      const epsilon = v === f32x4 ? 2 ** -23 : 2 ** -52;
      let worst = 0;
      for (let i = 0; i < 5000; i++) {
        const [x, y] = argument(name, random, i).map(round);
        const expected = ofMath(name, x, y);
        worst = Math.max(worst, Math.abs(apply(name, v, x, y) / expected - 1) / epsilon);
      }
      expect(worst).toBeLessThan(bound);
    },
  );

  it.each(names.flatMap((name) => [f32x4, f64x2].map((v) => ({ name, v }))))(
    '$name of $v.name has the special values of Math',
    ({ name, v }) => {
      const ends = [0, -0, 1, -1, 2, -2, 0.5, Infinity, -Infinity, NaN, 800, -800];
      for (const x of ends) {
        for (const y of name === 'pow' ? [0, 1, -1, 2, 3, -3, 0.5, NaN] : [0]) {
          const expected = ofMath(name, x, y);
          // What is beyond f32 is infinite there.
          const rounded = v === f32x4 ? Math.fround(expected) : expected;
          const found = apply(name, v, x, y);
          if (Number.isFinite(rounded)) expect(found, `${x}, ${y}`).toBeCloseTo(rounded, 5);
          // Math.pow looks at the sign of a zero, and calls the root of −∞ infinite; no model has either.
          else if (name !== 'pow' || !(Object.is(x, -0) || (x === -Infinity && y === 0.5)))
            expect(found, `${x}, ${y}`).toBe(rounded);
        }
      }
    },
  );

  it('logarithms of subnormal numbers are finite', () => {
    expect(apply('log', f32x4, 1e-40)).toBeCloseTo(Math.log(1e-40), 4);
    expect(apply('log', f64x2, 1e-310)).toBeCloseTo(Math.log(1e-310), 10);
  });
});

describe('the constant pool', () => {
  it('is not needed for what does not fit into it', async () => {
    const module = new ModuleWriter();
    const pool = new ConstantPool(32);
    const numbers = [1.5, -2.25, 1e-300, 4];
    module.function('write', [], [], () =>
      numbers.map((value, i) => v128.store(i32.const(0), pool.number(f64x2, value), 64 + 16 * i)),
    );
    expect(pool.bytes.length).toBe(32);
    module.data(0, pool.bytes);
    const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(module.encode(1)));
    const { memory, write } = exports as { memory: WebAssembly.Memory; write: () => void };
    write();
    expect([...new Float64Array(memory.buffer, 64, 8)]).toEqual(numbers.flatMap((value) => [value, value]));
  });
});
