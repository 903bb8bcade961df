
const S = 16u;
const L = 3u;
const H = 64u;
const K = 2u;
const D = S + L;
const stateBlocks = 4u;
const causeBlocks = 1u;
/** vec4f of one member's packed tensors, and of one drive row. */
const memberStride = 4687u;
const driveStride = 53u;
const unitTiles = 16u;
const gateStride = 3u * unitTiles;
const threads = 64u;
const tileSize = 32u;
/** A quad is four neighbouring trajectories: one vec4. */
const quads = 8u;
/** The states of even steps, the traits, the states of odd steps. */
const traitsAt = 16u * quads;
const oddAt = traitsAt + L * quads;

struct Sizes {
  firstTile: u32,
  tilesPerMember: u32,
  perMember: u32,
  perGroup: u32,
  rollouts: u32,
  steps: u32,
  members: u32,
  headsAt: u32,
  effectsAt: u32,
  isCited: u32,
  seedLow: u32,
  seedHigh: u32,
}
@group(0) @binding(0) var<uniform> sizes: Sizes;
/** Each member's tensors as `layout.ts` packs them, then the heads. */
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
/** [plan][rollout] step of the first event, `steps` if none, −1 if diverged. */
@group(0) @binding(7) var<storage, read_write> eventStep: array<i32>;

var<workgroup> hTile: array<vec4f, H * quads>;
var<workgroup> xTile: array<vec4f, 280>;
var<workgroup> survival: array<vec4f, quads>;
var<workgroup> eventFree: array<vec4f, quads>;
var<workgroup> cumulative: array<vec4f, K * quads>;
var<workgroup> firstEvent: array<vec4i, quads>;
/** [rollout] 65,535 less the first step after which a state had left the limit; 0 if none did. */
var<workgroup> leftAt: array<atomic<u32>, quads * 4u>;

const processStream = 0u;
const eventStream = 1u;
const observationStream = 2u;

/** Word or number i of each of four rollouts. */
struct Words { a: vec4u, b: vec4u, c: vec4u, d: vec4u }
struct Normals { a: vec4f, b: vec4f, c: vec4f, d: vec4f }

fn multiplyHigh(a: u32, b: vec4u) -> vec4u {
  let aLow = a & 0xffffu;
  let aHigh = a >> 16u;
  let bLow = b & vec4u(0xffffu);
  let bHigh = b >> vec4u(16u);
  let middle = aHigh * bLow + ((aLow * bLow) >> vec4u(16u));
  let carry = aLow * bHigh + (middle & vec4u(0xffffu));
  return aHigh * bHigh + (middle >> vec4u(16u)) + (carry >> vec4u(16u));
}

