import { describe, expect, test, vi } from 'vitest';
import { ImportState, mostPeople } from '#app/import/import.svelte.ts';
import { readRemembered } from '#app/import/mapping-memory.ts';
import { Patients } from '#app/patients.svelte.ts';
import type { PatientRecord } from '#domain/record.ts';
import type { EngineClient } from '#engine/client.ts';
import type { ImportedPatient } from '#interop/imported.ts';
import type { TableLook, UnknownCode } from '#interop/protocol.ts';
import type { TableMapping } from '#interop/tables/mapping.ts';
import { memoryDevice } from '#vault/memory-door.ts';
import type { MemoryDevice } from '#vault/memory-door.ts';
import { readRecord } from '#vault/read-record.ts';
import type { AuditEvent } from '#vault/vault.ts';
import { fakeImportClient } from '../../../fixtures/fake-import-client.ts';
import type { FakeFile } from '../../../fixtures/fake-import-client.ts';
import { bilirubin, importedPatient, importedValue } from '../../../fixtures/imported.ts';
import { toyPack } from '../../../fixtures/toy-pack.ts';
import { demonstrationVault } from '../../../fixtures/vault/demonstration-vault.ts';

const { manifest } = toyPack();
let made = 0;
const newId = () => `id-${++made}`;

interface Given {
  readonly device?: MemoryDevice;
  readonly isDemonstration?: boolean;
}

async function given(files: readonly FakeFile[], { device = memoryDevice(), isDemonstration = false }: Given = {}) {
  const vault = await demonstrationVault({ device });
  const shelf = vault.shelf('patients', readRecord);
  const events: AuditEvent[] = [];
  const audit = (event: AuditEvent) => void events.push(event);
  const patients = new Patients({
    shelf,
    erase: (id) => vault.erase(id),
    audit,
    client: {} as EngineClient,
    minute: () => '2026-11-23T12:00',
    newId,
    randomSeed: () => 1,
  });
  await patients.load();
  const fake = fakeImportClient(files);
  const imports = new ImportState({
    client: fake.client,
    patients,
    shelf,
    mappings: vault.shelf('mappings', readRemembered),
    audit,
    packs: () => [manifest],
    today: () => '2026-11-23',
    newId,
    isDemonstration,
    pause: async () => {},
  });
  const stored = async () => (await shelf.all()).kept.map(({ value }) => value);
  const keep = async (record: Partial<PatientRecord>) => {
    const id = newId();
    await shelf.put(id, { ...known, id, ...record }, null);
    await patients.load();
    return id;
  };
  return { imports, patients, shelf, stored, keep, events, device, ...fake };
}

const known: PatientRecord = {
  id: '',
  alias: 'Known',
  isSynthetic: false,
  entryDate: '2019-01-01',
  covariates: { age: 58 },
  observations: [],
  treatments: [],
  events: [],
  note: 'a note',
  updatedAt: 0,
};
const file = (name = 'a.json', ...patients: ImportedPatient[]): FakeFile => ({
  name,
  patients: patients.length > 0 ? patients : [importedPatient()],
});
const anyFile = [new File(['x'], 'a.json')];

async function toSummary(given: { imports: ImportState }) {
  await given.imports.open(anyFile);
  await given.imports.build();
}

