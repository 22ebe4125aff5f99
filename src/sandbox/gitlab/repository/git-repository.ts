import fs from 'node:fs';
import { mkdir } from 'node:fs/promises';
import git from 'isomorphic-git';
import type { CommitRecord } from '../model.js';
import { checkPath, editTree, type TreeEdit, type TreeNode, type TreeStore } from './edit-tree.js';
import { type Author, type ChangedPaths, type FileAction, type Repository, RepositoryError } from './repository.js';
import { GitCommandError, runGit } from './run-git.js';

const sha1 = /^[0-9a-f]{40}$/;

/** Makes an empty bare repository where none is, and takes an existing one as it is. */
export async function createBareRepository(folder: string, defaultBranch: string): Promise<void> {
  if (fs.existsSync(`${folder}/HEAD`)) return;
  await mkdir(folder, { recursive: true });
  await runGit(folder, ['init', '--quiet', '--bare', `--initial-branch=${defaultBranch}`, folder]);
  await runGit(folder, ['config', 'http.receivepack', 'true']);
  await runGit(folder, ['config', 'uploadpack.allowAnySHA1InWant', 'true']);
  // A maintenance run in the middle of a test would only make its times jump.
  await runGit(folder, ['config', 'gc.auto', '0']);
  await runGit(folder, ['config', 'receive.autogc', 'false']);
}

/** The content of a project as a bare repository on disk: objects in this process, refs through git's own locks. */
export function createGitRepository(folder: string): Repository {
  const repo = { fs, gitdir: folder, cache: {} };
  const trees: TreeStore = {
    readTree: async (oid) => (await git.readTree({ ...repo, oid })).tree,
    writeTree: (entries) => git.writeTree({ ...repo, tree: entries }),
  };

  const commit = (sha: string): Promise<CommitRecord | null> => readCommit(repo, sha);

  async function between(before: string | null, after: string, limit: number): Promise<CommitRecord[]> {
    const newest = await commit(after);
    if (newest === null || after === before) return [];
    // The common push adds one commit; no need to ask git for it.
    if (before !== null && newest.parents.length === 1 && newest.parents[0] === before) return [newest];
    const range = before === null ? [after] : [after, `^${before}`];
    return await readAll(commit, await revList(folder, ['--max-count', String(limit), ...range]));
  }

  return {
    folder,
    commit,
    between,
    branches: () => listBranches(folder),
    resolve: (ref) => resolveRef(folder, ref),
    log: async (sha, limit, path) => {
      const only = path === undefined ? [] : ['--', path];
      return await readAll(commit, await revList(folder, ['--max-count', String(limit), sha, ...only]));
    },
    changedPaths: (records) => changedPaths(folder, records),
    file: (sha, path) => readFile(repo, sha, path),
    tree: async (sha, path, recursive) => {
      const root = await entryAt(trees, await treeOf(repo, sha), path);
      if (root === null || root.type !== 'tree') return null;
      return await listTree(trees, root.oid, path, recursive);
    },
    writeCommit: async ({ parents, actions, message, author }) => {
      const parent = parents[0];
      const root = parent === undefined ? null : await treeOf(repo, parent);
      const edits = await editsOf(repo, trees, root, actions);
      const tree = (await editTree(trees, root, edits)) ?? (await trees.writeTree([]));
      return await writeRecord(repo, tree, parents, message, author);
    },
    writeMerge: async ({ into, from, message, author }) => {
      const tree = await mergedTree(folder, repo, into, from);
      return await writeRecord(repo, tree, [into, from], message, author);
    },
    moveRefs: (moves) => moveRefs(folder, moves),
    mergeBase: (a, b) => mergeBase(folder, a, b),
    fetchFrom: async (other, sha) => {
      if (other.folder === null || other.folder === folder) return;
      await runGit(folder, ['fetch', '--quiet', '--no-tags', other.folder, sha]);
    },
  };
}

type Repo = { fs: typeof fs; gitdir: string; cache: object };

