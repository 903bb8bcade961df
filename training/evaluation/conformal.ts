/**
 * npx tsx training/evaluation/conformal.ts --pack ID
 *
 * Learns conformal corrections of a pack's bands and a lower bound of event times from its valid people, and measures both on its test
 * people before and after. Writes models/ID/conformal.json (a few numbers) and training/results/validation/ID/conformal.json.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bandLevels } from '#domain/forecast.ts';
import { daysBetween } from '#domain/record.ts';
import type { ConformalTable } from '#domain/trust.ts';
import type { Figure, ValidationSection } from '#domain/validation.ts';
import { defined, notDefined } from '#numerics/estimate.ts';
import { quantileOfSorted, sorted } from '#numerics/quantiles.ts';
import { censoringSurvival, stepBefore } from '#numerics/survival.ts';
import { toState } from '#packs/conditioning.ts';
import { loadPack } from '#packs/catalogue.ts';
import { requireLearned } from '#packs/pack.ts';
import { modelDigest } from '#packs/validation.ts';
import { learnEventBound, learnShifts, shiftOf, type BandCase, type EventCase } from '#trust/conformal.ts';
import { readModels } from '../../scripts/read-models.ts';
import { idsOfSplit, type ClinicalData } from '../clinical-data.ts';
import { readRecipeData } from '../prepare.ts';
import { recipeOf } from '../recipes/all.ts';
import type { Recipe } from '../recipes/recipe.ts';
import { figureOf, rounded } from '../validation/figures.ts';
import { root, writePart } from '../validation/parts.ts';
import { Predictor } from './predict.ts';

const eventLevels = [0.8, 0.9] as const;

interface Setting {
  /** Days from entry. */
  readonly landmarks: readonly number[];
  /** Days from the forecast. */
  readonly horizons: readonly number[];
  readonly eventHorizon: number;
  readonly learnedFrom: string;
}

const settings: Readonly<Record<string, Setting>> = {
  pbc: {
    landmarks: [0, 731, 1461],
    horizons: [1461, 3652],
    eventHorizon: 3652,
    learnedFrom: 'those of the Mayo Clinic trial who were not trained on',
  },
  'hiv-actg175': {
    landmarks: [0, 140],
    horizons: [280, 1092],
    eventHorizon: 1092,
    learnedFrom: 'those of ACTG 175 who were not trained on',
  },
};

interface Cases {
  /** By marker. */
  readonly bands: Readonly<Record<string, readonly BandCase[]>>;
  /** From entry, one a person. */
  readonly events: readonly (EventCase & { readonly person: string; readonly curve: readonly number[] })[];
}

async function casesOf(
  predictor: Predictor,
  recipe: Recipe,
  data: ClinicalData,
  ids: readonly string[],
  { landmarks, eventHorizon }: Setting,
): Promise<Cases> {
  const { manifest } = predictor.pack;
  const { stepDays, horizonSteps } = manifest.grid;
  const bands: Record<string, BandCase[]> = Object.fromEntries(manifest.markers.map(({ id }) => [id, []]));
  const events: (EventCase & { person: string; curve: number[] })[] = [];
  for (const [at, person] of ids.entries()) {
    const record = recipe.record(data, person);
    const { endDay, event } = recipe.followUp(data, person);
    for (const day of landmarks) {
      if (endDay <= day) continue;
      const later = record.observations
        .map((one) => ({ ...one, days: daysBetween(record.entryDate, one.date) - day }))
        .filter(({ days }) => days > stepDays / 2 && days <= horizonSteps * stepDays);
      const last = Math.max(...later.map(({ days }) => days), day === 0 ? eventHorizon : 0);
      if (!(last > 0)) continue;
      const futures = await predictor.futures({ record, day, steps: Math.min(horizonSteps, Math.ceil(last / stepDays)) });
      for (const { code, value, days } of later) {
        const index = manifest.markers.findIndex(({ id }) => id === code);
        if (index < 0) continue;
        const marker = manifest.markers[index]!;
        const draws = sorted(Array.from(predictor.measured(futures, index, days, 'event-free'), (one) => toState(marker, one)));
        if (draws.length < 50) continue;
        bands[code]!.push({
          person,
          days,
          y: toState(marker, value),
          bands: bandLevels.map((level) => ({
            level,
            low: quantileOfSorted(draws, (1 - level) / 2),
            high: quantileOfSorted(draws, (1 + level) / 2),
          })),
        });
      }
      if (day !== 0) continue;
      const any = (days: number) => manifest.events.reduce((sum, _, k) => sum + predictor.incidence(futures, k, days), 0);
      const days = Math.min(endDay, eventHorizon);
      const curve = Array.from({ length: futures.steps + 1 }, (_, step) => any(step * stepDays));
      events.push({ person, days, happened: event >= 0 && endDay <= eventHorizon, incidence: any(days), curve });
    }
    if (at % 20 === 19) console.error(`${at + 1} of ${ids.length} people`);
  }
  return { bands, events };
}

interface Row {
  readonly person: string;
  readonly inside: number;
  readonly width: number;
}

