/** What is typed so far, as points in time: for the picture above the grid. Half-typed cells are simply not there yet. */
import { isIsoDate } from '#domain/record.ts';
import { toCanonical, unitsOf } from '#packs/conditioning.ts';
import type { PackManifest } from '#packs/manifest.ts';
import { readLimit, readQuantity } from './read-number.ts';
import { dayOf } from './read-time.ts';
import { levelMeant } from './record-check.ts';
import type { RecordDraft } from './record-draft.ts';
import { unitMeant } from './units.ts';

export interface PointRow {
  readonly code: string;
  readonly label: string;
  /** UCUM; empty for signs. */
  readonly unit: string;
  /** The latest level's name, for signs. */
  readonly levelLabel: string | null;
  readonly points: readonly { readonly date: string; readonly time: string; readonly day: number; readonly value: number }[];
}

export function draftPoints(draft: RecordDraft, manifest: PackManifest, now: string): readonly PointRow[] {
  const dated = draft.rows
    .filter((row) => isIsoDate(row.date))
    .map((row) => ({ ...row, day: dayOf(row.date, row.time, now) }))
    .filter(({ day }) => day <= 0)
    .sort((a, b) => a.day - b.day);
  const pointsOf = (read: (cell: { text: string; unit: string }) => number | null, code: string) =>
    dated.flatMap((row) => {
      const cell = row.cells[code];
      const value = cell && cell.text.trim() !== '' ? read(cell) : null;
      return value === null ? [] : [{ date: row.date, time: row.time, day: row.day, value }];
    });
  const rows: PointRow[] = [
    ...manifest.markers.map((marker) => ({
      code: marker.id,
      label: marker.label,
      unit: marker.unit,
      levelLabel: null,
      points: pointsOf(({ text, unit }) => {
        const read = readQuantity(readLimit(text)?.rest ?? text);
        const meant = read && (read.unit === '' ? unit || marker.unit : unitMeant(read.unit, unitsOf(marker)));
        return read && meant && unitsOf(marker).includes(meant) ? toCanonical(marker, read.value, meant) : null;
      }, marker.id),
    })),
    ...manifest.signs.map((sign) => {
      const points = pointsOf(({ text }) => levelMeant(sign, text), sign.id);
      return {
        code: sign.id,
        label: sign.label,
        unit: '',
        points,
        levelLabel: sign.levels.find((level) => level.value === points.at(-1)?.value)?.label ?? null,
      };
    }),
  ];
  return rows.filter((row) => row.points.length > 0);
}
