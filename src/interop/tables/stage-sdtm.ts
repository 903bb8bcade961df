/**
 * Domains of the CDISC Study Data Tabulation Model as CSV: DM, LB, VS, EX, AE, and CM and MH as background. Test codes are those of the
 * CDISC controlled terminology (NCI EVS, SDTM), whose meaning is fixed; a laboratory test is of blood, serum or plasma, or it is no match.
 */
import { cleanText, shortened } from '../clean-text.ts';
import type { ConfirmedCodes } from '../confirmed-codes.ts';
import type { ImportCode } from '../import-codes.ts';
import type { ImportedDose } from '../imported.ts';
import type { ReadDate } from '../partial-date.ts';
import { importSentences } from '../sentences.ts';
import { readDate, readNumber, type CellNumber } from './cells.ts';
import type { ModelRow } from './model-rows.ts';
import { loinc, type KnownConcept, type ObservationSink } from './observation-sink.ts';
import { tell, tellFact, type Person } from './people.ts';
import type { DataModel, ModelReader } from './stage-model.ts';

const cdisc = 'http://ncit.nci.nih.gov/cdisc/sdtm';

/** LBTESTCD to analyte, in blood, serum or plasma. */
const laboratory: Readonly<Record<string, string>> = {
  HBA1C: 'hba1c',
  GLUC: 'glucose',
  CREAT: 'creatinine',
  UREAN: 'urea-nitrogen',
  CHOL: 'cholesterol',
  LDL: 'ldl-cholesterol',
  HDL: 'hdl-cholesterol',
  TRIG: 'triglycerides',
  SODIUM: 'sodium',
  K: 'potassium',
  CL: 'chloride',
  CA: 'calcium',
  PHOS: 'phosphate',
  MG: 'magnesium',
  ALT: 'alt',
  AST: 'ast',
  ALP: 'alkaline-phosphatase',
  GGT: 'gamma-gt',
  LDH: 'ldh',
  CK: 'creatine-kinase',
  BILI: 'bilirubin',
  ALB: 'albumin',
  PROT: 'protein',
  URATE: 'urate',
  CRP: 'crp',
  HGB: 'haemoglobin',
  HCT: 'haematocrit',
  WBC: 'white-cells',
  RBC: 'red-cells',
  PLAT: 'platelets',
  NEUT: 'anc',
  LYM: 'lymphocytes',
  MCV: 'mcv',
  MCH: 'mch',
  MCHC: 'mchc',
  INR: 'inr',
  PT: 'prothrombin-time',
  APTT: 'aptt',
  TSH: 'tsh',
  PSA: 'psa',
  FERRITIN: 'ferritin',
  BNP: 'bnp',
  BNPPRO: 'nt-probnp',
};

const vitalSigns: Readonly<Record<string, string>> = {
  SYSBP: 'systolic-blood-pressure',
  DIABP: 'diastolic-blood-pressure',
  PULSE: 'pulse',
  HR: 'pulse',
  RESP: 'respiratory-rate',
  TEMP: 'temperature',
  WEIGHT: 'weight',
  HEIGHT: 'height',
  BMI: 'bmi',
  OXYSAT: 'oxygen-saturation',
};

/** The domain that these headers are of; `other` for one that is not read; null if they are not SDTM's. */
export function sdtmPart(headers: readonly string[]): string | null {
  const names = new Set(headers.map((header) => header.trim().toUpperCase()));
  if (!names.has('USUBJID')) return null;
  if (names.has('LBTESTCD')) return 'LB';
  if (names.has('VSTESTCD')) return 'VS';
  if (names.has('EXTRT')) return 'EX';
  if (names.has('AETERM') || names.has('AEDECOD')) return 'AE';
  if (names.has('CMTRT')) return 'CM';
  if (names.has('MHTERM')) return 'MH';
  // ADaM has no DOMAIN; ADLB is an ordinary long table.
  if (names.has('BRTHDTC') || names.has('DTHDTC') || (names.has('SEX') && !names.has('AVAL'))) return 'DM';
  return names.has('DOMAIN') ? 'other' : null;
}

export const sdtmModel: DataModel = {
  format: 'sdtm',
  unread: 'Of SDTM, the domains DM, LB, VS, EX, AE, CM and MH are read. This one is not.',
  reader: (sink, confirmed) => new SdtmReader(sink, confirmed),
};

class SdtmReader implements ModelReader {
  readonly #sink: ObservationSink;
  readonly #confirmed: ConfirmedCodes;

  constructor(sink: ObservationSink, confirmed: ConfirmedCodes) {
    this.#sink = sink;
    this.#confirmed = confirmed;
  }

