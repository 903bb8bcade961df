import { describe, expect, test } from 'vitest';
import { corrected } from '#trust/corrections.ts';
import { logOf } from '#trust/local-log.ts';
import { outcomesOf } from '#trust/outcomes.ts';
import { isJudge, recalibrate, shortfall, type LocalCase } from '#trust/recalibrate.ts';
import { frozenCases, type Truth } from '../../fixtures/frozen-forecasts.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';

const { manifest } = toyPack();
const request = (cases: readonly LocalCase[]) => ({ manifest, packDigest: 'toy', cases, id: 'r-1', madeAt: 0 });
const learn = (kind: 'intervals' | 'event-odds', people: number, truth: Truth) =>
  recalibrate(kind, request(frozenCases(manifest, people, truth)));
const figure = (figures: readonly { label: string; value: number }[], label: RegExp) =>
  figures.find((one) => label.test(one.label))!.value;

describe('outcomes of a frozen forecast', () => {
  const cases = frozenCases(manifest, 300);
  const log = logOf(
    cases.flatMap(({ frozen, record }) =>
      outcomesOf(frozen, record, manifest).map((outcome) => ({ patientId: record.id, outcome })),
    ),
  );

  test('of a forecast that is right, ranges hold what they promise and ranks are even', () => {
    for (const { level, share, interval } of log.coverage) {
      expect(interval!.low).toBeLessThan(level);
      expect(interval!.high).toBeGreaterThan(level);
      expect(Math.abs(share - level)).toBeLessThan(0.06);
    }
    // 1,000 values in ten bins: a bin is off by more than a third of its share with less than one in a hundred.
    for (const count of log.ranks) expect(Math.abs(count / log.values - 0.1)).toBeLessThan(0.034);
    const last = log.events.at(-1)!;
    expect(Math.abs(last.expected - last.happened)).toBeLessThan(30);
  });

  test('what was there before, what lies beyond the horizon and what lies beyond a limit do not count', () => {
    const [{ frozen, record }] = cases as [LocalCase];
    const base = record.observations[0]!;
    const observations = [
      { ...base, date: '2019-12-01' },
      { ...base, date: '2021-06-01' },
      { ...base, date: '2020-03-01', isBelowLimit: true as const },
      { ...base, date: '2020-03-02', unit: 'furlong' },
    ];
    const outcomes = outcomesOf(frozen, { ...record, observations, events: [] }, manifest);
    expect(outcomes.filter(({ of }) => of.kind === 'marker')).toEqual([]);
  });

  test('two values of one day are each scored by themselves', () => {
    const [{ frozen, record }] = cases as [LocalCase];
    const base = record.observations[0]!;
    const scores = (...values: readonly number[]) =>
      outcomesOf(frozen, { ...record, observations: values.map((value) => ({ ...base, value })), events: [] }, manifest).flatMap(
        ({ of }) => (of.kind === 'marker' ? [of.score] : []),
      );
    const [near, far] = [base.value, 50 * base.value];
    expect(scores(near, far)).toEqual([...scores(near), ...scores(far)]);
    expect(scores(far)[0]).toBeGreaterThan(scores(near)[0]!);
  });

  test('a person without an event counts only as far as the record reaches', () => {
    const quiet = cases.find(({ record }) => record.events.length === 0)!;
    const until = (date: string) => ({
      ...quiet.record,
      observations: quiet.record.observations.filter((one) => one.date <= date),
    });
    const horizons = (record: LocalCase['record']) =>
      outcomesOf(quiet.frozen, record, manifest).flatMap(({ of, horizonDays }) => (of.kind === 'event' ? [horizonDays] : []));
    expect(horizons(until('2020-07-01'))).toEqual([90, 180]);
    expect(horizons(quiet.record)).toEqual([90, 180, 360]);
  });
});

