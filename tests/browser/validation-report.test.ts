import { expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import type { PackInfo } from '#app/packs.svelte.ts';
import ValidationReportView from '#ui/features/trust/report/ValidationReportView.svelte';
import '#ui/theme/base.css';
import type { ValidationReport } from '#domain/validation.ts';
import { madeUpReport } from '../fixtures/validation-report.ts';

const show = (report: ValidationReport, digest = report.packDigest) =>
  // The page reads nothing of the manifest but its version.
  render(ValidationReportView, { report, pack: { digest, manifest: { version: '1.0.0' } as PackInfo['manifest'] } });

test('the first lines say in words how true ranges were, what is better, which trials came out, and what falls short', async () => {
  const screen = await show(madeUpReport());
  const summary = screen.getByRole('region', { name: 'In a minute' });
  await expect
    .element(summary)
    .toHaveTextContent('Ranges that should hold 9 in 10 held 82 % (80–84) of 1,204 values of 200 people.');
  await expect.element(summary).toHaveTextContent('Climatology: better in 1 of 1 figures.');
  await expect.element(summary).toHaveTextContent('Landmark Cox: better in 0 of 1 figures, worse in 1.');
  await expect.element(summary).toHaveTextContent('1 of 2 comparisons replicated; not: Old drug against placebo.');
  await expect
    .element(summary)
    .toHaveTextContent('3 findings in the figures below: 1 off target, 1 worse than a simpler method, 1 not replicated.');
});

test('every picture says in its name what it shows', async () => {
  const screen = await show(madeUpReport());
  await expect.element(screen.getByRole('img', { name: /1 of 3 ranges did not hold as many values as promised/ })).toBeVisible();
  await expect.element(screen.getByRole('img', { name: /0 % to 10 % holds 18 %/ })).toBeVisible();
  await expect
    .element(screen.getByRole('img', { name: /4 of 4 groups \(200 people\) agree.*2.1 percentage points/ }))
    .toBeVisible();
  await expect
    .element(screen.getByRole('img', { name: /gains over acting on everyone or on nobody at 4 of 4 thresholds/ }))
    .toBeVisible();
  await expect.element(screen.getByRole('img', { name: /1 of 2 intervals leave out 0.9 \(ideal\): Sex, women/ })).toBeVisible();
  await expect.element(screen.getByRole('img', { name: /1 of 2 comparisons replicated/ })).toBeVisible();
});

test('groups that are too few are named, with their number, and not drawn', async () => {
  const screen = await show(madeUpReport());
  await expect.element(screen.getByText(/named and not scored: Age at entry, under 30 \(12\)/)).toBeVisible();
});

test('what was not measured stands with its reason, and known failures stand beside those of the figures', async () => {
  const screen = await show(madeUpReport());
  await expect
    .element(screen.getByRole('region', { name: 'What was not measured' }))
    .toHaveTextContent('Not measured for this pack.');
  const failures = screen.getByRole('region', { name: 'What falls short' });
  await expect.element(failures).toHaveTextContent('Nobody over 88 years was seen.');
  await expect
    .element(failures)
    .toHaveTextContent('Share of values inside the 90 % range (200 made-up people): 0.820, wanted 0.9');
  await expect.element(failures).toHaveTextContent('Old drug against placebo');
});

test('a report of another version of the pack says so first', async () => {
  const screen = await show(madeUpReport(), 'c'.repeat(64));
  await expect.element(screen.getByText('This report was made for another version of the pack.')).toBeVisible();
});

test('a pack that nobody validated says so first', async () => {
  const screen = await show(madeUpReport({ isOnRealPeople: false, validatedOn: 'On nobody.' }));
  await expect.element(screen.getByText('Not validated on real patients by us.')).toBeVisible();
});

test('a person goes to a section from the list of them', async () => {
  const screen = await show(madeUpReport());
  await screen
    .getByRole('navigation', { name: 'Sections of the report' })
    .getByRole('button', { name: 'Trials run again' })
    .click();
  await expect.element(screen.getByRole('heading', { name: 'Trials run again', level: 2 })).toHaveFocus();
});
