/**
 * The steppers of `numerics/steppers/` in WGSL: `throughSegment()` takes the states from a segment's start to its end, looks for
 * events after each step and reports inside it. Stages are values with names of their own, so nothing is indexed and nothing is
 * spilt that a compiler could keep.
 */
import { streams } from '#numerics/random.ts';
import { dormandPrince } from '#numerics/steppers/dopri5.ts';
import { rodas } from '#numerics/steppers/rosenbrock.ts';
import type { Program } from '#packs/equations/program.ts';
import { indent, literal, type FormulaBlock } from './formulas.wgsl.ts';
import { SparseLu } from './sparse-lu.wgsl.ts';

/** What a stepper needs of the module that it is part of. */
export interface StepperModule {
  readonly program: Program;
  readonly variant: { readonly hasGivenNoise: boolean };
  /** States that read-outs read: only these are interpolated. */
  readonly reportedStates: ReadonlySet<number>;
  /** `t: f32, x0: f32, …`. */
  parameters(): string;
  /** Formulas of a function with these parameters. */
  instant(): FormulaBlock;
  /** Declares a private variable and gives its name. */
  declare(name: string, type?: string): string;
}

export function stepperWgsl(module: StepperModule): string {
  return new StepperText(module).write();
}

/** |a| + |b| + …: finite where all are, but for numbers near the end of f32. */
export function sumOfSizes(names: readonly string[]): string {
  return names.map((name) => `abs(${name})`).join(' + ');
}

interface Adaptive {
  readonly relativeTolerance: number;
  readonly absoluteTolerance: number;
  readonly firstStep: number;
  readonly maximumStep: number;
  readonly maximumSteps: number;
}

// The error of a step is a difference of stages, each rounded to 6e-8 of the state: a tolerance below this would ask for their noise.
const smallestTolerance = 1e-6;

/** A share of a step above which its end is meant; and up to which, so that rounding leaves no report behind. */
const nearlyOne = '0.99999f';
const justAboveOne = '1.00001f';

class StepperText {
  readonly #module: StepperModule;
  readonly #program: Program;
  /** Index of each state. */
  readonly #all: readonly number[];

  constructor(module: StepperModule) {
    this.#module = module;
    this.#program = module.program;
    this.#all = module.program.states.map((_, i) => i);
  }

  write(): string {
    const { stepper } = this.#program;
    switch (stepper.kind) {
      case 'closed-form':
        return this.#closedForm();
      case 'rk4':
        return this.#rk4(stepper.step) + this.#setFunctions();
      case 'dopri5':
        return this.#dopri5(stepper) + this.#setFunctions();
      case 'rosenbrock':
        return this.#rosenbrock(stepper) + this.#setFunctions();
      case 'euler-maruyama':
      case 'heun':
        return this.#stochastic(stepper.step, stepper.kind === 'heun') + this.#setFunctions();
      case 'map':
        return this.#map(stepper.step) + this.#setFunctions();
    }
  }

