/**
 * A program as one compute module: an invocation takes one lane through one timeline, all segments and steps in one loop, as
 * `reference/lane-run.ts` does. States, parameters and whatever stays the same within a covariate row or a segment are private
 * variables with names of their own, so that a compiler may keep them in registers; formulas of the moment are functions of time
 * and states. The text is made of the checked tree alone (see formulas.wgsl.ts).
 */
import { invariant } from '#domain/errors.ts';
import { streams } from '#numerics/random.ts';
import type { Expr, Program } from '#packs/equations/program.ts';
import { struct, type Struct } from '../../layout.ts';
import { compartmentShape, compartmentsWgsl } from './compartments.wgsl.ts';
import { formulaMathsWgsl } from './formula-maths.wgsl.ts';
import { indent, literal, type FormulaBlock } from './formulas.wgsl.ts';
import { LaneVariables } from './lane-variables.wgsl.ts';
import { scalarLogarithmWgsl, scalarRandomWgsl } from './random.wgsl.ts';
import { stepperWgsl, sumOfSizes, type StepperModule } from './steppers.wgsl.ts';

/** What of a request shapes the text, besides the program. Lists are ascending indices. */
export interface SimulationVariant {
  readonly readouts: readonly number[];
  /** Covariates that differ between lanes. */
  readonly laneCovariates: readonly number[];
  /** States that some segment sets. */
  readonly setStates: readonly number[];
  /** States whose initial value is given. */
  readonly givenStates: readonly number[];
  readonly hasSteadyState: boolean;
  readonly hasGivenNoise: boolean;
  readonly workgroupSize: number;
}

export interface SimulationKernel {
  readonly wgsl: string;
  readonly timeline: Struct<string>;
  readonly segment: Struct<string>;
  /** Columns of the lanes' buffer: effects by index and occasion, then lane covariates. False where no formula reads any. */
  readonly readsLanes: boolean;
}

export const simulationSizes = struct('Sizes', {
  /** Number of the first lane, for random numbers; lanes of this dispatch, and of a column of the buffers. */
  firstLane: 'u32',
  lanes: 'u32',
  firstTimeline: 'u32',
  timelines: 'u32',
  times: 'u32',
  /** Where in \`answers\` values end and event times, divergence and evaluations begin. */
  eventsAt: 'u32',
  divergedAt: 'u32',
  evaluationsAt: 'u32',
  /** Where in \`tables\` given initial states and given noise begin. */
  initialAt: 'u32',
  noiseAt: 'u32',
  laneCovariatesAt: 'u32',
  seedLow: 'u32',
  seedHigh: 'u32',
  infinity: 'f32',
  notANumber: 'f32',
});

/** `program` has been through `hoistProgram` with the same lane covariates. */
export function simulationWgsl(program: Program, variant: SimulationVariant): SimulationKernel {
  return new ModuleWriter(program, variant).write();
}

class ModuleWriter implements StepperModule {
  readonly program: Program;
  readonly variant: SimulationVariant;
  readonly #variables: LaneVariables;

  constructor(program: Program, variant: SimulationVariant) {
    this.program = program;
    this.variant = variant;
    this.#variables = new LaneVariables(program, variant.laneCovariates);
  }

  parameters(): string {
    return ['t: f32', ...this.program.states.map((_, i) => `x${i}: f32`)].join(', ');
  }

  declare(name: string, type?: string): string {
    return this.#variables.declare(name, type);
  }

  instant(): FormulaBlock {
    return this.#variables.block('instant');
  }

