/** Policies against theory: the value of a measurement in closed form, and refitting by weights against fitting afresh. */
import { describe, expect, test } from 'vitest';
import { demonstrationRecord } from '#cohorts/demonstrations.ts';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { normalCdf } from '#numerics/special-functions.ts';
import { loadPack } from '#packs/catalogue.ts';
import { isLearned } from '#packs/pack.ts';
import { absorb, beliefToday, fitAfresh, type VirtualMeasurement } from '#planning/policies/belief.ts';
import { followPlans, everyDraw, type CourseDeps } from '#planning/policies/courses.ts';
import { writeOut } from '#planning/policies/equations-policies.ts';
import { splitDraws, type DrawSet } from '#planning/policies/draws.ts';
import { readyPolicies } from '#planning/policies/ready.ts';
import { valueByRegression, valueByWeighing, valueOfPerfection } from '#planning/policies/sample-information.ts';
import { fitPerson } from '#twin/equations/fitted-person.ts';
import { measurementOf } from '#twin/equations/virtual-measurement.ts';
import { readModels } from '../../scripts/read-models.ts';

describe('the value of a measurement', () => {
  // θ ~ N(m, s²) is measured as θ + N(0, e²). Option 0 is worth nothing, option 1 is worth θ. After the measurement the mean of θ is
  // N(m, τ²) with τ² = s⁴ / (s² + e²), so what choosing after it is worth is E max(0, ·) = m Φ(m/τ) + τ φ(m/τ), less max(0, m) now
  // (Raiffa & Schlaifer 1961, section 5.4). With everything known τ = s.
  const [m, s] = [-0.4, 1.3];
  const expectedMaximum = (sd: number) =>
    m * normalCdf(m / sd) + (sd * Math.exp(-0.5 * (m / sd) ** 2)) / Math.sqrt(2 * Math.PI) - Math.max(0, m);
  const random = new RandomSequence(seedFrom(11));
  const draw = (n: number) => Float64Array.from({ length: n }, () => m + s * random.normal());
  const truths = draw(20_000);
  const valuesOf = (theta: Float64Array) => [new Float64Array(theta.length), theta];

  test.each([0.3, 1, 3])('with an error of %d, by weighing, is the closed form within Monte-Carlo error', (e) => {
    const known = draw(1500);
    const some = truths.subarray(0, 3000);
    const error = { kind: 'additive', sd: e } as const;
    const measured = some.map((theta) => theta + e * random.normal());
    const found = valueByWeighing(
      { values: valuesOf(known), predictions: known },
      { values: valuesOf(some), measurement: (t) => measurementOf(error, measured[t]!) },
    );
    const exact = expectedMaximum(s ** 2 / Math.hypot(s, e));
    // Beside the error over truths, choices on 1,500 draws differ a little from those on all: a loss of second order, below 0.01 here.
    expect(Math.abs(found.gain - exact)).toBeLessThan(4 * found.standardError + 0.01);
    expect(found.gain).toBeGreaterThan(-4 * found.standardError);
  });

  test.each([0.3, 1, 3])('with an error of %d, by regression, is the closed form within Monte-Carlo error', (e) => {
    const measured = truths.map((theta) => theta + e * random.normal());
    const found = valueByRegression(valuesOf(truths), measured);
    expect(Math.abs(found.gain - expectedMaximum(s ** 2 / Math.hypot(s, e)))).toBeLessThan(4 * found.standardError + 0.003);
  });

  test('of everything is the closed form, and no measurement is worth more', () => {
    const found = valueOfPerfection(valuesOf(truths));
    expect(Math.abs(found.gain - expectedMaximum(s))).toBeLessThan(4 * found.standardError);
    expect(valueByRegression(valuesOf(truths), truths).gain).toBeLessThanOrEqual(found.gain);
  });

  test('of a measurement that says nothing is nothing but chance, by either way', () => {
    const some = truths.subarray(0, 2000);
    const noise = truths.map(() => random.normal());
    const byRegression = valueByRegression(valuesOf(truths), noise);
    expect(Math.abs(byRegression.gain)).toBeLessThanOrEqual(4 * byRegression.standardError + 1e-12);
    const known = draw(1500);
    const byWeighing = valueByWeighing(
      { values: valuesOf(known), predictions: new Float64Array(known.length) },
      { values: valuesOf(some), measurement: (t) => measurementOf({ kind: 'additive', sd: 1 }, noise[t]!) },
    );
    // Every draw predicts the same, so no value says anything of θ, and the choice stays.
    expect(byWeighing).toMatchObject({ gain: 0, changesChoice: 0 });
  });

  test('where nothing was measured nothing changes', () => {
    const none = new Float64Array(truths.length).fill(Number.NaN);
    expect(valueByRegression(valuesOf(truths), none)).toMatchObject({ gain: 0, changesChoice: 0 });
  });
});

