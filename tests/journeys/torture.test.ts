import { test } from '@playwright/test';
import { cases } from '../torture/cases.ts';
import { startServers } from '../torture/servers.ts';
import type { Servers } from '../torture/servers.ts';

let servers: Servers;
test.beforeAll(async () => {
  servers = await startServers();
});
test.afterAll(() => servers.close());

// The short form: few times each. `npm run torture` is the long one.
for (const one of cases.filter(({ times }) => times.short > 0)) {
  test(`${one.name}: ${one.must}`, async () => {
    test.setTimeout(one.limitSeconds * 1000);
    const { failures } = await one.run({ ...servers.urls, times: one.times.short, seed: 1, progress: () => {} });
    if (failures.length > 0) throw new Error(failures.slice(0, 20).join('\n'));
  });
}
