/** The pack of primary biliary cholangitis held against what came: next visits, all later visits, death or transplantation. */
import { markerSeries, nextVisitTasks } from '../baselines/next-visit.ts';
import {
  pbcCovariates,
  pbcLandmarkSet,
  pbcLandmarkYears,
  pbcMarkers,
  predictPbcNextVisit,
  predictPbcSurvival,
  type PbcBaselines,
} from '../baselines/pbc.ts';
import { requiredLevel, requiredNumber, type ClinicalData } from '../clinical-data.ts';
import { pbc } from '../recipes/pbc.ts';
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
import { pbcMarkerIds } from './pbc.ts';
import type { Futures, Predictor } from './predict.ts';

const year = 365.25;
const horizons = [1, 2, 3, 4, 5, 6, 7, 8].map((years) => years * year);

export async function pbcOutcomes({
  predictor,
  baselines,
  data,
  ids,
  trainingIds,
  onDone = () => {},
}: OutcomesInput<PbcBaselines>): Promise<Omit<Outcomes, 'set'>> {
  const values: ValueOutcome[] = [];
  const events: EventOutcome[] = [];
  const arms: ArmOutcome[] = [];
  const { manifest } = predictor.pack;
  const { stepDays, horizonSteps } = manifest.grid;
  const markers = pbcMarkers.map((marker) => ({
    marker,
    index: manifest.markers.findIndex(({ id }) => id === pbcMarkerIds[marker.name]),
    climatology: climatologyOf(trainingIds.flatMap((id) => [...markerSeries(data, id, marker).value])),
    tasks: nextVisitTasks(data, ids, marker),
  }));
  for (const [at, id] of ids.entries()) {
    const record = pbc.record(data, id);
    const seenAt = new Map<number, Futures>();
    const from = async (day: number, steps: number): Promise<Futures> => {
      const known = seenAt.get(day);
      if (known && known.steps >= steps) return known;
      const futures = await predictor.futures({ record, day, steps });
      seenAt.set(day, futures);
      return futures;
    };
    const draws = (futures: Futures, { index, marker }: (typeof markers)[number], days: number) => {
      const own = predictor.measured(futures, index, days, 'event-free');
      return marker.isLog ? own.map(Math.log) : own;
    };
    for (const landmark of pbcLandmarkYears) {
      const day = landmark * year;
      const set = pbcLandmarkSet(data, [id], landmark, 'composite');
      if (set.ids.length === 0) continue;
      const futures = await from(day, horizonSteps);
      const risk = (days: number) => Math.min(1, predictor.incidence(futures, 0, days) + predictor.incidence(futures, 1, days));
      const cox = predictPbcSurvival(baselines, landmark, 'composite', set.predictors[0]!, horizons);
      events.push(
        eventOutcome({
          person: id,
          from: landmark === 0 ? 'entry' : `year ${landmark}`,
          time: set.time[0]!,
          event: set.event[0]!,
          risk,
          horizons,
          grid: manifest.grid,
          cox,
          names: { cox: 'landmark Cox', kaplanMeier: 'Kaplan–Meier' },
        }),
      );
      if (landmark !== 0 && landmark !== 3) continue;
      for (const own of markers) {
        const series = markerSeries(data, id, own.marker);
        for (const [k, time] of series.time.entries()) {
          const days = time - day;
          if (days <= 0 || days > horizonSteps * stepDays) continue;
          values.push(
            valueOutcome({
              person: id,
              marker: pbcMarkerIds[own.marker.name]!,
              task: landmark === 0 ? 'from entry' : `from year ${landmark}`,
              days,
              observed: series.value[k]!,
              draws: draws(futures, own, days),
              baselines: { climatology: own.climatology },
            }),
          );
        }
      }
    }
    for (const own of markers) {
      for (const task of own.tasks.filter((candidate) => candidate.id === id)) {
        const lastSeen = task.history.time.at(-1)!;
        const days = task.time - lastSeen;
        const futures = await from(lastSeen, Math.max(1, Math.ceil(days / stepDays)));
        const covariates = pbcCovariates(data.subjects.get(id)!, id);
        const baseline = predictPbcNextVisit(baselines, own.marker.name, task.history, task.time, covariates);
        values.push(
          valueOutcome({
            person: id,
            marker: pbcMarkerIds[own.marker.name]!,
            task: 'next visit',
            days,
            observed: task.value,
            draws: draws(futures, own, days),
            baselines: {
              climatology: own.climatology,
              'carried forward': baseline.carriedForward,
              'linear model': baseline.linear,
              'mixed model': baseline.mixed,
            },
          }),
        );
      }
    }
    arms.push(await armsOf(predictor, data, id));
    onDone((at + 1) / ids.length);
  }
  return { values, events, horizons, arms, groups: Object.fromEntries(ids.map((id) => [id, pbcGroups(data, id)])) };
}

async function armsOf(predictor: Predictor, data: ClinicalData, id: string): Promise<ArmOutcome> {
  const record = { ...pbc.record(data, id), treatments: [] };
  const under = async (interventions: readonly string[]) => {
    const futures = await predictor.futures({ record, day: 0, steps: predictor.pack.manifest.grid.horizonSteps, interventions });
    return {
      event: Array.from(predictor.incidenceCurve(futures, 0)),
      competing: Array.from(predictor.incidenceCurve(futures, 1)),
    };
  };
  return { person: id, arms: { placebo: await under([]), 'D-penicillamine': await under(['d-penicillamine']) }, marker: null };
}

export function pbcGroups(data: ClinicalData, id: string): Record<string, string> {
  const row = data.subjects.get(id)!;
  const age = requiredNumber(row, 'age', id);
  return {
    Sex: requiredLevel(row, 'sex', ['f', 'm'], id) === 'f' ? 'women' : 'men',
    'Age at entry': age < 40 ? 'under 40' : age < 50 ? '40 to 49' : age < 60 ? '50 to 59' : '60 and over',
  };
}
