import { coxLinearPredictor, coxModel, coxSurvival, fitCox, type CoxModel } from '#numerics/cox.ts';
import { fitLeastSquares, linearModel, predictLinear, type LinearModel } from '#numerics/least-squares.ts';
import { stepAt, type StepCurve } from '#numerics/survival.ts';
import { eventOf, requiredLevel, requiredNumber, valueAt, type ClinicalData } from '../clinical-data.ts';
import { carriedForward, errorDistribution, orThrow, type Predictive } from './predictive.ts';
import { eventCurve, type FollowUp, type SurvivalForecast } from './survival-baseline.ts';

/** ZDV alone is the reference arm. */
export const hivArms = ['ZDV', 'ddI', 'ZDV+ddC', 'ZDV+ddI'] as const;
export type HivArm = (typeof hivArms)[number];

const EVENT = 'cd4_decline50_aids_death';
const hivDays = { entry: 0, week20: 140, week96: 672 } as const;

/** Columns of subjects.csv that the models read, besides `arm`. */
export const hivNumericColumns = ['age', 'wtkg', 'hemo', 'homo', 'drugs', 'karnof', 'race', 'gender', 'str2', 'symptom'] as const;

/** What the models know of a person at entry. */
export interface HivPerson {
  readonly arm: HivArm;
  /** cells/mm³ at entry. */
  readonly cd4: number;
  readonly cd8: number;
  /** Age in years, weight in kg, the rest as coded in subjects.csv. */
  readonly covariates: Readonly<Record<(typeof hivNumericColumns)[number], number>>;
}

/** The person at entry; throws when a value that the models need is missing. */
export function hivPerson(data: ClinicalData, id: string): HivPerson {
  const row = data.subjects.get(id)!;
  const cd4 = valueAt(data, id, 'cd4', hivDays.entry);
  const cd8 = valueAt(data, id, 'cd8', hivDays.entry);
  if (cd4 === undefined || cd8 === undefined) throw new Error(`visits.csv has no CD4 or CD8 at entry for person '${id}'.`);
  const covariates = Object.fromEntries(hivNumericColumns.map((column) => [column, requiredNumber(row, column, id)]));
  return { arm: requiredLevel(row, 'arm', hivArms, id), cd4, cd8, covariates: covariates as HivPerson['covariates'] };
}

export function hivFollowUp(data: ClinicalData, id: string): FollowUp {
  const event = eventOf(data, id, EVENT);
  if (event === undefined) throw new Error(`events.csv does not follow person '${id}' for ${EVENT}.`);
  return { time: event.time, event: event.happened ? 1 : 0 };
}

const armColumns = (arm: HivArm): number[] => hivArms.slice(1).map((level) => (arm === level ? 1 : 0));

/** Columns of the Cox models; three baseline CD4 counts are 0, hence the floors under the logarithms. */
function coxColumns({ arm, cd4, cd8, covariates: c }: HivPerson, withInteraction: boolean): number[] {
  const arms = armColumns(arm);
  const main = [Math.log(Math.max(cd4, 1)), Math.log(Math.max(cd8, 1)), c.age, c.karnof, c.symptom, c.str2, c.wtkg];
  const rest = [c.race, c.gender, c.drugs, c.homo, c.hemo];
  return [...arms, ...main, ...rest, ...(withInteraction ? arms.map((a) => a * c.str2) : [])];
}

/** Columns of the CD4 models: arm × prior therapy, CD4 and CD8 at entry, age, Karnofsky, symptoms, and CD4 at week 20 if known. */
function cd4Columns({ arm, cd4, cd8, covariates: c }: HivPerson, cd4Week20?: number): number[] {
  const arms = armColumns(arm);
  const columns = [...arms, c.str2, ...arms.map((a) => a * c.str2), cd4, cd8, c.age, c.karnof, c.symptom];
  return cd4Week20 === undefined ? columns : [...columns, cd4Week20];
}

/** What is forecast, and from which last value. */
export const hivCd4Targets = {
  week20: { day: hivDays.week20, usesWeek20: false },
  week96: { day: hivDays.week96, usesWeek20: false },
  week96WithWeek20: { day: hivDays.week96, usesWeek20: true },
} as const;
export type HivCd4Target = keyof typeof hivCd4Targets;

export interface Cd4Baseline {
  readonly ancova: LinearModel;
  readonly carriedForwardErrors: readonly number[];
}

/** Fitted baselines of the HIV pack: `models/hiv/baselines.json`. No row of a person is in it. */
export interface HivBaselines {
  readonly schema: 1;
  readonly disease: 'hiv';
  readonly trainingPersons: number;
  readonly cox: CoxModel;
  /** The same with arm × prior therapy. */
  readonly coxInteraction: CoxModel;
  readonly kaplanMeier: Readonly<Record<HivArm, StepCurve>>;
  readonly cd4: Readonly<Record<HivCd4Target, Cd4Baseline>>;
}

