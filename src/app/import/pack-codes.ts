/**
 * Under which code, and in which unit, an imported value goes into a record: the packs' own where one of them reads it, else the
 * analyte's. A record holds one code for a thing, so that every pack finds it.
 */
import { analyteById } from '#interop/analytes.ts';
import type { Analyte } from '#interop/analytes.ts';
import type { ImportedConcept } from '#interop/imported.ts';
import { unitsOf } from '#packs/conditioning.ts';
import type { Code, PackManifest, Quantity } from '#packs/manifest.ts';

export interface PackCode {
  readonly code: string;
  readonly label: string;
  readonly analyte: Analyte | null;
  /** The packs that read it, each with its own view of it. */
  readonly readers: readonly { readonly packId: string; readonly quantity: Quantity }[];
}

const systemOf: readonly (readonly [Code['system'], RegExp])[] = [
  ['LOINC', /loinc/i],
  ['RxNorm', /rxnorm/i],
  ['ATC', /(^|[/:.])atc\b|whocc/i],
  ['SNOMED', /snomed/i],
  ['ICD-10', /icd-?10/i],
];

/** A pack's name of a code system, from the URI or the short name that a file gives; null for others. */
export function codeSystem(system: string): Code['system'] | null {
  return systemOf.find(([, pattern]) => pattern.test(system))?.[0] ?? null;
}

export class PackCodes {
  readonly packs: readonly PackManifest[];
  readonly #known = new Map<string, PackCode | null>();

  constructor(packs: readonly PackManifest[]) {
    this.packs = packs;
  }

  /** Null for what has no analyte: nobody knows what its number means. */
  of({ analyte, codings }: ImportedConcept): PackCode | null {
    if (analyte === null) return null;
    const own = codings.filter(({ system }) => codeSystem(system) === 'LOINC').map(({ code }) => code);
    const key = `${analyte} ${own.join(' ')}`;
    let found = this.#known.get(key);
    if (found === undefined) this.#known.set(key, (found = this.#find(analyte, own)));
    return found;
  }

  #find(id: string, own: readonly string[]): PackCode {
    const analyte = analyteById(id);
    const loinc = new Set([...own, ...(analyte?.codes ?? []).map(({ code }) => code)]);
    const matching = this.packs.flatMap((manifest) =>
      quantitiesOf(manifest)
        .filter(
          ({ quantity }) =>
            quantity.id === id || quantity.codes?.some(({ system, code }) => system === 'LOINC' && loinc.has(code)),
        )
        .map((one) => ({ ...one, packId: manifest.id })),
    );
    // A marker is a course of values, which is what this is; a covariate only where no pack has such a marker.
    const first = matching.find(({ quantity }) => quantity.id === id) ?? matching.find(({ isMarker }) => isMarker) ?? matching[0];
    return {
      code: first?.quantity.id ?? id,
      label: first?.quantity.label ?? analyte?.label ?? id,
      analyte,
      readers: matching.filter(({ quantity }) => quantity.id === first!.quantity.id),
    };
  }
}

/** What a pack reads as a number. */
function quantitiesOf(manifest: PackManifest): readonly { readonly quantity: Quantity; readonly isMarker: boolean }[] {
  return [
    ...manifest.markers.map((quantity) => ({ quantity, isMarker: true })),
    ...manifest.covariates.flatMap((covariate) =>
      covariate.kind === 'number' ? [{ quantity: covariate, isMarker: false }] : [],
    ),
  ];
}

/**
 * A value in a unit that its packs accept: as it is where all of them do, which holds for every analyte and pack that are shipped; else
 * in the unit of this very analyte that most of them do.
 */
export function inPackUnit(
  { analyte, readers }: PackCode,
  value: number,
  unit: string,
): { readonly value: number; readonly unit: string } {
  const acceptedBy = (one: string) => readers.filter(({ quantity }) => unitsOf(quantity).includes(one)).length;
  if (acceptedBy(unit) === readers.length || analyte?.unit !== unit) return { value, unit };
  let best = { value, unit, accepted: acceptedBy(unit) };
  for (const [other, factor] of Object.entries(analyte.units)) {
    if (typeof factor !== 'number' || acceptedBy(other) <= best.accepted) continue;
    best = { value: Number((value / factor).toPrecision(12)), unit: other, accepted: acceptedBy(other) };
  }
  return { value: best.value, unit: best.unit };
}
