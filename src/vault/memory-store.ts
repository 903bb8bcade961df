import { tableNames } from './tables.ts';
import type { TableName } from './tables.ts';
import type { Row, RowStore } from './vault.ts';

/** Rows that live as long as the tab: for tests, and for browsers that refuse to store anything. */
export function memoryStore(): RowStore {
  const tables = new Map<TableName, Map<string, Row>>(tableNames.map((name) => [name, new Map()]));
  const rows = (table: TableName) => tables.get(table)!;
  return {
    all: async (table) => [...rows(table).values()],
    get: async (table, id) => rows(table).get(id),
    async replace(table, row, expected) {
      const found = rows(table).get(row.id);
      if (expected !== 'any' && (found?.updatedAt ?? null) !== expected) return { found };
      rows(table).set(row.id, row);
      return 'written';
    },
    async remove(table, id) {
      rows(table).delete(id);
    },
    close() {},
  };
}
