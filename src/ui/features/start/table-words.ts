/** What the vault's tables are called on the page. */
export const tableWords = [
  ['patients', 'Patients'],
  ['workspaces', 'Plans and results'],
  ['frozen', 'Frozen forecasts, by patient'],
  ['drafts', 'Unsaved entries'],
  ['settings', 'Settings'],
  ['mappings', 'Remembered import mappings'],
  ['corrections', 'Packs with local corrections'],
] as const;
