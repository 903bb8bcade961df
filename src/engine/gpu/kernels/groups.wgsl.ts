import { struct } from '../../layout.ts';

export const groupSizes = struct('Sizes', {
  rollouts: 'u32',
  /** Columns of a plan: (steps + 1) · K of incidence and one of event-free steps. */
  columns: 'u32',
  groups: 'u32',
  resultAt: 'u32',
});

/**
 * Sums of each incidence column and of the event-free steps over the rollouts of each group that did not diverge: [plan][column]
 * [group], and in one more row how many these were. One thread is one sum, in the order of the rollouts.
 */
export const groupsWgsl = /* wgsl */ `
${groupSizes.wgsl}
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> incidence: array<f32>;
@group(0) @binding(2) var<storage, read> eventStep: array<i32>;
@group(0) @binding(3) var<storage, read_write> results: array<u32>;

@compute @workgroup_size(64)
fn sumGroups(@builtin(global_invocation_id) id: vec3u) {
  let group = id.x;
  let column = id.y;
  let plan = id.z;
  if (group >= sizes.groups) { return; }
  let size = sizes.rollouts / sizes.groups;
  let events = plan * sizes.rollouts + group * size;
  var result = 0u;
  if (column == sizes.columns) {
    for (var i = 0u; i < size; i++) { result += select(0u, 1u, eventStep[events + i] >= 0); }
  } else {
    let at = (plan * sizes.columns + column) * sizes.rollouts + group * size;
    // Sixteen at a time: the sum's rounding error then grows with 16 + n/16 and not with n.
    var sum = 0.0;
    for (var i = 0u; i < size; i += 16u) {
      var part = 0.0;
      for (var j = i; j < min(i + 16u, size); j++) {
        part += select(0.0, incidence[at + j], eventStep[events + j] >= 0);
      }
      sum += part;
    }
    result = bitcast<u32>(sum);
  }
  results[sizes.resultAt + (plan * (sizes.columns + 1u) + column) * sizes.groups + group] = result;
}
`;
