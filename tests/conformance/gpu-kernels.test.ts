import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { acquireDevice, type GpuDevice, type Scope } from '#engine/gpu/device.ts';
import { randomWgsl } from '#engine/gpu/kernels/random.wgsl.ts';
import { rolloutWgsl } from '#engine/gpu/kernels/rollout.wgsl.ts';
import { selectWgsl } from '#engine/gpu/kernels/select.wgsl.ts';
import { selectionPace } from '#engine/gpu/pace.ts';
import { bind, Pipelines, submit } from '#engine/gpu/pipelines.ts';
import { Reduction } from '#engine/gpu/reduce.ts';
import { possibleVariants } from '#engine/gpu/rollout.ts';
import { fastestVariant, rememberedVariant, variantKey } from '#engine/gpu/tune.ts';
import { allocateColumns, summarise } from '#engine/summary.ts';
import { normalPair, philox, RandomSequence, seedFrom, streams, uniform } from '#numerics/random.ts';
import { probeNodeGpu } from '../../scripts/node-gpu.ts';
import { toyNetwork, toyRequest } from '../fixtures/toy-network.ts';

// The software adapter compiles each shader for seconds, and under load for much longer.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let gpu: GpuDevice;
let pipelines: Pipelines;
let scope: Scope;

beforeAll(async () => {
  const { gpu: found, reason } = await probeNodeGpu();
  if (!found) throw new Error(reason);
  gpu = await acquireDevice(found);
  pipelines = new Pipelines(gpu);
  scope = gpu.scope();
});

afterAll(() => {
  scope.dispose();
  expect(gpu.liveBuffers).toBe(0);
  expect(gpu.uncaptured.map((error) => error.message)).toEqual([]);
  gpu.destroy();
});

