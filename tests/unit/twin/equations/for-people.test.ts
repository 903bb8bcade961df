import { expect, test } from 'vitest';
import { demonstrationRecord } from '#cohorts/demonstrations.ts';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { seedFrom } from '#numerics/random.ts';
import { loadPack } from '#packs/catalogue.ts';
import { isLearned } from '#packs/pack.ts';
import { timelineOf } from '#twin/equations/course.ts';
import { forPeople } from '#twin/equations/for-people.ts';
import { readPerson } from '#twin/equations/person.ts';
import { readModels } from '../../../../scripts/read-models.ts';

test.each(['neutropenia', 'warfarin', 'hiv-dynamics'])('%s: draws are computed to four digits for people', async (id) => {
  const pack = await loadPack(id, readModels());
  if (isLearned(pack)) throw new Error('a pack of equations was asked for');
  const now = '2026-11-23T12:00';
  const person = readPerson(pack.manifest, demonstrationRecord(pack.manifest, 0, now)!, now);
  const program = pack.programs.find(({ priorWeight }) => priorWeight > 0)!;
  const simulator = new CpuSimulator();
  const lanes = 16;
  // Effects of up to 1.5 standard deviations in turn.
  const effects = Float64Array.from({ length: lanes * program.effects.length }, (_, i) => {
    const e = Math.floor(i / lanes);
    return Math.sqrt(program.omega[e * program.effects.length + e]!) * 1.5 * Math.sin(1 + i * 2.4);
  });
  const timeline = timelineOf(program, person, null);
  const times = Float64Array.from(
    { length: 40 },
    (_, t) => timeline.segments[0]!.start + ((t + 1) * 20) / program.daysPerTime / 40,
  );
  const run = async (own: typeof program) => {
    const request = { program: own, timelines: [timeline], times, readouts: [program.observations[0]!.readout], lanes, effects };
    const row = timeline.covariateRows[0]!;
    const laneCovariates = [...row.keys()]
      .filter((covariate) => Number.isNaN(row[covariate]!))
      .map((covariate) => ({ covariate, values: new Float64Array(lanes) }));
    return (await simulator.simulate({ ...request, laneCovariates, seed: seedFrom(1) })).values[0]!;
  };
  const eased = forPeople(program);
  expect(eased).not.toBe(program);
  expect(forPeople(program)).toBe(eased);
  expect(forPeople(eased)).toBe(eased);
  const [exact, found] = [await run(program), await run(eased)];
  exact.forEach((value, i) => expect(Math.abs(found[i]! - value)).toBeLessThan(1e-4 * Math.abs(value) + 1e-6));
});