describe('refitting by weights', () => {
  const now = '2026-01-05T08:00';

  test.each([
    ['vancomycin', 0, [1, 2], 'concentration'],
    ['warfarin', 0, [4, 8], 'inr'],
  ] as const)(
    '%s: the mean and spread of what is to come are those of a fresh fit, within Monte-Carlo error',
    async (id, demonstration, days, readout) => {
      const pack = await loadPack(id, readModels());
      if (isLearned(pack)) throw new Error('a pack of equations was asked for');
      const simulator = new CpuSimulator();
      const record = demonstrationRecord(pack.manifest, demonstration, now)!;
      const fitted = await fitPerson({ pack, record, now, lanes: 6000, seed: 1 }, { simulator });
      const { known, truths } = splitDraws(fitted.twin, 5, 5000, seedFrom(3));
      const [{ policy }] = readyPolicies(pack.manifest, record, now) as [ReturnType<typeof readyPolicies>[number]];
      const plan = writeOut(fitted, policy.start);
      const marker = pack.manifest.markers[0]!.id;
      const horizonDays = days.at(-1)! + 2;
      const deps: CourseDeps = { person: fitted.person, simulator, changes: [], horizonDays, seed: seedFrom(3) };

      // What the first truth shows on those days, without an error: a value as likely as any.
      const wanted = { days, readouts: [], markers: [marker] };
      const [course] = await followPlans(truths, Uint32Array.of(0), [plan], wanted, deps);
      const measured = days.map((day, d): VirtualMeasurement => ({ marker, day, value: course!.marker(marker, d, 0) }));
      let belief = beliefToday(known);
      for (const own of measured) {
        const futures = { plan, day: own.day, set: known, beliefs: [belief], today: [[own]] };
        [belief] = (await absorb(futures, deps, {})) as [typeof belief];
      }
      // As thorough as the fit of any person: 8,192 draws of each proposal, 4,000 posterior draws.
      const fresh = (await fitAfresh(fitted.twin, plan, measured, deps, {}, { draws: 8192, lanes: 4000 }))!;

      const future = async (set: DrawSet) => {
        const [own] = await followPlans(
          set,
          everyDraw(set),
          [plan],
          { days: [horizonDays], readouts: [readout], markers: [] },
          deps,
        );
        return Float64Array.from({ length: set.size }, (_, i) => Math.log(own!.readout(readout, 0, i)));
      };
      const moments = (values: Float64Array, weights: Float64Array) => {
        const mean = values.reduce((sum, value, i) => sum + weights[i]! * value, 0);
        return { mean, sd: Math.sqrt(values.reduce((sum, value, i) => sum + weights[i]! * (value - mean) ** 2, 0)) };
      };
      const byWeights = moments(await future(known), belief.weights);
      const anew = moments(await future(fresh.set), fresh.weights);
      // The fresh fit is worth 1,000 draws at least, the weights what they say. The mean of n draws errs by sd/√n and their spread by
      // sd/√(2n), of both.
      const error = anew.sd * Math.sqrt(1 / 1000 + 1 / belief.effectiveDraws);
      expect(belief.effectiveDraws).toBeGreaterThan(32);
      expect(Math.abs(byWeights.mean - anew.mean)).toBeLessThan(4 * error);
      expect(Math.abs(byWeights.sd - anew.sd)).toBeLessThan((4 * error) / Math.SQRT2);
      // And both know more than today.
      const today = moments(await future(known), beliefToday(known).weights);
      expect(byWeights.sd).toBeLessThan(today.sd);
    },
    60_000,
  );
});
