/** What a pack doses and how, asked of its models: for the record's doses, for plans and for the search. */
import type { DoseCourse } from '#domain/record.ts';
import type { EquationsModel } from '#packs/equations/model.ts';
import type { Intervention, PackManifest } from '#packs/manifest.ts';

export type Route = DoseCourse['route'];

export const routeWords: Readonly<Record<Route, { readonly label: string; readonly short: string }>> = {
  'iv-bolus': { label: 'intravenous, at once', short: 'IV bolus' },
  'iv-infusion': { label: 'intravenous infusion', short: 'IV' },
  oral: { label: 'by mouth', short: 'by mouth' },
  subcutaneous: { label: 'under the skin', short: 'SC' },
  radiation: { label: 'radiation', short: 'radiation' },
};

export interface Dosed {
  readonly intervention: Intervention;
  /** Of amounts in the pack; plans are in it. */
  readonly unit: string;
  /** A record's amounts may be in these, the pack's own first. */
  readonly units: readonly string[];
  readonly routes: readonly Route[];
}

const masses = ['mg', 'g', 'ug'];

/** The interventions that are given in doses; none for packs whose plans are blocks. */
export function dosedInterventions(manifest: PackManifest): readonly Dosed[] {
  if (manifest.kind !== 'equations') return [];
  const inputs = manifest.models.flatMap((model) => model.inputs ?? []);
  return manifest.interventions.flatMap((intervention) => {
    const own = inputs.filter((input) => input.intervention === intervention.id);
    const first = own[0];
    if (!first) return [];
    const { unit } = first;
    return [
      {
        intervention,
        unit,
        units: masses.includes(unit) ? [unit, ...masses.filter((one) => one !== unit)] : [unit],
        routes: [...new Set(own.flatMap((input) => input.routes))],
      },
    ];
  });
}

/** The hour matters: levels need a clock time, plans move in hours. */
export function countsHours({ grid }: Pick<PackManifest, 'grid'>): boolean {
  return grid.timeUnit === 'hours' || grid.timeUnit === 'minutes';
}

export type BeforeDose = 'expected' | 'doubtful' | 'impossible';

/**
 * What a value of a marker before the first dose means. A baseline is expected of what the body makes itself; of a drug's level only
 * zero is, so that a value is doubtful, and impossible where the error model leaves no room around zero.
 */
export function beforeFirstDose(manifest: PackManifest, markerId: string): BeforeDose {
  if (manifest.kind !== 'equations') return 'expected';
  const verdicts = manifest.models.map((model): BeforeDose => {
    const observation = model.observations.find(({ marker }) => marker === markerId);
    if (!observation || !isDrugLevel(model, observation.readout)) return 'expected';
    return observation.error.kind === 'log' || observation.error.kind === 'proportional' ? 'impossible' : 'doubtful';
  });
  return verdicts.includes('impossible') ? 'impossible' : verdicts.includes('doubtful') ? 'doubtful' : 'expected';
}

/** Whether all that a read-out depends on is empty before the first dose. An effect has a baseline, also where it reads a level. */
function isDrugLevel(model: EquationsModel, readout: string): boolean {
  const definitions = [...model.readouts, ...(model.algebra ?? [])];
  const { compartments } = model;
  const empty = new Set([
    ...(compartments ? [compartments.central, ...compartments.peripherals.map(({ symbol }) => symbol)] : []),
    ...(compartments?.depot ? [compartments.depot.symbol] : []),
    ...(model.states ?? []).filter(({ initial }) => Number(initial) === 0).map(({ symbol }) => symbol),
  ]);
  const full = new Set([
    ...(compartments?.effectSite ? [compartments.effectSite.symbol] : []),
    ...(model.states ?? []).filter(({ initial }) => Number(initial) !== 0).map(({ symbol }) => symbol),
  ]);
  const seen = new Set<string>();
  const read = (symbol: string): void => {
    if (seen.has(symbol)) return;
    seen.add(symbol);
    const formula = definitions.find((one) => one.symbol === symbol)?.formula ?? '';
    for (const [name] of formula.matchAll(/[A-Za-z]\w*/g)) read(name);
  };
  read(readout);
  return [...seen].some((symbol) => empty.has(symbol)) && ![...seen].some((symbol) => full.has(symbol));
}
