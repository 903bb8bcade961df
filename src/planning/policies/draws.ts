/** The virtual people of a policy: truths that are followed, and the draws with which the virtual clinician reasons about them. */
import { pickLanes } from '#engine/lanes.ts';
import type { Lanes } from '#engine/simulation.ts';
import { RandomSequence, streams, type Seed } from '#numerics/random.ts';
import { apportion } from '#numerics/weighted-draws.ts';
import type { Program } from '#packs/equations/program.ts';
import type { EquationsTwin } from '#twin/equations/fit-problem.ts';

/** Equally weighted draws of several models, one model after the other. */
export interface DrawSet {
  readonly size: number;
  readonly models: readonly DrawnModel[];
}

export interface DrawnModel {
  readonly program: Program;
  readonly lanes: Lanes;
  /** Number of the model's first draw in the set. */
  readonly first: number;
}

export interface SplitDraws {
  readonly truths: DrawSet;
  readonly known: DrawSet;
}

/** Counter word of `streams.resample`, apart from those of the fit. */
const splitSubstream = 0x504f4c;

/**
 * Two samples of one posterior that share no draw. A fit whose draws are worth less than their number holds copies of one draw, and a
 * clinician among whose draws stood the truth itself would soon find it: copies stay together, in one of the two or in the other.
 */
export function splitDraws({ models }: Pick<EquationsTwin, 'models'>, truths: number, known: number, seed: Seed): SplitDraws {
  const all = models.reduce((sum, { lanes }) => sum + lanes.lanes, 0);
  const shares = models.map(({ lanes }) => lanes.lanes / all);
  const truthCounts = apportion(truths, shares);
  const knownCounts = apportion(known, shares);
  const random = new RandomSequence(seed, streams.resample, splitSubstream);
  const halves = models.map(({ lanes }, m) => split(lanes, truthCounts[m]!, knownCounts[m]!, random));
  return {
    truths: join(halves.map(({ truth }, m) => ({ program: models[m]!.program, lanes: truth }))),
    known: join(halves.map(({ other }, m) => ({ program: models[m]!.program, lanes: other }))),
  };
}

/** Models without a draw are left out. */
export function join(parts: readonly { readonly program: Program; readonly lanes: Lanes }[]): DrawSet {
  let size = 0;
  const models = parts.flatMap(({ program, lanes }): DrawnModel[] => {
    const first = size;
    size += lanes.lanes;
    return lanes.lanes === 0 ? [] : [{ program, lanes, first }];
  });
  return { size, models };
}

function split(lanes: Lanes, truths: number, known: number, random: RandomSequence): { truth: Lanes; other: Lanes } {
  const copies = [...groupCopies(lanes).values()];
  for (let i = copies.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [copies[i], copies[j]] = [copies[j]!, copies[i]!];
  }
  const wanted = (truths / Math.max(1, truths + known)) * lanes.lanes;
  const truthPool: number[] = [];
  const otherPool: number[] = [];
  for (const own of copies) (truthPool.length < wanted ? truthPool : otherPool).push(...own);
  const pick = (pool: readonly number[], count: number) =>
    pickLanes(
      lanes,
      Uint32Array.from({ length: Math.min(count, pool.length) }, (_, k) => {
        const size = Math.min(count, pool.length);
        return pool[Math.floor(((k + 0.5) * pool.length) / size)]!;
      }),
    );
  return { truth: pick(truthPool, truths), other: pick(otherPool, known) };
}

function groupCopies({ lanes, effects, laneCovariates }: Lanes): Map<string, number[]> {
  const columns = effects.length / lanes;
  const groups = new Map<string, number[]>();
  for (let lane = 0; lane < lanes; lane++) {
    let key = '';
    for (let column = 0; column < columns; column++) key += `${effects[column * lanes + lane]} `;
    for (const { values } of laneCovariates) key += `${values[lane]} `;
    const own = groups.get(key);
    if (own) own.push(lane);
    else groups.set(key, [lane]);
  }
  return groups;
}
