import { beforeAll, describe, expect, test } from 'vitest';
import { decodePack, packLimits } from '#packs/decode.ts';
import type { PackFiles } from '#packs/pack.ts';
import { toyPackFiles } from '../../fixtures/toy-pack.ts';
import { withFile, withGolden, withManifest, withManifestText, withWeight, type Json } from './pack-mutants.ts';

let files: PackFiles;
beforeAll(async () => {
  files = await toyPackFiles();
});

/** Expects a refusal whose message says where, and what in words. */
async function expectRefusal(pack: PackFiles, code: string, ...parts: readonly (string | RegExp)[]): Promise<void> {
  const error = await decodePack(pack).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: 'AppError', code });
  for (const part of parts) expect((error as Error).message).toMatch(part);
}

test('the pack that all these tests spoil is itself read', async () => {
  await expect(decodePack(files)).resolves.toMatchObject({ manifest: { id: 'toy' } });
});

describe('sizes', () => {
  test.each([
    ['manifest', 2 ** 20],
    ['weights', 32 * 2 ** 20],
    ['golden', 4 * 2 ** 20],
    ['card', 2 ** 18],
  ] as const)('%s above its limit is refused before it is read', async (key, limit) => {
    await expectRefusal(
      { ...files, [key]: new Uint8Array(limit + 1) },
      'pack_too_large',
      `${limit + 1} bytes, expected at most ${limit}`,
    );
  });

  test('a pack that would need more memory than allowed is refused', async () => {
    await expect(decodePack(files, { ...packLimits, memoryBytes: 1000 })).rejects.toMatchObject({
      code: 'pack_memory_exceeded',
      message: expect.stringMatching(/needs \d+ bytes of memory, expected at most 1000/),
    });
  });
});

describe('text that is not plain JSON', () => {
  test.each([
    ['nothing', () => '', 'line 1'],
    ['a cut file', (text: string) => text.slice(0, 300), 'pack.json, line'],
    ['text after the end', (text: string) => `${text}x`, 'after the end'],
    ['a trailing comma', () => '{"a": 1,}', 'expected a key in double quotes'],
    ['a single quote', () => "{'a': 1}", 'expected a key'],
    ['a missing colon', () => '{"a" 1}', 'colon'],
    ['an open list', () => '[1 2]', 'end of the list'],
    ['an open text', () => '{"a": "b', 'not closed'],
    ['an unknown escape', () => '{"a": "\\x"}', 'unknown escape'],
    ['a comment', () => '// hello\n{}', 'expected a value'],
    ['NaN', () => '[NaN]', 'expected a value'],
    ['a number beyond f64', () => '[1e999]', 'too large'],
    ['a leading zero', () => '[01]', 'end of the list'],
    ['a byte order mark', (text: string) => `\ufeff${text}`, 'expected a value'],
    ['a key that stands twice', () => '{"id": 1, "id": 2}', "'id' stands twice"],
    ['__proto__', () => '{"__proto__": {"isAdmin": true}}', "'__proto__' is not allowed"],
    ['an escaped __proto__', () => '{"\\u005f_proto__": 1}', "'__proto__' is not allowed"],
    ['constructor', () => '{"a": {"constructor": 1}}', "'constructor' is not allowed"],
    ['prototype', () => '{"prototype": 1}', "'prototype' is not allowed"],
    ['toString', () => '{"toString": 1}', "'toString' is not allowed"],
  ])('%s', async (_, change, what) => {
    await expectRefusal(withManifestText(files, change), 'pack_not_json', what);
  });

  test('a depth bomb is refused at level 33 and not followed', async () => {
    const bomb = (depth: number) => withManifestText(files, () => '['.repeat(depth) + ']'.repeat(depth));
    await expectRefusal(bomb(500_000), 'pack_not_json', 'deeper than 32 levels');
    await expectRefusal(bomb(33), 'pack_not_json', 'deeper than 32 levels');
    await expectRefusal(bomb(32), 'pack_schema_invalid');
  });

  test('bytes that are not UTF-8', async () => {
    await expectRefusal({ ...files, manifest: Uint8Array.of(0x7b, 0xff, 0x7d) }, 'pack_not_json', 'UTF-8');
    await expectRefusal(withFile(files, 'card', Uint8Array.of(0xc3)), 'pack_not_json', 'card.md');
  });
});

