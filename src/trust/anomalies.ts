/**
 * Which local record looks wrong, and which value makes it so. Each value is held against what the record's other values lead one to
 * expect: at the same visit (a Gaussian over people drawn from the pack) and over time (its neighbours of the same marker). The oddest
 * value of a record is then held against the oddest values of drawn people's records of the same length. Works for a single record:
 * other local records are asked only where there are enough to say what is usual here.
 */
import { daysBetween, type IsoDate, type PatientRecord } from '#domain/record.ts';
import type { Anomaly, AnomalyAnswer } from '#domain/trust.ts';
import { conditionals, conformalP } from '#numerics/ood.ts';
import { quantileOfSorted, sorted } from '#numerics/quantiles.ts';
import { normalCdf } from '#numerics/special-functions.ts';
import type { PackManifest } from '#packs/manifest.ts';
import { gaussianOf } from './distance.ts';
import { inputsOf, shownValue, type NumberInput } from './inputs.ts';

/** More unlikely than this and a record is named: so many in a thousand of the pack's own people would be. */
const namedBelow = 0.005;
/** From so many records on, what is usual here is taken from them. */
const enoughLocal = 20;
/** Odd beyond chance for one value; below it a value would pass. */
const passing = 2.5;

export interface AnomalyReference {
  readonly inputs: readonly NumberInput[];
  /** Visits at which every marker was measured: [visits] of [inputs]; NaN in inputs that the pack cannot say anything about. */
  readonly visits: readonly Float64Array[];
  /** By index of the inputs: spread of a value about its neighbours in time, in coordinates, of one grid step. */
  readonly jumps: readonly (number | null)[];
  /** Oddest values of drawn people's records of a length, ascending; null where each value is judged by itself. */
  readonly oddest: ((steps: number) => Float64Array) | null;
  readonly stepDays: number;
}

interface Cell {
  readonly input: number;
  readonly date: IsoDate | null;
  readonly value: number;
  /** In coordinates. */
  readonly x: number;
  /** Outside what is plausible, and nobody confirmed it. */
  readonly isImplausible: boolean;
}

interface Judged extends Cell {
  /** What the record's other values lead one to expect, in coordinates. */
  readonly expected: number;
  /** Standard deviations from it: by the visit and over time, as the sides of a right angle. */
  readonly z: number;
  /** By the visit alone, signed. */
  readonly level: number;
}

/** Reference of a learned pack, from records drawn by `drawReferenceRecords`. */
export function learnedAnomalyReference(
  manifest: PackManifest,
  draw: (steps: number) => readonly PatientRecord[],
  typicalSteps: number,
): AnomalyReference {
  const inputs = numbersOf(manifest);
  const typical = draw(typicalSteps);
  const cells = typical.map((record) => cellsOf(inputs, record));
  const { stepDays } = manifest.grid;
  const visits = cells.flatMap((own) =>
    [...new Set(own.flatMap(({ date }) => (date === null ? [] : [date])))]
      .map((date) => visitOf(inputs, own, date, stepDays))
      .filter((row) => !row.some(Number.isNaN)),
  );
  const jumps = inputs.map((_, i) => {
    const all = cells.flatMap((own) => jumpsOf(own, i, stepDays).map(({ by, gap }) => by / Math.sqrt(gap)));
    return all.length < 30 ? null : Math.max(0.1, 1.4826 * quantileOfSorted(sorted(all.map(Math.abs)), 0.5));
  });
  const reference: AnomalyReference = { inputs, visits, jumps, oddest: null, stepDays };
  const made = new Map<number, Float64Array>();
  const oddest = (steps: number) => {
    const known = made.get(steps);
    if (known) return known;
    const records = steps === typicalSteps ? typical : draw(steps);
    const found = sorted(records.map((record) => oddestOf(judge(reference, cellsOf(inputs, record), null))));
    made.set(steps, found);
    return found;
  };
  return { ...reference, oddest };
}

/** Reference of an equations pack: each covariate and level by the range that the pack states. Levels follow doses and are not held against each other in time. */
export function equationsAnomalyReference(manifest: PackManifest): AnomalyReference {
  const inputs = numbersOf(manifest);
  return { inputs, visits: [], jumps: inputs.map(() => null), oddest: null, stepDays: manifest.grid.stepDays };
}

