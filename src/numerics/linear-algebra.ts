import { type Numbers } from './estimate.ts';

/** Small dense matrices as arrays of rows. For tens of columns, not thousands. */
export type Matrix = readonly Numbers[];

export function zeros(rows: number, columns: number): number[][] {
  return Array.from({ length: rows }, () => new Array<number>(columns).fill(0));
}

function identity(n: number): number[][] {
  return Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => (i === j ? 1 : 0)));
}

export function dot(a: Numbers, b: Numbers): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

export function multiplyVector(a: Matrix, x: Numbers): number[] {
  return a.map((row) => dot(row, x));
}

/** xᵀ A y for a square A. */
export function quadraticForm(a: Matrix, x: Numbers, y: Numbers = x): number {
  return dot(x, multiplyVector(a, y));
}

/**
 * Lower Cholesky factor of a symmetric matrix (only the lower triangle is read), or `null` when the matrix is not positive
 * definite: a pivot below 1e-12 of its own diagonal counts as zero, which is how a redundant column shows itself.
 */
export function cholesky(a: Matrix): number[][] | null {
  const n = a.length;
  const l = zeros(n, n);
  for (let j = 0; j < n; j++) {
    let pivot = a[j]![j]!;
    for (let k = 0; k < j; k++) pivot -= l[j]![k]! ** 2;
    if (!(pivot > 1e-12 * Math.abs(a[j]![j]!))) return null;
    const root = Math.sqrt(pivot);
    l[j]![j] = root;
    for (let i = j + 1; i < n; i++) {
      let value = a[i]![j]!;
      for (let k = 0; k < j; k++) value -= l[i]![k]! * l[j]![k]!;
      l[i]![j] = value / root;
    }
  }
  return l;
}

/** Solves L x = b for a lower triangular L. */
function solveLower(l: Matrix, b: Numbers): number[] {
  const x = new Array<number>(l.length).fill(0);
  for (let i = 0; i < l.length; i++) {
    let value = b[i]!;
    for (let k = 0; k < i; k++) value -= l[i]![k]! * x[k]!;
    x[i] = value / l[i]![i]!;
  }
  return x;
}

/** Solves (L Lᵀ) x = b for a Cholesky factor L. */
export function solveCholesky(l: Matrix, b: Numbers): number[] {
  const n = l.length;
  const x = solveLower(l, b);
  for (let i = n - 1; i >= 0; i--) {
    let value = x[i]!;
    for (let k = i + 1; k < n; k++) value -= l[k]![i]! * x[k]!;
    x[i] = value / l[i]![i]!;
  }
  return x;
}

/** Inverse of L Lᵀ. */
export function inverseCholesky(l: Matrix): number[][] {
  const n = l.length;
  const columns = identity(n).map((unit) => solveCholesky(l, unit));
  // Symmetric up to rounding; averaging makes it exactly so, and the next Cholesky reads either triangle alike.
  return columns.map((column, i) => column.map((value, j) => (value + columns[j]![i]!) / 2));
}

/** Logarithm of the determinant of L Lᵀ. */
export function logDeterminantCholesky(l: Matrix): number {
  let total = 0;
  for (let i = 0; i < l.length; i++) total += 2 * Math.log(l[i]![i]!);
  return total;
}

/** Solves A x = b for a symmetric positive definite A, or `null` when A is not. */
export function solveSymmetric(a: Matrix, b: Numbers): number[] | null {
  const l = cholesky(a);
  return l && solveCholesky(l, b);
}

/** Inverse of a symmetric positive definite A, or `null` when A is not. */
export function inverseSymmetric(a: Matrix): number[][] | null {
  const l = cholesky(a);
  return l && inverseCholesky(l);
}

/**
 * Eigenvalues, ascending, and eigenvectors (columns, in that order) of a symmetric matrix, by cyclic Jacobi rotations: Golub & Van Loan
 * (2013), section 8.5. Exact to rounding for tens of columns.
 */
export function eigenSymmetric(a: Matrix): { readonly values: number[]; readonly vectors: number[][] } {
  const n = a.length;
  const m = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => (a[i]![j]! + a[j]![i]!) / 2));
  const v = identity(n);
  const size = Math.sqrt(m.reduce((total, row) => total + dot(row, row), 0));
  for (let sweep = 0; sweep < mostSweeps; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += 2 * m[p]![q]! ** 2;
    if (!(Math.sqrt(off) > 1e-15 * size)) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(m, v, p, q);
  }
  const order = m.map((_, i) => i).sort((i, j) => m[i]![i]! - m[j]![j]!);
  return { values: order.map((i) => m[i]![i]!), vectors: v.map((row) => order.map((i) => row[i]!)) };
}

/** Jacobi converges quadratically; ten sweeps suffice for any matrix met in practice. */
const mostSweeps = 30;

/** Turns the plane of p and q so that m[p][q] becomes zero. Mutates both. */
function rotate(m: number[][], v: number[][], p: number, q: number): void {
  const apq = m[p]![q]!;
  if (apq === 0) return;
  const tau = (m[q]![q]! - m[p]![p]!) / (2 * apq);
  const t = (tau >= 0 ? 1 : -1) / (Math.abs(tau) + Math.sqrt(1 + tau * tau));
  const c = 1 / Math.sqrt(1 + t * t);
  const s = t * c;
  const turn = (row: number[]) => {
    const [x, y] = [row[p]!, row[q]!];
    row[p] = c * x - s * y;
    row[q] = s * x + c * y;
  };
  m.forEach(turn);
  v.forEach(turn);
  const [rowP, rowQ] = [m[p]!, m[q]!];
  for (let j = 0; j < m.length; j++) {
    const [x, y] = [rowP[j]!, rowQ[j]!];
    rowP[j] = c * x - s * y;
    rowQ[j] = s * x + c * y;
  }
}
