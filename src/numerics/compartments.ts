import { cascade } from './exponential-cascade.ts';

/** Which of the optional parts there are. Amounts stand in the order depot?, central, peripherals…, effect site?, exposure?. */
export interface CompartmentShape {
  /** 0, 1 or 2. */
  readonly peripherals: number;
  readonly hasDepot: boolean;
  readonly hasEffectSite: boolean;
  readonly hasExposure: boolean;
}

/** Clearance and flows in volume per time, rates per time. */
export interface CompartmentRates {
  readonly clearance: number;
  readonly volume: number;
  readonly flows: readonly number[];
  readonly volumes: readonly number[];
  /** Of the depot; not read without one. */
  readonly absorption: number;
  /** Of the effect site; not read without one. */
  readonly equilibration: number;
}

/** A dose again and again: a bolus (duration 0) or an infusion, into the depot or the central compartment. */
export interface RepeatedDose {
  readonly into: 'depot' | 'central';
  readonly amount: number;
  readonly duration: number;
  readonly interval: number;
}

/**
 * Mammillary compartments with elimination from the central one, in closed form between changes of input: amounts at any time after
 * `begin` are exact to rounding, whether rates coincide or not. The amounts divided by √volume obey a symmetric matrix; its
 * eigenvectors (Jacobi) split the body into independent modes, and what flows through depot, mode, effect site and exposure is a
 * cascade of exponentials. A clearance of 0 is allowed; volumes must be positive, or the amounts are NaN.
 */
export class LinearCompartments {
  readonly size: number;
  readonly #shape: CompartmentShape;
  readonly #modes: number;
  readonly #central: number;
  /** [modes × modes], a column a mode; and its rates. */
  readonly #vectors: Float64Array;
  readonly #decay: Float64Array;
  readonly #rootVolume: Float64Array;
  readonly #matrix: Float64Array;
  #absorption = 0;
  #equilibration = 0;
  /** What `begin` was told. */
  readonly #start: Float64Array;
  readonly #startModes: Float64Array;
  #depotRate = 0;
  #centralRate = 0;

  constructor(shape: CompartmentShape) {
    this.#shape = shape;
    this.#modes = 1 + shape.peripherals;
    this.#central = shape.hasDepot ? 1 : 0;
    this.size = this.#modes + this.#central + Number(shape.hasEffectSite) + Number(shape.hasExposure);
    this.#vectors = new Float64Array(this.#modes ** 2);
    this.#matrix = new Float64Array(this.#modes ** 2);
    this.#decay = new Float64Array(this.#modes);
    this.#rootVolume = new Float64Array(this.#modes);
    this.#start = new Float64Array(this.size);
    this.#startModes = new Float64Array(this.#modes);
  }

