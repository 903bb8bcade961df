/** Cases and returns of the HIV file (Adams 2004). */
import type { EquationsManifest } from '#packs/manifest.ts';
import type { EquationsModel } from '#packs/equations/model.ts';
import {
  ask,
  compareRows,
  isNear,
  modelOf,
  numbersOf,
  rowsOf,
  saying,
  toleranceOf,
  valuesOf,
  withConstants,
  type Check,
  type Setting,
  type Tolerances,
  type Values,
} from './check.ts';

export const hivModel = 'hiv-adams2004';
const packId = 'hiv-dynamics';
const states = ['T1', 'I1', 'T2', 'I2', 'V', 'E'] as const;
const readouts: Readonly<Record<string, string>> = {
  T1: 'healthyT1',
  I1: 'infectedT1',
  T2: 'healthyT2',
  I2: 'infectedT2',
  V: 'virus',
  E: 'effectors',
};
/** Published name → constant of the pack. */
const constants: Readonly<Record<string, string>> = {
  lambda_1: 'lambda1pop',
  d_1: 'd1pop',
  k_1: 'k1pop',
  k_2: 'k2pop',
  delta: 'deltapop',
  m_1: 'm1pop',
  m_2: 'm2pop',
  N_T: 'NTpop',
  c: 'cpop',
  b_E: 'bEpop',
  K_B: 'Kbpop',
  d_E: 'dEpop',
  K_D: 'Kdpop',
  lambda_2: 'lambda2',
  d_2: 'd2',
  f: 'f',
  rho_1: 'rho1',
  rho_2: 'rho2',
  lambda_E: 'lambdaE',
  delta_E: 'deltaE',
};
const tolerances: Tolerances = { exact: { relative: 1e-6 }, rounded: { relative: 2e-3 } };
/** The files print nine. */
const digits = 9;

export function hivCheck(published: Values): Check {
  return {
    where: String(published['id']),
    run: async (setting) => {
      const manifest = await setting.pack(packId);
      const [, ...columns] = published['columns'] as readonly string[];
      const unknown = columns.find((column) => !(column in readouts));
      if (unknown !== undefined) return [`the column '${unknown}' is not known here`];
      const model = withPublished(modelOf(manifest, hivModel), valuesOf(published['params']));
      const rows = rowsOf(published['rows']);
      const times = rows.map(([time]) => time!);
      const found = await course(setting, manifest, model, {
        start: numbersOf(published['initial_state']),
        schedule: rowsOf(published['schedule']),
        times,
        readouts: columns.map((column) => readouts[column]!),
      });
      const expected = rows.map(([, ...values]) => values);
      return compareRows(columns, times, found, expected, () => toleranceOf(setting, tolerances), digits);
    },
  };
}

function withPublished(model: EquationsModel, params: Values): EquationsModel {
  const unknown = Object.keys(params).find((name) => !(name in constants));
  if (unknown !== undefined) throw new Error(`the parameter '${unknown}' is not known here`);
  return withConstants(
    model,
    Object.fromEntries(Object.entries(params).map(([name, value]) => [constants[name]!, Number(value)])),
  );
}

/** Rows of a schedule are [from day, ε1, ε2]. */
function course(
  setting: Setting,
  manifest: EquationsManifest,
  model: EquationsModel,
  {
    start,
    schedule,
    times,
    readouts: wanted,
  }: {
    readonly start: readonly number[];
    readonly schedule: readonly (readonly number[])[];
    readonly times: readonly number[];
    readonly readouts: readonly string[];
  },
): Promise<number[][]> {
  return ask(setting, manifest, model, {
    id: hivModel,
    covariates: {},
    effects: {},
    doses: [],
    controls: schedule.flatMap(([from, e1, e2]) => [
      { control: 'e1', from: from!, value: e1! },
      { control: 'e2', from: from!, value: e2! },
    ]),
    initialStates: Object.fromEntries(states.map((state, i) => [state, start[i]!])),
    times,
    readouts: wanted,
  });
}

/** The definition that the file spells out: 80 decisions of 5 days from the unhealthy set point, discount 0.98 a decision. */
const unhealthy = [163573, 11945, 5, 46, 63919, 24];
const decisions = 80;
const decisionDays = 5;
const discount = 0.98;
const treated = [0.7, 0.3] as const;
const untreated = [0, 0] as const;

/** Which (ε1, ε2) a named plan gives at decision k; null for a name that says nothing to us. */
function policyNamed(name: string): ((k: number) => readonly [number, number]) | null {
  if (name === 'never') return () => untreated;
  if (name === 'always') return () => treated;
  const cycle = /^alternate_(\d+)d_on_(\d+)d_off$/.exec(name);
  if (!cycle) return null;
  const [on, off] = [Number(cycle[1]), Number(cycle[2])];
  return (k) => ((k * decisionDays) % (on + off) < on ? treated : untreated);
}

export function hivReturnChecks(returns: Values): Check[] {
  return Object.entries(returns)
    .filter(([name]) => name !== 'definition')
    .map(([name, expected]) => ({
      where: `returns.${name}`,
      run: async (setting) => {
        const policy = policyNamed(name);
        if (!policy) return [`the plan '${name}' is not known here`];
        const manifest = await setting.pack(packId);
        const found = await course(setting, manifest, modelOf(manifest, hivModel), {
          start: unhealthy,
          schedule: Array.from({ length: decisions }, (_, k) => [k * decisionDays, ...policy(k)]),
          times: Array.from({ length: decisions }, (_, k) => (k + 1) * decisionDays),
          readouts: ['effectors', 'virus'],
        });
        const total = found.reduce((sum, [E, V], k) => {
          const [e1, e2] = policy(k);
          return sum + discount ** k * (1000 * E! - 0.1 * V! - 20_000 * (e1 ** 2 + e2 ** 2));
        }, 0);
        const isSame = isNear(total, Number(expected), toleranceOf(setting, tolerances), { digits });
        return isSame ? [] : [saying('return', total, expected)];
      },
    }));
}
