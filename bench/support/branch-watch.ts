import { execFile } from 'node:child_process';
import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** When the files of a branch became visible at the Git server. */
export interface BranchWatch {
  /** Resolves with the moment (`performance.now()`) at which the branch first held the file, such as `apps/a.yml`. */
  seen(file: string): Promise<number>;
  /** Commits of the branch, and names of the files in it, as the server has them now. */
  content(): Promise<{ commits: number; files: string[] }>;
  close(): void;
}

/**
 * Watches the ref in the repository's folder: nothing is asked of the server while it is measured, and each moment is
 * that of the ref's own change. Which files came with it is read from Git afterwards.
 */
export function watchBranch(gitDir: string, branch: string): BranchWatch {
  const ref = join(gitDir, 'refs/heads', branch);
  const seenAt = new Map<string, number>();
  const waiting = new Map<string, (at: number) => void>();
  let head = '';
  let turn: Promise<void> = Promise.resolve();
  const git = (...args: string[]) => run('git', ['--git-dir', gitDir, ...args], { maxBuffer: 64 * 1024 * 1024 });

  async function take(at: number): Promise<void> {
    const next = (await readFile(ref, 'utf8').catch(() => '')).trim();
    if (next === '' || next === head) return;
    const change = head === '' ? ['ls-tree', '-r', '--name-only', next] : diff(head, next);
    head = next;
    const { stdout } = await git(...change);
    for (const file of stdout.split('\n').filter((name) => name !== '' && !seenAt.has(name))) {
      seenAt.set(file, at);
      waiting.get(file)?.(at);
      waiting.delete(file);
    }
  }

  function look(): void {
    const at = performance.now();
    turn = turn.then(() => take(at));
  }

  const watcher: FSWatcher = watch(dirname(ref), look);
  look();
  return {
    seen: (file) => {
      const at = seenAt.get(file);
      return at === undefined ? new Promise((resolve) => waiting.set(file, resolve)) : Promise.resolve(at);
    },
    async content() {
      const [count, tree] = await Promise.all([
        git('rev-list', '--count', branch),
        git('ls-tree', '-r', '--name-only', branch),
      ]);
      return { commits: Number(count.stdout), files: tree.stdout.split('\n').filter((name) => name !== '') };
    },
    close: () => watcher.close(),
  };
}

function diff(from: string, to: string): string[] {
  return ['diff-tree', '-r', '--name-only', '--diff-filter=AM', from, to];
}
