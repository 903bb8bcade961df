/**
 * npx tsx training/evaluation/explanation.ts --pack ID [--people 50]
 *
 * Whether explanations add up, how far chance moves them, whether they depend on the model, and how long they take on the processor.
 * On people whom the pack draws itself (learned packs) or brings (equations packs). Writes
 * training/results/validation/ID/explanation.json.
 */
import { parseArgs } from 'node:util';
import { demonstrationRecord } from '#cohorts/demonstrations.ts';
import { drawPerson } from '#cohorts/people.ts';
import type { Attribution, Explained, GradientAttribution } from '#domain/explanation.ts';
import type { PatientRecord } from '#domain/record.ts';
import type { Figure, TableDrawing, ValidationSection } from '#domain/validation.ts';
import { CpuEngine } from '#engine/cpu/engine.ts';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { attribute } from '#explain/attribution.ts';
import { equationsGame } from '#explain/equations-game.ts';
import { gradientAttribution, learnedPath } from '#explain/gradients.ts';
import type { Subject } from '#explain/elements.ts';
import { integrateGradients } from '#explain/integrated-gradients.ts';
import { meanPath } from '#explain/mean-path.ts';
import { learnedGame } from '#explain/learned-game.ts';
import { coalitionSize, learnedSize } from '#explain/sizes.ts';
import { subjectOf } from '#explain/subject.ts';
import { defined } from '#numerics/estimate.ts';
import { quantileOfSorted, sorted } from '#numerics/quantiles.ts';
import { RandomSequence, seedFrom, streams } from '#numerics/random.ts';
import { rankCorrelation } from '#numerics/rank-correlation.ts';
import { loadPack } from '#packs/catalogue.ts';
import type { MemberTensors, EncoderTensors } from '#packs/network.ts';
import { isLearned, type EquationsPack, type LearnedPack } from '#packs/pack.ts';
import { modelDigest } from '#packs/validation.ts';
import { encodeHistoryPlain } from '#twin/encoder-plain.ts';
import { readModels } from '../../scripts/read-models.ts';
import { figureOf } from '../validation/figures.ts';
import { writePart } from '../validation/parts.ts';

const { values } = parseArgs({ options: { pack: { type: 'string' }, people: { type: 'string', default: '50' } } });
if (!values.pack) throw new Error('Expected --pack ID.');
const people = Number(values.people);
const seed = 7;
const today = '2026-11-23';
const now = `${today}T12:00`;
/** Coalitions take a hundred times as long as gradients: fewer people show how far chance moves them. */
const attributed = 5;
/** Networks of random weights, and the people who are explained by each of them. */
const randomNetworks = 10;
const compared = 8;

const pack = await loadPack(values.pack, readModels());
const section = isLearned(pack) ? await learnedSection(pack) : await equationsSection(pack);
writePart(pack.manifest.id, section);

async function learnedSection(own: LearnedPack): Promise<ValidationSection> {
  const engine = await CpuEngine.create();
  const others = Array.from({ length: randomNetworks }, (_, i) => ({ ...own, ...randomised(own, i) }));
  const { manifest } = own;
  const figures: readonly { readonly name: string; readonly explained: Explained }[] = [
    { name: 'any event', explained: { kind: 'event', event: null } },
    { name: manifest.markers[0]!.label, explained: { kind: 'marker', marker: manifest.markers[0]!.id } },
  ];
  const isAtEntry = manifest.interventions.every(({ timing }) => timing !== 'any');
  const horizonDays = manifest.grid.horizonSteps * manifest.grid.stepDays;
  const subjectFor = (number: number, explained: Explained) => {
    const historySteps = isAtEntry ? 0 : number % 8;
    const { record } = drawPerson(own, seedFrom(seed), { historySteps, today, stepper: engine, number });
    return subjectOf(own, { record, today, now, explained, plan: null, horizonDays });
  };
  const out: Figure[] = [];
  const drawings: TableDrawing[] = [];
  for (const { name, explained } of figures) {
    const gaps: number[] = [];
    const times: number[] = [];
    const likeness: Likeness[][] = others.map(() => []);
    for (let number = 0; number < people; number++) {
      const subject = subjectFor(number, explained);
      const started = performance.now();
      const found = await gradientAttribution(own, subject, explained, async () => {});
      times.push(performance.now() - started);
      gaps.push(found.completenessGap);
      if (number < compared) {
        const contributions = found.inputs.map(({ contributions: course }) => course.at(-1)!);
        const carried = latestOf(explained, found.inputs);
        for (const [network, other] of others.entries())
          likeness[network]!.push(likenessOf(contributions, await roughGradients(other, subject, explained), carried));
      }
      process.stderr.write(`\r${name}: ${number + 1} of ${people}`);
    }
    const set = `${name}, integrated gradients`;
    out.push(
      over('Largest completeness gap', set, gaps, (some) => Math.max(...some), 'lower', 'Below 0.01 is wanted.'),
      over('Median completeness gap', set, gaps, median, 'lower', null),
      ...likenessFigures(set, likeness),
      over('Milliseconds on the processor', set, times, median, 'lower', 'Median; on a shared machine.'),
    );
    drawings.push(likenessTable(set, likeness));
  }
  const explained = figures[0]!.explained;
  const deps = { engine, stepper: engine, encode: encodeHistoryPlain };
  const runs: Attribution[] = [];
  const likeness: Likeness[][] = others.map(() => []);
  for (let number = 0; number < attributed; number++) {
    const subject = subjectFor(number, explained);
    const of = (one: LearnedPack) =>
      attribute(learnedGame(one, subject, explained, learnedSize('first'), deps), {
        effort: 'first',
        seed,
        now: () => performance.now(),
      });
    const found = await of(own);
    runs.push(found);
    for (const [network, other] of others.entries())
      if (network % attributed === number) likeness[network]!.push(likenessOf(atEnd(found), atEnd(await of(other)), -1));
    process.stderr.write(`\rcontributions: ${number + 1}   `);
  }
  const set = 'any event, Shapley values';
  out.push(...attributionFigures(set, runs, '1'), ...likenessFigures(set, likeness));
  return sectionOf(
    `People drawn by the pack itself, under usual care. Random weights: every tensor drawn anew, normal, with its own mean and spread, ${randomNetworks} networks; gradients of ${compared} people by each, Shapley values of one person by each; intervals over networks. Spearman’s correlation of contributions at the horizon, without inputs that are as their reference: those contribute nothing under any weights.`,
    own.manifest,
    out,
    [tableOf('Contributions of one drawn person at the horizon', runs[0]!), ...drawings],
    [
      'Integrated gradients follow the mean path, the course without chance; Shapley values follow the forecast.',
      'What is explained is what the model used, never why a person is ill.',
    ],
  );
}

