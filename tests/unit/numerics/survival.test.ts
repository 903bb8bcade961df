import { describe, expect, test } from 'vitest';
import { rocAuc } from '#numerics/binary-scores.ts';
import { harrellC, unoC } from '#numerics/concordance.ts';
import { cumulativeAuc, dCalibration, integratedBrier, ipcwBrier } from '#numerics/survival-scores.ts';
import {
  aalenJohansen,
  censoringSurvival,
  kaplanMeier,
  logRank,
  nelsonAalen,
  restrictedMean,
  stepAt,
  stepBefore,
  survivalAt,
  survivalQuantile,
} from '#numerics/survival.ts';
import { MetricInputError } from '#numerics/estimate.ts';
import { survivalCalibration } from '#numerics/survival-calibration.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { valueOf } from '../../fixtures/estimates.ts';

const time = [1, 2, 3, 4, 5];
const allEvents = [1, 1, 1, 1, 1];

describe('curves', () => {
  test('without censoring Kaplan–Meier is the empirical share still alive and the restricted mean is the mean', () => {
    const km = valueOf(kaplanMeier(time, allEvents));
    expect(km.survival.map((s) => Math.round(s * 1e12) / 1e12)).toEqual([0.8, 0.6, 0.4, 0.2, 0]);
    expect(survivalAt(km, 0.5)).toBe(1);
    expect(survivalAt(km, 2)).toBeCloseTo(0.6, 14);
    expect(valueOf(restrictedMean(km, 5)).rmst).toBeCloseTo(3, 13);
    expect(valueOf(survivalQuantile(km, 0.5))).toBe(3);
    // Exactly at 0.4 from 3 to 4: the middle, as R has it.
    expect(valueOf(survivalQuantile(km, 0.6))).toBe(3.5);
    expect(km.lower[4]).toBeNull();
  });

  test('what the data cannot tell is not defined and says why', () => {
    const km = valueOf(kaplanMeier([1, 2, 3], [1, 0, 0]));
    expect(survivalQuantile(km, 0.9)).toMatchObject({ defined: false });
    expect(restrictedMean(km, 10)).toEqual({ defined: false, reason: 'nobody was followed to 10' });
    expect(kaplanMeier([], [])).toEqual({ defined: false, reason: 'no persons' });
    expect(() => kaplanMeier([1, NaN], [1, 1])).toThrow(MetricInputError);
    expect(() => kaplanMeier([1, 2], [1, 2])).toThrow('event[1] is 2. Expected 0 or 1.');
  });

  test('a step curve holds its value from its time on, and its left limit until then', () => {
    const curve = valueOf(nelsonAalen([1, 2], [1, 1]));
    expect(stepAt(curve, 2, 0)).toBeCloseTo(1.5, 14);
    expect(stepBefore(curve, 2, 0)).toBeCloseTo(0.5, 14);
    expect(stepBefore(curve, 1, 0)).toBe(0);
  });

  test('an event leaves the risk set before a censoring at the same time', () => {
    // At time 2 one event and one censoring among three: only two can still be censored.
    expect(censoringSurvival([1, 2, 2, 3], [1, 1, 0, 1]).value).toEqual([1, 0.5, 0.5]);
  });

  test('cumulative incidences and the event-free share add up to one', () => {
    const curve = valueOf(aalenJohansen([1, 2, 2, 3, 4, 5, 6], [1, 2, 0, 3, 1, 0, 2]));
    expect(curve.cumulativeIncidence).toHaveLength(3);
    curve.time.forEach((_, k) => {
      const total = curve.cumulativeIncidence.reduce((sum, cause) => sum + cause[k]!, curve.eventFree[k]!);
      expect(total).toBeCloseTo(1, 14);
    });
  });

  test('the log-rank test of three groups has two degrees of freedom and observed events add up', () => {
    const test3 = valueOf(logRank([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 1, 0, 1, 1, 0, 1, 1], [0, 1, 2, 0, 1, 2, 0, 1, 2]));
    expect(test3.degreesOfFreedom).toBe(2);
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
    expect(sum(test3.observed)).toBe(7);
    expect(sum(test3.expected)).toBeCloseTo(7, 13);
    expect(logRank([1, 2], [1, 1], [0, 0])).toMatchObject({ defined: false });
  });
});

