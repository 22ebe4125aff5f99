import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { orAborted } from '../../src/agent/or-aborted.js';

test('an abort is told at once, and what fails afterwards is nobody’s surprise', async () => {
  const control = new AbortController();
  let fail: (error: Error) => void = () => undefined;
  const slow = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const waiting = orAborted(slow, control.signal);
  control.abort(new Error('stopped'));
  await expect(waiting).rejects.toThrow('stopped');
  // Vitest fails on a rejection that nobody handles.
  await expect(orAborted(Promise.reject(new Error('late')), control.signal)).rejects.toThrow('stopped');
  fail(new Error('later'));
  await turn();
});

test('without an abort it is what the promise comes to', async () => {
  const { signal } = new AbortController();
  expect(await orAborted(Promise.resolve(1), signal)).toBe(1);
  await expect(orAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
});
