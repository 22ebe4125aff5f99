import type { Hook } from './hooks/hook.js';
import type { RegistryRepository } from './registry-model.js';

/** The stand-in's data: plain records that refer to each other by id, so that they can be written to a file. Times are epoch milliseconds. */

export type Visibility = 'private' | 'internal' | 'public';

export interface User {
  id: number;
  username: string;
  name: string;
  email: string;
  admin: boolean;
  bot: boolean;
  createdAt: number;
}

export interface Token {
  id: number;
  value: string;
  name: string;
  userId: number;
  scopes: string[];
  createdAt: number;
  expiresAt: number | null;
  revoked: boolean;
  /** Issued by the OAuth end point, with a life of its own. */
  oauth: boolean;
}

/** GitLab's access levels: 10 guest, 20 reporter, 30 developer, 40 maintainer, 50 owner. */
export type AccessLevel = 0 | 5 | 10 | 15 | 20 | 30 | 40 | 50;

export interface Member {
  userId: number;
  accessLevel: AccessLevel;
  /** Through the group, so that only `members/all` lists it. */
  inherited: boolean;
  createdAt: number;
}

export interface Group {
  id: number;
  path: string;
  name: string;
}

export interface Label {
  id: number;
  title: string;
  color: string;
  description: string | null;
  createdAt: number;
  updatedAt: number;
}

export interface CommitRecord {
  id: string;
  parents: string[];
  message: string;
  authorName: string;
  authorEmail: string;
  authoredAt: number;
  committerName: string;
  committerEmail: string;
  committedAt: number;
}

export interface MergeRequestVersion {
  id: number;
  headSha: string;
  baseSha: string;
  startSha: string;
  createdAt: number;
}

export interface StateEvent {
  id: number;
  userId: number;
  state: 'closed' | 'reopened' | 'merged';
  createdAt: number;
}

export interface LabelEvent {
  id: number;
  userId: number;
  action: 'add' | 'remove';
  label: string;
  createdAt: number;
}

export interface Award {
  id: number;
  name: string;
  userId: number;
  createdAt: number;
}

export interface Note {
  id: number;
  discussionId: string;
  /** Part of a thread that can be answered; a plain comment is not, until somebody replies. */
  thread: boolean;
  /** Its thread was marked as resolved. */
  resolved?: boolean;
  body: string;
  authorId: number;
  createdAt: number;
  updatedAt: number;
  system: boolean;
  internal: boolean;
  awards: Award[];
}

export interface MergeRequest {
  id: number;
  iid: number;
  projectId: number;
  /** null: the fork is gone. */
  sourceProjectId: number | null;
  sourceBranch: string;
  targetBranch: string;
  title: string;
  description: string;
  state: 'opened' | 'closed' | 'merged' | 'locked';
  authorId: number;
  assigneeIds: number[];
  reviewerIds: number[];
  labels: string[];
  approvedBy: number[];
  removeSourceBranch: boolean;
  squash: boolean;
  createdAt: number;
  updatedAt: number;
  preparedAt: number;
  lastEditedAt: number | null;
  lastEditedById: number | null;
  closedAt: number | null;
  closedById: number | null;
  mergedAt: number | null;
  mergedById: number | null;
  mergeCommitSha: string | null;
  /** null: the source branch has no commit. */
  headSha: string | null;
  lastCommit: CommitRecord | null;
  versions: MergeRequestVersion[];
  stateEvents: StateEvent[];
  labelEvents: LabelEvent[];
  notes: Map<number, Note>;
  awards: Award[];
}

export type JobStatus =
  | 'created'
  | 'waiting_for_resource'
  | 'preparing'
  | 'pending'
  | 'running'
  | 'success'
  | 'failed'
  | 'canceled'
  | 'skipped'
  | 'manual'
  | 'scheduled';

export interface Job {
  id: number;
  /** `external`: a commit status that was posted through the API. */
  kind: 'build' | 'bridge' | 'external';
  name: string;
  stage: string;
  status: JobStatus;
  allowFailure: boolean;
  manual: boolean;
  userId: number;
  description: string | null;
  targetUrl: string | null;
  coverage: number | null;
  environment: string | null;
  createdAt: number;
  startedAt: number | null;
  finishedAt: number | null;
  /** A newer one of the same name took its place. */
  retried: boolean;
  /** What the stand-in makes of it, and after how long; null: it stays until it is told. */
  plan: { outcome: JobStatus; durationMs: number } | null;
}

export interface Pipeline {
  id: number;
  iid: number;
  ref: string;
  sha: string;
  source: string;
  /** The commit of `sha`; null when it is not known here. */
  commit: CommitRecord | null;
  /** Set for merge request pipelines. */
  mergeRequestIid: number | null;
  userId: number;
  status: JobStatus;
  createdAt: number;
  updatedAt: number;
  startedAt: number | null;
  finishedAt: number | null;
  jobs: Job[];
}

/** A job of the pipelines that a project runs at each push. */
export interface JobPlan {
  name: string;
  /** Default `test`. Stages run in the order of their first job. */
  stage?: string;
  kind?: 'build' | 'bridge';
  /** Default `success`. */
  outcome?: JobStatus;
  /** Default 0; null: it stays `running` until `finishJob` is called. */
  durationMs?: number | null;
  allowFailure?: boolean;
  manual?: boolean;
}

export interface Deployment {
  id: number;
  iid: number;
  environmentId: number;
  sha: string;
  ref: string;
  tag: boolean;
  status: string;
  userId: number;
  createdAt: number;
  updatedAt: number;
}

export interface Environment {
  id: number;
  name: string;
  slug: string;
  description: string | null;
  externalUrl: string | null;
  state: 'available' | 'stopping' | 'stopped';
  tier: string;
  kubernetesNamespace: string | null;
  fluxResourcePath: string | null;
  autoStopSetting: string;
  createdAt: number;
  updatedAt: number;
}

export interface Project {
  id: number;
  /** Full path, `group/project`. */
  path: string;
  /** Paths that it had before; absent: none. */
  formerPaths?: string[];
  name: string;
  description: string;
  visibility: Visibility;
  defaultBranch: string;
  /** Content is a real bare repository; otherwise shas are invented. */
  git: boolean;
  creatorId: number;
  forkedFromId: number | null;
  createdAt: number;
  lastActivityAt: number;
  members: Map<number, Member>;
  /** Heads as last seen. */
  branches: Map<string, string>;
  labels: Map<string, Label>;
  /** By iid, the least recently updated first. */
  mergeRequests: Map<number, MergeRequest>;
  lastIid: number;
  pipelines: Map<number, Pipeline>;
  lastPipelineIid: number;
  /** Jobs that each push runs; null: no CI. */
  pipelinePlan: { jobs: JobPlan[]; source: 'push' | 'merge_request_event' } | null;
  environments: Map<number, Environment>;
  deployments: Map<number, Deployment>;
  lastDeploymentIid: number;
  hooks: Map<number, Hook>;
  registry: Map<number, RegistryRepository>;
  /** Commits of a project without Git. */
  inventedCommits: Map<string, CommitRecord>;
}

export interface OAuthApp {
  id: number;
  name: string;
  clientId: string;
  clientSecret: string;
  redirectUris: string[];
  scopes: string[];
}
