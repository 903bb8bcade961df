// The fused rollout: eight trajectories at a time, one to a lane (two vectors of four f32), all steps in one call. A number of
// eight lanes takes 32 bytes, and state lies as [unit][lane]. The step is written in packs/network.ts, the order of weights in
// engine/layout.ts with one hidden unit and one row to a tile.
import { clamp, exp, log, meanDecay, sigmoid, splat, tanh } from './math';
import { drawNormals, drawWords, EVENT, LANES, normals, OBSERVATION, PROCESS, setSeed, uniform, words } from './noise';

export { drawNormals, drawWords, normals, setSeed, words };

let S: i32 = 0;
let D: i32 = 0;
let H: i32 = 0;
let K: i32 = 0;
// [D], [H], [H], [4H], [S], [S], [K], [K] numbers of eight lanes.
let x: usize = 0;
let h: usize = 0;
let nextH: usize = 0;
let gates: usize = 0;
let mean: usize = 0;
let scale: usize = 0;
let logHazard: usize = 0;
let incidence: usize = 0;
// The clamps of packs/network.ts.
let logScaleLow: f32 = 0;
let logScaleHigh: f32 = 0;
let logHazardLow: f32 = 0;
let logHazardHigh: f32 = 0;
let divergenceLimit: f32 = 0;
// Where the drift's and the hazard's summands stand in a row of drive, and bytes from one row to the next.
let driftAt: usize = 0;
let hazardAt: usize = 0;
let driveBytes: usize = 0;
// One member's blocks.
let gateWeights: usize = 0;
let resetBias: usize = 0;
let stateWeights: usize = 0;
let hazardWeights: usize = 0;
let noiseParts: usize = 0;
let heads: usize = 0;

/** First byte that is free for the caller. */
export function heapBase(): usize {
  return __heap_base;
}

export function setLimits(scaleLow: f32, scaleHigh: f32, hazardLow: f32, hazardHigh: f32, divergence: f32): void {
  logScaleLow = scaleLow;
  logScaleHigh = scaleHigh;
  logHazardLow = hazardLow;
  logHazardHigh = hazardHigh;
  divergenceLimit = divergence;
}

/** Sizes; `working` is room for D + 6H + 2S + 2K numbers of eight lanes. Offsets and widths in bytes. */
export function setModel(s: i32, d: i32, units: i32, causes: i32, working: usize, drift: usize, hazard: usize, row: usize): void {
  S = s;
  D = d;
  H = units;
  K = causes;
  x = working;
  h = x + <usize>D * LANES;
  nextH = h + <usize>H * LANES;
  gates = nextH + <usize>H * LANES;
  mean = gates + <usize>H * 4 * LANES;
  scale = mean + <usize>S * LANES;
  logHazard = scale + <usize>S * LANES;
  incidence = logHazard + <usize>K * LANES;
  driftAt = drift;
  hazardAt = hazard;
  driveBytes = row;
}

export function setMember(gateBlock: usize, reset: usize, states: usize, hazards: usize, noise: usize, headTable: usize): void {
  gateWeights = gateBlock;
  resetBias = reset;
  stateWeights = states;
  hazardWeights = hazards;
  noiseParts = noise;
  heads = headTable;
}

/** h' from x and h; afterwards `h` is h' and `nextH` the old memory. */
function core(drive: usize): void {
  sumGates(drive);
  openGates();
  remember();
  const old = h;
  h = nextH;
  nextH = old;
}

