import { describe, expect, test } from 'vitest';
import { demonstrationRecord } from '#cohorts/demonstrations.ts';
import { drawPerson } from '#cohorts/people.ts';
import type { Explained } from '#domain/explanation.ts';
import type { Plan } from '#domain/plan.ts';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { attribute } from '#explain/attribution.ts';
import { equationsGame } from '#explain/equations-game.ts';
import type { Game } from '#explain/game.ts';
import { learnedGame } from '#explain/learned-game.ts';
import { subjectOf } from '#explain/subject.ts';
import { seedFrom } from '#numerics/random.ts';
import { rankCorrelation } from '#numerics/rank-correlation.ts';
import { loadPack } from '#packs/catalogue.ts';
import type { MemberTensors } from '#packs/network.ts';
import type { EquationsPack, LearnedPack } from '#packs/pack.ts';
import { encodeHistoryPlain } from '#twin/encoder-plain.ts';
import { readModels } from '../../../scripts/read-models.ts';
import { toyPack } from '../../fixtures/toy-pack.ts';

const today = '2026-11-23';
const now = `${today}T12:00`;
const engine = new ReferenceEngine();
const deps = { engine, stepper: engine, encode: encodeHistoryPlain };
const anyEvent: Explained = { kind: 'event', event: null };

/** A game whose values are given. */
function plainGame(groups: number, value: (coalition: number, seed: number) => number): Game {
  return {
    groups: Array.from({ length: groups }, (_, g) => ({
      id: `g${g}`,
      label: `Group ${g}`,
      kind: 'person' as const,
      value: 'own',
      reference: 'none',
      elements: [],
    })),
    timesDays: [0],
    unit: '1',
    values: async (coalitions, seed) => coalitions.map((coalition) => Float64Array.of(value(coalition, seed))),
  };
}

describe('an attribution', () => {
  test('of few groups asks every coalition at once; of more it samples first, and every coalition when told to', async () => {
    const small = await attribute(
      plainGame(3, (coalition) => coalition),
      { effort: 'first', seed: 1 },
    );
    expect(small).toMatchObject({ method: 'every-coalition', coalitions: 8, standardErrors: null });
    const game = plainGame(10, (coalition) => Math.sqrt(coalition));
    const first = await attribute(game, { effort: 'first', seed: 1 });
    expect(first.method).toBe('sampled-orders');
    expect(first.coalitions).toBeLessThan(100);
    expect(await attribute(game, { effort: 'every', seed: 1 })).toMatchObject({ method: 'every-coalition', coalitions: 1024 });
  });

  test('of thirteen groups is sampled even when told to be thorough', async () => {
    const answer = await attribute(
      plainGame(13, (coalition) => Math.sqrt(coalition)),
      { effort: 'every', seed: 1 },
    );
    expect(answer.method).toBe('sampled-orders');
    expect(answer.standardErrors).toHaveLength(13);
  });

  test('says how far another seed moves it', async () => {
    const steady = await attribute(
      plainGame(2, (coalition) => coalition),
      { effort: 'every', seed: 1 },
    );
    expect(steady.noise).toEqual([0]);
    const shaky = await attribute(
      plainGame(1, (coalition, seed) => coalition * seed),
      { effort: 'every', seed: 3 },
    );
    // Contributions 3 and 4: their mean has half their difference as its standard deviation.
    expect(shaky.noise).toEqual([0.5]);
    expect(shaky.contributions[0]![0]).toBe(3.5);
  });

  test('says so at each time, and no less later on because two runs happen to cross', async () => {
    const moves = [0, 1, 0, 3];
    const game: Game = {
      ...plainGame(1, (coalition) => coalition),
      timesDays: [0, 1, 2, 3],
      values: (coalitions, seed) =>
        Promise.resolve(coalitions.map((own) => Float64Array.from(moves, (move) => own * move * seed))),
    };
    expect((await attribute(game, { effort: 'every', seed: 3 })).noise).toEqual([0, 0.5, 0.5, 1.5]);
  });

  test('leaves out times at which the figure does not exist', async () => {
    const game = { ...plainGame(1, (coalition) => coalition), timesDays: [0, 1] };
    const late: Game = {
      ...game,
      values: async (coalitions) => coalitions.map((coalition) => Float64Array.of(coalition, coalition === 0 ? Number.NaN : 1)),
    };
    expect(await attribute(late, { effort: 'every', seed: 1 })).toMatchObject({ timesDays: [0], contributions: [[1]] });
  });
});

function toyGame(pack: LearnedPack, explained: Explained = anyEvent, plan: Plan | null = null) {
  const { record } = drawPerson(toyPack(), seedFrom(5), { historySteps: 3, today, stepper: engine, number: 1 });
  const horizonDays = 6 * pack.manifest.grid.stepDays;
  const subject = subjectOf(pack, { record, today, now, explained, plan, horizonDays });
  return learnedGame(pack, subject, explained, { rollouts: 40, particlesPerMember: 32 }, deps);
}

