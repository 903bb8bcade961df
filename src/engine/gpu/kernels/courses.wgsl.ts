import { struct } from '../../layout.ts';

export const courseSizes = struct('Sizes', {
  rollouts: 'u32',
  steps: 'u32',
  states: 'u32',
  courses: 'u32',
  resultAt: 'u32',
});

/** Copies the chosen rollouts' values, [plan][course][step][state] as bits, NaN from the event on. */
export const coursesWgsl = /* wgsl */ `
${courseSizes.wgsl}
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> eventStep: array<i32>;
@group(0) @binding(3) var<storage, read> chosen: array<u32>;
@group(0) @binding(4) var<storage, read_write> results: array<u32>;

@compute @workgroup_size(64)
fn copyCourses(@builtin(global_invocation_id) id: vec3u) {
  let cells = (sizes.steps + 1u) * sizes.states;
  let cell = id.x;
  let course = id.y;
  let plan = id.z;
  if (cell >= cells) { return; }
  let rollout = chosen[course];
  let isAlive = eventStep[plan * sizes.rollouts + rollout] >= i32(cell / sizes.states);
  let bits = bitcast<u32>(values[(plan * cells + cell) * sizes.rollouts + rollout]);
  results[sizes.resultAt + (plan * sizes.courses + course) * cells + cell] = select(0x7fc00000u, bits, isAlive);
}
`;
