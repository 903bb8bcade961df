/** What screens need to know of packs. They ask app/ for it, so that the folder below can change without them. */
export type {
  Covariate,
  EquationsManifest,
  Intervention,
  MarkerDescription,
  PackManifest,
  Target,
  WhatIfClass,
} from '#packs/manifest.ts';

import type { PackManifest, WhatIfClass } from '#packs/manifest.ts';

/** What each class of what-if may claim, in words that stand beside it wherever it is used. */
export const classWords: Readonly<Record<WhatIfClass, { readonly name: string; readonly meaning: string }>> = {
  R: {
    name: 'learned from a randomised trial',
    meaning:
      'Chance decided who got it, so the difference the model learned can be read as an effect, in people like those of the trial.',
  },
  X: {
    name: 'cited effect, not learned',
    meaning:
      'The pack’s own data say nothing about it. A published effect, with its own uncertainty, is laid over the natural course.',
  },
  M: { name: 'mechanistic', meaning: 'It acts through equations of how the body works, whose sources are on the card.' },
  S: {
    name: 'learned in a simulator',
    meaning:
      'The people it was learned from are simulated, and all that decided who got it is in the model: so the difference can be read as an effect, in that simulator and nowhere else.',
  },
  N: { name: 'natural history', meaning: 'The course without it. Plans are held against it; it is nothing to choose.' },
  O: {
    name: 'observed only',
    meaning:
      'Who got it was no accident, so treated and untreated people differ in more than the treatment. It is never offered as a choice.',
  },
};

/**
 * For buttons, by id: the first words of a pack's title, "Liver" of "Liver: primary biliary cholangitis"; the whole title where two
 * packs begin alike.
 */
export function packNames(manifests: readonly Pick<PackManifest, 'id' | 'title'>[]): ReadonlyMap<string, string> {
  const short = (title: string) => title.split(/[:,(]/)[0]!.trim();
  return new Map(
    manifests.map(({ id, title }) => [
      id,
      manifests.some((other) => other.id !== id && short(other.title) === short(title)) ? title : short(title),
    ]),
  );
}

export interface PackGroup {
  readonly label: string;
  readonly manifests: readonly PackManifest[];
}

const groupLabels = ['Courses learned from patients', 'Doses for one person', 'Courses by equations', 'For teaching'] as const;

function groupOf(manifest: PackManifest): (typeof groupLabels)[number] {
  if (manifest.kind === 'learned') return 'Courses learned from patients';
  if (manifest.educationOnly !== undefined) return 'For teaching';
  return manifest.doseGrids.length > 0 ? 'Doses for one person' : 'Courses by equations';
}

/** The installed packs by what they answer; teaching comes last. */
export function packGroups(manifests: readonly PackManifest[]): readonly PackGroup[] {
  return groupLabels
    .map((label) => ({ label, manifests: manifests.filter((manifest) => groupOf(manifest) === label) }))
    .filter((group) => group.manifests.length > 0);
}
