struct Sizes {
  firstLane: u32,
  lanes: u32,
  firstTimeline: u32,
  timelines: u32,
  times: u32,
  eventsAt: u32,
  divergedAt: u32,
  evaluationsAt: u32,
  initialAt: u32,
  noiseAt: u32,
  laneCovariatesAt: u32,
  seedLow: u32,
  seedHigh: u32,
  infinity: f32,
  notANumber: f32,
}
struct Timeline {
  firstSegment: u32,
  segments: u32,
  reportsAt: u32,
  startReports: u32,
}
struct Segment {
  row: u32,
  isNewRow: u32,
  occasion: u32,
  endReport: u32,
  start: f32,
  span: f32,
  segmentLength: f32,
  doseTime: f32,
  firstStep: u32,
  intoStep: f32,
  dose0: f32,
  rate0: f32,
  previous0: f32,
  unused0: u32,
  unused1: u32,
  unused2: u32,
}
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> timelines: array<Timeline>;
@group(0) @binding(2) var<storage, read> segments: array<Segment>;
/** Covariate rows with hoisted values, then [timeline][time] since the segment's start, then what is given. */
@group(0) @binding(3) var<storage, read> tables: array<f32>;
/** [timeline] of [readout][time][lane], then of [event][lane], [lane], [lane]: the bits of numbers. */
@group(0) @binding(4) var<storage, read_write> answers: array<u32>;
/** [column][lane]. */
@group(0) @binding(5) var<storage, read> lanes: array<f32>;
var<private> lane: u32;
var<private> segmentAt: u32;
var<private> reportsAt: u32;
var<private> valuesAt: u32;
/** The next time to be reported. */
var<private> next: u32;
var<private> endReport: u32;
var<private> begin: f32;
var<private> span: f32;
/** Since the segment's start: nothing later is reported. */
var<private> stopAt: f32;
var<private> isOver: bool;
var<private> isBroken: bool;
var<private> evaluations: u32;
var<private> h0: f32;
var<private> seen0: f32;
var<private> sum0: f32;
var<private> threshold0: f32;
var<private> eventTime0: f32;
var<private> hasHappened0: bool;
var<private> seen1: f32;
var<private> sum1: f32;
var<private> threshold1: f32;
var<private> eventTime1: f32;
var<private> hasHappened1: bool;
var<private> tried: u32;
var<private> into0: f32;
var<private> x0: f32;

fn infinite() -> f32 {
  return sizes.infinity;
}

fn notANumber() -> f32 {
  return sizes.notANumber;
}

const processStream = 0u;
const eventStream = 1u;
const observationStream = 2u;

/** Word or number i of each of four rollouts. */
struct Words { a: u32, b: u32, c: u32, d: u32 }
struct Normals { a: f32, b: f32, c: f32, d: f32 }

fn multiplyHigh(a: u32, b: u32) -> u32 {
  let aLow = a & 0xffffu;
  let aHigh = a >> 16u;
  let bLow = b & u32(0xffffu);
  let bHigh = b >> u32(16u);
  let middle = aHigh * bLow + ((aLow * bLow) >> u32(16u));
  let carry = aLow * bHigh + (middle & u32(0xffffu));
  return aHigh * bHigh + (middle >> u32(16u)) + (carry >> u32(16u));
}

