import { expect } from 'vitest';
import type { KubeObject } from '../../../src/kube/kube-object.js';
import { followJob, readbackJob, sweepJob } from '../../../src/manager/serve-tasks.js';
import type { MergeRequest } from '../../../src/sandbox/gitlab/model.js';
import { enqueueAll } from '../../../src/store/due.js';
import { enqueue } from '../../../src/store/queue.js';
import { until } from '../../support/until.js';
import { branchName, type GuardWorld } from './guard-world.js';

interface LivingPreview {
  slug: string;
  mergeRequest: MergeRequest;
}

/** Previews that live at the beginning of each way, and what is asked about them. */
export interface Herd {
  previews: readonly LivingPreview[];
  /**
   * Makes the manager look at everything now, and waits until it and the agent (unless it is not to be waited for)
   * have drawn their conclusions.
   */
  provoke(options?: { agent: boolean }): Promise<void>;
  /** Waits until no job is due and none runs. */
  idle(): Promise<void>;
  /** Waits until the agent has told the manager twice how things are. */
  agentSpoke(): Promise<void>;
  /** Remembers which namespaces live now: what `lost` compares with. */
  remember(): Promise<void>;
  /** Slugs whose namespace, or what runs in it, is not the one that was remembered. */
  lost(): Promise<string[]>;
  expectNoneLost(): Promise<void>;
  /** Waits until exactly these are gone from the cluster. */
  waitForLost(slugs: string[] | number): Promise<string[]>;
  /** After the cause was mended: everything lives, nothing is held, and a push is deployed again. */
  expectWell(): Promise<void>;
  /** Begins another hour: the deletions of the last one count no more. */
  nextHour(): Promise<void>;
  /** Their merge requests ended: nobody asks for them any more. */
  forget(slugs: readonly string[]): void;
  /** Pushes a commit to a merge request. */
  push(preview: LivingPreview, files?: Record<string, string>): Promise<string>;
}

