import { AppError } from '../error/app-error.js';
import {
  createObject,
  type Difference,
  encodeCommit,
  type GitObject,
  parseTree,
  type Signature,
  type TreeEntry,
} from './git-object.js';
import { editTree } from './tree-edit.js';

/** The folders of a commit that changes are made in, as they are in Git, by path; `''` is the root. */
export interface TreeBase {
  commit: string | null;
  folders: ReadonlyMap<string, Folder>;
}

interface Folder {
  oid: string;
  content: Buffer;
  /** Differences since the tree was last sent whole: a receiver must follow them all. */
  chain: number;
}

/** One commit to be: the files that it writes (null: removes) and what it says. */
export interface CommitPlan {
  files: ReadonlyArray<{ path: string; text: string | null }>;
  message: string;
}

export interface BuiltCommits {
  /** The last commit; the base's when no plan changed anything. */
  head: string | null;
  /** For each plan in order: its commit, or null when its files are so already. */
  commits: Array<string | null>;
  /** Exactly the new objects, for the receiver. */
  pack: Array<GitObject | Difference>;
  /** What the local copy needs to hold the last commit in full. */
  kept: GitObject[];
  base: TreeBase;
}

/** Differences in a row before a tree is sent whole again: Git's own limit when it packs. */
const maxChain = 50;

/**
 * Reads the root and the folders (such as `apps`, `envs/apps`) that changes will be made in. A path that is a file
 * where a folder is needed rejects with `branch-layout`.
 */
export async function readTreeBase(
  read: (oid: string) => Promise<Buffer>,
  commit: { oid: string; tree: string } | null,
  folders: readonly string[],
): Promise<TreeBase> {
  const known = new Map<string, Folder>();
  if (commit === null) return { commit: null, folders: known };
  known.set('', { oid: commit.tree, content: await read(commit.tree), chain: 0 });
  for (const path of folders.flatMap(foldersAbove)) {
    const parent = known.get(parentOf(path));
    if (known.has(path) || parent === undefined) continue;
    const entry = parseTree(parent.content).find((each) => each.name === nameOf(path));
    if (entry === undefined) continue;
    if (entry.type !== 'tree') throw layoutError(path);
    known.set(path, { oid: entry.oid, content: await read(entry.oid), chain: 0 });
  }
  return { commit: commit.oid, folders: known };
}

/** Builds the commits one upon the other. Only the trees above changed files are written; nothing is read. */
export function buildCommits(input: { base: TreeBase; plans: readonly CommitPlan[]; author: Signature }): BuiltCommits {
  const { base } = input;
  const result: BuiltCommits = { head: base.commit, commits: [], pack: [], kept: [], base };
  const work: Work = { folders: new Map(base.folders), edited: new Map(), result, packed: new Set() };
  for (const plan of input.plans) {
    const before = work.folders.get('')?.oid;
    for (const file of plan.files) putFile(work, file);
    closeFolders(work);
    const tree = work.folders.get('')?.oid;
    if (tree === undefined || tree === before) {
      result.commits.push(null);
      continue;
    }
    const parents = result.head === null ? [] : [result.head];
    const commit = createObject('commit', encodeCommit({ tree, parents, author: input.author, message: plan.message }));
    addObject(work, commit);
    result.kept.push(commit);
    result.commits.push(commit.oid);
    result.head = commit.oid;
  }
  for (const [path, folder] of work.folders) {
    if (base.folders.get(path)?.oid !== folder.oid) {
      result.kept.push({ oid: folder.oid, type: 'tree', content: folder.content });
    }
  }
  result.base = { commit: result.head, folders: work.folders };
  return result;
}

interface Work {
  folders: Map<string, Folder>;
  /** Folders that the present commit changed. */
  edited: Map<string, { content: Buffer; difference: Buffer | null }>;
  result: BuiltCommits;
  /** What the pack holds: no object goes in twice. */
  packed: Set<string>;
}

function addObject(work: Work, object: GitObject | Difference): void {
  if (work.packed.has(object.oid)) return;
  work.packed.add(object.oid);
  work.result.pack.push(object);
}

function putFile(work: Work, file: { path: string; text: string | null }): void {
  const name = nameOf(file.path);
  if (file.text === null) {
    putEntry(work, parentOf(file.path), name, null);
    return;
  }
  const blob = createObject('blob', Buffer.from(file.text, 'utf8'));
  if (!work.packed.has(blob.oid)) work.result.kept.push(blob);
  addObject(work, blob);
  putEntry(work, parentOf(file.path), name, { name, mode: '100644', oid: blob.oid, type: 'blob' });
}

function putEntry(work: Work, path: string, name: string, entry: TreeEntry | null): void {
  const open = work.edited.get(path);
  const content = open?.content ?? work.folders.get(path)?.content ?? Buffer.alloc(0);
  const edit = editTree(content, name, entry);
  // A second edit of the same folder is no longer one difference to the tree that was sent.
  const difference = open === undefined ? (edit?.difference ?? null) : null;
  if (edit !== null) work.edited.set(path, { content: edit.content, difference });
}

/** Turns the changed folders into trees, the deepest first, each into its parent. */
function closeFolders(work: Work): void {
  for (;;) {
    const path = [...work.edited.keys()].sort((one, other) => depthOf(other) - depthOf(one))[0];
    const edit = path === undefined ? undefined : work.edited.get(path);
    if (path === undefined || edit === undefined) return;
    work.edited.delete(path);
    closeFolder(work, path, edit);
  }
}

function closeFolder(work: Work, path: string, edit: { content: Buffer; difference: Buffer | null }): void {
  // Git knows no empty folder: the last file takes its folder along.
  if (edit.content.length === 0 && path !== '') {
    work.folders.delete(path);
    putEntry(work, parentOf(path), nameOf(path), null);
    return;
  }
  const old = work.folders.get(path);
  const tree = createObject('tree', edit.content);
  if (tree.oid === old?.oid) return;
  const difference = old !== undefined && old.chain < maxChain ? edit.difference : null;
  if (difference === null || old === undefined) addObject(work, tree);
  else addObject(work, { oid: tree.oid, base: old.oid, bytes: difference });
  const chain = difference === null || old === undefined ? 0 : old.chain + 1;
  work.folders.set(path, { oid: tree.oid, content: edit.content, chain });
  if (path === '') return;
  putEntry(work, parentOf(path), nameOf(path), { name: nameOf(path), mode: '040000', oid: tree.oid, type: 'tree' });
}

function depthOf(path: string): number {
  return path === '' ? 0 : path.split('/').length;
}

/** `envs/apps` → `envs`, `envs/apps`. */
function foldersAbove(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function layoutError(path: string): AppError {
  return new AppError({
    code: 'branch-layout',
    disposition: 'stall',
    publicMessage: `The branch holds a file named ${path} where Mayfly needs a folder; move it away.`,
    data: { path },
  });
}
