import { describe, expect, test } from 'vitest';
import { decide, neededReads, nextDueAt } from '../../src/preview/decide.js';
import { commitFailed, rendered } from '../../src/preview/deployment.js';
import { basePolicy, hourMs } from './model/world.js';
import { anInput, anObservation, aRow, deployingRow, newSha, now, revision, sha, someFacts } from './samples.js';

const ofNewSha = { projectId: 7, sha: newSha, gate: 'pipeline' };
const closedGate = [{ ...ofNewSha, reading: { state: 'waiting' as const, detail: '1 of 2 jobs' } }];
const openGate = [{ ...ofNewSha, reading: { state: 'open' as const } }];
const pushed = someFacts({ sha: newSha });

describe('a decision on its own result', () => {
  test('changes nothing', () => {
    const inputs = [
      anInput(),
      anInput({ facts: pushed, gates: closedGate }),
      anInput({ facts: pushed, gates: openGate }),
      anInput({ preview: null }),
      anInput({ preview: deployingRow(), observation: anObservation() }),
      anInput({ facts: someFacts({ state: 'closed' }) }),
      anInput({ reading: 'unknown' }),
    ];
    for (const input of inputs) {
      const first = decide(input);
      const second = decide({ ...input, preview: first.preview });
      expect(second).toMatchObject({ changed: false, ended: null, events: [], needsCommit: false });
      expect(second.preview).toBe(first.preview);
    }
  });
});

describe('the first incarnation', () => {
  test('deploys at once when the gate is open and a slot is free', () => {
    const decision = decide(anInput({ preview: null }));
    expect(decision.preview).toMatchObject({
      slug: 'shop-42',
      incarnation: 2,
      namespace: 'preview-shop-42',
      url: 'https://shop-42.preview.example.com',
      phase: 'deploying',
      wantedRevision: null,
      deployingSince: now,
      members: [{ wantedSha: sha, deployedSha: null, next: null }],
      expiresAt: now - hourMs + basePolicy.ttlMs,
    });
    expect(decision).toMatchObject({ changed: true, needsCommit: true, wantsFeedback: true, freedSlot: false });
    expect(decision.events.map((event) => event.kind)).toEqual(['created', 'deploying']);
  });

  test('waits for its pipeline, and writes no file', () => {
    const decision = decide(anInput({ preview: null, facts: pushed, gates: closedGate }));
    expect(decision.preview).toMatchObject({ phase: 'waiting', waitingFor: 'pipeline', waitingSince: now });
    expect(decision.preview?.members[0]).toMatchObject({
      wantedSha: null,
      next: { sha: newSha, waitingFor: 'pipeline', since: now, detail: '1 of 2 jobs', link: null, stuck: false },
    });
    expect(decision.needsCommit).toBe(false);
  });

  test('waits for a slot', () => {
    const usage = { project: 20, total: 20, maxTotal: 200, ahead: 0, aheadElsewhere: 0 };
    const waiting = decide(anInput({ preview: null, usage })).preview;
    expect(waiting).toMatchObject({ phase: 'waiting', waitingFor: 'slot' });
    const later = decide(anInput({ preview: waiting, now: now + 5 }));
    expect(later.preview).toMatchObject({ phase: 'deploying' });
    expect(later.freedSlot).toBe(true);
  });

  test.each([
    ['closed', { facts: someFacts({ state: 'closed' }) }],
    ['a draft', { facts: someFacts({ draft: true }) }],
    ['expired', { now: now + 30 * hourMs }],
    ['without a commit', { facts: someFacts({ sha: null }) }],
    ['of no project', { policy: null }],
    ['not read yet', { facts: null, reading: 'none' as const }],
    ['unknown', { facts: null, reading: 'unknown' as const }],
    ['known of old and unknown now', { reading: 'unknown' as const }],
    ['known of old and not read now', { reading: 'none' as const }],
  ])('is not made for a merge request that is %s', (_, change) => {
    expect(decide(anInput({ preview: null, ...change }))).toMatchObject({ preview: null, changed: false, events: [] });
  });

  test('takes another slug when the first is taken, and none when all are', () => {
    const taken = { slug: 'shop-42', taken: true, lastIncarnation: 3 };
    const free = { slug: 'shop-42-shop-42', taken: false, lastIncarnation: 0 };
    expect(decide(anInput({ preview: null, slugs: [taken, free] })).preview).toMatchObject({
      slug: 'shop-42-shop-42',
      incarnation: 1,
    });
    expect(decide(anInput({ preview: null, slugs: [taken] }))).toMatchObject({ preview: null, slugTaken: true });
  });
});

