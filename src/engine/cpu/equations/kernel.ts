import { streams } from '#numerics/random.ts';
import type { CompiledEvent, Expr, Program } from '#packs/equations/program.ts';
import { Dopri5Code, RosenbrockCode } from './adaptive-steps.ts';
import { EulerMaruyamaCode, HeunCode, MapCode, Rk4Code } from './fixed-steps.ts';
import type { Columns, Scratch } from './memory-plan.ts';
import { Motion, segmentRoots, stepEntry, StepNoise, type StepperCode } from './motion.ts';
import { ProgramCode } from './program-code.ts';
import type { VectorType } from './vectors.ts';
import {
  control,
  f64,
  i32,
  sequence,
  v128,
  type Code,
  type FunctionHandle,
  type FunctionScope,
  type Local,
} from './wasm-bytes.ts';

/** Where the caller finds and puts things in a kernel's memory; see `ProgramCode`. */
export interface KernelLayout {
  readonly code: ProgramCode;
  readonly eventTimes: Columns;
  /** For `roundKeys`. */
  readonly keysAddress: number;
}

/** Each takes the bytes of a column that the block fills: 16 a vector of lanes. */
export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  /** Parameters, and what of the compartments hangs on them, from covariates and effects. */
  parameters(end: number): void;
  /** Lanes at the start of a timeline, from the first segment's context. */
  initialise(end: number): void;
  /** The report of the very first instant, to row 0. */
  reportStart(end: number): void;
  /** What happens when a segment begins. */
  enter(end: number): void;
  /** From the segment's start to its end, with reports. */
  run(end: number): void;
}

/**
 * Writes the module of a program, hoisted already: lane-run.ts of the reference engine for one vector of lanes at a time. What it says
 * of the order of things holds here.
 */
export function writeKernel(
  program: Program,
  v: VectorType,
  hoisted: number,
  laneCovariates: readonly number[],
  readouts: readonly number[],
): { bytes: Uint8Array<ArrayBuffer>; layout: KernelLayout } {
  const code = new ProgramCode(program, v, hoisted, laneCovariates, segmentRoots(program, readouts));
  const writer = new KernelWriter(code, readouts);
  writer.write();
  const pages = Math.ceil(code.memory.top / 65_536);
  code.module.data(0, code.pool.bytes);
  return {
    bytes: code.module.encode(pages),
    layout: { code, eventTimes: writer.eventTimes, keysAddress: writer.noise.writer.keysAddress },
  };
}

class KernelWriter {
  readonly eventTimes: Columns;
  readonly noise: StepNoise;
  readonly #code: ProgramCode;
  readonly #readouts: readonly number[];
  readonly #motion: Motion;
  readonly #stepper: StepperCode | null;
  readonly #eventValues: Columns;
  readonly #cumulative: Columns;
  readonly #thresholds: Columns;
  /** Event values at the end of the step, and lanes in which the event has happened in it. */
  readonly #nextValues: Scratch;
  readonly #happens: Scratch;
  /** Nothing later is reported, in time since the segment's start. */
  readonly #stop: Scratch;
  /** The next time each lane reports, its number in the table (four i32), and lanes whose turn it is. */
  readonly #nextReport: Scratch;
  readonly #reported: Scratch;
  readonly #due: Scratch;
  readonly #report: FunctionHandle;
  readonly #eventValuesNow: FunctionHandle;

  constructor(code: ProgramCode, readouts: readonly number[]) {
    this.#code = code;
    this.#readouts = readouts;
    this.noise = new StepNoise(code);
    this.#motion = new Motion(code);
    this.#stepper = makeStepper(this.#motion, this.noise);
    const { memory, program } = code;
    const events = program.events.length;
    this.eventTimes = memory.columns(events);
    this.#eventValues = memory.columns(events);
    this.#cumulative = memory.columns(events);
    this.#thresholds = memory.columns(events);
    this.#nextValues = memory.scratch(events);
    this.#happens = memory.scratch(events);
    this.#stop = memory.scratch(1);
    this.#nextReport = memory.scratch(1);
    this.#reported = memory.scratch(1);
    this.#due = memory.scratch(1);
    this.#report = code.module.function(null, ['i32'], [], (scope, lane) => this.#writeReport(scope, lane));
    this.#eventValuesNow = code.module.function(null, ['i32'], [], (scope, lane) => this.#writeEventValues(scope, lane));
  }

