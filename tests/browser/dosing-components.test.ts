import { expect, test, vi } from 'vitest';
import { userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import type { Regimen } from '#domain/plan.ts';
import FanChart from '#ui/charts/FanChart.svelte';
import InformationBars from '#ui/charts/InformationBars.svelte';
import PlanLanes from '#ui/charts/PlanLanes.svelte';
import TargetChart from '#ui/charts/TargetChart.svelte';
import type { Lane, TargetRow } from '#ui/charts/chart-types.ts';
import RegimenEditor from '#ui/features/forecast/RegimenEditor.svelte';
import ModelTables from '#ui/features/packs/ModelTables.svelte';
import '#ui/theme/base.css';
import { toyDosedManifest as manifest } from '../fixtures/toy-dosed.ts';

const rows: readonly TargetRow[] = [
  { id: 'a', name: 'plan A', probability: 0.62, low: 0.6, high: 0.64, quantiles: [300, 410, 480, 560, 700] },
  { id: 'b', name: 'plan B', probability: 0.31, low: 0.29, high: 0.33, quantiles: [380, 500, 590, 690, 860] },
];

test('a target is said in words and drawn, and has a table', async () => {
  const screen = await render(TargetChart, { title: 'AUC24 400 to 600', unit: 'mg·h/L', low: 400, high: 600, rows });
  await expect.element(screen.getByText('62 of 100')).toBeInTheDocument();
  await expect.element(screen.getByRole('img', { name: /^plan B: middle 590, 9 in 10 within/ })).toBeInTheDocument();
  await screen.getByRole('button', { name: 'As a table' }).click();
  await expect.element(screen.getByRole('row', { name: /plan A 62.%/ })).toBeInTheDocument();
});

test('times for a level are said with what each would tell', async () => {
  const row = { id: '6', name: 'in 6 h', moment: 'Tue 18:00', expectedSd: 55, standardError: 2, information: 0.4 };
  const screen = await render(InformationBars, { title: 'What a level would tell', unit: 'mg·h/L', sdNow: 100, rows: [row] });
  await expect.element(screen.getByText('±55 mg·h/L, 45 % narrower')).toBeInTheDocument();
});

test('what is to be reached is part of a chart’s words', async () => {
  const screen = await render(FanChart, {
    title: 'Level',
    unit: 'mg/L',
    timeUnit: 'hours',
    today: 0,
    observed: [{ time: -2, value: 12 }],
    plans: [],
    targets: [{ label: 'Trough', intent: 'reach', low: 10, high: 20 }],
  });
  await expect.element(screen.getByRole('img', { name: /Trough: 10–20 mg\/L/ })).toBeInTheDocument();
});

const regimen: Regimen = {
  intervention: 'toymycin',
  amount: 1000,
  route: 'iv-infusion',
  durationHours: 1,
  startHour: 0,
  everyHours: 12,
  count: null,
};

test('a regimen is edited by its fields, and a loading dose goes before it', async () => {
  const onchange = vi.fn<(regimen: Regimen) => void>();
  const onload = vi.fn<(loading: Regimen, regimen: Regimen) => void>();
  const screen = await render(RegimenEditor, {
    regimen,
    manifest,
    now: '2026-11-23T12:00',
    onchange,
    onload,
    onremove: () => {},
    onclose: () => {},
  });
  await screen.getByLabelText('Every').fill('8');
  await userEvent.keyboard('{Enter}');
  expect(onchange.mock.lastCall?.[0]).toMatchObject({ everyHours: 8, amount: 1000 });
  await screen.getByRole('button', { name: 'Add a loading dose' }).click();
  expect(onload.mock.lastCall).toMatchObject([
    { amount: 2000, everyHours: null, startHour: 0 },
    { amount: 1000, startHour: 12 },
  ]);
});

test('doses of the record that go on stand in the lane and cannot be moved', async () => {
  const onchange = vi.fn<(lane: Lane) => void>();
  const lane: Lane = {
    id: 'a',
    plan: { colour: 'a', letter: 'A', name: 'plan A' },
    blocks: [
      { id: 'current-0', intervention: 'toymycin', start: 8, stop: 72, text: '1000 mg q12h', marks: [8, 20, 32], locked: true },
    ],
  };
  const screen = await render(PlanLanes, {
    domain: [-24, 72],
    timeUnit: 'hours',
    today: 0,
    step: 1,
    interventions: [{ id: 'toymycin', label: 'Toymycin', short: 'Toymycin' }],
    lanes: [lane],
    onchange,
  });
  const block = screen.getByRole('button', { name: /^Toymycin, 1000 mg q12h, from in 8 hours/ });
  (block.element() as HTMLElement).focus();
  await userEvent.keyboard('{ArrowRight}{Delete}');
  expect(onchange).not.toHaveBeenCalled();
});

test('the card lists parameters with units, and targets with who says so', async () => {
  const screen = await render(ModelTables, { manifest });
  await expect.element(screen.getByRole('row', { name: 'Typical clearance CLpop 4.5 L/h' })).toBeInTheDocument();
  await expect.element(screen.getByText(/AUC24 above 600: to be avoided, from 600 mg·h\/L/)).toBeInTheDocument();
});