describe('under a learned pack', () => {
  test('contributions add up to the change at every time, to rounding', async () => {
    const answer = await attribute(toyGame(toyPack()), { effort: 'every', seed: 1 });
    answer.timesDays.forEach((_, t) => {
      const sum = answer.contributions.reduce((total, own) => total + own[t]!, answer.base[t]!);
      expect(Math.abs(sum - answer.full[t]!)).toBeLessThan(1e-12);
    });
    expect(answer.groups.map(({ kind }) => kind)).toContain('history');
  });

  test('the same question has the same answer', async () => {
    const [a, b] = [
      await attribute(toyGame(toyPack()), { effort: 'first', seed: 2 }),
      await attribute(toyGame(toyPack()), { effort: 'first', seed: 2 }),
    ];
    expect(a).toEqual(b);
  });

  test('a network that answers the same to everybody gives nothing to any group', async () => {
    const pack = toyPack();
    const deaf = (member: MemberTensors): MemberTensors => ({
      ...member,
      hazardX: new Float32Array(member.hazardX.length),
      hazardH: new Float32Array(member.hazardH.length),
      hazardV: new Float32Array(member.hazardV.length),
    });
    const network = { ...pack.network, members: pack.network.members.map(() => deaf(pack.network.members[0]!)) };
    const answer = await attribute(toyGame({ ...pack, network }), { effort: 'every', seed: 1 });
    // Every future has the same hazard; its sum over futures is rounded in f32.
    for (const own of answer.contributions) for (const value of own) expect(Math.abs(value)).toBeLessThan(1e-6);
  });

  test('other weights of the same shapes give other contributions', async () => {
    const of = async (seed: number) => {
      const { contributions } = await attribute(toyGame(toyPack({ seed })), { effort: 'every', seed: 1 });
      return contributions.map((own) => own.at(-1)!);
    };
    const own = await of(1);
    const correlations: number[] = [];
    for (const seed of [2, 3, 4, 5]) correlations.push(rankCorrelation(own, await of(seed)));
    const mean = correlations.reduce((sum, value) => sum + value, 0) / correlations.length;
    expect(Math.abs(mean)).toBeLessThan(0.5);
  });

  test('of a difference, the plan is what differs from usual care, and without it nothing differs', async () => {
    const pack = toyPack();
    const difference: Explained = { kind: 'difference', of: { kind: 'event', event: null } };
    const lever = pack.manifest.interventions.find(({ whatIfClass }) => whatIfClass === 'X')!.id;
    const horizonDays = 6 * pack.manifest.grid.stepDays;
    const plan: Plan = { id: 'lever', name: 'Lever', blocks: [{ intervention: lever, startDay: 0, stopDay: horizonDays }] };
    const answer = await attribute(toyGame(pack, difference, plan), { effort: 'every', seed: 1 });
    for (const value of answer.base) expect(Math.abs(value)).toBeLessThan(1e-12);
    expect(answer.groups.filter(({ kind }) => kind === 'plan').map(({ id }) => id)).toContain(`plan-${lever}`);
  });
});

describe('under a pack of equations', async () => {
  const pack = (await loadPack('vancomycin', readModels())) as EquationsPack;
  const record = demonstrationRecord(pack.manifest, 1, now)!;
  const explained: Explained = { kind: 'marker', marker: 'vancomycin' };
  const simulator = new CpuSimulator();
  const gameOf = (own = record, plan: Plan | null = null, asked: Explained = explained, mostGroups = 8) => {
    const subject = subjectOf(pack, { record: own, today, now, explained: asked, plan, horizonDays: 2 });
    return equationsGame(pack, subject, asked, { lanes: 48, mostGroups }, simulator);
  };

  test('contributions add up, and doses given and planned raise the level', async () => {
    const answer = await attribute(gameOf(), { effort: 'every', seed: 1 });
    answer.timesDays.forEach((_, t) => {
      const sum = answer.contributions.reduce((total, own) => total + own[t]!, answer.base[t]!);
      expect(Math.abs(sum - answer.full[t]!)).toBeLessThan(1e-10);
    });
    const kinds = answer.groups.map(({ kind }) => kind);
    answer.contributions.forEach((own, g) => {
      if (kinds[g] === 'doses') expect(own[0]).toBeGreaterThan(0);
      if (kinds[g] === 'plan') expect(own.at(-1)).toBeGreaterThanOrEqual(0);
    });
    // Nobody who is given nothing has a level.
    for (const value of answer.base) expect(value).toBe(0);
  });

  test('what is given later weighs more at the end, and nothing before it is given', async () => {
    const answer = await attribute(gameOf(record, null, explained, 12), { effort: 'every', seed: 1 });
    const planned = answer.groups.flatMap(({ kind }, g) => (kind === 'plan' ? [answer.contributions[g]!] : []));
    expect(planned.length).toBeGreaterThan(1);
    expect(planned.at(-1)![0]).toBe(0);
    expect(planned.at(-1)!.at(-1)!).toBeGreaterThan(planned[0]!.at(-1)!);
  });

  test('a covariate that is as its reference changes nothing', async () => {
    const answer = await attribute(gameOf(record, null, explained, 12), { effort: 'first', seed: 1 });
    const dialysis = answer.groups.findIndex(({ id }) => id.includes('haemodialysis'));
    if (dialysis >= 0) for (const value of answer.contributions[dialysis]!) expect(value).toBe(0);
    expect(answer.groups.length).toBeLessThanOrEqual(12);
  });

  test('of a difference, stopping is explained by the doses that do not come', async () => {
    const stop: Plan = { id: 'stop', name: 'Stop', blocks: [], regimens: [], stopsCurrentDoses: true };
    const difference: Explained = { kind: 'difference', of: { kind: 'marker', marker: 'vancomycin' } };
    const answer = await attribute(gameOf(record, stop, difference), { effort: 'every', seed: 1 });
    const planned = answer.groups.flatMap(({ kind }, g) => (kind === 'plan' ? [answer.contributions[g]!] : []));
    expect(planned.reduce((sum, own) => sum + own.at(-1)!, 0)).toBeLessThan(0);
    for (const value of answer.base) expect(value).toBe(0);
  });

  test('a run that is stopped ends with an AbortError', async () => {
    const stop = new AbortController();
    const running = attribute(gameOf(), { effort: 'every', seed: 1 }, { signal: stop.signal, onProgress: () => stop.abort() });
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  });
});
