/** Answers calls with a host. The same in the worker and, for tests, in the page. */
import { AppError } from '#domain/errors.ts';
import type { VaultHost } from './host.ts';
import type { OpenedRow, Writing } from './open-vault.ts';
import type { CallName, Calls, FromWorker, SentError, ToWorker } from './protocol.ts';

const lockWaitMs = 2000;

type Answers = {
  readonly [Name in CallName]: (
    argument: Calls[Name]['argument'],
    piece: (rows: readonly OpenedRow[]) => void,
  ) => Promise<Calls[Name]['answer']>;
};

export function makeServer(host: VaultHost, send: (message: FromWorker) => void): (message: ToWorker) => Promise<void> {
  const running = new Set<Promise<unknown>>();
  const handed = new Map<number, Writing[]>();
  const answers: Answers = {
    look: ({ canary }) => host.look(canary),
    create: (secret) => host.create(secret),
    unlock: (secret) => host.unlock(secret),
    recover: (secret) => host.recover(secret),
    openBackup: ({ file, secret, canary }) => host.openBackup(file, secret, canary),
    restore: ({ canary }) => host.restore(canary),
    closeBackup: async () => {
      host.closeBackup();
      return null;
    },
    lookAtBackup: (file) => host.lookAtBackup(file),
    rescue: () => host.rescue(),
    startOver: () => host.startOver().then(() => null),
    async all(table, piece) {
      let unreadable = 0;
      for await (const opened of host.vault.all(table)) {
        unreadable += opened.unreadable;
        piece(opened.rows);
      }
      return { unreadable };
    },
    get: async ({ table, id }) => host.vault.get(table, id),
    async hand({ batch, writings }) {
      const before = handed.get(batch);
      if (before) before.push(...writings);
      else handed.set(batch, [...writings]);
      return null;
    },
    async put({ table, batch, writings }) {
      const before = (batch !== undefined && handed.get(batch)) || [];
      if (batch !== undefined) handed.delete(batch);
      return host.vault.put(table, [...before, ...writings]);
    },
    remove: ({ table, id }) => host.remove(table, id).then(() => null),
    erase: (patientId) => host.erase(patientId),
    appendLog: async (event) => host.vault.log(event).then(() => null),
    readLog: async () => host.vault.readLog(),
    checkCode: async (code) => host.vault.checkCode(code),
    storage: () => host.storage(),
    ways: () => host.ways(),
    setSecret: ({ current, next }) => host.setSecret(current, next).then(() => null),
    newRecoveryKey: (current) => host.newRecoveryKey(current),
    removeWay: ({ current, id }) => host.removeWay(current, id).then(() => null),
    backup: () => host.backup(),
    async lock() {
      // What was asked before is done before, within reason: a disk that hangs must not keep the vault open.
      await Promise.race([Promise.allSettled(running), new Promise((done) => setTimeout(done, lockWaitMs))]);
      host.lock();
      return null;
    },
  };

  return async ({ id, name, argument }) => {
    try {
      const piece = (rows: readonly OpenedRow[]) => send({ type: 'piece', id, rows });
      const work = (answers[name] as Answers[CallName])(argument as never, piece);
      running.add(work);
      const answer = await work.finally(() => running.delete(work));
      send({ type: 'answer', id, answer });
    } catch (error) {
      send({ type: 'error', id, error: sent(error) });
    }
  };
}

/** Of an error that is not ours only the kind crosses: its text might hold what was read. */
function sent(error: unknown): SentError {
  if (error instanceof AppError) return { code: error.code, message: error.message };
  return {
    code: null,
    message: error instanceof Error ? `${error.name} in the vault's worker.` : 'An error in the vault’s worker.',
  };
}
