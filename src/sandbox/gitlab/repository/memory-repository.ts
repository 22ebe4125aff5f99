import { createHash } from 'node:crypto';
import type { CommitRecord, Project } from '../model.js';
import { type Author, type Repository, RepositoryError } from './repository.js';

const heads = 'refs/heads/';

interface InventedHistory {
  invent: (parents: string[], message: string, author: Author) => CommitRecord;
  /** Newest first, without those named. */
  walk: (from: string, without: Set<string>, limit: number) => CommitRecord[];
  ancestors: (from: string) => Set<string>;
}

function createHistory(project: Project, nextNumber: () => number): InventedHistory {
  const walk: InventedHistory['walk'] = (from, without, limit) => {
    const found: CommitRecord[] = [];
    const waiting = [from];
    const seen = new Set(without);
    while (waiting.length > 0 && found.length < limit) {
      const id = waiting.shift() ?? '';
      const record = project.inventedCommits.get(id);
      if (record === undefined || seen.has(id)) continue;
      seen.add(id);
      found.push(record);
      waiting.push(...record.parents);
    }
    return found;
  };
  return {
    walk,
    ancestors: (from) => new Set(walk(from, new Set(), Number.POSITIVE_INFINITY).map((record) => record.id)),
    invent: (parents, message, { name, email, at }) => {
      const id = createHash('sha1').update(`${project.path} ${nextNumber()} ${message}`).digest('hex');
      const author = { authorName: name, authorEmail: email, authoredAt: at };
      const committer = { committerName: name, committerEmail: email, committedAt: at };
      const record: CommitRecord = { id, parents, message, ...author, ...committer };
      project.inventedCommits.set(id, record);
      return record;
    },
  };
}

function moveBranches(project: Project, moves: Parameters<Repository['moveRefs']>[0]): Promise<void> {
  const branches = moves.filter(({ ref }) => ref.startsWith(heads));
  for (const { ref, before } of branches) {
    const now = project.branches.get(ref.slice(heads.length)) ?? null;
    if (before !== undefined && before !== now) {
      return Promise.reject(new RepositoryError('moved', `${ref} is at ${now}`));
    }
  }
  for (const { ref, after } of branches) {
    if (after === null) project.branches.delete(ref.slice(heads.length));
    else project.branches.set(ref.slice(heads.length), after);
  }
  return Promise.resolve();
}

/** A repository without content: shas are invented and files are forgotten, so that load tests measure something else. */
export function createMemoryRepository(project: Project, nextNumber: () => number): Repository {
  const { invent, walk, ancestors } = createHistory(project, nextNumber);
  const { inventedCommits: commits, branches } = project;
  const all = Number.POSITIVE_INFINITY;
  return {
    folder: null,
    branches: () => Promise.resolve(new Map(branches)),
    resolve: (ref) => Promise.resolve(branches.get(ref) ?? commits.get(ref)?.id ?? null),
    commit: (sha) => Promise.resolve(commits.get(sha) ?? null),
    log: (sha, limit) => Promise.resolve(walk(sha, new Set(), limit)),
    between: (before, after, limit) => {
      const newest = commits.get(after);
      if (newest !== undefined && newest.parents[0] === before) return Promise.resolve([newest]);
      return Promise.resolve(walk(after, before === null ? new Set() : ancestors(before), limit));
    },
    changedPaths: (commits) => Promise.resolve(commits.map(() => ({ added: [], modified: [], removed: [] }))),
    file: () => Promise.resolve(null),
    tree: () => Promise.resolve([]),
    writeCommit: ({ parents, message, author }) => Promise.resolve(invent(parents, message, author)),
    writeMerge: ({ into, from, message, author }) => Promise.resolve(invent([into, from], message, author)),
    moveRefs: (moves) => moveBranches(project, moves),
    mergeBase: (a, b) => {
      if (a === b || commits.get(b)?.parents[0] === a) return Promise.resolve(a);
      const known = ancestors(b);
      return Promise.resolve(walk(a, new Set(), all).find(({ id }) => known.has(id))?.id ?? null);
    },
    fetchFrom: async (other, sha) => {
      const record = await other.commit(sha);
      if (record !== null) commits.set(sha, record);
    },
  };
}
