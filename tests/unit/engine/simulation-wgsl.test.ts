import { expect, it } from 'vitest';
import { simulationWgsl, type SimulationVariant } from '#engine/gpu/kernels/simulation.wgsl.ts';
import { literal } from '#engine/gpu/kernels/formulas.wgsl.ts';
import { hoistProgram } from '#packs/equations/hoist.ts';
import type { Program } from '#packs/equations/program.ts';
import { absorbed, eating, mapped, maturing, stiff, toppedUp, wandering, withEffectSite } from '../../fixtures/toy-models.ts';

const adaptive = {
  kind: 'dopri5',
  relativeTolerance: 1e-5,
  absoluteTolerance: 1e-7,
  firstStep: 0.1,
  maximumStep: 24,
  maximumSteps: 5000,
} as const;

const textOf = (program: Program, variant: Partial<SimulationVariant> = {}): string =>
  simulationWgsl(hoistProgram(program, []).program, {
    readouts: program.readouts.map((_, i) => i),
    laneCovariates: [],
    setStates: [],
    givenStates: [],
    hasSteadyState: false,
    hasGivenNoise: false,
    workgroupSize: 64,
    ...variant,
  }).wgsl;

it('the text of a closed form is the reviewed one', async () => {
  await expect(textOf(absorbed)).toMatchFileSnapshot('__snapshots__/closed-form.wgsl');
});

it('the text of an adaptive stepper with memory and events is the reviewed one', async () => {
  await expect(textOf(toppedUp(adaptive))).toMatchFileSnapshot('__snapshots__/dormand-prince.wgsl');
});

it('nothing that an author may name reaches the text', () => {
  const hostile = '} @compute fn evil() { loop {} } //';
  const programs = [
    absorbed,
    withEffectSite,
    eating(adaptive),
    maturing(adaptive),
    stiff,
    wandering('heun'),
    mapped,
    toppedUp(adaptive),
  ];
  for (const program of programs) {
    const renamed = renameEverything(program, hostile);
    expect(JSON.stringify(renamed)).toContain(hostile);
    expect(textOf(renamed)).toBe(textOf(program));
  }
});

it('numbers are printed so that they come back as the same f32', () => {
  for (const value of [0.1, -1 / 3, 6.02214076e23, 1.2e-38, 339, 16_777_217, 2 ** -126]) {
    const text = literal(value);
    expect(text).toMatch(/^-?[\d.]+(e[+-]?\d+)?f$/);
    expect(Math.fround(Number(text.slice(0, -1)))).toBe(Math.fround(value));
  }
  expect(literal(0.1)).toBe('0.1f');
  expect(literal(1e-50)).toBe('0f');
});

it('numbers that f32 has no literal for are read from the uniforms', () => {
  expect(literal(1e300)).toBe('infinite()');
  expect(literal(-Infinity)).toBe('-infinite()');
  expect(literal(NaN)).toBe('notANumber()');
});

/** Every string of a program but those of its own closed lists. */
function renameEverything<T>(value: T, name: string, key = ''): T {
  if (typeof value === 'string') return (['op', 'from', 'kind', 'timeZero'].includes(key) ? value : name) as T;
  if (Array.isArray(value)) return value.map((each) => renameEverything(each, name)) as T;
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return value;
  return renamed(value, name) as T;
}

/** Formulas are shared objects, and stay so. */
const done = new WeakMap<object, object>();
function renamed(value: object, name: string): object {
  const before = done.get(value);
  if (before) return before;
  const made = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, renameEverything(each, name, key)]));
  done.set(value, made);
  return made;
}
