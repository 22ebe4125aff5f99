import { incarnationOf } from '../../src/application/file.js';
import { revisionOf } from '../../src/application/revision.js';
import { parseApplication } from '../../src/application/validate.js';
import type { BranchFile } from '../preview/model/world.js';

/** One version of a file that was in the branch at some time. */
interface Committed {
  slug: string;
  incarnation: number;
  sha: string;
  byMayfly: boolean;
}

export interface BranchWatch {
  /** The files of the branch's head, by slug. */
  files: Map<string, BranchFile>;
  head: string;
  /** Looks at the branch again; answers every version of a file that was committed since. */
  look(): Promise<Committed[]>;
}

/** Looks at a branch of Git as an agent does; `git` runs in the server's repository. */
export async function watchBranch(git: (...words: string[]) => Promise<string>, branch: string): Promise<BranchWatch> {
  const known = new Map<string, BranchFile>();

  async function read(blob: string): Promise<BranchFile> {
    const found = known.get(blob);
    if (found !== undefined) return found;
    const text = `${await git('cat-file', 'blob', blob)}\n`;
    const application = parseApplication(text);
    const file = { application, text, incarnation: incarnationOf(application) ?? 0, revision: revisionOf(application) };
    known.set(blob, file);
    return file;
  }

  async function filesAt(head: string): Promise<Map<string, BranchFile>> {
    const files = new Map<string, BranchFile>();
    for (const line of (await git('ls-tree', `${head}:apps`)).split('\n')) {
      const [, blob = '', name = ''] = /^\d+ blob ([0-9a-f]+)\t(.+)\.yml$/.exec(line) ?? [];
      if (name !== '') files.set(name, await read(blob));
    }
    return files;
  }

  async function committedIn(range: string): Promise<Committed[]> {
    const log = await git(
      'log',
      '--reverse',
      '--raw',
      '--no-abbrev',
      '--no-renames',
      '--format=by %an',
      range,
      '--',
      'apps',
    );
    const committed: Committed[] = [];
    let byMayfly = false;
    for (const line of log.split('\n')) {
      const [, by] = /^by (.+)$/.exec(line) ?? [];
      if (by !== undefined) byMayfly = by === 'Mayfly';
      const [, blob = '', slug = ''] = /^:\d+ \d+ [0-9a-f]+ ([0-9a-f]+) [AM]\tapps\/(.+)\.yml$/.exec(line) ?? [];
      if (slug === '') continue;
      const { incarnation, application } = await read(blob);
      committed.push({ slug, incarnation, sha: application.spec.source.targetRevision, byMayfly });
    }
    return committed;
  }

  const watch: BranchWatch = {
    files: new Map(),
    head: '',
    async look() {
      const head = await git('rev-parse', branch);
      if (head === watch.head) return [];
      const committed = await committedIn(watch.head === '' ? head : `${watch.head}..${head}`);
      watch.head = head;
      watch.files = await filesAt(head);
      return committed;
    },
  };
  await watch.look();
  return watch;
}
