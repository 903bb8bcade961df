import { assert, array, double, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layerAt, mostLayers, ranked, restId, riverLayers, thickestAt } from '#ui/charts/river-layout.ts';

const group = (id: string, ...contributions: number[]) => ({ id, label: id.toUpperCase(), contributions });

describe('a river', () => {
  test('stacks what raises above the base and what lowers below it, the largest nearest', () => {
    const layers = riverLayers([10, 10], [group('a', 1, -1), group('b', 4, 4), group('c', -2, -2)]);
    expect(layers.map(({ id, number }) => [id, number])).toEqual([
      ['b', 1],
      ['c', 2],
      ['a', 3],
    ]);
    const [b, c, a] = layers;
    expect(b!.above).toEqual({ low: [10, 10], high: [14, 14] });
    expect(c!.below).toEqual({ low: [8, 8], high: [10, 10] });
    expect(a!.above).toEqual({ low: [14, 14], high: [15, 14] });
    expect(a!.below).toEqual({ low: [8, 7], high: [8, 8] });
  });

  test('draws the smallest together, and one alone by its own name', () => {
    const many = Array.from({ length: mostLayers + 3 }, (_, index) => group(`g${index}`, 10 - index));
    const layers = riverLayers([0], many);
    expect(layers).toHaveLength(mostLayers + 1);
    expect(layers.at(-1)).toMatchObject({ id: restId, number: null, label: 'the other 3', values: [4 + 3 + 2] });
    const oneMore = riverLayers([0], many.slice(0, mostLayers + 1));
    expect(oneMore.at(-1)).toMatchObject({ id: `g${mostLayers}`, number: null });
  });

  test('reaches from the base to the base and all contributions, whatever they are', () => {
    const value = double({ min: -1e3, max: 1e3, noNaN: true });
    assert(
      property(array(array(value, { minLength: 3, maxLength: 3 }), { maxLength: 12 }), (contributions) => {
        const groups = contributions.map((one, index) => group(`g${index}`, ...one));
        const layers = riverLayers([1, 2, 3], groups);
        [1, 2, 3].forEach((base, t) => {
          const sum = contributions.reduce((all, one) => all + one[t]!, base);
          const drawn = layers.reduce(
            (all, { above, below }) => all + (above.high[t]! - above.low[t]!) - (below.high[t]! - below.low[t]!),
            base,
          );
          expect(drawn).toBeCloseTo(sum, 6);
        });
        expect(layers.reduce((all, { values }) => all + values[0]!, 1)).toBeCloseTo(
          contributions.reduce((all, one) => all + one[0]!, 1),
          6,
        );
      }),
    );
  });

  test('is pressed on a layer, or beside all of them', () => {
    const layers = riverLayers([0], [group('a', 2), group('b', -1)]);
    expect(layerAt(layers, 0, 1)?.id).toBe('a');
    expect(layerAt(layers, 0, -0.5)?.id).toBe('b');
    expect(layerAt(layers, 0, 3)).toBeNull();
  });

  test('has a layer’s number where the layer is thickest', () => {
    const [layer] = riverLayers([0, 0, 0], [group('a', 1, -4, 2)]);
    expect(thickestAt(layer!)).toMatchObject({ index: 1, value: -2 });
  });

  test('ranks by what a group moves over all times, up or down', () => {
    expect(ranked([group('a', 1, 1), group('b', -3, 0)]).map(({ id }) => id)).toEqual(['b', 'a']);
  });
});