describe('a new sha', () => {
  test('waits at its gate while the old one stays deployed', () => {
    const decision = decide(anInput({ facts: pushed, gates: closedGate }));
    expect(decision.preview).toMatchObject({ phase: 'ready', waitingFor: null, wantedRevision: revision });
    expect(decision.preview?.members[0]).toMatchObject({ wantedSha: sha, deployedSha: sha, next: { sha: newSha } });
    expect(decision.needsCommit).toBe(false);
  });

  test('that GitLab said nothing of yet waits too, and asks', () => {
    const decision = decide(anInput({ facts: pushed }));
    expect(decision.preview?.members[0]?.next).toMatchObject({ sha: newSha, detail: null });
    expect(decision.needed).toEqual({ mergeRequest: false, gateSha: newSha, images: [] });
  });

  test('is deployed when its gate opens, over an edit, without a slot of its own', () => {
    const usage = { project: 20, total: 20, maxTotal: 20, ahead: 9, aheadElsewhere: 0 };
    const decision = decide(anInput({ facts: pushed, gates: openGate, usage, preview: aRow({ edited: 'edited' }) }));
    expect(decision.preview).toMatchObject({ phase: 'deploying', wantedRevision: null, edited: null });
    expect(decision.preview?.members[0]).toMatchObject({ wantedSha: newSha, deployedSha: sha, next: null });
    expect(decision.needsCommit).toBe(true);
  });

  test('keeps since when it waits for the same, and its last detail while GitLab cannot say', () => {
    const waiting = decide(anInput({ facts: pushed, gates: closedGate })).preview;
    const later = decide(anInput({ preview: waiting, facts: pushed, gates: [], now: now + 5 }));
    expect(later.changed).toBe(false);
    const link = 'https://gitlab.example.com/acme/shop/-/jobs/9';
    const failed = [{ ...ofNewSha, reading: { state: 'failed' as const, detail: 'The job test failed.', link } }];
    expect(
      decide(anInput({ preview: waiting, facts: pushed, gates: failed, now: now + 5 })).preview?.members[0]?.next,
    ).toEqual({
      sha: newSha,
      waitingFor: 'pipeline',
      since: now,
      detail: 'The job test failed.',
      link,
      stuck: true,
    });
  });

  test('that was taken back leaves nothing waiting', () => {
    const waiting = decide(anInput({ facts: pushed, gates: closedGate })).preview;
    expect(decide(anInput({ preview: waiting })).preview?.members[0]?.next).toBeNull();
  });
});

describe('an observation', () => {
  const deploying = deployingRow();
  test.each([
    ['healthy', deploying, anObservation(), { phase: 'ready', deployedRevision: revision, readyAt: now, cause: null }],
    ['of another revision', deploying, anObservation({ revision: '2' }), { phase: 'deploying' }],
    ['of none', deploying, anObservation({ revision: null }), { phase: 'deploying' }],
    ['before the file was rendered', deployingRow({ wantedRevision: null }), anObservation(), { phase: 'deploying' }],
    ['progressing', deploying, anObservation({ state: 'progressing' }), { phase: 'deploying' }],
    ['degraded', deploying, anObservation({ state: 'degraded', message: 'x' }), { phase: 'failed', cause: 'health' }],
    ['refused', deploying, anObservation({ state: 'refused' }), { phase: 'failed', cause: 'fence' }],
    ['refused at its source', deploying, anObservation({ state: 'refused', cause: 'source' }), { cause: 'source' }],
    ['degraded after ready', aRow(), anObservation({ state: 'degraded' }), { phase: 'failed', cause: 'health' }],
    ['progressing after ready', aRow(), anObservation({ state: 'progressing' }), { phase: 'ready' }],
    [
      'healthy after all',
      aRow({ phase: 'failed', cause: 'timeout' }),
      anObservation(),
      { phase: 'ready', cause: null },
    ],
  ])('%s', (_, preview, observation, expected) => {
    expect(decide(anInput({ preview, observation })).preview).toMatchObject(expected);
  });

  test('healthy makes the wanted sha the deployed one, and keeps when it was first ready', () => {
    const preview = deployingRow({ readyAt: 5 });
    const ready = decide(anInput({ preview, observation: anObservation() })).preview;
    expect(ready).toMatchObject({ readyAt: 5, members: [{ deployedSha: sha }] });
  });

  test('of a time-out later brings the evidence', () => {
    const late = { preview: deployingRow(), now: now + hourMs };
    const failed = decide(anInput(late)).preview;
    expect(failed).toMatchObject({ phase: 'failed', cause: 'timeout' });
    const observation = anObservation({ state: 'degraded', message: 'ImagePullBackOff' });
    expect(decide(anInput({ ...late, preview: failed, observation })).preview).toMatchObject({
      phase: 'failed',
      cause: 'health',
      message: 'ImagePullBackOff',
    });
  });

  test('gone of a preview that runs ends the incarnation, and the next one begins', () => {
    const observation = anObservation({ revision: null, state: 'gone' });
    const decision = decide(anInput({ observation }));
    expect(decision.ended).toMatchObject({ incarnation: 1, phase: 'stopped', stopReason: 'git', version: 6 });
    expect(decision.preview).toMatchObject({ incarnation: 2, phase: 'deploying', wantedRevision: null, version: 1 });
    expect(decision).toMatchObject({ needsCommit: true, freedSlot: false });
  });
});

