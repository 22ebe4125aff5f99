import { describe, expect, test } from 'vitest';
import { decide, neededReads, nextDueAt } from '../../src/preview/decide.js';
import type { DecideInput } from '../../src/preview/decision.js';
import type { Wish } from '../../src/preview/facts.js';
import type { Preview } from '../../src/preview/preview.js';
import { basePolicy, hourMs } from './model/world.js';
import { anInput, aRow, deployingRow, newSha, now, someFacts, stoppedRow } from './samples.js';

const dayMs = 24 * hourMs;
const policy = { ...basePolicy, ttlMs: 20 * hourMs, maxMs: 40 * hourMs, warnMs: 6 * hourMs };

function wish(kind: Wish['kind'], at: number, change: Partial<Wish> = {}): Wish {
  return { kind, source: 'command', amountMs: null, at, by: 'ada', ...change };
}

function decided(change: Partial<DecideInput>): Preview | null {
  return decide(anInput({ policy, ...change })).preview;
}

/** Opened so many hours ago and not touched since. */
function untouchedSince(hours: number, row: Partial<Preview> = {}): Pick<DecideInput, 'facts' | 'preview'> {
  const at = now - hours * hourMs;
  const times = { lastActivityAt: at, expiresAt: at + policy.ttlMs, createdAt: at };
  return { facts: someFacts({ createdAt: at, lastPushAt: at }), preview: aRow({ ...times, ...row }) };
}

describe('the longest life', () => {
  test('ends it however often it is used or extended, and the reason says so', () => {
    const createdAt = now - 40 * hourMs;
    const preview = aRow({ createdAt });
    const wishes = [wish('extend', now - hourMs, { amountMs: 10 * dayMs })];
    const row = decided({ preview, wishes });
    expect(row).toMatchObject({ phase: 'stopping', stopReason: 'expired', expiresAt: createdAt + policy.maxMs });
    expect(row?.stopDetail).toBe('it had lived for as long as a preview may');
    const younger = aRow({ createdAt: createdAt + 1 });
    expect(decided({ preview: younger, wishes })).toMatchObject({ phase: 'ready', expiresAt: now + 1 });
  });

  test('is no reason to begin again by what was known; a push after it is', () => {
    const times = { createdAt: now - 41 * hourMs, expiresAt: now - hourMs, lastActivityAt: now - 2 * hourMs };
    const preview = stoppedRow({ stopReason: 'expired', ...times });
    const known = { preview, wishes: [wish('extend', now - 2 * hourMs, { amountMs: 10 * dayMs })] };
    const facts = someFacts({ lastPushAt: now - 3 * hourMs });
    expect(decide(anInput({ policy, facts, ...known })).changed).toBe(false);
    const pushed = someFacts({ lastPushAt: now - hourMs / 2 });
    const next = decided({ facts: pushed, ...known });
    expect(next).toMatchObject({ incarnation: 2, createdAt: now, expiresAt: now + 40 * hourMs });
  });

  test('a file that comes back after it is the next incarnation, for the old one is too old', () => {
    const preview = aRow({
      phase: 'stopping',
      stopReason: 'expired',
      createdAt: now - 41 * hourMs,
      stoppedAt: now - 60_000,
    });
    const wishes = [wish('start', now - 1_000, { source: 'git' })];
    expect(decided({ preview, wishes })).toMatchObject({ phase: 'stopping', incarnation: 1 });
    const young = aRow({ phase: 'stopping', stopReason: 'git', createdAt: now - hourMs, stoppedAt: now - 60_000 });
    expect(decided({ preview: young, wishes })).toMatchObject({ phase: 'ready', incarnation: 1 });
  });
});

