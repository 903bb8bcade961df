import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RadixSorter } from '#numerics/radix-sort.ts';

describe('RadixSorter', () => {
  it('sorts as Float32Array.sort does, zeros of both signs and infinities included', () => {
    const sorter = new RadixSorter(200);
    fc.assert(
      fc.property(fc.float32Array({ noNaN: true, maxLength: 200 }), (values) => {
        const sorted = values.slice();
        sorter.sort(sorted);
        expect(sorted).toEqual(values.slice().sort());
      }),
    );
  });

  it('leaves what stands beside the column alone', () => {
    const values = Float32Array.of(9, 3, -1, 2, -9);
    new RadixSorter(3).sort(values.subarray(1, 4));
    expect(Array.from(values)).toEqual([9, -1, 2, 3, -9]);
  });
});