describe('an edit of the file', () => {
  const by = { by: 'bob', at: now };
  test('is deployed as edited, and the wanted sha stays', () => {
    const decision = decide(anInput({ branch: { kind: 'edited', revision: '2', ...by } }));
    expect(decision.preview).toMatchObject({ phase: 'deploying', wantedRevision: '2', edited: 'edited' });
    expect(decision.preview?.members[0]?.wantedSha).toBe(sha);
    expect(decision.needsCommit).toBe(false);
    expect(decision.events[0]).toMatchObject({ kind: 'edited', actor: 'bob' });
  });

  test('of a comment deploys nothing and is not written over', () => {
    const decision = decide(anInput({ branch: { kind: 'edited', revision, ...by } }));
    expect(decision.preview).toMatchObject({ phase: 'ready', edited: 'edited' });
    const policy = { ...basePolicy, urlTemplate: 'https://other.example.com' };
    expect(decide(anInput({ preview: decision.preview, policy })).needsCommit).toBe(false);
  });

  test('that may not be is marked, and nothing else happens', () => {
    const decision = decide(anInput({ branch: { kind: 'refused', detail: 'name', ...by } }));
    expect(decision.preview).toEqual({ ...aRow(), edited: 'refused', version: 6 });
    expect(decision.needsCommit).toBe(false);
  });
});

describe('the commit', () => {
  test('of another revision is a deployment, of the deployed one it is none', () => {
    expect(rendered(aRow({ wantedRevision: null }), { revision, url: null }, now).phase).toBe('ready');
    expect(rendered(aRow(), { revision: '2', url: null }, now)).toMatchObject({
      phase: 'deploying',
      wantedRevision: '2',
      deployingSince: now,
      url: null,
    });
    expect(rendered(deployingRow({ wantedRevision: null }), { revision: '2', url: null }, now)).toMatchObject({
      phase: 'deploying',
      wantedRevision: '2',
      deployingSince: now - 60_000,
    });
  });

  test('that failed says why, once it is sure', () => {
    expect(commitFailed(deployingRow(), 'push', 'no')).toMatchObject({ phase: 'failed', cause: 'push', message: 'no' });
    const stopping = aRow({ phase: 'stopping' });
    expect(commitFailed(stopping, 'push', 'no')).toBe(stopping);
  });
});

describe('what else it depends on', () => {
  test('a changed URL waits for the file that holds it, which the sweep renders again', () => {
    const policy = { ...basePolicy, urlTemplate: 'https://{{slug}}.new.example.com' };
    const decision = decide(anInput({ policy }));
    expect(decision.preview?.url).toBe(aRow().url);
    expect(decision.needsCommit).toBe(false);
    const url = 'https://shop-42.new.example.com';
    const { wantedRevision } = aRow();
    expect(rendered(aRow(), { revision: wantedRevision ?? '', url }, now)).toEqual({ ...aRow(), url });
  });

  test('the sweep looks again at the time-out and at the end of its life', () => {
    expect(nextDueAt(aRow(), basePolicy)).toBe(aRow().expiresAt);
    expect(nextDueAt(deployingRow(), basePolicy)).toBe(now - 60_000 + basePolicy.deployTimeoutMs);
    expect(nextDueAt(aRow({ phase: 'stopping' }), basePolicy)).toBeNull();
  });

  test.each([
    ['nothing', anInput({ reading: 'none' }), false, false, null],
    ['what was asked', anInput({ reading: 'none' }), true, true, null],
    ['nothing that nobody follows', anInput({ reading: 'none', preview: null, policy: null }), true, false, null],
    ['what was never read', anInput({ reading: 'none', preview: null, facts: null }), false, true, null],
    ['what is about to expire', anInput({ reading: 'none', now: now + 30 * hourMs }), false, true, null],
    ['what is about to begin', anInput({ reading: 'none', preview: null }), false, true, null],
    ['the gate of a new sha', anInput({ facts: pushed }), false, false, newSha],
    ['nothing twice', anInput({ now: now + 30 * hourMs }), true, false, null],
    ['no gate of a sha that is wanted already', anInput({ gates: [] }), false, false, null],
  ])('GitLab is asked for %s', (_, input, asked, mergeRequest, gateSha) => {
    expect(neededReads(input, asked)).toEqual({ mergeRequest, gateSha, images: [] });
  });
});
