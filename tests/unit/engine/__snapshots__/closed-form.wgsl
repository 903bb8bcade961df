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
var<private> p1: f32;
var<private> h0: f32;

fn infinite() -> f32 {
  return sizes.infinity;
}

fn notANumber() -> f32 {
  return sizes.notANumber;
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

var<private> mode0: f32;
var<private> mode1: f32;
var<private> depot: f32;
var<private> absorption: f32;
var<private> intoDepot: f32;
var<private> area: f32;
var<private> intoCentral: f32;
var<private> decay0: f32;
var<private> root0: f32;
var<private> vector00: f32;
var<private> vector01: f32;
var<private> decay1: f32;
var<private> root1: f32;
var<private> vector10: f32;
var<private> vector11: f32;
/** (1 − exp(−x)) / x for x ≥ 0. */
fn decline(x: f32) -> f32 {
  let near = 1f - x * (0.5f - x * (0.16666667f - x * (0.041666668f - x * (0.008333334f - x * 0.0013888889f))));
  return select((1f - exp(-x)) / x, near, x < 0.25f);
}

/** A unit impulse after a cascade of first-order stages, as in numerics/exponential-cascade.ts: rates in any order, equal ones too. */
fn cascade2(t: f32, a: f32, b: f32) -> f32 {
  return t * exp(-min(a, b) * t) * decline(abs(b - a) * t);
}

fn cascade3(t: f32, a: f32, b: f32, c: f32) -> f32 {
  let slow = min(a, min(b, c));
  let fast = max(a, max(b, c));
  let middle = max(min(a, b), min(max(a, b), c));
  let width = fast - slow;
  // Series about the mean, where the first symmetric polynomial vanishes; else the recurrence, which then cancels little.
  let mean = slow + (0.33333334f * ((middle - slow) + width));
  let x = (mean - slow) * t;
  let y = (mean - middle) * t;
  let z = (mean - fast) * t;
  let pairs = -(x * y + y * z + z * x);
  let triple = x * y * z;
  let near = t * t * exp(-mean * t) * (0.5f + pairs * (0.041666668f + 0.0013888889f * pairs) + 0.008333334f * triple);
  let far = (cascade2(t, slow, middle) - cascade2(t, middle, fast)) / width;
  return select(far, near, width * t < 0.5f);
}

/** `a` is no larger than the others. */
fn cascade4(t: f32, a: f32, b: f32, c: f32, d: f32) -> f32 {
  let fast = max(b, max(c, d));
  let low = min(b, min(c, d));
  let middle = max(min(b, c), min(max(b, c), d));
  let width = fast - a;
  let mean = a + 0.25f * ((low - a) + (middle - a) + width);
  let x = (mean - a) * t;
  let y = (mean - low) * t;
  let z = (mean - middle) * t;
  let w = (mean - fast) * t;
  let pairs = -(x * (y + z + w) + y * (z + w) + z * w);
  let triples = x * y * (z + w) + z * w * (x + y);
  let near = t * t * t * exp(-mean * t) *
    (0.16666667f + 0.008333334f * pairs + 0.0013888889f * triples + 0.0001984127f * (pairs * pairs - x * y * z * w));
  let far = (cascade3(t, a, low, middle) - cascade3(t, low, middle, fast)) / width;
  return select(far, near, width * t < 0.5f);
}

/** What is in a mode at t; of the central compartment's inflow it gets its share. */
fn modeFlow(t: f32, start: f32, share: f32, decay: f32) -> f32 {
  var flow = start * exp(-decay * t);
  if (intoCentral != 0f) { flow += share * intoCentral * cascade2(t, 0f, decay); }
  if (depot != 0f) { flow += share * absorption * depot * cascade2(t, absorption, decay); }
  if (intoDepot != 0f) { flow += share * absorption * intoDepot * cascade3(t, 0f, absorption, decay); }
  return flow;
}

fn areaFlow(t: f32, start: f32, share: f32, decay: f32) -> f32 {
  var flow = start * cascade2(t, 0f, decay);
  if (intoCentral != 0f) { flow += share * intoCentral * cascade3(t, 0f, 0f, decay); }
  if (depot != 0f) { flow += share * absorption * depot * cascade3(t, 0f, absorption, decay); }
  if (intoDepot != 0f) { flow += share * absorption * intoDepot * cascade4(t, 0f, 0f, absorption, decay); }
  return flow;
}

fn amount0At(t: f32) -> f32 {
  return depot * exp(-absorption * t) + select(0f, intoDepot * cascade2(t, 0f, absorption), intoDepot != 0f);
}

fn amount1At(t: f32) -> f32 {
  let share0 = vector00 / root0;
  let share1 = vector10 / root0;
  let later0 = modeFlow(t, mode0, share0, decay0);
  let later1 = modeFlow(t, mode1, share1, decay1);
  return root0 * (vector00 * later0 + vector10 * later1);
}

fn amount2At(t: f32) -> f32 {
  let share0 = vector00 / root0;
  let share1 = vector10 / root0;
  let later0 = modeFlow(t, mode0, share0, decay0);
  let later1 = modeFlow(t, mode1, share1, decay1);
  return root1 * (vector01 * later0 + vector11 * later1);
}

fn amount3At(t: f32) -> f32 {
  let share0 = vector00 / root0;
  let share1 = vector10 / root0;
  return area + share0 * areaFlow(t, mode0, share0, decay0) + share1 * areaFlow(t, mode1, share1, decay1);
}

/** A new piece begins t after the last. */
fn advance(t: f32) {
  let share0 = vector00 / root0;
  let share1 = vector10 / root0;
  area = area + share0 * areaFlow(t, mode0, share0, decay0) + share1 * areaFlow(t, mode1, share1, decay1);
  let later0 = modeFlow(t, mode0, share0, decay0);
  let later1 = modeFlow(t, mode1, share1, decay1);
  depot = depot * exp(-absorption * t) + select(0f, intoDepot * cascade2(t, 0f, absorption), intoDepot != 0f);
  mode0 = later0;
  mode1 = later1;
}

fn bodyIsFinite() -> bool {
  return isFinite(0f + abs(mode0) + abs(mode1) + abs(depot) + abs(area));
}

fn addTo0(amount: f32) {
  depot += amount;
}

fn addTo1(amount: f32) {
  mode0 += vector00 / root0 * amount;
  mode1 += vector10 / root0 * amount;
}

fn splitBody(clearance: f32, volume: f32, flow1: f32, volume1: f32) {
  let held0 = root0 * (vector00 * mode0 + vector10 * mode1);
  let held1 = root1 * (vector01 * mode0 + vector11 * mode1);
  findModes(clearance, volume, flow1, volume1);
  mode0 = vector00 * (held0 / root0) + vector01 * (held1 / root1);
  mode1 = vector10 * (held0 / root0) + vector11 * (held1 / root1);
}

fn findModes(clearance: f32, volume: f32, flow1: f32, volume1: f32) {
  let flow = max(flow1, 1e-6f * clearance);
  root0 = sqrtOf(volume);
  root1 = sqrtOf(volume1);
  let out = clearance / volume;
  let back = flow / volume1;
  let coupling = flow / (root0 * root1);
  // The quadratic for the distance of the fast mode from `back`, and of `back` from the slow one: their product is coupling².
  let excess = out + flow / volume - back;
  let larger = 0.5f * (abs(excess) + sqrt(excess * excess + 4f * coupling * coupling));
  let above = select(coupling * coupling / larger, larger, excess >= 0f);
  let size = sqrt(above * above + coupling * coupling);
  decay0 = back + above;
  decay1 = out * back / decay0;
  vector00 = above / size;
  vector01 = -coupling / size;
  vector10 = coupling / size;
  vector11 = above / size;
}

/** Parameters and what hangs on them and on covariates alone. */
fn startRow() {
  let row = segments[segmentAt].row;
  let occasion = segments[segmentAt].occasion;
  let v0 = lanes[0u * sizes.lanes + lane];
  let v1 = expOf(v0);
  let v2 = tables[row + 2u];
  let v3 = v1 * v2;
  let v4 = lanes[1u * sizes.lanes + lane];
  let v5 = expOf(v4);
  let v6 = tables[row + 3u];
  let v7 = v5 * v6;
  let v8 = v7 * 2f;
  p1 = v7;
  h0 = 1f / v7;
  absorption = 1.01f;
  splitBody(v3, v7, 6f, v8);
}

/** What stays the same within the segment. */
fn startSegment() {
}

/** Reports the next time, which is t after the segment's start. */
fn report(t: f32) {
  let v0 = amount1At(t);
  let v1 = v0 * h0;
  let v2 = amount3At(t);
  let v3 = amount0At(t);
  answers[valuesAt + (0u * sizes.times + next) * sizes.lanes] = bitcast<u32>(v1);
  answers[valuesAt + (1u * sizes.times + next) * sizes.lanes] = bitcast<u32>(v2);
  answers[valuesAt + (2u * sizes.times + next) * sizes.lanes] = bitcast<u32>(v3);
}

fn throughSegment() {
  for (; next < endReport; next++) {
    report(tables[reportsAt + next]);
  }
}

fn enterSegment() {
  let segment = &segments[segmentAt];
  let t = 0f;
  intoCentral = 0f;
  intoDepot = 0f;

  let w0 = segments[segmentAt].doseTime;
  let w1 = w0 < 24f;
  let w2 = select(1f, 2f, w1);
  let w3 = 0.6f * w2;
  if ((*segment).dose0 != 0f) { addTo0((*segment).dose0 * w3); }
  if ((*segment).rate0 != 0f) { intoDepot += (*segment).rate0 * w3; }
}

fn startLane(timelineAt: u32) {
  let t = 0f;
}

@compute @workgroup_size(64)
fn simulate(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= sizes.lanes * sizes.timelines) { return; }
  lane = id.x % sizes.lanes;
  let plan = id.x / sizes.lanes;
  let timelineAt = sizes.firstTimeline + plan;
  let timeline = timelines[timelineAt];
  reportsAt = timeline.reportsAt;
  valuesAt = plan * 3u * sizes.times * sizes.lanes + lane;
  stopAt = infinite();

  for (var g = 0u; g < timeline.segments; g++) {
    segmentAt = timeline.firstSegment + g;
    begin = segments[segmentAt].start;
    span = segments[segmentAt].span;
    endReport = segments[segmentAt].endReport;

    if (segments[segmentAt].isNewRow != 0u) { startRow(); }
    if (g == 0u) {
      startLane(timelineAt);
      if (!(bodyIsFinite())) { isBroken = true; break; }
      startSegment();
      for (; next < timeline.startReports; next++) { report(0f); }
    }
    enterSegment();
    startSegment();
    if (!(bodyIsFinite())) { isBroken = true; break; }

    if (span > 0f) {
      throughSegment();
      if (isBroken | isOver) { break; }
      advance(span);
      if (!(bodyIsFinite())) { isBroken = true; break; }
    }
  }
  for (; next < sizes.times; next++) {
    for (var r = 0u; r < 3u; r++) {
      answers[valuesAt + (r * sizes.times + next) * sizes.lanes] = 0x7fc00000u;
    }
  }

  answers[sizes.divergedAt + plan * sizes.lanes + lane] = select(0u, 1u, isBroken);
  answers[sizes.evaluationsAt + plan * sizes.lanes + lane] = evaluations;
}
