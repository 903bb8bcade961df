import { toBase64url } from './base64url.ts';
import { canonicalBytes } from './canonical-bytes.ts';
import type { VaultHeader, VaultKeys } from './keys.ts';
import { wrapValues } from './wraps.ts';

/** All that a header says, but for its MAC, as one byte string. */
function headerBytes({ format, vaultId, isDemonstration, wraps }: Omit<VaultHeader, 'mac'>): Uint8Array {
  const values = wraps.flatMap((wrap) => [...wrapValues(wrap), wrap.wrapped]);
  return canonicalBytes('counterpart header 1', format, vaultId, isDemonstration, wraps.length, ...values);
}

export async function signedHeader(keys: Pick<VaultKeys, 'mac'>, header: Omit<VaultHeader, 'mac'>): Promise<VaultHeader> {
  const { format, vaultId, isDemonstration, wraps } = header;
  const mac = toBase64url(await keys.mac('header', headerBytes(header)));
  return { format, vaultId, isDemonstration, wraps, mac };
}
