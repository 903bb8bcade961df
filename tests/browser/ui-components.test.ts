import { expect, test, vi } from 'vitest';
import { userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import FanChart from '#ui/charts/FanChart.svelte';
import PlanLanes from '#ui/charts/PlanLanes.svelte';
import type { Lane, LaneBlock } from '#ui/charts/chart-types.ts';
import Dialog from '#ui/components/Dialog.svelte';
import NumberField from '#ui/components/NumberField.svelte';
import '#ui/theme/base.css';

const lane: Lane = {
  id: 'a',
  plan: { colour: 'a', letter: 'A', name: 'plan A' },
  blocks: [{ id: '1', intervention: 'acei', start: 1, stop: 3, dose: 5 }],
};
const interventions = [
  { id: 'acei', label: 'ACE inhibitor', short: 'ACE', dose: { unit: 'mg', initial: 5, min: 2.5, max: 20, step: 2.5 } },
];

async function lanes(validate?: (blocks: readonly LaneBlock[]) => string | null) {
  const onchange = vi.fn<(lane: Lane, blocks: readonly LaneBlock[]) => void>();
  const screen = await render(PlanLanes, {
    domain: [-2, 5],
    timeUnit: 'years',
    today: 0,
    step: 0.5,
    interventions,
    lanes: [lane],
    onchange,
    ...(validate ? { validate } : {}),
  });
  return { screen, onchange, last: () => onchange.mock.lastCall?.[1][0] };
}

test('arrow keys move a block by one step, with Shift its end, with Alt its start', async () => {
  const { screen, last } = await lanes();
  const block = screen.getByRole('button', { name: /^ACE inhibitor, 5.mg, from in 1 year to in 3 years/ });
  (block.element() as HTMLElement).focus();
  await userEvent.keyboard('{ArrowRight}');
  expect(last()).toMatchObject({ start: 1.5, stop: 3.5 });
  await userEvent.keyboard('{Shift>}{ArrowRight}{/Shift}');
  expect(last()).toMatchObject({ start: 1, stop: 3.5 });
  await userEvent.keyboard('{Alt>}{ArrowLeft}{/Alt}');
  expect(last()).toMatchObject({ start: 0.5, stop: 3 });
});

test('a change that may not stand is refused with its reason and not handed out', async () => {
  const { screen, onchange } = await lanes(() => 'One dose at a time.');
  (screen.getByRole('button', { name: /ACE inhibitor, 5/ }).element() as HTMLElement).focus();
  await userEvent.keyboard('{ArrowRight}');
  await expect.element(screen.getByRole('alert')).toHaveTextContent('One dose at a time.');
  expect(onchange).not.toHaveBeenCalled();
});

test('start, stop and dose can be typed', async () => {
  const { screen, last } = await lanes();
  (screen.getByRole('button', { name: /ACE inhibitor, 5/ }).element() as HTMLElement).focus();
  await userEvent.keyboard('{Enter}');
  await screen.getByLabelText('Stop').fill('4.5');
  await userEvent.keyboard('{Enter}');
  expect(last()).toMatchObject({ start: 1, stop: 4.5 });
});

test('an intervention is added where there is room', async () => {
  const { screen, onchange } = await lanes();
  await screen.getByLabelText('Add an intervention to plan A').selectOptions('acei');
  expect(onchange.mock.lastCall?.[1][1]).toMatchObject({ intervention: 'acei', start: 0, stop: 1, dose: 5 });
});

test('a number field keeps what was typed when it is not a number', async () => {
  const onchange = vi.fn();
  const screen = await render(NumberField, { label: 'Potassium', unit: 'mmol/L', value: 4.2, locale: 'en-GB', onchange });
  const input = screen.getByLabelText('Potassium');
  await input.fill('4..5');
  await userEvent.tab();
  await expect.element(input).toHaveValue('4..5');
  await expect.element(input).toHaveAccessibleDescription(/Not a number/);
  expect(onchange).not.toHaveBeenCalled();
  await input.fill('4.5');
  await userEvent.tab();
  expect(onchange).toHaveBeenCalledWith(4.5);
});

test('a number field reads the locale and marks what is unusual without refusing it', async () => {
  const onchange = vi.fn();
  const screen = await render(NumberField, { label: 'Kalium', locale: 'de-DE', plausible: { low: 3, high: 6 }, onchange });
  const input = screen.getByLabelText('Kalium');
  await input.fill('6,9');
  await userEvent.tab();
  expect(onchange).toHaveBeenCalledWith(6.9);
  await expect.element(input).toHaveAccessibleDescription(/Unusual/);
});

test('a dialog holds the focus, closes on Escape and gives the focus back', async () => {
  const opener = document.createElement('button');
  opener.textContent = 'Open';
  document.body.append(opener);
  opener.focus();
  const onclose = vi.fn();
  const screen = await render(Dialog, { open: true, title: 'Add a value', onclose });
  const dialog = screen.getByRole('dialog', { name: 'Add a value' });
  await expect.element(dialog).toBeVisible();
  expect(dialog.element().contains(document.activeElement)).toBe(true);
  await userEvent.keyboard('{Escape}');
  await vi.waitFor(() => expect(onclose).toHaveBeenCalledOnce());
  expect(document.activeElement).toBe(opener);
  opener.remove();
});

test('a fan chart says, tabulates and reads out what it shows', async () => {
  const screen = await render(FanChart, {
    title: 'eGFR',
    unit: 'mL/min/1.73 m²',
    timeUnit: 'years',
    today: 0,
    observed: [{ time: -1, value: 45 }],
    plans: [
      {
        colour: 'a',
        letter: 'A',
        name: 'plan A',
        times: [0, 1, 2],
        median: [42, 40, 38],
        bands: [
          { level: 0.5, low: [42, 38, 34], high: [42, 42, 42] },
          { level: 0.9, low: [42, 34, 26], high: [42, 46, 50] },
        ],
      },
    ],
  });
  await expect
    .element(screen.getByRole('img', { name: /half of simulated courses lie within 34–42, 9 in 10 within 26–50/ }))
    .toBeVisible();
  const reader = screen.getByRole('slider', { name: 'Read eGFR at a time' });
  (reader.element() as HTMLElement).focus();
  await userEvent.keyboard('{Home}');
  await expect.element(reader).toHaveAttribute('aria-valuetext', expect.stringContaining('observed 45'));
  await screen.getByRole('button', { name: 'As a table' }).click();
  const table = screen.getByRole('table');
  await expect.element(table).toHaveTextContent('34–42');
  await expect.element(table).toHaveTextContent('1 year ago');
  await expect.element(screen.getByRole('img')).not.toBeInTheDocument();
});
