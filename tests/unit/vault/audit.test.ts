import { expect, test } from 'vitest';
import { memoryDevice, memoryDoor } from '#vault/memory-door.ts';
import type { StoreName } from '#vault/tables.ts';
import type { Vault } from '#vault/vault.ts';

const none = { kind: 'none' } as const;

async function logged(count: number) {
  const device = memoryDevice();
  const { vault } = await memoryDoor({ device }).create(none);
  const codes: string[] = [];
  for (let number = 1; number <= count; number++) {
    await vault.audit.append({ action: 'patient.open', patientId: `p${number}`, role: 'clinician' });
    codes.push((await vault.audit.read()).headCode);
  }
  const store = await device.houses[0]!.open(0, () => {});
  const write = async (name: StoreName, id: string, from: string | null) => {
    const [row, last] = [await store.get(name, from ?? id), await store.get('meta', 'commit')];
    await store.commit(last!.counter, [{ ...row!, id, store: name, isGone: from === null }]);
  };
  return { vault, codes, write };
}
const brokenAt = async (vault: Vault) => (await vault.audit.read()).brokenAt;

test('entries are numbered, dated and read back without a break', async () => {
  const { vault } = await logged(3);
  const { entries, brokenAt: broken } = await vault.audit.read();
  expect(broken).toBeNull();
  expect(entries.map(({ number, patientId }) => [number, patientId])).toEqual([
    [1, 'p1'],
    [2, 'p2'],
    [3, 'p3'],
  ]);
  expect(entries[0]!.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(entries[0]).not.toHaveProperty('previous');
});

test('a code that was written down names its entry, however it is typed', async () => {
  const { vault, codes } = await logged(4);
  expect(codes[1]).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/);
  expect(await vault.audit.check(codes[1]!)).toBe(2);
  expect(
    await vault.audit.check(` ${codes[3]!.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')} `),
  ).toBe(4);
  expect(await vault.audit.check('0000-0000-0000')).toBeNull();
  expect(await vault.audit.check('nonsense')).toBeNull();
});

test('an entry in the place of another is noticed', async () => {
  const { vault, write } = await logged(4);
  await write('audit', '0000000002', '0000000003');
  expect(await brokenAt(vault)).toBe(2);
});

test('an entry taken out is noticed, wherever it stood', async () => {
  for (const [id, broken] of [
    ['0000000001', 1],
    ['0000000002', 2],
    ['0000000004', 4],
  ] as const) {
    const { vault, write } = await logged(4);
    await write('audit', id, null);
    expect(await brokenAt(vault)).toBe(broken);
  }
});

test('a log without its head is noticed', async () => {
  const { vault, write } = await logged(2);
  await write('meta', 'audit-head', null);
  expect(await brokenAt(vault)).not.toBeNull();
});
