/**
 * What an imported number can be: one row an analyte, with the codes that name it, the one unit it is kept in, how other units of
 * this very quantity are converted, and which values are implausible or impossible. An analyte that a pack reads has the pack's id
 * where it is the same quantity, and a unit that the pack takes (tests/unit/interop/analytes.test.ts holds both). MMSE and MoCA are
 * points here and shares of the worst score in the packs: not the same quantity, hence other ids.
 *
 * Contains content from LOINC, © Regenstrief Institute; NOTICE has its notice. Codes and meanings are unchanged.
 */
import type { ImportCode } from './import-codes.ts';
import { normaliseUnit } from './units.ts';

/** From a unit to the analyte's own: × factor + offset, or the logarithm to base ten. Units of one quantity only. */
type Step = number | { readonly factor: number; readonly offset: number } | 'log10';
type Steps = Readonly<Record<string, Step>>;

interface AnalyteCode {
  /** LOINC. */
  readonly code: string;
  /** Where this code's quantity is a twin of the analyte (urea for urea nitrogen, IFCC for NGSP): its own units. */
  readonly units?: Steps;
}

export interface Analyte {
  readonly id: string;
  readonly label: string;
  /** UCUM. */
  readonly unit: string;
  readonly codes: readonly AnalyteCode[];
  /** By normalised UCUM unit; the analyte's own unit is among them. */
  readonly units: Steps;
  /** Outside of it a person should look. In `unit`. */
  readonly plausible: readonly [number, number];
  /** Outside of it no measurement of a living person falls: not computed with. In `unit`. */
  readonly possible: readonly [number, number];
  /** Texts that suggest this analyte to a person, normalised as `suggestAnalyte` does. Never a match by themselves. */
  readonly names: readonly string[];
}

export interface Converted {
  /** In `unit`; null where `problem` says why. */
  readonly value: number | null;
  /** UCUM; empty without a value. */
  readonly unit: string;
  readonly problem: ImportCode | null;
  readonly doubts: readonly ImportCode[];
}

const dimensionless: Steps = { '1': 1, '{score}': 1 };
const perMinute: Steps = { '/min': 1 };
const enzyme: Steps = { 'U/L': 1, '[IU]/L': 1, 'mU/mL': 1, 'ukat/L': 60, 'nkat/L': 0.06 };
const cells9: Steps = { '10*9/L': 1, '10*3/uL': 1, '/uL': 0.001, '10*6/L': 0.001 };
const cells3: Steps = { '10*3/uL': 1, '10*9/L': 1, '/uL': 0.001, '10*6/L': 0.001 };
const cells12: Steps = { '10*6/uL': 1, '10*12/L': 1 };
const cells1: Steps = { '/uL': 1, '10*6/L': 1, '10*9/L': 1000, '10*3/uL': 1000 };
const electrolyte: Steps = { 'mmol/L': 1, 'meq/L': 1 };
const nanogramPerMl: Steps = { 'ng/mL': 1, 'ug/L': 1 };
const picogramPerMl: Steps = { 'pg/mL': 1, 'ng/L': 1 };
const gfr: Steps = { 'mL/min/{1.73_m2}': 1 };
/** What a spreadsheet shows as 97 % it may hold as 0.97: so little is impossible, and such a number is not taken for a percentage. */
const share: Steps = { '%': 1, '1': 100 };
const percent: Steps = { '%': 1 };
const pressure: Steps = { 'mm[Hg]': 1, kPa: 7.500_617 };
const litres: Steps = { L: 1, mL: 0.001 };
const femtolitres: Steps = { fL: 1 };
const percentile: Steps = { '{percentile}': 1, '%': 1 };
const lipid: Steps = { 'mg/dL': 1, 'mg/L': 0.1, 'g/L': 100, 'mmol/L': 38.67 };

const row = (
  id: string,
  label: string,
  unit: string,
  codes: readonly (string | AnalyteCode)[],
  units: Steps,
  plausible: readonly [number, number],
  possible: readonly [number, number],
  names: readonly string[] = [],
): Analyte => ({
  id,
  label,
  unit,
  codes: codes.map((code) => (typeof code === 'string' ? { code } : code)),
  units,
  plausible,
  possible,
  names: [normaliseName(label), ...names],
});

// Molar masses: creatinine 113.12 (88.40 µmol/L a mg/dL), glucose 180.16, bilirubin 584.66, urate 168.11, cholesterol 386.65,
// triglycerides 885.7 (as triolein), urea 60.06 with two nitrogens of 14.007: urea nitrogen = urea × 28.014 / 60.06. Factors with four
// figures are those of the tables that laboratories use, so that a value goes back to what was printed.
/** A millimole of urea nitrogen, as laboratories write it, is that of a millimole of urea: both nitrogens of it. */
const bunPerUreaMmol = 1 / 0.357;
const ureaUnits: Steps = { 'mmol/L': bunPerUreaMmol, 'mg/dL': 28.014 / 60.06, 'g/L': (100 * 28.014) / 60.06 };
/** NGSP % = 0.09148 × IFCC mmol/mol + 2.152 (ngsp.org): a regression between two reference methods, not a unit conversion. */
const ifcc: Step = { factor: 0.09148, offset: 2.152 };

