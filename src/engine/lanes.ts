import type { Lanes } from './simulation.ts';

/** So many lanes, spread evenly over all, so that they stand for the same posterior whatever the order of the draws. */
export function takeLanes(lanes: Lanes, wanted: number): Lanes {
  if (wanted >= lanes.lanes) return lanes;
  const from = (lane: number) => Math.floor(((lane + 0.5) * lanes.lanes) / wanted);
  const pick = (values: Lanes['effects'], column: number) =>
    Float64Array.from({ length: wanted }, (_, lane) => values[column * lanes.lanes + from(lane)]!);
  const columns = lanes.effects.length / lanes.lanes;
  const effects = new Float64Array(columns * wanted);
  for (let column = 0; column < columns; column++) effects.set(pick(lanes.effects, column), column * wanted);
  return {
    lanes: wanted,
    effects,
    laneCovariates: lanes.laneCovariates.map(({ covariate, values }) => ({ covariate, values: pick(values, 0) })),
  };
}
