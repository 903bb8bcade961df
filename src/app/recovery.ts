/** The printed recovery key as it is shown and asked back. Reading it is the vault's. */

/** In the groups it is printed in. */
export function groupsOf(recoveryKey: string): readonly string[] {
  return recoveryKey.split(/[\s-]+/).filter(Boolean);
}

/** Whether `typed` is the group at `index`; blanks and case do not matter. */
export function isGroup(recoveryKey: string, index: number, typed: string): boolean {
  const plain = (text: string) => text.toUpperCase().replace(/[^A-Z0-9]/g, '');
  return plain(groupsOf(recoveryKey)[index] ?? '') === plain(typed) && plain(typed) !== '';
}
