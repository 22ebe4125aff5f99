import { describe, expect, test } from 'vitest';
import { decide } from '../../src/preview/decide.js';
import type { Wish } from '../../src/preview/facts.js';
import { explanation } from '../../src/preview/stop.js';
import { basePolicy, hourMs } from './model/world.js';
import { anInput, anObservation, aRow, now, sha, someFacts, stoppedRow } from './samples.js';

const gone = anObservation({ revision: null, state: 'gone' });
const terminating = anObservation({ revision: null, state: 'terminating' });
const labelled = someFacts({ labels: ['no-preview'] });
const openBreaker = { heldElsewhere: 0, doneLastHour: 3, livedAtHourStart: 5, accepted: false };
const expiredNow = now + 30 * hourMs;

function wish(change: Partial<Wish>): Wish {
  return { kind: 'stop', source: 'command', amountMs: null, at: now - 1_000, by: 'alice', ...change };
}

describe('a stop', () => {
  test.each([
    ['merged', { facts: someFacts({ state: 'merged', endedAt: 9 }) }, { stopReason: 'merged', stoppedAt: 9 }],
    ['closed', { facts: someFacts({ state: 'closed', endedAt: 9 }) }, { stopReason: 'closed', stoppedAt: 9 }],
    [
      'merged by somebody',
      { facts: someFacts({ state: 'merged', endedAt: 9, endedBy: 'ada' }) },
      { stopReason: 'merged', stoppedBy: 'ada' },
    ],
    ['by command', { wishes: [wish({})] }, { stopReason: 'command', stoppedAt: now - 1_000, stoppedBy: 'alice' }],
    ['by an operator', { wishes: [wish({ source: 'operator' })] }, { stopReason: 'operator' }],
    ['in the branch', { wishes: [wish({ source: 'git', by: 'bob' })] }, { stopReason: 'git', stoppedBy: 'bob' }],
    ['by a label', { facts: labelled }, { stopReason: 'label', stoppedAt: now }],
    ['by a filter', { facts: someFacts({ draft: true }) }, { stopReason: 'unfollowed' }],
    ['of a project that left', { policy: null, reading: 'none' as const }, { stopReason: 'unfollowed' }],
    ['by its time', { now: expiredNow }, { stopReason: 'expired', stoppedAt: expiredNow }],
  ])('%s', (_, change, expected) => {
    const decision = decide(anInput(change));
    expect(decision.preview).toMatchObject({ phase: 'stopping', ...expected });
    expect(decision).toMatchObject({ needsCommit: true, freedSlot: false });
  });

  test('of what was only waiting ends at once', () => {
    const preview = aRow({ phase: 'waiting', waitingFor: 'slot', waitingSince: 1, wantedRevision: null });
    const decision = decide(anInput({ preview, facts: someFacts({ state: 'closed' }) }));
    expect(decision.preview).toMatchObject({ phase: 'stopped', stopReason: 'closed', waitingFor: null });
    expect(decision).toMatchObject({ needsCommit: false, freedSlot: true });
  });

  test('of what was never pushed ends at once', () => {
    const decision = decide(anInput({ facts: someFacts({ state: 'closed' }), neverCommitted: true }));
    expect(decision.preview).toMatchObject({ phase: 'stopped' });
    expect(decision.freedSlot).toBe(true);
  });

  test('ends when the cluster says that it is gone, not before', () => {
    const preview = aRow({ phase: 'stopping', stopReason: 'closed', stoppedAt: now });
    const facts = someFacts({ state: 'closed' });
    for (const observation of [null, terminating, anObservation(), anObservation({ state: 'held' })]) {
      expect(decide(anInput({ preview, facts, observation })).changed).toBe(false);
    }
    const decision = decide(anInput({ preview, facts, observation: gone }));
    expect(decision.preview).toMatchObject({ phase: 'stopped', stopReason: 'closed' });
    expect(decision.freedSlot).toBe(true);
  });

  test('tells why by what holds now; an explained one stays so while the agent may ask', () => {
    const merged = someFacts({ state: 'merged', endedAt: 9 });
    expect(decide(anInput({ preview: stoppedRow({ stopReason: 'expired' }), facts: merged })).preview).toMatchObject({
      phase: 'stopped',
      stopReason: 'merged',
      stoppedAt: 9,
    });
    const stopping = aRow({ phase: 'stopping', stopReason: 'command', stoppedAt: 1, stoppedBy: 'alice' });
    expect(decide(anInput({ preview: stopping, facts: labelled })).preview?.stopReason).toBe('command');
    const removedToo = [wish({ source: 'git', by: 'bob' })];
    expect(decide(anInput({ preview: stopping, wishes: removedToo })).preview?.stopReason).toBe('command');
    const byLabel = aRow({ phase: 'stopping', stopReason: 'label', stoppedAt: 1 });
    expect(decide(anInput({ preview: byLabel, facts: merged })).preview?.stopReason).toBe('merged');
  });
});