  #closedForm(): string {
    return `
fn throughSegment() {
  for (; next < endReport; next++) {
    report(tables[reportsAt + next]${this.#list((i) => `, x${i}`, '')});
  }
}`;
  }

  #rk4(step: number): string {
    const stage = (at: string, factor: string | null, k: string) =>
      `slopes(${at}${this.#list((i) => `, x${i}${factor === null ? '' : ` + ${factor} * ${k}.d${i}`}`, '')})`;
    const canRestart = this.#hasSets;
    const declare = canRestart ? 'var' : 'let';
    const hermite = (i: number) =>
      `r * r * (1f + 2f * s) * x${i} + s * s * (1f + 2f * r) * y${i} + h * s * r * (r * k1.d${i} - s * k5.d${i})`;
    const isInterpolating = this.#module.reportedStates.size > 0;
    return `
fn throughSegment() {
  var t0 = 0f;
  ${declare} steps = stepsIn(span);
${canRestart ? '  var gridStart = 0f;\n' : ''}  for (var taken = 0u; taken < steps;) {
    taken++;
    let t1 = select(${canRestart ? 'gridStart + ' : ''}f32(taken) * ${literal(step)}, span, taken == steps);
    let h = t1 - t0;
    let half = 0.5f * h;
    let k1 = ${stage('t0', null, '')};
    let k2 = ${stage('t0 + half', 'half', 'k1')};
    let k3 = ${stage('t0 + half', 'half', 'k2')};
    let k4 = ${stage('t1', 'h', 'k3')};
    evaluations += 4u;
    let sixth = h * 0.16666667f;
${this.#lines((i) => `let y${i} = x${i} + sixth * (k1.d${i} + 2f * (k2.d${i} + k3.d${i}) + k4.d${i});`)}
${this.#refuse()}
${
  isInterpolating
    ? `    // The cubic between steps needs the slope at the end, which is the next step's, if there is one.
    var k5 = k4;
    if (next < endReport) {
      if ((tables[reportsAt + next] - t0) / h < ${nearlyOne}) {
        k5 = slopes(t1${this.#list((i) => `, y${i}`, '')});
        evaluations++;
      }
    }
`
    : ''
}${this.#finishStep(['let r = 1f - s;'], hermite)}
${
  canRestart
    ? `    if (hasSet) {
      gridStart = t1;
      steps = stepsIn(span - t1);
      taken = 0u;
    }
`
    : ''
}    t0 = t1;
    if (isOver) { return; }
  }
}

/** Steps in so long a time; what is left below a ten-thousandth of one is rounding. */
fn stepsIn(time: f32) -> u32 {
  return max(1u, u32(ceil(time * ${literal(1 / step)} - 1e-4f)));
}`;
  }

  #dopri5(options: Adaptive): string {
    const { a, c, error, dense: denseWeights } = dormandPrince;
    const weights = [1, 2, 3, 4, 5, 6].map((stage) =>
      a[stage].map((value, j) => ({ j, value })).filter(({ value }) => value !== 0),
    );
    const lines: string[] = [];
    weights.forEach((row, r) => {
      const stage = r + 1;
      for (const { j, value } of row) lines.push(`let a${stage}${j} = h * ${literal(value)};`);
      const argument = (i: number) => `x${i} + ${row.map(({ j }) => `a${stage}${j} * k${j}.d${i}`).join(' + ')}`;
      if (stage === 6) lines.push(...this.#all.map((i) => `let y${i} = ${argument(i)};`));
      const time = c[stage] === 1 ? 't1' : `t0 + ${literal(c[stage])} * h`;
      lines.push(`let k${stage} = slopes(${time}${this.#list((i) => (stage === 6 ? `, y${i}` : `, ${argument(i)}`), '')});`);
    });
    const sum = (values: readonly number[], i: number) =>
      values.flatMap((value, j) => (value === 0 ? [] : [`${literal(value)} * k${j}.d${i}`])).join(' + ');
    lines.push('evaluations += 6u;');
    lines.push(...this.#all.map((i) => `let error${i} = h * (${sum(error, i)});`));
    const dense = (i: number) => `dense(s, h, x${i}, y${i}, k0.d${i}, k6.d${i}, ${sum(denseWeights, i)})`;
    const start = `if (isFresh) {
      k0 = slopes(t0${this.#list((i) => `, x${i}`, '')});
      evaluations++;
      isFresh = false;
    }`;
    return `
/** Shampine's interpolant between x and y with these slopes. */
fn dense(s: f32, h: f32, x: f32, y: f32, first: f32, last: f32, correction: f32) -> f32 {
  let difference = y - x;
  let bend = h * first - difference;
  let inner = difference - h * last - bend + (1f - s) * h * correction;
  return x + s * (difference + (1f - s) * (bend + s * inner));
}
${this.#adaptive(options, { state: '  var k0: Slopes;\n  var isFresh = true;', start, lines, interpolate: dense, order: 5, shrink: 0.2, carry: '      k0 = k6;', restart: 'isFresh = true;' })}`;
  }

  #rosenbrock(options: Adaptive): string {
    const { gamma, a, c, d, coupling, dense } = rodas;
    const jacobian = this.#jacobian();
    const isAutonomous = this.#isAutonomous;
    const lines = [
      `let k = slopes(t0${this.#list((i) => `, x${i}`, '')});`,
      `let jacobian = jacobianAt(t0${this.#list((i) => `, x${i}`, '')});`,
    ];
    if (!isAutonomous) {
      lines.push('let delta = sqrt(1.2e-7f * max(1e-5f, abs(begin + t0)));');
      lines.push(`let later = slopes(t0 + delta${this.#list((i) => `, x${i}`, '')});`);
    }
    const lu = new SparseLu(jacobian.entries.map((row) => row.map((name) => name && `jacobian.${name}`)));
    lines.push('let perStep = 1f / h;', `let diagonal = ${literal(1 / gamma)} * perStep;`, ...lu.decompose('diagonal'));
    const combination = (row: readonly number[], i: number) =>
      row.flatMap((value, j) => (value === 0 ? [] : [`${literal(value)} * u${j}_${i}`])).join(' + ');
    for (let stage = 0; stage < 6; stage++) {
      if (stage > 0) {
        for (const i of this.#all) lines.push(`let z${stage}_${i} = x${i} + ${combination(a[stage], i)};`);
        const time = c[stage] === 1 ? 't1' : `t0 + ${literal(c[stage])} * h`;
        lines.push(`let f${stage} = slopes(${time}${this.#list((i) => `, z${stage}_${i}`, '')});`);
      }
      const right = this.#all.map((i) => {
        const slope = stage === 0 ? `k.d${i}` : `f${stage}.d${i} + perStep * (${combination(coupling[stage], i)})`;
        if (isAutonomous || d[stage] === 0) return slope;
        return `${slope} + h * ${literal(d[stage])} * ((later.d${i} - k.d${i}) / delta)`;
      });
      lines.push(...lu.solve(right, `u${stage}_`));
    }
    lines.push(`evaluations += ${isAutonomous ? 6 : 7}u;`);
    for (const i of this.#all) lines.push(`let y${i} = z5_${i} + u5_${i};`, `let error${i} = u5_${i};`);
    const interpolate = (i: number) =>
      `r * x${i} + s * (y${i} + r * (${combination(dense[0], i)} + s * (${combination(dense[1], i)})))`;
    return `${jacobian.wgsl}
${this.#adaptive(options, { state: '', start: '', lines, interpolate, prepare: ['let r = 1f - s;'], order: 4, shrink: 1 / 6, carry: '', restart: '' })}`;
  }

  /** Euler–Maruyama, or Heun's average of the drift over both ends with the diffusion of the start. */
  #stochastic(step: number, isHeun: boolean): string {
    const driven = this.#all.filter((i) => this.#program.states[i].diffusion);
    const normalOf = (i: number) => `normals${driven.indexOf(i) >> 2}.${'abcd'[driven.indexOf(i) & 3]}`;
    const noise = (i: number) => (driven.includes(i) ? ` + scale * g.d${i} * ${normalOf(i)}` : '');
    const move = isHeun
      ? `    let k2 = slopes(t1${this.#list((i) => `, x${i} + h * k1.d${i}${noise(i)}`, '')});
    evaluations += 2u;
${this.#lines((i) => `let y${i} = x${i} + 0.5f * h * (k1.d${i} + k2.d${i})${noise(i)};`)}`
      : `    evaluations++;
${this.#lines((i) => `let y${i} = x${i} + h * k1.d${i}${noise(i)};`)}`;
    return `
fn throughSegment() {
  var t0 = 0f;
  let firstStep = segments[segmentAt].firstStep;
  let intoStep = segments[segmentAt].intoStep;
  for (var taken = 0u; t0 < span; taken++) {
    let gridEnd = f32(taken + 1u) * ${literal(step)} - intoStep;
    let t1 = select(gridEnd, span, gridEnd > span - ${literal(1e-4 * step)});
    let h = t1 - t0;
    let scale = h * ${literal(1 / Math.sqrt(step))};
${this.#normals(Math.ceil(driven.length / 4), 'firstStep + taken')}
    let k1 = slopes(t0${this.#list((i) => `, x${i}`, '')});
    let g = spreads(t0${this.#list((i) => `, x${i}`, '')});
${move}
${this.#refuse()}
${this.#finishStep([], (i) => `x${i} + s * (y${i} - x${i})`)}
    t0 = t1;
    if (isOver) { return; }
  }
}`;
  }

  #map(step: number): string {
    const { noises } = this.#program;
    const { hasGivenNoise } = this.#module.variant;
    const drawn = hasGivenNoise ? 0 : Math.ceil(noises.length / 4);
    const noise = noises.map((_, j) =>
      hasGivenNoise ? `, tables[sizes.noiseAt + k * ${noises.length}u + ${j}u]` : `, normals${j >> 2}.${'abcd'[j & 3]}`,
    );
    const events = this.#events(true);
    return `
fn throughSegment() {
  let firstStep = segments[segmentAt].firstStep;
  let steps = u32(floor(span * ${literal(1 / step)} + 1e-4f));
  for (var taken = 0u; taken <= steps; taken++) {
    let t0 = f32(taken) * ${literal(step)};
    let t1 = f32(taken + 1u) * ${literal(step)};
    // What a step ends with is reported here, at the beginning of the next.
    for (; next < endReport; next++) {
      let t = tables[reportsAt + next];
      if (((t > t1 - ${literal(1e-3 * step)}) & (taken < steps)) | (t > stopAt + ${literal(1e-3 * step)})) { break; }
      report(t${this.#list((i) => `, x${i}`, '')});
    }
    if (isOver | (taken == steps)) { return; }
    let k = firstStep + taken;
${this.#normals(drawn, 'k')}
    let after = nextStates(t0${this.#list((i) => `, x${i}`, '')}${noise.join('')});
    evaluations++;
${this.#lines((i) => `let y${i} = after.d${i};`)}
${this.#refuse()}
${events}
${this.#lines((i) => `x${i} = y${i};`)}
${this.#sets()}
  }
}`;
  }

  #list(text: (i: number) => string, separator = ', '): string {
    return this.#all.map(text).join(separator);
  }

  #lines(text: (i: number) => string, depth = 2): string {
    return indent(this.#all.map(text), depth);
  }

  get #hasSets(): boolean {
    return this.#program.events.some(({ set }) => set.length > 0);
  }

  #refuse(): string {
    return `    if (!isFinite(${sumOfSizes(this.#all.map((i) => `y${i}`))})) {
      isBroken = true;
      return;
    }`;
  }

  #normals(blocks: number, step: string): string {
    return indent(
      Array.from(
        { length: blocks },
        (_, b) =>
          `let normals${b} = normals(philox(sizes.firstLane + lane, ${step}, ${b}u, ${streams.process}u, vec2u(sizes.seedLow, sizes.seedHigh)));`,
      ),
      2,
    );
  }

  /** Events of the step from x at t0 to y at t1. For maps every event is at the step's end. */
  #events(isMap: boolean): string {
    const { events } = this.#program;
    if (events.length === 0) return '';
    const lines = [`let values = eventsAt(t1${this.#list((i) => `, y${i}`, '')});`];
    events.forEach(({ kind, terminal }, e) => {
      if (kind === 'crossing') {
        lines.push(`let isNow${e} = (seen${e} < 0f) & (values.e${e} >= 0f);`);
        lines.push(`let share${e} = seen${e} / (seen${e} - values.e${e});`);
      } else {
        const height = isMap ? `values.e${e}` : `0.5f * (seen${e} + values.e${e})`;
        lines.push(`let before${e} = sum${e};`, `sum${e} += (t1 - t0) * ${height};`);
        lines.push(`let isNow${e} = !hasHappened${e} & (sum${e} >= threshold${e});`);
        lines.push(`let share${e} = (threshold${e} - before${e}) / (sum${e} - before${e});`);
      }
      lines.push(`seen${e} = values.e${e};`, `if (isNow${e}) {`);
      lines.push(`  let time = ${isMap ? 't1' : `t0 + (t1 - t0) * share${e}`};`);
      lines.push(`  eventTime${e} = select(begin + time, eventTime${e}, hasHappened${e});`, `  hasHappened${e} = true;`);
      if (terminal) lines.push('  stopAt = min(stopAt, time);', '  isOver = true;');
      lines.push('}');
    });
    return indent(lines, 2);
  }

  #sets(): string {
    if (!this.#hasSets) return '';
    const { events } = this.#program;
    const setting = events.flatMap(({ set }, e) => (set.length > 0 ? [e] : []));
    return indent(
      [
        `let hasSet = ${setting.map((e) => `isNow${e}`).join(' | ')};`,
        ...setting.map((e) => `if (isNow${e}) { applyEvent${e}(t1); }`),
        'if (hasSet) {',
        `  let again = eventsAt(t1${this.#list((i) => `, x${i}`, '')});`,
        ...events.map((_, e) => `  seen${e} = again.e${e};`),
        '}',
      ],
      2,
    );
  }

  #setFunctions(): string {
    return this.#program.events
      .map(({ set }, e) => {
        if (set.length === 0) return '';
        const block = this.#module.instant();
        const values = set.map(({ to }) => block.value(to));
        return `
fn applyEvent${e}(t: f32) {
${indent([...block.lines, ...values.map((value, i) => `let new${i} = ${value};`), ...set.map(({ state }, i) => `x${state} = new${i};`)])}
}`;
      })
      .join('\n');
  }

  /** Events, reports and the move from x to y. `prepare` and `interpolate` may read s, the share of the step. */
  #finishStep(prepare: readonly string[], interpolate: (i: number) => string): string {
    const { reportedStates } = this.#module;
    const canStop = this.#program.events.some(({ terminal }) => terminal);
    const afterStop = canStop ? ' | (t > stopAt)' : '';
    const inside = (isToEnd: boolean) => `    for (; next < endReport; next++) {
      let t = tables[reportsAt + next];
      let s = (t - t0) / h;
      if ((s > ${isToEnd ? justAboveOne : nearlyOne})${afterStop}) { break; }
${reportedStates.size > 0 ? indent(prepare, 3) : ''}
      report(t${this.#list((i) => {
        if (!reportedStates.has(i)) return `, y${i}`;
        return isToEnd ? `, select(${interpolate(i)}, y${i}, s > ${nearlyOne})` : `, ${interpolate(i)}`;
      }, '')});
    }`;
    const move = this.#lines((i) => `x${i} = y${i};`);
    const events = this.#events(false);
    if (!this.#hasSets) return `${events}\n${inside(true)}\n${move}`;
    return `${events}
${inside(false)}
${move}
${this.#sets()}
    for (; next < endReport; next++) {
      let t = tables[reportsAt + next];
      if (((t - t0) / h > ${justAboveOne})${afterStop}) { break; }
      report(t${this.#list((i) => `, x${i}`, '')});
    }`;
  }

  #adaptive(
    options: Adaptive,
    parts: {
      readonly state: string;
      readonly start: string;
      readonly lines: readonly string[];
      readonly interpolate: (i: number) => string;
      readonly prepare?: readonly string[];
      readonly order: number;
      readonly shrink: number;
      readonly carry: string;
      readonly restart: string;
    },
  ): string {
    const { states } = this.#program;
    const { absoluteTolerance, firstStep, maximumStep, maximumSteps } = options;
    const relative = literal(Math.max(options.relativeTolerance, smallestTolerance));
    const shares = states.map(
      ({ scale }, i) =>
        `let part${i} = error${i} / (${literal(absoluteTolerance * scale)} + ${relative} * max(abs(x${i}), abs(y${i})));`,
    );
    this.#module.declare('tried', 'u32');
    const { order, shrink } = parts;
    return `
fn throughSegment() {
  var t0 = 0f;
  var wanted = ${literal(firstStep)};
  var wasRejected = false;
${parts.state}
  for (; tried < ${Math.min(maximumSteps, 0xffffffff)}u; tried++) {
    ${parts.start}
    let proposed = min(wanted, ${literal(maximumStep)});
    // A step that would leave next to nothing takes the rest as well.
    let isLast = t0 + proposed * 1.00001f >= span;
    let t1 = select(t0 + proposed, span, isLast);
    let h = t1 - t0;
    if (!(h > 0f)) { break; }
${indent(parts.lines, 2)}
${indent(shares, 2)}
    let norm = (${this.#list((i) => `part${i} * part${i}`, ' + ')}) * ${literal(1 / Math.max(1, states.length))};
    let isGood = isFinite(norm) & (norm <= 1f);
    // norm^(−1/2 order), as norm is the square of what the tolerance is held against.
    let change = ${0.9}f * exp2(${literal(-0.5 / order)} * log2(max(norm, 1e-12f)));
    let factor = select(${literal(shrink)}, clamp(change, ${literal(shrink)}, select(5f, 1f, wasRejected)), isFinite(norm));
    if (!isGood) {
      wasRejected = true;
      wanted = h * factor;
      continue;
    }
    wasRejected = false;
    // A step cut short by the end says nothing about the next one that it did not know before.
    wanted = select(h * factor, max(proposed, h * factor), isLast);
${this.#finishStep(parts.prepare ?? [], parts.interpolate)}
${parts.carry}
${this.#hasSets ? `    if (hasSet) {\n      wanted = ${literal(firstStep)};\n      ${parts.restart}\n    }` : ''}
    t0 = t1;
    if (isLast | isOver) {
      tried++;
      return;
    }
  }
  isBroken = true;
}`;
  }

  get #isAutonomous(): boolean {
    const seen = new Set<unknown>();
    const reads = (expr: Program['states'][number]['change']): boolean => {
      if (seen.has(expr)) return false;
      seen.add(expr);
      if (expr.op === 'number') return false;
      if (expr.op !== 'read') return expr.args.some(reads);
      if (expr.from === 'algebra') return reads(this.#program.algebra[expr.index].value);
      return expr.from === 'time' || expr.from === 'compartment';
    };
    return !this.#program.states.some(({ change }) => reads(change));
  }

  /** `jacobianAt` and the names of its fields, null where the entry is 0. */
  #jacobian(): { wgsl: string; entries: readonly (readonly (string | null)[])[] } {
    const block = this.#module.instant();
    const fields: string[] = [];
    const values: string[] = [];
    const entries = this.#program.jacobian!.map((row, i) =>
      row.map((entry, j) => {
        if (!entry || (entry.op === 'number' && entry.value === 0)) return null;
        const value = block.value(entry);
        fields.push(`j${i}_${j}`);
        values.push(this.#program.states[i].holdsWhenNegative ? `select(${value}, 0f, x${i} < 0f)` : value);
        return `j${i}_${j}`;
      }),
    );
    return {
      entries,
      wgsl: `
/** Entries of ∂slope/∂state that are not always 0. */
struct Jacobian { ${fields.map((name) => `${name}: f32`).join(', ')} }
fn jacobianAt(${this.#module.parameters()}) -> Jacobian {
${indent(block.lines)}
  return Jacobian(${values.join(', ')});
}`,
    };
  }
}
