import { expect, it } from 'vitest';
import { builtDigest, kernelDigest } from '../../scripts/build-wasm.mjs';

it('the committed kernel was made from the committed sources (npm run build:wasm)', () => {
  expect(builtDigest()).toBe(kernelDigest());
});
