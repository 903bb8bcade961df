/**
 * The closed form of linear compartments in f32: `numerics/compartments.ts` with other arithmetic where f32 would cancel. Amounts
 * divided by √volume obey a symmetric matrix, whose eigenvectors split the body into independent modes. Their decay rates and their
 * distances from the exchange rates come from the secular equation, each with a small relative error of its own: an eigenvalue from
 * rotations would be off by 6e-8 of the largest.
 *
 * Private variables: `modeN` what is in a mode at the beginning of the piece, `decayN` its rate, `vectorNM` its part of compartment
 * M (0 central, then the peripherals), `rootM` √volume; `depot`, `site`, `area`; the inflows `intoDepot` and `intoCentral`.
 */
import type { CompiledCompartments } from '#packs/equations/program.ts';

export interface CompartmentShape {
  readonly peripherals: number;
  readonly hasDepot: boolean;
  readonly hasEffectSite: boolean;
  readonly hasExposure: boolean;
}

export function compartmentShape(compartments: CompiledCompartments): CompartmentShape {
  return {
    peripherals: compartments.peripherals.length,
    hasDepot: compartments.absorptionRate !== null,
    hasEffectSite: compartments.effectSiteRate !== null,
    hasExposure: compartments.hasExposure,
  };
}

const centralIndex = ({ hasDepot }: CompartmentShape): number => (hasDepot ? 1 : 0);

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/**
 * Functions `splitBody(clearance, volume, flow1, volume1 …)`, which keeps the amounts, `amountNAt(elapsed)` in the order of the slot
 * kind `compartment`, `advance(elapsed)`, `addToN(amount)` for depot and central, and, where asked for, `startInSteadyState(…)`.
 * Whoever splits the body sets `absorption` and `equilibration`.
 */
