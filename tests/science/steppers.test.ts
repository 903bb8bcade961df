import { describe, expect, it } from 'vitest';
import { normalPair, philox, seedFrom, streams } from '#numerics/random.ts';
import { Dopri5 } from '#numerics/steppers/dopri5.ts';
import { Rk4 } from '#numerics/steppers/rk4.ts';
import { Rosenbrock, type Jacobian } from '#numerics/steppers/rosenbrock.ts';
import type { AdaptiveOptions, Derivative, Stepper } from '#numerics/steppers/stepper.ts';
import { EulerMaruyama, Heun, type StochasticOptions } from '#numerics/steppers/stochastic.ts';

/** Smooth, coupled, with t in it; y₀ = cos t and y₁ = e^{−t/2} solve it by construction. */
const smooth: Derivative = (t, y, dy) => {
  dy[0] = -Math.sin(t) + 0.5 * (y[0] - Math.cos(t)) * y[1];
  dy[1] = -0.5 * y[1] + (y[0] - Math.cos(t)) ** 2 - 0.3 * (y[0] - Math.cos(t));
};
const smoothJacobian: Jacobian = (t, y, out) => {
  out[0] = 0.5 * y[1];
  out[1] = 0.5 * (y[0] - Math.cos(t));
  out[2] = 2 * (y[0] - Math.cos(t)) - 0.3;
  out[3] = -0.5;
};
const solution = (t: number) => [Math.cos(t), Math.exp(-t / 2)];

function options(more: Partial<AdaptiveOptions> = {}): AdaptiveOptions {
  return {
    relativeTolerance: 1e-8,
    absoluteTolerance: 1e-8,
    scales: Float64Array.of(1, 1),
    firstStep: 0.01,
    maximumStep: Infinity,
    maximumSteps: 100_000,
    ...more,
  };
}

/** Steps of one length, whatever the error: the order of the method itself. */
const unchecked = (h: number) => options({ absoluteTolerance: 1e30, firstStep: h, maximumStep: h });

/** Largest error at the ends of steps, and in the middle of them. */
function errors(stepper: Stepper, end: number): { ends: number; middles: number } {
  const y = Float64Array.from(solution(0));
  const out = new Float64Array(2);
  const worst = { ends: 0, middles: 0 };
  stepper.begin(0, end);
  while (stepper.to < end) {
    expect(stepper.advance(y)).toBe(true);
    const time = stepper.from + 0.5 * (stepper.to - stepper.from);
    stepper.interpolate(time, out);
    solution(time).forEach((value, i) => (worst.middles = Math.max(worst.middles, Math.abs(out[i] - value))));
    solution(stepper.to).forEach((value, i) => (worst.ends = Math.max(worst.ends, Math.abs(y[i] - value))));
  }
  return worst;
}

/** The slope of log error against log step over three halvings. */
function slopes(make: (h: number) => Stepper): { ends: number; middles: number } {
  const coarse = errors(make(0.2), 4);
  const fine = errors(make(0.025), 4);
  return { ends: Math.log2(coarse.ends / fine.ends) / 3, middles: Math.log2(coarse.middles / fine.middles) / 3 };
}

describe('order of convergence, measured', () => {
  it.each([
    ['RK4 is 4, its cubic Hermite polynomial 4', (h: number) => new Rk4(smooth, 2, h), 4, 4],
    [
      'Dormand–Prince is 5, its dense output 4 (5 where a step’s own error is small)',
      (h: number) => new Dopri5(smooth, 2, unchecked(h)),
      5,
      4,
    ],
    [
      'Rosenbrock is 4, its dense output 3 (4 at the least)',
      (h: number) => new Rosenbrock(smooth, smoothJacobian, 2, { ...unchecked(h), isAutonomous: false }),
      4,
      3,
    ],
  ] as const)('%s', (_, make, order, dense) => {
    const measured = slopes(make);
    expect(measured.ends).toBeGreaterThan(order - 0.2);
    expect(measured.ends).toBeLessThan(order + 1.2);
    expect(measured.middles).toBeGreaterThan(dense - 0.2);
  });
});

