import type { FitReport, ModelFit, Residual } from '#domain/forecast.ts';
import { effectColumn } from '#engine/simulation.ts';
import { quantileOfSorted } from '#numerics/quantiles.ts';
import type { Criterion, EquationsManifest } from '#packs/manifest.ts';
import { brokenCriteria, conflict, type Placing } from '../fit-report.ts';
import { courseOf, timelineOf } from './course.ts';
import type { FittedModel } from './fit-problem.ts';
import type { FittedPerson } from './fitted-person.ts';
import { individualParameters } from './individual.ts';
import type { Level, Person } from './person.ts';

/** How well the person and the twin fit the pack, with a reason for everything short of "fits". Without a placing by criteria alone. */
export function reportEquationsFit(
  manifest: EquationsManifest,
  { person, twin }: FittedPerson,
  placing?: Placing<Person>,
): FitReport {
  const { outside, partly } = brokenCriteria(manifest.population.criteria, (criterion) => askedValue(criterion, person));
  const { conflictProbability, flattening } = twin;
  const place = placing?.(person, conflictProbability);
  if (place) (place.verdict === 'outside' ? outside : partly).push(...place.reasons);
  // Levels that contradict the population do not withhold the forecast: whoever is dosed needs one. They flatten the prior and say so.
  if (conflictProbability !== null && conflictProbability < conflict.partly) {
    const chance = conflictProbability < conflict.outside ? '1 in 10,000' : '1 in 100';
    const wider = flattening === null ? '' : ' The population was therefore given less weight than the levels.';
    partly.push(
      `These levels do not fit the population: fewer than ${chance} would be as surprising. Check doses, times and units.${wider}`,
    );
  }
  const models = twin.models.map((model) => modelFit(manifest, model, person));
  const divergedShare = Math.max(0, ...models.map((model) => model.divergedShare));
  if (divergedShare > 0.01) {
    partly.push(
      `${(100 * divergedShare).toFixed(1)} % of the population's draws left what the equations can compute; they are left out.`,
    );
  }
  return {
    standing: outside.length > 0 ? 'outside' : partly.length > 0 ? 'partly' : 'fits',
    reasons: [...outside, ...partly],
    particles: twin.models.reduce((sum, { lanes }) => sum + lanes.lanes, 0),
    effectiveSampleSize: twin.models.reduce((sum, model) => sum + model.weight * model.effectiveSampleSize, 0),
    temperedMoves: 0,
    conflictProbability,
    observationsUsed: Math.max(0, ...twin.models.map(({ residuals }) => residuals.length)),
    inputs: person.uses,
    equations: {
      models,
      flattening,
      residuals: mostProbable(twin.models).flatMap((model) => residualsOf(model, person)),
    },
  };
}

function askedValue({ of, id, at }: Criterion, { covariates, levels, entryHours }: Person): number | undefined {
  if (of === 'covariate') return covariates.get(id)?.at(-1)?.value;
  const own = levels.filter(({ marker }) => marker === id);
  const fromEntry = (level: Level) => Math.abs(level.hours - entryHours);
  return (at === 'entry' ? own.toSorted((a, b) => fromEntry(a) - fromEntry(b))[0] : own.at(-1))?.value;
}

/** One model, or none where there is none. */
function mostProbable(models: readonly FittedModel[]): readonly FittedModel[] {
  return models.toSorted((a, b) => b.weight - a.weight).slice(0, 1);
}

function residualsOf({ program, residuals }: FittedModel, person: Person): Residual[] {
  const { now } = courseOf(program, person);
  return residuals.map(({ observation, predicted }) => ({
    marker: program.observations[observation.of]!.marker,
    daysFromNow: (observation.time - now) * program.daysPerTime,
    observed: observation.value,
    isBelowLimit: observation.isBelowLimit,
    predicted,
  }));
}

function modelFit(manifest: EquationsManifest, fitted: FittedModel, person: Person): ModelFit {
  const { program } = fitted;
  const model = manifest.models.find(({ id }) => id === program.modelId)!;
  const values = parametersNow(fitted, person);
  return {
    id: program.modelId,
    title: model.title,
    weight: fitted.weight,
    rung: fitted.rung,
    effectiveSampleSize: fitted.effectiveSampleSize,
    draws: fitted.draws,
    divergedShare: fitted.diverged.weight,
    parameters: program.parameters.map(({ symbol, unit }, i) => {
      const ascending = values[i]!.filter((value) => !Number.isNaN(value)).sort();
      const at = (level: number) => (ascending.length === 0 ? Number.NaN : quantileOfSorted(ascending, level));
      const label = model.parameters.find((one) => one.symbol === symbol)?.label ?? symbol;
      return {
        symbol,
        label,
        unit,
        map: fitted.map.parameters[symbol] ?? Number.NaN,
        low: at(0.05),
        median: at(0.5),
        high: at(0.95),
      };
    }),
  };
}

/** [parameters] of [lanes], with the covariates of now and the effects of the first occasion. */
function parametersNow({ program, lanes }: FittedModel, person: Person): Float64Array[] {
  const timeline = timelineOf(program, person, null);
  const row = timeline.covariateRows[timeline.segments.at(-1)!.covariateRow]!;
  return individualParameters(program, {
    lanes: lanes.lanes,
    effect: (index) => {
      const column = effectColumn(program, index).first;
      return Float64Array.from(lanes.effects.subarray(column * lanes.lanes, (column + 1) * lanes.lanes));
    },
    covariate: (index) => {
      const own = lanes.laneCovariates.find(({ covariate }) => covariate === index);
      return own ? Float64Array.from(own.values) : new Float64Array(lanes.lanes).fill(row[index]!);
    },
  });
}