async function equationsSection(own: EquationsPack): Promise<ValidationSection> {
  const simulator = new CpuSimulator();
  const { manifest } = own;
  const marker = manifest.markers[0]!;
  const explained: Explained = { kind: 'marker', marker: marker.id };
  const horizonDays = manifest.grid.horizonSteps * manifest.grid.stepDays;
  const runs: Attribution[] = [];
  for (const [number] of manifest.demonstrations.entries()) {
    const record: PatientRecord = demonstrationRecord(manifest, number, now)!;
    const subject = subjectOf(own, { record, today, now, explained, plan: null, horizonDays });
    const game = equationsGame(own, subject, explained, coalitionSize(own, 'first'), simulator);
    runs.push(await attribute(game, { effort: 'first', seed, now: () => performance.now() }));
    process.stderr.write(`\r${manifest.id}: ${number + 1} of ${manifest.demonstrations.length}`);
  }
  return sectionOf(
    'The made-up people that the pack brings, under their own doses.',
    manifest,
    attributionFigures(`${marker.label}, Shapley values`, runs, marker.unit),
    runs.length === 0 ? [] : [tableOf(`Contributions to ${marker.label} at the horizon, first person`, runs[0]!)],
    ['What is explained is what the model used, never why a person is ill.'],
  );
}

/** Rank correlation of contributions with those of a random network. */
interface Likeness {
  readonly all: number;
  /** Without the latest value of what is explained; null where no marker is, or it was never measured. */
  readonly withoutOwn: number | null;
}

/** Place of the latest value of the marker that is explained, or −1. */
function latestOf(explained: Explained, inputs: GradientAttribution['inputs']): number {
  return explained.kind === 'marker' ? inputs.findLastIndex(({ id }) => id.startsWith(`seen-${explained.marker}-`)) : -1;
}

function likenessOf(contributions: readonly number[], others: readonly number[], carried: number): Likeness {
  const over = (isKept: (i: number) => boolean) => {
    const kept = contributions.flatMap((own, i) => (isKept(i) && (own !== 0 || others[i] !== 0) ? [i] : []));
    return rankCorrelation(
      kept.map((i) => contributions[i]!),
      kept.map((i) => others[i]!),
    );
  };
  return { all: over(() => true), withoutOwn: carried < 0 ? null : over((i) => i !== carried) };
}

/** [network] mean over people; null where nobody is. `likeness` by network and person. */
function byNetwork(likeness: readonly (readonly Likeness[])[], of: (one: Likeness) => number | null): (number | null)[] {
  return likeness.map((own) => {
    const values = own.map(of).filter((value) => value !== null);
    return values.length === 0 ? null : mean(values);
  });
}

function likenessFigures(set: string, likeness: readonly (readonly Likeness[])[]): Figure[] {
  const name = 'Rank correlation of contributions with those of random weights';
  const figure = (suffix: string, of: (one: Likeness) => number | null): Figure[] => {
    const found = byNetwork(likeness, of).filter((value) => value !== null);
    if (found.length === 0) return [];
    const note = `Mean over random networks; single ones from ${Math.min(...found).toFixed(2)} to ${Math.max(...found).toFixed(2)}. Zero is wanted.`;
    return [{ ...over(`${name}${suffix}`, set, found, mean, 'nearer', note, 0), counted: 'runs' }];
  };
  return [
    ...figure('', ({ all }) => all),
    ...figure(', without the latest value of what is explained', ({ withoutOwn }) => withoutOwn),
  ];
}