/** What goes into the gates of each unit, to `gates`: r, u, the input's part of n, the memory's part of n. */
function sumGates(drive: usize): void {
  let w = gateWeights;
  for (let unit: usize = 0; unit < <usize>H; unit++) {
    let r0 = v128.load32_splat(drive + unit * 12);
    let u0 = v128.load32_splat(drive + unit * 12, 4);
    let n0 = v128.load32_splat(drive + unit * 12, 8);
    let m0 = v128.load32_splat(resetBias + unit * 4);
    let r1 = r0;
    let u1 = u0;
    let n1 = n0;
    let m1 = m0;
    for (let at = x, end = x + <usize>D * LANES; at < end; at += LANES, w += 12) {
      const a = v128.load(at);
      const b = v128.load(at, 16);
      const wr = v128.load32_splat(w);
      const wu = v128.load32_splat(w, 4);
      const wn = v128.load32_splat(w, 8);
      r0 = f32x4.add(r0, f32x4.mul(wr, a));
      r1 = f32x4.add(r1, f32x4.mul(wr, b));
      u0 = f32x4.add(u0, f32x4.mul(wu, a));
      u1 = f32x4.add(u1, f32x4.mul(wu, b));
      n0 = f32x4.add(n0, f32x4.mul(wn, a));
      n1 = f32x4.add(n1, f32x4.mul(wn, b));
    }
    for (let at = h, end = h + <usize>H * LANES; at < end; at += LANES, w += 12) {
      const a = v128.load(at);
      const b = v128.load(at, 16);
      const wr = v128.load32_splat(w);
      const wu = v128.load32_splat(w, 4);
      const wn = v128.load32_splat(w, 8);
      r0 = f32x4.add(r0, f32x4.mul(wr, a));
      r1 = f32x4.add(r1, f32x4.mul(wr, b));
      u0 = f32x4.add(u0, f32x4.mul(wu, a));
      u1 = f32x4.add(u1, f32x4.mul(wu, b));
      m0 = f32x4.add(m0, f32x4.mul(wn, a));
      m1 = f32x4.add(m1, f32x4.mul(wn, b));
    }
    const to = gates + unit * 4 * LANES;
    v128.store(to, r0);
    v128.store(to, r1, 16);
    v128.store(to, u0, 32);
    v128.store(to, u1, 48);
    v128.store(to, n0, 64);
    v128.store(to, n1, 80);
    v128.store(to, m0, 96);
    v128.store(to, m1, 112);
  }
}

// The sigmoids, which wait for nothing, stand apart from the tanh, which waits for one: side by side in one loop the long chain
// from r to h' keeps the processor waiting (measured: 10 % of the whole rollout).
function openGates(): void {
  for (let at = gates, end = gates + <usize>H * 4 * LANES; at < end; at += 4 * LANES) {
    v128.store(at, sigmoid(v128.load(at)));
    v128.store(at, sigmoid(v128.load(at, 16)), 16);
    v128.store(at, sigmoid(v128.load(at, 32)), 32);
    v128.store(at, sigmoid(v128.load(at, 48)), 48);
  }
}

function remember(): void {
  for (let unit: usize = 0; unit < <usize>H; unit++) {
    const from = gates + unit * 4 * LANES;
    const at = unit * LANES;
    for (let half: usize = 0; half < LANES; half += 16) {
      const r = v128.load(from + half);
      const u = v128.load(from + half, 32);
      const fresh = tanh(f32x4.add(v128.load(from + half, 64), f32x4.mul(r, v128.load(from + half, 96))));
      v128.store(nextH + at + half, f32x4.add(fresh, f32x4.mul(u, f32x4.sub(v128.load(h + at + half), fresh))));
    }
  }
}

/** log λ of each cause from x and h'. `effect` is a draw of each lane, `errors` what it adds to each cause. */
function hazards(drive: usize, effect0: v128, effect1: v128, errors: usize): void {
  let w = hazardWeights;
  for (let k: usize = 0; k < <usize>K; k++) {
    const error = v128.load32_splat(errors + k * 4);
    const bias = v128.load32_splat(drive + hazardAt + k * 4);
    let sum0 = f32x4.add(bias, f32x4.mul(error, effect0));
    let sum1 = f32x4.add(bias, f32x4.mul(error, effect1));
    for (let at = x, end = x + <usize>D * LANES; at < end; at += LANES, w += 4) {
      const weight = v128.load32_splat(w);
      sum0 = f32x4.add(sum0, f32x4.mul(weight, v128.load(at)));
      sum1 = f32x4.add(sum1, f32x4.mul(weight, v128.load(at, 16)));
    }
    for (let at = h, end = h + <usize>H * LANES; at < end; at += LANES, w += 4) {
      const weight = v128.load32_splat(w);
      sum0 = f32x4.add(sum0, f32x4.mul(weight, v128.load(at)));
      sum1 = f32x4.add(sum1, f32x4.mul(weight, v128.load(at, 16)));
    }
    v128.store(logHazard + k * LANES, clamp(sum0, logHazardLow, logHazardHigh));
    v128.store(logHazard + k * LANES, clamp(sum1, logHazardLow, logHazardHigh), 16);
  }
}

