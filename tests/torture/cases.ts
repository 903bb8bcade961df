import type { TortureCase } from './case.ts';
import { browserKilled } from './cases/browser-killed.ts';
import { diskFull } from './cases/disk-full.ts';
import { fourTabs } from './cases/four-tabs.ts';
import { gpuKilled } from './cases/gpu-killed.ts';
import { hostileInput } from './cases/hostile-input.ts';
import { largeFiles } from './cases/large-files.ts';
import { plantedTokens } from './cases/planted-tokens.ts';
import { soak } from './cases/soak.ts';
import { storeDamaged } from './cases/store-damaged.ts';

export const cases: readonly TortureCase[] = [
  browserKilled,
  storeDamaged,
  diskFull,
  fourTabs,
  gpuKilled,
  largeFiles,
  hostileInput,
  plantedTokens,
  soak,
];