  read(part: string, row: ModelRow, where: string, file: string): void {
    const { people, notices } = this.#sink;
    const key = row.cell('usubjid');
    const place = `${where} ${row.row}`;
    if (key === '') {
      notices.add('patient_unknown', place, 'The row has no USUBJID. It was left out.');
      return;
    }
    const number = people.numberOf(key);
    const person = people.all[number];
    switch (part) {
      case 'DM':
        return this.#readPerson(person, row, place);
      case 'LB':
      case 'VS':
        return this.#readFinding(part, number, row, where);
      case 'EX':
        return this.#readExposure(person, row, place, file);
      case 'AE':
        return this.#keep(
          person,
          'condition',
          row.cell('aedecod') || row.cell('aeterm'),
          'adverse event',
          ['aesev', 'aetoxgr', 'aeout'],
          row,
          'ae',
          place,
          file,
        );
      case 'CM':
        return this.#keep(
          person,
          'medication',
          row.cell('cmdecod') || row.cell('cmtrt'),
          'concomitant',
          ['cmdose', 'cmdosu', 'cmdosfrq', 'cmroute'],
          row,
          'cm',
          place,
          file,
        );
      default:
        return this.#keep(
          person,
          'condition',
          row.cell('mhdecod') || row.cell('mhterm'),
          'medical history',
          [],
          row,
          'mh',
          place,
          file,
        );
    }
  }

  #readPerson(person: Person, row: ModelRow, place: string): void {
    const sex = row.cell('sex');
    if (sex !== '') this.#sink.tellSex(person, sex, place);
    const birth = row.cell('brthdtc');
    if (birth !== '') this.#sink.tellBirth(person, sdtmDate(birth), place);
    const death = row.cell('dthdtc');
    if (death !== '') {
      const when = sdtmDate(death);
      if (typeof when === 'string') this.#sink.notices.add(when, place, importSentences[when]);
      else tell(person, 'deceasedOn', when.date);
    }
    for (const name of ['age', 'ageu', 'race', 'ethnic', 'arm', 'country']) {
      const said = row.cell(name);
      if (said !== '') tellFact(person, name, said);
    }
  }

  #readFinding(part: 'LB' | 'VS', patient: number, row: ModelRow, where: string): void {
    const prefix = part.toLowerCase();
    const cell = (name: string): string => row.cell(`${prefix}${name}`);
    const date = cell('dtc');
    const standard = cell('stresn');
    const standardText = cell('stresc');
    const original = cell('orres');
    if (standard === '' && standardText === '' && original === '' && cell('stat') !== '') {
      this.#sink.notices.add('value_absent', `${where} ${row.row}`, 'The test was not done.');
      return;
    }
    // The standardised result where there is one, in its unit; else as it was collected.
    const isStandard = standard !== '' || standardText !== '';
    const number = isStandard
      ? findingNumber(standard, standardText)
      : original === ''
        ? 'value_absent'
        : readNumber(original, '.');
    this.#sink.add({
      patient,
      concept: this.#conceptOf(part, cell),
      when: date === '' ? null : sdtmDate(date),
      received: isStandard
        ? typeof number === 'object' && number.comparator !== null
          ? standardText
          : standard || standardText
        : original,
      receivedUnit: isStandard ? cell('stresu') : cell('orresu'),
      number,
      where,
      row: row.row,
      column: '',
      isNoted: () => true,
    });
  }

  #conceptOf(part: 'LB' | 'VS', cell: (name: string) => string): KnownConcept {
    const term = cell('testcd').toUpperCase();
    const code = cell('loinc');
    const specimen = cell('spec').toUpperCase();
    const label = [cell('test') || term, /^(?:|BLOOD|SERUM|PLASMA|SERUM OR PLASMA)$/.test(specimen) ? '' : specimen]
      .filter(Boolean)
      .join(', ');
    const isBlood = part === 'VS' || /^(?:|BLOOD|WHOLE BLOOD|SERUM|PLASMA|SERUM OR PLASMA|SERUM\/PLASMA)$/.test(specimen);
    const analyte = this.#confirmed.find(cdisc, term) ?? (isBlood ? (part === 'LB' ? laboratory : vitalSigns)[term] : undefined);
    const codings = [...(code === '' ? [] : [{ system: loinc, code }]), ...(term === '' ? [] : [{ system: cdisc, code: term }])];
    return this.#sink.conceptOf(codings, label, analyte ? { analyte, unit: '' } : null);
  }

  /** A dose where amount, unit, time and, for more than one, frequency and end are known; background otherwise. */
  #readExposure(person: Person, row: ModelRow, place: string, file: string): void {
    const dose = completeDose(row, place);
    if (dose) person.doses.push(dose);
    else
      this.#keep(
        person,
        'medication',
        row.cell('extrt'),
        'study treatment',
        ['exdose', 'exdosu', 'exdosfrq', 'exroute'],
        row,
        'ex',
        place,
        file,
      );
  }

  #keep(
    person: Person,
    kind: 'condition' | 'medication',
    label: string,
    what: string,
    details: readonly string[],
    row: ModelRow,
    prefix: string,
    place: string,
    file: string,
  ): void {
    const start = row.cell(`${prefix}stdtc`) || row.cell(`${prefix}dtc`);
    const when = start === '' ? null : sdtmDate(start);
    if (typeof when === 'string') this.#sink.notices.add(when, place, importSentences[when]);
    const end = row.cell(`${prefix}endtc`);
    const detail = [what, ...details.map((name) => row.cell(name)), end === '' ? '' : `until ${end}`].filter(Boolean).join(', ');
    person.background.push({
      kind,
      label: shortened(cleanText(label)) || 'Without a name',
      date: typeof when === 'object' && when !== null ? when.date : null,
      detail: shortened(cleanText(detail)),
      source: { file, place },
    });
  }
}

