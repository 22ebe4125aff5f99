import type {
  Award,
  CommitRecord,
  Deployment,
  Environment,
  Job,
  MergeRequest,
  Note,
  Pipeline,
  Project,
  User,
} from './model.js';

type MergeRequestAction =
  | 'open'
  | 'update'
  | 'close'
  | 'reopen'
  | 'merge'
  | 'approved'
  | 'unapproved'
  | 'approval'
  | 'unapproval';

export interface ChangedValue {
  previous: unknown;
  current: unknown;
}

export interface PushedCommit {
  commit: CommitRecord;
  added: string[];
  modified: string[];
  removed: string[];
}

/** What happened, once it has: webhooks are made from it, and open pages are told. */
export type GitLabEvent =
  | {
      kind: 'merge_request';
      project: Project;
      mergeRequest: MergeRequest;
      user: User;
      action: MergeRequestAction;
      /** Only when its code changed. */
      oldSha?: string;
      changes: Record<string, ChangedValue>;
    }
  | {
      kind: 'note';
      project: Project;
      mergeRequest: MergeRequest;
      note: Note;
      user: User;
      action: 'create' | 'update';
    }
  | {
      kind: 'push';
      project: Project;
      user: User;
      branch: string;
      before: string;
      after: string;
      /** Newest last, at most 20. */
      commits: PushedCommit[];
      commitCount: number;
    }
  | { kind: 'pipeline'; project: Project; pipeline: Pipeline }
  | { kind: 'job'; project: Project; pipeline: Pipeline; job: Job }
  | {
      kind: 'emoji';
      project: Project;
      mergeRequest: MergeRequest;
      note: Note | null;
      award: Award;
      user: User;
      action: 'award' | 'revoke';
    }
  | { kind: 'deployment'; project: Project; deployment: Deployment; environment: Environment; user: User }
  /** No webhook tells of these; open pages do. */
  | { kind: 'environment'; project: Project };

export const zeroSha = '0'.repeat(40);
