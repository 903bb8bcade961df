import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { answerGoldenCase } from '#engine/equations-golden.ts';
import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { compileModel } from '#packs/equations/compile.ts';
import { evaluate } from '#packs/equations/evaluate.ts';
import type { EquationsGoldenCase } from '#packs/equations/golden.ts';
import type { EquationsModel } from '#packs/equations/model.ts';
import type { Program } from '#packs/equations/program.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { progressionEffects, type ProgressionPanel } from '../../../training/models/progression.ts';
import type { GoldenRequest } from '../../../training/models/people.ts';
import * as alzheimerAdas from '../../../training/models/alzheimer-adas.ts';
import * as alzheimer from '../../../training/models/alzheimer-progression.ts';
import * as infliximab from '../../../training/models/infliximab.ts';
import * as parkinson from '../../../training/models/parkinson-progression.ts';
import * as propofol from '../../../training/models/propofol.ts';
import * as tacrolimus from '../../../training/models/tacrolimus.ts';
import * as vancomycin from '../../../training/models/vancomycin.ts';
import { fromPublished, publishedModels } from '../../../scripts/published-models.ts';

interface PackSource {
  readonly manifest: Omit<EquationsManifest, 'golden' | 'card'>;
  readonly goldenCases: readonly GoldenRequest[];
}

const sources: Readonly<Record<string, PackSource>> = {
  vancomycin,
  tacrolimus,
  infliximab,
  propofol,
  'alzheimer-adas': alzheimerAdas,
  'alzheimer-progression': alzheimer,
  'parkinson-progression': parkinson,
};

const programsOf = ({ manifest }: PackSource): Program[] =>
  manifest.models.map((model: EquationsModel, i) => compileModel(model, manifest, `models[${i}]`));

const answer = (source: PackSource, golden: Omit<EquationsGoldenCase, 'rows' | 'tolerance'>) =>
  answerGoldenCase(
    new ReferenceSimulator(),
    { manifest: source.manifest as EquationsManifest, programs: programsOf(source) },
    golden,
  );

const read = (file: string) => JSON.parse(readFileSync(`tests/fixtures/golden-models/${file}.json`, 'utf8'));

type PublishedCase = Parameters<typeof fromPublished>[0];
const published: readonly PublishedCase[] = ['vancomycin', 'tacrolimus', 'infliximab', 'propofol', 'alzheimer'].flatMap(
  (file) => read(file).cases as PublishedCase[],
);

/** 1e-8 relative, and half a unit of the last of the eight digits that the files print. */
function allowed(value: number): number {
  if (value === 0) return 1e-12;
  return 1e-8 * Math.abs(value) + 0.5 * 10 ** (Math.floor(Math.log10(Math.abs(value))) - 7);
}

/** Values of the parameters, from covariates and effects by name. */
function parametersOf(program: Program, manifest: PackSource['manifest'], golden: EquationsGoldenCase): Map<string, number> {
  const found = new Map<string, number>();
  for (const { symbol, value } of program.parameters) {
    const result = evaluate(value, (from, index) => {
      if (from === 'parameter') return found.get(program.parameters[index]!.symbol)!;
      if (from === 'effect') return golden.effects[program.effects[index]!.symbol] ?? 0;
      const covariate = manifest.covariates.find(({ id }) => id === program.covariates[index])!;
      const given = golden.covariates[covariate.id]!;
      if (covariate.kind === 'number') return Number(given);
      return covariate.categories.findIndex((category) => category.value === given);
    });
    found.set(symbol, result);
  }
  return found;
}

