import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dotNear, frontOfTwo, isInside, nextDot } from '#ui/charts/front-geometry.ts';
import type { Dot } from '#ui/charts/front-geometry.ts';

const coordinate = integer({ min: 0, max: 8 });
const someDots = array(record({ x: coordinate, y: coordinate }), { minLength: 1, maxLength: 12 }).map((places): Dot[] =>
  places.map((place, index) => ({ id: String(index), ...place })),
);

describe('arrow keys', () => {
  test('reach every dot by one key alone, whichever it is', () => {
    assert(
      property(someDots, constantFrom('left', 'right', 'up', 'down'), (dots, direction) => {
        const seen = new Set<string>();
        let at: string | null = null;
        for (let presses = 0; presses < dots.length; presses++) {
          at = nextDot(dots, at, direction);
          seen.add(at!);
        }
        expect(seen.size).toBe(dots.length);
        expect(nextDot(dots, at, direction)).toBe(at);
      }),
    );
  });

  test('find nothing among none', () => {
    expect(nextDot([], null, 'right')).toBeNull();
  });
});

test('a loop holds what lies inside, also where it crosses itself', () => {
  const square = [
    [0, 0],
    [10, 0],
    [10, 10],
    [0, 10],
  ] as const;
  expect(isInside(square, 5, 5)).toBe(true);
  expect(isInside(square, 15, 5)).toBe(false);
  const eight = [
    [0, 0],
    [10, 10],
    [10, 0],
    [0, 10],
  ] as const;
  expect(isInside(eight, 5, 1)).toBe(false);
  expect(isInside(eight, 9, 5)).toBe(true);
});

test('the dot under the pointer is the nearest within reach', () => {
  const dots = [
    { id: 'a', x: 0, y: 0 },
    { id: 'b', x: 10, y: 0 },
  ];
  expect(dotNear(dots, 8, 0, 14)).toBe('b');
  expect(dotNear(dots, 100, 0, 14)).toBeNull();
});

test('the line joins exactly what no other dot beats on both axes', () => {
  assert(
    property(someDots, constantFrom('more', 'less'), constantFrom('more', 'less'), (dots, x, y) => {
      const [sx, sy] = [x === 'more' ? 1 : -1, y === 'more' ? 1 : -1];
      const beats = (a: Dot, b: Dot) => sx * a.x >= sx * b.x && sy * a.y >= sy * b.y && (a.x !== b.x || a.y !== b.y);
      const front = new Set(frontOfTwo(dots, { x, y }));
      for (const dot of dots) {
        const isBeaten = dots.some((other) => beats(other, dot));
        if (front.has(dot.id)) expect(isBeaten).toBe(false);
        // Of dots on the same place one stands for all.
        else expect(isBeaten || dots.some((other) => front.has(other.id) && other.x === dot.x && other.y === dot.y)).toBe(true);
      }
    }),
  );
});
