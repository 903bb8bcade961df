/** One plan until a day, another from then on: what a switch makes of two plans, and what waiting for a measurement does. */
import { hoursPerDay } from '#domain/doses.ts';
import type { Plan, PlanBlock, Regimen } from '#domain/plan.ts';

/** Two hours of a person's clock nearer than this are one. */
const sameHour = 1e-6;

/** Blocks of the one cut at `day`, those of the other from then on; neighbours of one intervention that touch become one block. */
export function composeBlocks(first: Plan, day: number, then: Plan): readonly PlanBlock[] {
  const blocks = [
    ...first.blocks.flatMap((block) => (block.startDay < day ? [{ ...block, stopDay: Math.min(block.stopDay, day) }] : [])),
    ...then.blocks.flatMap((block) => (block.stopDay > day ? [{ ...block, startDay: Math.max(block.startDay, day) }] : [])),
  ];
  const joined: PlanBlock[] = [];
  for (const block of blocks.sort((a, b) => a.startDay - b.startDay)) {
    const before = joined.findIndex(
      ({ intervention, stopDay }) => intervention === block.intervention && stopDay === block.startDay,
    );
    if (before < 0) joined.push(block);
    else joined[before] = { ...joined[before]!, stopDay: block.stopDay };
  }
  return joined;
}

/** The doses of a regimen before `day`. A dose on the stroke of it belongs to what follows. */
export function cutAt(regimen: Regimen, day: number): readonly Regimen[] {
  const left = dosesBefore(regimen, day);
  if (left === 0) return [];
  if (left === Infinity || (regimen.count !== null && left >= regimen.count)) return [regimen];
  return regimen.everyHours === null ? [regimen] : [{ ...regimen, count: left }];
}

/** The doses of a regimen from `day` on, each at its own hour. */
export function goOnFrom(regimen: Regimen, day: number): readonly Regimen[] {
  const given = dosesBefore(regimen, day);
  if (given === 0) return [regimen];
  const { everyHours, count, startHour } = regimen;
  if (everyHours === null || (count !== null && given >= count)) return [];
  return [{ ...regimen, startHour: startHour + given * everyHours, count: count === null ? null : count - given }];
}

function dosesBefore({ startHour, everyHours, count }: Regimen, day: number): number {
  const hours = day * hoursPerDay - startHour;
  if (hours <= sameHour) return 0;
  return Math.min(count ?? Infinity, everyHours === null ? 1 : Math.ceil((hours - sameHour) / everyHours));
}