/** Every analyte, in the order in which docs/import.md lists them. */
export const analytes: readonly Analyte[] = [
  // Chemistry.
  row('hba1c', 'HbA1c', '%', ['4548-4', '17856-6', '4549-2', { code: '59261-8', units: { 'mmol/mol': ifcc } }], { '%': 1, 'mmol/mol': ifcc }, [3, 20], [1, 30], ['haemoglobin a1c', 'hemoglobin a1c', 'glycated haemoglobin', 'a1c', 'hemoglobin a1c hemoglobin total in blood', 'hgba1c', 'hb a1c']), // prettier-ignore
  row('glucose', 'Glucose', 'mg/dL', ['2345-7', '2339-0', '1558-6', '14749-6', '15074-8', '14743-9', '2340-8', '41653-7', '14771-0'], { 'mg/dL': 1, 'mmol/L': 18.016, 'mg/L': 0.1, 'g/L': 100 }, [20, 700], [0, 5000], ['blood glucose', 'blood sugar', 'plasma glucose', 'serum glucose', 'fasting glucose', 'glucose serpl mcnc', 'glukose', 'glucosa']), // prettier-ignore
  row('sensor-glucose', 'Glucose (sensor under the skin)', 'mg/dL', ['99504-3'], { 'mg/dL': 1, 'mmol/L': 18.016 }, [39, 600], [0, 1000], ['cgm glucose', 'sensor glucose', 'interstitial glucose']), // prettier-ignore
  row('creatinine', 'Creatinine', 'mg/dL', ['2160-0', '38483-4', '14682-9', '59826-8'], { 'mg/dL': 1, 'umol/L': 1 / 88.4, 'mmol/L': 1000 / 88.4, 'mg/L': 0.1 }, [0.1, 20], [0, 100], ['creat', 'serum creatinine', 'creatinine in serum', 'creat serpl mcnc', 'kreatinin', 'crea']), // prettier-ignore
  row('urea-nitrogen', 'Urea nitrogen', 'mg/dL', ['3094-0', '6299-2', '14937-7', { code: '22664-7', units: ureaUnits }, { code: '3091-6', units: ureaUnits }], { 'mg/dL': 1, 'mg/L': 0.1, 'mmol/L': bunPerUreaMmol }, [1, 200], [0, 1000], ['bun', 'blood urea nitrogen', 'bun serpl mcnc']), // prettier-ignore
  row('egfr-mdrd', 'eGFR, MDRD', 'mL/min/{1.73_m2}', ['33914-3', '48642-3', '48643-1', '77147-7'], gfr, [2, 200], [0, 500], ['estimated glomerular filtration rate mdrd']), // prettier-ignore
  row('egfr-ckd-epi-2009', 'eGFR, CKD-EPI 2009', 'mL/min/{1.73_m2}', ['62238-1', '88293-6', '88294-4'], gfr, [2, 200], [0, 500], ['egfr ckd epi']), // prettier-ignore
  row('egfr-ckd-epi-2021', 'eGFR, CKD-EPI 2021', 'mL/min/{1.73_m2}', ['98979-8'], gfr, [2, 200], [0, 500]),
  row('egfr-unstated', 'eGFR, equation not stated', 'mL/min/{1.73_m2}', ['69405-9'], gfr, [2, 200], [0, 500], ['egfr', 'gfr', 'estimated glomerular filtration rate', 'glomerular filtration rate']), // prettier-ignore
  row('cholesterol', 'Cholesterol', 'mg/dL', ['2093-3', '14647-2'], lipid, [40, 2500], [0, 5000], ['total cholesterol', 'chol', 'cholesterol total']), // prettier-ignore
  row('ldl-cholesterol', 'LDL cholesterol', 'mg/dL', ['13457-7', '18262-6', '2089-1', '22748-8', '39469-2'], lipid, [5, 1000], [0, 3000], ['ldl', 'low density lipoprotein cholesterol', 'ldl c']), // prettier-ignore
  row('hdl-cholesterol', 'HDL cholesterol', 'mg/dL', ['2085-9', '14646-4'], lipid, [3, 200], [0, 1000], ['hdl', 'high density lipoprotein cholesterol', 'hdl c']), // prettier-ignore
  row('triglycerides', 'Triglycerides', 'mg/dL', ['2571-8', '14927-8', '3043-7'], { 'mg/dL': 1, 'mmol/L': 88.57, 'g/L': 100, 'mg/L': 0.1 }, [10, 10_000], [0, 30_000], ['trig', 'triglyceride']), // prettier-ignore
  row(
    'sodium',
    'Sodium',
    'mmol/L',
    ['2951-2', '2947-0'],
    electrolyte,
    [95, 190],
    [50, 300],
    ['na', 'sodium serpl scnc', 'natrium'],
  ),
  row('potassium', 'Potassium', 'mmol/L', ['2823-3', '6298-4'], electrolyte, [1.2, 10], [0.1, 40], ['k', 'potassium serpl scnc', 'kalium']), // prettier-ignore
  row('chloride', 'Chloride', 'mmol/L', ['2075-0', '2069-3'], electrolyte, [60, 150], [20, 250], ['cl', 'chloride serpl scnc']),
  row('carbon-dioxide', 'Carbon dioxide, total', 'mmol/L', ['2028-9', '20565-8'], electrolyte, [3, 60], [0, 150], ['co2', 'carbon dioxide', 'co2 serpl scnc']), // prettier-ignore
  row('bicarbonate', 'Bicarbonate', 'mmol/L', ['1963-8', '1959-6', '1960-4'], electrolyte, [3, 60], [0, 150], ['hco3']),
  row('calcium', 'Calcium', 'mg/dL', ['17861-6', '49765-1', '2000-8'], { 'mg/dL': 1, 'mmol/L': 1 / 0.2495, 'mg/L': 0.1 }, [3, 20], [0.5, 50], ['ca', 'calcium serpl mcnc', 'total calcium']), // prettier-ignore
  row('phosphate', 'Phosphate', 'mg/dL', ['2777-1', '14879-1'], { 'mg/dL': 1, 'mmol/L': 1 / 0.3229 }, [0.3, 20], [0, 60], ['phosphorus', 'phos', 'inorganic phosphate']), // prettier-ignore
  row('magnesium', 'Magnesium', 'mg/dL', ['19123-9', '2601-3'], { 'mg/dL': 1, 'mmol/L': 2.4305, 'meq/L': 1.21525 }, [0.4, 10], [0, 40], ['mg']), // prettier-ignore
  row('alt', 'Alanine aminotransferase', 'U/L', ['1742-6', '1743-4', '1744-2'], enzyme, [1, 5000], [0, 50_000], ['alt', 'alat', 'sgpt', 'gpt']), // prettier-ignore
  row('ast', 'Aspartate aminotransferase', 'U/L', ['1920-8', '30239-8', '88112-8'], enzyme, [3, 2000], [0, 50_000], ['ast', 'asat', 'sgot', 'got']), // prettier-ignore
  row('alkaline-phosphatase', 'Alkaline phosphatase', 'U/L', ['6768-6'], enzyme, [10, 20_000], [0, 50_000], ['alp', 'alk phos', 'alkp']), // prettier-ignore
  row('gamma-gt', 'Gamma-glutamyltransferase', 'U/L', ['2324-2'], enzyme, [1, 5000], [0, 50_000], ['ggt', 'gamma gt', 'gammagt']),
  row('ldh', 'Lactate dehydrogenase', 'U/L', ['2532-0', '14804-9'], enzyme, [30, 10_000], [0, 200_000], ['ldh', 'ld']),
  row('creatine-kinase', 'Creatine kinase', 'U/L', ['2157-6'], enzyme, [5, 100_000], [0, 2_000_000], ['ck', 'cpk']),
  row('bilirubin', 'Bilirubin', 'mg/dL', ['1975-2', '14631-6'], { 'mg/dL': 1, 'umol/L': 1 / 17.1, 'mg/L': 0.1 }, [0.1, 60], [0, 150], ['total bilirubin', 'bilirubin total', 'bili', 'tbil']), // prettier-ignore
  row('albumin', 'Albumin', 'g/dL', ['1751-7', '61151-7', '61152-5', '2862-1', { code: '54347-0', units: { 'umol/L': 0.006_643_7, 'mmol/L': 6.6437 } }], { 'g/dL': 1, 'g/L': 0.1, 'mg/dL': 0.001 }, [0.8, 6.5], [0, 12], ['alb', 'serum albumin', 'albumin in serum']), // prettier-ignore
  row('protein', 'Protein, total', 'g/dL', ['2885-2'], { 'g/dL': 1, 'g/L': 0.1 }, [2, 13], [0, 25], ['total protein', 'protein']),
  row('globulin', 'Globulin', 'g/dL', ['10834-0', '2336-6'], { 'g/dL': 1, 'g/L': 0.1 }, [0.5, 12], [0, 20]),
  row('urate', 'Urate', 'mg/dL', ['3084-1', '14933-6'], { 'mg/dL': 1, 'umol/L': 1 / 59.48, 'mmol/L': 1000 / 59.48 }, [0.2, 25], [0, 100], ['uric acid']), // prettier-ignore
  row('crp', 'C-reactive protein', 'mg/L', ['1988-5'], { 'mg/L': 1, 'mg/dL': 10, 'ug/mL': 1 }, [0, 700], [0, 2000], ['crp']),
  row('hs-crp', 'C-reactive protein, high sensitivity', 'mg/L', ['30522-7'], { 'mg/L': 1, 'mg/dL': 10, 'ug/mL': 1 }, [0, 700], [0, 2000], ['hs crp', 'hscrp']), // prettier-ignore
  row('lactate', 'Lactate', 'mmol/L', ['2524-7', '32693-4', '2518-9'], { 'mmol/L': 1, 'meq/L': 1, 'mg/dL': 1 / 9.008 }, [0.1, 30], [0, 80], ['lactic acid']), // prettier-ignore
  row('troponin-i', 'Troponin I', 'ng/mL', ['10839-9', '89579-7'], { 'ng/mL': 1, 'ug/L': 1, 'ng/L': 0.001, 'pg/mL': 0.001 }, [0, 500], [0, 10_000]), // prettier-ignore
  row('troponin-t', 'Troponin T', 'ng/mL', ['6598-7', '67151-1'], { 'ng/mL': 1, 'ug/L': 1, 'ng/L': 0.001, 'pg/mL': 0.001 }, [0, 100], [0, 10_000]), // prettier-ignore
  row('nt-probnp', 'NT-proBNP', 'pg/mL', ['33762-6'], { ...picogramPerMl, 'pmol/L': 8.457 }, [0, 100_000], [0, 1_000_000], ['nt pro bnp', 'ntprobnp']), // prettier-ignore
  row('bnp', 'BNP', 'pg/mL', ['30934-4', '42637-9'], { ...picogramPerMl, 'pmol/L': 3.464 }, [0, 20_000], [0, 200_000], ['brain natriuretic peptide']), // prettier-ignore
  row('tsh', 'Thyrotropin (TSH)', 'm[IU]/L', ['3016-3', '11580-8', '11579-0'], { 'm[IU]/L': 1, 'u[IU]/mL': 1, 'mU/L': 1, 'uU/mL': 1 }, [0, 200], [0, 2000], ['tsh', 'thyrotropin', 'thyroid stimulating hormone']), // prettier-ignore
  row('psa', 'Prostate-specific antigen', 'ng/mL', ['2857-1', '35741-8'], nanogramPerMl, [0, 5000], [0, 100_000], ['psa']),
  row('ferritin', 'Ferritin', 'ng/mL', ['2276-4', '20567-4'], { ...nanogramPerMl, 'pmol/L': 0.445 }, [1, 20_000], [0, 500_000]),
  row('urine-albumin-creatinine', 'Albumin/creatinine in urine', 'mg/g', ['14959-1', '9318-7'], { 'mg/g': 1, 'mg/mmol': 1 / 0.113, 'g/mol': 1 / 0.113, 'mg/mg': 1000 }, [0, 20_000], [0, 200_000], ['acr', 'uacr', 'microalbumin creatinine ratio', 'urine albumin creatinine ratio']), // prettier-ignore
  row('aag', 'α1-acid glycoprotein', 'g/L', [], { 'g/L': 1, 'mg/dL': 0.01, 'mg/L': 0.001 }, [0.1, 6], [0, 20], ['alpha 1 acid glycoprotein', 'orosomucoid', 'a1 acid glycoprotein', 'aag']), // prettier-ignore
  // Blood count and clotting.
  row('haemoglobin', 'Haemoglobin', 'g/dL', ['718-7', '20509-6', '30313-1', '30352-9', { code: '59260-0', units: { 'mmol/L': 1.6114 } }], { 'g/dL': 1, 'g/L': 0.1, 'mmol/L': 1.6114 }, [2, 25], [0.5, 35], ['hemoglobin', 'hgb', 'hb', 'hemoglobin mass volume in blood']), // prettier-ignore
  row('haematocrit', 'Haematocrit', '%', ['4544-3', '20570-8', '4545-0'], { '%': 1, '1': 100, 'L/L': 100 }, [10, 65], [2, 90], ['hematocrit', 'hct', 'hematocrit volume fraction of blood by automated count']), // prettier-ignore
  row('white-cells', 'White blood cells', '10*3/uL', ['6690-2', '26464-8', '804-5'], cells3, [0.1, 500], [0, 2000], ['wbc', 'leukocytes', 'leucocytes', 'white blood cell count']), // prettier-ignore
  row('red-cells', 'Red blood cells', '10*6/uL', ['789-8', '26453-1'], cells12, [0.7, 9], [0.1, 15], ['rbc', 'erythrocytes', 'red blood cell count']), // prettier-ignore
  row('platelets', 'Platelets', '10*9/L', ['777-3', '26515-7', '778-1'], cells9, [5, 1200], [0, 10_000], ['plt', 'platelet count', 'thrombocytes']), // prettier-ignore
  row('anc', 'Neutrophils (absolute count)', '10*9/L', ['751-8', '26499-4', '753-4'], cells9, [0.005, 60], [0, 500], ['neutrophils', 'anc', 'absolute neutrophil count', 'neutrophils absolute']), // prettier-ignore
  row('lymphocytes', 'Lymphocytes (absolute count)', '10*3/uL', ['731-0', '26474-7', '732-8'], cells3, [0, 200], [0, 2000], ['lymphocytes absolute']), // prettier-ignore
  row('mcv', 'Mean corpuscular volume', 'fL', ['787-2', '30428-7'], femtolitres, [40, 150], [20, 250], ['mcv']),
  row('mch', 'Mean corpuscular haemoglobin', 'pg', ['785-6', '28539-5'], { pg: 1, fmol: 16.114 }, [10, 50], [3, 100], ['mch']),
  row('mchc', 'Mean corpuscular haemoglobin concentration', 'g/dL', ['786-4', '28540-3'], { 'g/dL': 1, 'g/L': 0.1, '%': 1, 'mmol/L': 1.6114 }, [20, 45], [5, 70], ['mchc']), // prettier-ignore
  row('red-cell-width-volume', 'Red cell distribution width, volume', 'fL', ['21000-5'], femtolitres, [20, 150], [5, 300]),
  row('red-cell-width', 'Red cell distribution width', '%', ['788-0', '30385-9'], percent, [8, 50], [1, 100], ['rdw']),
  row('platelet-width', 'Platelet distribution width, volume', 'fL', ['32207-3'], femtolitres, [1, 1000], [0, 2000], ['pdw']),
  row('platelet-volume', 'Platelet mean volume', 'fL', ['32623-1', '28542-9'], femtolitres, [3, 25], [1, 60], ['mpv']),
  row('inr', 'INR', '1', ['6301-6', '34714-6', '38875-1', '46418-0'], dimensionless, [0.5, 20], [0.1, 200], ['international normalised ratio', 'international normalized ratio', 'pt inr']), // prettier-ignore
  row('prothrombin-time', 'Prothrombin time', 's', ['5902-2', '5964-2'], { s: 1 }, [7, 60], [1, 1000], ['pt', 'protime']),
  row(
    'aptt',
    'Activated partial thromboplastin time',
    's',
    ['3173-2', '14979-9'],
    { s: 1 },
    [10, 300],
    [1, 1000],
    ['aptt', 'ptt'],
  ),
  row('d-dimer', 'D-dimer (FEU)', 'ug/mL', ['48065-7'], { 'ug/mL': 1, 'mg/L': 1, 'ng/mL': 0.001, 'ug/L': 0.001 }, [0, 100], [0, 10_000], ['d dimer']), // prettier-ignore
  row('cd4', 'CD4 cells', '{cells}/uL', ['24467-3'], cells1, [0, 3000], [0, 20_000], ['cd4', 'cd4 count', 'cd4 t cells', 'cd3 cd4 cells']), // prettier-ignore
  row('cd8', 'CD8 cells', '{cells}/uL', ['14135-8'], cells1, [10, 8000], [0, 40_000], ['cd8', 'cd8 count', 'cd8 t cells', 'cd3 cd8 cells']), // prettier-ignore
  row('log-viral-load', 'HIV viral load, log₁₀ copies/mL', '1', [{ code: '29539-4' }, { code: '29541-0' }, { code: '20447-9', units: { '{copies}/mL': 'log10' } }, { code: '70241-5', units: { '{copies}/mL': 'log10' } }, { code: '25836-8', units: { '{copies}/mL': 'log10' } }], { '1': 1, '{Log_copies}/mL': 1, '{copies}/mL': 'log10' }, [-6, 9], [-6, 12], ['hiv rna', 'viral load', 'hiv 1 rna', 'hiv viral load', 'log viral load']), // prettier-ignore
  // Drug levels.
  row('tacrolimus', 'Tacrolimus in whole blood', 'ug/L', ['11253-2'], { 'ug/L': 1, 'ng/mL': 1, 'nmol/L': 0.804_02 }, [0.3, 80], [0, 500], ['tacrolimus', 'fk506', 'tacrolimus level']), // prettier-ignore
  row('vancomycin', 'Vancomycin', 'mg/L', ['20578-1', '4092-3', '4090-7'], { 'mg/L': 1, 'ug/mL': 1, 'umol/L': 1.449_25 }, [0.5, 120], [0, 1000], ['vancomycin trough', 'vancomycin peak', 'vancomycin level']), // prettier-ignore
  row('infliximab', 'Infliximab in serum', 'ug/mL', [], { 'ug/mL': 1, 'mg/L': 1 }, [0.05, 400], [0, 2000], ['infliximab', 'infliximab level', 'infliximab trough']), // prettier-ignore
  row('propofol', 'Propofol', 'ug/mL', [], { 'ug/mL': 1, 'mg/L': 1 }, [0.01, 60], [0, 500], ['propofol concentration']),
  row('docetaxel-concentration', 'Docetaxel in plasma', 'mg/L', [], { 'mg/L': 1, 'ug/mL': 1, 'ug/L': 0.001, 'ng/mL': 0.001, 'umol/L': 0.808 }, [0.0005, 20], [0, 200], ['docetaxel', 'docetaxel concentration']), // prettier-ignore
  // Body and vital signs.
  row('age', 'Age', 'a', ['30525-0', '21612-7', '29553-5'], { a: 1, mo: 1 / 12, wk: 7 / 365.25, d: 1 / 365.25 }, [0, 110], [0, 130], ['age at entry', 'age years', 'age in years']), // prettier-ignore
  row('weight', 'Body weight', 'kg', ['29463-7', '3141-9'], { kg: 1, g: 0.001, '[lb_av]': 0.453_592_37, '[oz_av]': 0.028_349_523_125 }, [0.5, 300], [0.1, 700], ['weight', 'wt', 'body mass']), // prettier-ignore
  row('height', 'Body height', 'cm', ['8302-2', '3137-7', '8308-9', '8306-3'], { cm: 1, m: 100, mm: 0.1, '[in_i]': 2.54, '[ft_i]': 30.48 }, [30, 230], [15, 280], ['height', 'ht', 'body length', 'stature']), // prettier-ignore
  row('bmi', 'Body mass index', 'kg/m2', ['39156-5'], { 'kg/m2': 1 }, [8, 90], [3, 250], ['bmi']),
  row('pulse', 'Heart rate', '/min', ['8867-4', '8889-8', '8893-0'], perMinute, [20, 250], [0, 600], ['pulse', 'hr', 'pulse rate']), // prettier-ignore
  row(
    'respiratory-rate',
    'Respiratory rate',
    '/min',
    ['9279-1'],
    perMinute,
    [3, 80],
    [0, 250],
    ['rr', 'resp rate', 'respirations'],
  ),
  row('temperature', 'Body temperature', 'Cel', ['8310-5', '8331-1', '8332-9', '8333-7', '8328-7', '8329-5', '75539-7'], { Cel: 1, '[degF]': { factor: 5 / 9, offset: -160 / 9 }, K: { factor: 1, offset: -273.15 } }, [25, 44], [10, 50], ['temperature', 'temp', 'oral temperature']), // prettier-ignore
  row('oxygen-saturation', 'Oxygen saturation', '%', ['59408-5', '2708-6', '20564-1'], share, [40, 100], [2, 100], ['spo2', 'sao2', 'o2 sat', 'oxygen saturation in arterial blood']), // prettier-ignore
  row('inhaled-oxygen-flow', 'Inhaled oxygen flow rate', 'L/min', ['3151-8'], { 'L/min': 1, 'mL/min': 0.001 }, [0, 80], [0, 200]),
  row('inhaled-oxygen', 'Inhaled oxygen concentration', '%', ['3150-0'], share, [15, 100], [2, 100], ['fio2']),
  row('systolic-blood-pressure', 'Systolic blood pressure', 'mm[Hg]', ['8480-6', '8459-0', '8460-8', '8461-6'], pressure, [40, 280], [0, 400], ['sbp', 'systolic', 'systolic bp', 'bp systolic']), // prettier-ignore
  row('diastolic-blood-pressure', 'Diastolic blood pressure', 'mm[Hg]', ['8462-4', '8453-3', '8454-1', '8455-8'], pressure, [15, 180], [0, 300], ['dbp', 'diastolic', 'diastolic bp', 'bp diastolic']), // prettier-ignore
  row(
    'systolic-blood-pressure-mean',
    'Systolic blood pressure, mean of several',
    'mm[Hg]',
    ['96608-5'],
    pressure,
    [40, 280],
    [0, 400],
  ),
  row(
    'diastolic-blood-pressure-mean',
    'Diastolic blood pressure, mean of several',
    'mm[Hg]',
    ['96609-3'],
    pressure,
    [15, 180],
    [0, 300],
  ),
  row('mean-blood-pressure', 'Mean arterial pressure', 'mm[Hg]', ['8478-0'], pressure, [20, 220], [0, 350], ['map']),
  row(
    'head-circumference',
    'Head circumference',
    'cm',
    ['9843-4', '8287-5'],
    { cm: 1, mm: 0.1, '[in_i]': 2.54 },
    [20, 70],
    [5, 120],
  ),
  row(
    'head-circumference-percentile',
    'Head circumference, percentile',
    '{percentile}',
    ['8289-1'],
    percentile,
    [0, 100],
    [0, 100],
  ),
  row(
    'bmi-percentile',
    'Body mass index, percentile for age and sex',
    '{percentile}',
    ['59576-9'],
    percentile,
    [0, 100],
    [0, 100],
  ),
  row('weight-for-length-percentile', 'Weight for length, percentile for age and sex', '{percentile}', ['77606-2'], percentile, [0, 100], [0, 100]), // prettier-ignore
  row('ejection-fraction', 'Left ventricular ejection fraction', '%', ['10230-1', '8806-2', '18043-0'], share, [5, 90], [2, 100], ['lvef', 'ef', 'ejection fraction']), // prettier-ignore
  row('fev1', 'FEV1', 'L', ['20150-9'], litres, [0.1, 8], [0, 15], ['forced expiratory volume in 1 second']),
  row('fev1-fvc', 'FEV1/FVC', '%', ['19926-5'], share, [10, 100], [2, 100], []),
  row('tumour-volume', 'Tumour volume', 'cm3', [], { cm3: 1, mL: 1, mm3: 0.001 }, [1e-9, 1200], [0, 50_000], ['tumor volume']),
  row('polyp-size', 'Polyp, greatest dimension', 'mm', ['33756-8'], { mm: 1, cm: 10 }, [0.5, 200], [0, 1000]),
  row(
    'faecal-haemoglobin',
    'Haemoglobin in stool (immunological)',
    'ng/mL',
    ['57905-2'],
    nanogramPerMl,
    [0, 10_000],
    [0, 1_000_000],
  ),
  row('bis', 'Bispectral index', '1', [], dimensionless, [0, 100], [0, 100], ['bis']),
  // Scores and questions.
  row('karnofsky', 'Karnofsky score', '1', ['89243-0'], { ...dimensionless, '%': 1 }, [10, 100], [0, 100], ['karnofsky', 'kps', 'karnofsky performance status']), // prettier-ignore
  row('ecog-status', 'ECOG performance status', '{score}', ['89247-1'], dimensionless, [0, 5], [0, 5], ['ecog']), // prettier-ignore
  row('adas-cog', 'ADAS-cog (11 items)', '1', [], dimensionless, [0, 70], [0, 70], ['adas cog', 'adas cog 11', 'adas']),
  row('mmse-score', 'MMSE, points', '{score}', ['72106-8'], dimensionless, [0, 30], [0, 30], ['mmse', 'total score mmse', 'mini mental state']), // prettier-ignore
  row(
    'moca-score',
    'MoCA, points',
    '{score}',
    ['72172-0'],
    dimensionless,
    [0, 30],
    [0, 30],
    ['moca', 'montreal cognitive assessment'],
  ),
  row(
    'pain-score',
    'Pain, 0–10',
    '{score}',
    ['72514-3'],
    dimensionless,
    [0, 10],
    [0, 10],
    ['pain', 'pain severity', 'pain score'],
  ),
  row('apgar-1', 'Apgar score, 1 minute', '{score}', ['9272-6'], dimensionless, [0, 10], [0, 10]),
  row('apgar-5', 'Apgar score, 5 minutes', '{score}', ['9274-2'], dimensionless, [0, 10], [0, 10]),
  row('apgar-10', 'Apgar score, 10 minutes', '{score}', ['9271-8'], dimensionless, [0, 10], [0, 10]),
  row('audit-c', 'AUDIT-C, total', '{score}', ['75626-2'], dimensionless, [0, 12], [0, 12]),
  row('phq-9', 'PHQ-9, total', '{score}', ['44261-6'], dimensionless, [0, 27], [0, 27], ['phq9', 'phq 9']),
  row('phq-2', 'PHQ-2, total', '{score}', ['55758-7'], dimensionless, [0, 6], [0, 6], ['phq2', 'phq 2']),
  row('gad-7', 'GAD-7, total', '{score}', ['70274-6'], dimensionless, [0, 21], [0, 21], ['gad7', 'gad 7']),
  row('hunger-vital-sign', 'Hunger Vital Sign, score', '{score}', ['88121-9'], dimensionless, [0, 2], [0, 2]),
  row('exercise-minutes', 'Exercise, minutes a day', 'min/d', ['68516-4'], { 'min/d': 1 }, [0, 600], [0, 1440]),
  row('exercise-days', 'Exercise, days a week', 'd/wk', ['89555-7'], { 'd/wk': 1 }, [0, 7], [0, 7]),
  row('drinks-a-day', 'Alcoholic drinks a day', '/d', ['74013-4'], { '/d': 1 }, [0, 40], [0, 200]),
  row('heavy-drinking-days', 'Heavy drinking, times a year', '/a', ['68517-2'], { '/a': 1 }, [0, 366], [0, 366]),
  row('household-size', 'People in the household', '{score}', ['63512-8'], dimensionless, [0, 30], [0, 1000]),
];

