/**
 * Just enough of ONNX's protobuf to write a graph of standard operators with f32 initialisers. Field numbers are those of onnx.proto
 * (github.com/onnx/onnx), IR version 8, operator set 17.
 */
export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly integers?: Readonly<Record<string, number>>;
}

export interface OnnxTensor {
  readonly name: string;
  readonly dimensions: readonly number[];
  /** Left out for inputs and outputs. */
  readonly values?: Float32Array;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxTensor[];
  readonly inputs: readonly OnnxTensor[];
  readonly outputs: readonly OnnxTensor[];
}

export function encodeModel({ nodes, constants, inputs, outputs }: OnnxGraph): Uint8Array {
  const graph = message(
    ...nodes.map((node) => field(1, encodeNode(node))),
    field(2, text('work')),
    ...constants.map((tensor) => field(5, encodeTensor(tensor))),
    ...inputs.map((tensor) => field(11, encodeValueInfo(tensor))),
    ...outputs.map((tensor) => field(12, encodeValueInfo(tensor))),
  );
  return message(integer(1, 8), field(7, graph), field(8, message(field(1, text('')), integer(2, 17))));
}

function encodeNode({ op, inputs, outputs, integers = {} }: OnnxNode): Uint8Array {
  const intAttribute = 2;
  return message(
    ...inputs.map((name) => field(1, text(name))),
    ...outputs.map((name) => field(2, text(name))),
    field(4, text(op)),
    ...Object.entries(integers).map(([name, value]) =>
      field(5, message(field(1, text(name)), integer(3, value), integer(20, intAttribute))),
    ),
  );
}

const float32 = 1;

function encodeTensor({ name, dimensions, values }: OnnxTensor): Uint8Array {
  if (!values) throw new Error(`${name}: a constant has values.`);
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return message(...dimensions.map((size) => integer(1, size)), integer(2, float32), field(8, text(name)), field(9, raw));
}

function encodeValueInfo({ name, dimensions }: OnnxTensor): Uint8Array {
  const shape = message(...dimensions.map((size) => field(1, message(integer(1, size)))));
  return message(field(1, text(name)), field(2, message(field(1, message(integer(1, float32), field(2, shape))))));
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function message(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Length-delimited field: wire type 2. */
function field(number: number, content: Uint8Array): Uint8Array {
  return message(varint(number * 8 + 2), varint(content.length), content);
}

function integer(number: number, value: number): Uint8Array {
  return message(varint(number * 8), varint(value));
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}