/** Mean and scale of s' from x and h'. */
function moments(drive: usize): void {
  let w = stateWeights;
  for (let i: usize = 0; i < <usize>S; i++) {
    const drift = v128.load32_splat(drive + driftAt + i * 4);
    let mean0 = f32x4.add(v128.load(x + i * LANES), drift);
    let mean1 = f32x4.add(v128.load(x + i * LANES, 16), drift);
    let scale0 = v128.load32_splat(noiseParts + i * 16);
    let scale1 = scale0;
    for (let at = x, end = x + <usize>D * LANES; at < end; at += LANES, w += 4) {
      const weight = v128.load32_splat(w);
      mean0 = f32x4.add(mean0, f32x4.mul(weight, v128.load(at)));
      mean1 = f32x4.add(mean1, f32x4.mul(weight, v128.load(at, 16)));
    }
    for (let at = h, end = h + <usize>H * LANES; at < end; at += LANES, w += 8) {
      const a = v128.load(at);
      const b = v128.load(at, 16);
      const driftWeight = v128.load32_splat(w);
      const scaleWeight = v128.load32_splat(w, 4);
      mean0 = f32x4.add(mean0, f32x4.mul(driftWeight, a));
      mean1 = f32x4.add(mean1, f32x4.mul(driftWeight, b));
      scale0 = f32x4.add(scale0, f32x4.mul(scaleWeight, a));
      scale1 = f32x4.add(scale1, f32x4.mul(scaleWeight, b));
    }
    v128.store(mean + i * LANES, mean0);
    v128.store(mean + i * LANES, mean1, 16);
    v128.store(scale + i * LANES, exp(clamp(scale0, logScaleLow, logScaleHigh)));
    v128.store(scale + i * LANES, exp(clamp(scale1, logScaleLow, logScaleHigh)), 16);
  }
}

/** Copies `rows` numbers of each lane from [lane][row] with `stride` numbers a lane; lanes past the last repeat it. */
function gather(from: usize, stride: i32, lanes: i32, to: usize, rows: i32): void {
  for (let lane: i32 = 0; lane < 8; lane++) {
    const source = from + ((<usize>min(lane, lanes - 1) * stride) << 2);
    for (let row: i32 = 0; row < rows; row++) {
      store<f32>(to + <usize>row * LANES + (<usize>lane << 2), load<f32>(source + (<usize>row << 2)));
    }
  }
}

/** The way back, for the lanes that are particles. */
function scatter(from: usize, rows: i32, lanes: i32, to: usize): void {
  for (let lane: i32 = 0; lane < lanes; lane++) {
    const target = to + ((<usize>lane * rows) << 2);
    for (let row: i32 = 0; row < rows; row++) {
      store<f32>(target + (<usize>row << 2), load<f32>(from + <usize>row * LANES + (<usize>lane << 2)));
    }
  }
}

/** One step of `n` particles without noise; every array as in `StepBuffers`, `noErrors` K zeros. */
export function advance(
  n: i32, drive: usize, noErrors: usize, states: usize, memories: usize, means: usize, scales: usize, logHazards: usize,
): void {
  const zero = splat(0);
  for (let first: i32 = 0; first < n; first += 8) {
    const lanes = min(8, n - first);
    gather(states + ((<usize>first * D) << 2), D, lanes, x, D);
    gather(memories + ((<usize>first * H) << 2), H, lanes, h, H);
    core(drive);
    hazards(drive, zero, zero, noErrors);
    moments(drive);
    scatter(h, H, lanes, memories + ((<usize>first * H) << 2));
    scatter(mean, S, lanes, means + ((<usize>first * S) << 2));
    scatter(scale, S, lanes, scales + ((<usize>first * S) << 2));
    scatter(logHazard, K, lanes, logHazards + ((<usize>first * K) << 2));
  }
}

/**
 * Follows `count` futures of one member, the first of which is number `firstRollout`. `starts` [count × (D + H)]; `effects`
 * [count rounded up to 8] one draw each; `drive` a row a step; `effectErrors` [steps × K]. Writes the columns of `summary.ts`, each
 * `stride` numbers long, a multiple of 8.
 */