async function read(buffer: GPUBuffer): Promise<ArrayBuffer> {
  const staging = scope.buffer('staging', buffer.size, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  const encoder = gpu.device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  gpu.device.queue.submit([encoder.finish()]);
  await gpu.answer(staging.mapAsync(GPUMapMode.READ));
  return staging.getMappedRange().slice(0);
}

it('the shader draws the same words and uniforms as the reference, bit for bit, and the same normals within f32 rounding', async () => {
  const counters = 1024;
  const code = /* wgsl */ `
${randomWgsl}
@group(0) @binding(0) var<storage, read_write> drawn: array<vec4u>;
@compute @workgroup_size(64)
fn draw(@builtin(global_invocation_id) id: vec3u) {
  let at = id.x * 12u;
  let words = philox(vec4u(id.x * 4u) + vec4u(0u, 1u, 2u, 3u), id.x * 7u, id.x % 8u, id.x % 3u, vec2u(0x9abcdef0u, 0x12345678u));
  let noise = normals(words);
  drawn[at] = words.a;
  drawn[at + 1u] = words.b;
  drawn[at + 2u] = words.c;
  drawn[at + 3u] = words.d;
  drawn[at + 4u] = bitcast<vec4u>(uniform4(words.a));
  drawn[at + 5u] = bitcast<vec4u>(uniform4(words.b));
  drawn[at + 6u] = bitcast<vec4u>(uniform4(words.c));
  drawn[at + 7u] = bitcast<vec4u>(uniform4(words.d));
  drawn[at + 8u] = bitcast<vec4u>(noise.a);
  drawn[at + 9u] = bitcast<vec4u>(noise.b);
  drawn[at + 10u] = bitcast<vec4u>(noise.c);
  drawn[at + 11u] = bitcast<vec4u>(noise.d);
}`;
  const pipeline = await pipelines.get('draw', code);
  const drawn = scope.buffer('drawn', counters * 12 * 4, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
  submit(gpu.device, [{ pipeline, bindings: bind(gpu.device, pipeline, [drawn]), workgroups: [counters / 4 / 64, 1, 1] }]);
  const found = new Uint32Array(await read(drawn));
  const foundNumbers = new Float32Array(found.buffer);

  const words = new Uint32Array(4);
  const normals = new Float64Array(4);
  const expected = new Uint32Array(found.length);
  const expectedNumbers = new Float32Array(expected.buffer);
  let worstNormal = 0;
  for (let counter = 0; counter < counters; counter++) {
    const thread = Math.floor(counter / 4);
    philox(words, counter, thread * 7, thread % 8, thread % 3, [0x9abcdef0, 0x12345678]);
    normalPair(normals, 0, words[0], words[1]);
    normalPair(normals, 2, words[2], words[3]);
    for (let word = 0; word < 4; word++) {
      const at = (thread * 12 + word) * 4 + (counter % 4);
      expected[at] = words[word];
      expectedNumbers[at + 16] = uniform(words[word]);
      worstNormal = Math.max(worstNormal, Math.abs(foundNumbers[at + 32] - normals[word]));
      expected[at + 32] = found[at + 32];
    }
  }
  expect(found).toEqual(expected);
  // A normal is at most 5.8; its radius and its sine are each off by a few units in the last place, 6e-8 of themselves.
  expect(worstNormal).toBeLessThan(2e-6);
});

it('quantiles selected on the GPU are those of sorted columns, with ties, signs, zeros, gaps and more levels than one pass takes', async () => {
  const request = {
    ...toyRequest(toyNetwork({ shape: { S: 4, M: 5, K: 2, H: 4 }, ordinalEvery: 4 }), {
      rollouts: 5 * 13,
      steps: 3,
      groupsPerMember: 1,
      courses: 7,
    }),
    // 65 rollouts are alive at first, so that the rank of a level of k/64 is a whole number.
    levels: [1, 3, 7, 8, 13, 16, 20, 30, 32, 40, 48, 50, 57, 62, 63].map((k) => k / 64),
  };
  const random = new RandomSequence(seedFrom(3));
  const draws = [
    () => 100 * random.normal(),
    () => Math.round(2 * random.normal()) / 2,
    () => (random.below(2) === 0 ? 1 : -1) * 10 ** (-30 * random.uniform()),
    () => random.below(4),
  ];
  const columns = request.plans.map(() => {
    const column = allocateColumns(request);
    column.values.forEach((_, at) => (column.values[at] = draws[Math.floor(at / request.rollouts) % 4]()));
    column.incidence.forEach((_, at) => (column.incidence[at] = random.uniform()));
    column.eventFreeSteps.forEach((_, at) => (column.eventFreeSteps[at] = 3 * random.uniform()));
    // None before step 0, some at every later one, two diverged, and nobody of member 4 after step 0.
    column.eventStep.forEach((_, rollout) => (column.eventStep[rollout] = rollout >= 52 ? 0 : random.below(4)));
    return column;
  });
  columns[1].eventStep[3] = -1;
  columns[1].eventStep[40] = -1;

  const both = (pick: (column: (typeof columns)[number]) => Float32Array) =>
    Float32Array.from(columns.flatMap((column) => [...pick(column)]));
  const gpuColumns = {
    plans: 2,
    values: scope.upload(
      'values',
      both(({ values }) => values),
    ),
    incidence: scope.upload(
      'incidence',
      Float32Array.from(columns.flatMap(({ incidence, eventFreeSteps }) => [...incidence, ...eventFreeSteps])),
    ),
    eventStep: scope.upload('event step', Uint32Array.from(columns.flatMap(({ eventStep }) => [...eventStep]))),
  };
  const reduction = await Reduction.prepare(gpu, pipelines, scope, request, selectionPace());
  await reduction.reduce(gpuColumns, gpuColumns, 0, 2, {});
  const found = await reduction.read();
  const expected = summarise(request, columns, 0);

  expected.plans.forEach((plan, p) => {
    const { incidence, eventFreeSteps, ...exact } = plan;
    const { incidence: foundIncidence, eventFreeSteps: foundFree, ...foundExact } = found.plans[p];
    // −0 and +0 are one value to a reader.
    expect(withoutNegativeZero(foundExact.quantiles)).toEqual(withoutNegativeZero(exact.quantiles));
    expect({ ...foundExact, quantiles: 0 }).toEqual({ ...exact, quantiles: 0 });
    // Thirteen numbers of at most 3 are added in f32.
    incidence.forEach((value, at) => expect(foundIncidence[at]).toBeCloseTo(value, 6));
    eventFreeSteps.forEach((value, at) => expect(foundFree[at]).toBeCloseTo(value, 5));
  });
  expect(found.differences.map(({ quantiles }) => withoutNegativeZero(quantiles))).toEqual(
    expected.differences.map(({ quantiles }) => withoutNegativeZero(quantiles)),
  );
});

const withoutNegativeZero = (values: Float32Array): Float32Array => values.map((value) => (value === 0 ? 0 : value));

it('the shaders of a pack-sized network read as reviewed', async () => {
  const shape = { S: 16, L: 3, H: 64, K: 2, V: 8, M: 5 };
  const [variant] = possibleVariants(shape, gpu.device.limits);
  await expect(rolloutWgsl(shape, variant)).toMatchFileSnapshot('__snapshots__/rollout.wgsl');
  await expect(selectWgsl(5)).toMatchFileSnapshot('__snapshots__/select.wgsl');
});

it('every stream of the reference has the number that the shader uses', () => {
  expect(streams).toMatchObject({ process: 0, event: 1, observation: 2 });
});

it('a trial of tile variants is done once, and its winner remembered by adapter and shape', async () => {
  const shape = { S: 1, L: 0, H: 4, K: 1, V: 1, M: 3 };
  const kept = new Map<string, string>();
  const storage = {
    get: async (key: string) => kept.get(key),
    set: async (key: string, value: string) => void kept.set(key, value),
  };
  let trials = 0;
  const smallTrial: typeof fastestVariant = (device, made, ofShape, variants) => {
    trials++;
    return fastestVariant(device, made, ofShape, variants.slice(0, 2), { rollouts: 64, steps: 2, rounds: 1 });
  };
  const winner = await rememberedVariant(gpu, pipelines, shape, storage, smallTrial);
  expect(possibleVariants(shape, gpu.device.limits).slice(0, 2)).toContainEqual(winner);
  expect(await rememberedVariant(gpu, pipelines, shape, storage, smallTrial)).toEqual(winner);
  expect(trials).toBe(1);
  // What the store holds may be of another version, or damaged: then the trial is done again.
  kept.set(variantKey(gpu, shape), 'nonsense');
  await rememberedVariant(gpu, pipelines, shape, storage, smallTrial);
  expect(trials).toBe(2);
});

it('every tile variant stays inside the default limits of WebGPU for the largest network', () => {
  const variants = possibleVariants({ S: 32, L: 16, H: 128, K: 8, V: 64, M: 8 }, gpu.device.limits);
  expect(variants.length).toBeGreaterThan(1);
});
