import { describe, expect, it } from 'vitest';
import { decide } from '../../src/preview/decide.js';
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
