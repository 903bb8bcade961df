import { describe, expect, test } from 'vitest';
import type { PlanAnswer, PlanQuestion } from '#domain/planning.ts';
import type { Plan } from '#domain/plan.ts';
import { enumerate } from '#planning/candidates.ts';
import { mostInADay } from '#planning/doses-given.ts';
import { searchPlans, type PlanSubject } from '#planning/plan-search.ts';
import type { DoseGrid, EquationsManifest } from '#packs/manifest.ts';
import { normalCdf } from '../../fixtures/normal.ts';
import { clearance, dosedQuestion, dosedSubject, madeUpSubject } from '../../fixtures/toy-planning.ts';

const subject = dosedSubject();
const ask = (changed: Partial<PlanQuestion> = {}, of: PlanSubject = subject) =>
  searchPlans({ ...dosedQuestion, ...changed }, { subject: of });
const dailyOf = ({ regimens = [] }: Plan) => {
  const { amount, everyHours } = regimens.at(-1)!;
  return (24 * amount) / everyHours!;
};
const found = ({ candidates }: PlanAnswer) => candidates.filter(({ origin }) => origin === 'found');
const high = { kind: 'target', target: 'high' } as const;

// AUC24 at steady state is daily dose / CL, log-normal: the exact share between 400 and 600.
const share = (daily: number) =>
  normalCdf(Math.log(600 / (daily / clearance)) / 0.3) - normalCdf(Math.log(400 / (daily / clearance)) / 0.3);

describe('listed doses', () => {
  test('the chance of a target is the share that the closed form of the steady state says', async () => {
    const answer = await ask();
    const full = found(answer).filter(({ rollouts }) => rollouts === 1024);
    expect(full.length).toBeGreaterThan(5);
    // Ten days are 24 half-lives of the typical person and 10 of the slowest; 2 of 1,024 draws may fall on the other side.
    for (const one of full) expect(Math.abs(one.goals[0]!.value - share(dailyOf(one.plan)))).toBeLessThan(0.004);
    const [most] = full.toSorted((a, b) => b.goals[0]!.value - a.goals[0]!.value);
    expect(dailyOf(most!.plan)).toBe(2000);
  });

  test('every plan of the grid stands in the answer, in its order, and all are named in words', async () => {
    const answer = await ask();
    expect(found(answer)).toHaveLength(18);
    expect(found(answer).map(({ id }) => id)).toEqual(Array.from({ length: 18 }, (_, i) => `found-${i + 1}`));
    expect(found(answer)[0]!.name).toBe('250 mg every 8 h');
    expect(found(answer).at(-1)!.name).toBe('1,500 mg every 24 h');
    expect(answer.candidates[0]!.origin).toBe('usual-care');
    expect(answer.units).toEqual(['1']);
  });

  test('halving takes half the futures of full enumeration and ends on the same best of a larger grid', async () => {
    const large = dosedSubject({ grid: { amounts: Array.from({ length: 12 }, (_, i) => 250 * (i + 1)) } });
    const answer = await ask({}, large);
    expect(found(answer)).toHaveLength(36);
    const [first] = found(answer).toSorted((a, b) => b.score - a.score);
    expect(dailyOf(first!.plan)).toBe(2000);
    expect(first!.isOnFront).toBe(true);
    const searched = answer.rounds.reduce((sum, { candidates, rollouts }) => sum + candidates * rollouts, 0);
    expect(searched / answer.fullEnumeration).toBeLessThan(0.5);
  });

  test('loading doses come first and the regimen one interval later', async () => {
    const answer = await ask({ space: { kind: 'listed', intervention: 'drug', withLoadingDose: true } });
    expect(found(answer)).toHaveLength(36);
    const loaded = found(answer).find(({ name }) => name === '2,000 mg first, then 1,000 mg every 12 h');
    expect(loaded?.plan.regimens).toMatchObject([
      { amount: 2000, everyHours: null, count: 1, startHour: 0 },
      { amount: 1000, everyHours: 12, count: null, startHour: 12 },
    ]);
  });

  const grid = (changed: Partial<DoseGrid>): DoseGrid => ({
    intervention: 'drug',
    route: 'iv-infusion',
    amounts: [1000],
    per: 'dose',
    roundTo: 250,
    intervalHours: [12],
    durationHours: [1],
    startHours: [0],
    loadingAmounts: [0],
    maximumDose: 3000,
    ...changed,
  });
  const size = { weightKg: 70, surfaceM2: null };
  const options = { withLoadingDose: true, insistsOutside: false, horizonDays: 10 };

  test('a loading dose may be per kg beside a fixed regimen, and infused more slowly', () => {
    const [loaded] = enumerate(grid({ loadingAmounts: [25], loadingPer: 'kg', loadingDurationHours: 2 }), options, size);
    expect(loaded).toMatchObject([
      { amount: 1750, durationHours: 2 },
      { amount: 1000, durationHours: 1 },
    ]);
  });

  test('doses per kg are rounded to what can be given, once each', () => {
    const all = enumerate(grid({ per: 'kg', amounts: [15, 16] }), options, size);
    expect(all.map(([one]) => one!.amount)).toEqual([1000]);
  });
});

