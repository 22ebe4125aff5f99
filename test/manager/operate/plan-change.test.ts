import { describe, expect, it } from 'vitest';
import { loadManagerConfig } from '../../../src/config/load-manager-config.js';
import { policyOf } from '../../../src/config/policy-of.js';
import { formatPlan, type KnownSubject, planChange } from '../../../src/manager/operate/plan-change.js';
import type { MergeRequestFacts } from '../../../src/preview/facts.js';
import { environment, least, temporaryFile } from '../../config/config-files.js';

const now = Date.parse('2026-11-20T12:00:00Z');

function facts(iid: number, more: Partial<MergeRequestFacts> = {}): MergeRequestFacts {
  return {
    projectId: 7,
    iid,
    state: 'opened',
    sha: 'a'.repeat(40),
    sourceBranch: `fix-${iid}`,
    targetBranch: 'main',
    title: 'Fix',
    authorId: 1,
    authorUsername: 'ada',
    draft: false,
    labels: [],
    webUrl: 'https://gitlab.example.com/x',
    sourceProjectId: 7,
    createdAt: now - 3_600_000,
    updatedAt: now - 3_600_000,
    endedAt: null,
    lastPushAt: now - 3_600_000,
    lastReopenedAt: null,
    ...more,
  };
}

function subject(iid: number, more: Partial<KnownSubject> = {}): KnownSubject {
  const preview = { slug: `shop-${iid}`, phase: 'ready' as const, stopReason: null, createdAt: now - 3_600_000 };
  return { projectId: 7, iid, facts: facts(iid), wishes: [], preview, ...more };
}

async function plan(yaml: string, subjects: KnownSubject[]) {
  const { config } = await loadManagerConfig({ file: await temporaryFile('mayfly.yaml', least + yaml), environment });
  const [project] = config.projects;
  return planChange((id) => (id === 7 && project !== undefined ? policyOf(config, project) : null), { subjects, now });
}

describe('what a configuration would start and stop', () => {
  it('is nothing when it says what is already so', async () => {
    expect(await plan('', [subject(1), subject(2)])).toEqual({ starts: [], stops: [], held: false, renders: null });
  });

  it('names what it no longer follows and what it follows now', async () => {
    const subjects = [
      subject(1, { facts: facts(1, { targetBranch: 'dev' }) }),
      subject(2),
      subject(3, { facts: facts(3, { targetBranch: 'dev' }), preview: null }),
      subject(4, {
        facts: facts(4, { targetBranch: 'dev' }),
        preview: { slug: 'shop-4', phase: 'stopped', stopReason: 'unfollowed', createdAt: now },
      }),
      subject(5, {
        facts: facts(5, { targetBranch: 'dev' }),
        preview: { slug: 'shop-5', phase: 'stopped', stopReason: 'expired', createdAt: now },
      }),
      subject(6, { facts: facts(6, { targetBranch: 'dev', sha: null }), preview: null }),
    ];
    expect(await plan('defaults: {follow: {targetBranches: [dev]}}\n', subjects)).toEqual({
      starts: ['shop!3', 'shop!4'],
      stops: [{ slug: 'shop-2', reason: 'unfollowed', detail: 'its target branch is none of `follow.targetBranches`' }],
      held: false,
      renders: null,
    });
  });

  it('counts an expiry by a shorter life, and leaves out what a person or the merge request ended', async () => {
    const subjects = [
      subject(1),
      subject(2, { facts: facts(2, { state: 'merged', endedAt: now }) }),
      subject(3, { wishes: [{ kind: 'stop', source: 'command', amountMs: null, at: now - 1_000, by: 'ada' }] }),
      subject(4, { facts: null }),
    ];
    const { stops } = await plan('defaults: {lifetime: {ttl: 30m}}\n', subjects);
    expect(stops).toEqual([{ slug: 'shop-1', reason: 'expired', detail: null }]);
  });

  it('stops the previews of a project that is gone from it', async () => {
    const { stops } = await plan('', [subject(1, { projectId: 8, facts: facts(1, { projectId: 8 }) })]);
    expect(stops.map((stop) => stop.reason)).toEqual(['unfollowed']);
  });

  it('says when so many would be held', async () => {
    const yaml = 'defaults: {follow: {targetBranches: [typo]}}\n';
    const three = await plan(
      yaml,
      [1, 2, 3].map((iid) => subject(iid)),
    );
    const six = await plan(
      yaml,
      [1, 2, 3, 4, 5, 6].map((iid) => subject(iid)),
    );
    expect([three.held, six.held]).toEqual([false, true]);
    expect(formatPlan(six)).toEqual({
      status: 'warning',
      found:
        'This configuration would start 0 and stop 6 (shop-1: its target branch is none of `follow.targetBranches`; shop-2: its target branch is none of `follow.targetBranches`; shop-3: its target branch is none of `follow.targetBranches`; shop-4: its target branch is none of `follow.targetBranches`; shop-5: its target branch is none of `follow.targetBranches`, and 1 more).',
      advice: 'So many are held until a person accepts them (mayfly breaker accept).',
    });
    expect(formatPlan(three).advice).toBe('They are stopped at once.');
  });
});
