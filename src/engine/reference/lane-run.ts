/**
 * One lane through one timeline: the meaning of a program, in the order in which things happen. Every engine does the same.
 *
 * **Segments.** As simulation.ts has them. A read-out at the start of a segment is reported with the parameters, rates and controls of
 * the segment that ends there (of the first segment, with its own). `previousRate` is 0 in the first segment, `segmentLength` is 0 in
 * the last, which has none. Memory is computed for all of it from the old memory, in the first segment too, with the states before
 * the doses and the rates of the new segment. Rates into a state are added to its derivative, bioavailability included.
 *
 * **Steps.** Adaptive steppers begin each segment with the stepper's `firstStep`; `maximumSteps` counts tries over the whole timeline.
 * RK4 takes its steps from the segment's start, the last one is what is left of the segment. `map`, `euler-maruyama` and `heun` count
 * steps k = 0, 1 … from the timeline's start, whatever the segments: step k is [start + k·step, start + (k+1)·step). A segment that
 * begins inside such a step splits it (`map`: segments begin on the grid, see timeline.ts). The last segment ends at the last
 * reported time. Between the ends of steps a read-out sees the stepper's own interpolation (`map`: the state at the step's start),
 * and compartments at exactly its time.
 *
 * **Random numbers.** Philox counters (lane, k, block, streams.process) for step k; its four words give the normals 4·block … 4·block+3
 * (`normalPair` of words 0 and 1, then of 2 and 3). Normal j drives noise j of a `map`, and the j-th of those states that have a
 * diffusion. Timelines are no part of the counter: plans share their noise. A split step shares its increment (stochastic.ts).
 * The threshold of hazard e (its number among all events) is −ln u with u the `uniform` of word 0 of (lane, e, 0, streams.event).
 *
 * **Events.** Looked at after each step, in their order. A crossing happens in a step at whose end its expression is ≥ 0 after having been
 * < 0 at the end of the step before (at the start of the timeline, after its doses, for the first), at the time where the straight
 * line between the two is 0. A hazard accumulates by the trapezoidal rule over steps (`map`: value after the step × step) and
 * happens once, where the straight line reaches the threshold; for `map` every event happens at the end of its step. What an event
 * sets is set at the step's end, before that instant is reported; after a terminal event nothing later than it is reported.
 */
import { invariant } from '#domain/errors.ts';
import { normalPair, philox, streams, uniform } from '#numerics/random.ts';
import { Dopri5 } from '#numerics/steppers/dopri5.ts';
import { Rk4 } from '#numerics/steppers/rk4.ts';
import { Rosenbrock } from '#numerics/steppers/rosenbrock.ts';
import { allFinite, type Derivative, type Stepper } from '#numerics/steppers/stepper.ts';
import { EulerMaruyama, Heun } from '#numerics/steppers/stochastic.ts';
import { effectColumn, type Segment, type SimulationRequest, type Timeline } from '../simulation.ts';
import { timeTick } from '../timeline.ts';
import { runTape } from './closures.ts';
import type { CompiledModel } from './compiled-model.ts';

const halfTick = timeTick / 2;

export class LaneRun {
  evaluations = 0;
  readonly #model: CompiledModel;
  readonly #request: SimulationRequest;
  readonly #timeline: Timeline;
  readonly #stepper: Stepper | null;
  readonly #last: number;
  /** States; amounts in compartments; bioavailabilities now. */
  readonly #y: Float64Array;
  readonly #amounts: Float64Array;
  readonly #compartmentSlots: Float64Array;
  readonly #available: Float64Array;
  /** Amount per time that reaches each state. */
  readonly #stateRates: Float64Array;
  readonly #between: Float64Array;
  /** Columns of the effects in the request: [effect] for occasion 0, and how far the next occasion's column is. */
  readonly #effectColumn: readonly { readonly first: number; readonly stride: number }[];
  readonly #eventValues: Float64Array;
  readonly #cumulative: Float64Array;
  readonly #thresholds: Float64Array;
  readonly #hasHappened: Uint8Array;
  readonly #words = new Uint32Array(4);
  readonly #four = new Float64Array(4);
  /** Which normal drives a state; −1 where none does. */
  readonly #normalOf: readonly number[];
  #lane = 0;
  #values: Float64Array = new Float64Array(0);
  #eventTimes: Float64Array = new Float64Array(0);
  #reported = 0;
  #segment: Segment;
  /** Nothing later is reported. */
  #stop = Infinity;

