import { describe, expect, test } from 'vitest';
import type { DoseQuestion } from '#domain/dosing.ts';
import type { Regimen } from '#domain/plan.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { buildTimeline } from '#engine/timeline.ts';
import { compileModel } from '#packs/equations/compile.ts';
import type { EquationsModel } from '#packs/equations/model.ts';
import type { DoseGrid, EquationsManifest, Target } from '#packs/manifest.ts';
import { enumerate, searchDoses, type DosedModel, type DoseSearchDeps } from '#planning/dose-search.ts';

const model: EquationsModel = {
  id: 'one',
  title: 'One compartment',
  citation: 'made up',
  time: 'h',
  timeZero: 'first-event',
  covariates: {},
  constants: [
    { symbol: 'CLpop', value: 4, unit: 'L/h', label: 'Clearance' },
    { symbol: 'V', value: 40, unit: 'L', label: 'Volume' },
  ],
  effects: [{ symbol: 'etaCL', variance: 0.09, label: 'Clearance', per: 'person' }],
  parameters: [{ symbol: 'CL', unit: 'L/h', formula: 'CLpop * exp(etaCL)' }],
  compartments: {
    amountUnit: 'mg',
    central: 'A',
    clearance: 'CL',
    volume: 'V',
    peripherals: [],
    exposure: 'AUC',
  },
  inputs: [{ symbol: 'DOSE', intervention: 'drug', label: 'Drug', unit: 'mg', routes: ['iv-bolus'], into: 'A' }],
  readouts: [
    { symbol: 'concentration', unit: 'mg/L', formula: 'A / V' },
    { symbol: 'exposure', unit: 'mg.h/L', formula: 'AUC' },
  ],
  observations: [],
  stepper: { kind: 'closed-form' },
};

const base = { citation: 'made up' } as const;
const targets: readonly Target[] = [
  {
    ...base,
    id: 'auc',
    label: 'AUC24 400–600',
    intent: 'reach',
    measure: { readout: 'exposure', statistic: 'increase', window: { kind: 'last-days', days: 1 } },
    low: 400,
    high: 600,
    unit: 'mg.h/L',
  },
  {
    ...base,
    id: 'high',
    label: 'AUC24 above 600',
    intent: 'avoid',
    measure: { readout: 'exposure', statistic: 'increase', window: { kind: 'last-days', days: 1 } },
    low: 600,
    unit: 'mg.h/L',
  },
  {
    ...base,
    id: 'trough',
    label: 'Trough above 10',
    intent: 'reach',
    measure: { readout: 'concentration', statistic: 'at-end', window: { kind: 'last-interval' } },
    low: 10,
    unit: 'mg/L',
  },
];

const grid: DoseGrid = {
  intervention: 'drug',
  route: 'iv-bolus',
  amounts: [250, 500, 750, 1000, 1250, 1500],
  per: 'dose',
  roundTo: 250,
  intervalHours: [8, 12, 24],
  durationHours: [],
  startHours: [0],
  loadingAmounts: [0, 2000],
  maximumDose: 3000,
};

const manifest = {
  title: 'Test',
  targets,
  doseGrids: [grid],
} as unknown as EquationsManifest;

const program = compileModel(
  model,
  {
    covariates: [],
    markers: [],
    interventions: [{ id: 'drug' }],
    events: [],
  } as unknown as EquationsManifest,
  'test',
);

/** Effects at evenly spaced normal points, so that shares are known to 1 / lanes. */
function lanesOf(lanes: number): DosedModel['lanes'] {
  const effects = Float64Array.from({ length: lanes }, (_, i) => 0.3 * normalQuantile((i + 0.5) / lanes));
  return { lanes, effects, laneCovariates: [] };
}

// Bisection on a series would do; this is Acklam's rational approximation, good to 1e-9 in the middle, which is all that is used.
function normalQuantile(p: number): number {
  let [low, high] = [-8, 8];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < p) low = middle;
    else high = middle;
  }
  return low;
}

