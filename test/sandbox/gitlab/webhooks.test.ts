import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { GitLab } from '../../../src/sandbox/gitlab/start-gitlab.js';
import { api, pick, type Receiver, testGitLab, webhookReceiver } from './gitlab-fixture.js';

function actions(receiver: Receiver): string[] {
  return receiver.received.map(({ body }) => {
    const what = pick(body, 'object_attributes.action') ?? pick(body, 'ref');
    return `${pick(body, 'object_kind')} ${what}`;
  });
}

async function withHook(settings: { token?: string; signingToken?: string } = {}) {
  const gitlab = await testGitLab();
  const receiver = await webhookReceiver();
  const project = await gitlab.createProject({ path: 'acme/shop' });
  gitlab.addHook(project, { url: receiver.url, ...settings });
  return { gitlab, receiver, project };
}

/** Opens one and waits until its webhooks are there; gives the one of the opening. */
async function opened(gitlab: GitLab, receiver: Receiver) {
  const mergeRequest = await gitlab.createMergeRequest('acme/shop', { sourceBranch: 'f' });
  await gitlab.hooks.idle();
  const delivery = receiver.received.find(({ body }) => pick(body, 'object_attributes.action') === 'open');
  if (delivery === undefined) throw new Error('no webhook of the opening');
  return { mergeRequest, delivery };
}

describe('webhooks', () => {
  it('tell of the life of a merge request', async () => {
    const { gitlab, receiver, project } = await withHook();
    const { mergeRequest } = await opened(gitlab, receiver);
    const first = mergeRequest.headSha;
    await gitlab.push(project, { branch: 'f' });
    await gitlab.hooks.idle();
    const update = receiver.received.at(-1)?.body;
    gitlab.closeMergeRequest(mergeRequest);
    await gitlab.reopenMergeRequest(mergeRequest);
    gitlab.approve(mergeRequest);
    gitlab.comment(mergeRequest, 'hello');
    await gitlab.mergeMergeRequest(mergeRequest);
    await gitlab.hooks.idle();

    expect(actions(receiver).toSorted()).toEqual(
      [
        'push refs/heads/f',
        'merge_request open',
        'push refs/heads/f',
        'merge_request update',
        'merge_request close',
        'merge_request reopen',
        'merge_request approved',
        'note create',
        'merge_request merge',
        'push refs/heads/main',
      ].toSorted(),
    );
    expect(pick(update, 'object_attributes.oldrev')).toBe(first);
    expect(pick(update, 'object_attributes.last_commit.id')).toBe(mergeRequest.versions.at(-1)?.headSha);
  });

  it('carry GitLab’s headers, and a signature over the raw body', async () => {
    const signingToken = `whsec_${randomBytes(32).toString('base64')}`;
    const { gitlab, receiver } = await withHook({ token: 'secret', signingToken });
    const { delivery } = await opened(gitlab, receiver);
    const { headers, raw } = delivery;

    expect(headers['x-gitlab-event']).toBe('Merge Request Hook');
    expect(headers['x-gitlab-token']).toBe('secret');
    expect(headers['x-gitlab-instance']).toBe(gitlab.url);
    expect(headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers['x-gitlab-webhook-uuid']).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers['webhook-id']).toBe(headers['idempotency-key']);
    const key = Buffer.from(signingToken.slice('whsec_'.length), 'base64');
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${raw}`;
    const digest = createHmac('sha256', key).update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${digest}`);
  });

  it('are resent with the same key and body, and not retried by themselves', async () => {
    const { gitlab, receiver } = await withHook();
    receiver.status = 500;
    const { delivery } = await opened(gitlab, receiver);
    const sent = receiver.received.length;
    const record = gitlab.hooks.deliveries.find(({ body }) => body === delivery.raw);
    expect(record?.answers).toEqual([500]);

    receiver.status = 200;
    expect(await gitlab.hooks.resend(record?.id ?? 0)).toBe(200);
    expect(receiver.received).toHaveLength(sent + 1);
    const again = receiver.received.at(-1);
    expect(again?.raw).toBe(delivery.raw);
    expect(again?.headers['idempotency-key']).toBe(delivery.headers['idempotency-key']);
    expect(again?.headers['x-gitlab-webhook-uuid']).not.toBe(delivery.headers['x-gitlab-webhook-uuid']);
  });

  it('can be lost, doubled and shuffled', async () => {
    const { gitlab, receiver, project } = await withHook();
    const { mergeRequest } = await opened(gitlab, receiver);
    receiver.received.length = 0;
    gitlab.hooks.trouble.lose = 1;
    gitlab.comment(mergeRequest, 'never heard');
    await gitlab.hooks.idle();
    expect(receiver.received).toHaveLength(0);

    Object.assign(gitlab.hooks.trouble, { lose: 0, duplicate: 1 });
    gitlab.comment(mergeRequest, 'heard twice');
    await gitlab.hooks.idle();
    const keys = receiver.received.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);

    receiver.received.length = 0;
    Object.assign(gitlab.hooks.trouble, { duplicate: 0, shuffle: 1_000 });
    for (let at = 0; at < 20; at += 1) gitlab.comment(mergeRequest, `note ${at}`);
    await gitlab.hooks.idle();
    expect(receiver.received).toHaveLength(0);
    gitlab.hooks.flush();
    await gitlab.hooks.idle();
    expect(receiver.received).toHaveLength(20);
    expect(project.mergeRequests.get(1)?.notes.size).toBeGreaterThanOrEqual(22);
  });

  it('stop after four failures when asked to, and go on after the pause', async () => {
    let now = Date.parse('2026-11-20T10:00:00Z');
    const gitlab = await testGitLab({ clock: () => now });
    const receiver = await webhookReceiver();
    receiver.status = 500;
    const project = await gitlab.createProject({ path: 'acme/shop' });
    const hook = gitlab.addHook(project, { url: receiver.url, events: { note_events: true, push_events: false } });
    gitlab.hooks.autoDisable = true;
    const mergeRequest = await gitlab.createMergeRequest(project, {});
    const comment = async () => {
      gitlab.comment(mergeRequest, 'hello');
      await gitlab.hooks.idle();
    };
    for (let at = 0; at < 6; at += 1) await comment();
    expect(receiver.received).toHaveLength(4);
    const read = async () => (await api(gitlab, `/projects/1/hooks/${hook.id}`)).body;
    expect(await read()).toMatchObject({
      alert_status: 'temporarily_disabled',
      disabled_until: '2026-11-20T10:01:00.000Z',
    });

    now += 61_000;
    receiver.status = 200;
    await comment();
    expect(receiver.received).toHaveLength(5);
    expect(await read()).toMatchObject({ alert_status: 'executable', disabled_until: null });
  });

  it('are tested by hand, and forget their token with a new address', async () => {
    const { gitlab, receiver } = await withHook({ token: 'secret' });
    await opened(gitlab, receiver);
    receiver.received.length = 0;
    const test = await api(gitlab, '/projects/1/hooks/1/test/push_events', { method: 'POST' });
    expect(test).toMatchObject({ status: 201, body: { message: '201 Created' } });
    expect(receiver.received[0]?.headers['x-gitlab-token']).toBe('secret');

    const url = receiver.url.replace('/hook', '/other');
    await api(gitlab, '/projects/1/hooks/1', { method: 'PUT', body: { url } });
    await api(gitlab, '/projects/1/hooks/1/test/merge_requests_events', { method: 'POST' });
    expect(receiver.received[1]?.headers['x-gitlab-token']).toBeUndefined();
  });
});
