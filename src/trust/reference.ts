/** People of a pack to hold a person against: drawn from its aggregates and its network, never anybody's row. */
import { drawPerson } from '#cohorts/people.ts';
import { invariant } from '#domain/errors.ts';
import type { CovariateValue, PatientRecord } from '#domain/record.ts';
import type { Stepper } from '#engine/engine.ts';
import { RandomSequence, seedFrom, streams } from '#numerics/random.ts';
import { shareAt } from '#numerics/weighted-draws.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import type { LearnedPack } from '#packs/pack.ts';
import { inputsOf, valuesOfDrawn, type Input, type Values } from './inputs.ts';

export interface Reference {
  readonly inputs: readonly Input[];
  /** [people] of [inputs]: a standardised number, or the index of a category. */
  readonly rows: readonly Float64Array[];
  /** What was assumed in drawing them, one sentence. */
  readonly method: string;
}

const referencePeople = 1000;
const referenceSeed = 20;
const anyDay = '2000-01-01';

/** People under usual care, alive and without an event, seen as long after entry as the person in question. */
export function learnedReference(pack: LearnedPack, historySteps: number, stepper: Stepper, people = referencePeople): Reference {
  const inputs = inputsOf(pack.manifest);
  const drawn = drawReferenceRecords(pack, historySteps, stepper, people);
  return {
    inputs,
    rows: drawn.map((record) => coordinates(inputs, valuesOfDrawn(record))),
    method: `Held against ${people} people drawn from the pack’s aggregates and its network, seen as long after entry as this person.`,
  };
}

export function drawReferenceRecords(
  pack: LearnedPack,
  historySteps: number,
  stepper: Stepper,
  people: number,
): readonly PatientRecord[] {
  const seed = seedFrom(referenceSeed);
  return Array.from(
    { length: people },
    (_, number) => drawPerson(pack, seed, { historySteps, today: anyDay, stepper, number }).record,
  );
}

/**
 * From the percentiles and shares of the manifest, each input for itself: how inputs go together is not in such a pack. Levels are not
 * drawn (NaN), since they follow doses: how surprising those are is for the fit to say.
 */
export function equationsReference(manifest: EquationsManifest, people = referencePeople): Reference {
  const inputs = inputsOf(manifest);
  const seed = seedFrom(referenceSeed);
  const rows = Array.from({ length: people }, (_, number) => {
    const random = new RandomSequence(seed, streams.people, number);
    return Float64Array.from(inputs, (input) => {
      if (input.of === 'marker' || input.of === 'sign') return Number.NaN;
      if (input.kind === 'number') return random.normal();
      const covariate = manifest.covariates.find(({ id }) => id === input.id);
      invariant(covariate?.kind === 'category', 'a category of the inputs is one of the manifest');
      return shareAt(
        covariate.categories.map(({ share }) => share),
        random.uniform(),
      );
    });
  });
  return {
    inputs,
    rows,
    method: `Held against ${people} people drawn from the percentiles and shares that the pack states, each input for itself.`,
  };
}

/** NaN where a value is not known, or is of a kind that the pack does not know. */
export function coordinates(inputs: readonly Input[], values: Values): Float64Array {
  return Float64Array.from(inputs, (input) => coordinate(input, values.get(input.id)));
}

function coordinate(input: Input, value: CovariateValue | undefined): number {
  if (value === undefined) return Number.NaN;
  if (input.kind === 'number') return typeof value === 'number' ? input.toCoordinate(value) : Number.NaN;
  const found = input.values.findIndex((one) => one.value === value);
  return found < 0 ? Number.NaN : found;
}
