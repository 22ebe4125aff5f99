import type { Group, MergeRequest, OAuthApp, Pipeline, Project, Token, User } from './model.js';

/** Everything that outlives a restart. */
export interface GitLabState {
  lastIds: Map<string, number>;
  users: Map<number, User>;
  tokens: Map<string, Token>;
  groups: Map<string, Group>;
  projects: Map<number, Project>;
  /** By client id. */
  oauthApps: Map<string, OAuthApp>;
}

/** Look-ups derived from the state, so that no answer walks it. */
export interface GitLabIndex {
  userIds: Map<string, number>;
  projectIds: Map<string, number>;
  /** `<source project id>:<branch>` → the open merge requests from there. */
  openBySource: Map<string, Set<MergeRequest>>;
  /** `<project id>:<sha>` → its pipelines, the oldest first. */
  pipelinesBySha: Map<string, Pipeline[]>;
}

export function createState(): GitLabState {
  return {
    lastIds: new Map(),
    users: new Map(),
    tokens: new Map(),
    groups: new Map(),
    projects: new Map(),
    oauthApps: new Map(),
  };
}

export function indexState(state: GitLabState): GitLabIndex {
  const index: GitLabIndex = {
    userIds: new Map(),
    projectIds: new Map(),
    openBySource: new Map(),
    pipelinesBySha: new Map(),
  };
  for (const user of state.users.values()) index.userIds.set(user.username, user.id);
  for (const project of state.projects.values()) {
    index.projectIds.set(project.path, project.id);
    for (const mergeRequest of project.mergeRequests.values()) indexMergeRequest(index, mergeRequest);
    for (const pipeline of project.pipelines.values()) indexPipeline(index, project, pipeline);
  }
  return index;
}

export function indexPipeline(index: GitLabIndex, project: Project, pipeline: Pipeline): void {
  const key = `${project.id}:${pipeline.sha}`;
  const found = index.pipelinesBySha.get(key);
  if (found === undefined) index.pipelinesBySha.set(key, [pipeline]);
  else found.push(pipeline);
}

/** Puts a merge request where pushes find it while it is open, and takes it out when it is not. */
export function indexMergeRequest(index: GitLabIndex, mergeRequest: MergeRequest): void {
  const key = `${mergeRequest.sourceProjectId}:${mergeRequest.sourceBranch}`;
  const found = index.openBySource.get(key) ?? new Set<MergeRequest>();
  if (mergeRequest.state === 'opened') found.add(mergeRequest);
  else found.delete(mergeRequest);
  if (found.size > 0) index.openBySource.set(key, found);
  else index.openBySource.delete(key);
}

/** The next id of a kind; as in GitLab, ids are counted over the whole instance. */
export function nextId(state: GitLabState, kind: string): number {
  const id = (state.lastIds.get(kind) ?? 0) + 1;
  state.lastIds.set(kind, id);
  return id;
}

/** Notes a change: `updated_at` rises, and the merge request moves to the end of its project's order. */
export function touchMergeRequest(project: Project, mergeRequest: MergeRequest, now: number): void {
  mergeRequest.updatedAt = Math.max(now, mergeRequest.updatedAt);
  project.mergeRequests.delete(mergeRequest.iid);
  project.mergeRequests.set(mergeRequest.iid, mergeRequest);
}
