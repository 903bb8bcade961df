/**
 * The functions of the model language in f32. Built-in ones are used where WGSL promises enough: not `tanh`, which is NaN for large
 * arguments on some drivers, nor `log` and `pow`, which WGSL lets be off by 2⁻²¹ near 1 and leaves open for 0 and negative bases. Needs
 * `logOfNormal` of random.wgsl.ts and the accessors `infinite()` and `notANumber()`.
 */
export const formulaMathsWgsl = /* wgsl */ `
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
`;