function coverageFigures(title: string, set: string, before: readonly Row[], after: readonly Row[], level: number): Figure[] {
  const people = [...new Set(before.map(({ person }) => person))];
  const of = (rows: readonly Row[], read: (row: Row) => number) => {
    const byPerson = people.map((person) => rows.filter((row) => row.person === person).map(read));
    return (indices: Int32Array) => {
      const values = Array.from(indices).flatMap((i) => byPerson[i]!);
      return values.length === 0 ? notDefined('no values') : defined(values.reduce((a, b) => a + b, 0) / values.length);
    };
  };
  const name = `${title}: ${Math.round(100 * level)} % band`;
  const inside = (row: Row) => row.inside;
  const width = (row: Row) => row.width;
  return [
    figureOf({
      name: `${name}, coverage after correction`,
      set,
      people: people.length,
      better: 'nearer',
      wanted: level,
      statistic: of(after, inside),
      baselines: [{ name: 'before correction', statistic: of(before, inside) }],
    }),
    figureOf({
      name: `${name}, mean width after correction, in standard deviations`,
      set,
      people: people.length,
      better: null,
      statistic: of(after, width),
      baselines: [{ name: 'before correction', statistic: of(before, width) }],
    }),
  ];
}

/** Weighted share of people who outlive the bound, by inverse probability of censoring. */
function outlivingFigure(
  level: number,
  set: string,
  events: Cases['events'],
  bounds: { readonly before: number; readonly after: number },
  horizon: number,
): Figure {
  const share = (incidence: number) => (indices: Int32Array) => {
    const own = Array.from(indices, (i) => events[i]!);
    const censoring = censoringSurvival(
      own.map(({ days }) => days),
      own.map(({ happened }) => (happened ? 1 : 0)),
    );
    let total = 0;
    let outlived = 0;
    for (const { days, happened, incidence: by } of own) {
      if (days < horizon && !happened) continue;
      const weight = 1 / Math.max(stepBefore(censoring, days, 1), 0.05);
      total += weight;
      if (days >= horizon || by >= incidence) outlived += weight;
    }
    return total > 0 ? defined(outlived / total) : notDefined('nobody was followed long enough');
  };
  return figureOf({
    name: `Any event, lower bound for ${Math.round(100 * level)} %: share who outlive it`,
    set,
    people: events.length,
    better: 'nearer',
    wanted: level,
    statistic: share(bounds.after),
    baselines: [{ name: 'before correction', statistic: share(bounds.before) }],
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { pack: { type: 'string', default: 'pbc' } } });
  const pack = requireLearned(await loadPack(values.pack, readModels()));
  const { manifest } = pack;
  const setting = settings[manifest.id]!;
  const recipe = recipeOf(manifest.id);
  const data = readRecipeData(recipe);
  const predictor = await Predictor.create(pack, { rollouts: 1000 });
  const valid = await casesOf(predictor, recipe, data, idsOfSplit(data, 'valid'), setting);
  const model = await modelDigest(manifest);
  const table: ConformalTable = rounded({
    format: 'counterpart-conformal/1',
    packId: manifest.id,
    model,
    learnedFrom: setting.learnedFrom,
    markers: Object.fromEntries(Object.entries(valid.bands).map(([id, cases]) => [id, learnShifts(cases, setting.horizons)])),
    events: eventLevels.map((level) => ({
      event: 'any',
      level,
      incidence: learnEventBound(valid.events, setting.eventHorizon, level),
      people: valid.events.length,
    })),
  });
  writeFileSync(join(root, 'models', manifest.id, 'conformal.json'), `${JSON.stringify(table, null, 1)}\n`);

  const testIds = idsOfSplit(data, 'test');
  const test = await casesOf(predictor, recipe, data, testIds, setting);
  const figures: Figure[] = [];
  const rowsOf = (id: string, b: number, isCorrected: boolean): Row[] =>
    test.bands[id]!.map(({ person, days, y, bands }) => {
      const { level, low, high } = bands[b]!;
      const shift = isCorrected ? shiftOf(table.markers[id]!, days, level) : 0;
      const [from, to] = [low - shift, high + shift];
      // A band that should be narrower than nothing is its middle.
      return { person, inside: y >= from && y <= to ? 1 : 0, width: Math.max(0, to - from) };
    });
  const set = `${testIds.length} test people`;
  bandLevels.forEach((level, b) => {
    const all = (isCorrected: boolean) => manifest.markers.flatMap(({ id }) => rowsOf(id, b, isCorrected));
    figures.push(...coverageFigures('All markers', set, all(false), all(true), level));
  });
  for (const { id, label } of manifest.markers)
    figures.push(...coverageFigures(label, set, rowsOf(id, 2, false), rowsOf(id, 2, true), bandLevels[2]));
  for (const { level, incidence } of table.events) {
    if (incidence === null) continue;
    figures.push(outlivingFigure(level, set, test.events, { before: 1 - level, after: incidence }, setting.eventHorizon));
  }
  const section: ValidationSection = {
    id: 'conformal',
    method:
      'Split-conformal corrections learned from the valid people and applied to the test people: bands by conformalised quantile regression by marker and horizon, each person counted once; lower bounds of the time to any event with inverse probabilities of censoring. They promise coverage on average over people who are exchangeable with the valid people, not for one person. Before and after are on the same people and futures; intervals over people.',
    made: {
      command: `npx tsx training/evaluation/conformal.ts --pack ${manifest.id}`,
      date: new Date().toISOString().slice(0, 10),
      seed: 1,
      model,
    },
    figures,
    drawings: [],
    notes: [
      `Learned from ${idsOfSplit(data, 'valid').length} valid people: with so few the promised coverage itself varies by several points from one such group to another.`,
    ],
  };
  writePart(manifest.id, section);
  for (const { name, value, interval, n, baselines } of figures)
    console.log(
      `${name} | ${value?.toFixed(3)} (${interval?.low.toFixed(3)} to ${interval?.high.toFixed(3)}) n ${n} | before ${baselines[0]?.value?.toFixed(3)}`,
    );
}

await main();
