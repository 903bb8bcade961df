import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { stepsPerMinute, type GlucoseWork } from '../glucose-work.ts';
import { medians, type Sample } from '../measure.ts';

const script = fileURLToPath(new URL('glucose_numpy.py', import.meta.url));

/** What glucose_numpy.py measures of itself, so that starting Python counts for nothing; null where Python or numpy is missing. */
export async function timeNumpy(work: GlucoseWork, rounds: number): Promise<{ glucose: Float32Array; sample: Sample } | null> {
  if (!(await hasNumpy())) return null;
  const { lanes, minutes, reports, eaten, insulin, patients } = work;
  const header = {
    ...{ lanes, minutes, reports, stepsPerMinute, runs: rounds },
    ...{ eaten: [...eaten], insulin: [...insulin], parameters: Object.keys(patients) },
  };
  const columns = Object.values(patients).map((values) => new Uint8Array(Float32Array.from(values).buffer));
  const output = await run([script], [new TextEncoder().encode(`${JSON.stringify(header)}\n`), ...columns]);
  const lineEnd = output.indexOf(10);
  const samples = JSON.parse(new TextDecoder().decode(output.subarray(0, lineEnd))) as Sample[];
  return { glucose: new Float32Array(output.slice(lineEnd + 1).buffer), sample: medians(samples) };
}

async function hasNumpy(): Promise<boolean> {
  try {
    await run(['-c', 'import numpy'], []);
    return true;
  } catch {
    return false;
  }
}

function run(args: readonly string[], input: readonly Uint8Array[]): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const child = spawn('python3', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const chunks: Uint8Array[] = [];
    const complaints: Uint8Array[] = [];
    child.on('error', reject);
    child.stdout.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Uint8Array) => complaints.push(chunk));
    child.on('close', (code) =>
      code === 0 ? resolve(new Uint8Array(Buffer.concat(chunks))) : reject(new Error(Buffer.concat(complaints).toString())),
    );
    for (const part of input) child.stdin.write(part);
    child.stdin.end();
  });
}
