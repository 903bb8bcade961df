/**
 * The warfarin pack's typical weekly dose against the doses of the consortium's stable patients, beside published formulas on the same
 * people. The pack's dose is computed by its own program (parameter `weeklyDose`, at which its steady state is INR 2.5); a genotype
 * that is not known is averaged over its frequencies by race, as in the app.
 */
import { bootstrapInterval } from '#numerics/bootstrap.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { compileModel } from '#packs/equations/compile.ts';
import type { Program } from '#packs/equations/program.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { individualParameters } from '#twin/equations/individual.ts';
import { iwpcSummary, warfarinManifest, type IwpcSummary } from '#training/models/warfarin.ts';
import { fitCorrection } from '#training/warfarin/fit.ts';
import { fixedWeeklyDose, gage, iwpcClinical, iwpcPharmacogenetic } from '#training/warfarin/formulas.ts';
import {
  cyp2c9Genotypes,
  isComplete,
  readSubjects,
  vkorc1Genotypes,
  type CompleteSubject,
  type Subject,
} from '#training/warfarin/subjects.ts';
import { finite, measure, type Metric } from './metrics.ts';

type Described = Pick<EquationsManifest, 'covariates' | 'markers' | 'interventions' | 'events'>;

/** Dose at INR 2.5 of the published model, from its typical parameters: 48 h/d · CL · EC50 · (E/(1 − E))^(1/γ), E = 1.5/20. */
const publishedFactor = 7 * 48 * (1.5 / 18.5) ** (1 / 1.15);

/** Typical weekly doses, mg, of one model; null without a dose. `frequencies` of genotypes are for those that are not known. */
function typicalDoses(
  manifest: Described,
  program: Program,
  people: readonly CompleteSubject[],
  { shares }: IwpcSummary,
  doseOf: (parameter: (symbol: string) => Float64Array, lane: number) => number,
): number[] {
  const lanes = people.flatMap((person, owner) => {
    const cyp2c9 = person.cyp2c9
      ? [[person.cyp2c9, 1] as const]
      : cyp2c9Genotypes.map((each, i) => [each, shares.cyp2c9[person.race][i]!] as const);
    const vkorc1 = person.vkorc1
      ? [[person.vkorc1, 1] as const]
      : vkorc1Genotypes.map((each, i) => [each, shares.vkorc1[person.race][i]!] as const);
    return cyp2c9.flatMap(([c, p]) => vkorc1.map(([v, q]) => ({ owner, weight: p * q, values: covariatesOf(person, c, v) })));
  });
  const columns = program.covariates.map((id) => {
    const covariate = manifest.covariates.find((each) => each.id === id)!;
    return Float64Array.from(lanes, ({ values }) => {
      const value = values[id]!;
      return covariate.kind === 'category'
        ? covariate.categories.findIndex((category) => category.value === value)
        : Number(value);
    });
  });
  const none = new Float64Array(lanes.length);
  const parameters = individualParameters(program, {
    lanes: lanes.length,
    effect: () => none,
    covariate: (index) => columns[index]!,
  });
  const named = (symbol: string) => parameters[program.parameters.findIndex((parameter) => parameter.symbol === symbol)]!;
  const doses = people.map(() => 0);
  lanes.forEach(({ owner, weight }, lane) => (doses[owner] = doses[owner]! + weight * doseOf(named, lane)));
  return doses;
}

function covariatesOf(person: CompleteSubject, cyp2c9: string, vkorc1: string): Readonly<Record<string, number | string>> {
  const yesNo = (is: boolean) => (is ? 'yes' : 'no');
  return {
    age: person.age,
    weight: person.weightKg,
    height: person.heightCm,
    race: person.race,
    cyp2c9,
    vkorc1,
    'baseline-inr': 1,
    amiodarone: yesNo(person.amiodarone),
    'enzyme-inducer': yesNo(person.inducer),
    smoker: yesNo(person.smoker),
    'valve-replacement': yesNo(person.valve),
    'heart-failure': yesNo(person.heartFailure),
    thrombosis: yesNo(person.thrombosis),
  };
}

/** Recentred dose, mg a week, by a pack with these aggregates. */
function packDoses(people: readonly CompleteSubject[], summary: IwpcSummary): number[] {
  const manifest = warfarinManifest(summary);
  const program = compileModel(manifest.models[0]!, manifest, 'models[0]');
  return typicalDoses(manifest, program, people, summary, (parameter, lane) => parameter('weeklyDose')[lane]!);
}

