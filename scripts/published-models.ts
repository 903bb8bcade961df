/**
 * How published reference files name things, and how our packs do: which pack and model answer a case, its covariates, random effects,
 * doses, columns and parameters. One row a `model` of the files.
 */
import type { EquationsGoldenCase } from '#packs/equations/golden.ts';

type Values = Readonly<Record<string, unknown>>;

export interface PublishedModel {
  readonly pack: string;
  /** Id of the model in the pack. */
  readonly model: string;
  /** From a case's covariates, and from the whole case where something stands beside them. */
  readonly covariates: (published: Values, whole: Values) => Readonly<Record<string, number | string>>;
  /** Published name of a random effect → symbol. */
  readonly effects: Readonly<Record<string, string>>;
  /** Where its doses stand, through which input they go, and over how long where they do not say (model time). */
  readonly doses?: { readonly field: string; readonly input: string; readonly duration?: number };
  /** Column after the time → read-out. */
  readonly columns: Readonly<Record<string, string>>;
  /** Published individual parameter → symbol of a parameter, in the same unit. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Published individual parameter that is the same for everybody → symbol of a constant, in the same unit. */
  readonly constants?: Readonly<Record<string, string>>;
  /** Published individual parameter that our model writes in another form. */
  readonly formulas?: Readonly<Record<string, { readonly unit: string; readonly formula: string }>>;
  /** A published effect η that our model writes in another form: added, times a factor, to effects; constants times exp(factor·η). */
  readonly composites?: Readonly<Record<string, Composite>>;
  /** Published parameters that stand for nothing in our model. */
  readonly withoutCounterpart?: readonly string[];
}

export interface Composite {
  readonly effects: Readonly<Record<string, number>>;
  readonly constants: Readonly<Record<string, number>>;
}

const sexOf = (value: unknown): string => (value === 'F' ? 'female' : 'male');
const yesNo = (value: unknown): string => (value === 1 ? 'yes' : 'no');
const number = (value: unknown): number => Number(value);

const vancomycin = (model: string, effects: readonly string[]): PublishedModel => ({
  pack: 'vancomycin',
  model,
  covariates: ({ age, sex, wt, scr, dial }) => ({
    age: number(age),
    sex: sexOf(sex),
    weight: number(wt),
    creatinine: number(scr),
    haemodialysis: yesNo(dial),
  }),
  effects: Object.fromEntries(effects.map((name) => [name, `eta${name}`])),
  doses: { field: 'doses', input: 'VANC' },
  columns: { conc_mg_L: 'concentration' },
  parameters: { CL: 'CL', V1: 'V1', Q: 'Q', V2: 'V2', crcl: 'CRCL' },
});

const warfarin = (
  model: string,
  rest: Pick<PublishedModel, 'effects' | 'parameters'> & Partial<PublishedModel>,
): PublishedModel => ({
  pack: 'warfarin',
  model,
  covariates: ({ age, cyp2c9, vkorc1 }, { baseline_inr }) => ({
    age: number(age),
    cyp2c9: String(cyp2c9),
    vkorc1: String(vkorc1),
    'baseline-inr': number(baseline_inr ?? 1),
  }),
  doses: { field: 'doses_racemic_mg', input: 'WARFARIN' },
  columns: { S_conc_mg_L: 'concentration', INR: 'inr' },
  ...rest,
});

const hamberg2010 = { gam: 'hill', MTT1: 'MTT1', MTT2: 'MTT2', INRmax: 'INRmax' } as const;

