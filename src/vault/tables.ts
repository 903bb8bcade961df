export const tableNames = [
  'patients',
  'drafts',
  'workspaces',
  /** Forecasts put away, all of one patient in a row. */
  'frozen',
  'settings',
  'mappings',
  /** Corrections learned from local outcomes, all of one pack in a row: a few numbers, nobody's data. */
  'corrections',
] as const;
export type TableName = (typeof tableNames)[number];

/** Rows of these belong to the patient whose id they bear, and are sealed with that patient's key. */
export const patientTables = ['patients', 'workspaces', 'frozen', 'drafts'] as const satisfies readonly TableName[];
const ofPatients: ReadonlySet<string> = new Set<TableName>(patientTables);
export function isOfPatient(store: string): boolean {
  return ofPatients.has(store);
}

/** Everything that a vault stores: its tables, and what it keeps for itself. */
export const storeNames = [
  ...tableNames,
  /** A wrapped key for each patient. */
  'keys',
  'audit',
  /** Header, commit number and counts, the audit log's head, the time of the last backup. */
  'meta',
  /** What was removed, so that no copy brings it back: `table/id`. */
  'gone',
] as const;
export type StoreName = (typeof storeNames)[number];

export type Counts = Readonly<Record<TableName, number>>;

export function countEach(of: (table: TableName) => number): Counts {
  return Object.fromEntries(tableNames.map((table) => [table, of(table)])) as Record<TableName, number>;
}
