import { randomLcg, randomNormal } from 'd3';
import { quantileSorted } from 'd3';
import type {
  Band,
  EventKind,
  Lane,
  LaneIntervention,
  Observation,
  PlanEvents,
  PlanFan,
  PlanIdentity,
  PlanSigns,
} from '../charts/chart-types.ts';

/** Made-up courses for looking at the charts: seeded, of no patient and no pack. */

export const usual: PlanIdentity = { colour: 'usual', letter: 'U', name: 'usual care' };
export const planA: PlanIdentity = { colour: 'a', letter: 'A', name: 'plan A' };
export const planB: PlanIdentity = { colour: 'b', letter: 'B', name: 'plan B' };
export const planC: PlanIdentity = { colour: 'c', letter: 'C', name: 'plan C' };

const years = Array.from({ length: 31 }, (_, index) => index / 6);

export function observations(seed: number, from: number, slope: number, count = 9): Observation[] {
  const noise = randomNormal.source(randomLcg(seed))(0, 1.6);
  return Array.from({ length: count }, (_, index) => {
    const time = -3 + (index * 3) / (count - 0.4);
    return { time, value: Math.round((from + slope * time + noise()) * 10) / 10, source: 'made up' };
  });
}

/** Random walks with drift; the ensemble's members differ in drift. */
export function walks(
  seed: number,
  start: number,
  drift: number,
  spread: number,
  rollouts = 400,
  members = 5,
  floor = 2,
): number[][] {
  const random = randomLcg(seed);
  const normal = randomNormal.source(random)(0, 1);
  const memberDrift = Array.from({ length: members }, () => drift + normal() * Math.abs(spread) * 0.09);
  return Array.from({ length: rollouts }, (_, index) => {
    let value = start + normal() * spread * 0.25;
    const own = memberDrift[index % members] + normal() * spread * 0.25;
    return years.map((_, step) => {
      if (step > 0) value += own / 6 + (normal() * spread) / 4;
      return Math.max(floor, value);
    });
  });
}

const at = (courses: number[][], step: number) => courses.map((course) => course[step]).sort((a, b) => a - b);

function bandsOf(courses: number[][], levels: readonly number[] = [0.5, 0.8, 0.9]): Band[] {
  return levels.map((level) => ({
    level,
    low: years.map((_, step) => quantileSorted(at(courses, step), (1 - level) / 2)!),
    high: years.map((_, step) => quantileSorted(at(courses, step), (1 + level) / 2)!),
  }));
}

const medianOf = (courses: number[][]): number[] => years.map((_, step) => quantileSorted(at(courses, step), 0.5)!);

export function fan(plan: PlanIdentity, courses: number[][], members = 5): PlanFan {
  return {
    ...plan,
    times: years,
    bands: bandsOf(courses),
    median: medianOf(courses),
    memberMedians: Array.from({ length: members }, (_, member) =>
      medianOf(courses.filter((_, index) => index % members === member)),
    ),
    courses: courses.slice(0, 6),
  };
}

export const kinds: readonly EventKind[] = [
  { id: 'death', label: 'Death', verb: 'die', verbOne: 'dies' },
  {
    id: 'dialysis',
    label: 'Dialysis or transplant',
    verb: 'start dialysis or receive a transplant',
    verbOne: 'starts dialysis or receives a transplant',
  },
];

export function events(plan: PlanIdentity, rates: readonly number[], some = kinds): PlanEvents {
  const curve = (rate: number, total: number, time: number) => (rate / total) * (1 - Math.exp(-total * time));
  const total = rates.reduce((sum, rate) => sum + rate, 0);
  return {
    ...plan,
    times: years,
    curves: some.map((kind, index) => {
      const incidence = years.map((time) => curve(rates[index], total, time));
      const error = incidence.map((share) => 1.96 * Math.sqrt((share * (1 - share)) / 2000));
      return {
        event: kind.id,
        incidence,
        low: incidence.map((share, i) => Math.max(0, share - error[i])),
        high: incidence.map((share, i) => share + error[i]),
      };
    }),
  };
}

export const signKinds = [
  { id: 'oedema', label: 'Swollen legs' },
  { id: 'fatigue', label: 'Tired most days' },
  { id: 'itch', label: 'Itching' },
];

export function signs(plan: PlanIdentity, level: number): PlanSigns {
  return {
    ...plan,
    times: years,
    curves: signKinds.map((kind, index) => {
      const probability = years.map((time) => 1 / (1 + Math.exp(-(-1.9 + index * 0.5 + level + time * (0.34 - index * 0.06)))));
      return {
        sign: kind.id,
        probability,
        members: [0.88, 1, 1.1].map((factor) => probability.map((p) => Math.min(1, p * factor))),
      };
    }),
  };
}

export const offered: readonly LaneIntervention[] = [
  {
    id: 'sglt2',
    label: 'SGLT2 inhibitor',
    short: 'SGLT2',
    dose: { unit: 'mg', initial: 10, min: 5, max: 25, step: 5 },
    hue: 200,
  },
  { id: 'acei', label: 'ACE inhibitor', short: 'ACE', dose: { unit: 'mg', initial: 5, min: 2.5, max: 20, step: 2.5 }, hue: 95 },
  {
    id: 'protein',
    label: 'Low-protein diet',
    short: 'Diet',
    dose: { unit: 'g/kg', initial: 0.8, min: 0.6, max: 1.2, step: 0.1 },
    hue: 320,
  },
];

export const lanes: readonly Lane[] = [
  { id: 'usual', plan: usual, locked: true, blocks: [{ id: 'u1', intervention: 'acei', start: -2, stop: 5, dose: 5 }] },
  {
    id: 'a',
    plan: planA,
    changed: true,
    blocks: [
      { id: 'a1', intervention: 'acei', start: 0, stop: 5, dose: 10 },
      { id: 'a2', intervention: 'sglt2', start: 0.5, stop: 5, dose: 10 },
    ],
  },
  {
    id: 'b',
    plan: { ...planB, name: 'plan B: diet first' },
    blocks: [{ id: 'b1', intervention: 'protein', start: 0, stop: 2, dose: 0.8 }],
  },
];

export function differences(seed: number, mean: number, spread: number, count = 500): number[] {
  const normal = randomNormal.source(randomLcg(seed))(mean, spread);
  return Array.from({ length: count }, normal);
}