const byId = new Map(analytes.map((analyte) => [analyte.id, analyte]));
const byLoinc = new Map(analytes.flatMap((analyte) => analyte.codes.map((code) => [code.code, { analyte, code }] as const)));
const byName = new Map(analytes.flatMap((analyte) => analyte.names.map((name) => [name, analyte] as const)));

export interface AnalyteMatch {
  readonly analyte: Analyte;
  /** The LOINC code that matched; null where only the text did. */
  readonly code: string | null;
  /** True where only the text matched: to be offered, never used before a person confirmed it. */
  readonly isSuggestion: boolean;
}

/** The analyte with this id, as a confirmed mapping names it. */
export function analyteById(id: string): Analyte | null {
  return byId.get(id) ?? null;
}

/**
 * What codes name: by LOINC, else by text as a suggestion. Null where nothing matches or where codes name different analytes, since
 * then one of them is wrong.
 */
export function analyteOf(
  codings: readonly { readonly system: string; readonly code: string }[],
  label: string,
): AnalyteMatch | null {
  let found: AnalyteMatch | null = null;
  for (const coding of codings) {
    if (!isLoincSystem(coding.system)) continue;
    const match = byLoinc.get(coding.code.trim());
    if (!match) continue;
    if (found && found.analyte !== match.analyte) return null;
    // Of two codes of one analyte the twin's is the stricter about units.
    if (!found || match.code.units) found = { analyte: match.analyte, code: match.code.code, isSuggestion: false };
  }
  if (found) return found;
  const suggested = byName.get(normaliseName(label));
  return suggested ? { analyte: suggested, code: null, isSuggestion: true } : null;
}

