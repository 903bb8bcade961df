/** How long contributions take on the processor: the first answer, and every coalition. On people whom the packs draw or bring. */
import { demonstrationRecord } from '#cohorts/demonstrations.ts';
import { drawPerson } from '#cohorts/people.ts';
import type { Explained } from '#domain/explanation.ts';
import { CpuEngine } from '#engine/cpu/engine.ts';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { attribute } from '#explain/attribution.ts';
import { equationsGame } from '#explain/equations-game.ts';
import type { Game } from '#explain/game.ts';
import { learnedGame } from '#explain/learned-game.ts';
import { coalitionSize, learnedSize } from '#explain/sizes.ts';
import { subjectOf } from '#explain/subject.ts';
import { seedFrom } from '#numerics/random.ts';
import { loadPack } from '#packs/catalogue.ts';
import { isLearned, type Pack } from '#packs/pack.ts';
import { encodeHistoryPlain } from '#twin/encoder-plain.ts';
import { readModels } from '../scripts/read-models.ts';
import { timed, type Clock } from './measure.ts';
import type { Row } from './work.ts';

const packs = ['pbc', 'hiv-actg175', 'vancomycin', 'warfarin'] as const;
const today = '2026-11-23';
const now = `${today}T12:00`;

export async function benchWhy(clock: Clock): Promise<Row[]> {
  const engine = await CpuEngine.create();
  const simulator = new CpuSimulator();
  const rows: Row[] = [];
  for (const id of packs) {
    const pack = await loadPack(id, readModels());
    for (const effort of ['first', 'every'] as const) {
      const game = gameOf(pack, engine, simulator, effort);
      const run = async () => void (await attribute(game, { effort, seed: 1 }));
      const sample = await timed({ path: 'wasm', run }, 1, clock);
      rows.push({ work: `why-${id}-${effort}-${game.groups.length}-groups`, path: 'wasm', host: 'node', error: null, ...sample });
    }
  }
  engine.dispose();
  return rows;
}

function gameOf(pack: Pack, engine: CpuEngine, simulator: CpuSimulator, effort: 'first' | 'every'): Game {
  const { manifest } = pack;
  const horizonDays = manifest.grid.horizonSteps * manifest.grid.stepDays;
  if (isLearned(pack)) {
    const historySteps = pack.manifest.interventions.some(({ timing }) => timing === 'any') ? 7 : 0;
    const { record } = drawPerson(pack, seedFrom(3), { historySteps, today, stepper: engine, number: 1 });
    const explained: Explained = { kind: 'event', event: null };
    const subject = subjectOf(pack, { record, today, now, explained, plan: null, horizonDays });
    const deps = { engine, stepper: engine, encode: encodeHistoryPlain };
    return learnedGame(pack, subject, explained, learnedSize(effort), deps);
  }
  const explained: Explained = { kind: 'marker', marker: manifest.markers[0]!.id };
  const record = demonstrationRecord(pack.manifest, 1, now)!;
  const subject = subjectOf(pack, { record, today, now, explained, plan: null, horizonDays });
  return equationsGame(pack, subject, explained, coalitionSize(pack, effort), simulator);
}