describe('adaptive steps', () => {
  it.each([
    ['Dormand–Prince', (o: AdaptiveOptions) => new Dopri5(smooth, 2, o)],
    ['Rosenbrock', (o: AdaptiveOptions) => new Rosenbrock(smooth, smoothJacobian, 2, { ...o, isAutonomous: false })],
  ] as const)('%s keeps its error in proportion to its tolerance', (_, make) => {
    for (const tolerance of [1e-5, 1e-7, 1e-9]) {
      const { ends, middles } = errors(make(options({ relativeTolerance: tolerance, absoluteTolerance: tolerance })), 10);
      // A tolerance is one step's. Once or twice in a run the estimate passes through zero where the error does not, and the
      // problem multiplies errors by e: measured at most 83 tolerances, for steps as long as a period's fifth.
      expect(ends).toBeLessThan(100 * tolerance);
      expect(middles).toBeLessThan(100 * tolerance);
    }
  });

  it('stop when the steps have run out', () => {
    const stepper = new Dopri5(smooth, 2, options({ maximumSteps: 5, maximumStep: 0.01 }));
    const y = Float64Array.from(solution(0));
    stepper.begin(0, 10);
    let steps = 0;
    while (stepper.advance(y)) steps++;
    expect(steps).toBe(5);
  });

  it('stop at a pole instead of stepping over it', () => {
    const pole: Derivative = (_, y, dy) => void (dy[0] = y[0] * y[0]);
    const jacobian: Jacobian = (_, y, out) => void (out[0] = 2 * y[0]);
    const one = options({ scales: Float64Array.of(1), maximumSteps: 10_000 });
    for (const stepper of [new Dopri5(pole, 1, one), new Rosenbrock(pole, jacobian, 1, { ...one, isAutonomous: true })]) {
      const y = Float64Array.of(1);
      stepper.begin(0, 2);
      let isGoing = true;
      while (isGoing && stepper.to < 2) isGoing = stepper.advance(y);
      expect(isGoing).toBe(false);
      expect(stepper.from).toBeCloseTo(1, 4);
    }
  });
});

describe('stiff problems', () => {
  // Robertson's reaction, as Hairer & Wanner (1996) have it: rates of 0.04, 3e7 and 1e4.
  const robertson: Derivative = (_, y, dy) => {
    dy[0] = -0.04 * y[0] + 1e4 * y[1] * y[2];
    dy[2] = 3e7 * y[1] * y[1];
    dy[1] = -dy[0] - dy[2];
  };
  const robertsonJacobian: Jacobian = (_, y, out) => {
    out.set([-0.04, 1e4 * y[2], 1e4 * y[1], 0.04, -1e4 * y[2] - 6e7 * y[1], -1e4 * y[1], 0, 6e7 * y[1], 0]);
  };

  it("Rosenbrock follows Robertson's reaction to t = 1e11 in a few hundred steps", () => {
    const stepper = new Rosenbrock(robertson, robertsonJacobian, 3, {
      ...options({ relativeTolerance: 1e-6, absoluteTolerance: 1e-10, scales: Float64Array.of(1, 1e-4, 1), firstStep: 1e-4 }),
      isAutonomous: true,
    });
    const y = Float64Array.of(1, 0, 0);
    let steps = 0;
    stepper.begin(0, 1e11);
    while (stepper.to < 1e11 && stepper.advance(y)) steps++;
    // Reference of the test set for IVP solvers (Mazzia & Magherini 2008), problem ROBER.
    expect(y[0] / 0.2083340149701255e-7).toBeCloseTo(1, 3);
    expect(y[1] / 0.8333360770334713e-13).toBeCloseTo(1, 3);
    expect(y[2]).toBeCloseTo(0.999999979166505, 9);
    expect(steps).toBeLessThan(600);
  });

  it("Rosenbrock follows Van der Pol's oscillator with ε = 1e-6", () => {
    const epsilon = 1e-6;
    const f: Derivative = (_, y, dy) => {
      dy[0] = y[1];
      dy[1] = ((1 - y[0] * y[0]) * y[1] - y[0]) / epsilon;
    };
    const jacobian: Jacobian = (_, y, out) => {
      out.set([0, 1, (-2 * y[0] * y[1] - 1) / epsilon, (1 - y[0] * y[0]) / epsilon]);
    };
    const stepper = new Rosenbrock(f, jacobian, 2, { ...options({ firstStep: 1e-6 }), isAutonomous: true });
    const y = Float64Array.of(2, 0);
    stepper.begin(0, 2);
    while (stepper.to < 2 && stepper.advance(y));
    // Hairer & Wanner (1996), section IV.10, equation (10.3), at t = 2.
    expect(y[0]).toBeCloseTo(1.706167732170483, 6);
    expect(y[1]).toBeCloseTo(-0.8928097010247975, 6);
  });
});

