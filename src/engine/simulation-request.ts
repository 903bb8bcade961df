import { invariant } from '#domain/errors.ts';
import type { Program } from '#packs/equations/program.ts';
import { effectColumns, type SimulationRequest } from './simulation.ts';
import { timeTick } from './timeline.ts';

/** What a simulation request promises: sizes that fit each other, known read-outs, a timeline for every reported time. */
export function checkSimulation({
  program,
  timelines,
  times,
  lanes,
  effects,
  noise,
  laneCovariates,
  readouts,
}: SimulationRequest): void {
  invariant(lanes > 0 && Number.isInteger(lanes), 'a simulation has lanes');
  invariant(times.length > 0, 'a simulation reports some time');
  invariant(
    times.every((time, i) => i === 0 || time >= times[i - 1]),
    'times are ascending',
  );
  invariant(
    readouts.every((readout) => readout in program.readouts),
    'read-outs are known',
  );
  invariant(
    laneCovariates.every(({ values }) => values.length === lanes),
    'a lane covariate has a value a lane',
  );
  for (const { segments } of timelines) {
    invariant(segments[0].start <= times[0] + timeTick, 'a timeline starts no later than the first reported time');
    const occasions = 1 + Math.max(...segments.map(({ occasion }) => occasion));
    invariant(effects.length >= effectColumns(program, occasions) * lanes, 'effects have a column for each occasion');
    if (noise) {
      invariant(noise.length >= mapSteps(program, segments[0].start, times) * program.noises.length, 'noise lasts for all steps');
    }
  }
}

function mapSteps({ stepper }: Program, start: number, times: Float64Array): number {
  return stepper.kind === 'map' ? Math.floor((times[times.length - 1] - start) / stepper.step + timeTick) : 0;
}