describe('a file that needs no mapping', () => {
  test('goes straight to the preview, and nothing is stored', async () => {
    const one = await given([file()]);
    await one.imports.open(anyFile);
    expect(one.imports.step).toBe('preview');
    expect(one.imports.people).toMatchObject([{ key: '1', file: 'a.json', like: null }]);
    expect(one.imports.choices).toEqual({ '0:1': { kind: 'new' } });
    expect(one.imports.noticeCount).toBe(1);
    await vi.waitFor(() => expect(one.imports.opened?.values).toHaveLength(1));
    expect(one.imports.opened!.packUse).toMatchObject([{ packId: 'toy', values: 1, markers: 1 }]);
    expect(await one.stored()).toEqual([]);
  });

  test('is summed up, and stored whole only when a person says so', async () => {
    const one = await given([file()]);
    await toSummary(one);
    expect(one.imports.step).toBe('summary');
    expect(one.imports.totals).toMatchObject({ values: 1, raw: 0, background: 1 });
    expect(await one.stored()).toEqual([]);
    expect(await one.imports.commit()).toBe(true);
    const [record] = await one.stored();
    expect(record).toMatchObject({
      alias: 'Patient 1',
      isSynthetic: false,
      entryDate: '2020-03-01',
      covariates: { age: 59 },
      identity: { name: 'Ada Example' },
      observations: [{ code: 'bilirubin', value: 2, received: { receivedValue: '34.2', receivedUnit: 'µmol/L' } }],
      background: [{ label: 'Asthma' }],
    });
    expect(record!.consent).toBeUndefined();
    expect(one.events).toEqual([{ action: 'import', detail: '1 new, 0 changed' }]);
    expect(one.patients.all).toHaveLength(1);
    expect(one.isClosed()).toBe(true);
  });

  test('administrative sex is taken only when a person says so, and consent goes to everybody who comes in', async () => {
    const one = await given([file()]);
    await toSummary(one);
    one.imports.taken.sex = true;
    one.imports.consent = { basis: 'care', purpose: 'liver clinic', recordedOn: '', expiresOn: '2027-01-01' };
    await one.imports.commit();
    expect((await one.stored())[0]).toMatchObject({
      covariates: { age: 59, sex: 'female' },
      consent: { basis: 'care', purpose: 'liver clinic', recordedOn: '2026-11-23', expiresOn: '2027-01-01' },
    });
  });

  test('with half a consent is not stored', async () => {
    const one = await given([file()]);
    await toSummary(one);
    one.imports.consent = { basis: 'care', purpose: '', recordedOn: '', expiresOn: '' };
    expect(one.imports.consentFault).toMatch(/what these data may be used for/);
    expect(await one.imports.commit()).toBe(false);
    expect(await one.stored()).toEqual([]);
  });

  test('is taken back with one step', async () => {
    const one = await given([file()]);
    await toSummary(one);
    await one.imports.commit();
    expect(await one.imports.undo()).toBe(true);
    expect(await one.stored()).toEqual([]);
    expect(one.patients.all).toEqual([]);
    expect(one.events.at(-1)).toEqual({ action: 'import', detail: 'undone' });
  });
});