  write(): SimulationKernel {
    const { program, variant } = this;
    const shape = program.compartments && compartmentShape(program.compartments);
    const timeline = record('Timeline', {
      firstSegment: 'u32',
      segments: 'u32',
      reportsAt: 'u32',
      startReports: 'u32',
      ...(variant.hasSteadyState
        ? { steadyInput: 'u32', steadyAmount: 'f32', steadyDuration: 'f32', steadyInterval: 'f32' }
        : {}),
    });
    const segment = record('Segment', segmentFields(program, variant));
    // Formulas of the moment first, then of the segment, then of the row: each asks for constants of those after it.
    const moment = [
      ...(program.stepper.kind === 'closed-form' ? [] : [this.#changes()]),
      this.#report(),
      this.#events(),
      stepperWgsl(this),
      this.#enterSegment(),
      this.#startLane(),
    ];
    const ofSegment = this.#startSegment();
    const ofRow = this.#startRow();
    const body = this.#main();
    const wgsl = /* wgsl */ `
${simulationSizes.wgsl}
${timeline.wgsl}
${segment.wgsl}
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> timelines: array<Timeline>;
@group(0) @binding(2) var<storage, read> segments: array<Segment>;
/** Covariate rows with hoisted values, then [timeline][time] since the segment's start, then what is given. */
@group(0) @binding(3) var<storage, read> tables: array<f32>;
/** [timeline] of [readout][time][lane], then of [event][lane], [lane], [lane]: the bits of numbers. */
@group(0) @binding(4) var<storage, read_write> answers: array<u32>;
${this.#variables.readsLanes ? '/** [column][lane]. */\n@group(0) @binding(5) var<storage, read> lanes: array<f32>;' : ''}
var<private> lane: u32;
var<private> segmentAt: u32;
var<private> reportsAt: u32;
var<private> valuesAt: u32;
/** The next time to be reported. */
var<private> next: u32;
var<private> endReport: u32;
var<private> begin: f32;
var<private> span: f32;
/** Since the segment's start: nothing later is reported. */
var<private> stopAt: f32;
var<private> isOver: bool;
var<private> isBroken: bool;
var<private> evaluations: u32;
${this.#variables.declarations}

fn infinite() -> f32 {
  return sizes.infinity;
}

fn notANumber() -> f32 {
  return sizes.notANumber;
}
${this.#drawsNumbers ? scalarRandomWgsl : `\n${scalarLogarithmWgsl}`}
${formulaMathsWgsl}
${shape ? compartmentsWgsl(shape, variant.hasSteadyState) : ''}
${ofRow}
${ofSegment}
${moment.join('\n')}
${body}`;
    return { wgsl: tidy(wgsl), timeline, segment, readsLanes: this.#variables.readsLanes };
  }

  get #drawsNumbers(): boolean {
    const { stepper, noises, events } = this.program;
    return (
      stepper.kind === 'heun' ||
      stepper.kind === 'euler-maruyama' ||
      (noises.length > 0 && !this.variant.hasGivenNoise) ||
      events.some(({ kind }) => kind === 'hazard')
    );
  }

  #startRow(): string {
    const { compartments } = this.program;
    const block = this.#variables.block('row');
    const split: string[] = [];
    if (compartments) {
      const { clearance, volume, peripherals, absorptionRate, effectSiteRate } = compartments;
      const values = [clearance, volume, ...peripherals.flatMap((each) => [each.flow, each.volume])].map((expr) =>
        block.value(expr),
      );
      if (absorptionRate) split.push(`absorption = ${block.value(absorptionRate)};`);
      if (effectSiteRate) split.push(`equilibration = ${block.value(effectSiteRate)};`);
      split.push(`splitBody(${values.join(', ')});`);
    }
    const constants = this.#variables.assignRow(block);
    return `
/** Parameters and what hangs on them and on covariates alone. */
fn startRow() {
  let row = segments[segmentAt].row;
  let occasion = segments[segmentAt].occasion;
${constants}
${indent(split)}
}`;
  }

  #startSegment(): string {
    return `
/** What stays the same within the segment. */
fn startSegment() {
${this.#variables.assignSegment()}
}`;
  }