describe('scores', () => {
  const survival = [0.1, 0.3, 0.5, 0.7, 0.9];
  const risk = [5, 3, 4, 2, 1];

  test('without censoring the weighted scores are the plain ones', () => {
    const alive = time.map((t) => (t > 2.5 ? 1 : 0));
    const brier = survival.reduce((total, s, i) => total + (alive[i]! - s) ** 2, 0) / 5;
    expect(valueOf(ipcwBrier(time, allEvents, survival, 2.5))).toBeCloseTo(brier, 14);
    const plain = valueOf(
      rocAuc(
        alive.map((a) => 1 - a),
        risk,
      ),
    ).auc;
    expect(valueOf(cumulativeAuc(time, allEvents, risk, 2.5))).toBeCloseTo(plain, 14);
    expect(valueOf(unoC(time, allEvents, risk))).toBeCloseTo(valueOf(harrellC(time, allEvents, risk)).cIndex, 14);
  });

  test('the censoring distribution is taken just before an event that ties with a censoring', () => {
    // One of the two people left at time 2 is censored there and the other dies: the death keeps the weight 1.
    const score = valueOf(ipcwBrier([1, 2, 2, 3], [1, 1, 0, 1], [0.5, 0.4, 0.5, 0.5], 2.5));
    expect(score).toBeCloseTo((0.25 + 0.16 + 0.25 / 0.5) / 4, 14);
  });

  test('a score without cases, controls or followed persons is not defined', () => {
    expect(cumulativeAuc(time, allEvents, risk, 0.5)).toMatchObject({ defined: false, reason: 'no event by 0.5' });
    expect(cumulativeAuc(time, allEvents, risk, 9)).toMatchObject({ defined: false });
    expect(ipcwBrier([1, 2], [0, 0], [0.5, 0.5], 3)).toMatchObject({ defined: false });
    expect(integratedBrier(time, allEvents, [[1], [1], [1], [1], [1]], [2])).toMatchObject({ defined: false });
    expect(() => ipcwBrier(time, allEvents, [1.1, 0, 0, 0, 0], 2)).toThrow(MetricInputError);
  });

  test('uniform predicted survival at the event is perfectly D-calibrated, and mass is kept under censoring', () => {
    const uniform = Array.from({ length: 100 }, (_, i) => (i + 0.5) / 100);
    expect(valueOf(dCalibration(uniform, new Array<number>(100).fill(1))).chiSquare).toBeCloseTo(0, 12);
    const censored = valueOf(dCalibration(uniform, new Array<number>(100).fill(0)));
    expect(censored.counts.reduce((a, b) => a + b, 0)).toBeCloseTo(100, 10);
  });

  test('right predictions are calibrated at a horizon; too extreme ones have a slope below one', () => {
    const random = new RandomSequence(seedFrom(11));
    const n = 3000;
    const eta = Array.from({ length: n }, () => random.normal());
    const t = eta.map((e) => -Math.log(random.uniform()) / (0.1 * Math.exp(e)));
    const c = eta.map(() => 20 * random.uniform());
    const observed = t.map((v, i) => Math.min(v, c[i]!));
    const event = t.map((v, i) => (v <= c[i]! ? 1 : 0));
    const riskAt = (scale: number): number[] => eta.map((e) => 1 - Math.exp(-0.5 * Math.exp(scale * e)));
    const right = valueOf(survivalCalibration(observed, event, riskAt(1), 5));
    // Standard errors with 3,000 people: about 0.02 on O:E, 0.03 on the slope and 0.01 on the index; bounds are three times these.
    expect(Math.abs(valueOf(right.observedOverExpected) - 1)).toBeLessThan(0.06);
    expect(Math.abs(valueOf(right.slope).slope - 1)).toBeLessThan(0.09);
    expect(valueOf(right.index).ici).toBeLessThan(0.03);
    expect(right.groups).toHaveLength(5);
    const extreme = valueOf(survivalCalibration(observed, event, riskAt(2), 5));
    expect(Math.abs(valueOf(extreme.slope).slope - 0.5)).toBeLessThan(0.05);
    expect(valueOf(extreme.index).ici).toBeGreaterThan(0.05);
  });
});
