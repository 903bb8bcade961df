/** The fields of `pack.json`. What holds between fields is in `manifest-checks.ts`. */
import * as v from 'valibot';
import { equationsModel, route, symbol } from './equations/schema.ts';
import { peopleQuantileLevels } from './manifest.ts';
import type { EquationsManifest, LearnedManifest } from './manifest.ts';
import { finite as number, id, list, positive, share, text, whole } from './schema-parts.ts';

const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

/** The largest network an engine is built and tested for. */
const packBounds = { S: 32, L: 16, H: 128, K: 8, V: 64, M: 8, E: 128, steps: 400, levels: 4 } as const;

const year = whole(1800, 2200);
const days = v.pipe(number, v.gtValue(0), v.maxValue(40_000));
const decimals = whole(0, 6);
const range = v.strictTuple([number, number]);

const code = v.strictObject({ system: v.picklist(['LOINC', 'RxNorm', 'ATC', 'SNOMED', 'ICD-10']), code: text });
const codes = v.exactOptional(list(code));

const quantity = {
  id,
  label: text,
  unit: text,
  alternativeUnits: v.exactOptional(list(v.strictObject({ unit: text, factor: positive }))),
  codes,
  plausible: range,
  seen: range,
};

const transform = v.strictObject({ kind: v.picklist(['identity', 'log', 'sqrt']), mean: number, sd: positive });

const covariate = v.variant('kind', [
  v.strictObject({
    kind: v.literal('number'),
    ...quantity,
    required: v.boolean(),
    help: v.exactOptional(text),
    whenMissing: v.exactOptional(number),
    varies: v.exactOptional(v.literal(true)),
  }),
  v.strictObject({
    kind: v.literal('category'),
    id,
    label: text,
    codes,
    required: v.boolean(),
    help: v.exactOptional(text),
    categories: list(v.strictObject({ value: text, label: text, share }), 2, 32),
    sharesBy: v.exactOptional(v.strictObject({ covariate: id, shares: v.record(v.string(), list(share, 2, 32)), source: text })),
  }),
]);

const markerDescription = {
  ...quantity,
  staleAfterDays: days,
  decimals,
  normalRange: v.exactOptional(v.strictObject({ low: number, high: number, source: text })),
  thresholds: v.exactOptional(list(v.strictObject({ value: number, direction: v.picklist(['above', 'below']), label: text }))),
};

const sign = v.strictObject({
  id,
  label: text,
  codes,
  levels: list(v.strictObject({ value: number, label: text }), 2, packBounds.levels),
  cuts: list(number, 1, packBounds.levels - 1),
  staleAfterDays: days,
});

const intervention = v.strictObject({
  id,
  label: text,
  shortLabel: text,
  whatIfClass: v.picklist(['R', 'X', 'M', 'S', 'N', 'O']),
  codes,
  exclusiveGroup: v.nullable(id),
  timing: v.picklist(['any', 'from-entry', 'from-today']),
  evidence: v.strictObject({
    statement: text,
    citation: text,
    n: v.exactOptional(whole(1, 1e9)),
    estimate: v.exactOptional(v.strictObject({ measure: text, value: number, low: number, high: number })),
  }),
  citedEffect: v.exactOptional(
    v.strictObject({
      events: list(id, 1, packBounds.K),
      logHazardRatio: v.pipe(number, v.minValue(-5), v.maxValue(5)),
      standardError: v.pipe(number, v.minValue(0), v.maxValue(5)),
      assumption: text,
    }),
  ),
});

const file = <const T extends string>(name: T) => ({ file: v.literal(name), sha256: digest });

const description = {
  format: v.literal('counterpart-pack/1'),
  id,
  version: v.pipe(v.string(), v.regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}(?:-[0-9a-z.-]{1,32})?$/)),
  title: text,
  summary: text,
  licence: text,
  authors: list(text, 1),
  sources: list(
    v.strictObject({
      role: v.picklist(['training', 'external-validation', 'effect', 'method', 'model']),
      citation: text,
      licence: text,
      n: v.exactOptional(whole(1, 1e9)),
    }),
    1,
  ),
  population: v.strictObject({
    description: text,
    criteria: list(
      v.strictObject({
        of: v.picklist(['covariate', 'marker']),
        id,
        at: v.exactOptional(v.literal('entry')),
        min: v.exactOptional(number),
        max: v.exactOptional(number),
        severity: v.picklist(['hard', 'soft']),
        reason: text,
      }),
    ),
  }),
  era: v.strictObject({ from: year, to: year }),
  place: text,
  notFor: list(text, 1),
  covariates: list(covariate),
  interventions: list(intervention),
  usualCare: v.strictObject({ label: text, description: text, interventions: list(id) }),
  golden: v.strictObject(file('golden.json')),
  card: v.strictObject(file('card.md')),
};

const event = v.strictObject({ id, label: text, verb: text, codes, isTerminal: v.boolean() });

const grid = (steps: number) =>
  v.strictObject({
    stepDays: days,
    horizonSteps: whole(1, steps),
    historySteps: whole(1, steps),
    timeUnit: v.picklist(['years', 'weeks', 'days', 'hours', 'minutes']),
  });

