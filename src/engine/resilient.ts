import { AppError } from '#domain/errors.ts';
import type { Engine, RolloutRequest, RolloutSummary, RunHooks } from './engine.ts';
import type { Simulation, SimulationRequest, Simulator } from './simulation.ts';

/** One place to compute on, for both kinds of pack. */
export type Machine = Engine & Simulator;

/** An engine and a simulator that live on the same device, and end together. */
export function asMachine(engine: Engine, simulator: Simulator): Machine {
  return {
    kind: engine.kind,
    description: engine.description,
    rollOut: (request, hooks) => engine.rollOut(request, hooks),
    simulate: (request, hooks) => simulator.simulate(request, hooks),
    dispose() {
      simulator.dispose();
      engine.dispose();
    },
  };
}

/** What happened to the engine, for the page's one line about it. */
export type EngineChange =
  /** The GPU was lost; a new device was made and the run starts again from its beginning. */
  | { readonly kind: 'rebuilt'; readonly description: string }
  /** From now on every run goes to the processor. */
  | { readonly kind: 'moved-to-cpu'; readonly description: string; readonly reason: string }
  /** This run did not fit the GPU's memory and goes to the processor; the next one may fit. */
  | { readonly kind: 'one-run-on-cpu'; readonly description: string; readonly reason: string };

export interface ResilientOptions {
  /** Makes a machine on a new device. Rejects with `gpu_unavailable` where there is none. */
  readonly makeGpu: () => Promise<Machine>;
  /** Makes the machine that needs no GPU; called when it is first needed. */
  readonly makeCpu: () => Promise<Machine>;
  readonly onChange?: (change: EngineChange) => void;
}

// A second loss within two minutes makes Chromium refuse adapters for 120 s, whatever caused it: one more try, no third.
const lossesBeforeCpu = 2;

/**
 * An engine that outlives the GPU. A run during which the device is lost is started again on a new device; after the second loss,
 * or when there is no new device, it goes to the CPU engine and so does every later run. Progress then begins at 0 again. All
 * engines draw the same random bits, so the answer is the same within rounding wherever it was computed.
 */
export class ResilientEngine implements Engine, Simulator {
  readonly #options: ResilientOptions;
  #engine: Machine;
  #cpu: Promise<Machine> | undefined;
  #losses = 0;
  #isDisposed = false;
  #replacing: Promise<void> | undefined;

  static async create(options: ResilientOptions): Promise<ResilientEngine> {
    return new ResilientEngine(options, await options.makeGpu());
  }

  constructor(options: ResilientOptions, first: Machine) {
    this.#options = options;
    this.#engine = first;
  }

  get kind(): Engine['kind'] {
    return this.#engine.kind;
  }

  get description(): string {
    return this.#engine.description;
  }

  rollOut(request: RolloutRequest, hooks: RunHooks = {}): Promise<RolloutSummary> {
    return this.#run((machine) => machine.rollOut(request, hooks), hooks);
  }

  simulate(request: SimulationRequest, hooks: RunHooks = {}): Promise<Simulation> {
    return this.#run((machine) => machine.simulate(request, hooks), hooks);
  }

  async #run<Answer>(task: (machine: Machine) => Promise<Answer>, hooks: RunHooks): Promise<Answer> {
    for (;;) {
      const engine = this.#engine;
      try {
        return await task(engine);
      } catch (error) {
        const code = error instanceof AppError ? error.code : undefined;
        if (this.#isDisposed || hooks.signal?.aborted || engine.kind !== 'gpu') throw error;
        if (code === 'gpu_out_of_memory') return await this.#runOnCpu(task, (error as AppError).message);
        if (code !== 'gpu_lost') throw error;
        await this.#replace(engine);
      }
    }
  }

  /** Puts a new engine in place of the lost one; runs that were lost together share one replacement. */
  async #replace(lost: Machine): Promise<void> {
    if (this.#engine !== lost) return;
    this.#replacing ??= this.#nextEngine(lost).finally(() => (this.#replacing = undefined));
    await this.#replacing;
  }

  async #nextEngine(lost: Machine): Promise<void> {
    this.#losses++;
    lost.dispose();
    let reason = 'The GPU was lost twice.';
    if (this.#losses < lossesBeforeCpu) {
      try {
        this.#engine = await this.#options.makeGpu();
        this.#options.onChange?.({ kind: 'rebuilt', description: this.#engine.description });
        return;
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        reason = 'The GPU was lost and the browser gave no new one.';
      }
    }
    this.#engine = await this.#cpuEngine();
    this.#options.onChange?.({ kind: 'moved-to-cpu', description: this.#engine.description, reason });
  }

  async #runOnCpu<Answer>(task: (machine: Machine) => Promise<Answer>, reason: string): Promise<Answer> {
    const cpu = await this.#cpuEngine();
    this.#options.onChange?.({ kind: 'one-run-on-cpu', description: cpu.description, reason });
    return await task(cpu);
  }

  #cpuEngine(): Promise<Machine> {
    return (this.#cpu ??= this.#options.makeCpu());
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#engine.dispose();
    void this.#cpu?.then((cpu) => cpu.dispose());
  }
}
