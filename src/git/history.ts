import { AppError, isAppError } from '../error/app-error.js';
import type { CommitInfo } from './git-object.js';

export interface HistoryDeps {
  /** Rejects with `git-object-missing` for a commit that is not here. */
  readCommit(oid: string): Promise<CommitInfo>;
  /** Brings all commits of a history, without their trees. */
  fetchCommits(head: string, signal?: AbortSignal): Promise<void>;
}

interface Ancestry {
  /** The ancestor is the head or in its history. */
  descends: boolean;
  /** What lies between, the head first, without the ancestor; the head alone when it does not descend. */
  commits: CommitInfo[];
}

export interface History {
  /** How a head continues an earlier one. Rejects with `git-history-too-long` rather than guess. */
  since(head: string, ancestor: string, signal?: AbortSignal): Promise<Ancestry>;
  /** The newest commit that `matches`, null when the whole history has none. */
  find(head: string, matches: (commit: CommitInfo) => boolean, signal?: AbortSignal): Promise<CommitInfo | null>;
}

/** Commits that one question may look at. */
const maxCommits = 100_000;

interface Walk {
  visited: CommitInfo[];
  found: CommitInfo | null;
  /** A commit on the way is not here. */
  cut: boolean;
}

/** Answers questions on ancestry from what is here, and fetches the rest of the history only when it must. */
export function createHistory(deps: HistoryDeps): History {
  async function find(head: string, matches: (commit: CommitInfo) => boolean, signal?: AbortSignal): Promise<Walk> {
    const near = await walk(deps, head, matches);
    if (near.found !== null || !near.cut) return near;
    // The local copy ends before the question is answered.
    await deps.fetchCommits(head, signal);
    return walk(deps, head, matches);
  }
  return {
    since: async (head, ancestor, signal) => {
      const { visited, found } = await find(head, (commit) => commit.oid === ancestor, signal);
      return { descends: found !== null, commits: found === null ? visited.slice(0, 1) : visited };
    },
    find: async (head, matches, signal) => (await find(head, matches, signal)).found,
  };
}

/** Newest first by levels, so that what is close by is found without reading the rest. */
async function walk(deps: HistoryDeps, head: string, matches: (commit: CommitInfo) => boolean): Promise<Walk> {
  const seen = new Set([head]);
  const visited: CommitInfo[] = [];
  let cut = false;
  for (const oid of seen) {
    if (seen.size > maxCommits) throw tooLongError(head);
    const commit = await commitOrCut(deps, oid);
    if (commit === null) {
      cut = true;
      continue;
    }
    if (matches(commit)) return { visited, found: commit, cut };
    visited.push(commit);
    // A Set is walked in the order of insertion, what is added on the way included.
    for (const parent of commit.parents) seen.add(parent);
  }
  return { visited, found: null, cut };
}

async function commitOrCut(deps: HistoryDeps, oid: string): Promise<CommitInfo | null> {
  try {
    return await deps.readCommit(oid);
  } catch (error) {
    if (isAppError(error, 'git-object-missing')) return null;
    throw error;
  }
}

function tooLongError(head: string): AppError {
  return new AppError({
    code: 'git-history-too-long',
    disposition: 'wait',
    publicMessage: `The history of ${head} cannot be told within ${maxCommits} commits; nothing is changed until a person says so.`,
    data: { head },
  });
}
