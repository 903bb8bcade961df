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
  const isById = /\.(markers|signs|events|targets)$/.test(at);
  return Object.entries(value).flatMap(([key, inner]) => fields(inner, isById ? `${at}.<id>` : at === '' ? key : `${at}.${key}`));
}

async function describedFields(from: string, to: string): Promise<string[]> {
  const page = await readFile(path.join(root, 'docs/forecast-json.md'), 'utf8');
  const table = page.slice(page.indexOf(from), page.indexOf(to));
  return [...table.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]!);
}

describe('npm run simulate', () => {
  test('writes a forecast of exactly the fields that its page describes', async () => {
    const { code, stderr } = await simulate(...request);
    expect(stderr).toContain('completed: ');
    expect(code).toBe(0);
    const answer: unknown = JSON.parse(await readFile(path.join(folder, 'out.json'), 'utf8'));
    // Usual care of the toy pack is first; both plans have blocks.
    expect([...new Set(fields(answer))].toSorted()).toEqual((await describedFields('## The forecast', '### Under')).toSorted());
  });

  test('doses a person of an equations pack, with exactly the fields that its page adds', async () => {
    const person = {
      entryDate: '2026-11-20',
      covariates: { age: 57, sex: 'male', weight: 79, creatinine: 1, haemodialysis: 'no' },
      observations: [{ code: 'vancomycin', date: '2026-11-21', time: '19:30', value: 12.4, unit: 'mg/L' }],
      doses: [
        {
          intervention: 'vancomycin',
          amount: 1,
          unit: 'g',
          route: 'iv-infusion',
          durationHours: 1,
          start: '2026-11-20T08:00',
          everyHours: 12,
          count: 4,
        },
      ],
    };
    const plan = {
      name: 'More',
      stopsCurrentDoses: true,
      regimens: [
        { intervention: 'vancomycin', amount: 1250, route: 'iv-infusion', durationHours: 1.5, startHour: 0.5, everyHours: 12 },
      ],
    };
    await writeFile(path.join(folder, 'dosed.json'), JSON.stringify(person));
    await writeFile(path.join(folder, 'more.json'), JSON.stringify(plan));
    const options = [
      '--pack',
      'vancomycin',
      '--patient',
      '@dosed.json',
      '--plan',
      '@more.json',
      '--rollouts',
      '300',
      '--out',
      '@dosed-out.json',
    ];
    const { code, stderr } = await simulate(...options);
    expect(stderr).toContain('completed: 300 virtual copies');
    expect(code).toBe(0);
    const found = new Set(fields(JSON.parse(await readFile(path.join(folder, 'dosed-out.json'), 'utf8'))));
    const added = await describedFields('### Under', '### Differences');
    expect(added.filter((field) => !found.has(field))).toEqual([]);
    const all = new Set([...added, ...(await describedFields('## The forecast', '### Under'))]);
    expect([...found].filter((field) => !all.has(field) && !field.endsWith('blocks'))).toEqual([]);
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
