import type { Work } from '../work.ts';

/** A row-major matrix, or a vector when it has one row. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

export interface GruWeights {
  readonly rollouts: number;
  readonly S: number;
  readonly H: number;
  readonly matrices: GruMatrices;
  /** [rollouts × S], [rollouts × H] */ readonly startX: Matrix;
  readonly startH: Matrix;
}

/** The step's tensors as a library wants them: inputs by outputs, gates r, u, n side by side, conditioning inside the biases. */
export interface GruMatrices {
  /** [S × 3H] and [H × 3H] */ readonly gateX: Matrix;
  readonly gateH: Matrix;
  /** [3H]; and [3H] with the reset bias in the last third */ readonly biasX: Matrix;
  readonly biasH: Matrix;
  /** [S × S], [H × S], [S] */ readonly driftX: Matrix;
  readonly driftH: Matrix;
  readonly driftBias: Matrix;
  /** [H × S], [S] */ readonly scaleH: Matrix;
  readonly scaleBias: Matrix;
}

export function gruWeights({ request }: Work): GruWeights {
  const { network, starts, rollouts, plans } = request;
  const { S, H } = network.shape;
  const member = network.members[0];
  const row = plans[0].rows;
  const biasH = new Float32Array(3 * H);
  biasH.set(member.resetBias, 2 * H);
  return {
    rollouts,
    S,
    H,
    matrices: {
      gateX: transposed(member.gateX, 3 * H, S),
      gateH: transposed(member.gateH, 3 * H, H),
      biasX: vector(row.slice(0, 3 * H)),
      biasH: vector(biasH),
      driftX: transposed(member.driftX, S, S),
      driftH: transposed(member.driftH, S, H),
      driftBias: vector(row.slice(3 * H, 3 * H + S)),
      scaleH: transposed(member.scaleH, S, H),
      scaleBias: vector(member.scaleBias),
    },
    startX: { rows: rollouts, columns: S, values: starts.filter((_, at) => at % (S + H) < S) },
    startH: { rows: rollouts, columns: H, values: starts.filter((_, at) => at % (S + H) >= S) },
  };
}

const vector = (values: Float32Array): Matrix => ({ rows: 1, columns: values.length, values });

function transposed(values: Float32Array, rows: number, columns: number): Matrix {
  return {
    rows: columns,
    columns: rows,
    values: Float32Array.from(values, (_, at) => values[(at % rows) * columns + Math.floor(at / rows)]),
  };
}
