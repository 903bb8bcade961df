import { expect, test, vi } from 'vitest';
import { userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import DoseSteps from '#ui/charts/DoseSteps.svelte';
import FrontChart from '#ui/charts/FrontChart.svelte';
import GainBars from '#ui/charts/GainBars.svelte';
import type { FrontAxis, FrontPoint } from '#ui/charts/front-geometry.ts';
import InlineNumber from '#ui/components/InlineNumber.svelte';
import '#ui/theme/base.css';

const axis = (label: string, wish: 'more' | 'less'): FrontAxis => ({ label, wish, text: String });
const point = (id: string, x: number, y: number, rest: Partial<FrontPoint> = {}): FrontPoint => ({
  id,
  name: `plan ${id}`,
  x: { low: x - 1, value: x, high: x + 1 },
  y: { low: y, value: y, high: y },
  isTicked: false,
  isOnFront: false,
  isBreaking: false,
  isOutside: false,
  ...rest,
});
const points = [
  point('one', 2, 10, { isOnFront: true }),
  point('two', 4, 30, { isOnFront: true }),
  point('three', 6, 20, { isBreaking: true }),
  point('four', 8, 40, { isOutside: true }),
  point('usual', 5, 25, { plan: { colour: 'usual', letter: 'U', name: 'usual care' } }),
];

async function chart() {
  const ontick = vi.fn<(id: string) => void>();
  const oncircle = vi.fn<(ids: readonly string[]) => void>();
  const screen = await render(FrontChart, {
    title: 'Benefit against burden',
    points,
    xAxis: axis('doses', 'less'),
    yAxis: axis('days', 'more'),
    ontick,
    oncircle,
  });
  const box = screen.getByRole('listbox', { name: /5 plans by doses .less is wanted. and days/ });
  return { screen, box, ontick, oncircle };
}
const activeName = (box: HTMLElement) => document.getElementById(box.getAttribute('aria-activedescendant')!)!.ariaLabel;

test('every dot is reached with arrow keys, read in words, and ticked with Space', async () => {
  const { box, ontick } = await chart();
  const element = box.element() as HTMLElement;
  element.focus();
  const read: (string | null)[] = [];
  for (let presses = 0; presses < points.length; presses++) {
    await vi.waitFor(() => expect(activeName(element)).not.toBe(read.at(-1)));
    read.push(activeName(element));
    await userEvent.keyboard('{ArrowRight}');
  }
  expect(read.map((name) => name!.split(';')[0])).toEqual(['plan one', 'plan two', 'plan usual', 'plan three', 'plan four']);
  expect(read[0]).toBe('plan one; doses: 1 to 3, middle 2; days: 10; on the front');
  expect(read[3]).toContain('breaks a limit');
  expect(read[4]).toContain('outside what the pack saw');
  await userEvent.keyboard(' ');
  expect(ontick).toHaveBeenCalledWith('four');
  await userEvent.keyboard('{ArrowDown}');
  expect(activeName(element)).toContain('plan two');
});

test('a click ticks the dot under it, a loop gives those inside', async () => {
  const { box, ontick, oncircle } = await chart();
  const svg = box.element() as SVGSVGElement;
  const frame = svg.getBoundingClientRect();
  const dot = svg.querySelector('[role=option][aria-label^="plan two"] circle')!.getBoundingClientRect();
  const at = (x: number, y: number) => ({ clientX: x, clientY: y, pointerId: 1, button: 0, bubbles: true, pointerType: 'mouse' });
  svg.setPointerCapture = () => {};
  const [cx, cy] = [dot.x + dot.width / 2, dot.y + dot.height / 2];
  svg.dispatchEvent(new PointerEvent('pointerdown', at(cx, cy)));
  svg.dispatchEvent(new PointerEvent('pointerup', at(cx, cy)));
  expect(ontick).toHaveBeenCalledWith('two');
  const start = [cx + 60, cy] as const;
  svg.dispatchEvent(new PointerEvent('pointerdown', at(...start)));
  for (let step = 0; step <= 24; step++) {
    const angle = (2 * Math.PI * step) / 24;
    svg.dispatchEvent(new PointerEvent('pointermove', at(cx + 60 * Math.cos(angle), cy + 40 * Math.sin(angle))));
  }
  svg.dispatchEvent(new PointerEvent('pointerup', at(...start)));
  expect(oncircle).toHaveBeenCalledTimes(1);
  expect(oncircle.mock.lastCall![0]).toContain('two');
  expect(oncircle.mock.lastCall![0]).not.toContain('one');
  expect(frame.width).toBeGreaterThan(0);
});

test('the table says the same as the picture', async () => {
  const { screen } = await chart();
  await screen.getByRole('button', { name: 'As a table' }).click();
  await expect.element(screen.getByRole('row', { name: /plan three 5 to 7, middle 6 20 breaks a limit/ })).toBeInTheDocument();
});

test('the worth of measurements is said with its error', async () => {
  const screen = await render(GainBars, {
    title: 'Gain',
    rows: [{ id: '1', name: 'in 1 day', gain: 3, standardError: 1, words: 'another plan in 20 of 100' }],
    text: (gain: number, error: number) => `${gain} ± ${1.96 * error} days`,
    note: 'Bar: gain.',
  });
  await expect.element(screen.getByText('3 ± 1.96 days; another plan in 20 of 100')).toBeInTheDocument();
});

test('doses over time are said step by step', async () => {
  const screen = await render(DoseSteps, {
    title: 'Doses',
    unit: 'mg a day',
    timeUnit: 'days',
    end: 14,
    arms: [
      {
        id: 'a',
        name: 'By table',
        steps: [
          { time: 0, quantiles: [5, 5, 5] },
          { time: 7, quantiles: [4, 5, 7] },
        ],
      },
    ],
  });
  await expect
    .element(screen.getByRole('img', { name: 'By table: today 5; in 7 days 4 to 7, middle 5 mg a day.' }))
    .toBeInTheDocument();
});

test('a number in a sentence is taken on Enter, moved by arrows and refused outside its range', async () => {
  const onchange = vi.fn<(value: number | null) => void>();
  const screen = await render(InlineNumber, { label: 'Counts', value: 5, min: 0, max: 10, onchange });
  const field = screen.getByRole('textbox', { name: 'Counts, 0 to 10' });
  await field.fill('7');
  await userEvent.keyboard('{Enter}');
  expect(onchange).toHaveBeenLastCalledWith(7);
  await field.fill('12');
  await userEvent.keyboard('{Enter}');
  expect(onchange).toHaveBeenCalledTimes(1);
  await expect.element(field).toHaveAttribute('aria-invalid', 'true');
});