export function rollOut(
  firstRollout: i32, count: i32, steps: i32, starts: usize, effects: usize, drive: usize, effectErrors: usize,
  stride: usize, values: usize, incidences: usize, eventSteps: usize, eventFree: usize,
): void {
  const columnBytes = stride << 2;
  for (let first: i32 = 0; first < count; first += 8) {
    const lanes = min(8, count - first);
    const start = starts + ((<usize>first * (D + H)) << 2);
    gather(start, D + H, lanes, x, D);
    gather(start + (<usize>D << 2), D + H, lanes, h, H);
    const at = <usize>first << 2;
    rollOutTile(
      firstRollout + first, steps, effects + at, drive, effectErrors,
      columnBytes, values + at, incidences + at, eventSteps + at, eventFree + at,
    );
  }
}

function rollOutTile(
  rollout: i32, steps: i32, effects: usize, drive: usize, effectErrors: usize,
  columnBytes: usize, values: usize, incidences: usize, eventSteps: usize, eventFree: usize,
): void {
  const effect0 = v128.load(effects);
  const effect1 = v128.load(effects, 16);
  let survival0 = splat(1);
  let survival1 = splat(1);
  let free0 = splat(0);
  let free1 = splat(0);
  let event0 = i32x4.splat(steps);
  let event1 = i32x4.splat(steps);
  let diverged0 = i32x4.splat(0);
  let diverged1 = i32x4.splat(0);
  memory.fill(incidence, 0, <usize>K * LANES);

  for (let step: i32 = 0; step < steps; step++) {
    measure(rollout, step, values, columnBytes);
    values += <usize>S * columnBytes;
    incidences = writeIncidence(incidences, columnBytes);

    core(drive);
    hazards(drive, effect0, effect1, effectErrors);
    moments(drive);
    drive += driveBytes;
    effectErrors += <usize>K << 2;

    drawWords(rollout, step, 0, EVENT);
    const total0 = totalHazard(0);
    const total1 = totalHazard(16);
    const decay0 = f32x4.mul(survival0, meanDecay(total0));
    const decay1 = f32x4.mul(survival1, meanDecay(total1));
    addIncidence(decay0, decay1);
    free0 = f32x4.add(free0, decay0);
    free1 = f32x4.add(free1, decay1);
    survival0 = f32x4.sub(survival0, f32x4.mul(decay0, total0));
    survival1 = f32x4.sub(survival1, f32x4.mul(decay1, total1));
    event0 = firstEvent(event0, steps, step, total0, v128.load(words));
    event1 = firstEvent(event1, steps, step, total1, v128.load(words, 16));

    const left = addNoise(rollout, step);
    // Where a course drifts to after its event is nobody's state.
    diverged0 = v128.or(diverged0, v128.and(v128.load(left), i32x4.eq(event0, i32x4.splat(steps))));
    diverged1 = v128.or(diverged1, v128.and(v128.load(left, 16), i32x4.eq(event1, i32x4.splat(steps))));
  }
  measure(rollout, steps, values, columnBytes);
  writeIncidence(incidences, columnBytes);
  // True is −1, which is what stands for a diverged rollout.
  v128.store(eventSteps, v128.or(event0, diverged0));
  v128.store(eventSteps, v128.or(event1, diverged1), 16);
  v128.store(eventFree, free0);
  v128.store(eventFree, free1, 16);
}

function totalHazard(half: usize): v128 {
  let total = splat(0);
  for (let k: usize = 0; k < <usize>K; k++) total = f32x4.add(total, exp(v128.load(logHazard + k * LANES + half)));
  return total;
}

/** What each cause takes during the step: its hazard times the time alive. */
function addIncidence(decay0: v128, decay1: v128): void {
  for (let at = incidence, rate = logHazard, end = incidence + <usize>K * LANES; at < end; at += LANES, rate += LANES) {
    v128.store(at, f32x4.add(v128.load(at), f32x4.mul(decay0, exp(v128.load(rate)))));
    v128.store(at, f32x4.add(v128.load(at, 16), f32x4.mul(decay1, exp(v128.load(rate, 16)))), 16);
  }
}

// @ts-ignore: decorator
@inline
function firstEvent(event: v128, none: i32, step: i32, total: v128, word: v128): v128 {
  const happens = f32x4.lt(f32x4.neg(log(uniform(word))), total);
  return v128.bitselect(i32x4.splat(step), event, v128.and(happens, i32x4.eq(event, i32x4.splat(none))));
}

