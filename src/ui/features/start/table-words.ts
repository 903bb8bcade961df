/** What the vault's tables are called on the page. */
export const tableWords = [
  ['patients', 'Patients'],
  ['workspaces', 'Plans and results'],
  ['drafts', 'Unsaved entries'],
  ['settings', 'Settings'],
  ['mappings', 'Remembered import mappings'],
] as const;
