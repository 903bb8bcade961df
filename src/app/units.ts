/** UCUM as people read it, and the spellings they type. */
const shown: Readonly<Record<string, string>> = {
  a: 'years',
  wk: 'weeks',
  d: 'days',
  '1': '',
  '{score}': '',
  'umol/L': 'µmol/L',
  'ug/L': 'µg/L',
  '10*9/L': '10⁹/L',
  '10*3/uL': '10³/µL',
  '10*12/L': '10¹²/L',
  '/uL': '/µL',
  '{cells}/uL': 'cells/µL',
  '/mm3': '/mm³',
  '{cells}/mm3': 'cells/mm³',
  'mm[Hg]': 'mmHg',
  'mL/min/{1.73_m2}': 'mL/min/1.73 m²',
  'kg/m2': 'kg/m²',
  cm3: 'cm³',
  Cel: '°C',
  '[iU]/L': 'IU/L',
  'ug/d': 'µg/day',
  'ug/(24.h)': 'µg/day',
};

export function unitText(unit: string): string {
  return shown[unit] ?? written(unit);
}

/** UCUM marks micro with u, multiplies with a point, puts what is no unit into braces and exponents behind. */
function written(unit: string): string {
  return unit
    .replaceAll(/[{}]/g, '')
    .replaceAll(/\bu(?=g|mol|L)/g, 'µ')
    .replaceAll(/10\*(\d)/g, (_, digit: string) => `10${superscripts[Number(digit)]}`)
    .replaceAll(/(?<=[A-Za-z])-1\b/g, '⁻¹')
    .replaceAll(/\/wk\b/g, '/week')
    .replaceAll(/(?<=[A-Za-z])\.(?=[A-Za-z])/g, '·');
}

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';

const plain = (unit: string) =>
  unit
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('μ', 'u')
    .replaceAll('µ', 'u')
    .replaceAll('mcg', 'ug')
    .replace(/^x(?=10)/, '')
    .replaceAll(/[\^*\s{}[\]]/g, '');

/** The one of `known` (UCUM) that a typed unit means; null when it is none. Upper and lower case are taken as typed slips. */
export function unitMeant(typed: string, known: readonly string[]): string | null {
  const wanted = plain(typed);
  return known.find((unit) => plain(unit) === wanted || plain(unitText(unit)) === wanted) ?? null;
}