describe('a correction from local outcomes', () => {
  test('patients are split once, about in halves', () => {
    const ids = Array.from({ length: 1000 }, (_, i) => `p-${i}`);
    const judges = ids.filter(isJudge).length;
    expect(judges).toBeGreaterThan(400);
    expect(judges).toBeLessThan(600);
  });

  test('is not offered with few patients, and says how many there are and are needed', () => {
    const answer = learn('intervals', 12, { spread: 2 });
    expect(answer).toMatchObject({ status: 'too-few' });
    expect(answer.message).toContain('Found 12');
    expect(shortfall('intervals', frozenCases(manifest, 60), manifest)).toBeNull();
  });

  test('widens bands of a truth that spreads twice as far, and ranges then hold what they promise', () => {
    const answer = learn('intervals', 160, { spread: 2 });
    if (answer.status !== 'better') throw new Error(answer.message);
    const { correction, before, after, trainedOn, testedOn, isOn } = answer.recalibration;
    expect(correction.kind === 'intervals' && correction.factors['bilirubin']).toBeGreaterThan(1.7);
    expect(correction.kind === 'intervals' && correction.factors['bilirubin']).toBeLessThan(2.3);
    expect(figure(before, /90 %/)).toBeLessThan(0.75);
    expect(Math.abs(figure(after, /90 %/) - 0.9)).toBeLessThan(0.06);
    expect(trainedOn + testedOn).toBe(160);
    expect(isOn).toBe(false);
  });

  test('narrows bands of a truth that spreads half as far', () => {
    const answer = learn('intervals', 160, { spread: 0.5 });
    expect(answer.status).toBe('better');
  });

  test.each([1, 2, 3, 4])('is not kept where forecasts are right already (seed %i)', (seed) => {
    expect(learn('intervals', 120, { seed }).status).toBe('no-better');
    expect(learn('event-odds', 160, { seed }).status).toBe('no-better');
  });

  test('moves the odds of an event that comes far more often', () => {
    const answer = learn('event-odds', 300, { logOdds: 2 });
    if (answer.status !== 'better') throw new Error(answer.message);
    const { before, after } = answer.recalibration;
    expect(Math.abs(figure(after, /less what happened/))).toBeLessThan(Math.abs(figure(before, /less what happened/)));
    expect(figure(after, /Brier/)).toBeLessThan(figure(before, /Brier/));
  });

  test('the same outcomes give the same correction', () => {
    expect(learn('intervals', 80, { spread: 2 })).toEqual(learn('intervals', 80, { spread: 2 }));
  });
});

describe('a forecast with corrections', () => {
  const { forecast } = frozenCases(manifest, 1)[0]!.frozen;

  test('says so, and without any it stays the very same', () => {
    expect(corrected(forecast, manifest, [])).toBe(forecast);
    const correction = { kind: 'intervals', factors: { bilirubin: 2 } } as const;
    const changed = corrected(forecast, manifest, [{ id: 'r', words: 'Wider.', correction }]);
    expect(changed.corrections).toEqual([{ kind: 'intervals', id: 'r', words: 'Wider.' }]);
    const [was, is] = [forecast, changed].map(({ plans }) => plans[0]!.markers['bilirubin']!);
    expect(is!.median).toEqual(was!.median);
    is!.bands.forEach(({ low, high }, b) => {
      expect(low[1]!).toBeLessThan(was!.bands[b]!.low[1]!);
      expect(high[1]!).toBeGreaterThan(was!.bands[b]!.high[1]!);
    });
  });

  test('odds keep 0, stay below 1, ascend, and leave parts that add up to one', () => {
    const event = manifest.events[0]!.id;
    const correction = { kind: 'event-odds', events: { [event]: { intercept: 1.5, slope: 0.8 } } } as const;
    const [plan] = corrected(forecast, manifest, [{ id: 'r', words: '', correction }]).plans;
    const { incidence } = plan!.events[event]!;
    expect(incidence[0]).toBe(0);
    incidence.slice(1).forEach((p, t) => {
      expect(p).toBeGreaterThan(incidence[t]!);
      expect(p + plan!.eventFree[t + 1]!).toBeCloseTo(1, 12);
    });
  });

  test('a conformal shift that would turn a band inside out leaves its middle', () => {
    const marker = [
      {
        untilDays: 1000,
        people: 50,
        shifts: [
          { level: 0.5, shift: -9 },
          { level: 0.9, shift: 0.5 },
        ],
      },
    ];
    const table = {
      format: 'counterpart-conformal/1',
      packId: 'toy',
      model: '',
      learnedFrom: 'nobody',
      markers: { bilirubin: marker },
      events: [],
    } as const;
    const correction = { kind: 'conformal', table } as const;
    const changed = corrected(forecast, manifest, [{ id: 'c', words: '', correction }]).plans[0]!.markers['bilirubin']!;
    const half = changed.bands.find(({ level }) => level === 0.5)!;
    expect(half.low[1]).toBeCloseTo(changed.median[1]!, 9);
    expect(half.high[1]).toBeCloseTo(changed.median[1]!, 9);
    const before = forecast.plans[0]!.markers['bilirubin']!.bands;
    expect(changed.bands.find(({ level }) => level === 0.9)!.high[1]).toBeGreaterThan(
      before.find(({ level }) => level === 0.9)!.high[1]!,
    );
    // Too few people promised nothing at this level, and nothing is changed.
    expect(changed.bands.find(({ level }) => level === 0.8)!.high[1]).toBeCloseTo(
      before.find(({ level }) => level === 0.8)!.high[1]!,
      9,
    );
  });
});
