/** What installed packs call things, for exports: labels, units and codes, and the list of words that may leave with a record. */
import type { PackInfo } from '#engine/protocol.ts';
import { analytes } from '#interop/analytes.ts';
import { codeSystems } from '#interop/export/vocabulary.ts';
import type { Coding, InterventionTerm, NamedTerm, QuantityTerm, Vocabulary } from '#interop/export/vocabulary.ts';
import { unitsOf } from '#packs/conditioning.ts';
import type { Code, PackManifest } from '#packs/manifest.ts';
import { dosedInterventions } from '../dosed.ts';

/** Of all packs and the analyte table; where two name one thing, the first given speaks, and the units of both are known. */
export function vocabularyOf(first: PackManifest | null, packs: readonly PackInfo[]): Vocabulary {
  const manifests = [...(first ? [first] : []), ...packs.map(({ manifest }) => manifest).filter((one) => one !== first)];
  const quantities = new Map<string, QuantityTerm>();
  const categories = new Map<string, { label: string; values: Map<string, string> }>();
  const interventions = new Map<string, InterventionTerm>();
  const events = new Map<string, NamedTerm>();
  const targets = new Map<string, string>();
  const addQuantity = (id: string, term: QuantityTerm) => {
    const known = quantities.get(id);
    const units = [...new Set([...(known?.units ?? []), ...term.units])];
    const levels = [...new Set([...(known?.levels ?? []), ...term.levels])];
    quantities.set(id, { ...(known ?? term), units, levels });
  };
  for (const manifest of manifests) {
    for (const one of manifest.markers)
      addQuantity(one.id, { label: one.label, units: unitsOf(one), levels: [], codings: codingsOf(one.codes) });
    for (const one of manifest.signs) {
      const levels = one.levels.map(({ label }) => label);
      addQuantity(one.id, { label: one.label, units: [], levels, codings: codingsOf(one.codes) });
    }
    for (const one of manifest.covariates) {
      if (one.kind === 'number') {
        addQuantity(one.id, { label: one.label, units: unitsOf(one), levels: [], codings: codingsOf(one.codes) });
      } else {
        const values = categories.get(one.id)?.values ?? new Map<string, string>();
        for (const { value, label } of one.categories) if (!values.has(value)) values.set(value, label);
        categories.set(one.id, { label: categories.get(one.id)?.label ?? one.label, values });
      }
    }
    const dosed = new Map(dosedInterventions(manifest).map(({ intervention, units }) => [intervention.id, units]));
    for (const { id, label, codes } of manifest.interventions) {
      const known = interventions.get(id);
      const units = [...new Set([...(known?.units ?? []), ...(dosed.get(id) ?? [])])];
      interventions.set(id, { ...(known ?? { label, codings: codingsOf(codes) }), units });
    }
    for (const { id, label, codes } of manifest.events) if (!events.has(id)) events.set(id, { label, codings: codingsOf(codes) });
    if (manifest.kind === 'equations') for (const { id, label } of manifest.targets) if (!targets.has(id)) targets.set(id, label);
  }
  // What files may hold beyond what packs read; and the codes of what packs name without one.
  for (const { id, label, unit, units, codes } of analytes) {
    const codings = codes.filter((one) => one.units === undefined).map(({ code }) => ({ system: codeSystems['LOINC']!, code }));
    const known = quantities.get(id);
    if (known && known.codings.length === 0) quantities.set(id, { ...known, codings: codings.slice(0, 1) });
    addQuantity(id, { label, units: [unit, ...Object.keys(units)], levels: [], codings: codings.slice(0, 1) });
  }
  return { quantities, categories, interventions, events, targets, usualCare: first?.usualCare.label ?? 'Usual care' };
}

const codingsOf = (codes: readonly Code[] = []): readonly Coding[] =>
  codes.map(({ system, code }) => ({ system: codeSystems[system] ?? system, code }));
