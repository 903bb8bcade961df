import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { AppError, errorCodes } from '#domain/errors.ts';
import { runEquationsGolden } from '#engine/equations-golden.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { describePack, listPacks, loadPack } from '#packs/catalogue.ts';
import { decodePack } from '#packs/decode.ts';
import { isLearned, requireLearned, type EquationsPack, type PackFiles } from '#packs/pack.ts';
import { readModels } from '../../../scripts/read-models.ts';
import { toyEquations, toyEquationsDraft, toyEquationsFiles } from '../../fixtures/toy-equations.ts';
import { withFile, withGolden, withManifest, withManifestText, type Json } from './pack-mutants.ts';

let files: PackFiles;
beforeAll(async () => {
  files = await toyEquationsFiles();
});

async function expectRefusal(pack: PackFiles, code: string, ...parts: readonly (string | RegExp)[]): Promise<void> {
  const error = await decodePack(pack).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: 'AppError', code });
  for (const part of parts) expect((error as Error).message).toMatch(part);
}

describe('a pack of equations', () => {
  test('is read back as it was written, with a program for each model', async () => {
    const pack = (await decodePack(files)) as EquationsPack;
    expect(pack.manifest).toMatchObject(toyEquationsDraft);
    expect(pack.programs.map(({ modelId, priorWeight }) => [modelId, priorWeight])).toEqual([
      ['stepwise', 1],
      ['adaptive', 0.5],
    ]);
    expect(pack.golden.cases).toMatchObject(toyEquations.goldenCases);
    expect(pack.card).toBe('# Toy kinetics\n');
    expect(isLearned(pack)).toBe(false);
    expect(() => requireLearned(pack)).toThrow("pack.json of 'toy-equations': its kind is equations");
  });

  test('passes its own golden cases, and the two steppers agree on them', async () => {
    const pack = (await decodePack(files)) as EquationsPack;
    const report = await runEquationsGolden(new ReferenceSimulator(), pack);
    expect(report).toMatchObject({ passed: true, maxError: 0 });
    const [first, second] = pack.golden.cases;
    first!.rows.flat().forEach((value, i) => expect(second!.rows.flat()[i]! / value).toBeCloseTo(1, 6));
    // 120 mg in 50 L at first; a read-out at a dose time is from before the dose: 20 mg.
    expect(first!.rows[0]).toEqual([(20 / 50) * 1000, 2]);
  });

  test('lies in a folder of three files, is listed, described and loaded', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'models-'));
    mkdirSync(join(folder, 'toy-equations'));
    writeFileSync(join(folder, 'toy-equations/pack.json'), files.manifest);
    writeFileSync(join(folder, 'toy-equations/golden.json'), files.golden);
    writeFileSync(join(folder, 'toy-equations/card.md'), files.card);
    const read = readModels(folder);
    const [listing] = await listPacks(read);
    expect(listing!.files.map(({ name }) => name)).toEqual(['card.md', 'golden.json', 'pack.json']);
    expect(await describePack(listing!, read)).toMatchObject({ kind: 'equations', title: 'Toy kinetics' });
    expect(await loadPack('toy-equations', read)).toMatchObject({ digest: (await decodePack(files)).digest });
    rmSync(folder, { recursive: true });
  });

  test('has no weights, and its digest names three files', async () => {
    await expectRefusal({ ...files, weights: new Uint8Array(4) }, 'pack_digest_mismatch', 'no such file beside equations');
    const { digest } = await decodePack(files);
    const other = await decodePack(withFile(files, 'card', '# Toy kinetics \n'));
    expect(other.digest).not.toBe(digest);
  });

  test('has its keys looked at for addresses', async () => {
    await expectRefusal(
      withManifest(files, (pack) => (pack.models[0].covariates['https://example.org'] = 'age')),
      'pack_text_forbidden',
      /a key in models\[0\]\.covariates/,
    );
    await expectRefusal(
      withManifestText(files, (text) => text.replace('"WT"', '"__proto__"')),
      'pack_not_json',
    );
  });

  test('a formula that reads as HTML needs a space', async () => {
    await expectRefusal(
      withManifest(files, (pack) => (pack.models[0].constraints = ['CL<CLpop'])),
      'pack_text_forbidden',
      /models\[0\]\.constraints\[0\]/,
    );
  });
});

