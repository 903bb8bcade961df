import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { applyOperation } from '#packs/equations/evaluate.ts';
import type { ApplyExpr, Expr } from '#packs/equations/program.ts';
import { calculate, compileFormula, compileSmall, smallModel, valueOf } from '../../fixtures/small-model.ts';

describe('operators hold as in mathematics', () => {
  test.each([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['2 - 3 - 4', -5],
    ['2 / 4 / 2', 0.25],
    ['2 ^ 3 ^ 2', 512],
    ['(2 ^ 3) ^ 2', 64],
    ['-2 ^ 2', -4],
    ['(-2) ^ 2', 4],
    ['2 ^ -1', 0.5],
    ['2 ^ -1 ^ 2', 0.5],
    ['-2 * 3', -6],
    ['2 * -3', -6],
    ['2 - -3', 5],
    ['--2', 2],
    ['-2 + 3', 1],
    ['1e3 + 1.5E-1', 1000.15],
    ['if(1 < 2 and 2 < 1 or 1 < 2, 1, 0)', 1],
    ['if(1 < 2 or 1 < 2 and 2 < 1, 1, 0)', 1],
    ['if(not 1 < 2 or 1 < 2, 1, 0)', 1],
    ['if(not (1 < 2 or 1 < 2), 1, 0)', 0],
    ['if(1 + 1 < 2 * 2, 1, 0)', 1],
    ['if(2 >= 2, 1, 0) + if(2 > 2, 1, 0) + if(2 <= 2, 1, 0) + if(1 == 1, 1, 0) + if(1 != 1, 1, 0)', 3],
    ['min(3, 1, 2) + max(3, 1, 2)', 4],
    ['pow(2, 10)', 1024],
    ['logistic(0)', 0.5],
    ['exp(1) - log(exp(3))', Math.E - 3],
    ['sqrt(9) + abs(-2) + floor(-1.5)', 3],
    ['tanh(0.5) + sinh(0.5) + expm1(1e-9) + log1p(1e-9)', Math.tanh(0.5) + Math.sinh(0.5) + 2e-9],
    ['\n 1\t+\r\n 2 ', 3],
  ])('%s', (formula, value) => expect(calculate(formula)).toBeCloseTo(value, 12));

  test('a category is compared by name and becomes its number', () => {
    const formula = "if(CYP == '*1/*3' or '*3/*3' == CYP, 1, 0) + 10 * if(CYP != '*1/*1', 1, 0)";
    expect([0, 1, 2].map((CYP) => calculate(formula, { CYP }))).toEqual([0, 11, 11]);
  });
});

describe('units', () => {
  test.each([
    ["in(unit(3, 'g'), 'mg')", 3000],
    ["in(unit(1, 'kg') + unit(500, 'g'), 'kg')", 1.5],
    ["in(unit(500, 'g') + unit(1, 'kg'), 'kg')", 1.5],
    ["if(unit(1, 'h') < unit(61, 'min'), 1, 0)", 1],
    ["if(unit(60, 'min') == unit(1, 'h'), 1, 0)", 1],
    ["in(min(unit(1, 'h'), unit(30, 'min')), 'min')", 30],
    ["unit(50, '%') + 1", 1.5],
    ["1 + unit(50, '%')", 1.5],
    ["exp(unit(1, 'g') / unit(1000, 'mg'))", Math.E],
    ["unit(1, 'kg') / unit(1, 'g')", 1000],
    ["in(unit(4, 'm2')^0.5, 'm')", 2],
    ["in(sqrt(unit(4, 'm2')), 'cm')", 200],
    ["in(unit(2, 'm')^3, 'L')", 8000],
    ["in(unit(2, 'm')^1.5 * unit(4, 'm')^0.5, 'm2')", 2 ** 1.5 * 2],
    ["in(unit(8, 'mg') / unit(2, 'L') * unit(1, 'h'), 'mg.h/L')", 4],
    ["in(-unit(1, 'g'), 'mg') + in(abs(unit(-1, 'g')), 'mg')", 0],
    ["if(unit(1, 'g') > 0, 1, 0) + in(max(0, unit(-1, 'g')), 'g') + in(0, 'g')", 1],
    ["in(unit(1, 'g') + 0, 'mg')", 1000],
    ["(unit(50, '%'))^2", 0.25],
  ])('%s', (formula, value) => expect(calculate(formula)).toBeCloseTo(value, 12));

  test('what is assigned is converted to the declared unit', () => {
    expect(calculate('WT', { WT: 70 }, 'g')).toBe(70_000);
    expect(calculate('CRCL', { CRCL: 100 }, 'L/h')).toBeCloseTo(6, 12);
    expect(calculate("unit(120, 'mL/min')", {}, 'L/h')).toBeCloseTo(7.2, 12);
    expect(calculate('0', {}, 'kg')).toBe(0);
  });
});

