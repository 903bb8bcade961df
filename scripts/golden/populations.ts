/** Summaries of whole populations: percentiles, shares and means of draws, held to three Monte-Carlo standard errors of both sides. */
import { buildTimeline } from '#engine/timeline.ts';
import { effectColumns, type Simulation } from '#engine/simulation.ts';
import { quantileOfSorted } from '#numerics/quantiles.ts';
import { RandomSequence, seedFrom } from '#numerics/random.ts';
import { individualParameters } from '#twin/equations/individual.ts';
import { Prior } from '#twin/equations/prior.ts';
import { diameterOf, drawPerson } from '#training/tumour/simulator.ts';
import { publishedModels } from '../published-models.ts';
import { modelOf, programOf, saying, valuesOf, type Check, type Setting, type Values } from './check.ts';
import { covariateRow, problemOf } from './fits.ts';

const seed = seedFrom(2);
/** Draws of ours at most; the file says how many its own figures come from. */
const mostDraws = 100_000;
/** Both sides sample, so a difference has the standard errors of both. */
const standardErrors = 3;

class Comparison {
  readonly messages: string[] = [];
  readonly #factor: number;

  constructor(ours: number, theirs: number) {
    this.#factor = Math.sqrt(1 / ours + 1 / theirs);
  }

  /** `spread`: the standard error of one draw. */
  compare(what: string, found: number, expected: number, spread: number): void {
    if (!(Math.abs(found - expected) <= standardErrors * spread * this.#factor))
      this.messages.push(saying(what, found, expected));
  }

  /** `expected` by percent. */
  percentiles(what: string, values: Float64Array, expected: Values): void {
    const ascending = Float64Array.from(values).sort();
    for (const [percent, value] of Object.entries(expected)) {
      const level = Number(percent) / 100;
      const near = Math.min(0.01, level / 2, (1 - level) / 2);
      const slope = (quantileOfSorted(ascending, level + near) - quantileOfSorted(ascending, level - near)) / (2 * near);
      const found = quantileOfSorted(ascending, level);
      this.compare(`${what} at ${percent} %`, found, Number(value), Math.sqrt(level * (1 - level)) * slope);
    }
  }

  share(what: string, found: number, expected: number): void {
    this.compare(what, found, expected, Math.sqrt(expected * (1 - expected)));
  }
}

/** Vancomycin: AUC of 24 h and trough in the steady state of a regimen. */
export function regimenCheck(published: Values, index: number): Check {
  return {
    where: `population[${index}]`,
    run: async (setting) => {
      const name = `vancomycin-${String(published['model']).replace(/^vancomycin-/, '')}`;
      const named = publishedModels[name];
      if (!named) return [`the model '${String(published['model'])}' is not known here`];
      const { dose, tau_h: interval, dur_h: duration, N } = published as Readonly<Record<string, number>>;
      const lanes = Math.min(mostDraws, N!);
      const values = await steadyStates(setting, named.pack, named.model, {
        covariates: named.covariates(valuesOf(published['covariates']), published),
        regimen: { amount: dose!, duration: duration!, interval: interval! },
        lanes,
      });
      const comparison = new Comparison(lanes, N!);
      comparison.percentiles('AUC24', values.auc24, valuesOf(published['auc24_ss_percentiles']));
      comparison.percentiles('trough', values.trough, valuesOf(published['trough_ss_percentiles']));
      const share = (holds: (auc: number) => boolean): number => values.auc24.filter(holds).length / lanes;
      const shares: Readonly<Record<string, number>> = {
        p_auc_400_600: share((auc) => auc >= 400 && auc <= 600),
        p_auc_gt_600: share((auc) => auc > 600),
      };
      for (const [what, expected] of Object.entries(published).filter(([field]) => field.startsWith('p_'))) {
        const found = shares[what];
        if (found === undefined) comparison.messages.push(`the probability '${what}' is not known here`);
        else comparison.share(what, found, Number(expected));
      }
      return comparison.messages;
    },
  };
}

async function steadyStates(
  setting: Setting,
  packId: string,
  modelId: string,
  {
    covariates,
    regimen,
    lanes,
  }: {
    readonly covariates: Readonly<Record<string, number | string>>;
    readonly regimen: { readonly amount: number; readonly duration: number; readonly interval: number };
    readonly lanes: number;
  },
): Promise<{ readonly auc24: Float64Array; readonly trough: Float64Array }> {
  const manifest = await setting.pack(packId);
  const problem = problemOf(manifest, modelOf(manifest, modelId), { covariates, doses: [], observations: [] });
  const { program } = problem;
  const { interval } = regimen;
  const prior = new Prior(problem, seed);
  const { values } = await setting.simulator.simulate({
    ...prior.lanes(prior.draw(lanes, 0).points),
    program,
    timelines: [
      buildTimeline(program, {
        start: 0,
        end: interval,
        doses: [{ input: 0, time: 0, amount: regimen.amount, duration: regimen.duration }],
        covariates: [{ time: 0, row: covariateRow(manifest, program, covariates) }],
        controls: [],
        setStates: [],
        occasions: [],
        steadyState: { input: 0, ...regimen },
      }),
    ],
    times: Float64Array.of(0, interval),
    readouts: ['concentration', 'exposure'].map((symbol) => program.readouts.findIndex((one) => one.symbol === symbol)),
    seed,
  });
  const column = (row: number, lane: number): number => values[0]![row * lanes + lane]!;
  const increase = (lane: number): number => column(3, lane) - column(2, lane);
  return {
    trough: Float64Array.from({ length: lanes }, (_, lane) => column(0, lane)),
    auc24: Float64Array.from({ length: lanes }, (_, lane) => (increase(lane) * 24) / interval),
  };
}

/** Warfarin 2007: INR at the average concentration of the steady state, for every typical patient of table 5 at once. */
export function tableFiveCheck(rows: readonly Values[]): Check {
  return {
    where: 'table5',
    run: async (setting) => {
      const named = publishedModels['warfarin-hamberg-2007']!;
      const manifest = await setting.pack(named.pack);
      const program = programOf(manifest, modelOf(manifest, named.model));
      const people = rows.map((row) => covariateRow(manifest, program, named.covariates(row, row)));
      const messages: string[] = [];
      // Each patient has a dose, so each has a timeline: an infusion that lasts until nothing changes. The slowest time constant is
      // some 500 h.
      const hours = 20_000;
      const timelines = rows.map((row, i) =>
        buildTimeline(program, {
          start: 0,
          end: hours,
          doses: [{ input: 0, time: 0, amount: (Number(row['published_daily_racemic_mg']) / 24) * hours, duration: hours }],
          covariates: [{ time: 0, row: people[i]! }],
          controls: [],
          setStates: [],
          occasions: [],
          steadyState: null,
        }),
      );
      const simulation: Simulation = await setting.simulator.simulate({
        program,
        timelines,
        times: Float64Array.of(hours),
        readouts: [program.readouts.findIndex(({ symbol }) => symbol === 'inr')],
        lanes: 1,
        effects: new Float64Array(effectColumns(program, 1)),
        laneCovariates: [],
        seed,
      });
      rows.forEach((row, i) => {
        const found = simulation.values[i]![0]!;
        const expected = Number(row['inr_ss_average_conc']);
        // README: INR within 1e-6 (f32 5e-4); six digits are printed.
        const allowed = (setting.isExact ? 1e-6 : 5e-4) * expected + 0.5e-5;
        if (!(Math.abs(found - expected) <= allowed)) {
          messages.push(saying(`${row['cyp2c9']} ${row['vkorc1']} ${row['age']} years`, found, expected));
        }
      });
      return messages;
    },
  };
}

/** Tumour: the pack's parameters as its prior draws them; types, stages and first diameters as the benchmark's generator does. */
export function tumourPopulationCheck(published: Values): Check {
  return {
    where: 'population',
    run: async (setting) => {
      const unknown = Object.keys(published).find((field) => !tumourFields.has(field));
      if (unknown !== undefined) return [`'${unknown}' of a population is not known here`];
      const manifest = await setting.pack('lung-tumour');
      const model = modelOf(manifest, 'tumour-geng2017');
      const types = ['1', '2', '3'] as const;
      const theirs = Number(published['N']);
      const each = Math.floor(Math.min(mostDraws, theirs) / types.length);
      const comparison = new Comparison(each * types.length, theirs);
      const drawn = types.map((type, t) => {
        const problem = problemOf(manifest, model, { covariates: { 'patient-type': type }, doses: [], observations: [] });
        const prior = new Prior(problem, seed);
        const { points } = prior.draw(each, t);
        const values = individualParameters(problem.program, prior.individuals(points, prior.effects(points), 0, 0));
        const of = (symbol: string): Float64Array =>
          values[problem.program.parameters.findIndex((one) => one.symbol === symbol)]!;
        return { alpha: of('alpha'), rho: of('rho'), beta_c: of('betaC') };
      });
      const all = (name: 'alpha' | 'rho' | 'beta_c'): Float64Array =>
        Float64Array.from(drawn.flatMap((values) => Array.from(values[name])));
      for (const name of ['alpha', 'rho', 'beta_c'] as const) {
        if (name in published) comparison.percentiles(name, all(name), valuesOf(published[name]));
      }
      if ('corr_alpha_rho' in published) {
        const found = correlation(all('alpha'), all('rho'));
        comparison.compare('corr_alpha_rho', found, Number(published['corr_alpha_rho']), 1 - found ** 2);
      }
      for (const [field, name] of [
        ['mean_alpha_by_type', 'alpha'],
        ['mean_beta_c_by_type', 'beta_c'],
      ] as const) {
        for (const [type, expected] of Object.entries(valuesOf(published[field]))) {
          const { mean, sd } = moments(drawn[types.indexOf(type as '1')]![name]);
          // A third of the draws each.
          comparison.compare(`${field}.${type}`, mean, Number(expected), sd * Math.sqrt(types.length));
        }
      }
      const random = new RandomSequence(seed);
      const people = Array.from({ length: each * types.length }, () => drawPerson(random));
      const diameters = Float64Array.from(people, ({ firstVolume }) => diameterOf(firstVolume));
      comparison.percentiles('initial_diameter_cm', diameters, valuesOf(published['initial_diameter_cm']));
      for (const [field, of] of [
        ['stage_fraction', 'stage'],
        ['type_fraction', 'type'],
      ] as const) {
        for (const [name, expected] of Object.entries(valuesOf(published[field]))) {
          const count = people.filter((person) => String(person[of]) === name).length;
          comparison.share(`${field}.${name}`, count / people.length, Number(expected));
        }
      }
      return comparison.messages;
    },
  };
}

const tumourFields: ReadonlySet<string> = new Set([
  'N',
  'alpha',
  'rho',
  'beta_c',
  'initial_diameter_cm',
  'corr_alpha_rho',
  'stage_fraction',
  'type_fraction',
  'mean_alpha_by_type',
  'mean_beta_c_by_type',
]);

function moments(values: Float64Array): { readonly mean: number; readonly sd: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, sd: Math.sqrt(variance) };
}

function correlation(a: Float64Array, b: Float64Array): number {
  const [x, y] = [moments(a), moments(b)];
  const product = a.reduce((sum, value, i) => sum + (value - x.mean) * (b[i]! - y.mean), 0) / (a.length - 1);
  return product / (x.sd * y.sd);
}