describe('somebody who is here already', () => {
  test.each([
    ['identifier', { identity: { identifiers: [{ system: 'urn:mrn', value: '7' }] } }],
    ['name-and-birth', { identity: { name: 'EXAMPLE, Ada', birthDate: '1960-05-17', identifiers: [] } }],
  ])('is recognised by %s, and waits for a decision', async (why, record) => {
    const one = await given([file()]);
    const id = await one.keep(record);
    await one.imports.open(anyFile);
    expect(one.imports.people[0]!.like).toEqual({ kind: 'record', id, why });
    expect(one.imports.undecided).toHaveLength(1);
    await one.imports.build();
    expect(one.imports.step).toBe('preview');
  });

  test('is recognised by the same values', async () => {
    const days = ['2020-03-01', '2020-04-01', '2020-05-01'];
    const nameless = importedPatient({
      identity: { identifiers: [] },
      observations: days.map((date) => importedValue({ date })),
    });
    const one = await given([file('a.csv', nameless)]);
    const id = await one.keep({
      observations: days.map((date) => ({
        id: date,
        code: 'bilirubin',
        date,
        value: 2,
        unit: 'mg/dL',
        isConfirmed: false,
        source: 'x',
      })),
    });
    await one.imports.open(anyFile);
    expect(one.imports.people[0]!.like).toEqual({ kind: 'record', id, why: 'values' });
  });

  test.each([
    ['another number of the same system', { identifiers: [{ system: 'urn:mrn', value: '8' }] }],
    ['another name', { name: 'Bob', identifiers: [] }],
    ['another year of birth', { birthDate: '1971', identifiers: [] }],
  ])('with %s is somebody else, whatever the values', async (_, identity) => {
    const observations = ['2020-03-01', '2020-04-01', '2020-05-01'].map((date) => importedValue({ date }));
    const one = await given([
      file('a.json', importedPatient({ observations }), importedPatient({ key: '2', observations, identity })),
    ]);
    await one.imports.open(anyFile);
    expect(one.imports.people.map(({ like }) => like)).toEqual([null, null]);
  });

  test('is added to: what was there stays, doubles are counted, and undo restores the record exactly', async () => {
    const two = importedPatient({ observations: [importedValue(), importedValue({ date: '2021-03-01' })] });
    const one = await given([file('a.json', two)]);
    const observation = {
      id: 'o',
      code: 'bilirubin',
      date: '2020-03-01',
      value: 2,
      unit: 'mg/dL',
      isConfirmed: true,
      source: 'x',
    };
    const id = await one.keep({ identity: two.identity, observations: [observation] });
    const before = (await one.shelf.get(id))!.value;
    await one.imports.open(anyFile);
    one.imports.decideRest('as-recognised');
    await one.imports.build();
    expect(one.imports.built[0]!.counts).toMatchObject({ values: 1, doubled: 1 });
    await one.imports.commit();
    expect((await one.shelf.get(id))!.value).toMatchObject({
      alias: 'Known',
      note: 'a note',
      entryDate: '2019-01-01',
      covariates: { age: 58 },
      observations: [observation, { date: '2021-03-01' }],
    });
    await one.imports.undo();
    expect((await one.shelf.get(id))!.value).toEqual(before);
    expect(one.patients.find(id)!.observations).toEqual([observation]);
  });

  test('is not undone over what somebody changed since', async () => {
    const one = await given([file()]);
    await toSummary(one);
    await one.imports.commit();
    const [row] = (await one.shelf.all()).kept;
    await one.shelf.put(row!.id, { ...row!.value, note: 'changed' }, row!.updatedAt);
    expect(await one.imports.undo()).toBe(false);
    expect(one.imports.failure?.code).toBe('vault_in_use');
    expect((await one.stored())[0]!.note).toBe('changed');
  });

  test('changed in another tab meanwhile: nothing at all is stored', async () => {
    const one = await given([file('a.json', importedPatient(), importedPatient({ key: '2', identity: { identifiers: [] } }))]);
    const id = await one.keep({ identity: importedPatient().identity });
    await one.imports.open(anyFile);
    one.imports.decideRest('as-recognised');
    await one.imports.build();
    await one.shelf.put(id, { ...known, id, note: 'elsewhere' }, 'any');
    expect(await one.imports.commit()).toBe(false);
    expect(one.imports.step).toBe('summary');
    expect(one.imports.failure?.code).toBe('vault_in_use');
    expect(await one.stored()).toMatchObject([{ note: 'elsewhere', observations: [] }]);
  });
});

describe('several people', () => {
  const ada = importedPatient();
  const adaAgain = importedPatient({ key: '2', observations: [importedValue({ date: '2021-01-01' })] });
  const bob = importedPatient({ key: '3', identity: { name: 'Bob', identifiers: [] } });

  test('alike in the files are merged only when a person says so', async () => {
    const one = await given([file('a.json', ada, adaAgain, bob)]);
    await one.imports.open(anyFile);
    expect(one.imports.people.map(({ like }) => like)).toEqual([null, { kind: 'person', id: '0:1', why: 'identifier' }, null]);
    one.imports.choose('0:2', { kind: 'person', id: '0:1' });
    await one.imports.build();
    expect(one.imports.built.map(({ record }) => record.observations.length)).toEqual([2, 1]);
    await one.imports.commit();
    expect((await one.stored()).map(({ alias }) => alias)).toEqual(['Patient 1', 'Patient 2']);
  });

  test('are kept apart when a person says so, and may be left out', async () => {
    const one = await given([file('a.json', ada, adaAgain, bob)]);
    await one.imports.open(anyFile);
    one.imports.decideRest('new');
    one.imports.choose('0:3', { kind: 'out' });
    one.imports.useNames = true;
    await one.imports.build();
    expect(one.imports.built.map(({ record }) => record.alias)).toEqual(['Ada Example', 'Ada Example 2']);
  });

  test('nobody is lost when the one they were added to is left out', async () => {
    const one = await given([file('a.json', ada, adaAgain)]);
    await one.imports.open(anyFile);
    one.imports.decideRest('as-recognised');
    one.imports.choose('0:1', { kind: 'out' });
    expect(one.imports.choices['0:2']).toEqual({ kind: 'new' });
    await one.imports.build();
    expect(one.imports.built).toHaveLength(1);
  });

  test('from two files go into one record, each value with its own file', async () => {
    const one = await given([file('a.json', ada), file('b.json', adaAgain)]);
    await one.imports.open(anyFile);
    one.imports.decideRest('as-recognised');
    await one.imports.build();
    expect(one.imports.built).toHaveLength(1);
    expect(one.imports.built[0]!.record.observations.map(({ received }) => received?.file)).toEqual(['a.json', 'b.json']);
  });

  test('beyond the limit are counted and not taken', async () => {
    const many = Array.from({ length: mostPeople + 7 }, (_, index) =>
      importedPatient({
        key: String(index),
        identity: { identifiers: [{ system: 'urn:x', value: String(index) }] },
        observations: [],
      }),
    );
    const one = await given([file('many.csv', ...many)]);
    await one.imports.open(anyFile);
    expect(one.imports.people).toHaveLength(mostPeople);
    expect(one.imports.leftOver).toBe(7);
  });

  test('different values of one time are all kept, and shown', async () => {
    const twice = importedPatient({ observations: [importedValue(), importedValue({ value: 3, receivedValue: '51.3' })] });
    const one = await given([file('a.json', twice)]);
    await toSummary(one);
    expect(one.imports.built[0]!.conflicts).toHaveLength(1);
    expect(one.imports.built[0]!.record.observations).toHaveLength(2);
  });
});

