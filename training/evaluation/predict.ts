/** Forecasts of real people for measuring them: the app's own history, twin and engine, with the futures themselves kept. */
import { addDays, type PatientRecord } from '#domain/record.ts';
import { drivePlan } from '#engine/drive.ts';
import type { FutureColumns, RolloutRequest } from '#engine/engine.ts';
import { CpuEngine } from '#engine/cpu/engine.ts';
import type { Seed } from '#numerics/random.ts';
import { fromState } from '#packs/conditioning.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { encodeHistoryPlain } from '#twin/encoder-plain.ts';
import { drawStarts, fitTwin } from '#twin/fit.ts';
import { readHistory, recordUntil } from '#twin/history.ts';
import { stepInputs } from '#twin/step-inputs.ts';

export interface Landmark {
  readonly record: PatientRecord;
  /** Days from entry: only what was known by then is read. */
  readonly day: number;
  /** Interventions from then on; those of the record's own course unless told otherwise. */
  readonly interventions?: readonly string[];
  readonly steps: number;
}

export interface Futures {
  readonly columns: FutureColumns;
  readonly steps: number;
  readonly rollouts: number;
  readonly effectiveSampleSize: number;
  readonly temperedMoves: number;
  readonly conflictProbability: number | null;
}

export interface PredictorOptions {
  readonly rollouts?: number;
  readonly seed?: number;
  /** 1,024, as in the app; fewer only where thousands of landmarks are scored by packs without a trained encoder. */
  readonly particlesPerMember?: number;
}

export class Predictor {
  readonly pack: LearnedPack;
  readonly #engine: CpuEngine;
  readonly #rollouts: number;
  readonly #seed: number;
  readonly #particlesPerMember: number;

  private constructor(pack: LearnedPack, engine: CpuEngine, { rollouts, seed, particlesPerMember }: Required<PredictorOptions>) {
    this.pack = pack;
    this.#engine = engine;
    this.#rollouts = rollouts;
    this.#seed = seed;
    this.#particlesPerMember = particlesPerMember;
  }

  static async create(
    pack: LearnedPack,
    { rollouts = 1000, seed = 1, particlesPerMember = 1024 }: PredictorOptions = {},
  ): Promise<Predictor> {
    return new Predictor(pack, await CpuEngine.create(), { rollouts, seed, particlesPerMember });
  }

  async futures({ record, day, interventions, steps }: Landmark): Promise<Futures> {
    const { manifest, network } = this.pack;
    const today = addDays(record.entryDate, day);
    const history = readHistory(manifest, recordUntil(record, today), today);
    // Another seed for each person: the same few hundred futures for all would leave every figure with their common chance.
    const seed: Seed = [this.#seed, hashOf(record.id)];
    const twin = fitTwin({
      pack: this.pack,
      history,
      stepper: this.#engine,
      posterior: encodeHistoryPlain(this.pack, history),
      seed,
      particlesPerMember: this.#particlesPerMember,
    });
    const groupsPerMember = 10;
    const starts = drawStarts(twin, this.#rollouts, groupsPerMember, seed);
    const active = interventions ?? record.treatments.map(({ intervention }) => intervention);
    const spans = active.map((intervention) => ({ intervention, startDay: 0, stopDay: Infinity }));
    const request: RolloutRequest = {
      network,
      ...starts,
      plans: [drivePlan(network, stepInputs(manifest, history.person, spans, steps))],
      steps,
      seed,
      levels: [0.5],
      courses: 0,
    };
    const [columns] = await this.#engine.futures(request);
    return {
      columns: columns!,
      steps,
      rollouts: this.#rollouts,
      effectiveSampleSize: twin.effectiveSampleSize,
      temperedMoves: twin.temperedMoves,
      conflictProbability: twin.conflictProbability,
    };
  }

  /**
   * What a measurement of a marker would show `days` from now, in the marker's unit, one value a rollout. Between two grid times
   * the rollouts are shared between them in proportion. `among` says over whom: people without an event, or everyone, for
   * markers that go on being measured after it.
   */
  measured({ columns, rollouts, steps }: Futures, marker: number, days: number, among: 'event-free' | 'everyone'): Float64Array {
    const { manifest, network } = this.pack;
    const at = Math.min(steps, days / manifest.grid.stepDays);
    const before = Math.floor(at);
    const share = at - before;
    const values: number[] = [];
    for (let rollout = 0; rollout < rollouts; rollout++) {
      // Rollouts of a group differ only by chance: taking them in turn gives both times the same mix of members.
      const step = (rollout * 0.6180339887) % 1 < share ? before + 1 : before;
      const event = columns.eventStep[rollout]!;
      if (event < 0 || (among === 'event-free' && event < step)) continue;
      values.push(fromState(manifest.markers[marker]!, columns.values[(step * network.shape.S + marker) * rollouts + rollout]!));
    }
    return Float64Array.from(values);
  }

  /** [steps + 1] mean cumulative incidence of a cause at each grid time. */
  incidenceCurve(futures: Futures, cause: number): Float64Array {
    const { stepDays } = this.pack.manifest.grid;
    return Float64Array.from({ length: futures.steps + 1 }, (_, step) => this.incidence(futures, cause, step * stepDays));
  }

  /** Share of rollouts that a cause has reached by `days`, from the paths' own hazards; linear between grid times. */
  incidence({ columns, rollouts, steps }: Futures, cause: number, days: number): number {
    const { K } = this.pack.network.shape;
    const at = Math.min(steps, days / this.pack.manifest.grid.stepDays);
    const before = Math.min(steps - 1, Math.floor(at));
    const mean = (step: number) => {
      let sum = 0;
      const from = (step * K + cause) * rollouts;
      for (let rollout = 0; rollout < rollouts; rollout++) sum += columns.incidence[from + rollout]!;
      return sum / rollouts;
    };
    return mean(before) + (at - before) * (mean(before + 1) - mean(before));
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