/** Code and message of a refusal. */
function refusalOf(act: () => unknown): { readonly code: string; readonly message: string } {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
}

const place = 'pack.json, models[0].parameters[2].formula';

describe('a formula that is no formula is refused with its place', () => {
  test.each([
    ['', 1, 'found the end of the formula, expected a number'],
    ['1 +', 4, 'found the end of the formula'],
    ['1 2', 3, "found '2', expected an operator"],
    ['1 + * 2', 5, "found '*', expected a number"],
    ['(1', 3, "found the end of the formula, expected ')'"],
    ['1)', 2, "found ')', expected an operator"],
    ['min(1, )', 8, "found ')'"],
    ['exp()', 5, "found ')'"],
    ['1 < 2 < 3', 7, "found '<', expected 'and' between"],
    ['x = 1', 3, 'expected == for a comparison'],
    ['a & b', 3, "expected the word 'and'"],
    ['WT == "70"', 7, "expected ' around a text"],
    ["in(WT, 'kg)", 8, "expected a closing '"],
    ['.5', 1, 'a digit before the point'],
    ['5.', 2, 'found'],
    ['_x', 1, 'begins with a letter'],
    ['1e999', 1, "'1e999' is too large"],
    ['and', 1, "found 'and'"],
    ['1 and', 6, 'end of the formula'],
    ['WT[0]', 3, 'expected letters a to z'],
    ['WT.constructor', 3, 'digit before the point'],
    ['WT; WT', 3, 'expected letters'],
    ['WT → 1', 4, 'expected letters'],
    ['ＷＴ', 1, 'expected letters a to z'],
    ['WТ', 2, 'expected letters a to z'],
    ['W\u200bT', 2, 'expected letters a to z'],
    ['`x`', 1, 'expected letters'],
    ['if(1, 2, 3)', 4, 'found a number, expected a condition'],
    ['if(1 < 2, 1 < 2, 3)', 13, 'found a condition, expected a number'],
    ['1 < 2', 3, 'found a condition, expected a number'],
    ['not 1', 5, 'expected a condition'],
    ["'a' == 'a'", 1, 'found a text'],
    ['CYP + 1', 1, 'found a category, expected a number: compare it'],
    ['exp(1, 2)', 1, 'exp has 2 arguments, expected 1'],
    ['min(1)', 1, 'min has 1 arguments, expected 2 to 16'],
    ['if(1 < 2, 1)', 1, 'if has 2 arguments, expected 3'],
    ['foo(1)', 1, "'foo' is no function"],
    ['neg(1)', 1, "'neg' is no function"],
    ['constructor(1)', 1, "'constructor' is no function"],
    ['toString(1)', 1, "'toString' is no function"],
    ['WT(1)', 1, "'WT' is no function"],
    ['in(WT, kg)', 8, 'expected a unit in quotes'],
    ["in(WT, 'kilo')", 8, "'kilo' is no unit"],
    ['rate(1)', 1, 'expected rate(symbol of an input)'],
  ])('%j', (formula, column, what) => {
    const { code, message } = refusalOf(() => compileFormula(formula));
    expect(code).toBe('model_formula_invalid');
    expect(message).toContain(`${place}, column ${column}: `);
    expect(message).toContain(what);
  });

  test('a formula that is too long, nested too deep or a chain too long', () => {
    const invalid = (formula: string) => {
      const { code, message } = refusalOf(() => compileFormula(formula));
      expect(code).toBe('model_formula_invalid');
      return message;
    };
    expect(invalid('1'.repeat(4001))).toContain('4001 characters, expected at most 4000');
    expect(invalid('('.repeat(2000))).toContain('nested more than 200 deep');
    expect(invalid('-'.repeat(2000))).toContain('nested more than 200 deep');
    expect(invalid('not '.repeat(900))).toContain('nested more than 200 deep');
    expect(invalid('2^'.repeat(1999))).toContain('nested more than 200 deep');
    expect(invalid(`WT${'+WT'.repeat(1300)}`)).toContain('nested more than 200 deep');
    expect(invalid('exp('.repeat(900))).toContain('nested more than 200 deep');
  });
});

describe('a symbol that may not be read is refused with what it is', () => {
  test.each([
    ['Q', "there is no symbol 'Q' in this model."],
    ['wt', "there is no symbol 'wt' in this model. Did you mean 'WT'?"],
    ['A', "'A' is a state, which a parameter cannot read"],
    ['C', "'C' is algebra, which a parameter cannot read"],
    ['level', "'level' is a read-out"],
    ['DOSE', "'DOSE' is an input, which a parameter cannot read, expected rate(DOSE)"],
    ['rate(DOSE)', 'rate(…) cannot be read by a parameter'],
    ['rate(WT)', 'cannot be read by a parameter'],
    ['time', "'time' is the time of the moment, which a parameter cannot read"],
    ['doseTime', "'doseTime'"],
    ['exp', "'exp' is not a symbol that can be read here"],
    ['constructor', "there is no symbol 'constructor'"],
    ["CYP == '*2/*2'", "'*2/*2' is no category of this covariate, expected one of '*1/*1', '*1/*3', '*3/*3'"],
  ])('%s', (formula, what) => {
    const { code, message } = refusalOf(() => compileFormula(formula.includes('==') ? `if(${formula}, 1, 0)` : formula));
    expect(code).toBe('model_symbol_unknown');
    expect(message).toContain(place);
    expect(message).toContain(what);
  });
});

