/**
 * LU decomposition of (diagonal − J) written out for the entries that are not 0, without row exchanges: the diagonal is what makes
 * a step implicit, and a step that is too long for it fails the error test. Rows are eliminated in the order that fills least.
 */
export class SparseLu {
  readonly #entries: (string | null)[][];
  readonly #order: number[] = [];
  readonly #factors: { readonly row: number; readonly pivot: number; readonly name: string }[] = [];

  constructor(jacobian: readonly (readonly (string | null)[])[]) {
    this.#entries = jacobian.map((row) => [...row]);
  }

  decompose(diagonal: string): string[] {
    const n = this.#entries.length;
    const lines: string[] = [];
    const w = this.#entries;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const entry = w[i][j];
        if (i === j) lines.push(`let w${i}_${i} = ${diagonal}${entry ? ` - ${entry}` : ''};`);
        else if (entry) lines.push(`let w${i}_${j} = -${entry};`);
        w[i][j] = entry || i === j ? `w${i}_${j}` : null;
      }
    }
    const left = new Set(w.keys());
    let count = 0;
    while (left.size > 0) {
      const cost = (k: number) => {
        const others = [...left].filter((i) => i !== k);
        return others.filter((i) => w[i][k]).length * others.filter((j) => w[k][j]).length;
      };
      const k = [...left].reduce((best, candidate) => (cost(candidate) < cost(best) ? candidate : best));
      left.delete(k);
      this.#order.push(k);
      lines.push(`let pivot${k} = 1f / ${w[k][k]};`);
      for (const i of left) {
        if (!w[i][k]) continue;
        const name = `l${i}_${k}`;
        lines.push(`let ${name} = ${w[i][k]} * pivot${k};`);
        this.#factors.push({ row: i, pivot: k, name });
        for (const j of left) {
          if (!w[k][j]) continue;
          const made = `e${count++}`;
          lines.push(`let ${made} = ${w[i][j] ? `${w[i][j]} ` : ''}- ${name} * ${w[k][j]};`);
          w[i][j] = made;
        }
      }
    }
    return lines;
  }

  /** Solutions are named `prefix` and the index. */
  solve(right: readonly string[], prefix: string): string[] {
    const lines: string[] = [];
    const now = [...right];
    for (const k of this.#order) {
      const terms = this.#factors.filter(({ row }) => row === k).map(({ pivot, name }) => ` - ${name} * ${now[pivot]}`);
      lines.push(`let b${prefix}${k} = ${now[k]}${terms.join('')};`);
      now[k] = `b${prefix}${k}`;
    }
    const done = new Set<number>();
    for (const k of [...this.#order].reverse()) {
      const terms = [...done].filter((j) => this.#entries[k][j]).map((j) => ` - ${this.#entries[k][j]} * ${prefix}${j}`);
      lines.push(`let ${prefix}${k} = (${now[k]}${terms.join('')}) * pivot${k};`);
      done.add(k);
    }
    return lines;
  }
}
