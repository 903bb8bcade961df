import { describe, expect, test } from 'vitest';
import { drawPerson } from '#cohorts/people.ts';
import { daysBetween } from '#domain/record.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { seedFrom } from '#numerics/random.ts';
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
