import type { Simulation, SimulationRequest, Simulator } from '../simulation.ts';
import type { RunHooks } from '../engine.ts';
import { checkSimulation } from '../simulation-request.ts';
import { yieldToOthers } from '../../yield.ts';
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
