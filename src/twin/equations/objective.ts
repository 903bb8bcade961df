/**
 * The one objective of patient fitting: −2 log posterior = Σ [(y − f)²/v + ln(2πv)] + ηᵀΩ⁻¹η + ln det(2πΩ), with f and y replaced
 * by their logarithms where the error is on the log scale, and the log chance of "below" where a value is below its limit.
 */
import { invariant } from '#domain/errors.ts';
import type { RunHooks } from '#engine/engine.ts';
import type { SimulationRequest, Simulator } from '#engine/simulation.ts';
import { snapping } from '#engine/timeline.ts';
import type { Seed } from '#numerics/random.ts';
import { logDensity, objectiveOffset, type Measurement } from './error-models.ts';
import type { FitObservation, ModelProblem } from './fit-problem.ts';
import type { Points, Prior } from './prior.ts';

/** What the observations say of so many lanes. */
export interface Evaluation {
  readonly points: Points;
  /** [measurements × n], in the marker's unit; NaN after a terminal event and where a lane diverged. */
  readonly predictions: Float64Array;
  /** [n] log density of all measurements; −Infinity where a lane diverged, or where it could not have been observed alive. */
  readonly logLikelihood: Float64Array;
  /** [n]: 1 where the simulation left the numbers. */
  readonly diverged: Uint8Array;
}

export class Objective {
  readonly prior: Prior;
  /** Every observation but those that a model is conditioned on: the first exact observation of a state. */
  readonly measurements: readonly Measurement[];
  readonly #simulator: Simulator;
  readonly #request: Omit<SimulationRequest, 'lanes' | 'effects' | 'laneCovariates'>;
  /** Of each measurement: where its prediction starts in the values of one lane, and the factor to the marker's unit. */
  readonly #cells: readonly { readonly cell: number; readonly factor: number }[];

  constructor(prior: Prior, simulator: Simulator, seed: Seed) {
    const { problem } = prior;
    const { program, timeline, initialStates } = problem;
    this.prior = prior;
    this.#simulator = simulator;
    this.measurements = measurementsOf(problem);
    const used = this.measurements.map(({ observation }) => program.observations[observation.of]!);
    const readouts = [...new Set(used.map(({ readout }) => readout))];
    // What a map is told on the way counts from its step's beginning: there a prediction is of the state before it is set to what was seen.
    const timeOf = snapping(program, timeline.segments[0]!.start);
    const times = Float64Array.from(new Set(this.measurements.map(({ observation }) => timeOf(observation.time)))).sort();
    this.#cells = this.measurements.map(({ observation }, m) => ({
      cell: readouts.indexOf(used[m]!.readout) * times.length + times.indexOf(timeOf(observation.time)),
      factor: used[m]!.factor,
    }));
    this.#request = {
      program,
      timelines: [timeline],
      times,
      readouts,
      seed,
      ...(initialStates ? { initialStates } : {}),
      ...(program.noises.length > 0 ? { noise: noNoise(problem, times) } : {}),
    };
  }

  /** One simulation of all lanes, whatever they are for. */
  async evaluate(points: Points, hooks?: RunHooks): Promise<Evaluation> {
    const { n } = points;
    const predictions = new Float64Array(this.measurements.length * n);
    const logLikelihood = new Float64Array(n);
    let diverged = new Uint8Array(n);
    if (this.measurements.length > 0 && n > 0) {
      const simulation = await this.#simulator.simulate({ ...this.#request, ...this.prior.lanes(points) }, hooks);
      const values = simulation.values[0]!;
      diverged = Uint8Array.from(simulation.diverged[0]!);
      this.measurements.forEach((measurement, m) => {
        const { cell, factor } = this.#cells[m]!;
        for (let lane = 0; lane < n; lane++) {
          const f = factor * values[cell * n + lane]!;
          predictions[m * n + lane] = f;
          const log = logDensity(measurement, f);
          logLikelihood[lane]! += Number.isNaN(log) ? -Infinity : log;
        }
      });
      for (let lane = 0; lane < n; lane++) if (diverged[lane] === 1) logLikelihood[lane] = -Infinity;
    }
    return { points, predictions, logLikelihood, diverged };
  }

  /** Of one lane, constants included; Infinity where the posterior has no mass. Unknown categories add −2 ln of their shares. */
  minus2LogPosterior({ points, logLikelihood }: Evaluation, lane: number): number {
    const { n, z } = points;
    let value = this.prior.logDeterminant - 2 * logLikelihood[lane]! - 2 * this.prior.logShare(points, lane);
    for (let j = 0; j < this.prior.activeColumns; j++) value += z[j * n + lane]! ** 2;
    for (const measurement of this.measurements) value += objectiveOffset(measurement);
    return value;
  }
}

/**
 * A state that is observed exactly is set to what was seen, so each further observation of it scatters around what follows from the
 * one before, and the first, which the state starts from, says nothing about the person's effects; nor does a further one in the same
 * step, which the state is set to instead.
 */
function measurementsOf({ program, timeline, observations }: ModelProblem): Measurement[] {
  const { stepper } = program;
  const timeOf = snapping(program, timeline.segments[0]!.start);
  const previous = new Map<string, FitObservation>();
  const byTime = observations.map((_, i) => i).sort((a, b) => observations[a]!.time - observations[b]!.time || a - b);
  const measurements: (Measurement | null)[] = observations.map(() => null);
  for (const i of byTime) {
    const observation = observations[i]!;
    const { error, marker } = program.observations[observation.of]!;
    if (error.kind !== 'transition') {
      measurements[i] = { index: i, observation, error, transitionSd: 0 };
      continue;
    }
    invariant(stepper.kind === 'map', 'transitions are between the steps of a map');
    const before = previous.get(marker);
    previous.set(marker, observation);
    if (!before) continue;
    const steps = Math.round((timeOf(observation.time) - timeOf(before.time)) / stepper.step);
    if (steps === 0) continue;
    measurements[i] = { index: i, observation, error, transitionSd: error.fraction * Math.abs(before.value) * Math.sqrt(steps) };
  }
  return measurements.filter((measurement) => measurement !== null);
}

/** The noise of a step is the scatter of the transition, so the prediction is made without it. */
function noNoise({ program, timeline }: ModelProblem, times: Float64Array): Float64Array {
  const { stepper, noises } = program;
  invariant(stepper.kind === 'map', 'only maps have noises');
  const steps = times.length === 0 ? 0 : Math.ceil((times.at(-1)! - timeline.segments[0]!.start) / stepper.step);
  return new Float64Array((steps + 1) * noises.length);
}
