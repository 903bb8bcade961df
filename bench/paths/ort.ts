import type * as Ort from 'onnxruntime-web';
import { logScaleRange } from '#packs/network.ts';
import type { PreparedPath, Work } from '../work.ts';
import { gruWeights, type Matrix } from './gru-weights.ts';
import { encodeModel, type OnnxNode } from './onnx-model.ts';

/**
 * The whole rollout as one graph, unrolled: Gemm (with its bias), Split, Sigmoid, Tanh, Mul, Add, Sub, Clip and Exp, 24 times over.
 * ONNX's own GRU operator cannot feed a state back. ORT reads the number of threads when its first session is made.
 */
export async function ortWasm(work: Work, ort: typeof Ort, threads: number): Promise<PreparedPath> {
  ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create(unrolledModel(work), {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
  });
  const { S, H, rollouts, startX, startH } = gruWeights(work);
  const feeds: Record<string, Ort.Tensor> = {
    x0: new ort.Tensor('float32', startX.values, [rollouts, S]),
    h0: new ort.Tensor('float32', startH.values, [rollouts, H]),
  };
  work.noise.forEach((values, step) => (feeds[`epsilon${step}`] = new ort.Tensor('float32', values, [rollouts, S])));
  const finalStates = async () => {
    const results = await session.run(feeds);
    return (results[`x${work.noise.length}`].data as Float32Array).slice();
  };
  return { run: async () => void (await finalStates()), finalStates, dispose: () => void session.release() };
}

function unrolledModel(work: Work): Uint8Array {
  const { S, H, rollouts, matrices } = gruWeights(work);
  const constant = (name: string, { rows, columns, values }: Matrix) => ({
    name,
    dimensions: rows === 1 ? [columns] : [rows, columns],
    values,
  });
  const scalar = (name: string, value: number) => ({ name, dimensions: [], values: Float32Array.of(value) });
  const steps = work.noise.length;
  return encodeModel({
    nodes: Array.from({ length: steps }, (_, step) => stepNodes(step)).flat(),
    constants: [
      ...Object.entries(matrices).map(([name, matrix]) => constant(name, matrix)),
      scalar('low', logScaleRange[0]),
      scalar('high', logScaleRange[1]),
    ],
    inputs: [
      { name: 'x0', dimensions: [rollouts, S] },
      { name: 'h0', dimensions: [rollouts, H] },
      ...work.noise.map((_, step) => ({ name: `epsilon${step}`, dimensions: [rollouts, S] })),
    ],
    outputs: [{ name: `x${steps}`, dimensions: [rollouts, S] }],
  });
}

function stepNodes(step: number): OnnxNode[] {
  const own = (name: string) => `${name}_${step}`;
  const node = (op: string, inputs: string[], output: string): OnnxNode => ({ op, inputs, outputs: [output] });
  const split = (input: string, names: string[]): OnnxNode => ({
    op: 'Split',
    inputs: [input],
    outputs: names.map(own),
    integers: { axis: 1 },
  });
  const x = `x${step}`;
  const h = `h${step}`;
  const nextH = `h${step + 1}`;
  return [
    node('Gemm', [x, 'gateX', 'biasX'], own('byX')),
    node('Gemm', [h, 'gateH', 'biasH'], own('byH')),
    split(own('byX'), ['rx', 'ux', 'nx']),
    split(own('byH'), ['rh', 'uh', 'nh']),
    node('Add', [own('rx'), own('rh')], own('rSum')),
    node('Sigmoid', [own('rSum')], own('r')),
    node('Add', [own('ux'), own('uh')], own('uSum')),
    node('Sigmoid', [own('uSum')], own('u')),
    node('Mul', [own('r'), own('nh')], own('kept')),
    node('Add', [own('nx'), own('kept')], own('nSum')),
    node('Tanh', [own('nSum')], own('n')),
    node('Sub', [h, own('n')], own('gap')),
    node('Mul', [own('u'), own('gap')], own('held')),
    node('Add', [own('n'), own('held')], nextH),
    node('Gemm', [nextH, 'driftH', 'driftBias'], own('driftByH')),
    node('Gemm', [x, 'driftX', own('driftByH')], own('drift')),
    node('Add', [x, own('drift')], own('mean')),
    node('Gemm', [nextH, 'scaleH', 'scaleBias'], own('logScale')),
    node('Clip', [own('logScale'), 'low', 'high'], own('clipped')),
    node('Exp', [own('clipped')], own('scale')),
    node('Mul', [own('scale'), `epsilon${step}`], own('noise')),
    node('Add', [own('mean'), own('noise')], `x${step + 1}`),
  ];
}
