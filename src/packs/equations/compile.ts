/** A model as it stands in a pack → a checked `Program`, or a refusal with its place. */
import { cholesky } from '#numerics/linear-algebra.ts';
import type { EquationsManifest } from '../manifest.ts';
import { quoted, refusal } from '../refusal.ts';
import { FormulaChecker, reservedWords, type Entry, type Meaning, type Scope, type SymbolKind } from './check.ts';
import { jacobianOf } from './differentiate.ts';
import { Expressions, ExpressionError, type ExpressionLimits } from './expressions.ts';
import type { Compartments, Definition, EquationsModel, Formula, InputChannel, ModelEvent, State, SymbolName } from './model.ts';
import { orderDefinitions } from './order.ts';
import type {
  Assignment,
  CompiledCompartments,
  CompiledEvent,
  CompiledInput,
  CompiledState,
  Expr,
  Program,
  SlotKind,
} from './program.ts';
import {
  conversionFactor,
  describeDimension,
  dimensionless,
  divideUnits,
  multiplyUnits,
  parseUnit,
  powerOfUnit,
  sameDimension,
  UnitError,
  type UnitScale,
} from './units.ts';

/** What of a manifest a model refers to. */
export type ModelContext = Pick<EquationsManifest, 'covariates' | 'markers' | 'interventions' | 'events'>;

/** Twenty times the largest published model we know (coagulation, 62 species); a hostile pack stops here. */
const limits: ExpressionLimits = { nodes: 20_000, depth: 1000, constants: 'must-be-finite' };

const second = parseUnit('s');
const daySeconds = 86_400;

const fixed: readonly SymbolKind[] = ['constant', 'table', 'covariate'];
const personal: readonly SymbolKind[] = [...fixed, 'effect', 'parameter'];
const momentary: readonly SymbolKind[] = [...personal, 'compartment', 'state', 'memory', 'control', 'time'];
const everything: readonly SymbolKind[] = [...momentary, 'algebra'];

/** `where` is the model's place, `pack.json, models[0]`. Throws a `model_…` code or `pack_schema_invalid`. */
export function compileModel(model: EquationsModel, context: ModelContext, where: string): Program {
  try {
    return new ModelCompiler(model, context, where).compile();
  } catch (error) {
    // Formulas by themselves have been refused with their place: this one came of differentiating them.
    if (!(error instanceof ExpressionError)) throw error;
    throw refusal('model_formula_invalid', `${where}, derivatives for the stepper`, `${error.message}.`);
  }
}

class ModelCompiler {
  readonly #model: EquationsModel;
  readonly #context: ModelContext;
  readonly #where: string;
  readonly #expressions = new Expressions(limits);
  readonly #checker = new FormulaChecker(this.#expressions);
  readonly #symbols = new Map<string, Entry>();
  readonly #time: UnitScale;

  constructor(model: EquationsModel, context: ModelContext, where: string) {
    this.#model = model;
    this.#context = context;
    this.#where = where;
    this.#time = this.#unit(model.time, 'time');
    this.#require(sameDimension(this.#time, second), 'time', `${quoted(model.time)} is not a unit of time.`);
  }

