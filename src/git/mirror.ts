import type { Logger } from 'pino';
import { AppError, isAppError } from '../error/app-error.js';
import { type CommitInfo, type GitObject, parseCommit, parseTree, type TreeEntry } from './git-object.js';
import { createHistory, type History } from './history.js';
import { openMirrorState } from './mirror-state.js';
import { createTransport, type GitAuth, type Transport } from './transport.js';
import { canFilter, fetchPack, type PackRequest, readRef } from './upload-pack.js';

export interface MirrorOptions {
  /** Folder of the local copy, made when missing; a cache that may be deleted at any time while nobody uses it. */
  directory: string;
  /** Plain http(s) address of the repository. */
  url: string;
  /** null: no credentials. */
  auth: GitAuth | null;
  log: Logger;
  /** Of one request that brings little. Default 10,000. */
  quickTimeoutMs?: number;
  /** Of one request that may bring a whole tree. Default 120,000. */
  timeoutMs?: number;
  /** Of one answer. Default 256 MiB. */
  maxBytes?: number;
  /** The local copy begins afresh above this. Default 1 GiB. */
  maxStoredBytes?: number;
}

/** The part of a remote repository that somebody asked for, kept in a bare repository without a work tree. */
export interface Mirror {
  url: string;
  /**
   * Looks where the branch stands and brings its commit with its whole tree; null when there is no such branch. One
   * round trip when nothing changed. Commits between the last head and this one come along unless history was rewritten.
   */
  fetchHead(branch: string, signal?: AbortSignal): Promise<string | null>;
  /** Head that was last fetched; null before the first. No network. */
  lastHead(branch: string): string | null;
  /**
   * Brings one commit with its whole tree, by its id. A server that refuses ids is asked for `fallbackRef`, which is
   * deepened until it holds the commit. Rejects with `source-not-found` when that fails too.
   */
  fetchSha(sha: string, options: { fallbackRef?: string; signal?: AbortSignal }): Promise<void>;
  /** Entries of a folder (`''`: the root) of a commit; null when there is no such folder. */
  readTree(commit: string, path: string): Promise<TreeEntry[] | null>;
  /** Content of a file; rejects with `git-object-missing`. */
  readBlob(oid: string): Promise<Buffer>;
  readCommit(oid: string): Promise<CommitInfo>;
  /** Whether `ancestor` is `head` or in its history. Rejects with `git-history-too-long` rather than guess. */
  isDescendant(head: string, ancestor: string, signal?: AbortSignal): Promise<boolean>;
  history: History;
  /**
   * Makes a push of our own known here: its objects and where the branch stands now. It is done before the next fetch
   * begins; when it fails, that fetch brings what is missing.
   */
  adopt(branch: string, head: string, objects: readonly GitObject[]): void;
  /** For the sender of pushes: the same address and token. */
  transport: Transport;
  close(): Promise<void>;
}

interface MirrorDeps {
  transport: Transport;
  state: Awaited<ReturnType<typeof openMirrorState>>;
  log: Logger;
  quick: { timeoutMs: number; maxBytes: number };
  slow: { timeoutMs: number; maxBytes: number };
}

/** How far a ref is deepened, step by step, in search of a commit; null: all of it. */
const searchDepths = [50, 1000, null];

export async function openMirror(options: MirrorOptions): Promise<Mirror> {
  const transport = createTransport(options);
  const maxBytes = options.maxBytes ?? 256 * 1024 * 1024;
  const state = await openMirrorState({
    directory: options.directory,
    url: transport.url,
    maxStoredBytes: options.maxStoredBytes ?? 1024 * 1024 * 1024,
  });
  const deps: MirrorDeps = {
    transport,
    state,
    log: options.log,
    quick: { timeoutMs: options.quickTimeoutMs ?? 10_000, maxBytes },
    slow: { timeoutMs: options.timeoutMs ?? 120_000, maxBytes },
  };
  const inTurn = createTurns();
  const readCommit = async (oid: string) => parseCommit(oid, await state.read(oid));
  const history = createHistory({
    readCommit,
    fetchCommits: (head, signal) => fetchCommits(deps, head, signal),
  });
  return {
    url: transport.url,
    transport,
    // One fetch at a time: the second finds what the first brought.
    fetchHead: (branch, signal) => inTurn(() => fetchHead(deps, branch, signal)),
    lastHead: (branch) => state.head(branch),
    fetchSha: (sha, input) => fetchSha(deps, sha, input),
    readTree: (commit, path) => readTree(deps, commit, path),
    readBlob: (oid) => state.read(oid),
    readCommit,
    isDescendant: async (head, ancestor, signal) => (await history.since(head, ancestor, signal)).descends,
    history,
    adopt: (branch, head, objects) => {
      // Readers find them at once, before they are on disk.
      state.store().remember(objects);
      inTurn(() => adopt(deps, branch, head, objects)).catch((error: unknown) => {
        deps.log.warn({ url: transport.url, head, err: error }, 'a push of our own could not be stored here');
      });
    },
    close: async () => {
      await transport.close();
      await inTurn(async () => undefined);
    },
  };
}

