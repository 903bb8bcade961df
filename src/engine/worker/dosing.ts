/** What dose reaches a target, and where next to measure: packs of equations. */
import type { CovariateChange } from '#domain/dosing.ts';
import type { Regimen } from '#domain/plan.ts';
import { searchDoses } from '#planning/dose-search.ts';
import { courseOf, timelineOf } from '#twin/equations/course.ts';
import { bodySize } from '#twin/equations/person.ts';
import { samplingTimes as findSamplingTimes } from '#twin/equations/sampling-times.ts';
import { currentBench } from './bench.ts';
import { fittedDraws, fittedOf } from './fitted.ts';
import { part, type Handler } from './hooks.ts';
import { equationsPackOf } from './packs.ts';

export const doseSearch: Handler<'doseSearch'> = async ({ packId, record, now, question }, hooks) => {
  const [pack, { engine }] = [await equationsPackOf(packId), await currentBench()];
  const { person, twin } = await fittedOf(pack, record, now, question.seed, fittedDraws, part(hooks, 0, 0.3));
  const models = twin.models.map(({ program, lanes }) => ({
    program,
    lanes,
    initialStates: courseOf(program, person).initialStates,
    toModelTime: courseOf(program, person).toModelTime,
    timelineOf: (regimens: readonly Regimen[], changes: readonly CovariateChange[]) => {
      const plan = { id: 'candidate', name: 'Candidate', blocks: [], regimens, stopsCurrentDoses: true };
      return timelineOf(program, person, { plan, changes, horizonDays: question.horizonDays });
    },
  }));
  const deps = { manifest: pack.manifest, models, simulator: engine, bodySize: bodySize(person), now: () => performance.now() };
  return searchDoses(question, deps, part(hooks, 0.3, 1));
};

export const samplingTimes: Handler<'samplingTimes'> = async ({ packId, record, now, question }, hooks) => {
  const [pack, { engine }] = [await equationsPackOf(packId), await currentBench()];
  const fitted = await fittedOf(pack, record, now, question.seed, fittedDraws, part(hooks, 0, 0.5));
  return findSamplingTimes(question, { manifest: pack.manifest, fitted, simulator: engine }, hooks);
};
