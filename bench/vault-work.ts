/** What the vault's cryptography costs where this runs: wall time, medians. Knows neither Node nor a page. */
import { readBackup, writeBackup } from '#vault/backup-stream.ts';
import { createHeader } from '#vault/header.ts';
import { chooseKdf, floor, stretch } from '#vault/kdf.ts';
import type { KdfParameters } from '#vault/keys.ts';

export interface VaultTimings {
  readonly sealRowMs: number;
  readonly openRowMs: number;
  /** Of one among 64 at a time. */
  readonly sealManyMs: number;
  readonly openManyMs: number;
  readonly derivations: readonly { readonly kdf: KdfParameters; readonly ms: number }[];
  /** What set-up chooses here. */
  readonly chosen: KdfParameters;
  readonly writeBackupMBPerSecond: number;
  readonly readBackupMBPerSecond: number;
}

const rowBytes = 2048;
const rows = 512;
const atATime = 64;
const backupBytes = 64 * 1024 * 1024;

export async function vaultTimings(): Promise<VaultTimings> {
  const options = {
    randomBytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
    now: () => performance.now(),
  };
  const passkey = () => ({ kind: 'passkey', credentialId: 'AAAA', prf: new Uint8Array(32).fill(1) }) as const;
  const { header, keys } = await createHeader(passkey(), options);
  const place = (counter: number) => ({ table: 'patients', id: 'p', schemaVersion: 1, counter });
  const plain = options.randomBytes(rowBytes);
  const all = Array.from({ length: rows }, (_, at) => at);
  const sealed = await Promise.all(all.map((at) => keys.seal(place(at), plain)));
  const seal = async (at: number) => void (await keys.seal(place(at), plain));
  const open = async (at: number) => void (await keys.open(place(at), sealed[at]!));

  const derivations = [];
  for (const kdf of [floor.argon2id, { ...floor.argon2id, memoryKiB: 64 * 1024, iterations: 3 }, floor['pbkdf2-sha256']]) {
    derivations.push({ kdf, ms: await median(3, () => stretch(new Uint8Array(16), new Uint8Array(16), kdf)) });
  }

  const payload = async function* () {
    const piece = new Uint8Array(1024 * 1024).fill(7);
    for (let at = 0; at < backupBytes; at += piece.length) yield piece;
  };
  const meta = { commitCounter: 1, madeAt: 0, counts: {} };
  let file = new Blob();
  const writeMs = await median(3, async () => void (file = await writeBackup(header, keys, meta, payload(), options)));
  const readMs = await median(3, async () => {
    let read = 0;
    for await (const part of (await readBackup(file, passkey(), options)).payload) read += part.length;
    if (read !== backupBytes) throw new Error(`Backup: ${read} bytes came back of ${backupBytes}.`);
  });

  return {
    sealRowMs: (await median(5, () => inTurn(all, seal))) / rows,
    openRowMs: (await median(5, () => inTurn(all, open))) / rows,
    sealManyMs: (await median(5, () => together(all, seal))) / rows,
    openManyMs: (await median(5, () => together(all, open))) / rows,
    derivations,
    chosen: await chooseKdf(options.now),
    writeBackupMBPerSecond: backupBytes / 1000 / writeMs,
    readBackupMBPerSecond: backupBytes / 1000 / readMs,
  };
}

async function inTurn(all: readonly number[], work: (at: number) => Promise<void>): Promise<void> {
  for (const at of all) await work(at);
}

async function together(all: readonly number[], work: (at: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < all.length; from += atATime) await Promise.all(all.slice(from, from + atATime).map(work));
}

async function median(times: number, work: () => Promise<unknown>): Promise<number> {
  const taken: number[] = [];
  for (let run = 0; run < times; run++) {
    const start = performance.now();
    await work();
    taken.push(performance.now() - start);
  }
  return taken.toSorted((a, b) => a - b)[Math.floor(times / 2)]!;
}
