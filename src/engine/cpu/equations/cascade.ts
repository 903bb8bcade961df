import type { VectorMath } from './vector-math.ts';
import type { VectorType } from './vectors.ts';
import {
  control,
  sequence,
  v128,
  type Code,
  type FunctionHandle,
  type FunctionScope,
  type Local,
  type ModuleWriter,
} from './wasm-bytes.ts';

/** 20 terms for at most 8 rates; see `nearby` in numerics/exponential-cascade.ts. */
const terms = 20;

/**
 * `cascade` of numerics/exponential-cascade.ts for all lanes: (e^{-r₁·} ∗ … ∗ e^{-rₙ·})(t). Here lanes whose rates lie near each
 * other and lanes whose rates do not may stand side by side, so both ways are computed where any lane needs the second.
 */
export class CascadeWriter {
  readonly #module: ModuleWriter;
  readonly #v: VectorType;
  readonly #math: VectorMath;
  readonly #written = new Map<number, FunctionHandle>();

  constructor(module: ModuleWriter, v: VectorType, math: VectorMath) {
    this.#module = module;
    this.#v = v;
    this.#math = math;
  }

  /** Rates in any order. */
  of(scope: FunctionScope, t: Code, ...rates: readonly Code[]): Code {
    const v = this.#v;
    const sorted = rates.map(() => scope.local('v128'));
    const spare = scope.local('v128');
    const steps: Code[] = sorted.map((local, i) => local.set(rates[i]));
    for (let end = sorted.length - 1; end > 0; end--) {
      for (let i = 0; i < end; i++) {
        const [a, b] = [sorted[i], sorted[i + 1]];
        steps.push(spare.set(v.pmin(a.get, b.get)), b.set(v.pmax(a.get, b.get)), a.set(spare.get));
      }
    }
    return sequence(...steps, this.#call(t, sorted));
  }

  #call(t: Code, sorted: readonly Local[]): Code {
    const n = sorted.length;
    let written = this.#written.get(n);
    if (!written) {
      const parameters = Array.from({ length: n + 1 }, () => 'v128' as const);
      written = this.#module.function(null, parameters, ['v128'], (scope, time, ...rates) => this.#write(scope, time, rates));
      this.#written.set(n, written);
    }
    return written.call(t, ...sorted.map(({ get }) => get));
  }

  #write(scope: FunctionScope, t: Local, rates: readonly Local[]): Code {
    const v = this.#v;
    const [slow, fast] = [rates[0], rates[rates.length - 1]];
    const width = scope.local('v128');
    const zero = this.#math.number(v, 0);
    const decay = this.#math.apply('exp', v, v.neg(v.mul(slow.get, t.get)));
    if (rates.length === 2) {
      const apart = v.div(v.neg(this.#math.apply('expm1', v, v.neg(v.mul(width.get, t.get)))), width.get);
      return sequence(width.set(v.sub(fast.get, slow.get)), v.mul(decay, v128.select(v.eq(width.get, zero), t.get, apart)));
    }
    const result = scope.local('v128');
    const isNear = scope.local('v128');
    const apart = v.div(v.sub(this.#call(t.get, rates.slice(0, -1)), this.#call(t.get, rates.slice(1))), width.get);
    return sequence(
      width.set(v.sub(fast.get, slow.get)),
      result.set(apart),
      isNear.set(v128.not(v.lt(this.#math.number(v, 1), v.mul(width.get, t.get)))),
      control.if(v128.anyTrue(isNear.get), result.set(v128.select(isNear.get, this.#nearby(scope, t, rates), result.get))),
      result.get,
    );
  }

  #nearby(scope: FunctionScope, t: Local, rates: readonly Local[]): Code {
    const v = this.#v;
    const n = rates.length;
    const number = (value: number) => this.#math.number(v, value);
    const fast = rates[n - 1];
    const steps: Code[] = [];
    // The fastest rate has x = 0 and adds nothing.
    const x = rates.slice(0, -1).map((rate) => {
      const local = scope.local('v128');
      steps.push(local.set(v.mul(v.sub(fast.get, rate.get), t.get)));
      return local;
    });
    const homogeneous = x.map(() => {
      const local = scope.local('v128');
      steps.push(local.set(number(1)));
      return local;
    });
    let factorial = 1;
    for (let i = 2; i < n; i++) factorial *= i;
    const sum = scope.local('v128');
    steps.push(sum.set(number(1 / factorial)));
    for (let k = 1; k <= terms; k++) {
      homogeneous.forEach((own, i) => {
        const product = v.mul(x[i].get, own.get);
        steps.push(own.set(i === 0 ? product : v.add(homogeneous[i - 1].get, product)));
      });
      factorial *= n - 1 + k;
      steps.push(sum.set(v.add(sum.get, v.mul(homogeneous[n - 2].get, number(1 / factorial)))));
    }
    const power = Array.from({ length: n - 1 }, () => t.get).reduce((product, factor) => v.mul(product, factor));
    return sequence(...steps, v.mul(v.mul(sum.get, power), this.#math.apply('exp', v, v.neg(v.mul(fast.get, t.get)))));
  }
}