function likenessTable(set: string, likeness: readonly (readonly Likeness[])[]): TableDrawing {
  const all = byNetwork(likeness, (one) => one.all);
  const withoutOwn = byNetwork(likeness, (one) => one.withoutOwn);
  return {
    kind: 'table',
    title: `${set}: rank correlation with each of ${randomNetworks} random networks, mean over people`,
    columns: ['Network', 'All inputs', 'Without the latest value of what is explained'],
    rows: all.map((value, network) => [network + 1, value, withoutOwn[network]!]),
  };
}

function attributionFigures(set: string, runs: readonly Attribution[], unit: string): Figure[] {
  const rounding = runs.map(({ base, full, contributions }) =>
    Math.max(...full.map((value, t) => Math.abs(contributions.reduce((sum, own) => sum + own[t]!, base[t]!) - value))),
  );
  const change = ({ base, full, contributions }: Attribution) =>
    Math.max(...full.map((value, t) => Math.abs(value - base[t]!)), ...contributions.flat().map(Math.abs));
  return [
    over('Largest error of the sum of contributions', set, rounding, (some) => Math.max(...some), 'lower', `In ${unit}.`),
    over(
      'Chance in contributions over the largest of them',
      set,
      runs.map((run) => (change(run) > 0 ? run.noise.at(-1)! / change(run) : 0)),
      median,
      'lower',
      'Median over people of the standard deviation over two seeds, of the first answer.',
    ),
    over(
      'Milliseconds to the first answer on the processor',
      set,
      runs.map(({ elapsedMs }) => elapsedMs),
      median,
      'lower',
      'Median; on a shared machine.',
    ),
  ];
}

function over(
  name: string,
  set: string,
  found: readonly number[],
  statistic: (some: readonly number[]) => number,
  better: Figure['better'],
  note: string | null,
  wanted?: number,
): Figure {
  return figureOf({
    name,
    set,
    people: found.length,
    counted: 'simulated people',
    better,
    ...(wanted === undefined ? {} : { wanted }),
    statistic: (rows) => defined(statistic(Array.from(rows, (row) => found[row]!))),
    ...(note === null ? {} : { note }),
  });
}

async function sectionOf(
  method: string,
  manifest: (LearnedPack | EquationsPack)['manifest'],
  figures: readonly Figure[],
  drawings: ValidationSection['drawings'],
  notes: readonly string[],
): Promise<ValidationSection> {
  return {
    id: 'explanation',
    method,
    made: {
      command: `npx tsx training/evaluation/explanation.ts --pack ${manifest.id} --people ${people}`,
      date: new Date().toISOString().slice(0, 10),
      seed,
      model: await modelDigest(manifest),
    },
    figures,
    drawings,
    notes,
  };
}

function tableOf(title: string, { groups, contributions, unit }: Attribution): TableDrawing {
  return {
    kind: 'table',
    title,
    columns: ['Group', 'What it is', 'Instead', `Contribution${unit === '1' ? '' : `, ${unit}`}`],
    rows: groups.map(({ label, value, reference }, g) => [label, value, reference, contributions[g]!.at(-1) ?? null]),
  };
}

/** The same shapes, every tensor drawn anew with its own mean and spread; what must ascend or stay positive is kept. */
function randomised({ network, encoder }: LearnedPack, number: number): Pick<LearnedPack, 'network' | 'encoder'> {
  const random = new RandomSequence(seedFrom(seed + 1 + number), streams.people);
  const kept = new Set(['tailCount', 'tailScale', 'observationScale', 'entryLogScale', 'traitLogScale', 'scaleBias']);
  const drawn = <Tensors extends MemberTensors | EncoderTensors>(tensors: Tensors): Tensors =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, tensor]: [string, Float32Array]) => {
        if (kept.has(name)) return [name, tensor];
        const centre = mean([...tensor]);
        const spread = Math.sqrt(mean(Array.from(tensor, (value) => (value - centre) ** 2)));
        return [name, tensor.map(() => centre + spread * random.normal())];
      }),
    ) as unknown as Tensors;
  return { network: { ...network, members: network.members.map(drawn) }, encoder: encoder.map(drawn) };
}

/** Contributions at the horizon from few points of the path: what is random need not add up. */
async function roughGradients(of: LearnedPack, subject: Subject, explained: Explained): Promise<number[]> {
  const { inputs, problem, timesDays } = learnedPath(of, subject, explained);
  const { contributions } = await integrateGradients(
    (amounts) => meanPath(problem, amounts),
    new Float64Array(inputs.length).fill(1),
    new Float64Array(inputs.length),
    { firstSteps: 12, gap: Infinity, mostSteps: 12 },
  );
  return inputs.map((_, i) => contributions[(i + 1) * timesDays.length - 1]!);
}

function atEnd({ contributions }: Attribution): number[] {
  return contributions.map((own) => own.at(-1)!);
}

function mean(of: readonly number[]): number {
  return of.reduce((sum, value) => sum + value, 0) / of.length;
}

function median(of: readonly number[]): number {
  return quantileOfSorted(sorted(of), 0.5);
}
