/** What a model of the tumour benchmark learns from: people's courses as steps, and the scale of their volumes. */
import { drawPerson, lethalVolume, observedCourse, randomOf, type Course, type PatientType } from './simulator.ts';
import type { VolumeScale } from './model.ts';

/** The steps of one person. */
export interface Series {
  /** 0, 1, 2. */
  readonly type: number;
  /** cm³, of the day a step begins. */
  readonly volumes: Float64Array;
  /** V(t + 1)/V(t) − 1. */
  readonly changes: Float64Array;
  readonly chemo: Uint8Array;
  readonly radio: Uint8Array;
  /** The last change is known only to be at least (1) or at most (−1) what is written; 0: all are known. */
  readonly limit: -1 | 0 | 1;
}

/** Below this a tumour that is gone a day later says nothing of how much was killed. */
const countable = 1e-6;

export function seriesOf(type: PatientType, { volumes, chemo, radio }: Course): Series {
  const last = volumes.at(-1)!;
  const before = volumes.at(-2)!;
  const steps = last === 0 && before < countable ? volumes.length - 2 : volumes.length - 1;
  return {
    type: type - 1,
    volumes: Float64Array.from(volumes.slice(0, steps)),
    changes: Float64Array.from({ length: steps }, (_, t) => volumes[t + 1]! / volumes[t]! - 1),
    chemo: Uint8Array.from(chemo.slice(0, steps)),
    radio: Uint8Array.from(radio.slice(0, steps)),
    limit: steps < volumes.length - 1 ? 0 : last === lethalVolume ? 1 : last === 0 ? -1 : 0,
  };
}

export function drawCohort(gamma: number, seed: number, set: 'train' | 'valid', people: number): Series[] {
  return Array.from({ length: people }, (_, i) => {
    const random = randomOf(seed, set, i);
    const person = drawPerson(random);
    return seriesOf(person.type, observedCourse(person, gamma, random));
  });
}

export function volumeScaleOf(cohort: readonly Series[]): VolumeScale {
  let [n, sum, squares] = [0, 0, 0];
  for (const { volumes } of cohort) {
    for (const volume of volumes) {
      const log = Math.log(Math.max(volume, 1e-9));
      n++;
      sum += log;
      squares += log * log;
    }
  }
  const mean = sum / n;
  return { mean, sd: Math.sqrt(squares / n - mean * mean) };
}
