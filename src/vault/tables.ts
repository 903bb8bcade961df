export const tableNames = ['patients', 'drafts', 'workspaces', 'settings'] as const;
export type TableName = (typeof tableNames)[number];