  compile(): Program {
    const model = this.#model;
    this.#checkStepper();
    this.#checkTimeZero();
    this.#declareAll();
    for (const word of ['time', 'segmentLength', 'doseTime'] as const) this.#define(word, word, this.#slot(word, 0, this.#time));
    this.#defineConstants();
    const covariates = this.#defineCovariates();
    this.#defineTables();
    const effects = this.#defineEffects();
    const omega = this.#omega();
    const parameters = this.#definitions('parameters', model.parameters, 'parameter', this.#scope('a parameter', personal));
    const constraints = this.#constraints();
    const compartments = this.#compartments();
    (model.states ?? []).forEach(({ symbol, unit }, i) => {
      this.#define(symbol, 'state', this.#slot('state', i, this.#unit(unit, `states[${i}].unit`)));
    });
    (model.memory ?? []).forEach(({ symbol, unit }, i) => {
      this.#define(symbol, 'memory', this.#slot('memory', i, this.#unit(unit, `memory[${i}].unit`)));
    });
    this.#defineInputs();
    this.#defineControls();
    (model.noises ?? []).forEach((symbol, i) => {
      this.#define(symbol, 'noise', this.#slot('noise', i, dimensionless));
    });
    const memory = this.#memory();
    const algebra = this.#definitions('algebra', model.algebra ?? [], 'algebra', this.#scope('algebra', everything, 'rate'));
    const states = (model.states ?? []).map((state, i) => this.#state(state, `states[${i}]`));
    const readouts = this.#definitions('readouts', model.readouts, 'read-out', this.#scope('a read-out', everything, 'rate'));
    return {
      modelId: model.id,
      timeUnit: model.time,
      timeZero: model.timeZero,
      priorWeight: model.priorWeight ?? 1,
      onlyWhere: this.#onlyWhere(),
      daysPerTime: this.#time.factor / daySeconds,
      effects,
      omega,
      covariates,
      parameters,
      constraints,
      compartments,
      states,
      memory,
      algebra,
      inputs: (model.inputs ?? []).map((input, i) => this.#input(input, `inputs[${i}]`)),
      controls: (model.controls ?? []).map(({ symbol, intervention, off, on }) => ({ symbol, intervention, off, on })),
      noises: model.noises ?? [],
      readouts,
      observations: this.#observations(readouts),
      events: (model.events ?? []).map((event, i) => this.#event(event, `events[${i}]`)),
      stepper: model.stepper,
      jacobian: model.stepper.kind === 'rosenbrock' ? jacobianOf(states, algebra, this.#expressions) : null,
    };
  }

  /** What a stepper cannot do is refused here, so that no engine meets it. */
  #checkStepper(): void {
    const { stepper, states = [], noises = [], memory = [], events = [], compartments } = this.#model;
    const { kind } = stepper;
    const fit = (condition: boolean, at: string, what: string) => {
      if (!condition) throw refusal('model_stepper_unfit', `${this.#where}.${at}`, `the stepper is ${kind}, ${what}`);
    };
    const isStochastic = kind === 'euler-maruyama' || kind === 'heun';
    if (kind === 'closed-form') {
      fit(states.length === 0, 'states', 'which has nothing to step, expected no states: use rk4 or dopri5.');
      fit(memory.length === 0, 'memory', 'which has nothing to step, expected no memory: use rk4 or dopri5.');
      fit(events.length === 0, 'events', 'which has no steps to find events in, expected none: use rk4 or dopri5.');
    } else fit(states.length > 0, 'states', 'which steps states, expected at least one.');
    fit(kind === 'map' || noises.length === 0, 'noises', 'expected noises only with map: give states a diffusion instead.');
    if (kind === 'map') fit(!compartments, 'compartments', 'which has no closed form, expected no compartments.');
    states.forEach((state, i) => {
      const at = `states[${i}]`;
      if (kind === 'map') {
        fit(state.next !== undefined, at, 'expected the formula next.');
        fit(state.derivative === undefined, `${at}.derivative`, 'expected next only.');
        fit(!state.holdsWhenNegative, `${at}.holdsWhenNegative`, 'which has no derivatives to hold.');
      } else {
        fit(state.derivative !== undefined, at, 'expected the formula derivative.');
        fit(state.next === undefined, `${at}.next`, 'expected derivative only.');
      }
      fit(
        state.diffusion === undefined || isStochastic,
        `${at}.diffusion`,
        'expected diffusion only with euler-maruyama or heun.',
      );
    });
  }

  #checkTimeZero(): void {
    if (this.#model.timeZero !== 'birth') return;
    const age = this.#context.covariates.find(({ id }) => id === 'age');
    const isAge = age?.kind === 'number' && age.unit === 'a';
    this.#require(isAge, 'timeZero', "found birth, expected a covariate 'age' in the unit a to count from.");
  }

  #defineConstants(): void {
    this.#model.constants.forEach(({ symbol, value, unit }, i) => {
      const at = `constants[${i}]`;
      const expr = this.#expressions.number(value);
      this.#define(symbol, 'constant', { kind: 'quantity', expr, unit: this.#unit(unit, `${at}.unit`) });
    });
  }

