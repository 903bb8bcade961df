// Playwright's global set-up: one server of the built app on a free port for all journeys. COUNTERPART_DIST names another build than dist.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './packages.mjs';
import { serve } from './serve.mjs';

export default async function startJourneyServer(): Promise<() => Promise<void>> {
  const dist = process.env['COUNTERPART_DIST'] ?? join(root, 'dist');
  if (!existsSync(join(dist, 'index.html'))) {
    throw new Error(
      `${dist}/index.html: there is no build for the journeys to run on. Run \`npm run build\` first, or \`npm run test:journeys\`.`,
    );
  }
  const server = await serve({ root: dist });
  // The workers start after this and read them, the first in playwright.config.ts.
  process.env['COUNTERPART_URL'] = server.url;
  process.env['COUNTERPART_DIST'] = dist;
  return server.close;
}
