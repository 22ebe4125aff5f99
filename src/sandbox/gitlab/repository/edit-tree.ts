import { RepositoryError } from './repository.js';

export interface TreeNode {
  path: string;
  mode: string;
  oid: string;
  type: 'blob' | 'tree' | 'commit';
}

export interface TreeStore {
  readTree: (oid: string) => Promise<TreeNode[]>;
  writeTree: (entries: TreeNode[]) => Promise<string>;
}

/** One path's new content; null removes it. */
export interface TreeEdit {
  path: string;
  entry: { oid: string; mode: string } | null;
}

/** The tree with the edits made, reading and writing only the folders on their way; null when nothing is left. */
export async function editTree(store: TreeStore, root: string | null, edits: TreeEdit[]): Promise<string | null> {
  const entries = new Map<string, TreeNode>();
  if (root !== null) for (const entry of await store.readTree(root)) entries.set(entry.path, entry);
  const nested = new Map<string, TreeEdit[]>();
  for (const edit of edits) {
    const slash = edit.path.indexOf('/');
    if (slash < 0) setEntry(entries, edit);
    else {
      const folder = edit.path.slice(0, slash);
      const inside = nested.get(folder) ?? [];
      inside.push({ path: edit.path.slice(slash + 1), entry: edit.entry });
      nested.set(folder, inside);
    }
  }
  for (const [folder, inside] of nested) {
    const old = entries.get(folder);
    const oid = await editTree(store, old?.type === 'tree' ? old.oid : null, inside);
    if (oid === null) entries.delete(folder);
    else entries.set(folder, { path: folder, mode: '040000', oid, type: 'tree' });
  }
  if (entries.size === 0) return null;
  return await store.writeTree([...entries.values()]);
}

function setEntry(entries: Map<string, TreeNode>, edit: TreeEdit): void {
  if (edit.entry === null) entries.delete(edit.path);
  else entries.set(edit.path, { path: edit.path, mode: edit.entry.mode, oid: edit.entry.oid, type: 'blob' });
}

/** Refuses what Git itself refuses as a path. */
export function checkPath(path: string): void {
  const parts = path.split('/');
  const bad = parts.some((part) => part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git');
  if (bad || path.includes('\0')) throw new RepositoryError('conflict', 'invalid path');
}
