/** Kingma & Ba 2015, upwards. */
export class Adam {
  readonly #parameters: { readonly theta: Float64Array; readonly gradient: Float64Array };
  readonly first: Float64Array;
  readonly second: Float64Array;
  #steps = 0;

  constructor(parameters: { readonly theta: Float64Array; readonly gradient: Float64Array }) {
    this.#parameters = parameters;
    this.first = new Float64Array(parameters.theta.length);
    this.second = new Float64Array(parameters.theta.length);
  }

  get steps(): number {
    return this.#steps;
  }

  restore(steps: number, first: readonly number[], second: readonly number[]): void {
    this.#steps = steps;
    this.first.set(first);
    this.second.set(second);
  }

  ascend(rate: number, gradientScale: number): void {
    this.#steps++;
    const { theta, gradient } = this.#parameters;
    const bias1 = 1 - 0.9 ** this.#steps;
    const bias2 = 1 - 0.999 ** this.#steps;
    for (let i = 0; i < theta.length; i++) {
      const g = gradient[i]! * gradientScale;
      this.first[i] = 0.9 * this.first[i]! + 0.1 * g;
      this.second[i] = 0.999 * this.second[i]! + 0.001 * g * g;
      theta[i]! += (rate * (this.first[i]! / bias1)) / (Math.sqrt(this.second[i]! / bias2) + 1e-8);
    }
  }
}