  setRates(rates: CompartmentRates): void {
    const n = this.#modes;
    const root = this.#rootVolume;
    const matrix = this.#matrix.fill(0);
    root[0] = Math.sqrt(rates.volume);
    let outflow = rates.clearance;
    for (let p = 1; p < n; p++) {
      const flow = rates.flows[p - 1];
      root[p] = Math.sqrt(rates.volumes[p - 1]);
      outflow += flow;
      matrix[p * n + p] = flow / rates.volumes[p - 1];
      matrix[p] = matrix[p * n] = -flow / (root[0] * root[p]);
    }
    matrix[0] = outflow / rates.volume;
    symmetricEigen(matrix, this.#vectors, this.#decay);
    this.#absorption = rates.absorption;
    this.#equilibration = rates.equilibration;
  }

  /** From here on inputs are constant: `amounts` now, and amount per time into the depot and into the central compartment. */
  begin(amounts: Float64Array, depotRate: number, centralRate: number): void {
    this.#start.set(amounts.length === this.size ? amounts : amounts.subarray(0, this.size));
    this.#depotRate = depotRate;
    this.#centralRate = centralRate;
    this.#toModes(this.#start, this.#startModes);
  }

  /** Amounts `elapsed` after `begin`, written to `out`. */
  at(elapsed: number, out: Float64Array): void {
    const { hasDepot, hasEffectSite, hasExposure } = this.#shape;
    const n = this.#modes;
    const site = this.#central + n;
    const exposure = site + Number(hasEffectSite);
    const absorption = this.#absorption;
    const equilibration = this.#equilibration;
    const depot = hasDepot ? absorption * this.#start[0] : 0;
    const depotRate = absorption * this.#depotRate;
    const centralRate = this.#centralRate;

    if (hasDepot) {
      out[0] = this.#start[0] * Math.exp(-absorption * elapsed);
      if (depotRate !== 0) out[0] += this.#depotRate * cascade(elapsed, 0, absorption);
    }
    out.fill(0, this.#central, site);
    if (hasEffectSite) out[site] = this.#start[site] * Math.exp(-equilibration * elapsed);
    if (hasExposure) out[exposure] = this.#start[exposure];

    for (let j = 0; j < n; j++) {
      const decay = this.#decay[j];
      const start = this.#startModes[j];
      const share = this.#vectors[j] / this.#rootVolume[0];
      let mode = start * Math.exp(-decay * elapsed);
      if (centralRate !== 0) mode += share * centralRate * cascade(elapsed, 0, decay);
      if (depot !== 0) mode += share * depot * cascade(elapsed, absorption, decay);
      if (depotRate !== 0) mode += share * depotRate * cascade(elapsed, 0, absorption, decay);
      for (let i = 0; i < n; i++) out[this.#central + i] += this.#rootVolume[i] * this.#vectors[i * n + j] * mode;
      if (hasEffectSite) {
        let flow = start * cascade(elapsed, decay, equilibration);
        if (centralRate !== 0) flow += share * centralRate * cascade(elapsed, 0, decay, equilibration);
        if (depot !== 0) flow += share * depot * cascade(elapsed, absorption, decay, equilibration);
        if (depotRate !== 0) flow += share * depotRate * cascade(elapsed, 0, absorption, decay, equilibration);
        out[site] += equilibration * share * flow;
      }
      if (hasExposure) {
        let area = start * cascade(elapsed, 0, decay);
        if (centralRate !== 0) area += share * centralRate * cascade(elapsed, 0, 0, decay);
        if (depot !== 0) area += share * depot * cascade(elapsed, 0, absorption, decay);
        if (depotRate !== 0) area += share * depotRate * cascade(elapsed, 0, 0, absorption, decay);
        out[exposure] += share * area;
      }
    }
  }

  /**
   * Amounts just before the next dose when the dose has been repeated for ever, written to `out`; the exposure is 0. Infinite where
   * nothing is eliminated. Depot, then modes, then effect site: each is a geometric series once what feeds it is known. Ends what
   * `begin` began.
   */
  steadyState(dose: RepeatedDose, out: Float64Array): void {
    const { hasDepot, hasEffectSite } = this.#shape;
    const n = this.#modes;
    const { interval } = dose;
    const state = new Float64Array(this.size);
    const end = new Float64Array(this.size);
    if (hasDepot) {
      this.#throughInterval(dose, state, end);
      state[0] = end[0] / -Math.expm1(-this.#absorption * interval);
    }
    this.#throughInterval(dose, state, end);
    const modes = new Float64Array(n);
    this.#toModes(end, modes);
    for (let j = 0; j < n; j++) {
      const mode = modes[j] / -Math.expm1(-this.#decay[j] * interval);
      for (let i = 0; i < n; i++) state[this.#central + i] += this.#rootVolume[i] * this.#vectors[i * n + j] * mode;
    }
    if (hasEffectSite) {
      this.#throughInterval(dose, state, end);
      state[this.#central + n] = end[this.#central + n] / -Math.expm1(-this.#equilibration * interval);
    }
    out.set(state);
  }

  /** One dosing interval from its dose on. An infusion longer than the interval overlaps its predecessors. */
  #throughInterval(dose: RepeatedDose, from: Float64Array, to: Float64Array): void {
    const now = from.slice();
    const isDepot = dose.into === 'depot';
    if (dose.duration === 0) now[isDepot ? 0 : this.#central] += dose.amount;
    const rate = dose.duration === 0 ? 0 : dose.amount / dose.duration;
    const whole = Math.floor(dose.duration / dose.interval);
    const rest = dose.duration - whole * dose.interval;
    const run = (amount: number, length: number): void => {
      this.begin(now, isDepot ? amount : 0, isDepot ? 0 : amount);
      this.at(length, to);
      now.set(to);
    };
    if (rest > 0) run((whole + 1) * rate, rest);
    run(whole * rate, dose.interval - rest);
  }

  #toModes(amounts: Float64Array, modes: Float64Array): void {
    const n = this.#modes;
    modes.fill(0);
    for (let i = 0; i < n; i++) {
      const scaled = amounts[this.#central + i] / this.#rootVolume[i];
      for (let j = 0; j < n; j++) modes[j] += this.#vectors[i * n + j] * scaled;
    }
  }
}

/** Eigenvectors (columns) and eigenvalues of a small symmetric matrix by cyclic Jacobi rotations. Overwrites `matrix`. */
function symmetricEigen(matrix: Float64Array, vectors: Float64Array, values: Float64Array): void {
  const n = values.length;
  vectors.fill(0);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  // Convergence is quadratic: four or five sweeps empty a 3 × 3 matrix; more would only turn zeros.
  for (let sweep = 0; sweep < 12; sweep++) {
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) rotate(matrix, vectors, n, p, q);
    }
  }
  for (let i = 0; i < n; i++) values[i] = matrix[i * n + i];
}

function rotate(matrix: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const off = matrix[p * n + q];
  if (off === 0) return;
  const theta = (matrix[q * n + q] - matrix[p * n + p]) / (2 * off);
  const tangent = Math.sign(theta || 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const cosine = 1 / Math.hypot(tangent, 1);
  const sine = tangent * cosine;
  matrix[p * n + p] -= tangent * off;
  matrix[q * n + q] += tangent * off;
  matrix[p * n + q] = matrix[q * n + p] = 0;
  for (let i = 0; i < n; i++) {
    if (i !== p && i !== q) {
      const a = matrix[i * n + p];
      const b = matrix[i * n + q];
      matrix[i * n + p] = matrix[p * n + i] = cosine * a - sine * b;
      matrix[i * n + q] = matrix[q * n + i] = sine * a + cosine * b;
    }
    const v = vectors[i * n + p];
    const w = vectors[i * n + q];
    vectors[i * n + p] = cosine * v - sine * w;
    vectors[i * n + q] = sine * v + cosine * w;
  }
}
