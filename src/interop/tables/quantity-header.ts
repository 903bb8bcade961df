/** What a header of a wide table says: `creatinine (mg/dL)`, `HbA1c [%]`, `glucose_mmol_l`, `Gewicht in kg`, `BMI`. */
import { analyteById, analyteOf, convert, type Analyte } from '../analytes.ts';
import { normaliseUnit } from '../units.ts';
import { plainWords } from './header-words.ts';

/** Names in other languages and laboratory short forms that the analyte table does not have, as `plainWords` writes them. */
const namesByAnalyte: Readonly<Record<string, string>> = {
  hba1c:
    'hba1c,hb a1c,glykohamoglobin,hemoglobine glyquee,hemoglobine a1c,hemoglobina glicosilada,hemoglobina glicada,hba1c ngsp,hba1c ifcc,hb a1c ngsp,hb a1c ifcc',
  glucose: 'glycemie,glucemia,blutzucker,bz,gluc,glu,bloedglucose,nuchternglukose,fpg,fbg,glycemie a jeun,glucosa en ayunas',
  creatinine: 'creatinina,kreatinine,krea,scr,creatininemie,serumkreatinin,creatinine serum,s creatinine,serum creat',
  cholesterol: 'cholesterin,gesamtcholesterin,total chol,tot chol,cholesterol totaal,colesterol,colesterol total,tc,chol total',
  'ldl-cholesterol': 'ldl chol,ldl cholesterin,colesterol ldl,cholesterol ldl,ldl cholesterol calc',
  'hdl-cholesterol': 'hdl chol,hdl cholesterin,colesterol hdl,cholesterol hdl',
  triglycerides: 'tg,trigs,triglyzeride,triglyceriden,trigliceridos',
  'red-cells': 'erythrozyten,ery,hematies,globules rouges,erytrocyten,eritrocitos,hematies,eritrociti',
  urate: 'harnsaure,acide urique,urinezuur,acido urico',
  crp: 'c reaktives protein,proteine c reactive,c reactief proteine,proteina c reactiva',
  alt: 'alat gpt,gpt alat,alanin aminotransferase,alanine aminotransferase',
  ast: 'asat got,got asat,aspartat aminotransferase,aspartate aminotransferase',
  'alkaline-phosphatase':
    'alkalische phosphatase,phosphatases alcalines,phosphatase alcaline,alkalische fosfatase,fosfatasa alcalina',
  'gamma-gt': 'gamma glutamyltransferase,gamma glutamyl transferase,ggt gamma gt',
  ferritin: 'ferritine,ferritina',
  phosphate: 'phosphat,phosphore,fosfaat,fosfato,fosforo',
  sodium: 'sodio',
  potassium: 'potasio',
  chloride: 'chlorid,chlore,cloro,cloruro',
  calcium: 'kalzium,calcio',
  haemoglobin: 'hamoglobin,hemoglobin,hemoglobine,hemoglobina,hb,hgb',
  haematocrit: 'hamatokrit,hematocrit,hematocrite,hematocriet,hematocrito,hct,hkt',
  'white-cells': 'leukozyten,leuko,leucocytes,leukocyten,leukocytes,leucocitos,wbc',
  platelets: 'thrombozyten,thrombo,plaquettes,trombocyten,plaquetas,plt,thrombocytes',
  albumin: 'albumine,albumina,alb',
  bilirubin: 'bilirubine,bilirrubina,gesamtbilirubin,total bilirubin,bili,bilirubin total',
  weight: 'weight,gewicht,korpergewicht,poids,peso,lichaamsgewicht,wt',
  height: 'height,korpergrosse,taille,lengte,lichaamslengte,talla,altura,estatura',
  pulse: 'puls,pouls,pols,pulso,hr,heart rate,herzfrequenz',
  'systolic-blood-pressure': 'rr systolisch,blutdruck systolisch,systolisch,pas,tas,sys bp,sysbp',
  'diastolic-blood-pressure': 'rr diastolisch,blutdruck diastolisch,diastolisch,pad,tad,dia bp,diabp',
};
const byName = new Map<string, string>();
for (const [id, names] of Object.entries(namesByAnalyte)) {
  if (analyteById(id)) for (const name of names.split(',')) byName.set(name, id);
}

/** By exact name alone; a suggestion unless a unit beside it fits too. */
export function analyteNamed(name: string): Analyte | null {
  const whole = analyteCalled(name);
  if (whole) return whole;
  // `Alanine aminotransferase (ALT)`: two names of one thing. Anything else in brackets may make it another thing.
  const twice = /^(.+?)\s*\(([^()]+)\)\s*$/s.exec(name);
  const first = twice ? analyteCalled(twice[1]) : null;
  return twice && first && first === analyteCalled(twice[2]) ? first : null;
}

function analyteCalled(name: string): Analyte | null {
  const id = byName.get(plainWords(name));
  return analyteOf([], name)?.analyte ?? (id ? analyteById(id) : null);
}

/** Whether values in this unit can be values of the analyte. */
function isUnitOf(analyte: Analyte, unit: string): boolean {
  if (unit.trim() === '') return false;
  const { problem } = convert(analyte, 1, unit);
  return problem === null || problem === 'value_impossible';
}

export interface HeaderQuantity {
  readonly analyte: Analyte | null;
  /** As written, made of underscores where it was; empty if the header names none. */
  readonly unit: string;
}

export function quantityOfHeader(header: string): HeaderQuantity {
  const splits = [...bracketed(header), ...trailing(header)];
  for (const [name, unit] of splits) {
    const analyte = analyteNamed(name);
    if (analyte && isUnitOf(analyte, unit)) return { analyte, unit };
  }
  const whole = analyteNamed(header);
  if (whole) return { analyte: whole, unit: '' };
  const [name, unit] = splits.find(([, unit]) => normaliseUnit(unit) !== null) ?? [header, ''];
  return { analyte: analyteNamed(name), unit };
}

function bracketed(header: string): [string, string][] {
  const found = /^(.*?)\s*(?:\((.+)\)|\[(.+)\])\s*$/s.exec(header);
  return found ? [[found[1], found[2] ?? found[3]]] : [];
}

/** The last words as a unit, shortest first: `in kg`, `, mg/dL`, `_mg_dl`, `_ml_min_1_73m2`. */
function trailing(header: string): [string, string][] {
  const splits: [string, string][] = [];
  const words = header.trim().split(/[\s,_]+/);
  for (let count = 1; count <= 4 && count < words.length; count++) {
    const name = words
      .slice(0, -count)
      .join(' ')
      .replace(/\s+(?:in|en|em)$/i, '');
    const last = words.slice(-count);
    for (const unit of spelledUnits(last)) splits.push([name, unit]);
  }
  return splits;
}

function spelledUnits(words: readonly string[]): readonly string[] {
  const [first, ...rest] = words;
  if (first.toLowerCase() === 'pct' || first.toLowerCase() === 'percent') return ['%'];
  const spellings = [words.join(''), words.join('/')];
  if (rest.length > 1) spellings.push(`${first}/${rest.join('')}`, `${first}/${rest[0]}/${rest.slice(1).join('.')}`);
  if (/^(?:10e|10|e|x10e?)\d{1,2}$/i.test(first))
    spellings.push(`10*${first.replace(/^(?:x?10e|x?10|e)/i, '')}/${rest.join('/')}`);
  return spellings;
}
