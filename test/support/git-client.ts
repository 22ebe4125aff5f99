import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A folder of its own under the system's temporary folder, with what removes it. */
export async function temporaryFolder(name: string): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), `mayfly-${name}-`));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Runs the real `git` and answers with its output; throws with git's own words. */
export async function git(folder: string, ...words: string[]): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Ada Person',
    GIT_AUTHOR_EMAIL: 'ada@example.com',
    GIT_COMMITTER_NAME: 'Ada Person',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
  };
  const { stdout } = await run('git', words, { cwd: folder, env, maxBuffer: 64 * 1024 * 1024 });
  return stdout.trimEnd();
}

/** A person's clone of a repository, with a work tree. */
export interface Person {
  folder: string;
  git(...words: string[]): Promise<string>;
  write(path: string, text: string): Promise<void>;
  read(path: string): Promise<string>;
  /** Takes in what others pushed. */
  pull(branch: string): Promise<void>;
  /** Commits all changes; the answer is the commit. */
  commit(message: string): Promise<string>;
  /** Commits all changes and pushes them; the answer is the commit. */
  push(branch: string, message: string): Promise<string>;
  remove(): Promise<void>;
}

export async function createPerson(url: string): Promise<Person> {
  const { path: folder, remove } = await temporaryFolder('person');
  await git(folder, 'init', '--quiet', '--initial-branch=main');
  await git(folder, 'remote', 'add', 'origin', url);
  const person: Person = {
    folder,
    git: (...words) => git(folder, ...words),
    write: async (path, text) => {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    },
    read: (path) => readFile(join(folder, path), 'utf8'),
    pull: async (branch) => {
      await git(folder, 'fetch', '--quiet', 'origin', branch);
      await git(folder, 'checkout', '--quiet', '-B', branch, 'FETCH_HEAD');
    },
    commit: async (message) => {
      await git(folder, 'add', '--all');
      await git(folder, 'commit', '--quiet', '--allow-empty', '--message', message);
      return git(folder, 'rev-parse', 'HEAD');
    },
    push: async (branch, message) => {
      const commit = await person.commit(message);
      await git(folder, 'push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
      return commit;
    },
    remove,
  };
  return person;
}
