/** What is wrong with a typed record, and where on the page. */
import type { ErrorCode } from '#domain/errors.ts';

/** Where on the page something stands, e.g. `covariate:age`, `cell:<row>:bilirubin`, `date:<row>`. */
export type Place = string;

export interface Issue {
  readonly at: Place;
  readonly code: ErrorCode;
  readonly message: string;
  /** `confirm`: unusual, and fine once a person says so. `refused`: cannot be saved. */
  readonly kind: 'refused' | 'confirm';
}

export const place = {
  covariate: (id: string): Place => `covariate:${id}`,
  cell: (row: string, code: string): Place => `cell:${row}:${code}`,
  date: (row: string): Place => `date:${row}`,
  time: (row: string): Place => `time:${row}`,
  course: (id: string): Place => `course:${id}`,
  dose: (course: string, number: number): Place => `dose:${course}:${number}`,
  treatment: (id: string): Place => `treatment:${id}`,
  event: (id: string): Place => `event:${id}`,
  alias: 'alias' as Place,
  entryDate: 'entryDate' as Place,
  consent: 'consent' as Place,
};
