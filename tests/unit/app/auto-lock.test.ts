import { expect, test } from 'vitest';
import { AutoLock } from '#app/auto-lock.svelte.ts';
import type { LockReason } from '#app/auto-lock.svelte.ts';

function lockWith({ idleMinutes = 5, hiddenMinutes = 5, isTimed = true } = {}) {
  let now = 1_000_000;
  const locked: LockReason[] = [];
  const lock = new AutoLock({
    now: () => now,
    limits: () => ({ idleMinutes, hiddenMinutes }),
    isTimed,
    onlock: (reason) => locked.push(reason),
  });
  return {
    lock,
    locked,
    /** Seconds go by, ticked as the page does. */
    pass(seconds: number, every = 1) {
      for (let passed = 0; passed < seconds; passed += every) {
        now += every * 1000;
        lock.tick();
      }
    },
    sleep: (seconds: number) => (now += seconds * 1000),
  };
}

test('locks after the idle time, announced in its last minute', () => {
  const { lock, locked, pass } = lockWith();
  pass(239);
  expect(lock.secondsLeft).toBeNull();
  pass(1);
  expect(lock.secondsLeft).toBe(60);
  pass(59);
  expect([lock.secondsLeft, locked]).toEqual([1, []]);
  pass(1);
  expect(locked).toEqual(['idle']);
});

test('activity puts it off, also in the last minute', () => {
  const { lock, locked, pass } = lockWith();
  pass(290);
  lock.activity();
  expect(lock.secondsLeft).toBeNull();
  pass(299);
  expect(locked).toEqual([]);
  pass(1);
  expect(locked).toEqual(['idle']);
});

test('a limit of one minute is announced for half of it', () => {
  const { lock, pass } = lockWith({ idleMinutes: 1 });
  pass(29);
  expect(lock.secondsLeft).toBeNull();
  pass(1);
  expect(lock.secondsLeft).toBe(30);
});

test('locks in the background, where the browser ticks once a minute', () => {
  const { lock, locked, pass } = lockWith({ idleMinutes: 60, hiddenMinutes: 3 });
  lock.setHidden(true);
  pass(120, 60);
  expect(locked).toEqual([]);
  pass(60, 60);
  expect(locked).toEqual(['hidden']);
});

test('coming back in time clears the background’s clock', () => {
  const { lock, locked, pass } = lockWith({ idleMinutes: 60, hiddenMinutes: 3 });
  lock.setHidden(true);
  pass(170);
  lock.setHidden(false);
  pass(20);
  lock.setHidden(true);
  pass(170);
  expect(locked).toEqual([]);
});

test('a machine that slept locks before the hand that woke it counts', () => {
  const { lock, locked, sleep } = lockWith({ idleMinutes: 60, hiddenMinutes: 60 });
  sleep(121);
  lock.activity();
  expect(locked).toEqual(['sleep']);
});

test('a clock that is set back locks: it would keep the vault open for as long', () => {
  const { lock, locked, sleep } = lockWith();
  sleep(-3600);
  lock.tick();
  expect(locked).toEqual(['sleep']);
});

test('a page that the browser brings back from its cache is locked; the demonstration vault stays', () => {
  const { lock, locked } = lockWith();
  lock.broughtBack();
  expect(locked).toEqual(['sleep']);
  const demonstration = lockWith({ isTimed: false });
  demonstration.lock.broughtBack();
  expect(demonstration.locked).toEqual([]);
});

test('three times Escape within a second locks, once; slower does not', () => {
  const { lock, locked, sleep } = lockWith();
  for (let press = 0; press < 4; press++) {
    lock.escape();
    sleep(0.6);
  }
  expect(locked).toEqual([]);
  for (let press = 0; press < 5; press++) lock.escape();
  expect(locked).toEqual(['panic']);
});

test('the demonstration vault locks by no clock, and by the panic key', () => {
  const { lock, locked, pass, sleep } = lockWith({ isTimed: false });
  pass(4000, 10);
  sleep(9999);
  lock.setHidden(true);
  pass(4000, 10);
  expect([lock.secondsLeft, locked]).toEqual([null, []]);
  for (let press = 0; press < 3; press++) lock.escape();
  expect(locked).toEqual(['panic']);
});