test('what ended for another reason is said to have expired only when GitLab was asked whether anybody used it', () => {
  const preview = stoppedRow({ stopReason: 'git' });
  const said = (reading: 'none' | 'fresh') =>
    decide(anInput({ preview, now: expiredNow, reading })).preview?.stopReason;
  expect(said('none')).toBe('git');
  expect(said('fresh')).toBe('expired');
});

describe('the breaker', () => {
  test.each([
    ['a label', { facts: labelled }, 'label'],
    ['a filter', { facts: someFacts({ draft: true }) }, 'unfollowed'],
    ['a project that left', { policy: null }, 'unfollowed'],
    ['an expiry', { now: expiredNow }, 'expired'],
  ])('holds %s: phase and file stay', (_, change, reason) => {
    const decision = decide(anInput({ ...change, breaker: openBreaker }));
    expect(decision.preview).toMatchObject({ phase: 'ready', heldStop: { reason } });
    expect(decision.needsCommit).toBe(false);
  });

  test('counts those that are held already, and lets an accepted one go', () => {
    const crowded = { heldElsewhere: 3, doneLastHour: 0, livedAtHourStart: 5, accepted: false };
    expect(decide(anInput({ facts: labelled, breaker: crowded })).preview?.phase).toBe('ready');
    expect(decide(anInput({ facts: labelled, breaker: { ...crowded, accepted: true } })).preview?.phase).toBe(
      'stopping',
    );
  });

  test.each([
    ['an end', { facts: someFacts({ state: 'closed' }) }],
    ['a command', { wishes: [wish({})] }],
    ['an operator', { wishes: [wish({ source: 'operator' })] }],
  ])('lets %s pass', (_, change) => {
    expect(decide(anInput({ ...change, breaker: openBreaker })).preview?.phase).toBe('stopping');
  });

  test('decides afresh: a mended cause drops what was held, and a held preview takes no new sha', () => {
    const preview = aRow({ heldStop: { reason: 'label', since: 5 } });
    expect(decide(anInput({ preview })).preview?.heldStop).toBeNull();
    const facts = { ...labelled, sha: 'b'.repeat(40) };
    const still = decide(anInput({ preview, facts, gates: [], breaker: openBreaker })).preview;
    expect(still).toMatchObject({ heldStop: { reason: 'label', since: 5 }, members: [{ wantedSha: sha, next: null }] });
  });
});

describe('unknown', () => {
  test.each([
    ['an expiry', { now: expiredNow }],
    ['a label', { facts: labelled }],
  ])('postpones %s, and is shown', (_, change) => {
    const decision = decide(anInput({ ...change, reading: 'unknown' }));
    expect(decision.preview).toMatchObject({
      phase: 'ready',
      heldStop: null,
      unknownSince: 'now' in change ? change.now : now,
    });
    expect(decision.needsCommit).toBe(false);
  });

  test('keeps what is held, so that the others are not let go', () => {
    const preview = aRow({ heldStop: { reason: 'label', since: 5 } });
    expect(decide(anInput({ preview, facts: labelled, reading: 'unknown' })).preview?.heldStop).not.toBeNull();
  });

  test('does not keep a person from stopping it', () => {
    expect(decide(anInput({ reading: 'unknown', wishes: [wish({ source: 'operator' })] })).preview?.phase).toBe(
      'stopping',
    );
  });

  test('ends with the next answer', () => {
    expect(decide(anInput({ preview: aRow({ unknownSince: 5 }) })).preview?.unknownSince).toBeNull();
  });

  test('not asked is not known either: a stop asks first', () => {
    const decision = decide(anInput({ facts: labelled, reading: 'none' }));
    expect(decision).toMatchObject({ changed: false, needed: { mergeRequest: true } });
  });
});

