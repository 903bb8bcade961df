import type { LaneBlock, Span } from './chart-types.ts';

/** Where blocks lie and how they move. Every function gives new blocks and leaves the old alone. */

/** To the nearest multiple of `step` from `origin`, without the crumbs of binary fractions. */
export function snap(time: number, step: number, origin = 0): number {
  const snapped = origin + Math.round((time - origin) / step) * step;
  return Math.round(snapped * 1e6) / 1e6;
}

const clamp = (value: number, [low, high]: Span) => Math.min(high, Math.max(low, value));

/** Moves the whole block, keeping its length and staying inside the domain. */
export function moveBlock(block: LaneBlock, by: number, domain: Span, step: number): LaneBlock {
  const length = block.stop - block.start;
  const start = clamp(snap(block.start + by, step, domain[0]), [domain[0], Math.max(domain[0], domain[1] - length)]);
  return { ...block, start, stop: Math.min(domain[1], Math.round((start + length) * 1e6) / 1e6) };
}

/** Moves one end; a block never becomes shorter than one step. */
export function moveEnd(block: LaneBlock, end: 'start' | 'stop', to: number, domain: Span, step: number): LaneBlock {
  const snapped = snap(to, step, domain[0]);
  return end === 'start'
    ? { ...block, start: clamp(snapped, [domain[0], block.stop - step]) }
    : { ...block, stop: clamp(snapped, [block.start + step, domain[1]]) };
}

/** A row each: the same intervention keeps its row, different ones never share, blocks of one that overlap get rows of their own. */
export function packRows(blocks: readonly LaneBlock[]): { rows: Map<string, number>; count: number } {
  const rows = new Map<string, number>();
  const taken: { intervention: string; until: number }[] = [];
  const order = [...new Set(blocks.map((block) => block.intervention))];
  for (const intervention of order) {
    const own = blocks.filter((block) => block.intervention === intervention).sort((a, b) => a.start - b.start);
    for (const block of own) {
      let row = taken.findIndex((one) => one.intervention === intervention && one.until <= block.start + 1e-9);
      if (row < 0) row = taken.push({ intervention, until: block.stop }) - 1;
      taken[row].until = block.stop;
      rows.set(block.id, row);
    }
  }
  return { rows, count: taken.length };
}

/** The first free stretch for a new block of one intervention, or null when the lane is full of it. */
export function freeSpan(blocks: readonly LaneBlock[], intervention: string, domain: Span, step: number): Span | null {
  const own = blocks.filter((block) => block.intervention === intervention).sort((a, b) => a.start - b.start);
  let from = domain[0];
  for (const block of own) {
    if (block.start - from >= step - 1e-9) return [from, block.start];
    from = Math.max(from, block.stop);
  }
  return domain[1] - from >= step - 1e-9 ? [from, domain[1]] : null;
}