export function compartmentsWgsl(shape: CompartmentShape, hasSteadyState: boolean): string {
  const { peripherals, hasDepot, hasEffectSite, hasExposure } = shape;
  const modes = range(peripherals + 1);
  const central = centralIndex(shape);
  const site = central + modes.length;
  const area = site + Number(hasEffectSite);

  const state = [
    ...modes.map((j) => `mode${j}`),
    ...(hasDepot ? ['depot', 'absorption', 'intoDepot'] : []),
    ...(hasEffectSite ? ['site', 'equilibration'] : []),
    ...(hasExposure ? ['area'] : []),
    'intoCentral',
    ...modes.flatMap((j) => [`decay${j}`, `root${j}`, ...modes.map((i) => `vector${j}${i}`)]),
  ];

  const depotAt = `depot * exp(-absorption * t) + select(0f, intoDepot * cascade2(t, 0f, absorption), intoDepot != 0f)`;
  const siteAt = `site * exp(-equilibration * t) + equilibration * (${modes.map((j) => `share${j} * siteFlow(t, mode${j}, share${j}, decay${j})`).join(' + ')})`;
  const areaAt = `area + ${modes.map((j) => `share${j} * areaFlow(t, mode${j}, share${j}, decay${j})`).join(' + ')}`;
  const shares = modes.map((j) => `  let share${j} = vector${j}0 / root0;`).join('\n');
  const laterModes = modes.map((j) => `  let later${j} = modeFlow(t, mode${j}, share${j}, decay${j});`).join('\n');

  return /* wgsl */ `
${state.map((name) => `var<private> ${name}: f32;`).join('\n')}
/** (1 − exp(−x)) / x for x ≥ 0. */
fn decline(x: f32) -> f32 {
  let near = 1f - x * (0.5f - x * (0.16666667f - x * (0.041666668f - x * (0.008333334f - x * 0.0013888889f))));
  return select((1f - exp(-x)) / x, near, x < 0.25f);
}

/** A unit impulse after a cascade of first-order stages, as in numerics/exponential-cascade.ts: rates in any order, equal ones too. */
fn cascade2(t: f32, a: f32, b: f32) -> f32 {
  return t * exp(-min(a, b) * t) * decline(abs(b - a) * t);
}

fn cascade3(t: f32, a: f32, b: f32, c: f32) -> f32 {
  let slow = min(a, min(b, c));
  let fast = max(a, max(b, c));
  let middle = max(min(a, b), min(max(a, b), c));
  let width = fast - slow;
  // Series about the mean, where the first symmetric polynomial vanishes; else the recurrence, which then cancels little.
  let mean = slow + (0.33333334f * ((middle - slow) + width));
  let x = (mean - slow) * t;
  let y = (mean - middle) * t;
  let z = (mean - fast) * t;
  let pairs = -(x * y + y * z + z * x);
  let triple = x * y * z;
  let near = t * t * exp(-mean * t) * (0.5f + pairs * (0.041666668f + 0.0013888889f * pairs) + 0.008333334f * triple);
  let far = (cascade2(t, slow, middle) - cascade2(t, middle, fast)) / width;
  return select(far, near, width * t < 0.5f);
}
${
  hasDepot && (hasEffectSite || hasExposure)
    ? `
/** \`a\` is no larger than the others. */
fn cascade4(t: f32, a: f32, b: f32, c: f32, d: f32) -> f32 {
  let fast = max(b, max(c, d));
  let low = min(b, min(c, d));
  let middle = max(min(b, c), min(max(b, c), d));
  let width = fast - a;
  let mean = a + 0.25f * ((low - a) + (middle - a) + width);
  let x = (mean - a) * t;
  let y = (mean - low) * t;
  let z = (mean - middle) * t;
  let w = (mean - fast) * t;
  let pairs = -(x * (y + z + w) + y * (z + w) + z * w);
  let triples = x * y * (z + w) + z * w * (x + y);
  let near = t * t * t * exp(-mean * t) *
    (0.16666667f + 0.008333334f * pairs + 0.0013888889f * triples + 0.0001984127f * (pairs * pairs - x * y * z * w));
  let far = (cascade3(t, a, low, middle) - cascade3(t, low, middle, fast)) / width;
  return select(far, near, width * t < 0.5f);
}
`
    : ''
}
/** What is in a mode at t; of the central compartment's inflow it gets its share. */
fn modeFlow(t: f32, start: f32, share: f32, decay: f32) -> f32 {
  var flow = start * exp(-decay * t);
  if (intoCentral != 0f) { flow += share * intoCentral * cascade2(t, 0f, decay); }
${
  hasDepot
    ? `  if (depot != 0f) { flow += share * absorption * depot * cascade2(t, absorption, decay); }
  if (intoDepot != 0f) { flow += share * absorption * intoDepot * cascade3(t, 0f, absorption, decay); }
`
    : ''
}  return flow;
}
${
  hasEffectSite
    ? `
fn siteFlow(t: f32, start: f32, share: f32, decay: f32) -> f32 {
  var flow = start * cascade2(t, decay, equilibration);
  if (intoCentral != 0f) { flow += share * intoCentral * cascade3(t, 0f, decay, equilibration); }
${
  hasDepot
    ? `  if (depot != 0f) { flow += share * absorption * depot * cascade3(t, absorption, decay, equilibration); }
  if (intoDepot != 0f) { flow += share * absorption * intoDepot * cascade4(t, 0f, absorption, decay, equilibration); }
`
    : ''
}  return flow;
}
`
    : ''
}${
    hasExposure
      ? `
fn areaFlow(t: f32, start: f32, share: f32, decay: f32) -> f32 {
  var flow = start * cascade2(t, 0f, decay);
  if (intoCentral != 0f) { flow += share * intoCentral * cascade3(t, 0f, 0f, decay); }
${
  hasDepot
    ? `  if (depot != 0f) { flow += share * absorption * depot * cascade3(t, 0f, absorption, decay); }
  if (intoDepot != 0f) { flow += share * absorption * intoDepot * cascade4(t, 0f, 0f, absorption, decay); }
`
    : ''
}  return flow;
}
`
      : ''
  }
${hasDepot ? `\nfn amount0At(t: f32) -> f32 {\n  return ${depotAt};\n}\n` : ''}${modes
    .map(
      (i) => `
fn amount${central + i}At(t: f32) -> f32 {
${shares}
${laterModes}
  return root${i} * (${modes.map((j) => `vector${j}${i} * later${j}`).join(' + ')});
}
`,
    )
    .join('')}${hasEffectSite ? `\nfn amount${site}At(t: f32) -> f32 {\n${shares}\n  return ${siteAt};\n}\n` : ''}${
    hasExposure ? `\nfn amount${area}At(t: f32) -> f32 {\n${shares}\n  return ${areaAt};\n}\n` : ''
  }
/** A new piece begins t after the last. */
fn advance(t: f32) {
${shares}
${hasEffectSite ? `  site = ${siteAt};\n` : ''}${hasExposure ? `  area = ${areaAt};\n` : ''}${laterModes}
${hasDepot ? `  depot = ${depotAt};\n` : ''}${modes.map((j) => `  mode${j} = later${j};`).join('\n')}
}

fn bodyIsFinite() -> bool {
  return isFinite(${['0f', ...modes.map((j) => `abs(mode${j})`), ...(hasDepot ? ['abs(depot)'] : []), ...(hasEffectSite ? ['abs(site)'] : []), ...(hasExposure ? ['abs(area)'] : [])].join(' + ')});
}
${hasDepot ? '\nfn addTo0(amount: f32) {\n  depot += amount;\n}\n' : ''}
fn addTo${central}(amount: f32) {
${modes.map((j) => `  mode${j} += vector${j}0 / root0 * amount;`).join('\n')}
}

fn splitBody(${splitArguments(peripherals)
    .map((name) => `${name}: f32`)
    .join(', ')}) {
${modes.map((i) => `  let held${i} = root${i} * (${modes.map((j) => `vector${j}${i} * mode${j}`).join(' + ')});`).join('\n')}
  findModes(${splitArguments(peripherals).join(', ')});
${modes.map((j) => `  mode${j} = ${modes.map((i) => `vector${j}${i} * (held${i} / root${i})`).join(' + ')};`).join('\n')}
}
${findModesWgsl(peripherals)}
${hasSteadyState ? steadyStateWgsl(shape) : ''}`;
}

