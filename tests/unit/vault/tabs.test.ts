import { afterEach, expect, test } from 'vitest';
import { browserTabs } from '#vault/tabs.ts';
import type { Tabs } from '#vault/tabs.ts';

/** As the platform's: one holder, a queue, and theft. Node 20 has no Web Locks. */
function lockManager(): LockManager {
  let holder: { steal: () => void } | null = null;
  const queue: (() => void)[] = [];
  const next = () => queue.shift()?.();
  async function request(name: string, options: LockOptions, callback: LockGrantedCallback<unknown>): Promise<unknown> {
    const grant = async () => {
      let stolen = false;
      const theft = new Promise<never>((_, fail) => {
        holder = {
          steal: () => {
            stolen = true;
            fail(new DOMException('stolen', 'AbortError'));
          },
        };
      });
      const mine = holder;
      try {
        return await Promise.race([callback({ name, mode: 'exclusive' }), theft]);
      } finally {
        if (holder === mine && !stolen) {
          holder = null;
          next();
        }
      }
    };
    if (options.steal) {
      holder?.steal();
      return grant();
    }
    if (!holder) return grant();
    if (options.ifAvailable) return callback(null);
    return new Promise((done, failed) => {
      const turn = () => grant().then(done, failed);
      queue.push(turn);
      options.signal?.addEventListener('abort', () => {
        queue.splice(queue.indexOf(turn), 1);
        failed(options.signal?.reason);
      });
    });
  }
  return { request, query: async () => ({ held: [], pending: [] }) } as unknown as LockManager;
}

const open: Tabs[] = [];
afterEach(() => open.splice(0).forEach((tabs) => tabs.close()));

async function tab(locks: LockManager): Promise<Tabs> {
  const tabs = await browserTabs({ name: 'test', locks, channel: new BroadcastChannel('vault-tabs-test') });
  open.push(tabs);
  return tabs;
}

const settled = () => new Promise((done) => setTimeout(done, 20));

test('the first tab writes, the second reads', async () => {
  const locks = lockManager();
  expect((await tab(locks)).isWriter).toBe(true);
  expect((await tab(locks)).isWriter).toBe(false);
});

test('the second tab becomes the writer when the first closes', async () => {
  const locks = lockManager();
  const first = await tab(locks);
  const second = await tab(locks);
  const roles: boolean[] = [];
  second.onRole((isWriter) => roles.push(isWriter));
  first.close();
  await settled();
  expect(second.isWriter).toBe(true);
  expect(roles).toEqual([true]);
});

test('a tab that takes over makes the other a reader, and gives back when it closes', async () => {
  const locks = lockManager();
  const first = await tab(locks);
  const second = await tab(locks);
  await second.takeOver();
  await settled();
  expect([first.isWriter, second.isWriter]).toEqual([false, true]);
  second.close();
  await settled();
  expect(first.isWriter).toBe(true);
});

test('a change is announced to the other tab only', async () => {
  const locks = lockManager();
  const first = await tab(locks);
  const second = await tab(locks);
  const heard: string[] = [];
  first.onAnnounced((change) => heard.push(`first ${change.id}`));
  second.onAnnounced((change) => heard.push(`second ${change.id}`));
  first.announce({ table: 'patients', id: 'p1' });
  await settled();
  expect(heard).toEqual(['second p1']);
});
