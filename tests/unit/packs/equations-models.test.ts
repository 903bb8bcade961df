import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { differentiate } from '#packs/equations/differentiate.ts';
import { evaluate } from '#packs/equations/evaluate.ts';
import { Expressions } from '#packs/equations/expressions.ts';
import { evaluateRow, hoistProgram } from '#packs/equations/hoist.ts';
import type { EquationsModel } from '#packs/equations/model.ts';
import type { Expr, Program, SlotKind } from '#packs/equations/program.ts';
import { compileSmall, smallContext, smallModel } from '../../fixtures/small-model.ts';

function refusalOf(change: object, context = smallContext): { readonly code: string; readonly message: string } {
  try {
    compileSmall(change, context);
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
}

const state = (formula: string, more: object = {}) => ({ symbol: 'A', unit: 'mg', initial: '0', derivative: formula, ...more });

describe('a program', () => {
  test('has what the model says, in plain numbers', () => {
    const program = compileSmall();
    expect(program).toMatchObject({
      modelId: 'small',
      timeUnit: 'h',
      daysPerTime: 1 / 24,
      priorWeight: 1,
      covariates: ['weight', 'age', 'renal', 'cyp'],
      effects: [{ symbol: 'etaCL', perOccasion: false }, { symbol: 'etaV' }],
      inputs: [{ into: { kind: 'state', index: 0 }, bioavailability: { value: 1 }, lag: { value: 0 }, deliveredOver: null }],
      // mg/L to ug/L in the read-out, nothing left to convert to the marker.
      readouts: [{ symbol: 'level', unit: 'ug/L', value: { op: 'mul' } }],
      observations: [{ marker: 'level', readout: 0, factor: 1 }],
      jacobian: null,
    });
    expect(program.omega).toEqual(Float64Array.of(0.09, 0, 0, 0.04));
  });

  test('has parameters and algebra in an order in which they can be computed', () => {
    const { parameters, algebra } = compileSmall({
      parameters: [
        { symbol: 'k', unit: '/h', formula: 'CL / V' },
        ...smallModel.parameters,
        { symbol: 'half', unit: 'd', formula: 'log(2) / k' },
      ],
      algebra: [
        { symbol: 'loss', unit: 'mg/h', formula: 'C * CL' },
        { symbol: 'C', unit: 'mg/L', formula: 'A / V' },
      ],
    });
    expect(parameters.map(({ symbol }) => symbol)).toEqual(['CL', 'V', 'k', 'half']);
    expect(parameters[2]!.value).toEqual({
      op: 'div',
      args: [
        { op: 'read', from: 'parameter', index: 0 },
        { op: 'read', from: 'parameter', index: 1 },
      ],
    });
    expect(algebra.map(({ symbol }) => symbol)).toEqual(['C', 'loss']);
  });

  test('keeps read-outs as they are written, because others name them by number', () => {
    const { readouts } = compileSmall({
      readouts: [
        { symbol: 'second', unit: 'mg/L', formula: 'C' },
        { symbol: 'level', unit: 'ug/L', formula: 'C' },
      ],
    });
    expect(readouts.map(({ symbol }) => symbol)).toEqual(['second', 'level']);
  });

  test('has covariances from correlations', () => {
    const { omega } = compileSmall({ correlations: [{ between: ['etaV', 'etaCL'], value: 0.5 }] });
    expect(omega).toEqual(Float64Array.of(0.09, 0.5 * Math.sqrt(0.09 * 0.04), 0.5 * Math.sqrt(0.09 * 0.04), 0.04));
  });

  test('has a table as questions on the category, the last without one', () => {
    const program = compileSmall({
      tables: [
        {
          symbol: 'factor',
          by: 'CYP',
          unit: '1',
          values: { '*3/*3': 0.2, '*1/*1': 1, '*1/*3': 0.6 },
          label: 'Share of clearance',
        },
      ],
      parameters: [...smallModel.parameters, { symbol: 'share', unit: '1', formula: 'factor' }],
    });
    const share = program.parameters[2]!.value;
    expect([0, 1, 2].map((category) => evaluate(share, () => category))).toEqual([1, 0.6, 0.2]);
  });

  test('converts what arrives from the unit given to that of its target', () => {
    const { inputs } = compileSmall({ inputs: [{ ...smallModel.inputs![0]!, unit: 'g', bioavailability: "unit(50, '%')" }] });
    expect(inputs[0]!.bioavailability).toEqual({ op: 'number', value: 500 });
    // Insulin in units into pmol per kg, with a conversion that the formula states.
    const insulin = compileSmall({
      states: [{ symbol: 'A', unit: 'pmol/kg', initial: '0', derivative: '-CL / V * A' }],
      inputs: [{ ...smallModel.inputs![0]!, unit: 'U', bioavailability: "unit(6000, 'pmol/U') / WT" }],
      algebra: [],
      readouts: [{ symbol: 'level', unit: 'ug/L', formula: "unit(in(A, 'pmol/kg'), 'ug/L')" }],
    });
    expect(evaluate(insulin.inputs[0]!.bioavailability, () => 60)).toBe(100);
  });

  test('has compartments in the order of their slots, and concentrations in amount per volume', () => {
    const program = compileSmall({
      stepper: { kind: 'closed-form' },
      states: [],
      algebra: [],
      compartments: {
        amountUnit: 'mg',
        central: 'A1',
        clearance: 'CL',
        volume: 'V',
        peripherals: [{ symbol: 'A2', flow: "unit(100, 'mL/min')", volume: "unit(3000, 'mL')" }],
        depot: { symbol: 'D', rate: "unit(24, '/d')" },
        effectSite: { symbol: 'Ce', rate: "unit(2, '/h')" },
        exposure: 'AUC',
      },
      inputs: [{ ...smallModel.inputs![0]!, into: 'D' }],
      readouts: [{ symbol: 'level', unit: 'ug/L', formula: "AUC / unit(1, 'h') + Ce + A2 / V" }],
    });
    expect(program.compartments).toMatchObject({
      symbols: ['D', 'A1', 'A2', 'Ce', 'AUC'],
      clearance: { from: 'parameter', index: 0 },
      volume: { from: 'parameter', index: 1 },
      peripherals: [{ flow: { value: 6 }, volume: { value: 3 } }],
      absorptionRate: { value: 1 },
      effectSiteRate: { value: 2 },
      hasExposure: true,
    });
    expect(program.inputs[0]!.into).toEqual({ kind: 'compartment', index: 0 });
    const level = evaluate(program.readouts[0]!.value, (from, index) => {
      if (from === 'parameter') return 50;
      return [0, 0, 100, 3, 5][index]!;
    });
    expect(level).toBeCloseTo(1000 * (5 + 3 + 2), 9);
  });

  test('has memory that reads rates, previous rates and the length of the segment', () => {
    const program = compileSmall({
      memory: [
        {
          symbol: 'eaten',
          unit: 'mg',
          initial: '0',
          atSegmentStart: 'if(rate(DOSE) > 0 and previousRate(DOSE) == 0, A, eaten) + rate(DOSE) * segmentLength',
        },
      ],
    });
    const slots = new Set<SlotKind>();
    visit(program.memory[0]!.atSegmentStart, (from) => slots.add(from));
    expect([...slots].sort()).toEqual(['memory', 'previousRate', 'rate', 'segmentLength', 'state']);
  });

  test('has noise and next values for map, diffusion per square root of time for stochastic steppers', () => {
    const map = compileSmall({
      stepper: { kind: 'map', step: 1 },
      noises: ['e'],
      states: [{ symbol: 'A', unit: 'mg', initial: "unit(1, 'g')", next: 'A * (1 + 0.01 * e)' }],
    });
    expect(map.states[0]).toMatchObject({ initial: { value: 1000 }, diffusion: null });
    const stochastic = compileSmall({
      stepper: { kind: 'heun', step: 0.1 },
      states: [state('-CL / V * A', { diffusion: "unit(24, 'mg/d') * unit(1, 'h')^0.5", scale: 10, holdsWhenNegative: true })],
    });
    expect(stochastic.states[0]).toMatchObject({ diffusion: { value: 1 }, scale: 10, holdsWhenNegative: true });
  });

  test('has an event as what rises through zero, and a hazard per model time', () => {
    const program = compileSmall({
      events: [
        {
          id: 'relapse',
          kind: 'crossing',
          of: 'C',
          direction: 'falling',
          at: "unit(500, 'ug/L')",
          terminal: false,
          set: [{ state: 'A', to: "unit(1, 'g')" }],
        },
        { id: 'relapse', kind: 'hazard', hazard: "unit(24, '/d')", terminal: true },
      ],
    });
    expect(program.events).toMatchObject([
      {
        kind: 'crossing',
        of: { op: 'sub', args: [{ value: 0.5 }, { from: 'algebra' }] },
        set: [{ state: 0, to: { value: 1000 } }],
      },
      { kind: 'hazard', of: { value: 1 }, terminal: true },
    ]);
  });
});

function visit(expr: Expr, see: (from: SlotKind) => void): void {
  if (expr.op === 'read') see(expr.from);
  else if (expr.op !== 'number') for (const arg of expr.args) visit(arg, see);
}

describe('a model that contradicts itself is refused with its place', () => {
  const cases: readonly (readonly [string, Partial<EquationsModel> | object, string, string, string])[] = [
    [
      'a symbol twice',
      { algebra: [{ symbol: 'CL', unit: '1', formula: '1' }] },
      'pack_schema_invalid',
      '.algebra[0]',
      "'CL' is defined twice",
    ],
    [
      'a word of the language',
      { algebra: [{ symbol: 'time', unit: '1', formula: '1' }] },
      'pack_schema_invalid',
      '.algebra[0]',
      "'time' is a word of the language",
    ],
    [
      'a function',
      { algebra: [{ symbol: 'exp', unit: '1', formula: '1' }] },
      'pack_schema_invalid',
      '.algebra[0]',
      'is a word of the language',
    ],
    [
      'no name',
      { algebra: [{ symbol: '__proto__', unit: '1', formula: '1' }] },
      'pack_schema_invalid',
      '.algebra[0]',
      'is no symbol',
    ],
    [
      'a look-alike',
      { algebra: [{ symbol: 'СL', unit: '1', formula: '1' }] },
      'pack_schema_invalid',
      '.algebra[0]',
      'is no symbol',
    ],
    ['no unit of time', { time: 'mg' }, 'pack_schema_invalid', '.time', 'is not a unit of time'],
    ['no unit', { time: 'hours' }, 'model_formula_invalid', '.time', "'hours' is no unit"],
    [
      'a unit of a constant',
      { constants: [{ symbol: 'x', value: 1, unit: 'kilo', label: 'x' }] },
      'model_formula_invalid',
      '.constants[0].unit',
      "'kilo' is no unit",
    ],
    [
      'an unknown covariate',
      { covariates: { WT: 'mass' } },
      'model_symbol_unknown',
      '.covariates.WT',
      "'mass' names no covariate",
    ],
    [
      'a correlation with a stranger',
      { correlations: [{ between: ['etaCL', 'etaX'], value: 0.1 }] },
      'model_symbol_unknown',
      '.correlations[0].between',
      "'etaX' is no random effect",
    ],
    [
      'a correlation with itself',
      { correlations: [{ between: ['etaCL', 'etaCL'], value: 0.1 }] },
      'pack_schema_invalid',
      '.correlations[0]',
      'two different effects',
    ],
    [
      'a correlation twice',
      {
        correlations: [
          { between: ['etaCL', 'etaV'], value: 0.1 },
          { between: ['etaV', 'etaCL'], value: 0.1 },
        ],
      },
      'pack_schema_invalid',
      '.correlations[1]',
      'each pair once',
    ],
    [
      'a correlation beyond one',
      { correlations: [{ between: ['etaCL', 'etaV'], value: 1.1 }] },
      'pack_schema_invalid',
      '.correlations',
      'positive definite',
    ],
    [
      'a table by a number',
      { tables: [{ symbol: 't', by: 'WT', unit: '1', values: {}, label: 't' }] },
      'model_symbol_unknown',
      '.tables[0].by',
      'is no symbol of a covariate that is a category',
    ],
    [
      'a table with a gap',
      { tables: [{ symbol: 't', by: 'CYP', unit: '1', values: { '*1/*1': 1 }, label: 't' }] },
      'pack_schema_invalid',
      '.tables[0].values',
      "no value for '*1/*3'",
    ],
    [
      'a table with a stranger',
      { tables: [{ symbol: 't', by: 'CYP', unit: '1', values: { '*1/*1': 1, '*1/*3': 1, '*3/*3': 1, '*2/*2': 1 }, label: 't' }] },
      'pack_schema_invalid',
      '.tables[0].values',
      "'*2/*2' is no category",
    ],
    ['a constraint that no one meets', { constraints: ['CLpop < 0'] }, 'model_formula_invalid', '.constraints[0]', 'never true'],
    [
      'a constraint that is a number',
      { constraints: ['CLpop'] },
      'model_formula_invalid',
      '.constraints[0], column 1',
      'expected a condition',
    ],
    [
      'a constraint on a state',
      { constraints: ['A > 0'] },
      'model_symbol_unknown',
      '.constraints[0], column 1',
      "'A' is a state",
    ],
    [
      'an initial value that needs a state',
      { states: [{ ...state('0'), initial: 'C * V' }] },
      'model_symbol_unknown',
      '.states[0].initial, column 1',
      "'C' is algebra, which an initial value cannot read",
    ],
    [
      'memory that needs algebra',
      { memory: [{ symbol: 'm', unit: 'mg/L', initial: '0', atSegmentStart: 'C' }] },
      'model_symbol_unknown',
      '.memory[0].atSegmentStart',
      "'C' is algebra, which memory cannot read",
    ],
    [
      'a previous rate in a derivative',
      { states: [state('previousRate(DOSE)')] },
      'model_symbol_unknown',
      '.states[0].derivative',
      'previousRate(…) cannot be read by a derivative',
    ],
    [
      'a lag that differs between people',
      { inputs: [{ ...smallModel.inputs![0]!, lag: "etaCL * unit(1, 'h')" }] },
      'model_symbol_unknown',
      '.inputs[0].lag',
      "'etaCL' is a random effect, which a lag cannot read",
    ],
    [
      'a lag by a genotype that may be unknown',
      { inputs: [{ ...smallModel.inputs![0]!, lag: "if(CYP == '*1/*1', 1, 2) * unit(1, 'h')" }] },
      'pack_schema_invalid',
      '.inputs[0].lag',
      "it reads 'cyp', which may be unknown",
    ],
    [
      'a bioavailability that depends on the moment',
      { inputs: [{ ...smallModel.inputs![0]!, bioavailability: "in(time, 'h')" }] },
      'model_symbol_unknown',
      '.inputs[0].bioavailability',
      "'time' is the time of the moment",
    ],
    [
      'a dose of another dimension',
      { inputs: [{ ...smallModel.inputs![0]!, unit: 'U' }] },
      'model_units_differ',
      '.inputs[0].into',
      'expected mass/activity',
    ],
    [
      'a dose into nothing',
      { inputs: [{ ...smallModel.inputs![0]!, into: 'CL' }] },
      'model_symbol_unknown',
      '.inputs[0].into',
      "'CL' takes no doses",
    ],
    [
      'a dose of an unknown drug',
      { inputs: [{ ...smallModel.inputs![0]!, intervention: 'other' }] },
      'pack_schema_invalid',
      '.inputs[0].intervention',
      'names no intervention',
    ],
    [
      'a derivative of another dimension',
      { states: [state('-CL * A')] },
      'model_units_differ',
      '.states[0].derivative',
      'mass·volume/time, expected mass/time (mg per h)',
    ],
    [
      'an observation of nothing',
      { observations: [{ marker: 'level', readout: 'C', error: { kind: 'additive', sd: 1 } }] },
      'model_symbol_unknown',
      '.observations[0].readout',
      "'C' is no read-out",
    ],
    [
      'an observation of an unknown marker',
      { observations: [{ marker: 'other', readout: 'level', error: { kind: 'additive', sd: 1 } }] },
      'pack_schema_invalid',
      '.observations[0].marker',
      "'other' names no marker",
    ],
    [
      'an observation of another dimension',
      { readouts: [{ symbol: 'level', unit: 'mg', formula: 'A' }] },
      'model_units_differ',
      '.observations[0]',
      'the read-out is mass and the marker mass/volume (ug/L)',
    ],
    [
      'a transition of what is not exact',
      { observations: [{ marker: 'level', readout: 'level', error: { kind: 'transition', fraction: 0.1 } }] },
      'pack_schema_invalid',
      '.observations[0].error',
      'observedExactly',
    ],
    [
      'an unknown event',
      { events: [{ id: 'cure', kind: 'hazard', hazard: '0', terminal: true }] },
      'pack_schema_invalid',
      '.events[0].id',
      "'cure' names no event",
    ],
    [
      'an event that sets nothing',
      { events: [{ id: 'relapse', kind: 'hazard', hazard: '0', terminal: true, set: [{ state: 'B', to: '0' }] }] },
      'model_symbol_unknown',
      '.events[0].set[0].state',
      "'B' is no state",
    ],
    [
      'a hazard that is no rate',
      { events: [{ id: 'relapse', kind: 'hazard', hazard: '0.1', terminal: true }] },
      'model_units_differ',
      '.events[0].hazard',
      'expected 1/time (per h)',
    ],
    [
      'thresholds of another dimension',
      { events: [{ id: 'relapse', kind: 'crossing', of: 'C', at: '1', direction: 'rising', terminal: true }] },
      'model_units_differ',
      '.events[0].at',
      'a plain number, expected mass/volume',
    ],
  ];
  test.each(cases)('%s', (_, change, code, where, what) => {
    const found = refusalOf(change);
    expect(found.message).toContain(`pack.json, models[0]${where}`);
    expect(found.message).toContain(what);
    expect(found.code).toBe(code);
  });

  test('time from birth needs an age in years', () => {
    expect(compileSmall({ timeZero: 'birth' }).timeZero).toBe('birth');
    const covariates = smallContext.covariates.map((each) => (each.id === 'age' ? { ...each, unit: 'mo' } : each));
    const found = refusalOf({ timeZero: 'birth' }, { ...smallContext, covariates } as typeof smallContext);
    expect(found.message).toContain('models[0].timeZero: found birth');
  });

  test('a circle is named', () => {
    const circle = refusalOf({
      parameters: [
        { symbol: 'CL', unit: 'L/h', formula: 'k * V' },
        { symbol: 'V', unit: 'L', formula: 'Vpop * exp(etaV)' },
        { symbol: 'k', unit: '/h', formula: "unit(2, '/h') * in(half, 'h')" },
        { symbol: 'half', unit: 'h', formula: 'V / CL' },
      ],
    });
    expect(circle.code).toBe('model_cycle');
    expect(circle.message).toContain(
      "models[0].parameters[0].formula: 'CL' needs 'k' needs 'half' needs 'CL', expected an order",
    );
    const itself = refusalOf({ algebra: [{ symbol: 'C', unit: 'mg/L', formula: 'C + A / V' }] });
    expect(itself.code).toBe('model_cycle');
    expect(itself.message).toContain("models[0].algebra[0].formula: 'C' needs 'C'");
  });
});

describe('a stepper that does not fit is refused', () => {
  const closed = { stepper: { kind: 'closed-form' } };
  const adaptive = { relativeTolerance: 1e-6, absoluteTolerance: 1e-9, firstStep: 0.1, maximumStep: 1, maximumSteps: 1000 };
  test.each<readonly [object, string, string]>([
    [closed, '.states', 'closed-form, which has nothing to step, expected no states'],
    [
      { ...closed, states: [], memory: [{ symbol: 'm', unit: '1', initial: '0', atSegmentStart: 'm' }] },
      '.memory',
      'expected no memory',
    ],
    [
      { ...closed, states: [], events: [{ id: 'relapse', kind: 'hazard', hazard: '0', terminal: true }] },
      '.events',
      'no steps to find events in',
    ],
    [{ states: [] }, '.states', 'expected at least one'],
    [{ noises: ['e'] }, '.noises', 'expected noises only with map'],
    [{ states: [state('0', { diffusion: '0' })] }, '.states[0].diffusion', 'only with euler-maruyama or heun'],
    [{ states: [{ symbol: 'A', unit: 'mg', initial: '0', next: 'A' }] }, '.states[0]', 'expected the formula derivative'],
    [{ states: [state('0', { next: 'A' })] }, '.states[0].next', 'expected derivative only'],
    [{ stepper: { kind: 'map', step: 1 } }, '.states[0]', 'expected the formula next'],
    [{ stepper: { kind: 'map', step: 1 }, states: [state('0', { next: 'A' })] }, '.states[0].derivative', 'expected next only'],
    [
      { stepper: { kind: 'rosenbrock', ...adaptive }, states: [state('0', { diffusion: '0' })] },
      '.states[0].diffusion',
      'rosenbrock',
    ],
    [
      {
        stepper: { kind: 'map', step: 1 },
        states: [{ symbol: 'A', unit: 'mg', initial: '0', next: 'A' }],
        compartments: { amountUnit: 'mg', central: 'X', clearance: 'CL', volume: 'V', peripherals: [] },
      },
      '.compartments',
      'expected no compartments',
    ],
  ])('%#', (change, where, what) => {
    const { code, message } = refusalOf(change);
    expect(code).toBe('model_stepper_unfit');
    expect(message).toContain(`pack.json, models[0]${where}: `);
    expect(message).toContain(what);
  });
});

describe('a hostile model', () => {
  test('that grows without end is stopped', () => {
    const parts = Array.from({ length: 120 }, (_, i) => `exp(WT / WTref * ${i + 1})`).join(' + ');
    const many = Array.from({ length: 256 }, (_, i) => ({
      symbol: `p${i}`,
      unit: '1',
      formula: parts.replaceAll('* ', `* ${i}.`),
    }));
    const found = refusalOf({ parameters: [...smallModel.parameters, ...many] });
    expect(found.code).toBe('model_formula_invalid');
    expect(found.message).toContain('more than 20000 parts');
  });

  test('whose algebra doubles at every line stays small, and one that nests without end is stopped', () => {
    const adaptive = { relativeTolerance: 1e-6, absoluteTolerance: 1e-9, firstStep: 0.1, maximumStep: 1, maximumSteps: 1000 };
    const line = (formula: (before: string) => string, count: number) => ({
      algebra: [
        { symbol: 'C', unit: 'mg/L', formula: 'A / V' },
        { symbol: 'c0', unit: '1', formula: "in(A, 'mg')" },
        ...Array.from({ length: count }, (_, i) => ({ symbol: `c${i + 1}`, unit: '1', formula: formula(`c${i}`) })),
      ],
      states: [state(`unit(c${count}, 'mg/h')`)],
      stepper: { kind: 'rosenbrock', ...adaptive },
    });
    const started = performance.now();
    expect(compileSmall(line((c) => `${c} * ${c}`, 60) as Partial<EquationsModel>).jacobian).toHaveLength(1);
    const deep = refusalOf(line((c) => `${'exp(-'.repeat(60)}${c}${')'.repeat(60)}`, 100));
    expect(deep.code).toBe('model_formula_invalid');
    expect(deep.message).toContain('nested more than 1000 deep');
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test('may use names that objects inherit, because they are only names', () => {
    const program = compileSmall({
      parameters: [
        ...smallModel.parameters,
        { symbol: 'constructor', unit: '1', formula: '2' },
        { symbol: 'toString', unit: '1', formula: 'constructor + hasOwnProperty' },
        { symbol: 'hasOwnProperty', unit: '1', formula: '3' },
      ],
    });
    expect(program.parameters.map(({ symbol }) => symbol)).toEqual(['CL', 'V', 'constructor', 'hasOwnProperty', 'toString']);
    expect(refusalOf({ parameters: [{ symbol: 'x', unit: '1', formula: 'valueOf' }] }).message).toContain(
      "there is no symbol 'valueOf'",
    );
  });
});

describe('derivatives', () => {
  const expressions = new Expressions({ nodes: 1e6, depth: 1e4, constants: 'any' });
  const x = expressions.read('state', 0);
  const y = expressions.read('state', 1);
  const apply = expressions.apply.bind(expressions);
  const n = (value: number) => expressions.number(value);

  const leaf = fc.oneof(
    fc.constantFrom<Expr>(x, y),
    fc.double({ min: 0.1, max: 3, noNaN: true }).map((value): Expr => n(value)),
  );
  // Functions without kinks and poles near the point, so that a finite difference means something.
  const { smooth } = fc.letrec<{ smooth: Expr }>((tie) => ({
    smooth: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.tuple(fc.constantFrom('add', 'sub', 'mul'), tie('smooth'), tie('smooth')).map(([op, a, b]) => apply(op as 'add', a, b)),
      fc.constantFrom('tanh', 'neg').chain((op) => tie('smooth').map((a) => apply(op as 'tanh', a))),
      fc.constantFrom('exp', 'sinh', 'expm1').chain((op) => tie('smooth').map((a) => apply(op as 'exp', apply('tanh', a)))),
      fc
        .constantFrom('log', 'sqrt', 'log1p')
        .chain((op) => tie('smooth').map((a) => apply(op as 'log', apply('add', n(2), apply('tanh', a))))),
      fc.tuple(tie('smooth'), tie('smooth')).map(([a, b]) => apply('div', a, apply('add', n(2), apply('mul', b, b)))),
      fc
        .tuple(tie('smooth'), tie('smooth'))
        .map(([a, b]) => apply('pow', apply('add', n(1.5), apply('tanh', a)), apply('tanh', b))),
    ),
  }));

  test('agree with finite differences', () => {
    fc.assert(
      fc.property(
        smooth,
        fc.double({ min: 0.2, max: 1.5, noNaN: true }),
        fc.double({ min: 0.2, max: 1.5, noNaN: true }),
        (f, a, b) => {
          const at = (u: number) => evaluate(f, (_, index) => (index === 0 ? u : b));
          const derivative = differentiate(f, x, expressions);
          const exact = derivative ? evaluate(derivative, (_, index) => (index === 0 ? a : b)) : 0;
          const h = 1e-5;
          // Five points: the error of the difference is h⁴ times a fifth derivative, and rounding over h.
          const difference = (8 * (at(a + h) - at(a - h)) - (at(a + 2 * h) - at(a - 2 * h))) / (12 * h);
          const size = Math.max(1, Math.abs(at(a)), Math.abs(exact));
          fc.pre(Number.isFinite(exact) && size < 1e4);
          expect(Math.abs(exact - difference) / size).toBeLessThan(1e-6);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('at a kink are those of the side that is taken', () => {
    const read = (value: number) => () => value;
    const slope = (f: Expr, at: number) => evaluate(differentiate(f, x, expressions)!, read(at));
    expect([slope(apply('abs', x), -2), slope(apply('abs', x), 3)]).toEqual([-1, 1]);
    expect([slope(apply('max', x, n(1)), 0), slope(apply('max', x, n(1)), 2)]).toEqual([0, 1]);
    expect([slope(apply('min', x, n(1)), 0), slope(apply('min', x, n(1)), 2)]).toEqual([1, 0]);
    const step = apply('if', apply('lt', x, n(1)), apply('mul', x, x), n(7));
    expect([slope(step, 0.5), slope(step, 2)]).toEqual([1, 0]);
    expect(differentiate(apply('floor', x), x, expressions)).toBeNull();
    expect(differentiate(apply('exp', y), x, expressions)).toBeNull();
  });

  test('of a model go through its algebra, and are null where nothing depends', () => {
    const { jacobian } = compileSmall({
      stepper: {
        kind: 'rosenbrock',
        relativeTolerance: 1e-6,
        absoluteTolerance: 1e-9,
        firstStep: 0.1,
        maximumStep: 1,
        maximumSteps: 1000,
      },
      states: [state('-CL * C * saturation'), { symbol: 'B', unit: 'mg', initial: '0', derivative: "-B / unit(2, 'h')" }],
      algebra: [
        { symbol: 'saturation', unit: '1', formula: "1 / (1 + C / unit(3, 'mg/L'))" },
        { symbol: 'C', unit: 'mg/L', formula: 'A / V' },
      ],
    });
    expect(jacobian![0]![1]).toBeNull();
    expect(jacobian![1]![0]).toBeNull();
    expect(evaluate(jacobian![1]![1]!, () => 1)).toBe(-0.5);
    const slots = new Set<SlotKind>();
    visit(jacobian![0]![0]!, (from) => slots.add(from));
    expect(slots.has('algebra')).toBe(false);
    // d/dA of −CL·C/(1 + C/3) is −CL/V/(1 + C/3)².
    const [CL, V, A] = [4, 50, 200];
    const found = evaluate(jacobian![0]![0]!, (from, index) => (from === 'state' ? A : index === 0 ? CL : V));
    expect(found).toBeCloseTo(-CL / V / (1 + A / V / 3) ** 2, 12);
  });
});

describe('hoisting', () => {
  const parameters = [
    { symbol: 'size', unit: '1', formula: '(WT / WTref)^0.75' },
    { symbol: 'renal', unit: '1', formula: "min(CRCL, unit(150, 'mL/min')) / unit(120, 'mL/min')" },
    { symbol: 'CL', unit: 'L/h', formula: "CLpop * size * renal^0.8 * if(CYP == '*3/*3', 0.5, 1) * exp(etaCL)" },
    { symbol: 'V', unit: 'L', formula: 'Vpop * (WT / WTref) * exp(etaV)' },
  ];
  const program = compileSmall({ parameters });
  const row = Float64Array.of(84, 55, 90, 2);
  const effects = [0.3, -0.1];

  /** All parameters in their order, as a lane computes them. */
  function parametersOf({ parameters: list }: Program, hoisted: Float64Array): number[] {
    const known: number[] = [];
    for (const { value } of list) {
      known.push(
        evaluate(value, (from, index) => {
          if (from === 'covariate') return row[index]!;
          if (from === 'hoisted') return hoisted[index]!;
          return from === 'effect' ? effects[index]! : known[index]!;
        }),
      );
    }
    return known;
  }

  test.each([[[]], [[0]], [[3]], [[0, 1, 2, 3]]])('changes no value, whichever covariates differ between lanes: %j', (lane) => {
    const { program: hoisted, rowFormulas } = hoistProgram(program, lane);
    const before = parametersOf(program, new Float64Array());
    const after = parametersOf(hoisted, evaluateRow(rowFormulas, row));
    after.forEach((value, i) => expect(value).toBeCloseTo(before[i]!, 12));
    for (const formula of rowFormulas) {
      const slots: SlotKind[] = [];
      visit(formula, (from) => slots.push(from));
      expect(slots.every((from) => from === 'covariate')).toBe(true);
    }
  });

  test('leaves lanes nothing that depends on the row alone', () => {
    const { program: hoisted, rowFormulas } = hoistProgram(program, []);
    const clearance = hoisted.parameters[2]!.value;
    expect(clearance).toMatchObject({
      op: 'mul',
      args: expect.arrayContaining([
        { op: 'read', from: 'hoisted', index: expect.any(Number) },
        { op: 'exp', args: [{ op: 'read', from: 'effect', index: 0 }] },
      ]),
    });
    expect(hoisted.parameters[0]!.value).toMatchObject({ from: 'hoisted' });
    expect(rowFormulas.length).toBeLessThanOrEqual(5);
  });

  test('keeps a lane covariate in the lane', () => {
    const slots = new Set<SlotKind>();
    const { program: hoisted } = hoistProgram(program, [0]);
    visit(hoisted.parameters[0]!.value, (from) => slots.add(from));
    expect([...slots]).toEqual(['covariate']);
  });

  test('keeps the lag for the timeline, which knows covariates only', () => {
    const late = compileSmall({ inputs: [{ ...smallModel.inputs![0]!, lag: "unit(0.5, 'h') * (WT / WTref)" }] });
    expect(hoistProgram(late, []).program.inputs[0]!.lag).toBe(late.inputs[0]!.lag);
  });

  test('a constant that folds to no number on the way is left to the row', () => {
    const odd = compileSmall({
      parameters: [
        ...smallModel.parameters,
        { symbol: 'none', unit: '1', formula: '0' },
        { symbol: 'share', unit: '1', formula: 'if(none > 0, 1 / none, 2) + etaV' },
      ],
    });
    const { program: hoisted, rowFormulas } = hoistProgram(odd, []);
    expect(parametersOf(hoisted, evaluateRow(rowFormulas, row))[3]).toBe(2 + effects[1]!);
  });
});
