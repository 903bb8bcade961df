/** Words that head columns, and names of months, in English, German, French, Dutch and Spanish, and the
 * commonest in Italian, Portuguese and Swedish. Compared as `plainWords` writes them. */
import type { ColumnRole } from './mapping.ts';

/** Lower case, without accents, with single spaces between words: `Patient_ID`, `PatientID` and `patient-id` are one. */
export function plainWords(text: string): string {
  return text
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/ß/g, 'ss')
    .replace(/[^\p{L}\p{N}%]+/gu, ' ')
    .trim();
}

type WordRole = Exclude<ColumnRole['kind'], 'quantity'>;

const words: Readonly<Record<WordRole, string>> = {
  patient: `patient id,patient,patients,patient no,patient nr,patient number,patient identifier,patient code,patientid,patienten id,patienten nr,
    patientennummer,patientnummer,patient nummer,pat id,pat nr,pid,pat,patid,mrn,medical record number,record id,record number,hospital number,
    hospital no,subject,subject id,subject identifier,usubjid,subjid,person id,person,participant,participant id,study id,case id,case,id,fallnummer,fall nr,fall id,
    pseudonym,numero patient,numero de patient,n patient,no patient,id patient,identifiant,identifiant patient,ipp,nip,patientnr,
    bsn,patientcode,pat mrn id,paziente,id paziente,codice paziente,personnummer,numero de historia,historia clinica,nhc,id paciente,paciente,numero paciente,codigo paciente,identificador,nhs number,nhs no`,
  name: `name,patient name,full name,patientenname,nachname,last name,surname,family name,vorname,first name,given name,nom,nom du patient,prenom,
    naam,achternaam,voornaam,nombre,apellido,apellidos,nombre del paciente`,
  'birth-date': `birth date,birthdate,date of birth,dob,birth dt,born,geburtsdatum,geburtstag,geb datum,geb dat,date de naissance,naissance,ddn,geboortedatum,
    geb,fecha de nacimiento,nacimiento,f nacimiento,birthday,birth,brthdtc,year of birth,birth year,geburtsjahr,annee de naissance,geboortejaar`,
  sex: `sex,gender,geschlecht,sexe,geslacht,sexo,genero,genre,m f,sex at birth`,
  age: `age,age years,age yrs,age y,age in years,age at visit,alter,alter jahre,age ans,leeftijd,edad,edad anos`,
  date: `date,datum,fecha,sample date,collection date,collected,collected at,collected on,collection datetime,collection time stamp,collection date time,date collected,
    observation date,measurement date,result date,test date,visit date,visit,effective date,specimen date,sampled at,sampling date,drawn,draw date,date time,datetime,timestamp,
    time stamp,date of test,date of sample,date of visit,measured at,taken at,entnahme,entnahmedatum,entnahmezeitpunkt,abnahme,abnahmedatum,abnahmezeitpunkt,messdatum,
    untersuchungsdatum,befunddatum,probendatum,probenentnahme,datum zeit,zeitpunkt,date de prelevement,date prelevement,prelevement,date examen,date de l examen,date resultat,
    date du resultat,afnamedatum,afname,datum afname,meetdatum,bepalingsdatum,prikdatum,monsterdatum,fecha de toma,fecha muestra,fecha de la muestra,fecha de extraccion,fecha extraccion,fecha resultado,
    fecha analisis,lbdtc,vsdtc,adt,charttime,data,data prelievo,data di prelievo,provdatum,provtagningsdatum,data da coleta,data coleta`,
  time: `time,uhrzeit,zeit,heure,tijd,hora,collection time,sample time,time of day,entnahmezeit,abnahmezeit,tijdstip,heure de prelevement,hora de toma`,
  analyte: `test,test name,analyte,analyse,analyt,parameter,parametre,parametro,lab test,labtest,lab,laboratory test,component,measurement,measure,observation,
    observation name,variable,marker,biomarker,item,untersuchung,messgrosse,messwert name,laborwert,labor parameter,laborparameter,bezeichnung,bestimmung,examen,dosage,
    analyse nom,bepaling,onderzoek,prueba,determinacion,analito,analisis,test description,description,display,lbtest,lbtestcd,param,paramcd,investigation,what,label,component name,esame,analisi,analys,exame`,
  code: `loinc,loinc code,code loinc,loinc num,loinc number,loinc nr,test code,observation code,lbloinc,code`,
  value: `value,result,results,result value,test result,value numeric,numeric value,numeric result,value as number,wert,ergebnis,resultat,messwert,befund,valeur,valeur numerique,waarde,uitslag,
    resultaat,valor,resultado,aval,lbstresn,lborres,reading,level,quantity,concentration,ord value,valuenum,value num,risultato,esito,valore,svar,result text,text result`,
  unit: `unit,units,uom,unit of measure,result unit,result units,value unit,einheit,einheiten,masseinheit,unite,unites,eenheid,eenheden,unidad,unidades,lbstresu,lborresu,valueuom,reference unit,enhet,enhed,unita,unita di misura,unidade`,
  comparator: `comparator,operator,qualifier,sign,result operator,value operator,modifier,vergleich,vorzeichen,operateur,signe,teken,signo`,
  specimen: `specimen,specimen type,sample type,sample,fluid,material,matrix,specimen source,probe,probenart,probenmaterial,untersuchungsmaterial,echantillon,
    prelevement type,nature du prelevement,nature prelevement,materiaal,monster,muestra,tipo de muestra,especimen,lbspec`,
  fact: `diagnosis,diagnose,diagnostic,diagnostico,ethnicity,race,smoking,smoker,smoking status,raucher,fumeur,roker,fumador,site,centre,center,stage,treatment,arm,group,
    therapie,traitement,behandeling,tratamiento,blood group,height class`,
  ignore: `note,notes,comment,comments,remark,remarks,bemerkung,bemerkungen,kommentar,anmerkung,commentaire,commentaires,remarque,opmerking,opmerkingen,nota,notas,comentario,comentarios,observacion,observaciones,
    reference,reference range,ref range,ref,normal range,range,referenz,referenzbereich,normbereich,normwert,intervalle de reference,valeurs de reference,referentie,referentiewaarden,
    rango de referencia,valores de referencia,flag,abnormal flag,status,lab name,laboratory,labor,row,row number,nr,no,index,lfd nr,encounter,encounter id,order id,sample id,specimen id,method,methode,metodo,hadm id,stay id,icustay id,itemid,storetime,ord num value`,
};