describe('published reference cases on the f64 reference engine', () => {
  it.each(published.map((one) => [one.id, one] as const))(
    '%s: every row is the published number to its last digit',
    async (_, one) => {
      const golden = fromPublished(one, { relative: 1e-8, ofLargest: 0 });
      const rows = await answer(sources[golden.pack]!, golden);
      golden.rows.forEach((row, t) =>
        row.forEach((value, column) => {
          const found = rows[t]![column]!;
          expect(Math.abs(found - value), `${golden.readouts[column]} at ${golden.times[t]}: ${found}`).toBeLessThanOrEqual(
            allowed(value),
          );
        }),
      );
    },
  );

  it.each(published.map((one) => [one.id, one] as const))('%s: the individual parameters are the published ones', (_, one) => {
    const golden = fromPublished(one, { relative: 1e-8, ofLargest: 0 });
    const source = sources[golden.pack]!;
    const program = programsOf(source).find(({ modelId }) => modelId === golden.model)!;
    const found = parametersOf(program, source.manifest, golden);
    const params = (one['params'] ?? { BL: one['BL'], SL: one['SL'] }) as Readonly<Record<string, number>>;
    for (const [name, symbol] of Object.entries(publishedModels[one.model]!.parameters)) {
      // Ten digits are printed, and propofol's constants have six.
      expect(Math.abs(found.get(symbol)! / params[name]! - 1), `${name}: ${found.get(symbol)}`).toBeLessThan(5e-9);
    }
  });

  it('the packs carry each of these cases among their own golden cases', () => {
    for (const one of published) {
      const golden = fromPublished(one, { relative: 1e-8, ofLargest: 0 });
      const own = sources[golden.pack]!.goldenCases.find(({ id }) => id === one.id)!;
      const needed = Object.keys(own.covariates);
      expect(own.covariates).toEqual(Object.fromEntries(needed.map((id) => [id, golden.covariates[id]!])));
      expect(own.doses).toEqual(golden.doses);
      expect(own.times).toEqual(golden.times);
      expect(own.effects).toEqual(golden.effects);
    }
  });
});

interface Subject {
  readonly model: string;
  readonly id: string;
  readonly times: readonly number[];
  readonly values: readonly (readonly (number | null)[])[];
  readonly shipped_individual: { readonly xi: number; readonly tau: number; readonly sources: readonly number[] };
  readonly curve_at_shipped: readonly (readonly number[])[];
  readonly map_on_first_k: Subject['shipped_individual'] & { readonly k: number };
  readonly forecast: readonly (readonly number[])[];
}

describe('leaspy subjects on the f64 reference engine', () => {
  const subjects = read('leaspy-progression').subjects as readonly Subject[];
  const panels: Readonly<Record<string, { source: PackSource; panel: ProgressionPanel }>> = {
    alzheimer: { source: alzheimer, panel: alzheimer.panel },
    parkinson: { source: parkinson, panel: parkinson.panel },
  };
  const courseOf = ({ model, id, times }: Subject, individual: Subject['shipped_individual'], later = 0) => {
    const { source, panel } = panels[model]!;
    return answer(source, {
      id,
      model: panel.id,
      covariates: {},
      effects: progressionEffects(panel, individual),
      doses: [],
      controls: [],
      initialStates: {},
      times: times.map((time) => time + later),
      readouts: panel.scores.map(({ symbol }) => symbol),
    });
  };

  /** The files print ages to 5 decimals and scores to 7: a score lies between those of the ages that round to the printed one. */
  async function expectCourse(one: Subject, individual: Subject['shipped_individual'], first: number, rows: Subject['forecast']) {
    const [before, after] = [await courseOf(one, individual, -5e-6), await courseOf(one, individual, 5e-6)];
    rows.forEach((row, t) =>
      row.forEach((value, k) => {
        expect(value).toBeGreaterThanOrEqual(before[first + t]![k]! - 1e-7);
        expect(value).toBeLessThanOrEqual(after[first + t]![k]! + 1e-7);
      }),
    );
  }

  it.each(subjects.map((one) => [`${one.model} ${one.id}`, one] as const))(
    '%s: the course at the shipped parameters',
    async (_, one) => {
      await expectCourse(one, one.shipped_individual, 0, one.curve_at_shipped);
    },
  );

  it.each(subjects.filter(({ forecast }) => forecast.length > 0).map((one) => [`${one.model} ${one.id}`, one] as const))(
    '%s: the forecast from the estimate on the first visits',
    async (_, one) => {
      await expectCourse(one, one.map_on_first_k, one.map_on_first_k.k, one.forecast);
    },
  );
});