fn philox(rollouts: u32, step: u32, block: u32, stream: u32, seed: vec2u) -> Words {
  var c0 = rollouts;
  var c1 = u32(step);
  var c2 = u32(block);
  var c3 = u32(stream);
  var key = seed;
  for (var round = 0u; round < 10u; round++) {
    let high0 = multiplyHigh(0xd2511f53u, c0);
    let low0 = 0xd2511f53u * c0;
    let high1 = multiplyHigh(0xcd9e8d57u, c2);
    let low1 = 0xcd9e8d57u * c2;
    c0 = high1 ^ c1 ^ u32(key.x);
    c1 = low1;
    c2 = high0 ^ c3 ^ u32(key.y);
    c3 = low0;
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return Words(c0, c1, c2, c3);
}

/** Strictly inside (0, 1), and exact: so is 1 − uniform. */
fn uniform4(words: u32) -> f32 {
  return (f32(words >> u32(9u)) + 0.5) * 0x1p-23;
}

/** Natural logarithm of positive, normal numbers. */
fn logOfNormal(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let mantissa = bitcast<f32>((bits & u32(0x007fffffu)) | u32(0x3f000000u));
  let isLow = mantissa < f32(0.70710678);
  let exponent = f32(i32(bits >> u32(23u)) - 126) - select(f32(0.0), f32(1.0), isLow);
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
struct Pair { cosine: f32, sine: f32 }
fn normalPair(wordsA: u32, wordsB: u32) -> Pair {
  let radius = sqrt(-2.0 * logOfNormal(uniform4(wordsA)));
  // The angle in quarter turns, folded to ±1/2 without rounding.
  let turns = 4.0 * uniform4(wordsB);
  let whole = floor(turns + 0.5);
  let quarter = u32(whole);
  let angle = (turns - whole) * 1.57079632679;
  let z = angle * angle;
  let s = ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * angle + angle;
  let c = ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;
  let isSwapped = (quarter & u32(1u)) == u32(1u);
  let isCosineNegative = ((quarter + 1u) & u32(2u)) == u32(2u);
  let isSineNegative = (quarter & u32(2u)) == u32(2u);
  let cosine = select(c, s, isSwapped);
  let sine = select(s, c, isSwapped);
  return Pair(radius * select(cosine, -cosine, isCosineNegative), radius * select(sine, -sine, isSineNegative));
}

fn normals(words: Words) -> Normals {
  let first = normalPair(words.a, words.b);
  let second = normalPair(words.c, words.d);
  return Normals(first.cosine, first.sine, second.cosine, second.sine);
}

/** No test with != or isnan: compilers may take NaN as impossible. */
fn isFinite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

/** Stays finite: what would overflow is the largest power there is. */
fn expOf(x: f32) -> f32 {
  return exp(select(x, 88.7f, x > 88.7f));
}

fn logOf(x: f32) -> f32 {
  let y = logOfNormal(select(x, 0x1p-126f, x < 0x1p-126f));
  let limit = select(-infinite(), notANumber(), x < 0f);
  return select(select(x, y, isFinite(x)), limit, x <= 0f);
}

fn sqrtOf(x: f32) -> f32 {
  return select(sqrt(abs(x)), notANumber(), x < 0f);
}

fn tanhOf(x: f32) -> f32 {
  let size = abs(x);
  let e = exp(-2f * size);
  let square = x * x;
  // Below 0.1 the quotient would lose relative accuracy to cancellation.
  let small = size * (1f - square * (0.33333334f - square * 0.13333334f));
  let y = select((1f - e) / (1f + e), small, size < 0.1f);
  return select(y, -y, x < 0f);
}

fn expm1Of(x: f32) -> f32 {
  var sum = 0.0001984127f + x * 2.4801588e-5f;
  sum = 0.0013888889f + x * sum;
  sum = 0.008333334f + x * sum;
  sum = 0.041666668f + x * sum;
  sum = 0.16666667f + x * sum;
  sum = x * (1f + x * (0.5f + x * sum));
  return select(expOf(x) - 1f, sum, abs(x) < 0.5f);
}

fn sinhOf(x: f32) -> f32 {
  let y = expm1Of(abs(x));
  // (y + y / (y + 1)) / 2 without an overflow before the end.
  let half = 0.5f * y + 0.5f * (y / (y + 1f));
  return select(half, -half, x < 0f);
}

fn log1pOf(x: f32) -> f32 {
  // 2 artanh(x / (2 + x)).
  let s = x / (2f + x);
  let z = s * s;
  let small = 2f * s * (1f + z * (0.33333334f + z * (0.2f + z * (0.14285715f + z * 0.11111111f))));
  return select(logOf(1f + x), small, abs(x) < 0.25f);
}

/** A negative base takes whole exponents only, as in JavaScript. */
fn powOf(x: f32, y: f32) -> f32 {
  let size = expOf(y * logOfNormal(max(abs(x), 0x1p-126f)));
  let isWhole = floor(y) == y;
  let isOdd = floor(0.5f * y) != 0.5f * y;
  let negative = select(notANumber(), select(size, -size, isOdd), isWhole);
  let atZero = select(select(0f, infinite(), y < 0f), 1f, y == 0f);
  let finite = select(select(size, negative, x < 0f), atZero, x == 0f);
  // x + y is NaN or infinite where either is.
  return select(x + y, finite, isFinite(x) & isFinite(y));
}

/** Parameters and what hangs on them and on covariates alone. */
fn startRow() {
  let row = segments[segmentAt].row;
  let occasion = segments[segmentAt].occasion;
  let v0 = lanes[0u * sizes.lanes + lane];
  let v1 = expOf(v0);
  let v2 = 0.1f * v1;
  let v3 = -(v2);
  h0 = v3;
}

/** What stays the same within the segment. */
fn startSegment() {
}

struct Slopes { d0: f32 }
/** d/dt of the states, t after the segment's start. */
fn slopes(t: f32, x0: f32) -> Slopes {
  let v0 = x0 * h0;
  return Slopes(v0 + into0);
}

/** Reports the next time, which is t after the segment's start. */
fn report(t: f32, x0: f32) {
  answers[valuesAt + (0u * sizes.times + next) * sizes.lanes] = bitcast<u32>(x0);
}

struct EventValues { e0: f32, e1: f32 }
fn eventsAt(t: f32, x0: f32) -> EventValues {
  let v0 = 2f - x0;
  let v1 = x0 * 0.002f;
  return EventValues(v0, v1);
}

/** Shampine's interpolant between x and y with these slopes. */
fn dense(s: f32, h: f32, x: f32, y: f32, first: f32, last: f32, correction: f32) -> f32 {
  let difference = y - x;
  let bend = h * first - difference;
  let inner = difference - h * last - bend + (1f - s) * h * correction;
  return x + s * (difference + (1f - s) * (bend + s * inner));
}

fn throughSegment() {
  var t0 = 0f;
  var wanted = 0.1f;
  var wasRejected = false;
  var k0: Slopes;
  var isFresh = true;
  for (; tried < 5000u; tried++) {
    if (isFresh) {
      k0 = slopes(t0, x0);
      evaluations++;
      isFresh = false;
    }
    let proposed = min(wanted, 24f);
    // A step that would leave next to nothing takes the rest as well.
    let isLast = t0 + proposed * 1.00001f >= span;
    let t1 = select(t0 + proposed, span, isLast);
    let h = t1 - t0;
    if (!(h > 0f)) { break; }
    let a10 = h * 0.2f;
    let k1 = slopes(t0 + 0.2f * h, x0 + a10 * k0.d0);
    let a20 = h * 0.075f;
    let a21 = h * 0.225f;
    let k2 = slopes(t0 + 0.3f * h, x0 + a20 * k0.d0 + a21 * k1.d0);
    let a30 = h * 0.9777778f;
    let a31 = h * -3.7333333f;
    let a32 = h * 3.5555556f;
    let k3 = slopes(t0 + 0.8f * h, x0 + a30 * k0.d0 + a31 * k1.d0 + a32 * k2.d0);
    let a40 = h * 2.9525986f;
    let a41 = h * -11.595794f;
    let a42 = h * 9.822893f;
    let a43 = h * -0.29080933f;
    let k4 = slopes(t0 + 0.8888889f * h, x0 + a40 * k0.d0 + a41 * k1.d0 + a42 * k2.d0 + a43 * k3.d0);
    let a50 = h * 2.8462753f;
    let a51 = h * -10.757576f;
    let a52 = h * 8.906423f;
    let a53 = h * 0.2784091f;
    let a54 = h * -0.27353132f;
    let k5 = slopes(t1, x0 + a50 * k0.d0 + a51 * k1.d0 + a52 * k2.d0 + a53 * k3.d0 + a54 * k4.d0);
    let a60 = h * 0.091145836f;
    let a62 = h * 0.4492363f;
    let a63 = h * 0.6510417f;
    let a64 = h * -0.3223762f;
    let a65 = h * 0.13095239f;
    let y0 = x0 + a60 * k0.d0 + a62 * k2.d0 + a63 * k3.d0 + a64 * k4.d0 + a65 * k5.d0;
    let k6 = slopes(t1, y0);
    evaluations += 6u;
    let error0 = h * (0.0012326388f * k0.d0 + -0.0042527704f * k2.d0 + 0.036979165f * k3.d0 + -0.0508638f * k4.d0 + 0.041904762f * k5.d0 + -0.025f * k6.d0);
    let part0 = error0 / (1e-7f + 0.00001f * max(abs(x0), abs(y0)));
    let norm = (part0 * part0) * 1f;
    let isGood = isFinite(norm) & (norm <= 1f);
    // norm^(−1/2 order), as norm is the square of what the tolerance is held against.
    let change = 0.9f * exp2(-0.1f * log2(max(norm, 1e-12f)));
    let factor = select(0.2f, clamp(change, 0.2f, select(5f, 1f, wasRejected)), isFinite(norm));
    if (!isGood) {
      wasRejected = true;
      wanted = h * factor;
      continue;
    }
    wasRejected = false;
    // A step cut short by the end says nothing about the next one that it did not know before.
    wanted = select(h * factor, max(proposed, h * factor), isLast);
    let values = eventsAt(t1, y0);
    let isNow0 = (seen0 < 0f) & (values.e0 >= 0f);
    let share0 = seen0 / (seen0 - values.e0);
    seen0 = values.e0;
    if (isNow0) {
      let time = t0 + (t1 - t0) * share0;
      eventTime0 = select(begin + time, eventTime0, hasHappened0);
      hasHappened0 = true;
    }
    let before1 = sum1;
    sum1 += (t1 - t0) * 0.5f * (seen1 + values.e1);
    let isNow1 = !hasHappened1 & (sum1 >= threshold1);
    let share1 = (threshold1 - before1) / (sum1 - before1);
    seen1 = values.e1;
    if (isNow1) {
      let time = t0 + (t1 - t0) * share1;
      eventTime1 = select(begin + time, eventTime1, hasHappened1);
      hasHappened1 = true;
      stopAt = min(stopAt, time);
      isOver = true;
    }
    for (; next < endReport; next++) {
      let t = tables[reportsAt + next];
      let s = (t - t0) / h;
      if ((s > 0.99999f) | (t > stopAt)) { break; }

      report(t, dense(s, h, x0, y0, k0.d0, k6.d0, -1.1270176f * k0.d0 + 2.6754246f * k2.d0 + -5.685527f * k3.d0 + 3.5219324f * k4.d0 + -1.7672813f * k5.d0 + 2.382469f * k6.d0));
    }
    x0 = y0;
    let hasSet = isNow0;
    if (isNow0) { applyEvent0(t1); }
    if (hasSet) {
      let again = eventsAt(t1, x0);
      seen0 = again.e0;
      seen1 = again.e1;
    }
    for (; next < endReport; next++) {
      let t = tables[reportsAt + next];
      if (((t - t0) / h > 1.00001f) | (t > stopAt)) { break; }
      report(t, x0);
    }
      k0 = k6;
    if (hasSet) {
      wanted = 0.1f;
      isFresh = true;
    }
    t0 = t1;
    if (isLast | isOver) {
      tried++;
      return;
    }
  }
  isBroken = true;
}
fn applyEvent0(t: f32) {
  let v0 = x0 + 6f;
  let new0 = v0;
  x0 = new0;
}

fn enterSegment() {
  let segment = &segments[segmentAt];
  let t = 0f;
  into0 = 0f;

  if ((*segment).dose0 != 0f) { x0 += (*segment).dose0 * 1f; }
  if ((*segment).rate0 != 0f) { into0 += (*segment).rate0 * 1f; }
}

fn startLane(timelineAt: u32) {
  let t = 0f;

  x0 = 10f;
}

@compute @workgroup_size(64)
fn simulate(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= sizes.lanes * sizes.timelines) { return; }
  lane = id.x % sizes.lanes;
  let plan = id.x / sizes.lanes;
  let timelineAt = sizes.firstTimeline + plan;
  let timeline = timelines[timelineAt];
  reportsAt = timeline.reportsAt;
  valuesAt = plan * 1u * sizes.times * sizes.lanes + lane;
  stopAt = infinite();
  threshold1 = -logOfNormal(uniform4(philox(sizes.firstLane + lane, 1u, 0u, 1u, vec2u(sizes.seedLow, sizes.seedHigh)).a));
  for (var g = 0u; g < timeline.segments; g++) {
    segmentAt = timeline.firstSegment + g;
    begin = segments[segmentAt].start;
    span = segments[segmentAt].span;
    endReport = segments[segmentAt].endReport;

    if (segments[segmentAt].isNewRow != 0u) { startRow(); }
    if (g == 0u) {
      startLane(timelineAt);
      if (!(isFinite(abs(x0)))) { isBroken = true; break; }
      startSegment();
      for (; next < timeline.startReports; next++) { report(0f, x0); }
    }
    enterSegment();
    startSegment();
    if (!(isFinite(abs(x0)))) { isBroken = true; break; }
    {
      let values = eventsAt(0f, x0);
      if (g == 0u) { seen0 = values.e0; }
      seen1 = values.e1;
    }
    if (span > 0f) {
      throughSegment();
      if (isBroken | isOver) { break; }

      if (!(isFinite(abs(x0)))) { isBroken = true; break; }
    }
  }
  for (; next < sizes.times; next++) {
    for (var r = 0u; r < 1u; r++) {
      answers[valuesAt + (r * sizes.times + next) * sizes.lanes] = 0x7fc00000u;
    }
  }
  answers[sizes.eventsAt + (plan * 2u + 0u) * sizes.lanes + lane] = select(0x7fc00000u, bitcast<u32>(eventTime0), hasHappened0);
  answers[sizes.eventsAt + (plan * 2u + 1u) * sizes.lanes + lane] = select(0x7fc00000u, bitcast<u32>(eventTime1), hasHappened1);
  answers[sizes.divergedAt + plan * sizes.lanes + lane] = select(0u, 1u, isBroken);
  answers[sizes.evaluationsAt + plan * sizes.lanes + lane] = evaluations;
}