fn philox(rollouts: vec4u, step: u32, block: u32, stream: u32, seed: vec2u) -> Words {
  var c0 = rollouts;
  var c1 = vec4u(step);
  var c2 = vec4u(block);
  var c3 = vec4u(stream);
  var key = seed;
  for (var round = 0u; round < 10u; round++) {
    let high0 = multiplyHigh(0xd2511f53u, c0);
    let low0 = 0xd2511f53u * c0;
    let high1 = multiplyHigh(0xcd9e8d57u, c2);
    let low1 = 0xcd9e8d57u * c2;
    c0 = high1 ^ c1 ^ vec4u(key.x);
    c1 = low1;
    c2 = high0 ^ c3 ^ vec4u(key.y);
    c3 = low0;
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return Words(c0, c1, c2, c3);
}

/** Strictly inside (0, 1), and exact: so is 1 − uniform. */
fn uniform4(words: vec4u) -> vec4f {
  return (vec4f(words >> vec4u(9u)) + 0.5) * 0x1p-23;
}

/** Natural logarithm of positive, normal numbers. */
fn logOf(x: vec4f) -> vec4f {
  let bits = bitcast<vec4u>(x);
  let mantissa = bitcast<vec4f>((bits & vec4u(0x007fffffu)) | vec4u(0x3f000000u));
  let isLow = mantissa < vec4f(0.70710678);
  let exponent = vec4f(vec4i(bits >> vec4u(23u)) - 126) - select(vec4f(0.0), vec4f(1.0), isLow);
  let m = select(mantissa, mantissa + mantissa, isLow) - 1.0;
  var p = 7.0376836292e-2 * m - 1.1514610310e-1;
  p = p * m + 1.1676998740e-1;
  p = p * m - 1.2420140846e-1;
  p = p * m + 1.4249322787e-1;
  p = p * m - 1.6668057665e-1;
  p = p * m + 2.0000714765e-1;
  p = p * m - 2.4999993993e-1;
  p = p * m + 3.3333331174e-1;
  let square = m * m;
  // ln 2 in two parts, the first exact in few bits.
  let tail = p * m * square - 2.12194440e-4 * exponent - 0.5 * square;
  return m + tail + 0.693359375 * exponent;
}

/** Box–Muller: the first returned number goes with the cosine, the second with the sine. */
struct Pair { cosine: vec4f, sine: vec4f }
fn normalPair(wordsA: vec4u, wordsB: vec4u) -> Pair {
  let radius = sqrt(-2.0 * logOf(uniform4(wordsA)));
  // The angle in quarter turns, folded to ±1/2 without rounding.
  let turns = 4.0 * uniform4(wordsB);
  let whole = floor(turns + 0.5);
  let quarter = vec4u(whole);
  let angle = (turns - whole) * 1.57079632679;
  let z = angle * angle;
  let s = ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * angle + angle;
  let c = ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;
  let isSwapped = (quarter & vec4u(1u)) == vec4u(1u);
  let isCosineNegative = ((quarter + 1u) & vec4u(2u)) == vec4u(2u);
  let isSineNegative = (quarter & vec4u(2u)) == vec4u(2u);
  let cosine = select(c, s, isSwapped);
  let sine = select(s, c, isSwapped);
  return Pair(radius * select(cosine, -cosine, isCosineNegative), radius * select(sine, -sine, isSineNegative));
}

fn normals(words: Words) -> Normals {
  let first = normalPair(words.a, words.b);
  let second = normalPair(words.c, words.d);
  return Normals(first.cosine, first.sine, second.cosine, second.sine);
}

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
  let scale = weights[place.weights + 4671u + block * 4u + 3u];
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
  var w = place.weights + 4000u + block * (D + 2u * H);
  let noiseAt = place.weights + 4671u + block * 4u;
  let drift = drive[row + 48u + block];
  let scaleBias = weights[noiseAt];
  let own = statesAt + block * 4u * quads + quad;
  var d0 = xTile[own + 0u * quads] + drift.x;
  var g0 = vec4f(scaleBias.x);
  var d1 = xTile[own + 1u * quads] + drift.y;
  var g1 = vec4f(scaleBias.y);
  var d2 = xTile[own + 2u * quads] + drift.z;
  var g2 = vec4f(scaleBias.z);
  var d3 = xTile[own + 3u * quads] + drift.w;
  var g3 = vec4f(scaleBias.w);
  var at = 0u;

    at = statesAt + quad;
    for (var k = 0u; k < D; k++) {
      let a = xTile[at];
      let wd = weights[w];
      w += 1u;
      d0 += wd.x * a;
      d1 += wd.y * a;
      d2 += wd.z * a;
      d3 += wd.w * a;
      at = select(at + quads, traitsAt + quad, k + 1u == S);
    }

    at = 0u + quad;
    for (var k = 0u; k < H; k++) {
      let a = hTile[at];
      let wd = weights[w];
      let ws = weights[w + 1u];
      w += 2u;
      d0 += wd.x * a; g0 += ws.x * a;
      d1 += wd.y * a; g1 += ws.y * a;
      d2 += wd.z * a; g2 += ws.z * a;
      d3 += wd.w * a; g3 += ws.w * a;
      at += quads;
    }

  let words = philox(quadRollouts(place, quad), step, block, processStream, vec2u(sizes.seedLow, sizes.seedHigh));
  let noise = normals(words);
  let tailCount = weights[noiseAt + 1u];
  let tailScale = weights[noiseAt + 2u];
  var out = vec4<bool>(false);
  let tail0 = select(vec4f(1.0), vec4f(tailScale.x), vec4f(words.a & vec4u(255u)) < vec4f(tailCount.x));
  let x0 = d0 + exp(bounded(g0, -6.0, 0.7)) * noise.a * tail0;
  // The sign bit cleared, larger bits are larger numbers, and NaN the largest.
  out |= (bitcast<vec4u>(x0) & vec4u(0x7fffffffu)) > vec4u(bitcast<u32>(30.0));
  xTile[to + (block * 4u + 0u) * quads + quad] = bounded(x0, -30.0, 30.0);
  let tail1 = select(vec4f(1.0), vec4f(tailScale.y), vec4f(words.b & vec4u(255u)) < vec4f(tailCount.y));
  let x1 = d1 + exp(bounded(g1, -6.0, 0.7)) * noise.b * tail1;
  // The sign bit cleared, larger bits are larger numbers, and NaN the largest.
  out |= (bitcast<vec4u>(x1) & vec4u(0x7fffffffu)) > vec4u(bitcast<u32>(30.0));
  xTile[to + (block * 4u + 1u) * quads + quad] = bounded(x1, -30.0, 30.0);
  let tail2 = select(vec4f(1.0), vec4f(tailScale.z), vec4f(words.c & vec4u(255u)) < vec4f(tailCount.z));
  let x2 = d2 + exp(bounded(g2, -6.0, 0.7)) * noise.c * tail2;
  // The sign bit cleared, larger bits are larger numbers, and NaN the largest.
  out |= (bitcast<vec4u>(x2) & vec4u(0x7fffffffu)) > vec4u(bitcast<u32>(30.0));
  xTile[to + (block * 4u + 2u) * quads + quad] = bounded(x2, -30.0, 30.0);
  let tail3 = select(vec4f(1.0), vec4f(tailScale.w), vec4f(words.d & vec4u(255u)) < vec4f(tailCount.w));
  let x3 = d3 + exp(bounded(g3, -6.0, 0.7)) * noise.d * tail3;
  // The sign bit cleared, larger bits are larger numbers, and NaN the largest.
  out |= (bitcast<vec4u>(x3) & vec4u(0x7fffffffu)) > vec4u(bitcast<u32>(30.0));
  xTile[to + (block * 4u + 3u) * quads + quad] = bounded(x3, -30.0, 30.0);
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

  w = place.weights + 4588u;
  let row0 = drive[row + 52u];
  var l0 = vec4f(row0.x);
  var l1 = vec4f(row0.y);

    at = statesAt + quad;
    for (var k = 0u; k < D; k++) {

      let a = xTile[at];
      let wk = weights[w];
      w += 1u;
      l0 += wk.x * a;
      l1 += wk.y * a;
      at = select(at + quads, traitsAt + quad, k + 1u == S);
    }

    at = 0u + quad;
    for (var k = 0u; k < H; k++) {

      let a = hTile[at];
      let wk = weights[w];
      w += 1u;
      l0 += wk.x * a;
      l1 += wk.y * a;
      at += quads;
    }
  if (sizes.isCited != 0u) {
    let groups = quadRollouts(place, quad) / vec4u(sizes.perGroup);
    let effect = vec4f(effects[groups.x], effects[groups.y], effects[groups.z], effects[groups.w]);
    let size = sizes.effectsAt + (place.plan * sizes.steps + step) * K;
    l0 += effect * effects[size + 0u];
    l1 += effect * effects[size + 1u];
  }
  let hazard0 = exp(bounded(l0, -30.0, 3.0));
  let hazard1 = exp(bounded(l1, -30.0, 3.0));
  let total = hazard0 + hazard1;
  let dies = survival[quad] * oneMinusExp(total);
  // The hazard is constant inside a step, so this is also the step's expected time without an event.
  let perHazard = dies / total;
  eventFree[quad] += perHazard;
  survival[quad] -= dies;
  let count = inQuad(place, quad);
  let column = (place.plan * ((sizes.steps + 1u) * K + 1u) + (step + 1u) * K) * sizes.rollouts + place.first + quad * 4u;
  cumulative[0u * quads + quad] += perHazard * hazard0;
  storeIncidence(column + 0u * sizes.rollouts, count, cumulative[0u * quads + quad]);
  cumulative[1u * quads + quad] += perHazard * hazard1;
  storeIncidence(column + 1u * sizes.rollouts, count, cumulative[1u * quads + quad]);
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
  let unitTile = thread / 4u;
  let quad = (thread % 4u) * 2u;
  let resetBias = weights[place.weights + 3984u + unitTile];
  for (var step = 0u; step <= sizes.steps; step++) {
    for (var item = thread; item < stateBlocks * quads; item += threads) {
      observe(place, item / quads, item % quads, step);
    }
    if (step == sizes.steps) { break; }
    let row = firstRow + step * driveStride;
    let rowR = drive[row + unitTile * 3u];
    let rowU = drive[row + unitTile * 3u + 1u];
    let rowN = drive[row + unitTile * 3u + 2u];
    var r00 = vec4f(rowR.x); var u00 = vec4f(rowU.x); var n00 = vec4f(rowN.x); var c00 = vec4f(resetBias.x);
    var r01 = vec4f(rowR.x); var u01 = vec4f(rowU.x); var n01 = vec4f(rowN.x); var c01 = vec4f(resetBias.x);
    var r10 = vec4f(rowR.y); var u10 = vec4f(rowU.y); var n10 = vec4f(rowN.y); var c10 = vec4f(resetBias.y);
    var r11 = vec4f(rowR.y); var u11 = vec4f(rowU.y); var n11 = vec4f(rowN.y); var c11 = vec4f(resetBias.y);
    var r20 = vec4f(rowR.z); var u20 = vec4f(rowU.z); var n20 = vec4f(rowN.z); var c20 = vec4f(resetBias.z);
    var r21 = vec4f(rowR.z); var u21 = vec4f(rowU.z); var n21 = vec4f(rowN.z); var c21 = vec4f(resetBias.z);
    var r30 = vec4f(rowR.w); var u30 = vec4f(rowU.w); var n30 = vec4f(rowN.w); var c30 = vec4f(resetBias.w);
    var r31 = vec4f(rowR.w); var u31 = vec4f(rowU.w); var n31 = vec4f(rowN.w); var c31 = vec4f(resetBias.w);
    let statesAt = select(0u, oddAt, (step & 1u) == 1u);
    var w = place.weights + unitTile * 3u;
    var at = 0u;

    at = statesAt + quad;
    for (var k = 0u; k < D; k++) {

      let wr = weights[w];
      let wu = weights[w + 1u];
      let wn = weights[w + 2u];
      w += gateStride;
      let a0 = xTile[at + 0u];
      let a1 = xTile[at + 1u];
      r00 += wr.x * a0; u00 += wu.x * a0; n00 += wn.x * a0;
      r01 += wr.x * a1; u01 += wu.x * a1; n01 += wn.x * a1;
      r10 += wr.y * a0; u10 += wu.y * a0; n10 += wn.y * a0;
      r11 += wr.y * a1; u11 += wu.y * a1; n11 += wn.y * a1;
      r20 += wr.z * a0; u20 += wu.z * a0; n20 += wn.z * a0;
      r21 += wr.z * a1; u21 += wu.z * a1; n21 += wn.z * a1;
      r30 += wr.w * a0; u30 += wu.w * a0; n30 += wn.w * a0;
      r31 += wr.w * a1; u31 += wu.w * a1; n31 += wn.w * a1;
      at = select(at + quads, traitsAt + quad, k + 1u == S);
    }

    at = 0u + quad;
    for (var k = 0u; k < H; k++) {

      let wr = weights[w];
      let wu = weights[w + 1u];
      let wn = weights[w + 2u];
      w += gateStride;
      let a0 = hTile[at + 0u];
      let a1 = hTile[at + 1u];
      r00 += wr.x * a0; u00 += wu.x * a0; c00 += wn.x * a0;
      r01 += wr.x * a1; u01 += wu.x * a1; c01 += wn.x * a1;
      r10 += wr.y * a0; u10 += wu.y * a0; c10 += wn.y * a0;
      r11 += wr.y * a1; u11 += wu.y * a1; c11 += wn.y * a1;
      r20 += wr.z * a0; u20 += wu.z * a0; c20 += wn.z * a0;
      r21 += wr.z * a1; u21 += wu.z * a1; c21 += wn.z * a1;
      r30 += wr.w * a0; u30 += wu.w * a0; c30 += wn.w * a0;
      r31 += wr.w * a1; u31 += wu.w * a1; c31 += wn.w * a1;
      at += quads;
    }
    workgroupBarrier();
    // A loop, because written out this is half of the shader's code, and the software adapter compiles for seconds as it is.
    var sums = array<vec4f, 32>(r00, u00, n00, c00, r01, u01, n01, c01, r10, u10, n10, c10, r11, u11, n11, c11, r20, u20, n20, c20, r21, u21, n21, c21, r30, u30, n30, c30, r31, u31, n31, c31);
    for (var i = 0u; i < 8u; i++) {
      let own = (unitTile * 4u + i / 2u) * quads + quad + i % 2u;
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
