import { describe, expect, test } from 'vitest';
import { conversionFactor, describeDimension, parseUnit, sameDimension, UnitError } from '#packs/equations/units.ts';

describe('a unit that models may use', () => {
  // Each pair by hand: one of the left is so many of the right.
  test.each([
    ['kg', 'g', 1000],
    ['mg', 'ug', 1000],
    ['ng', 'pg', 1000],
    ['L', 'mL', 1000],
    ['dL', 'L', 0.1],
    ['cm3', 'mL', 1],
    ['m3', 'L', 1000],
    ['mg/dL', 'g/L', 0.01],
    ['mg/L', 'ug/mL', 1],
    ['L/h', 'mL/min', 1000 / 60],
    ['mL/min', 'L/h', 0.06],
    ['mg/kg/min', 'mg/(kg.min)', 1],
    ['mg/kg/min', 'g/kg/d', 1.44],
    ['d', 'h', 24],
    ['wk', 'd', 7],
    ['a', 'mo', 12],
    ['a', 'd', 365.25],
    ['min', 's', 60],
    ['mol', 'mmol', 1000],
    ['umol/L', 'nmol/mL', 1],
    ['pmol', 'fmol', 1000],
    ['U', '[IU]', 1],
    ['[iU]/L', '[IU]/L', 1],
    ['mU', 'U', 1e-3],
    ['m[IU]/L', '[IU]/L', 1e-3],
    ['Gy', 'cGy', 100],
    ['%', '1', 0.01],
    ['10*9/L', '10*6/mL', 1],
    ['10^9/L', '10*3/uL', 1],
    ['10*-3', '1', 1e-3],
    ['{cells}/mL', '/mL', 1],
    ['mg{drug}/L', 'mg/L', 1],
    ['kg/m2', 'g/cm2', 0.1],
    ['/h', 'h-1', 1],
    ['1/h', '/h', 1],
    ['m2/kg', 'm2.kg-1', 1],
    ['mm[Hg]', 'cm[Hg]', 0.1],
    ['mg.h/L', 'g.d/L', 1e-3 / 24],
    ['24.h', 'd', 1],
    ['L', 'l', 1],
    ['mL/min/{1.73_m2}', 'mL/min', 1],
  ])('%s in %s is %d', (from, to, factor) => {
    const [a, b] = [parseUnit(from), parseUnit(to)];
    expect(sameDimension(a, b)).toBe(true);
    expect(conversionFactor(a, b)).toBe(factor);
    expect(conversionFactor(b, a)).toBeCloseTo(1 / factor, 12);
  });

  test.each([
    ['mg', 'mmol'],
    ['mg/L', 'mg'],
    ['U', 'g'],
    ['Gy', '1'],
    ['h', '/h'],
    ['m2', 'L'],
    ['s', 'm'],
  ])('%s and %s are of different dimensions', (a, b) => expect(sameDimension(parseUnit(a), parseUnit(b))).toBe(false));

  test('a ratio of decimal units leaves no rounding behind', () => {
    const units = ['ng/mL', 'ug/L', 'mg/L', 'mg/dL', 'g/L', 'kg/m3', 'pg/nL', 'ug/dL'].map(parseUnit);
    for (const a of units) {
      for (const b of units) {
        const factor = conversionFactor(a, b);
        expect(String(factor).replace(/[0.]|e.*/g, '')).toBe('1');
      }
    }
  });
});

describe('a text that is no unit is refused with what is wrong', () => {
  test.each([
    ['', 'empty'],
    ['mg / L', 'space'],
    ['µg/L', "written u, as in 'ug'"],
    ['μg', "written u, as in 'ug'"],
    ['mcg', "'mcg'"],
    ['kgg', "'kgg'"],
    ['hours', "'hours'"],
    ['mg/', "'' is no unit"],
    ['mg//L', 'is no unit'],
    ['mg.', 'is no unit'],
    ['(mg', "a ')' is missing"],
    ['mg)', "')' is left over"],
    ['mg^2', "'^2' is left over"],
    ['m1000', "'00' is left over"],
    ['0', "'0' is no factor"],
    ['Cel', "'Cel'"],
    ['kh', "'kh'"],
    ['constructor', "'constructor'"],
    ['__proto__', 'is no unit'],
    ['{', 'is no unit'],
    ['{a b}', 'space'],
    ['((((((mg))))))', 'nested too deep'],
    ['g'.repeat(65), '65 characters'],
    ['ｍg', 'is no unit'],
    ['кg', 'is no unit'],
  ])('%j', (text, what) => {
    expect(() => parseUnit(text)).toThrow(UnitError);
    expect(() => parseUnit(text)).toThrow(what);
  });
});

test.each([
  ['mg/L', 'mass/volume'],
  ['1', 'a plain number'],
  ['%', 'a plain number'],
  ['/h', '1/time'],
  ['L/h', 'volume/time'],
  ['mg/kg/min', '1/time'],
  ['kg/m2', 'mass/length^2'],
  ['mg.h/L', 'mass·time/volume'],
  ['U/L', 'activity/volume'],
  ['Gy-2', '1/radiation dose^2'],
])('%s is described as %s', (unit, text) => expect(describeDimension(parseUnit(unit))).toBe(text));
