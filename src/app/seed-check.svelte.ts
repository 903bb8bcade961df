/** The shown forecast once more with another seed: what simulation alone moves, and whether the message keeps. Knows no page. */
import { dotQuantile } from '#domain/forecast.ts';
import type { Forecast } from '#domain/forecast.ts';
import type { NamedCorrection } from '#domain/trust.ts';
import type { PackInfo } from '#engine/protocol.ts';
import type { PackManifest } from '#packs/manifest.ts';
import { GuardedWork } from './guarded-work.svelte.ts';
import type { WorkParts } from './guarded-work.svelte.ts';
import { differencesAt, readingOf, targetRead, timeIndex } from './reading.ts';
import type { Reading } from './reading.ts';

export interface SeedCheckParts extends WorkParts {
  /** A whole number below 2³². */
  readonly randomSeed: () => number;
  readonly corrections: (pack: PackInfo) => Promise<readonly NamedCorrection[]>;
}

export class SeedCheck {
  readonly #parts: SeedCheckParts;
  readonly work: GuardedWork<'seeds'>;
  #answer = $state.raw<{ readonly of: Forecast; readonly other: Forecast } | null>(null);
  /** The same request with another seed; null once another forecast is shown. */
  readonly other: Forecast | null = $derived.by(() => {
    const answer = this.#answer;
    return answer?.of === this.#parts.forecast.forecast ? (answer?.other ?? null) : null;
  });
  /** A whole result that belongs to what is on the page: anything else would move for other reasons than chance. */
  readonly canRun: boolean = $derived.by(() => {
    const { forecast: page } = this.#parts;
    return page.forecast?.status === 'completed' && !page.isPreliminary && !page.isRunning && page.stale.length === 0;
  });

  constructor(parts: SeedCheckParts) {
    this.#parts = parts;
    this.work = new GuardedWork(parts);
  }

  async run(): Promise<void> {
    const { forecast: page, client } = this.#parts;
    const { forecast: shown, pack } = page;
    if (!shown || !pack || !this.canRun) return;
    await this.work.run('seeds', 'forecast with another seed', async ({ packId, record }, hooks) => {
      const { now } = page;
      const order = {
        packId,
        record,
        plans: page.ranPlans,
        today: now.slice(0, 10),
        now,
        rollouts: shown.run.rollouts,
        seed: anotherSeed(shown.run.seed, this.#parts.randomSeed),
        corrections: page.corrections ?? (await this.#parts.corrections(pack)),
      };
      const other = await client.call('forecast', order, hooks);
      this.#answer = { of: shown, other };
    });
  }
}

function anotherSeed(seed: number, randomSeed: () => number): number {
  const drawn = randomSeed();
  return drawn === seed ? (drawn + 1) % 2 ** 32 : drawn;
}

/** What is read of one plan, with one seed and with the other. */
export interface SeedPair {
  readonly planId: string;
  readonly one: Reading;
  readonly other: Reading;
  /** The middle with the other seed less the middle with the one. */
  readonly middle: number;
  /** What the end of the interval that moved farther moved by, either way. */
  readonly end: number;
  /** How far chance may move either before the message is another. */
  readonly tolerated: number;
}

/** Chance moves the reading farther than the message bears. */
export const isFar = ({ middle, end, tolerated }: SeedPair): boolean => Math.max(Math.abs(middle), end) > tolerated;

export interface SeedComparison {
  readonly pairs: readonly SeedPair[];
  /** Plans whose difference to usual care includes none with one seed and not with the other, or changes its sign. */
  readonly turned: readonly string[];
  readonly keeps: boolean;
}

/**
 * The message keeps if no middle and no end of an interval moves by more than a quarter of the interval, or one person of 100, and no
 * difference from usual care changes sides. Where the interval is itself that of the number of draws, two runs differ by less than
 * √½ of its width in 95 of 100 cases (two independent errors of one size), and that is the bound.
 */
export function compareSeeds(
  one: Forecast,
  other: Forecast,
  manifest: PackManifest,
  outcome: string,
  day: number,
): SeedComparison {
  const pairs = one.plans.flatMap((plan, index): SeedPair[] => {
    const again = other.plans[index];
    const [a, b] = [readingOf(one, plan, manifest, outcome, day), again ? readingOf(other, again, manifest, outcome, day) : null];
    if (!a || !b) return [];
    const isOfDraws = a.kind === 'chance' && manifest.kind === 'equations';
    const width = (isOfDraws ? Math.SQRT1_2 : 0.25) * Math.max(a.high - a.low, b.high - b.low);
    return [
      {
        planId: plan.plan.id,
        one: a,
        other: b,
        middle: b.value - a.value,
        end: Math.max(Math.abs(b.low - a.low), Math.abs(b.high - a.high)),
        tolerated: a.kind === 'chance' ? Math.max(0.01, width) : width,
      },
    ];
  });
  const turned = one.differences
    .filter(({ planId }) => sideOf(one, planId, manifest, outcome, day) !== sideOf(other, planId, manifest, outcome, day))
    .map(({ planId }) => planId);
  const keeps = turned.length === 0 && pairs.every((pair) => !isFar(pair));
  return { pairs, turned, keeps };
}

/** −1 or 1 where the 90 % interval of a difference lies on one side of none, 0 where it includes none; chances in whole people of 100. */
function sideOf(forecast: Forecast, planId: string, manifest: PackManifest, outcome: string, day: number): number {
  const difference = forecast.differences.find((one) => one.planId === planId);
  const index = timeIndex(forecast, day);
  // A target's chance stands beside usual care's and has no difference of its own.
  if (!difference || targetRead(manifest, outcome)) return 0;
  if (manifest.events.length > 0) {
    const dots = differencesAt(difference, outcome, index);
    return side(Math.round(100 * dotQuantile(dots, 0.05)), Math.round(100 * dotQuantile(dots, 0.95)));
  }
  const band = manifest.markers[0] && difference.markers[manifest.markers[0].id]?.bands.find(({ level }) => level === 0.9);
  return band ? side(band.low[index]!, band.high[index]!) : 0;
}

const side = (low: number, high: number): number => (low > 0 ? 1 : high < 0 ? -1 : 0);