describe('units that differ are refused with their place and both units', () => {
  test.each([
    ['WT + AGE', 4, 'the sides of + are mass and time'],
    ['WT + 1', 4, 'the sides of + are mass and a plain number'],
    ['if(WT > 3, 1, 0)', 7, 'the sides of > are mass and a plain number'],
    ['max(WT, AGE)', 1, 'the sides of max are mass and time'],
    ['if(1 < 2, WT, AGE) / WT', 1, 'the sides of if are mass and time'],
    ['exp(WT)', 5, 'the argument of exp is mass, expected a plain number'],
    ['log(CLpop)', 5, 'the argument of log is volume/time'],
    ['tanh(AGE)', 6, 'the argument of tanh is time'],
    ['2^WT', 2, 'an exponent is mass'],
    ['CLpop^(WT/WTref)', 6, 'the exponent is not a constant'],
    ["in(WT, 'L')", 4, 'found mass, expected volume'],
    ["unit(WT, 'kg')", 6, 'what is given a unit is mass'],
    ["unit(1, 'L')^1e9", 13, 'out of all bounds'],
  ])('%s', (formula, column, what) => {
    const { code, message } = refusalOf(() => compileFormula(formula));
    expect(code).toBe('model_units_differ');
    expect(message).toContain(`${place}, column ${column}: `);
    expect(message).toContain(what);
  });

  test('the declared unit', () => {
    const { code, message } = refusalOf(() => compileFormula('CLpop / Vpop', 'L/h'));
    expect(code).toBe('model_units_differ');
    expect(message).toContain(`${place}: the formula gives 1/time, expected volume/time (L/h).`);
  });
});

describe('folding', () => {
  test('constant subtrees are one number, and an if with a known condition is one branch', () => {
    expect(compileFormula('exp(2) * (1 + 2^0.3)')).toEqual({ op: 'number', value: Math.exp(2) * (1 + 2 ** 0.3) });
    expect(compileFormula("if(1 < 2 and not 2 < 1, 3, in(WT, 'kg'))")).toEqual({ op: 'number', value: 3 });
    expect(compileFormula('CLpop / CLpop')).toEqual({ op: 'number', value: 1 });
    expect(compileFormula('if(1 < 2 or AGE > WT / WTref * AGE, 5, 6)')).toEqual({ op: 'number', value: 5 });
  });

  test('what changes nothing goes, and what may be no number stays', () => {
    const weight = { op: 'read', from: 'covariate', index: 0 };
    for (const formula of ['WT * 1', '1 * WT', 'WT / 1', 'WT + 0', '0 + WT', 'WT - 0', '--WT', 'WT^1', 'if(AGE > 0, WT, WT)']) {
      expect(compileFormula(formula, 'kg'), formula).toEqual(weight);
    }
    for (const formula of ["in(WT, 'kg') * 0", '(WT - WT) / WTref', 'WT / WT', 'max(0, WT / WTref) * 0']) {
      expect(calculate(formula, { WT: Number.POSITIVE_INFINITY }), formula).toBeNaN();
    }
    expect(calculate("0 / in(WT, 'kg')", { WT: 0 })).toBeNaN();
  });

  test.each(['1 / 0', 'log(-1) * WT', 'if(AGE > 0, sqrt(-2), 1)', 'exp(1000)', '10^39', '1e39', '0 / 0'])(
    'a constant part that is no number is refused: %s',
    (formula) => {
      const { code, message } = refusalOf(() => compileFormula(formula));
      expect(code).toBe('model_formula_invalid');
      expect(message).toContain(place);
      expect(message).toContain('a constant part of the formula is');
    },
  );

  test('small whole powers are products of one subtree', () => {
    const expr = compileFormula('(WT / WTref)^4') as ApplyExpr;
    expect(expr.op).toBe('mul');
    expect(expr.args[0]).toBe(expr.args[1]);
    expect((expr.args[0] as ApplyExpr).args[0]).toBe((expr.args[0] as ApplyExpr).args[1]);
    expect(compileFormula('(WT / WTref)^0.5')).toMatchObject({ op: 'sqrt' });
    expect(compileFormula('(WT / WTref)^-2')).toMatchObject({ op: 'div', args: [{ op: 'number', value: 1 }, { op: 'mul' }] });
    expect(compileFormula('(WT / WTref)^0')).toEqual({ op: 'number', value: 1 });
    expect(compileFormula('(WT / WTref)^0.75')).toMatchObject({ op: 'pow' });
  });

  test('equal subtrees are one object, also across formulas and either way round', () => {
    const { parameters } = compileSmall({
      parameters: [
        ...smallModel.parameters,
        { symbol: 'p', unit: '1', formula: 'exp(WT / WTref) + 1' },
        { symbol: 'q', unit: '1', formula: '1 + exp(WT / WTref)' },
      ],
    });
    expect(parameters[2]!.value).toBe(parameters[3]!.value);
  });
});

