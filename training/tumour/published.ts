/**
 * The published rows that ours are held beside: normalised RMSE in percent by γ = 0 … 4, mean over five seeds, from the corrected tables
 * of the CausalTransformer repository (Melnychuk, Frauen & Feuerriegel, ICML 2022). Their seeds are numpy's, ours name other draws.
 */
import type { Test } from './protocol.ts';

export interface PublishedRow {
  readonly test: Test;
  readonly tau: number;
  readonly method: 'MSM' | 'RMSN' | 'CRN' | 'G-Net' | 'CT';
  readonly rmse: readonly number[];
  /** Over seeds, where it was copied. */
  readonly sd?: readonly number[];
}

const row = (
  test: Test,
  tau: number,
  method: PublishedRow['method'],
  rmse: readonly number[],
  sd?: readonly number[],
): PublishedRow => ({
  test,
  tau,
  method,
  rmse,
  ...(sd ? { sd } : {}),
});

export const publishedRows: readonly PublishedRow[] = [
  row('one-step', 1, 'MSM', [1.091, 1.202, 1.383, 1.647, 1.981], [0.115, 0.108, 0.09, 0.121, 0.232]),
  row('one-step', 1, 'RMSN', [0.834, 0.86, 1.0, 1.131, 1.434], [0.072, 0.025, 0.134, 0.057, 0.148]),
  row('one-step', 1, 'CRN', [0.755, 0.788, 0.881, 1.062, 1.358], [0.059, 0.057, 0.066, 0.088, 0.167]),
  row('one-step', 1, 'G-Net', [0.795, 0.841, 0.946, 1.057, 1.319], [0.066, 0.038, 0.083, 0.146, 0.248]),
  row('one-step', 1, 'CT', [0.77, 0.783, 0.864, 1.098, 1.413], [0.049, 0.071, 0.059, 0.097, 0.259]),
  row('random', 2, 'RMSN', [0.825, 0.851, 0.861, 0.993, 1.269]),
  row('random', 2, 'CRN', [0.761, 0.76, 0.805, 2.045, 1.209]),
  row('random', 2, 'G-Net', [1.006, 0.994, 1.185, 1.083, 1.243]),
  row('random', 2, 'CT', [0.762, 0.781, 0.818, 1.001, 1.163], [0.028, 0.058, 0.091, 0.15, 0.233]),
  row('random', 3, 'CT', [0.762, 0.807, 0.838, 1.072, 1.283]),
  row('random', 4, 'CT', [0.726, 0.777, 0.81, 1.075, 1.302]),
  row('random', 5, 'CT', [0.669, 0.723, 0.751, 1.036, 1.264]),
  row('random', 6, 'RMSN', [0.646, 0.702, 0.675, 0.847, 0.947]),
  row('random', 6, 'CRN', [0.614, 0.631, 0.706, 1.308, 1.132]),
  row('random', 6, 'G-Net', [0.963, 0.942, 1.321, 1.092, 1.195]),
  row('random', 6, 'CT', [0.605, 0.657, 0.685, 0.979, 1.201], [0.04, 0.047, 0.119, 0.249, 0.419]),
  row('sliding', 2, 'RMSN', [0.742, 0.76, 0.827, 0.957, 1.276]),
  row('sliding', 2, 'CRN', [0.671, 0.666, 0.741, 1.668, 1.151]),
  row('sliding', 2, 'G-Net', [1.021, 1.009, 1.271, 1.113, 1.257]),
  row('sliding', 2, 'CT', [0.681, 0.677, 0.713, 0.908, 1.274], [0.052, 0.044, 0.042, 0.122, 0.366]),
  row('sliding', 6, 'RMSN', [0.889, 0.936, 1.081, 1.473, 1.436]),
  row('sliding', 6, 'CRN', [0.807, 0.79, 1.047, 2.48, 1.827]),
  row('sliding', 6, 'G-Net', [1.538, 1.493, 2.062, 1.758, 1.994]),
  row('sliding', 6, 'CT', [0.789, 0.821, 0.909, 1.205, 2.052], [0.059, 0.034, 0.054, 0.1, 0.608]),
];
