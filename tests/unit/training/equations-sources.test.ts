import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fileNames } from '#packs/digests.ts';
import { packEquations, type EquationsSource } from '../../../training/pack-equations.ts';

const ids = readdirSync('training/models').flatMap((file) =>
  file.endsWith('.card.md') ? [file.slice(0, -'.card.md'.length)] : [],
);

describe('packs in models/ are what their sources in training/models/ make', () => {
  it.each(ids)('%s', { timeout: 60_000 }, async (id) => {
    const source = (await import(`../../../training/models/${id}.ts`)) as EquationsSource;
    const made = await packEquations(source, readFileSync(`training/models/${id}.card.md`, 'utf8'));
    for (const key of ['manifest', 'golden', 'card'] as const) {
      const path = `models/${id}/${fileNames[key]}`;
      expect(existsSync(path), path).toBe(true);
      // Run `npx tsx training/pack-equations.ts ID` where this fails.
      expect(readFileSync(path, 'utf8') === new TextDecoder().decode(made[key]), `${path} is out of date`).toBe(true);
    }
  });
});
