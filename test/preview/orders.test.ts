import { describe, expect, test } from 'vitest';
import { decide } from '../../src/preview/decide.js';
import type { DecideInput, Decision } from '../../src/preview/decision.js';
import type { Wish } from '../../src/preview/facts.js';
import type { Policy } from '../../src/preview/policy.js';
import { isApproved, settingsOf, startedBy } from '../../src/preview/wishes.js';
import { basePolicy, hourMs } from './model/world.js';
import { anInput, anObservation, aRow, newSha, now, sha, someFacts, stoppedRow } from './samples.js';

function wish(change: Partial<Wish>): Wish {
  return { kind: 'start', source: 'command', amountMs: null, at: now - 1_000, by: 'ada', ...change };
}

function policyWith(follow: Partial<Policy['follow']>, change: Partial<Policy> = {}): Policy {
  return { ...basePolicy, gatePipeline: 'none', ...change, follow: { ...basePolicy.follow, ...follow } };
}

/** Decides until nothing changes, as the job does; what it takes longer than twice is no level. */
function settled(input: DecideInput): Decision {
  const first = decide(input);
  const second = decide({ ...input, preview: first.preview });
  expect(second.changed).toBe(false);
  return first;
}

describe('redeploy', () => {
  const redeploy = wish({ kind: 'redeploy' });

  test('deploys the same sha once more, and once', () => {
    const decision = settled(anInput({ wishes: [redeploy] }));
    expect(decision).toMatchObject({ needsCommit: true, preview: { phase: 'deploying', wantedRevision: null } });
    expect(decision.preview).toMatchObject({ redeployedAt: redeploy.at, ordered: { kind: 'redeploy', by: 'ada' } });
    expect(decision.events).toMatchObject([{ kind: 'deploying', actor: 'ada' }]);
    const { lastActivityAt, expiresAt } = decision.preview ?? aRow();
    const ready = aRow({ redeployedAt: redeploy.at, lastActivityAt, expiresAt });
    expect(decide(anInput({ preview: ready, wishes: [redeploy] })).changed).toBe(false);
    const again = wish({ kind: 'redeploy', at: redeploy.at + 1 });
    expect(decide(anInput({ preview: ready, wishes: [redeploy, again] })).preview?.phase).toBe('deploying');
  });

  test('is not done because the same revision was healthy before', () => {
    const { preview } = decide(anInput({ wishes: [redeploy], observation: anObservation() }));
    expect(preview?.phase).toBe('deploying');
  });

  test.each(['edited', 'refused'] as const)('writes over a file that was %s', (edited) => {
    const { preview } = decide(anInput({ preview: aRow({ edited }), wishes: [redeploy] }));
    expect(preview).toMatchObject({ phase: 'deploying', edited: null });
  });

  test('of a preview that is over changes nothing but its time to live', () => {
    const stop = wish({ kind: 'stop', at: now - 2_000 });
    const row = stoppedRow({ stoppedAt: stop.at, stoppedBy: 'ada' });
    expect(decide(anInput({ preview: row, wishes: [stop, redeploy] })).preview?.phase).toBe('stopped');
  });
});

describe('values', () => {
  const settable = { replicas: 'integer', debug: 'boolean' } as const;
  const policy = policyWith({}, { settable });
  const set = (key: string, value: number | string | boolean, at = now - 1_000) =>
    wish({ kind: 'set', key, value, at });

  test('are those set last; a key that may not be set, or has another type, counts no more', () => {
    const wishes = [
      set('replicas', 2, 1),
      set('debug', true, 2),
      set('replicas', 3, 3),
      set('image', 'evil', 4),
      wish({ kind: 'unset', key: 'debug', at: 5 }),
    ];
    expect(settingsOf(settable, wishes)).toEqual({ replicas: 3 });
    expect(settingsOf({ replicas: 'text' }, wishes)).toEqual({});
    expect(settingsOf({}, [set('__proto__', 1)])).toEqual({});
  });

  test('make the file be written anew, in the name of who set them', () => {
    const decision = settled(anInput({ policy, wishes: [set('replicas', 3)] }));
    expect(decision).toMatchObject({ needsCommit: true, preview: { setValues: { replicas: 3 }, phase: 'ready' } });
    expect(decision.preview?.ordered).toEqual({ kind: 'set', by: 'ada' });
    const unset = wish({ kind: 'unset', key: 'replicas', by: 'bob', at: now });
    const back = settled(anInput({ policy, preview: decision.preview, wishes: [set('replicas', 3), unset] }));
    expect(back).toMatchObject({
      needsCommit: true,
      preview: { setValues: {}, ordered: { kind: 'unset', by: 'bob' } },
    });
  });

  test('that the configuration does not let be set any more are taken back in nobody’s name', () => {
    const preview = aRow({ setValues: { replicas: 3 } });
    const decision = settled(anInput({ policy: policyWith({}), preview, wishes: [set('replicas', 3)] }));
    expect(decision).toMatchObject({ needsCommit: true, preview: { setValues: {}, ordered: null } });
  });
});

