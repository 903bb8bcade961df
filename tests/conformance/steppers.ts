/** One step without noise, which the twin's particle filter is made of, against the f64 reference. */
import { beforeAll, describe, expect, it } from 'vitest';
import { driveWidth } from '#engine/drive.ts';
import type { StepBuffers, Stepper } from '#engine/engine.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import type { Network } from '#packs/network.ts';
import { toyNetwork, toyPlan, toyStarts } from '../fixtures/toy-network.ts';

// One step: f32 rounds about 100 additions of terms of size 1 by 6e-8 each.
const tolerance = 5e-6;

export function describeStepper(name: string, makeStepper: () => Promise<Stepper>): void {
  describe(`${name} stepper`, () => {
    let stepper: Stepper;
    beforeAll(async () => {
      stepper = await makeStepper();
    });

    it.each([1, 7, 8, 50])('moves %i particles of every member as the reference does', (n) => {
      const network = toyNetwork({ seed: 3, shape: { S: 5, L: 3, H: 24, K: 3, M: 2 } });
      for (const [member, row] of memberRows(network).entries()) {
        const actual = buffers(network, n);
        const expected = buffers(network, n);
        stepper.advance(network, member, n, row, actual);
        new ReferenceEngine().advance(network, member, n, row, expected);
        for (const part of ['x', 'h', 'mean', 'scale', 'logHazard'] as const) {
          const distances = expected[part].map((value, i) => Math.abs(value - actual[part][i]));
          expect(Math.max(...distances), part).toBeLessThanOrEqual(tolerance);
        }
      }
    });

    it('takes another network after the first and comes back to it', () => {
      const first = toyNetwork();
      const before = step(stepper, first);
      step(stepper, toyNetwork({ seed: 5, shape: { H: 32, S: 9 } }));
      expect(step(stepper, first)).toEqual(before);
    });

    it('leaves buffers beyond the last particle as they are', () => {
      const network = toyNetwork();
      const state = buffers(network, 12);
      const untouched = state.h.slice(10 * network.shape.H);
      stepper.advance(network, 0, 10, memberRows(network)[0], state);
      expect(state.h.slice(10 * network.shape.H)).toEqual(untouched);
      expect(state.mean.slice(10 * network.shape.S).every(Number.isNaN)).toBe(true);
    });
  });
}

function step(stepper: Stepper, network: Network): StepBuffers {
  const state = buffers(network, 20);
  stepper.advance(network, 1, 20, memberRows(network)[1], state);
  return state;
}

/** The first row of a plan for every member. */
function memberRows(network: Network): Float32Array[] {
  const plan = toyPlan(network, 1, 11);
  const width = driveWidth(network.shape);
  return network.members.map((_, m) => plan.rows.slice(m * width, (m + 1) * width));
}

/** Starting states of n particles; results are poisoned with NaN. */
function buffers(network: Network, n: number): StepBuffers {
  const { S, L, H, K } = network.shape;
  const width = S + L + H;
  const starts = toyStarts(network, n, 4);
  const columns = (first: number, end: number) => starts.filter((_, j) => j % width >= first && j % width < end);
  return {
    x: columns(0, S + L),
    h: columns(S + L, width),
    mean: new Float32Array(n * S).fill(NaN),
    scale: new Float32Array(n * S).fill(NaN),
    logHazard: new Float32Array(n * K).fill(NaN),
  };
}
