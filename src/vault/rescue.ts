/**
 * The second copy as a file, for when the main store will not open and no secret was given yet: rows stay sealed under the vault's
 * keys. Unlike a backup it proves nothing as a whole; every row is proved when it is opened.
 */
import { AppError } from '#domain/errors.ts';
import { decodeBatch, decodeHead, encodeBatch, encodeRecord, recordsOf } from './batch.ts';
import { readHeader } from './header.ts';
import type { VaultHeader } from './keys.ts';
import type { CopySummary } from './second-copy.ts';
import type { Change } from './store.ts';

const magic = Uint8Array.of(0x89, 0x43, 0x50, 0x52, 0x0d, 0x0a, 0x1a, 0x0a);

export async function writeRescue({ header, commit }: CopySummary, changes: readonly Change[]): Promise<Blob> {
  const batch = await encodeBatch({ commit, changes });
  const [first, last] = await Promise.all([encodeRecord({ header, commit }), encodeRecord({ end: changes.length })]);
  return new Blob([magic, first, batch, last], { type: 'application/octet-stream' });
}

export async function isRescue(file: Blob): Promise<boolean> {
  const start = new Uint8Array(await file.slice(0, magic.length).arrayBuffer());
  return start.length === magic.length && start.every((byte, at) => byte === magic[at]);
}

/** Rejects with `backup_truncated` when the end is missing, with `backup_changed` when something before it is. */
export async function readRescue(
  file: Blob,
): Promise<{ readonly header: VaultHeader; readonly commit: number; readonly changes: readonly Change[] }> {
  const bytes = new Uint8Array(await file.slice(magic.length).arrayBuffer());
  let first: { header?: unknown; commit?: unknown } | null = null;
  let end: unknown = null;
  const changes: Change[] = [];
  for await (const { body } of recordsOf(bytes)) {
    const batch = decodeBatch(body);
    const head = decodeHead(body) as { header?: unknown; commit?: unknown; end?: unknown } | null;
    if (batch) changes.push(...batch.changes);
    else if (head && 'header' in head) first = head;
    else if (head && 'end' in head) end = head.end;
  }
  if (end === null) {
    throw new AppError(
      'backup_truncated',
      'This rescued copy ends too early: a part of it is missing. Nothing was restored. Save it again, or use another file.',
    );
  }
  if (!first || !Number.isSafeInteger(first.commit) || end !== changes.length) {
    throw new AppError('backup_changed', 'This rescued copy is not as it was saved. Nothing was restored. Use another file.');
  }
  return { header: readHeader(first.header), commit: first.commit as number, changes };
}