describe('what a person says', () => {
  test('a maximum per day bounds any 24 hours, the loading dose with the regimen', async () => {
    const answer = await ask({
      maximumPerDay: { drug: 3000 },
      space: { kind: 'listed', intervention: 'drug', withLoadingDose: true },
    });
    for (const { plan } of found(answer)) expect(mostInADay(plan.regimens ?? [], 'drug', 10)).toBeLessThanOrEqual(3000);
    expect(found(answer).some(({ plan }) => mostInADay(plan.regimens ?? [], 'drug', 10) === 3000)).toBe(true);
    expect(found(answer).length).toBeLessThan(36);
  });

  test('what is excluded is in no candidate, and an own plan that gives it is left out and said to be', async () => {
    const own: Plan = {
      id: 'plan-a',
      name: 'Plan A',
      blocks: [],
      regimens: [
        { intervention: 'drug', amount: 500, route: 'iv-bolus', durationHours: null, startHour: 0, everyHours: 12, count: null },
      ],
    };
    const open = await ask({ own: [own] });
    expect(open.candidates.map(({ origin }) => origin).slice(0, 2)).toEqual(['usual-care', 'own']);
    expect(found(open)).toHaveLength(17);
    const closed = await ask({ own: [own], excluded: ['drug'] });
    expect(closed.candidates.map(({ origin }) => origin)).toEqual(['usual-care']);
    expect(closed.message).toContain('No plan of this space is left');
    expect(closed.message).toContain('1 of your plans gives what is excluded');
    expect(closed.optimism).toBeNull();
  });

  test('a candidate that breaks a limit is shown as breaking it, and is beaten only by what keeps as many', async () => {
    const answer = await ask({ limits: [{ measure: high, atMost: 0.07 }] });
    const last = answer.candidates.filter(({ isRescored }) => isRescored);
    for (const one of last) expect(one.keepsLimits).toBe(one.limits[0]!.value <= 0.07);
    expect(found(answer).some(({ keepsLimits }) => !keepsLimits)).toBe(true);
    // Of 1,500 mg a day P(AUC > 600) is 5.9 %, of the next dose 12 %.
    const kept = last
      .filter((one) => one.isOnFront && one.keepsLimits && one.origin === 'found')
      .map(({ plan }) => dailyOf(plan));
    expect(new Set(kept)).toEqual(new Set([1500]));
  });

  test('beyond what the pack’s people had nothing is searched unless a person insists, and then it is marked', async () => {
    const small = dosedSubject({ grid: { maximumDose: 1000, amounts: [250, 500, 1000], intervalHours: [24] } });
    const inside = await ask({}, small);
    expect(found(inside).every(({ support }) => support.distance === 0 && support.reasons.length === 0)).toBe(true);
    const outside = await ask({ insistsOutside: true }, small);
    const beyond = found(outside).filter(({ support }) => support.distance > 0);
    expect(beyond.map(({ plan }) => dailyOf(plan))).toEqual([1250, 1500, 2000]);
    expect(beyond.map(({ support }) => support.distance)).toEqual([0.25, 0.5, 1]);
    expect(beyond[0]!.support.reasons[0]).toContain('largest the pack is meant for');
    expect(outside.message).toContain('3 of the plans shown lie outside');
  });

  test.each([
    ['without a weight', { space: { kind: 'listed', intervention: 'drug', withLoadingDose: false } }, 'covariate_missing'],
    [
      'for a drug the pack does not dose',
      { space: { kind: 'listed', intervention: 'x', withLoadingDose: false } },
      'plan_outside_pack',
    ],
    ['for nothing', { goals: [] }, 'request_invalid'],
    ['for goals that count nothing', { goals: dosedQuestion.goals.map((goal) => ({ ...goal, weight: 0 })) }, 'request_invalid'],
    [
      'for a target the pack does not have',
      { limits: [{ measure: { kind: 'target', target: 'x' }, atMost: 0.1 }] },
      'request_invalid',
    ],
    [
      'for an event the pack does not have',
      { limits: [{ measure: { kind: 'event', event: 'x', byDay: 1 }, atMost: 0.1 }] },
      'request_invalid',
    ],
    ['beyond the horizon of the pack', { horizonDays: 11 }, 'request_invalid'],
    ['in periods that are too many', { space: { kind: 'amounts', intervention: 'drug', periodDays: 0.01 } }, 'request_invalid'],
    [
      'of levers that the pack does not have',
      { space: { kind: 'on-off', interventions: ['drug'], periodDays: 1 } },
      'plan_outside_pack',
    ],
  ] as const)('a search %s is refused', async (what, changed, code) => {
    const of =
      what === 'without a weight'
        ? { ...dosedSubject({ grid: { per: 'kg' } }), bodySize: { weightKg: null, surfaceM2: null } }
        : subject;
    await expect(ask(changed as Partial<PlanQuestion>, of)).rejects.toMatchObject({ code });
  });

  test('for a person outside what the pack saw nothing is searched', async () => {
    const answer = await ask({}, { ...subject, withheld: 'Nobody younger was seen.' });
    expect(answer).toMatchObject({ status: 'outside-support', candidates: [], simulated: 0 });
    expect(answer.message).toContain('Nobody younger was seen.');
  });
});

