// Elementary functions of four f32 numbers at once, from the single-precision Cephes library (S. L. Moshier), each within about
// 1e-7 of the true value. NaN goes in and comes out, so that a broken state is seen as diverged: pmin and pmax give their first
// argument when it is NaN.

const LOG2_E: f32 = 1.44269504;
// ln 2 in two parts, the first exact in few bits, so that n · ln 2 loses nothing.
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440e-4;
// 1.5 · 2²³: adding it rounds to a whole number and leaves that number in the low bits.
const ROUNDER: f32 = 12582912;
const SQRT_HALF: f32 = 0.70710678;

// @ts-ignore: decorator
@inline
export function splat(value: f32): v128 {
  return f32x4.splat(value);
}

// @ts-ignore: decorator
@inline
function timesPlus(a: v128, b: v128, c: f32): v128 {
  return f32x4.add(f32x4.mul(a, b), f32x4.splat(c));
}

// @ts-ignore: decorator
@inline
export function clamp(a: v128, low: f32, high: f32): v128 {
  return f32x4.pmax(f32x4.pmin(a, f32x4.splat(high)), f32x4.splat(low));
}

/** e to the a, a held inside ±87 where f32 has room for the result. */
// @ts-ignore: decorator
@inline
export function exp(a: v128): v128 {
  const x = clamp(a, -87, 87);
  const shifted = f32x4.add(f32x4.mul(x, splat(LOG2_E)), splat(ROUNDER));
  const n = f32x4.sub(shifted, splat(ROUNDER));
  const r = f32x4.sub(f32x4.sub(x, f32x4.mul(n, splat(LN2_HIGH))), f32x4.mul(n, splat(LN2_LOW)));
  let p = timesPlus(r, splat(1.9875691500e-4), 1.3981999507e-3);
  p = timesPlus(p, r, 8.3334519073e-3);
  p = timesPlus(p, r, 4.1665795894e-2);
  p = timesPlus(p, r, 1.6666665459e-1);
  p = timesPlus(p, r, 5.0000001201e-1);
  p = f32x4.add(timesPlus(p, f32x4.mul(r, r), 1), r);
  const power = i32x4.add(i32x4.shl(shifted, 23), i32x4.splat(0x3f800000));
  return f32x4.mul(p, power);
}

// @ts-ignore: decorator
@inline
export function sigmoid(a: v128): v128 {
  return f32x4.div(splat(1), f32x4.add(splat(1), exp(f32x4.neg(a))));
}

// @ts-ignore: decorator
@inline
export function tanh(a: v128): v128 {
  return f32x4.sub(splat(1), f32x4.div(splat(2), f32x4.add(splat(1), exp(f32x4.add(a, a)))));
}

/** (1 − e^−a) / a for a ≥ 0: the mean of e^−t over 0…a. By its series below 1/4, where the difference would cancel. */
// @ts-ignore: decorator
@inline
export function meanDecay(a: v128): v128 {
  let series = timesPlus(a, splat(-1.3888889e-3), 8.3333333e-3);
  series = timesPlus(series, a, -4.1666667e-2);
  series = timesPlus(series, a, 1.6666667e-1);
  series = timesPlus(series, a, -0.5);
  series = timesPlus(series, a, 1);
  const direct = f32x4.div(f32x4.sub(splat(1), exp(f32x4.neg(a))), a);
  return v128.bitselect(series, direct, f32x4.lt(a, splat(0.25)));
}

/** Natural logarithm of positive, normal numbers. */
// @ts-ignore: decorator
@inline
export function log(a: v128): v128 {
  const fraction = v128.or(v128.and(a, i32x4.splat(0x007fffff)), i32x4.splat(0x3f000000));
  const isLow = f32x4.lt(fraction, splat(SQRT_HALF));
  // True is −1 as an integer, so adding the mask lowers the exponent of a doubled fraction.
  const exponent = f32x4.convert_i32x4_s(i32x4.add(i32x4.sub(i32x4.shr_u(a, 23), i32x4.splat(126)), isLow));
  const m = f32x4.sub(f32x4.add(fraction, v128.and(fraction, isLow)), splat(1));
  let p = timesPlus(m, splat(7.0376836292e-2), -1.1514610310e-1);
  p = timesPlus(p, m, 1.1676998740e-1);
  p = timesPlus(p, m, -1.2420140846e-1);
  p = timesPlus(p, m, 1.4249322787e-1);
  p = timesPlus(p, m, -1.6668057665e-1);
  p = timesPlus(p, m, 2.0000714765e-1);
  p = timesPlus(p, m, -2.4999993993e-1);
  p = timesPlus(p, m, 3.3333331174e-1);
  const square = f32x4.mul(m, m);
  let tail = f32x4.mul(f32x4.mul(p, m), square);
  tail = f32x4.add(tail, f32x4.mul(exponent, splat(LN2_LOW)));
  tail = f32x4.sub(tail, f32x4.mul(square, splat(0.5)));
  return f32x4.add(f32x4.add(m, tail), f32x4.mul(exponent, splat(LN2_HIGH)));
}

/** Sine of an angle inside ±π/4. */
// @ts-ignore: decorator
@inline
export function sineNearZero(angle: v128): v128 {
  const square = f32x4.mul(angle, angle);
  let p = timesPlus(square, splat(-1.9515295891e-4), 8.3321608736e-3);
  p = timesPlus(p, square, -1.6666654611e-1);
  return f32x4.add(f32x4.mul(f32x4.mul(p, square), angle), angle);
}

/** Cosine of an angle inside ±π/4. */
// @ts-ignore: decorator
@inline
export function cosineNearZero(angle: v128): v128 {
  const square = f32x4.mul(angle, angle);
  let p = timesPlus(square, splat(2.443315711809948e-5), -1.388731625493765e-3);
  p = timesPlus(p, square, 4.166664568298827e-2);
  p = timesPlus(p, square, -0.5);
  return timesPlus(p, square, 1);
}
