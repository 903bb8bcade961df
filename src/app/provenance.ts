/** Where the values of a record come from, for those that a file brought. */
import { analyteById } from '#interop/analytes.ts';
import type { PackManifest } from '#packs/manifest.ts';
import type { RecordDraft } from './record-draft.ts';
import { unitText } from './units.ts';

export interface Origin {
  readonly id: string;
  readonly date: string;
  readonly time: string;
  readonly label: string;
  /** As it stands in the record, with its unit and limit sign. */
  readonly value: string;
  /** As it stood in the file. */
  readonly received: string;
  readonly file: string;
  readonly place: string;
  /** What a reader doubted; empty for nothing. */
  readonly remark: string;
}

/** Values that a file brought and nobody changed, latest first. */
export function originsOf(draft: RecordDraft, packs: readonly PackManifest[]): readonly Origin[] {
  const label = labels(packs);
  return draft.rows
    .flatMap((row) =>
      Object.entries(row.cells).flatMap(([code, { text, unit, source, received, observationId }]): Origin[] =>
        received
          ? [
              {
                id: observationId ?? `${row.id} ${code}`,
                date: row.date,
                time: row.time,
                label: label(code),
                value: [text, unitText(unit)].filter(Boolean).join(' '),
                received: [received.receivedValue, received.receivedUnit].filter(Boolean).join(' '),
                file: received.file,
                place: received.place,
                // Between the place and what was received.
                remark: source
                  .slice([received.file, received.place].filter(Boolean).join(', ').length)
                  .split('; ')
                  .slice(1, -1)
                  .join('; '),
              },
            ]
          : [],
      ),
    )
    .sort((a, b) => b.date.localeCompare(a.date) || b.time.localeCompare(a.time) || a.label.localeCompare(b.label));
}

/** What a code is called: by a pack, else as a known analyte. */
function labels(packs: readonly PackManifest[]): (code: string) => string {
  const known = new Map(
    packs.flatMap(({ markers, covariates, signs }) =>
      [...signs, ...covariates, ...markers].map(({ id, label }) => [id, label] as const),
    ),
  );
  return (code) => known.get(code) ?? analyteById(code)?.label ?? code;
}