  #onlyWhere(): Program['onlyWhere'] {
    const { onlyWhere } = this.#model;
    if (!onlyWhere) return null;
    const covariate = this.#context.covariates.find(({ id }) => id === onlyWhere.covariate);
    if (covariate?.kind !== 'category') {
      const what = `${quoted(onlyWhere.covariate)} names no category of this pack.`;
      throw refusal('model_symbol_unknown', this.#at('onlyWhere.covariate'), what);
    }
    const categories = onlyWhere.values.map((value, i) => {
      const index = covariate.categories.findIndex((category) => category.value === value);
      this.#require(index >= 0, `onlyWhere.values[${i}]`, `${quoted(value)} is no value of ${quoted(covariate.id)}.`);
      return index;
    });
    return { covariate: covariate.id, categories };
  }

  #defineCovariates(): readonly string[] {
    const ids: string[] = [];
    for (const [symbol, id] of Object.entries(this.#model.covariates)) {
      const at = `covariates.${symbol}`;
      const covariate = this.#context.covariates.find((each) => each.id === id);
      if (!covariate) throw refusal('model_symbol_unknown', this.#at(at), `${quoted(id)} names no covariate of this pack.`);
      if (!ids.includes(id)) ids.push(id);
      const expr = this.#expressions.read('covariate', ids.indexOf(id));
      const meaning: Meaning =
        covariate.kind === 'number'
          ? { kind: 'quantity', expr, unit: this.#unit(covariate.unit, at) }
          : { kind: 'category', expr, values: covariate.categories.map(({ value }) => value) };
      this.#define(symbol, 'covariate', meaning);
    }
    return ids;
  }

  #defineTables(): void {
    (this.#model.tables ?? []).forEach(({ symbol, by, unit, values }, i) => {
      const at = `tables[${i}]`;
      const meaning = this.#symbols.get(by)?.meaning;
      if (meaning?.kind !== 'category') {
        throw refusal(
          'model_symbol_unknown',
          this.#at(`${at}.by`),
          `${quoted(by)} is no symbol of a covariate that is a category.`,
        );
      }
      const given = new Map(Object.entries(values));
      const missing = meaning.values.find((value) => !given.has(value));
      this.#require(missing === undefined, `${at}.values`, `there is no value for ${quoted(missing)}.`);
      const extra = [...given.keys()].find((value) => !meaning.values.includes(value));
      this.#require(extra === undefined, `${at}.values`, `${quoted(extra)} is no category of ${quoted(by)}.`);
      const numbers = meaning.values.map((value) => this.#expressions.number(given.get(value)!));
      // The last category needs no question: a row holds one of them.
      const expr = numbers.slice(0, -1).reduceRight<Expr>((otherwise, number, index) => {
        const isThis = this.#expressions.apply('eq', meaning.expr, this.#expressions.number(index));
        return this.#expressions.apply('if', isThis, number, otherwise);
      }, numbers.at(-1)!);
      this.#define(symbol, 'table', { kind: 'quantity', expr, unit: this.#unit(unit, `${at}.unit`) });
    });
  }

  #defineEffects(): Program['effects'] {
    return (this.#model.effects ?? []).map(({ symbol, per, label }, i) => {
      this.#define(symbol, 'effect', this.#slot('effect', i, dimensionless));
      return { symbol, perOccasion: per === 'occasion', label };
    });
  }

  #omega(): Float64Array {
    const { effects = [], correlations = [] } = this.#model;
    const E = effects.length;
    const rows = effects.map(({ variance }, i) => effects.map((_, j) => (i === j ? variance : 0)));
    const seen = new Set<string>();
    correlations.forEach(({ between, value }, k) => {
      const at = `correlations[${k}]`;
      const [i, j] = between.map((symbol) => {
        const index = effects.findIndex((effect) => effect.symbol === symbol);
        if (index >= 0) return index;
        throw refusal('model_symbol_unknown', this.#at(`${at}.between`), `${quoted(symbol)} is no random effect of this model.`);
      }) as [number, number];
      const key = i < j ? `${i} ${j}` : `${j} ${i}`;
      this.#require(i !== j && !seen.has(key), at, 'expected two different effects, and each pair once.');
      seen.add(key);
      const isAlike = effects[i]!.per === effects[j]!.per;
      this.#require(isAlike, at, 'an effect per person and one per occasion cannot be correlated.');
      rows[i]![j] = rows[j]![i] = value * Math.sqrt(effects[i]!.variance * effects[j]!.variance);
    });
    const isCovariance = E === 0 || cholesky(rows) !== null;
    this.#require(isCovariance, 'correlations', 'the correlations contradict each other, expected a positive definite matrix.');
    return Float64Array.from(rows.flat());
  }

  #constraints(): readonly Expr[] {
    const scope = this.#scope('a constraint', personal);
    return (this.#model.constraints ?? []).map((formula, i) => {
      const at = this.#at(`constraints[${i}]`);
      const condition = this.#checker.truth(formula, at, scope);
      if (this.#expressions.constantTruth(condition) === false) {
        throw refusal('model_formula_invalid', at, 'the condition is never true, expected one that some people meet.');
      }
      return condition;
    });
  }

  #compartments(): CompiledCompartments | null {
    const block = this.#model.compartments;
    if (!block) return null;
    const scope = this.#scope('compartments', personal);
    const amount = this.#unit(block.amountUnit, 'compartments.amountUnit');
    const volume = this.#checker.anyQuantity(block.volume, this.#at('compartments.volume'), scope);
    const perTime = divideUnits(dimensionless, this.#time);
    const flow = multiplyUnits(volume.unit, perTime);
    const read = (formula: Formula, at: string, unit: UnitScale, name: string) =>
      this.#checker.quantity(formula, this.#at(`compartments.${at}`), scope, unit, name);
    const clearance = read(block.clearance, 'clearance', flow, 'volume of the central compartment per time');
    const peripherals = block.peripherals.map((peripheral, i) => ({
      flow: read(peripheral.flow, `peripherals[${i}].flow`, flow, 'volume of the central compartment per time'),
      volume: read(peripheral.volume, `peripherals[${i}].volume`, volume.unit, 'as the volume of the central compartment'),
    }));
    const absorptionRate = block.depot ? read(block.depot.rate, 'depot.rate', perTime, 'per time') : null;
    const effectSiteRate = block.effectSite ? read(block.effectSite.rate, 'effectSite.rate', perTime, 'per time') : null;
    const concentration = divideUnits(amount, volume.unit);
    const unitOf = { amount, concentration, exposure: multiplyUnits(concentration, this.#time) };
    const symbols = compartmentSymbols(block).map(({ symbol, holds }, i) => {
      this.#define(symbol, 'compartment', this.#slot('compartment', i, unitOf[holds]));
      return symbol;
    });
    return {
      symbols,
      clearance,
      volume: volume.expr,
      peripherals,
      absorptionRate,
      effectSiteRate,
      hasExposure: block.exposure !== undefined,
    };
  }

  #defineInputs(): void {
    (this.#model.inputs ?? []).forEach(({ symbol, unit, intervention }, i) => {
      const at = `inputs[${i}]`;
      const rateUnit = divideUnits(this.#unit(unit, `${at}.unit`), this.#time);
      this.#define(symbol, 'input', { kind: 'input', index: i, rateUnit });
      this.#requireIntervention(intervention, at);
    });
  }

  #defineControls(): void {
    (this.#model.controls ?? []).forEach(({ symbol, unit, intervention }, i) => {
      const at = `controls[${i}]`;
      this.#define(symbol, 'control', this.#slot('control', i, this.#unit(unit, `${at}.unit`)));
      this.#requireIntervention(intervention, at);
    });
  }

  #memory(): Program['memory'] {
    const initialScope = this.#scope('the initial value of memory', personal);
    const scope = this.#scope('memory', [...momentary, 'segmentLength'], 'both');
    return (this.#model.memory ?? []).map(({ symbol, unit, initial, atSegmentStart }, i) => {
      const at = this.#at(`memory[${i}]`);
      const scale = parseUnit(unit);
      return {
        symbol,
        initial: this.#checker.quantity(initial, `${at}.initial`, initialScope, scale, unit),
        atSegmentStart: this.#checker.quantity(atSegmentStart, `${at}.atSegmentStart`, scope, scale, unit),
      };
    });
  }

  #state(state: State, path: string): CompiledState {
    const at = this.#at(path);
    const unit = parseUnit(state.unit);
    const initialScope = this.#scope('an initial value', personal);
    const initial = this.#checker.quantity(state.initial, `${at}.initial`, initialScope, unit, state.unit);
    let change: Expr;
    if (state.next !== undefined) {
      const scope = this.#scope('the next value', [...everything, 'noise'], 'rate');
      change = this.#checker.quantity(state.next, `${at}.next`, scope, unit, state.unit);
    } else {
      const name = `${state.unit} per ${this.#model.time}`;
      const perTime = divideUnits(unit, this.#time);
      const scope = this.#scope('a derivative', everything, 'rate');
      change = this.#checker.quantity(state.derivative!, `${at}.derivative`, scope, perTime, name);
    }
    let diffusion: Expr | null = null;
    if (state.diffusion !== undefined) {
      const perRootTime = divideUnits(unit, powerOfUnit(this.#time, 0.5));
      const scope = this.#scope('a diffusion', everything, 'rate');
      const name = `${state.unit} per square root of ${this.#model.time}`;
      diffusion = this.#checker.quantity(state.diffusion, `${at}.diffusion`, scope, perRootTime, name);
    }
    if (state.observedExactly !== undefined) this.#requireMarker(state.observedExactly, `${path}.observedExactly`);
    return {
      symbol: state.symbol,
      unit: state.unit,
      initial,
      change,
      diffusion,
      holdsWhenNegative: state.holdsWhenNegative ?? false,
      scale: state.scale ?? 1,
      observedExactly: state.observedExactly ?? null,
    };
  }

  #input(input: InputChannel, path: string): CompiledInput {
    const at = this.#at(path);
    const given = parseUnit(input.unit);
    const target = this.#target(input.into, path);
    const ratio = divideUnits(target.unit, given);
    const arrives = `the unit of ${quoted(input.into)} per ${input.unit} given`;
    const scope = this.#scope('bioavailability', [...personal, 'doseTime']);
    const bioavailability = this.#checker.quantity(
      input.bioavailability ?? '1',
      `${at}.${input.bioavailability === undefined ? 'into' : 'bioavailability'}`,
      scope,
      ratio,
      arrives,
    );
    const lag = this.#checker.quantity(input.lag ?? '0', `${at}.lag`, this.#scope('a lag', fixed), this.#time, this.#model.time);
    this.#checkKnown(lag, `${path}.lag`);
    return {
      symbol: input.symbol,
      intervention: input.intervention,
      unit: input.unit,
      routes: input.routes,
      into: target.into,
      bioavailability,
      lag,
      deliveredOver: input.deliveredOver ?? null,
      maximumRate: input.maximumRate ?? null,
      segmentLength: input.segmentLength ?? null,
    };
  }

  /** A category that is not known differs between draws, and a lag may not. */
  #checkKnown(expr: Expr, path: string): void {
    if (expr.op === 'number') return;
    if (expr.op !== 'read') return expr.args.forEach((arg) => this.#checkKnown(arg, path));
    const id = [...new Set(Object.values(this.#model.covariates))][expr.index];
    const covariate = this.#context.covariates.find((each) => each.id === id);
    const isKnown = covariate?.kind === 'number' || covariate?.required === true;
    this.#require(isKnown, path, `it reads ${quoted(id)}, which may be unknown, expected a covariate that is required.`);
  }

  #target(symbol: SymbolName, path: string): { readonly into: CompiledInput['into']; readonly unit: UnitScale } {
    const { compartments } = this.#model;
    const meaning = this.#symbols.get(symbol)?.meaning;
    const takesDoses =
      this.#symbols.get(symbol)?.kind === 'state' || symbol === compartments?.central || symbol === compartments?.depot?.symbol;
    if (!takesDoses || meaning?.kind !== 'quantity' || meaning.expr.op !== 'read') {
      const what = `${quoted(symbol)} takes no doses, expected a state, or the depot or central compartment.`;
      throw refusal('model_symbol_unknown', this.#at(`${path}.into`), what);
    }
    const { from, index } = meaning.expr;
    return { into: { kind: from === 'state' ? 'state' : 'compartment', index }, unit: meaning.unit };
  }

  #observations(readouts: readonly Assignment[]): Program['observations'] {
    return this.#model.observations.map(({ marker, readout, error }, i) => {
      const at = `observations[${i}]`;
      const index = readouts.findIndex(({ symbol }) => symbol === readout);
      if (index < 0)
        throw refusal('model_symbol_unknown', this.#at(`${at}.readout`), `${quoted(readout)} is no read-out of this model.`);
      const unit = this.#requireMarker(marker, `${at}.marker`).unit;
      const [from, to] = [parseUnit(readouts[index]!.unit), this.#unit(unit, `${at}.marker`)];
      if (!sameDimension(from, to)) {
        const what = `the read-out is ${describeDimension(from)} and the marker ${describeDimension(to)} (${unit}), expected the same.`;
        throw refusal('model_units_differ', this.#at(at), what);
      }
      if (error.kind === 'transition') {
        const isExact = (this.#model.states ?? []).some(({ observedExactly }) => observedExactly === marker);
        this.#require(isExact, `${at}.error`, `transition needs a state that is observedExactly by ${quoted(marker)}.`);
      }
      return { marker, readout: index, factor: conversionFactor(from, to), error };
    });
  }

  #event(event: ModelEvent, path: string): CompiledEvent {
    const at = this.#at(path);
    this.#require(
      this.#context.events.some(({ id }) => id === event.id),
      `${path}.id`,
      `${quoted(event.id)} names no event of this pack.`,
    );
    const scope = this.#scope('an event', everything, 'rate');
    let of: Expr;
    if (event.kind === 'hazard') {
      const perTime = divideUnits(dimensionless, this.#time);
      of = this.#checker.quantity(event.hazard, `${at}.hazard`, scope, perTime, `per ${this.#model.time}`);
    } else {
      const value = this.#checker.anyQuantity(event.of, `${at}.of`, scope);
      const threshold = this.#checker.quantity(event.at, `${at}.at`, scope, value.unit, 'as of');
      const [above, below] = event.direction === 'rising' ? [value.expr, threshold] : [threshold, value.expr];
      of = this.#expressions.apply('sub', above, below);
    }
    const set = (event.set ?? []).map(({ state, to }, j) => {
      const index = (this.#model.states ?? []).findIndex(({ symbol }) => symbol === state);
      const place = `${at}.set[${j}]`;
      if (index < 0) throw refusal('model_symbol_unknown', `${place}.state`, `${quoted(state)} is no state of this model.`);
      const { unit } = this.#model.states![index]!;
      return { state: index, to: this.#checker.quantity(to, `${place}.to`, scope, parseUnit(unit), unit) };
    });
    return { id: event.id, kind: event.kind, of, terminal: event.terminal, set };
  }

  #definitions(
    list: 'parameters' | 'algebra' | 'readouts',
    definitions: readonly Definition[],
    kind: 'parameter' | 'algebra' | 'read-out',
    scope: Scope,
  ): readonly Assignment[] {
    definitions.forEach(({ unit }, i) => this.#unit(unit, `${list}[${i}].unit`));
    // Read-outs do not read each other, so they stay as they are written.
    const ordered = orderDefinitions(definitions, this.#at(list));
    const inOrder =
      kind === 'read-out'
        ? ordered.toSorted((a, b) => definitions.indexOf(a.definition) - definitions.indexOf(b.definition))
        : ordered;
    return inOrder.map(({ definition: { symbol, unit, formula }, tree, where }, index) => {
      const scale = parseUnit(unit);
      const value = this.#checker.quantity(formula, where, scope, scale, unit, tree);
      if (kind !== 'read-out') this.#define(symbol, kind, this.#slot(kind, index, scale));
      return { symbol, unit, value };
    });
  }

  #scope(reader: string, mayRead: readonly SymbolKind[], rates: Scope['rates'] = 'none'): Scope {
    return { symbols: this.#symbols, mayRead: new Set(mayRead), rates, reader };
  }

  #slot(from: SlotKind, index: number, unit: UnitScale): Meaning {
    return { kind: 'quantity', expr: this.#expressions.read(from, index), unit };
  }

  /** Names first: a formula that reads what it may not is told what the symbol is, wherever it stands. */
  #declareAll(): void {
    const { constants, covariates, tables, effects, parameters, compartments, states } = this.#model;
    const { memory, algebra, inputs, controls, noises, readouts } = this.#model;
    const lists: readonly (readonly [string, SymbolKind, readonly { readonly symbol: string }[] | undefined])[] = [
      ['constants', 'constant', constants],
      ['tables', 'table', tables],
      ['effects', 'effect', effects],
      ['parameters', 'parameter', parameters],
      ['states', 'state', states],
      ['memory', 'memory', memory],
      ['algebra', 'algebra', algebra],
      ['inputs', 'input', inputs],
      ['controls', 'control', controls],
      ['readouts', 'read-out', readouts],
    ];
    for (const symbol of Object.keys(covariates)) this.#declare(symbol, 'covariate', `covariates.${symbol}`);
    for (const [list, kind, items = []] of lists) {
      items.forEach(({ symbol }, i) => this.#declare(symbol, kind, `${list}[${i}]`));
    }
    for (const { symbol, at } of compartments ? compartmentSymbols(compartments) : []) {
      this.#declare(symbol, 'compartment', `compartments.${at}`);
    }
    (noises ?? []).forEach((symbol, i) => this.#declare(symbol, 'noise', `noises[${i}]`));
  }

  #define(symbol: string, kind: SymbolKind, meaning: Meaning): void {
    this.#symbols.set(symbol, { kind, meaning });
  }

  #declare(symbol: string, kind: SymbolKind, path: string): void {
    this.#require(!reservedWords.has(symbol), path, `${quoted(symbol)} is a word of the language, expected another name.`);
    const isName = /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(symbol);
    this.#require(isName, path, `${quoted(symbol)} is no symbol, expected a letter, then letters, digits and _, 64 at most.`);
    this.#require(!this.#symbols.has(symbol), path, `${quoted(symbol)} is defined twice in this model.`);
    this.#symbols.set(symbol, { kind, meaning: null });
  }

  #requireIntervention(id: string, path: string): void {
    const isKnown = this.#context.interventions.some((intervention) => intervention.id === id);
    this.#require(isKnown, `${path}.intervention`, `${quoted(id)} names no intervention of this pack.`);
  }

  #requireMarker(id: string, path: string): EquationsManifest['markers'][number] {
    const marker = this.#context.markers.find((each) => each.id === id);
    if (marker) return marker;
    throw refusal('pack_schema_invalid', this.#at(path), `${quoted(id)} names no marker of this pack.`);
  }

  #unit(text: string, path: string): UnitScale {
    try {
      return parseUnit(text);
    } catch (error) {
      if (!(error instanceof UnitError)) throw error;
      throw refusal('model_formula_invalid', this.#at(path), `${quoted(text)} is no unit: ${error.message}.`);
    }
  }

  #at(path: string): string {
    return `${this.#where}.${path}`;
  }

  #require(condition: boolean, path: string, what: string): void {
    if (!condition) throw refusal('pack_schema_invalid', this.#at(path), what);
  }
}

/** In the order of slot kind `compartment`. */
function compartmentSymbols({ depot, central, peripherals, effectSite, exposure }: Compartments) {
  return [
    ...(depot ? [{ symbol: depot.symbol, at: 'depot', holds: 'amount' as const }] : []),
    { symbol: central, at: 'central', holds: 'amount' as const },
    ...peripherals.map(({ symbol }, i) => ({ symbol, at: `peripherals[${i}]`, holds: 'amount' as const })),
    ...(effectSite ? [{ symbol: effectSite.symbol, at: 'effectSite', holds: 'concentration' as const }] : []),
    ...(exposure === undefined ? [] : [{ symbol: exposure, at: 'exposure', holds: 'exposure' as const }]),
  ];
}
