import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

type Rgb = readonly [number, number, number];
type Theme = 'light' | 'dark';

// Ottosson (2020), "A perceptual color space for image processing": Oklab to linear sRGB.
function luminance([L, C, h]: Rgb): number {
  const a = C * Math.cos((h * Math.PI) / 180);
  const b = C * Math.sin((h * Math.PI) / 180);
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const clamp = (x: number) => Math.min(1, Math.max(0, x));
  const red = clamp(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
  const green = clamp(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
  const blue = clamp(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: Rgb, other: Rgb): number {
  const [a, b] = [luminance(one), luminance(other)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}

const css = readFileSync(new URL('../../../../src/ui/theme/tokens.css', import.meta.url), 'utf8');
const tokens = new Map<string, Record<Theme, Rgb>>();
const numbers = (text: string) => text.trim().split(/\s+/).map(Number) as unknown as Rgb;
for (const [, name, light, dark] of css.matchAll(/--([\w-]+): light-dark\(oklch\(([^)/]+)\), oklch\(([^)/]+)\)\)/g)) {
  tokens.set(name, { light: numbers(light), dark: numbers(dark) });
}

function ratio(theme: Theme, mark: string, ground: string): number {
  const [one, other] = [tokens.get(mark), tokens.get(ground)];
  if (!one || !other) throw new Error(`tokens.css lacks --${one ? ground : mark} as light-dark(oklch(…), oklch(…))`);
  return contrast(one[theme], other[theme]);
}

const grounds = ['paper', 'surface', 'sunken'];
const plans = ['usual', 'a', 'b', 'c', 'd'].map((key) => `plan-${key}`);
const text = ['ink', 'ink-muted', 'ink-faint', 'accent', 'amber-ink', 'fault-ink', ...plans.map((plan) => `${plan}-ink`)];
const groups = ['1', '2', '3', '4', '5', '6', 'rest'].map((key) => `group-${key}`);
const marks = ['edge', 'amber', 'fault', 'event-1', 'event-2', 'event-3', 'event-4', 'event-free', ...plans, ...groups];

describe.each(['light', 'dark'] as const)('%s theme', (theme) => {
  test.each(text)('%s reads as text on every ground', (name) => {
    for (const ground of grounds) expect(ratio(theme, name, ground), `on ${ground}`).toBeGreaterThanOrEqual(4.5);
  });
  test.each(marks)('%s is seen as a mark on every ground', (name) => {
    for (const ground of grounds) expect(ratio(theme, name, ground), `on ${ground}`).toBeGreaterThanOrEqual(3);
  });
  test.each([
    ['on-accent', 'accent'],
    ['on-accent', 'accent-strong'],
    ['ink', 'hover'],
    ['accent', 'accent-soft'],
    ['ink', 'accent-soft'],
    ['amber-ink', 'amber-soft'],
    ['ink', 'amber-soft'],
    ['fault-ink', 'fault-soft'],
    ['ink', 'fault-soft'],
  ])('%s reads on %s', (name, ground) => {
    expect(ratio(theme, name, ground)).toBeGreaterThanOrEqual(4.5);
  });
});
