import { execFile } from 'node:child_process';
import { access, chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

type HookName = 'pre-receive' | 'update' | 'post-receive';

/** The bare repositories under one folder, each at `<root>/<group>/<name>.git`. */
export interface Repositories {
  /** Makes the repository unless it is there; the answer is its folder. Branch of HEAD: `main` unless named. */
  create(path: string, defaultBranch?: string): Promise<string>;
  exists(path: string): Promise<boolean>;
  /** Folder of a repository, there or not. */
  directory(path: string): string;
  /** Installs a server-side hook, an executable script; null removes it. */
  setHook(path: string, name: HookName, script: string | null): Promise<void>;
}

const segment = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}$/;

/** `/acme/shop.git` and `acme/shop` alike become `acme/shop.git`; null for what could leave the root. */
export function repositoryPath(path: string): string | null {
  const segments = path.replace(/^\/+/, '').split('/');
  if (!segments.every((part) => segment.test(part) && !part.includes('..'))) return null;
  const plain = segments.join('/');
  return plain.endsWith('.git') ? plain : `${plain}.git`;
}

export function openRepositories(root: string): Repositories {
  const making = new Map<string, Promise<string>>();

  function directory(path: string): string {
    const plain = repositoryPath(path);
    if (plain === null) throw new Error(`not a path of a repository: ${JSON.stringify(path)}`);
    return join(root, plain);
  }

  async function exists(path: string): Promise<boolean> {
    return access(join(directory(path), 'HEAD')).then(
      () => true,
      () => false,
    );
  }

  async function make(path: string, defaultBranch: string): Promise<string> {
    const folder = directory(path);
    if (await exists(path)) return folder;
    await mkdir(dirname(folder), { recursive: true });
    await run('git', ['init', '--bare', '--quiet', `--initial-branch=${defaultBranch}`, '--template=', folder]);
    await mkdir(join(folder, 'hooks'), { recursive: true });
    return folder;
  }

  function create(path: string, defaultBranch = 'main'): Promise<string> {
    const folder = directory(path);
    // Two first requests at once must not both run `git init`.
    const made = making.get(folder) ?? make(path, defaultBranch).finally(() => making.delete(folder));
    making.set(folder, made);
    return made;
  }

  async function setHook(path: string, name: HookName, script: string | null): Promise<void> {
    const file = join(await create(path), 'hooks', name);
    if (script === null) return rm(file, { force: true });
    await writeFile(file, script);
    await chmod(file, 0o755);
  }

  return { create, exists, directory, setHook };
}
