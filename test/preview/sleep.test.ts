import { describe, expect, test } from 'vitest';
import { parseAwakeSchedule } from '../../src/preview/awake-schedule.js';
import { decide, nextDueAt } from '../../src/preview/decide.js';
import type { DecideInput, Decision } from '../../src/preview/decision.js';
import { commitFailed, rendered } from '../../src/preview/deployment.js';
import type { Wish } from '../../src/preview/facts.js';
import type { Policy, SleepPolicy } from '../../src/preview/policy.js';
import type { Preview } from '../../src/preview/preview.js';
import { basePolicy, hourMs } from './model/world.js';
import { anInput, anObservation, aRow, newSha, now, revision, sha, someFacts } from './samples.js';

const asleepRevision = '2'.repeat(64);

function policyWith(sleep: Partial<SleepPolicy>): Policy {
  return { ...basePolicy, gatePipeline: 'none', sleep: { afterMs: null, awake: null, ...sleep } };
}

function hours(text: string): SleepPolicy['awake'] {
  const parsed = parseAwakeSchedule(text);
  return 'schedule' in parsed ? parsed.schedule : null;
}

function order(kind: Wish['kind'], at = now - 1_000): Wish {
  return { kind, source: 'command', amountMs: null, at, by: 'ada' };
}

function anAsleepRow(change: Partial<Preview> = {}): Preview {
  return aRow({ phase: 'asleep', wantAsleep: true, sleepCause: 'order', wantedRevision: asleepRevision, ...change });
}

/** Decides, and then once more, which must change nothing. */
function settled(change: Partial<DecideInput>): Decision & { row: Preview } {
  const input = anInput({ policy: policyWith({}), ...change });
  const first = decide(input);
  const second = decide({ ...input, preview: first.preview, ...(first.changed ? { branch: null } : {}) });
  expect(second.changed).toBe(false);
  return { ...first, row: first.preview ?? aRow() };
}

function asleepFile(row: Preview): Preview {
  return rendered(row, { revision: asleepRevision, url: row.url }, now);
}

describe('an order to sleep', () => {
  const wishes = [order('sleep')];

  test('is wished at once, and done with the new revision, without deploying', () => {
    const { row, needsCommit } = settled({ wishes });
    expect(needsCommit).toBe(true);
    expect(row).toMatchObject({ phase: 'ready', wantAsleep: true, sleepCause: 'order', wantedRevision: revision });
    expect(row.ordered).toEqual({ kind: 'sleep', by: 'ada' });
    expect(asleepFile(row)).toMatchObject({
      phase: 'asleep',
      wantedRevision: asleepRevision,
      deployedRevision: revision,
    });
    expect(settled({ wishes, preview: asleepFile(row) }).changed).toBe(false);
  });

  test('of a failed one is done, of one that deploys after that', () => {
    expect(asleepFile(settled({ wishes, preview: aRow({ phase: 'failed', cause: 'health' }) }).row).phase).toBe(
      'asleep',
    );
    const deploying = aRow({ phase: 'deploying', deployingSince: now - 1_000 });
    expect(settled({ wishes, preview: deploying }).row).toMatchObject({ phase: 'deploying', wantAsleep: false });
    const ready = settled({ wishes, preview: deploying, observation: anObservation() }).row;
    expect(ready).toMatchObject({ phase: 'ready', wantAsleep: true });
  });

  test.each([
    ['a push', { facts: someFacts({ lastPushAt: now }) }],
    ['a reopening', { facts: someFacts({ lastReopenedAt: now }) }],
    ['an order to wake', { wishes: [...wishes, order('wake', now)] }],
    ['an order to redeploy', { wishes: [...wishes, order('redeploy', now)] }],
    ['an order to start', { wishes: [...wishes, order('start', now)] }],
  ])('holds until %s', (_, change) => {
    const { row, needsCommit } = settled({ wishes, preview: anAsleepRow(), ...change });
    expect(row).toMatchObject({ phase: 'deploying', wantAsleep: false, wantedRevision: null });
    expect(needsCommit).toBe(true);
  });

  test.each(['extend', 'pin', 'set', 'approve'] as const)('does not end with %s', (kind) => {
    expect(settled({ wishes: [...wishes, order(kind, now)], preview: anAsleepRow() }).row.phase).toBe('asleep');
  });

  test('lets a new sha run first, and then sleeps on', () => {
    const facts = someFacts({ sha: newSha });
    const gates = [newSha].map((each) => ({
      projectId: 7,
      sha: each,
      gate: 'pipeline',
      reading: { state: 'open' as const },
    }));
    const { row } = settled({ wishes, facts, gates, preview: anAsleepRow() });
    expect(row).toMatchObject({ phase: 'deploying', wantAsleep: false, sleepCause: null, shaSince: now });
    const committed = rendered(row, { revision: 'r3', url: row.url }, now);
    const ready = settled({ wishes, facts, gates, preview: committed, observation: anObservation({ revision: 'r3' }) });
    expect(ready.row).toMatchObject({ phase: 'ready', wantAsleep: true, deployedRevision: 'r3' });
  });

  test('is no activity; to wake is one', () => {
    const before = settled({}).row;
    expect(settled({ wishes }).row).toMatchObject({
      expiresAt: before.expiresAt,
      lastActivityAt: before.lastActivityAt,
    });
    expect(settled({ wishes: [order('wake')] }).row.expiresAt).toBe(now - 1_000 + basePolicy.ttlMs);
  });

  test('does not keep it from being stopped or from expiring', () => {
    const stop = order('stop', now);
    expect(settled({ wishes: [...wishes, stop], preview: anAsleepRow() }).row.phase).toBe('stopping');
    const old = someFacts({ createdAt: 1, lastPushAt: 1 });
    expect(settled({ facts: old, preview: anAsleepRow() }).row).toMatchObject({
      phase: 'stopping',
      stopReason: 'expired',
    });
  });

  test('keeps its slot', () => {
    expect(settled({ wishes }).freedSlot).toBe(false);
  });
});