const roleOfWords = new Map<string, WordRole>();
for (const [role, list] of Object.entries(words) as [WordRole, string][]) {
  for (const word of list.split(',')) {
    const plain = plainWords(word);
    if (!roleOfWords.has(plain)) roleOfWords.set(plain, role);
  }
}

/** What a laboratory value is of unless somebody says otherwise. */
const blood = new Set(
  `,blood,whole blood,serum,plasma,serum or plasma,serum plasma,ser,plas,ser plas,bld,venous blood,arterial blood,capillary blood,edta blood,edta,blut,vollblut,kapillarblut,
    sang,sang total,serum plasma,bloed,volbloed,sangre,sangre total,suero`
    .split(',')
    .map(plainWords),
);

function isBlood(specimen: string): boolean {
  return blood.has(plainWords(specimen));
}

/** A measurement's name with what was sampled, unless that is blood. */
export function nameWithSpecimen(name: string, specimen: string): string {
  return name === '' || specimen === '' || isBlood(specimen) ? name : `${name}, ${specimen}`;
}

/** What a header says its column is; null if the words are not known. */
export function roleOfHeader(header: string): WordRole | null {
  return roleOfWords.get(plainWords(header)) ?? null;
}

const monthWords = [
  'jan january januar janvier januari enero ene',
  'feb february februar fevrier fev fevr februari febrero',
  'mar march marz maerz mrz mars maart mrt marzo',
  'apr april avril avr abril abr',
  'may mai mei mayo',
  'jun june juni juin junio',
  'jul july juli juillet juil julio',
  'aug august aout augustus agosto ago',
  'sep sept september septembre septiembre',
  'oct october oktober okt octobre octubre',
  'nov november novembre noviembre',
  'dec december dezember dez decembre diciembre dic',
];
const months = new Map(monthWords.flatMap((line, index) => line.split(' ').map((word) => [word, String(index + 1)] as const)));

/** `1`…`12`; `0` if it is no month, which no date has. */
export function monthNumber(word: string): string {
  return months.get(plainWords(word)) ?? '0';
}

const sexes: Readonly<Record<'female' | 'male' | 'other' | 'unknown', readonly string[]>> = {
  female: ['f', 'female', 'w', 'weiblich', 'femme', 'feminin', 'v', 'vrouw', 'vrouwelijk', 'mujer', 'femenino', 'woman', 'frau'],
  male: ['m', 'male', 'mannlich', 'homme', 'masculin', 'man', 'mannelijk', 'hombre', 'masculino', 'h', 'varon', 'mann'],
  other: ['other', 'o', 'd', 'divers', 'x', 'autre', 'anders', 'otro', 'nonbinary', 'non binary', 'undifferentiated'],
  unknown: ['u', 'unknown', 'unk', 'unbekannt', 'inconnu', 'onbekend', 'desconocido'],
};
const sexOfWord = new Map(
  (Object.keys(sexes) as (keyof typeof sexes)[]).flatMap((sex) => sexes[sex].map((word) => [word, sex] as const)),
);

/** Null where the cell says something else: `1` and `2` mean different things in different places. */
export function readSex(text: string): keyof typeof sexes | null {
  return sexOfWord.get(plainWords(text)) ?? null;
}