function splitArguments(peripherals: number): string[] {
  return ['clearance', 'volume', ...range(peripherals).flatMap((p) => [`flow${p + 1}`, `volume${p + 1}`])];
}

/** The modes for a clearance, flows and volumes. A flow far below the clearance is raised to a millionth of it, so that no mode is degenerate. */
function findModesWgsl(peripherals: number): string {
  if (peripherals === 0) {
    return `
fn findModes(clearance: f32, volume: f32) {
  root0 = sqrtOf(volume);
  decay0 = clearance / volume;
  vector00 = 1f;
}`;
  }
  if (peripherals === 1) {
    return `
fn findModes(clearance: f32, volume: f32, flow1: f32, volume1: f32) {
  let flow = max(flow1, 1e-6f * clearance);
  root0 = sqrtOf(volume);
  root1 = sqrtOf(volume1);
  let out = clearance / volume;
  let back = flow / volume1;
  let coupling = flow / (root0 * root1);
  // The quadratic for the distance of the fast mode from \`back\`, and of \`back\` from the slow one: their product is coupling².
  let excess = out + flow / volume - back;
  let larger = 0.5f * (abs(excess) + sqrt(excess * excess + 4f * coupling * coupling));
  let above = select(coupling * coupling / larger, larger, excess >= 0f);
  let size = sqrt(above * above + coupling * coupling);
  decay0 = back + above;
  decay1 = out * back / decay0;
  vector00 = above / size;
  vector01 = -coupling / size;
  vector10 = coupling / size;
  vector11 = above / size;
}`;
  }
  return `
struct Secular { out: f32, inA: f32, inB: f32 }

/**
 * A root λ = origin + side·x, x in (0, width), of out − λ(1 + inA/(backA − λ) + inB/(backB − λ)), which falls between poles. \`toA\` and
 * \`toB\` are the poles' distances from the origin. Bisects the bits of x, so that x itself has a small relative error. Gives λ and
 * its distances from the poles.
 */
fn secularRoot(terms: Secular, origin: f32, side: f32, width: f32, toA: f32, toB: f32) -> vec3f {
  var low = 0x0da24260u;
  var high = bitcast<u32>(width);
  for (var i = 0u; i < 31u; i++) {
    let middle = (low + high) / 2u;
    let shift = side * bitcast<f32>(middle);
    let value = terms.out - (origin + shift) * (1f + terms.inA / (toA - shift) + terms.inB / (toB - shift));
    let isFurther = (value > 0f) == (side > 0f);
    low = select(low, middle, isFurther);
    high = select(middle, high, isFurther);
  }
  let shift = side * bitcast<f32>((low + high) / 2u);
  return vec3f(origin + shift, toA - shift, toB - shift);
}

/** Whether the root between two poles lies above the point \`at\` from A and B. */
fn isAbove(terms: Secular, root: f32, toA: f32, toB: f32) -> bool {
  return terms.out - root * (1f + terms.inA / toA + terms.inB / toB) > 0f;
}

/** Central, A and B parts of the mode at these distances from the poles. */
fn modeVector(root: vec3f, couplingA: f32, couplingB: f32) -> vec3f {
  let parts = vec3f(root.y * root.z, couplingA * root.z, couplingB * root.y);
  let scaled = parts / max(abs(parts.x), max(abs(parts.y), abs(parts.z)));
  return scaled / sqrt(dot(scaled, scaled));
}

fn findModes(clearance: f32, volume: f32, flow1: f32, volume1: f32, flow2: f32, volume2: f32) {
  let firstFlow = max(flow1, 1e-6f * clearance);
  let secondFlow = max(flow2, 1e-6f * clearance);
  root0 = sqrtOf(volume);
  root1 = sqrtOf(volume1);
  root2 = sqrtOf(volume2);
  // A is the peripheral that gives back more slowly.
  let isSwapped = firstFlow / volume1 > secondFlow / volume2;
  let flowA = select(firstFlow, secondFlow, isSwapped);
  let flowB = select(secondFlow, firstFlow, isSwapped);
  let rootA = select(root1, root2, isSwapped);
  let rootB = select(root2, root1, isSwapped);
  let a = flowA / (rootA * rootA);
  // Equal rates would leave no room for the mode between them.
  let gap = max(flowB / (rootB * rootB) - a, 1e-6f * a);
  let b = a + gap;
  let terms = Secular(clearance / volume, flowA / volume, flowB / volume);
  let top = terms.out + terms.inA + terms.inB + a + b;

  let isSlowNearA = isAbove(terms, 0.5f * a, 0.5f * a, b - 0.5f * a);
  let slow = secularRoot(terms, select(0f, a, isSlowNearA), select(1f, -1f, isSlowNearA), 0.5f * a,
    select(a, 0f, isSlowNearA), select(b, gap, isSlowNearA));
  let isMiddleNearB = isAbove(terms, a + 0.5f * gap, -0.5f * gap, 0.5f * gap);
  let middle = secularRoot(terms, select(a, b, isMiddleNearB), select(1f, -1f, isMiddleNearB), 0.5f * gap,
    select(0f, -gap, isMiddleNearB), select(gap, 0f, isMiddleNearB));
  let fast = secularRoot(terms, b, 1f, top, -gap, 0f);

  let couplingA = flowA / (root0 * rootA);
  let couplingB = flowB / (root0 * rootB);
  let v0 = modeVector(fast, couplingA, couplingB);
  let v1 = modeVector(middle, couplingA, couplingB);
  let v2 = modeVector(slow, couplingA, couplingB);
  decay0 = fast.x;
  decay1 = middle.x;
  decay2 = slow.x;
${[0, 1, 2]
  .map(
    (j) => `  vector${j}0 = v${j}.x;
  vector${j}1 = select(v${j}.y, v${j}.z, isSwapped);
  vector${j}2 = select(v${j}.z, v${j}.y, isSwapped);`,
  )
  .join('\n')}
}`;
}

