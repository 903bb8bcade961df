/** Cases with doses and rows of the published pharmacokinetic files: trajectories, individual parameters, nadirs, exposures. */
import type { EquationsModel } from '#packs/equations/model.ts';
import { fromPublished, publishedModels, type PublishedModel } from '../published-models.ts';
import {
  ask,
  asItIs,
  compareRows,
  isNear,
  modelOf,
  saying,
  showing,
  shownAs,
  toleranceOf,
  valuesOf,
  withConstants,
  type Check,
  type Setting,
  type Shown,
  type Tolerances,
  type Values,
} from './check.ts';

/** README of the files: closed-form kinetics; and what is integrated (warfarin INR, docetaxel ANC). */
const closedForm: Tolerances = {
  exact: { relative: 1e-8 },
  rounded: { relative: 2e-4, ofLargest: 1e-5 },
};
const integrated: Tolerances = {
  exact: { relative: 1e-6 },
  rounded: { relative: 5e-4 },
};
/** Beside them the files' concentrations were integrated too, to 1e-7; they fall to 1e-17, so f32 is also held to the largest. */
const integratedConcentration: Tolerances = {
  exact: { relative: 1e-6 },
  rounded: { relative: 5e-4, ofLargest: 1e-5 },
};
const integratedPacks: ReadonlySet<string> = new Set(['warfarin', 'neutropenia']);
const isConcentration = (column: string): boolean => column.includes('conc');

function columnTolerance(pack: string, column: string): Tolerances {
  if (!integratedPacks.has(pack)) return closedForm;
  return isConcentration(column) ? integratedConcentration : integrated;
}

type PublishedCase = Parameters<typeof fromPublished>[0];

export function caseCheck(published: Values): Check {
  const { id, model: name } = published as { readonly id: string; readonly model: string };
  return {
    where: id,
    run: async (setting) => {
      const named = publishedModels[name];
      if (!named) return [`the model '${name}' is not known here`];
      return checkCase(setting, published as PublishedCase, named);
    },
  };
}

async function checkCase(setting: Setting, published: PublishedCase, named: PublishedModel): Promise<string[]> {
  const [, ...columns] = published['columns'] as readonly string[];
  const unknown = columns.find((column) => !(column in named.columns));
  if (unknown !== undefined) return [`the column '${unknown}' is not known here`];
  const { composites = {} } = named;
  const unknownEffect = Object.keys(valuesOf(published['eta'])).find((name) => !(name in named.effects || name in composites));
  if (unknownEffect !== undefined) return [`eta.${unknownEffect}: this effect is not known here`];
  const manifest = await setting.pack(named.pack);
  const { model: pack, effects } = written(modelOf(manifest, named.model), published, named);
  const golden = { ...fromPublished(published, { relative: 0, ofLargest: 0 }), effects };
  const expected = parametersOf(published, named, pack);
  const readouts = [...golden.readouts, ...expected.map(({ symbol }) => shownAs(symbol))];
  const found = await ask(setting, manifest, showing(pack, expected), { ...golden, readouts });
  const messages = compareRows(columns, golden.times, found, golden.rows, (column) =>
    toleranceOf(setting, columnTolerance(named.pack, column)),
  );
  const valueOf = (symbol: string): number | undefined => found[0]![readouts.indexOf(shownAs(symbol))];
  for (const { symbol, value } of expected) {
    if (!isNear(valueOf(symbol)!, value, toleranceOf(setting, parameterTolerance))) {
      messages.push(saying(`params.${symbol}`, valueOf(symbol), value));
    }
  }
  const unmapped = Object.keys(valuesOf(published['params'])).filter((name) => !isMapped(named, name));
  messages.push(...unmapped.map((name) => `params.${name}: this parameter is not known here`));
  messages.push(...checkNadir(setting, published, columns, golden.times, found));
  messages.push(...checkExposure(setting, published, golden, valueOf('CL')));
  messages.push(...checkPrecision(published, pack));
  return messages;
}

