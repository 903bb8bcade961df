import { streams } from '#numerics/random.ts';

const logarithm = /* wgsl */ `/** Natural logarithm of positive, normal numbers. */
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
}`;

/**
 * The generator of `numerics/random.ts` for four rollouts at once, one to a lane: the words are the same bits. Logarithm, sine and
 * cosine are polynomials (Cephes single precision, about 1e-7), because the built-in ones may be off by 2^-11 and differ between
 * makers.
 */
export const randomWgsl = /* wgsl */ `
const processStream = ${streams.process}u;
const eventStream = ${streams.event}u;
const observationStream = ${streams.observation}u;

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

${logarithm}

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
`;

/** The same functions for one rollout at a time, and `logOfNormal` for `logOf`. */
export const scalarRandomWgsl = scalar(randomWgsl);
export const scalarLogarithmWgsl = scalar(logarithm);

function scalar(wgsl: string): string {
  return wgsl.replaceAll('vec4u', 'u32').replaceAll('vec4f', 'f32').replaceAll('vec4i', 'i32').replaceAll('logOf', 'logOfNormal');
}