describe('a field that is wrong is refused with its path', () => {
  const cases: readonly (readonly [name: string, change: (pack: Json) => void, where: string, what?: string])[] = [
    ['no model', (p) => (p.models = []), 'models'],
    ['an unknown field of a model', (p) => (p.models[0].script = 'x'), 'models[0].script', 'does not have'],
    ['a formula that is a number', (p) => (p.models[0].parameters[0].formula = 1), 'models[0].parameters[0].formula'],
    ['a stepper without a step', (p) => delete p.models[0].stepper.step, 'models[0].stepper.step', 'missing'],
    ['a step of nothing', (p) => (p.models[0].stepper.step = 0), 'models[0].stepper.step'],
    ['a step that takes for ever', (p) => (p.models[0].stepper.step = 1e-6), 'models[0].stepper.step', 'takes 312000000 steps'],
    ['a first step beyond the largest', (p) => (p.models[1].stepper.firstStep = 3), 'models[1].stepper', 'at most maximumStep'],
    ['a tolerance below rounding', (p) => (p.models[1].stepper.relativeTolerance = 1e-20), 'models[1].stepper.relativeTolerance'],
    ['a symbol with a sign', (p) => (p.models[0].constants[0].symbol = 'a-b'), 'models[0].constants[0].symbol'],
    ['a variance of zero', (p) => (p.models[0].effects[0].variance = 0), 'models[0].effects[0].variance'],
    ['an unknown route', (p) => (p.models[0].inputs[0].routes = ['nasal']), 'models[0].inputs[0].routes[0]'],
    ['two models of one id', (p) => (p.models[1].id = 'stepwise'), 'models', "'stepwise' twice"],
    [
      'a marker that a model does not observe',
      (p) => p.markers.push({ ...p.markers[0], id: 'other' }),
      'models[0].observations',
      "found 0 for the marker 'other'",
    ],
    [
      'a marker observed twice',
      (p) => p.models[0].observations.push(p.models[0].observations[0]),
      'models[0].observations',
      'found 2',
    ],
    [
      'an event that a model does not have',
      (p) => (p.models[1].events = []),
      'models[1].events',
      "found 0 for the event 'relapse'",
    ],
    [
      'a lever that nothing reads',
      (p) => (p.models[1].controls = []),
      'interventions[1]',
      "model 'adaptive' has no input or control",
    ],
    [
      'class X',
      (p) =>
        (p.interventions[1] = {
          ...p.interventions[1],
          whatIfClass: 'X',
          citedEffect: { events: ['relapse'], logHazardRatio: 0, standardError: 0, assumption: 'x' },
        }),
      'interventions[1].whatIfClass',
    ],
    [
      'a sign',
      (p) =>
        (p.signs = [
          {
            id: 's',
            label: 's',
            levels: [
              { value: 0, label: '0' },
              { value: 1, label: '1' },
            ],
            cuts: [0],
            staleAfterDays: 1,
          },
        ]),
      'signs',
    ],
    [
      'a transform of a marker',
      (p) => (p.markers[0].transform = { kind: 'identity', mean: 0, sd: 1 }),
      'markers[0].transform',
      'does not have',
    ],
    [
      'a target without a limit',
      (p) => (p.targets[0] = { ...p.targets[0], low: undefined, high: undefined }),
      'targets[0]',
      'found no limit',
    ],
    ['a target upside down', (p) => (p.targets[0].low = 9000), 'targets[0]', 'low below high'],
    [
      'a target of nothing',
      (p) => (p.targets[0].measure.readout = 'C'),
      'targets[0].measure.readout',
      "'C' is no read-out of model 'stepwise'",
    ],
    ['a target on another scale', (p) => (p.targets[0].unit = 'mg/L'), 'targets[0].unit', "expected ug/L as in model 'stepwise'"],
    ['a share in percent', (p) => (p.targets[1].unit = '%'), 'targets[1].unit', 'a share is between 0 and 1'],
    ['a share of no range', (p) => delete p.targets[1].measure.between, 'targets[1].measure.between'],
    ['a range of no share', (p) => (p.targets[0].measure.between = { low: 1 }), 'targets[0].measure.between'],
    [
      'a window that ends before it starts',
      (p) => ((p.targets[1].measure.window.to = 0.5), (p.targets[1].measure.window.from = 1)),
      'targets[1].measure.window',
    ],
    ['a grid for a stranger', (p) => (p.doseGrids[0].intervention = 'other'), 'doseGrids[0].intervention'],
    ['a grid by another route', (p) => (p.doseGrids[0].route = 'oral'), 'doseGrids[0].route', 'no input that takes'],
    ['a bolus with durations', (p) => (p.doseGrids[0].durationHours = [1]), 'doseGrids[0].durationHours'],
    ['amounts beyond the largest dose', (p) => (p.doseGrids[0].amounts = [501]), 'doseGrids[0].amounts', 'found 501'],
    ['two grids for one drug', (p) => p.doseGrids.push(p.doseGrids[0]), 'doseGrids', "'drug' twice"],
    [
      'a demonstration without a covariate',
      (p) => delete p.demonstrations[0].covariates.age,
      'demonstrations[0].covariates',
      "there is no 'age'",
    ],
    [
      'a demonstration with an impossible genotype',
      (p) => (p.demonstrations[0].covariates.cyp = '*9/*9'),
      'demonstrations[0].covariates.cyp',
      "found '*9/*9'",
    ],
    [
      'a demonstration with an implausible weight',
      (p) => (p.demonstrations[0].covariates.weight = 1e6),
      'demonstrations[0].covariates.weight',
    ],
    [
      'a demonstration with a dose of a stranger',
      (p) => (p.demonstrations[0].courses[0].intervention = 'x'),
      'demonstrations[0].courses[0].intervention',
    ],
    [
      'doses without an interval',
      (p) => delete p.demonstrations[0].courses[0].everyHours,
      'demonstrations[0].courses[0].everyHours',
    ],
    [
      'a demonstration that measures what does not vary',
      (p) => (p.demonstrations[0].observations[1].marker = 'age'),
      'demonstrations[0].observations[1].marker',
    ],
    [
      'a covariate that may be missing with nothing in its place',
      (p) => (p.covariates[1].required = false),
      'covariates[1].whenMissing',
    ],
    [
      'something implausible in its place',
      (p) => Object.assign(p.covariates[1], { required: false, whenMissing: -1 }),
      'covariates[1].whenMissing',
    ],
    [
      'no model that is fitted',
      (p) => p.models.forEach((model: Json) => (model.priorWeight = 0)),
      'models',
      'no prior weight above 0',
    ],
    [
      'no model for everyone',
      (p) => p.models.forEach((model: Json) => (model.onlyWhere = { covariate: 'cyp', values: ['*1/*1'] })),
      'models',
      'found onlyWhere in each',
    ],
    [
      'a model for people who do not exist',
      (p) => (p.models[0].onlyWhere = { covariate: 'cyp', values: ['*9/*9'] }),
      'models[0].onlyWhere.values[0]',
      "'*9/*9' is no value of 'cyp'",
    ],
    [
      'a treatment of a stranger',
      (p) => (p.demonstrations[0].treatments = [{ intervention: 'x', startHours: 0 }]),
      'demonstrations[0].treatments[0].intervention',
    ],
    [
      'a treatment that stops before it starts',
      (p) => (p.demonstrations[0].treatments = [{ intervention: 'blocker', startHours: 0, stopHours: -1 }]),
      'demonstrations[0].treatments[0].stopHours',
    ],
    [
      'a factor that units contradict',
      (p) => (p.markers[0].alternativeUnits = [{ unit: 'mg/L', factor: 0.001 }]),
      'markers[0].alternativeUnits[0].factor',
      'found 0.001, expected 1000, which is mg/L in ug/L',
    ],
    [
      'shares by a stranger',
      (p) => (p.covariates[3].sharesBy = { covariate: 'x', shares: {}, source: 'x' }),
      'covariates[3].sharesBy.covariate',
    ],
    [
      'shares by a number',
      (p) => (p.covariates[3].sharesBy = { covariate: 'age', shares: {}, source: 'x' }),
      'covariates[3].sharesBy.covariate',
    ],
  ];
  test.each(cases.map(([name, change, where, what = '']) => ({ name, change, where, what })))(
    '$name',
    async ({ change, where, what }) => {
      await expectRefusal(withManifest(files, change), 'pack_schema_invalid', `pack.json, ${where}`, what);
    },
  );

  test('what a model itself gets wrong', async () => {
    await expectRefusal(
      withManifest(files, (pack) => (pack.models[1].parameters[1].formula = 'Vpop * WT')),
      'model_units_differ',
      'pack.json, models[1].parameters[1].formula: the formula gives mass·volume, expected volume (L)',
    );
    await expectRefusal(
      withManifest(files, (pack) => (pack.models[0].algebra[0].formula = 'C')),
      'model_cycle',
      "'C' needs 'C'",
    );
    await expectRefusal(
      withManifest(files, (pack) => (pack.targets[0].unit = 'kilo')),
      'model_formula_invalid',
      "targets[0].unit: 'kilo' is no unit",
    );
  });

  test('shares by another category, each of which has its own', async () => {
    const withShares = (shares: Json) =>
      withManifest(files, (pack) => {
        const [, , , cyp] = pack.covariates;
        const values = ['north', 'south'].map((value) => ({ value, label: value, share: 0.5 }));
        pack.covariates.push({ ...cyp, id: 'ancestry', categories: values });
        cyp.sharesBy = { covariate: 'ancestry', shares, source: 'Invented.' };
      });
    await expect(decodePack(withShares({ north: [0.7, 0.2, 0.1], south: [0.2, 0.3, 0.5] }))).resolves.toBeDefined();
    await expectRefusal(withShares({ north: [0.7, 0.2, 0.1] }), 'pack_schema_invalid', "none for 'south'");
    await expectRefusal(withShares({ north: [0.7, 0.3], south: [1, 0, 0] }), 'pack_schema_invalid', 'expected 3');
    await expectRefusal(withShares({ north: [0.7, 0.2, 0.9], south: [1, 0, 0] }), 'pack_schema_invalid', 'sum to 1.8');
    await expectRefusal(withShares({ north: [1, 0, 0], south: [1, 0, 0], east: [1, 0, 0] }), 'pack_schema_invalid', "'east'");
  });
});

