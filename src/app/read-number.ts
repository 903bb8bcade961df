/** What a person typed into a cell: a number, and the unit behind it if there is one. */
export interface TypedQuantity {
  readonly value: number;
  readonly unit: string;
}

/**
 * Reads "1.4", "1,4", "34 µmol/L" and "1 200". Null for what is no number. One comma is a decimal mark unless three digits follow it:
 * "1,234" is 1.234 in one country and 1234 in another, so it is refused rather than guessed.
 */
export function readQuantity(typed: string): TypedQuantity | null {
  // Units that begin with a ten ("10*9/L") first: their digits are not the number's.
  const trimmed = typed.trim();
  const match = /^(\S+)\s+(10[*^⁰-⁹].*)$/u.exec(trimmed) ?? /^([+\-−]?[\d.,\u00a0\u202f ]*\d)\s*(\D.*)?$/u.exec(trimmed);
  if (!match) return null;
  const value = readNumber(match[1]!);
  return value === null ? null : { value, unit: (match[2] ?? '').trim() };
}

function readNumber(typed: string): number | null {
  const text = typed.replace('−', '-').replace(/[\u00a0\u202f ](?=\d{3}(?!\d))/g, '');
  const decimal = /^[+-]?\d+(?:,(?:\d{1,2}|\d{4,}))$/.test(text) ? text.replace(',', '.') : text;
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(decimal) ? Number(decimal) : null;
}

/** "<0.5" and ">1000 mg/L" are limits and no numbers: the side, and what stands behind it. Null for anything else. */
export function readLimit(typed: string): { readonly side: '<' | '>'; readonly rest: string } | null {
  const match = /^\s*([<>≤≥])(.*)$/.exec(typed);
  return match && { side: match[1] === '<' || match[1] === '≤' ? '<' : '>', rest: match[2]! };
}