describe('stochastic steppers on geometric Brownian motion', () => {
  const growth = 0.6;
  const volatility = 0.8;
  const drift: Derivative = (_, y, dy) => void (dy[0] = growth * y[0]);
  const diffusion: Derivative = (_, y, out) => void (out[0] = volatility * y[0]);
  const fineSteps = 256;
  const words = new Uint32Array(4);
  const pair = new Float64Array(2);
  const normal = (path: number, k: number): number => {
    philox(words, path, k, 0, streams.process, seedFrom(3));
    normalPair(pair, 0, words[0], words[1]);
    return pair[0];
  };

  /** Strong error (mean |y − Y|) and the mean of y itself at t = 1 with steps of 1/n on paths made of 1/256 increments. */
  function atOne(n: number, paths: number, make: (o: StochasticOptions) => Stepper): { strong: number; bias: number } {
    const share = fineSteps / n;
    let strong = 0;
    let bias = 0;
    for (let path = 0; path < paths; path++) {
      const z = Float64Array.from({ length: fineSteps }, (_, k) => normal(path, k));
      let sum = 0;
      for (const value of z) sum += value;
      const exact = Math.exp(growth - volatility ** 2 / 2 + volatility * (sum / Math.sqrt(fineSteps)));
      const normals = (k: number, out: Float64Array): void => {
        out[0] = 0;
        for (let i = k * share; i < (k + 1) * share; i++) out[0] += z[i] / Math.sqrt(share);
      };
      const stepper = make({ origin: 0, step: 1 / n, normals });
      const y = Float64Array.of(1);
      stepper.begin(0, 1);
      while (stepper.to < 1) stepper.advance(y);
      strong += Math.abs(y[0] - exact) / paths;
      // Against the same path's exact value: the noise that both share cancels, the weak error stays.
      bias += (y[0] - exact) / paths;
    }
    return { strong, bias: Math.abs(bias) };
  }

  it('Euler–Maruyama converges strongly with order ½ and weakly with order 1', () => {
    const make = (o: StochasticOptions) => new EulerMaruyama(drift, diffusion, 1, o);
    const [coarse, fine] = [atOne(8, 20_000, make), atOne(64, 20_000, make)];
    const strong = Math.log2(coarse.strong / fine.strong) / 3;
    expect(strong).toBeGreaterThan(0.4);
    expect(strong).toBeLessThan(0.65);
    expect(Math.log2(coarse.bias / fine.bias) / 3).toBeGreaterThan(0.7);
  });

  it('Heun stays with Itô and has the smaller weak error, of order 2 in the drift', () => {
    const heun = atOne(8, 20_000, (o) => new Heun(drift, diffusion, 1, o));
    const euler = atOne(8, 20_000, (o) => new EulerMaruyama(drift, diffusion, 1, o));
    const strong = Math.log2(heun.strong / atOne(64, 20_000, (o) => new Heun(drift, diffusion, 1, o)).strong) / 3;
    expect(strong).toBeGreaterThan(0.4);
    expect(heun.bias).toBeLessThan(euler.bias / 3);
    // With the diffusion averaged as well it would go to the Stratonovich mean, e^{0.6 + 0.32}, 38 % above.
    expect(heun.bias).toBeLessThan(0.05);
  });

  it('additive noise: the variance of an Ornstein–Uhlenbeck process, and strong order 1', () => {
    const back: Derivative = (_, y, dy) => void (dy[0] = -y[0]);
    const even: Derivative = (_, __, out) => void (out[0] = 1);
    const ends = (n: number, paths: number) =>
      Float64Array.from({ length: paths }, (_, path) => {
        const share = fineSteps / n;
        const normals = (k: number, out: Float64Array): void => {
          out[0] = 0;
          for (let i = k * share; i < (k + 1) * share; i++) out[0] += normal(path, i) / Math.sqrt(share);
        };
        const stepper = new EulerMaruyama(back, even, 1, { origin: 0, step: 1 / n, normals });
        const y = Float64Array.of(0);
        stepper.begin(0, 1);
        while (stepper.to < 1) stepper.advance(y);
        return y[0];
      });
    const paths = 8000;
    const fine = ends(256, paths);
    const variance = fine.reduce((sum, y) => sum + y * y, 0) / paths;
    // Three Monte-Carlo standard errors, √(2/n) of the variance each.
    expect(Math.abs(variance / ((1 - Math.exp(-2)) / 2) - 1)).toBeLessThan(3 * Math.sqrt(2 / paths) + 1 / 256);
    const apart = (n: number) => ends(n, 2000).reduce((sum, y, i) => sum + Math.abs(y - fine[i]), 0);
    expect(Math.log2(apart(8) / apart(32)) / 2).toBeGreaterThan(0.85);
  });

  it('a path is the same at the ends of steps wherever pieces begin, for noise that the state does not scale', () => {
    const still: Derivative = (_, __, dy) => void (dy[0] = 0);
    const even: Derivative = (_, __, out) => void (out[0] = 1);
    const normals = (k: number, out: Float64Array): void => void (out[0] = normal(1, k));
    const end = (pieces: readonly number[]): number => {
      const stepper = new EulerMaruyama(still, even, 1, { origin: 0, step: 0.25, normals });
      const y = Float64Array.of(0);
      pieces.slice(1).forEach((to, i) => {
        stepper.begin(pieces[i], to);
        while (stepper.to < to) stepper.advance(y);
      });
      return y[0];
    };
    expect(end([0, 0.3, 0.41, 0.7, 2])).toBeCloseTo(end([0, 2]), 12);
  });
});
