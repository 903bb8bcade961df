/** The published reference files of every mechanistic pack, for any simulator. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Simulator } from '#engine/simulation.ts';
import { checkGoldenFiles } from '../../scripts/golden-conformance.ts';

const folder = fileURLToPath(new URL('../fixtures/golden-models/', import.meta.url));
export const goldenFiles = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => ({ name, path: `${folder}${name}` }));

export function describeGoldenModels(engine: string, make: () => Promise<Simulator>): void {
  describe(`published reference files on ${engine}`, () => {
    it.each(goldenFiles)('$name holds within the tolerances of its README', async ({ path }) => {
      const simulator = await make();
      const said: string[] = [];
      const tally = await checkGoldenFiles([path], simulator, (line) => said.push(line));
      expect(said).toEqual([]);
      expect(tally.failed).toBe(0);
      expect(tally.passed).toBeGreaterThan(0);
    });
  });
}