/** Depot, then modes, then effect site: each is a geometric series once what feeds it is known. */
function steadyStateWgsl(shape: CompartmentShape): string {
  const { peripherals, hasDepot, hasEffectSite, hasExposure } = shape;
  const modes = range(peripherals + 1);
  const central = centralIndex(shape);
  const repeat = (rate: string) => `/ -expm1Of(-${rate} * interval)`;
  return `
/** One dosing interval from its dose on. An infusion longer than the interval overlaps its predecessors. */
fn throughInterval(isDepot: bool, amount: f32, duration: f32, interval: f32) {
  let whole = floor(duration / interval);
  let rest = duration - whole * interval;
  if (duration == 0f) {
${hasDepot ? `    if (isDepot) { depot += amount; } else { addTo${central}(amount); }` : `    addTo${central}(amount);`}
  }
  for (var part = 0u; part < 2u; part++) {
    let rate = select(0f, (whole + select(1f, 0f, part == 1u)) * amount / duration, duration > 0f);
    intoCentral = select(rate, 0f, isDepot);
${hasDepot ? '    intoDepot = select(0f, rate, isDepot);\n' : ''}    let length = select(rest, interval - rest, part == 1u);
    if (length > 0f) { advance(length); }
  }
}

/** Amounts just before the next dose of one that has been repeated for ever. */
fn startInSteadyState(isDepot: bool, amount: f32, duration: f32, interval: f32) {
  for (var turn = 0u; turn < 3u; turn++) {
${hasDepot ? '    let heldDepot = depot;\n' : ''}${modes.map((j) => `    let held${j} = mode${j};`).join('\n')}
    throughInterval(isDepot, amount, duration, interval);
${hasDepot ? `    depot = select(heldDepot, depot ${repeat('absorption')}, turn == 0u);\n` : ''}${modes
    .map((j) => `    mode${j} = select(select(held${j}, mode${j} ${repeat(`decay${j}`)}, turn == 1u), 0f, turn == 0u);`)
    .join('\n')}
${hasEffectSite ? `    site = select(0f, site ${repeat('equilibration')}, turn == 2u);\n` : ''}${hasExposure ? '    area = 0f;\n' : ''}  }
  intoCentral = 0f;
${hasDepot ? '  intoDepot = 0f;\n' : ''}}`;
}