describe('a fork whose commits need approval', () => {
  const policy = policyWith({ forks: 'approved' });
  const facts = someFacts({ sourceProjectId: 8 });
  const approve = (approved: string) => wish({ kind: 'approve', sha: approved });

  test('waits, is deployed once its very commit is approved, and keeps it while the next one waits', () => {
    const input = anInput({ policy, facts, preview: null, neverCommitted: true });
    const waiting = settled(input);
    expect(waiting.preview).toMatchObject({ phase: 'waiting', waitingFor: 'approval' });
    expect(waiting.preview?.members[0]).toMatchObject({ wantedSha: null, next: { sha, waitingFor: 'approval' } });
    const approved = settled({ ...input, preview: waiting.preview, wishes: [approve(newSha), approve(sha)] });
    expect(approved.preview).toMatchObject({ phase: 'deploying', ordered: { kind: 'approve', by: 'ada' } });
    expect(approved.preview?.members[0]).toMatchObject({ wantedSha: sha, next: null });

    const pushed = { ...facts, sha: newSha };
    const next = settled(anInput({ policy, facts: pushed, wishes: [approve(sha)] }));
    expect(next.preview).toMatchObject({ phase: 'ready', waitingFor: null });
    expect(next.preview?.members[0]).toMatchObject({ wantedSha: sha, next: { sha: newSha, waitingFor: 'approval' } });
  });

  test('is one whose source project is gone, too; a branch of the project needs none', () => {
    const gone = someFacts({ sourceProjectId: null });
    const base = { policy, preview: null, neverCommitted: true };
    expect(decide(anInput({ ...base, facts: gone })).preview?.waitingFor).toBe('approval');
    expect(decide(anInput(base)).preview?.phase).toBe('deploying');
    const always = policyWith({ forks: 'always' });
    expect(decide(anInput({ ...base, policy: always, facts: gone })).preview?.phase).toBe('deploying');
  });

  test('is not approved by `/preview start`', () => {
    const input = anInput({ policy, facts, preview: null, neverCommitted: true, wishes: [wish({ kind: 'start' })] });
    expect(decide(input).preview?.waitingFor).toBe('approval');
    const wishes = [wish({ kind: 'start' }), approve(sha)];
    expect([sha, newSha].filter((each) => isApproved(wishes, { projectId: 7, sha: each }))).toEqual([sha]);
  });
});

describe('opting in', () => {
  const policy = policyWith({ optInLabel: 'preview' });
  const base = { policy, preview: null, neverCommitted: true };

  test('by a label or by `/preview start`, in whose name it begins', () => {
    expect(decide(anInput(base)).preview).toBeNull();
    expect(decide(anInput({ ...base, facts: someFacts({ labels: ['preview'] }) })).preview?.ordered).toBeNull();
    const started = decide(anInput({ ...base, wishes: [wish({})] }));
    expect(started.preview).toMatchObject({ phase: 'deploying', ordered: { kind: 'start', by: 'ada' } });
    expect(started.events[0]).toMatchObject({ kind: 'created', actor: 'ada' });
  });

  test('ends with the label, and the row says why', () => {
    const { preview } = decide(anInput({ policy }));
    expect(preview).toMatchObject({ phase: 'stopping', stopReason: 'label' });
    expect(preview?.stopDetail).toContain('`follow.optIn`');
  });

  test('is what a member said last: not before a reopening, and not what a file in the branch says', () => {
    const facts = someFacts({ lastReopenedAt: now });
    expect(startedBy(facts, [wish({})])).toBeNull();
    expect(startedBy(null, [wish({ source: 'git' })])).toBeNull();
    expect(startedBy(null, [wish({ at: 1 }), wish({ kind: 'stop', at: 2 })])).toBeNull();
    const removedAndBack = [
      wish({ at: 1 }),
      wish({ kind: 'stop', source: 'git', at: 2 }),
      wish({ source: 'git', at: 3 }),
    ];
    expect(startedBy(null, removedAndBack)?.at).toBe(1);
    expect(startedBy(null, [wish({ at: now - hourMs, by: 'bob' }), wish({})])?.by).toBe('ada');
  });
});
