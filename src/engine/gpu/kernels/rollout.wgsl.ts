import { divergenceLimit, logHazardRange, logScaleRange, type NetworkShape } from '#packs/network.ts';
import { blocksOf, driveLayout, memberLayout, struct, type Tiling } from '../../layout.ts';
import { randomWgsl } from './random.wgsl.ts';

/** How a workgroup shares its work out. Every variant computes the same numbers. */
export interface RolloutVariant {
  /** Trajectories whose four hidden units one thread keeps in registers: 4 or 8. */
  readonly trajectories: 4 | 8;
  /** Such groups of trajectories in a workgroup. */
  readonly groups: number;
}

/** As `layout.ts` wants it: a thread owns four hidden units, or four head rows of four trajectories. */
export const tiling = { units: 4, rows: 4, outer: 'input' } as const satisfies Tiling;

export const rolloutSizes = struct('Sizes', {
  firstTile: 'u32',
  tilesPerMember: 'u32',
  perMember: 'u32',
  perGroup: 'u32',
  rollouts: 'u32',
  steps: 'u32',
  members: 'u32',
  headsAt: 'u32',
  effectsAt: 'u32',
  isCited: 'u32',
  seedLow: 'u32',
  seedHigh: 'u32',
});

/** Trajectories that a workgroup carries through all steps. */
export const tileSize = ({ trajectories, groups }: RolloutVariant): number => trajectories * groups;

export const threadCount = ({ H }: NetworkShape, { groups }: RolloutVariant): number => (H / tiling.units) * groups;

/** Bytes of workgroup memory: h, x with the states twice, the course of the events. */
export function workgroupBytes({ S, L, H, K }: NetworkShape, variant: RolloutVariant): number {
  return (H + 8 * blocksOf(S, 4) + L + K + 3) * 4 * tileSize(variant) + tileSize(variant);
}

/**
 * The fused rollout: one dispatch is the whole time loop of (tile of trajectories) × (plan). Memory h and state x of the tile stay
 * in workgroup memory, [unit][trajectory], so that a thread reads four trajectories as one vec4; weights stream from a storage
 * buffer, a thread's four units × three gates side by side.
 */
