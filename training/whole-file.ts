import { renameSync, writeFileSync } from 'node:fs';

/** A file is there whole or not at all, also when the process is killed while it writes. */
export function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.part`, text);
  renameSync(`${path}.part`, path);
}