describe('what cannot be read', () => {
  test('is said, file by file, and the others come in', async () => {
    const refusal = { code: 'truncated', message: 'The file ends in the middle.' } as const;
    const one = await given([{ name: 'bad.json', refusal }, file()]);
    await one.imports.open(anyFile);
    expect(one.imports.step).toBe('preview');
    expect(one.imports.groups[0]!.refusal).toEqual(refusal);
    expect(one.imports.people).toHaveLength(1);
  });

  test('alone leads to no preview', async () => {
    const one = await given([{ name: 'bad.json', refusal: { code: 'not_fhir', message: 'No.' } }]);
    await one.imports.open(anyFile);
    expect(one.imports.step).toBe('files');
    expect(one.staged).toEqual([]);
  });

  test('nothing is imported into the demonstration vault', async () => {
    const one = await given([file()], { isDemonstration: true });
    await one.imports.open(anyFile);
    expect(one.imports.step).toBe('choose');
    expect(one.imports.groups).toEqual([]);
  });

  test('stopping leaves everything as it was', async () => {
    const one = await given([file()]);
    const opening = one.imports.open(anyFile);
    one.imports.stop();
    await opening;
    expect(one.imports.step).toBe('choose');
    expect(one.imports.failure).toBeNull();
    expect(await one.stored()).toEqual([]);
  });
});

