import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bandPath,
  calmest,
  nearestTime,
  readingStops,
  softSteps,
  spreadLabels,
  spreadOf,
  timeScale,
  timeTicks,
  valueAt,
  valueScale,
  valueTicks,
} from '#ui/charts/chart-geometry.ts';
import { assignPeople, columnWidth, countBeyond, countSides, pileUp, quantileValues, stackDots } from '#ui/charts/dot-layout.ts';
import { freeSpan, moveBlock, moveEnd, packRows, snap } from '#ui/charts/lane-geometry.ts';

describe('axes', () => {
  test('today is always a tick, and ticks stay inside the domain', () => {
    for (const width of [200, 500, 900]) {
      const ticks = timeTicks([-3, 5], 0, 'years', width);
      expect(ticks).toContain(0);
      expect(Math.min(...ticks)).toBeGreaterThanOrEqual(-3);
      expect(Math.max(...ticks)).toBeLessThanOrEqual(5);
      expect(ticks.length).toBeLessThanOrEqual(width / 50 + 1);
    }
  });
  test('a log scale that touches zero falls back to a linear one', () => {
    const y = valueScale([0, 100], 'log', 0, 200);
    expect(y(0)).toBe(200);
    expect(y(50)).toBeCloseTo(100);
  });
  test('a flat series still gets a scale', () => {
    const y = valueScale([4, 4], 'linear', 0, 100);
    expect(Number.isFinite(y(4))).toBe(true);
  });
  test('labels of a log axis stay few', () => {
    expect(valueTicks(valueScale([1, 1e6], 'log', 0, 200), 200).length).toBeLessThanOrEqual(10);
  });
  test('charts of one width share one time axis', () => {
    expect(timeScale([-3, 5], 640)(0)).toBe(timeScale([-3, 5], 640)(0));
    expect(timeScale([0, 1], 10)(1)).toBeGreaterThan(timeScale([0, 1], 10)(0));
  });
});

describe('bands', () => {
  const x = (value: number) => value;
  test('a band stops where a value is missing, rather than bridge it', () => {
    const path = bandPath([0, 1, 2, 3], [1, 1, Number.NaN, 1], [2, 2, 2, 2], x, x);
    expect(path.match(/M/g)).toHaveLength(2);
  });
  test('softened edges never leave their band', () => {
    const bands = [
      { level: 0.5, low: [4], high: [6] },
      { level: 0.9, low: [1], high: [9] },
    ];
    const steps = softSteps(bands, [5]);
    expect(steps[0]).toEqual({ low: [1], high: [9], named: 0.9 });
    for (const step of steps) {
      expect(step.low[0]).toBeGreaterThanOrEqual(1);
      expect(step.high[0]).toBeLessThanOrEqual(9);
      expect(step.low[0]).toBeLessThanOrEqual(step.high[0]);
    }
  });
  test('one member has no spread', () => {
    expect(spreadOf([[1, 2]])).toBeNull();
    expect(
      spreadOf([
        [1, 5],
        [3, 2],
      ]),
    ).toEqual({ low: [1, 2], high: [3, 5] });
  });
  test('reading between times is linear, and beyond them nothing', () => {
    expect(valueAt([0, 2], [10, 20], 1)).toBe(15);
    expect(valueAt([0, 2], [10, 20], 2.5)).toBeNaN();
    expect(valueAt([], [], 1)).toBeNaN();
  });
  test('the cursor stops at every observation and step, once', () => {
    expect(readingStops([{ time: -1 }, { time: 0 }], [{ times: [0, 1] }, { times: [0, 1] }])).toEqual([-1, 0, 1]);
    expect(nearestTime([-1, 0, 1], 0.4)).toBe(0);
    expect(nearestTime([], 0.4)).toBeNull();
  });
});

test('labels keep their order, their distance and the frame', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 6 }), (positions) => {
      const placed = spreadLabels(positions, 14, 0, 100).sort((a, b) => a - b);
      for (let i = 1; i < placed.length; i++) expect(placed[i] - placed[i - 1]).toBeGreaterThanOrEqual(14 - 1e-9);
      expect(placed[0]).toBeGreaterThanOrEqual(-1e-9);
      expect(placed[placed.length - 1]).toBeLessThanOrEqual(100 + 1e-9);
    }),
  );
});

test('a label goes where the fewest marks are, and to its first place when all are alike', () => {
  expect(calmest([10, 40], [{ x: 5, y: 12 }], 0, 50)).toBe(40);
  expect(calmest([10, 40], [], 0, 50)).toBe(10);
});

