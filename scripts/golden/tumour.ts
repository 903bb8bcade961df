/** Cases of the tumour file (Geng 2017, as the counterfactual benchmark steps it); they name no model. */
import type { EquationsModel } from '#packs/equations/model.ts';
import {
  ask,
  isNear,
  modelOf,
  numbersOf,
  saying,
  toleranceOf,
  withConstants,
  type Check,
  type Tolerances,
  type Values,
} from './check.ts';

const packId = 'lung-tumour';
const modelId = 'tumour-geng2017';
const tolerances: Tolerances = { exact: { relative: 1e-9 }, rounded: { relative: 1e-4 } };
/** The file prints nine. */
const digits = 9;

export const isTumourCase = (published: Values): boolean =>
  'V0' in published && 'chemo' in published && 'radio' in published && 'volumes' in published;

export function tumourConstantsCheck(published: Values): Check {
  return {
    where: 'constants',
    run: async (setting) => {
      const { constants } = modelOf(await setting.pack(packId), modelId);
      const symbols: Readonly<Record<string, string>> = { V_death: 'Vdeath', K: 'K', cell_density: 'cellDensity' };
      return Object.entries(published).flatMap(([name, expected]) => {
        const found = constants.find(({ symbol }) => symbol === symbols[name])?.value;
        if (found === undefined) return [`the constant '${name}' is not known here`];
        return isNear(found, Number(expected), { relative: 1e-12 }, { digits: 16 }) ? [] : [saying(name, found, expected)];
      });
    },
  };
}

export function tumourCheck(published: Values): Check {
  const id = String(published['id']);
  return {
    where: id,
    run: async (setting) => {
      const manifest = await setting.pack(packId);
      const volumes = numbersOf(published['volumes']);
      const { alpha, beta, beta_c, rho, V0 } = published as Readonly<Record<string, number>>;
      const pack = modelOf(manifest, modelId);
      // Recovery is a matter of chance, which no file can expect of us; death is not.
      const certain: EquationsModel = { ...pack, events: (pack.events ?? []).filter(({ kind }) => kind === 'crossing') };
      const model = withConstants(certain, { alphaOverBeta: alpha! / beta! });
      const mean = (symbol: string): number => model.constants.find((constant) => constant.symbol === symbol)!.value;
      const noiseSd = mean('noiseSd');
      const given = published['noise'] as readonly number[] | null | undefined;
      const daily = (field: string) => numbersOf(published[field]).map((value, day) => ({ from: day, value }));
      const found = await ask(setting, manifest, model, {
        id,
        // The type that adds nothing to what the file gives.
        covariates: { 'patient-type': '2' },
        effects: {
          etaAlpha: alpha! - mean('alphaMean'),
          etaRho: rho! - mean('rhoMean'),
          etaBetaC: beta_c! - mean('betaCMean'),
        },
        doses: [],
        controls: ['chemo', 'radio'].flatMap((control) => daily(control).map((day) => ({ control, ...day }))),
        initialStates: { V: V0! },
        // The file's e(t+1) moves V(t) to V(t+1); ours is in standard deviations.
        noise: volumes.map((_, day) => (given?.[day + 1] ?? 0) / noiseSd),
        times: volumes.map((_, day) => day),
        readouts: ['volume'],
      });
      const last = Math.min(Number(published['seq_len'] ?? volumes.length - 1), volumes.length - 1);
      const tolerance = toleranceOf(setting, tolerances);
      const off = volumes
        .slice(0, last + 1)
        .flatMap((expected, day) =>
          isNear(found[day]![0]!, expected, tolerance, { digits })
            ? []
            : [saying(`volume on day ${day}`, found[day]![0], expected)],
        );
      const goesOn = last < volumes.length - 1 && !Number.isNaN(found[last + 1]![0]!);
      return [...off.slice(0, 3), ...(goesOn ? [`the sequence goes on after day ${last}, expected its end`] : [])];
    },
  };
}