  #startLane(): string {
    const { program, variant } = this;
    const memory = this.#variables.block('segment', 'w');
    const memoryValues = program.memory.map(({ initial }) => memory.value(initial));
    const block = this.#variables.block('segment');
    const states = program.states.map(({ initial }, i) => {
      const given = variant.givenStates.indexOf(i);
      return `x${i} = ${given < 0 ? block.value(initial) : `tables[sizes.initialAt + ${given}u]`};`;
    });
    const steady: string[] = [];
    if (variant.hasSteadyState) {
      const { compartments, inputs } = program;
      invariant(compartments, 'only compartments start in a steady state');
      const { hasDepot } = compartmentShape(compartments);
      steady.push('let timeline = timelines[timelineAt];', 'if (timeline.steadyInterval > 0f) {', '  var isDepot = false;');
      steady.push('  var amount = timeline.steadyAmount;');
      inputs.forEach(({ into, bioavailability }, i) => {
        if (into.kind !== 'compartment') return;
        const isDepot = hasDepot && into.index === 0;
        steady.push(`  if (timeline.steadyInput == ${i}u) { amount *= ${block.value(bioavailability)}; isDepot = ${isDepot}; }`);
      });
      steady.push('  startInSteadyState(isDepot, amount, timeline.steadyDuration, timeline.steadyInterval);', '}');
    }
    program.states.forEach((_, i) => this.declare(`x${i}`));
    program.memory.forEach((_, i) => this.declare(`memory${i}`));
    return `
fn startLane(timelineAt: u32) {
  let t = 0f;
${indent([...memory.lines, ...memoryValues.map((value, i) => `memory${i} = ${value};`)])}
${indent([...block.lines, ...states, ...steady])}
}`;
  }

  /** What happens at the start of a segment, after its instant has been reported. */
  #enterSegment(): string {
    const { program, variant } = this;
    const sets = variant.setStates.map((i) => `if ((*segment).isSet${i} != 0u) { x${i} = (*segment).set${i}; }`);
    // Old memory is read from its variables, so nothing here may be a constant of the segment.
    const block = this.#variables.block('segment');
    const memory = program.memory.map(({ atSegmentStart }, i) => ({ i, value: block.value(atSegmentStart) }));
    const memoryLines = [...block.lines, ...memory.map(({ i, value }) => `let next${i} = ${value};`)];
    const memoryEnds = memory.map(({ i }) => `memory${i} = next${i};`);
    const available = this.#variables.block('segment', 'w');
    const shape = program.compartments && compartmentShape(program.compartments);
    const rates: string[] = [];
    const doses: string[] = [];
    const zeros = new Set<string>();
    if (shape) zeros.add('intoCentral = 0f;');
    if (shape?.hasDepot) zeros.add('intoDepot = 0f;');
    program.inputs.forEach(({ into, bioavailability }, i) => {
      const share = available.value(bioavailability);
      let rate: string;
      if (into.kind === 'state') {
        rate = this.declare(`into${into.index}`);
        zeros.add(`${rate} = 0f;`);
        doses.push(`if ((*segment).dose${i} != 0f) { x${into.index} += (*segment).dose${i} * ${share}; }`);
      } else {
        rate = shape?.hasDepot && into.index === 0 ? 'intoDepot' : 'intoCentral';
        doses.push(`if ((*segment).dose${i} != 0f) { addTo${into.index}((*segment).dose${i} * ${share}); }`);
      }
      rates.push(`if ((*segment).rate${i} != 0f) { ${rate} += (*segment).rate${i} * ${share}; }`);
    });
    return `
fn enterSegment() {
  let segment = &segments[segmentAt];
  let t = 0f;
${indent([...sets, ...[...zeros]])}
${indent([...memoryLines, ...memoryEnds])}
${indent([...available.lines, ...doses, ...rates])}
}`;
  }

  /** Whether a state gets a rate from some input. */
  #hasRate(state: number): boolean {
    return this.program.inputs.some(({ into }) => into.kind === 'state' && into.index === state);
  }

  /** `slopes` (or `nextStates` of a map) and, for stochastic steppers, `spreads`. */
  #changes(): string {
    const { states, stepper, noises } = this.program;
    const isMap = stepper.kind === 'map';
    const block = this.instant();
    const values = states.map(({ change, holdsWhenNegative }, i) => {
      const value = block.value(change);
      if (!this.#hasRate(i)) return holdsWhenNegative && !isMap ? `select(${value}, 0f, x${i} < 0f)` : value;
      if (isMap) return `${value} + ${literal(stepper.step)} * into${i}`;
      return holdsWhenNegative ? `select(${value} + into${i}, 0f, x${i} < 0f)` : `${value} + into${i}`;
    });
    const noiseParameters = noises.map((_, j) => `, noise${j}: f32`).join('');
    const fields = states.map((_, i) => `d${i}: f32`).join(', ');
    const main = `
struct Slopes { ${fields} }
/** ${isMap ? 'The states one step later' : 'd/dt of the states'}, t after the segment's start. */
fn ${isMap ? 'nextStates' : 'slopes'}(${this.parameters()}${noiseParameters}) -> Slopes {
${indent(block.lines)}
  return Slopes(${values.join(', ')});
}`;
    if (stepper.kind !== 'heun' && stepper.kind !== 'euler-maruyama') return main;
    const spread = this.instant();
    const spreads = states.map(({ diffusion }) => (diffusion ? spread.value(diffusion) : '0f'));
    return `${main}
/** The factors before dW. */
fn spreads(${this.parameters()}) -> Slopes {
${indent(spread.lines)}
  return Slopes(${spreads.join(', ')});
}`;
  }

  /** States that the asked read-outs read: only these are interpolated. */
  get reportedStates(): ReadonlySet<number> {
    const found = new Set<number>();
    const seen = new Set<Expr>();
    const look = (expr: Expr): void => {
      if (seen.has(expr)) return;
      seen.add(expr);
      if (expr.op === 'number') return;
      if (expr.op !== 'read') expr.args.forEach(look);
      else if (expr.from === 'algebra') look(this.program.algebra[expr.index].value);
      else if (expr.from === 'state') found.add(expr.index);
    };
    for (const readout of this.variant.readouts) look(this.program.readouts[readout].value);
    return found;
  }

  #report(): string {
    const { program, variant } = this;
    const block = this.instant();
    const writes = variant.readouts.map((readout, r) => {
      const value = block.value(program.readouts[readout].value);
      return `answers[valuesAt + (${r}u * sizes.times + next) * sizes.lanes] = bitcast<u32>(${value});`;
    });
    return `
/** Reports the next time, which is t after the segment's start. */
fn report(${this.parameters()}) {
${indent([...block.lines, ...writes])}
}`;
  }

  /** `eventsAt` gives what crossings and hazards are made of. */
  #events(): string {
    const { events } = this.program;
    if (events.length === 0) return '';
    const block = this.instant();
    const values = events.map(({ of }) => block.value(of));
    events.forEach((_, e) => {
      for (const name of ['seen', 'sum', 'threshold', 'eventTime']) this.declare(`${name}${e}`);
      this.declare(`hasHappened${e}`, 'bool');
    });
    return `
struct EventValues { ${events.map((_, e) => `e${e}: f32`).join(', ')} }
fn eventsAt(${this.parameters()}) -> EventValues {
${indent(block.lines)}
  return EventValues(${values.join(', ')});
}`;
  }

  #main(): string {
    const { program, variant } = this;
    const { events, inputs, controls, states } = program;
    const xs = states.map((_, i) => `x${i}`);
    const loads = [...inputs.map((_, i) => `rate${i}`), ...controls.map((_, i) => `control${i}`)].filter((name) =>
      this.#variables.has(name),
    );
    const draws = events.flatMap(({ kind }, e) =>
      kind === 'hazard'
        ? [
            `threshold${e} = -logOfNormal(uniform4(philox(sizes.firstLane + lane, ${e}u, 0u, ${streams.event}u, vec2u(sizes.seedLow, sizes.seedHigh)).a));`,
          ]
        : [],
    );
    const starts = events.length === 0 ? [] : [`let values = eventsAt(${['0f', ...xs].join(', ')});`];
    events.forEach(({ kind }, e) =>
      starts.push(kind === 'hazard' ? `seen${e} = values.e${e};` : `if (g == 0u) { seen${e} = values.e${e}; }`),
    );
    const eventWrites = events.map(
      (_, e) =>
        `answers[sizes.eventsAt + (plan * ${events.length}u + ${e}u) * sizes.lanes + lane] = select(0x7fc00000u, bitcast<u32>(eventTime${e}), hasHappened${e});`,
    );
    const isAlive = [
      ...(states.length > 0 ? [`isFinite(${sumOfSizes(xs)})`] : []),
      ...(program.compartments ? ['bodyIsFinite()'] : []),
    ];
    const check = isAlive.length > 0 ? `if (!(${isAlive.join(' & ')})) { isBroken = true; break; }` : '';
    return `
@compute @workgroup_size(${variant.workgroupSize})
fn simulate(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= sizes.lanes * sizes.timelines) { return; }
  lane = id.x % sizes.lanes;
  let plan = id.x / sizes.lanes;
  let timelineAt = sizes.firstTimeline + plan;
  let timeline = timelines[timelineAt];
  reportsAt = timeline.reportsAt;
  valuesAt = plan * ${variant.readouts.length}u * sizes.times * sizes.lanes + lane;
  stopAt = infinite();
${indent(draws)}
  for (var g = 0u; g < timeline.segments; g++) {
    segmentAt = timeline.firstSegment + g;
    begin = segments[segmentAt].start;
    span = segments[segmentAt].span;
    endReport = segments[segmentAt].endReport;
${indent(
  loads.map((name) => `${name} = segments[segmentAt].${name};`),
  2,
)}
    if (segments[segmentAt].isNewRow != 0u) { startRow(); }
    if (g == 0u) {
      startLane(timelineAt);
      ${check}
      startSegment();
      for (; next < timeline.startReports; next++) { report(${['0f', ...xs].join(', ')}); }
    }
    enterSegment();
    startSegment();
    ${check}
${indent(starts.length > 1 ? ['{', ...starts.map((line) => `  ${line}`), '}'] : [], 2)}
    if (span > 0f) {
      throughSegment();
      if (isBroken | isOver) { break; }
${program.compartments ? '      advance(span);' : ''}
      ${check}
    }
  }
  for (; next < sizes.times; next++) {
    for (var r = 0u; r < ${variant.readouts.length}u; r++) {
      answers[valuesAt + (r * sizes.times + next) * sizes.lanes] = 0x7fc00000u;
    }
  }
${indent(eventWrites)}
  answers[sizes.divergedAt + plan * sizes.lanes + lane] = select(0u, 1u, isBroken);
  answers[sizes.evaluationsAt + plan * sizes.lanes + lane] = evaluations;
}
`;
  }
}

