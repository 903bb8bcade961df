/** The one door through which a pack's conformal corrections enter. */
import * as v from 'valibot';
import type { ConformalTable } from '#domain/trust.ts';
import { checkSize } from './decode.ts';
import { parseJson } from './json.ts';
import { checkSchema } from './schema-check.ts';
import { finite, id, share, text, whole } from './schema-parts.ts';

export const conformalFile = 'conformal.json';
export const maxConformalBytes = 2 ** 18;

const people = whole(1, 1e6);

const schema = v.strictObject({
  format: v.literal('counterpart-conformal/1'),
  packId: id,
  model: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  learnedFrom: text,
  markers: v.record(
    id,
    v.array(
      v.strictObject({
        untilDays: v.pipe(finite, v.minValue(0)),
        people,
        shifts: v.array(v.strictObject({ level: share, shift: v.nullable(finite) })),
      }),
    ),
  ),
  events: v.array(v.strictObject({ event: id, level: share, incidence: v.nullable(share), people })),
}) satisfies v.GenericSchema<unknown, ConformalTable>;

/** Throws `pack_schema_invalid` (and what reading JSON throws), naming `file` and the field. */
export function decodeConformal(bytes: Uint8Array, file: string): ConformalTable {
  checkSize(file, bytes.byteLength, maxConformalBytes);
  return checkSchema(schema, parseJson(bytes, file), file);
}
