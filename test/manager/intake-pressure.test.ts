import { expect, test } from 'vitest';
import { intakePressure } from '../../src/manager/intake-pressure.js';

test('a stream of deliveries is pressure, a few are none, and it is over soon after the stream', () => {
  let now = 10_000;
  const pressure = intakePressure(() => now);
  expect(pressure.isHigh()).toBe(false);
  for (let i = 0; i < 10; i += 1) pressure.note();
  expect(pressure.isHigh()).toBe(false);
  for (let i = 0; i < 250; i += 1) {
    now += 2;
    pressure.note();
  }
  expect(pressure.isHigh()).toBe(true);
  now += 240;
  expect(pressure.isHigh()).toBe(true);
  now += 500;
  expect(pressure.isHigh()).toBe(false);
});