describe('dots', () => {
  test('fifty dots are equally likely values of the sample', () => {
    const values = quantileValues(
      Array.from({ length: 1001 }, (_, i) => i / 1000),
      50,
    );
    expect(values).toHaveLength(50);
    expect(values[0]).toBeCloseTo(0.01);
    expect(values[49]).toBeCloseTo(0.99);
    expect(quantileValues([Number.NaN], 50)).toEqual([]);
  });
  test('no column mixes signs', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 1, maxLength: 50 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, tolerance) => {
          for (const dot of stackDots(values, 0.7, tolerance)) {
            if (dot.x !== 0) expect(Math.sign(dot.x)).toBe(Math.sign(dot.value) || 1);
          }
        },
      ),
    );
  });
  test('the tallest stack fits its height', () => {
    const values = quantileValues(
      Array.from({ length: 500 }, (_, i) => Math.sin(i) ** 3),
      50,
    );
    const width = columnWidth(values, 8, 20);
    expect(Math.max(...stackDots(values, width).map((dot) => dot.row))).toBeLessThan(8);
  });
  test('sides add up', () => {
    expect(countSides([-1, -0.2, 0, 0.2, 3], 0.5)).toEqual({ below: 1, above: 1, zero: 3 });
  });
  test('people are counted once, and everyone is counted', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 60, noNaN: true }), { minLength: 1, maxLength: 3 }), (counts) => {
        const people = assignPeople(counts, 100);
        expect(people).toHaveLength(100);
        counts.forEach((count, index) => {
          const drawn = people.filter((one) => one === index).length;
          if (counts.reduce((a, b) => a + b, 0) <= 100) expect(Math.abs(drawn - count)).toBeLessThan(1 + 1e-9);
        });
      }),
    );
  });
});

describe('blocks in a lane', () => {
  const block = { id: '1', intervention: 'acei', start: 1, stop: 3 };
  test('snapping leaves no crumbs', () => {
    expect(snap(0.1 + 0.2, 0.1)).toBe(0.3);
  });
  test('a moved block keeps its length and stays in the domain', () => {
    fc.assert(
      fc.property(fc.double({ min: -20, max: 20, noNaN: true }), (by) => {
        const moved = moveBlock(block, by, [0, 5], 0.25);
        expect(moved.stop - moved.start).toBeCloseTo(2);
        expect(moved.start).toBeGreaterThanOrEqual(0);
        expect(moved.stop).toBeLessThanOrEqual(5);
      }),
    );
  });
  test('an end never passes the other', () => {
    expect(moveEnd(block, 'start', 9, [0, 5], 0.25)).toMatchObject({ start: 2.75, stop: 3 });
    expect(moveEnd(block, 'stop', -9, [0, 5], 0.25)).toMatchObject({ start: 1, stop: 1.25 });
    expect(moveEnd(block, 'stop', 99, [0, 5], 0.25)).toMatchObject({ stop: 5 });
  });
  test('one intervention keeps its row, overlaps get their own', () => {
    const { rows, count } = packRows([
      block,
      { ...block, id: '2', start: 3, stop: 4 },
      { ...block, id: '3', start: 2, stop: 5 },
      { ...block, id: '4', intervention: 'diet' },
    ]);
    expect(count).toBe(3);
    expect(rows.get('1')).toBe(rows.get('2'));
    expect(rows.get('3')).not.toBe(rows.get('1'));
  });
  test('a new block takes the first free stretch, or none', () => {
    expect(freeSpan([block], 'acei', [0, 5], 0.25)).toEqual([0, 1]);
    expect(freeSpan([{ ...block, start: 0 }], 'acei', [0, 5], 0.25)).toEqual([3, 5]);
    expect(freeSpan([{ ...block, start: 0, stop: 5 }], 'acei', [0, 5], 0.25)).toBeNull();
  });
});

describe('dots against a line', () => {
  test('near ones stand on one another at their mean, and none is moved across a break', () => {
    expect(pileUp([0, 4, 9, 20], 10, [])).toEqual([
      { x: 13 / 3, row: 0 },
      { x: 13 / 3, row: 1 },
      { x: 13 / 3, row: 2 },
      { x: 20, row: 0 },
    ]);
    const ascending = fc
      .array(fc.double({ min: 0, max: 100, noNaN: true }), { maxLength: 30 })
      .map((all) => all.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(ascending, fc.double({ min: 0, max: 100, noNaN: true }), (xs, line) => {
        const above = pileUp(xs, 10, [line]).filter(({ x }) => x > line + 1e-9).length;
        expect(above).toBeLessThanOrEqual(xs.filter((x) => x > line).length);
        expect(pileUp(xs, 10, [line]).filter(({ x }) => x < line - 1e-9).length).toBeLessThanOrEqual(
          xs.filter((x) => x <= line).length,
        );
      }),
    );
  });
  test('an outermost dot counts for sure on its own side, and perhaps where only its edge is known', () => {
    const values = [
      { value: 1, beyond: 'low' },
      { value: 2, beyond: null },
      { value: 3, beyond: 'high' },
    ] as const;
    expect(countBeyond(values, { value: 1.5, direction: 'above' })).toEqual([2, 2]);
    expect(countBeyond(values, { value: 1.5, direction: 'below' })).toEqual([1, 1]);
    expect(countBeyond(values, { value: 9, direction: 'above' })).toEqual([0, 1]);
    expect(countBeyond(values, { value: 0.5, direction: 'above' })).toEqual([2, 3]);
    expect(countBeyond(values, { value: 0.5, direction: 'below' })).toEqual([0, 1]);
  });
});