describe('a pin', () => {
  const old = untouchedSince(100);

  test('keeps it past every end, and names who did', () => {
    const row = decided({ ...old, wishes: [wish('pin', now - 99 * hourMs)] });
    expect(row).toMatchObject({ phase: 'ready', pinnedBy: 'ada', warnAt: null });
    expect(nextDueAt(row ?? aRow(), policy)).toBeNull();
    expect(decided(old)).toMatchObject({ phase: 'stopping', stopReason: 'expired' });
  });

  test('that is taken back leaves one time to live from that moment, and no more', () => {
    const at = now - hourMs;
    const wishes = [wish('pin', now - 99 * hourMs), wish('unpin', at)];
    expect(decided({ ...old, wishes })).toMatchObject({ phase: 'ready', pinnedBy: null, expiresAt: at + policy.ttlMs });
    const extended = [...wishes, wish('extend', now, { amountMs: 10 * dayMs })];
    expect(decided({ ...old, wishes: extended })).toMatchObject({ expiresAt: at + policy.ttlMs });
  });

  test('an unpin without one is no way past the longest life', () => {
    const wishes = [wish('unpin', now - hourMs)];
    expect(decided({ ...old, wishes })).toMatchObject({ phase: 'stopping', stopReason: 'expired' });
  });

  test.each([
    ['a stop and a start', [wish('pin', now - 9_000), wish('stop', now - 8_000), wish('start', now - 7_000)], {}],
    ['a reopening', [wish('pin', now - 9_000)], { lastReopenedAt: now - 8_000 }],
  ])('is ended by %s', (_, wishes, facts) => {
    const preview = stoppedRow({ stoppedAt: now - 8_500 });
    expect(decided({ facts: someFacts(facts), preview, wishes })).toMatchObject({ incarnation: 2, pinnedBy: null });
  });

  test('stays when the file went and came back in the branch', () => {
    const wishes = [
      wish('pin', now - 9_000),
      wish('stop', now - 8_000, { source: 'git' }),
      wish('start', now - 7_000, { source: 'git' }),
    ];
    expect(decided({ wishes })).toMatchObject({ phase: 'ready', pinnedBy: 'ada' });
  });
});

describe('the warning', () => {
  const due = untouchedSince(15);
  const end = now + 5 * hourMs;

  test('comes in time, on what GitLab says now, once', () => {
    const early = decided(untouchedSince(13));
    expect(early).toMatchObject({ warnAt: now + hourMs, warnedAt: null });
    expect(nextDueAt(early ?? aRow(), policy)).toBe(now + hourMs);
    const input = anInput({ policy, ...due, reading: 'none' });
    const unread = decide(input);
    expect(unread.preview).toMatchObject({ warnAt: now - hourMs, warnedAt: null });
    expect(neededReads({ ...input, preview: unread.preview }, false).mergeRequest).toBe(true);
    expect(decided({ ...due, reading: 'unknown' })).toMatchObject({ warnedAt: null });
    const warned = decided(due);
    expect(warned).toMatchObject({ warnAt: null, warnedAt: now, warnedFor: end });
    for (const reading of ['fresh', 'none'] as const) {
      const again = decide(anInput({ policy, ...due, preview: warned, reading, now: now + hourMs }));
      expect(again).toMatchObject({ changed: false, needed: { mergeRequest: false } });
    }
  });

  const warned = aRow({ ...untouchedSince(15).preview, warnedAt: now - 60_000, warnedFor: end });
  const told = { ...due, preview: warned };

  test.each<[string, Partial<DecideInput>, Partial<Preview>]>([
    ['a push', { facts: someFacts({ sha: newSha, lastPushAt: now }) }, { warnAt: now + 14 * hourMs }],
    ['an extension', { wishes: [wish('extend', now, { amountMs: 2 * dayMs })] }, { warnAt: now + 19 * hourMs }],
    ['a pin', { wishes: [wish('pin', now)] }, { warnAt: null }],
    ['a project without warnings', { policy: { ...policy, warnMs: 0 } }, { warnAt: null }],
  ])('is taken back by %s', (_, change, after) => {
    expect(decided({ ...told, ...change })).toMatchObject({ warnedAt: null, warnedFor: null, ...after });
  });

  test('stands when the clock is set back after it, and is told no second time', () => {
    const preview = aRow({ ...untouchedSince(14).preview, warnedAt: now, warnedFor: now + 6 * hourMs });
    const justDue = { ...untouchedSince(14), preview };
    for (const setBackMs of [0, 1, 2_000, 240_000, hourMs, 13 * hourMs]) {
      expect(decided({ ...justDue, now: now - setBackMs })).toMatchObject({ warnAt: null, warnedAt: now });
    }
  });

  test('comes again for the next end', () => {
    const facts = someFacts({ createdAt: now - 15 * hourMs, lastPushAt: now - 14.5 * hourMs });
    expect(decided({ ...told, facts })).toMatchObject({ warnedAt: now, warnedFor: now + 5.5 * hourMs });
  });

  test('of an end that a clock a year ahead has passed is not told, and the breaker holds the ends', () => {
    const breaker = { heldElsewhere: 9, doneLastHour: 3, livedAtHourStart: 12, accepted: false };
    const ahead = decided({ ...untouchedSince(1), now: now + 365 * dayMs, breaker });
    expect(ahead).toMatchObject({ phase: 'ready', heldStop: { reason: 'expired' }, warnedAt: null });
    expect(decided({ ...untouchedSince(1), preview: ahead })).toMatchObject({ heldStop: null, warnedAt: null });
  });
});

