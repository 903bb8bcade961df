import type { ImportCode } from './import-codes.ts';

/** A file that cannot be read at all: thrown by readers, and made into a refused outcome by whoever called them. */
export class ImportRefusal extends Error {
  readonly code: ImportCode;

  constructor(code: ImportCode, message: string) {
    super(message);
    this.name = 'ImportRefusal';
    this.code = code;
  }
}
