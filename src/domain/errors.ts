/**
 * Every error that a person can mend: a code with a heading in docs/errors.md. The message says where, what was found, what was
 * expected and what to do; it never holds a patient's values outside the screen that already shows them.
 */
export const errorCodes = [
  'pack_too_large',
  'pack_not_json',
  'pack_schema_invalid',
  'pack_text_forbidden',
  'pack_kind_unsupported',
  'pack_digest_mismatch',
  'pack_weights_truncated',
  'pack_tensors_do_not_tile',
  'pack_tensor_missing',
  'pack_weights_not_finite',
  'pack_weights_out_of_range',
  'pack_memory_exceeded',
  'pack_golden_failed',
  'pack_not_found',
  'model_formula_invalid',
  'model_symbol_unknown',
  'model_cycle',
  'model_units_differ',
  'model_stepper_unfit',
  'unit_unknown',
  'value_implausible',
  'value_not_a_number',
  'level_unknown',
  'date_invalid',
  'date_in_future',
  'observation_after_death',
  'observation_before_birth',
  'covariate_missing',
  'covariate_invalid',
  'record_invalid',
  'dose_invalid',
  'dose_before_birth',
  'dose_duplicate',
  'observation_before_dose',
  'fit_failed',
  'plan_invalid',
  'plan_outside_pack',
  'request_invalid',
  'gpu_lost',
  'gpu_unavailable',
  'gpu_out_of_memory',
  'worker_failed',
  'insecure_origin',
  'vault_unavailable',
  'vault_in_use',
  'vault_write_failed',
  'vault_locked',
  'vault_secret_wrong',
  'vault_secret_weak',
  'vault_cost_refused',
  'vault_row_changed',
  'vault_damaged',
  'vault_newer',
  'passkey_unavailable',
  'backup_not_one',
  'backup_truncated',
  'backup_changed',
  'backup_older',
  'consent_missing',
  'consent_expired',
  'import_refused',
  'export_failed',
  'run_invalid',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export class AppError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AppError';
    this.code = code;
  }
}

/** A promise between our own files: when it breaks, it is our bug and not the person's. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Broken promise: ${message}`);
}