/** The published model's, as it stands. */
function publishedDoses(people: readonly CompleteSubject[], summary: IwpcSummary): number[] {
  const manifest = warfarinManifest(summary);
  const program = compileModel(manifest.models[1]!, manifest, 'models[1]');
  return typicalDoses(
    manifest,
    program,
    people,
    summary,
    (parameter, lane) => publishedFactor * parameter('CL')[lane]! * parameter('EC50')[lane]!,
  );
}

/** A person with what each method would have given. */
interface Scored {
  readonly person: CompleteSubject;
  readonly pack: number;
  readonly hamberg: number;
}

const baselines: readonly (readonly [name: string, dose: (scored: Scored) => number | null])[] = [
  ['IWPC pharmacogenetic', ({ person }) => iwpcPharmacogenetic(person)],
  ['Gage 2008', ({ person }) => gage(person)],
  ['IWPC clinical', ({ person }) => iwpcClinical(person)],
  ['fixed 35 mg/week', () => fixedWeeklyDose],
  ['Hamberg 2010, not recentred', ({ hamberg }) => hamberg],
];

const mean = (of: readonly number[]): number => of.reduce((sum, value) => sum + value, 0) / of.length;
const meanAbsolute = (pairs: readonly Pair[]): number => mean(pairs.map(([dose, truth]) => Math.abs(dose - truth)));
type Pair = readonly [dose: number, truth: number];

function within20(pairs: readonly Pair[]): number {
  return mean(pairs.map(([dose, truth]) => (Math.abs(dose - truth) <= 0.2 * truth ? 1 : 0)));
}

/** 1 − Σ(error)² / Σ(deviation from the mean dose)². */
function explained(pairs: readonly Pair[]): number {
  const middle = mean(pairs.map(([, truth]) => truth));
  return 1 - mean(pairs.map(([dose, truth]) => (dose - truth) ** 2)) / mean(pairs.map(([, truth]) => (truth - middle) ** 2));
}

const pairsOf = (scored: readonly Scored[]): Pair[] => scored.map(({ pack, person }) => [pack, person.weeklyDose]);
const over = (pairs: readonly Pair[], statistic: (pairs: readonly Pair[]) => number) => (rows: Int32Array) =>
  finite(statistic(Array.from(rows, (row) => pairs[row]!)));

function metricsOf(all: readonly Scored[], note: string): Metric[] {
  const metrics: Metric[] = [];
  const primary = pairsOf(all);
  metrics.push({
    ...measure({ name: 'mae_weekly_dose', n: all.length, better: 'lower', statistic: over(primary, meanAbsolute), note }),
  });
  for (const [name, dose] of baselines) {
    const both = all.flatMap((scored) => {
      const other = dose(scored);
      return other === null ? [] : [{ scored, other }];
    });
    const own = pairsOf(both.map(({ scored }) => scored));
    const others = both.map(({ scored, other }): Pair => [other, scored.person.weeklyDose]);
    metrics.push(
      measure({
        name: `mae_weekly_dose against ${name}`,
        n: both.length,
        better: 'lower',
        statistic: over(own, meanAbsolute),
        baseline: { name, statistic: over(others, meanAbsolute) },
      }),
    );
    metrics.push(
      measure({
        name: `share within 20 % against ${name}`,
        n: both.length,
        better: 'higher',
        statistic: over(own, within20),
        baseline: { name, statistic: over(others, within20) },
      }),
    );
  }
  const figure = (
    name: string,
    people: readonly Scored[],
    statistic: (pairs: readonly Pair[]) => number,
    better: Metric['better'],
  ) => {
    if (people.length < 20) return;
    const extra = better === 'nearer' ? { target: 0 } : {};
    metrics.push(measure({ name, n: people.length, better, statistic: over(pairsOf(people), statistic), ...extra }));
  };
  figure('bias, mg/week', all, (pairs) => mean(pairs.map(([dose, truth]) => dose - truth)), 'nearer');
  figure('R²', all, explained, 'higher');
  figure('share within 20 %', all, within20, 'higher');
  const groups: readonly (readonly [string, (person: CompleteSubject) => boolean])[] = [
    ['both genotypes known', ({ cyp2c9, vkorc1 }) => cyp2c9 !== null && vkorc1 !== null],
    ['a genotype unknown', ({ cyp2c9, vkorc1 }) => cyp2c9 === null || vkorc1 === null],
    ['White', ({ race }) => race === 'white'],
    ['Asian', ({ race }) => race === 'asian'],
    ['Black', ({ race }) => race === 'black'],
    ['race other or unknown', ({ race }) => race === 'other'],
    ['needing up to 21 mg/week', ({ weeklyDose }) => weeklyDose <= 21],
    ['needing 21 to 49 mg/week', ({ weeklyDose }) => weeklyDose > 21 && weeklyDose < 49],
    ['needing 49 mg/week or more', ({ weeklyDose }) => weeklyDose >= 49],
    ['under 60 years', ({ age }) => age < 60],
    ['80 years and over', ({ age }) => age >= 80],
    ['on amiodarone', ({ amiodarone }) => amiodarone],
  ];
  for (const [label, is] of groups) {
    const people = all.filter(({ person }) => is(person));
    figure(`mae_weekly_dose, ${label}`, people, meanAbsolute, 'lower');
    figure(`share within 20 %, ${label}`, people, within20, 'higher');
  }
  return metrics;
}

