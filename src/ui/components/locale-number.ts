/** Reads a number as people of a locale type it. Null for nothing, NaN for what is no number; never a guess about a group separator. */
export function parseLocaleNumber(text: string, locale?: string): number | null {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  const parts = new Intl.NumberFormat(locale).formatToParts(-12345.6);
  const decimal = parts.find((part) => part.type === 'decimal')?.value ?? '.';
  // Any space is a group separator, as is the locale's own mark, but only between threes: "1,5" in English is a slip, not 15.
  const group = parts.find((part) => part.type === 'group')?.value ?? '';
  let plain = trimmed.replace(/[−–]/g, '-').replace(/[\s\u00a0\u202f'’](?=\d{3}(?!\d))/g, '');
  if (group.trim() && plain.includes(group)) {
    if (!new RegExp(`^[+-]?\\d{1,3}(\\${group}\\d{3})+(\\${decimal}\\d*)?$`).test(plain)) {
      // The other locale's decimal mark, alone and unambiguous: accept "5.4" from a German keyboard, refuse "1.234" lest it mean 1234.
      if (!new RegExp(`^[+-]?\\d*\\${group}\\d{1,2}$`).test(plain)) return Number.NaN;
      return Number(plain.replace(group, '.'));
    }
    plain = plain.replaceAll(group, '');
  }
  plain = plain.replace(decimal, '.');
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : Number.NaN;
}

/** As it is typed: no group separators, so that it can be edited. */
export function formatForEditing(value: number | null, locale?: string): string {
  if (value === null || !Number.isFinite(value)) return '';
  return new Intl.NumberFormat(locale, { useGrouping: false, maximumFractionDigits: 10 }).format(value);
}
