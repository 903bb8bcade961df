import { LinearCompartments, type CompartmentShape } from '#numerics/compartments.ts';
import type { Expr, Program } from '#packs/equations/program.ts';
import { runTape, TapeCompiler, type SlotOffsets, type Tape } from './closures.ts';

/** A program as closures, with the memory of the one lane that is being computed. */
export class CompiledModel {
  readonly program: Program;
  readonly offsets: SlotOffsets;
  /** Every slot, constant and intermediate value; see closures.ts. */
  readonly m: Float64Array;
  readonly parameters: Tape;
  readonly stateInitial: Tape;
  readonly memoryInitial: Tape;
  readonly memoryNext: Tape;
  readonly bioavailability: Tape;
  /** d/dt of the states; for the `map` stepper their next values. */
  readonly change: Tape;
  readonly diffusion: Tape;
  /** Row-major; null entries of the program are a constant 0. */
  readonly jacobian: Tape | null;
  /** One a read-out, so that a request pays only for those it asks for. */
  readonly readouts: readonly Tape[];
  /** One a crossing or hazard. */
  readonly events: Tape;
  /** [event]: the new values, all from the states as they were. */
  readonly eventSets: readonly Tape[];
  readonly compartments: LinearCompartments | null;
  readonly #compartmentRates: Tape;
  readonly #shape: CompartmentShape | null;

  constructor(program: Program) {
    this.program = program;
    const compiler = new TapeCompiler(program);
    const zero: Expr = { op: 'number', value: 0 };
    const { states, compartments } = program;
    this.offsets = compiler.offsets;
    this.parameters = compiler.compileInto(
      'parameter',
      program.parameters.map(({ value }) => value),
    );
    this.stateInitial = compiler.compile(states.map(({ initial }) => initial));
    this.memoryInitial = compiler.compile(program.memory.map(({ initial }) => initial));
    this.memoryNext = compiler.compile(program.memory.map(({ atSegmentStart }) => atSegmentStart));
    this.bioavailability = compiler.compile(program.inputs.map(({ bioavailability }) => bioavailability));
    this.change = compiler.compile(states.map(({ change }) => change));
    this.diffusion = compiler.compile(states.map(({ diffusion }) => diffusion ?? zero));
    this.jacobian = program.jacobian && compiler.compile(program.jacobian.flatMap((row) => row.map((entry) => entry ?? zero)));
    this.readouts = program.readouts.map(({ value }) => compiler.compile([value]));
    this.events = compiler.compile(program.events.map(({ of }) => of));
    this.eventSets = program.events.map(({ set }) => compiler.compile(set.map(({ to }) => to)));
    this.#compartmentRates = compiler.compile(
      compartments
        ? [
            compartments.clearance,
            compartments.volume,
            compartments.absorptionRate ?? zero,
            compartments.effectSiteRate ?? zero,
            ...compartments.peripherals.flatMap(({ flow, volume }) => [flow, volume]),
          ]
        : [],
    );
    this.#shape = compartments && {
      peripherals: compartments.peripherals.length,
      hasDepot: compartments.absorptionRate !== null,
      hasEffectSite: compartments.effectSiteRate !== null,
      hasExposure: compartments.hasExposure,
    };
    this.compartments = this.#shape && new LinearCompartments(this.#shape);
    this.m = compiler.makeMemory();
  }

  /** Parameters, and the rates of the compartments, from the covariates and effects in the memory. */
  computeParameters(): void {
    const { m } = this;
    runTape(this.parameters, m);
    if (!this.compartments || !this.#shape) return;
    runTape(this.#compartmentRates, m);
    const [clearance, volume, absorption, equilibration, ...peripherals] = Array.from(
      this.#compartmentRates.outputs,
      (place) => m[place],
    );
    this.compartments.setRates({
      clearance,
      volume,
      absorption,
      equilibration,
      flows: peripherals.filter((_, i) => i % 2 === 0),
      volumes: peripherals.filter((_, i) => i % 2 === 1),
    });
  }

  /** Whether the target of an input is the depot; else it is the central compartment or a state. */
  isDepot(input: number): boolean {
    const { into } = this.program.inputs[input];
    return into.kind === 'compartment' && into.index === 0 && (this.#shape?.hasDepot ?? false);
  }
}

const compiled = new WeakMap<Program, CompiledModel>();

/** Compiled once a program: whoever uses it has it alone until it next awaits something. */
export function compiledModel(program: Program): CompiledModel {
  let model = compiled.get(program);
  if (!model) compiled.set(program, (model = new CompiledModel(program)));
  return model;
}

/**
 * A person's own parameters by symbol, from a covariate row in the program's order and effects in the order of `program.effects`
 * (those per occasion as in one occasion).
 */
export function individualParameters(
  program: Program,
  covariateRow: ArrayLike<number>,
  effects: ArrayLike<number>,
): Record<string, number> {
  const { m, offsets, parameters } = compiledModel(program);
  m.set(Array.from(covariateRow), offsets.covariate);
  m.set(Array.from(effects), offsets.effect);
  runTape(parameters, m);
  return Object.fromEntries(program.parameters.map(({ symbol }, i) => [symbol, m[offsets.parameter + i]]));
}
