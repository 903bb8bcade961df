import * as v from 'valibot';
import { AppError } from '#domain/errors.ts';
import { fromBase64url, toBase64url } from './base64url.ts';
import { signedHeader } from './header-bytes.ts';
import { checkCost, chooseKdf } from './kdf.ts';
import type { Secret, VaultHeader, VaultKeys } from './keys.ts';
import { writeRecoveryKey } from './recovery-key.ts';
import { OpenKeys } from './vault-keys.ts';
import type { KeyOptions } from './vault-keys.ts';
import { newDataKey, unwrapDataKey, wrapDataKey } from './wraps.ts';
import type { RandomBytes } from './wraps.ts';

/**
 * A new vault that opens with `secret` and with a recovery key, which is given once and kept nowhere; the demonstration vault (a
 * secret of kind 'none') has none. Rejects with `vault_secret_weak`.
 */
export async function createHeader(
  secret: Secret,
  options: KeyOptions,
): Promise<{ readonly header: VaultHeader; readonly keys: VaultKeys; readonly recoveryKey: string | null }> {
  const { randomBytes } = options;
  const vaultId = toBase64url(randomBytes(16));
  const kdf = secret.kind === 'passphrase' ? (options.kdf ?? (await chooseKdf(options.now))) : null;
  const dataKey = await newDataKey(randomBytes);
  const isDemonstration = secret.kind === 'none';
  const wraps = [await wrapDataKey(dataKey.wrappable, vaultId, secret, { kdf, randomBytes })];
  const recoveryKey = isDemonstration ? null : await newRecoveryKey(randomBytes);
  if (recoveryKey) {
    const recovery = { kind: 'recovery', text: recoveryKey } as const;
    wraps.push(await wrapDataKey(dataKey.wrappable, vaultId, recovery, { kdf: null, randomBytes }));
  }
  const keys = await OpenKeys.of(vaultId, dataKey, options);
  return { header: await signedHeader(keys, { format: 1, vaultId, isDemonstration, wraps }), keys, recoveryKey };
}

/** The text to print, of 16 random bytes. Becomes a way of unlocking through `withWrap`. */
export async function newRecoveryKey(randomBytes: RandomBytes): Promise<string> {
  const bytes = randomBytes(16);
  const text = await writeRecoveryKey(bytes);
  bytes.fill(0);
  return text;
}

/**
 * Rejects with `vault_secret_wrong`; with `vault_cost_refused` before any work when the header asks for an absurd derivation; with
 * `vault_damaged` when the secret is right and the header was changed.
 */
export async function openHeader(header: VaultHeader, secret: Secret, options: KeyOptions): Promise<VaultKeys> {
  for (const { kdf } of header.wraps) if (kdf) checkCost(kdf);
  const credential = secret.kind === 'passkey' ? secret.credentialId : undefined;
  const wrap = header.wraps.find(({ kind, credentialId }) => kind === secret.kind && credentialId === credential);
  const dataKey = wrap ? await unwrapDataKey(header.vaultId, wrap, secret) : null;
  if (!dataKey) throw new AppError('vault_secret_wrong', wrongBy[secret.kind]);
  const keys = await OpenKeys.of(header.vaultId, dataKey, options);
  try {
    await keys.verify(header);
    return keys;
  } catch (cause) {
    keys.destroy();
    throw cause;
  }
}

const wrongBy: Readonly<Record<Secret['kind'], string>> = {
  passphrase: 'This is not the passphrase of this vault. Check the keyboard layout and the caps lock key, and type it again.',
  recovery: 'This recovery key belongs to another vault, or was replaced by a newer one.',
  passkey: 'This passkey does not open this vault. Choose another one, or use the passphrase or the recovery key.',
  none: 'This vault holds real data and does not open without a secret.',
};

const text = (bytes: number) =>
  v.pipe(
    v.string(),
    v.check((value) => fromBase64url(value)?.length === bytes),
  );
const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const kdf = v.variant('name', [
  v.strictObject({ name: v.literal('argon2id'), memoryKiB: whole, iterations: whole, parallelism: v.literal(1) }),
  v.strictObject({ name: v.literal('pbkdf2-sha256'), iterations: whole }),
]);
const common = { id: text(8), salt: text(16), iv: text(12), wrapped: text(48) };
const wrap = v.variant('kind', [
  v.strictObject({ kind: v.literal('passphrase'), ...common, kdf }),
  v.strictObject({ kind: v.literal('recovery'), ...common }),
  v.strictObject({
    kind: v.literal('passkey'),
    ...common,
    // WebAuthn allows identifiers of up to 1,023 bytes.
    credentialId: v.pipe(v.string(), v.regex(/^[\w-]{1,1400}$/)),
  }),
  v.strictObject({ kind: v.literal('none'), ...common }),
]);
const schema = v.strictObject({
  format: v.literal(1),
  vaultId: text(16),
  isDemonstration: v.boolean(),
  wraps: v.pipe(v.array(wrap), v.minLength(1), v.maxLength(16)),
  mac: text(32),
});

/** The one door for a stored header. Throws `vault_newer` for a later format and `vault_damaged` for what is no header. */
export function readHeader(stored: unknown): VaultHeader {
  const format = v.safeParse(v.object({ format: whole }), stored);
  if (format.success && format.output.format > 1) {
    throw new AppError(
      'vault_newer',
      `This vault was written by a later version of Counterpart (format ${format.output.format}, known here: 1). Nothing was changed; open it with that version.`,
    );
  }
  const outcome = v.safeParse(schema, stored);
  if (outcome.success && isConsistent(outcome.output)) return outcome.output;
  throw new AppError(
    'vault_damaged',
    'What the vault says of itself (its ways of unlocking) cannot be read. Restore the second copy or a backup.',
  );
}

/** A demonstration vault opens without a secret, and nothing else does; one passphrase, one recovery key, each passkey once. */
function isConsistent({ isDemonstration, wraps }: VaultHeader): boolean {
  const ways = wraps.map((way) => (way.kind === 'passkey' ? way.credentialId : way.kind));
  return new Set(ways).size === ways.length && wraps.every(({ kind }) => (kind === 'none') === isDemonstration);
}
