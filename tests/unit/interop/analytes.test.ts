import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { analyteById, analyteOf, analytes, convert, isLoincSystem, type Analyte } from '#interop/analytes.ts';
import { normaliseUnit } from '#interop/units.ts';

const loinc = (...codes: readonly string[]): { system: string; code: string }[] =>
  codes.map((code) => ({ system: 'http://loinc.org', code }));

/** In the analyte's own unit, by LOINC. */
function converted(code: string, value: number, unit: string): string {
  const match = analyteOf(loinc(code), '');
  if (!match) return 'no analyte';
  const result = convert(match.analyte, value, unit, match.code);
  return result.problem ?? `${Number(result.value?.toPrecision(5))} ${result.unit}`;
}

describe('the table', () => {
  test('ids, codes and names each name one analyte', () => {
    const all = (list: readonly string[]): void => expect(new Set(list).size, 'a double').toBe(list.length);
    all(analytes.map(({ id }) => id));
    all(analytes.flatMap(({ codes }) => codes.map(({ code }) => code)));
    all(analytes.flatMap(({ names }) => names));
  });

  test('each analyte takes its own unit as it is', () => {
    for (const analyte of analytes) {
      const middle = (analyte.plausible[0] + analyte.plausible[1]) / 2;
      expect(convert(analyte, middle, analyte.unit), analyte.id).toEqual({
        value: middle,
        unit: analyte.unit,
        problem: null,
        doubts: [],
      });
    }
  });

  test('units are keyed by their normal spelling, and ranges lie in each other', () => {
    for (const { id, units, codes, plausible, possible } of analytes) {
      const keys = [units, ...codes.map((code) => code.units ?? {})].flatMap((steps) => Object.keys(steps));
      for (const key of keys) expect(normaliseUnit(key), `${id} ${key}`).toBe(key);
      expect(possible[0] <= plausible[0] && plausible[0] < plausible[1] && plausible[1] <= possible[1], id).toBe(true);
    }
  });

  test('codes have LOINC’s check digit', () => {
    for (const { code } of analytes.flatMap(({ codes }) => codes)) {
      const [body = '', digit = ''] = code.split('-');
      // Modulus 10, every second digit from the right doubled.
      const sum = [...body].toReversed().reduce((total, character, index) => {
        const product = Number(character) * (index % 2 === 0 ? 2 : 1);
        return total + (product > 9 ? product - 9 : product);
      }, 0);
      expect(Number(digit), code).toBe((10 - (sum % 10)) % 10);
    }
  });
});

interface PackMeasure {
  readonly id: string;
  readonly kind?: string;
  readonly unit?: string;
  readonly alternativeUnits?: readonly { readonly unit: string; readonly factor: number }[];
  readonly codes?: readonly { readonly system: string; readonly code: string }[];
}

