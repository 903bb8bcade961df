/**
 * Logistic disease-course mapping (Schiratti 2015; Koval 2021) as a model of the language: one shared course, shifted by a person's age
 * of onset, stretched by their pace, and bent per score by a few sources. Time is age in years, every score runs from 0 (healthy) to 1
 * (worst). The population parameters are those that leaspy 2 ships.
 */
import type { Constant, Definition, EquationsModel } from '#packs/equations/model.ts';
import type { Demonstration, MarkerDescription } from '#packs/manifest.ts';

export interface ProgressionScore {
  /** Symbol of its read-out, and the stem of its constants. */
  readonly symbol: string;
  /** Id of its marker. */
  readonly marker: string;
  readonly label: string;
  readonly logG: number;
  readonly logV0: number;
  readonly noise: number;
  /** One a source. */
  readonly mixing: readonly number[];
}

export interface ProgressionPanel {
  readonly id: string;
  readonly title: string;
  readonly citation: string;
  readonly onset: { readonly mean: number; readonly sd: number };
  readonly paceSd: number;
  readonly sources: number;
  readonly scores: readonly ProgressionScore[];
}

/** Beyond this the logistic curve is 0 or 1 to the last bit of f32, and exp would overflow. */
const steepest = 40;

export function progressionModel(panel: ProgressionPanel): EquationsModel {
  const sourceNumbers = Array.from({ length: panel.sources }, (_, j) => j + 1);
  return {
    id: panel.id,
    title: panel.title,
    citation: panel.citation,
    time: 'a',
    timeZero: 'birth',
    covariates: {},
    constants: [
      { symbol: 'onsetMean', value: panel.onset.mean, unit: 'a', label: 'Mean age at the reference point of the course' },
      ...panel.scores.flatMap(constantsOf),
    ],
    effects: [
      { symbol: 'etaOnset', variance: panel.onset.sd ** 2, label: 'Age at the reference point, added, in years', per: 'person' },
      { symbol: 'xi', variance: panel.paceSd ** 2, label: 'Pace, log scale', per: 'person' },
      ...sourceNumbers.map(
        (j) => ({ symbol: `source${j}`, variance: 1, label: `Source ${j} of the profile across scores`, per: 'person' }) as const,
      ),
    ],
    parameters: [
      { symbol: 'onset', unit: 'a', formula: "onsetMean + unit(etaOnset, 'a')", label: 'Age at the reference point' },
      { symbol: 'pace', unit: '1', formula: 'exp(xi)', label: 'Pace relative to the mean' },
      ...panel.scores.map(({ symbol, label }) => ({
        symbol: `${symbol}Shift`,
        unit: '1',
        formula: sourceNumbers.map((j) => `source${j} * ${symbol}Mix${j}`).join(' + '),
        label: `Shift of the person’s course: ${label}`,
      })),
    ],
    algebra: panel.scores.map(slopeOf),
    readouts: panel.scores.map(({ symbol, label }) => ({
      symbol,
      unit: '1',
      formula: `1 / (1 + exp(-max(min(${symbol}Logit, ${steepest}), -${steepest})))`,
      label,
    })),
    observations: panel.scores.map(({ symbol, marker, noise }) => ({
      marker,
      readout: symbol,
      error: { kind: 'additive', sd: noise },
    })),
    stepper: { kind: 'closed-form' },
  };
}

function constantsOf({ symbol, label, logG, logV0, mixing }: ProgressionScore): readonly Constant[] {
  return [
    { symbol: `${symbol}LogG`, value: logG, unit: '1', label: `${label}: log odds of health at the reference point (log g)` },
    { symbol: `${symbol}V0`, value: Math.exp(logV0), unit: 'a-1', label: `${label}: velocity at the reference point (v0)` },
    ...mixing.map((value, j) => ({
      symbol: `${symbol}Mix${j + 1}`,
      value,
      unit: '1',
      label: `${label}: weight of source ${j + 1}`,
    })),
  ];
}

/** With g = exp(logG), (g + 1)²/g is g + 2 + 1/g. */
function slopeOf({ symbol, label }: ProgressionScore): Definition {
  return {
    symbol: `${symbol}Logit`,
    unit: '1',
    formula: `(exp(${symbol}LogG) + 2 + exp(-${symbol}LogG)) * (${symbol}V0 * pace * (time - onset) + ${symbol}Shift) - ${symbol}LogG`,
    label: `Log odds: ${label}`,
  };
}

/** Scores are entered normalised: the published parameters know nothing else. */
export function progressionMarkers(panel: ProgressionPanel): readonly MarkerDescription[] {
  return panel.scores.map(({ marker, label }) => ({
    id: marker,
    label: `${label} (0 healthy … 1 worst)`,
    unit: '1',
    alternativeUnits: [{ unit: '%', factor: 0.01 }],
    plausible: [-0.1, 1.1],
    seen: [0, 1],
    staleAfterDays: 800,
    decimals: 2,
  }));
}

/** Individual parameters as leaspy gives them → random effects of the model. */
export function progressionEffects(
  panel: ProgressionPanel,
  { xi, tau, sources }: { readonly xi: number; readonly tau: number; readonly sources: readonly number[] },
): Readonly<Record<string, number>> {
  return {
    etaOnset: tau - panel.onset.mean,
    xi,
    ...Object.fromEntries(sources.map((value, j) => [`source${j + 1}`, value])),
  };
}

/** One visit of a demonstration person: markers by id. */
export function visit(yearsAgo: number, scores: Readonly<Record<string, number>>): Demonstration['observations'] {
  return Object.entries(scores).map(([marker, value]) => ({ marker, hours: yearsAgo === 0 ? 0 : -yearsAgo * 8766, value }));
}
