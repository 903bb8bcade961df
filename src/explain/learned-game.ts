/** Coalitions under a learned pack: the record without what is left out, fitted and rolled out again in small. */
import { AppError } from '#domain/errors.ts';
import type { Explained } from '#domain/explanation.ts';
import type { PatientRecord } from '#domain/record.ts';
import { drivePlan } from '#engine/drive.ts';
import { roundUpRollouts } from '#engine/request.ts';
import { fnv1a } from '#numerics/fnv1a.ts';
import { seedFrom, type Seed } from '#numerics/random.ts';
import { fromState } from '#packs/conditioning.ts';
import type { LearnedManifest } from '#packs/manifest.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { drawStarts, fitTwin } from '#twin/fit.ts';
import type { ForecastDeps } from '#twin/forecast.ts';
import { readHistory } from '#twin/history.ts';
import { stepInputs } from '#twin/step-inputs.ts';
import { absentIn, figureOf, maskOf, sharing, type Game } from './game.ts';
import { planWithout, recordWithout, type ResolvedPlan, type Subject } from './elements.ts';
import { groupInputs } from './groups.ts';

export interface LearnedGameOptions {
  /** 10 unless told otherwise: a thousand coalitions, each with a fit of its own. */
  readonly mostGroups?: number;
  /** A fit of a few dozen takes milliseconds, and its chance averages out over the coalitions. */
  readonly particlesPerMember: number;
  /** One seed for all fits, where two people are to be told apart; one for each person unless told otherwise, see `seedOfText`. */
  readonly isOneSeed?: boolean;
  /** Futures of a coalition. */
  readonly rollouts: number;
}

export type LearnedDeps = Pick<ForecastDeps, 'engine' | 'stepper' | 'encode'>;

const groupsPerMember = 10;

export function learnedGame(
  pack: LearnedPack,
  subject: Subject,
  explained: Explained,
  { mostGroups = 10, particlesPerMember, rollouts: wanted, isOneSeed = false }: LearnedGameOptions,
  deps: LearnedDeps,
): Game {
  const { manifest, network } = pack;
  const groups = groupInputs(subject, null, mostGroups);
  const steps = wholeSteps(manifest, subject.horizonDays);
  const read = learnedFigure(manifest, explained, steps);
  const ofPerson = maskOf(groups, ['covariate', 'observations', 'treatments']);
  const rollouts = roundUpRollouts(wanted, network.shape.M, groupsPerMember);

  return {
    groups,
    timesDays: Array.from({ length: steps + 1 }, (_, t) => t * manifest.grid.stepDays),
    unit: read.unit,
    async values(coalitions, seed, hooks) {
      const words = seedFrom(seed);
      const found = new Map<number, Float64Array>();
      // A group that is as its reference is makes no other record, and then no other fit.
      const people = new Map<string, { readonly record: PatientRecord; readonly coalitions: number[] }>();
      for (const own of sharing(coalitions, ofPerson).values()) {
        const record = recordWithout(subject, absentIn(groups, own[0]!));
        const key = JSON.stringify([record.covariates, record.observations, record.treatments]);
        const known = people.get(key);
        if (known) known.coalitions.push(...own);
        else people.set(key, { record, coalitions: own });
      }
      for (const [key, { record, coalitions: own }] of people) {
        hooks.signal?.throwIfAborted();
        const history = readHistory(manifest, record, subject.today);
        const posterior = await deps.encode(pack, history);
        const twin = fitTwin({
          pack,
          history,
          stepper: deps.stepper,
          posterior,
          seed: isOneSeed ? words : seedOfText(key, words),
          particlesPerMember,
        });
        const plans = own.map((coalition) => planWithout(subject, absentIn(groups, coalition)));
        const held = explained.kind === 'difference' ? [subject.planReference, ...plans] : plans;
        const distinct = [...new Set(held.map((plan) => JSON.stringify(plan)))];
        // Plans of one person are rolled out together, from one fit, and all people's futures see the same noise.
        const summary = await deps.engine.rollOut(
          {
            network,
            plans: distinct.map((plan) => {
              const { blocks } = JSON.parse(plan) as ResolvedPlan;
              return drivePlan(network, stepInputs(manifest, history.person, blocks, steps));
            }),
            steps,
            seed: words,
            levels: [0.5],
            courses: 0,
            ...drawStarts(twin, rollouts, groupsPerMember, words),
          },
          hooks.signal ? { signal: hooks.signal } : {},
        );
        const under = (plan: ResolvedPlan) => read.of(summary.plans[distinct.indexOf(JSON.stringify(plan))]!);
        const usual = explained.kind === 'difference' ? under(subject.planReference) : null;
        own.forEach((coalition, i) => {
          const values = under(plans[i]!);
          found.set(coalition, usual ? values.map((value, t) => value - usual[t]!) : values);
        });
        hooks.onProgress?.(found.size / coalitions.length);
      }
      return coalitions.map((coalition) => found.get(coalition)!);
    },
  };
}

/**
 * A fit's seed from what is fitted (its text hashed twice). With one seed for all, the chance of a fit would be the same in
 * half of the coalitions and the mean over them would keep it; like this it averages out, and the same record still has the same fit.
 */
function seedOfText(text: string, [low, high]: Seed): Seed {
  const hash = (salt: number) => fnv1a(text, 0x811c9dc5 ^ salt);
  return [hash(low), hash(Math.imul(high, 0x9e3779b9) ^ low ^ 0x5bd1e995)];
}

/** Grid steps up to the horizon, which lies inside the pack's. */
export function wholeSteps({ grid }: LearnedManifest, horizonDays: number): number {
  return Math.max(1, Math.ceil(horizonDays / grid.stepDays - 1e-9));
}

type PlanSummary = Awaited<ReturnType<LearnedDeps['engine']['rollOut']>>['plans'][number];

interface Figure {
  readonly unit: string;
  /** [time] */
  readonly of: (summary: PlanSummary) => Float64Array;
}

function learnedFigure(manifest: LearnedManifest, explained: Explained, steps: number): Figure {
  const figure = figureOf(explained);
  const times = Array.from({ length: steps + 1 }, (_, t) => t);
  const { S, K } = manifest.network;
  if (figure.kind === 'marker') {
    const at = manifest.markers.findIndex(({ id }) => id === figure.marker);
    if (at < 0) throw notForecast(manifest.title, figure.marker);
    const marker = manifest.markers[at]!;
    return {
      unit: marker.unit,
      of: ({ quantiles }) => Float64Array.from(times, (t) => fromState(marker, quantiles[t * S + at]!)),
    };
  }
  const causes = manifest.events.flatMap(({ id }, k) => (figure.event === null || figure.event === id ? [k] : []));
  if (causes.length === 0) throw notForecast(manifest.title, figure.event ?? 'an event');
  return {
    unit: '1',
    of: ({ incidence, eventFreeSteps: { length: draws } }) =>
      Float64Array.from(times, (t) => {
        let [sum, count] = [0, 0];
        for (let g = 0; g < draws; g++) {
          const own = causes.reduce((total, k) => total + incidence[(g * (steps + 1) + t) * K + k]!, 0);
          if (Number.isNaN(own)) continue;
          sum += own;
          count++;
        }
        return sum / count;
      }),
  };
}

export function notForecast(title: string, what: string): AppError {
  return new AppError('request_invalid', `${title} does not forecast '${what}'. Choose one of its markers or events.`);
}