describe('a manifest with a wrong field is refused with its path', () => {
  const cases: readonly (readonly [string, (pack: Json) => void, string, string?])[] = [
    [
      'another format',
      (p) => (p.format = 'counterpart-pack/2'),
      'pack.json, format: ',
      '\'counterpart-pack/2\', expected "counterpart-pack/1"',
    ],
    ['another kind', (p) => (p.kind = 'neural'), 'pack.json, kind: '],
    ['an unknown field', (p) => (p.markers[1].colour = 'red'), 'pack.json, markers[1].colour: ', 'does not have'],
    ['an unknown field of the pack', (p) => (p.script = 'x'), 'pack.json, script: ', 'does not have'],
    ['a missing field', (p) => delete p.markers[0].decimals, 'pack.json, markers[0].decimals: ', 'missing'],
    ['text for a number', (p) => (p.grid.stepDays = '90'), 'pack.json, grid.stepDays: ', "'90', expected number"],
    ['a list for a record', (p) => (p.grid = []), 'pack.json, grid'],
    ['null', (p) => (p.era = null), 'pack.json, era: ', 'null'],
    ['an id with capitals', (p) => (p.markers[0].id = 'Bilirubin'), 'markers[0].id'],
    ['an id twice', (p) => (p.signs[0].id = 'albumin'), 'markers and signs: ', "'albumin' twice"],
    ['an empty licence', (p) => (p.licence = ''), 'licence'],
    ['a version that is none', (p) => (p.version = 'latest'), 'version'],
    ['a transform with sd 0', (p) => (p.markers[0].transform.sd = 0), 'markers[0].transform.sd'],
    ['a logarithm of zero', (p) => (p.markers[0].plausible = [0, 60]), 'markers[0].transform', 'above zero'],
    ['a root of a negative', (p) => (p.markers[2].plausible = [-1, 60]), 'markers[2].transform'],
    ['a range upside down', (p) => (p.markers[1].plausible = [7, 1]), 'markers[1].plausible', '7 to 1'],
    ['a seen range upside down', (p) => (p.covariates[0].seen = [80, 20]), 'covariates[0].seen'],
    ['a range of three', (p) => (p.markers[1].seen = [1, 2, 3]), 'markers[1].seen'],
    ['a unit twice', (p) => (p.markers[1].alternativeUnits[0].unit = 'g/dL'), 'markers[1].alternativeUnits'],
    ['a factor of zero', (p) => (p.markers[1].alternativeUnits[0].factor = 0), 'markers[1].alternativeUnits[0].factor'],
    ['a normal range upside down', (p) => (p.markers[0].normalRange.low = 9), 'markers[0].normalRange'],
    ['cuts that do not ascend', (p) => (p.signs[0].cuts = [2, 1]), 'signs[0].cuts', 'ascending'],
    ['a cut too few', (p) => (p.signs[0].cuts = [1]), 'signs[0].cuts', 'found 1 for 3 levels, expected 2'],
    ['five levels', (p) => p.signs[0].levels.push({ value: 2, label: 'x' }, { value: 3, label: 'y' }), 'signs[0].levels'],
    ['levels that do not ascend', (p) => (p.signs[0].levels[2].value = 0.2), 'signs[0].levels'],
    ['shares that do not sum to 1', (p) => (p.covariates[1].categories[0].share = 0.9), 'covariates[1].categories', '1.300'],
    ['a category twice', (p) => (p.covariates[1].categories[1].value = 'female'), 'covariates[1].categories'],
    ['an era that ends before it starts', (p) => (p.era = { from: 2010, to: 2000 }), 'pack.json, era'],
    [
      'a criterion on nothing',
      (p) => (p.population.criteria[0].id = 'height'),
      'population.criteria[0].id',
      "'height' names no covariate",
    ],
    ['a criterion on a category', (p) => (p.population.criteria[0].id = 'sex'), 'population.criteria[0].id', 'is a category'],
    ['a covariate asked at entry', (p) => (p.population.criteria[0].at = 'entry'), 'population.criteria[0].at', 'only a marker'],
    ['a criterion without limits', (p) => delete p.population.criteria[1].max, 'population.criteria[1]', 'no limit'],
    ['a criterion upside down', (p) => (p.population.criteria[0].max = 1), 'population.criteria[0]', '18 to 1'],
    [
      'class X without a cited effect',
      (p) => delete p.interventions[1].citedEffect,
      'interventions[1].citedEffect',
      'class X has none',
    ],
    [
      'class R with a cited effect',
      (p) => (p.interventions[0].citedEffect = p.interventions[1].citedEffect),
      'interventions[0].citedEffect',
    ],
    ['class X that the network reads', (p) => (p.conditioning[3].id = 'drug-x'), 'interventions[1]', 'class X is laid over'],
    [
      'class R that the network does not read',
      (p) => (p.conditioning[2].id = 'habit-o'),
      'pack.json, interventions[0]',
      'conditioning input for class R',
    ],
    ['a class that does not exist', (p) => (p.interventions[0].whatIfClass = 'Z'), 'interventions[0].whatIfClass'],
    [
      'an effect on no event',
      (p) => (p.interventions[1].citedEffect.events = ['cure']),
      'interventions[1].citedEffect.events[0]',
    ],
    [
      'an estimate outside its interval',
      (p) => (p.interventions[0].evidence.estimate.value = 3),
      'interventions[0].evidence.estimate',
    ],
    ['usual care of nothing known', (p) => (p.usualCare.interventions = ['tea']), 'usualCare.interventions[0]'],
    [
      'usual care that excludes itself',
      (p) => (p.usualCare.interventions = ['no-drug', 'drug-r']),
      'usualCare.interventions[1]',
      'cannot be given',
    ],
    ['S that does not count', (p) => (p.network.S = 5), 'network.S', 'found 5, expected 4'],
    ['K that does not count', (p) => (p.network.K = 1), 'network.K', 'found 1, expected 2'],
    ['V that does not count', (p) => (p.network.V = 3), 'network.V', 'found 3, expected 4'],
    ['H that is no multiple of 4', (p) => (p.network.H = 10), 'network.H'],
    ['H beyond the bound', (p) => (p.network.H = 132), 'network.H'],
    ['L beyond the bound', (p) => (p.network.L = 17), 'network.L'],
    ['M beyond the bound', (p) => (p.network.M = 9), 'network.M'],
    ['a half', (p) => (p.network.L = 1.5), 'network.L'],
    ['too long a horizon', (p) => (p.grid.horizonSteps = 401), 'grid.horizonSteps'],
    ['an intervention before a covariate', (p) => p.conditioning.reverse(), 'conditioning[0]', 'before all interventions'],
    ['conditioning on nothing known', (p) => (p.conditioning[0].id = 'height'), 'conditioning[0].id', 'names no covariate'],
    [
      'conditioning on an unknown category',
      (p) => (p.conditioning[1].equals = 'other'),
      'conditioning[1].equals',
      "'other' is no category",
    ],
    ['a number read as a category', (p) => (p.conditioning[1].id = 'age'), 'conditioning[1].equals'],
    ['a category read as a number', (p) => (p.conditioning[0].id = 'sex'), 'conditioning[0].id', 'is a category'],
    ['conditioning on no intervention', (p) => (p.conditioning[3].id = 'tea'), 'conditioning[3].id', 'names no intervention'],
    [
      'conditioning on no marker',
      (p) => (p.conditioning[1] = { from: 'entry-marker', id: 'iron', whenMissing: 0 }),
      'conditioning[1].id',
    ],
    [
      'a condition on no category',
      (p) => (p.conditioning[3].when = { covariate: 'sex', equals: 'x' }),
      'conditioning[3].when.equals',
    ],
    ['conditioning from elsewhere', (p) => (p.conditioning[3].from = 'weather'), 'conditioning[3].from'],
    ['a marginal of nothing', (p) => (p.people.marginals[0].covariate = 'height'), 'people.marginals[0].covariate'],
    ['a marginal of the other kind', (p) => (p.people.marginals[0].covariate = 'sex'), 'people.marginals[0].kind'],
    ['twelve quantiles', (p) => p.people.marginals[0].quantiles.pop(), 'people.marginals[0].quantiles'],
    ['quantiles that fall', (p) => p.people.marginals[0].quantiles.reverse(), 'people.marginals[0].quantiles'],
    ['a share too many', (p) => (p.people.marginals[1].shares = [0.5, 0.3, 0.2]), 'people.marginals[1].shares'],
    ['a correlation of 2', (p) => (p.people.correlation = [1, 2, 2, 1]), 'people.correlation'],
    ['a lopsided correlation', (p) => (p.people.correlation = [1, 0.2, 0.1, 1]), 'people.correlation'],
    ['a short correlation', (p) => p.people.correlation.pop(), 'people.correlation', 'found 3 numbers'],
    [
      'no people of a required covariate',
      (p) => ((p.people.marginals = [p.people.marginals[1]]), (p.people.correlation = [1])),
      'people.marginals',
      'none for age',
    ],
    ['a digest that is none', (p) => (p.card.sha256 = 'x'), 'card.sha256'],
    ['another file name', (p) => (p.weights.file = '../../etc/passwd'), 'weights.file'],
    [
      'a tensor that is not ours',
      (p) => (p.tensors[0].name = 'member0/gateY'),
      'tensors[0].name',
      "'member0/gateY' is no tensor",
    ],
    ['a tensor twice', (p) => (p.tensors[1].name = p.tensors[0].name), 'tensors[1].name', 'stands here twice'],
    ['a tensor of another shape', (p) => (p.tensors[0].shape = [6, 24]), 'tensors[0].shape', '[6 × 24], expected [24 × 6]'],
    ['a dtype that is none', (p) => (p.tensors[0].dtype = 'f64'), 'tensors[0].dtype'],
  ];
  for (const [name, change, where, what = ''] of cases) {
    test(name, () => expectRefusal(withManifest(files, change), 'pack_schema_invalid', where, what));
  }

  test('the reference of an exclusive group needs no input of its own', async () => {
    const arms = withManifest(files, (pack) => {
      pack.interventions.push({ ...pack.interventions[0], id: 'reference' });
    });
    await expect(decodePack(arms)).resolves.toBeDefined();
  });

  test('a marginal twice', async () => {
    const twice = withManifest(files, (pack) => {
      pack.people.marginals[1] = pack.people.marginals[0];
    });
    await expectRefusal(twice, 'pack_schema_invalid', 'people.marginals');
  });

  test('a message quotes a stranger briefly and without control characters', async () => {
    const noisy = withManifest(files, (pack) => (pack.kind = `\u202e\u0007${'x'.repeat(5000)}`));
    const error = (await decodePack(noisy).catch((reason: unknown) => reason)) as Error;
    expect(error.message.length).toBeLessThan(300);
    expect(error.message).not.toMatch(/[\u0000-\u001f\u202e]/);
  });
});

