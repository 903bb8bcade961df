/**
 * What dose reaches the target? Every candidate of the pack's grid on the same posterior draws (common random numbers), in rounds of
 * successive halving: all on few draws, the better part on more, the rest on all. Candidates that fell behind stay in the answer with
 * what was found of them and on how many draws.
 */
import { AppError } from '#domain/errors.ts';
import type { CovariateChange, DoseAnswer, DoseCandidate, DoseQuestion } from '#domain/dosing.ts';
import type { TargetForecast } from '#domain/forecast.ts';
import type { Regimen } from '#domain/plan.ts';
import type { RunHooks } from '#engine/engine.ts';
import { takeLanes } from '#engine/lanes.ts';
import type { Lanes, Simulator, Timeline } from '#engine/simulation.ts';
import { isReached, measureDays, measureLanes, summariseTarget } from '#engine/target-measure.ts';
import { seedFrom } from '#numerics/random.ts';
import { apportion } from '#numerics/weighted-draws.ts';
import type { Program } from '#packs/equations/program.ts';
import type { DoseGrid, EquationsManifest, Target } from '#packs/manifest.ts';

/** One fitted model of the pack, ready to be asked about doses. */
export interface DosedModel {
  readonly program: Program;
  /** Posterior draws, as many as this model's share of the whole. */
  readonly lanes: Lanes;
  /** As in `SimulationRequest`; null where the formulas say all. */
  readonly initialStates: Float64Array | null;
  readonly toModelTime: (daysFromNow: number) => number;
  readonly timelineOf: (regimens: readonly Regimen[], changes: readonly CovariateChange[]) => Timeline;
}

export interface DoseSearchDeps {
  readonly manifest: EquationsManifest;
  readonly models: readonly DosedModel[];
  readonly simulator: Simulator;
  /** For grids per kg and per m². */
  readonly bodySize: { readonly weightKg: number | null; readonly surfaceM2: number | null };
  /** Milliseconds; without it the search took 0. */
  readonly now?: () => number;
}

/** A round keeps this share of its candidates and gives the next one the inverse as many draws. */
const keptShare = 1 / 4;
const rounds = 3;
/** So many are always taken to the last round, to be compared side by side on equal terms. */
const fewest = 12;
/** Courses at once: bounds the memory of a batch. */
const timelinesPerBatch = 8;
const hoursPerDay = 24;
const toleratedDivergence = 0.01;

export async function searchDoses(question: DoseQuestion, deps: DoseSearchDeps, hooks: RunHooks = {}): Promise<DoseAnswer> {
  const { now = () => 0 } = deps;
  const started = now();
  const grid = gridOf(deps.manifest, question.intervention);
  const targets = targetsOf(deps.manifest, question);
  const all = deps.models.reduce((sum, { lanes }) => sum + lanes.lanes, 0);
  const draws = Math.min(all, question.draws ?? 4096);
  let candidates: Scored[] = enumerate(grid, question, deps.bodySize).map((regimens, i) => ({
    id: `candidate-${i + 1}`,
    regimens,
    score: null,
  }));
  if (candidates.length === 0) {
    throw new AppError(
      'request_invalid',
      'No dose of the pack’s grid lies below the maximum that was asked for. Raise the maximum dose per day.',
    );
  }
  const full = candidates.length * draws;
  let simulated = 0;
  const settled: Scored[] = [];
  for (let round = 0; round < rounds; round++) {
    const isLast = round === rounds - 1;
    const inRound = Math.max(1, Math.round(draws * keptShare ** (rounds - 1 - round)));
    const sizes = apportion(
      inRound,
      deps.models.map(({ lanes }) => lanes.lanes / all),
    );
    const models = deps.models.map((model, m) => ({ ...model, lanes: takeLanes(model.lanes, sizes[m]!) }));
    simulated += candidates.length * models.reduce((sum, { lanes }) => sum + lanes.lanes, 0);
    candidates = await score(
      candidates,
      models,
      { question, targets, simulator: deps.simulator },
      {
        ...hooks,
        onProgress: (fraction) => hooks.onProgress?.((round + fraction) / rounds),
      },
    );
    candidates.sort(byMerit);
    if (isLast) break;
    settled.push(...candidates.splice(Math.max(fewest, Math.ceil(candidates.length * keptShare))));
  }
  return {
    candidates: [...candidates, ...settled].sort(byMerit).map(({ id, regimens, score: found }) => ({ id, regimens, ...found! })),
    simulated,
    fullEnumeration: full,
    elapsedMs: now() - started,
    seed: question.seed,
  };
}

type Score = Omit<DoseCandidate, 'id' | 'regimens'>;

interface Scored {
  readonly id: string;
  readonly regimens: readonly Regimen[];
  readonly score: Score | null;
}

