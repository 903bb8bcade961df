import { describe, expect, it } from 'vitest';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { maturing, toySimulation, toyTimeline } from '../fixtures/toy-models.ts';
import { describeSimulator } from './simulation-suite.ts';

// The reference against itself: the same numbers, to the last bit.
describeSimulator('reference', () => Promise.resolve(new ReferenceSimulator()), { relative: 0, ofLargest: 0 });

describe('the reference simulator between its pauses', () => {
  // A second of work: it pauses every 30 ms.
  const program = maturing({ kind: 'rk4', step: 0.25 });
  const request = (seed: number) =>
    toySimulation(program, [toyTimeline(program, { doses: [{ input: 0, time: 0, amount: 90, duration: 1 }] })], {
      lanes: 60,
      end: 400,
      every: 100,
      seed,
    });

  it('stops with an AbortError soon after the signal fires', async () => {
    const stop = new AbortController();
    let last = 0;
    const run = new ReferenceSimulator().simulate(request(1), {
      signal: stop.signal,
      onProgress: (fraction) => {
        last = fraction;
        if (fraction > 0) stop.abort();
      },
    });
    await expect(run).rejects.toMatchObject({ name: 'AbortError' });
    expect(last).toBeLessThan(0.9);
  });

  it('lets another run of the same program take its turn, and neither notices', async () => {
    const simulator = new ReferenceSimulator();
    const alone = [await simulator.simulate(request(1)), await simulator.simulate(request(2))];
    const together = await Promise.all([simulator.simulate(request(1)), simulator.simulate(request(2))]);
    together.forEach(({ values }, i) => expect(values).toEqual(alone[i].values));
  });
});
