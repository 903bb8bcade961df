/** What the codes of an import mean, in words: what was found, and what a person can do about it. */
import type { ImportCode } from '#interop/import-codes.ts';
import type { ImportFormat } from '#interop/imported.ts';

export const formatWords: Readonly<Record<ImportFormat, string>> = {
  'fhir-json': 'FHIR',
  'fhir-ndjson': 'FHIR, one resource a line',
  'smart-health-card': 'SMART health card',
  'table-long': 'table, one value a row',
  'table-wide': 'table, one column a measurement',
  omop: 'OMOP tables',
  sdtm: 'CDISC SDTM tables',
  'counterpart-run': 'saved run of Counterpart',
  unknown: 'unknown format',
};

export interface CodeWords {
  /** A few words, after a value or a place. */
  readonly what: string;
  readonly todo: string;
}

const ask = 'Ask whoever made the file for a complete copy.';
const check = 'Check the value against its source.';
const asReceived = 'It is kept as received and never computed with.';

export const codeWords: Readonly<Record<ImportCode, CodeWords>> = {
  empty: { what: 'the file is empty', todo: 'Choose the right file, or export it again.' },
  too_large: { what: 'the file is larger than can be read here', todo: 'Split it and import the parts.' },
  not_text: { what: 'the file is not text', todo: 'Choose a FHIR, CSV, TSV or XLSX file.' },
  not_json: { what: 'the file is not well-formed JSON', todo: ask },
  not_fhir: { what: 'the file is JSON, but not FHIR', todo: 'Choose a FHIR file, or a table.' },
  is_xml: { what: 'the file is XML', todo: 'Export it as FHIR JSON.' },
  too_deep: { what: 'the file is nested deeper than any record', todo: ask },
  truncated: { what: 'the file ends in the middle', todo: ask },
  number_overflow: { what: 'a number is too large to be held', todo: check },
  fhir_version_unsupported: { what: 'an older version of FHIR', todo: 'Export it as FHIR R4.' },
  format_unknown: { what: 'the format was not recognised', todo: 'Choose a FHIR, CSV, TSV or XLSX file.' },
  cancelled: { what: 'stopped', todo: 'Nothing was imported. Choose the file again when you are ready.' },
  no_rows: { what: 'there are no rows', todo: 'Choose the sheet or the file with the values.' },
  no_patient: { what: 'nobody is in it', todo: 'Choose the file that holds the people too.' },
  quote_unterminated: { what: 'a quotation mark is never closed', todo: ask },
  spreadsheet_unreadable: { what: 'the workbook cannot be read', todo: 'Save it again as XLSX, or as CSV.' },
  encoding_guessed: {
    what: 'the characters’ encoding was guessed',
    todo: 'Look at names with accents; choose another encoding if they look wrong.',
  },
  delimiter_guessed: {
    what: 'the column separator was guessed',
    todo: 'Look at the columns; choose another separator if they look wrong.',
  },
  decimal_comma: { what: 'the comma is read as the decimal mark', todo: 'Look at the first rows.' },
  date_order_ambiguous: { what: 'day and month cannot be told apart', todo: 'Say which comes first.' },
  row_ragged: { what: 'the row has more or fewer cells than the header', todo: 'Correct the row in the file.' },
  header_duplicate: { what: 'two columns have one name', todo: 'Look at both; they are told apart by their place.' },
  header_forbidden: { what: 'a column’s name is reserved', todo: 'Rename the column in the file.' },
  column_unmapped: { what: 'nobody said what the column is', todo: 'Choose its meaning, or leave it out.' },
  missing_token: { what: 'a mark for “no value”', todo: 'Say whether it means that nothing was measured.' },
  line_invalid: { what: 'the line cannot be read', todo: 'Correct the line in the file.' },
  resource_invalid: { what: 'the entry is not in order', todo: 'It was left out. Ask whoever made the file.' },
  resource_unread: { what: 'entries of this kind are not read', todo: 'Nothing needs to be done.' },
  key_duplicate: { what: 'a field stands there twice', todo: ask },
  key_forbidden: { what: 'a field’s name is reserved', todo: 'It was left out. Ask whoever made the file.' },
  id_duplicate: { what: 'two entries have one id', todo: 'Look whether both are right.' },
  several_patients: { what: 'several people are in the file', todo: 'Say below who each of them is.' },
  signature_unverified: { what: 'the signature was not checked', todo: 'Take it as any file of unknown origin.' },
  patient_unknown: { what: 'it does not say whose it is', todo: 'It was left out. Ask whoever made the file.' },
  reference_unresolved: {
    what: 'it refers to something that is not in the file',
    todo: 'Import the missing file together with this one.',
  },
  reference_circular: { what: 'references go round in a circle', todo: ask },
  status_excluded: { what: 'it was withdrawn, or entered in error', todo: 'It was left out, as the file says.' },
  status_preliminary: { what: 'preliminary result', todo: 'Look for the final one.' },
  status_corrected: { what: 'corrected result', todo: 'Nothing needs to be done.' },
  modifier_unknown: { what: 'it carries a mark that changes its meaning', todo: asReceived },
  value_absent: { what: 'there is no value', todo: 'Nothing needs to be done.' },
  value_not_a_number: { what: 'not a number', todo: asReceived },
  value_imprecise: { what: 'a number of doubtful digits', todo: check },
  value_implausible: { what: 'unusual value', todo: 'Check value and unit; confirm it in the record if both are right.' },
  value_impossible: { what: 'impossible value', todo: asReceived },
  value_censored: { what: 'a limit, not a measured value', todo: 'It is kept as a limit.' },
  unit_missing: { what: 'no unit', todo: asReceived },
  unit_unknown: { what: 'the unit is not one of this measurement', todo: asReceived },
  unit_contradicts: { what: 'unit and code contradict each other', todo: asReceived },
  analyte_unknown: { what: 'the measurement is not known here', todo: 'Say what it is, or leave it as received.' },
  date_missing: { what: 'no date', todo: asReceived },
  date_partial: { what: 'the day is not known', todo: 'It stays in the background: a day is never invented.' },
  date_impossible: { what: 'not a calendar day', todo: asReceived },
  date_in_future: { what: 'dated in the future', todo: 'Check the date. It stays in the background.' },
  before_birth: { what: 'dated before birth', todo: 'Check both dates. It stays in the background.' },
  after_death: { what: 'dated after death', todo: 'Check both dates. It stays in the background.' },
  birth_in_future: { what: 'birth date in the future', todo: 'Check the birth date.' },
  age_implausible: { what: 'nobody is this old', todo: 'Check the birth date.' },
  text_control_characters: { what: 'the text holds control characters', todo: 'They were taken out.' },
  text_damaged: { what: 'the text is damaged', todo: 'Look at names with accents; choose another encoding.' },
  duplicate_value: { what: 'the same value again', todo: 'It is counted once.' },
};
