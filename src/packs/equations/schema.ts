/** The fields of a model. What holds between them `compile.ts` checks. */
import * as v from 'valibot';
import { finite, id, list, positive, text, whole } from '../schema-parts.ts';
import type { EquationsModel } from './model.ts';
import { maxFormulaLength } from './parse.ts';

export const symbol = v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/));
const formula = v.pipe(v.string(), v.minLength(1), v.maxLength(maxFormulaLength));
const unit = v.pipe(v.string(), v.minLength(1), v.maxLength(64));

/** A variance is of a logarithm or of something near it: beyond this it is a slip, and draws would overflow f32. */
const variance = v.pipe(positive, v.maxValue(100));
const optional = v.exactOptional;

export const route = v.picklist(['iv-bolus', 'iv-infusion', 'oral', 'subcutaneous', 'radiation']);

const definition = v.strictObject({ symbol, unit, formula, label: optional(text) });
const set = optional(list(v.strictObject({ state: symbol, to: formula }), 0, 64));

const errorModel = v.variant('kind', [
  v.strictObject({ kind: v.literal('additive'), sd: positive }),
  v.strictObject({ kind: v.literal('proportional'), fraction: positive }),
  v.strictObject({ kind: v.literal('combined'), sd: positive, fraction: positive }),
  v.strictObject({ kind: v.literal('log'), sd: positive }),
  v.strictObject({ kind: v.literal('beta'), precision: positive, maximum: positive }),
  v.strictObject({ kind: v.literal('transition'), fraction: positive }),
]);

const event = v.variant('kind', [
  v.strictObject({
    id,
    kind: v.literal('crossing'),
    of: formula,
    direction: v.picklist(['rising', 'falling']),
    at: formula,
    terminal: v.boolean(),
    set,
  }),
  v.strictObject({ id, kind: v.literal('hazard'), hazard: formula, terminal: v.boolean(), set }),
]);

const tolerance = v.pipe(finite, v.minValue(1e-14), v.maxValue(0.1));
const adaptive = {
  relativeTolerance: tolerance,
  absoluteTolerance: v.pipe(positive, v.minValue(1e-300)),
  firstStep: positive,
  maximumStep: positive,
  maximumSteps: whole(1, 1_000_000),
};
const stepper = v.variant('kind', [
  v.strictObject({ kind: v.literal('closed-form') }),
  v.strictObject({ kind: v.literal('rk4'), step: positive }),
  v.strictObject({ kind: v.literal('dopri5'), ...adaptive }),
  v.strictObject({ kind: v.literal('rosenbrock'), ...adaptive }),
  v.strictObject({ kind: v.literal('euler-maruyama'), step: positive }),
  v.strictObject({ kind: v.literal('heun'), step: positive }),
  v.strictObject({ kind: v.literal('map'), step: positive }),
]);

export const equationsModel = v.strictObject({
  id,
  title: text,
  citation: text,
  time: unit,
  timeZero: v.picklist(['first-event', 'entry', 'birth']),
  priorWeight: optional(v.pipe(finite, v.minValue(0))),
  onlyWhere: optional(v.strictObject({ covariate: id, values: list(text, 1, 32) })),
  covariates: v.record(symbol, id),
  constants: list(v.strictObject({ symbol, value: finite, unit, label: text, source: optional(text) })),
  tables: optional(list(v.strictObject({ symbol, by: symbol, unit, values: v.record(v.string(), finite), label: text }), 0, 64)),
  effects: optional(list(v.strictObject({ symbol, variance, label: text, per: v.picklist(['person', 'occasion']) }), 0, 64)),
  correlations: optional(
    list(
      v.strictObject({ between: v.strictTuple([symbol, symbol]), value: v.pipe(finite, v.gtValue(-1), v.ltValue(1)) }),
      0,
      2016,
    ),
  ),
  parameters: list(definition),
  constraints: optional(list(formula, 0, 64)),
  compartments: optional(
    v.strictObject({
      amountUnit: unit,
      central: symbol,
      clearance: formula,
      volume: formula,
      peripherals: list(v.strictObject({ symbol, flow: formula, volume: formula }), 0, 2),
      depot: optional(v.strictObject({ symbol, rate: formula })),
      effectSite: optional(v.strictObject({ symbol, rate: formula })),
      exposure: optional(symbol),
    }),
  ),
  states: optional(
    list(
      v.strictObject({
        symbol,
        unit,
        initial: formula,
        derivative: optional(formula),
        next: optional(formula),
        diffusion: optional(formula),
        holdsWhenNegative: optional(v.boolean()),
        scale: optional(positive),
        observedExactly: optional(id),
      }),
      0,
      64,
    ),
  ),
  memory: optional(list(v.strictObject({ symbol, unit, initial: formula, atSegmentStart: formula }), 0, 32)),
  algebra: optional(list(definition)),
  inputs: optional(
    list(
      v.strictObject({
        symbol,
        intervention: id,
        label: text,
        unit,
        routes: list(route, 1, 5),
        into: symbol,
        bioavailability: optional(formula),
        lag: optional(formula),
        deliveredOver: optional(positive),
        maximumRate: optional(positive),
        segmentLength: optional(positive),
      }),
      0,
      8,
    ),
  ),
  controls: optional(list(v.strictObject({ symbol, unit, intervention: id, off: finite, on: finite }), 0, 8)),
  noises: optional(list(symbol, 0, 16)),
  readouts: list(definition, 1, 64),
  observations: list(v.strictObject({ marker: id, readout: symbol, error: errorModel }), 1, 32),
  events: optional(list(event, 0, 16)),
  stepper,
}) satisfies v.GenericSchema<unknown, EquationsModel>;
