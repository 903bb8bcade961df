import { describe, expect, test } from 'vitest';
import type { ImportedObservation } from '#interop/imported.ts';
import { fileOf, readAll, type ReadGroup } from '../../../fixtures/import/read-all.ts';
import { workbook } from '../../../fixtures/import/workbook.ts';

/** mulberry32: the seed of a failing mutant repeats it. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const originals = {
  long:
    'patient_id,birth date,collected_at,loinc,test,value,unit\n' +
    Array.from(
      { length: 12 },
      (_, i) =>
        `p${i % 3},1950-03-0${(i % 3) + 1},2020-01-${10 + i}T08:30:00Z,2160-0,Creatinine,${(1 + i / 10).toFixed(1)},mg/dL\n`,
    ).join(''),
  european:
    '\ufeffPatientennummer;Datum;Analyse;Ergebnis;Einheit\n' +
    Array.from(
      { length: 12 },
      (_, i) => `p${i % 3};${10 + i}.01.2020;Kreatinin;${(1 + i / 10).toFixed(1).replace('.', ',')};mg/dl\n`,
    ).join(''),
  wide:
    'patient_id,date,age,sex,creatinine (mg/dL),glucose (mg/dL),diagnosis\n' +
    Array.from(
      { length: 12 },
      (_, i) => `p${i % 3},${10 + i}/01/2020,61,F,${(1 + i / 10).toFixed(1)},9${i % 10},"a ""b"", c"\n`,
    ).join(''),
  omop:
    'measurement_id,person_id,measurement_concept_id,measurement_date,operator_concept_id,value_as_number,unit_concept_id,measurement_source_value,unit_source_value,value_source_value\n' +
    Array.from(
      { length: 12 },
      (_, i) => `${i},${i % 3},3016723,2020-01-${10 + i},,${(1 + i / 10).toFixed(1)},8840,2160-0,mg/dL,\n`,
    ).join(''),
} as const;

const insertions = [
  '__proto__',
  'constructor',
  '"',
  '""',
  ',',
  ';',
  '\n',
  '\r',
  '\t',
  '-',
  '.',
  '1e999',
  'NaN',
  '<',
  '\u202e',
  '\0',
  '\ufeff',
  'ÿ',
  '#',
  '-999',
  "'",
];

function mutate(original: Uint8Array, random: () => number): Uint8Array {
  const bytes = [...original];
  const at = Math.floor(random() * bytes.length);
  switch (Math.floor(random() * 6)) {
    case 0:
      bytes.splice(at, 1 + Math.floor(random() * 20));
      break;
    case 1:
      bytes[at] = Math.floor(random() * 256);
      break;
    case 2:
      bytes.splice(at, 0, ...new TextEncoder().encode(insertions[Math.floor(random() * insertions.length)]));
      break;
    case 3:
      bytes.length = at;
      break;
    case 4:
      bytes.splice(at, 0, ...bytes.slice(at, at + Math.floor(random() * 80)));
      break;
    default: {
      const other = Math.floor(random() * bytes.length);
      [bytes[at], bytes[other]] = [bytes[other], bytes[at]];
    }
  }
  return Uint8Array.from(bytes);
}

/** Every number that was kept says what stood in the file: received, times the unit's factor. All units here are the analytes' own. */
function isHonest({ receivedValue, value, comparator }: ImportedObservation): boolean {
  if (value === null) return true;
  const text = receivedValue.replace(/^[<>≤≥]=?\s*/, '').replace(',', '.');
  return Number.parseFloat(text) === value && (comparator === null || /[<>≤≥]/.test(receivedValue));
}

function check(read: ReadGroup, text: string): void {
  const { summary, people } = read;
  const observations = people.flatMap((person) => person.observations);
  const plain = text.replaceAll('"', '').replace(/\r\n?/g, '\n');
  expect(summary.kept + summary.raw).toBe(observations.length);
  expect(observations.filter(({ problem }) => problem === null)).toHaveLength(summary.kept);
  if (summary.status === 'refused') {
    expect(people).toEqual([]);
    expect(summary.message).not.toBe('');
  } else if (summary.status === 'accepted') expect(summary.noticeCount).toBe(0);
  for (const observation of observations) {
    expect(isHonest(observation), JSON.stringify(observation)).toBe(true);
    expect(observation.value === null).toBe(observation.problem !== null);
    // Quotes are doubled in the file.
    const received = observation.receivedValue.replaceAll('"', '').replace(/^[<>≤≥]=?\s*/, '');
    expect(plain).toContain(received);
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
}

// Of each kind: 500 of text and 125 workbooks. MUTANTS=1250 gives 5,000 and 1,250.
const mutants = Number(process.env.MUTANTS ?? 125);

describe('mutants', () => {
  test.each(Object.entries(originals))(
    'of a %s table never crash, hang or give a number that does not stand there',
    async (name, original) => {
      const bytes = new TextEncoder().encode(original);
      const [whole] = await readAll([fileOf(`${name}.csv`, bytes)]);
      expect(whole.summary.kept).toBe(name === 'wide' ? 24 : 12);
      for (let seed = 1; seed <= mutants; seed++) {
        const random = randomOf(seed);
        let mutant = mutate(bytes, random);
        if (random() < 0.3) mutant = mutate(mutant, random);
        // Without `stream`, Node 20 decodes windows-1252 as Latin-1.
        const text =
          new TextDecoder('windows-1252').decode(mutant, { stream: true }) +
          new TextDecoder().decode(mutant) +
          new TextDecoder('utf-16le').decode(mutant);
        try {
          const [read] = await readAll([fileOf(`${name}.csv`, mutant, 1 + Math.floor(random() * 300))]);
          check(read, text);
        } catch (error) {
          throw new Error(`${name}, seed ${seed}: ${String(error)}`, { cause: error });
        }
      }
    },
  );

  test('of a workbook are read or refused', async () => {
    const original = workbook([
      {
        name: 'Labs',
        rows: [
          ['Patient ID', 'Date', 'Creatinine (mg/dL)'],
          ...Array.from({ length: 12 }, (_, i) => [`p${i % 3}`, { date: 45047 + i }, 1 + i / 10]),
        ],
      },
    ]);
    for (let seed = 1; seed <= mutants; seed++) {
      const [read] = await readAll([fileOf('labs.xlsx', mutate(original, randomOf(seed)))]);
      expect(read.summary.status === 'refused' ? read.people : read.summary.kept, `seed ${seed}`).toEqual(
        read.summary.status === 'refused' ? [] : 12,
      );
    }
  });
});
