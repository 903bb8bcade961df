import { AppError } from '#domain/errors.ts';
import type { ErrorCode } from '#domain/errors.ts';

type PackCode = Extract<ErrorCode, `pack_${string}` | `model_${string}`>;

const askAuthor = "Nothing was installed. Ask the pack's author for a corrected version.";
const installAgain = 'Nothing was installed. Remove the pack and install it again.';

/** What a person can do about each refusal. */
const remedies: Readonly<Record<PackCode, string>> = {
  pack_too_large: 'Nothing was read. Use a smaller pack.',
  pack_not_json: askAuthor,
  pack_schema_invalid: askAuthor,
  pack_text_forbidden: 'Nothing was installed. A pack holds numbers and plain words only; ask its author to take this out.',
  pack_kind_unsupported: 'Choose a pack of the kind that was expected.',
  pack_digest_mismatch: installAgain,
  pack_weights_truncated: installAgain,
  pack_tensors_do_not_tile: askAuthor,
  pack_tensor_missing: askAuthor,
  pack_weights_not_finite: askAuthor,
  pack_weights_out_of_range: askAuthor,
  pack_memory_exceeded: 'Close other pages and try again, or use a smaller pack.',
  pack_golden_failed:
    'The pack is not offered on this device. Update the browser and the graphics driver, or choose another engine.',
  model_formula_invalid: askAuthor,
  model_symbol_unknown: askAuthor,
  model_cycle: askAuthor,
  model_units_differ: askAuthor,
  model_stepper_unfit: askAuthor,
  pack_not_found: 'Choose one of the packs in the list, or reload the page.',
};

/** `what` says what was found and what was expected, as whole sentences. */
export function refusal(code: PackCode, where: string, what: string, options?: ErrorOptions): AppError {
  return new AppError(code, `${where}: ${what} ${remedies[code]}`, options);
}

/** Text of a stranger's file, short enough and plain enough to stand in a message. */
export function quoted(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  const plain = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '�');
  return `'${plain.length > 60 ? `${plain.slice(0, 60)}…` : plain}'`;
}
