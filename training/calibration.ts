// npm run calibrate -- [--only PACK] [--people 1000] [--seed 1] [--draws 16384] [--lanes 1000] [--engine cpu|reference]
// Simulation-based calibration of the fits of packs of equations; writes training/results/calibration-PACK-SEED.json.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { neutropeniaStudy } from './calibration/neutropenia.ts';
import { runStudy, summarise, type CalibrationReport } from './calibration/study.ts';
import { vancomycinStudy } from './calibration/vancomycin.ts';
import { warfarinStudy } from './calibration/warfarin.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    people: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    draws: { type: 'string', default: '16384' },
    lanes: { type: 'string', default: '1000' },
    engine: { type: 'string', default: 'cpu' },
  },
});
const results = new URL('./results/', import.meta.url);
const simulator = options.engine === 'reference' ? new ReferenceSimulator() : new CpuSimulator();
const asked = {
  people: Number(options.people),
  seed: Number(options.seed),
  draws: Number(options.draws),
  lanes: Number(options.lanes),
};

for (const study of [vancomycinStudy, warfarinStudy, neutropeniaStudy]) {
  if (!study.id.startsWith(options.only)) continue;
  const fitted = await runStudy(study, asked, simulator, (done) => {
    if (done % 50 === 0) console.error(`${study.id}: ${done} of ${asked.people} people`);
  });
  const report = summarise(fitted);
  print(study.id, report);
  mkdirSync(results, { recursive: true });
  const file = fileURLToPath(new URL(`calibration-${study.id}-${asked.seed}.json`, results));
  writeFileSync(
    file,
    `${JSON.stringify({ pack: study.id, version: study.manifest.version, engine: simulator.kind, ...asked, ...report }, null, 2)}\n`,
  );
}
simulator.dispose();

function print(id: string, { people, ranks, rungs, inConflict, risk }: CalibrationReport): void {
  console.log(`${id}: ${people} people, ${inConflict} in conflict with the population; rungs ${JSON.stringify(rungs)}`);
  for (const [name, { n, p, coverage90 }] of Object.entries(ranks)) {
    console.log(`  ${name}: n ${n}, rank uniformity p ${p.toFixed(3)}, 90 % intervals cover ${(100 * coverage90).toFixed(1)} %`);
  }
  if (!risk) return;
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  console.log(
    `  risk: ${risk.events} events; Brier score posterior ${risk.brier.posterior.toFixed(4)}, plug-in ${risk.brier.plugIn.toFixed(4)}`,
  );
  const { safe, atRisk } = risk.plugIn;
  console.log(`  plug-in "safe": ${percent(safe.share)} of ${safe.n} had it; "at risk": ${percent(atRisk.share)} of ${atRisk.n}`);
  for (const { n, mean, share } of risk.posteriorByTenth)
    if (n > 0) console.log(`  posterior ${percent(mean)}: ${percent(share)} of ${n} had it`);
}
