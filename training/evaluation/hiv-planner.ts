/**
 * What a planner earns on Adams' HIV model from the unhealthy set point: the reinforcement-learning convention of Ernst 2006, 80
 * decisions of 5 days among four actions, R = Σ 0.98^k (1000 E − 0.1 V − 20,000 (ε1² + ε2²)) with E and V at the end of decision k.
 */
import type { Simulator } from '#engine/simulation.ts';
import { buildTimeline } from '#engine/timeline.ts';
import { seedFrom } from '#numerics/random.ts';
import type { Program } from '#packs/equations/program.ts';
import { searchSchedules } from '#planning/cross-entropy.ts';

export const decisions = 80;
const daysPerDecision = 5;
const discount = 0.98;
/** ε1 (reverse transcriptase inhibitors), ε2 (protease inhibitors). */
const actions = [
  [0, 0],
  [0, 0.3],
  [0.7, 0],
  [0.7, 0.3],
] as const;
/** T1, I1, T2, I2, V, E. */
const unhealthy: Readonly<Record<string, number>> = { T1: 163_573, I1: 11_945, T2: 5, I2: 46, V: 63_919, E: 24 };

export interface PlannerRow {
  readonly schedule: string;
  readonly return: number;
  /** At the end, for whether the healthy basin was entered (E > 1e5, V < 1e3). */
  readonly effectors: number;
  readonly virus: number;
  /** Schedules that were tried. */
  readonly tried: number;
}

interface Outcome {
  readonly return: number;
  readonly effectors: number;
  readonly virus: number;
}

/** Outcomes of schedules, each a choice among the four actions per decision. */
export async function playSchedules(
  program: Program,
  simulator: Simulator,
  schedules: readonly Uint8Array[],
): Promise<readonly Outcome[]> {
  const readout = (symbol: string) => program.readouts.findIndex((one) => one.symbol === symbol);
  const control = (symbol: string) => program.controls.findIndex((one) => one.symbol === symbol);
  const [e1, e2] = [control('e1'), control('e2')];
  const simulation = await simulator.simulate({
    program,
    timelines: schedules.map((choices) =>
      buildTimeline(program, {
        start: 0,
        end: decisions * daysPerDecision,
        doses: [],
        covariates: [{ time: 0, row: new Float64Array(program.covariates.length) }],
        controls: Array.from(choices, (choice, k) => [
          { control: e1, from: k * daysPerDecision, value: actions[choice]![0] },
          { control: e2, from: k * daysPerDecision, value: actions[choice]![1] },
        ]).flat(),
        setStates: [],
        occasions: [],
        steadyState: null,
      }),
    ),
    times: Float64Array.from({ length: decisions }, (_, k) => (k + 1) * daysPerDecision),
    readouts: [readout('effectors'), readout('virus')],
    lanes: 1,
    effects: new Float64Array(program.effects.length),
    laneCovariates: [],
    initialStates: Float64Array.from(program.states, ({ symbol }) => unhealthy[symbol]!),
    seed: seedFrom(1),
  });
  return schedules.map((choices, s) => {
    const values = simulation.values[s]!;
    let total = 0;
    for (let k = 0; k < decisions; k++) {
      const [a, b] = actions[choices[k]!]!;
      total += discount ** k * (1000 * values[k]! - 0.1 * values[decisions + k]! - 20_000 * (a * a + b * b));
    }
    return { return: total, effectors: values[decisions - 1]!, virus: values[2 * decisions - 1]! };
  });
}

/** The fixed policies of the specification, and what the search finds; scored anew on `oracle`, the f64 reference engine. */
export async function plannerRows(
  program: Program,
  simulator: Simulator,
  oracle: Simulator,
  size: { readonly population: number; readonly generations: number; readonly seed: number },
  onGeneration?: (generation: number, best: number) => void,
): Promise<readonly PlannerRow[]> {
  const fixed: readonly (readonly [string, Uint8Array])[] = [
    ['never', new Uint8Array(decisions).fill(0)],
    ['always on', new Uint8Array(decisions).fill(3)],
    ['10 days on, 10 off', Uint8Array.from({ length: decisions }, (_, k) => (Math.floor(k / 2) % 2 === 0 ? 3 : 0))],
  ];
  const found = await searchSchedules({
    decisions,
    options: actions.length,
    population: size.population,
    generations: size.generations,
    seed: seedFrom(size.seed),
    first: fixed.map(([, choices]) => choices),
    score: async (candidates) => (await playSchedules(program, simulator, candidates)).map((outcome) => outcome.return),
    ...(onGeneration ? { onGeneration } : {}),
  });
  const rows = [
    ...fixed.map(([name, choices]) => ({ name, choices, tried: 1 })),
    { name: 'found', choices: found.choices, tried: found.scored },
  ];
  const outcomes = await playSchedules(
    program,
    oracle,
    rows.map(({ choices }) => choices),
  );
  return rows.map(({ name, tried }, i) => ({ schedule: name, tried, ...outcomes[i]! }));
}