describe('golden cases that do not fit their pack', () => {
  test.each<readonly [string, (golden: Json) => void, string]>([
    ['none', (g) => (g.cases = []), 'cases'],
    ['an id twice', (g) => (g.cases[1].id = 'first'), 'cases[1].id'],
    ['an unknown model', (g) => (g.cases[0].model = 'other'), 'cases[0].model'],
    ['a covariate too few', (g) => delete g.cases[0].covariates.weight, "cases[0].covariates: there is no 'weight'"],
    ['a category of its own', (g) => (g.cases[0].covariates.cyp = '*2/*2'), 'cases[0].covariates'],
    ['a number for a category', (g) => (g.cases[0].covariates.cyp = 1), 'cases[0].covariates'],
    ['an unknown covariate', (g) => (g.cases[0].covariates.height = 1), 'cases[0].covariates'],
    ['an unknown effect', (g) => (g.cases[0].effects.etaX = 1), "cases[0].effects: 'etaX'"],
    ['an unknown input', (g) => (g.cases[0].doses[0].input = 'A'), "cases[0].doses: 'A'"],
    ['a negative dose', (g) => (g.cases[0].doses[0].amount = -1), 'cases[0].doses[0].amount'],
    ['an unknown control', (g) => (g.cases[0].controls[0].control = 'x'), "cases[0].controls: 'x'"],
    ['an unknown state', (g) => (g.cases[0].initialStates.B = 1), "cases[0].initialStates: 'B'"],
    ['an unknown read-out', (g) => (g.cases[0].readouts[0] = 'C'), "cases[0].readouts: 'C'"],
    ['times that fall', (g) => g.cases[0].times.reverse(), 'cases[0].times'],
    ['a row too few', (g) => g.cases[0].rows.pop(), 'cases[0].rows'],
    ['a value too few', (g) => g.cases[0].rows[2].pop(), 'cases[0].rows[2]'],
    ['noise for a model without any', (g) => (g.cases[0].noise = [1]), 'cases[0].noise'],
    ['a tolerance that lets anything pass', (g) => (g.cases[0].tolerance.relative = 1), 'cases[0].tolerance.relative'],
    ['a question that takes for ever', (g) => (g.cases[0].times[3] = 1e6), 'cases: ask for 10000000 steps'],
  ])('%s', async (_, change, where) => {
    await expectRefusal(withGolden(files, change), 'pack_schema_invalid', `golden.json, ${where}`);
  });
});

