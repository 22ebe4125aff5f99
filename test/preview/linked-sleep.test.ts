import { describe, expect, it } from 'vitest';
import {
  cart,
  createLinkedWorld,
  end,
  groupPolicy,
  type LinkedWorld,
  openMergeRequest,
  passAll,
  push,
  settle,
  shop,
  tick,
  wish,
} from './linked-world.js';
import { hourMs } from './model/world.js';

function both(): LinkedWorld {
  const world = createLinkedWorld();
  openMergeRequest(world, shop, 1);
  openMergeRequest(world, cart, 2);
  passAll(world);
  settle(world);
  return world;
}

function asleep(): LinkedWorld {
  const world = both();
  wish(world, { kind: 'sleep' });
  settle(world);
  expect(world.row).toMatchObject({ phase: 'asleep', sleepCause: 'order' });
  return world;
}

describe('a linked preview that was put to sleep', () => {
  it.each([
    ['first', shop, 1],
    ['second', cart, 2],
  ])('is woken for good by a push to its %s merge request', (_, projectId, iid) => {
    const world = asleep();
    push(world, projectId, iid, 'pushed');
    passAll(world);
    tick(world, 60_000);
    settle(world);
    expect(world.row).toMatchObject({ phase: 'ready', wantAsleep: false });
  });

  it('sleeps on when one of its merge requests leaves, once what takes its place was deployed', () => {
    const world = asleep();
    end(world, cart, 2, 'closed');
    passAll(world);
    settle(world);
    expect(world.row).toMatchObject({ phase: 'asleep', sleepCause: 'order' });
    expect(world.row?.members.map(({ iid }) => iid)).toEqual([1, null]);
  });

  it('is woken by one that joins', () => {
    const world = createLinkedWorld();
    openMergeRequest(world, shop, 1);
    passAll(world);
    settle(world);
    wish(world, { kind: 'sleep' });
    settle(world);
    openMergeRequest(world, cart, 2);
    passAll(world);
    settle(world);
    expect(world.row).toMatchObject({ phase: 'ready', wantAsleep: false });
  });

  it('by idleness counts the newest activity of all', () => {
    const world = both();
    world.policy = { ...groupPolicy, sleep: { afterMs: 4 * hourMs, awake: null } };
    tick(world, 3 * hourMs);
    push(world, cart, 2, 'pushed');
    passAll(world);
    settle(world);
    tick(world, 3 * hourMs);
    settle(world);
    expect(world.row?.phase).toBe('ready');
    tick(world, hourMs);
    settle(world);
    expect(world.row).toMatchObject({ phase: 'asleep', sleepCause: 'idle' });
  });

  it('is warned of its end all the same, once', () => {
    const world = asleep();
    world.policy = { ...groupPolicy, warnMs: hourMs };
    tick(world, groupPolicy.ttlMs - hourMs / 2);
    settle(world);
    expect(world.row).toMatchObject({ phase: 'asleep', warnedFor: world.row?.expiresAt });
    const { warnedAt } = world.row ?? {};
    tick(world, 60_000);
    settle(world);
    expect(world.row?.warnedAt).toBe(warnedAt);
  });
});
