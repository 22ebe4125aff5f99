import { describe, expect, it } from 'vitest';
import { cart, groupPolicy, hourMs, LinkedWorld, shop, shaOf } from './linked-world.js';

function bothReady(): LinkedWorld {
  const world = new LinkedWorld();
  world.open_(shop, 1);
  world.open_(cart, 2);
  world.passAll();
  world.settle();
  return world;
}

describe('a linked preview', () => {
  it('runs the shas of all merge requests of the branch, and is one', () => {
    const world = bothReady();
    expect(world.row).toMatchObject({ slug: 'store-feature', project: 'store', phase: 'ready', incarnation: 1 });
    expect(world.members()).toEqual(['7!1 7-1-1', '8!2 8-2-1']);
  });

  it('runs the baseline of a project without a merge request: the newest commit that passed', () => {
    const world = new LinkedWorld();
    world.open_(shop, 1);
    world.passAll();
    world.commit(cart, 'red');
    world.settle();
    expect(world.row?.phase).toBe('ready');
    expect(world.members()).toEqual(['7!1 7-1-1', '8!main main-cart next red pipeline']);
    expect(world.row?.members[1]).toMatchObject({ iid: null, branch: 'main' });
  });

  it('is never deployed before every member passed, a baseline too', () => {
    const world = new LinkedWorld();
    world.open_(shop, 1);
    world.open_(cart, 2);
    world.pass(shaOf('7-1-1'));
    world.settle();
    expect(world.row).toMatchObject({ phase: 'waiting', waitingFor: 'pipeline' });
    expect(world.members()).toEqual(['7!1 -', '8!2 - next 8-2-1 pipeline']);
    world.end(cart, 2, 'closed');
    world.settle();
    expect(world.row).toMatchObject({ phase: 'waiting', waitingFor: 'pipeline' });
    world.pass(shaOf('main-cart'));
    world.settle();
    expect(world.row?.phase).toBe('ready');
    expect(world.members()).toEqual(['7!1 7-1-1', '8!main main-cart']);
  });

  it('keeps the old sha of a member whose new one waits, while the others move', () => {
    const world = bothReady();
    world.push(shop, 1, 'new-shop');
    world.pass(world.push(cart, 2, 'new-cart'));
    world.settle();
    expect(world.members()).toEqual(['7!1 7-1-1 next new-shop pipeline', '8!2 new-cart']);
    world.pass(shaOf('new-shop'));
    world.settle();
    expect(world.members()).toEqual(['7!1 new-shop', '8!2 new-cart']);
  });

  it('goes on with the baseline when one closes, which redeploys it', () => {
    const world = bothReady();
    world.end(cart, 2, 'closed');
    expect(world.decide()).toMatchObject({ changed: true, needsCommit: true, preview: { phase: 'deploying' } });
    world.settle();
    expect(world.members()).toEqual(['7!1 7-1-1', '8!main main-cart']);
    expect(world.row?.phase).toBe('ready');
  });

  it('keeps what was merged until the target branch has passed', () => {
    const world = bothReady();
    world.end(cart, 2, 'merged');
    world.settle();
    const [head = ''] = world.mains.get(cart) ?? [];
    expect(world.members()[1]).toMatch(/^8!main 8-2-1 next merge-8-2-\d+ pipeline$/);
    world.pass(head);
    world.settle();
    expect(world.row?.members[1]).toMatchObject({ iid: null, wantedSha: head, next: null });
  });

  it.each(['merged', 'closed'] as const)('ends with the last, which was %s', (last) => {
    const world = bothReady();
    world.end(shop, 1, last === 'merged' ? 'closed' : 'merged');
    world.settle();
    expect(world.row?.phase).toBe('ready');
    world.end(cart, 2, last);
    world.settle();
    expect(world.row).toMatchObject({ phase: 'stopped', stopReason: last });
  });

  it('begins anew with the next merge request on that branch', () => {
    const world = bothReady();
    world.wish({ kind: 'set', key: 'replicas', value: 3 });
    world.wish({ kind: 'stop' });
    world.settle();
    expect(world.row).toMatchObject({ phase: 'stopped', stopReason: 'command' });
    world.end(shop, 1, 'merged');
    world.end(cart, 2, 'merged');
    world.settle();
    world.tick(hourMs);
    world.open_(cart, 3);
    world.passAll();
    world.settle();
    expect(world.row).toMatchObject({ phase: 'ready', incarnation: 2, setValues: {} });
  });

  it('is stopped and started by words in any of them, and one that joins changes nothing of that', () => {
    const world = new LinkedWorld();
    world.open_(shop, 1);
    world.passAll();
    world.settle();
    world.wish({ kind: 'stop' });
    world.open_(cart, 2);
    world.settle();
    expect(world.row).toMatchObject({ phase: 'stopped', stopReason: 'command' });
    world.end(shop, 1, 'closed');
    world.settle();
    expect(world.row?.phase).toBe('stopped');
    world.wish({ kind: 'start' });
    world.passAll();
    world.settle();
    expect(world.row?.phase).toBe('ready');
    expect(world.members()).toEqual(['7!main main-shop', '8!2 8-2-1']);
  });

  it('lets one that a filter refuses take no part, and stops when none is left', () => {
    const world = bothReady();
    world.change(cart, 2, { labels: ['no-preview'] });
    world.settle();
    expect(world.members()).toEqual(['7!1 7-1-1', '8!main main-cart']);
    world.change(shop, 1, { draft: true });
    world.settle();
    expect(world.row).toMatchObject({ phase: 'stopped', stopReason: 'unfollowed' });
    world.change(shop, 1, { draft: false });
    world.settle();
    expect(world.row).toMatchObject({ phase: 'ready', incarnation: 2 });
  });

  it('takes in no fork, and none at all when there are only forks', () => {
    const world = new LinkedWorld();
    world.open_(shop, 1, { sourceProjectId: 99 });
    world.passAll();
    expect(world.decide().preview).toBeNull();
    world.open_(cart, 2);
    world.passAll();
    world.settle();
    expect(world.members()).toEqual(['7!main main-shop', '8!2 8-2-1']);
  });

  it('hands the sha of the baseline to the merge request that joins until that one has passed', () => {
    const world = new LinkedWorld();
    world.open_(shop, 1);
    world.passAll();
    world.settle();
    world.open_(cart, 2);
    world.settle();
    expect(world.members()).toEqual(['7!1 7-1-1', '8!2 main-cart next 8-2-1 pipeline']);
    world.passAll();
    world.settle();
    expect(world.members()).toEqual(['7!1 7-1-1', '8!2 8-2-1']);
  });

  it('takes a newer baseline only with something else that is deployed', () => {
    const world = new LinkedWorld();
    world.open_(shop, 1);
    world.passAll();
    world.settle();
    world.pass(world.commit(cart, 'newer'));
    world.asked = [];
    world.settle();
    expect(world.asked).toEqual([]);
    expect(world.members()[1]).toBe('8!main main-cart');
    world.pass(world.push(shop, 1, 'pushed'));
    world.settle();
    expect(world.members()).toEqual(['7!1 pushed', '8!main newer']);
    world.pass(world.commit(cart, 'newest'));
    world.wish({ kind: 'redeploy' });
    world.settle();
    expect(world.members()).toEqual(['7!1 pushed', '8!main newest']);
  });

  it('leaves a member as it is while GitLab cannot show its target branch', () => {
    const world = bothReady();
    world.isMute = true;
    world.end(cart, 2, 'closed');
    world.settle();
    expect(world.members()).toEqual(['7!1 7-1-1', '8!2 8-2-1']);
    world.isMute = false;
    world.settle();
    expect(world.members()).toEqual(['7!1 7-1-1', '8!main main-cart']);
  });

  it('expires by the newest activity of all, and comes back with any', () => {
    const world = bothReady();
    world.tick(groupPolicy.ttlMs - hourMs);
    world.pass(world.push(cart, 2, 'late'));
    world.settle();
    world.tick(groupPolicy.ttlMs - hourMs);
    world.settle();
    expect(world.row?.phase).toBe('ready');
    world.tick(2 * hourMs);
    world.settle();
    expect(world.row).toMatchObject({ phase: 'stopped', stopReason: 'expired' });
    world.wish({ kind: 'start' });
    world.settle();
    expect(world.row).toMatchObject({ phase: 'ready', incarnation: 2 });
  });

  it('stops as unfollowed when its group leaves the configuration, and when the project of the last one does', () => {
    const gone = bothReady();
    gone.policy = null;
    gone.settle();
    expect(gone.row).toMatchObject({ phase: 'stopped', stopReason: 'unfollowed' });
    const left = bothReady();
    left.end(shop, 1, 'merged');
    left.settle();
    left.projects = left.projects.slice(0, 1);
    left.settle();
    expect(left.row).toMatchObject({ phase: 'stopped', stopReason: 'unfollowed' });
  });

  it('says nothing of its end while one member was never read', () => {
    const world = bothReady();
    world.end(shop, 1, 'merged');
    world.end(cart, 2, 'merged');
    const input = world.input({ unread: true, mergeRequests: [] }, [], 'none');
    expect(input.preview?.phase).toBe('ready');
    world.mergeRequests.delete(`${cart}!2`);
    const linked = world.input({ unread: true }, [], 'fresh');
    expect(linked.linked?.mergeRequests.every(({ state }) => state === 'merged')).toBe(true);
    // eslint-disable-next-line
    world.row = null;
  });
});
