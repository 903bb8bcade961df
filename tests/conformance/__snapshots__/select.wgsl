
const maxLevels = 5u;
const threads = 64u;

struct Sizes {
  rollouts: u32,
  steps: u32,
  states: u32,
  parts: u32,
  levels: u32,
  isDifference: u32,
  plan: u32,
  resultAt: u32,
  firstStep: u32,
  ordinal: u32,
}
@group(0) @binding(0) var<uniform> sizes: Sizes;
/** [plan of the pass][step][state][rollout], and the same of usual care. */
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> usualValues: array<f32>;
/** [plan of the pass][rollout], and of usual care. */
@group(0) @binding(3) var<storage, read> eventStep: array<i32>;
@group(0) @binding(4) var<storage, read> usualEventStep: array<i32>;
/** Each level in units of 2^-32. */
@group(0) @binding(5) var<storage, read> levels: array<u32>;
@group(0) @binding(6) var<storage, read_write> results: array<u32>;

var<workgroup> histograms: array<atomic<u32>, maxLevels * 256u>;
var<workgroup> counters: array<atomic<u32>, 7>;
var<workgroup> total: atomic<u32>;
var<workgroup> prefix: array<u32, maxLevels>;
var<workgroup> rank: array<u32, maxLevels>;
/** The next larger key. */
var<workgroup> above: array<atomic<u32>, maxLevels>;

fn multiplyHigh(a: u32, b: u32) -> u32 {
  let aLow = a & 0xffffu;
  let aHigh = a >> 16u;
  let bLow = b & 0xffffu;
  let bHigh = b >> 16u;
  let middle = aHigh * bLow + ((aLow * bLow) >> 16u);
  let carry = aLow * bHigh + (middle & 0xffffu);
  return aHigh * bHigh + (middle >> 16u) + (carry >> 16u);
}

/** Keys ascend as floats do: negative numbers with all bits turned over, others with the sign bit set. */
fn keyOf(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}

@compute @workgroup_size(threads)
fn selectRanks(@builtin(local_invocation_index) thread: u32, @builtin(workgroup_id) group: vec3u) {
  let state = group.x / sizes.parts;
  let part = group.x % sizes.parts;
  let step = sizes.firstStep + group.y;
  let plan = sizes.plan;
  let cell = step * sizes.states + state;
  let column = (plan * (sizes.steps + 1u) * sizes.states + cell) * sizes.rollouts;
  let usualColumn = cell * sizes.rollouts;
  let events = plan * sizes.rollouts;
  let isDifference = sizes.isDifference != 0u;
  let first = part * (sizes.rollouts / sizes.parts);
  let end = first + sizes.rollouts / sizes.parts;
  let record = sizes.resultAt + (cell * sizes.parts + part) * (8u + 2u * sizes.levels);

  if (((sizes.ordinal >> state) & 1u) != 0u) {
    for (var i = first + thread; i < end; i += threads) {
      var isKept = eventStep[events + i] >= i32(step);
      var value = values[column + i];
      if (isDifference) {
        isKept = isKept && usualEventStep[i] >= i32(step);
        value -= usualValues[usualColumn + i];
      }
      if (isKept) { atomicAdd(&counters[u32(value + 3.0)], 1u); }
    }
    workgroupBarrier();
    if (thread == 0u) {
      var count = 0u;
      for (var c = 0u; c < 7u; c++) {
        let counted = atomicLoad(&counters[c]);
        count += counted;
        results[record + 1u + c] = counted;
      }
      results[record] = count;
    }
    return;
  }

  for (var digit = 0u; digit < 5u; digit++) {
    let used = select(sizes.levels, 1u, digit == 0u) * 256u;
    if (digit < 4u) {
      for (var i = thread; i < used; i += threads) { atomicStore(&histograms[i], 0u); }
    }
    workgroupBarrier();
    let shift = 24u - 8u * min(digit, 3u);
    for (var i = first + thread; i < end; i += threads) {
      var isKept = eventStep[events + i] >= i32(step);
      var value = values[column + i];
      if (isDifference) {
        isKept = isKept && usualEventStep[i] >= i32(step);
        value -= usualValues[usualColumn + i];
      }
      if (!isKept) { continue; }
      let key = keyOf(value);
      if (digit == 0u) {
        atomicAdd(&histograms[key >> 24u], 1u);
        atomicAdd(&total, 1u);
      } else if (digit < 4u) {
        for (var l = 0u; l < sizes.levels; l++) {
          if ((key >> (shift + 8u)) == prefix[l]) { atomicAdd(&histograms[l * 256u + ((key >> shift) & 0xffu)], 1u); }
        }
      } else {
        for (var l = 0u; l < sizes.levels; l++) {
          if (key > prefix[l]) { atomicMin(&above[l], key); }
        }
      }
    }
    workgroupBarrier();
    if (digit < 4u && thread < sizes.levels) {
      let count = atomicLoad(&total);
      var wanted = rank[thread];
      if (digit == 0u) {
        wanted = multiplyHigh(max(count, 1u) - 1u, levels[thread]);
        prefix[thread] = 0u;
        atomicStore(&above[thread], 0xffffffffu);
      }
      let histogram = select(thread, 0u, digit == 0u) * 256u;
      var bin = 0u;
      var inBin = atomicLoad(&histograms[histogram]);
      while (bin < 255u && wanted >= inBin) {
        wanted -= inBin;
        bin++;
        inBin = atomicLoad(&histograms[histogram + bin]);
      }
      prefix[thread] = (prefix[thread] << 8u) | bin;
      rank[thread] = wanted;
      // The next rank has the same value when its bin still holds one more.
      if (digit == 3u && wanted + 1u < inBin) { atomicStore(&above[thread], prefix[thread]); }
    }
    workgroupBarrier();
  }

  if (thread == 0u) { results[record] = atomicLoad(&total); }
  if (thread < sizes.levels) {
    results[record + 8u + 2u * thread] = prefix[thread];
    results[record + 8u + 2u * thread + 1u] = atomicLoad(&above[thread]);
  }
}
