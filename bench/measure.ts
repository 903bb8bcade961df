export interface Sample {
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** CPU time used so far by all that a path's work may run on, in milliseconds. */
export type Clock = () => number | Promise<number>;

export interface Contender {
  readonly path: string;
  /** Does the work so many times, one after the other. */
  run(times: number): Promise<void>;
}

/**
 * Medians over `rounds`, the paths taking turns in each round, so that a slow minute of a shared machine falls on all of them. A
 * path is repeated inside a sample until the sample is long enough for the clock: the kernel counts CPU time in ticks of 10 ms.
 * Every path has run before, so that what is compiled on first use is compiled.
 */
export async function measure(
  contenders: readonly Contender[],
  clock: Clock,
  rounds: number,
  sampleMs = 300,
): Promise<Map<string, Sample>> {
  const repeats = new Map<string, number>();
  for (const contender of contenders) {
    const { wallMs } = await timed(contender, 1, clock);
    repeats.set(contender.path, Math.ceil(sampleMs / wallMs));
  }
  const samples = new Map<string, Sample[]>(contenders.map(({ path }) => [path, []]));
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      samples.get(contender.path)!.push(await timed(contender, repeats.get(contender.path)!, clock));
    }
  }
  return new Map([...samples].map(([path, own]) => [path, medians(own)]));
}

export async function timed(contender: Contender, times: number, clock: Clock): Promise<Sample> {
  const startedCpu = await clock();
  const started = performance.now();
  await contender.run(times);
  const wallMs = (performance.now() - started) / times;
  return { cpuMs: ((await clock()) - startedCpu) / times, wallMs };
}

export function medians(samples: readonly Sample[]): Sample {
  const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  return { cpuMs: median(samples.map(({ cpuMs }) => cpuMs)), wallMs: median(samples.map(({ wallMs }) => wallMs)) };
}
