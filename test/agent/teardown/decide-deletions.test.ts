import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DeletionInput, decideDeletions, doneDeletion } from '../../../src/agent/teardown/decide-deletions.js';

const now = 1_800_000_000_000;
const hour = 3_600_000;

function input(
  change: Partial<DeletionInput> & { unexplained?: number; explained?: number; living?: number },
): DeletionInput {
  const { unexplained = 0, explained = 0, living = 0, ...rest } = change;
  const pending = Array.from({ length: unexplained + explained }, (_, index) => ({
    slug: `s${index}`,
    incarnation: 1,
  }));
  return {
    pending,
    explanations: pending.map((_, index) => (index < unexplained ? null : 'merged')),
    done: [],
    livingSince: Array.from({ length: living }, () => now - 2 * hour),
    holdUnexplained: false,
    now,
    ...rest,
  };
}

test('three may go unexplained, of four none does', () => {
  expect(decideDeletions(input({ unexplained: 3, living: 10 })).held).toEqual([]);
  const four = decideDeletions(input({ unexplained: 4, living: 10 }));
  expect(four.held).toHaveLength(4);
  expect(four.approved).toEqual([]);
});

test('of many, a fifth may go', () => {
  expect(decideDeletions(input({ unexplained: 20, living: 100 })).held).toEqual([]);
  expect(decideDeletions(input({ unexplained: 21, living: 100 })).held).toHaveLength(21);
});

test('explained ones go whatever the others do', () => {
  const decision = decideDeletions(input({ unexplained: 50, explained: 30, living: 100 }));
  expect(decision.approved).toHaveLength(30);
  expect(decision.approved.every(({ why, explained }) => why === 'merged' && explained)).toBe(true);
  expect(decision.held).toHaveLength(50);
});

test('what went in the last hour counts, and what went before does not', () => {
  const done = [1, 2, 3].map(() => doneDeletion({ now: now - hour / 2, explained: false, livingSince: 0 }));
  expect(decideDeletions(input({ unexplained: 1, living: 3, done })).held).toHaveLength(1);
  expect(decideDeletions(input({ unexplained: 1, living: 3, done, now: now + hour })).held).toHaveLength(0);
  const explained = done.map((each) => ({ ...each, explained: true }));
  expect(decideDeletions(input({ unexplained: 1, living: 3, done: explained })).held).toHaveLength(0);
});

test('what was made within the hour does not raise the limit', () => {
  const fresh = Array.from({ length: 100 }, () => now - 60_000);
  expect(decideDeletions(input({ unexplained: 4, livingSince: fresh })).held).toHaveLength(4);
});

test('under a guard no unexplained one goes', () => {
  const decision = decideDeletions(input({ unexplained: 1, explained: 1, living: 2, holdUnexplained: true }));
  expect(decision.held).toHaveLength(1);
  expect(decision.approved).toHaveLength(1);
});

test('over any history within an hour, unexplained deletions stay within the limit', () => {
  const step = fc.record({
    afterMs: fc.integer({ min: 0, max: hour / 20 }),
    unexplained: fc.integer({ min: 0, max: 8 }),
  });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 60 }), fc.array(step, { maxLength: 15 }), (living, steps) => {
      let at = now;
      let left = living;
      let done: DeletionInput['done'] = [];
      let gone = 0;
      for (const { afterMs, unexplained } of steps) {
        at += afterMs;
        const pending = Math.min(unexplained, left);
        const decision = decideDeletions(input({ unexplained: pending, living: left, done, now: at }));
        gone += decision.approved.length;
        left -= decision.approved.length;
        done = [...done, ...decision.approved.map(() => doneDeletion({ now: at, explained: false, livingSince: 0 }))];
      }
      expect(gone).toBeLessThanOrEqual(Math.max(3, Math.floor(living / 5)));
    }),
  );
});