const oddValues = [
  null,
  true,
  -1,
  0,
  0.5,
  1e9,
  1e308,
  '',
  'x',
  'A',
  'CL',
  '0',
  'constructor',
  'time',
  'mg',
  '%',
  'level',
  [],
  {},
  [[]],
  { symbol: 'A' },
  Array(300).fill('A'),
];
const oddFormulas = [
  'A',
  'CL',
  'x',
  '1',
  '0',
  '-A',
  'CL * V',
  'exp(A)',
  'time',
  'rate(DOSE)',
  'C',
  'C + level',
  'if(A > 0, A, 0)',
  "unit(1, 'mg')",
  '('.repeat(300),
  'A'.repeat(4000),
  '1e999',
  '2^2^2^2^2^2',
  'A^A',
  "in(WT, 'kg')^1e9",
  'etaCL',
  '__proto__',
  'A A',
  '\u0000',
];

/** A random place in a JSON value: the object or list, and the key in it. */
function place(root: Json, random: RandomSequence): [parent: Json, key: string] {
  let parent = root;
  for (;;) {
    const keys = Object.keys(parent);
    const key = keys[random.below(keys.length)]!;
    const child = parent[key];
    const isLeaf = typeof child !== 'object' || child === null || Object.keys(child).length === 0;
    if (isLeaf || random.uniform() < 0.1) return [parent, key];
    parent = child;
  }
}

