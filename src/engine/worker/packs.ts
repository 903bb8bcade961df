/** The packs that this worker has read, and whether this device repeats their stored answers. */
import { AppError } from '#domain/errors.ts';
import { listPacks, loadPack } from '#packs/catalogue.ts';
import { isLearned, type EquationsPack, type Pack } from '#packs/pack.ts';
import { encodePlain } from '#twin/encoder-plain.ts';
import { runEquationsGolden } from '../equations-golden.ts';
import { goldenTolerance, runGolden } from '../golden.ts';
import type { GoldenReport, PackShelf, RefusedPack } from '../protocol.ts';
import type { Machine } from '../resilient.ts';
import { currentBench } from './bench.ts';
import { sent } from './sent-error.ts';
import { currentSettings } from './settings.ts';

const packs = new Map<string, Promise<Pack>>();
const goldens = new Map<string, Promise<GoldenReport>>();

export async function fetchBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  // Paths come as `models/…`; the folder itself may lie below any address.
  const response = await fetch(new URL(path.replace(/^models\//, ''), currentSettings().modelsUrl));
  if (!response.ok) throw new AppError('pack_not_found', `${path}: the server answered ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}

export function packOf(id: string): Promise<Pack> {
  const known = packs.get(id);
  if (known) return known;
  const loading = loadPack(id, fetchBytes);
  packs.set(id, loading);
  loading.catch(() => packs.delete(id));
  return loading;
}

export async function shelf(): Promise<PackShelf> {
  const listings = await listPacks(fetchBytes);
  const outcomes = await Promise.allSettled(listings.map(({ id }) => packOf(id)));
  const refused: RefusedPack[] = [];
  const found = outcomes.flatMap((outcome, index) => {
    if (outcome.status === 'fulfilled')
      return [{ manifest: outcome.value.manifest, digest: outcome.value.digest, card: outcome.value.card }];
    const { code, message } = sent(outcome.reason);
    refused.push({ id: listings[index]!.id, code: code ?? 'unknown', message });
    return [];
  });
  return { packs: found, refused };
}

/** Asked once a pack for as long as this worker and its engine live. */
export function goldenOf(packId: string): Promise<GoldenReport> {
  const known = goldens.get(packId);
  if (known) return known;
  const checking = checkGolden(packId);
  goldens.set(packId, checking);
  checking.catch(() => goldens.delete(packId));
  return checking;
}

async function checkGolden(packId: string): Promise<GoldenReport> {
  const [pack, { engine }] = [await packOf(packId), await currentBench()];
  if (!isLearned(pack)) return checkEquationsGolden(pack, engine);
  const report = await runGolden(engine, pack, encodePlain);
  const cases = pack.golden.rollouts.length + pack.golden.encoder.length;
  return {
    packId,
    isPassed: report.passed,
    engine: engine.description,
    lines: [
      `${cases} stored cases were asked again on ${engine.description}.`,
      `Largest difference: ${report.maxError.toExponential(1)}; allowed: ${goldenTolerance.toExponential(0)}.`,
      ...report.failed.map(({ id, where, found, expected }) => `${id}, ${where}: found ${found}, expected ${expected}.`),
    ],
  };
}

async function checkEquationsGolden(pack: EquationsPack, engine: Machine): Promise<GoldenReport> {
  const report = await runEquationsGolden(engine, pack);
  return {
    packId: pack.manifest.id,
    isPassed: report.passed,
    engine: engine.description,
    lines: [
      `${pack.golden.cases.length} stored cases were asked again on ${engine.description}.`,
      `Largest difference: ${(100 * report.maxError).toPrecision(2)} % of what is allowed.`,
      ...report.failed.map(({ id, where, found, expected }) => `${id}, ${where}: found ${found}, expected ${expected}.`),
    ],
  };
}

export async function requirePassed(pack: Pack): Promise<void> {
  const golden = await goldenOf(pack.manifest.id);
  if (golden.isPassed) return;
  throw new AppError(
    'pack_golden_failed',
    `${pack.manifest.title}: this device does not repeat the pack’s stored answers, so no forecast is made on it. Choose another engine.`,
  );
}

export async function equationsPackOf(id: string): Promise<EquationsPack> {
  const pack = await packOf(id);
  if (isLearned(pack))
    throw new AppError('request_invalid', `${pack.manifest.title} has no doses to ask about. Choose another pack.`);
  await requirePassed(pack);
  return pack;
}
