/**
 * Spellings of units, as laboratories write them, to one UCUM spelling each. This file knows no quantities: whether and how a unit can
 * be converted is a question for an analyte (analytes.ts), never for a general converter. UCUM itself reads `K/uL` as kelvin per
 * microlitre, cannot tell mg of one substance from mg of another, and turns HbA1c of 6.5 % into 65 mmol/mol.
 *
 * UCUM is © Regenstrief Institute; NOTICE has its notice.
 */

/** UCUM spelling → other spellings seen in records, with spaces left out. Case matters; `foldCase` handles what is safe to fold. */
const spellings: Readonly<Record<string, readonly string[]>> = {
  // Mass and substance in volume.
  'mg/dL': ['mg%', 'mg/100mL', 'mgperdL'],
  'mg/L': [],
  'g/dL': ['g%', 'g/100mL', 'gm/dL', 'gms/dL', 'gr/dL'],
  'g/L': ['gm/L', 'gr/L'],
  'ug/L': ['mcg/L'],
  'ug/mL': ['mcg/mL'],
  'ug/dL': ['mcg/dL'],
  'ng/mL': [],
  'ng/dL': [],
  'ng/L': [],
  'pg/mL': [],
  'mol/L': [],
  'mmol/L': ['mM', 'mmolperL'],
  'umol/L': ['uM', 'micromol/L', 'mcmol/L'],
  'nmol/L': ['nM'],
  'pmol/L': ['pM'],
  'meq/L': ['mEq/L', 'mval/L'],
  // Cells.
  '10*3/uL': ['K/uL', 'k/uL', 'K/mcL', 'K/cumm', 'K/mm3', 'k/mm3', 'thou/uL', 'Thou/uL', 'thousand/uL', 'Thousand/uL', 'th/uL', '10*3/mcL', '10*3/mm3', '1000/uL', 'E3/uL', 'x1000/uL', 'Tsd/uL', 'Tsd./uL', 'tsd/uL', 'tsd./uL'], // prettier-ignore
  '10*6/uL': ['M/uL', 'M/mcL', 'M/cumm', 'M/mm3', 'mill/uL', 'Mill/uL', 'million/uL', 'Million/uL', '10*6/mcL', '10*6/mm3', '1000000/uL', 'E6/uL', 'Mio/uL', 'Mio./uL', 'mio/uL', 'mio./uL'], // prettier-ignore
  // A nanolitre and a picolitre, as German laboratories count cells.
  '10*9/L': ['billion/L', 'Gpt/L', 'giga/L', 'E9/L', '/nL', '1/nL'],
  '10*12/L': ['trillion/L', 'Tpt/L', 'tera/L', 'E12/L', '/pL', '1/pL'],
  '10*6/L': ['E6/L', 'Mpt/L'],
  '/uL': ['cells/uL', 'cell/uL', 'cells/mcL', '/mcL', 'cells/mm3', 'cell/mm3', '/mm3', 'cells/cumm', '/cumm', '#/uL', 'cells/cmm', '1/uL'], // prettier-ignore
  // Activity.
  'U/L': ['units/L', 'Units/L', 'unit/L'],
  'mU/L': [],
  'mU/mL': [],
  'uU/mL': [],
  '[IU]/L': ['IU/L', 'iU/L', '[iU]/L', 'ui/L', 'UI/L', 'IE/L'],
  'm[IU]/L': ['mIU/L', 'm[iU]/L', 'mUI/L', 'mIE/L'],
  'u[IU]/mL': ['uIU/mL', 'u[iU]/mL', 'mcIU/mL', 'uUI/mL', 'mcU/mL'],
  'm[IU]/mL': ['mIU/mL', 'm[iU]/mL'],
  'k[IU]/L': ['kIU/L', 'k[iU]/L', 'kU/L'],
  '[IU]/mL': ['IU/mL', 'iU/mL', '[iU]/mL'],
  'ukat/L': ['microkat/L', 'mckat/L'],
  'nkat/L': [],
  // Shares and ratios.
  '%': [
    'percent',
    'pct',
    'Percent',
    'vol%',
    'procent',
    '%O2',
    '%oftotalHgb',
    '%oftotalHb',
    '%ofTotalHb',
    '%ofHb',
    '%ofHgb',
    '%(NGSP)',
    '%NGSP',
  ],
  '1': ['ratio', 'Ratio', 'index', 'INR', '{INR}', '{ratio}', 'unitless', 'dimensionless', '[1]'],
  'L/L': ['l/l'],
  'mmol/mol': ['mmol/molHb', 'mmol/mol{Hb}', 'mmol/mol{creat}'],
  'mg/g': ['mg/gcreat', 'mg/gCr', 'mg/g{creat}', 'mg/gcreatinine', 'mg/gCreat', 'ug/mg', 'mcg/mg', 'ug/mg{creat}', 'mcg/mgcreat', 'ug/mgcreat'], // prettier-ignore
  'mg/mmol': ['mg/mmolcreat', 'mg/mmol{creat}', 'mg/mmolCr'],
  'g/mol': ['g/mol{creat}'],
  'mg/mg': ['mg/mg{creat}', 'g/g'],
  // Rates.
  'mL/min/{1.73_m2}': ['mL/min/1.73m2', 'mL/min/1.73m*2', 'mL/min/1.73m^2', 'mL/min/1.73sqm', 'mL/min/1.73_m2', 'mL/min/[1.73_m2]', 'mL/min/(1.73m2)', 'mL/min/{1.73m2}', 'mL/min/173.10*-2.m2', 'mL/min/1,73m2', 'mL/min/{1,73m2}', 'mL/min/1.73', 'mL/min/m2{1.73}', 'mL/min/1.73m2{bsa}', 'mL/(min.1.73m2)', 'mL/min/1.73.m2'], // prettier-ignore
  'mL/min': [],
  'L/min': ['liters/min', 'litres/min', 'lpm', 'LPM', 'liter/min', 'litre/min', 'L/m'],
  '/min': ['1/min', 'beats/min', 'beats/minute', 'beatsperminute', 'beat/min', 'bpm', 'BPM', '{beats}/min', '{beat}/min', 'breaths/min', 'breaths/minute', 'breathsperminute', 'breath/min', 'bt/min', 'resp/min', 'Slag/min', 'perminute', 'min-1', 'pulse/min', 'S/min', 'slag/min', 'Schlaege/min', 'puls/min', '{Beats}/min'], // prettier-ignore
  'mm/h': ['mm/hr', 'mm/Hr', 'mm/hour', 'mm/1h', 'mm/1.h', 'mm/std'],
  'mg/d': ['mg/24h', 'mg/day', 'mg/24.h', '(mg/24h)', 'mg/(24.h)', 'mg/24hr', 'mg/24hrs'],
  'min/d': ['minutesperday', 'minutes/day', 'min/day'],
  'd/wk': ['daysperweek', 'days/week', 'd/week'],
  '/d': ['#perday', 'perday', '/day', '1/d', '{drinks}/d', '{#}/d', '#/day'],
  '/a': ['#peryear', 'peryear', '/year', '1/a', '/yr', '{#}/a'],
  // Body and time.
  kg: ['kgs', 'Kg', 'kilogram', 'kilograms', 'kilo', 'kilogramme', 'kilogrammes'],
  g: ['gram', 'grams', 'gm', 'gms', 'gramme', 'grammes'],
  mg: ['milligram', 'milligrams', 'mgs', 'milligramme', 'milligrammes'],
  ug: ['mcg', 'microgram', 'micrograms', 'microgramme', 'microgrammes'],
  ng: ['nanogram', 'nanograms'],
  mmol: [],
  '[IU]': ['IU', 'iU', '[iU]', 'UI', 'IE', 'internationalunit', 'internationalunits'],
  U: ['unit', 'units', 'Units', 'Unit', '{unit}', '{Unit}', 'USPU'],
  Gy: ['gray', 'Gray'],
  '[lb_av]': ['lb', 'lbs', 'Lbs', 'Lb', 'pound', 'pounds', '[lb_us]', 'lb_av', 'lbs.', 'lb.'],
  '[oz_av]': ['oz', 'ounce', 'ounces'],
  cm: ['centimeter', 'centimeters', 'centimetre', 'centimetres', 'cms'],
  mm: ['millimeter', 'millimeters', 'millimetre', 'millimetres'],
  m: ['meter', 'meters', 'metre', 'metres'],
  '[in_i]': ['in', 'inch', 'inches', 'in.', '[in_us]', 'ins'],
  '[ft_i]': ['ft', 'foot', 'feet', 'ft.', '[ft_us]'],
  'kg/m2': ['kg/m*2', 'kg/m^2', 'kg/sqm', 'kg/m**2', 'kg.m-2', 'kg/(m2)', 'Kg/m2', 'kg/m2{BMI}', 'kg/sq.m'], // prettier-ignore
  cm3: ['cc', 'ccm', 'cm*3', 'cm^3', 'cubiccentimeter', 'cubiccentimetre'],
  mm3: ['mm*3', 'mm^3', 'cmm', 'cumm'],
  Cel: ['degC', 'C', '°C', 'ºC', 'celsius', 'Celsius', 'DegC', 'degreesC', 'degreesCelsius', 'deg.C', 'GradC', 'gradC'],
  '[degF]': ['degF', 'F', '°F', 'ºF', 'fahrenheit', 'Fahrenheit', 'DegF', 'degreesF', 'deg.F'],
  K: ['kelvin', 'Kelvin'],
  'mm[Hg]': ['mmHg', 'mmhg', 'MmHg', 'mm/Hg', 'mmofHg', 'mmHG', 'torr', 'Torr', 'mmHG.', 'mm(Hg)', 'mmHg.'],
  kPa: ['kpa'],
  a: ['y', 'yr', 'yrs', 'year', 'years', 'Years', 'yo', '{years}', 'ans', 'jaar', 'Jahre'],
  mo: ['month', 'months', 'Months'],
  wk: ['week', 'weeks', 'Weeks'],
  d: ['day', 'days', 'Day', 'Days'],
  h: ['hr', 'hrs', 'Hr', 'hour', 'hours', 'Hours', 'Hour', 'std'],
  min: ['minute', 'minutes', 'mins', 'Minutes'],
  s: ['sec', 'secs', 'second', 'seconds', 'Sek', 'sek', 'Seconds', 'Sec'],
  ms: ['msec', 'millisecond', 'milliseconds'],
  L: ['liter', 'liters', 'litre', 'litres', 'Liter'],
  mL: ['milliliter', 'milliliters', 'millilitre', 'millilitres'],
  fL: ['femtoliter', 'um3', 'cubicmicron', 'cu.micron'],
  pg: ['picogram', 'picograms', 'pg/cell', 'pg{cell}'],
  fmol: [],
  // Counts that name what they count.
  '{score}': ['score', 'Score', '(score)', 'points', 'point', 'pts', 'scores', '{points}', '{Score}', 'puntos', 'Punkte', '{total}', '{#}', '#', '{count}', 'count'], // prettier-ignore
  '{percentile}': ['percentile', '%ile', 'Percentile'],
  '{copies}/mL': ['copies/mL', 'copy/mL', 'cp/mL', 'cps/mL', '[copies]/mL', '{copy}/mL', 'Copies/mL', 'c/mL', 'copies/ml', 'HIVcopies/mL', 'RNAcopies/mL'], // prettier-ignore
  '{Log_copies}/mL': ['log10copies/mL', 'logcopies/mL', '{log_copies}/mL', '{Log}', 'log10', 'log', '{Log_copies}', 'Logcopies/mL', 'lgcopies/mL', 'log10cp/mL', '{log10_copies}/mL', '{Log10_copies}/mL', 'log(10)copies/mL', 'Log10copies/mL', '[Log_copies]/mL', '{Log_#}/mL', 'Log'], // prettier-ignore
  '[pH]': ['pH'],
};

