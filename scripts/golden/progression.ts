/** The leaspy file: parameters of the two panels, subjects with their shipped courses, estimates from first visits, forecasts. */
import { panel as alzheimer } from '../../training/models/alzheimer-progression.ts';
import { panel as parkinson } from '../../training/models/parkinson-progression.ts';
import { progressionEffects, type ProgressionPanel } from '../../training/models/progression.ts';
import { ask, isNear, modelOf, saying, type Check, type Setting, type Values } from './check.ts';
import { effectTolerance, mostProbable, objectiveTolerance, problemOf } from './fits.ts';

const panels: Readonly<Record<string, { readonly pack: string; readonly panel: ProgressionPanel }>> = {
  alzheimer: { pack: 'alzheimer-progression', panel: alzheimer },
  parkinson: { pack: 'parkinson-progression', panel: parkinson },
};

interface Individual {
  readonly xi: number;
  readonly tau: number;
  readonly sources: readonly number[];
}

interface Subject {
  readonly model: string;
  readonly id: string;
  readonly times: readonly number[];
  /** [visits][scores]; null where one is missing. */
  readonly values: readonly (readonly (number | null)[])[];
  readonly shipped_individual: Individual;
  readonly curve_at_shipped: readonly (readonly number[])[];
  readonly map_on_first_k: Individual & { readonly k: number; readonly neg_log_post: number };
  readonly forecast: readonly (readonly number[])[];
  readonly forecast_rmse: number | null;
}

/** The file's parameters are the pack's. */
export function panelChecks(models: Values): Check[] {
  return Object.entries(models).map(([name, model]) => ({
    where: `models.${name}`,
    run: async (setting) => {
      const known = panels[name];
      if (!known) return [`the panel '${name}' is not known here`];
      const { constants, effects = [], observations } = modelOf(await setting.pack(known.pack), known.panel.id);
      const constant = (symbol: string): number => constants.find((one) => one.symbol === symbol)!.value;
      const variance = (symbol: string): number => effects.find((one) => one.symbol === symbol)!.variance;
      const { parameters } = model as { readonly parameters: Readonly<Record<string, readonly number[]>> };
      const mixing = parameters['mixing_matrix'] as unknown as readonly (readonly number[])[];
      const { scores } = known.panel;
      const pairs: [string, number, number | undefined][] = [
        ['tau_mean', constant('onsetMean'), parameters['tau_mean']![0]],
        ['tau_std', Math.sqrt(variance('etaOnset')), parameters['tau_std']![0]],
        ['xi_std', Math.sqrt(variance('xi')), parameters['xi_std']![0]],
        ...scores.flatMap(({ symbol, marker }, k): [string, number, number | undefined][] => {
          const error = observations.find((one) => one.marker === marker)!.error;
          return [
            [`log_g_mean[${k}]`, constant(`${symbol}LogG`), parameters['log_g_mean']![k]],
            [`log_v0_mean[${k}]`, Math.log(constant(`${symbol}V0`)), parameters['log_v0_mean']![k]],
            [`noise_std[${k}]`, error.kind === 'additive' ? error.sd : NaN, parameters['noise_std']![k]],
            ...mixing.map((row, j): [string, number, number | undefined] => [
              `mixing_matrix[${j}][${k}]`,
              constant(`${symbol}Mix${j + 1}`),
              row[k],
            ]),
          ];
        }),
      ];
      return pairs.flatMap(([what, found, expected]) =>
        expected !== undefined && isNear(found, expected, { relative: 1e-9 }, { digits: 12 })
          ? []
          : [saying(what, found, expected)],
      );
    },
  }));
}

export function subjectChecks(subject: Values): Check[] {
  const one = subject as unknown as Subject;
  const known = panels[one.model];
  const where = `${one.model} ${one.id}`;
  if (!known) return [{ where, run: () => Promise.resolve([`the panel '${one.model}' is not known here`]) }];
  return [
    {
      where: `${where}, curve_at_shipped`,
      run: (setting) => checkCourse(setting, one, one.shipped_individual, 0, one.curve_at_shipped),
    },
    { where: `${where}, map_on_first_k`, run: (setting) => checkEstimate(setting, one) },
    {
      where: `${where}, forecast`,
      run: (setting) => checkCourse(setting, one, one.map_on_first_k, one.map_on_first_k.k, one.forecast),
    },
  ];
}

/** Files print ages to five decimals and scores to seven: an age may be off by so much, and a score lies between its neighbours'. */
const ageRounding = 5e-6;
const scoreRounding = 1e-7;

