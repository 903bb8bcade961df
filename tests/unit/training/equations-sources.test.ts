import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { demonstrationRecord } from '#cohorts/demonstrations.ts';
import { fileNames } from '#packs/digests.ts';
import type { EquationsManifest } from '#packs/manifest.ts';
import { readPerson } from '#twin/equations/person.ts';
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

describe('the made-up people of a pack', () => {
  const now = '2026-03-02T09:30';
  it.each(ids)('of %s can be read without a complaint, and nothing they bring is left unused', async (id) => {
    const { manifest } = (await import(`../../../training/models/${id}.ts`)) as { readonly manifest: EquationsManifest };
    expect(manifest.demonstrations.length).toBeGreaterThan(1);
    manifest.demonstrations.forEach((demonstration, i) => {
      const person = readPerson(manifest, demonstrationRecord(manifest, i, now)!, now);
      const levels = demonstration.observations.filter(({ marker }) => manifest.markers.some((one) => one.id === marker));
      expect(person.levels, demonstration.alias).toHaveLength(levels.length);
    });
  });
});