async function fetchHead(deps: MirrorDeps, branch: string, signal?: AbortSignal): Promise<string | null> {
  const head = await readRef(deps.transport, `refs/heads/${branch}`, { ...deps.quick, signal });
  if (head === null || head === deps.state.head(branch)) return head;
  await deps.state.beginAfreshWhenLarge();
  if (!deps.state.isComplete(head)) await bringHead(deps, branch, head, signal);
  await deps.state.setHead(branch, head);
  return head;
}

/**
 * The first time the newest commit is enough. Later, what lies between is wanted as well; a server that needs too
 * long for that has to send all of a rewritten history, so the newest commit must do again.
 */
async function bringHead(deps: MirrorDeps, branch: string, head: string, signal?: AbortSignal): Promise<void> {
  if (deps.state.head(branch) === null) return bring(deps, { wants: [head], depth: 1 }, deps.slow, signal);
  try {
    await bring(deps, { wants: [head], depth: null }, deps.quick, signal);
  } catch (error) {
    if (signal?.aborted || !(isAppError(error, 'git-unreachable') || isAppError(error, 'git-too-large'))) throw error;
    deps.log.info({ url: deps.transport.url, branch, head }, 'fetching the newest commit alone');
    await bring(deps, { wants: [head], depth: 1 }, deps.slow, signal);
  }
}

async function bring(
  deps: MirrorDeps,
  request: Pick<PackRequest, 'wants' | 'depth'>,
  limits: MirrorDeps['quick'],
  signal?: AbortSignal,
): Promise<void> {
  const pack = await fetchPack(deps.transport, { ...request, haves: deps.state.complete() }, { ...limits, signal });
  await deps.state.store().addPack(pack);
}

async function adopt(deps: MirrorDeps, branch: string, head: string, objects: readonly GitObject[]): Promise<void> {
  await deps.state.store().addObjects(objects);
  await deps.state.setHead(branch, head);
}

async function fetchSha(
  deps: MirrorDeps,
  sha: string,
  input: { fallbackRef?: string; signal?: AbortSignal },
): Promise<void> {
  if (deps.state.isComplete(sha)) return;
  await deps.state.beginAfreshWhenLarge();
  const round = deps.state.round();
  try {
    await bring(deps, { wants: [sha], depth: 1 }, deps.slow, input.signal);
  } catch (error) {
    if (!isAppError(error, 'git-refused')) throw error;
    await searchRef(deps, sha, input, error);
  }
  await deps.state.addComplete(sha, round);
}

async function searchRef(
  deps: MirrorDeps,
  sha: string,
  input: { fallbackRef?: string; signal?: AbortSignal },
  refused: unknown,
): Promise<void> {
  const limits = { ...deps.slow, signal: input.signal };
  const tip = input.fallbackRef === undefined ? null : await readRef(deps.transport, input.fallbackRef, limits);
  for (const depth of tip === null ? [] : searchDepths) {
    // Nothing is declared as had: each commit of the answer must come with its whole tree.
    const pack = await fetchPack(deps.transport, { wants: [tip ?? sha], haves: [], depth }, limits);
    await deps.state.store().addPack(pack);
    if (await deps.state.store().has(sha)) return;
  }
  throw new AppError({
    code: 'source-not-found',
    disposition: 'stall',
    publicMessage: `Commit ${sha} is not in ${deps.transport.url}; push it again, or check the address of the repository.`,
    data: { sha, url: deps.transport.url, fallbackRef: input.fallbackRef ?? null },
    cause: refused,
  });
}

/** Commits of a history without their trees, into a store of their own: they are not complete. */
async function fetchCommits(deps: MirrorDeps, head: string, signal?: AbortSignal): Promise<void> {
  const limits = { ...deps.slow, signal };
  const filter = (await canFilter(deps.transport, limits)) ? { filter: 'tree:0' as const } : {};
  const pack = await fetchPack(deps.transport, { wants: [head], haves: [], depth: null, ...filter }, limits);
  await (await deps.state.historyStore()).addPack(pack);
}

async function readTree(deps: MirrorDeps, commit: string, path: string): Promise<TreeEntry[] | null> {
  let oid = parseCommit(commit, await deps.state.read(commit)).tree;
  for (const part of path.split('/').filter((each) => each !== '')) {
    const found = parseTree(await deps.state.read(oid)).find((entry) => entry.name === part);
    if (found?.type !== 'tree') return null;
    oid = found.oid;
  }
  return parseTree(await deps.state.read(oid));
}

/** Runs calls one after the other, in the order of arrival; one that fails holds up none. */
function createTurns(): <T>(call: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (call) => {
    const mine = last.then(call, call);
    last = mine;
    return mine;
  };
}
