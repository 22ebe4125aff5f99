import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { createWorkQueue, type WorkQueue } from '../../src/agent/work-queue.js';
import { eventually } from './support/eventually.js';

let queue: WorkQueue | null = null;

afterEach(async () => {
  await queue?.stop();
});

/** A queue whose runs end when the test says so. */
function manual(concurrency: number) {
  const log: string[] = [];
  const open = new Map<string, () => void>();
  const created = createWorkQueue({
    concurrency,
    run: (key, signal) =>
      new Promise((resolve, reject) => {
        log.push(`+${key}`);
        open.set(key, () => {
          log.push(`-${key}`);
          resolve(null);
        });
        signal.addEventListener('abort', () => {
          log.push(`x${key}`);
          reject(signal.reason);
        });
      }),
    onError: (key, error) => log.push(`!${key} ${error}`),
  });
  queue = created;
  const end = async (key: string) => {
    open.get(key)?.();
    await delay(0);
  };
  return { queue: created, log, end };
}

test('one run at a time for a key, and several keys at once', async () => {
  const { queue: work, log, end } = manual(2);
  for (const key of ['a', 'a', 'b', 'c', 'a']) work.add(key);
  expect(log).toEqual(['+a', '+b']);
  await end('a');
  // What was asked for meanwhile is one run more, behind those that waited.
  expect(log).toEqual(['+a', '+b', '-a', '+c']);
  await end('b');
  expect(log.at(-1)).toBe('+a');
});

test('a superseded run is cancelled and followed by another', async () => {
  const { queue: work, log } = manual(1);
  work.add('a');
  work.add('a', { supersede: true });
  await eventually('the second run', () => log.length === 3);
  expect(log).toEqual(['+a', 'xa', '+a']);
});

test('the earliest of several delays counts, and a run now waits for none', async () => {
  const { queue: work, log, end } = manual(1);
  work.add('a', { delayMs: 60_000 });
  work.add('a', { delayMs: 5 });
  await eventually('the run', () => log.length === 1);
  await end('a');
  work.add('a', { delayMs: 60_000 });
  work.add('a');
  expect(log).toEqual(['+a', '-a', '+a']);
});

test('a run that fails is told and tried again; the others go on', async () => {
  const errors: string[] = [];
  let runs = 0;
  queue = createWorkQueue({
    concurrency: 1,
    async run(key) {
      runs += 1;
      if (key === 'bad' && runs === 1) throw new Error('broken');
      return null;
    },
    onError: (key, error) => errors.push(`${key}: ${(error as Error).message}`),
  });
  queue.add('bad');
  queue.add('good');
  await eventually('three runs', () => runs === 3);
  expect(errors).toEqual(['bad: broken']);
});

test('after it is stopped nothing runs any more', async () => {
  const { queue: work, log } = manual(1);
  work.add('a');
  work.add('b');
  await work.stop();
  work.add('c');
  expect(log).toEqual(['+a', 'xa']);
});
