/** Where next to measure, under the doses that the record goes on with: the page's question put to `next-sample.ts`. */
import { hoursPerDay } from '#domain/doses.ts';
import { AppError } from '#domain/errors.ts';
import type { SamplingAnswer, SamplingQuestion } from '#domain/dosing.ts';
import type { RunHooks } from '#engine/engine.ts';
import type { Simulator } from '#engine/simulation.ts';
import { measureDays, measureLanes } from '#engine/target-measure.ts';
import { quantileOfSorted } from '#numerics/quantiles.ts';
import { seedFrom } from '#numerics/random.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { usualCarePlan } from '../plan-check.ts';
import { courseOf, planRegimens, timelineOf } from './course.ts';
import { withDraws, type FittedPerson } from './fitted-person.ts';
import { valueSamples, type SamplingGroup } from './next-sample.ts';

export interface SamplingDeps {
  readonly manifest: EquationsManifest;
  readonly fitted: FittedPerson;
  readonly simulator: Simulator;
}

/** More draws than this do not sharpen the answer: `valueSamples` weighs two thousand. */
const draws = 4000;

/** Throws `request_invalid` where the question makes no sense for this person or pack. */
export async function samplingTimes(
  question: SamplingQuestion,
  { manifest, fitted, simulator }: SamplingDeps,
  hooks: RunHooks = {},
): Promise<SamplingAnswer> {
  const { candidateHours, horizonDays, seed } = question;
  const target = manifest.targets.find(({ id }) => id === question.target);
  const marker = manifest.markers.find(({ id }) => id === question.marker);
  if (!target || !marker) {
    throw new AppError(
      'request_invalid',
      `${manifest.title} does not have the target or the marker that was asked for. Choose another.`,
    );
  }
  if (candidateHours.length === 0 || !candidateHours.every((hours) => hours >= 0 && hours <= horizonDays * hoursPerDay)) {
    throw new AppError('request_invalid', 'Times to measure: expected at least one, from now to the horizon. Correct them.');
  }
  const { person, twin } = withDraws(fitted, draws);
  const plan = usualCarePlan(manifest, horizonDays);
  const measured = measureDays(target, planRegimens(person, plan), horizonDays);
  if (!measured) {
    throw new AppError(
      'request_invalid',
      `${target.label}: it has no meaning without a regimen that goes on from now. Enter the current doses, or choose another target.`,
    );
  }
  const sampled = candidateHours.map((hours) => hours / hoursPerDay);
  const days = [...new Set([...measured, ...sampled])].sort((a, b) => a - b);
  const groups: SamplingGroup[] = [];
  for (const { program, lanes } of twin.models) {
    if (lanes.lanes === 0) continue;
    const { toModelTime, initialStates } = courseOf(program, person);
    const shown = program.observations.find((observation) => observation.marker === marker.id)!;
    const readout = program.readouts.findIndex(({ symbol }) => symbol === target.measure.readout);
    const { values } = await simulator.simulate(
      {
        program,
        ...lanes,
        ...(initialStates ? { initialStates } : {}),
        timelines: [timelineOf(program, person, { plan, changes: [], horizonDays })],
        times: Float64Array.from(days, toModelTime),
        readouts: [shown.readout, readout],
        seed: seedFrom(seed),
      },
      hooks.signal ? { signal: hooks.signal } : {},
    );
    const at = (column: number, day: number, lane: number) =>
      values[0]![(column * days.length + days.indexOf(day)) * lanes.lanes + lane]!;
    groups.push({
      lanes: lanes.lanes,
      predictions: Float64Array.from(
        sampled.flatMap((day) => Array.from({ length: lanes.lanes }, (_, lane) => at(0, day, lane) * shown.factor)),
      ),
      quantity: measureLanes(target, measured, (i, lane) => at(1, measured[i]!, lane), lanes.lanes),
      error: shown.error,
    });
  }
  const known = Float64Array.from(
    groups.flatMap(({ quantity }) => Array.from(quantity).filter((value) => !Number.isNaN(value))),
  ).sort();
  if (known.length < 2)
    throw new AppError('fit_failed', `${target.label}: no simulated course has a value for it. Check the record.`);
  const { sdNow, candidates } = valueSamples(groups, sampled.length, seedFrom(seed));
  return {
    unit: target.unit,
    now: [quantileOfSorted(known, 0.05), quantileOfSorted(known, 0.5), quantileOfSorted(known, 0.95)],
    sdNow,
    candidates: candidates.map((own, i) => ({ hours: candidateHours[i]!, ...own })),
  };
}
