import { expect, test } from 'vitest';
import { intakePressure } from '../../src/manager/intake-pressure.js';

const stored = (): Promise<void> => Promise.resolve();

test('a stream of deliveries is pressure, a few are none, and it is over soon after the stream', () => {
  let now = 10_000;
  const pressure = intakePressure(() => now);
  expect(pressure.isHigh()).toBe(false);
  for (let i = 0; i < 10; i += 1) void pressure.during(stored);
  expect(pressure.isHigh()).toBe(false);
  for (let i = 0; i < 250; i += 1) {
    now += 2;
    void pressure.during(stored);
  }
  expect(pressure.isHigh()).toBe(true);
  now += 240;
  expect(pressure.isHigh()).toBe(true);
  now += 500;
  expect(pressure.isHigh()).toBe(false);
});

test('it is quiet once the last delivery is stored, or failed to be', async () => {
  const pressure = intakePressure();
  await pressure.quiet();
  const finishes: ((error?: Error) => void)[] = [];
  const store = () =>
    new Promise<void>((resolve, reject) => finishes.push((error) => (error === undefined ? resolve() : reject(error))));
  const first = pressure.during(store);
  const second = pressure.during(store).catch((error: Error) => error.message);
  let isQuiet = false;
  const quiet = pressure.quiet().then(() => {
    isQuiet = true;
  });
  finishes[0]?.();
  await first;
  expect(isQuiet).toBe(false);
  finishes[1]?.(new Error('no disk'));
  expect(await second).toBe('no disk');
  await quiet;
});

test('nobody waits for ever while deliveries never end', async () => {
  const pressure = intakePressure();
  void pressure.during(() => new Promise<void>(() => undefined));
  await pressure.quiet();
});