describe('idleness', () => {
  const policy = policyWith({ afterMs: 4 * hourMs });
  const usedAt = someFacts().lastPushAt ?? 0;

  test('sleeps at the very time that it announced', () => {
    const awake = settled({ policy });
    expect(awake.row).toMatchObject({ wantAsleep: false, sleepDueAt: usedAt + 4 * hourMs });
    expect(nextDueAt(awake.row, policy)).toBe(usedAt + 4 * hourMs);
    const late = { policy, preview: awake.row };
    expect(settled({ ...late, now: usedAt + 4 * hourMs - 1 }).row.wantAsleep).toBe(false);
    const { row } = settled({ ...late, now: usedAt + 4 * hourMs });
    expect(row).toMatchObject({ wantAsleep: true, sleepCause: 'idle', sleepDueAt: null, ordered: null });
  });

  test('any activity wakes it, in the name of who ordered it', () => {
    const idle = { policy, preview: anAsleepRow({ sleepCause: 'idle' }), now: usedAt + 9 * hourMs };
    expect(settled(idle).row.phase).toBe('asleep');
    const extended = settled({ ...idle, wishes: [order('extend', usedAt + 8 * hourMs)] }).row;
    expect(extended).toMatchObject({ phase: 'deploying', sleepCause: 'order', ordered: { kind: 'extend', by: 'ada' } });
    const pushed = settled({ ...idle, facts: someFacts({ lastPushAt: usedAt + 8 * hourMs }) }).row;
    expect(pushed).toMatchObject({ phase: 'deploying', sleepCause: 'activity', ordered: null });
  });

  test('counts from when the sha was deployed, however long its gate took', () => {
    const preview = aRow({ shaSince: usedAt + 5 * hourMs });
    expect(settled({ policy, preview, now: usedAt + 6 * hourMs }).row.wantAsleep).toBe(false);
    expect(settled({ policy, preview, now: usedAt + 9 * hourMs }).row.wantAsleep).toBe(true);
  });
});

describe('a schedule', () => {
  // `now` is a Tuesday, 22:13:20 UTC.
  const policy = policyWith({ awake: hours('Mon-Fri 08:00-20:00 UTC') });
  const closed = now - 2 * hourMs - 800_000;
  const opens = closed + 12 * hourMs;
  const pushed = (at: number) => someFacts({ createdAt: 1, lastPushAt: at });

  test('puts to sleep outside its hours, and wakes in them', () => {
    const { row } = settled({ policy, facts: pushed(closed - 1) });
    expect(row).toMatchObject({ wantAsleep: true, sleepCause: 'schedule', sleepDueAt: opens });
    const woken = settled({ policy, facts: pushed(closed - 1), preview: asleepFile(row), now: opens });
    expect(woken.row).toMatchObject({ phase: 'deploying', wantAsleep: false, sleepCause: 'schedule' });
  });

  test('names as its waker who used it since its hours began, and nobody who did before', () => {
    const given = { policy, facts: pushed(closed - 2), preview: anAsleepRow({ sleepCause: 'schedule' }) };
    const before = settled({ ...given, wishes: [order('extend', closed - 1)], now: opens });
    expect(before.row).toMatchObject({ phase: 'deploying', sleepCause: 'schedule', ordered: null });
    const since = settled({ ...given, wishes: [order('extend', opens + 1)], now: opens + 2 });
    expect(since.row).toMatchObject({
      phase: 'deploying',
      sleepCause: 'order',
      ordered: { kind: 'extend', by: 'ada' },
    });
  });

  test('lets what is used after hours be awake for an hour', () => {
    const { row } = settled({ policy, facts: someFacts({ lastPushAt: now - 1_000 }) });
    expect(row).toMatchObject({ wantAsleep: false, sleepDueAt: now - 1_000 + hourMs });
    expect(settled({ policy, preview: row, wishes: [order('wake')], now: now + hourMs }).row.wantAsleep).toBe(true);
  });

  test('with a time of idleness: for that time, in its hours too', () => {
    const both = policyWith({ awake: policy.sleep.awake, afterMs: 3 * hourMs });
    const facts = pushed(closed + 1);
    expect(settled({ policy: both, facts }).row).toMatchObject({
      wantAsleep: false,
      sleepDueAt: closed + 1 + 3 * hourMs,
    });
    expect(settled({ policy: both, facts, now: opens + 1 }).row).toMatchObject({
      wantAsleep: true,
      sleepCause: 'idle',
    });
  });

  test('that is taken out of the configuration wakes what slept by it', () => {
    const preview = anAsleepRow({ sleepCause: 'schedule', sleepDueAt: opens });
    expect(settled({ preview }).row).toMatchObject({ phase: 'deploying', sleepDueAt: null });
  });
});

