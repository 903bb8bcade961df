/** Cases of the type 1 diabetes file (UVA/Padova S2008): virtual patients by name, meals, boluses, multiples of the nominal basal. */
import { covariatesOf, effectsOf, patientNamed } from '../../training/models/type-1-diabetes.ts';
import {
  ask,
  asItIs,
  compareRows,
  isNear,
  modelOf,
  rowsOf,
  saying,
  showing,
  shownAs,
  toleranceOf,
  valuesOf,
  type Check,
  type Tolerances,
  type Values,
} from './check.ts';

export const diabetesModel = 't1d-uvapadova-s2008';
const states = ['Qsto1', 'Qsto2', 'Qgut', 'Gp', 'Gt', 'Ip', 'X', 'I1', 'Id', 'Il', 'Isc1', 'Isc2', 'Gs'] as const;
const columnReadouts: Readonly<Record<string, string>> = { plasma_glucose_mg_dL: 'glucose', subcut_glucose_mg_dL: 'sensor' };

/** README of the files, mg/dL: f32 gives the same as f64, so both are held to the same. */
const glucose: Tolerances = { exact: { relative: 0, absolute: 0.02 }, rounded: { relative: 0, absolute: 0.02 } };
/** 0.02 mg/dL is 1.5e-4 of a usual glucose; the other states are held to the same share of their usual size. */
const shareOfUsual = 1.5e-4;

export function diabetesCheck(published: Values): Check {
  const id = String(published['id']);
  const inputs = valuesOf(published['inputs']);
  return {
    where: id,
    run: async (setting) => {
      const manifest = await setting.pack('type-1-diabetes');
      const pack = modelOf(manifest, diabetesModel);
      const patient = patientNamed(String(published['patient']));
      const [, ...columns] = published['columns'] as readonly string[];
      const unknown = columns.find((column) => !(column in columnReadouts));
      if (unknown !== undefined) return [`the column '${unknown}' is not known here`];
      const rows = rowsOf(published['rows']);
      const duration = Number(inputs['duration_min']);
      // Every minute, as the simulator that made the file reports its lowest and highest value.
      const times = Array.from({ length: duration + 1 }, (_, minute) => minute);
      const readouts = columns.map((column) => columnReadouts[column]!);
      const found = await ask(
        setting,
        manifest,
        showing(
          pack,
          states.map((state) => asItIs(pack, state)),
        ),
        {
          id,
          covariates: covariatesOf(patient),
          effects: effectsOf(patient),
          doses: dosesOf(inputs, duration),
          controls: [],
          initialStates: initialStatesOf(inputs),
          times,
          readouts: [...readouts, 'glucose', 'nominalBasal', ...states.map(shownAs)],
        },
      );
      const at = (time: number): readonly number[] => found[times.indexOf(time)]!;
      const tolerance = toleranceOf(setting, glucose);
      const messages = compareRows(
        columns,
        rows.map(([time]) => time!),
        rows.map(([time]) => at(time!)),
        rows.map(([, ...values]) => values),
        () => tolerance,
      );
      const compare = (what: string, value: number, expected: unknown, allowed = tolerance): void => {
        if (expected !== undefined && !isNear(value, Number(expected), allowed)) messages.push(saying(what, value, expected));
      };
      const plasma = found.map((row) => row[readouts.length]!);
      compare('min_bg', Math.min(...plasma), published['min_bg']);
      compare('max_bg', Math.max(...plasma), published['max_bg']);
      // The read-out is per hour; published patients and ours agree to the digits of their table.
      const nominal = found[0]![readouts.length + 1]! / 60;
      compare('nominal basal', nominal, inputs['basal_U_per_min_nominal'], { relative: setting.isExact ? 1e-8 : 1e-4 });
      const { BW, CR, CF } = valuesOf(published['params']);
      compare('params.BW', patient.values.BW, BW, { relative: 1e-9 });
      compare('params.CR', patient.carbohydrateRatio, CR, { relative: 1e-9 });
      compare('params.CF', patient.correctionFactor, CF, { relative: 1e-9 });
      (published['final_state'] as readonly number[] | undefined)?.forEach((expected, i) => {
        const usual = Math.max(Math.abs(expected), pack.states![i]!.scale ?? 1);
        const value = found.at(-1)![readouts.length + 2 + i]!;
        compare(`final_state.${states[i]}`, value, expected, { relative: 0, absolute: shareOfUsual * usual });
      });
      return messages;
    },
  };
}

function dosesOf(inputs: Values, duration: number) {
  const basal = rowsOf(inputs['basal_multiplier']);
  const rate = Number(inputs['basal_U_per_min_nominal']);
  const infusions = basal.map(([from, factor], i) => {
    const length = (basal[i + 1]?.[0] ?? duration) - from!;
    return { input: 'BASAL', time: from!, amount: rate * factor! * length, duration: length };
  });
  return [
    ...infusions.filter(({ amount }) => amount > 0),
    ...rowsOf(inputs['meals_g']).map(([time, amount]) => ({ input: 'MEAL', time: time!, amount: amount! })),
    ...rowsOf(inputs['boluses_U']).map(([time, amount]) => ({ input: 'BOLUS', time: time!, amount: amount! })),
  ];
}

function initialStatesOf(inputs: Values): Readonly<Record<string, number>> {
  const given = inputs['init_state'] as readonly number[] | null | undefined;
  return given ? Object.fromEntries(states.map((state, i) => [state, given[i]!])) : {};
}
