/** What every export says of itself, so that nobody takes it for measurements. */

export const safetyLine =
  'Simulation for research and education. Not for diagnosis or treatment decisions. Not a medical device.';

/** The sentence beside every simulated number that leaves the app. */
export const simulatedLine = 'Simulated; not a measurement.';

/** What a reader needs to know where an export comes from and to repeat it. */
export interface RunStamp {
  readonly appVersion: string;
  readonly packId: string;
  readonly packVersion: string;
  readonly packDigest: string;
  readonly packTitle: string;
  readonly seed: number;
  readonly rollouts: number;
  readonly engine: string;
  readonly engineDescription: string;
  readonly inputsHash: string;
  /** UTC, ISO 8601; moved together with all other dates where they are moved. */
  readonly madeAt: string;
  /** What was laid over the forecast, one sentence each; empty for a forecast as the pack makes it. */
  readonly corrections: readonly string[];
  readonly isDeIdentified: boolean;
  readonly isSynthetic: boolean;
}

/** One line each: name and value, in the order in which every export gives them. */
export function stampLines(stamp: RunStamp): readonly (readonly [name: string, value: string])[] {
  return [
    ['app', `Counterpart ${stamp.appVersion}`],
    ['pack', `${stamp.packId} ${stamp.packVersion}`],
    ['pack digest', stamp.packDigest],
    ['seed', String(stamp.seed)],
    ['courses a plan', String(stamp.rollouts)],
    ['engine', [stamp.engine, stamp.engineDescription].filter(Boolean).join(', ')],
    ['inputs hash', stamp.inputsHash],
    ...(stamp.corrections.length > 0 ? [['corrected', stamp.corrections.join(' ')] as const] : []),
    ['run on', stamp.isDeIdentified ? `${stamp.madeAt} (date moved)` : stamp.madeAt],
    ['person', `${stamp.isSynthetic ? 'made up' : 'real'}${stamp.isDeIdentified ? ', de-identified' : ', with identity'}`],
  ];
}

export type FileKind = 'run' | 'forecast' | 'fhir' | 'record' | 'record-fhir' | 'chart';

/** `counterpart-run-20261123-1a2b`, without its extension: what it is, the day that is written inside, four digits of a hash. Never a name. */
export function fileName(kind: FileKind, day: string, hash: string): string {
  return `counterpart-${kind}-${day.slice(0, 10).replaceAll('-', '')}-${hash.slice(0, 4)}`;
}
