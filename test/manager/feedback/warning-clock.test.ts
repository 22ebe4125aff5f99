import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wantedReply } from '../../../src/manager/feedback/replies.js';
import { decide } from '../../../src/preview/decide.js';
import type { DecideInput } from '../../../src/preview/decision.js';
import type { Preview } from '../../../src/preview/preview.js';
import { basePolicy, hourMs } from '../../preview/model/world.js';
import { anInput, aRow, now, someFacts } from '../../preview/samples.js';

const policy = { ...basePolicy, ttlMs: 20 * hourMs, maxMs: 400 * hourMs, warnMs: 6 * hourMs };
const never = Number.MAX_SAFE_INTEGER;

/** Where the true clock stands between two decisions, how wrong the database's is, what else happens, what GitLab says. */
const step = fc.record({
  minutes: fc.integer({ min: 0, max: 300 }),
  aheadHours: fc.constantFrom(0, 0, 0, -3, -0.05, 0.05, 1, 5, 12, 9_000),
  act: fc.constantFrom('none', 'none', 'none', 'none', 'push', 'extend', 'restart'),
  reading: fc.constantFrom<DecideInput['reading']>('fresh', 'fresh', 'none', 'unknown'),
});

interface Life {
  preview: Preview;
  facts: DecideInput['facts'];
  wishes: DecideInput['wishes'];
  trueNow: number;
}

function decided(life: Life, clock: number, reading: DecideInput['reading']): Preview {
  const { preview, facts, wishes } = life;
  // As many would expire at once as a clock that is wrong makes: none is let go.
  const breaker = { heldElsewhere: 9, doneLastHour: 3, livedAtHourStart: 12, accepted: false };
  return decide(anInput({ policy, preview, facts, wishes, reading, now: clock, breaker })).preview ?? preview;
}

function replyOf({ preview, facts }: Life): string | null {
  const view = { preview, facts, deployedAt: null, line: null, diagnosis: null };
  return wantedReply('warning', view, never)?.body ?? null;
}

test('whatever the clock does, of each end at most one warning is told, which stays, and none is missed', () => {
  const run = fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
    const facts = someFacts({ createdAt: now, lastPushAt: now });
    const life: Life = {
      preview: aRow({ createdAt: now, lastActivityAt: now, expiresAt: now + policy.ttlMs }),
      facts,
      wishes: [],
      trueNow: now,
    };
    const told = new Map<number, string>();
    for (const { minutes, aheadHours, act, reading } of steps) {
      life.trueNow += minutes * 60_000;
      if (life.trueNow >= life.preview.expiresAt) return;
      // What people do has GitLab's time.
      if (act === 'push') life.facts = { ...facts, lastPushAt: life.trueNow };
      if (act === 'extend') {
        const extend = {
          kind: 'extend',
          source: 'command',
          amountMs: 24 * hourMs,
          at: life.trueNow,
          by: 'ada',
        } as const;
        life.wishes = [...life.wishes, extend];
      }
      life.preview = decided(life, life.trueNow + aheadHours * hourMs, reading);
      // A manager that begins again knows what the row says.
      if (act === 'restart') life.preview = structuredClone(life.preview);
      const body = replyOf(life);
      const before = told.get(life.preview.expiresAt);
      if (before !== undefined) expect(body).toBe(before);
      if (body !== null) told.set(life.preview.expiresAt, body);
    }
    // The clock is right again: what is due is told now, unless it was.
    const isDue = life.trueNow >= life.preview.expiresAt - policy.warnMs;
    life.preview = decided(life, life.trueNow, 'fresh');
    const body = replyOf(life);
    expect(body !== null).toBe(isDue || told.has(life.preview.expiresAt));
  });
  fc.assert(run, { numRuns: 500 });
});
