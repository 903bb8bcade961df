import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { decodePack } from '#packs/decode.ts';
import { requireLearned } from '#packs/pack.ts';
import { idsOfSplit } from '#training/clinical-data.ts';
import { Predictor } from '#training/evaluation/predict.ts';
import { readRecipeData } from '#training/prepare.ts';
import { toy } from '#training/recipes/toy.ts';
import { trainPack } from '#training/train.ts';
import { writeToyCohort } from '../../fixtures/toy-cohort.ts';

it('trains a toy disease for real: the pack passes the door, forecasts the drift, and knows that the drug helps', async () => {
  const dataFolder = writeToyCohort(200, 5);
  const data = readRecipeData(toy, dataFolder);
  const outFolder = mkdtempSync(join(tmpdir(), 'counterpart-pack-'));
  const losses: number[] = [];
  await trainPack(toy, data, {
    dataFolder,
    outFolder,
    jobFolder: join(outFolder, 'members'),
    ids: idsOfSplit(data, 'train', 'valid'),
    withEncoder: true,
    jobs: 1,
    card: '# Toy\n',
    onProgress: (member, { stage, loss }) => member === 0 && stage === 'member' && losses.push(loss),
  });
  expect(losses.at(-1)!).toBeGreaterThan(losses[0]! + 0.5);

  const read = (name: string) => new Uint8Array(readFileSync(join(outFolder, name)));
  const pack = await decodePack({
    manifest: read('pack.json'),
    weights: read('weights.bin'),
    golden: read('golden.json'),
    card: read('card.md'),
  });
  const predictor = await Predictor.create(requireLearned(pack), { rollouts: 400 });
  const at = async (drug: boolean) => {
    const record = { ...toy.record(data, '5'), treatments: [] };
    const futures = await predictor.futures({ record, day: 0, steps: 10, interventions: drug ? ['drug'] : [] });
    const marker = predictor.measured(futures, 0, 240, 'everyone');
    return { marker: marker.reduce((a, b) => a + b, 0) / marker.length, risk: predictor.incidence(futures, 0, 300) };
  };
  const [treated, untreated] = [await at(true), await at(false)];
  // Made with a slope of 0.5 a month untreated and 0.1 treated: 3.2 apart after eight months.
  expect(untreated.marker - treated.marker).toBeGreaterThan(1.5);
  expect(untreated.marker - treated.marker).toBeLessThan(5);
  expect(treated.risk).toBeLessThan(untreated.risk);
}, 240_000);

it('a stopped training goes on where it was and ends with the same weights', async () => {
  const { fitMember } = await import('#training/fit-member.ts');
  const { makeCohort, prepareManifest } = await import('#training/prepare.ts');
  const dataFolder = writeToyCohort(40, 6);
  const data = readRecipeData(toy, dataFolder);
  const ids = [...data.subjects.keys()];
  const manifest = prepareManifest(toy, data, ids);
  const cohort = makeCohort(toy, manifest, data, ids);
  const { S, L, H, K, V } = manifest.network;
  const options = {
    sizes: { S, L, H, K, V, C: 1 },
    heads: [{ kind: 'continuous' as const }],
    seed: 4,
    bootstrap: true,
    ...toy.fit,
  };
  const whole = fitMember(cohort, { ...options, iterations: 12 });
  let half: unknown;
  fitMember(cohort, {
    ...options,
    iterations: 12,
    onStep: (iteration, _, save) => {
      if (iteration === 5) half = JSON.parse(JSON.stringify(save()));
    },
  });
  const resumed = fitMember(cohort, { ...options, iterations: 12, resume: half as never });
  expect([...resumed.theta]).toEqual([...whole.theta]);
});
