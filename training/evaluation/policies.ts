/**
 * npx tsx training/evaluation/policies.ts --pack vancomycin [--people 200] [--futures 4] [--seed 1] [--out FILE]
 *
 * The policies that a pack comes with, held against the dose that they start from, in made-up people: covariates as in the calibration
 * studies (`training/calibration/`), no measurement before the first day, and each person's futures drawn from the pack's own prior for
 * such a person. The futures obey the pack's equations and are measured with its own error, so every figure says what a policy can reach
 * **if the model is true**; people miss no dose and keep their parameters. Figures are means over people with 95 % intervals over people.
 * Writes training/results/policies-<pack>.json, which docs/planning-policies.md quotes.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { drawPerson } from '#cohorts/people.ts';
import type { Goal, Measure, Policy, PolicyAnswer, PolicyQuestion } from '#domain/planning.ts';
import type { Plan } from '#domain/plan.ts';
import type { DoseCourse, PatientRecord } from '#domain/record.ts';
import { CpuEngine } from '#engine/cpu/engine.ts';
import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { loadPack } from '#packs/catalogue.ts';
import { isLearned, type EquationsPack, type LearnedPack } from '#packs/pack.ts';
import { equationsPolicies, knownDraws } from '#planning/policies/equations-policies.ts';
import { learnedPolicies } from '#planning/policies/learned-policies.ts';
import { readyPolicies } from '#planning/policies/ready.ts';
import { encodeHistoryPlain } from '#twin/encoder-plain.ts';
import { fitPerson } from '#twin/equations/fitted-person.ts';
import { fitTwin } from '#twin/fit.ts';
import { readHistory } from '#twin/history.ts';
import { readModels } from '../../scripts/read-models.ts';
import { neutropeniaStudy } from '../calibration/neutropenia.ts';
import { vancomycinStudy } from '../calibration/vancomycin.ts';
import { warfarinStudy } from '../calibration/warfarin.ts';

const now = '2026-01-05T08:00';
const today = now.slice(0, 10);

interface Trial {
  readonly horizonDays: number;
  /** What is looked at, in words; '%' for a share. */
  readonly measures: readonly { readonly label: string; readonly measure: Measure; readonly wish: Goal['wish'] }[];
  /** Someone who begins now; of learned packs the pack draws its own. */
  readonly draw?: (random: RandomSequence) => Pick<PatientRecord, 'covariates' | 'doses'>;
  readonly fixed?: readonly Plan[];
}

const marker = (
  kind: 'marker-time' | 'marker-ever-outside',
  id: string,
  low: number | null,
  high: number | null,
  from: number,
  to: number,
): Measure => ({
  kind,
  marker: id,
  low,
  high,
  fromDay: from,
  toDay: to,
});
const target = (id: string): Measure => ({ kind: 'target', target: id });
const course = (
  intervention: string,
  unit: string,
  route: DoseCourse['route'],
  amount: number,
  everyHours: number,
  rest: Partial<DoseCourse> = {},
): DoseCourse => ({
  id: `${intervention}-${rest.start ?? now}`,
  intervention,
  amount,
  unit,
  route,
  durationHours: null,
  start: now,
  everyHours,
  count: null,
  exceptions: [],
  ...rest,
});
const given = (id: string, name: string, intervention: string, horizonDays: number): Plan => ({
  id,
  name,
  blocks: [{ intervention, startDay: 0, stopDay: horizonDays }],
});

