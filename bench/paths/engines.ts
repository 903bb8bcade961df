import { CpuEngine } from '#engine/cpu/engine.ts';
import { GpuEngine } from '#engine/gpu/forecast.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { coursesToStates, referenceStates, withCourses, type PreparedPath, type Work } from '../work.ts';

export async function wasmFused(work: Work): Promise<PreparedPath> {
  const engine = await CpuEngine.create();
  return {
    run: async () => void (await engine.futures(work.request)),
    finalStates: async () => coursesToStates(work, await engine.rollOut(withCourses(work))),
    dispose: () => engine.dispose(),
  };
}

export async function wgslFused(work: Work, gpu: GPU): Promise<PreparedPath> {
  const engine = await GpuEngine.create(gpu);
  const prepared = await engine.prepareRollOut(work.request);
  return {
    run: () => prepared.run(),
    finalStates: async () => coursesToStates(work, await engine.rollOut(withCourses(work))),
    dispose: () => {
      prepared.dispose();
      engine.dispose();
    },
  };
}

export async function reference(work: Work): Promise<PreparedPath> {
  return {
    run: async () => void (await new ReferenceEngine().rollOut(work.request)),
    finalStates: () => referenceStates(work),
    dispose: () => {},
  };
}
