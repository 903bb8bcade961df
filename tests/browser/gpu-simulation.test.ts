import { afterAll, beforeAll, expect, it } from 'vitest';
import { GpuSimulator } from '#engine/gpu/simulation.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { lanesApart, simulationCases } from '../conformance/simulation-suite.ts';

let simulator: GpuSimulator;
beforeAll(async () => {
  simulator = await GpuSimulator.create(navigator.gpu);
}, 60_000);
afterAll(() => {
  expect(simulator.gpu.uncaptured.map((error) => error.message)).toEqual([]);
  expect(simulator.gpu.liveBuffers).toBe(0);
  simulator.dispose();
});

// One of each kind of kernel: the browser's own compiler has to take them, and the suite in Node asks for the rest.
const asked = ['three compartments', 'Dormand–Prince on states', 'Rosenbrock', 'a map with drawn noise', 'a crossing that sets'];

it.each(asked)('simulates in the browser what the reference simulates: %s', { timeout: 120_000 }, async (title) => {
  const { request, otherSteps = 0, lanesThatMayMove = 0 } = simulationCases().find((each) => each.title.includes(title))!;
  const [found, expected] = [await simulator.simulate(request), await new ReferenceSimulator().simulate(request)];
  // The tolerance of tests/conformance/gpu-simulation.test.ts.
  const tolerance = { relative: 2e-4 + otherSteps, ofLargest: 1e-5 + otherSteps };
  expect(lanesApart(request, found, expected, tolerance).length).toBeLessThanOrEqual(lanesThatMayMove);
});
