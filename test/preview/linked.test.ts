import { describe, expect, it } from 'vitest';
import { decide } from '../../src/preview/decide.js';
import { belongsToLinked, forkEntry } from '../../src/preview/linked-forks.js';
import {
  cart,
  change,
  commit,
  createLinkedWorld,
  decideNow,
  end,
  groupPolicy,
  inputOf,
  type LinkedWorld,
  membersOf,
  openMergeRequest,
  pass,
  passAll,
  push,
  settle,
  shaOf,
  shop,
  tick,
  wish,
} from './linked-world.js';
import { hourMs } from './model/world.js';

function bothReady(): LinkedWorld {
  const world = createLinkedWorld();
  openMergeRequest(world, shop, 1);
  openMergeRequest(world, cart, 2);
  passAll(world);
  settle(world);
  return world;
}

/** The group lets forks of `cart` join, as far as its `follow.forks` does. */
function namingForks(world: LinkedWorld, forks: 'never' | 'approved' | 'always') {
  return world.projects.map((project) => {
    const policy = { ...project.policy, follow: { ...project.policy.follow, forks } };
    return project.projectId === cart ? { ...project, policy, forks: true } : project;
  });
}

describe('a linked preview', () => {
  it('runs the shas of all merge requests of the branch, and is one', () => {
    const world = bothReady();
    expect(world.row).toMatchObject({ slug: 'store-feature', project: 'store', phase: 'ready', incarnation: 1 });
    expect(membersOf(world)).toEqual(['7!1 7-1-1', '8!2 8-2-1']);
  });

  it('runs the baseline of a project without a merge request: the newest commit that passed', () => {
    const world = createLinkedWorld();
    openMergeRequest(world, shop, 1);
    passAll(world);
    commit(world, cart, 'red');
    settle(world);
    expect(world.row?.phase).toBe('ready');
    expect(membersOf(world)).toEqual(['7!1 7-1-1', '8!main main-cart next red pipeline']);
    expect(world.row?.members[1]).toMatchObject({ iid: null, branch: 'main' });
  });

  it('is never deployed before every member passed, a baseline too', () => {
    const world = createLinkedWorld();
    openMergeRequest(world, shop, 1);
    openMergeRequest(world, cart, 2);
    pass(world, shaOf('7-1-1'));
    settle(world);
    expect(world.row).toMatchObject({ phase: 'waiting', waitingFor: 'pipeline' });
    expect(membersOf(world)).toEqual(['7!1 -', '8!2 - next 8-2-1 pipeline']);
    end(world, cart, 2, 'closed');
    settle(world);
    expect(world.row).toMatchObject({ phase: 'waiting', waitingFor: 'pipeline' });
    pass(world, shaOf('main-cart'));
    settle(world);
    expect(world.row?.phase).toBe('ready');
    expect(membersOf(world)).toEqual(['7!1 7-1-1', '8!main main-cart']);
  });

  it('keeps the old sha of a member whose new one waits, while the others move', () => {
    const world = bothReady();
    push(world, shop, 1, 'new-shop');
    pass(world, push(world, cart, 2, 'new-cart'));
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 7-1-1 next new-shop pipeline', '8!2 new-cart']);
    pass(world, shaOf('new-shop'));
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 new-shop', '8!2 new-cart']);
  });

  it('goes on with the baseline when one closes, which redeploys it', () => {
    const world = bothReady();
    end(world, cart, 2, 'closed');
    expect(decideNow(world)).toMatchObject({ changed: true, needsCommit: true, preview: { phase: 'deploying' } });
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 7-1-1', '8!main main-cart']);
    expect(world.row?.phase).toBe('ready');
  });

  it('runs nothing of what was closed, though the newest commit of the target branch has not passed', () => {
    const world = bothReady();
    commit(world, cart, 'red');
    end(world, cart, 2, 'closed');
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 7-1-1', '8!main main-cart next red pipeline']);
  });

  it('is left as it is for a while after the last was merged, where the configuration says so', () => {
    const world = bothReady();
    world.policy = { ...groupPolicy, keepAfterMergeMs: 2 * hourMs };
    end(world, shop, 1, 'closed');
    settle(world);
    const running = membersOf(world);
    end(world, cart, 2, 'merged');
    settle(world);
    expect(world.row?.phase).toBe('ready');
    expect(membersOf(world)).toEqual(running);
    tick(world, 3 * hourMs);
    settle(world);
    expect(world.row).toMatchObject({ phase: 'stopped', stopReason: 'merged' });
  });

  it('keeps what was merged until the target branch has passed', () => {
    const world = bothReady();
    end(world, cart, 2, 'merged');
    settle(world);
    const [head = ''] = world.mains.get(cart) ?? [];
    expect(membersOf(world)[1]).toMatch(/^8!main 8-2-1 next merge-8-2-\d+ pipeline$/);
    pass(world, head);
    settle(world);
    expect(world.row?.members[1]).toMatchObject({ iid: null, wantedSha: head, next: null });
  });

  it.each(['merged', 'closed'] as const)('ends with the last, which was %s', (last) => {
    const world = bothReady();
    end(world, shop, 1, last === 'merged' ? 'closed' : 'merged');
    settle(world);
    expect(world.row?.phase).toBe('ready');
    end(world, cart, 2, last);
    settle(world);
    expect(world.row).toMatchObject({ phase: 'stopped', stopReason: last });
  });

  it('begins anew with the next merge request on that branch', () => {
    const world = bothReady();
    wish(world, { kind: 'set', key: 'replicas', value: 3 });
    wish(world, { kind: 'stop' });
    settle(world);
    expect(world.row).toMatchObject({ phase: 'stopped', stopReason: 'command' });
    end(world, shop, 1, 'merged');
    end(world, cart, 2, 'merged');
    settle(world);
    tick(world, hourMs);
    openMergeRequest(world, cart, 3);
    passAll(world);
    settle(world);
    expect(world.row).toMatchObject({ phase: 'ready', incarnation: 2, setValues: {} });
  });

  it('is stopped and started by words in any of them, and one that joins changes nothing of that', () => {
    const world = createLinkedWorld();
    openMergeRequest(world, shop, 1);
    passAll(world);
    settle(world);
    wish(world, { kind: 'stop' });
    openMergeRequest(world, cart, 2);
    settle(world);
    expect(world.row).toMatchObject({ phase: 'stopped', stopReason: 'command' });
    end(world, shop, 1, 'closed');
    settle(world);
    expect(world.row?.phase).toBe('stopped');
    wish(world, { kind: 'start' });
    passAll(world);
    settle(world);
    expect(world.row?.phase).toBe('ready');
    expect(membersOf(world)).toEqual(['7!main main-shop', '8!2 8-2-1']);
  });

  it('lets one that a filter refuses take no part, and stops when none is left', () => {
    const world = bothReady();
    change(world, cart, 2, { labels: ['no-preview'] });
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 7-1-1', '8!main main-cart']);
    change(world, shop, 1, { draft: true });
    settle(world);
    expect(world.row).toMatchObject({ phase: 'stopped', stopReason: 'unfollowed' });
    change(world, shop, 1, { draft: false });
    settle(world);
    expect(world.row).toMatchObject({ phase: 'ready', incarnation: 2 });
  });

  it('takes in no fork, and none at all when there are only forks', () => {
    const world = createLinkedWorld();
    openMergeRequest(world, shop, 1, { sourceProjectId: 99 });
    passAll(world);
    expect(decideNow(world).preview).toBeNull();
    openMergeRequest(world, cart, 2);
    passAll(world);
    settle(world);
    expect(membersOf(world)).toEqual(['7!main main-shop', '8!2 8-2-1']);
  });

  it('takes in a fork that the configuration names, unless its project follows none', () => {
    const world = createLinkedWorld();
    world.projects = namingForks(world, 'approved');
    openMergeRequest(world, shop, 1);
    openMergeRequest(world, cart, 2, { sourceProjectId: 99 });
    passAll(world);
    settle(world);
    // What nobody approved never runs: the preview waits as for every gate.
    expect(membersOf(world)).toEqual(['7!1 -', '8!2 - next 8-2-1 approval']);
    wish(world, { kind: 'approve', sha: shaOf('8-2-1'), projectId: shop });
    settle(world);
    expect(world.row?.phase).toBe('waiting');
    wish(world, { kind: 'approve', sha: shaOf('8-2-1'), projectId: cart });
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 7-1-1', '8!2 8-2-1']);
    expect(world.row?.members.map(({ fork }) => fork)).toEqual([undefined, true]);
    pass(world, push(world, cart, 2, 'second'), push(world, shop, 1, 'own'));
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 own', '8!2 8-2-1 next second approval']);
    expect(world.row?.members.map(({ fork }) => fork)).toEqual([undefined, true]);
    world.projects = namingForks(world, 'never');
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 own', '8!main main-cart']);
    expect(world.row?.members.map(({ fork }) => fork)).toEqual([undefined, undefined]);
  });

  it('runs no commit of a fork in the place of the project’s own, and trusts none that it left behind', () => {
    const world = createLinkedWorld();
    world.projects = namingForks(world, 'always');
    openMergeRequest(world, shop, 1);
    openMergeRequest(world, cart, 2, { sourceProjectId: 99 });
    openMergeRequest(world, cart, 3);
    passAll(world);
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 7-1-1', '8!3 8-3-1', '8!2 8-2-1']);
    end(world, cart, 3, 'closed');
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 7-1-1', '8!2 8-2-1']);
    world.mains.set(cart, [shaOf('broken')]);
    end(world, cart, 2, 'closed');
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 7-1-1', '8!main 8-2-1 next broken pipeline']);
    expect(world.row?.members[1]).toMatchObject({ fork: true });
    pass(world, shaOf('broken'));
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 7-1-1', '8!main broken']);
    expect(world.row?.members[1]?.fork).toBeUndefined();
  });

  it('gives a fork’s baseline the trust of the project until the fork’s own commit runs', () => {
    const world = createLinkedWorld();
    world.projects = namingForks(world, 'approved');
    openMergeRequest(world, shop, 1);
    passAll(world);
    settle(world);
    openMergeRequest(world, cart, 2, { sourceProjectId: 99 });
    passAll(world);
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 7-1-1', '8!2 main-cart next 8-2-1 approval']);
    expect(world.row?.members[1]?.fork).toBeUndefined();
  });

  it.each([
    ['never', 'none', 'never'],
    ['approved', 'none', 'approved'],
    ['always', 'none', 'always'],
    ['always', 'member', 'approved'],
  ] as const)('lets forks in by the project’s `follow.forks: %s` and approval %s: %s', (forks, gateApproval, entry) => {
    const policy = { ...groupPolicy, gateApproval, follow: { ...groupPolicy.follow, forks } };
    expect(forkEntry({ policy, forks: true })).toBe(entry);
    expect(forkEntry({ policy })).toBe('never');
    const facts = { projectId: cart, sourceProjectId: 99 };
    const approval = { kind: 'approve', source: 'command', at: 1, by: 'alice', amountMs: null } as const;
    const project = { policy, forks: true };
    expect(belongsToLinked(project, facts, [])).toBe(entry === 'always');
    expect(belongsToLinked(project, facts, [{ ...approval, projectId: cart }])).toBe(entry !== 'never');
    expect(belongsToLinked(project, facts, [{ ...approval, projectId: shop }])).toBe(entry === 'always');
    expect(belongsToLinked({ policy }, { projectId: cart, sourceProjectId: cart }, [])).toBe(true);
  });

  it('hands the sha of the baseline to the merge request that joins until that one has passed', () => {
    const world = createLinkedWorld();
    openMergeRequest(world, shop, 1);
    passAll(world);
    settle(world);
    openMergeRequest(world, cart, 2);
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 7-1-1', '8!2 main-cart next 8-2-1 pipeline']);
    passAll(world);
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 7-1-1', '8!2 8-2-1']);
  });

  it('takes a newer baseline only with something else that is deployed', () => {
    const world = createLinkedWorld();
    openMergeRequest(world, shop, 1);
    passAll(world);
    settle(world);
    pass(world, commit(world, cart, 'newer'));
    world.asked = [];
    settle(world);
    expect(world.asked).toEqual([]);
    expect(membersOf(world)[1]).toBe('8!main main-cart');
    pass(world, push(world, shop, 1, 'pushed'));
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 pushed', '8!main newer']);
    pass(world, commit(world, cart, 'newest'));
    wish(world, { kind: 'redeploy' });
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 pushed', '8!main newest']);
  });

  it('leaves a member as it is while GitLab cannot show its target branch', () => {
    const world = bothReady();
    world.isMute = true;
    end(world, cart, 2, 'closed');
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 7-1-1', '8!2 8-2-1']);
    world.isMute = false;
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 7-1-1', '8!main main-cart']);
  });

  it('expires by the newest activity of all, and comes back with any', () => {
    const world = bothReady();
    tick(world, groupPolicy.ttlMs - hourMs);
    pass(world, push(world, cart, 2, 'late'));
    settle(world);
    tick(world, groupPolicy.ttlMs - hourMs);
    settle(world);
    expect(world.row?.phase).toBe('ready');
    tick(world, 2 * hourMs);
    settle(world);
    expect(world.row).toMatchObject({ phase: 'stopped', stopReason: 'expired' });
    wish(world, { kind: 'start' });
    settle(world);
    expect(world.row).toMatchObject({ phase: 'ready', incarnation: 2 });
  });

  it('stops as unfollowed when its group leaves the configuration, and when the project of the last one does', () => {
    const gone = bothReady();
    gone.policy = null;
    settle(gone);
    expect(gone.row).toMatchObject({ phase: 'stopped', stopReason: 'unfollowed' });
    const left = bothReady();
    end(left, shop, 1, 'merged');
    settle(left);
    left.projects = left.projects.slice(0, 1);
    settle(left);
    expect(left.row).toMatchObject({ phase: 'stopped', stopReason: 'unfollowed' });
  });

  it('does not end while the API never said anything of one member', () => {
    const world = bothReady();
    end(world, shop, 1, 'merged');
    world.mergeRequests.delete(`${cart}!2`);
    const input = inputOf(world, { reading: 'fresh', linked: { unread: true } });
    expect(decide(input)).toMatchObject({ changed: false, preview: { phase: 'ready' } });
  });
});
