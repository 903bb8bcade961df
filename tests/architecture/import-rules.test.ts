import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
}

/** What dependency-cruiser finds under `folder`/src with the project's own rules. */
function violations(folder: string, ...paths: string[]): Violation[] {
  const cli = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [cli, '--config', join(root, '.dependency-cruiser.cjs'), '--output-type', 'json', ...paths],
    { cwd: folder, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
  );
  if (!stdout) throw new Error(`dependency-cruiser printed nothing. It said: ${stderr}`);
  return JSON.parse(stdout).summary.violations;
}

// The table of docs/architecture.md once more, by hand, so that a slip in the configuration does not go unseen.
const below = ['domain', 'numerics', 'packs'];
const allowed: Record<string, string[]> = {
  domain: [],
  numerics: [],
  packs: ['domain', 'numerics'],
  engine: below,
  twin: below,
  planning: [...below, 'twin'],
  cohorts: below,
  molecules: below,
  imaging: below,
  explain: [...below, 'twin', 'planning', 'cohorts'],
  trust: [...below, 'twin', 'cohorts'],
  interop: ['domain'],
  vault: ['domain'],
  guard: [],
  app: [
    ...below,
    'engine',
    'twin',
    'planning',
    'explain',
    'trust',
    'cohorts',
    'molecules',
    'imaging',
    'interop',
    'vault',
    'guard',
  ],
  'ui/components': ['domain'],
  'ui/charts': ['domain', 'numerics', 'ui/components'],
  'ui/features': ['app', 'domain', 'ui/charts', 'ui/components'],
};
const folders = Object.keys(allowed);
const onEngineInterface = ['twin', 'planning', 'cohorts', 'molecules', 'imaging', 'explain', 'trust', 'app'];
const onEngineContract = ['twin', 'planning', 'cohorts', 'explain', 'trust', 'app'];
const inTheWorker = [...below, 'twin', 'planning', 'explain', 'trust', 'cohorts', 'molecules', 'imaging'];

