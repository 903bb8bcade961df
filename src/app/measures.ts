/** What of a plan's futures, or of the plan itself, a person may wish for or limit, under each pack. */
import type { Burden, Measure } from '#domain/planning.ts';
import type { EquationsManifest, MarkerDescription, PackManifest } from '#packs/manifest.ts';
import { dosedInterventions } from './dosed.ts';
import { offeredInterventions } from './plans.ts';

export interface OfferedMeasure {
  readonly id: string;
  readonly group: 'Targets' | 'Events' | 'Markers' | 'Burden';
  readonly label: string;
  /** With numbers to begin with; the person changes them. */
  readonly measure: Measure;
  readonly wish: 'more' | 'less';
}

export const burdenWords: Readonly<Record<Burden, string>> = {
  doses: 'doses given',
  injections: 'injections',
  'infusion-hours': 'hours of infusion',
  'days-on-treatment': 'days on treatment',
  visits: 'visits to be given something',
  amount: 'amount given',
};

/** Everything that may be wished for, in the order of the pack; burdens last. */
export function offeredMeasures(manifest: PackManifest, horizonDays: number): readonly OfferedMeasure[] {
  return [
    ...targetsOf(manifest).map((target): OfferedMeasure => ({
      id: `target:${target.id}`,
      group: 'Targets',
      label: target.label,
      measure: { kind: 'target', target: target.id },
      wish: target.intent === 'reach' ? 'more' : 'less',
    })),
    ...offeredEvents(manifest, horizonDays),
    ...manifest.markers.flatMap((marker) => offeredOfMarker(marker, horizonDays)),
    ...offeredBurdens(manifest).map((of): OfferedMeasure => ({
      id: `burden:${of}`,
      group: 'Burden',
      label: burdenWords[of],
      measure: { kind: 'burden', of },
      wish: 'less',
    })),
  ];
}

/** Those whose chance can be limited: what is to be avoided. A target that is to be reached is wished for instead. */
export function limitableMeasures(manifest: PackManifest, horizonDays: number): readonly OfferedMeasure[] {
  return offeredMeasures(manifest, horizonDays).filter(
    ({ measure, wish }) => isChance(measure) && (measure.kind !== 'target' || wish === 'less'),
  );
}

export function isChance({ kind }: Measure): boolean {
  return kind === 'event' || kind === 'marker-at' || kind === 'marker-ever-outside' || kind === 'target';
}

/** False for what another version of the pack offered. */
export function isOffered(manifest: PackManifest, measure: Measure): boolean {
  switch (measure.kind) {
    case 'event-free-days':
      return manifest.events.length > 0;
    case 'event':
      return measure.event === null ? manifest.events.length > 0 : manifest.events.some(({ id }) => id === measure.event);
    case 'marker-at':
    case 'marker-time':
    case 'marker-ever-outside':
      return manifest.markers.some(({ id }) => id === measure.marker);
    case 'target':
      return targetsOf(manifest).some(({ id }) => id === measure.target);
    case 'burden':
      return offeredBurdens(manifest).includes(measure.of);
  }
  return measure satisfies never;
}

/** The same measure with its days inside the horizon. */
export function withinHorizon(measure: Measure, horizonDays: number): Measure {
  switch (measure.kind) {
    case 'event':
      return { ...measure, byDay: Math.min(measure.byDay, horizonDays) };
    case 'marker-at':
      return { ...measure, day: Math.min(measure.day, horizonDays) };
    case 'marker-time':
    case 'marker-ever-outside': {
      const toDay = Math.min(measure.toDay, horizonDays);
      return { ...measure, toDay, fromDay: measure.fromDay < toDay ? measure.fromDay : 0 };
    }
    case 'event-free-days':
    case 'target':
    case 'burden':
      return measure;
  }
  return measure satisfies never;
}

const targetsOf = (manifest: PackManifest): EquationsManifest['targets'] =>
  manifest.kind === 'equations' ? manifest.targets : [];

function offeredEvents({ events }: PackManifest, byDay: number): readonly OfferedMeasure[] {
  if (events.length === 0) return [];
  const single = events.map(({ id, label }): OfferedMeasure => ({
    id: `event:${id}`,
    group: 'Events',
    label,
    measure: { kind: 'event', event: id, byDay },
    wish: 'less',
  }));
  return [
    {
      id: 'event-free-days',
      group: 'Events',
      label: 'days without an event',
      measure: { kind: 'event-free-days' },
      wish: 'more',
    },
    ...single,
    ...(single.length > 1
      ? [
          {
            id: 'event',
            group: 'Events',
            label: 'any event',
            measure: { kind: 'event', event: null, byDay },
            wish: 'less',
          } as const,
        ]
      : []),
  ];
}

/** Beyond a threshold ever, inside a range at one day, and the share of time inside it. */
function offeredOfMarker(marker: MarkerDescription, horizonDays: number): readonly OfferedMeasure[] {
  const { id, label } = marker;
  const { low, high } = wantedRange(marker);
  const of = { group: 'Markers', marker: id } as const;
  return [
    {
      id: `ever:${id}`,
      group: of.group,
      label: `${label} ever beyond a limit`,
      measure: { kind: 'marker-ever-outside', marker: id, low, high, fromDay: 0, toDay: horizonDays },
      wish: 'less',
    },
    {
      id: `at:${id}`,
      group: of.group,
      label: `${label} in a range at one time`,
      measure: { kind: 'marker-at', marker: id, low, high, day: horizonDays },
      wish: 'more',
    },
    {
      id: `time:${id}`,
      group: of.group,
      label: `time with ${label} in a range`,
      measure: { kind: 'marker-time', marker: id, low, high, fromDay: 0, toDay: horizonDays },
      wish: 'more',
    },
  ];
}

/** Numbers to begin with: between the pack's own thresholds, else its normal range, else the middle of what was seen. */
function wantedRange(marker: MarkerDescription): { readonly low: number | null; readonly high: number | null } {
  const of = (direction: 'above' | 'below') => marker.thresholds?.find((one) => one.direction === direction)?.value ?? null;
  const [low, high] = [of('below'), of('above')];
  if (low !== null && high !== null && low >= high) return { low, high: null };
  if (low !== null || high !== null) return { low, high };
  if (marker.normalRange) return { low: marker.normalRange.low, high: marker.normalRange.high };
  return { low: Number(((marker.seen[0] + marker.seen[1]) / 2).toPrecision(2)), high: null };
}

function offeredBurdens(manifest: PackManifest): readonly Burden[] {
  if (offeredInterventions(manifest).length === 0) return [];
  const dosed = dosedInterventions(manifest);
  const routes = dosed.flatMap((one) => one.routes);
  const isGiven = routes.some((route) => route === 'iv-infusion' || route === 'iv-bolus' || route === 'radiation');
  return [
    ...(dosed.length > 0 ? (['doses'] as const) : []),
    ...(routes.includes('subcutaneous') ? (['injections'] as const) : []),
    ...(routes.includes('iv-infusion') ? (['infusion-hours'] as const) : []),
    ...(isGiven ? (['visits'] as const) : []),
    'days-on-treatment',
    ...(dosed.length === 1 ? (['amount'] as const) : []),
  ];
}
