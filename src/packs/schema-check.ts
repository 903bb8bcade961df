import * as v from 'valibot';
import { quoted, refusal } from './refusal.ts';

/** The typed value, or `pack_schema_invalid` with the path of the first field that is wrong. */
export function checkSchema<T extends v.GenericSchema>(schema: T, value: unknown, file: string): v.InferOutput<T> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue)?.replace(/\.(\d+)(?=\.|$)/g, '[$1]');
  throw refusal('pack_schema_invalid', path ? `${file}, ${path}` : file, describe(issue));
}

function describe(issue: v.BaseIssue<unknown>): string {
  const key = issue.path?.at(-1);
  if (issue.type === 'strict_object' && key && issue.expected === 'never') return 'found a field that this format does not have.';
  if (issue.type === 'strict_object' && key?.origin === 'key') return 'the field is missing.';
  const found = typeof issue.input === 'object' && issue.input !== null ? issue.received : quoted(issue.input);
  return `found ${found}, expected ${issue.expected ?? 'another value'}.`;
}