function numbersOf(manifest: PackManifest): NumberInput[] {
  return inputsOf(manifest).filter((input): input is NumberInput => input.kind === 'number');
}

export function findAnomalies(
  reference: AnomalyReference,
  records: readonly PatientRecord[],
  longestSteps: number,
): AnomalyAnswer {
  const { inputs } = reference;
  const read = records.map((record) => ({ record, cells: cellsOf(inputs, record) })).filter(({ cells }) => cells.length > 0);
  const usual =
    read.length >= enoughLocal
      ? usualHere(
          reference,
          read.map(({ cells }) => cells),
        )
      : null;
  const found = read
    .map(({ record, cells }) => anomalyOf(reference, record, cells, usual, longestSteps))
    .filter((one) => one !== null)
    .sort((a, b) => a.pValue - b.pValue || a.patientId.localeCompare(b.patientId));
  const local = usual
    ? ` What is usual here was taken from the ${read.length} local records.`
    : ` Fewer than ${enoughLocal} local records: they were not held against each other.`;
  return {
    found,
    checked: read.length,
    method: `Each value was held against what the rest of its record leads one to expect among the pack’s people.${local} Chance alone would name about ${namedBelow * 1000} of 1,000 faultless records.`,
  };
}

/** Values of the record that the inputs name, in canonical units; what is in an unknown unit is left to the record's own check. */
function cellsOf(inputs: readonly NumberInput[], record: PatientRecord): Cell[] {
  return inputs.flatMap((input, i): Cell[] => {
    const make = (value: number, date: IsoDate | null, isConfirmed: boolean): Cell => {
      const [low, high] = input.plausible;
      return {
        input: i,
        date,
        value,
        x: input.toCoordinate(value),
        isImplausible: !isConfirmed && (value < low || value > high),
      };
    };
    const covariate = record.covariates[input.id];
    const first = typeof covariate === 'number' ? [make(covariate, null, false)] : [];
    const measured = record.observations.flatMap(({ code, value, unit, date, isConfirmed, isBelowLimit, isAboveLimit }) => {
      if (code !== input.id || isBelowLimit || isAboveLimit) return [];
      const canonical = input.toCanonical(value, unit);
      return canonical === null ? [] : [make(canonical, date, isConfirmed)];
    });
    return [...first, ...measured.sort((a, b) => (a.date! < b.date! ? -1 : a.date! > b.date! ? 1 : 0))];
  });
}

/** What was known at a visit: covariates, and of each marker the value nearest in time, if one lies within a step. */
function visitOf(inputs: readonly NumberInput[], cells: readonly Cell[], date: IsoDate, stepDays: number): Float64Array {
  const row = new Float64Array(inputs.length).fill(Number.NaN);
  const away = new Float64Array(inputs.length).fill(Infinity);
  for (const cell of cells) {
    const distance = cell.date === null ? 0 : Math.abs(daysBetween(date, cell.date));
    if (distance > stepDays || distance >= away[cell.input]!) continue;
    away[cell.input] = distance;
    row[cell.input] = cell.x;
  }
  return row;
}

/** Of one input: each value less what its neighbours in time lead one to expect, with the gap to the nearest in grid steps. */
function jumpsOf(
  cells: readonly Cell[],
  input: number,
  stepDays: number,
): { cell: Cell; by: number; gap: number; expected: number }[] {
  const own = cells.filter((cell) => cell.input === input && cell.date !== null);
  return own.flatMap((cell, i) => {
    const [before, after] = [own[i - 1], own[i + 1]];
    if (!before && !after) return [];
    const gapOf = (other: Cell) => Math.max(0.25, Math.abs(daysBetween(other.date!, cell.date!)) / stepDays);
    const neighbours = [before, after].filter((one) => one !== undefined);
    const weights = neighbours.map((one) => 1 / gapOf(one));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const expected = neighbours.reduce((sum, one, n) => sum + (weights[n]! / total) * one.x, 0);
    return [{ cell, by: cell.x - expected, gap: 0.5 + Math.min(...neighbours.map(gapOf)), expected }];
  });
}

/** Middle of each input's oddness by the visit over the local records. */
type Usual = readonly number[];

