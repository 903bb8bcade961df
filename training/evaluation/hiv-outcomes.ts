/** The pack of ACTG 175 held against what came: CD4 counts at weeks 20 and 96, the first event. */
import {
  hivCd4Targets,
  hivCd4Tasks,
  hivFollowUp,
  hivPerson,
  predictHivCd4,
  predictHivSurvival,
  type HivBaselines,
  type HivCd4Target,
} from '../baselines/hiv.ts';
import { requiredNumber, type ClinicalData } from '../clinical-data.ts';
import { hivActg175 } from '../recipes/hiv-actg175.ts';
import { average } from '../validation/figures.ts';
import {
  climatologyOf,
  eventOutcome,
  valueOutcome,
  type ArmOutcome,
  type EventOutcome,
  type Outcomes,
  type OutcomesInput,
  type ValueOutcome,
} from './outcomes.ts';

const week = 7;
const horizons = [24, 36, 48, 60, 72, 84, 96, 120].map((weeks) => weeks * week);
const armIds = { ZDV: 'zdv', 'ZDV + ddI': 'zdv-ddi', 'ZDV + ddC': 'zdv-ddc', ddI: 'ddi' } as const;

const tasks: Readonly<Record<HivCd4Target, string>> = {
  week20: 'week 20 from entry',
  week96: 'week 96 from entry',
  week96WithWeek20: 'week 96 from week 20',
};

export async function hivOutcomes({
  predictor,
  baselines,
  data,
  ids,
  trainingIds,
  onDone = () => {},
}: OutcomesInput<HivBaselines>): Promise<Omit<Outcomes, 'set'>> {
  const values: ValueOutcome[] = [];
  const events: EventOutcome[] = [];
  const arms: ArmOutcome[] = [];
  const { stepDays, horizonSteps } = predictor.pack.manifest.grid;
  const targets = (Object.keys(hivCd4Targets) as HivCd4Target[]).map((target) => ({
    target,
    climatology: climatologyOf(hivCd4Tasks(data, trainingIds, target).map(({ value }) => value)),
    byId: new Map(hivCd4Tasks(data, ids, target).map((task) => [task.id, task])),
  }));
  for (const [at, id] of ids.entries()) {
    const record = hivActg175.record(data, id);
    const own = record.treatments[0]!.intervention;
    const person = hivPerson(data, id);
    const { time, event } = hivFollowUp(data, id);
    const incidence: Record<string, { readonly event: readonly number[]; readonly competing: null }> = {};
    const cd4: Record<string, number> = {};
    for (const [name, arm] of Object.entries(armIds)) {
      const futures = await predictor.futures({
        record: { ...record, treatments: [] },
        day: 0,
        steps: horizonSteps,
        interventions: [arm],
      });
      incidence[name] = { event: Array.from(predictor.incidenceCurve(futures, 0)), competing: null };
      cd4[name] = average([...predictor.measured(futures, 0, 20 * week, 'everyone')]);
      if (arm !== own) continue;
      const risk = (days: number) => predictor.incidence(futures, 0, days);
      const cox = predictHivSurvival(baselines, person, horizons, 'cox');
      events.push(
        eventOutcome({
          person: id,
          from: 'entry',
          time,
          event,
          risk,
          horizons,
          grid: predictor.pack.manifest.grid,
          cox,
          names: { cox: 'Cox', kaplanMeier: 'Kaplan–Meier of the arm' },
        }),
      );
      for (const { target, climatology, byId } of targets) {
        const task = byId.get(id);
        const { usesWeek20, day } = hivCd4Targets[target];
        if (!task) continue;
        const late = usesWeek20 ? 20 * week : 0;
        const seen = usesWeek20
          ? await predictor.futures({ record, day: late, steps: Math.ceil((day - late) / stepDays) })
          : futures;
        const baseline = predictHivCd4(baselines, target, person, task.cd4Week20);
        values.push(
          valueOutcome({
            person: id,
            marker: 'cd4',
            task: tasks[target],
            days: day - late,
            observed: task.value,
            draws: predictor.measured(seen, 0, day - late, 'everyone'),
            baselines: { climatology, 'carried forward': baseline.carriedForward, ANCOVA: baseline.ancova },
          }),
        );
      }
    }
    arms.push({ person: id, arms: incidence, marker: cd4 });
    onDone((at + 1) / ids.length);
  }
  return { values, events, horizons, arms, groups: Object.fromEntries(ids.map((id) => [id, hivGroups(data, id)])) };
}

export function hivGroups(data: ClinicalData, id: string): Record<string, string> {
  const row = data.subjects.get(id)!;
  const number = (column: string) => requiredNumber(row, column, id);
  const age = number('age');
  return {
    Sex: number('gender') === 1 ? 'men' : 'women',
    'Age at entry': age < 30 ? 'under 30' : age < 40 ? '30 to 39' : age < 50 ? '40 to 49' : '50 and over',
    'Ethnicity as recorded': number('race') === 1 ? 'other than white' : 'white',
    'Treated before': number('str2') === 1 ? 'treated before' : 'never treated',
  };
}