describe('text that a browser could follow, run or draw', () => {
  test.each([
    'see https://example.org',
    'HTTP://example.org',
    'javascript:alert(1)',
    'ws://example.org',
    '//example.org/x',
    'www.example.org',
    'data:text/html,x',
    '<script>',
    '<img src=x>',
    '</p>',
    '<!-- x -->',
    '@compute @workgroup_size(64)',
    '@group(0)',
  ])('%s is refused in a manifest and in a card', async (text) => {
    await expectRefusal(
      withManifest(files, (pack) => (pack.sources[0].citation = text)),
      'pack_text_forbidden',
      /pack\.json, sources\[0\]\.citation/,
    );
    await expectRefusal(withFile(files, 'card', `# Card\n\n${text}\n`), 'pack_text_forbidden', /^card\.md/);
  });

  test.each([
    'p < 0.05',
    'p<0.05',
    'an LDL/HDL ratio',
    'doi 10.1000/182',
    'Sources of data: two registers',
    'a@b',
    '≥ 3 mg/dL',
    'ratio 3:1',
  ])('%s is plain words', async (text) => {
    await expect(decodePack(withManifest(files, (pack) => (pack.notFor = [text])))).resolves.toBeDefined();
  });
});

describe('weights', () => {
  test('a truncated file', async () => {
    const cut = { ...files, weights: files.weights.slice(0, -4) };
    await expectRefusal(cut, 'pack_weights_truncated', `has ${cut.weights.length} bytes, expected ${files.weights.length}`);
  });

  test('one altered byte in any of the three files', async () => {
    for (const key of ['weights', 'golden', 'card'] as const) {
      const altered = files[key].slice();
      altered[7]! ^= 1;
      await expectRefusal({ ...files, [key]: altered }, 'pack_digest_mismatch', 'SHA-256');
    }
  });

  test('a file that is too long', async () => {
    await expectRefusal({ ...files, weights: new Uint8Array(files.weights.length + 4) }, 'pack_digest_mismatch', 'weights.bin');
    await expectRefusal(
      withFile(files, 'weights', new Uint8Array(files.weights.length + 4)),
      'pack_tensors_do_not_tile',
      'where the last tensor ends',
    );
  });

  test('overlapping tensors, and a gap', async () => {
    await expectRefusal(
      withManifest(files, (pack) => (pack.tensors[2].offset -= 4)),
      'pack_tensors_do_not_tile',
      /tensors\[2\]\.offset: 'member0\/gateBias' starts at byte \d+, expected \d+/,
    );
    await expectRefusal(
      withManifest(files, (pack) => (pack.tensors[2].offset += 4)),
      'pack_tensors_do_not_tile',
      /tensors\[2\]/,
    );
    await expectRefusal(
      withManifest(files, (pack) => (pack.tensors.at(-1).dtype = 'f16')),
      'pack_tensors_do_not_tile',
    );
    await expectRefusal(
      withManifest(files, (pack) => pack.tensors.reverse()),
      'pack_tensors_do_not_tile',
    );
  });

  test('a missing tensor', async () => {
    await expectRefusal(
      withManifest(files, (pack) => pack.tensors.pop()),
      'pack_tensor_missing',
      "no 'member1/encoderScaleBias'",
    );
    await expectRefusal(
      withManifest(files, (pack) => (pack.tensors = [])),
      'pack_tensor_missing',
      "no 'member0/gateX'",
    );
  });

  test.each([NaN, Infinity, -Infinity])('%s', async (value) => {
    await expectRefusal(withWeight(files, 'member1/driftX', 5, value), 'pack_weights_not_finite', /member1\/driftX\[5\]: found/);
  });

  test.each([
    ['member0/gateX', 1e5, 'at most 10000'],
    ['member0/tailCount', 257, 'from 0 to 256'],
    ['member0/tailCount', -1, 'from 0 to 256'],
    ['member0/tailCount', 1.5, 'whole number'],
    ['member1/tailScale', 0.9, 'at least 1'],
    ['member1/observationScale', 0, 'more than 0'],
  ])('%s of %d', async (name, value, what) => {
    await expectRefusal(withWeight(files, name, 0, value), 'pack_weights_out_of_range', `${name}[0]`, what);
  });

  test('an ordinal sign needs no observation scale', async () => {
    await expect(decodePack(withWeight(files, 'member0/observationScale', 3, 0))).resolves.toBeDefined();
  });
});