async function courseAt(setting: Setting, { model, id }: Subject, individual: Individual, times: readonly number[]) {
  const { pack, panel } = panels[model]!;
  const manifest = await setting.pack(pack);
  return ask(setting, manifest, modelOf(manifest, panel.id), {
    id,
    covariates: {},
    effects: progressionEffects(panel, individual),
    doses: [],
    controls: [],
    initialStates: {},
    times,
    readouts: panel.scores.map(({ symbol }) => symbol),
  });
}

/** Rows of the file from visit `first` on. */
async function checkCourse(
  setting: Setting,
  subject: Subject,
  individual: Individual,
  first: number,
  rows: readonly (readonly number[])[],
): Promise<string[]> {
  if (rows.length === 0) return [];
  const times = subject.times.slice(first);
  const at = (shift: number) =>
    courseAt(
      setting,
      subject,
      individual,
      times.map((time) => time + shift),
    );
  const [before, after] = [await at(-ageRounding), await at(ageRounding)];
  const messages = rows.flatMap((row, t) =>
    row.flatMap((expected, k) => {
      // An age near 80 in f32 is off by up to 4e-6 of a year; scores are closed form.
      const rounding = scoreRounding + (setting.isExact ? 0 : 2e-4 * expected + 1e-5);
      const [low, high] = [before[t]![k]!, after[t]![k]!];
      const isInside = expected >= Math.min(low, high) - rounding && expected <= Math.max(low, high) + rounding;
      return isInside ? [] : [saying(`score ${k} at ${times[t]}`, (low + high) / 2, expected)];
    }),
  );
  return messages.slice(0, 3);
}

async function checkEstimate(setting: Setting, subject: Subject): Promise<string[]> {
  const { pack, panel } = panels[subject.model]!;
  const manifest = await setting.pack(pack);
  const model = modelOf(manifest, panel.id);
  const expected = subject.map_on_first_k;
  const observations = subject.times
    .slice(0, expected.k)
    .flatMap((time, visit) =>
      subject.values[visit]!.flatMap((value, k) => (value === null ? [] : [{ of: panel.scores[k]!.symbol, time, value, k }])),
    );
  const problem = problemOf(manifest, model, { covariates: {}, doses: [], observations });
  const { effects, minus2LogPosterior } = await mostProbable(setting, problem);
  const sds = [panel.onset.sd, panel.paceSd, ...new Array<number>(panel.sources).fill(1)];
  const messages: string[] = [];
  const [tau, xi, ...sources] = effects;
  const off = (what: string, found: number, value: number, allowed: number): void => {
    if (!(Math.abs(found - value) <= allowed)) messages.push(saying(what, found, value));
  };
  const allowed = effectTolerance(setting);
  // τ is a shift of years with a standard deviation of 8 or 10: its tolerance is that share of its own scale.
  off('tau', tau! + panel.onset.mean, expected.tau, allowed * panel.onset.sd);
  off('xi', xi!, expected.xi, allowed);
  expected.sources.forEach((value, j) => off(`sources[${j}]`, sources[j]!, value, allowed));
  if (setting.isExact) {
    // The file's figure is half of the objective without its constants.
    const constants =
      sds.reduce((sum, sd) => sum + Math.log(2 * Math.PI * sd * sd), 0) +
      observations.reduce((sum, { k }) => sum + Math.log(2 * Math.PI * panel.scores[k]!.noise ** 2), 0);
    off('neg_log_post', (minus2LogPosterior - constants) / 2, expected.neg_log_post, objectiveTolerance);
  }
  const individual = { tau: tau! + panel.onset.mean, xi: xi!, sources };
  const error = await forecastError(setting, subject, individual);
  if (subject.forecast_rmse !== null) off('forecast_rmse', error, subject.forecast_rmse, allowed);
  return messages;
}

/** Root mean square error of an individual's course against the visits after the first k. */
async function forecastError(setting: Setting, subject: Subject, individual: Individual): Promise<number> {
  const { k } = subject.map_on_first_k;
  const times = subject.times.slice(k);
  if (times.length === 0) return NaN;
  const rows = await courseAt(setting, subject, individual, times);
  const squares = rows.flatMap((row, t) =>
    row.flatMap((score, j) => {
      const value = subject.values[k + t]![j];
      return value === null || value === undefined ? [] : [(score - value) ** 2];
    }),
  );
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
}