async function readCommit(repo: Repo, sha: string): Promise<CommitRecord | null> {
  try {
    return commitRecord(sha, (await git.readCommit({ ...repo, oid: sha })).commit);
  } catch (error) {
    if (isIsomorphicError(error, 'NotFoundError') || isIsomorphicError(error, 'ObjectTypeError')) return null;
    throw error;
  }
}

function isIsomorphicError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function commitRecord(id: string, raw: Awaited<ReturnType<typeof git.readCommit>>['commit']): CommitRecord {
  return {
    id,
    parents: raw.parent,
    message: raw.message,
    authorName: raw.author.name,
    authorEmail: raw.author.email,
    authoredAt: raw.author.timestamp * 1000,
    committerName: raw.committer.name,
    committerEmail: raw.committer.email,
    committedAt: raw.committer.timestamp * 1000,
  };
}

async function readAll(commit: (sha: string) => Promise<CommitRecord | null>, shas: string[]): Promise<CommitRecord[]> {
  const found = await Promise.all(shas.map(commit));
  return found.filter((record) => record !== null);
}

async function revList(folder: string, args: string[]): Promise<string[]> {
  return lines(await runGit(folder, ['rev-list', ...args]));
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

async function listBranches(folder: string): Promise<Map<string, string>> {
  const text = await runGit(folder, ['for-each-ref', '--format=%(objectname) %(refname:lstrip=2)', 'refs/heads']);
  return new Map(lines(text).map((line) => [line.slice(41), line.slice(0, 40)]));
}

async function resolveRef(folder: string, ref: string): Promise<string | null> {
  for (const name of sha1.test(ref) ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`, ref]) {
    if (name.startsWith('-')) continue;
    try {
      return (await runGit(folder, ['rev-parse', '--quiet', '--verify', `${name}^{commit}`])).trim();
    } catch (error) {
      if (!(error instanceof GitCommandError)) throw error;
    }
  }
  return null;
}

async function treeOf(repo: Repo, sha: string): Promise<string> {
  return (await git.readCommit({ ...repo, oid: sha })).commit.tree;
}

async function entryAt(trees: TreeStore, root: string, path: string): Promise<TreeNode | null> {
  let found: TreeNode = { path: '', mode: '040000', oid: root, type: 'tree' };
  for (const part of path.split('/').filter((name) => name !== '')) {
    if (found.type !== 'tree') return null;
    const next = (await trees.readTree(found.oid)).find((entry) => entry.path === part);
    if (next === undefined) return null;
    found = next;
  }
  return found;
}

async function listTree(trees: TreeStore, root: string, under: string, recursive: boolean) {
  const found: { id: string; name: string; type: TreeNode['type']; path: string; mode: string }[] = [];
  for (const entry of await trees.readTree(root)) {
    const path = under === '' ? entry.path : `${under}/${entry.path}`;
    found.push({ id: entry.oid, name: entry.path, type: entry.type, path, mode: entry.mode.padStart(6, '0') });
    if (recursive && entry.type === 'tree') found.push(...(await listTree(trees, entry.oid, path, true)));
  }
  return found;
}

async function readFile(repo: Repo, sha: string, path: string) {
  const readTree = async (oid: string) => (await git.readTree({ ...repo, oid })).tree;
  const trees = { readTree, writeTree: () => Promise.reject(new Error('read only')) };
  const entry = await entryAt(trees, await treeOf(repo, sha), path);
  if (entry === null || entry.type !== 'blob') return null;
  const { blob } = await git.readBlob({ ...repo, oid: entry.oid });
  return { id: entry.oid, content: blob, executable: entry.mode === '100755' };
}

async function editsOf(repo: Repo, trees: TreeStore, root: string | null, actions: FileAction[]): Promise<TreeEdit[]> {
  const edits = new Map<string, TreeEdit['entry']>();
  const look = async (path: string): Promise<TreeEdit['entry']> => {
    const edited = edits.get(path);
    if (edited !== undefined || root === null) return edited ?? null;
    const entry = await entryAt(trees, root, path);
    return entry?.type === 'blob' ? { oid: entry.oid, mode: entry.mode } : null;
  };
  for (const action of actions) {
    checkPath(action.path);
    const from = action.action === 'move' ? (action.previousPath ?? '') : action.path;
    const old = await look(from);
    if (action.action === 'create' && old !== null) {
      throw new RepositoryError('exists', 'A file with this name already exists');
    }
    if (action.action !== 'create' && action.action !== 'put' && old === null) {
      throw new RepositoryError('missing', "A file with this name doesn't exist");
    }
    if (action.action === 'move') edits.set(from, null);
    edits.set(action.path, action.action === 'delete' ? null : await newEntry(repo, action, old));
  }
  return [...edits].map(([path, entry]) => ({ path, entry }));
}

async function newEntry(repo: Repo, action: FileAction, old: TreeEdit['entry']): Promise<TreeEdit['entry']> {
  const executable = action.executable ?? old?.mode === '100755';
  const mode = executable ? '100755' : '100644';
  if (action.content === undefined && old !== null) return { oid: old.oid, mode };
  const content = action.content ?? '';
  const blob = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  return { oid: await git.writeBlob({ ...repo, blob }), mode };
}

async function writeRecord(repo: Repo, tree: string, parents: string[], message: string, author: Author) {
  const person = {
    name: author.name,
    email: author.email,
    timestamp: Math.floor(author.at / 1000),
    timezoneOffset: 0,
  };
  const commit = { tree, parent: parents, author: person, committer: person, message };
  const oid = await git.writeCommit({ ...repo, commit });
  return commitRecord(oid, commit);
}

async function mergedTree(folder: string, repo: Repo, into: string, from: string): Promise<string> {
  if ((await mergeBase(folder, into, from)) === into) return await treeOf(repo, from);
  try {
    return lines(await runGit(folder, ['merge-tree', '--write-tree', into, from]))[0] ?? '';
  } catch (error) {
    if (error instanceof GitCommandError && error.exitCode === 1) {
      throw new RepositoryError('conflict', 'Branch cannot be merged');
    }
    throw error;
  }
}

async function mergeBase(folder: string, a: string, b: string): Promise<string | null> {
  if (a === b) return a;
  try {
    return (await runGit(folder, ['merge-base', a, b])).trim();
  } catch (error) {
    if (error instanceof GitCommandError && error.exitCode === 1) return null;
    throw error;
  }
}

async function moveRefs(folder: string, moves: Parameters<Repository['moveRefs']>[0]): Promise<void> {
  const none = '0'.repeat(40);
  const commands = moves.map(({ ref, before, after }) => {
    const old = before === undefined ? '' : ` ${before ?? none}`;
    return after === null ? `delete ${ref}${old}\n` : `update ${ref} ${after}${old}\n`;
  });
  try {
    await runGit(folder, ['update-ref', '--stdin'], commands.join(''));
  } catch (error) {
    if (error instanceof GitCommandError) throw new RepositoryError('moved', error.message);
    throw error;
  }
}

/** One process for all of them: a push of many commits would otherwise cost a process each. */
async function changedPaths(folder: string, records: readonly CommitRecord[]): Promise<ChangedPaths[]> {
  if (records.length === 0) return [];
  // Each with its first parent alone, as a merge is told.
  const input = records.map(({ id, parents }) => [id, ...parents.slice(0, 1)].join(' ')).join('\n');
  const text = await runGit(
    folder,
    ['diff-tree', '--stdin', '--root', '-r', '-z', '--name-status', '--no-renames', '--always'],
    `${input}\n`,
  );
  const found = new Map<string, ChangedPaths>();
  let changed: ChangedPaths = { added: [], modified: [], removed: [] };
  const parts = text.split('\0');
  for (let at = 0; at < parts.length - 1; ) {
    const part = parts[at] ?? '';
    if (sha1.test(part)) {
      changed = { added: [], modified: [], removed: [] };
      found.set(part, changed);
      at += 1;
      continue;
    }
    const path = parts[at + 1] ?? '';
    if (part === 'A') changed.added.push(path);
    else if (part === 'D') changed.removed.push(path);
    else changed.modified.push(path);
    at += 2;
  }
  return records.map(({ id }) => found.get(id) ?? { added: [], modified: [], removed: [] });
}