describe('golden cases that do not fit their pack', () => {
  test.each<readonly [string, (golden: Json) => void, RegExp]>([
    ['none', (g) => (g.rollouts = []), /rollouts/],
    ['no probe', (g) => (g.encoder = []), /encoder/],
    [
      'rollouts that do not divide',
      (g) => (g.rollouts[0].rollouts = 41),
      /rollouts\[0\]\.rollouts: found 41, expected a multiple of 4/,
    ],
    ['a state that diverged', (g) => (g.rollouts[0].start.x[0][0] = 31), /rollouts\[0\]\.start\.x\[0\]\[0\]/],
    ['a short state', (g) => g.rollouts[0].start.x[1].pop(), /start\.x\[1\]: found 5 entries, expected 6/],
    ['a memory too few', (g) => g.rollouts[0].start.h.pop(), /start\.h/],
    ['no start', (g) => (g.rollouts[0].start = { x: [], h: [] }), /start\.x: found no row/],
    ['short conditioning', (g) => g.rollouts[0].plans[0].v.pop(), /plans\[0\]\.v/],
    ['huge conditioning', (g) => (g.rollouts[0].plans[0].v[0] = 1e30), /plans\[0\]\.v\[0\]/],
    ['levels that fall', (g) => g.rollouts[0].levels.reverse(), /levels/],
    ['an answer too few', (g) => g.rollouts[0].expected.plans[0].quantiles.pop(), /expected\.plans\[0\]\.quantiles/],
    ['no differences', (g) => (g.rollouts[0].expected.differences = []), /expected\.differences/],
    ['a member that is not there', (g) => (g.encoder[0].member = 2), /encoder\[0\]\.member/],
    ['a probe too wide', (g) => g.encoder[0].inputs.v[0].push(1), /encoder\[0\]\.inputs\.v\[0\]/],
    ['half a mask', (g) => (g.encoder[0].inputs.mask[0][0] = 0.5), /encoder\[0\]\.inputs\.mask\[0\]\[0\]/],
    ['a probe with a time too few', (g) => g.encoder[0].inputs.mask.pop(), /encoder\[0\]\.inputs\.mask/],
    ['an unknown field', (g) => (g.rollouts[0].note = 'x'), /rollouts\[0\]\.note/],
    ['a question that takes for ever', (g) => (g.rollouts[0].rollouts = 40_000), /rollouts: ask for \d+ steps in all/],
  ])('%s', async (_, change, where) => {
    await expectRefusal(withGolden(files, change), 'pack_schema_invalid', /^golden\.json, /, where);
  });
});
