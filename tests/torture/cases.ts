import type { TortureCase } from './case.ts';
import { gpuKilled } from './cases/gpu-killed.ts';

export const cases: readonly TortureCase[] = [gpuKilled];
