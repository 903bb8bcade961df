/**
 * Upper tail of the standard normal, P(Z > z) for z ≥ 0 given exp(−z²/2), to about 1e-14: Hart's rational approximation in the form of West,
 * "Better approximations to cumulative normal functions", Wilmott (2005). `normalCdf` of numerics is a general incomplete gamma
 * function and ten times slower; a fit asks for two million of these.
 */
export function normalTail(z: number, kernel: number): number {
  if (z >= 7.07106781186547) {
    const fraction = z + 1 / (z + 2 / (z + 3 / (z + 4 / (z + 0.65))));
    return kernel / (fraction * 2.506628274631);
  }
  let above = 3.52624965998911e-2 * z + 0.700383064443688;
  above = above * z + 6.37396220353165;
  above = above * z + 33.912866078383;
  above = above * z + 112.079291497871;
  above = above * z + 221.213596169931;
  above = above * z + 220.206867912376;
  let below = 8.83883476483184e-2 * z + 1.75566716318264;
  below = below * z + 16.064177579207;
  below = below * z + 86.7807322029461;
  below = below * z + 296.564248779674;
  below = below * z + 637.333633378831;
  below = below * z + 793.826512519948;
  below = below * z + 440.413735824752;
  return (kernel * above) / below;
}