function judge(reference: AnomalyReference, cells: readonly Cell[], usual: Usual | null): Judged[] {
  const { inputs, jumps, stepDays } = reference;
  const visits = new Map<IsoDate | null, ReturnType<typeof expectedAt>>();
  const dates = cells.flatMap(({ date }) => (date === null ? [] : [date]));
  const at = (date: IsoDate | null) => {
    // A covariate is held against the first visit.
    const day = date ?? (dates.length > 0 ? dates.reduce((a, b) => (a < b ? a : b)) : null);
    const known = visits.get(day) ?? expectedAt(reference, cells, day, stepDays);
    visits.set(day, known);
    return known;
  };
  const byCell = new Map<Cell, { by: number; gap: number; expected: number }>();
  for (const i of inputs.keys()) for (const { cell, ...jump } of jumpsOf(cells, i, stepDays)) byCell.set(cell, jump);
  return cells.map((cell): Judged => {
    const given = at(cell.date).get(cell.input) ?? { expected: 0, sd: 1 };
    const raw = (cell.x - given.expected) / given.sd;
    const level = raw - (usual?.[cell.input] ?? 0);
    const jump = byCell.get(cell);
    const spread = jumps[cell.input];
    if (!jump || !spread) return { ...cell, expected: given.expected, z: Math.abs(level), level: raw };
    // Beside a wild value its neighbours jump as far as it does, but only the wild one is odd at its visit as well.
    const overTime = spread * Math.sqrt(jump.gap);
    const [visitWeight, timeWeight] = [1 / given.sd ** 2, 1 / overTime ** 2];
    const expected = (visitWeight * given.expected + timeWeight * jump.expected) / (visitWeight + timeWeight);
    return { ...cell, expected, z: Math.hypot(level, jump.by / overTime), level: raw };
  });
}

const gaussians = new WeakMap<AnomalyReference['visits'], Map<string, ReturnType<typeof gaussianOf>>>();

/** By input: what the other values of the visit lead one to expect. */
function expectedAt(
  { inputs, visits }: AnomalyReference,
  cells: readonly Cell[],
  date: IsoDate | null,
  stepDays: number,
): ReadonlyMap<number, { readonly expected: number; readonly sd: number }> {
  if (visits.length === 0) return new Map();
  const row = date === null ? covariatesOf(inputs, cells) : visitOf(inputs, cells, date, stepDays);
  const known = inputs.flatMap((_, i) => (Number.isNaN(row[i]!) ? [] : [i]));
  if (known.length === 0) return new Map();
  const made = gaussians.get(visits) ?? new Map<string, ReturnType<typeof gaussianOf>>();
  gaussians.set(visits, made);
  const key = known.join();
  const gaussian = made.get(key) ?? gaussianOf(visits.map((visit) => known.map((i) => visit[i]!)));
  made.set(key, gaussian);
  const x = known.map((i) => row[i]!);
  const given = conditionals(x, gaussian.mean, gaussian.precision);
  return new Map(known.map((i, k) => [i, given[k]!]));
}

function covariatesOf(inputs: readonly NumberInput[], cells: readonly Cell[]): Float64Array {
  const row = new Float64Array(inputs.length).fill(Number.NaN);
  for (const { date, input, x } of cells) if (date === null) row[input] = x;
  return row;
}

function oddestOf(cells: readonly Judged[]): number {
  return cells.reduce((most, { z }) => Math.max(most, z), 0);
}

function usualHere(reference: AnomalyReference, people: readonly (readonly Cell[])[]): Usual {
  const judged = people.flatMap((cells) => judge(reference, cells, null));
  return reference.inputs.map((_, i) => {
    const own = sorted(judged.filter(({ input }) => input === i).map(({ level }) => level));
    return own.length < enoughLocal ? 0 : quantileOfSorted(own, 0.5);
  });
}

function anomalyOf(
  reference: AnomalyReference,
  record: PatientRecord,
  cells: readonly Cell[],
  usual: Usual | null,
  longestSteps: number,
): Anomaly | null {
  const judged = judge(reference, cells, usual);
  const oddest = oddestOf(judged);
  const implausible = judged.filter(({ isImplausible }) => isImplausible);
  const steps = lengthOf(cells, reference.stepDays, longestSteps);
  const pValue = reference.oddest ? tailP(reference.oddest(steps), oddest) : separateP(oddest, cells.length);
  if (pValue > namedBelow && implausible.length === 0) return null;
  const odd = judged.filter(({ z, isImplausible }) => isImplausible || z > passing).sort((a, b) => b.z - a.z);
  if (odd.length === 0) return null;
  const total = odd.reduce((sum, { z }) => sum + z ** 2, 0);
  return {
    patientId: record.id,
    pValue,
    drivers: odd.slice(0, 5).map(({ input, date, value, expected, z }) => {
      const own = reference.inputs[input]!;
      return {
        id: own.id,
        label: own.label,
        value: shownValue(own, value),
        expected: shownValue(own, own.fromCoordinate(expected)),
        share: total > 0 ? z ** 2 / total : 0,
        date,
      };
    }),
    message: messageOf(reference, judged, odd),
  };
}

