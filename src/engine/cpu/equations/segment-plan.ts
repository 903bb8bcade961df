import type { Program } from '#packs/equations/program.ts';
import type { Timeline } from '../../simulation.ts';
import { timeTick } from '../../timeline.ts';

const halfTick = timeTick / 2;

/** A step that all lanes take, in time since the segment's start. */
export interface FixedStep {
  readonly to: number;
  readonly length: number;
  /** What a standard normal is multiplied with to give dW. */
  readonly scale: number;
  /** Number of the step on the grid that noise is counted by. */
  readonly number: number;
}

/** A segment as it is gone through, the same for all lanes. Times since its start. */
export interface SegmentTables {
  /** 0 where nothing is gone through. */
  readonly length: number;
  readonly reports: Float64Array;
  /** Empty for steppers that choose their own. */
  readonly steps: readonly FixedStep[];
}

export interface SegmentPlan extends SegmentTables {
  /** As formulas read it: 0 for the last segment, which has none. */
  readonly segmentLength: number;
  /** Number of its first report among the request's times. */
  readonly firstReport: number;
}

/** What is reported before anything happens, and the segments that are entered; as lane-run.ts of the reference goes through them. */
export function planSegments(
  program: Program,
  { segments }: Timeline,
  times: Float64Array,
): { startReports: number; segments: SegmentPlan[] } {
  const last = times[times.length - 1];
  const origin = segments[0].start;
  let reported = 0;
  while (reported < times.length && times[reported] <= origin + halfTick) reported++;
  const startReports = reported;
  const plans: SegmentPlan[] = [];
  for (const [s, { start }] of segments.entries()) {
    if (reported === times.length || start > last + halfTick) break;
    const end = Math.min(segments[s + 1]?.start ?? Infinity, last);
    const segmentLength = s + 1 < segments.length ? segments[s + 1].start - start : 0;
    if (end <= start + halfTick) {
      plans.push({ segmentLength, length: 0, reports: new Float64Array(0), steps: [], firstReport: reported });
      continue;
    }
    const steps = fixedSteps(program, origin, start, end);
    const ends = [...steps.map(({ to }) => to), end - start];
    const firstReport = reported;
    const reports: number[] = [];
    for (; reported < times.length && times[reported] <= end + halfTick; reported++) {
      const time = times[reported] - start;
      // What is reported at the end of a step is told from what is reported inside it by being the same number.
      reports.push(nearest(ends, time) ?? time);
    }
    plans.push({ segmentLength, length: end - start, reports: Float64Array.from(reports), steps, firstReport });
  }
  return { startReports, segments: plans };
}

/** The one of ascending numbers that is within half a tick. */
function nearest(ends: readonly number[], time: number): number | undefined {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle] < time - halfTick) low = middle + 1;
    else high = middle;
  }
  return ends[low] <= time + halfTick ? ends[low] : undefined;
}

function fixedSteps({ stepper }: Program, origin: number, start: number, end: number): FixedStep[] {
  const length = end - start;
  const steps: FixedStep[] = [];
  const add = (to: number, number: number, perRoot: number): void => {
    const taken = to - (steps.at(-1)?.to ?? 0);
    steps.push({ to, length: taken, scale: taken * perRoot, number });
  };
  if (stepper.kind === 'rk4') {
    // `FixedSteps` of numerics/steppers/stepper.ts.
    const count = Math.max(1, Math.ceil(length / stepper.step - 1e-6));
    for (let k = 1; k <= count; k++) add(k < count ? k * stepper.step : length, k, 0);
  } else if (stepper.kind === 'euler-maruyama' || stepper.kind === 'heun') {
    // `BrownianSteps` of numerics/steppers/stochastic.ts.
    const { step } = stepper;
    for (let k = Math.floor((start - origin) / step + 1e-6), to = 0; to < length; k++) {
      const gridEnd = origin + (k + 1) * step;
      to = gridEnd > end - 1e-6 * step ? length : gridEnd - start;
      add(to, k, 1 / Math.sqrt(step));
    }
  } else if (stepper.kind === 'map') {
    const { step } = stepper;
    for (let k = Math.round((start - origin) / step); origin + (k + 1) * step <= end + halfTick; k++) {
      const to = origin + (k + 1) * step - start;
      steps.push({ to: Math.abs(to - length) < halfTick ? length : to, length: step, scale: 0, number: k });
    }
  }
  return steps;
}
