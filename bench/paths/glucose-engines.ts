import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { GpuSimulator } from '#engine/gpu/simulation.ts';
import type { Simulator } from '#engine/simulation.ts';
import type { GlucosePath, GlucoseStepper, GlucoseWork } from '../glucose-work.ts';

export async function glucoseWasm(work: GlucoseWork, stepper: GlucoseStepper): Promise<GlucosePath> {
  return glucoseEngine(work, stepper, new CpuSimulator());
}

export async function glucoseWgsl(work: GlucoseWork, stepper: GlucoseStepper, gpu: GPU): Promise<GlucosePath> {
  return glucoseEngine(work, stepper, await GpuSimulator.create(gpu));
}

function glucoseEngine(work: GlucoseWork, stepper: GlucoseStepper, engine: Simulator): GlucosePath {
  const request = work.request(stepper);
  return {
    share: 1,
    run: async () => void (await engine.simulate(request)),
    glucose: async () => (await engine.simulate(request)).values[0],
    dispose: () => engine.dispose(),
  };
}
