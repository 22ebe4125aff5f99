import { expect, test } from 'vitest';
import { afterAttempt, startProbe } from '../../../src/agent/probe/probe-state.js';

const within = { withinMs: 10_000 };

test('an answer as expected ends it', () => {
  const { state, againMs } = afterAttempt(startProbe('r', 0), { ...within, sentence: null, now: 5 });
  expect(state).toMatchObject({ passed: true, overdue: false, sentence: null });
  expect(againMs).toBeNull();
});

test('it is asked eagerly until its time is over, then patiently, and for ever', () => {
  let state = startProbe('r', 0);
  let now = 0;
  const overdueAt: number[] = [];
  const pauses: number[] = [];
  for (let attempt = 0; attempt < 12; attempt += 1) {
    const next = afterAttempt(state, { ...within, sentence: 'it answered 502', now });
    if (next.state.overdue && !state.overdue) overdueAt.push(now);
    state = next.state;
    pauses.push(next.againMs ?? 0);
    now += next.againMs ?? 0;
  }
  // The last attempt in time is made at its very end, neither before nor long after.
  expect(overdueAt).toEqual([10_000]);
  expect(pauses.slice(0, 4)).toEqual([500, 1_000, 2_000, 3_000]);
  expect(pauses.slice(-3)).toEqual([300_000, 300_000, 300_000]);
  expect(afterAttempt(state, { ...within, sentence: null, now }).state).toMatchObject({ passed: true, overdue: false });
});
