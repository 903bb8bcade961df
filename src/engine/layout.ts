/**
 * How a model lies in an engine's memory, said once. Each block of numbers and each struct's fields are listed here; the GPU and
 * the wasm engine take their offsets, their packed weights and their shader text from these lists and keep no second copy.
 *
 * Offsets and sizes of blocks count f32 numbers, offsets of struct fields count bytes.
 */
import type { Head, MemberTensors, NetworkShape } from '#packs/network.ts';

/**
 * How many rows stand together, so that whoever computes them reads their weights in one go: the GPU takes four hidden units and
 * four head rows at a time (`{ units: 4, rows: 4 }`), the wasm engine one (`{ units: 1, rows: 1 }`), its lanes being trajectories.
 */
export interface Tiling {
  /** Hidden units to a tile. Divides H. */
  readonly units: number;
  /** Rows of drift, scale and hazard to a block. The last block is filled up with zeros. */
  readonly rows: number;
  /**
   * What the gate weights run over first: a tile's inputs, for one thread that walks them alone (`tile`, the default), or an
   * input's tiles, for neighbouring threads that own neighbouring tiles and are at the same input at the same time (`input`).
   */
  readonly outer?: 'tile' | 'input';
}

export interface Block {
  /** First f32 of the block. */
  readonly at: number;
  /** f32 numbers in it. */
  readonly size: number;
  /** Index order, outermost first. */
  readonly order: string;
}

export interface Layout<Name extends string> {
  readonly blocks: Readonly<Record<Name, Block>>;
  /** f32 numbers from one such record to the next, a multiple of 4 (16 bytes). */
  readonly stride: number;
}

export type MemberBlock = 'gates' | 'resetBias' | 'states' | 'hazards' | 'noise';
export type DriveBlock = 'gates' | 'drift' | 'hazard';

/** One ensemble member's tensors but for the conditioning, which `drive.ts` has already multiplied out. */
export function memberLayout({ S, L, H, K }: NetworkShape, { rows }: Tiling): Layout<MemberBlock> {
  const D = S + L;
  return layOut<MemberBlock>([
    ['gates', H * (D + H) * 3, 'unit tile and input (x then h), outer first; gate (r u n), unit'],
    ['resetBias', H, 'unit'],
    [
      'states',
      blocksOf(S, rows) * rows * (D + 2 * H),
      'row block: { drift by x: input, row } { by h: input, drift | scale, row }',
    ],
    ['hazards', blocksOf(K, rows) * rows * (D + H), 'row block, input (x then h), row'],
    ['noise', blocksOf(S, rows) * rows * 4, 'row block, scaleBias | tailCount | tailScale | observationScale, row'],
  ]);
}

/** One member's and one step's summands that no trajectory changes: a row of `PlanDrive.rows`, rearranged. */
export function driveLayout({ S, H, K }: NetworkShape, { rows }: Tiling): Layout<DriveBlock> {
  return layOut<DriveBlock>([
    ['gates', 3 * H, 'unit tile, gate (r u n), unit'],
    ['drift', blocksOf(S, rows) * rows, 'state'],
    ['hazard', blocksOf(K, rows) * rows, 'cause'],
  ]);
}

export const blocksOf = (count: number, rows: number): number => Math.ceil(count / rows);

function layOut<Name extends string>(list: readonly (readonly [name: Name, size: number, order: string])[]): Layout<Name> {
  const blocks = {} as Record<Name, Block>;
  let at = 0;
  for (const [name, size, order] of list) {
    blocks[name] = { at, size, order };
    at += Math.ceil(size / 4) * 4;
  }
  return { blocks, stride: at };
}

