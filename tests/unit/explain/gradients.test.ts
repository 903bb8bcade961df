import { describe, expect, test } from 'vitest';
import { drawPerson } from '#cohorts/people.ts';
import type { Explained } from '#domain/explanation.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { gradientAttribution, learnedPath } from '#explain/gradients.ts';
import { integrateGradients } from '#explain/integrated-gradients.ts';
import { meanPath } from '#explain/mean-path.ts';
import { subjectOf } from '#explain/subject.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { rankCorrelation } from '#numerics/rank-correlation.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';

const today = '2026-11-23';
const engine = new ReferenceEngine();
const pause = async () => {};

function asked(seed: number, explained: Explained, number = 1) {
  const pack = toyPack({ seed });
  const { record } = drawPerson(toyPack({ seed: 1 }), seedFrom(5), { historySteps: 5, today, stepper: engine, number });
  const lever = pack.manifest.interventions.find(({ whatIfClass }) => whatIfClass === 'X')!.id;
  const horizonDays = 10 * pack.manifest.grid.stepDays;
  const plan = { id: 'lever', name: 'Lever', blocks: [{ intervention: lever, startDay: 0, stopDay: horizonDays }] };
  return { pack, subject: subjectOf(pack, { record, today, now: `${today}T00:00`, explained, plan, horizonDays }), explained };
}

const figures: readonly Explained[] = [
  { kind: 'marker', marker: 'bilirubin' },
  { kind: 'event', event: null },
  { kind: 'event', event: 'death' },
  { kind: 'difference', of: { kind: 'event', event: null } },
];

describe('the mean path', () => {
  test.each(figures)('has the gradient that finite differences have: $kind $event', (explained) => {
    const { pack, subject } = asked(1, explained);
    const { problem, inputs } = learnedPath(pack, subject, explained);
    const random = new RandomSequence(seedFrom(9));
    const at = Float64Array.from(inputs, () => random.uniform());
    const { gradient, values } = meanPath(problem, at);
    const h = 1e-5;
    const largest = Math.max(...gradient.map(Math.abs));
    inputs.forEach((_, i) => {
      const moved = (by: number) => meanPath(problem, at.with(i, at[i]! + by)).values;
      const [up, down] = [moved(h), moved(-h)];
      values.forEach((_, t) => {
        // Central differences err by h² and by rounding over h, both near 1e-10 of the figure.
        expect(Math.abs((up[t]! - down[t]!) / (2 * h) - gradient[t * inputs.length + i]!)).toBeLessThan(1e-7 * largest + 1e-9);
      });
    });
    expect(largest).toBeGreaterThan(0);
  });
});

describe('integrated gradients of a learned pack', () => {
  test.each(figures)('add up to the change within one per cent: $kind $event', async (explained) => {
    const { pack, subject } = asked(1, explained);
    const answer = await gradientAttribution(pack, subject, explained, pause);
    expect(answer.completenessGap).toBeLessThan(0.01);
    const last = answer.timesDays.length - 1;
    const sum = answer.inputs.reduce((total, { contributions }) => total + contributions[last]!, 0);
    const change = answer.full.map((value, t) => value - answer.base[t]!);
    const largest = Math.max(...change.map(Math.abs));
    expect(Math.abs(sum - change[last]!)).toBeLessThanOrEqual(answer.completenessGap * largest + 1e-12);
  });

  test('other weights give other contributions', async () => {
    const explained = figures[1]!;
    const [own, other] = await Promise.all(
      [1, 2].map(async (seed) => {
        const { pack, subject } = asked(seed, explained);
        const answer = await gradientAttribution(pack, subject, explained, pause);
        return answer.inputs.map(({ contributions }) => contributions.at(-1)!);
      }),
    );
    expect(Math.abs(rankCorrelation(own!, other!))).toBeLessThan(0.5);
  });

  test('a network that answers the same to everybody gives nothing to any input', async () => {
    const { pack, subject, explained } = asked(1, figures[1]!);
    const constant = {
      ...pack,
      network: {
        ...pack.network,
        members: pack.network.members.map((member) => ({
          ...member,
          hazardX: new Float32Array(member.hazardX.length),
          hazardH: new Float32Array(member.hazardH.length),
          hazardV: new Float32Array(member.hazardV.length),
        })),
      },
    };
    const answer = await gradientAttribution(constant, { ...subject, plan: { blocks: [], regimens: [] } }, explained, pause);
    for (const { contributions } of answer.inputs) for (const value of contributions) expect(Math.abs(value)).toBe(0);
    expect(answer.completenessGap).toBe(0);
  });
});

test('midpoints are asked once, however often their number is tripled', async () => {
  const asks: number[] = [];
  const answer = await integrateGradients(
    (x) => {
      asks.push(x[0]!);
      return { values: Float64Array.of(Math.exp(3 * x[0]!)), gradient: Float64Array.of(3 * Math.exp(3 * x[0]!)) };
    },
    Float64Array.of(1),
    Float64Array.of(0),
    { firstSteps: 2, gap: 1e-4, mostSteps: 1000 },
  );
  expect(answer.completenessGap).toBeLessThan(1e-4);
  expect(new Set(asks.map((x) => x.toFixed(9))).size).toBe(asks.length);
  expect(asks.length).toBe(answer.steps + 2);
});
