import type { Logger } from 'pino';
import type { Instant } from '../../preview/preview.js';

/** What a listing says of a merge request. */
interface Listed {
  iid: number;
  state: string;
  sha: string | null;
  updatedAt: Instant;
  noteCount: number | null;
  labels?: readonly string[];
}

export interface CatchUpDeps {
  /** Page by page; `updatedAfter` null: all that are open, else those of any state that changed since. */
  listMergeRequests: (input: {
    projectId: number;
    updatedAfter: Instant | null;
    signal: AbortSignal;
  }) => AsyncIterable<readonly Listed[]>;
  loadCursor: (input: {
    projectId: number;
  }) => Promise<{ listedAt: Instant | null; updatedAfter: Instant | null; now: Instant }>;
  /** Asks for those that differ from what is known; answers how many. */
  askListed: (input: { projectId: number; listed: readonly Listed[] }) => Promise<number>;
  /** Looks for removed comments where fewer are counted than before. */
  noticeRemoved: (input: { projectId: number; listed: readonly Listed[] }) => Promise<void>;
  /** Asks for living previews that the full listing did not show; answers how many. */
  askAbsent: (input: { projectId: number; seenIids: readonly number[] }) => Promise<number>;
  saveCursor: (input: {
    projectId: number;
    path: string;
    listedAt: Instant | null;
    updatedAfter: Instant | null;
  }) => Promise<void>;
  log: Logger;
}

export interface CatchUpInput {
  projectId: number;
  /** The configured path; kept beside the id. */
  path: string;
  /** A full listing that began before this does not count: when this manager started, by PostgreSQL's clock. */
  fullSince: Instant;
  signal: AbortSignal;
  /** A full listing at least this often. Default 10 minutes. */
  fullEveryMs?: number;
}

export interface CatchUpResult {
  full: boolean;
  listed: number;
  /** Merge requests that are asked for because of it. */
  asked: number;
}

/** GitLab shows a change a moment after its time stamp: what lies this far back is listed again. */
const overlapMs = 60_000;

/**
 * The job `follow` of one project: finds what no webhook told. A listing only asks; whoever is asked for is read on
 * its own before anything is decided, so that a wrong or empty list ends nothing.
 * Errors are those of the listing; what was asked before them stays asked, the cursor stays where it was.
 */
export async function catchUp(deps: CatchUpDeps, input: CatchUpInput): Promise<CatchUpResult> {
  const { projectId, path, signal } = input;
  const cursor = await deps.loadCursor({ projectId });
  const full = isFullDue(cursor, input);
  const updatedAfter = full ? null : cursor.updatedAfter;
  const seen: number[] = [];
  let newest: Instant | null = null;
  let asked = 0;
  for await (const page of deps.listMergeRequests({ projectId, updatedAfter, signal })) {
    asked += await deps.askListed({ projectId, listed: page });
    await deps.noticeRemoved({ projectId, listed: page });
    for (const { iid, updatedAt } of page) {
      seen.push(iid);
      newest = Math.max(newest ?? updatedAt, updatedAt);
    }
  }
  if (full) asked += await deps.askAbsent({ projectId, seenIids: seen });
  await deps.saveCursor({
    projectId,
    path,
    listedAt: full ? cursor.now : null,
    updatedAfter: newest === null ? null : newest - overlapMs,
  });
  if (asked > 0) deps.log.info({ projectId, full, listed: seen.length, asked }, 'catch-up found changes');
  return { full, listed: seen.length, asked };
}

function isFullDue(
  cursor: { listedAt: Instant | null; updatedAfter: Instant | null; now: Instant },
  input: CatchUpInput,
): boolean {
  const { listedAt, updatedAfter, now } = cursor;
  if (listedAt === null || updatedAfter === null) return true;
  // One of the future was written while the clock was wrong.
  const isFuture = listedAt > now;
  return isFuture || listedAt < input.fullSince || now - listedAt >= (input.fullEveryMs ?? 600_000);
}
