/** The made-up people that come with an `equations` pack, as records. */
import { addHours } from '#domain/doses.ts';
import type { DoseCourse, IsoMinute, Observation, PatientRecord, Treatment } from '#domain/record.ts';
import type { EquationsManifest } from '#packs/manifest.ts';

/** `number` goes round the pack's demonstrations. Null where the pack has none. */
export function demonstrationRecord(manifest: EquationsManifest, number: number, now: IsoMinute): PatientRecord | null {
  const demonstration = manifest.demonstrations[number % manifest.demonstrations.length];
  if (!demonstration) return null;
  const at = (hours: number): IsoMinute => addHours(now, hours);
  const { alias, story, courses, treatments = [], observations, covariates } = demonstration;
  const starts = [...courses, ...treatments].map(({ startHours }) => startHours);
  const first = Math.min(0, ...starts, ...observations.map(({ hours }) => hours));
  return {
    id: `demonstration-${manifest.id}-${number % manifest.demonstrations.length}`,
    alias,
    isSynthetic: true,
    entryDate: at(first).slice(0, 10),
    covariates,
    observations: observations.map(({ marker, hours, value }, i): Observation => {
      const quantity = [...manifest.markers, ...manifest.covariates].find(({ id }) => id === marker);
      const [date, time] = at(hours).split('T') as [string, string];
      const unit = quantity && 'unit' in quantity ? quantity.unit : '1';
      return {
        id: `${marker}-${i}`,
        code: marker,
        date,
        time,
        value,
        unit,
        isConfirmed: false,
        source: 'Demonstration, made up',
      };
    }),
    treatments: treatments.map(({ intervention, startHours, stopHours }, i): Treatment => ({
      id: `treatment-${i}`,
      intervention,
      start: at(startHours).slice(0, 10),
      stop: stopHours === undefined ? null : at(stopHours).slice(0, 10),
    })),
    doses: courses.map((course, i): DoseCourse => {
      const unit = manifest.models
        .flatMap(({ inputs = [] }) => inputs)
        .find((one) => one.intervention === course.intervention)?.unit;
      return {
        id: `course-${i}`,
        intervention: course.intervention,
        amount: course.amount,
        unit: unit ?? '1',
        route: course.route,
        durationHours: course.durationHours ?? null,
        start: at(course.startHours),
        everyHours: course.everyHours ?? null,
        count: course.everyHours === undefined ? 1 : (course.count ?? null),
        exceptions: [],
      };
    }),
    events: [],
    note: story,
    updatedAt: 0,
  };
}