describe('a tree in which everything imports everything', () => {
  let folder: string;
  let found: Violation[];

  function file(path: string, ...imports: string[]) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    const lines = imports.map((to) => (to.includes('/') ? `import './${relative(dirname(path), to)}';` : `import '${to}';`));
    writeFileSync(target, [...lines, 'export const made = 1;', ''].join('\n'));
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'counterpart-imports-'));
    for (const name of ['package.json', 'tsconfig.json', 'node_modules']) symlinkSync(join(root, name), join(folder, name));
    for (const from of folders) {
      file(`src/${from}/target.ts`);
      for (const to of folders) if (to !== from) file(`src/${from}/uses-${to.replace('/', '-')}.ts`, `src/${to}/target.ts`);
      file(`src/${from}/uses-interface.ts`, 'src/engine/engine.ts');
      file(`src/${from}/uses-drive.ts`, 'src/engine/drive.ts');
      file(`src/${from}/uses-request.ts`, 'src/engine/request.ts');
      file(`src/${from}/uses-implementation.ts`, 'src/engine/gpu/forecast.ts');
      file(`src/${from}/uses-training.ts`, 'training/train.ts');
      file(`src/${from}/uses-dexie.ts`, 'dexie');
      file(`src/${from}/uses-node.ts`, 'node:fs');
      file(`src/${from}/uses-test-package.ts`, 'fast-check');
    }
    file('src/engine/engine.ts');
    file('src/engine/gpu/forecast.ts');
    file('src/engine/drive.ts');
    file('src/engine/request.ts');
    file('src/engine/worker.ts', 'src/engine/gpu/forecast.ts', ...folders.map((to) => `src/${to}/target.ts`));
    file('src/main.ts', 'src/engine/gpu/forecast.ts', 'src/ui/features/target.ts');
    file('src/app/screen-user.ts', 'src/ui/features/target.ts');
    file('src/numerics/one.ts', 'src/numerics/two.ts');
    file('src/numerics/two.ts', 'src/numerics/one.ts');
    file('training/train.ts', 'src/numerics/target.ts');
    found = violations(folder, 'src', 'training');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const isCaught = (from: string, to?: string, rule?: string) =>
    found.some((v) => v.from === from && (to === undefined || v.to === to) && (rule === undefined || v.rule.name === rule));

  test.each(folders)('%s may import what the table allows it, and nothing else', (from) => {
    const others = folders.filter((to) => to !== from);
    const passed = others.filter((to) => !isCaught(`src/${from}/uses-${to.replace('/', '-')}.ts`));
    expect(passed).toEqual(others.filter((to) => allowed[from]!.includes(to)));
  });

  test.each(folders)('%s sees of the engine no more than the table allows', (from) => {
    const isOpen = from === 'engine' || onEngineInterface.includes(from);
    expect(isCaught(`src/${from}/uses-interface.ts`)).toBe(!isOpen);
    const knowsContract = from === 'engine' || onEngineContract.includes(from);
    expect(isCaught(`src/${from}/uses-drive.ts`)).toBe(!knowsContract);
    expect(isCaught(`src/${from}/uses-request.ts`)).toBe(!knowsContract);
    expect(isCaught(`src/${from}/uses-implementation.ts`)).toBe(true);
  });

  test('main.ts and engine/worker.ts alone choose an engine', () => {
    expect(isCaught('src/main.ts')).toBe(false);
    expect(isCaught('src/engine/worker.ts', 'src/engine/gpu/forecast.ts')).toBe(false);
    expect(isCaught('src/app/uses-implementation.ts', undefined, 'engines-are-chosen-in-one-place')).toBe(true);
  });

  test('engine/worker.ts may compose whatever computes, and nothing of the page', () => {
    const passed = folders.filter((to) => to !== 'engine' && !isCaught('src/engine/worker.ts', `src/${to}/target.ts`));
    expect(passed.toSorted()).toEqual(inTheWorker.toSorted());
  });

  test('screens are mounted by main.ts alone', () => {
    expect(isCaught('src/app/screen-user.ts', undefined, 'features-are-mounted-in-one-place')).toBe(true);
  });

  test('training may use src, src never training', () => {
    expect(isCaught('training/train.ts')).toBe(false);
    for (const from of folders)
      expect(isCaught(`src/${from}/uses-training.ts`, 'training/train.ts', 'src-stands-alone')).toBe(true);
  });

  test('only the vault writes to storage', () => {
    const passed = folders.filter((from) => !isCaught(`src/${from}/uses-dexie.ts`, undefined, 'dexie-in-the-vault'));
    expect(passed).toEqual(['vault']);
  });

  test('no Node module and no test package is shipped', () => {
    for (const from of folders) {
      expect(isCaught(`src/${from}/uses-node.ts`, undefined, 'no-node-in-src')).toBe(true);
      expect(isCaught(`src/${from}/uses-test-package.ts`, undefined, 'ship-only-dependencies')).toBe(true);
    }
  });

  test('a cycle is found', () => {
    expect(isCaught('src/numerics/one.ts', undefined, 'no-cycle')).toBe(true);
  });
});

test('the imports of src and training keep to the table', () => {
  const broken = violations(root, 'src', 'training').map(({ from, to, rule }) => `${rule.name}: ${from} → ${to}`);
  expect(broken).toEqual([]);
});

test('types too come from below: no .svelte file imports a type from above it', () => {
  // dependency-cruiser reads compiled components, in which type imports are gone.
  const above: Record<string, RegExp> = {
    components: /^#(?!domain|ui\/(components|theme))/,
    charts: /^#(?!domain|numerics|ui\/(charts|components|theme))/,
  };
  const broken: string[] = [];
  for (const [part, forbidden] of Object.entries(above)) {
    const folder = join(root, 'src/ui', part);
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.svelte')) continue;
      for (const [, from] of readFileSync(join(folder, name), 'utf8').matchAll(/\bfrom '([^']+)'/g)) {
        if (forbidden.test(from!)) broken.push(`src/ui/${part}/${name}: ${from}`);
      }
    }
  }
  expect(broken).toEqual([]);
});

test('every test file has a name that a runner picks up', () => {
  const runners = ['unit', 'conformance', 'science', 'golden', 'architecture', 'browser', 'journeys'];
  const lost = readdirSync(join(root, 'tests'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(test|spec)\.[a-z]+$/.test(name))
    .filter((name) => !name.endsWith('.test.ts') || !runners.includes(name.split('/')[0]!));
  expect(lost).toEqual([]);
});
