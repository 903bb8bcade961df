/** From a recipe and its data to what training needs: the manifest's learned numbers (training people only) and cohorts on the grid. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { daysBetween, type PatientRecord } from '#domain/record.ts';
import { sum } from '#numerics/moments.ts';
import { quantileOfSorted } from '#numerics/quantiles.ts';
import { normalQuantile } from '#numerics/special-functions.ts';
import { conditioningAt, covariateInputs, levelOf, toState } from '#packs/conditioning.ts';
import { covariateInputCount } from '#packs/manifest-views.ts';
import {
  peopleQuantileLevels,
  type ConditioningInput,
  type Covariate,
  type LearnedManifest,
  type Marker,
  type PeopleDistribution,
  type PeopleMarginal,
  type Transform,
} from '#packs/manifest.ts';
import { readClinicalData, type ClinicalData } from './clinical-data.ts';
import { gridCohort, type Cohort, type Person } from './cohort.ts';
import type { FollowUp, InputPlan, Recipe } from './recipes/recipe.ts';

export const dataRoot =
  process.env['COUNTERPART_DATA'] ?? join(dirname(fileURLToPath(import.meta.url)), '../../shared/data/clinical');

export function readRecipeData(recipe: Recipe, folder = join(dataRoot, recipe.folder)): ClinicalData {
  return readClinicalData(folder);
}

/** The manifest but for what follows from the tensors and files. */
export type TrainingManifest = Omit<LearnedManifest, 'tensors' | 'weights' | 'golden' | 'card'>;

/** Everything that is estimated before the network is: from the people `ids` and no one else. */
export function prepareManifest(recipe: Recipe, data: ClinicalData, ids: readonly string[]): TrainingManifest {
  const records = ids.map((id) => recipe.record(data, id));
  const { plan } = recipe;
  const markers = plan.markers.map((marker): Marker => {
    const values = records.flatMap((record) =>
      record.observations.filter(({ code }) => code === marker.id).map(({ value }) => value),
    );
    return { ...marker, transform: learnTransform(marker.transform, values), seen: seenRange(values) };
  });
  const covariates = plan.covariates.map((covariate): Covariate => {
    const values = records.map((record) => record.covariates[covariate.id]).filter((value) => value !== undefined);
    if (covariate.kind === 'number') {
      const { transform: _, decimals: __, ...rest } = covariate;
      return { ...rest, seen: seenRange(values as number[]) };
    }
    const share = (wanted: string) => round(values.filter((value) => value === wanted).length / values.length, 3);
    return { ...covariate, categories: covariate.categories.map((category) => ({ ...category, share: share(category.value) })) };
  });
  const conditioning = plan.conditioning.map((input) => learnInput(input, recipe, records));
  const partial = { ...plan, markers, covariates, conditioning };
  const signs = plan.signs.length;
  return {
    ...partial,
    format: 'counterpart-pack/1',
    kind: 'learned',
    network: {
      S: markers.length + signs,
      L: recipe.L,
      H: recipe.H,
      K: plan.events.length,
      V: conditioning.length,
      M: recipe.members,
    },
    encoder: { E: recipe.E },
    people: learnPeople(recipe, records),
  };
}

function learnTransform(kind: Transform['kind'], values: readonly number[]): Transform {
  const floor = Math.min(...values.filter((value) => value > 0));
  const f = {
    identity: (x: number) => x,
    log: (x: number) => Math.log(Math.max(x, floor)),
    sqrt: (x: number) => Math.sqrt(Math.max(x, 0)),
  };
  const moved = values.map(f[kind]);
  const middle = mean(moved);
  const sd = Math.sqrt(mean(moved.map((x) => (x - middle) ** 2)));
  return { kind, mean: round(middle, 5), sd: round(sd, 5) };
}

function seenRange(values: readonly number[]): [number, number] {
  const sorted = Float64Array.from(values).sort();
  return [round(quantileOfSorted(sorted, 0.01), 3), round(quantileOfSorted(sorted, 0.99), 3)];
}

function learnInput(input: InputPlan, recipe: Recipe, records: readonly PatientRecord[]): ConditioningInput {
  if (input.from === 'intervention') return input;
  if (input.from === 'entry-marker') return { ...input, whenMissing: 0 };
  const values = records.map((record) => record.covariates[input.id]).filter((value) => value !== undefined);
  if (input.equals !== undefined) {
    const share = values.filter((value) => value === input.equals).length / values.length;
    return { from: 'covariate', id: input.id, equals: input.equals, whenMissing: round(share, 3) };
  }
  const plan = recipe.plan.covariates.find(({ id }) => id === input.id)!;
  const kind = plan.kind === 'number' ? plan.transform : 'identity';
  return { from: 'covariate', id: input.id, transform: learnTransform(kind, values as number[]), whenMissing: 0 };
}