export function rolloutWgsl(shape: NetworkShape, variant: RolloutVariant): string {
  const { S, L, H, K } = shape;
  const member = memberLayout(shape, tiling);
  const drive = driveLayout(shape, tiling);
  const vectors = range(variant.trajectories / 4);
  const units = range(4);
  const xyzw = ['x', 'y', 'z', 'w'] as const;
  const causes = range(K);

  /**
   * A loop over inputs `k` that stand in a tile from `first` on: `body` finds the input's quads at `at`, its weights at `w`. The
   * traits do not stand behind the states, so a loop over x (`D` inputs) goes on elsewhere after the last state.
   */
  const overInputs = (count: 'D' | 'H', first: string, body: string) => `
    at = ${first} + quad;
    for (var k = 0u; k < ${count}; k++) {
${body}
      at ${count === 'H' || L === 0 ? '+= quads' : '= select(at + quads, traitsAt + quad, k + 1u == S)'};
    }`;

  /** Gate sums; the candidate's recurrent part has sums of its own. */
  const gateSums = (tile: string, candidate: string) => `
      let wr = weights[w];
      let wu = weights[w + 1u];
      let wn = weights[w + 2u];
      w += gateStride;
${vectors.map((v) => `      let a${v} = ${tile}[at + ${v}u];`).join('\n')}
${units
  .flatMap((j) =>
    vectors.map(
      (v) =>
        `      r${j}${v} += wr.${xyzw[j]} * a${v}; u${j}${v} += wu.${xyzw[j]} * a${v}; ${candidate}${j}${v} += wn.${xyzw[j]} * a${v};`,
    ),
  )
  .join('\n')}`;

  const hazardBlock = (block: number) => {
    const own = causes.filter((k) => Math.floor(k / 4) === block);
    const sums = (tile: string) => `
      let a = ${tile}[at];
      let wk = weights[w];
      w += 1u;
${own.map((k) => `      l${k} += wk.${xyzw[k % 4]} * a;`).join('\n')}`;
    return `
  w = place.weights + ${(member.blocks.hazards.at + block * 4 * (S + L + H)) / 4}u;
  let row${block} = drive[row + ${drive.blocks.hazard.at / 4 + block}u];
${own.map((k) => `  var l${k} = vec4f(row${block}.${xyzw[k % 4]});`).join('\n')}
${overInputs('D', 'statesAt', sums('xTile'))}
${overInputs('H', '0u', sums('hTile'))}`;
  };

  return /* wgsl */ `
const S = ${S}u;
const L = ${L}u;
const H = ${H}u;
const K = ${K}u;
const D = S + L;
const stateBlocks = ${blocksOf(S, 4)}u;
const causeBlocks = ${blocksOf(K, 4)}u;
/** vec4f of one member's packed tensors, and of one drive row. */
const memberStride = ${member.stride / 4}u;
const driveStride = ${drive.stride / 4}u;
const unitTiles = ${H / 4}u;
const gateStride = 3u * unitTiles;
const threads = ${threadCount(shape, variant)}u;
const tileSize = ${tileSize(variant)}u;
/** A quad is four neighbouring trajectories: one vec4. */
const quads = ${tileSize(variant) / 4}u;
/** The states of even steps, the traits, the states of odd steps. */
const traitsAt = ${blocksOf(S, 4) * 4}u * quads;
const oddAt = traitsAt + L * quads;

${rolloutSizes.wgsl}
@group(0) @binding(0) var<uniform> sizes: Sizes;
/** Each member's tensors as \`layout.ts\` packs them, then the heads. */
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;
/** [plan][member][step] rows. */
@group(0) @binding(2) var<storage, read> drive: array<vec4f>;
/** [group] the group's draw of the cited effects' error, then [plan][step][cause] its size. */
@group(0) @binding(3) var<storage, read> effects: array<f32>;
/** [rollout][s, z, h]. */
@group(0) @binding(4) var<storage, read> starts: array<f32>;
/** [plan][step][state][rollout]. */
@group(0) @binding(5) var<storage, read_write> values: array<f32>;
/** [plan] { [step][cause][rollout] cumulative incidence, [rollout] event-free steps }. */
@group(0) @binding(6) var<storage, read_write> incidence: array<f32>;
/** [plan][rollout] step of the first event, \`steps\` if none, −1 if diverged. */
@group(0) @binding(7) var<storage, read_write> eventStep: array<i32>;

var<workgroup> hTile: array<vec4f, H * quads>;
var<workgroup> xTile: array<vec4f, ${(8 * blocksOf(S, 4) + L) * (tileSize(variant) / 4)}>;
var<workgroup> survival: array<vec4f, quads>;
var<workgroup> eventFree: array<vec4f, quads>;
var<workgroup> cumulative: array<vec4f, K * quads>;
var<workgroup> firstEvent: array<vec4i, quads>;
/** [rollout] 65,535 less the first step after which a state had left the limit; 0 if none did. */
var<workgroup> leftAt: array<atomic<u32>, quads * 4u>;
${randomWgsl}
/** Where a workgroup stands. */
struct Place {
  plan: u32,
  member: u32,
  /** Number of the tile's first rollout, and how many of the tile are rollouts at all: a tile never holds two members. */
  first: u32,
  count: u32,
  /** First vec4f of the member's tensors. */
  weights: u32,
}

fn sigmoid(a: vec4f) -> vec4f {
  return 1.0 / (1.0 + exp(select(-a, vec4f(80.0), a < vec4f(-80.0))));
}

// The built-in tanh overflows to NaN for large arguments on some drivers (gpuweb issue 4458).
fn tanhOf(a: vec4f) -> vec4f {
  let e = exp(-2.0 * abs(a));
  let t = (1.0 - e) / (1.0 + e);
  return select(t, -t, a < vec4f(0.0));
}

// Not clamp(): it may turn NaN into a bound, and a broken state must be seen as diverged.
fn bounded(a: vec4f, low: f32, high: f32) -> vec4f {
  return select(select(a, vec4f(high), a > vec4f(high)), vec4f(low), a < vec4f(low));
}

/** 1 − exp(−t) for t ≥ 0, without cancellation. */
fn oneMinusExp(t: vec4f) -> vec4f {
  let series = t * (1.0 - t * (0.5 - t * (0.16666667 - t * (0.041666667 - t * 0.0083333333))));
  return select(1.0 - exp(-t), series, t < vec4f(0.1));
}

fn quadRollouts(place: Place, quad: u32) -> vec4u {
  return vec4u(place.first + quad * 4u) + vec4u(0u, 1u, 2u, 3u);
}

/** Writes a quad's numbers to four neighbours of a column, but for what lies beyond the tile's last rollout. */
fn storeValues(at: u32, count: u32, a: vec4f) {
  if (count > 3u) { values[at + 3u] = a.w; }
  if (count > 2u) { values[at + 2u] = a.z; }
  if (count > 1u) { values[at + 1u] = a.y; }
  if (count > 0u) { values[at] = a.x; }
}

fn storeIncidence(at: u32, count: u32, a: vec4f) {
  if (count > 3u) { incidence[at + 3u] = a.w; }
  if (count > 2u) { incidence[at + 2u] = a.z; }
  if (count > 1u) { incidence[at + 1u] = a.y; }
  if (count > 0u) { incidence[at] = a.x; }
}

fn inQuad(place: Place, quad: u32) -> u32 {
  return u32(clamp(i32(place.count) - i32(quad * 4u), 0, 4));
}

fn shownLevel(state: vec4f, words: vec4u, cuts: vec3f) -> vec4f {
  let u = uniform4(words);
  let shown = state + logOf(u) - logOf(1.0 - u);
  return vec4f(vec4u(shown > vec4f(cuts.x)) + vec4u(shown > vec4f(cuts.y)) + vec4u(shown > vec4f(cuts.z)));
}

/** Writes what a measurement of a block of four states of a quad would show at a grid step. */
fn observe(place: Place, block: u32, quad: u32, step: u32) {
  let words = philox(quadRollouts(place, quad), step, block, observationStream, vec2u(sizes.seedLow, sizes.seedHigh));
  let headsAt = sizes.headsAt + block * 4u;
  let kinds = weights[headsAt];
  let scale = weights[place.weights + ${member.blocks.noise.at / 4}u + block * 4u + 3u];
  let noise = normals(words);
  let count = inQuad(place, quad);
  var own = select(0u, oddAt, (step & 1u) == 1u) + block * 4u * quads + quad;
  var column = ((place.plan * (sizes.steps + 1u) + step) * S + block * 4u) * sizes.rollouts + place.first + quad * 4u;
  for (var j = 0u; j < min(4u, S - block * 4u); j++) {
    let isLater = j > 1u;
    let isOdd = (j & 1u) == 1u;
    var shown = xTile[own];
    if (kinds[j] < 0.5) {
      shown += scale[j] * select(select(noise.a, noise.b, isOdd), select(noise.c, noise.d, isOdd), isLater);
    } else {
      let word = select(select(words.a, words.b, isOdd), select(words.c, words.d, isOdd), isLater);
      shown = shownLevel(shown, word, vec3f(weights[headsAt + 1u][j], weights[headsAt + 2u][j], weights[headsAt + 3u][j]));
    }
    storeValues(column, count, shown);
    own += quads;
    column += sizes.rollouts;
  }
}

/** Drift and noise of a block of four states of a quad. */
fn moveStates(place: Place, block: u32, quad: u32, step: u32, row: u32) {
  let statesAt = select(0u, oddAt, (step & 1u) == 1u);
  let to = select(oddAt, 0u, (step & 1u) == 1u);
  var w = place.weights + ${member.blocks.states.at / 4}u + block * (D + 2u * H);
  let noiseAt = place.weights + ${member.blocks.noise.at / 4}u + block * 4u;
  let drift = drive[row + ${drive.blocks.drift.at / 4}u + block];
  let scaleBias = weights[noiseAt];
  let own = statesAt + block * 4u * quads + quad;
${units.map((j) => `  var d${j} = xTile[own + ${j}u * quads] + drift.${xyzw[j]};\n  var g${j} = vec4f(scaleBias.${xyzw[j]});`).join('\n')}
  var at = 0u;
${overInputs(
  'D',
  'statesAt',
  `      let a = xTile[at];
      let wd = weights[w];
      w += 1u;
${units.map((j) => `      d${j} += wd.${xyzw[j]} * a;`).join('\n')}`,
)}
${overInputs(
  'H',
  '0u',
  `      let a = hTile[at];
      let wd = weights[w];
      let ws = weights[w + 1u];
      w += 2u;
${units.map((j) => `      d${j} += wd.${xyzw[j]} * a; g${j} += ws.${xyzw[j]} * a;`).join('\n')}`,
)}

  let words = philox(quadRollouts(place, quad), step, block, processStream, vec2u(sizes.seedLow, sizes.seedHigh));
  let noise = normals(words);
  let tailCount = weights[noiseAt + 1u];
  let tailScale = weights[noiseAt + 2u];
  var out = vec4<bool>(false);
${units
  .map((j) => {
    const lane = ['a', 'b', 'c', 'd'][j];
    const sum = `d${j} + exp(bounded(g${j}, ${wgslFloat(logScaleRange[0])}, ${wgslFloat(logScaleRange[1])})) * noise.${lane} * tail${j}`;
    return `  let tail${j} = select(vec4f(1.0), vec4f(tailScale.${xyzw[j]}), vec4f(words.${lane} & vec4u(255u)) < vec4f(tailCount.${xyzw[j]}));
  let x${j} = ${j > 0 && S % 4 !== 0 ? `select(vec4f(0.0), ${sum}, block * 4u + ${j}u < S)` : sum};
  // The sign bit cleared, larger bits are larger numbers, and NaN the largest.
  out |= (bitcast<vec4u>(x${j}) & vec4u(0x7fffffffu)) > vec4u(bitcast<u32>(${wgslFloat(divergenceLimit)}));
  xTile[to + (block * 4u + ${j}u) * quads + quad] = bounded(x${j}, ${wgslFloat(-divergenceLimit)}, ${wgslFloat(divergenceLimit)});`;
  })
  .join('\n')}
  if (any(out)) {
    for (var lane = 0u; lane < 4u; lane++) {
      if (out[lane]) { atomicMax(&leftAt[quad * 4u + lane], 65535u - step); }
    }
  }
}

/** Hazards of a quad over the step: incidence, survival and whether the first event falls in it. */
fn meetHazards(place: Place, quad: u32, step: u32, row: u32) {
  let statesAt = select(0u, oddAt, (step & 1u) == 1u);
  var w = 0u;
  var at = 0u;
${range(blocksOf(K, 4)).map(hazardBlock).join('\n')}
  if (sizes.isCited != 0u) {
    let groups = quadRollouts(place, quad) / vec4u(sizes.perGroup);
    let effect = vec4f(effects[groups.x], effects[groups.y], effects[groups.z], effects[groups.w]);
    let size = sizes.effectsAt + (place.plan * sizes.steps + step) * K;
${causes.map((k) => `    l${k} += effect * effects[size + ${k}u];`).join('\n')}
  }
${causes.map((k) => `  let hazard${k} = exp(bounded(l${k}, ${wgslFloat(logHazardRange[0])}, ${wgslFloat(logHazardRange[1])}));`).join('\n')}
  let total = ${causes.map((k) => `hazard${k}`).join(' + ')};
  let dies = survival[quad] * oneMinusExp(total);
  // The hazard is constant inside a step, so this is also the step's expected time without an event.
  let perHazard = dies / total;
  eventFree[quad] += perHazard;
  survival[quad] -= dies;
  let count = inQuad(place, quad);
  let column = (place.plan * ((sizes.steps + 1u) * K + 1u) + (step + 1u) * K) * sizes.rollouts + place.first + quad * 4u;
${causes
  .map(
    (k) => `  cumulative[${k}u * quads + quad] += perHazard * hazard${k};
  storeIncidence(column + ${k}u * sizes.rollouts, count, cumulative[${k}u * quads + quad]);`,
  )
  .join('\n')}
  let words = philox(quadRollouts(place, quad), step, 0u, eventStream, vec2u(sizes.seedLow, sizes.seedHigh));
  let waited = -logOf(uniform4(words.a));
  let isFirst = (waited < total) & (firstEvent[quad] == vec4i(i32(sizes.steps)));
  firstEvent[quad] = select(firstEvent[quad], vec4i(i32(step)), isFirst);
}

@compute @workgroup_size(threads)
fn rollOut(@builtin(local_invocation_index) thread: u32, @builtin(workgroup_id) group: vec3u) {
  let tile = sizes.firstTile + group.x;
  let member = tile / sizes.tilesPerMember;
  let inMember = (tile % sizes.tilesPerMember) * tileSize;
  let place = Place(
    group.y,
    member,
    member * sizes.perMember + inMember,
    min(tileSize, sizes.perMember - inMember),
    member * memberStride,
  );
  let firstRow = (place.plan * sizes.members + member) * sizes.steps * driveStride;

  // Lanes beyond the last rollout repeat it and write nothing.
  for (var i = thread; i < (D + H) * quads; i += threads) {
    let input = i / quads;
    let quad = i % quads;
    let rollouts = vec4u(place.first) + min(vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(place.count - 1u));
    let source = rollouts * (D + H) + input;
    let a = vec4f(starts[source.x], starts[source.y], starts[source.z], starts[source.w]);
    if (input < S) {
      xTile[input * quads + quad] = a;
    } else if (input < D) {
      xTile[traitsAt + (input - S) * quads + quad] = a;
    } else {
      hTile[(input - D) * quads + quad] = a;
    }
  }
  for (var quad = thread; quad < quads; quad += threads) {
    survival[quad] = vec4f(1.0);
    eventFree[quad] = vec4f(0.0);
    firstEvent[quad] = vec4i(i32(sizes.steps));
    let column = place.plan * ((sizes.steps + 1u) * K + 1u) * sizes.rollouts + place.first + quad * 4u;
    for (var k = 0u; k < K; k++) {
      cumulative[k * quads + quad] = vec4f(0.0);
      storeIncidence(column + k * sizes.rollouts, inQuad(place, quad), vec4f(0.0));
    }
  }
  workgroupBarrier();

  // Neighbouring threads share a unit tile, so that they read the same weights at the same time.
  let unitTile = thread / ${variant.groups}u;
  let quad = (thread % ${variant.groups}u) * ${variant.trajectories / 4}u;
  let resetBias = weights[place.weights + ${member.blocks.resetBias.at / 4}u + unitTile];
  for (var step = 0u; step <= sizes.steps; step++) {
    for (var item = thread; item < stateBlocks * quads; item += threads) {
      observe(place, item / quads, item % quads, step);
    }
    if (step == sizes.steps) { break; }
    let row = firstRow + step * driveStride;
    let rowR = drive[row + unitTile * 3u];
    let rowU = drive[row + unitTile * 3u + 1u];
    let rowN = drive[row + unitTile * 3u + 2u];
${units
  .flatMap((j) =>
    vectors.map(
      (v) =>
        `    var r${j}${v} = vec4f(rowR.${xyzw[j]}); var u${j}${v} = vec4f(rowU.${xyzw[j]}); ` +
        `var n${j}${v} = vec4f(rowN.${xyzw[j]}); var c${j}${v} = vec4f(resetBias.${xyzw[j]});`,
    ),
  )
  .join('\n')}
    let statesAt = select(0u, oddAt, (step & 1u) == 1u);
    var w = place.weights + unitTile * 3u;
    var at = 0u;
${overInputs('D', 'statesAt', gateSums('xTile', 'n'))}
${overInputs('H', '0u', gateSums('hTile', 'c'))}
    workgroupBarrier();
    // A loop, because written out this is half of the shader's code, and the software adapter compiles for seconds as it is.
    var sums = array<vec4f, ${16 * vectors.length}>(${units.flatMap((j) => vectors.flatMap((v) => ['r', 'u', 'n', 'c'].map((gate) => `${gate}${j}${v}`))).join(', ')});
    for (var i = 0u; i < ${4 * vectors.length}u; i++) {
      let own = (unitTile * 4u + i / ${vectors.length}u) * quads + quad + i % ${vectors.length}u;
      let candidate = tanhOf(sums[4u * i + 2u] + sigmoid(sums[4u * i]) * sums[4u * i + 3u]);
      hTile[own] = candidate + sigmoid(sums[4u * i + 1u]) * (hTile[own] - candidate);
    }
    workgroupBarrier();
    for (var item = thread; item < (stateBlocks + 1u) * quads; item += threads) {
      if (item < stateBlocks * quads) {
        moveStates(place, item / quads, item % quads, step, row);
      } else {
        meetHazards(place, item - stateBlocks * quads, step, row);
      }
    }
    workgroupBarrier();
  }

  for (var i = thread; i < quads; i += threads) {
    let count = inQuad(place, i);
    storeIncidence((place.plan * ((sizes.steps + 1u) * K + 1u) + (sizes.steps + 1u) * K) * sizes.rollouts + place.first + i * 4u, count, eventFree[i]);
    let left = vec4i(65535) - vec4i(vec4u(
      atomicLoad(&leftAt[i * 4u]),
      atomicLoad(&leftAt[i * 4u + 1u]),
      atomicLoad(&leftAt[i * 4u + 2u]),
      atomicLoad(&leftAt[i * 4u + 3u]),
    ));
    // Where a course drifts to after its event is nobody's state.
    let lost = left < firstEvent[i];
    let events = select(firstEvent[i], vec4i(-1), lost);
    let at = place.plan * sizes.rollouts + place.first + i * 4u;
    if (count > 3u) { eventStep[at + 3u] = events.w; }
    if (count > 2u) { eventStep[at + 2u] = events.z; }
    if (count > 1u) { eventStep[at + 1u] = events.y; }
    if (count > 0u) { eventStep[at] = events.x; }
  }
}
`;
}

function range(end: number): number[] {
  return Array.from({ length: end }, (_, i) => i);
}

/** A number as WGSL reads it: with a decimal point. */
function wgslFloat(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