const superscripts: Readonly<Record<string, string>> = {
  '⁰': '0',
  '¹': '1',
  '²': '2',
  '³': '3',
  '⁴': '4',
  '⁵': '5',
  '⁶': '6',
  '⁷': '7',
  '⁸': '8',
  '⁹': '9',
  '⁻': '-',
};

/** Spaces out, micro signs to `u`, powers of ten to `10*n`, litres to `L`. Nothing here can change what a unit means. */
function foldSpelling(written: string): string {
  return written
    .replace(/[\s\u200b\ufeff]/gu, '')
    .replace(/[µμ]/gu, 'u')
    .replace(/10([⁰¹²³⁴⁵⁶⁷⁸⁹]+)/gu, (_, power: string) => `10*${plainDigits(power)}`)
    .replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]/gu, plainDigits)
    .replace(/^[x×*](?=10)/u, '')
    .replace(/10(?:\^|\*\*|[eE]\+?)(?=\d)/u, '10*')
    .replace(/10\*0(?=[1-9])/u, '10*')
    .replace(/^([kdcmunpf]?)l(?=\/|$)/u, '$1L')
    .replace(/\/([kdcmunpf]?)l(?=\/|$|\{)/gu, '/$1L');
}

function plainDigits(text: string): string {
  return [...text].map((character) => superscripts[character] ?? character).join('');
}