describe('the packs', () => {
  const measures = readdirSync('models', { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => {
      const pack = JSON.parse(readFileSync(`models/${entry.name}/pack.json`, 'utf8')) as Record<string, readonly PackMeasure[]>;
      return [...(pack.markers ?? []), ...(pack.covariates ?? [])]
        .filter((measure) => measure.unit !== undefined)
        .map((measure) => ({ pack: entry.name, measure }));
    });

  test('an analyte of a pack’s id has a unit that the pack takes, and its conversions agree', () => {
    let count = 0;
    for (const { pack, measure } of measures) {
      const analyte = analyteById(measure.id);
      if (!analyte) continue;
      count += 1;
      const taken = [{ unit: measure.unit as string, factor: 1 }, ...(measure.alternativeUnits ?? [])];
      const own = taken.find(({ unit }) => unit === analyte.unit);
      expect(own, `${pack} ${measure.id} takes ${analyte.unit}`).toBeDefined();
      for (const { unit, factor } of taken) {
        const value = ((analyte.plausible[0] + analyte.plausible[1]) / 2) * ((own?.factor ?? 1) / factor);
        const mine = convert(analyte, value, unit);
        if (mine.problem !== null) expect(`${mine.problem} ${unit}`, `${pack} ${measure.id}`).toBe('nothing');
        else
          expect((((mine.value ?? 0) * (own?.factor ?? 1)) / (value * factor)).toFixed(2), `${pack} ${measure.id} ${unit}`).toBe(
            '1.00',
          );
      }
    }
    expect(count).toBeGreaterThan(35);
  });

  test('a code that a pack names is of the analyte with the pack’s id', () => {
    // The same quantity under a pack's own name for a moment in time.
    const momentary: Readonly<Record<string, string>> = { 'anc-baseline': 'anc', 'baseline-inr': 'inr' };
    for (const { pack, measure } of measures) {
      for (const { system, code } of measure.codes ?? []) {
        if (system !== 'LOINC') continue;
        const found = analyteOf(loinc(code), '')?.analyte.id;
        expect(found, `${pack} ${measure.id} ${code}`).toBe(momentary[measure.id] ?? measure.id);
      }
    }
  });

  test('what a pack reads as a share of the worst score is not what records have in points', () => {
    for (const id of ['mmse', 'moca']) expect(analyteById(id)).toBeNull();
    expect(analyteOf(loinc('72106-8'), '')?.analyte.id).toBe('mmse-score');
  });
});

describe('conversion', () => {
  test.each([
    ['4548-4', 6.5, '%', '6.5 %'],
    ['4548-4', 48, 'mmol/mol', '6.543 %'],
    ['59261-8', 48, 'mmol/mol', '6.543 %'],
    ['59261-8', 6.5, '%', 'unit_contradicts'],
    ['2345-7', 5.5, 'mmol/L', '99.088 mg/dL'],
    ['14749-6', 5.5, 'mmol/l', '99.088 mg/dL'],
    ['2160-0', 97, 'umol/L', '1.0973 mg/dL'],
    ['14682-9', 97, 'µmol/L', '1.0973 mg/dL'],
    ['2160-0', 97, 'μmol/l', '1.0973 mg/dL'],
    ['3094-0', 20, 'mg/dL', '20 mg/dL'],
    ['22664-7', 7.14, 'mmol/L', '20 mg/dL'],
    ['22664-7', 42.88, 'mg/dL', '20.001 mg/dL'],
    ['3094-0', 7, 'mmol/L', '19.608 mg/dL'],
    ['33914-3', 60, 'mL/min/1.73m2', '60 mL/min/{1.73_m2}'],
    ['33914-3', 60, 'mL/min', 'unit_contradicts'],
    ['2093-3', 5, 'mmol/L', '193.35 mg/dL'],
    ['2571-8', 1.7, 'mmol/L', '150.57 mg/dL'],
    ['2823-3', 4.2, 'mEq/L', '4.2 mmol/L'],
    ['17861-6', 2.4, 'mmol/L', '9.6192 mg/dL'],
    ['718-7', 140, 'g/L', '14 g/dL'],
    ['718-7', 8.7, 'mmol/L', '14.019 g/dL'],
    ['4544-3', 0.42, 'L/L', '42 %'],
    ['6690-2', 7.1, 'K/uL', '7.1 10*3/uL'],
    ['6690-2', 7100, 'cells/uL', '7.1 10*3/uL'],
    ['777-3', 250, 'x10^9/L', '250 10*9/L'],
    ['777-3', 250, 'G/L', '250 10*9/L'],
    ['718-7', 14, 'G/L', 'unit_unknown'],
    ['789-8', 4.7, 'M/uL', '4.7 10*6/uL'],
    ['1742-6', 40, 'IU/L', '40 U/L'],
    ['1742-6', 0.5, 'µkat/L', '30 U/L'],
    ['3016-3', 2.1, 'uIU/mL', '2.1 m[IU]/L'],
    ['3016-3', 2.1, 'mIU/L', '2.1 m[IU]/L'],
    ['3016-3', 2.1, 'IU/L', 'unit_contradicts'],
    ['1988-5', 1.2, 'mg/dL', '12 mg/L'],
    ['1975-2', 34.2, 'umol/L', '2 mg/dL'],
    ['1751-7', 38, 'g/L', '3.8 g/dL'],
    ['9318-7', 3.39, 'mg/mmol', '30 mg/g'],
    ['29463-7', 154.3, 'lb', '69.989 kg'],
    ['8302-2', 70, 'in', '177.8 cm'],
    ['8302-2', 1.8, 'm', '180 cm'],
    ['8310-5', 98.6, 'degF', '37 Cel'],
    ['8310-5', 310.15, 'K', '37 Cel'],
    ['6690-2', 310, 'K', 'unit_contradicts'],
    ['8867-4', 72, 'beats/min', '72 /min'],
    ['8480-6', 16, 'kPa', '120.01 mm[Hg]'],
    ['20447-9', 100_000, 'copies/mL', '5 1'],
    ['29539-4', 5, '{Log_copies}/mL', '5 1'],
    ['20447-9', 0, 'copies/mL', 'value_impossible'],
    ['24467-3', 0.35, '10*9/L', '350 {cells}/uL'],
    ['11253-2', 8, 'ng/mL', '8 ug/L'],
    ['20578-1', 15, 'mcg/mL', '15 mg/L'],
    ['2160-0', 1.1, '', 'unit_missing'],
    ['2160-0', 1.1, 'furlong', 'unit_unknown'],
    ['2160-0', 1.1, 'Mg/dL', 'unit_unknown'],
    ['2160-0', 1.1, 'MG/DL', '1.1 mg/dL'],
    ['2160-0', -1, 'mg/dL', 'value_impossible'],
    ['2160-0', 1e9, 'mg/dL', 'value_impossible'],
  ])('%s: %d %s is %s', (code, value, unit, wanted) => expect(converted(code, value, unit)).toBe(wanted));

  test('a pure number needs no unit, with a doubt; anything else does', () => {
    expect(convert(analyteById('inr') as Analyte, 2.5, '')).toEqual({
      value: 2.5,
      unit: '1',
      problem: null,
      doubts: ['unit_missing'],
    });
    expect(convert(analyteById('haematocrit') as Analyte, 0.42, '').problem).toBe('unit_missing');
  });

  test('an implausible value is converted and doubted', () => {
    expect(convert(analyteById('creatinine') as Analyte, 40, 'mg/dL')).toMatchObject({
      value: 40,
      doubts: ['value_implausible'],
    });
  });
});

describe('what codes name', () => {
  test('LOINC in any spelling of its address', () => {
    for (const system of ['http://loinc.org', 'https://loinc.org', 'http://loinc.org/', 'http://www.loinc.org', 'urn:oid:2.16.840.1.113883.6.1', '2.16.840.1.113883.6.1']) expect(isLoincSystem(system), system).toBe(true); // prettier-ignore
    for (const system of ['', 'http://snomed.info/sct', 'http://loinc.org.example', 'http://loinc.org/vs/1', 'urn:oid:2.16.840.1.113883.6.11']) expect(isLoincSystem(system), system).toBe(false); // prettier-ignore
  });

  test('a code beside a vendor’s code, two codes of one analyte, two of different ones', () => {
    expect(analyteOf([{ system: 'urn:vendor', code: 'X' }, ...loinc('2160-0')], '')?.analyte.id).toBe('creatinine');
    expect(analyteOf(loinc('2708-6', '59408-5'), '')?.analyte.id).toBe('oxygen-saturation');
    expect(analyteOf(loinc('2160-0', '2345-7'), 'Creatinine')).toBeNull();
    expect(analyteOf([{ system: 'urn:vendor', code: '2160-0' }], '')).toBeNull();
  });

  test('a text only suggests', () => {
    expect(analyteOf([], 'Haemoglobin A1c')).toMatchObject({ code: null, isSuggestion: true });
    expect(analyteOf([], ' CREATININE ')?.analyte.id).toBe('creatinine');
    expect(analyteOf([], 'constructor')).toBeNull();
    expect(analyteOf([], 'eGFR')?.analyte.id).toBe('egfr-unstated');
  });
});

describe('spellings of units', () => {
  test.each([
    ['mmHg', 'mm[Hg]'],
    ['mcg/L', 'ug/L'],
    ['x10^9/L', '10*9/L'],
    ['10⁹/L', '10*9/L'],
    ['10E3/uL', '10*3/uL'],
    ['x 10^3 / µL', '10*3/uL'],
    ['K/uL', '10*3/uL'],
    ['degC', 'Cel'],
    ['lb', '[lb_av]'],
    ['beats/min', '/min'],
    ['mL/min/1.73m²', 'mL/min/{1.73_m2}'],
    ['mL/min/1.73 m^2', 'mL/min/{1.73_m2}'],
    ['day', 'd'],
    ['Hr', 'h'],
    ['score', '{score}'],
    ['ratio', '1'],
    ['# per day', '/d'],
    ['mg/dl', 'mg/dL'],
    ['ng/ml', 'ng/mL'],
    ['mg/dL{calculated}', 'mg/dL'],
    ['kg/m²', 'kg/m2'],
    ['[iU]/L', '[IU]/L'],
    ['{cells}/uL', '/uL'],
  ])('%s is %s', (written, unit) => expect(normaliseUnit(written)).toBe(unit));

  test.each([
    '',
    ' ',
    'Mg/dL',
    'G/L',
    'MU/L',
    'mg/dL/day',
    'constructor',
    '__proto__',
    'mmol/mg',
    '10*5/L',
    '{}',
    'x'.repeat(10_000),
  ])('%.20s is not known', (written) => expect(normaliseUnit(written)).toBeNull());
});