describe('the next incarnation', () => {
  const reopened = someFacts({ lastReopenedAt: now - 10 });
  const after = wish({ kind: 'start', at: now - 10 });
  test.each([
    ['closed, then reopened', { stopReason: 'closed' as const }, { facts: reopened }, true],
    ['stopped by command', {}, { wishes: [wish({})] }, false],
    ['stopped, then started', {}, { wishes: [wish({}), after] }, true],
    ['started, then stopped', {}, { wishes: [wish({ kind: 'start', at: 1 }), wish({})] }, false],
    ['both at once, the stop last', {}, { wishes: [wish({ kind: 'start' }), wish({})] }, false],
    ['stopped, then reopened', {}, { wishes: [wish({})], facts: reopened }, true],
    ['stopped after the reopening', {}, { wishes: [wish({ at: now })], facts: reopened }, false],
    ['the file is back', { stopReason: 'git' as const }, { wishes: [wish({ source: 'git' }), after] }, true],
    ['the label is gone', { stopReason: 'label' as const }, {}, true],
    ['still labelled', { stopReason: 'label' as const }, { facts: labelled }, false],
    ['expired, and a longer TTL', { stopReason: 'expired' as const }, {}, false],
    ['expired, then a push', { stopReason: 'expired' as const }, { facts: someFacts({ lastPushAt: now - 5 }) }, true],
    ['expired, then started', { stopReason: 'expired' as const }, { wishes: [after] }, true],
    [
      'expired, and a pin that came late',
      { stopReason: 'expired' as const },
      { wishes: [{ kind: 'pin', source: 'command', amountMs: null, at: now - 3 * hourMs, by: 'alice' } as Wish] },
      true,
    ],
    [
      'expired, and an extension that came late',
      { stopReason: 'expired' as const },
      { wishes: [wish({ kind: 'extend', amountMs: 40 * hourMs, at: now - 9 * hourMs })] },
      true,
    ],
  ])('%s: %s', (_, row, change, begins) => {
    const decision = decide(anInput({ preview: stoppedRow(row), ...change }));
    expect(decision.preview?.incarnation).toBe(begins ? 2 : 1);
    expect(decision.ended).toBeNull();
  });

  test('waits for the old namespace to be gone, then begins in the same decision', () => {
    const preview = aRow({ phase: 'stopping', stopReason: 'closed', stoppedAt: now - 100 });
    const held = anInput({ preview, facts: reopened, observation: terminating });
    expect(decide(held)).toMatchObject({ changed: false, ended: null });
    // Nothing was torn down yet, and still: the file is gone, and only the file undoes that.
    expect(decide({ ...held, observation: anObservation() })).toMatchObject({ changed: false, ended: null });
    const decision = decide({ ...held, observation: gone });
    expect(decision.ended).toMatchObject({ incarnation: 1, phase: 'stopped', stopReason: 'closed', version: 6 });
    expect(decision.preview).toMatchObject({ incarnation: 2, phase: 'deploying', members: [{ deployedSha: null }] });
    expect(decision).toMatchObject({ needsCommit: true, freedSlot: false });
  });

  test('ends the old one even when GitLab was not asked, and asks', () => {
    const preview = aRow({ phase: 'stopping', stopReason: 'closed', stoppedAt: now - 100 });
    const decision = decide(anInput({ preview, facts: reopened, observation: gone, reading: 'none' }));
    expect(decision.preview).toMatchObject({ incarnation: 1, phase: 'stopped' });
    expect(decision).toMatchObject({ freedSlot: true, needed: { mergeRequest: true } });
  });
});

describe('a file that a person put back', () => {
  const removed = wish({ source: 'git', at: now - 100 });
  const preview = aRow({ phase: 'stopping', stopReason: 'git', stoppedAt: now - 100, stoppedBy: 'bob' });
  const restored = { kind: 'restored' as const, by: 'bob', at: now };

  test('undoes the stop while nothing was torn down: same incarnation, no deploy', () => {
    const decision = decide(anInput({ preview, wishes: [removed], branch: restored }));
    expect(decision.preview).toEqual({
      ...aRow(),
      version: 6,
      lastActivityAt: expect.anything(),
      expiresAt: expect.anything(),
    });
    expect(decision.needsCommit).toBe(false);
    expect(decision.events[0]).toMatchObject({ kind: 'stop-undone', actor: 'bob' });
  });

  test.each([
    ['is being torn down', { observation: terminating }],
    ['was merged meanwhile', { facts: someFacts({ state: 'merged', endedAt: now }) }],
  ])('undoes nothing when it %s', (_, change) => {
    const decision = decide(anInput({ preview, wishes: [removed], branch: restored, ...change }));
    expect(decision.preview?.phase).toBe('stopping');
    // What stands there is removed again, or becomes the next incarnation's.
    expect(decision.needsCommit).toBe(true);
  });

  test('before it was stopped for another reason undoes nothing', () => {
    const byLabel = aRow({ phase: 'stopping', stopReason: 'label', stoppedAt: now - 5 });
    const before = wish({ kind: 'start', source: 'git', at: now - 100 });
    expect(decide(anInput({ preview: byLabel, wishes: [before] })).preview?.phase).toBe('stopping');
  });

  test('after it was gone makes the next incarnation', () => {
    const ended = stoppedRow({ stopReason: 'git' });
    const decision = decide(anInput({ preview: ended, wishes: [removed], branch: restored }));
    expect(decision.preview).toMatchObject({ incarnation: 2, phase: 'deploying' });
  });

  test('a removal stops it, whatever the breaker says', () => {
    const decision = decide(anInput({ branch: { kind: 'removed', by: 'bob', at: now }, breaker: openBreaker }));
    expect(decision.preview).toMatchObject({ phase: 'stopping', stopReason: 'git', stoppedBy: 'bob' });
  });
});

