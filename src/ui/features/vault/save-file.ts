import type { Session } from '#app/session.svelte.ts';

/** A plain download; the name says nothing of anybody, as browsers remember it. */
export function saveFile(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The download has its own hold on the content; freed later, as browsers may read the address a moment after the press.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** `kind` tells a backup from the second copy of a damaged vault. */
export function vaultFileName(now: Date, kind: 'backup' | 'rescue'): string {
  return `counterpart-${kind}-${now.toISOString().slice(0, 10)}.vault`;
}

/** Makes the backup and hands it to the browser's downloads. False when it could not be made; `storage.failure` says why. */
export async function saveBackup(session: Session): Promise<boolean> {
  const file = await session.storage.backup();
  if (file) saveFile(file, vaultFileName(new Date(session.now()), 'backup'));
  return file !== null;
}