function normalCdf(x: number): number {
  // Abramowitz & Stegun 26.2.17, |error| < 7.5e-8.
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail =
    (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x > 0 ? 1 - tail : tail;
}

const dosed: DosedModel = {
  program,
  lanes: lanesOf(1024),
  initialStates: null,
  toModelTime: (days) => days * 24,
  timelineOf: (regimens: readonly Regimen[]) =>
    buildTimeline(program, {
      start: 0,
      end: 240,
      doses: regimens.flatMap(({ amount, startHour, everyHours, count }) =>
        Array.from(
          { length: everyHours === null ? 1 : Math.min(count ?? Infinity, Math.ceil((240 - startHour) / everyHours)) },
          (_, k) => ({
            input: 0,
            time: startHour + k * (everyHours ?? 0),
            amount,
            duration: 0,
          }),
        ),
      ),
      covariates: [{ time: 0, row: new Float64Array(0) }],
      controls: [],
      setStates: [],
      occasions: [],
      steadyState: null,
    }),
};

const deps: DoseSearchDeps = {
  manifest,
  models: [dosed],
  simulator: new ReferenceSimulator(),
  bodySize: { weightKg: 70, surfaceM2: null },
};

const question: DoseQuestion = {
  intervention: 'drug',
  reach: ['auc'],
  avoid: [{ target: 'high', atMost: 0.3 }],
  withLoadingDose: false,
  maximumPerDay: null,
  covariateChanges: [],
  horizonDays: 10,
  draws: 1024,
  seed: 1,
};

describe('dose search', () => {
  test('the chance of a target is the share that the closed form of the steady state says', async () => {
    const { candidates } = await searchDoses(question, deps);
    const best = candidates[0]!;
    // AUC24 at steady state is daily dose / CL, log-normal: the exact share between 400 and 600.
    const share = (daily: number) => normalCdf(Math.log(600 / (daily / 4)) / 0.3) - normalCdf(Math.log(400 / (daily / 4)) / 0.3);
    const found = candidates.filter(({ draws }) => draws === 1024);
    expect(found.length).toBeGreaterThan(5);
    // Ten days are 24 half-lives of the typical person and 10 of the slowest; 2 of 1,024 draws may fall on the other side.
    for (const one of found) expect(Math.abs(one.targets['auc']!.probability - share(one.amountPerDay))).toBeLessThan(0.004);
    expect(best.amountPerDay).toBe(2000);
    expect(best.keepsLimits).toBe(true);
  });

  test('halving ends with the best of a large grid on all draws, on half the courses of full enumeration', async () => {
    const large = { ...grid, amounts: Array.from({ length: 12 }, (_, i) => 250 * (i + 1)) };
    const { candidates, simulated, fullEnumeration } = await searchDoses(question, {
      ...deps,
      manifest: { ...manifest, doseGrids: [large] },
    });
    expect(candidates).toHaveLength(36);
    // 2,000 mg a day has the largest exact share: 500 every 6 is not on the grid, 1,000 every 12 and 2,000 every 24 are.
    expect(candidates.slice(0, 2).map(({ amountPerDay }) => amountPerDay)).toEqual([2000, 2000]);
    expect(candidates.slice(0, 2).map(({ draws }) => draws)).toEqual([1024, 1024]);
    expect(simulated / fullEnumeration).toBeLessThan(0.5);
  });

  test('the same question gives the same answer', async () => {
    expect(await searchDoses(question, deps)).toEqual(await searchDoses(question, deps));
  });

  test('a candidate that breaks a limit stands behind those that keep it, and is not left out', async () => {
    const { candidates } = await searchDoses({ ...question, avoid: [{ target: 'high', atMost: 0.05 }] }, deps);
    const order = candidates.map(({ keepsLimits }) => keepsLimits);
    expect(order).toEqual([...order].sort((a, b) => Number(b) - Number(a)));
    expect(order).toContain(false);
    expect(candidates).toHaveLength(18);
  });

  test('several targets are wanted together, in the same draw', async () => {
    const { candidates } = await searchDoses({ ...question, reach: ['auc', 'trough'] }, deps);
    for (const { allReached, targets: own } of candidates) {
      expect(allReached).toBeLessThanOrEqual(Math.min(own['auc']!.probability, own['trough']!.probability) + 1e-12);
    }
  });

  test('loading doses come first and the regimen one interval later', () => {
    const [, loaded] = enumerate(
      { ...grid, amounts: [1000], intervalHours: [12] },
      { ...question, withLoadingDose: true },
      deps.bodySize,
    );
    expect(loaded).toMatchObject([
      { amount: 2000, everyHours: null, count: 1, startHour: 0 },
      { amount: 1000, everyHours: 12, count: null, startHour: 12 },
    ]);
  });

  test('a loading dose may be per kg beside a fixed regimen, and infused more slowly', () => {
    const infused = { ...grid, route: 'iv-infusion', amounts: [1000], intervalHours: [12], durationHours: [1] } as const;
    const [loaded] = enumerate(
      { ...infused, loadingAmounts: [25], loadingPer: 'kg', loadingDurationHours: 2 },
      { ...question, withLoadingDose: true },
      deps.bodySize,
    );
    expect(loaded).toMatchObject([
      { amount: 1750, durationHours: 2 },
      { amount: 1000, durationHours: 1 },
    ]);
  });

  test('doses per kg are rounded to what can be given, once each', () => {
    const perKg = { ...grid, per: 'kg', amounts: [15, 16], intervalHours: [12] } as const;
    const found = enumerate(perKg, question, deps.bodySize);
    expect(found.map(([one]) => one!.amount)).toEqual([1000]);
  });

  test.each([
    [
      'without a weight',
      {
        ...deps,
        bodySize: { weightKg: null, surfaceM2: null },
        manifest: { ...manifest, doseGrids: [{ ...grid, per: 'kg' as const }] },
      },
      {},
      'covariate_missing',
    ],
    ['for a drug the pack does not dose', deps, { intervention: 'other' }, 'plan_outside_pack'],
    ['for no target', deps, { reach: [] }, 'request_invalid'],
    ['for a target the pack does not have', deps, { reach: ['none'] }, 'request_invalid'],
    ['below the smallest dose', deps, { maximumPerDay: 1 }, 'request_invalid'],
  ] as const)('a search %s is refused', async (_, parts, change, code) => {
    await expect(searchDoses({ ...question, ...change }, parts as DoseSearchDeps)).rejects.toMatchObject({ code });
  });

  test('a search that is stopped stops', async () => {
    const stop = new AbortController();
    stop.abort();
    await expect(searchDoses(question, deps, { signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' });
  });
});
