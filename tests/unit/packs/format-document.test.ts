import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { makeGolden } from '#engine/golden.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { decodePack } from '#packs/decode.ts';
import { encodePack, type ManifestDraft } from '#packs/encode.ts';
import { compileModel, type ModelContext } from '#packs/equations/compile.ts';
import { evaluate } from '#packs/equations/evaluate.ts';
import type { EquationsModel } from '#packs/equations/model.ts';
import { unaryOps, type SlotKind } from '#packs/equations/program.ts';
import { equationsModel } from '#packs/equations/schema.ts';
import { covariateInputCount, headsOf } from '#packs/manifest-views.ts';
import type { EncoderTensors, MemberTensors } from '#packs/network.ts';
import { requireLearned } from '#packs/pack.ts';
import { elementCount, encoderTensorShapes, memberTensorShapes } from '#packs/tensors.ts';
import { encodePlain } from '#twin/encoder-plain.ts';

const document = readFileSync(new URL('../../../docs/pack-format.md', import.meta.url), 'utf8');
const draft = JSON.parse(/## 11\.[\s\S]*?```json\n([\s\S]*?)```/.exec(document)![1]!) as ManifestDraft;

const memberShapes = memberTensorShapes(draft.network, covariateInputCount(draft));
const encoderShapes = encoderTensorShapes(draft.network, draft.encoder.E);
const filled = (shapes: Readonly<Record<string, readonly number[]>>) =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, new Float32Array(elementCount(shape)).fill(0.1)]));

test('the minimal pack of docs/pack-format.md can be written and read, and its tensors are where the page says', async () => {
  const member = {
    ...filled(memberShapes),
    tailCount: Float32Array.of(0),
    tailScale: Float32Array.of(1),
  } as unknown as MemberTensors;
  const encoder = filled(encoderShapes) as unknown as EncoderTensors;
  const network = { shape: draft.network, heads: headsOf(draft), members: [member] };
  const golden = await makeGolden(new ReferenceEngine(), encodePlain, { manifest: draft, network, encoder: [encoder] });
  const pack = requireLearned(await decodePack(await encodePack(draft, [member], [encoder], golden, '# Minimal pack\n')));
  const { tensors, weights } = pack.manifest;
  for (const { name, shape, offset } of tensors.slice(0, 3)) {
    expect(document).toContain(`{ "name": "${name}", "dtype": "f32", "shape": [${shape.join(', ')}], "offset": ${offset} }`);
  }
  const last = tensors.at(-1)!;
  expect(document).toContain(`\`${last.name}\` at byte ${last.offset} of ${weights.bytes}`);
});

test('docs/pack-format.md names every tensor', () => {
  for (const name of [...Object.keys(memberShapes), ...Object.keys(encoderShapes)]) expect(document).toContain(`\`${name}\``);
});

describe('the model of section 9.13', () => {
  const model = JSON.parse(/### 9\.13[\s\S]*?```json\n([\s\S]*?)```/.exec(document)![1]!) as EquationsModel;
  const marker = { plausible: [0, 1000], seen: [0, 1000], staleAfterDays: 3, decimals: 1 } as const;
  const number = { kind: 'number', plausible: [0, 200], seen: [0, 200], required: true } as const;
  const context = {
    covariates: [
      { ...number, id: 'weight', label: 'Weight', unit: 'kg' },
      { ...number, id: 'age', label: 'Age', unit: 'a' },
      {
        kind: 'category',
        id: 'cyp',
        label: 'CYP',
        required: true,
        categories: ['*1/*1', '*1/*3', '*3/*3'].map((value) => ({ value, label: value, share: 1 / 3 })),
      },
    ],
    markers: [
      { ...marker, id: 'level', label: 'Level', unit: 'mg/L' },
      { ...marker, id: 'cells', label: 'Cells', unit: '10*9/L' },
    ],
    interventions: [
      {
        id: 'drug',
        label: 'Drug',
        shortLabel: 'Drug',
        whatIfClass: 'M',
        exclusiveGroup: null,
        timing: 'any',
        evidence: { statement: 'Invented.', citation: 'Invented.' },
      },
    ],
    events: [{ id: 'neutropenia', label: 'Neutropenia', verb: 'become neutropenic', isTerminal: false }],
  } satisfies ModelContext;

  test('fits the schema and compiles, its units converted', () => {
    expect(v.is(equationsModel, model)).toBe(true);
    const program = compileModel(model, context, 'pack.json, models[0]');
    expect(program.compartments?.symbols).toEqual(['A', 'AUC']);
    // A person of 70 kg and 40 years, *1/*3, no random effects: 60 % of 4 L/h.
    const clearance = program.parameters.find(({ symbol }) => symbol === 'CL')!.value;
    const person = { covariate: [70, 40, 1], effect: [0, 0] } as const;
    const read = (from: SlotKind, index: number) => person[from as 'covariate'][index]!;
    expect(evaluate(clearance, read)).toBeCloseTo(2.4, 12);
    // Cells turn over in 4 days, steps are in hours: at rest with 1 g/L × 1 mg/L of drug, production falls by 2 %.
    const { change } = program.states[0]!;
    const now = (from: SlotKind) => (from === 'state' ? 5 : 1);
    expect(evaluate(change, now)).toBeCloseTo((-5 / 96) * 0.02, 12);
  });

  test('names no field and no function that the page does not explain', () => {
    for (const name of [...Object.keys(equationsModel.entries), ...unaryOps.filter((op) => op !== 'neg' && op !== 'not')]) {
      expect(document, name).toContain(`\`${name}`);
    }
  });
});