describe('what the agent is told', () => {
  test.each([
    [aRow(), null, null],
    [aRow({ phase: 'stopping', stopReason: 'merged' }), null, 'its merge request was merged'],
    [aRow({ phase: 'stopping', stopReason: 'command', stoppedBy: 'alice' }), null, 'stopped by alice'],
    [aRow({ phase: 'stopping', stopReason: 'expired' }), null, null],
    [aRow({ phase: 'stopping', stopReason: 'git', stoppedBy: 'bob' }), null, null],
    [aRow({ phase: 'stopping', stopReason: 'expired' }), 'carol', 'accepted by carol'],
    [null, null, null],
  ])('case %#', (row, acceptedBy, expected) => {
    expect(explanation(row, acceptedBy)).toBe(expected);
  });
});

test('the expiry counts from the last activity, and at least to each extension', () => {
  const extend = wish({ kind: 'extend', amountMs: 48 * hourMs, at: now - 1_000 });
  expect(decide(anInput({ wishes: [extend] })).preview).toMatchObject({
    lastActivityAt: now - 1_000,
    expiresAt: now - 1_000 + 48 * hourMs,
  });
  const short = wish({ kind: 'extend', amountMs: hourMs, at: now - 1_000 });
  expect(decide(anInput({ wishes: [short] })).preview?.expiresAt).toBe(now - 1_000 + basePolicy.ttlMs);
});

describe('gone of a preview that nobody stopped', () => {
  const lost = { observation: gone };

  test('is held when it is more than the hour may have, and is told once', () => {
    const decision = decide(anInput({ ...lost, breaker: openBreaker }));
    expect(decision.preview).toMatchObject({ phase: 'ready', heldStop: { reason: 'git', since: now } });
    expect(decision.ended).toBeNull();
    expect(decision.events.map(({ kind }) => kind)).toEqual(['stop-held']);
    expect(decision.needsCommit).toBe(false);
    const again = decide(anInput({ ...lost, preview: decision.preview, breaker: openBreaker, now: now + 1 }));
    expect(again.changed).toBe(false);
  });

  test('goes on when a person accepts it, and is dropped when the cluster has it after all', () => {
    const held = aRow({ heldStop: { reason: 'git', since: now } });
    const accepted = decide(anInput({ ...lost, preview: held, breaker: { ...openBreaker, accepted: true } }));
    expect(accepted.ended).toMatchObject({ phase: 'stopped', stopReason: 'git' });
    const back = decide(anInput({ preview: held, observation: anObservation(), breaker: openBreaker }));
    expect(back.preview).toMatchObject({ phase: 'ready', heldStop: null });
  });

  test('ends at once what its merge request or a named person ended, whatever the breaker says', () => {
    const merged = { facts: someFacts({ state: 'merged', endedAt: 9 }) };
    const forgotten = { wishes: [wish({ source: 'operator' })] };
    for (const why of [merged, forgotten]) {
      expect(decide(anInput({ ...lost, ...why, breaker: openBreaker })).preview?.phase).toBe('stopped');
    }
    const stopping = aRow({ phase: 'stopping', stopReason: 'expired', stoppedAt: now });
    const expired = { preview: stopping, now: expiredNow, breaker: openBreaker };
    expect(decide(anInput({ ...lost, ...expired })).preview?.phase).toBe('stopped');
  });
});