describe('amounts by CMA-ES', () => {
  test('the daily dose is within 2 % of the closed form, and the same in every period', async () => {
    // The share between a and b is largest where both ends lie equally far on the log scale: daily dose = CL √(a b).
    const exact = clearance * Math.sqrt(450 * 550);
    const fine = dosedSubject({ sd: 0.1, auc: [450, 550], lanes: 4000, grid: { roundTo: 1, intervalHours: [24] } });
    const answer = await ask(
      { rollouts: 4000, space: { kind: 'amounts', intervention: 'drug', periodDays: 10 }, maximumPerDay: {} },
      {
        ...fine,
        manifest: {
          ...fine.manifest,
          doseGrids: [{ ...(fine.manifest as EquationsManifest).doseGrids[0]!, amounts: [500, 3000] }],
        } as never,
      },
    );
    const [first] = found(answer).toSorted((a, b) => b.score - a.score);
    expect(Math.abs(dailyOf(first!.plan) / exact - 1)).toBeLessThan(0.02);
    expect(first!.isRescored).toBe(true);
    expect(answer.fullEnumeration).toBeGreaterThan(answer.simulated);
  });

  test('amounts are multiples of what can be given, inside the pack’s range and below the maximum', async () => {
    const answer = await ask({
      rollouts: 256,
      horizonDays: 4,
      space: { kind: 'amounts', intervention: 'drug', periodDays: 1 },
      maximumPerDay: { drug: 2200 },
    });
    expect(found(answer).length).toBeGreaterThan(5);
    for (const { plan, name } of found(answer)) {
      for (const { amount } of plan.regimens!) {
        expect(amount % 250).toBe(0);
        expect(amount).toBeGreaterThanOrEqual(250);
      }
      expect(mostInADay(plan.regimens!, 'drug', 4)).toBeLessThanOrEqual(2200);
      expect(name).toMatch(/^[\d, then]+ mg every 24 h(, changed every 24 h)?$/);
    }
    expect(new Set(found(answer).map(({ name }) => name)).size).toBe(found(answer).length);
  });
});