/** Without lines that a part that is not there has left empty. */
function tidy(wgsl: string): string {
  return `${wgsl
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/\{\n\n/g, '{\n')
    .replace(/\n\n\}/g, '\n}')
    .trim()}\n`;
}

/** A struct that may stand in an array, filled up to whole vectors. */
function record(name: string, fields: Readonly<Record<string, 'u32' | 'f32'>>): Struct<string> {
  const count = Object.keys(fields).length;
  const padding = Array.from({ length: (4 - (count % 4)) % 4 }, (_, i) => [`unused${i}`, 'u32'] as const);
  return struct(name, { ...fields, ...Object.fromEntries(padding) });
}

function segmentFields({ inputs, controls }: Program, { setStates }: SimulationVariant): Record<string, 'u32' | 'f32'> {
  return {
    /** Of the covariate row in \`tables\`. */
    row: 'u32',
    isNewRow: 'u32',
    occasion: 'u32',
    endReport: 'u32',
    start: 'f32',
    /** Up to the last reported time. */
    span: 'f32',
    segmentLength: 'f32',
    doseTime: 'f32',
    /** Stochastic steppers and maps: number of the first step, and how far into it the segment begins. */
    firstStep: 'u32',
    intoStep: 'f32',
    ...Object.fromEntries(
      inputs.flatMap((_, i) => [`dose${i}`, `rate${i}`, `previous${i}`].map((name) => [name, 'f32'] as const)),
    ),
    ...Object.fromEntries(controls.map((_, i) => [`control${i}`, 'f32'] as const)),
    ...Object.fromEntries(setStates.flatMap((i) => [[`isSet${i}`, 'u32'] as const, [`set${i}`, 'f32'] as const])),
  };
}