const bySpelling = new Map<string, string>();
for (const [unit, others] of Object.entries(spellings)) {
  bySpelling.set(foldSpelling(unit), unit);
  for (const other of others) bySpelling.set(foldSpelling(other), unit);
}

/**
 * Units that are still themselves when somebody's system writes everything in capitals, which is how UCUM's own case-insensitive form
 * spells them. Left out are those that capitals turn into others: `G/L` is also 10*9/L, `MU/L` mega-units, `M` metre or mega.
 */
const safeInCapitals = ['mg/dL', 'mg/L', 'g/dL', 'ug/L', 'ug/mL', 'ug/dL', 'ng/mL', 'ng/dL', 'ng/L', 'pg/mL', 'mmol/L', 'umol/L', 'nmol/L', 'pmol/L', 'meq/L', '10*3/uL', '10*6/uL', 'u[IU]/mL', 'm[IU]/mL', 'mg/g', 'mg/mmol', 'mmol/mol', 'mL/min/{1.73_m2}', 'mL/min', 'mm/h', 'kg', 'cm', 'mm', '[lb_av]', '[in_i]', 'kg/m2', 'mm[Hg]', 'Cel', '{score}']; // prettier-ignore
const inCapitals = new Map<string, string>();
for (const unit of safeInCapitals) {
  for (const spelling of [unit, ...(spellings[unit] ?? [])]) {
    const capitals = foldSpelling(spelling).toUpperCase();
    if (!bySpelling.has(capitals)) inCapitals.set(capitals, unit);
  }
}

