/** Forecasts, and the made-up people that packs are tried with. */
import { demonstrationRecord } from '#cohorts/demonstrations.ts';
import { drawFuture, drawPerson } from '#cohorts/people.ts';
import { AppError } from '#domain/errors.ts';
import type { IsoDate, PatientRecord } from '#domain/record.ts';
import type { NamedCorrection } from '#domain/trust.ts';
import { seedFrom } from '#numerics/random.ts';
import { leverInterventions } from '#packs/manifest-views.ts';
import type { LearnedManifest } from '#packs/manifest.ts';
import type { Network } from '#packs/network.ts';
import { isLearned, type LearnedPack } from '#packs/pack.ts';
import { corrected, withHead } from '#trust/corrections.ts';
import { withDraws } from '#twin/equations/fitted-person.ts';
import { forecastEquations } from '#twin/equations/forecast.ts';
import { encodeHistoryPlain } from '#twin/encoder-plain.ts';
import { forecast as forecastLearned, forecastFitted } from '#twin/forecast.ts';
import { usualCareId } from '#twin/plan-check.ts';
import type { Stepper } from '../engine.ts';
import type { Machine } from '../resilient.ts';
import { currentBench } from './bench.ts';
import { fittedOf } from './fitted.ts';
import { part, type Handler } from './hooks.ts';
import { learnedFitOf } from './learned-twin.ts';
import { packOf, requirePassed } from './packs.ts';
import { placeEquations, placeLearned } from './trusting.ts';

export const person: Handler<'person'> = async ({ packId, seed, today, now = `${today}T00:00` }) => {
  const [pack, { stepper }] = [await packOf(packId), await currentBench()];
  if (isLearned(pack)) return drawDemonstration(pack, stepper, seed, today);
  const record = demonstrationRecord(pack.manifest, seed, now);
  if (!record) throw new AppError('request_invalid', `${pack.manifest.title} brings no demonstration person. Enter one.`);
  return record;
};

export const forecast: Handler<'forecast'> = async (
  { packId, record, plans, today, now = `${today}T00:00`, rollouts, seed, corrections = [] },
  hooks,
) => {
  const [pack, { engine, stepper }] = [await packOf(packId), await currentBench()];
  await requirePassed(pack);
  const others = plans.filter(({ id }) => id !== usualCareId);
  const clock = () => performance.now();
  if (isLearned(pack)) {
    const deps = { engine, placing: placeLearned(pack, stepper), now: clock };
    // A tuned head is part of the network that is fitted and rolls out; every other correction is laid over what came out.
    const heads = corrections.filter(({ correction }) => correction.kind === 'head');
    const tuned = { ...pack, network: heads.reduce(withNamedHead(pack.manifest), pack.network) };
    const fitted = await learnedFitOf(tuned, record, today, seed, heads);
    const made = await forecastFitted({ pack: tuned, today, rollouts, seed, plans: others }, fitted, deps, hooks);
    return corrected(made, pack.manifest, corrections);
  }
  const fitted = withDraws(await fittedOf(pack, record, now, seed, rollouts, part(hooks, 0, 0.6)), rollouts);
  const deps = { simulator: engine, placing: placeEquations(pack), now: clock };
  const made = await forecastEquations({ pack, fitted, plans: others, seed }, deps, part(hooks, 0.6, 1));
  return corrected(made, pack.manifest, corrections);
};

/** What comes of a person who was drawn by this very pack. */
export const drawnFuture: Handler<'drawnFuture'> = async ({ drawn }) => {
  const [pack, { stepper }] = [await packOf(drawn.packId), await currentBench()];
  if (!isLearned(pack) || pack.digest !== drawn.packDigest) {
    throw new AppError(
      'request_invalid',
      'This made-up person was drawn by another version of the pack, and only that one knows what comes of them. Draw a new person.',
    );
  }
  const { seed, number, historySteps, on } = drawn;
  const options = { historySteps, today: on, stepper, number };
  const drawnPerson = drawPerson(pack, seedFrom(seed), options);
  return drawFuture(pack, seedFrom(seed), drawnPerson, { number, stepper, steps: pack.manifest.grid.horizonSteps });
};

function withNamedHead(manifest: LearnedManifest): (network: Network, one: NamedCorrection) => Network {
  return (network, { correction }) => (correction.kind === 'head' ? withHead(network, manifest, correction) : network);
}

async function drawDemonstration(
  pack: LearnedPack,
  stepper: Stepper & Machine,
  seed: number,
  today: IsoDate,
): Promise<PatientRecord> {
  // Where the evidence is all of treatments begun at entry, the person stands there, so that plans can be compared inside it. Elsewhere
  // a quarter of the history that the pack can read: a course to see, and most people are still without an event.
  const isAtEntry = leverInterventions(pack.manifest).every(({ timing }) => timing === 'from-entry');
  const historySteps = isAtEntry ? 0 : Math.max(1, Math.round(pack.manifest.grid.historySteps / 4));
  const draw = (number: number): PatientRecord => {
    const { record } = drawPerson(pack, seedFrom(seed), { historySteps, today, stepper, number });
    const drawn = { packId: pack.manifest.id, packDigest: pack.digest, seed, number, historySteps, on: today };
    return { ...record, ...(isAtEntry ? { treatments: [] } : {}), drawn };
  };
  // A demonstration shows what a forecast looks like, so people at the edge of the pack are drawn again; the page says so.
  for (let number = 1; number < demonstrationAttempts; number++) {
    const record = draw(number);
    const { status, fit } = await forecastLearned(
      { pack, record, today, plans: [], rollouts: 200, seed: 1 },
      { engine: stepper, stepper, encode: encodeHistoryPlain, placing: placeLearned(pack, stepper) },
    );
    if (status === 'completed' && fit.standing === 'fits') return record;
  }
  return draw(demonstrationAttempts);
}

const demonstrationAttempts = 6;
