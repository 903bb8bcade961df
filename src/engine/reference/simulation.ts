import { invariant } from '#domain/errors.ts';
import type { Program } from '#packs/equations/program.ts';
import { effectColumns } from '../simulation.ts';
import type { Simulation, SimulationRequest, Simulator } from '../simulation.ts';
import type { RunHooks } from '../engine.ts';
import { timeTick } from '../timeline.ts';
import { yieldToOthers } from '../yield.ts';
import { compiledModel } from './compiled-model.ts';
import { LaneRun } from './lane-run.ts';

/**
 * The oracle of `equations` packs: closures in f64, one lane at a time. What it does is what the other engines have to do; lane-run.ts
 * says it step by step, random numbers included.
 */
export class ReferenceSimulator implements Simulator {
  readonly kind = 'reference';
  readonly description = 'Reference engine, f64 TypeScript';

  async simulate(request: SimulationRequest, hooks: RunHooks = {}): Promise<Simulation> {
    checkSimulation(request);
    hooks.signal?.throwIfAborted();
    const started = performance.now();
    const { lanes, timelines, times, readouts, program } = request;
    const values = timelines.map(() => new Float64Array(readouts.length * times.length * lanes).fill(NaN));
    const diverged = timelines.map(() => new Uint8Array(lanes));
    const eventTimes = timelines.map(() => new Float64Array(program.events.length * lanes).fill(NaN));
    let evaluations = 0;
    let awake = performance.now();
    hooks.onProgress?.(0);
    for (const [t, timeline] of timelines.entries()) {
      // Made anew after each pause: the model's memory may have served somebody else meanwhile.
      let run = new LaneRun(compiledModel(program), request, timeline);
      for (let lane = 0; lane < lanes; lane++) {
        const isWhole = run.run(lane, values[t], eventTimes[t]);
        diverged[t][lane] = isWhole ? 0 : 1;
        if (performance.now() - awake < 30 && lane + 1 < lanes) continue;
        evaluations += run.evaluations;
        hooks.onProgress?.((t + (lane + 1) / lanes) / timelines.length);
        await yieldToOthers();
        hooks.signal?.throwIfAborted();
        awake = performance.now();
        run = new LaneRun(compiledModel(program), request, timeline);
      }
    }
    return { values, diverged, eventTimes, evaluations, elapsedMs: performance.now() - started };
  }

  dispose(): void {}
}

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