function byMerit(a: Scored, b: Scored): number {
  const [one, other] = [a.score!, b.score!];
  return Number(other.keepsLimits) - Number(one.keepsLimits) || other.allReached - one.allReached;
}

function gridOf(manifest: EquationsManifest, intervention: string): DoseGrid {
  const grid = manifest.doseGrids.find((candidate) => candidate.intervention === intervention);
  if (grid) return grid;
  const offered = manifest.doseGrids.map((candidate) => candidate.intervention).join(', ') || 'none';
  throw new AppError(
    'plan_outside_pack',
    `${manifest.title} has no doses to search for '${intervention}'. It has some for: ${offered}.`,
  );
}

interface AskedTargets {
  readonly reach: readonly Target[];
  readonly avoid: readonly { readonly target: Target; readonly atMost: number }[];
  /** All of the pack's, so that the answer shows what was not asked for as well. */
  readonly all: readonly Target[];
}

function targetsOf(manifest: EquationsManifest, { reach, avoid }: DoseQuestion): AskedTargets {
  const find = (id: string) => {
    const target = manifest.targets.find((candidate) => candidate.id === id);
    if (target) return target;
    const known = manifest.targets.map((candidate) => candidate.id).join(', ') || 'none';
    throw new AppError('request_invalid', `${manifest.title} has no target '${id}'. It has: ${known}.`);
  };
  if (reach.length === 0) throw new AppError('request_invalid', 'No target was chosen. Choose at least one to reach.');
  return {
    reach: reach.map(find),
    avoid: avoid.map(({ target, atMost }) => ({ target: find(target), atMost })),
    all: manifest.targets,
  };
}

/** Every regimen of the grid within the limits of the question, each once. */
export function enumerate(
  grid: DoseGrid,
  { withLoadingDose, maximumPerDay, horizonDays }: Pick<DoseQuestion, 'withLoadingDose' | 'maximumPerDay' | 'horizonDays'>,
  bodySize: DoseSearchDeps['bodySize'],
): (readonly Regimen[])[] {
  const size = sizeFor(grid.per, bodySize);
  const loadingSize = withLoadingDose ? sizeFor(grid.loadingPer ?? grid.per, bodySize) : 1;
  const rounded = (amount: number) =>
    Math.min(grid.maximumDose, Math.max(grid.roundTo, Math.round(amount / grid.roundTo) * grid.roundTo));
  const durations = grid.durationHours.length > 0 ? grid.durationHours : [null];
  const found = new Map<string, readonly Regimen[]>();
  for (const startHour of grid.startHours)
    for (const everyHours of grid.intervalHours)
      for (const perSize of grid.amounts)
        for (const durationHours of durations)
          for (const loading of withLoadingDose ? grid.loadingAmounts : [0]) {
            const dose = rounded(perSize * size);
            if (durationHours !== null && durationHours > everyHours) continue;
            if (maximumPerDay !== null && (dose * hoursPerDay) / everyHours > maximumPerDay * (1 + 1e-9)) continue;
            if (startHour > horizonDays * hoursPerDay) continue;
            const base = { intervention: grid.intervention, route: grid.route, durationHours };
            const infusion = durationHours === null ? null : (grid.loadingDurationHours ?? durationHours);
            const first =
              loading > 0
                ? [
                    {
                      ...base,
                      amount: rounded(loading * loadingSize),
                      durationHours: infusion,
                      startHour,
                      everyHours: null,
                      count: 1,
                    },
                  ]
                : [];
            const regimens: readonly Regimen[] = [
              ...first,
              { ...base, amount: dose, startHour: startHour + (loading > 0 ? everyHours : 0), everyHours, count: null },
            ];
            found.set(JSON.stringify(regimens), regimens);
          }
  return [...found.values()];
}

function sizeFor(per: DoseGrid['per'], { weightKg, surfaceM2 }: DoseSearchDeps['bodySize']): number {
  if (per === 'dose') return 1;
  const size = per === 'kg' ? weightKg : surfaceM2;
  if (size !== null) return size;
  const what = per === 'kg' ? 'weight' : 'height and weight, or the body surface area';
  throw new AppError('covariate_missing', `Doses of this pack are per ${per === 'm2' ? 'm²' : 'kg'}. Enter the ${what}.`);
}

interface ScoreParts {
  readonly question: DoseQuestion;
  readonly targets: AskedTargets;
  readonly simulator: Simulator;
}