const mutations: readonly (readonly [string, (pack: Json, random: RandomSequence) => void])[] = [
  [
    'a field of another value',
    (pack, random) => {
      const [parent, key] = place(random.uniform() < 0.3 ? pack : pack.models, random);
      parent[key] = oddValues[random.below(oddValues.length)];
    },
  ],
  [
    'another formula, unit or symbol',
    (pack, random) => {
      const [parent, key] = place(pack.models, random);
      if (typeof parent[key] === 'string') parent[key] = oddFormulas[random.below(oddFormulas.length)];
    },
  ],
  [
    'a field taken away',
    (pack, random) => {
      const [parent, key] = place(pack.models, random);
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
    },
  ],
  [
    'a field copied to another place',
    (pack, random) => {
      const [from, fromKey] = place(pack.models, random);
      const [to, toKey] = place(pack.models, random);
      to[toKey] = structuredClone(from[fromKey]);
    },
  ],
];

describe.each(mutations)('%s', (_, mutate) => {
  test('200 mutants are packs or refusals, and quickly so', async () => {
    let refused = 0;
    for (let seed = 0; seed < 200; seed++) {
      const random = new RandomSequence(seedFrom(seed));
      const mutant = withManifest(files, (pack) => mutate(pack, random));
      const started = performance.now();
      const outcome = await decodePack(mutant).catch((reason: unknown) => reason);
      expect(performance.now() - started, `seed ${seed}`).toBeLessThan(5000);
      if (outcome instanceof AppError) {
        refused++;
        expect(errorCodes, `seed ${seed}`).toContain(outcome.code);
        expect(outcome.message.length, `seed ${seed}`).toBeLessThan(600);
        expect(outcome.message, `seed ${seed}`).toMatch(/^(?:pack|golden)\.json/);
      } else expect(outcome, `seed ${seed}`).toMatchObject({ manifest: { kind: 'equations' } });
    }
    expect(refused).toBeGreaterThan(20);
  });
});
