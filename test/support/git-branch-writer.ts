import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { type Branch, openBranch } from '../../src/git/branch.js';
import { openMirror } from '../../src/git/mirror.js';
import { type BranchWriter, createBranchWriter } from '../../src/manager/commit/branch-writer.js';
import type { FollowUp } from '../../src/manager/commit/follow-up.js';
import type { RenderProject } from '../../src/manager/render/context.js';
import { createRenderer, type Renderer } from '../../src/manager/render/renderer.js';
import { branchStores } from '../../src/manager/serve-branch-stores.js';
import type { MergeRequestFacts } from '../../src/preview/facts.js';
import type { Preview } from '../../src/preview/preview.js';
import { type GitServer, startGitServer } from '../../src/sandbox/git-server.js';
import { rowFromPreview, rowsFromMembers } from '../../src/store/preview-rows.js';
import type { JobSpec } from '../../src/store/queue.js';
import { enqueueStale } from '../../src/store/template-sweep.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { createPerson, git, type Person, temporaryFolder } from './git-client.js';
import { mergeRequestFacts } from './preview-rows.js';

const builtIn = readFileSync(new URL('../../templates/application.yml.hbs', import.meta.url), 'utf8');

const shopProject: RenderProject = {
  name: 'shop',
  path: 'acme/shop',
  cloneUrl: 'https://gitlab.example.com/acme/shop.git',
  template: 'application',
  url: 'https://{{slug}}.preview.example.com',
  source: { path: 'deploy/preview', recurse: true, chart: null, fixed: null },
  values: {},
};

interface PreviewColumns {
  slug: string;
  incarnation: number;
  phase: string;
  cause: string | null;
  message: string | null;
  wanted_revision: string | null;
  url: string | null;
  rendered_with: string | null;
  template_problem: string | null;
  version: number;
  edited: string | null;
  needs_commit: boolean;
  committed_blob: string | null;
  committed_generation: number | null;
  edited_blob: string | null;
}

/** A database, a Git server with one repository, and the means to write and edit the branch `dynamic-envs`. */
export interface BranchWorld {
  database: TestDatabase;
  server: GitServer;
  /** Folder of the bare repository at the server. */
  directory: string;
  project: RenderProject;
  /** A writer with a fresh local copy, as after a restart; `url`: of a proxy before the server. */
  writer(options?: { url?: string; gitTimeoutMs?: number }): Promise<BranchWriter>;
  person(): Promise<Person>;
  /** Runs the template sweep once, as the last writer's manager would; answers how many it let through. */
  sweep(most: number): Promise<number>;
  /** Puts a row that waits for the branch, and what GitLab said of its merge request. */
  add(preview: Preview, facts?: Partial<MergeRequestFacts>): Promise<void>;
  /** Changes columns of a row, as decide would; its version rises. */
  change(slug: string, changes: Record<string, unknown>): Promise<void>;
  row(slug: string, incarnation?: number): Promise<PreviewColumns>;
  query<T extends object>(sql: string, values?: unknown[]): Promise<T[]>;
  /** git in the server's repository. */
  git(...words: string[]): Promise<string>;
  /** Names of the files in `apps/`, without `.gitkeep`. */
  files(): Promise<string[]>;
  /** A file of the branch as text. */
  file(path: string): Promise<string>;
  followUps: FollowUp[];
  close(): Promise<void>;
}