describe('the winner’s curse', () => {
  const noise = (count: number) =>
    dosedSubject({ grid: { amounts: Array.from({ length: count }, (_, i) => 250 + i), roundTo: 1, intervalHours: [24] } });
  const chance = { kind: 'target', target: 'auc' } as const;

  test('among plans that are all alike optimism is above zero, and what is scored again is not biased', async () => {
    const of = madeUpSubject(noise(60), { truth: () => [0.5], noise: 1 });
    const optimism: number[] = [];
    const searched: number[] = [];
    const rescored: number[] = [];
    for (let seed = 1; seed <= 40; seed++) {
      const answer = await ask({ seed, rollouts: 1000, goals: [{ measure: chance, wish: 'more', weight: 1 }] }, of);
      optimism.push(answer.optimism!.value);
      const last = answer.candidates.filter(({ isRescored }) => isRescored);
      rescored.push(...last.map(({ goals }) => goals[0]!.value));
      searched.push(
        ...found(answer)
          .filter(({ isRescored }) => isRescored)
          .map(({ goals }) => goals[0]!.value),
      );
    }
    expect(mean(optimism)).toBeGreaterThan(3 * standardError(optimism));
    // The mean of so many independent figures of standard deviation 1/√1000 errs by 0.0014.
    expect(Math.abs(mean(rescored) - 0.5)).toBeLessThan(0.005);
    expect(Math.abs(mean(searched) - 0.5)).toBeLessThan(0.005);
  });

  test('its 90 % interval covers the optimism of a repetition as often as it says', async () => {
    // Where nothing is chosen, because one plan is far better, there is no optimism to find: the interval should hold 0.
    const of = madeUpSubject(noise(30), { truth: ({ regimens }) => [regimens?.[0]?.amount === 260 ? 5 : 0], noise: 1 });
    let covered = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const { optimism } = await ask({ seed, rollouts: 1000 }, of);
      if (optimism!.low <= 0 && optimism!.high >= 0) covered++;
    }
    // 60 draws of 0.9: between 47 and 59 in 99 of 100 runs (twenty groups make the normal interval a little short).
    expect(covered).toBeGreaterThanOrEqual(47);
  });

  test('a first look is not scored again, and says so', async () => {
    const answer = await ask({ rollouts: 200 });
    expect(answer.optimism).toBeNull();
    expect(answer.candidates.some(({ isRescored }) => isRescored)).toBe(false);
    expect(answer.candidates.some(({ isOnFront }) => isOnFront)).toBe(true);
  });
});

