import { access, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAppError } from '../../src/error/app-error.js';
import type { KubeObject } from '../../src/kube/kube-object.js';
import type { MergeRequest, Note } from '../../src/sandbox/gitlab/model.js';
import { openTestCluster, type TestCluster } from '../support/cluster.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { git } from '../support/git-client.js';
import { until } from '../support/until.js';
import { createWorld, environmentsPath, type World, type WorldOptions } from '../support/world.js';

/** The newest incarnation of a preview, as the database has it. */
interface Row {
  incarnation: number;
  phase: string;
  waiting_for: string | null;
  cause: string | null;
  stop_reason: string | null;
  stopped_by: string | null;
  expires_at: Date;
  unknown_since: Date | null;
  wanted_sha: string | null;
  deployed_sha: string | null;
}

/** A world with a database and a cluster, and what tests look at in them. */
export interface Stage extends World {
  database: TestDatabase;
  cluster: TestCluster;
  row(slug: string): Promise<Row | undefined>;
  /** Waits until the newest incarnation fits. */
  untilRow(slug: string, what: string, fits: (row: Row) => boolean): Promise<Row>;
  untilPhase(slug: string, phase: string, incarnation?: number): Promise<Row>;
  /** undefined when it is not there. */
  namespace(slug: string): Promise<KubeObject | undefined>;
  deployment(slug: string, name?: string): Promise<KubeObject | undefined>;
  configMap(slug: string, name: string): Promise<KubeObject | undefined>;
  /** Comments of Mayfly's user. */
  notes(mergeRequest: MergeRequest): Note[];
  /** Waits until the one note contains all of these. */
  untilNote(mergeRequest: MergeRequest, ...words: string[]): Promise<string>;
  /** Waits for a condition; what the programs said last explains a failure. */
  wait<T>(what: string, probe: () => T | undefined | false | Promise<T | undefined | false>): Promise<T>;
  /** Text of a file of the branch; undefined when it is not there. */
  file(slug: string): Promise<string | undefined>;
  /** Messages of the commits that touched a preview's file, the oldest first. */
  history(slug: string): Promise<string[]>;
  /** Runs the clock's jobs that tests need not wait for. */
  tick(task: 'sweep' | 'readback'): Promise<void>;
  /** From now on a push is held when the branch has moved and the pusher has no answer yet. */
  holdPushes(): Promise<{ reached: () => Promise<boolean>; release: () => Promise<void> }>;
}

const shownLines = 30;

export async function openStage(options: Omit<WorldOptions, 'databaseUrl' | 'kubeconfig'> = {}): Promise<Stage> {
  const database = await createTestDatabase({ max: 3 });
  const cluster = await openTestCluster();
  const world = await createWorld({ ...options, databaseUrl: database.url, kubeconfig: cluster.kubeconfig });
  const repository = world.git.directory(environmentsPath);
  const explain = () =>
    world.programs
      .map((program) =>
        program
          .output()
          .split('\n')
          .filter((line) => !line.includes('"msg":"queue"'))
          .slice(-shownLines)
          .join('\n'),
      )
      .join('\n\n');

  function namespaceName(slug: string): string {
    return `${world.namespacePrefix}${slug}`;
  }

  async function find(apiVersion: string, kind: string, name: string, namespace?: string) {
    try {
      return await cluster.client.get({ apiVersion, kind, name, namespace });
    } catch (error) {
      if (isAppError(error, 'kube-not-found')) return undefined;
      throw error;
    }
  }

  const stage: Stage = {
    ...world,
    database,
    cluster,
    async row(slug) {
      const answer = await database.pool.query<Row>(rowSql, [slug]);
      return answer.rows[0];
    },
    untilRow: (slug, what, fits) => {
      let last: Row | undefined;
      return until(
        `${slug}: ${what}`,
        async () => {
          last = await stage.row(slug);
          return last !== undefined && fits(last) && last;
        },
        { explain: () => `${JSON.stringify(last)}\n${explain()}` },
      );
    },
    untilPhase: (slug, phase, incarnation = 1) =>
      stage.untilRow(slug, `${phase} #${incarnation}`, (row) => row.phase === phase && row.incarnation === incarnation),
    namespace: (slug) => find('v1', 'Namespace', namespaceName(slug)),
    deployment: (slug, name = 'shop') => find('apps/v1', 'Deployment', name, namespaceName(slug)),
    configMap: (slug, name) => find('v1', 'ConfigMap', name, namespaceName(slug)),
    notes: (mergeRequest) => [...mergeRequest.notes.values()].filter((note) => note.authorId === world.bot.id),
    untilNote: (mergeRequest, ...words) =>
      until(
        `the note to say ${words.join(', ')}`,
        () => {
          const [note] = stage.notes(mergeRequest);
          return note !== undefined && words.every((word) => note.body.includes(word)) && note.body;
        },
        { explain: () => `${stage.notes(mergeRequest)[0]?.body}\n${explain()}` },
      ),
    wait: (what, probe) => until(what, probe, { explain }),
    async file(slug) {
      // The manager makes the branch with its first commit.
      if ((await git(repository, 'for-each-ref', 'refs/heads/dynamic-envs')) === '') return undefined;
      const listed = await git(repository, 'ls-tree', '--name-only', 'dynamic-envs', `apps/${slug}.yml`);
      return listed === '' ? undefined : git(repository, 'show', `dynamic-envs:apps/${slug}.yml`);
    },
    async history(slug) {
      const log = await git(
        repository,
        'log',
        '--reverse',
        '--format=%B%x00',
        'dynamic-envs',
        '--',
        `apps/${slug}.yml`,
      );
      return log
        .split('\0')
        .map((message) => message.trim())
        .filter((message) => message !== '');
    },
    async tick(task) {
      const key = task === 'readback' ? 'readback:dynamic-envs' : task;
      await database.pool.query('select enqueue_jobs($1::json)', [JSON.stringify([{ task, key, payload: {} }])]);
    },
    async holdPushes() {
      const hook = join(repository, 'hooks', 'reference-transaction');
      const mark = join(world.directory, 'push-is-held');
      // `committed`: the branch points to the new commit, and the server has not answered yet.
      const script = `#!/bin/sh\n[ "$1" = committed ] || exit 0\n: > '${mark}'\nwhile [ -e '${mark}' ]; do sleep 0.02; done\n`;
      await writeFile(hook, script, { mode: 0o755 });
      return {
        reached: () => exists(mark),
        release: async () => {
          await rm(hook, { force: true });
          await rm(mark, { force: true });
        },
      };
    },
    async close() {
      await world.close();
      await removeNamespaces(cluster, world);
      await cluster.close();
      await database.drop();
    },
  };
  return stage;
}

const rowSql = `
select p.incarnation, p.phase, p.waiting_for, p.cause, p.stop_reason, p.stopped_by, p.expires_at, p.unknown_since, m.wanted_sha, m.deployed_sha
from preview p join preview_member m using (slug, incarnation)
where p.slug = $1 order by p.incarnation desc limit 1`;

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** A real cluster is shared with others: what this world made goes with it. */
async function removeNamespaces(cluster: TestCluster, world: World): Promise<void> {
  if (!cluster.isReal) return;
  const { items } = await cluster.client.list({ apiVersion: 'v1', kind: 'Namespace', namespace: null });
  for (const { metadata } of items) {
    const isOurs = metadata.name === world.agentNamespace || metadata.name.startsWith(world.namespacePrefix);
    if (!isOurs || metadata.deletionTimestamp !== undefined) continue;
    await cluster.client.remove({ apiVersion: 'v1', kind: 'Namespace', name: metadata.name });
  }
}
