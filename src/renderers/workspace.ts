import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';

/** A folder that one run of a program has to itself. */
export interface Workspace {
  /** Where the files of the source are, and the program begins. */
  source: string;
  /** Home, temporary files and everything that the program writes. */
  home: string;
  /** Empty: what the program finds on its PATH. */
  empty: string;
  /** All of the above. */
  root: string;
}

export interface WorkspaceFile {
  /** Relative, with `/`. */
  path: string;
  content: Uint8Array;
}

/**
 * Writes the files into a private folder below `directory`, hands it to `use`, and removes it, however that ends. Only
 * plain files are written, none of them executable, and none outside the folder.
 */
export async function withWorkspace<T>(
  directory: string,
  files: readonly WorkspaceFile[],
  use: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const root = await realpath(await mkdtemp(join(directory, 'render-')));
  try {
    const workspace = { root, source: join(root, 'source'), home: join(root, 'home'), empty: join(root, 'empty') };
    for (const folder of [workspace.source, workspace.home, workspace.empty]) await mkdir(folder, { mode: 0o700 });
    const folders = new Set<string>();
    for (const { path, content } of files) {
      const target = normalize(join(workspace.source, path));
      if (!target.startsWith(`${workspace.source}/`)) throw new TypeError('a file of a source lies outside of it');
      if (!folders.has(dirname(target))) await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      folders.add(dirname(target));
      // Exclusive: two names for one file, as on a file system that ignores case, would be a surprise.
      await writeFile(target, content, { mode: 0o600, flag: 'wx' });
    }
    return await use(workspace);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Removes what runs that were killed left behind; only while none is under way. */
export async function emptyWorkspaces(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

/** A name that no file of a source has. */
export function privateName(): string {
  return `.mayfly-${randomUUID()}`;
}
