import type { CommitRecord } from '../model.js';

export interface FileAction {
  /** `put` creates or updates, whichever is needed; GitLab's API does not have it. */
  action: 'create' | 'update' | 'put' | 'delete' | 'move' | 'chmod';
  path: string;
  /** For `move`. */
  previousPath?: string;
  /** Text, or bytes; a move without it keeps what was there. */
  content?: string | Uint8Array;
  executable?: boolean;
}

interface TreeEntry {
  id: string;
  name: string;
  type: 'blob' | 'tree' | 'commit';
  path: string;
  /** Six digits, `100644`. */
  mode: string;
}

export interface Author {
  name: string;
  email: string;
  /** Epoch milliseconds. */
  at: number;
}

export interface ChangedPaths {
  added: string[];
  modified: string[];
  removed: string[];
}

/** `message` is what GitLab would say, for example `A file with this name doesn't exist`. */
export class RepositoryError extends Error {
  readonly reason: 'missing' | 'exists' | 'conflict' | 'moved';

  constructor(reason: 'missing' | 'exists' | 'conflict' | 'moved', message: string) {
    super(message);
    this.name = 'RepositoryError';
    this.reason = reason;
  }
}

/** The content of a project: a real bare repository, or invented shas for load tests. */
export interface Repository {
  /** Heads of all branches, by name. */
  branches(): Promise<Map<string, string>>;
  /** Full id of what a branch name, sha or its beginning stands for; null when there is nothing. */
  resolve(ref: string): Promise<string | null>;
  commit(sha: string): Promise<CommitRecord | null>;
  /** Newest first, along all parents. */
  log(sha: string, limit: number, path?: string): Promise<CommitRecord[]>;
  /** Commits of `after` that `before` does not have, newest first. */
  between(before: string | null, after: string, limit: number): Promise<CommitRecord[]>;
  /** Of each against its first parent, in the order given. */
  changedPaths(commits: readonly CommitRecord[]): Promise<ChangedPaths[]>;
  file(sha: string, path: string): Promise<{ id: string; content: Uint8Array; executable: boolean } | null>;
  tree(sha: string, path: string, recursive: boolean): Promise<TreeEntry[] | null>;
  /** Writes the commit, moves nothing. Throws RepositoryError. */
  writeCommit(input: {
    parents: string[];
    actions: FileAction[];
    message: string;
    author: Author;
  }): Promise<CommitRecord>;
  /** A commit that joins both histories, moves nothing. Throws RepositoryError `conflict`. */
  writeMerge(input: { into: string; from: string; message: string; author: Author }): Promise<CommitRecord>;
  /** Moves refs all or none; `before` null: must not exist; `after` null: is deleted. Throws RepositoryError `moved`. */
  moveRefs(moves: { ref: string; before?: string | null; after: string | null }[]): Promise<void>;
  mergeBase(a: string, b: string): Promise<string | null>;
  /** Makes the objects of another repository known here, as a merge request from a fork needs. */
  fetchFrom(other: Repository, sha: string): Promise<void>;
  /** Folder of the bare repository; null where there is none. */
  readonly folder: string | null;
}
