/** A person read and fitted: what forecasts, the search of plans and the choice of sampling times all start from. */
import type { IsoMinute, PatientRecord } from '#domain/record.ts';
import type { RunHooks } from '#engine/engine.ts';
import { takeLanes } from '#engine/lanes.ts';
import type { Simulator } from '#engine/simulation.ts';
import { seedFrom } from '#numerics/random.ts';
import { apportion } from '#numerics/weighted-draws.ts';
import type { Program } from '#packs/equations/program.ts';
import type { EquationsPack } from '#packs/pack.ts';
import { fitEquations } from './averaging.ts';
import { modelProblem } from './course.ts';
import { forPeople } from './for-people.ts';
import type { EquationsTwin, ModelProblem } from './fit-problem.ts';
import { readPerson, type Person } from './person.ts';

export interface FittedPerson {
  readonly person: Person;
  readonly twin: EquationsTwin;
  readonly elapsedMs: number;
}

export interface FitRequest {
  readonly pack: EquationsPack;
  readonly record: PatientRecord;
  readonly now: IsoMinute;
  /** Posterior draws that come out, over all models together. */
  readonly lanes: number;
  readonly seed: number;
}

export interface FitDeps {
  readonly simulator: Simulator;
  /** Milliseconds, only to say how long it took. Without it it took 0. */
  readonly now?: () => number;
}

/** Throws `AppError` for what a person must mend in the record. */
export async function fitPerson(
  { pack, record, now, lanes, seed }: FitRequest,
  { simulator, now: clock = () => 0 }: FitDeps,
  hooks: RunHooks = {},
): Promise<FittedPerson> {
  const started = clock();
  const person = readPerson(pack.manifest, record, now);
  const models = problemsOf(pack, person);
  const twin = await fitEquations({ models, simulator, seed: seedFrom(seed), lanes }, hooks);
  return { person, twin, elapsedMs: clock() - started };
}

/** What is to be fitted: the pack's models that are for this person, by their prior weights. */
export function problemsOf({ programs: all }: Pick<EquationsPack, 'programs'>, person: Person): ModelProblem[] {
  const programs = all.filter((program) => program.priorWeight > 0 && isFor(program, person));
  const totalWeight = programs.reduce((sum, { priorWeight }) => sum + priorWeight, 0);
  return programs.map((program) => modelProblem(forPeople(program), person, Math.log(program.priorWeight / totalWeight)));
}

function isFor({ onlyWhere }: Program, { covariates }: Person): boolean {
  const category = onlyWhere && covariates.get(onlyWhere.covariate)?.at(-1)?.value;
  return !onlyWhere || category === undefined || category === null || onlyWhere.categories.includes(category);
}

/** The same person with fewer draws; as many as there are if more are asked for. */
export function withDraws(fitted: FittedPerson, draws: number): FittedPerson {
  const { models } = fitted.twin;
  const all = models.reduce((sum, { lanes }) => sum + lanes.lanes, 0);
  const sizes = apportion(
    Math.min(draws, all),
    models.map(({ lanes }) => lanes.lanes / all),
  );
  return {
    ...fitted,
    twin: { ...fitted.twin, models: models.map((model, m) => ({ ...model, lanes: takeLanes(model.lanes, sizes[m]!) })) },
  };
}