export async function createBranchWorld(): Promise<BranchWorld> {
  const database = await createTestDatabase();
  const folder = await temporaryFolder('branch');
  const server = await startGitServer({ root: `${folder.path}/server` });
  const directory = await server.create('platform/envs');
  const { pool } = database;
  const project = structuredClone(shopProject);
  const followUps: FollowUp[] = [];
  const closers: Array<() => Promise<unknown>> = [];
  let writers = 0;
  let latest: { branch: Branch; renderer: Renderer } | null = null;

  function jobs(all: readonly FollowUp[]): JobSpec[] {
    followUps.push(...all);
    return all.map(({ kind, subject }) => ({ task: kind, key: `${kind}:${subject}`, payload: { subject } }));
  }

  async function writer(options: { url?: string; gitTimeoutMs?: number } = {}): Promise<BranchWriter> {
    writers += 1;
    const log = pino({ level: process.env.TEST_LOG ?? 'silent' });
    const mirror = await openMirror({
      directory: `${folder.path}/mirror-${writers}`,
      url: options.url ?? server.repositoryUrl('platform/envs'),
      auth: null,
      log,
      ...(options.gitTimeoutMs === undefined ? {} : { quickTimeoutMs: options.gitTimeoutMs }),
    });
    closers.push(mirror.close);
    const author = { name: 'Mayfly', email: 'mayfly@example.com' };
    const names = { name: 'dynamic-envs', applications: 'apps', templates: 'templates' };
    const branch = openBranch({ mirror, author, ...names });
    const renderer = createRenderer(
      { readText: branch.readText, project: (name) => (name === project.name ? project : null) },
      builtIn,
    );
    latest = { branch, renderer };
    return createBranchWriter({
      branch,
      ...branchStores(pool, jobs),
      ...renderer,
      projectPath: () => project.path,
      applications: 'apps',
      log,
    });
  }

  const query = async <T extends object>(sql: string, values: unknown[] = []) =>
    (await pool.query<T>(sql, values)).rows;

  return {
    database,
    server,
    directory,
    project,
    writer,
    person: async () => {
      const person = await createPerson(server.repositoryUrl('platform/envs'));
      closers.push(person.remove);
      return person;
    },
    async sweep(most) {
      if (latest === null) throw new Error('there was no writer yet');
      const { templates } = await latest.branch.look({ maxAgeMs: 0 });
      const fingerprint = latest.renderer.fingerprint(project.name, templates) ?? '';
      const job = { task: 'commit', key: 'commit', payload: {} };
      return enqueueStale(pool, { wanted: [{ project: project.name, fingerprint }], most, job });
    },
    add: async (preview, facts = {}) => {
      const stored = JSON.stringify({ ...rowFromPreview(preview), needs_commit: true });
      await query('insert into preview select * from jsonb_populate_record(null::preview, $1)', [stored]);
      const members = JSON.stringify(rowsFromMembers(preview));
      await query(
        `insert into preview_member (slug, incarnation, ordinal, project_id, iid, wanted_sha, deployed_sha, next)
         select $1, $2, ordinal, project_id, iid, wanted_sha, deployed_sha, next from jsonb_populate_recordset(null::preview_member, $3)`,
        [preview.slug, preview.incarnation, members],
      );
      const iid = preview.members[0]?.iid ?? 0;
      await query(
        'insert into merge_request (project_id, iid, facts) values (7, $1, $2) on conflict (project_id, iid) do update set facts = excluded.facts',
        [iid, JSON.stringify(mergeRequestFacts(iid, facts))],
      );
    },
    change: async (slug, changes) => {
      const names = Object.keys(changes);
      const sets = names.map((name, index) => `${name} = $${index + 2}`);
      await query(
        `update preview set ${[...sets, 'version = version + 1'].join(', ')} where slug = $1 and phase <> 'stopped'`,
        [slug, ...names.map((name) => changes[name])],
      );
    },
    row: async (slug, incarnation = 1) => {
      const [row] = await query<PreviewColumns>('select * from preview where slug = $1 and incarnation = $2', [
        slug,
        incarnation,
      ]);
      if (row === undefined) throw new Error(`no row of ${slug}#${incarnation}`);
      return row;
    },
    query,
    git: (...words) => git(directory, ...words),
    files: async () => {
      const listed = await git(directory, 'ls-tree', '--name-only', 'dynamic-envs:apps');
      return listed.split('\n').filter((name) => name !== '' && name !== '.gitkeep');
    },
    file: (path) => git(directory, 'show', `dynamic-envs:${path}`),
    followUps,
    close: async () => {
      await Promise.all(closers.map((close) => close()));
      await server.close();
      await database.drop();
      await folder.remove();
    },
  };
}