/** Writes one member's tensors into `out` from `at` on, in the order of `memberLayout`. */
export function packMember(shape: NetworkShape, member: MemberTensors, tiling: Tiling, out: Float32Array, at = 0): void {
  const { S, L, H, K } = shape;
  const { units, rows, outer = 'tile' } = tiling;
  const D = S + L;
  const perTile = 3 * units * (outer === 'tile' ? D + H : 1);
  const perInput = 3 * units * (outer === 'tile' ? 1 : H / units);
  const { blocks } = memberLayout(shape, tiling);

  for (let unit = 0; unit < H; unit++) {
    const tile = at + blocks.gates.at + Math.floor(unit / units) * perTile + (unit % units);
    for (let gate = 0; gate < 3; gate++) {
      const row = gate * H + unit;
      for (let k = 0; k < D; k++) out[tile + k * perInput + gate * units] = member.gateX[row * D + k]!;
      for (let k = 0; k < H; k++) out[tile + (D + k) * perInput + gate * units] = member.gateH[row * H + k]!;
    }
    out[at + blocks.resetBias.at + unit] = member.resetBias[unit]!;
  }

  for (let i = 0; i < S; i++) {
    const block = Math.floor(i / rows);
    const states = at + blocks.states.at + block * rows * (D + 2 * H) + (i % rows);
    for (let k = 0; k < D; k++) out[states + k * rows] = member.driftX[i * D + k]!;
    for (let k = 0; k < H; k++) {
      out[states + (D + 2 * k) * rows] = member.driftH[i * H + k]!;
      out[states + (D + 2 * k + 1) * rows] = member.scaleH[i * H + k]!;
    }
    const noise = at + blocks.noise.at + block * rows * 4 + (i % rows);
    [member.scaleBias, member.tailCount, member.tailScale, member.observationScale].forEach((values, part) => {
      out[noise + part * rows] = values[i]!;
    });
  }

  for (let cause = 0; cause < K; cause++) {
    const hazards = at + blocks.hazards.at + Math.floor(cause / rows) * rows * (D + H) + (cause % rows);
    for (let k = 0; k < D; k++) out[hazards + k * rows] = member.hazardX[cause * D + k]!;
    for (let k = 0; k < H; k++) out[hazards + (D + k) * rows] = member.hazardH[cause * H + k]!;
  }
}

/** Writes one row of a `PlanDrive` (`from` its first index) into `out` from `at` on, in the order of `driveLayout`. */
export function packDriveRow(
  shape: NetworkShape,
  source: Float32Array,
  from: number,
  tiling: Tiling,
  out: Float32Array,
  at = 0,
): void {
  const { S, H, K } = shape;
  const { units } = tiling;
  const { blocks } = driveLayout(shape, tiling);
  for (let gate = 0; gate < 3; gate++) {
    for (let unit = 0; unit < H; unit++) {
      out[at + blocks.gates.at + (Math.floor(unit / units) * 3 + gate) * units + (unit % units)] =
        source[from + gate * H + unit]!;
    }
  }
  for (let i = 0; i < S; i++) out[at + blocks.drift.at + i] = source[from + 3 * H + i]!;
  for (let k = 0; k < K; k++) out[at + blocks.hazard.at + k] = source[from + 3 * H + S + k]!;
}

/** Larger than any state: where a head has fewer than three cut points, this one is never passed. */
const noCut = 1e30;

/** Heads, which all members share: per row block `kind (0 continuous, 1 ordinal) | cut | cut | cut`, each by row. */
export function packHeads(heads: readonly Head[], { rows }: Tiling): Float32Array {
  const out = new Float32Array(blocksOf(heads.length, rows) * rows * 4);
  heads.forEach((head, i) => {
    const at = Math.floor(i / rows) * rows * 4 + (i % rows);
    const cuts = head.kind === 'ordinal' ? head.cuts : [];
    if (cuts.length > 3) throw new RangeError(`Head ${i} has ${cuts.length} cut points; at most 3 are possible.`);
    out[at] = head.kind === 'ordinal' ? 1 : 0;
    for (let cut = 0; cut < 3; cut++) out[at + (cut + 1) * rows] = cuts[cut] ?? noCut;
  });
  return out;
}

/** A block of 32-bit fields, one after the other, as WGSL lays out a struct of scalars. */
export interface Struct<Field extends string> {
  readonly name: string;
  /** Byte offset of each field. */
  readonly offset: Readonly<Record<Field, number>>;
  /** Size in bytes, a multiple of 16 so that it may be a uniform. */
  readonly bytes: number;
  /** The struct's declaration in WGSL. */
  readonly wgsl: string;
  readonly types: Readonly<Record<Field, ScalarType>>;
}

export type ScalarType = 'u32' | 'i32' | 'f32';

export function struct<Field extends string>(name: string, types: Readonly<Record<Field, ScalarType>>): Struct<Field> {
  const fields = Object.keys(types) as Field[];
  return {
    name,
    types,
    offset: Object.fromEntries(fields.map((field, i) => [field, i * 4])) as Record<Field, number>,
    bytes: Math.ceil(fields.length / 4) * 16,
    wgsl: `struct ${name} {\n${fields.map((field) => `  ${field}: ${types[field]},`).join('\n')}\n}`,
  };
}

export function writeStruct<Field extends string>(layout: Struct<Field>, values: Readonly<Record<Field, number>>): ArrayBuffer {
  const buffer = new ArrayBuffer(layout.bytes);
  const view = new DataView(buffer);
  for (const field of Object.keys(values) as Field[]) {
    const at = layout.offset[field];
    if (layout.types[field] === 'f32') view.setFloat32(at, values[field], true);
    else if (layout.types[field] === 'u32') view.setUint32(at, values[field], true);
    else view.setInt32(at, values[field], true);
  }
  return buffer;
}
