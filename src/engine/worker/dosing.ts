/** Where next to measure: packs of equations. */
import { samplingTimes as findSamplingTimes } from '#twin/equations/sampling-times.ts';
import { currentBench } from './bench.ts';
import { fittedDraws, fittedOf } from './fitted.ts';
import { part, type Handler } from './hooks.ts';
import { equationsPackOf } from './packs.ts';

export const samplingTimes: Handler<'samplingTimes'> = async ({ packId, record, now, question }, hooks) => {
  const [pack, { engine }] = [await equationsPackOf(packId), await currentBench()];
  const fitted = await fittedOf(pack, record, now, question.seed, fittedDraws, part(hooks, 0, 0.5));
  return findSamplingTimes(question, { manifest: pack.manifest, fitted, simulator: engine }, hooks);
};