// One alternative for each form, picked by the field that tells them apart, so that an error names the field that is wrong.
const conditioningInput = v.lazy((input) => {
  const { from } = Object(input) as { readonly from?: unknown };
  if (from === 'covariate') return 'equals' in Object(input) ? categoryInput : numberInput;
  if (from === 'entry-marker') return entryInput;
  return 'when' in Object(input) ? conditionalIntervention : interventionInput;
});
const numberInput = v.strictObject({ from: v.literal('covariate'), id, transform, whenMissing: number });
const categoryInput = v.strictObject({ from: v.literal('covariate'), id, equals: text, whenMissing: number });
const entryInput = v.strictObject({ from: v.literal('entry-marker'), id, whenMissing: number });
const interventionInput = v.strictObject({ from: v.literal('intervention'), id });
const conditionalIntervention = v.strictObject({
  from: v.literal('intervention'),
  id,
  when: v.strictObject({ covariate: id, equals: text }),
});

const peopleMarginal = v.variant('kind', [
  v.strictObject({
    covariate: id,
    kind: v.literal('number'),
    quantiles: v.pipe(v.array(number), v.length(peopleQuantileLevels.length)),
    decimals,
  }),
  v.strictObject({ covariate: id, kind: v.literal('category'), shares: list(share, 2, 32) }),
]);

export const learnedSchema = v.strictObject({
  ...description,
  kind: v.literal('learned'),
  grid: grid(packBounds.steps),
  markers: list(v.strictObject({ ...markerDescription, transform })),
  signs: list(sign),
  events: list(event, 1),
  weights: v.strictObject({ ...file('weights.bin'), bytes: whole(0, 2 ** 31) }),
  tensors: list(
    v.strictObject({
      name: v.pipe(v.string(), v.regex(/^[a-zA-Z0-9_/.-]{1,128}$/)),
      dtype: v.picklist(['f32', 'f16']),
      shape: list(whole(1, 2 ** 20), 1, 6),
      offset: whole(0, 2 ** 31),
    }),
    0,
    512,
  ),
  network: v.strictObject({
    S: whole(1, packBounds.S),
    L: whole(1, packBounds.L),
    H: v.pipe(whole(4, packBounds.H), v.multipleOf(4)),
    K: whole(1, packBounds.K),
    V: whole(1, packBounds.V),
    M: whole(1, packBounds.M),
  }),
  conditioning: list(conditioningInput, 1, packBounds.V),
  encoder: v.strictObject({ E: whole(1, packBounds.E) }),
  people: v.strictObject({ marginals: list(peopleMarginal, 1, 64), correlation: list(number, 1, 64 * 64) }),
}) satisfies v.GenericSchema<unknown, LearnedManifest>;

const limit = v.exactOptional(number);

const targetWindow = v.variant('kind', [
  v.strictObject({ kind: v.literal('days'), from: v.pipe(number, v.minValue(0)), to: days }),
  v.strictObject({ kind: v.literal('last-days'), days }),
  v.strictObject({ kind: v.literal('last-interval') }),
  v.strictObject({ kind: v.literal('horizon') }),
]);

const target = v.strictObject({
  id,
  label: text,
  intent: v.picklist(['reach', 'avoid']),
  measure: v.strictObject({
    readout: symbol,
    statistic: v.picklist(['increase', 'minimum', 'maximum', 'mean', 'at-end', 'share-within']),
    between: v.exactOptional(v.strictObject({ low: limit, high: limit })),
    window: targetWindow,
  }),
  low: limit,
  high: limit,
  unit: text,
  citation: text,
});

const hours = (low: number) => v.pipe(number, v.minValue(low), v.maxValue(100_000));
const notNegative = v.pipe(number, v.minValue(0));

const doseGrid = v.strictObject({
  intervention: id,
  route,
  amounts: list(positive, 1),
  per: v.picklist(['dose', 'kg', 'm2']),
  roundTo: positive,
  intervalHours: list(positive, 1, 32),
  durationHours: list(positive, 0, 32),
  startHours: list(hours(0), 1, 32),
  loadingAmounts: list(notNegative, 1, 32),
  loadingPer: v.exactOptional(v.picklist(['dose', 'kg', 'm2'])),
  loadingDurationHours: v.exactOptional(positive),
  maximumDose: positive,
  benefit: v.exactOptional(v.literal('not-modelled')),
});

const demonstration = v.strictObject({
  alias: text,
  story: text,
  covariates: v.record(id, v.union([number, text])),
  courses: list(
    v.strictObject({
      intervention: id,
      amount: positive,
      route,
      durationHours: v.exactOptional(positive),
      startHours: hours(-1_000_000),
      everyHours: v.exactOptional(positive),
      count: v.exactOptional(whole(1, 10_000)),
    }),
  ),
  treatments: v.exactOptional(
    list(v.strictObject({ intervention: id, startHours: hours(-1_000_000), stopHours: v.exactOptional(hours(-1_000_000)) })),
  ),
  observations: list(v.strictObject({ marker: id, hours: hours(-1_000_000), value: number })),
});

export const equationsSchema = v.strictObject({
  ...description,
  kind: v.literal('equations'),
  grid: grid(2000),
  markers: list(v.strictObject(markerDescription), 1, 32),
  // No formula gives an ordinal finding.
  signs: list(sign, 0, 0),
  events: list(event, 0, 16),
  models: list(equationsModel, 1, 16),
  targets: list(target, 0, 32),
  doseGrids: list(doseGrid, 0, 8),
  demonstrations: list(demonstration, 0, 32),
  educationOnly: v.exactOptional(text),
}) satisfies v.GenericSchema<unknown, EquationsManifest>;
