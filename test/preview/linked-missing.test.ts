import { describe, expect, it } from 'vitest';
import {
  cart,
  createLinkedWorld,
  decideNow,
  end,
  type LinkedWorld,
  membersOf,
  openMergeRequest,
  pass,
  passAll,
  push,
  settle,
  shop,
  wish,
} from './linked-world.js';

/** A group of two projects of which GitLab has shown the first alone. */
function lacksCart(): LinkedWorld {
  const world = createLinkedWorld();
  world.projects = world.projects.slice(0, 1);
  world.missing = ['cart'];
  return world;
}

function showCart(world: LinkedWorld): void {
  world.projects = createLinkedWorld().projects;
  world.missing = [];
  world.unknown = [];
}

describe('a linked preview of whose projects GitLab has never shown one', () => {
  it('waits for it, asks for no target branch meanwhile, and is deployed whole', () => {
    const world = lacksCart();
    openMergeRequest(world, shop, 1);
    passAll(world);
    settle(world);
    expect(world.row).toMatchObject({ phase: 'waiting', waitingFor: 'project', wantedRevision: null });
    expect(world.asked.filter((question) => question.startsWith('main'))).toEqual([]);
    showCart(world);
    settle(world);
    expect(world.row).toMatchObject({ phase: 'ready', waitingFor: null, incarnation: 1 });
    expect(membersOf(world)).toEqual(['7!1 7-1-1', '8!main main-cart']);
  });

  it('takes no slot and joins no line while it waits', () => {
    const world = lacksCart();
    openMergeRequest(world, shop, 1);
    passAll(world);
    expect(decideNow(world).preview).toMatchObject({ waitingFor: 'project' });
    expect(world.row?.members.every(({ next }) => next?.waitingFor !== 'slot')).toBe(true);
  });

  it('names a gate that is closed first, and ends as every other', () => {
    const world = lacksCart();
    openMergeRequest(world, shop, 1);
    settle(world);
    expect(world.row).toMatchObject({ phase: 'waiting', waitingFor: 'pipeline' });
    end(world, shop, 1, 'closed');
    settle(world);
    expect(world.row).toMatchObject({ phase: 'stopped', stopReason: 'closed' });
  });

  it('goes on where it is deployed: nothing that may be of that project is taken out', () => {
    const world = createLinkedWorld();
    openMergeRequest(world, shop, 1);
    openMergeRequest(world, cart, 2);
    passAll(world);
    settle(world);
    world.projects = world.projects.slice(0, 1);
    world.missing = ['cart'];
    world.unknown = [cart];
    expect(decideNow(world)).toMatchObject({ changed: false });
    pass(world, push(world, shop, 1, 'pushed'));
    settle(world);
    expect(membersOf(world)).toEqual(['7!1 pushed', '8!2 8-2-1']);
    end(world, shop, 1, 'merged');
    settle(world);
    expect(world.row?.phase).toBe('ready');
    showCart(world);
    pass(world, push(world, cart, 2, 'later'));
    passAll(world);
    settle(world);
    expect(membersOf(world)[1]).toBe('8!2 later');
  });
});

describe('an approval in one merge request of a linked preview', () => {
  function mirrors(): { world: LinkedWorld; sha: string } {
    const world = createLinkedWorld();
    world.projects = world.projects.map((project) => ({
      ...project,
      policy: { ...project.policy, gateApproval: 'member' as const },
    }));
    openMergeRequest(world, shop, 1);
    const sha = world.mergeRequests.get(`${shop}!1`)?.sha ?? '';
    openMergeRequest(world, cart, 2, { sha });
    passAll(world);
    settle(world);
    return { world, sha };
  }

  it('holds for that project alone, though another has the same commit', () => {
    const { world, sha } = mirrors();
    wish(world, { kind: 'approve', sha, projectId: shop });
    settle(world);
    expect(world.row).toMatchObject({ phase: 'waiting', waitingFor: 'approval' });
    expect(world.row?.members.map(({ next }) => next?.waitingFor)).toEqual([undefined, 'approval']);
    wish(world, { kind: 'approve', sha, projectId: cart, by: 'bob' });
    settle(world);
    expect(world.row).toMatchObject({ phase: 'ready', ordered: { kind: 'approve', by: 'bob' } });
  });

  it('of an operator holds for the whole preview', () => {
    const { world, sha } = mirrors();
    wish(world, { kind: 'approve', source: 'operator', sha });
    settle(world);
    expect(world.row?.phase).toBe('ready');
  });
});
