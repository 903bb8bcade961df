import type { CompiledCompartments } from '#packs/equations/program.ts';
import { CascadeWriter } from './cascade.ts';
import type { Columns, MemoryPlan, Scratch } from './memory-plan.ts';
import type { VectorMath } from './vector-math.ts';
import type { VectorType } from './vectors.ts';
import { control, sequence, v128, type Code, type FunctionScope, type Local, type ModuleWriter } from './wasm-bytes.ts';

/** Volumes, rates and flows of the lanes in hand, as code that runs once each. */
export interface CompartmentRates {
  readonly clearance: Code;
  readonly volume: Code;
  readonly flows: readonly Code[];
  readonly volumes: readonly Code[];
  readonly absorption: Code | null;
  readonly equilibration: Code | null;
}

/**
 * The closed form of numerics/compartments.ts for all lanes: the amounts over √volume obey a symmetric matrix, Jacobi rotations split
 * it into modes, and what flows through depot, mode, effect site and exposure is a cascade of exponentials.
 */
export class CompartmentWriter {
  /** At the start of what `begin` was told of. */
  readonly start: Columns;
  /** Written by `at`. */
  readonly now: Scratch;
  readonly size: number;
  readonly depot: number | null;
  readonly central: number;
  readonly #v: VectorType;
  readonly #math: VectorMath;
  readonly #cascade: CascadeWriter;
  readonly #modes: number;
  readonly #site: number | null;
  readonly #exposure: number | null;
  readonly #vectors: Columns;
  readonly #decay: Columns;
  readonly #rootVolume: Columns;
  readonly #absorption: Columns;
  readonly #equilibration: Columns;
  readonly #startModes: Columns;
  readonly #depotRate: Columns;
  readonly #centralRate: Columns;

  constructor(module: ModuleWriter, v: VectorType, math: VectorMath, memory: MemoryPlan, compiled: CompiledCompartments) {
    this.#v = v;
    this.#math = math;
    this.#cascade = new CascadeWriter(module, v, math);
    this.#modes = 1 + compiled.peripherals.length;
    this.depot = compiled.absorptionRate ? 0 : null;
    this.central = compiled.absorptionRate ? 1 : 0;
    this.size = compiled.symbols.length;
    const afterModes = this.central + this.#modes;
    this.#site = compiled.effectSiteRate ? afterModes : null;
    this.#exposure = compiled.hasExposure ? this.size - 1 : null;
    this.start = memory.columns(this.size);
    this.now = memory.scratch(this.size);
    this.#vectors = memory.columns(this.#modes ** 2);
    this.#decay = memory.columns(this.#modes);
    this.#rootVolume = memory.columns(this.#modes);
    this.#absorption = memory.columns(1);
    this.#equilibration = memory.columns(1);
    this.#startModes = memory.columns(this.#modes);
    this.#depotRate = memory.columns(1);
    this.#centralRate = memory.columns(1);
  }