/** One CD4 count to be forecast, cells/mm³. */
export interface Cd4Task {
  readonly id: string;
  readonly person: HivPerson;
  readonly cd4Week20: number | undefined;
  readonly value: number;
}

/** The persons whose count at the target's time is known. */
export function hivCd4Tasks(data: ClinicalData, ids: readonly string[], target: HivCd4Target): Cd4Task[] {
  const { day, usesWeek20 } = hivCd4Targets[target];
  return ids.flatMap((id) => {
    const value = valueAt(data, id, 'cd4', day);
    const cd4Week20 = usesWeek20 ? valueAt(data, id, 'cd4', hivDays.week20) : undefined;
    if (value === undefined || (usesWeek20 && cd4Week20 === undefined)) return [];
    return [{ id, person: hivPerson(data, id), cd4Week20, value }];
  });
}

function fitCd4(data: ClinicalData, ids: readonly string[], target: HivCd4Target): Cd4Baseline {
  const tasks = hivCd4Tasks(data, ids, target);
  const rows = tasks.map((task) => cd4Columns(task.person, task.cd4Week20));
  const fit = fitLeastSquares(
    rows,
    tasks.map((task) => task.value),
  );
  return {
    ancova: linearModel(orThrow(`CD4 ${target}`, fit)),
    carriedForwardErrors: errorDistribution(tasks.map((task) => task.value - (task.cd4Week20 ?? task.person.cd4))),
  };
}

/** Fits every HIV baseline on the given persons. Throws, naming the model, when one cannot be fitted. */
export function fitHivBaselines(data: ClinicalData, trainIds: readonly string[]): HivBaselines {
  const people = trainIds.map((id) => ({ person: hivPerson(data, id), followUp: hivFollowUp(data, id) }));
  const time = people.map(({ followUp }) => followUp.time);
  const event = people.map(({ followUp }) => followUp.event);
  const cox = (withInteraction: boolean): CoxModel => {
    const rows = people.map(({ person }) => coxColumns(person, withInteraction));
    return coxModel(orThrow(withInteraction ? 'Cox with interaction' : 'Cox', fitCox(time, event, rows)));
  };
  const armCurve = (arm: HivArm): StepCurve => {
    const members = people.filter(({ person }) => person.arm === arm).map(({ followUp }) => followUp);
    const what = `Kaplan–Meier of ${arm}`;
    return eventCurve(
      what,
      members.map((m) => m.time),
      members.map((m) => m.event),
    );
  };
  return {
    schema: 1,
    disease: 'hiv',
    trainingPersons: trainIds.length,
    cox: cox(false),
    coxInteraction: cox(true),
    kaplanMeier: Object.fromEntries(hivArms.map((arm) => [arm, armCurve(arm)])) as Record<HivArm, StepCurve>,
    cd4: {
      week20: fitCd4(data, trainIds, 'week20'),
      week96: fitCd4(data, trainIds, 'week96'),
      week96WithWeek20: fitCd4(data, trainIds, 'week96WithWeek20'),
    },
  };
}

/**
 * Forecast of the event. For a what-if give the person with another `arm`; horizons are days from entry. `model` defaults to
 * 'cox', one treatment effect for everybody; 'interaction' lets it differ by prior therapy.
 */
export function predictHivSurvival(
  baselines: HivBaselines,
  person: HivPerson,
  horizons: readonly number[],
  model: 'cox' | 'interaction' = 'cox',
): SurvivalForecast {
  const cox = model === 'cox' ? baselines.cox : baselines.coxInteraction;
  const columns = coxColumns(person, model === 'interaction');
  return {
    risk: coxLinearPredictor(cox, columns),
    survival: coxSurvival(cox, columns, horizons),
    kaplanMeier: horizons.map((t) => stepAt(baselines.kaplanMeier[person.arm], t, 1)),
  };
}

/** Forecasts of a CD4 count (cells/mm³). `cd4Week20` is needed for, and used by, 'week96WithWeek20' only. */
export function predictHivCd4(
  baselines: HivBaselines,
  target: HivCd4Target,
  person: HivPerson,
  cd4Week20?: number,
): { readonly ancova: Predictive; readonly carriedForward: Predictive } {
  const { usesWeek20 } = hivCd4Targets[target];
  if (usesWeek20 && cd4Week20 === undefined) throw new Error(`The CD4 baseline '${target}' needs the count at week 20.`);
  const known = usesWeek20 ? cd4Week20 : undefined;
  const { ancova, carriedForwardErrors } = baselines.cd4[target];
  return {
    ancova: { kind: 'normal', mean: predictLinear(ancova, cd4Columns(person, known)), sd: ancova.residualSd },
    carriedForward: carriedForward(known ?? person.cd4, carriedForwardErrors),
  };
}
