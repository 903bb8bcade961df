import { describe, expect, test } from 'vitest';
import { drawFuture, drawPerson } from '#cohorts/people.ts';
import { daysBetween } from '#domain/record.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { seedFrom } from '#numerics/random.ts';
import { fromState } from '#packs/conditioning.ts';
import { readHistory } from '#twin/history.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';

const pack = toyPack();
const stepper = new ReferenceEngine();
const draw = (number: number, historySteps = 5) =>
  drawPerson(pack, seedFrom(8), { historySteps, today: '2024-06-01', stepper, number });
const people = Array.from({ length: 300 }, (_, number) => draw(number, 2));

describe('a synthetic person', () => {
  test('says so, and is the same one again', () => {
    const { record } = draw(3);
    expect(record).toMatchObject({ alias: 'Synthetic 3', isSynthetic: true });
    expect(draw(3).record).toEqual(record);
    expect(draw(4).record).not.toEqual(record);
  });

  test('has a record that the twin accepts, dated from entry to today', () => {
    for (let number = 0; number < 20; number++) {
      const { record, today } = draw(number);
      const { steps, observationsUsed } = readHistory(pack.manifest, record, today);
      expect(steps).toBe(5);
      expect(observationsUsed).toBe(record.observations.length);
      expect(daysBetween(record.entryDate, today)).toBe(450);
    }
  });

  test('carries a hidden truth of the right size', () => {
    const { truth } = draw(1);
    expect(truth.traits).toHaveLength(2);
    expect(truth.states).toHaveLength(6 * 4);
  });

  test('covariates follow the pack’s marginals', () => {
    const ages = people.map(({ record }) => record.covariates['age'] as number).sort((a, b) => a - b);
    expect(ages[0]).toBeGreaterThanOrEqual(26);
    expect(ages.at(-1)).toBeLessThanOrEqual(78);
    // The median of 300 has a standard error of 1.25 · 12 / √300, about 0.9; survival to today shifts it a little.
    expect(Math.abs(ages[150]! - 50)).toBeLessThan(4);
    const women = people.filter(({ record }) => record.covariates['sex'] === 'female').length / people.length;
    expect(Math.abs(women - 0.6)).toBeLessThan(0.12);
  });
});

describe('what comes of a drawn person', () => {
  const future = (number: number, steps = 6) => drawFuture(pack, seedFrom(8), draw(number), { number, steps, stepper });

  test('is the same one again, and another one for another person', () => {
    expect(future(3)).toEqual(future(3));
    expect(future(3)).not.toEqual(future(4));
  });

  test('begins where the drawn course stands today', () => {
    const { truth } = draw(3);
    const { S } = pack.network.shape;
    const own = future(3);
    pack.manifest.markers.forEach((marker, j) => {
      expect(own.markers[marker.id]![0]).toBeCloseTo(fromState(marker, truth.states[5 * S + j]!), 6);
    });
  });

  test('is the course that a longer drawing has: a whole future is its parts', () => {
    const [short, long] = [future(5, 3), future(5, 6)];
    for (const marker of pack.manifest.markers) {
      expect(long.markers[marker.id]!.slice(0, 4)).toEqual(short.markers[marker.id]);
    }
    expect(short.timesDays).toEqual(long.timesDays.slice(0, 4));
  });

  test('has events as often as the pack’s hazards say, and no values after a death', () => {
    const many = Array.from({ length: 300 }, (_, number) => future(number));
    const events = many.filter(({ event }) => event !== null);
    expect(events.length).toBeGreaterThan(10);
    expect(events.length).toBeLessThan(290);
    for (const { event, timesDays, markers } of events) {
      const { isTerminal } = pack.manifest.events.find(({ id }) => id === event!.id)!;
      const after = timesDays.findIndex((day) => day > event!.day);
      if (isTerminal)
        for (const values of Object.values(markers)) expect(values.slice(after).every((one) => one === null)).toBe(true);
    }
    expect(new Set(events.map(({ event }) => event!.id)).size).toBe(pack.manifest.events.length);
  });
});