  #number(value: number): Code {
    return this.#math.number(this.#v, value);
  }

  /** Splits the body of these lanes into its modes. */
  setRates(scope: FunctionScope, lane: Local, rates: CompartmentRates): Code {
    const v = this.#v;
    const n = this.#modes;
    const local = () => scope.local('v128');
    const matrix = Array.from({ length: n * n }, local);
    const vectors = Array.from({ length: n * n }, local);
    const root = Array.from({ length: n }, local);
    const [volume, outflow, flow] = [local(), local(), local()];
    const steps: Code[] = [
      outflow.set(rates.clearance),
      volume.set(rates.volume),
      root[0].set(v.sqrt(volume.get)),
      ...vectors.map((vector, at) => vector.set(this.#number(at % (n + 1) === 0 ? 1 : 0))),
      ...matrix.map((entry) => entry.set(this.#number(0))),
    ];
    for (let p = 1; p < n; p++) {
      const own = local();
      steps.push(
        flow.set(rates.flows[p - 1]),
        own.set(rates.volumes[p - 1]),
        root[p].set(v.sqrt(own.get)),
        outflow.set(v.add(outflow.get, flow.get)),
        matrix[p * n + p].set(v.div(flow.get, own.get)),
        matrix[p].set(v.neg(v.div(flow.get, v.mul(root[0].get, root[p].get)))),
        matrix[p * n].set(matrix[p].get),
      );
    }
    steps.push(matrix[0].set(v.div(outflow.get, volume.get)));
    // One rotation empties a 2 × 2 matrix; five sweeps a 3 × 3 one.
    const sweeps = n === 3 ? 5 : 1;
    for (let sweep = 0; sweep < sweeps; sweep++) {
      for (let p = 0; p < n - 1; p++) for (let q = p + 1; q < n; q++) steps.push(this.#rotate(scope, matrix, vectors, p, q));
    }
    return sequence(
      ...steps,
      ...vectors.map((vector, at) => this.#vectors.set(lane, at, vector.get)),
      ...root.map((own, i) => this.#rootVolume.set(lane, i, own.get)),
      ...root.map((_, i) => this.#decay.set(lane, i, matrix[i * n + i].get)),
      rates.absorption === null ? [] : this.#absorption.set(lane, 0, rates.absorption),
      rates.equilibration === null ? [] : this.#equilibration.set(lane, 0, rates.equilibration),
    );
  }

  /** Turns rows and columns p and q so that the entry between them is 0. Where it is 0 already, tangent and sine are 0. */
  #rotate(scope: FunctionScope, matrix: readonly Local[], vectors: readonly Local[], p: number, q: number): Code {
    const v = this.#v;
    const n = this.#modes;
    const local = () => scope.local('v128');
    const [off, theta, tangent, cosine, sine, a, b] = [local(), local(), local(), local(), local(), local(), local()];
    const one = this.#number(1);
    const isZero = v.eq(off.get, this.#number(0));
    const signOfTheta = v128.or(v128.and(theta.get, this.#number(-0)), one);
    const size = v.add(v.abs(theta.get), v.sqrt(v.add(v.mul(theta.get, theta.get), one)));
    const turn = (first: Local, second: Local): Code =>
      sequence(
        a.set(first.get),
        b.set(second.get),
        first.set(v.sub(v.mul(cosine.get, a.get), v.mul(sine.get, b.get))),
        second.set(v.add(v.mul(sine.get, a.get), v.mul(cosine.get, b.get))),
      );
    const [pp, qq] = [matrix[p * n + p], matrix[q * n + q]];
    const steps: Code[] = [
      off.set(matrix[p * n + q].get),
      theta.set(v.div(v.sub(qq.get, pp.get), v.add(off.get, off.get))),
      tangent.set(v128.andnot(v.div(signOfTheta, size), isZero)),
      cosine.set(v.div(one, v.sqrt(v.add(v.mul(tangent.get, tangent.get), one)))),
      sine.set(v.mul(tangent.get, cosine.get)),
      pp.set(v.sub(pp.get, v.mul(tangent.get, off.get))),
      qq.set(v.add(qq.get, v.mul(tangent.get, off.get))),
      matrix[p * n + q].set(this.#number(0)),
      matrix[q * n + p].set(this.#number(0)),
    ];
    for (let i = 0; i < n; i++) {
      if (i !== p && i !== q) {
        const [ip, iq] = [matrix[i * n + p], matrix[i * n + q]];
        steps.push(turn(ip, iq), matrix[p * n + i].set(ip.get), matrix[q * n + i].set(iq.get));
      }
      steps.push(turn(vectors[i * n + p], vectors[i * n + q]));
    }
    return sequence(...steps);
  }

  /** From `start` on inputs are constant: amount per time into the depot and into the central compartment. */
  begin(lane: Local, depotRate: Code, centralRate: Code): Code {
    return sequence(
      this.#depotRate.set(lane, 0, depotRate),
      this.#centralRate.set(lane, 0, centralRate),
      ...this.#toModes(lane).map((mode, j) => this.#startModes.set(lane, j, mode)),
    );
  }

  #toModes(lane: Local): Code[] {
    const v = this.#v;
    const n = this.#modes;
    return Array.from({ length: n }, (_, j) =>
      Array.from({ length: n }, (__, i) =>
        v.mul(this.#vectors.get(lane, i * n + j), v.div(this.start.get(lane, this.central + i), this.#rootVolume.get(lane, i))),
      ).reduce((sum, term) => v.add(sum, term)),
    );
  }

  /** Amounts so long after `begin`, written to `now`. */
  at(scope: FunctionScope, lane: Local, elapsed: Local): Code {
    const v = this.#v;
    const n = this.#modes;
    const t = elapsed.get;
    const zero = this.#number(0);
    const steps: Code[] = [];
    const kept = (code: Code): Local => {
      const local = scope.local('v128');
      steps.push(local.set(code));
      return local;
    };
    const cascade = (...rates: Code[]): Code => this.#cascade.of(scope, t, ...rates);
    const fall = (start: Code, rate: Code): Code => v.mul(start, this.#math.apply('exp', v, v.neg(v.mul(rate, t))));
    const absorption = this.#absorption.get(lane);
    const equilibration = this.#equilibration.get(lane);
    const centralRate = this.#centralRate.get(lane);
    const depotRate = kept(this.depot === null ? zero : v.mul(absorption, this.#depotRate.get(lane)));
    const depot = kept(this.depot === null ? zero : v.mul(absorption, this.start.get(lane, this.depot)));
    // What a part of the input adds, where any lane has that part.
    const add = (total: Local, amount: Code, flow: () => Code): void => {
      steps.push(control.if(v128.anyTrue(amount), total.set(v.add(total.get, v.mul(amount, flow())))));
    };
    const fed = (start: Code, feed: Code, ...through: readonly Code[]): Local => {
      const total = kept(start);
      const share = kept(feed);
      const own = (amount: Code, ...rates: readonly Code[]): void =>
        add(total, amount, () => v.mul(share.get, cascade(...rates, ...through)));
      own(centralRate, zero);
      if (this.depot !== null) {
        own(depot.get, absorption);
        own(depotRate.get, zero, absorption);
      }
      return total;
    };

    if (this.depot !== null) {
      const own = kept(fall(this.start.get(lane, this.depot), absorption));
      add(own, this.#depotRate.get(lane), () => cascade(zero, absorption));
      steps.push(this.now.set(this.depot, own.get));
    }
    const site = this.#site === null ? null : kept(fall(this.start.get(lane, this.#site), equilibration));
    const exposure = this.#exposure === null ? null : kept(this.start.get(lane, this.#exposure));
    const bodies = Array.from({ length: n }, () => kept(zero));
    for (let j = 0; j < n; j++) {
      const decay = this.#decay.get(lane, j);
      const start = this.#startModes.get(lane, j);
      const share = kept(v.div(this.#vectors.get(lane, j), this.#rootVolume.get(lane, 0)));
      const mode = fed(fall(start, decay), share.get, decay);
      bodies.forEach((body, i) => {
        const weight = v.mul(this.#rootVolume.get(lane, i), this.#vectors.get(lane, i * n + j));
        steps.push(body.set(v.add(body.get, v.mul(weight, mode.get))));
      });
      if (site) {
        const flow = fed(v.mul(start, cascade(decay, equilibration)), share.get, decay, equilibration);
        steps.push(site.set(v.add(site.get, v.mul(v.mul(equilibration, share.get), flow.get))));
      }
      if (exposure) {
        const area = fed(v.mul(start, cascade(zero, decay)), share.get, zero, decay);
        steps.push(exposure.set(v.add(exposure.get, v.mul(share.get, area.get))));
      }
    }
    return sequence(
      ...steps,
      ...bodies.map((body, i) => this.now.set(this.central + i, body.get)),
      site ? this.now.set(this.#site!, site.get) : [],
      exposure ? this.now.set(this.#exposure!, exposure.get) : [],
    );
  }

  /** `now` becomes `start`. */
  keep(lane: Local): Code {
    return Array.from({ length: this.size }, (_, i) => this.start.set(lane, i, this.now.get(i)));
  }

  /**
   * The steady state, just before the next dose, as `start`: depot, then modes, then effect site, each a geometric series once what
   * feeds it is known. `throughInterval` takes `start` through one dosing interval and leaves the end in `now`.
   */
  steadyState(scope: FunctionScope, lane: Local, interval: Code, throughInterval: Code): Code {
    const v = this.#v;
    const n = this.#modes;
    const length = scope.local('v128');
    const series = (end: Code, rate: Code): Code =>
      v.div(end, v.neg(this.#math.apply('expm1', v, v.neg(v.mul(rate, length.get)))));
    const held = Array.from({ length: this.size }, () => scope.local('v128'));
    const hold = (index: number, value: Code): Code => held[index].set(value);
    const restart = held.map((local, i) => this.start.set(lane, i, local.get));
    const depotPart: Code =
      this.depot === null
        ? []
        : [restart, throughInterval, hold(this.depot, series(this.now.get(this.depot), this.#absorption.get(lane)))];
    const modes = Array.from({ length: n }, () => scope.local('v128'));
    const centralParts = modes.map((_, i) =>
      hold(
        this.central + i,
        v.mul(
          this.#rootVolume.get(lane, i),
          modes.map((mode, j) => v.mul(this.#vectors.get(lane, i * n + j), mode.get)).reduce((sum, term) => v.add(sum, term)),
        ),
      ),
    );
    const sitePart: Code =
      this.#site === null
        ? []
        : [restart, throughInterval, hold(this.#site, series(this.now.get(this.#site), this.#equilibration.get(lane)))];
    return sequence(
      length.set(interval),
      ...held.map((local) => local.set(this.#number(0))),
      depotPart,
      restart,
      throughInterval,
      this.keep(lane),
      ...this.#toModes(lane).map((mode, j) => modes[j].set(series(mode, this.#decay.get(lane, j)))),
      ...centralParts,
      sitePart,
      restart,
    );
  }
}