  write(): void {
    this.#eachVector('parameters', (scope, lane) => this.#parameters(scope, lane));
    this.#eachVector('initialise', (scope, lane) => this.#initialise(scope, lane));
    this.#eachVector('reportStart', (scope, lane) => this.#reportStart(scope, lane));
    this.#eachVector('enter', (scope, lane) => this.#enter(scope, lane));
    this.#eachVector('run', (scope, lane) => this.#run(scope, lane));
  }

  #eachVector(name: keyof KernelExports, body: (scope: FunctionScope, lane: Local) => Code): void {
    this.#code.module.function(name, ['i32'], [], (scope, end) => {
      const lane = scope.local('i32');
      return control.for(lane, i32.const(0), end.get, 16, body(scope, lane));
    });
  }

  #parameters(scope: FunctionScope, lane: Local): Code {
    const code = this.#code;
    const { parameters, compartments } = code.program;
    const roots: Expr[] = parameters.map(({ value }) => value);
    const ofCompartments = (): Expr[] => {
      const { clearance, volume, peripherals, absorptionRate, effectSiteRate } = compartments!;
      const optional = [absorptionRate, effectSiteRate].filter((expr) => expr !== null);
      return [clearance, volume, ...peripherals.flatMap(({ flow, volume }) => [flow, volume]), ...optional];
    };
    const emitter = code.atStart(scope, lane, compartments ? [...roots, ...ofCompartments()] : roots);
    const own = roots.map((root, i) => code.columns.parameters.set(lane, i, emitter.value(root)));
    if (!compartments) return own;
    // Asked for in the order in which `setRates` runs them.
    const clearance = emitter.value(compartments.clearance);
    const volume = emitter.value(compartments.volume);
    const peripherals = compartments.peripherals.map(({ flow, volume }) => [emitter.value(flow), emitter.value(volume)] as const);
    const rates = {
      clearance,
      volume,
      flows: peripherals.map(([flow]) => flow),
      volumes: peripherals.map(([, volume]) => volume),
      absorption: compartments.absorptionRate && emitter.value(compartments.absorptionRate),
      equilibration: compartments.effectSiteRate && emitter.value(compartments.effectSiteRate),
    };
    return sequence(own, code.compartments!.setRates(scope, lane, rates));
  }

  #initialise(scope: FunctionScope, lane: Local): Code {
    const code = this.#code;
    const { v, program, columns, scalars, compartments } = code;
    const memories = program.memory.map(({ initial }) => initial);
    const initials = program.states.map(({ initial }) => initial);
    const given = (i: number): Code => scalars.initialStates.get(i);
    const memoryEmitter = code.atStart(scope, lane, memories);
    const remembered = memories.map(() => scope.local('v128'));
    const stateEmitter = code.atStart(scope, lane, initials);
    const steadyInput = compartments ? this.#steadyInputs(scope, lane) : [];
    return sequence(
      code.stageTime.set(0, code.number(0)),
      memories.map((expr, i) => remembered[i].set(memoryEmitter.value(expr))),
      remembered.map((local, i) => columns.memory.set(lane, i, local.get)),
      initials.map((expr, i) => {
        const own = stateEmitter.value(expr);
        return columns.states.set(lane, i, v128.select(v.eq(given(i), given(i)), given(i), own));
      }),
      compartments ? Array.from({ length: compartments.size }, (_, i) => compartments.start.set(lane, i, code.number(0))) : [],
      steadyInput,
      program.events.map((_, e) => [
        this.noise.writer.draw(code.laneNumber(lane), i32.const(e), i32.const(0), i32.const(streams.event)),
        this.#thresholds.set(lane, e, v.neg(code.math.apply('log', v, this.noise.writer.uniform(0)))),
        this.#cumulative.set(lane, e, code.number(0)),
        this.eventTimes.set(lane, e, code.number(NaN)),
      ]),
      this.#stepper?.reset(lane) ?? [],
      this.#check(scope, lane),
    );
  }

  /** The compartments in the steady state, if the timeline asks for it, through whichever input it names. */
  #steadyInputs(scope: FunctionScope, lane: Local): Code {
    const code = this.#code;
    const { v, program, scalars } = code;
    const compartments = code.compartments!;
    const [amount, rate, whole, rest, interval] = [0, 1, 2, 3, 4].map((index) => scalars.steadyState.get(index));
    return control.if(
      code.word('isSteady'),
      program.inputs.map(({ into, bioavailability }, input) => {
        if (into.kind === 'state') return [];
        const isDepot = into.index === compartments.depot;
        const through = code.module.function(null, ['i32', 'v128'], [], (inner, own, share) => {
          const time = inner.local('v128');
          const flow = inner.local('v128');
          const isLeft = v.lt(code.number(0), rest);
          const move = (length: Code): Code => [
            compartments.begin(own, isDepot ? flow.get : code.number(0), isDepot ? code.number(0) : flow.get),
            time.set(length),
            compartments.at(inner, own, time),
          ];
          return sequence(
            compartments.start.set(own, into.index, v.add(compartments.start.get(own, into.index), v.mul(amount, share.get))),
            control.if(v128.anyTrue(isLeft), [
              flow.set(v.mul(v.mul(rate, v.add(whole, code.number(1))), share.get)),
              move(rest),
              compartments.keep(own),
            ]),
            flow.set(v.mul(v.mul(rate, whole), share.get)),
            move(v.sub(interval, rest)),
          );
        });
        const share = scope.local('v128');
        const emitter = code.atStart(scope, lane, [bioavailability]);
        return control.if(i32.eq(code.word('isSteady'), i32.const(input + 1)), [
          share.set(emitter.value(bioavailability)),
          compartments.steadyState(scope, lane, interval, through.call(lane.get, share.get)),
        ]);
      }),
    );
  }

  /** States and compartments at the segment's start, as formulas read them. */
  #showStart(lane: Local): Code {
    const code = this.#code;
    const { compartments, columns } = code;
    return sequence(
      code.stageTime.set(0, code.number(0)),
      this.#motion.each((i) => code.stage.set(i, columns.states.get(lane, i))),
      compartments
        ? Array.from({ length: compartments.size }, (_, i) => compartments.now.set(i, compartments.start.get(lane, i)))
        : [],
    );
  }

  #reportStart(scope: FunctionScope, lane: Local): Code {
    const code = this.#code;
    const { compartments } = code;
    return sequence(
      compartments ? compartments.begin(lane, code.number(0), code.number(0)) : [],
      this.#showStart(lane),
      code.hold(scope, lane),
      this.#beginReports(),
      this.#due.set(0, code.columns.running.get(lane)),
      this.#report.call(lane.get),
    );
  }

  #enter(scope: FunctionScope, lane: Local): Code {
    const code = this.#code;
    const { v, program, columns, scalars, compartments } = code;
    const memories = program.memory.map(({ atSegmentStart }) => atSegmentStart);
    const memoryEmitter = code.atStart(scope, lane, memories);
    const remembered = memories.map(() => scope.local('v128'));
    const set = (i: number): Code => scalars.setStates.get(i);
    const depotRate = scope.local('v128');
    const centralRate = scope.local('v128');
    const available = scope.local('v128');
    const add = (target: Columns, index: number, amount: Code): Code =>
      target.set(lane, index, v.add(target.get(lane, index), v.mul(amount, available.get)));
    const arrivals = program.inputs.map(({ into, bioavailability }, i) => {
      const emitter = code.atStart(scope, lane, [bioavailability]);
      const dose = scalars.doses.get(i);
      const rate = scalars.rates.get(i);
      const isDepot = into.kind === 'compartment' && into.index === compartments!.depot;
      const total = isDepot ? depotRate : centralRate;
      // An amount of 0 stays 0 whatever the bioavailability.
      return control.if(v128.anyTrue(v128.or(dose, rate)), [
        available.set(emitter.value(bioavailability)),
        into.kind === 'state'
          ? [add(columns.states, into.index, dose), add(columns.stateRates, into.index, rate)]
          : [add(compartments!.start, into.index, dose), total.set(v.add(total.get, v.mul(rate, available.get)))],
      ]);
    });
    return sequence(
      this.#motion.each((i) =>
        columns.states.set(lane, i, v128.select(v.eq(set(i), set(i)), set(i), columns.states.get(lane, i))),
      ),
      this.#showStart(lane),
      memories.map((expr, i) => remembered[i].set(memoryEmitter.value(expr))),
      remembered.map((local, i) => columns.memory.set(lane, i, local.get)),
      this.#motion.each((i) => columns.stateRates.set(lane, i, code.number(0))),
      depotRate.set(code.number(0)),
      centralRate.set(code.number(0)),
      arrivals,
      compartments ? compartments.begin(lane, depotRate.get, centralRate.get) : [],
      code.hold(scope, lane),
      this.#showStart(lane),
      this.#startEvents(lane),
      this.#check(scope, lane),
    );
  }

  /** Hazards begin at each segment's start anew, crossings only at the timeline's. */
  #startEvents(lane: Local): Code {
    const code = this.#code;
    const { events } = code.program;
    if (events.length === 0) return [];
    const keep = (kind: CompiledEvent['kind']): Code =>
      events.map((event, e) => (event.kind === kind ? this.#eventValues.set(lane, e, this.#nextValues.get(e)) : []));
    return sequence(this.#eventValuesNow.call(lane.get), keep('hazard'), control.if(code.word('isFirst'), keep('crossing')));
  }

  /** Lanes whose states or amounts are no numbers are followed no further. */
  #check(scope: FunctionScope, lane: Local): Code {
    const code = this.#code;
    const { columns, compartments } = code;
    const broken = scope.local('v128');
    const values = [
      ...Array.from({ length: columns.states.count }, (_, i) => columns.states.get(lane, i)),
      ...Array.from({ length: compartments?.size ?? 0 }, (_, i) => compartments!.start.get(lane, i)),
    ];
    return sequence(broken.set(v128.andnot(columns.running.get(lane), code.areFinite(values))), code.diverge(lane, broken));
  }

  #beginReports(): Code {
    const { v } = this.#code;
    return sequence(
      this.#reported.set(0, this.#code.math.vector(new Uint8Array(16))),
      this.#nextReport.set(0, v.broadcast(this.#code.word('rows'))),
    );
  }

  /** Read-outs of the instant that is shown, for lanes that are due, which then look forward to their next report. */
  #writeReport(scope: FunctionScope, lane: Local): Code {
    const code = this.#code;
    const { v, program, memory } = code;
    const roots = this.#readouts.map((index) => program.readouts[index].value);
    const emitter = code.inSegment(scope, lane, roots);
    const values = roots.map(() => scope.local('v128'));
    const bits = scope.local('i32');
    const row = scope.local('i32');
    const to = scope.local('i32');
    const { address: reported } = this.#reported;
    const { address: next } = this.#nextReport;
    const zero = i32.const(0);
    return sequence(
      code.showCompartmentsFor(roots, lane),
      roots.map((root, r) => values[r].set(emitter.value(root))),
      bits.set(v.bits(this.#due.get())),
      Array.from({ length: v.lanes }, (_, l) =>
        control.if(i32.and(bits.get, i32.const(1 << l)), [
          row.set(i32.load(zero, reported + 4 * l)),
          to.set(
            i32.add(i32.add(code.word('reports'), i32.mul(row.get, i32.const(roots.length * memory.columnBytes))), lane.get),
          ),
          values.map((value, r) => v.storeLane(l, to.get, value.get, r * memory.columnBytes + l * v.bytes)),
          row.set(i32.add(row.get, i32.const(1))),
          i32.store(zero, row.get, reported + 4 * l),
          this.#lookForward(row, next + l * v.bytes),
        ]),
      ),
    );
  }

  /** Copies time `row` of the table to an address, as bits. */
  #lookForward(row: Local, address: number): Code {
    const { v } = this.#code;
    const from = i32.add(this.#code.word('rows'), i32.mul(row.get, i32.const(v.bytes)));
    return v.bytes === 4 ? i32.store(i32.const(0), i32.load(from), address) : f64.store(i32.const(0), f64.load(from), address);
  }

  #run(scope: FunctionScope, lane: Local): Code {
    const code = this.#code;
    const { compartments, scalars } = code;
    const stepper = this.#stepper;
    return sequence(
      this.#beginReports(),
      stepper ? this.#step(scope, lane, stepper) : this.#reportAll(lane),
      compartments ? [code.stageTime.set(0, scalars.length.get()), code.showCompartments(lane), compartments.keep(lane)] : [],
      this.#check(scope, lane),
    );
  }

  /** Without a stepper, all reports of the segment follow from its start. */
  #reportAll(lane: Local): Code {
    const code = this.#code;
    const { v } = code;
    const next = this.#nextReport.get();
    const due = this.#due.set(0, v128.and(code.columns.running.get(lane), v.le(next, code.scalars.length.get())));
    return sequence(
      due,
      control.while(v128.anyTrue(this.#due.get()), [code.stageTime.set(0, next), this.#report.call(lane.get), due]),
    );
  }

  #step(scope: FunctionScope, lane: Local, stepper: StepperCode): Code {
    const code = this.#code;
    const { v, columns, scalars } = code;
    const motion = this.#motion;
    const { before, after, from, to, active, done, hasSet } = motion;
    const step = scope.local('i32');
    const isUnfinished = v128.anyTrue(active.get());
    const goesOn = stepper.usesTable ? i32.and(i32.lt(step.get, code.word('stepsEnd')), isUnfinished) : isUnfinished;
    const next = this.#nextReport.get();
    // Half a tick of timeline.ts, as far as the numbers of the lanes can tell.
    const inTime = v.le(next, v.add(this.#stop.get(), code.number(5e-7)));
    const reportWhile = (isDue: () => Code, show: Code): Code => {
      const due = this.#due.set(0, v128.and(v128.and(done.get(), inTime), isDue()));
      return [due, control.while(v128.anyTrue(this.#due.get()), [show, this.#report.call(lane.get), due])];
    };
    return sequence(
      motion.each((i) => before.set(i, columns.states.get(lane, i))),
      from.set(0, code.number(0)),
      to.set(0, code.number(0)),
      this.#stop.set(0, code.number(Infinity)),
      active.set(0, v128.and(columns.running.get(lane), v.lt(code.number(0), scalars.length.get()))),
      done.set(0, code.math.vector(new Uint8Array(16))),
      stepper.prepare(scope, lane),
      step.set(code.word('steps')),
      control.while(goesOn, [
        hasSet.set(0, code.math.vector(new Uint8Array(16))),
        stepper.attempt(scope, lane, step),
        this.#lookForEvents(scope, lane),
        reportWhile(() => v.lt(next, to.get()), stepper.interpolate(scope, lane, next)),
        this.#setByEvents(lane),
        reportWhile(
          () => v.le(next, to.get()),
          motion.show(next, (i) => after.get(i)),
        ),
        active.set(
          0,
          v128.and(
            active.get(),
            v128.not(v128.and(done.get(), v128.or(v.le(scalars.length.get(), to.get()), this.#isStopped()))),
          ),
        ),
        stepper.settle(scope, lane),
        motion.each((i) => before.set(i, v128.select(done.get(), after.get(i), before.get(i)))),
        from.set(0, v128.select(done.get(), to.get(), from.get())),
        step.set(i32.add(step.get, i32.const(stepEntry.bytes))),
      ]),
      // A map asked between its steps: what is left of the segment holds no whole one.
      code.program.stepper.kind === 'map'
        ? [
            done.set(0, columns.running.get(lane)),
            to.set(0, scalars.length.get()),
            reportWhile(
              () => v.le(next, to.get()),
              motion.show(next, (i) => before.get(i)),
            ),
          ]
        : [],
      motion.each((i) => columns.states.set(lane, i, before.get(i))),
      columns.running.set(lane, 0, v128.andnot(columns.running.get(lane), this.#isStopped())),
    );
  }

  #isStopped(): Code {
    const { v } = this.#code;
    return v.lt(this.#stop.get(), this.#code.number(Infinity));
  }

  /** Which events happen in the step that was done, and when. */
  #lookForEvents(scope: FunctionScope, lane: Local): Code {
    const code = this.#code;
    const { events } = code.program;
    if (events.length === 0) return [];
    const { v, scalars } = code;
    const motion = this.#motion;
    const { after, from, to, done } = motion;
    const isMap = code.program.stepper.kind === 'map';
    const local = () => scope.local('v128');
    const [happens, share, time, sum, missing] = [local(), local(), local(), local(), local()];
    const zero = code.number(0);
    return sequence(
      motion.show(to.get(), (i) => after.get(i)),
      this.#eventValuesNow.call(lane.get),
      events.map(({ kind, terminal }, e) => {
        const previous = this.#eventValues.get(lane, e);
        const value = this.#nextValues.get(e);
        const known = this.eventTimes.get(lane, e);
        const crossing = [
          happens.set(v128.and(done.get(), v128.and(v.lt(previous, zero), v.le(zero, value)))),
          share.set(v.div(previous, v.sub(previous, value))),
        ];
        const mean = isMap ? value : v.mul(v.add(previous, value), code.number(0.5));
        const cumulative = this.#cumulative.get(lane, e);
        const threshold = this.#thresholds.get(lane, e);
        const hazard = [
          sum.set(v.add(cumulative, v.mul(v.sub(to.get(), from.get()), mean))),
          missing.set(v.sub(threshold, cumulative)),
          happens.set(v128.and(v128.andnot(done.get(), v.eq(known, known)), v.le(threshold, sum.get))),
          share.set(v.div(missing.get, v.add(missing.get, v.sub(sum.get, threshold)))),
          this.#cumulative.set(lane, e, v128.select(done.get(), sum.get, cumulative)),
        ];
        const absolute = v.add(scalars.start.get(), time.get);
        return sequence(
          kind === 'crossing' ? crossing : hazard,
          time.set(isMap ? to.get() : v.add(from.get(), v.mul(v.sub(to.get(), from.get()), share.get))),
          this.eventTimes.set(lane, e, v128.select(v128.andnot(happens.get, v.eq(known, known)), absolute, known)),
          terminal ? this.#stop.set(0, v128.select(happens.get, v.pmin(this.#stop.get(), time.get), this.#stop.get())) : [],
          this.#eventValues.set(lane, e, v128.select(done.get(), value, previous)),
          this.#happens.set(e, happens.get),
        );
      }),
    );
  }

  /** Event values of the instant that is shown. */
  #writeEventValues(scope: FunctionScope, lane: Local): Code {
    const code = this.#code;
    const roots = code.program.events.map(({ of }) => of);
    const emitter = code.inSegment(scope, lane, roots);
    return sequence(
      code.showCompartmentsFor(roots, lane),
      roots.map((root, e) => this.#nextValues.set(e, emitter.value(root))),
    );
  }

  /** What the events of the step set, at its end, one event after the other. */
  #setByEvents(lane: Local): Code {
    const code = this.#code;
    const { events } = code.program;
    const motion = this.#motion;
    const { after, to, hasSet } = motion;
    const setting = events.map((event, e) => ({ ...event, e })).filter(({ set }) => set.length > 0);
    if (setting.length === 0) return [];
    return sequence(
      setting.map(({ set, e }) => {
        const roots = set.map(({ to }) => to);
        const write = code.module.function(null, ['i32'], [], (scope, own) => {
          const emitter = code.inSegment(scope, own, roots);
          const results = roots.map(() => scope.local('v128'));
          return sequence(
            code.showCompartmentsFor(roots, own),
            roots.map((root, i) => results[i].set(emitter.value(root))),
            set.map(({ state }, i) => after.set(state, v128.select(this.#happens.get(e), results[i].get, after.get(state)))),
          );
        });
        return control.if(v128.anyTrue(this.#happens.get(e)), [
          motion.show(to.get(), (i) => after.get(i)),
          write.call(lane.get),
          hasSet.set(0, v128.or(hasSet.get(), this.#happens.get(e))),
        ]);
      }),
      control.if(v128.anyTrue(hasSet.get()), [
        motion.show(to.get(), (i) => after.get(i)),
        this.#eventValuesNow.call(lane.get),
        events.map((_, e) =>
          this.#eventValues.set(lane, e, v128.select(hasSet.get(), this.#nextValues.get(e), this.#eventValues.get(lane, e))),
        ),
      ]),
    );
  }
}

function makeStepper(motion: Motion, noise: StepNoise): StepperCode | null {
  const { stepper } = motion.code.program;
  switch (stepper.kind) {
    case 'closed-form':
      return null;
    case 'rk4':
      return new Rk4Code(motion);
    case 'dopri5':
      return new Dopri5Code(motion, stepper);
    case 'rosenbrock':
      return new RosenbrockCode(motion, stepper);
    case 'euler-maruyama':
      return new EulerMaruyamaCode(motion, noise);
    case 'heun':
      return new HeunCode(motion, noise);
    case 'map':
      return new MapCode(motion, noise);
  }
}
