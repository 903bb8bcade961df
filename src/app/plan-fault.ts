import type { Plan } from '#domain/plan.ts';
import type { IsoDate, PatientRecord } from '#domain/record.ts';
import type { PackManifest } from '#packs/manifest.ts';

/** The first sentence that speaks against a plan under this pack, or null. */
export function planFault(plan: Plan, manifest: PackManifest, _record: PatientRecord, _today: IsoDate): string | null {
  for (const block of plan.blocks) {
    const intervention = manifest.interventions.find((one) => one.id === block.intervention);
    if (!intervention) return `${plan.name}: this pack does not know “${block.intervention}”.`;
  }
  return null;
}