describe('after the merge', () => {
  const keeping = { ...policy, keepAfterMergeMs: 10 * hourMs };
  const merged = (hours: number) => someFacts({ state: 'merged', sha: newSha, endedAt: now - hours * hourMs });

  test('what is deployed stays as it is for that long, and then ends, explained', () => {
    const member = { projectId: 7, iid: 42, wantedSha: '1'.repeat(40), deployedSha: '1'.repeat(40) };
    const next = { sha: newSha, waitingFor: 'pipeline' as const, since: now, detail: null, link: null, stuck: false };
    const preview = aRow({ members: [{ ...member, next }] });
    const gates = [{ projectId: 7, sha: newSha, gate: 'pipeline', reading: { state: 'open' as const } }];
    const kept = decide(anInput({ policy: keeping, facts: merged(2), preview, gates }));
    expect(kept.preview).toMatchObject({
      phase: 'ready',
      expiresAt: now + 8 * hourMs,
      members: [{ ...member, next: null }],
    });
    expect(kept).toMatchObject({ needsCommit: false, needed: { mergeRequest: false, gateSha: null, images: [] } });
    expect(nextDueAt(kept.preview ?? aRow(), keeping)).toBe(now + 8 * hourMs);
    const over = decided({ policy: keeping, facts: merged(10), preview: kept.preview, reading: 'none' });
    expect(over).toMatchObject({ phase: 'stopping', stopReason: 'merged', stoppedAt: now });
  });

  test.each<[string, Partial<DecideInput>]>([
    ['no time is configured', { policy }],
    ['it was closed', { facts: someFacts({ state: 'closed', endedAt: now }) }],
    ['a filter refuses it', { facts: someFacts({ ...merged(1), labels: ['no-preview'] }) }],
    ['its longest life is over', { preview: aRow({ createdAt: now - 41 * hourMs }) }],
    ['its file was removed in the branch', { wishes: [wish('stop', now, { source: 'git' })] }],
  ])('it ends with it when %s', (_, change) => {
    const row = decided({ policy: keeping, facts: merged(1), ...change });
    expect(row?.phase).toBe('stopping');
    expect(row?.stopReason).toMatch(/^(?:merged|closed)$/);
  });

  test('a stop by a person ends it at once, and names who', () => {
    const stop = { policy: keeping, facts: merged(1), wishes: [wish('stop', now)] };
    expect(decided(stop)).toMatchObject({ phase: 'stopping', stopReason: 'command', stoppedBy: 'ada' });
  });

  test('a pin lets it be kept past its longest life, and no longer than configured', () => {
    const preview = aRow({ createdAt: now - 41 * hourMs });
    const pinned = { policy: keeping, facts: merged(1), preview, wishes: [wish('pin', now - dayMs)] };
    expect(decided(pinned)).toMatchObject({ phase: 'ready', expiresAt: now + 9 * hourMs, pinnedBy: null });
  });

  test('nothing that was not deployed is, and nothing begins', () => {
    const waiting = aRow({ phase: 'waiting', waitingFor: 'pipeline', waitingSince: now });
    expect(decided({ policy: keeping, facts: merged(1), preview: waiting })).toMatchObject({ phase: 'stopped' });
    expect(decide(anInput({ policy: keeping, facts: merged(1), preview: null })).preview).toBeNull();
    const deploying = decided({ policy: keeping, facts: merged(1), preview: deployingRow() });
    expect(deploying).toMatchObject({ phase: 'deploying' });
    const lost = anInput({ policy: keeping, facts: merged(1) });
    const observation = { revision: null, state: 'gone' as const, message: null, cause: null, at: now };
    expect(decide({ ...lost, observation }).preview).toMatchObject({ incarnation: 1, stopReason: 'merged' });
  });
});
