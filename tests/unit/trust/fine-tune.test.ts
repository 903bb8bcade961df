import { expect, test } from 'vitest';
import { drawPerson } from '#cohorts/people.ts';
import { addDays } from '#domain/record.ts';
import { CpuEngine } from '#engine/cpu/engine.ts';
import { seedFrom } from '#numerics/random.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { withHead } from '#trust/corrections.ts';
import { fineTune } from '#trust/fine-tune.ts';
import type { LocalCase } from '#trust/recalibrate.ts';
import { encodeHistoryPlain } from '#twin/encoder-plain.ts';
import { forecast } from '#twin/forecast.ts';
import { recordUntil } from '#twin/history.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';

const pack = toyPack();
const { stepDays } = pack.manifest.grid;
const engine = await CpuEngine.create();
const deps = { engine, stepper: engine, encode: encodeHistoryPlain };
const before = 2;
const after = 4;

/** People drawn from a truth, each with a forecast of the toy pack frozen after two steps and four more steps of what came. */
async function localCases(truth: LearnedPack, people: number): Promise<LocalCase[]> {
  const cases: LocalCase[] = [];
  for (let number = 0; number < people; number++) {
    const today = '2020-06-01';
    const drawn = drawPerson(truth, seedFrom(31), { historySteps: before + after, today, stepper: engine, number }).record;
    const record = { ...drawn, id: `local-${number}` };
    const now = addDays(today, -Math.round(after * stepDays));
    const made = await forecast(
      { pack, record: recordUntil(record, now), today: now, plans: [], horizonDays: after * stepDays, rollouts: 400, seed: 3 },
      deps,
    );
    cases.push({
      frozen: {
        format: 1,
        id: `frozen-${number}`,
        patientId: record.id,
        frozenAt: 0,
        now: `${now}T08:00`,
        sha256: '',
        record,
        planId: made.plans[0]!.plan.id,
        forecast: made,
      },
      record,
    });
  }
  return cases;
}

const requestOf = (cases: readonly LocalCase[]) => ({
  pack,
  manifest: pack.manifest,
  packDigest: 'toy',
  cases,
  id: 'head-1',
  madeAt: 0,
  seed: 3,
});

test('a head is tuned towards local people who drift otherwise, and forecasts of others are better for it', async () => {
  const shift = { kind: 'head', drift: { bilirubin: 0.3 }, logScale: {}, logHazard: {} } as const;
  const truth = { ...pack, network: withHead(pack.network, pack.manifest, shift) };
  const answer = await fineTune(requestOf(await localCases(truth, 70)), deps);
  if (answer.status !== 'better') throw new Error(answer.message);
  const { correction, before: was, after: is } = answer.recalibration;
  expect(correction.kind === 'head' && correction.drift['bilirubin']).toBeGreaterThan(0.1);
  const score = (figures: typeof was) => figures.find(({ label }) => label.startsWith('Interval score'))!.value;
  expect(score(is)).toBeLessThan(score(was));
}, 240_000);

test('where local people are the pack’s own, a tuned head is no better and is not kept', async () => {
  const answer = await fineTune(requestOf(await localCases(pack, 64)), deps);
  expect(answer.status).toBe('no-better');
}, 240_000);

test('with few patients it is not tuned', async () => {
  const answer = await fineTune(requestOf(await localCases(pack, 5)), deps);
  expect(answer.status).toBe('too-few');
}, 60_000);
