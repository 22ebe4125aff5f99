import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { GitLab } from '../../../src/sandbox/gitlab/start-gitlab.js';
import { api, pick, type Receiver, testGitLab, until, webhookReceiver } from './gitlab-fixture.js';

/** GitLab's documented examples, where a copy of them is at hand. */
const examples = fileURLToPath(new URL('../../../../shared/gitlab/', import.meta.url));

function example(path: string): unknown {
  return JSON.parse(readFileSync(`${examples}${path}`, 'utf8'));
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

interface Allowed {
  /** Paths that ours may have beyond the example: GitLab sends them, its example does not show them. */
  extra?: string[];
  /** Paths of the example that ours leaves out, with the reason beside. */
  absent?: string[];
}

/** Every difference of names and types, as `path: what`. null fits any type: the examples show one case of each. */
function differences(expected: unknown, actual: unknown, allowed: Allowed, path = ''): string[] {
  if (allowed.absent?.includes(path)) return [];
  const [want, got] = [typeName(expected), typeName(actual)];
  if (want === 'null' || got === 'null') return [];
  if (want !== got) return [`${path}: ${got} where the example has ${want}`];
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected[0] === undefined || actual[0] === undefined) return [];
    return differences(expected[0], actual[0], allowed, `${path}[]`);
  }
  if (typeof expected !== 'object' || typeof actual !== 'object' || expected === null || actual === null) return [];
  const found: string[] = [];
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
  for (const [key, value] of Object.entries(expected)) {
    if (allowed.absent?.includes(at(key))) continue;
    if (key in actual) found.push(...differences(value, (actual as Record<string, unknown>)[key], allowed, at(key)));
    else found.push(`${at(key)}: missing`);
  }
  for (const key of Object.keys(actual)) {
    const known = key in expected || allowed.extra?.includes(at(key)) || allowed.extra?.includes(`*.${key}`);
    if (!known) found.push(`${at(key)}: not in the example`);
  }
  return found;
}

/** Beyond the example, all are in GitLab's own `UserBasic`. */
const userExtras = ['*.public_email', '*.locked', '*.avatar_url', '*.web_url'];