/** LBSTRESN is empty for a limit, or holds its number: LBSTRESC says which. */
function findingNumber(standard: string, text: string): CellNumber | ImportCode {
  const said = text === '' ? null : readNumber(text, '.');
  if (standard === '') return said ?? 'value_absent';
  const number = readNumber(standard, '.');
  if (typeof number === 'string' || said === null || typeof said === 'string') return number;
  return said.value === number.value ? { ...number, comparator: said.comparator } : 'value_not_a_number';
}

/** ISO 8601 as SDTM writes it: an hour alone and missing parts (`2023-05-01T14`, `2023---15`) keep what is certain. */
function sdtmDate(text: string): ReadDate | ImportCode {
  return readDate(
    text
      .replace(/T\d{2}$/, '')
      .replace(/(?:T.*)?-{2,}.*$/, '')
      .replace(/[-T]+$/, ''),
    null,
  );
}

/** EXDOSFRQ, controlled terminology FREQ. */
const hoursBetween: Readonly<Record<string, number>> = {
  QD: 24,
  BID: 12,
  TID: 8,
  QID: 6,
  Q4H: 4,
  Q6H: 6,
  Q8H: 8,
  Q12H: 12,
  Q24H: 24,
  QOD: 48,
  QW: 168,
  Q2W: 336,
  Q3W: 504,
  Q4W: 672,
};

const routes: Readonly<Record<string, ImportedDose['route']>> = {
  ORAL: 'oral',
  SUBCUTANEOUS: 'subcutaneous',
  'INTRAVENOUS BOLUS': 'iv-bolus',
  'INTRAVENOUS DRIP': 'iv-infusion',
};

function completeDose(row: ModelRow, place: string): ImportedDose | null {
  const amount = readNumber(row.cell('exdose'), '.');
  const unit = row.cell('exdosu');
  const label = shortened(cleanText(row.cell('extrt')));
  const start = sdtmDate(row.cell('exstdtc'));
  if (typeof amount === 'string' || amount.comparator !== null || amount.value <= 0 || unit === '' || label === '') return null;
  if (typeof start === 'string' || start.date.length < 10) return null;
  const frequency = row.cell('exdosfrq').toUpperCase();
  const endText = row.cell('exendtc');
  const end = endText === '' ? null : sdtmDate(endText);
  if (typeof end === 'string' || (end !== null && end.date.length < 10)) return null;
  const isOnce = frequency === 'ONCE' || (frequency === '' && (end === null || end.date === start.date));
  const everyHours = isOnce ? null : (hoursBetween[frequency] ?? null);
  if (!isOnce && (everyHours === null || end === null)) return null;
  const route = routes[row.cell('exroute').toUpperCase()] ?? null;
  const minutes = isOnce && route === 'iv-infusion' && end?.time && start.time ? minutesBetween(start, end) : null;
  return {
    codings: [],
    label,
    amount: amount.value,
    unit,
    route,
    durationHours: minutes === null || minutes <= 0 ? null : minutes / 60,
    start: start.date,
    time: start.time,
    everyHours,
    count: isOnce ? 1 : null,
    stop: isOnce ? null : (end?.date ?? null),
    place,
  };
}

function minutesBetween(start: ReadDate, end: ReadDate): number {
  return (Date.parse(`${end.date}T${end.time}Z`) - Date.parse(`${start.date}T${start.time}Z`)) / 60_000;
}