export const publishedModels: Readonly<Record<string, PublishedModel>> = {
  'vancomycin-goti': vancomycin('goti-2018', ['CL', 'V1', 'V2']),
  'vancomycin-thomson': vancomycin('thomson-2009', ['CL', 'V1', 'V2', 'Q']),
  'vancomycin-buelga': {
    ...vancomycin('buelga-2005', ['CL', 'V1']),
    parameters: { CL: 'CL', V1: 'V1', crcl: 'CRCL' },
    // One compartment: the file's Q 0 and V2 1.
    withoutCounterpart: ['Q', 'V2'],
  },
  'tacrolimus-storset2014': {
    pack: 'tacrolimus',
    model: 'storset-2014',
    covariates: ({ sex, wt, ht, cyp3a5_expr, hct, pred, day1 }) => ({
      sex: sexOf(sex),
      weight: number(wt),
      height: number(ht),
      cyp3a5: cyp3a5_expr === 1 ? '*1/*3' : '*3/*3',
      haematocrit: number(hct),
      prednisolone: number(pred),
      // The files' day1 = 1 says that time 0 is the transplantation.
      'since-transplantation': day1 === 1 ? 0 : 1000,
    }),
    effects: { CL: 'etaCL', V1: 'etaV1', Q: 'etaQ', F1: 'etaF1' },
    doses: { field: 'doses_mg', input: 'TAC' },
    columns: { Cp_ug_L: 'plasma', Cwb_ug_L: 'concentration' },
    parameters: { FFM: 'FFM', CL: 'CL', V1: 'V1', Q: 'Q', V2: 'V2', F0: 'F0', Fday1: 'Fday1' },
    constants: { ka: 'ka', tlag: 'tlag' },
  },
  'infliximab-fasanmade2009': {
    pack: 'infliximab',
    model: 'fasanmade-2009',
    covariates: ({ sex, wt, alb, ada }) => ({
      sex: sexOf(sex),
      weight: number(wt),
      albumin: number(alb),
      antibodies: number(ada),
    }),
    effects: { CL: 'etaCL', V1: 'etaV1' },
    doses: { field: 'doses_mg_2h_inf', input: 'IFX', duration: 2 / 24 },
    columns: { conc_ug_mL: 'concentration' },
    parameters: { CL: 'CL', V1: 'V1', Q: 'Q', V2: 'V2' },
  },
  'propofol-eleveld2018': {
    pack: 'propofol',
    model: 'eleveld-2018',
    covariates: ({ age, sex, wt, ht, opioid }) => ({
      age: number(age),
      sex: sexOf(sex),
      weight: number(wt),
      height: number(ht),
      opioids: yesNo(opioid),
    }),
    effects: Object.fromEntries(
      ['V1', 'V2', 'V3', 'CL', 'Q2', 'Q3', 'Ce50'].map((name) => [name, `eta${name}`] as const).concat([['ke0', 'etaKe0']]),
    ),
    doses: { field: 'doses_t_mg_durmin', input: 'PROP' },
    columns: { Cp_ug_mL: 'concentration', Ce_ug_mL: 'effectSite', BIS_no_delay: 'bis' },
    parameters: { V1: 'V1', V2: 'V2', V3: 'V3', CL: 'CL', Q2: 'Q2', Q3: 'Q3', ke0: 'ke0', Ce50: 'Ce50' },
    constants: { BIS0: 'BIS0' },
    // The delay of the monitor's display: the read-out is without it.
    withoutCounterpart: ['bis_delay_s'],
  },
  'alzheimer-conrado2014': {
    pack: 'alzheimer-adas',
    model: 'conrado-2014',
    covariates: ({ age, sex, apoe4, conmed }) => ({
      age: number(age),
      sex: sexOf(sex),
      apoe4: String(apoe4),
      'symptomatic-drug': yesNo(conmed),
    }),
    effects: { BL: 'etaBL', SL: 'etaSL' },
    columns: { mu_0_1: 'mu', ADAS_cog_mean: 'score' },
    parameters: { BL: 'BL', SL: 'SL' },
  },
  'warfarin-hamberg-2007': warfarin('warfarin-hamberg-2007', {
    effects: Object.fromEntries(['CL', 'V1', 'V2', 'MTT1', 'MTT2', 'EC50'].map((name) => [name, `eta${name}`])),
    parameters: Object.fromEntries(['CL', 'V1', 'Q', 'V2', 'EC50', 'MTT1', 'MTT2'].map((name) => [name, name])),
    constants: { ka: 'ka', gam: 'hill', lam: 'lambda', INRmax: 'INRmax' },
  }),
  'warfarin-hamberg-2010': warfarin('warfarin-hamberg-2010', {
    effects: { CL: 'etaCL', V: 'etaV', EC50: 'etaEC50' },
    parameters: { CL: 'CL', V: 'V', EC50: 'EC50' },
    constants: { ka: 'ka', ...hamberg2010 },
  }),
  'warfarin-hamberg-2010-kpd': warfarin('warfarin-hamberg-2010-kpd', {
    effects: { KDE: 'etaKDE', EDK50: 'etaEDK50' },
    // KDE = CL/V and EDK50 = CL·EC50.
    composites: {
      CL: { effects: { etaKDE: 1, etaEDK50: 1 }, constants: {} },
      EC50: { effects: { etaEDK50: 1 }, constants: {} },
      V: { effects: {}, constants: { Vpop: 1 } },
    },
    parameters: { V: 'V', KDE: 'KDE', EDK50: 'EDK50' },
    formulas: { CL: { unit: 'L/h', formula: 'KDE * V' }, EC50: { unit: 'mg/L', formula: 'EDK50 / (KDE * V)' } },
    constants: hamberg2010,
    // The dose goes straight into the second state.
    withoutCounterpart: ['ka'],
  }),
  'docetaxel-neutropenia-ozawa2007': {
    pack: 'neutropenia',
    model: 'docetaxel-neutropenia-ozawa2007',
    covariates: ({ aag, anc0, dex }) => ({
      aag: number(aag),
      'anc-baseline': number(anc0),
      dexamethasone: yesNo(dex),
    }),
    effects: Object.fromEntries(['CL', 'V1', 'MTT', 'SLOPE', 'IP0'].map((name) => [name, `eta${name}`])),
    doses: { field: 'doses_mg_1h_inf', input: 'DOC', duration: 1 },
    columns: { conc_mg_L: 'docetaxel', ANC_1e9_L: 'neutrophils' },
    parameters: { CL: 'CL', V1: 'V1', MTT: 'MTT', SLOPE: 'SLOPE', c0: 'ANC0' },
    // Ours is 0 for who takes no dexamethasone; the file gives what it would be.
    constants: { Q2: 'Q2', V2: 'V2', Q3: 'Q3', V3: 'V3', g: 'feedback', MIT: 'MIT' },
    formulas: { IP0: { unit: '10*9/L', formula: 'IP0pop * exp(etaIP0)' } },
  },
};

