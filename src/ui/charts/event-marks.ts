/** A shape for each kind of event, centred on 0,0 and about 10 wide: told apart without colour. Event-free is an open ring. */
const shapes = [
  'M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0Z',
  'M0 -5.4 5.4 0 0 5.4 -5.4 0Z',
  'M0 -4.9 5.2 4.2 -5.2 4.2Z',
  'M-4 -4H4V4H-4Z',
] as const;
const free = 'M-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0Z';

export const eventShape = (index: number): string => (index < 0 ? free : shapes[index % shapes.length]);
export const eventToken = (index: number): string => (index < 0 ? 'var(--event-free)' : `var(--event-${(index % 4) + 1})`);

/** Stripes for stacked areas: angle and gap differ by kind; the first is solid. */
export const eventStripes: readonly ({ angle: number; gap: number } | null)[] = [
  null,
  { angle: 45, gap: 5 },
  { angle: -45, gap: 7 },
  { angle: 90, gap: 4 },
];
