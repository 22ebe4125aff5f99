/** Webhook bodies in GitLab's shape, with what receiving reads and enough around it. */

const project = {
  id: 5,
  name: 'Shop',
  web_url: 'https://gitlab.test/acme/shop',
  path_with_namespace: 'acme/shop',
  default_branch: 'main',
};

export const sha = 'da1560886d4f094c3e6c9ef40349f7d38b5d27d7';

export function mergeRequestPayload(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    object_kind: 'merge_request',
    event_type: 'merge_request',
    user: { id: 1, username: 'ada' },
    project,
    object_attributes: {
      id: 99,
      iid: 42,
      target_branch: 'main',
      source_branch: 'cart',
      source_project_id: 5,
      target_project_id: 5,
      state: 'opened',
      action: 'open',
      created_at: '2026-03-04 10:00:00 UTC',
      updated_at: '2026-03-04 10:00:00 UTC',
      source: project,
      target: project,
      last_commit: { id: sha },
      ...change,
    },
    changes: {},
  };
}

export function pipelinePayload(
  change: Record<string, unknown> = {},
  withMergeRequest = true,
): Record<string, unknown> {
  return {
    object_kind: 'pipeline',
    object_attributes: { id: 31, ref: 'cart', sha, source: 'push', status: 'success', ...change },
    merge_request: withMergeRequest ? { id: 99, iid: 42, target_project_id: 5, source_project_id: 5 } : null,
    project,
    builds: [],
  };
}

export function jobPayload(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    object_kind: 'build',
    ref: 'cart',
    sha,
    build_id: 1977,
    build_name: 'build-image',
    build_status: 'success',
    pipeline_id: 31,
    project_id: 5,
    project,
    commit: { id: 31, sha },
    ...change,
  };
}

export function notePayload(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    object_kind: 'note',
    event_type: 'note',
    user: { id: 1, username: 'ada' },
    project_id: 5,
    project,
    object_attributes: {
      id: 1244,
      note: 'please\n\n/preview extend 2d',
      noteable_type: 'MergeRequest',
      system: false,
      action: 'create',
      created_at: '2026-03-04 10:05:00 UTC',
      updated_at: '2026-03-04 10:05:00 UTC',
      ...change,
    },
    merge_request: { id: 99, iid: 42, target_project_id: 5, source_project_id: 5, last_commit: null, source: null },
  };
}

export function pushPayload(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    object_kind: 'push',
    event_name: 'push',
    before: sha,
    after: sha,
    ref: 'refs/heads/dynamic-envs',
    project_id: 9,
    project: { ...project, id: 9, path_with_namespace: 'platform/environments' },
    commits: [],
    ...change,
  };
}