describe('a search', () => {
  test('of two goals shows the front between them, and never in the order of merit', async () => {
    // More of the one is less of the other, but for every third plan, which is worse in both.
    const amountOf = ({ regimens = [] }: Plan) => regimens[0]?.amount ?? 0;
    const of = madeUpSubject(
      dosedSubject({ grid: { amounts: Array.from({ length: 45 }, (_, i) => i + 1), roundTo: 1, intervalHours: [24] } }),
      {
        truth: (plan) => {
          const isWorse = amountOf(plan) % 3 === 0;
          return [amountOf(plan) - (isWorse ? 40 : 0), -amountOf(plan) - (isWorse ? 40 : 0)];
        },
        noise: 0.01,
      },
    );
    const goals = [
      { measure: { kind: 'target', target: 'auc' }, wish: 'more', weight: 1 },
      { measure: { kind: 'target', target: 'trough' }, wish: 'more', weight: 1 },
    ] as const;
    const answer = await ask({ goals, rollouts: 1000 }, of);
    const front = found(answer).filter(({ isOnFront }) => isOnFront);
    expect(front.length).toBeGreaterThanOrEqual(12);
    expect(front.every(({ plan }) => amountOf(plan) % 3 !== 0)).toBe(true);
    const amounts = found(answer).map(({ plan }) => amountOf(plan));
    expect(amounts).toEqual(amounts.toSorted((a, b) => a - b));
  });

  test('a goal of weight 0 is shown and counts nothing', async () => {
    const goals = [dosedQuestion.goals[0]!, { measure: high, wish: 'less', weight: 0 }] as const;
    const [with0, without] = [await ask({ goals }), await ask()];
    expect(with0.candidates.map(({ isOnFront }) => isOnFront)).toEqual(without.candidates.map(({ isOnFront }) => isOnFront));
    expect(with0.candidates.map(({ score }) => score)).toEqual(without.candidates.map(({ score }) => score));
    expect(with0.candidates[3]!.goals).toHaveLength(2);
  });

  test.each([
    ['listed', { kind: 'listed', intervention: 'drug', withLoadingDose: true }],
    ['amounts', { kind: 'amounts', intervention: 'drug', periodDays: 2 }],
  ] as const)('of the same question gives the same answer: %s', async (_, space) => {
    const changed = { space, rollouts: 200, limits: [{ measure: high, atMost: 0.3 }] };
    expect(await ask(changed)).toEqual(await ask(changed));
  });

  test('that is stopped after its first round gives what is there', async () => {
    const stop = new AbortController();
    let rounds = 0;
    const of: PlanSubject = {
      ...subject,
      evaluator: async (...asked) => {
        const own = await subject.evaluator(...asked);
        return {
          evaluate: async (...those) => {
            if (++rounds === 2) stop.abort();
            return own.evaluate(...those);
          },
        };
      },
    };
    const answer = await searchPlans(dosedQuestion, { subject: of }, { signal: stop.signal });
    expect(answer.status).toBe('stopped');
    expect(found(answer)).toHaveLength(18);
    expect(answer.candidates.some(({ isOnFront }) => isOnFront)).toBe(true);
    expect(answer.candidates.every(({ isRescored }) => !isRescored)).toBe(true);
    expect(answer.optimism).toBeNull();
  });

  test.each([
    ['listed plans', {}],
    [
      'amounts',
      {
        space: { kind: 'amounts', intervention: 'drug', periodDays: 5 },
        goals: [...dosedQuestion.goals, { measure: { kind: 'burden', of: 'amount' }, wish: 'less', weight: 5 }],
      } as const,
    ],
  ])('says on the way what it would answer if it was stopped: %s', async (_, changed) => {
    const partial: PlanAnswer[] = [];
    const asked = { ...dosedQuestion, rollouts: 1000, ...changed };
    const answer = await searchPlans(asked, { subject }, { onPartial: (one) => partial.push(one) });
    expect(partial.length).toBeGreaterThan(1);
    for (const one of partial) {
      expect(one).toMatchObject({ status: 'stopped', optimism: null });
      expect(one.candidates.some(({ isOnFront }) => isOnFront)).toBe(true);
      expect(one.candidates.some(({ isRescored }) => isRescored)).toBe(false);
    }
    expect(partial.at(-1)!.rounds).toEqual(answer.rounds);
    expect(answer).toMatchObject({ status: 'completed' });
    expect(answer.candidates.some(({ isRescored }) => isRescored)).toBe(true);
  });

  test('that is stopped before it knows anything has no candidates', async () => {
    const answer = await searchPlans(dosedQuestion, { subject }, { signal: AbortSignal.abort() });
    expect(answer).toMatchObject({ status: 'stopped', candidates: [] });
  });

  test('reports progress that never falls and ends at 1', async () => {
    const seen: number[] = [];
    await searchPlans(dosedQuestion, { subject }, { onProgress: (fraction) => seen.push(fraction) });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBeCloseTo(1, 9);
  });

  test('halving loses little against scoring everything in full', async () => {
    // Thirty plans within three standard errors of each other: what halving ends on is worth, in truth, almost as much.
    const truths = (amount: number) => 0.5 - 0.002 * Math.abs(amount - 265);
    const of = madeUpSubject(noise30(), {
      truth: ({ regimens }) => [truths(regimens?.[0]?.amount ?? 0)],
      noise: 0.5,
      common: 0.8,
    });
    const regret: number[] = [];
    for (let seed = 1; seed <= 30; seed++) {
      const answer = await ask({ seed, rollouts: 4000 }, of);
      const [first] = found(answer).toSorted((a, b) => b.score - a.score);
      regret.push(0.5 - truths(first!.plan.regimens![0]!.amount));
    }
    // The standard error of a paired difference in the last round is 0.5 √(2 · 0.2 / 4000) = 0.005.
    expect(mean(regret)).toBeLessThan(0.005);
  });
});

const noise30 = () =>
  dosedSubject({ grid: { amounts: Array.from({ length: 30 }, (_, i) => 250 + i), roundTo: 1, intervalHours: [24] } });
const standardError = (values: readonly number[]) =>
  Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)) / (values.length - 1));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