/** The model and its effects for the published effects, those included that the model writes in another form. */
function written(
  model: EquationsModel,
  published: Values,
  { effects: names, composites = {} }: PublishedModel,
): { readonly model: EquationsModel; readonly effects: Readonly<Record<string, number>> } {
  const effects: Record<string, number> = {};
  const constants: Record<string, number> = {};
  for (const [name, value] of Object.entries(valuesOf(published['eta'])) as [string, number][]) {
    const { effects: shares, constants: scaled } = composites[name] ?? { effects: { [names[name]!]: 1 }, constants: {} };
    for (const [symbol, factor] of Object.entries(shares)) effects[symbol] = (effects[symbol] ?? 0) + factor * value;
    for (const [symbol, factor] of Object.entries(scaled)) {
      const typical = model.constants.find((constant) => constant.symbol === symbol)!.value;
      constants[symbol] = typical * Math.exp(factor * value);
    }
  }
  return { model: withConstants(model, constants), effects };
}

/** Precision τ of scores that scatter by a beta distribution. */
function checkPrecision(published: Values, { observations }: EquationsModel): string[] {
  const expected = published['beta_tau'];
  if (typeof expected !== 'number') return [];
  const found = observations.map(({ error }) => (error.kind === 'beta' ? error.precision : NaN));
  return found.includes(expected) ? [] : [saying('beta_tau', found, expected)];
}

/** Parameters follow from covariates and effects by arithmetic alone. Files print ten digits; propofol's constants have six. */
const parameterTolerance: Tolerances = { exact: { relative: 1e-8 }, rounded: { relative: 1e-5 } };

function isMapped({ parameters, constants = {}, formulas = {}, withoutCounterpart = [] }: PublishedModel, name: string): boolean {
  return name in parameters || name in constants || name in formulas || withoutCounterpart.includes(name);
}

/** Those of `params`, and those that some files have beside it, each shown under its published name. */
function parametersOf(
  published: Values,
  { parameters, constants = {}, formulas = {} }: PublishedModel,
  model: EquationsModel,
): (Shown & { readonly value: number })[] {
  const given = { ...published, ...valuesOf(published['params']) };
  const ours: [string, Omit<Shown, 'symbol'>][] = [
    ...Object.entries({ ...parameters, ...constants }).map(([name, symbol]): [string, Shown] => [name, asItIs(model, symbol)]),
    ...Object.entries(formulas),
  ];
  return ours.flatMap(([name, shown]) => {
    const value = given[name];
    return typeof value === 'number' ? [{ ...shown, symbol: name, value }] : [];
  });
}

/** The lowest count among the rows, and when. */
function checkNadir(
  setting: Setting,
  published: Values,
  columns: readonly string[],
  times: readonly number[],
  found: readonly (readonly number[])[],
): string[] {
  const nadir = published['nadir'] as { readonly t_h: number; readonly anc: number } | undefined;
  if (!nadir) return [];
  const column = columns.indexOf('ANC_1e9_L');
  const lowest = found.reduce((best, row, t) => (row[column]! < found[best]![column]! ? t : best), 0);
  const value = found[lowest]![column]!;
  const isSame = times[lowest] === nadir.t_h && isNear(value, nadir.anc, toleranceOf(setting, integrated), { digits: 7 });
  return isSame ? [] : [saying('nadir', `${value} at ${times[lowest]} h`, `${nadir.anc} at ${nadir.t_h} h`)];
}

/** What was given in the first 24 hours over clearance: what the field's name says. */
function checkExposure(
  setting: Setting,
  published: Values,
  { doses }: Pick<ReturnType<typeof fromPublished>, 'doses'>,
  clearance: number | undefined,
): string[] {
  const expected = published['dose_first24h_over_CL_mg_h_L'];
  if (typeof expected !== 'number' || clearance === undefined) return [];
  const given = doses.filter(({ time }) => time < 24).reduce((sum, { amount }) => sum + amount, 0);
  const found = given / clearance;
  return isNear(found, expected, toleranceOf(setting, parameterTolerance))
    ? []
    : [saying('dose of 24 h over CL', found, expected)];
}