const trials: Readonly<Record<string, Trial>> = {
  // 15 mg/kg every 12 hours, the usual start.
  vancomycin: {
    horizonDays: 4,
    measures: [
      { label: 'AUC 400–600 on the last day', measure: target('auc24-last-day'), wish: 'more' },
      { label: 'AUC above 600 on the last day', measure: target('auc24-high-last-day'), wish: 'less' },
      { label: 'Trough above 20 mg/L at the end', measure: target('trough-high'), wish: 'less' },
    ],
    draw: (random) => {
      const { covariates } = vancomycinStudy.draw(random);
      const amount = Math.max(500, 250 * Math.round((15 * Number(covariates['weight'])) / 250));
      return { covariates, doses: [course('vancomycin', 'mg', 'iv-infusion', amount, 12, { durationHours: 1.5 })] };
    },
  },
  // 5 mg a day.
  warfarin: {
    horizonDays: 28,
    measures: [
      { label: 'Share of days 0–28 with INR 2–3', measure: marker('marker-time', 'inr', 2, 3, 0, 28), wish: 'more' },
      { label: 'Share of days 14–28 with INR 2–3', measure: marker('marker-time', 'inr', 2, 3, 14, 28), wish: 'more' },
      { label: 'INR above 4 at any time', measure: marker('marker-ever-outside', 'inr', null, 4, 0, 28), wish: 'less' },
    ],
    draw: (random) => ({ covariates: warfarinStudy.draw(random).covariates, doses: [course('warfarin', 'mg', 'oral', 5, 24)] }),
  },
  // 75 mg/m² every three weeks.
  neutropenia: {
    horizonDays: 63,
    measures: [
      { label: 'Grade 4 in any of three cycles', measure: marker('marker-ever-outside', 'anc', 0.5, null, 0, 63), wish: 'less' },
      {
        label: 'Grade 4 in the second or third cycle',
        measure: marker('marker-ever-outside', 'anc', 0.5, null, 21, 63),
        wish: 'less',
      },
      { label: 'Docetaxel in 63 days, mg', measure: { kind: 'burden', of: 'amount' }, wish: 'more' },
    ],
    draw: (random) => {
      const { covariates } = neutropeniaStudy.draw(random);
      const height = Math.min(195, Math.max(150, 169 + 9 * random.normal()));
      const weight = Math.min(120, Math.max(45, 70 + 13 * random.normal()));
      const amount = Math.round(75 * Math.sqrt((height * weight) / 3600));
      return {
        covariates: { ...covariates, height, weight },
        doses: [course('docetaxel', 'mg', 'iv-infusion', amount, 504, { durationHours: 1 })],
      };
    },
  },
  // Basal and ratios of the pack's demonstrations by age group; three meals a day, the carbohydrates guessed with 20 % error.
  'type-1-diabetes': {
    horizonDays: 2,
    measures: [
      { label: 'Share of 48 h at 70–180 mg/dL', measure: marker('marker-time', 'glucose', 70, 180, 0, 2), wish: 'more' },
      { label: 'Share of 48 h below 70 mg/dL', measure: marker('marker-time', 'glucose', null, 70, 0, 2), wish: 'less' },
      { label: 'Below 54 mg/dL at any time', measure: marker('marker-ever-outside', 'glucose', 54, null, 0, 2), wish: 'less' },
    ],
    draw: (random) => {
      const groups = [
        { id: 'adult', weight: [55, 90], basal: 0.36, gramsPerUnit: 15 },
        { id: 'adolescent', weight: [40, 65], basal: 0.37, gramsPerUnit: 12 },
        { id: 'child', weight: [25, 45], basal: 0.17, gramsPerUnit: 22 },
      ] as const;
      const { id, weight: range, basal, gramsPerUnit } = groups[random.below(3)]!;
      const weight = range[0] + (range[1] - range[0]) * random.uniform();
      const meals = [1, 5, 11].flatMap((hours) => {
        const grams = 40 + 40 * random.uniform();
        const guessed = grams * Math.exp(0.2 * random.normal());
        const start = `${today}T${String(8 + hours).padStart(2, '0')}:00`;
        const units = 0.5 * Math.round((2 * guessed) / gramsPerUnit);
        return [
          course('meal', 'g', 'oral', Math.round(grams), 24, { start }),
          course('bolus-insulin', 'U', 'subcutaneous', units, 24, { start }),
        ];
      });
      const pump = course('basal-insulin', 'U', 'subcutaneous', basal * weight, 24, { durationHours: 24 });
      return { covariates: { 'age-group': id, weight }, doses: [pump, ...meals] };
    },
  },
  'hiv-actg175': {
    horizonDays: 39 * 28,
    measures: [
      { label: 'Event within three years', measure: { kind: 'event', event: null, byDay: 39 * 28 }, wish: 'less' },
      { label: 'Days without an event', measure: { kind: 'event-free-days' }, wish: 'more' },
    ],
    fixed: [given('zdv-ddi', 'Zidovudine + didanosine', 'zdv-ddi', 39 * 28), given('ddi', 'Didanosine', 'ddi', 39 * 28)],
  },
};