describe('what a person once said', () => {
  const unknown: UnknownCode = {
    system: 'urn:lab',
    code: 'X9',
    label: 'Bili',
    count: 3,
    units: ['mg/dL'],
    suggestion: 'bilirubin',
  };

  test('about a code holds for this and every later file', async () => {
    const first = await given([{ ...file(), unknown: [unknown] }]);
    await first.imports.open(anyFile);
    expect(first.imports.unknown).toEqual([unknown]);
    await first.imports.read([{ system: 'urn:lab', code: 'X9', analyte: 'bilirubin' }]);
    expect(first.imports.unknown).toEqual([]);
    const second = await given([{ ...file(), unknown: [unknown] }], { device: first.device });
    await second.imports.open(anyFile);
    expect(second.staged.at(-1)!.confirmed).toEqual([{ system: 'urn:lab', code: 'X9', analyte: 'bilirubin' }]);
    expect(second.imports.unknown).toEqual([]);
  });

  const suggestion: TableMapping = {
    version: 1,
    shape: 'long',
    reading: { encoding: 'utf-8', delimiter: ';', sheet: null, hasHeader: true },
    columns: [{ kind: 'patient' }, { kind: 'date', order: null }, { kind: 'analyte' }, { kind: 'value' }, { kind: 'ignore' }],
    names: [{ name: 'Bili', analyte: null, unit: '' }],
    decimalMark: null,
    missing: [],
  };
  const look: TableLook = {
    sheets: [],
    columns: ['id', 'date', 'test', 'result', 'unit'].map((header) => ({
      header,
      samples: [],
      filled: 1,
      numbers: 0,
      dates: 0,
    })),
    rows: [['1', '01/02/2020', 'Bili', '2,0', 'mg/dL']],
    rowCount: 1,
    names: [{ name: 'Bili', count: 1, units: ['mg/dL'], label: '', byCode: null }],
    suggestion,
    questions: [
      { code: 'date_order_ambiguous', column: 1, token: '', message: '', isOpen: true },
      { code: 'decimal_comma', column: 3, token: '', message: '', isOpen: true },
      { code: 'missing_token', column: 3, token: '-999', message: '', isOpen: true },
      { code: 'analyte_unknown', column: 2, token: 'Bili', message: '', isOpen: true },
      { code: 'header_duplicate', column: 4, token: '', message: '', isOpen: false },
    ],
  };
  const table: FakeFile = { ...file('labs.csv'), table: look };

  test('nothing was yet: the suggestion is marked as one, and open questions stay until they are answered', async () => {
    const one = await given([table]);
    await one.imports.open(anyFile);
    expect(one.imports.step).toBe('files');
    const mapping = one.imports.tables.get(0)!;
    expect(mapping.origin).toBe('suggested');
    expect(mapping.open.map(({ code }) => code)).toEqual([
      'date_order_ambiguous',
      'decimal_comma',
      'missing_token',
      'analyte_unknown',
    ]);
    mapping.setDateOrder(1, 'dmy');
    mapping.setDecimalMark(',');
    mapping.setMissing('-999', true);
    mapping.setName('Bili', { analyte: 'bilirubin' });
    expect(mapping.open).toEqual([]);
    expect(mapping.origin).toBe('own');
    await vi.waitFor(() => expect(mapping.sample).toHaveLength(1));
  });

  test('about columns is offered again for the same columns, with how this file is written', async () => {
    const first = await given([table]);
    await first.imports.open(anyFile);
    const mapping = first.imports.tables.get(0)!;
    mapping.setDateOrder(1, 'dmy');
    mapping.setRole(4, { kind: 'unit' });
    await first.imports.read();
    expect(first.imports.step).toBe('preview');
    const other = { ...suggestion, reading: { ...suggestion.reading, delimiter: ',' as const } };
    const second = await given([{ ...table, table: { ...look, suggestion: other } }], { device: first.device });
    await second.imports.open(anyFile);
    const again = second.imports.tables.get(0)!;
    expect(again.origin).toBe('remembered');
    expect(again.mapping.columns).toEqual([
      ...suggestion.columns.slice(0, 1),
      { kind: 'date', order: 'dmy' },
      ...suggestion.columns.slice(2, 4),
      { kind: 'unit' },
    ]);
    expect(again.mapping.reading.delimiter).toBe(',');
    again.useSuggestion();
    expect(again.mapping).toEqual(other);
    expect(again.origin).toBe('suggested');
  });

  test('a table of other columns is not taken for it', async () => {
    const first = await given([table]);
    await first.imports.open(anyFile);
    first.imports.tables.get(0)!.setDecimalMark(',');
    await first.imports.read();
    const columns = look.columns.map((column, index) => (index === 0 ? { ...column, header: 'patient' } : column));
    const second = await given([{ ...table, table: { ...look, columns } }], { device: first.device });
    await second.imports.open(anyFile);
    expect(second.imports.tables.get(0)!.origin).toBe('suggested');
  });

  test('a column becomes the values of one thing, and the table a wide one', async () => {
    const one = await given([table]);
    await one.imports.open(anyFile);
    const mapping = one.imports.tables.get(0)!;
    mapping.setRole(3, { kind: 'quantity', analyte: bilirubin.analyte, unit: 'mg/dL' });
    expect(mapping.mapping.shape).toBe('wide');
    mapping.setRole(3, { kind: 'value' });
    expect(mapping.mapping.shape).toBe('long');
  });
});
