/** How a chart's picture leaves the page, given by whoever shows charts of a session; a chart alone has no such button. */
import { getContext, setContext } from 'svelte';
import type { PictureMark } from './figure-svg.ts';

export interface ChartSaving {
  /** What is written into the picture; null where it cannot be said, and then nothing is saved. */
  readonly mark: () => Promise<PictureMark | null>;
  readonly save: (picture: Blob, kind: 'svg' | 'png') => void;
  readonly failed: () => void;
}

const key = Symbol('chart-saving');

export function provideChartSaving(saving: ChartSaving): void {
  setContext(key, saving);
}

export function chartSaving(): ChartSaving | undefined {
  return getContext(key);
}