  constructor(model: CompiledModel, request: SimulationRequest, timeline: Timeline) {
    const { program } = model;
    this.#model = model;
    this.#request = request;
    this.#timeline = timeline;
    this.#segment = timeline.segments[0];
    this.#last = request.times[request.times.length - 1];
    this.#y = new Float64Array(program.states.length);
    this.#between = new Float64Array(program.states.length);
    this.#stateRates = new Float64Array(program.states.length);
    this.#amounts = new Float64Array(model.compartments?.size ?? 0);
    this.#compartmentSlots = model.m.subarray(model.offsets.compartment, model.offsets.compartment + this.#amounts.length);
    this.#available = new Float64Array(program.inputs.length);
    this.#effectColumn = program.effects.map((_, index) => effectColumn(program, index));
    this.#eventValues = new Float64Array(program.events.length);
    this.#cumulative = new Float64Array(program.events.length);
    this.#thresholds = new Float64Array(program.events.length);
    this.#hasHappened = new Uint8Array(program.events.length);
    let normals = 0;
    this.#normalOf = program.states.map(({ diffusion }) => (diffusion ? normals++ : -1));
    this.#stepper = this.#makeStepper();
  }

  /** Writes the lane's columns of `values` and `eventTimes`; false if it diverged. */
  run(lane: number, values: Float64Array, eventTimes: Float64Array): boolean {
    const { times } = this.#request;
    const { segments } = this.#timeline;
    this.#lane = lane;
    this.#values = values;
    this.#eventTimes = eventTimes;
    this.#reported = 0;
    this.#stop = Infinity;
    if (this.#stepper instanceof Dopri5 || this.#stepper instanceof Rosenbrock) this.#stepper.reset();
    this.#drawThresholds();
    this.#start();
    if (!this.#isFinite()) return false;
    this.#reportUpTo(segments[0].start);
    for (const [s, segment] of segments.entries()) {
      if (this.#reported === times.length || segment.start > this.#last + halfTick) break;
      const end = Math.min(segments[s + 1]?.start ?? Infinity, this.#last);
      this.#enter(segment, s);
      if (!this.#isFinite()) return false;
      if (end <= segment.start + halfTick) continue;
      if (!this.#through(segment.start, end) || !this.#isFinite()) return false;
      if (this.#stop < Infinity) break;
    }
    return true;
  }

  /** Context of the first segment, memory, states and compartments as they begin. */
  #start(): void {
    const { m, offsets, program, compartments } = this.#model;
    const { initialStates } = this.#request;
    const first = this.#timeline.segments[0];
    m.fill(0, offsets.rate, offsets.rate + program.inputs.length);
    this.#segment = first;
    this.#setContext(first, 0, true);
    m.fill(0, offsets.previousRate, offsets.previousRate + program.inputs.length);
    runTape(this.#model.memoryInitial, m);
    this.#model.memoryInitial.outputs.forEach((place, i) => (m[offsets.memory + i] = m[place]));
    runTape(this.#model.stateInitial, m);
    this.#model.stateInitial.outputs.forEach((place, i) => (this.#y[i] = m[place]));
    initialStates?.forEach((value, i) => {
      if (!Number.isNaN(value)) this.#y[i] = value;
    });
    this.#amounts.fill(0);
    const { steadyState } = this.#timeline;
    if (compartments && steadyState) {
      runTape(this.#model.bioavailability, m);
      compartments.steadyState(
        {
          into: this.#model.isDepot(steadyState.input) ? 'depot' : 'central',
          amount: steadyState.amount * m[this.#model.bioavailability.outputs[steadyState.input]],
          duration: steadyState.duration,
          interval: steadyState.interval,
        },
        this.#amounts,
      );
    }
    compartments?.begin(this.#amounts, 0, 0);
  }

  /** Covariates, effects and parameters where they have changed; rates, controls and times of the segment. */
  #setContext(segment: Segment, s: number, isNew: boolean): void {
    const { m, offsets, program } = this.#model;
    const { effects, lanes, laneCovariates } = this.#request;
    if (isNew) {
      m.set(this.#timeline.covariateRows[segment.covariateRow], offsets.covariate);
      for (const { covariate, values } of laneCovariates) m[offsets.covariate + covariate] = values[this.#lane];
      this.#effectColumn.forEach(({ first, stride }, e) => {
        m[offsets.effect + e] = effects[(first + segment.occasion * stride) * lanes + this.#lane];
      });
      this.#model.computeParameters();
    }
    m.copyWithin(offsets.previousRate, offsets.rate, offsets.rate + program.inputs.length);
    m.set(segment.rates, offsets.rate);
    m.set(segment.controls, offsets.control);
    const next = this.#timeline.segments[s + 1];
    m[offsets.segmentLength] = next ? next.start - segment.start : 0;
    m[offsets.doseTime] = segment.doseTime;
    m[offsets.time] = segment.start;
  }

  /** What happens at the start of a segment, after its instant has been reported. */
  #enter(segment: Segment, s: number): void {
    const { m, offsets, program, compartments, bioavailability, memoryNext } = this.#model;
    if (s > 0) {
      const isNew = segment.covariateRow !== this.#segment.covariateRow || segment.occasion !== this.#segment.occasion;
      this.#setContext(segment, s, isNew);
    }
    this.#segment = segment;
    for (const { state, value } of segment.setStates) this.#y[state] = value;
    compartments?.begin(this.#amounts, 0, 0);
    this.#show(segment.start, this.#y);
    runTape(memoryNext, m);
    const memory = Array.from(memoryNext.outputs, (place) => m[place]);
    m.set(memory, offsets.memory);

    runTape(bioavailability, m);
    bioavailability.outputs.forEach((place, i) => (this.#available[i] = m[place]));
    this.#stateRates.fill(0);
    let depotRate = 0;
    let centralRate = 0;
    program.inputs.forEach(({ into }, i) => {
      const amount = segment.doses[i] === 0 ? 0 : segment.doses[i] * this.#available[i];
      const rate = segment.rates[i] === 0 ? 0 : segment.rates[i] * this.#available[i];
      if (into.kind === 'state') {
        this.#y[into.index] += amount;
        this.#stateRates[into.index] += rate;
      } else {
        this.#amounts[into.index] += amount;
        if (this.#model.isDepot(i)) depotRate += rate;
        else centralRate += rate;
      }
    });
    compartments?.begin(this.#amounts, depotRate, centralRate);
    this.#show(segment.start, this.#y);
    runTape(this.#model.events, m);
    program.events.forEach(({ kind }, e) => {
      if (kind === 'hazard' || s === 0) this.#eventValues[e] = m[this.#model.events.outputs[e]];
    });
  }

  /** From the start of a segment to its end or the last reported time; false if the lane diverged. */
  #through(start: number, end: number): boolean {
    const { kind } = this.#model.program.stepper;
    if (kind === 'closed-form') {
      this.#reportUpTo(end);
      this.#moveCompartments(end);
      return true;
    }
    if (kind === 'map') return this.#mapThrough(start, end);
    const stepper = this.#stepper!;
    stepper.begin(start, end);
    while (stepper.to < end && this.#stop === Infinity) {
      if (!stepper.advance(this.#y)) return false;
      const hasSet = this.#lookForEvents(stepper.from, stepper.to, stepper);
      if (hasSet && this.#stop === Infinity && stepper.to < end) stepper.begin(stepper.to, end);
    }
    this.#moveCompartments(end);
    return true;
  }

  #mapThrough(start: number, end: number): boolean {
    const { m, offsets, change, program } = this.#model;
    const { noise, seed } = this.#request;
    invariant(program.stepper.kind === 'map', 'maps are stepped as maps');
    const { step } = program.stepper;
    const origin = this.#timeline.segments[0].start;
    const first = Math.round((start - origin) / step);
    for (let k = first; origin + (k + 1) * step <= end + halfTick; k++) {
      const from = origin + k * step;
      const to = origin + (k + 1) * step;
      this.#show(from, this.#y);
      for (let j = 0; j < program.noises.length; j++) {
        m[offsets.noise + j] = noise ? noise[k * program.noises.length + j] : this.#normal(k, j, seed);
      }
      this.#reportBefore(to);
      this.#show(from, this.#y);
      runTape(change, m);
      this.evaluations++;
      for (let i = 0; i < this.#y.length; i++) this.#between[i] = m[change.outputs[i]] + step * this.#stateRates[i];
      this.#y.set(this.#between);
      if (!allFinite(this.#y)) return false;
      this.#lookForEvents(from, to, null);
      if (this.#stop < Infinity) return true;
    }
    this.#reportUpTo(end);
    this.#moveCompartments(end);
    return true;
  }

  /** After a step: events, then the reports inside the step and at its end. True if an event has set a state. */
  #lookForEvents(from: number, to: number, stepper: Stepper | null): boolean {
    const { m, program, events, eventSets } = this.#model;
    if (program.events.length === 0) {
      this.#reportStep(to, stepper);
      return false;
    }
    const { lanes } = this.#request;
    const triggered: number[] = [];
    this.#show(to, this.#y);
    runTape(events, m);
    for (let e = 0; e < program.events.length; e++) {
      const before = this.#eventValues[e];
      const after = m[events.outputs[e]];
      this.#eventValues[e] = after;
      let share: number;
      if (program.events[e].kind === 'crossing') {
        if (!(before < 0 && after >= 0)) continue;
        share = before / (before - after);
      } else {
        const sum = this.#cumulative[e] + (to - from) * (stepper ? (before + after) / 2 : after);
        const missing = this.#thresholds[e] - this.#cumulative[e];
        this.#cumulative[e] = sum;
        if (this.#hasHappened[e] || !(sum >= this.#thresholds[e])) continue;
        share = missing / (missing + sum - this.#thresholds[e]);
      }
      const time = stepper ? from + (to - from) * share : to;
      if (!this.#hasHappened[e]) this.#eventTimes[e * lanes + this.#lane] = time;
      this.#hasHappened[e] = 1;
      triggered.push(e);
      if (program.events[e].terminal) this.#stop = Math.min(this.#stop, time);
    }
    this.#reportBefore(to, stepper);
    for (const e of triggered) {
      this.#show(to, this.#y);
      runTape(eventSets[e], m);
      program.events[e].set.forEach(({ state }, i) => (this.#y[state] = m[eventSets[e].outputs[i]]));
    }
    const hasSet = triggered.some((e) => program.events[e].set.length > 0);
    if (hasSet) {
      this.#show(to, this.#y);
      runTape(events, m);
      for (let e = 0; e < program.events.length; e++) this.#eventValues[e] = m[events.outputs[e]];
    }
    this.#reportUpTo(to);
    return hasSet;
  }

  #reportStep(to: number, stepper: Stepper | null): void {
    this.#reportBefore(to, stepper);
    this.#reportUpTo(to);
  }

  /** Times before `to`, states interpolated by the stepper (without one: as they are). */
  #reportBefore(to: number, stepper: Stepper | null = null): void {
    const { times } = this.#request;
    while (this.#reported < times.length && times[this.#reported] < to - halfTick) {
      const time = times[this.#reported];
      if (time > this.#stop + halfTick) return;
      if (stepper) stepper.interpolate(time, this.#between);
      this.#show(time, stepper ? this.#between : this.#y);
      this.#report();
    }
  }

  /** Times up to `to` with the states as they are. */
  #reportUpTo(to: number): void {
    const { times } = this.#request;
    while (this.#reported < times.length && times[this.#reported] <= to + halfTick) {
      const time = times[this.#reported];
      if (time > this.#stop + halfTick) return;
      this.#show(time, this.#y);
      this.#report();
    }
  }

  #report(): void {
    const { m, readouts } = this.#model;
    const { times, lanes } = this.#request;
    this.#request.readouts.forEach((readout, r) => {
      runTape(readouts[readout], m);
      this.#values[(r * times.length + this.#reported) * lanes + this.#lane] = m[readouts[readout].outputs[0]];
    });
    this.#reported++;
  }

  /** Puts time, states and the compartments of that time into the memory. */
  #show(time: number, y: Float64Array): void {
    const { m, offsets, compartments } = this.#model;
    m[offsets.time] = time;
    m.set(y, offsets.state);
    compartments?.at(time - this.#segment.start, this.#compartmentSlots);
  }

  #moveCompartments(end: number): void {
    this.#model.compartments?.at(end - this.#segment.start, this.#amounts);
  }

  #isFinite(): boolean {
    return allFinite(this.#y) && allFinite(this.#amounts);
  }

  #drawThresholds(): void {
    const { events } = this.#model.program;
    this.#cumulative.fill(0);
    this.#hasHappened.fill(0);
    for (let e = 0; e < events.length; e++) {
      philox(this.#words, this.#lane, e, 0, streams.event, this.#request.seed);
      this.#thresholds[e] = -Math.log(uniform(this.#words[0]));
    }
  }

  #normal(k: number, j: number, seed: SimulationRequest['seed']): number {
    philox(this.#words, this.#lane, k, j >> 2, streams.process, seed);
    normalPair(this.#four, 0, this.#words[0], this.#words[1]);
    normalPair(this.#four, 2, this.#words[2], this.#words[3]);
    return this.#four[j & 3];
  }

  #makeStepper(): Stepper | null {
    const { program, m, offsets, change, diffusion, jacobian, compartments } = this.#model;
    const { stepper, states } = program;
    const size = states.length;
    const readsCompartments = (reads: ReadonlySet<string>): boolean => compartments !== null && reads.has('compartment');
    const changeReadsCompartments = readsCompartments(change.reads);
    const look = (t: number, y: Float64Array, withCompartments: boolean): void => {
      m[offsets.time] = t;
      m.set(y, offsets.state);
      if (withCompartments) compartments!.at(t - this.#segment.start, this.#compartmentSlots);
    };
    const f: Derivative = (t, y, dy) => {
      look(t, y, changeReadsCompartments);
      runTape(change, m);
      this.evaluations++;
      for (let i = 0; i < size; i++) {
        const isHeld = states[i].holdsWhenNegative && y[i] < 0;
        dy[i] = isHeld ? 0 : m[change.outputs[i]] + this.#stateRates[i];
      }
    };
    if (stepper.kind === 'closed-form' || stepper.kind === 'map') return null;
    if (stepper.kind === 'rk4') return new Rk4(f, size, stepper.step);
    if (stepper.kind === 'dopri5' || stepper.kind === 'rosenbrock') {
      const options = { ...stepper, scales: Float64Array.from(states, ({ scale }) => scale) };
      if (stepper.kind === 'dopri5') return new Dopri5(f, size, options);
      invariant(jacobian, 'a program for Rosenbrock has a Jacobian');
      const isAutonomous = !change.reads.has('time') && !changeReadsCompartments;
      const jacobianReadsCompartments = readsCompartments(jacobian.reads);
      const fill = (t: number, y: Float64Array, out: Float64Array): void => {
        look(t, y, jacobianReadsCompartments);
        runTape(jacobian, m);
        for (let i = 0; i < size; i++) {
          const isHeld = states[i].holdsWhenNegative && y[i] < 0;
          for (let j = 0; j < size; j++) out[i * size + j] = isHeld ? 0 : m[jacobian.outputs[i * size + j]];
        }
      };
      return new Rosenbrock(f, fill, size, { ...options, isAutonomous });
    }
    const diffusionReadsCompartments = readsCompartments(diffusion.reads);
    const g: Derivative = (t, y, out) => {
      look(t, y, diffusionReadsCompartments);
      runTape(diffusion, m);
      for (let i = 0; i < size; i++) out[i] = m[diffusion.outputs[i]];
    };
    const normals = (k: number, out: Float64Array): void => {
      for (let i = 0; i < size; i++) out[i] = this.#normalOf[i] < 0 ? 0 : this.#normal(k, this.#normalOf[i], this.#request.seed);
    };
    invariant(stepper.kind === 'heun' || stepper.kind === 'euler-maruyama', 'every stepper is made here');
    const options = { origin: this.#timeline.segments[0].start, step: stepper.step, normals };
    return stepper.kind === 'heun' ? new Heun(f, g, size, options) : new EulerMaruyama(f, g, size, options);
  }
}
