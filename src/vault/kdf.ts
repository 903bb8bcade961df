/**
 * A passphrase to 32 bytes, slowly on purpose. What the stored parameters ask for is checked before any work is done: a file that
 * wants 4 TiB would hang the page, and one that wants a single pass would give the passphrase away.
 */
import { argon2id } from 'hash-wasm';
import { AppError } from '#domain/errors.ts';
import type { KdfParameters } from './keys.ts';

/** OWASP's Password Storage Cheat Sheet: 19 MiB in two passes, or 600,000 rounds of PBKDF2-HMAC-SHA-256, at the least. */
export const floor = {
  argon2id: { name: 'argon2id', memoryKiB: 19 * 1024, iterations: 2, parallelism: 1 },
  'pbkdf2-sha256': { name: 'pbkdf2-sha256', iterations: 600_000 },
} as const satisfies Record<string, KdfParameters>;

/** `work` is memory times passes: 4 GiB·passes are some tens of seconds on a slow machine. */
const cap = { memoryKiB: 1024 * 1024, passes: 20, work: 4 * 1024 * 1024, rounds: 10_000_000 };

/** Rejects with `vault_cost_refused` what is below the floors or above the caps. */
export function checkCost(kdf: KdfParameters): void {
  if (isAffordable(kdf)) return;
  const asked =
    kdf.name === 'argon2id'
      ? `${kdf.memoryKiB} KiB of memory in ${kdf.iterations} passes (Argon2id)`
      : `${kdf.iterations} rounds (PBKDF2)`;
  throw new AppError(
    'vault_cost_refused',
    `Unlocking would take ${asked}. Counterpart accepts 19 MiB to 1 GiB in 2 to 20 passes, together at most 4 GiB, or 600,000 to 10,000,000 rounds. Nothing was computed; the file was damaged, or made to harm.`,
  );
}

function isAffordable(kdf: KdfParameters): boolean {
  const within = (value: number, from: number, to: number) => Number.isInteger(value) && value >= from && value <= to;
  if (kdf.name === 'pbkdf2-sha256') return within(kdf.iterations, floor[kdf.name].iterations, cap.rounds);
  return (
    within(kdf.memoryKiB, floor.argon2id.memoryKiB, cap.memoryKiB) &&
    within(kdf.iterations, floor.argon2id.iterations, cap.passes) &&
    kdf.memoryKiB * kdf.iterations <= cap.work &&
    kdf.parallelism === 1
  );
}

/** 32 bytes. `password` is left as it is; whoever made it overwrites it. */
export async function stretch(
  password: Uint8Array<ArrayBuffer>,
  salt: Uint8Array<ArrayBuffer>,
  kdf: KdfParameters,
): Promise<Uint8Array<ArrayBuffer>> {
  checkCost(kdf);
  if (kdf.name === 'pbkdf2-sha256') {
    const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits']);
    const bits = await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: kdf.iterations }, key, 256);
    return new Uint8Array(bits);
  }
  if (!canRunWebAssembly()) {
    throw new AppError(
      'vault_cost_refused',
      'This browser refuses WebAssembly, which the passphrase of this vault needs. Unlock with the recovery key or a passkey, or use another browser.',
    );
  }
  try {
    const { memoryKiB, iterations, parallelism } = kdf;
    return new Uint8Array(
      await argon2id({ password, salt, iterations, parallelism, memorySize: memoryKiB, hashLength: 32, outputType: 'binary' }),
    );
  } catch (cause) {
    throw new AppError(
      'vault_cost_refused',
      `This device could not give the ${Math.round(kdf.memoryKiB / 1024)} MiB of memory that the passphrase of this vault needs. Close other tabs and try again, or unlock with the recovery key.`,
      { cause },
    );
  }
}

/** The eight bytes of an empty module: a content policy without 'wasm-unsafe-eval' refuses even these. */
function canRunWebAssembly(): boolean {
  try {
    return new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)) instanceof WebAssembly.Module;
  } catch {
    return false;
  }
}

/**
 * The parameters for a new passphrase on this device: measured at the floor, twice, of which the faster counts (the first one also
 * compiles). `now` gives milliseconds of any clock that only goes up.
 */
export async function chooseKdf(now: () => number): Promise<KdfParameters> {
  const name = canRunWebAssembly() ? 'argon2id' : 'pbkdf2-sha256';
  const times: number[] = [];
  for (let run = 0; run < 2; run++) {
    const start = now();
    await stretch(new Uint8Array(16), new Uint8Array(16), floor[name]);
    times.push(now() - start);
  }
  return tuned(name, Math.min(...times));
}

const targetMs = 1000;
const mebi = 1024;
/** The memory stays with the worker until it is collected, and a backup must also open in a phone's browser. */
const mostTunedKiB = 128 * mebi;

/**
 * What takes about a second where the floor takes `floorMs` milliseconds: time grows with memory times passes. From 64 MiB in three
 * passes up by memory, then by passes; on a slow device two passes over less memory; never below the floor.
 */
export function tuned(name: KdfParameters['name'], floorMs: number): KdfParameters {
  const factor = targetMs / Math.max(floorMs, 0.001);
  if (name === 'pbkdf2-sha256') {
    const { iterations } = floor[name];
    return { name, iterations: clamp(Math.floor(iterations * factor), iterations, cap.rounds) };
  }
  const least = floor.argon2id;
  const work = clamp(least.memoryKiB * least.iterations * factor, least.memoryKiB * least.iterations, cap.work);
  const memoryFor = (passes: number) => Math.floor(work / passes / mebi) * mebi;
  if (memoryFor(3) < 64 * mebi) return { ...least, memoryKiB: Math.max(memoryFor(2), least.memoryKiB) };
  const memoryKiB = Math.min(memoryFor(3), mostTunedKiB);
  return { ...least, memoryKiB, iterations: clamp(Math.floor(work / memoryKiB), 3, cap.passes) };
}

function clamp(value: number, from: number, to: number): number {
  return Math.min(Math.max(value, from), to);
}
