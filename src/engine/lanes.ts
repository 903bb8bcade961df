import type { Lanes } from './simulation.ts';

/** So many lanes, spread evenly over all, so that they stand for the same posterior whatever the order of the draws. */
export function takeLanes(lanes: Lanes, wanted: number): Lanes {
  if (wanted >= lanes.lanes) return lanes;
  return pickLanes(
    lanes,
    Uint32Array.from({ length: wanted }, (_, lane) => Math.floor(((lane + 0.5) * lanes.lanes) / wanted)),
  );
}

/** The lanes with these numbers, in this order. */
export function pickLanes({ lanes, effects, laneCovariates }: Lanes, numbers: Uint32Array): Lanes {
  const wanted = numbers.length;
  const columns = effects.length / lanes;
  const picked = new Float64Array(columns * wanted);
  for (let column = 0; column < columns; column++)
    for (let lane = 0; lane < wanted; lane++) picked[column * wanted + lane] = effects[column * lanes + numbers[lane]!]!;
  return {
    lanes: wanted,
    effects: picked,
    laneCovariates: laneCovariates.map(({ covariate, values }) => ({
      covariate,
      values: Float64Array.from(numbers, (lane) => values[lane]!),
    })),
  };
}
