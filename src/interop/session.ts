/** What the import worker does for its page, and import-check for a command line: open, look, stage, hand out. Runs anywhere. */
import { openFiles, type OpenGroup, type Pacing } from './read-file.ts';
import {
  mostObservationsAtOnce,
  mostPatientsAtOnce,
  type ImportCallName,
  type ImportCalls,
  type ImportProgress,
} from './protocol.ts';
import type { Staged } from './staged.ts';
import type { FileSource } from './tables/text-file.ts';
import { yieldToOthers } from '../yield.ts';

export interface SessionHooks {
  readonly onProgress: (progress: ImportProgress) => void;
  readonly signal: AbortSignal;
}

/** Lets messages in this often. */
const mostBusyMs = 50;

export class ImportSession {
  #groups: readonly OpenGroup[] = [];
  readonly #staged = new Map<number, Staged>();

  /** `files` of `open` come apart: only the caller knows how to read them. */
  async call<Name extends Exclude<ImportCallName, 'open'>>(
    name: Name,
    argument: ImportCalls[Name]['argument'],
    hooks: SessionHooks,
  ): Promise<ImportCalls[Name]['answer']> {
    const answers: { readonly [Call in Exclude<ImportCallName, 'open'>]: (argument: ImportCalls[Call]['argument']) => unknown } =
      {
        look: ({ group, reading }) => this.#look(group, reading, hooks),
        sample: (order) => this.#sample(order),
        stage: (order) => this.#stage(order, hooks),
        patients: ({ group, from, count }) => this.#held(group).patients(from, Math.min(count, mostPatientsAtOnce)),
        person: ({ group, key }) => this.#held(group).person(key),
        take: ({ group, key, from, count }) => this.#held(group).take(key, from, Math.min(count, mostObservationsAtOnce)),
      };
    return (await answers[name](argument)) as ImportCalls[Name]['answer'];
  }

  async open(files: readonly FileSource[], hooks: SessionHooks): Promise<ImportCalls['open']['answer']> {
    this.#staged.clear();
    this.#groups = [];
    this.#groups = await openFiles(files, pacingOf(files, hooks));
    return this.#groups.map(({ group }) => group);
  }

  async #look(
    id: number,
    reading: ImportCalls['look']['argument']['reading'],
    hooks: SessionHooks,
  ): Promise<ImportCalls['look']['answer']> {
    const open = this.#group(id);
    const again = await open.look(
      reading,
      pacingOf(
        open.group.files.map(({ name, bytes }) => ({ name, size: bytes })),
        hooks,
      ),
    );
    this.#groups = this.#groups.map((group) => (group === open ? again : group));
    this.#staged.delete(id);
    return again.group;
  }

  async #sample(order: ImportCalls['sample']['argument']): Promise<ImportCalls['sample']['answer']> {
    const staged = await this.#group(order.group).sample(order);
    return staged.patients(0, mostPatientsAtOnce).flatMap(({ key }) => staged.take(key, 0, mostObservationsAtOnce));
  }

  async #stage(order: ImportCalls['stage']['argument'], hooks: SessionHooks): Promise<ImportCalls['stage']['answer']> {
    const { group, stage } = this.#group(order.group);
    this.#staged.delete(order.group);
    const staged = await stage(
      order,
      pacingOf(
        group.files.map(({ name, bytes }) => ({ name, size: bytes })),
        hooks,
      ),
    );
    this.#staged.set(order.group, staged);
    return { ...staged.summary, patients: staged.patients(0, mostPatientsAtOnce) };
  }

  #group(id: number): OpenGroup {
    const found = this.#groups[id];
    if (!found) throw new Error('Broken promise: a group that was not opened.');
    return found;
  }

  #held(id: number): Staged {
    const found = this.#staged.get(id);
    if (!found) throw new Error('Broken promise: a group that was not staged.');
    return found;
  }
}

/** Progress over several files by name, a word now and then to whoever sent a message, and a stop where it was asked for. */
function pacingOf(files: readonly Pick<FileSource, 'name' | 'size'>[], { onProgress, signal }: SessionHooks): Pacing {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const done = new Map<string, number>();
  let spoke = performance.now();
  return {
    of:
      ({ name }) =>
      async (bytes) => {
        done.set(name, Math.max(bytes, done.get(name) ?? 0));
        if (performance.now() - spoke < mostBusyMs) return;
        let sum = 0;
        for (const part of done.values()) sum += part;
        onProgress({ done: Math.min(sum, total), total });
        await yieldToOthers();
        spoke = performance.now();
        signal.throwIfAborted();
      },
  };
}
