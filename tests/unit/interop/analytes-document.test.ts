import { expect, test } from 'vitest';
import { analytes } from '#interop/analytes.ts';
import { importCodes } from '#interop/import-codes.ts';
import { readFileSync } from 'node:fs';

const number = (value: number): string => String(Number(value.toPrecision(5)));

function stepText(step: unknown): string {
  if (step === 'log10') return 'log₁₀';
  if (typeof step === 'number') return step === 1 ? '' : ` × ${number(step)}`;
  const { factor, offset } = step as { factor: number; offset: number };
  return ` × ${number(factor)} ${offset < 0 ? '−' : '+'} ${number(Math.abs(offset))}`;
}

const unitsText = (units: Readonly<Record<string, unknown>>): string =>
  Object.entries(units)
    .map(([unit, step]) => (step === 'log10' ? `log₁₀ of \`${unit}\`` : `\`${unit}\`${stepText(step)}`))
    .join(', ');

test('docs/analytes.md is the table of the code (make it again with `npx vitest run --project node -u` on this file)', async () => {
  const lines = [
    '# Analytes',
    '',
    'What an imported number can be. Made from `src/interop/analytes.ts` by `tests/unit/interop/analytes-document.test.ts`; not to be',
    'edited by hand. A value is kept in the unit of the second column. Other units are converted by the factor beside them; a unit that',
    'is not in the row is not converted, and the value is then kept as received. Codes with units of their own name a twin quantity.',
    'Outside of the plausible range a person should look; outside of the possible range a value is not computed with.',
    '',
    '| analyte | unit | LOINC | units and factors | plausible | possible |',
    '|---|---|---|---|---|---|',
    ...analytes.map(({ id, label, unit, codes, units, plausible, possible }) => {
      const named = codes.map((code) => (code.units ? `${code.code} (${unitsText(code.units)})` : code.code)).join(', ');
      const range = ([low, high]: readonly [number, number]): string => `${low}–${high}`;
      return `| ${label} (\`${id}\`) | \`${unit}\` | ${named || 'none: by name, once confirmed'} | ${unitsText(units)} | ${range(plausible)} | ${range(possible)} |`; // prettier-ignore
    }),
    '',
    'LOINC codes are © Regenstrief Institute, Inc.; see [NOTICE](../NOTICE).',
    '',
  ];
  await expect(lines.join('\n')).toMatchFileSnapshot('../../../docs/analytes.md');
});

test('docs/import.md says what every code means', () => {
  const text =
    readFileSync('docs/import.md', 'utf8')
      .split(/^## /mu)
      .find((section) => section.startsWith('Codes\n')) ?? '';
  const described = [...text.matchAll(/^\| `([a-z_]+)` \|/gmu)].map((match) => match[1]);
  expect(described.toSorted()).toEqual([...importCodes].toSorted());
});
