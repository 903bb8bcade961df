/** What must hold between the models of an `equations` pack and the rest of its manifest; each model by itself `compile.ts` checks. */
import { checkUniqueIds, require, requireId } from '../manifest-checks.ts';
import { leverClasses } from '../manifest-views.ts';
import type { Demonstration, DoseGrid, EquationsManifest, Quantity, Target } from '../manifest.ts';
import { quoted, refusal } from '../refusal.ts';
import type { EquationsModel, Route } from './model.ts';
import { conversionFactor, dimensionless, parseUnit, sameDimension, UnitError, type UnitScale } from './units.ts';

/** Steps of a fixed-step model over the longest history and horizon: beyond this a forecast would not come back. */
const maxSteps = 1_000_000;
const daySeconds = 86_400;

export function checkEquations(pack: EquationsManifest): void {
  checkUniqueIds('models', pack.models);
  checkUniqueIds('targets', pack.targets);
  pack.covariates.forEach((covariate, i) => {
    if (covariate.kind !== 'number') return;
    const at = `covariates[${i}]`;
    checkFactors(covariate, at);
    const { id, required, whenMissing, plausible } = covariate;
    // A height that only the dose per m² asks for may be missing without a substitute.
    const isNeeded = !required && pack.models.some((model) => Object.values(model.covariates).includes(id));
    const isThere = whenMissing !== undefined && whenMissing >= plausible[0] && whenMissing <= plausible[1];
    const what = 'expected a plausible value, because models read it and it is not required.';
    require(isThere || (whenMissing === undefined && !isNeeded), `${at}.whenMissing`, what);
  });
  pack.markers.forEach((marker, i) => checkFactors(marker, `markers[${i}]`));
  pack.models.forEach((model, i) => checkModel(pack, model, `models[${i}]`));
  require(pack.models.some(
    ({ priorWeight }) => priorWeight !== 0,
  ), 'models', 'found no prior weight above 0, expected a model to fit.');
  require(pack.models.some(
    ({ priorWeight, onlyWhere }) => priorWeight !== 0 && !onlyWhere,
  ), 'models', 'found onlyWhere in each, expected a model to fit for everyone.');
  pack.interventions.forEach(({ id, whatIfClass }, i) => {
    const at = `interventions[${i}]`;
    require(whatIfClass !== 'X', `${at}.whatIfClass`, 'found X, expected an effect that the models compute.');
    if (!leverClasses.includes(whatIfClass)) return;
    const deaf = pack.models.find(({ inputs = [], controls = [] }) =>
      [...inputs, ...controls].every(({ intervention }) => intervention !== id),
    );
    require(!deaf, at, `model ${quoted(deaf?.id)} has no input or control for it, expected one for class ${whatIfClass}.`);
  });
  pack.targets.forEach((target, i) => checkTarget(pack, target, `targets[${i}]`));
  checkUniqueIds(
    'doseGrids',
    pack.doseGrids.map(({ intervention }) => ({ id: intervention })),
  );
  pack.doseGrids.forEach((grid, i) => checkGrid(pack, grid, `doseGrids[${i}]`));
  pack.demonstrations.forEach((person, i) => checkDemonstration(pack, person, `demonstrations[${i}]`));
}

/** Where units alone decide a factor it must be theirs: 0.01 for 100 is the slip that nobody sees. */
function checkFactors({ unit, alternativeUnits = [] }: Quantity, at: string): void {
  const own = unitIfKnown(unit);
  alternativeUnits.forEach((alternative, i) => {
    const other = unitIfKnown(alternative.unit);
    if (!own || !other || !sameDimension(own, other)) return;
    const expected = conversionFactor(other, own);
    const isRight = Math.abs(alternative.factor / expected - 1) < 1e-3;
    const what = `found ${alternative.factor}, expected ${expected}, which is ${alternative.unit} in ${unit}.`;
    require(isRight, `${at}.alternativeUnits[${i}].factor`, what);
  });
}

function checkModel({ markers, events, grid }: EquationsManifest, model: EquationsModel, at: string): void {
  // Models are averaged by how well they explain the same observations, so each must explain all.
  for (const { id } of markers) {
    const count = model.observations.filter(({ marker }) => marker === id).length;
    require(count === 1, `${at}.observations`, `found ${count} for the marker ${quoted(id)}, expected one.`);
  }
  for (const { id } of events) {
    const count = (model.events ?? []).filter((event) => event.id === id).length;
    require(count === 1, `${at}.events`, `found ${count} for the event ${quoted(id)}, expected one.`);
  }
  const { stepper } = model;
  if ('firstStep' in stepper) {
    const { firstStep, maximumStep } = stepper;
    require(firstStep <= maximumStep, `${at}.stepper`, `found a first step of ${firstStep}, expected at most maximumStep.`);
  }
  const shortest = 'step' in stepper ? stepper.step : Infinity;
  const span = ((grid.historySteps + grid.horizonSteps) * grid.stepDays * daySeconds) / unitOf(model.time, `${at}.time`).factor;
  const steps = span / shortest;
  require(steps <= maxSteps, `${at}.stepper.step`, `the grid takes ${Math.round(steps)} steps, expected at most ${maxSteps}.`);
  (model.inputs ?? []).forEach(({ segmentLength }, i) => {
    const segments = segmentLength === undefined ? 0 : span / segmentLength;
    const where = `${at}.inputs[${i}].segmentLength`;
    require(segments <= maxSteps, where, `the grid has ${Math.round(segments)} segments, expected at most ${maxSteps}.`);
  });
}

