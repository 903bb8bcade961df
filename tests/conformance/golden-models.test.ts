import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { checkGoldenFiles } from '../../scripts/golden-conformance.ts';
import { describeGoldenModels, goldenFiles } from './golden-models.ts';

// Populations of 100,000 are drawn and fits are made, on a machine that may be busy.
vi.setConfig({ testTimeout: 240_000 });

describeGoldenModels('the reference engine', () => Promise.resolve(new ReferenceSimulator()));
describeGoldenModels('WebAssembly', () => Promise.resolve(new CpuSimulator()));

describe('a reference file that is not right', () => {
  const folder = mkdtempSync(join(tmpdir(), 'golden-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  async function say(content: string): Promise<string[]> {
    const path = join(folder, 'file.json');
    writeFileSync(path, content);
    const said: string[] = [];
    await checkGoldenFiles([path], new ReferenceSimulator(), (line) => said.push(line));
    return said;
  }
  const read = (name: string) => JSON.parse(readFileSync(goldenFiles.find((file) => file.name === name)!.path, 'utf8'));
  const casesOf = (file: unknown): Record<string, unknown>[] =>
    Array.isArray(file) ? file : (file as { cases: Record<string, unknown>[] }).cases;

  it.each(goldenFiles.filter(({ name }) => name !== 'leaspy-progression.json'))(
    '$name: one value of one row that is off by a hundredth fails, with its place',
    async ({ name }) => {
      const [one] = casesOf(read(name)) as [{ id: string; rows?: number[][]; volumes?: number[] }];
      const row = one.rows?.findLast((values) => values.at(-1)! > 0.1);
      if (row) row[row.length - 1]! *= 1.01;
      else one.volumes![20]! *= 1.01;
      const said = await say(JSON.stringify([one]));
      expect(said).toHaveLength(1);
      expect(said[0]).toContain(`${one.id} on reference`);
    },
  );

  it('an individual parameter, a nadir, a final state and a return that are off fail', async () => {
    const [vancomycin] = casesOf(read('vancomycin.json')) as [{ params: { CL: number } }];
    vancomycin.params.CL *= 1.0001;
    expect((await say(JSON.stringify([vancomycin])))[0]).toContain('params.CL');
    const [docetaxel] = casesOf(read('docetaxel-neutropenia.json')) as [{ nadir: { t_h: number } }];
    docetaxel.nadir.t_h += 24;
    expect((await say(JSON.stringify([docetaxel])))[0]).toContain('nadir');
    const [diabetes] = casesOf(read('t1d-uvapadova.json')) as [{ final_state: number[] }];
    diabetes.final_state[5]! *= 1.01;
    expect((await say(JSON.stringify([diabetes])))[0]).toContain('final_state.Ip');
    const { returns } = read('hiv-adams.json') as { returns: { never: number } };
    returns.never *= 1.001;
    expect((await say(JSON.stringify({ returns })))[0]).toContain('returns.never');
  });

  it('most probable effects, objectives and forecasts that are off fail', async () => {
    const { map } = read('vancomycin.json') as { map: { map_eta: number[]; minus2logpost: number }[] };
    map[0]!.map_eta[0]! += 0.003;
    map[1]!.minus2logpost += 0.001;
    const said = await say(JSON.stringify({ map: map.slice(0, 2) }));
    expect(said).toHaveLength(2);
    expect(said[0]).toContain('van-map-01 on reference: map_eta.CL');
    expect(said[1]).toContain('van-map-02 on reference: minus2logpost');
    const { subjects } = read('leaspy-progression.json') as { subjects: { forecast: number[][] }[] };
    subjects[0]!.forecast[0]![0]! += 0.001;
    expect(await say(JSON.stringify({ subjects: subjects.slice(0, 1) }))).toHaveLength(1);
  });

  it('percentiles and probabilities of a population that are off fail', async () => {
    const { population } = read('vancomycin.json') as {
      population: { auc24_ss_percentiles: Record<string, number>; p_auc_gt_600: number }[];
    };
    population[0]!.auc24_ss_percentiles['50']! *= 1.02;
    population[0]!.p_auc_gt_600 += 0.02;
    const said = await say(JSON.stringify({ population: population.slice(0, 1) }));
    expect(said).toHaveLength(2);
  });

  it.each([
    ['is no JSON', '{', /JSON/],
    ['has no case', '[]', /no case/],
    ['has an unknown part', '{"trials": []}', /trials/],
    ['names an unknown model', '[{"id": "x", "model": "toothpaste-2020"}]', /toothpaste-2020/],
    ['has an unknown column', '[{"id": "x", "model": "vancomycin-goti", "columns": ["t_h", "hope"], "rows": []}]', /hope/],
    [
      'names an unknown patient',
      '[{"id": "x", "model": "t1d-uvapadova-s2008", "patient": "adult#099", "inputs": {}, "columns": ["t_min"], "rows": []}]',
      /adult#099/,
    ],
  ])('that %s fails with a message', async (_, content, message) => {
    const said = await say(content);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(message);
  });
});
