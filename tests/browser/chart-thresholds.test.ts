import { expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import ThresholdDots from '#ui/charts/ThresholdDots.svelte';
import '#ui/theme/base.css';

const values = (from: number) =>
  Array.from({ length: 20 }, (_, k) => ({ value: from + k, beyond: k === 0 ? 'low' : k === 19 ? 'high' : null }) as const);

test('outcomes stand as dots on both sides of a line, and are counted in words and in a table', async () => {
  const screen = await render(ThresholdDots, {
    title: 'Bilirubin in 3 years',
    unit: 'mg/dL',
    when: 'in 3 years',
    plans: [
      { colour: 'usual', letter: 'U', name: 'usual care', values: values(1) },
      { colour: 'a', letter: 'A', name: 'plan A', values: values(5) },
    ],
    thresholds: [{ value: 14.5, label: 'above 14.5 mg/dL', direction: 'above' }],
  });
  await expect.element(screen.getByText('Above 14.5 mg/dL in 3 years: 6 of 20 under usual care, 10 under plan A.')).toBeVisible();
  const usual = screen.getByRole('img', { name: /^usual care: 20 equally likely outcomes from ≤.1 to ≥.20 mg\/dL$/ }).element();
  expect(usual.querySelectorAll('circle')).toHaveLength(18);
  expect(usual.querySelectorAll('path')).toHaveLength(2);
  // No dot is moved across the line.
  const line = Number(usual.querySelector('.threshold')!.getAttribute('x1'));
  const above = [...usual.querySelectorAll('circle')].filter((dot) => Number(dot.getAttribute('cx')) > line);
  expect(above).toHaveLength(5);
  await screen.getByRole('button', { name: 'As a table' }).click();
  await expect.element(screen.getByRole('table')).toHaveTextContent(/≥\s24/);
});
