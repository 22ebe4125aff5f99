import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linkedOracle } from './linked-oracle.js';
import {
  cart,
  change,
  commit,
  createLinkedWorld,
  decideNow,
  end,
  groupPolicy,
  type LinkedWorld,
  openMergeRequest,
  pass,
  push,
  settle,
  shop,
  tick,
  wish,
} from './linked-world.js';
import { hourMs } from './model/world.js';

// What is checked before a change lands must not fail by chance: there the histories are always the same.
if (process.env.CI !== undefined) fc.configureGlobal({ seed: 20_261_121 });

const acts = [
  'open',
  'push',
  'merge',
  'close',
  'reopen',
  'label',
  'draft',
  'green',
  'main',
  'start',
  'stop',
  'redeploy',
  'hours',
  'mute',
  'decide',
] as const;
type Act = (typeof acts)[number];

interface Step {
  act: Act;
  projectId: number;
  /** Chooses among what there is. */
  choice: number;
}

const step = fc.record({
  act: fc.constantFrom<Act>(...acts, 'open', 'green', 'green', 'green', 'decide', 'decide'),
  projectId: fc.constantFrom(shop, cart),
  choice: fc.nat(50),
});

function choose<T>(list: readonly T[], choice: number): T | undefined {
  return list.length === 0 ? undefined : list[choice % list.length];
}

/** Everything that GitLab has a pipeline for. */
function commits(world: LinkedWorld): string[] {
  const heads = [...world.mergeRequests.values()].flatMap(({ sha }) => (sha === null ? [] : [sha]));
  return [...new Set([...heads, ...[...world.mains.values()].flat()])];
}

function perform(world: LinkedWorld, { act, projectId, choice }: Step, count: number): void {
  const own = [...world.mergeRequests.values()].filter((each) => each.projectId === projectId);
  const open = choose(
    own.filter(({ state }) => state === 'opened'),
    choice,
  );
  switch (act) {
    case 'open':
      if (own.length < 4) openMergeRequest(world, projectId, own.length + 1);
      return;
    case 'push':
      if (open !== undefined) push(world, projectId, open.iid, `push-${projectId}-${count}`);
      return;
    case 'merge':
    case 'close':
      if (open !== undefined) end(world, projectId, open.iid, act === 'merge' ? 'merged' : 'closed');
      return;
    case 'reopen': {
      const closed = choose(
        own.filter(({ state }) => state === 'closed'),
        choice,
      );
      const at = world.now + 1_000;
      if (closed !== undefined)
        change(world, projectId, closed.iid, { state: 'opened', endedAt: null, lastReopenedAt: at });
      return;
    }
    case 'label':
      if (open !== undefined)
        change(world, projectId, open.iid, { labels: open.labels.length > 0 ? [] : ['no-preview'] });
      return;
    case 'draft':
      if (open !== undefined) change(world, projectId, open.iid, { draft: !open.draft });
      return;
    case 'green': {
      const sha = choose(commits(world), choice);
      if (sha !== undefined) pass(world, sha);
      return;
    }
    case 'main':
      tick(world);
      commit(world, projectId, `main-${projectId}-${count}`);
      return;
    case 'start':
    case 'stop':
    case 'redeploy':
      wish(world, { kind: act });
      return;
    case 'hours':
      tick(world, (choice % 9) * hourMs);
      return;
    case 'mute':
      world.isMute = !world.isMute;
      return;
    case 'decide':
      decideNow(world);
      return;
    default:
      act satisfies never;
  }
}

function checkAlways(world: LinkedWorld): void {
  const { row } = world;
  if (row === null) return;
  for (const { wantedSha } of row.members) {
    if (wantedSha !== null)
      expect(world.pipelines.get(wantedSha)?.state, 'only what passed is ever deployed').toBe('open');
  }
  if (row.phase === 'deploying' || row.phase === 'ready') {
    expect(
      row.members.every(({ wantedSha }) => wantedSha !== null),
      'every member has a sha',
    ).toBe(true);
  }
  if (row.phase === 'waiting') expect(row.members.every(({ wantedSha }) => wantedSha === null)).toBe(true);
}

function checkEnd(world: LinkedWorld): void {
  const row = settle(world);
  const expected = linkedOracle({
    projects: [shop, cart].map((projectId) => ({ projectId, main: world.mains.get(projectId) ?? [] })),
    mergeRequests: [...world.mergeRequests.values()].map((each) => ({
      ...each,
      state: each.state === 'locked' ? 'opened' : each.state,
      sha: each.sha ?? '',
      labelled: each.labels.length > 0,
      lastPushAt: each.lastPushAt ?? 0,
    })),
    comments: world.wishes.map(({ at, kind }) => ({
      at,
      says: kind === 'start' || kind === 'stop' ? kind : 'redeploy',
    })),
    green: new Set([...world.pipelines].flatMap(([sha, { state }]) => (state === 'open' ? [sha] : []))),
    ttlMs: groupPolicy.ttlMs,
    now: world.now,
  });
  if (!expected.lives) {
    expect(row?.phase ?? 'stopped').toBe('stopped');
    if (row !== null && expected.reason !== null) expect(row.stopReason).toBe(expected.reason);
    return;
  }
  expect(row?.members.map(({ projectId, iid }) => `${projectId}!${iid}`)).toEqual(
    expected.members.map(({ projectId, iid }) => `${projectId}!${iid}`),
  );
  if (expected.mayBegin) expect(row?.phase).toBe('ready');
  else expect(['ready', 'waiting']).toContain(row?.phase);
  for (const [index, { head, mayRun }] of expected.members.entries()) {
    const member = row?.members[index];
    const isGreen = head !== null && world.pipelines.get(head)?.state === 'open';
    if (row?.phase === 'ready' && head !== null && isGreen)
      expect(member).toMatchObject({ wantedSha: head, deployedSha: head, next: null });
    if (head !== null && !isGreen) expect(member?.next).toMatchObject({ sha: head, waitingFor: 'pipeline' });
    // Where nothing of the target branch ever passed, what ran before goes on.
    if (row?.phase === 'ready' && head === null && mayRun.length > 0) expect(mayRun).toContain(member?.wantedSha);
  }
}

describe('any history of a linked preview', () => {
  it('leads to what the final state of GitLab asks for, and never past a gate on the way', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const world = createLinkedWorld();
        for (const [count, each] of steps.entries()) {
          perform(world, each, count);
          checkAlways(world);
        }
        world.isMute = false;
        checkEnd(world);
        checkAlways(world);
      }),
      { numRuns: 2_000 },
    );
  });
});
