import { pino } from 'pino';
import type { DecideDeps } from '../../../src/manager/decide/needs.js';
import { runDecide } from '../../../src/manager/decide/run.js';
import type { GateReading, MergeRequestFacts, MergeRequestReading } from '../../../src/preview/facts.js';
import type { Policy } from '../../../src/preview/policy.js';
import { createDecideStore } from '../../../src/store/decide-store.js';
import type { TestDatabase } from '../../support/database.js';

export const shopId = 7;

export function policy(overrides: Partial<Policy> = {}): Policy {
  return {
    project: 'shop',
    nameTemplate: '{{project}}-{{iid}}',
    urlTemplate: 'https://{{slug}}.preview.example.com',
    cluster: 'default',
    namespacePrefix: 'preview-',
    follow: {
      labelsAny: [],
      labelsAll: [],
      labelsNone: ['no-preview'],
      targetBranches: ['*'],
      sourceBranches: ['*'],
      authorsAny: [],
      authorsNone: [],
      drafts: true,
      forks: 'never',
      optInLabel: null,
    },
    settable: {},
    gatePipeline: 'none',
    gateImages: [],
    gateApproval: 'none',
    ttlMs: 72 * 3_600_000,
    maxMs: 14 * 86_400_000,
    warnMs: 0,
    keepAfterMergeMs: 0,
    deployTimeoutMs: 600_000,
    sleep: { afterMs: null, awake: null },
    maxPreviews: 20,
    ...overrides,
  };
}

export function facts(iid: number, overrides: Partial<MergeRequestFacts> = {}): MergeRequestFacts {
  const now = Date.now();
  return {
    projectId: shopId,
    iid,
    state: 'opened',
    sha: iid.toString(16).padStart(40, 'a'),
    sourceBranch: `feature-${iid}`,
    targetBranch: 'main',
    title: `Change ${iid}`,
    authorId: 1,
    authorUsername: 'ada',
    draft: false,
    labels: [],
    webUrl: `https://gitlab.example.com/acme/shop/-/merge_requests/${iid}`,
    sourceProjectId: shopId,
    createdAt: now,
    updatedAt: now,
    endedAt: null,
    lastPushAt: now,
    lastReopenedAt: null,
    ...overrides,
  };
}

/** The decide room on a real database, with a GitLab whose answers a test sets. */
export interface World {
  deps: DecideDeps;
  policies: Map<number, Policy>;
  limits: { total: number; projects: Map<string, number> };
  /** GitLab's merge requests by iid; `null`: it cannot say. */
  mergeRequests: Map<number, MergeRequestFacts | null>;
  gates: Map<string, GateReading>;
  /** What `null` above means: there is no such merge request. */
  absent: boolean;
  /** Calls of GitLab, such as `merge request 42`. */
  calls: string[];
  /** How often the branch writer was told that rows wait. */
  woken: string[];
  /** What the read-back of the branch does, and whether the branch could be taken in. */
  readBranch: () => Promise<boolean>;
  decide: (iid: number) => ReturnType<typeof runDecide>;
  /** Marks it as asked, as a webhook does, and decides. */
  hint: (iid: number) => ReturnType<typeof runDecide>;
  row: (iid: number) => Promise<Record<string, unknown> | undefined>;
  jobs: () => Promise<string[]>;
  /** Runs SQL with the column values as they are. */
  sql: (text: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;
}

export function createWorld(database: TestDatabase): World {
  const world: Omit<World, 'deps' | 'decide' | 'hint' | 'row' | 'jobs' | 'sql'> = {
    policies: new Map([[shopId, policy()]]),
    limits: { total: 200, projects: new Map([['shop', 20]]) },
    mergeRequests: new Map(),
    gates: new Map(),
    absent: false,
    calls: [],
    woken: [],
    readBranch: () => Promise.resolve(true),
  };
  const deps: DecideDeps = {
    store: createDecideStore(database.pool),
    settings: {
      branch: 'dynamic-envs',
      policyFor: (projectId) => world.policies.get(projectId) ?? null,
      slotLimits: () => world.limits,
    },
    gitlab: {
      async readMergeRequest(_projectId, iid): Promise<MergeRequestReading> {
        world.calls.push(`merge request ${iid}`);
        const known = world.mergeRequests.get(iid) ?? null;
        return known === null
          ? { known: false, why: '404', readStartedAt: Date.now(), absent: world.absent }
          : { known: true, facts: known, readStartedAt: Date.now() };
      },
      async readGate({ sha }) {
        world.calls.push(`gate ${sha.slice(0, 8)}`);
        return world.gates.get(sha) ?? { state: 'waiting', detail: '1 of 1 jobs have not finished.' };
      },
    },
    readBranch: () => world.readBranch(),
    wakeWriter: () => world.woken.push('commit'),
    log: pino({ level: 'silent' }),
  };
  const decide = (iid: number) => runDecide(deps, { subject: `mr:${shopId}:${iid}` }, new AbortController().signal);
  const sql = async (text: string, values: unknown[] = []) => (await database.pool.query(text, values)).rows;
  return Object.assign(world, {
    deps,
    decide,
    sql,
    async hint(iid: number) {
      await sql(
        `insert into merge_request (project_id, iid, asked_at) values ($1, $2, clock_timestamp())
         on conflict (project_id, iid) do update set asked_at = excluded.asked_at`,
        [shopId, iid],
      );
      return decide(iid);
    },
    async row(iid: number) {
      const rows = await sql('select * from preview where subject = $1 order by created_at desc, incarnation desc', [
        `mr:${shopId}:${iid}`,
      ]);
      return rows[0];
    },
    async jobs() {
      const rows = await sql('select key from graphile_worker.jobs where key is not null order by key');
      return rows.map((row) => String(row.key));
    },
  });
}
