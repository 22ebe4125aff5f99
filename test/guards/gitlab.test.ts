import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createGuardWorld, type GuardWorld } from './support/guard-world.js';
import { type Herd, raiseHerd } from './support/herd.js';
import { metric, shownBreaker, shownPreview } from './support/sight.js';

let world: GuardWorld;
let herd: Herd;
let mend: () => void | Promise<void> = () => undefined;

beforeAll(async () => {
  world = await createGuardWorld();
  await world.startManager();
  await world.startAgent();
  herd = await raiseHerd(world, 12);
});

afterAll(() => world?.close());

/** What was broken is mended, and everything works again. */
afterEach(async () => {
  world.gitlab.faults.clear();
  await mend();
  mend = () => undefined;
  await herd.provoke({ agent: false });
  await herd.expectWell();
});

interface Way {
  name: string;
  /** What GitLab does from now on. */
  begin(): void | Promise<void>;
  /** Status of GitLab's answers as the metric counts them; 0: no answer. */
  status: string;
  end?(): void | Promise<void>;
}

const fault = (kind: Parameters<GuardWorld['gitlab']['faults']['add']>[0]['kind'], path?: string) => () => {
  world.gitlab.faults.add({ kind, path, retryAfterSeconds: 30 });
};

/** GitLab cannot say whether the merge requests still live: unknown, which changes nothing. */
const unknownWays: Way[] = [
  { name: 'the token expired: 401 to everything', begin: fault('token-expired'), status: '401' },
  { name: 'everything is 404, as for a bot that was removed', begin: fault('not-found'), status: '404' },
  { name: '403 to everything', begin: fault('forbidden'), status: '403' },
  { name: 'no request is answered', begin: fault('silence'), status: '0' },
  { name: 'a storm of 429', begin: fault('rate-limit'), status: '429' },
  { name: '502 with a page of HTML', begin: fault('bad-gateway'), status: '502' },
  { name: 'answers are lost on their way', begin: fault('lost-answer'), status: '0' },
  { name: 'every list and every merge request is an empty list with 200', begin: fault('empty'), status: '200' },
  {
    name: 'the bot is removed from the project',
    begin: () => world.gitlab.removeMember(world.shop, bot()),
    status: '404',
    end: () => {
      world.gitlab.addUser({ username: 'mayfly', name: 'Mayfly', project: world.shop, accessLevel: 40 });
    },
  },
  {
    name: 'the bot may see nothing of the project any more: its token is revoked',
    begin: () => setRevoked(true),
    status: '401',
    end: () => setRevoked(false),
  },
];

function bot() {
  return world.gitlab.addUser({ username: 'mayfly', name: 'Mayfly' });
}

function setRevoked(revoked: boolean): void {
  for (const token of world.gitlab.ctx.state.tokens.values()) if (token.userId === bot().id) token.revoked = revoked;
}

describe('GitLab cannot say whether they live, and none goes', () => {
  test.each(unknownWays)('$name', async ({ begin, status, end }) => {
    const mark = world.log.mark();
    mend = end ?? mend;
    await begin();
    await herd.provoke();
    await herd.expectNoneLost();
    const { slug } = herd.previews[11] ?? { slug: '' };
    const shown = await shownPreview(world, slug);
    expect(shown).toMatchObject({ phase: 'ready', stopReason: null, heldStop: null });
    expect(shown.unknownSince, 'the API says since when it is unknown').not.toBeNull();
    expect(await metric(world, 'mayfly_gitlab_requests_total', { call: 'merge-request.read', status })).toBeGreaterThan(
      0,
    );
    const said = world.log.find('merge request not read', mark);
    expect(new Set(said.map(({ subject }) => subject)).size, 'the log says why, for each').toBe(12);
  });

  test('and the manager is started again meanwhile', async () => {
    for (const kind of ['token-expired', 'silence'] as const) {
      world.gitlab.faults.clear();
      world.gitlab.faults.add({ kind });
      const mark = world.log.mark();
      await world.stopManager();
      await world.startManager();
      await herd.provoke();
      await herd.expectNoneLost();
      expect(world.log.find('project could not be looked up in GitLab', mark)).not.toEqual([]);
    }
  });
});

test('listings are empty with 200, while each merge request still answers: none goes', async () => {
  const mark = world.log.mark();
  world.gitlab.faults.add({ kind: 'empty', path: '/merge_requests$' });
  await herd.provoke();
  await herd.expectNoneLost();
  const [asked] = world.log.find('catch-up found changes', mark);
  expect(asked).toMatchObject({ full: true, listed: 0, asked: 12 });
  expect(await metric(world, 'mayfly_gitlab_requests_total', { call: 'merge-request.list', status: '200' })).not.toBe(
    null,
  );
  expect((await shownBreaker(world)).open).toBe(false);
});

test('forged webhooks with the right secret say that all were closed, then merged: none goes', async () => {
  const { config, shop } = world;
  for (const [state, action] of [
    ['closed', 'close'],
    ['merged', 'merge'],
  ]) {
    for (const { mergeRequest } of herd.previews) {
      const body = {
        object_kind: 'merge_request',
        event_type: 'merge_request',
        project: { id: shop.id, path_with_namespace: 'acme/shop' },
        object_attributes: {
          iid: mergeRequest.iid,
          target_project_id: shop.id,
          state,
          action,
          updated_at: new Date(Date.now() + 60_000).toISOString(),
        },
      };
      const answer = await fetch(`${world.manager().url}/webhooks/gitlab`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-gitlab-event': 'Merge Request Hook',
          'x-gitlab-token': config.gitlab.webhookSecrets[0] ?? '',
        },
        body: JSON.stringify(body),
      });
      expect(answer.status).toBe(202);
    }
  }
  await herd.idle();
  await herd.agentSpoke();
  await herd.expectNoneLost();
  expect(await metric(world, 'mayfly_deliveries_total', { event: 'merge_request', outcome: 'accepted' })).not.toBe(0);
  for (const { slug } of herd.previews) expect((await shownPreview(world, slug)).phase).toBe('ready');
});
