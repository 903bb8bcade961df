/**
 * npx tsx training/evaluation/first-fronts.ts [--pack ID] [--seed 1] [--person 0]
 *
 * The question that the Plan page begins with, asked about a demonstration person of every pack of equations with as few futures as the
 * page asks first: how long the fit, the first front and the search take on the processor's path in Node, and how many plans are on the front. CPU time
 * is of this process with its worker threads; wall time depends on what else the machine does.
 */
import { parseArgs } from 'node:util';
import { askedQuestion, firstQuestion, firstSearchRollouts } from '#app/plan-question.ts';
import { demonstrationRecord } from '#cohorts/demonstrations.ts';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { listPacks, loadPack } from '#packs/catalogue.ts';
import { isLearned } from '#packs/pack.ts';
import { searchPlans } from '#planning/plan-search.ts';
import { equationsPlanSubject } from '#planning/subject.ts';
import { fitPerson } from '#twin/equations/fitted-person.ts';
import { readModels } from '../../scripts/read-models.ts';

/** So many draws the page keeps of a fitted person. */
const lanes = 10_000;
const now = '2026-01-05T08:00';
const { values: options } = parseArgs({
  options: {
    pack: { type: 'string' },
    seed: { type: 'string', default: '1' },
    person: { type: 'string', default: '0' },
  },
});
const seed = Number(options.seed);
const simulator = new CpuSimulator();
const read = readModels();

/** Reads what has passed since. */
function stopwatch(): () => string {
  const [cpu, wall] = [process.cpuUsage(), performance.now()];
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return `${((performance.now() - wall) / 1000).toFixed(1)} s (CPU ${((user + system) / 1e6).toFixed(1)} s)`;
  };
}

for (const id of options.pack ? [options.pack] : (await listPacks(read)).map(({ id: one }) => one)) {
  const pack = await loadPack(id, read);
  if (isLearned(pack)) continue;
  const { manifest } = pack;
  const first = firstQuestion(manifest);
  const record = demonstrationRecord(manifest, Number(options.person), now);
  if (!first || !record) {
    console.log(`${id}: nothing to choose`);
    continue;
  }
  const fit = (own: number) => fitPerson({ pack, record, now, lanes, seed: own }, { simulator });
  const sinceFit = stopwatch();
  const fitted = await fit(seed);
  const fitTime = sinceFit();
  const subject = equationsPlanSubject({ manifest, simulator, fitted, refit: fit }, seed);
  const question = askedQuestion(first, { own: [], rollouts: firstSearchRollouts(manifest), seed });
  const sinceAsked = stopwatch();
  let firstTime: string | null = null;
  const answer = await searchPlans(question, { subject }, { onPartial: () => (firstTime ??= sinceAsked()) });
  const searchTime = sinceAsked();
  const front = answer.candidates.filter(({ isOnFront }) => isOnFront);
  console.log(
    `${id}: fit ${fitTime}, first front ${firstTime ?? searchTime}, first look ${searchTime}, ${answer.simulated} futures, ${front.length} on the front`,
  );
  console.log(`  goals: ${first.goals.map(({ measure, wish }) => `${wish} ${JSON.stringify(measure)}`).join('; ')}`);
  for (const { name, goals } of front) console.log(`  ${name}: ${goals.map(({ value }) => value.toPrecision(3)).join(', ')}`);
}