/** A Gaussian copula: marginals as a few quantiles or shares, and the correlation of normal scores. */
function learnPeople(recipe: Recipe, records: readonly PatientRecord[]): PeopleDistribution {
  const columns = recipe.plan.covariates.map((covariate) => ({
    covariate,
    values: records.map((record) => record.covariates[covariate.id]!),
  }));
  const marginals = columns.map(({ covariate, values }): PeopleMarginal => {
    if (covariate.kind === 'category') {
      const shares = covariate.categories.map(({ value }) => values.filter((own) => own === value).length / values.length);
      return { covariate: covariate.id, kind: 'category', shares: shares.map((share) => round(share, 3)) };
    }
    const sorted = Float64Array.from(values as number[]).sort();
    const quantiles = peopleQuantileLevels.map((level) => round(quantileOfSorted(sorted, level), covariate.decimals + 1));
    return { covariate: covariate.id, kind: 'number', quantiles, decimals: covariate.decimals };
  });
  const scores = columns.map(({ covariate, values }) => {
    const numbers = values.map((value) =>
      covariate.kind === 'category' ? covariate.categories.findIndex((category) => category.value === value) : (value as number),
    );
    return normalScores(numbers);
  });
  const correlation = scores.flatMap((a) => scores.map((b) => (a === b ? 1 : round(correlate(a, b), 3))));
  return { marginals, correlation };
}

function normalScores(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return values.map((value) => {
    const first = sorted.indexOf(value);
    const last = sorted.lastIndexOf(value);
    return normalQuantile(((first + last) / 2 + 0.5) / values.length);
  });
}

function correlate(a: readonly number[], b: readonly number[]): number {
  const [ma, mb] = [mean(a), mean(b)];
  const covariance = mean(a.map((x, i) => (x - ma) * (b[i]! - mb)));
  const scale = Math.sqrt(mean(a.map((x) => (x - ma) ** 2)) * mean(b.map((x) => (x - mb) ** 2)));
  return scale === 0 ? 0 : covariance / scale;
}

export function makeCohort(recipe: Recipe, manifest: TrainingManifest, data: ClinicalData, ids: readonly string[]): Cohort {
  const { stepDays, historySteps, horizonSteps } = manifest.grid;
  return gridCohort(
    ids.map((id) => makePerson(recipe, manifest, data, id)),
    {
      S: manifest.network.S,
      K: manifest.network.K,
      C: covariateInputCount(manifest),
      stepDays,
      maxSteps: Math.max(historySteps, horizonSteps),
    },
  );
}

function makePerson(recipe: Recipe, manifest: TrainingManifest, data: ClinicalData, id: string): Person {
  return personOf(manifest, recipe.record(data, id), recipe.followUp(data, id));
}

/** A record as the grid's cohorts hold it, with the standardisation that the app itself uses. */
export function personOf(manifest: TrainingManifest, record: PatientRecord, { endDay, event }: FollowUp): Person {
  const entry: Record<string, number> = {};
  const visits = new Map<number, Map<number, number>>();
  for (const { code, date, value } of record.observations) {
    const day = daysBetween(record.entryDate, date);
    const marker = manifest.markers.findIndex((candidate) => candidate.id === code);
    const sign = manifest.signs.findIndex((candidate) => candidate.id === code);
    if (marker < 0 && sign < 0) continue;
    if (day === 0 && marker >= 0) entry[code] = value;
    const own = visits.get(day) ?? new Map<number, number>();
    if (marker >= 0) own.set(marker, toState(manifest.markers[marker]!, value));
    else own.set(manifest.markers.length + sign, levelOf(manifest.signs[sign]!, value));
    visits.set(day, own);
  }
  // Neither function reads the parts of a manifest that training has yet to make.
  const complete = manifest as LearnedManifest;
  const base = covariateInputs(complete, record.covariates, entry).values;
  const active = new Set(record.treatments.map(({ intervention }) => intervention));
  return {
    id: record.id,
    v: [...conditioningAt(complete, base, active, record.covariates)],
    visits: [...visits].sort(([a], [b]) => a - b).map(([day, values]) => ({ day, values })),
    endDay,
    event,
  };
}

const mean = (values: readonly number[]): number => sum(values) / values.length;

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
