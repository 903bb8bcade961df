/** What all lanes of a request share, laid out as the kernel of kernels/simulation.wgsl.ts reads it. */
import { AppError } from '#domain/errors.ts';
import { evaluateRow, type HoistedProgram } from '#packs/equations/hoist.ts';
import type { Program } from '#packs/equations/program.ts';
import { writeStruct, type Struct } from '../layout.ts';
import type { SimulationRequest, Timeline } from '../simulation.ts';
import { timeTick } from '../timeline.ts';
import type { SimulationKernel } from './kernels/simulation.wgsl.ts';

const halfTick = timeTick / 2;

/** f32 counts no further, and a kernel that ran for so long would be ended by the driver. */
const mostSteps = 2 ** 24;

export interface PackedInputs {
  readonly timelines: Uint32Array;
  readonly segments: Uint32Array;
  readonly tables: Float32Array;
  readonly initialAt: number;
  readonly noiseAt: number;
  /** [timeline] a measure of the work of one lane. */
  readonly units: readonly number[];
}

export function packInputs(request: SimulationRequest, hoisted: HoistedProgram, kernel: SimulationKernel): PackedInputs {
  const { program, timelines, times, initialStates, noise } = request;
  const rowLength = program.covariates.length + hoisted.rowFormulas.length;
  const tables: number[] = [];
  const timelineRecords: Record<string, number>[] = [];
  const segmentRecords: Record<string, number>[] = [];
  const units: number[] = [];
  for (const timeline of timelines) {
    const firstRow = tables.length;
    for (const row of timeline.covariateRows) tables.push(...row, ...evaluateRow(hoisted.rowFormulas, row));
    const reportsAt = tables.length;
    const { records, offsets, startReports } = segmentsOf(program, timeline, times);
    for (const offset of offsets) tables.push(offset);
    const { steadyState } = timeline;
    timelineRecords.push({
      firstSegment: segmentRecords.length,
      segments: records.length,
      reportsAt,
      startReports,
      steadyInput: steadyState?.input ?? 0,
      steadyAmount: steadyState?.amount ?? 0,
      steadyDuration: steadyState?.duration ?? 0,
      steadyInterval: steadyState?.interval ?? 0,
    });
    units.push(unitsOf(program, records, times.length));
    for (const each of records) segmentRecords.push({ ...each, row: firstRow + each.row * rowLength });
  }
  const initialAt = tables.length;
  for (const value of initialStates ?? []) if (!Number.isNaN(value)) tables.push(value);
  const noiseAt = tables.length;
  for (const value of noise ?? []) tables.push(value);
  return {
    timelines: packRecords(kernel.timeline, timelineRecords),
    segments: packRecords(kernel.segment, segmentRecords),
    tables: Float32Array.from(tables),
    initialAt,
    noiseAt,
    units,
  };
}

/** Segments up to the last reported time, and the times since the starts of theirs. */
function segmentsOf(
  program: Program,
  { segments }: Timeline,
  times: Float64Array,
): { records: Record<string, number>[]; offsets: Float64Array; startReports: number } {
  const { stepper } = program;
  const step = 'step' in stepper ? stepper.step : Infinity;
  const origin = segments[0].start;
  const last = times[times.length - 1];
  if ((last - origin) / step > mostSteps) {
    throw new AppError(
      'gpu_out_of_memory',
      `From ${origin} to ${last} the model '${program.modelId}' takes ${Math.ceil((last - origin) / step)} steps; the GPU engine takes ` +
        `${mostSteps}. Ask for a shorter time, or run on the processor.`,
    );
  }
  const offsets = new Float64Array(times.length);
  let reported = 0;
  while (reported < times.length && times[reported] <= origin + halfTick) reported++;
  const startReports = reported;
  const records: Record<string, number>[] = [];
  for (const [s, segment] of segments.entries()) {
    const { start } = segment;
    if (s > 0 && (reported === times.length || start > last + halfTick)) break;
    const before = segments[s - 1];
    const next = segments[s + 1];
    const end = Math.min(next?.start ?? Infinity, last);
    const span = end > start + halfTick ? end - start : 0;
    while (span > 0 && reported < times.length && times[reported] <= end + halfTick) {
      offsets[reported] = Math.abs(times[reported] - end) <= halfTick ? span : times[reported] - start;
      reported++;
    }
    const stepsBefore = (start - origin) / step;
    const firstStep = stepper.kind === 'map' ? Math.round(stepsBefore) : Math.floor(stepsBefore + 1e-6);
    const record: Record<string, number> = {
      row: segment.covariateRow,
      isNewRow: before?.covariateRow === segment.covariateRow && before.occasion === segment.occasion ? 0 : 1,
      occasion: segment.occasion,
      endReport: reported,
      start,
      span,
      segmentLength: next ? next.start - start : 0,
      doseTime: segment.doseTime,
      firstStep,
      intoStep: stepsBefore > firstStep ? (stepsBefore - firstStep) * step : 0,
    };
    program.inputs.forEach((_, i) => {
      record[`dose${i}`] = segment.doses[i];
      record[`rate${i}`] = segment.rates[i];
      record[`previous${i}`] = before?.rates[i] ?? 0;
    });
    program.controls.forEach((_, i) => (record[`control${i}`] = segment.controls[i]));
    for (const { state, value } of segment.setStates) {
      record[`isSet${state}`] = 1;
      record[`set${state}`] = value;
    }
    records.push(record);
  }
  return { records, offsets, startReports };
}

/** Steps, segments and reports of one lane, more or less. */
function unitsOf({ stepper }: Program, records: readonly Record<string, number>[], times: number): number {
  const span = records.reduce((sum, record) => sum + record['span'], 0);
  const step = 'step' in stepper ? stepper.step : 'maximumStep' in stepper ? stepper.maximumStep : Infinity;
  return times + records.length + span / step;
}

function packRecords(layout: Struct<string>, records: readonly Record<string, number>[]): Uint32Array {
  const words = layout.bytes / 4;
  const out = new Uint32Array(words * records.length);
  records.forEach((record, i) => {
    const known = Object.fromEntries(Object.entries(record).filter(([field]) => field in layout.offset));
    out.set(new Uint32Array(writeStruct(layout, known)), i * words);
  });
  return out;
}
