import { expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { readBackup, writeBackup } from '#vault/backup-stream.ts';
import { createHeader } from '#vault/header.ts';
import { floor } from '#vault/kdf.ts';
import type { Secret } from '#vault/keys.ts';
import { seededBytes } from '../../fixtures/crypto/seeded-bytes.ts';
import { byteMutants } from '../../fixtures/mutants.ts';

// `MUTANTS=5000` for the long form.
const count = Number(process.env.MUTANTS ?? 500);
const options = () => ({ randomBytes: seededBytes(1), now: () => 0, kdf: floor.argon2id });
const secret = (): Secret => ({ kind: 'passkey', credentialId: 'Y3JlZA', prf: new Uint8Array(32).fill(7) });

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content;
}

/** Everything of a file, or nothing: the code of the refusal. */
async function contentOf(bytes: Uint8Array<ArrayBuffer>): Promise<Buffer | string> {
  try {
    const parts: Uint8Array[] = [];
    for await (const part of (await readBackup(new Blob([bytes]), secret(), options())).payload) parts.push(part);
    return Buffer.concat(parts);
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

test(`${count} damaged backups are refused by name, or are what was written`, { timeout: 600_000 }, async () => {
  const { header, keys } = await createHeader(secret(), options());
  const content = seededBytes(9)(70_000);
  const meta = { commitCounter: 3, madeAt: 1_800_000_000_000, counts: { patients: 2 } };
  const file = new Uint8Array(await (await writeBackup(header, keys, meta, once(content), options())).arrayBuffer());
  for (const { seed, damage, bytes } of byteMutants(file, count)) {
    const found = await contentOf(new Uint8Array(bytes));
    const isSame = Buffer.compare(bytes, file) === 0;
    if (typeof found === 'string') expect(found, `seed ${seed}: ${damage}`).toMatch(/^(backup_|vault_)/);
    else expect(isSame && Buffer.compare(found, content) === 0, `seed ${seed}: ${damage}`).toBe(true);
  }
});
