import { expect, test, vi } from 'vitest';
import { userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import ContributionRiver from '#ui/charts/ContributionRiver.svelte';
import NeighbourCourses from '#ui/charts/NeighbourCourses.svelte';
import ObservationStrip from '#ui/charts/ObservationStrip.svelte';
import RankedBars from '#ui/charts/RankedBars.svelte';
import SensitivityLines from '#ui/charts/SensitivityLines.svelte';
import '#ui/theme/base.css';

const river = {
  title: 'Bilirubin',
  unit: 'mg/dL',
  timeUnit: 'years',
  today: 0,
  times: [0, 1, 2],
  base: [1, 1, 1],
  full: [1, 2, 3],
  groups: [
    { id: 'age', label: 'Age', contributions: [0, -0.5, -1] },
    { id: 'history', label: 'Bilirubin so far', contributions: [0, 1.5, 3] },
  ],
  baseName: 'the reference',
  fullName: 'this person',
  noise: [0, 0.01, 0.01],
  chosenTime: 2,
} as const;

test('the river is said in words: where it begins, where it ends and what moves it', async () => {
  const screen = await render(ContributionRiver, river);
  await expect
    .element(
      screen.getByRole('img', {
        name: /in 2 years: the reference 1, this person 3 mg\/dL, \+2\.0+; Bilirubin so far \+3\.0+; Age −1\.0+/,
      }),
    )
    .toBeInTheDocument();
});

test('the river is read by arrow keys, and Enter chooses a time', async () => {
  const onchoose = vi.fn<(time: number, group: string | null) => void>();
  const screen = await render(ContributionRiver, { ...river, onchoose });
  const reader = screen.getByRole('slider', { name: 'Read Bilirubin at a time; Enter chooses it' });
  (reader.element() as HTMLElement).focus();
  await userEvent.keyboard('{ArrowLeft}');
  await expect
    .element(reader)
    .toHaveAttribute('aria-valuetext', expect.stringMatching(/^in 1 year: the reference 1, this person 2 mg\/dL/));
  await userEvent.keyboard('{Enter}');
  expect(onchoose).toHaveBeenLastCalledWith(1, null);
});

test('pressing a layer chooses its time and its group', async () => {
  const onchoose = vi.fn<(time: number, group: string | null) => void>();
  const screen = await render(ContributionRiver, { ...river, onchoose });
  const picture = screen.getByRole('img', { name: /^Bilirubin/ }).element();
  const box = picture.getBoundingClientRect();
  const at = (x: number, y: number) => ({ clientX: box.left + x * box.width, clientY: box.top + y * box.height, bubbles: true });
  const reach = picture.querySelector('.reach')!;
  // Near the right edge above the middle lies what raises it, in the lowest part what lowers it.
  reach.dispatchEvent(new MouseEvent('click', at(0.94, 0.45)));
  expect(onchoose).toHaveBeenLastCalledWith(2, 'history');
  reach.dispatchEvent(new MouseEvent('click', at(0.94, 0.72)));
  expect(onchoose).toHaveBeenLastCalledWith(2, 'age');
});

test('the river’s table has every group at every time', async () => {
  const screen = await render(ContributionRiver, river);
  await screen.getByRole('button', { name: 'As a table' }).click();
  await expect.element(screen.getByRole('columnheader', { name: 'Age' })).toBeInTheDocument();
  expect(screen.getByRole('row').elements()).toHaveLength(4);
});

test('bars are chosen by the keyboard and say what they are', async () => {
  const onselect = vi.fn<(id: string) => void>();
  const rows = [
    { id: 'a', name: 'Age', number: 1, value: -1, low: -1.2, high: -0.8, words: 'lowers it by 0.8–1.2' },
    { id: 'b', name: 'Sex', number: null, value: 0.1, low: -0.1, high: 0.3, words: 'no more than chance' },
  ];
  const screen = await render(RankedBars, {
    title: 'Now',
    unit: 'mg/dL',
    rows,
    lineWords: '95 % interval',
    selected: 'b',
    onselect,
  });
  const first = screen.getByRole('button', { name: 'Age: lowers it by 0.8–1.2' });
  (first.element() as HTMLElement).focus();
  await userEvent.keyboard('{Enter}');
  expect(onselect).toHaveBeenCalledWith('a');
  await expect.element(screen.getByRole('button', { name: /^Sex/ })).toHaveAttribute('aria-pressed', 'true');
});

test('made-up people are called that in the picture and in the table', async () => {
  const course = { name: 'Drawn person 1', about: '52 years', times: [0, 1], values: [1, null] };
  const screen = await render(NeighbourCourses, {
    title: 'Courses',
    unit: 'mg/dL',
    timeUnit: 'years',
    courses: [{ ...course, id: '1', event: { label: 'death', time: 0.5 } }],
  });
  await expect
    .element(screen.getByRole('img', { name: 'Drawn person 1, made up, 52 years: from 1 to 1 mg/dL; death in 0.5 years' }))
    .toBeInTheDocument();
  await expect.element(screen.getByText('made up', { exact: true })).toBeInTheDocument();
  await screen.getByRole('button', { name: 'As a table' }).click();
  await expect.element(screen.getByText(/nobody of them exists/)).toBeInTheDocument();
});

test('dated values are said by what they add', async () => {
  const screen = await render(ObservationStrip, {
    title: 'Dated values',
    unit: 'mg/dL',
    timeUnit: 'years',
    today: 0,
    readWords: 'in 3 years',
    items: [{ id: '1', label: 'Albumin', time: -1, value: '3.5 g/dL', contribution: -0.5 }],
  });
  await expect.element(screen.getByRole('img', { name: /Albumin 3\.5 g\/dL, 1 year ago, −0\.5/ })).toBeInTheDocument();
});

test('what is not known is a share with its interval', async () => {
  const share = { first: [0.5, 0.6], low: [0.4, 0.5], high: [0.6, 0.7], total: [0.3, 0.3] };
  const screen = await render(SensitivityLines, {
    title: 'Where the spread comes from',
    timeUnit: 'days',
    today: 0,
    times: [0, 1],
    lines: [{ id: 'cl', name: 'Clearance', ...share }],
    chosenTime: 1,
  });
  await expect.element(screen.getByRole('img', { name: /in 1 day: Clearance 60.% \(50–70\)/ })).toBeInTheDocument();
});
