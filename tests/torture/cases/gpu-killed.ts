import type { Page } from '@playwright/test';
import type { Forecast } from '#domain/forecast.ts';
import { kill, newProfile, openBrowser, removeProfile, sleep } from '../browser.ts';
import { seeded } from '../case.ts';
import type { TortureCase } from '../case.ts';
import type { Driver } from '../driver/main.ts';

declare const driver: Driver;

const packId = 'pbc';
const rollouts = 20_000;
/** Without these the browser refuses WebGPU for two minutes after the second death; the case below tries that too. */
const manyDeaths = ['--disable-domain-blocking-for-3d-apis', '--disable-gpu-process-crash-limit'];

/** Greatest difference between two forecasts' medians and bands, as a share of each marker's greatest value. */
function difference(a: Forecast, b: Forecast): number {
  let most = 0;
  a.plans.forEach((plan, p) => {
    for (const [id, marker] of Object.entries(plan.markers)) {
      const other = b.plans[p]!.markers[id]!;
      const rows = [
        [marker.median, other.median],
        ...marker.bands.flatMap((band, i) => [
          [band.low, other.bands[i]!.low],
          [band.high, other.bands[i]!.high],
        ]),
      ] as [readonly number[], readonly number[]][];
      const scale = Math.max(...marker.median.map(Math.abs));
      for (const [ours, theirs] of rows) {
        ours.forEach((value, i) => {
          const gap = Math.abs(value - theirs[i]!) / scale;
          most = Number.isNaN(gap) ? Infinity : Math.max(most, gap);
        });
      }
    }
  });
  return most;
}

interface Killed {
  readonly forecast: Forecast;
  /** From the last kill to the next sign of life of the run. */
  readonly recoveredMs: number;
  readonly kills: number;
}

async function runUnderKills(page: Page, profile: string, seed: number, delays: readonly number[]): Promise<Killed> {
  const running = page.evaluate(([pack, s, n]) => driver.forecast(pack, s, n), [packId, seed, rollouts] as const);
  let lastKill = 0;
  let kills = 0;
  for (const delay of delays) {
    await sleep(delay);
    const at = await page.evaluate(() => driver.now());
    if (kill(profile, ['gpu-process']) === 0) break;
    lastKill = at;
    kills++;
  }
  const { forecast } = await running;
  const heard = await page.evaluate(() => [...driver.heard(), driver.now()]);
  const next = heard.find((at) => at > lastKill) ?? Infinity;
  return { forecast, recoveredMs: kills ? next - lastKill : 0, kills };
}

export const gpuKilled: TortureCase = {
  name: 'gpu-killed',
  must: 'GPU process killed in mid-run: result within 1e-4 of the undisturbed run, no stale tensor, fallback within 5 s',
  times: { short: 5, long: 40 },
  limitSeconds: 300,
  async run({ driverUrl, times, seed, progress }) {
    const failures: string[] = [];
    const random = seeded(seed);
    let worst = 0;
    let slowest = 0;
    let kills = 0;
    for (const flags of [manyDeaths, []]) {
      const profile = newProfile();
      const context = await openBrowser(profile, { flags });
      try {
        const page = await context.newPage();
        await page.goto(driverUrl);
        const kind = await page.evaluate(() => driver.prefer('gpu'));
        if (kind !== 'gpu') failures.push(`the GPU engine did not start: ${kind}`);
        const calm = await page.evaluate(([pack, s, n]) => driver.forecast(pack, s, n), [packId, seed, rollouts] as const);
        // Where the browser blocks the GPU after two deaths, one run with three kills shows the way to the processor.
        const rounds = flags.length > 0 ? times : 1;
        for (let round = 0; round < rounds; round++) {
          progress(round, rounds);
          const delays = Array.from({ length: flags.length > 0 ? 1 : 2 }, () => random() * calm.ms * 0.7);
          const killed = await runUnderKills(page, profile, seed, delays);
          kills += killed.kills;
          const gap = difference(calm.forecast, killed.forecast);
          worst = Math.max(worst, gap);
          slowest = Math.max(slowest, killed.recoveredMs);
          const words = `seed ${seed}, round ${round}, kills ${killed.kills} after ${delays.map(Math.round).join(', ')} ms`;
          if (killed.forecast.status !== 'completed') failures.push(`${words}: the run ended as ${killed.forecast.status}`);
          if (!(gap <= 1e-4)) failures.push(`${words}: ${gap} from the undisturbed run`);
          if (killed.recoveredMs > 5000) failures.push(`${words}: ${Math.round(killed.recoveredMs)} ms until it went on`);
        }
      } finally {
        await context.close();
        removeProfile(profile);
      }
    }
    return { tried: kills, failures, figures: { greatestDifference: worst, slowestRecoveryMs: Math.round(slowest) } };
  },
};