function writeIncidence(to: usize, columnBytes: usize): usize {
  for (let k: usize = 0; k < <usize>K; k++, to += columnBytes) {
    v128.store(to, v128.load(incidence + k * LANES));
    v128.store(to, v128.load(incidence + k * LANES, 16), 16);
  }
  return to;
}

const leftNetwork: usize = memory.data(32, 16);

/** s' from its mean and scale. Gives the address of a mask of the lanes that are no longer a patient's state. */
function addNoise(rollout: i32, step: i32): usize {
  let left0 = i32x4.splat(0);
  let left1 = i32x4.splat(0);
  for (let i: i32 = 0; i < S; i++) {
    const part = <usize>(i & 3) * LANES;
    if ((i & 3) == 0) drawWords(rollout, step, i >> 2, PROCESS);
    if ((i & 1) == 0) drawNormals((i & 3) >> 1);
    const parts = noiseParts + ((<usize>i) << 4);
    const tailCount = v128.load32_splat(parts, 4);
    const tailScale = v128.load32_splat(parts, 8);
    const at = <usize>i * LANES;
    const s0 = disturbed(at, part, tailCount, tailScale);
    const s1 = disturbed(at + 16, part + 16, tailCount, tailScale);
    v128.store(x + at, insideLimit(s0));
    v128.store(x + at, insideLimit(s1), 16);
    left0 = v128.or(left0, v128.not(f32x4.le(f32x4.abs(s0), splat(divergenceLimit))));
    left1 = v128.or(left1, v128.not(f32x4.le(f32x4.abs(s1), splat(divergenceLimit))));
  }
  v128.store(leftNetwork, left0);
  v128.store(leftNetwork, left1, 16);
  return leftNetwork;
}

// @ts-ignore: decorator
@inline
function insideLimit(s: v128): v128 {
  // pmin and pmax give their first argument for NaN, so that it is not mistaken for a bound.
  return f32x4.pmax(f32x4.pmin(s, splat(divergenceLimit)), splat(-divergenceLimit));
}

/** A normal of the given scale, wider by tailScale when the word's low 8 bits are below tailCount. */
// @ts-ignore: decorator
@inline
function disturbed(at: usize, part: usize, tailCount: v128, tailScale: v128): v128 {
  const low = f32x4.convert_i32x4_s(v128.and(v128.load(words + part), i32x4.splat(255)));
  const widen = v128.bitselect(tailScale, splat(1), f32x4.lt(low, tailCount));
  const noise = f32x4.mul(v128.load(normals + part), widen);
  return f32x4.add(v128.load(mean + at), f32x4.mul(v128.load(scale + at), noise));
}

/** Writes what a measurement of each head would show. */
function measure(rollout: i32, step: i32, to: usize, columnBytes: usize): void {
  for (let i: i32 = 0; i < S; i++, to += columnBytes) {
    const part = <usize>(i & 3) * LANES;
    if ((i & 3) == 0) drawWords(rollout, step, i >> 2, OBSERVATION);
    if ((i & 1) == 0) drawNormals((i & 3) >> 1);
    const head = heads + ((<usize>i) << 4);
    const at = <usize>i * LANES;
    if (load<f32>(head) == 0) {
      const error = v128.load32_splat(noiseParts + ((<usize>i) << 4), 12);
      v128.store(to, f32x4.add(v128.load(x + at), f32x4.mul(error, v128.load(normals + part))));
      v128.store(to, f32x4.add(v128.load(x + at, 16), f32x4.mul(error, v128.load(normals + part, 16))), 16);
    } else {
      v128.store(to, shownLevel(head, v128.load(x + at), v128.load(words + part)));
      v128.store(to, shownLevel(head, v128.load(x + at, 16), v128.load(words + part, 16)), 16);
    }
  }
}

/** The number of cut points below s + Logistic(0, 1). */
function shownLevel(head: usize, s: v128, word: v128): v128 {
  const u = uniform(word);
  const shown = f32x4.add(s, log(f32x4.div(u, f32x4.sub(splat(1), u))));
  let passed = i32x4.splat(0);
  for (let cut: usize = 4; cut < 16; cut += 4) passed = i32x4.sub(passed, f32x4.gt(shown, v128.load32_splat(head + cut)));
  return f32x4.convert_i32x4_s(passed);
}