/** Whether a `system` is LOINC: its address with or without a slash and `s`, or its object identifier. */
export function isLoincSystem(system: string): boolean {
  return /^(?:https?:\/\/(?:www\.)?loinc\.org\/?|(?:urn:oid:)?2\.16\.840\.1\.113883\.6\.1|LOINC|LN|loinc)$/u.test(system.trim());
}

/** Lower case, accents off, everything but letters and digits to single spaces. */
export function normaliseName(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/**
 * A number of an analyte in its own unit. `writtenUnit` is as received; `code` is the LOINC code that named the analyte, since a
 * code of a twin quantity (urea, HbA1c by IFCC) has its own units. A unit that is missing, unknown or of another quantity gives a
 * problem and no value. A missing unit of a pure number (INR, a score) is taken, with a doubt: it can have no other.
 */
export function convert(analyte: Analyte, value: number, writtenUnit: string, code: string | null = null): Converted {
  const steps = stepsOf(analyte, code);
  const doubts: ImportCode[] = [];
  let unit = normaliseUnit(writtenUnit);
  if (writtenUnit.trim() === '') {
    if (!isPureNumber(steps)) return refused('unit_missing');
    doubts.push('unit_missing');
    unit = '1';
  }
  if (unit === null) unit = unitOnlyHere(steps, writtenUnit);
  if (unit === null) return refused('unit_unknown');
  const step = steps[unit];
  if (step === undefined) return refused('unit_contradicts');
  const converted = apply(step, value);
  if (!Number.isFinite(converted)) return refused('value_impossible');
  if (converted < analyte.possible[0] || converted > analyte.possible[1]) return refused('value_impossible');
  if (converted < analyte.plausible[0] || converted > analyte.plausible[1]) doubts.push('value_implausible');
  return { value: converted, unit: analyte.unit, problem: null, doubts };
}

/** Whether two written units mean the same for this analyte: `/min` and `beats/min`, never `mg/dL` and `umol/L`. */
export function sameUnit(analyte: Analyte, code: string | null, first: string, second: string): boolean {
  const steps = stepsOf(analyte, code);
  const [a, b] = [normaliseUnit(first), normaliseUnit(second)];
  if (a === b) return true;
  if (a === null || b === null) return false;
  const [stepA, stepB] = [steps[a], steps[b]];
  return stepA !== undefined && stepB !== undefined && JSON.stringify(stepA) === JSON.stringify(stepB);
}

function stepsOf(analyte: Analyte, code: string | null): Steps {
  return analyte.codes.find((one) => one.code === code)?.units ?? analyte.units;
}

/** Whether a value without a unit says nothing: false of pure numbers, as INR and scores are. */
export function needsUnit(analyte: Analyte): boolean {
  return !isPureNumber(analyte.units);
}

function isPureNumber(steps: Steps): boolean {
  return Object.entries(steps).every(([unit, step]) => (unit === '1' || unit === '{score}') && step === 1);
}

/** `G/L` is giga per litre on a French blood count and grams in capitals elsewhere: read only where it can be but one. */
function unitOnlyHere(steps: Steps, written: string): string | null {
  const folded = written.replace(/\s/gu, '');
  if (folded === 'G/L' && '10*9/L' in steps) return '10*9/L';
  if (folded === 'T/L' && '10*12/L' in steps) return '10*12/L';
  return null;
}

function apply(step: Step, value: number): number {
  if (step === 'log10') return Math.log10(value);
  return typeof step === 'number' ? value * step : value * step.factor + step.offset;
}

function refused(problem: ImportCode): Converted {
  return { value: null, unit: '', problem, doubts: [] };
}
