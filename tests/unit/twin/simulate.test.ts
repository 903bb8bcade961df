import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toyPackFiles } from '../../fixtures/toy-pack.ts';

const root = path.join(import.meta.dirname, '../../..');
let folder: string;

const person = {
  entryDate: '2020-01-01',
  covariates: { age: 50 },
  observations: [{ code: 'bilirubin', date: '2020-06-01', value: 2, unit: 'mg/dL' }],
};
const plan = { blocks: [{ intervention: 'drug-r' }] };

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'counterpart-simulate-'));
  await mkdir(path.join(folder, 'toy'));
  const files = await toyPackFiles();
  const names = { manifest: 'pack.json', weights: 'weights.bin', golden: 'golden.json', card: 'card.md' };
  for (const [key, name] of Object.entries(names))
    await writeFile(path.join(folder, 'toy', name), files[key as keyof typeof names]);
  await writeFile(path.join(folder, 'person.json'), JSON.stringify(person));
  await writeFile(path.join(folder, 'plan.json'), JSON.stringify(plan));
  await writeFile(
    path.join(folder, 'wrong.json'),
    JSON.stringify({ ...person, observations: [{ ...person.observations[0], value: 'high' }] }),
  );
});

afterAll(() => rm(folder, { recursive: true }));

function simulate(...options: string[]): Promise<{ code: number; stderr: string }> {
  const script = ['--import', 'tsx', '--import', './scripts/asset-imports.mjs', 'scripts/simulate.ts'];
  const inFolder = options.map((option) => option.replace('@', `${folder}/`));
  return new Promise((resolve) => {
    execFile(process.execPath, [...script, ...inFolder], { cwd: root }, (error, _, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stderr });
    });
  });
}

const request = [
  '--pack',
  '@toy',
  '--patient',
  '@person.json',
  '--plan',
  '@plan.json',
  '--rollouts',
  '200',
  '--horizon',
  '360',
  '--out',
  '@out.json',
];

/** Every field of the file, ids of markers, signs and events written `<id>`. */
function fields(value: unknown, at = ''): string[] {
  if (Array.isArray(value) && value.some((item) => typeof item === 'object' && item !== null && !Array.isArray(item))) {
    return value.flatMap((item) => fields(item, `${at}[]`));
  }
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return [at];
  const isById = /\.(markers|signs|events)$/.test(at);
  return Object.entries(value).flatMap(([key, inner]) => fields(inner, isById ? `${at}.<id>` : at === '' ? key : `${at}.${key}`));
}

describe('npm run simulate', () => {
  test('writes a forecast of exactly the fields that its page describes', async () => {
    const { code, stderr } = await simulate(...request);
    expect(stderr).toContain('completed: ');
    expect(code).toBe(0);
    const answer: unknown = JSON.parse(await readFile(path.join(folder, 'out.json'), 'utf8'));
    const page = await readFile(path.join(root, 'docs/forecast-json.md'), 'utf8');
    const table = page.slice(page.indexOf('## The forecast'), page.indexOf('### Differences'));
    const described = [...table.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]!);
    // Usual care of the toy pack is first; both plans have blocks.
    expect([...new Set(fields(answer))].toSorted()).toEqual(described.toSorted());
  });

  test.each([
    ['a missing option', ['--pack', '@toy'], 2, '--patient is missing'],
    ['a number that is none', [...request, '--seed', 'x'], 2, '--seed'],
    ['a missing file', [...request, '--plan', '@none.json'], 2, 'none.json'],
    ['a person of the wrong form', [...request, '--patient', '@wrong.json'], 3, 'observations.0.value: expected number'],
    ['an unknown pack', [...request, '--pack', 'nowhere'], 3, 'pack_not_found'],
  ])('%s ends with its exit code and says where', async (_, options, code, words) => {
    const ended = await simulate(...options);
    expect(ended.stderr).toContain(words);
    expect(ended.code).toBe(code);
  });
});
