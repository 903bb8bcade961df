/**
 * Does an ensemble of the packs' family find an effect where there is none? People of ACTG 175 are split into two arms by the toss of
 * a coin, whatever they were given, and a small ensemble is fitted anew to each such trial: one marker (CD4), one event, coarse steps.
 * The same people by arms that were truly compared show that an effect would have been found.
 */
import { drivePlan, driveWidth } from '#engine/drive.ts';
import { makeScratch, stepMoments } from '#engine/reference/step.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { daysBetween } from '#domain/record.ts';
import type { Head, MemberTensors, Network } from '#packs/network.ts';
import type { ClinicalData } from '../clinical-data.ts';
import { gridCohort, type Cohort } from '../cohort.ts';
import { toMemberTensors } from '../export.ts';
import { fitMember } from '../fit-member.ts';
import { hivActg175 } from '../recipes/hiv-actg175.ts';

export const shamStudy = {
  people: 200,
  members: 5,
  groups: 10,
  /** Rollouts of a group. */
  rollouts: 40,
  stepDays: 56,
  /** 96 weeks. */
  steps: 12,
  sizes: { S: 1, L: 1, H: 4, K: 1, V: 2, C: 1 },
  fit: {
    iterations: 60,
    learningRate: 0.05,
    penalty: hivActg175.fit.penalty,
    start: { ...hivActg175.fit.start, reversion: 0.04 },
  },
} as const;

/** √CD4 per µL and years, of the trial at large. */
const cd4Scale = { mean: 18, sd: 4 };
const ageScale = { mean: 35, sd: 9 };
const heads: readonly Head[] = [{ kind: 'continuous' }];

export interface ShamRun {
  /** By member, by group: arm 1 less arm 0 at 96 weeks, of mean √CD4 in sds and of the risk of the event. */
  readonly marker: readonly (readonly number[])[];
  readonly risk: readonly (readonly number[])[];
}

/** `coin`: arms by chance, which cannot do anything. `arms`: 1 is zidovudine with didanosine, 0 zidovudine alone, as randomised. */
export function shamRun(data: ClinicalData, ids: readonly string[], kind: 'coin' | 'arms', run: number): ShamRun {
  const random = new RandomSequence(seedFrom(3_000_000 + run));
  const eligible = kind === 'coin' ? ids : ids.filter((id) => armOf(data, id) === 'zdv' || armOf(data, id) === 'zdv-ddi');
  const chosen = sample(eligible, shamStudy.people, random);
  const arms = chosen.map((id) => (kind === 'coin' ? (random.uniform() < 0.5 ? 1 : 0) : armOf(data, id) === 'zdv-ddi' ? 1 : 0));
  const cohort = cohortOf(data, chosen, arms);
  const ages = chosen.map((id) => ageOf(data, id));
  const runs = Array.from({ length: shamStudy.members }, (_, member) => {
    const parameters = fitMember(cohort, {
      ...shamStudy.fit,
      sizes: shamStudy.sizes,
      heads,
      seed: 10 * run + member,
      bootstrap: true,
    });
    return effectsOf(toMemberTensors(parameters, shamStudy.sizes), ages, run);
  });
  return { marker: runs.map(({ marker }) => marker), risk: runs.map(({ risk }) => risk) };
}

const armOf = (data: ClinicalData, id: string): string => hivActg175.record(data, id).treatments[0]!.intervention;
const ageOf = (data: ClinicalData, id: string): number =>
  (Number(hivActg175.record(data, id).covariates['age']) - ageScale.mean) / ageScale.sd;

function sample(ids: readonly string[], count: number, random: RandomSequence): string[] {
  const left = [...ids];
  return Array.from({ length: count }, () => left.splice(random.below(left.length), 1)[0]!);
}

function cohortOf(data: ClinicalData, ids: readonly string[], arms: readonly number[]): Cohort {
  const { sizes, stepDays, steps } = shamStudy;
  const people = ids.map((id, i) => {
    const record = hivActg175.record(data, id);
    const visits = record.observations
      .filter(({ code }) => code === 'cd4')
      .map(({ date, value }) => ({
        day: daysBetween(record.entryDate, date),
        values: new Map([[0, (Math.sqrt(value) - cd4Scale.mean) / cd4Scale.sd]]),
      }));
    return { id, v: [ageOf(data, id), arms[i]!], visits, ...hivActg175.followUp(data, id) };
  });
  return gridCohort(people, { S: sizes.S, K: sizes.K, C: sizes.C, stepDays, maxSteps: steps });
}

/** Both arms of the same people with the same chance. */
function effectsOf(member: MemberTensors, ages: readonly number[], run: number): { marker: number[]; risk: number[] } {
  const { sizes, groups, rollouts } = shamStudy;
  const network: Network = {
    shape: { S: sizes.S, L: sizes.L, H: sizes.H, K: sizes.K, V: sizes.V, M: 1 },
    heads,
    members: [member],
  };
  const marker: number[] = [];
  const risk: number[] = [];
  for (let group = 0; group < groups; group++) {
    let [cd4, event] = [0, 0];
    for (let k = 0; k < rollouts; k++) {
      const age = ages[(group * rollouts + k) % ages.length]!;
      const ends = [0, 1].map((arm) =>
        rollOut(network, age, arm, new RandomSequence(seedFrom(4_000_000 + run), undefined, group * rollouts + k)),
      );
      cd4 += (ends[1]!.marker - ends[0]!.marker) / rollouts;
      event += (ends[1]!.risk - ends[0]!.risk) / rollouts;
    }
    marker.push(cd4);
    risk.push(event);
  }
  return { marker, risk };
}

/** The marker, and the risk of the event, at the end of one future. */
function rollOut(network: Network, age: number, arm: number, random: RandomSequence): { marker: number; risk: number } {
  const { steps } = shamStudy;
  const [member] = network.members;
  const none = new Float64Array(1);
  const { rows } = drivePlan(network, { v: Float64Array.of(age, arm), logHazardShift: none, effectError: none });
  const row = rows.subarray(0, driveWidth(network.shape));
  const scratch = makeScratch(network.shape);
  const z = member!.traitW[0]! * age + member!.traitBias[0]! + Math.exp(member!.traitLogScale[0]!) * random.normal();
  const entry = member!.entryW[0]! * age + member!.entryW[1]! * z + member!.entryBias[0]!;
  const x = Float64Array.of(entry + Math.exp(member!.entryLogScale[0]!) * random.normal(), z);
  const h = new Float64Array(network.shape.H);
  let cumulative = 0;
  for (let t = 0; t < steps; t++) {
    stepMoments(network.shape, member!, x, h, row, 0, none, scratch);
    cumulative += Math.exp(scratch.logHazard[0]!);
    const isTail = random.uniform() < member!.tailCount[0]! / 256;
    x[0] = scratch.mean[0]! + scratch.scale[0]! * random.normal() * (isTail ? member!.tailScale[0]! : 1);
    h.set(scratch.nextH);
  }
  return { marker: x[0]!, risk: 1 - Math.exp(-cumulative) };
}