/** Drawn records of a few lengths stand for all: short ones for short ones. */
function lengthOf(cells: readonly Cell[], stepDays: number, longest: number): number {
  const dates = cells.flatMap(({ date }) => (date === null ? [] : [date])).sort();
  const steps = dates.length === 0 ? 0 : Math.round(daysBetween(dates[0]!, dates.at(-1)!) / stepDays);
  return [0, 2, 5, 10, 20].findLast((one) => one <= steps && one <= longest) ?? 0;
}

/**
 * Share of the reference at least as odd; beyond its outer tenth by an exponential through the mean excess there, so that a value that no
 * drawn person comes near does not end at one over their number.
 */
export function tailP(ascending: Float64Array, value: number): number {
  const edge = quantileOfSorted(ascending, 0.9);
  if (value <= edge) return conformalP(value, ascending);
  const beyond = Array.from(ascending).filter((one) => one > edge);
  const excess = beyond.reduce((sum, one) => sum + one - edge, 0) / Math.max(1, beyond.length);
  return 0.1 * Math.exp(-(value - edge) / Math.max(excess, 1e-6));
}

/** Of so many values, each normal for itself (Šidák 1967). */
function separateP(oddest: number, values: number): number {
  return 1 - (1 - 2 * normalCdf(-oddest)) ** values;
}

const slips = [10, 100, 1000] as const;

function messageOf(reference: AnomalyReference, judged: readonly Judged[], odd: readonly Judged[]): string {
  const { inputs } = reference;
  const first = odd[0]!;
  const label = inputs[first.input]!.label;
  const day = first.date === null ? '' : ` of ${first.date}`;
  const swapped = odd.slice(1, 4).find((other) => other.date === first.date && isSwapped(inputs, first, other));
  if (swapped) return `${label} and ${inputs[swapped.input]!.label}${day} would fit if they were exchanged.`;
  const slip = slipOf(inputs[first.input]!, first);
  if (slip) return `${label}${day} would fit if it were ${slip}: perhaps a unit or a decimal point.`;
  const isOneOff = judged.filter(({ input }) => input === first.input).length > 1;
  const lies = first.x > first.expected ? 'higher' : 'lower';
  return isOneOff
    ? `${label}${day} lies far ${lies} than the other values of this record lead one to expect.`
    : `${label}${day} lies far ${lies} than in people who are otherwise alike.`;
}

function isSwapped(inputs: readonly NumberInput[], a: Judged, b: Judged): boolean {
  const fits = (cell: Judged, value: number) => {
    const input = inputs[cell.input]!;
    return Math.abs(input.toCoordinate(value) - cell.expected) < Math.abs(cell.x - cell.expected) / 3;
  };
  return fits(a, b.value) && fits(b, a.value);
}

/** "divided by 1000", where that brings the value to within what would pass. */
function slipOf(input: NumberInput, { value, x, expected, z }: Judged): string | null {
  if (value <= 0) return null;
  const perUnit = Math.abs(x - expected) / z;
  const factors = [...slips, ...input.otherUnits.map(({ factor }) => Math.max(factor, 1 / factor))].filter(
    (factor) => factor > 1.5,
  );
  const tried = factors.flatMap((factor) => [
    { words: `divided by ${Number(factor.toPrecision(3))}`, by: 1 / factor },
    { words: `multiplied by ${Number(factor.toPrecision(3))}`, by: factor },
  ]);
  const scored = tried.map(({ words, by }) => ({ words, z: Math.abs(input.toCoordinate(value * by) - expected) / perUnit }));
  const nearest = scored.reduce((a, b) => (b.z < a.z ? b : a));
  return nearest.z < passing && nearest.z < z / 2 ? nearest.words : null;
}