async function score(
  candidates: readonly Scored[],
  models: readonly DosedModel[],
  parts: ScoreParts,
  hooks: RunHooks,
): Promise<Scored[]> {
  const scored: Scored[] = [];
  // Candidates with one rhythm are looked at at the same times, so that one simulation serves several.
  const byRhythm = new Map<string, Scored[]>();
  for (const candidate of candidates) {
    const { startHour, everyHours } = candidate.regimens.at(-1)!;
    const rhythm = `${startHour}/${everyHours}`;
    byRhythm.set(rhythm, [...(byRhythm.get(rhythm) ?? []), candidate]);
  }
  for (const alike of byRhythm.values()) {
    for (let at = 0; at < alike.length; at += timelinesPerBatch) {
      hooks.signal?.throwIfAborted();
      scored.push(...(await scoreBatch(alike.slice(at, at + timelinesPerBatch), models, parts, hooks)));
      hooks.onProgress?.(scored.length / candidates.length);
    }
  }
  return scored;
}

async function scoreBatch(
  batch: readonly Scored[],
  models: readonly DosedModel[],
  { question, targets, simulator }: ScoreParts,
  hooks: RunHooks,
): Promise<Scored[]> {
  const { horizonDays, covariateChanges } = question;
  const rhythm = batch[0]!.regimens.slice(-1);
  const wanted = targets.all.flatMap((target) => {
    const days = measureDays(target, rhythm, horizonDays);
    return days ? [{ target, days }] : [];
  });
  const allDays = [...new Set(wanted.flatMap(({ days }) => days))].sort((a, b) => a - b);
  const draws = models.reduce((sum, { lanes }) => sum + lanes.lanes, 0);
  const measures = batch.map(() => new Map(wanted.map(({ target }) => [target.id, new Float64Array(draws)])));
  const diverged = batch.map(() => 0);
  let offset = 0;
  for (const { program, lanes, initialStates, toModelTime, timelineOf } of models) {
    if (lanes.lanes === 0) continue;
    const readouts = [...new Set(wanted.map(({ target }) => readoutIndex(program, target)))];
    const simulation = await simulator.simulate(
      {
        program,
        ...lanes,
        ...(initialStates ? { initialStates } : {}),
        timelines: batch.map(({ regimens }) => timelineOf(regimens, covariateChanges)),
        times: Float64Array.from(allDays, toModelTime),
        readouts,
        seed: seedFrom(question.seed),
      },
      hooks.signal ? { signal: hooks.signal } : {},
    );
    batch.forEach((_, c) => {
      const values = simulation.values[c]!;
      for (const { target, days } of wanted) {
        const column = readouts.indexOf(readoutIndex(program, target));
        const rows = days.map((day) => (column * allDays.length + allDays.indexOf(day)) * lanes.lanes);
        const own = measureLanes(target, days, (i, lane) => values[rows[i]! + lane]!, lanes.lanes);
        measures[c]!.get(target.id)!.set(own, offset);
      }
      diverged[c]! += simulation.diverged[c]!.reduce((sum, flag) => sum + flag, 0);
    });
    offset += lanes.lanes;
  }
  return batch.map((candidate, c) => ({
    ...candidate,
    score: judge(candidate.regimens, measures[c]!, targets, draws, diverged[c]! / draws),
  }));
}

function readoutIndex(program: Program, { id, measure }: Target): number {
  const index = program.readouts.findIndex(({ symbol }) => symbol === measure.readout);
  if (index >= 0) return index;
  throw new Error(
    `Broken promise: target ${id} names a read-out that model ${program.modelId} has, checked when the pack was decoded`,
  );
}

function judge(
  regimens: readonly Regimen[],
  measures: ReadonlyMap<string, Float64Array>,
  { reach, avoid, all }: AskedTargets,
  draws: number,
  divergedShare: number,
): Score {
  const targets: Record<string, TargetForecast> = {};
  for (const target of all) {
    const values = measures.get(target.id);
    const summary = values && summariseTarget(target, values);
    if (summary) targets[target.id] = summary;
  }
  let reached = 0;
  let known = 0;
  for (let lane = 0; lane < draws; lane++) {
    const values = reach.map(({ id }) => measures.get(id)?.[lane] ?? Number.NaN);
    if (values.some(Number.isNaN)) continue;
    known++;
    if (reach.every((target, i) => isReached(target, values[i]!))) reached++;
  }
  const { amount, everyHours } = regimens.at(-1)!;
  return {
    amountPerDay: (amount * hoursPerDay) / everyHours!,
    targets,
    allReached: known === 0 ? 0 : reached / known,
    keepsLimits: avoid.every(({ target, atMost }) => (targets[target.id]?.probability ?? 0) <= atMost),
    draws,
    outsideSupport:
      divergedShare > toleratedDivergence
        ? [`${(100 * divergedShare).toFixed(1)} % of the simulated courses left what the model can describe and are not counted.`]
        : [],
  };
}
