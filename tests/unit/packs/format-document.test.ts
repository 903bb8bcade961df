import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { makeGolden } from '#engine/golden.ts';
import { ReferenceEngine } from '#engine/reference/engine.ts';
import { decodePack } from '#packs/decode.ts';
import { encodePack, type ManifestDraft } from '#packs/encode.ts';
import { covariateInputCount, headsOf } from '#packs/manifest-views.ts';
import type { EncoderTensors, MemberTensors } from '#packs/network.ts';
import { requireLearned } from '#packs/pack.ts';
import { elementCount, encoderTensorShapes, memberTensorShapes } from '#packs/tensors.ts';
import { encodePlain } from '#twin/encoder-plain.ts';

const document = readFileSync(new URL('../../../docs/pack-format.md', import.meta.url), 'utf8');
const draft = JSON.parse(/```json\n([\s\S]*?)```/.exec(document)![1]!) as ManifestDraft;

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