const selection = 'stable dose, age, height and weight known';

/** People of a split; all where none is marked with it. */
export function evaluateWarfarin(folder: string, split: string): Metric[] {
  const complete = readSubjects(folder).filter(isComplete);
  const ofSplit = complete.filter((person) => person.split === split);
  const people = split === 'all' || ofSplit.length === 0 ? complete : ofSplit;
  const doses = packDoses(people, iwpcSummary);
  const hamberg = publishedDoses(people, iwpcSummary);
  return metricsOf(
    people.map((person, i) => ({ person, pack: doses[i]!, hamberg: hamberg[i]! })),
    selection,
  );
}

/**
 * Whole sites are held out: the largest goes to the emptiest fold, as in scikit-learn's GroupKFold. What the pack takes from the data is
 * fitted to the other folds, all splits together. The published formulas inside it were themselves derived from some of these sites.
 */
export function crossValidateWarfarin(folder: string, folds: number): Metric[] {
  const subjects = readSubjects(folder);
  const complete = subjects.filter(isComplete);
  const foldOfSite = siteFolds(complete, folds);
  const scored: Scored[] = [];
  const byFold: Metric[] = [];
  for (let fold = 0; fold < folds; fold++) {
    const isHeld = ({ site }: Subject) => foldOfSite.get(site) === fold;
    const people = complete.filter(isHeld);
    const correction = fitCorrection(complete.filter((person) => !isHeld(person)));
    const summary: IwpcSummary = { ...iwpcSummary, correction };
    const doses = packDoses(people, summary);
    const hamberg = publishedDoses(people, summary);
    const own = people.map((person, i) => ({ person, pack: doses[i]!, hamberg: hamberg[i]! }));
    scored.push(...own);
    const sites = [...foldOfSite].filter(([, of]) => of === fold).map(([site]) => site);
    byFold.push(
      measure({
        name: `fold ${fold}: mae_weekly_dose`,
        n: own.length,
        better: 'lower',
        statistic: over(pairsOf(own), meanAbsolute),
        note: `sites ${sites.join(', ')}`,
      }),
    );
  }
  return [...metricsOf(scored, `${selection}; ${folds} folds of whole sites`), siteBootstrap(scored), ...byFold];
}

/** Sites differ, so people of one site are not independent: the same figure with whole sites resampled. */
function siteBootstrap(scored: readonly Scored[]): Metric {
  const sites = [...new Set(scored.map(({ person }) => person.site))];
  const errors = sites.map((site) =>
    scored.filter(({ person }) => person.site === site).map(({ pack, person }) => Math.abs(pack - person.weeklyDose)),
  );
  const interval = bootstrapInterval((rows) => finite(mean(Array.from(rows).flatMap((row) => errors[row]!))), {
    persons: sites.length,
    resamples: 500,
    random: new RandomSequence(seedFrom(20_261_123)).uniform,
  });
  const value = interval.defined ? interval.value : null;
  return {
    name: 'mae_weekly_dose, whole sites resampled',
    value: value?.estimate ?? null,
    se: value?.standardError ?? null,
    low: value?.lower ?? null,
    high: value?.upper ?? null,
    n: scored.length,
    better: 'lower',
    baseline: null,
    baselineValue: null,
    note: `${sites.length} sites`,
  };
}

function siteFolds(people: readonly CompleteSubject[], folds: number): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { site } of people) sizes.set(site, (sizes.get(site) ?? 0) + 1);
  const loads = Array.from({ length: folds }, () => 0);
  const result = new Map<string, number>();
  for (const [site, size] of [...sizes].sort(([a, m], [b, n]) => n - m || Number(a) - Number(b))) {
    const emptiest = loads.indexOf(Math.min(...loads));
    result.set(site, emptiest);
    loads[emptiest] = loads[emptiest]! + size;
  }
  return result;
}