/** A case of a published file as a case of our pack, its published columns as rows. Tolerance is the caller's. */
export function fromPublished(
  published: Values & { readonly id: string; readonly model: string },
  tolerance: EquationsGoldenCase['tolerance'],
): EquationsGoldenCase & { readonly pack: string } {
  const named = publishedModels[published.model]!;
  const [, ...columns] = published['columns'] as readonly string[];
  const rows = published['rows'] as readonly (readonly number[])[];
  const doses = named.doses ? (published[named.doses.field] as readonly (readonly number[])[]) : [];
  return {
    pack: named.pack,
    id: published.id,
    model: named.model,
    covariates: named.covariates(published['covariates'] as Values, published),
    effects: Object.fromEntries(
      Object.entries((published['eta'] ?? {}) as Readonly<Record<string, number>>).map(([name, value]) => [
        named.effects[name] ?? name,
        value,
      ]),
    ),
    doses: doses.map(([time, amount, duration = named.doses!.duration ?? 0]) => ({
      input: named.doses!.input,
      time: time!,
      amount: amount!,
      ...(duration > 0 ? { duration } : {}),
    })),
    controls: [],
    initialStates: {},
    times: rows.map(([time]) => time!),
    readouts: columns.map((column) => named.columns[column]!),
    rows: rows.map(([, ...values]) => values),
    tolerance,
  };
}