/**
 * The UCUM spelling of a unit as it was written, or null for one that is not known here. Annotations in braces are read where they
 * are part of a known unit and dropped otherwise, as UCUM has it. Must not guess: `Mg/dL` (megagrams) and `G/L` are null.
 */
export function normaliseUnit(written: string): string | null {
  if (written.length > 60) return null;
  const known = recent.get(written);
  if (known !== undefined) return known;
  // A file of a million values has a few dozen spellings; one made to have more must not fill the memory.
  if (recent.size >= 1000) recent.clear();
  const unit = lookedUp(written);
  recent.set(written, unit);
  return unit;
}

const recent = new Map<string, string | null>();

function lookedUp(written: string): string | null {
  const folded = foldSpelling(written);
  if (folded === '') return null;
  return (
    bySpelling.get(folded) ??
    bySpelling.get(withoutAnnotations(folded)) ??
    (/[a-z]/u.test(folded) ? undefined : inCapitals.get(folded)) ??
    null
  );
}

function withoutAnnotations(folded: string): string {
  return folded.replace(/\{[^{}]*\}/gu, '');
}

/** Whether a `system` of a Quantity says that its code is UCUM. */
export function isUcumSystem(system: string): boolean {
  return /^(?:https?:\/\/(?:www\.)?unitsofmeasure\.org\/?|urn:oid:2\.16\.840\.1\.113883\.6\.8)$/u.test(system.trim());
}