const { values: options } = parseArgs({
  options: {
    pack: { type: 'string' },
    people: { type: 'string', default: '200' },
    futures: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
});
const id = options.pack ?? '';
const trial = trials[id];
if (!trial) throw new Error(`--pack: expected one of ${Object.keys(trials).join(', ')}.`);
const [people, futures, seed] = [Number(options.people), Number(options.futures), Number(options.seed)];
const pack = await loadPack(id, readModels());
const engine = await CpuEngine.create();
const simulator = new CpuSimulator();
const started = Date.now();

function question(policies: readonly Policy[], number: number): PolicyQuestion {
  return {
    policies,
    fixed: trial!.fixed ?? [],
    goals: trial!.measures.map(({ measure, wish }) => ({ measure, wish, weight: 1 })),
    limits: [],
    futures,
    horizonDays: trial!.horizonDays,
    seed: seed * 1_000_000 + number,
  };
}

async function tryOn(equations: EquationsPack, number: number): Promise<PolicyAnswer> {
  const drawn = trial!.draw!(new RandomSequence(seedFrom(seed), 6, number));
  const record: PatientRecord = {
    id: `person-${number}`,
    alias: '',
    isSynthetic: true,
    entryDate: today,
    observations: [],
    treatments: [],
    events: [],
    note: '',
    updatedAt: 0,
    ...drawn,
  };
  const fitted = await fitPerson(
    { pack: equations, record, now, lanes: 2 * knownDraws, seed: seed * 1_000_000 + number },
    { simulator },
  );
  const policies = readyPolicies(equations.manifest, record, now).map(({ policy }) => policy);
  return equationsPolicies(question(policies, number), { manifest: equations.manifest, fitted, simulator });
}

async function tryOnLearned(learned: LearnedPack, number: number): Promise<PolicyAnswer> {
  const { record } = drawPerson(learned, seedFrom(seed), { historySteps: 0, today, stepper: engine, number: number + 1 });
  const atEntry = { ...record, treatments: [] };
  const history = readHistory(learned.manifest, atEntry, today);
  const posterior = encodeHistoryPlain(learned, history);
  const twin = fitTwin({ pack: learned, history, stepper: engine, posterior, seed: seedFrom(seed) });
  const policies = readyPolicies(learned.manifest, atEntry, now).map(({ policy }) => policy);
  return learnedPolicies(question(policies, number), { pack: learned, history, twin, engine });
}

const answers: PolicyAnswer[] = [];
for (let number = 0; answers.length < people && number < 2 * people; number++) {
  const answer = isLearned(pack) ? await tryOnLearned(pack, number) : await tryOn(pack, number);
  // Who does not fit the pack is not simulated, in the app as here.
  if (answer.status === 'completed') answers.push(answer);
  if (number % 10 === 9) console.error(`${answers.length} of ${people} people, ${Math.round((Date.now() - started) / 1000)} s`);
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
/** Mean over people with its 95 % interval; people are independent of each other, futures of one person are not. */
function overPeople(values: readonly number[]) {
  const known = values.filter((value) => !Number.isNaN(value));
  const value = mean(known);
  const sd = Math.sqrt(known.reduce((sum, one) => sum + (one - value) ** 2, 0) / (known.length - 1));
  const half = (1.96 * sd) / Math.sqrt(known.length);
  const round = (x: number) => Number(x.toPrecision(4));
  return { value: round(value), low: round(value - half), high: round(value + half), n: known.length };
}

const arms = answers[0]!.arms.map(({ id: arm, name, kind, refits }, a) => ({
  id: arm,
  name,
  kind,
  measures: Object.fromEntries(
    trial.measures.map(({ label }, m) => [
      label,
      {
        ...overPeople(answers.map(({ arms: own }) => own[a]!.goals[m]!.value)),
        againstUsualCare: overPeople(answers.map(({ arms: own }) => own[a]!.goals[m]!.difference.value)),
      },
    ]),
  ),
  meanMeasurements: mean(answers.map(({ arms: own }) => own[a]!.meanMeasurements)),
  outsideSupport: Math.round(100 * mean(answers.map(({ arms: own }) => Number(own[a]!.support.distance > 0)))) / 100,
  ...(refits
    ? {
        refits: answers.reduce((sum, { arms: own }) => sum + own[a]!.refits!.made, 0),
        fittedAfresh: answers.reduce((sum, { arms: own }) => sum + own[a]!.refits!.afresh, 0),
      }
    : {}),
}));
const found = {
  pack: id,
  version: pack.manifest.version,
  digest: pack.digest,
  command: `npx tsx training/evaluation/policies.ts --pack ${id} --people ${people} --futures ${futures} --seed ${seed}`,
  people: answers.length,
  futuresPerPerson: answers[0]!.futures,
  seed,
  horizonDays: trial.horizonDays,
  note: 'Simulated people under the pack’s own model and error of measurement: what a policy can reach if the model is true.',
  arms,
};
const out = options.out ?? fileURLToPath(new URL(`../results/policies-${id}.json`, import.meta.url));
writeFileSync(out, `${JSON.stringify(found, null, 2)}\n`);
console.log(out);
