/** How far a forecast may be believed: a person's place among the pack's people, records that look wrong, corrections from outcomes. */
import type { FitReport } from '#domain/forecast.ts';
import type { IsoMinute, PatientRecord } from '#domain/record.ts';
import type { Standing } from '#domain/trust.ts';
import { AppError } from '#domain/errors.ts';
import { loadConformal } from '#packs/catalogue.ts';
import { isLearned, type EquationsPack, type LearnedPack } from '#packs/pack.ts';
import { equationsAnomalyReference, findAnomalies, learnedAnomalyReference, type AnomalyReference } from '#trust/anomalies.ts';
import { fineTune } from '#trust/fine-tune.ts';
import { recalibrate as recalibrateForecasts } from '#trust/recalibrate.ts';
import { drawReferenceRecords, equationsReference, learnedReference, type Reference } from '#trust/reference.ts';
import { ofHistory, ofPerson, standingOf } from '#trust/standing.ts';
import type { Person } from '#twin/equations/person.ts';
import { reportEquationsFit } from '#twin/equations/report.ts';
import { reportFit } from '#twin/fit-report.ts';
import type { History } from '#twin/history.ts';
import type { Stepper } from '../engine.ts';
import { currentBench } from './bench.ts';
import { fittedDraws, fittedOf } from './fitted.ts';
import type { Handler, Hooks } from './hooks.ts';
import { learnedFitOf } from './learned-twin.ts';
import { fetchBytes, packOf, requirePassed } from './packs.ts';

const references = new Map<string, Reference>();

/** Reference people depend on the pack and on how long after entry they are seen; drawn once each. */
function referenceOf(key: string, make: () => Reference): Reference {
  const known = references.get(key) ?? make();
  references.set(key, known);
  return known;
}

export function placeLearned(pack: LearnedPack, stepper: Stepper): (history: History, conflict: number | null) => Standing {
  return (history, conflict) => {
    const key = `${pack.digest} ${history.steps}`;
    const reference = referenceOf(key, () => learnedReference(pack, history.steps, stepper));
    return standingOf(reference, ofHistory(history, conflict));
  };
}

export function placeEquations({ manifest, digest }: EquationsPack): (person: Person, conflict: number | null) => Standing {
  return (person, conflict) => {
    const reference = referenceOf(digest, () => equationsReference(manifest));
    return standingOf(reference, ofPerson(reference, person, conflict));
  };
}

export const standing: Handler<'standing'> = async ({ packId, record, today, now = `${today}T00:00`, seed }, hooks) => {
  const [pack, { stepper }] = [await packOf(packId), await currentBench()];
  await requirePassed(pack);
  if (!isLearned(pack)) return standingUnderEquations(pack, record, now, seed, hooks);
  const { history, twin } = await learnedFitOf(pack, record, today, seed);
  const place = placeLearned(pack, stepper)(history, twin.conflictProbability);
  return decided(
    place,
    reportFit(pack.manifest, history, twin, () => place),
  );
};

async function standingUnderEquations(
  pack: EquationsPack,
  record: PatientRecord,
  now: IsoMinute,
  seed: number,
  hooks: Hooks,
): Promise<Standing> {
  const fitted = await fittedOf(pack, record, now, seed, fittedDraws, hooks);
  const place = placeEquations(pack)(fitted.person, fitted.twin.conflictProbability);
  return decided(
    place,
    reportEquationsFit(pack.manifest, fitted, () => place),
  );
}

/** Verdict and reasons are those of the forecast, criteria included: there is one decision. */
function decided(place: Standing, { standing: verdict, reasons }: FitReport): Standing {
  return { ...place, verdict: verdict === 'fits' ? 'inside' : verdict, reasons };
}

const anomalyReferences = new Map<string, AnomalyReference>();
const anomalyPeople = 400;

export const anomalies: Handler<'anomalies'> = async ({ packId, records }) => {
  const [pack, { stepper }] = [await packOf(packId), await currentBench()];
  const { grid } = pack.manifest;
  // A quarter of what the pack can read is about what people have.
  const typicalSteps = Math.max(2, Math.round(grid.historySteps / 4));
  const reference =
    anomalyReferences.get(pack.digest) ??
    (isLearned(pack)
      ? learnedAnomalyReference(pack.manifest, (steps) => drawReferenceRecords(pack, steps, stepper, anomalyPeople), typicalSteps)
      : equationsAnomalyReference(pack.manifest));
  anomalyReferences.set(pack.digest, reference);
  return findAnomalies(reference, records, grid.historySteps);
};

export const conformalTable: Handler<'conformalTable'> = async ({ packId }) =>
  loadConformal((await packOf(packId)).manifest, fetchBytes);

export const recalibrate: Handler<'recalibrate'> = async ({ packId, kind, cases, id, madeAt, seed }, hooks) => {
  const [pack, { engine, stepper, encode }] = [await packOf(packId), await currentBench()];
  const request = { manifest: pack.manifest, packDigest: pack.digest, cases, id, madeAt };
  if (kind !== 'head') return recalibrateForecasts(kind, request);
  if (!isLearned(pack)) {
    throw new AppError(
      'request_invalid',
      `${pack.manifest.title} is written as equations and has no head to tune. Choose a correction of widths or odds.`,
    );
  }
  await requirePassed(pack);
  return fineTune({ ...request, pack, seed }, { engine, stepper, encode }, hooks);
};