export async function raiseHerd(world: GuardWorld, count: number): Promise<Herd> {
  const { gitlab, shop, cluster, agentOptions } = world;
  const previews: LivingPreview[] = [];
  let commits = 0;
  for (let each = 1; each <= count; each += 1) {
    const title = `Change ${each}`;
    const files = { [`change-${each}.md`]: 'first\n' };
    const mergeRequest = await gitlab.createMergeRequest(shop, { title, sourceBranch: `change-${each}`, files });
    previews.push({ slug: `shop-${mergeRequest.iid}`, mergeRequest });
  }
  const namespaceOf = (slug: string) => agentOptions.namespacePrefix + slug;
  let remembered = new Map<string, string>();

  /** Both the namespace and what runs in it, by UID. */
  async function identities(): Promise<Map<string, string>> {
    const [namespaces, maps] = await Promise.all([
      cluster.client.list({ apiVersion: 'v1', kind: 'Namespace', namespace: null }),
      cluster.client.list({ apiVersion: 'v1', kind: 'ConfigMap', namespace: null }),
    ]);
    const living = ({ metadata }: KubeObject) => metadata.deletionTimestamp === undefined;
    const found = new Map<string, string>();
    for (const { slug } of previews) {
      const namespace = namespaces.items.find((each) => each.metadata.name === namespaceOf(slug) && living(each));
      const site = maps.items.find(
        (each) => each.metadata.namespace === namespaceOf(slug) && each.metadata.name === 'site' && living(each),
      );
      if (namespace !== undefined && site !== undefined)
        found.set(slug, `${namespace.metadata.uid} ${site.metadata.uid}`);
    }
    return found;
  }

  const herd: Herd = {
    previews,
    async idle() {
      await until('the queue is empty', () => isIdle(world), { explain: world.log.tail });
    },
    async provoke({ agent } = { agent: true }) {
      await world.pool.query('update follow_cursor set listed_at = null');
      await world.pool.query('update preview set checked_at = null');
      await world.pool.query('update merge_request set asked_at = now()');
      await enqueue(world.pool, [followJob(world.shop.id), readbackJob(branchName), sweepJob]);
      await enqueueAll(world.pool);
      await herd.idle();
      if (!agent) return;
      await herd.agentSpoke();
      await herd.idle();
    },
    async agentSpoke() {
      for (let times = 0; times < 2; times += 1) {
        const before = await lastSeen(world);
        await until('the agent polls', async () => (await lastSeen(world)) !== before, { explain: world.log.tail });
      }
    },
    async remember() {
      remembered = await identities();
      expect(remembered.size).toBe(previews.length);
    },
    async lost() {
      const now = await identities();
      return previews.map(({ slug }) => slug).filter((slug) => now.get(slug) !== remembered.get(slug));
    },
    async expectNoneLost() {
      expect(await herd.lost()).toEqual([]);
    },
    async waitForLost(slugs) {
      const isRight = (lost: string[]) =>
        typeof slugs === 'number' ? lost.length === slugs : String(lost) === String(slugs);
      return until(
        `lost: ${slugs}`,
        async () => {
          const lost = await herd.lost();
          return isRight(lost) ? lost : undefined;
        },
        { deadlineMs: 20_000, explain: world.log.tail },
      );
    },
    async expectWell() {
      await until('everything lives and nothing is held', () => isWell(world, previews), {
        deadlineMs: 40_000,
        explain: world.log.tail,
      });
      await herd.idle();
      await herd.remember();
      const [first] = previews;
      if (first === undefined) return;
      const sha = await herd.push(first);
      await until('a push is deployed', async () => (await rowOf(world, first.slug)).deployed_sha === sha, {
        deadlineMs: 20_000,
        explain: world.log.tail,
      });
      await herd.expectNoneLost();
    },
    async nextHour() {
      await world.stopAgent();
      await world.pool.query(`update preview set stop_decided_at = stop_decided_at - interval '2 hours'`);
      const reference = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        namespace: agentOptions.agentNamespace,
        name: `mayfly-${agentOptions.name}-state`,
      };
      await cluster.client.mergePatch(reference, { data: { deletions: '[]' } });
      await world.startAgent();
    },
    forget(slugs) {
      for (const slug of slugs)
        previews.splice(
          previews.findIndex((each) => each.slug === slug),
          1,
        );
    },
    async push({ mergeRequest }, files) {
      commits += 1;
      const branch = mergeRequest.sourceBranch;
      const change = files ?? { [`${branch}.md`]: `commit ${commits}\n` };
      return (await gitlab.push(shop, { branch, files: change })).id;
    },
  };
  await until('all are ready', () => isWell(world, previews), { deadlineMs: 60_000, explain: world.log.tail });
  await herd.remember();
  return herd;
}

async function isIdle({ pool }: GuardWorld): Promise<boolean> {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*)::int as count from graphile_worker.jobs
     where locked_at is not null or (run_at <= clock_timestamp() and attempts < max_attempts)`,
  );
  return rows[0]?.count === 0;
}

async function lastSeen({ pool, agentOptions }: GuardWorld): Promise<string | undefined> {
  const { rows } = await pool.query<{ seen: string }>('select last_seen_at::text as seen from agent where name = $1', [
    agentOptions.name,
  ]);
  return rows[0]?.seen;
}

interface Row {
  phase: string;
  stop_reason: string | null;
  held: boolean;
  deployed_sha: string | null;
  incarnation: number;
}

async function rowOf({ pool }: GuardWorld, slug: string): Promise<Row> {
  const { rows } = await pool.query<Row>(
    `select p.phase, p.stop_reason, p.incarnation, p.held_stop is not null as held, m.deployed_sha
     from preview p join preview_member m using (slug, incarnation)
     where p.slug = $1 order by p.incarnation desc limit 1`,
    [slug],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`no row ${slug}`);
  return row;
}

async function isWell(world: GuardWorld, previews: readonly LivingPreview[]): Promise<boolean> {
  const { rows } = await world.pool.query<{ living: number; open: boolean }>(
    `select (select count(*)::int from preview where phase = 'ready' and held_stop is null and unknown_since is null
        and edited is null and not needs_commit) as living,
      exists (select from agent where name = $1 and (breaker ->> 'open')::boolean)
        or exists (select from installation where blocked_reason is not null) as open`,
    [world.agentOptions.name],
  );
  return rows[0]?.living === previews.length && rows[0]?.open === false;
}
