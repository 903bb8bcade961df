/** Spearman's rank correlation; ties take their mean rank. */
function rankOf(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal - 1) / 2;
  });
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [rankOf(a), rankOf(b)];
  const mean = (a.length - 1) / 2;
  const product = (u: number[], v: number[]) => u.reduce((sum, value, i) => sum + (value - mean) * (v[i]! - mean), 0);
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y));
}

export const ranks = { correlation };
