import { describe, expect, test } from 'vitest';
import type { PackManifest } from '#app/manifest.ts';
import {
  figureId,
  figureOf,
  headSentence,
  inSentence,
  membersOf,
  moves,
  rankedRows,
  readableValue,
  scaleOf,
  scaleOfAnswer,
  unknownSentence,
} from '#ui/features/why/why-words.ts';
import type { Subject } from '#app/why.svelte.ts';
import { toyAttribution } from '../../../fixtures/toy-explanation.ts';
import { toyPack } from '../../../fixtures/toy-pack.ts';

const { manifest } = toyPack();
const plain = (text: string) => text.replaceAll(/[\u00a0\u2009]/g, ' ');
const marker: Subject = { figure: { kind: 'marker', marker: 'x' }, planId: 'usual-care', isDifference: false };

describe('the first sentence', () => {
  const words = { what: 'bilirubin under usual care', when: 'in 3 years' };
  const say = (changed: Parameters<typeof toyAttribution>[0] = {}, subject = marker) => {
    const answer = toyAttribution(changed);
    return plain(headSentence(answer, subject, words, scaleOfAnswer(answer, subject), 1));
  };

  test('goes from the reference to the person, with intervals, and names what raises and lowers', () => {
    expect(say()).toBe(
      'What the model used for bilirubin under usual care in 3 years: 2.00–2.20 mg/dL for this person, 0.90–1.10 with every input at what stands in its place. It is raised by bilirubin (1.40–1.60) and age (0.10–0.30), and lowered by plan: Drug (0.50–0.70).',
    );
  });

  test('names nothing that chance could turn round', () => {
    expect(say({ noise: [0, 2] })).toMatch(/No group of inputs moves it by more than chance\.$/);
  });

  test('does not let noise put a chance above everybody', () => {
    const chance: Subject = { ...marker, figure: { kind: 'event', event: null } };
    expect(say({ base: [0, 0.65], full: [0, 0.98], noise: [0, 0.05] }, chance)).toContain('88–100 people of 100 for this person');
  });

  test('does not let noise put a level below nothing, and lets a difference be', () => {
    expect(say({ noise: [0, 0.8] })).toContain('0.0–2.6 with every input');
    expect(say({ noise: [0, 0.8] }, { ...marker, isDifference: true })).toContain('−0.6 to 2.6 with every input');
  });

  test('counts people of 100 where a chance is explained, of 1,000 where it is rare', () => {
    expect(scaleOf({ kind: 'event', event: null }, '1', 0.2)).toEqual({ factor: 100, unit: 'people of 100' });
    expect(scaleOf({ kind: 'event', event: null }, '1', 0.01)).toEqual({ factor: 1000, unit: 'people of 1,000' });
  });
});

test('rows are ranked at the chosen time and keep their numbers of the whole river', () => {
  const answer = toyAttribution();
  const rows = rankedRows(answer, scaleOfAnswer(answer, marker), 1);
  expect(rows.map(({ id, number }) => [id, number])).toEqual([
    ['history-bilirubin', 1],
    ['plan-drug', 2],
    ['person-age', 3],
  ]);
  const sampled = toyAttribution({
    standardErrors: [
      [0, 0.3],
      [0, 0],
      [0, 0],
    ],
  });
  const [, , age] = rankedRows(sampled, scaleOfAnswer(sampled, marker), 1);
  expect(age!.high - age!.low).toBeCloseTo(2 * 1.96 * Math.hypot(0.3, 0.05), 9);
});

test('a direction is said only where the interval has one', () => {
  expect(moves(1, 0.2)).toBe('raises it by 0.80–1.20');
  expect(moves(-1, 0.2)).toBe('lowers it by 0.80–1.20');
  expect(plain(moves(0.1, 0.2))).toBe('no more than chance (+0.10)');
  expect(moves(0, 0)).toMatch(/^no more than chance/);
});

describe('a group is about', () => {
  const other = { ...manifest, kind: 'learned' } as PackManifest;
  const [first] = manifest.markers;

  test('its marker, one value of it, or all that was measured', () => {
    const ids = (id: string) => membersOf({ id, kind: 'history' }, other, []).markers.map((one) => one.id);
    expect(ids(`history-${first!.id}`)).toEqual([first!.id]);
    expect(ids(`history-${first!.id}-2`)).toEqual([first!.id]);
    expect(ids('history')).toEqual([...manifest.markers, ...manifest.signs].map((one) => one.id));
    expect(ids('history-signs')).toEqual(manifest.signs.map((one) => one.id));
  });

  test('its intervention, those of its exclusive group, or the plan’s', () => {
    const [one] = manifest.interventions;
    const ids = (id: string, planned: string[] = []) =>
      membersOf({ id, kind: 'plan' }, other, planned).interventions.map((each) => each.id);
    expect(ids(`plan-${one!.id}`)).toContain(one!.id);
    expect(ids(`plan-${one!.id}-3`)).toContain(one!.id);
    expect(ids('plan', [one!.id])).toEqual([one!.id]);
    expect(ids('plan')).toEqual([]);
  });
});

test('units are read as people write them', () => {
  expect(readableValue('54 a')).toBe('54 years');
  expect(readableValue('7 values, last 97 umol/L, today')).toBe('7 values, last 97 µmol/L, today');
  expect(readableValue('female')).toBe('female');
  expect(readableValue('2 × 1,000 mg')).toBe('2 × 1,000 mg');
});

test('words begin small in a sentence unless they are abbreviations', () => {
  expect(['Bilirubin', 'INR', 'CD4 cells', 'Age at entry'].map(inSentence)).toEqual([
    'bilirubin',
    'INR',
    'CD4 cells',
    'age at entry',
  ]);
});

test('a figure survives its way through a select', () => {
  for (const figure of [
    { kind: 'marker', marker: 'a:b' },
    { kind: 'event', event: 'death' },
    { kind: 'event', event: null },
  ] as const) {
    expect(figureOf(figureId(figure))).toEqual(figure);
  }
});

test('what is not known is said largest first, and nothing where chance would do', () => {
  const share = (value: number) => ({ value, low: value - 0.05, high: value + 0.05 });
  const answer = {
    timesDays: [0],
    samples: 8,
    elapsedMs: 1,
    message: '',
    parameters: [
      { symbol: 'v', label: 'Volume', kind: 'parameter' as const, first: [share(0.3)], total: [share(0.2)] },
      { symbol: 'cl', label: 'Clearance', kind: 'parameter' as const, first: [share(0.7)], total: [share(0.6)] },
    ],
  };
  expect(plain(unknownSentence(answer, 0, 'the level', 'in 5 days'))).toBe(
    'Of the spread of the level in 5 days, knowing clearance alone would take away 65–75 %, volume 25–35 %.',
  );
  const none = { ...answer, parameters: [{ ...answer.parameters[0]!, first: [{ value: 0.01, low: 0, high: 0.1 }] }] };
  expect(unknownSentence(none, 0, 'the level', 'in 5 days')).toMatch(/^Knowing no single unknown/);
});