/** A random expression as text, with its value computed beside it by nothing of ours but the operators' definitions. */
interface Sample {
  readonly text: string;
  readonly value: number;
}

const values = { WT: 61.5, AGE: 44.25 };
const leaf = fc.oneof(
  fc.double({ min: 0, max: 1e6, noNaN: true }).map((value): Sample => ({ text: String(value), value })),
  fc.constant<Sample>({ text: "in(WT, 'kg')", value: values.WT }),
  fc.constant<Sample>({ text: "in(AGE, 'a')", value: values.AGE }),
);
const signs = { add: '+', sub: '-', mul: '*', div: '/' } as const;
const binary = fc.constantFrom(...(Object.keys(signs) as (keyof typeof signs)[]));
const unary = fc.constantFrom('exp', 'log', 'sqrt', 'tanh', 'sinh', 'abs', 'floor', 'expm1', 'log1p');
const two = fc.constantFrom('min', 'max');
const { sample } = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.tuple(binary, tie('sample'), tie('sample')).map(([op, a, b]) => ({
      text: `(${a.text} ${signs[op]} ${b.text})`,
      value: applyOperation(op, a.value, b.value, 0),
    })),
    fc.tuple(unary, tie('sample')).map(([op, a]) => ({ text: `${op}(${a.text})`, value: applyOperation(op, a.value, 0, 0) })),
    fc.tuple(two, tie('sample'), tie('sample')).map(([op, a, b]) => ({
      text: `${op}(${a.text}, ${b.text})`,
      value: applyOperation(op, a.value, b.value, 0),
    })),
    tie('sample').map((a) => ({ text: `-${a.text}`, value: -a.value })),
    fc.tuple(tie('sample'), tie('sample'), tie('sample'), tie('sample')).map(([a, b, c, d]) => ({
      text: `if(${a.text} < ${b.text}, ${c.text}, ${d.text})`,
      value: a.value < b.value ? c.value : d.value,
    })),
  ),
}));

test('whatever is written is parsed, folded and evaluated to the value of its operations', () => {
  fc.assert(
    fc.property(sample, ({ text, value }) => {
      fc.pre(text.length < 4000);
      let expr: Expr;
      try {
        expr = compileFormula(text);
      } catch (error) {
        // 1/0 and its like: the value is no number for anybody.
        expect((error as AppError).message).toMatch(/a constant part of the formula is/);
        return;
      }
      const found = valueOf(expr, values);
      // The same operations in the same order, so the same bits; powers, which may become products, are tested below.
      expect(found === value || (Number.isNaN(found) && Number.isNaN(value)), `${found} and ${value}`).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('powers agree with the power function to the last digits', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), fc.integer({ min: -128, max: 128 }), (base, quarters) => {
      const exponent = quarters / 4;
      const found = calculate(`(WT / WTref)^${exponent < 0 ? `(${exponent})` : exponent}`, { WT: 70 * base });
      const expected = ((70 * base) / 70) ** exponent;
      expect(Math.abs(found / expected - 1)).toBeLessThan(8e-15);
    }),
    { numRuns: 500 },
  );
});

const pieces = [
  '1',
  'WT',
  'CYP',
  "'kg'",
  '(',
  ')',
  ',',
  '+',
  '-',
  '*',
  '/',
  '^',
  '<',
  '==',
  'and',
  'not',
  'if',
  'min',
  'in',
  'rate',
  'DOSE',
  'time',
  '__proto__',
  '\u0000',
  '\ud83d\ude00',
  '1e400',
];

test('any sequence of the language’s own words is a formula or a refusal with a place', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 30 }), (words) => {
      let outcome: unknown;
      try {
        outcome = compileFormula(words.join(' '));
      } catch (error) {
        outcome = error;
      }
      if (outcome instanceof Error) {
        expect(outcome).toBeInstanceOf(AppError);
        expect((outcome as AppError).code).toMatch(/^model_/);
        expect(outcome.message).toContain(place);
        expect(outcome.message.length).toBeLessThan(500);
      }
    }),
    { numRuns: 1000 },
  );
});
