/**
 * What a planner earns on Adams' HIV model from the unhealthy set point: the reinforcement-learning convention of Ernst 2006, 80
 * decisions of 5 days among four actions, R = Σ 0.98^k (1000 E − 0.1 V − 20,000 (ε1² + ε2²)) with E and V at the end of decision k.
 */
import type { Simulator } from '#engine/simulation.ts';
import { buildTimeline } from '#engine/timeline.ts';
import { seedFrom } from '#numerics/random.ts';
import type { Program } from '#packs/equations/program.ts';
import { searchSchedules } from '#planning/schedule-search.ts';
import type { Metric } from './metrics.ts';

const decisions = 80;
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

interface Outcome {
  readonly return: number;
  readonly effectors: number;
  readonly virus: number;
}

/** Outcomes of schedules, each a choice among the four actions per decision. */
async function playSchedules(
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

const fixed: readonly (readonly [string, Uint8Array])[] = [
  ['never treated', new Uint8Array(decisions).fill(0)],
  ['always on', new Uint8Array(decisions).fill(3)],
  ['10 days on, 10 off', Uint8Array.from({ length: decisions }, (_, k) => (Math.floor(k / 2) % 2 === 0 ? 3 : 0))],
];
const search = { population: 300, generations: 80, refinements: 100 } as const;
const seeds = [1, 2, 3] as const;
/** Of the search alone; what it finds is scored again on the oracle at the pack's own tolerance, where returns agree to 1e-4. */
const searchTolerance = 1e-4;

/** The specification's fixed policies, and what the search finds from each of three seeds, scored on `oracle`. */
export async function plannerMetrics(
  program: Program,
  simulator: Simulator,
  oracle: Simulator,
  progress: (share: number) => void,
): Promise<Metric[]> {
  const { stepper } = program;
  const coarse: Program =
    stepper.kind === 'rosenbrock'
      ? { ...program, stepper: { ...stepper, relativeTolerance: searchTolerance, absoluteTolerance: searchTolerance } }
      : program;
  const found: { readonly choices: Uint8Array; readonly scored: number }[] = [];
  for (const [s, seed] of seeds.entries()) {
    found.push(
      await searchSchedules({
        ...search,
        decisions,
        options: actions.length,
        seed: seedFrom(seed),
        first: fixed.map(([, choices]) => choices),
        score: async (candidates) => (await playSchedules(coarse, simulator, candidates)).map((outcome) => outcome.return),
        onGeneration: (generation) => progress((s + (generation + 1) / (search.generations + search.refinements)) / seeds.length),
      }),
    );
  }
  const schedules = [...fixed.map(([, choices]) => choices), ...found.map(({ choices }) => choices)];
  const outcomes = await playSchedules(program, oracle, schedules);
  const figure = (name: string, value: number, note?: string): Metric => {
    const shared = {
      name,
      value,
      se: null,
      low: null,
      high: null,
      n: 1,
      better: 'higher',
      baseline: null,
      baselineValue: null,
    } as const;
    return note === undefined ? shared : { ...shared, note };
  };
  return [
    ...fixed.map(([name], i) => figure(`return, ${name}`, outcomes[i]!.return)),
    ...seeds.map((seed, i) => {
      const { return: value, effectors, virus } = outcomes[fixed.length + i]!;
      const end = `at day 400 E ${effectors.toPrecision(3)} cells/mL, V ${virus.toPrecision(3)} /mL`;
      return figure(`planner_return, seed ${seed}`, value, `${found[i]!.scored} schedules tried; ${end}`);
    }),
  ];
}
