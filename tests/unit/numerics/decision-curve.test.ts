import { describe, expect, test } from 'vitest';
import { netBenefit } from '#numerics/binary-scores.ts';
import { survivalNetBenefit } from '#numerics/decision-curve.ts';
import { pitHistogram } from '#numerics/probabilistic.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { survivalCalibration } from '#numerics/survival-calibration.ts';

const people = (n: number) => {
  const random = new RandomSequence(seedFrom(5));
  return Array.from({ length: n }, () => {
    const risk = 0.05 + 0.8 * random.uniform();
    return { risk, event: random.uniform() < risk ? (1 as const) : (0 as const) };
  });
};

describe('net benefit with censoring', () => {
  test('without anybody censored before the horizon is that of a yes or no', () => {
    const own = people(300);
    const time = own.map(({ event }) => (event === 1 ? 1 : 10));
    const risk = own.map((one) => one.risk);
    const event = own.map((one) => one.event);
    for (const threshold of [0.1, 0.3, 0.5, 0.7]) {
      const plain = netBenefit(event, risk, threshold);
      const survival = survivalNetBenefit(time, event, risk, 5, threshold);
      if (!plain.defined || !survival.defined) throw new Error('not defined');
      expect(survival.value.model).toBeCloseTo(plain.value.model, 12);
      expect(survival.value.treatAll).toBeCloseTo(plain.value.treatAll, 12);
      const share = (plain.value.truePositives + plain.value.falsePositives) / 300;
      expect(survival.value.treated).toBeCloseTo(share, 12);
    }
  });

  test('acting on nobody is worth nothing', () => {
    const result = survivalNetBenefit([1, 2, 9], [1, 0, 0], [0.1, 0.2, 0.1], 5, 0.9);
    expect(result.defined && result.value.model).toBe(0);
  });

  test('is not defined where nobody acted on was followed to the horizon', () => {
    expect(survivalNetBenefit([1, 9], [0, 0], [0.9, 0.1], 5, 0.5).defined).toBe(false);
  });
});

describe('a histogram of places in the forecast', () => {
  test('a place between two values is spread over what lies between them', () => {
    const shares = pitHistogram([{ lower: 0.25, upper: 0.75 }], 4);
    expect(shares.defined && shares.value).toEqual([0, 0.5, 0.5, 0]);
  });

  test('a sharp place falls in its own bin, 1 in the last', () => {
    const shares = pitHistogram(
      [0, 0.5, 1, 1].map((at) => ({ lower: at, upper: at })),
      2,
    );
    expect(shares.defined && shares.value).toEqual([0.25, 0.75]);
  });

  test('sums to 1, and nobody gives none', () => {
    const random = new RandomSequence(seedFrom(6));
    const pits = Array.from({ length: 57 }, () => {
      const lower = random.uniform();
      return { lower, upper: lower + (1 - lower) * random.uniform() };
    });
    const shares = pitHistogram(pits, 10);
    expect(shares.defined && shares.value.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(pitHistogram([], 10).defined).toBe(false);
  });
});

describe('the smooth calibration curve', () => {
  const own = people(4000);
  const time = own.map(({ event }, i) => (event === 1 ? 1 + (i % 4) : 10));
  const event = own.map((one) => one.event);

  test('lies on the diagonal where risks are right', () => {
    const result = survivalCalibration(
      time,
      event,
      own.map(({ risk }) => risk),
      5,
    );
    if (!result.defined) throw new Error(result.reason);
    const { curve, index } = result.value;
    expect(curve.length).toBe(25);
    // 4,000 people: the standard error of a share near one half is 0.8 points, larger at the ends of the curve.
    for (const { predicted, observed } of curve) expect(Math.abs(observed - predicted)).toBeLessThan(0.04);
    expect(index.defined && index.value.ici).toBeLessThan(0.02);
  });

  test('lies below it where risks are twice too large, by as much', () => {
    // Of those to whom it happened every second is spared, and seen to the end as everybody else is.
    const happened = event.map((one, i) => (i % 2 === 0 ? one : 0));
    const result = survivalCalibration(
      time.map((one, i) => (happened[i] === 1 ? one : 10)),
      happened,
      own.map(({ risk }) => risk),
      5,
    );
    if (!result.defined) throw new Error(result.reason);
    for (const { predicted, observed } of result.value.curve) expect(Math.abs(observed - predicted / 2)).toBeLessThan(0.05);
  });

  test('a group in which nothing happened has an interval from 0 upwards', () => {
    const few = Array.from({ length: 40 }, (_, i) => ({
      risk: i < 20 ? 0.01 + i / 1000 : 0.5 + i / 1000,
      event: i < 20 ? 0 : i % 2,
    }));
    const result = survivalCalibration(
      few.map(({ event: happened }) => (happened === 1 ? 1 : 10)),
      few.map(({ event: happened }) => happened),
      few.map(({ risk }) => risk),
      5,
      2,
    );
    if (!result.defined) throw new Error(result.reason);
    const [low] = result.value.groups;
    expect(low!.observed).toBe(0);
    // Clopper–Pearson of 0 in 20: 1 − 0.025^(1/20).
    expect(low!.interval!.lower).toBe(0);
    expect(low!.interval!.upper).toBeCloseTo(1 - 0.025 ** (1 / 20), 10);
  });
});