function checkTarget({ models }: EquationsManifest, { measure, low, high, unit }: Target, at: string): void {
  const { readout: symbol, statistic, between, window } = measure;
  require(low !== undefined || high !== undefined, at, 'found no limit, expected low, high or both.');
  requireOrder(low, high, at);
  const isShare = statistic === 'share-within';
  const limits = `${at}.measure.between`;
  require(isShare === (between !== undefined), limits, 'expected it for share-within and for nothing else.');
  require(!between || between.low !== undefined || between.high !== undefined, limits, 'found no limit.');
  requireOrder(between?.low, between?.high, limits);
  if (window.kind === 'days') require(window.from < window.to, `${at}.measure.window`, 'expected from before to.');
  const own = unitOf(unit, `${at}.unit`);
  models.forEach(({ id, readouts }, i) => {
    const index = readouts.findIndex((each) => each.symbol === symbol);
    const readout = readouts[index];
    require(readout, `${at}.measure.readout`, `${quoted(symbol)} is no read-out of model ${quoted(id)}.`);
    const expected = isShare ? dimensionless : unitOf(readout.unit, `models[${i}].readouts[${index}].unit`);
    // The measure is compared with the limits as it comes, so the scale must be the same too.
    const isSame = sameDimension(own, expected) && conversionFactor(own, expected) === 1;
    const what = isShare ? '1, because a share is between 0 and 1' : `${readout.unit} as in model ${quoted(id)}`;
    require(isSame, `${at}.unit`, `found ${quoted(unit)}, expected ${what}.`);
  });
}

function requireOrder(low: number | undefined, high: number | undefined, at: string): void {
  require(low === undefined || high === undefined || low < high, at, `found ${low} to ${high}, expected low below high.`);
}

function checkGrid(pack: EquationsManifest, grid: DoseGrid, at: string): void {
  const { intervention, route, amounts, durationHours, roundTo, maximumDose } = grid;
  requireId(pack.interventions, intervention, `${at}.intervention`, 'intervention');
  requireRoute(pack, intervention, route, `${at}.route`);
  requireDuration(route, durationHours.length > 0, `${at}.durationHours`);
  require(roundTo <= maximumDose, `${at}.roundTo`, `found ${roundTo}, expected at most maximumDose.`);
  if (grid.per === 'dose') {
    const large = amounts.find((amount) => amount > maximumDose);
    require(large === undefined, `${at}.amounts`, `found ${large}, expected at most maximumDose (${maximumDose}).`);
  }
}

/** Every model must be able to take what a person may be given. */
function requireRoute({ models }: EquationsManifest, intervention: string, route: string, at: string): void {
  for (const { id, inputs = [] } of models) {
    const takes = inputs.some((input) => input.intervention === intervention && input.routes.some((each) => each === route));
    require(takes, at, `model ${quoted(id)} has no input that takes ${quoted(intervention)} by ${route}.`);
  }
}

/** An insulin pump has one too, though its route is subcutaneous. */
function requireDuration(route: Route, isThere: boolean, at: string): void {
  if (route === 'iv-infusion') require(isThere, at, 'found none, expected one for iv-infusion.');
  if (route === 'iv-bolus') require(!isThere, at, 'found one, expected none for iv-bolus.');
}

function checkDemonstration(pack: EquationsManifest, person: Demonstration, at: string): void {
  for (const [id, value] of Object.entries(person.covariates)) {
    const covariate = requireId(pack.covariates, id, `${at}.covariates`, 'covariate');
    const isKnown =
      covariate.kind === 'number'
        ? typeof value === 'number' && value >= covariate.plausible[0] && value <= covariate.plausible[1]
        : covariate.categories.some((category) => category.value === value);
    require(isKnown, `${at}.covariates.${id}`, `found ${quoted(value)}, expected a value that this covariate can have.`);
  }
  const missing = pack.covariates.find(({ id, required }) => required && !Object.hasOwn(person.covariates, id));
  require(!missing, `${at}.covariates`, `there is no ${quoted(missing?.id)}, expected every required covariate.`);
  person.courses.forEach(({ intervention, route, durationHours, everyHours, count }, i) => {
    const place = `${at}.courses[${i}]`;
    requireId(pack.interventions, intervention, `${place}.intervention`, 'intervention');
    requireRoute(pack, intervention, route, `${place}.route`);
    requireDuration(route, durationHours !== undefined, `${place}.durationHours`);
    require(everyHours !== undefined ||
      count === undefined ||
      count === 1, `${place}.everyHours`, `it is missing for ${count} doses.`);
  });
  person.treatments?.forEach(({ intervention, startHours, stopHours = Infinity }, i) => {
    const place = `${at}.treatments[${i}]`;
    requireId(pack.interventions, intervention, `${place}.intervention`, 'intervention');
    require(startHours < stopHours, `${place}.stopHours`, 'expected it after startHours.');
  });
  person.observations.forEach(({ marker }, i) => {
    const course = pack.covariates.filter((covariate) => covariate.kind === 'number' && covariate.varies);
    requireId([...pack.markers, ...course], marker, `${at}.observations[${i}].marker`, 'marker or varying covariate');
  });
}

/** Before the models are compiled, so with a place of its own. */
function unitOf(text: string, at: string): UnitScale {
  try {
    return parseUnit(text);
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    throw refusal('model_formula_invalid', `pack.json, ${at}`, `${quoted(text)} is no unit: ${error.message}.`);
  }
}

/** Units that only people read may be any. */
function unitIfKnown(text: string): UnitScale | null {
  try {
    return parseUnit(text);
  } catch (error) {
    if (error instanceof UnitError) return null;
    throw error;
  }
}