describe('a file that a person edited', () => {
  const branch = { kind: 'edited', revision: 'edited', by: 'eve', at: now } as const;
  const edited = { edited: 'edited', wantedRevision: 'edited' } as const;

  test('while it sleeps is deployed as edited, and is not put to sleep again by what held before', () => {
    const wishes = [order('sleep')];
    const preview = anAsleepRow({ sleepOrderedAt: now - 1_000 });
    const { row } = settled({ wishes, preview, branch });
    expect(row).toMatchObject({ phase: 'deploying', edited: 'edited', wantedRevision: 'edited' });
    const seen = { wishes, preview: row, observation: anObservation({ revision: 'edited' }) };
    const { row: ready } = settled(seen);
    expect(ready).toMatchObject({ phase: 'ready', edited: 'edited', wantedRevision: 'edited' });
    const again = settled({ ...seen, preview: ready, wishes: [...wishes, order('sleep', now)] });
    expect(again.row).toMatchObject({ edited: null, wantAsleep: true });
    expect(again.needsCommit).toBe(true);
  });

  test('that declares it asleep is asleep, and an order wakes it', () => {
    const observation = anObservation({ revision: 'edited', state: 'suspended' });
    const preview = aRow({ ...edited, phase: 'deploying', deployingSince: now });
    const { row } = settled({ preview, observation });
    expect(row).toMatchObject({ phase: 'asleep', wantAsleep: false, edited: 'edited' });
    const woken = settled({ preview: row, wishes: [order('wake')] });
    expect(woken).toMatchObject({ needsCommit: true, row: { phase: 'deploying', edited: null } });
    // What waits for a person is not asleep.
    const paused = settled({ preview, observation: { ...observation, message: 'Rollout/web is paused' } });
    expect(paused.row.phase).toBe('deploying');
  });

  test('is written over when it falls asleep', () => {
    const { row } = settled({ preview: aRow(edited), wishes: [order('sleep')] });
    expect(row).toMatchObject({ edited: null, wantAsleep: true });
    expect(asleepFile(row)).toMatchObject({ phase: 'asleep', wantedRevision: asleepRevision });
  });
});

test('a stop that is undone leaves it asleep', () => {
  const stopping = anAsleepRow({
    phase: 'stopping',
    stopReason: 'git',
    stoppedAt: now - 500,
    sleepOrderedAt: now - 1_000,
  });
  const wishes = [order('sleep'), { ...order('start', now), source: 'git' as const }];
  const { preview } = decide(anInput({ preview: stopping, wishes }));
  expect(preview).toMatchObject({ phase: 'deploying', wantAsleep: true, wantedRevision: asleepRevision });
  const observation = anObservation({ revision: asleepRevision, state: 'suspended' });
  expect(settled({ preview, wishes, observation }).row).toMatchObject({ phase: 'asleep', wantAsleep: true });
  // And one that something woke meanwhile is awake.
  const woken = settled({ preview, wishes: [...wishes, order('wake', now + 1)] });
  expect(woken).toMatchObject({
    needsCommit: true,
    row: { phase: 'deploying', wantAsleep: false, wantedRevision: null },
  });
});

test('a file that cannot be pushed shows that it failed, and sleeps with the next try', () => {
  const failed = commitFailed(asleepFile(settled({ wishes: [order('sleep')] }).row), 'push', 'refused');
  expect(failed).toMatchObject({ phase: 'failed', cause: 'push', wantAsleep: true });
  expect(asleepFile(failed).phase).toBe('asleep');
});

test('the members keep what they were deployed with', () => {
  const { row } = settled({ wishes: [order('sleep')] });
  expect(asleepFile(row).members[0]).toMatchObject({ wantedSha: sha, deployedSha: sha });
});
