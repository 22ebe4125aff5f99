import { describe, expect, test } from 'vitest';
import { breakerLimit, judge } from '../../src/preview/breaker.js';
import { formatDuration, parseDuration } from '../../src/preview/duration.js';
import { globMatches } from '../../src/preview/glob.js';
import { canTransition, holdsSlot, transition, transitions } from '../../src/preview/lifecycle.js';
import type { Phase } from '../../src/preview/preview.js';
import { aheadElsewhere, slotIsFree } from '../../src/preview/quota.js';
import { isStillAsked, mergeReading, webhookIsStale } from '../../src/preview/reading.js';
import { aRow, someFacts } from './samples.js';

describe('durations', () => {
  test.each([
    ['90s', 90_000],
    ['10m', 600_000],
    ['72h', 259_200_000],
    ['1d12h', 129_600_000],
    ['1w', 604_800_000],
    ['0h', 0],
    ['', null],
    ['h', null],
    ['1.5h', null],
    ['2h1d', null],
    ['1h 2m', null],
    ['9999999d', null],
  ])('%j', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  test('are written as they are read', () => {
    for (const durationMs of [0, 1_000, 90_000, 129_600_000, 604_800_000 + 61_000]) {
      expect(parseDuration(formatDuration(durationMs))).toBe(durationMs);
    }
    expect(formatDuration(129_600_999)).toBe('1d12h');
  });
});

describe('globs', () => {
  test.each([
    ['main', 'main', true],
    ['main', 'maintenance', false],
    ['*', '', true],
    ['release/*', 'release/1.2/x', true],
    ['release/*', 'release', false],
    ['*-fix', 'a-fix-fix', true],
    ['a*b*c', 'aXXbYYc', true],
    ['a*b*c', 'aXXcYYb', false],
    ['re.ease', 'release', false],
    ['[ab]', 'a', false],
  ])('%s on %s: %s', (pattern, text, matches) => {
    expect(globMatches(pattern, text)).toBe(matches);
  });

  test('many stars do not stall it', () => {
    expect(globMatches(`${'a*'.repeat(200)}b`, 'a'.repeat(5_000))).toBe(false);
  });
});

describe('the breaker', () => {
  test.each([
    [0, 3],
    [15, 3],
    [19, 3],
    [20, 4],
    [100, 20],
  ])('of %d that lived, %d may go in an hour', (lived, limit) => {
    expect(breakerLimit(lived)).toBe(limit);
  });

  test('judges the pending together with those of the last hour', () => {
    const verdict = (pending: number, doneLastHour: number, livedAtHourStart: number) =>
      judge({ pending, doneLastHour, livedAtHourStart }).verdict;
    expect(verdict(3, 0, 5)).toBe('allow');
    expect(verdict(4, 0, 5)).toBe('hold');
    expect(verdict(1, 3, 5)).toBe('hold');
    expect(verdict(10, 10, 100)).toBe('allow');
    expect(verdict(11, 10, 100)).toBe('hold');
    expect(verdict(1, Number.NaN, 100)).toBe('hold');
  });
});

describe('slots', () => {
  const usage = { project: 1, total: 5, maxTotal: 10, ahead: 0, aheadElsewhere: 0 };
  test.each([
    [{}, true],
    [{ project: 2 }, false],
    [{ ahead: 1 }, false],
    [{ total: 10 }, false],
    [{ total: 9 }, true],
    [{ total: 9, aheadElsewhere: 1 }, false],
  ])('%j: %s', (change, isFree) => {
    expect(slotIsFree({ maxPreviews: 2 }, { ...usage, ...change })).toBe(isFree);
  });

  test('a line whose own project is full holds nobody up', () => {
    expect(aheadElsewhere([{ used: 5, max: 5, waitingBefore: 9 }])).toBe(0);
    expect(
      aheadElsewhere([
        { used: 3, max: 5, waitingBefore: 9 },
        { used: 0, max: 5, waitingBefore: 1 },
      ]),
    ).toBe(3);
  });
});

describe('the lifecycle', () => {
  test('stopped leads nowhere, and nothing that was in the cluster ends without stopping', () => {
    expect(transitions.stopped).toEqual([]);
    for (const phase of Object.keys(transitions) as Phase[]) {
      expect(canTransition(phase, 'stopped')).toBe(phase === 'waiting' || phase === 'stopping');
      expect(canTransition(phase, 'stopping')).toBe(holdsSlot(phase) && phase !== 'stopping');
    }
  });

  test('a transition clears what belonged to the phase before, and refuses an arrow that does not exist', () => {
    const failed = aRow({ phase: 'failed', cause: 'health', message: 'CrashLoopBackOff' });
    expect(transition(failed, 'deploying', { deployingSince: 5 })).toMatchObject({
      phase: 'deploying',
      cause: null,
      message: null,
      deployingSince: 5,
    });
    expect(failed.cause).toBe('health');
    expect(() => transition(failed, 'waiting')).toThrow('no transition from failed to waiting');
  });
});

describe('readings', () => {
  const known = { facts: someFacts({ sha: 'old' }), readStartedAt: 100, unknownSince: null };

  test('a read that began later wins whatever its time stamp says', () => {
    const facts = someFacts({ sha: 'new', updatedAt: 1 });
    const merged = mergeReading(known, { known: true, facts, readStartedAt: 101 });
    expect(merged).toEqual({ known: { facts, readStartedAt: 101, unknownSince: null }, applied: true });
  });

  test.each([[99], [100]])('a read that began at %d, not after the last one, is dropped', (readStartedAt) => {
    const facts = someFacts({ sha: 'new', updatedAt: Number.MAX_SAFE_INTEGER });
    expect(mergeReading(known, { known: true, facts, readStartedAt })).toEqual({ known, applied: false });
    expect(mergeReading(known, { known: false, why: '404', readStartedAt })).toEqual({ known, applied: false });
  });

  test('unknown sets since when, once, and nothing else', () => {
    const first = mergeReading(known, { known: false, why: '404', readStartedAt: 101 }).known;
    expect(first).toEqual({ ...known, unknownSince: 101 });
    expect(mergeReading(first, { known: false, why: '403', readStartedAt: 105 }).known.unknownSince).toBe(101);
    expect(mergeReading(first, { known: true, facts: known.facts, readStartedAt: 106 }).known.unknownSince).toBeNull();
  });

  test.each([
    [null, 0, false],
    [10_900, 10_000, false],
    [10_000, 10_999, false],
    [11_000, 10_999, true],
    [10_000, 12_000, false],
  ])('known %s, told %s: stale %s', (knownAt, toldAt, isStale) => {
    expect(webhookIsStale(knownAt, toldAt)).toBe(isStale);
  });

  test('what was asked while a read was under way is still asked', () => {
    expect(isStillAsked(null, 5)).toBe(false);
    expect(isStillAsked(4, 5)).toBe(false);
    expect(isStillAsked(5, 5)).toBe(true);
    expect(isStillAsked(6, 5)).toBe(true);
  });
});
