import { expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { safetyLine } from '#interop/export/about.ts';
import { readRunFile, runFormat, writeRun } from '#interop/export/run-file.ts';
import { readRecord } from '#vault/read-record.ts';
import { jsonMutants } from '../../../fixtures/mutants.ts';
import { dosedRun } from '../../../fixtures/exported-runs.ts';

// `MUTANTS=5000` for the long form.
const count = Number(process.env.MUTANTS ?? 500);

/** A run file as the app writes it. */
async function runText(): Promise<string> {
  const { pack, record, now, forecast } = await dosedRun();
  return writeRun({
    format: runFormat,
    simulated: true,
    notice: safetyLine,
    app: { name: 'Counterpart', version: '0.1.0' },
    madeAt: '2026-11-23T12:00:00.000Z',
    identity: 'kept',
    inputsHash: 'a'.repeat(64),
    contentHash: 'b'.repeat(64),
    now,
    rollouts: 400,
    isPreliminary: false,
    reading: { outcome: 'any', readDay: 1 },
    manifest: pack.manifest,
    record,
    forecast,
  });
}

test('the undamaged run opens', async () => {
  const run = readRunFile(new TextEncoder().encode(await runText()), readRecord);
  expect(Object.keys(run.forecast.plans[0]!.markers).length).toBeGreaterThan(0);
});

test(`${count} damaged runs are refused with a sentence, or are whole runs of finite numbers`, { timeout: 600_000 }, async () => {
  for (const { seed, damage, bytes } of jsonMutants(await runText(), count)) {
    const where = `seed ${seed}: ${damage}`;
    try {
      const run = readRunFile(bytes, readRecord);
      for (const plan of run.forecast.plans) {
        for (const marker of Object.values(plan.markers)) {
          expect(
            marker.median.every((value) => value === null || Number.isFinite(value)),
            where,
          ).toBe(true);
        }
      }
    } catch (error) {
      expect(error, where).toBeInstanceOf(AppError);
      expect((error as AppError).message.length, where).toBeLessThan(600);
    }
    expect(({} as { polluted?: unknown }).polluted, where).toBeUndefined();
  }
});