describe.skipIf(!existsSync(examples))('answers and payloads agree with the documented examples of GitLab', () => {
  async function scene(): Promise<{ gitlab: GitLab; receiver: Receiver }> {
    const gitlab = await testGitLab();
    const receiver = await webhookReceiver();
    const project = await gitlab.createProject({ path: 'acme/shop' });
    gitlab.addHook(project, { url: receiver.url });
    const alice = gitlab.addUser({ username: 'alice', project });
    gitlab.setPipelinePlan(project, [{ name: 'build' }]);
    const labels = ['API'];
    const people = { assigneeIds: [alice.id], reviewerIds: [alice.id] };
    const mergeRequest = await gitlab.createMergeRequest(project, { author: alice, labels, ...people });
    await gitlab.updateMergeRequest(mergeRequest, { labels: ['Platform'], title: 'Draft: x' });
    const note = gitlab.comment(mergeRequest, 'hello');
    await api(gitlab, `/projects/1/merge_requests/1/notes/${note.id}/award_emoji`, { body: { name: 'thumbsup' } });
    const sha = mergeRequest.headSha;
    const deployment = { environment: 'deploy', sha, ref: mergeRequest.sourceBranch, tag: false, status: 'success' };
    await api(gitlab, '/projects/1/deployments', { body: deployment });
    await until('the pipeline is through', () =>
      [...project.pipelines.values()].every(({ status }) => status === 'success'),
    );
    await gitlab.hooks.idle();
    return { gitlab, receiver };
  }

  const bodies = (receiver: Receiver, kind: string) =>
    receiver.received.map(({ body }) => body).filter((body) => pick(body, 'object_kind') === kind);

  it('webhooks', async () => {
    const { receiver } = await scene();
    const mergeRequests = bodies(receiver, 'merge_request');
    const update = mergeRequests.find((body) => pick(body, 'object_attributes.action') === 'update');
    const changes = ['changes.updated_by_id', 'changes.last_edited_at', 'changes.last_edited_by_id', 'changes.draft'];
    const found = {
      merge_request: differences(example('webhooks/merge_request.json'), update, {
        absent: changes,
        extra: ['changes.title'],
      }),
      note: differences(example('webhooks/note_merge_request.json'), bodies(receiver, 'note')[0], {
        extra: ['project.ci_config_path', 'merge_request.last_commit.title', 'merge_request.assignee.id'],
      }),
      push: differences(example('webhooks/push.json'), bodies(receiver, 'push')[0], {}),
      pipeline: differences(example('webhooks/pipeline.json'), bodies(receiver, 'pipeline').at(-1), {
        // Only where a pipeline of another project started it.
        absent: ['source_pipeline'],
      }),
      job: differences(example('webhooks/job.json'), bodies(receiver, 'build').at(-1), { absent: ['source_pipeline'] }),
      deployment: differences(example('webhooks/deployment.json'), bodies(receiver, 'deployment')[0], {}),
      // The example is of an issue; a merge request stands in its place.
      emoji: differences(example('webhooks/emoji.json'), bodies(receiver, 'emoji')[0], {
        absent: ['issue'],
        extra: ['merge_request'],
      }),
    };
    const none = Object.fromEntries(Object.keys(found).map((name) => [name, []]));
    expect(found).toEqual(none);
    expect(pick(update, 'changes.draft')).toEqual({ previous: false, current: true });
    expect(pick(update, 'changes.updated_at.current')).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
  });

  it('API', async () => {
    const { gitlab } = await scene();
    const sha = gitlab.mergeRequest('acme/shop', 1).headSha;
    const environment = { name: 'other', external_url: 'https://deploy.gitlab.example.com', tier: 'production' };
    const made = await api(gitlab, '/projects/1/environments', { body: environment });
    const stopped = await api(gitlab, `/projects/1/environments/${pick(made.body, 'id')}/stop`, { body: {} });
    gitlab.addImage('acme/shop', 'v1');
    const found = {
      mr_note_get: differences(
        example('api/mr_note_get.json'),
        pick((await api(gitlab, '/projects/1/merge_requests/1/notes?activity_filter=only_comments')).body, '0'),
        {
          extra: ['type', 'imported', 'imported_from', 'commands_changes', ...userExtras],
        },
      ),
      environment_create: differences(example('api/environment_create.json'), made.body, {}),
      environment_stop: differences(example('api/environment_stop.json'), stopped.body, {
        extra: ['description', 'tier'],
      }),
      deployment_create: differences(
        example('api/deployment_create.json'),
        (await api(gitlab, '/projects/1/deployments/1')).body,
        { extra: ['updated_at', ...userExtras] },
      ),
      commit_status_post: differences(
        example('api/commit_status_post.json'),
        (await api(gitlab, `/projects/1/statuses/${sha}`, { body: { state: 'success', coverage: 100 } })).body,
        { extra: ['pipeline_id', ...userExtras] },
      ),
      member_all_get: differences(
        example('api/member_all_get.json'),
        (await api(gitlab, '/projects/1/members/all/2')).body,
        { extra: ['public_email', 'locked', 'created_at', 'membership_state'] },
      ),
      registry_tag_get: differences(
        example('api/registry_tag_get.json'),
        (await api(gitlab, '/projects/1/registry/repositories/1/tags/v1')).body,
        {},
      ),
      project_hook_get: differences(
        example('api/project_hook_get.json'),
        (await api(gitlab, '/projects/1/hooks/1')).body,
        { extra: ['emoji_events', 'branch_filter_strategy'] },
      ),
    };
    const none = Object.fromEntries(Object.keys(found).map((name) => [name, []]));
    expect(found).toEqual(none);
  });
});
