/**
 * A learned model of the tumour benchmark (model.ts) in the language of equations packs: the network as formulas with learned numbers,
 * its memory as states, a person's traits as effects. A mixture of Gaussians as the prior becomes one model a Gaussian, with its weight
 * as the model's: averaging the models by their evidence is then inference under the mixture, exactly.
 */
import { inverseCholesky } from '#numerics/linear-algebra.ts';
import type { Definition, EquationsModel } from '#packs/equations/model.ts';
import { TraitPrior, type TumourModel } from './model.ts';

/** Eight digits: more than f32 holds. */
const digits = (value: number): number => Number(value.toPrecision(8));

type Term = readonly [factor: number, symbol: string | null];

/** "0.5 * x - 0.25 * y + 1". */
function sum(terms: readonly Term[]): string {
  return terms
    .map(([factor, symbol], i) => {
      const size = digits(Math.abs(factor));
      const sign = factor < 0 ? (i === 0 ? '-' : ' - ') : i === 0 ? '' : ' + ';
      return `${sign}${size}${symbol === null ? '' : ` * ${symbol}`}`;
    })
    .join('');
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const times = (values: Float64Array, from: number, symbols: readonly string[]): Term[] =>
  symbols.map((symbol, k) => [values[from + k]!, symbol]);

/** What a learned model leaves open: names, units of what is observed, and where a course ends. */
export type Frame = Pick<
  EquationsModel,
  'citation' | 'time' | 'timeZero' | 'covariates' | 'controls' | 'readouts' | 'events' | 'constants'
>;

/**
 * One model for each Gaussian of the prior. The frame has a covariate TYPE with the categories 1 to 3, controls chemo and radio of 0
 * and 1, constants Vtypical (where no volume was observed) and Vleast in cm³, and reads the volume as state V in cm³. The model must not read its own course.
 */
export function asEquations(model: TumourModel, frame: Frame): EquationsModel[] {
  const { traits: L, memory: E, hidden: H, readsCourse } = model.shape;
  if (readsCourse) throw new Error('A memory that reads the course has no equations here.');
  const [decay, drive, W, d, A, b, C] = ['decay', 'drive', 'hiddenW', 'hiddenBias', 'linear', 'bias', 'readout'].map(model.view);
  const D = model.inputs;
  const x = ['size', ...upTo(E).map((e) => `memory${e + 1}`), 'chemo', 'radio'];
  const hidden = upTo(H).map((i) => `hidden${i + 1}`);
  const phi = ['common', ...upTo(L).map((l) => `effect${l + 1}`)];
  const algebra: Definition[] = [
    ...upTo(E).map((e) => ({
      symbol: `memory${e + 1}`,
      unit: '1',
      formula: `kept${e + 1} * before${e + 1} + ${sum([...times(drive!, e * model.driven, ['chemo', 'radio', 'chemo * radio'])])}`,
      label: 'What is left of treatments, with today’s',
    })),
    {
      symbol: 'size',
      unit: '1',
      formula: "(log(max(in(V, 'cm3'), in(Vleast, 'cm3'))) - logMean) / logSd",
      label: 'Logarithm of the volume, standardised',
    },
    ...hidden.flatMap((symbol, i) => [
      { symbol: `into${i + 1}`, unit: '1', formula: sum([...times(W!, i * D, x), [d![i]!, null]]) },
      { symbol, unit: '1', formula: `into${i + 1} / sqrt(1 + into${i + 1}^2)`, label: 'Unit of the hidden layer' },
    ]),
    ...phi.map((symbol, o) => ({
      symbol,
      unit: '1',
      formula: sum([...times(A!, o * D, x), ...times(C!, o * H, hidden), [b![o]!, null]]),
      label: o === 0 ? 'Change that is common to all' : `Change for each unit of trait ${o}`,
    })),
  ];
  const change = ['common', ...upTo(L).map((l) => `trait${l + 1} * effect${l + 1}`), 'noiseSd * e'].join(' + ');
  const noiseSd = digits(Math.sqrt(model.noiseVariance));
  const types = model.view('types');
  const { components } = new TraitPrior(model);
  return components.map((component, g): EquationsModel => {
    const covariance = inverseCholesky(component.factor);
    const name = String.fromCharCode(97 + g);
    const centre = component.means[0]!.map((value, l) => value - types[l]!);
    return {
      ...frame,
      id: `tumour-learned-${name}`,
      title: `Learned network, traits of group ${name.toUpperCase()}`,
      priorWeight: digits(Math.exp(component.logWeight)),
      constants: [
        ...frame.constants,
        {
          symbol: 'logMean',
          value: digits(model.scale.mean),
          unit: '1',
          label: 'Mean of ln(volume in cm³) over the people learned from',
        },
        { symbol: 'logSd', value: digits(model.scale.sd), unit: '1', label: 'Sd of the same' },
        { symbol: 'noiseSd', value: noiseSd, unit: '1', label: 'Sd of a day’s relative change that nothing foretells; learned' },
        ...upTo(E).map((e) => ({
          symbol: `kept${e + 1}`,
          value: digits(1 / (1 + Math.exp(-decay![e]!))),
          unit: '1',
          label: 'Share of the memory that is kept to the next day; learned',
        })),
        ...centre.map((value, l) => ({
          symbol: `centre${l + 1}`,
          value: digits(value),
          unit: '1',
          label: `Trait ${l + 1}, centre of the group before the type; learned`,
        })),
      ],
      tables: upTo(L).map((l) => ({
        symbol: `ofType${l + 1}`,
        by: 'TYPE',
        unit: '1',
        values: Object.fromEntries(upTo(3).map((type) => [String(type + 1), digits(types[type * L + l]!)])),
        label: `Trait ${l + 1}, what the type adds; learned`,
      })),
      effects: upTo(L).map((l) => ({
        symbol: `eta${l + 1}`,
        variance: digits(covariance[l]![l]!),
        label: `Trait ${l + 1} of a person, off the centre of the group`,
        per: 'person' as const,
      })),
      correlations: upTo(L).flatMap((j) =>
        upTo(j).map((i) => ({
          between: [`eta${i + 1}`, `eta${j + 1}`] as const,
          value: digits(covariance[i]![j]! / Math.sqrt(covariance[i]![i]! * covariance[j]![j]!)),
        })),
      ),
      parameters: upTo(L).map((l) => ({
        symbol: `trait${l + 1}`,
        unit: '1',
        formula: `centre${l + 1} + ofType${l + 1} + eta${l + 1}`,
        label: `Trait ${l + 1}`,
      })),
      states: [
        {
          symbol: 'V',
          unit: 'cm3',
          initial: 'Vtypical',
          // A volume cannot be negative: a change below −1 leaves no tumour.
          next: `V * max(1 + ${change}, 0)`,
          scale: 10,
          observedExactly: 'tumour-volume',
        },
        ...upTo(E).map((e) => ({ symbol: `before${e + 1}`, unit: '1', initial: '0', next: `memory${e + 1}`, scale: 1 })),
      ],
      algebra,
      noises: ['e'],
      observations: [{ marker: 'tumour-volume', readout: 'volume', error: { kind: 'transition', fraction: noiseSd } }],
      stepper: { kind: 'map', step: 1 },
    };
  });
}
