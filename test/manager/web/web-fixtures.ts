import express, { type Router } from 'express';
import { onTestFinished } from 'vitest';
import { listen } from '../../../src/manager/web/listen.js';
import type { AgentDesk, BreakerDesk, PreviewReader, RenderDesk } from '../../../src/manager/web/needs.js';
import type { Queryable } from '../../../src/store/pool.js';
import { acceptDeletions, acceptHeads, loadBreaker } from '../../../src/store/web-breaker.js';
import { findPreview, listEvents, listPreviews } from '../../../src/store/web-previews.js';

/** The room's functions on a real database, as the manager hands them over. */
export function webDeps(q: Queryable): {
  previews: PreviewReader;
  breaker: BreakerDesk;
  rendering: RenderDesk;
  agents: AgentDesk;
} {
  return {
    rendering: noRendering,
    agents: noAgents,
    previews: {
      list: (query) => listPreviews(q, query),
      find: (slug) => findPreview(q, slug),
      events: (query) => listEvents(q, query),
    },
    breaker: {
      load: () => loadBreaker(q),
      accept: (input) => acceptDeletions(q, input),
      acceptHeads: (input) => acceptHeads(q, input),
    },
  };
}

const nothingRendered = () => Promise.reject(new Error('nothing is rendered here'));

/** For tests that render nothing. */
const noRendering: RenderDesk = { render: nothingRendered, rehearse: nothingRendered, sweep: nothingRendered };

const nothingOrdered = () => Promise.reject(new Error('no agent is given orders here'));

/** For tests that order nothing of agents. */
const noAgents: AgentDesk = {
  pause: nothingOrdered,
  orphans: nothingOrdered,
  removeOrphans: nothingOrdered,
  unblock: nothingOrdered,
  forget: nothingOrdered,
};

/** Serves a router on a free port for the length of a test; answers its address. */
export async function serve(path: string, router: Router): Promise<string> {
  const app = express();
  app.use(path, router);
  const listening = await listen(app, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => listening.stop(0));
  return `http://127.0.0.1:${listening.port}${path === '/' ? '' : path}`;
}

export interface SeededPreview {
  slug: string;
  incarnation?: number;
  project?: string;
  phase?: string;
  iid?: number;
  title?: string;
  url?: string | null;
  message?: string | null;
  held?: { reason: string; since: number } | null;
  webUrl?: string;
}

/** One row with its member and merge request. */
export async function seedPreview(q: Queryable, preview: SeededPreview): Promise<void> {
  const iid = preview.iid ?? Number(/\d+$/.exec(preview.slug)?.[0] ?? 1);
  const incarnation = preview.incarnation ?? 1;
  const stopped = preview.phase === 'stopped';
  await q.query(
    `insert into preview (slug, incarnation, subject, project, cluster, namespace, url, phase, message, held_stop,
       last_activity_at, expires_at, created_at, stopped_at, stop_reason)
     values ($1, $2, $3, $4, 'default', 'preview-' || $1, $5, $6, $7, $8, '2026-01-01Z', '2026-01-04T00:00:00.5Z',
       '2026-01-01Z', case when $9 then timestamptz '2026-01-02Z' end, case when $9 then 'closed' end)`,
    [
      preview.slug,
      incarnation,
      `mr:7:${iid}`,
      preview.project ?? 'shop',
      preview.url ?? null,
      preview.phase ?? 'ready',
      preview.message ?? null,
      preview.held ?? null,
      stopped,
    ],
  );
  await q.query(
    `insert into preview_member (slug, incarnation, ordinal, project_id, iid, wanted_sha) values ($1, $2, 0, 7, $3, 'abc')`,
    [preview.slug, incarnation, iid],
  );
  const facts = {
    title: preview.title ?? 'Fix the cart',
    webUrl: preview.webUrl ?? `https://gitlab.example.com/acme/shop/-/merge_requests/${iid}`,
    sourceBranch: `branch-${iid}`,
    authorUsername: 'ada',
  };
  await q.query(
    'insert into merge_request (project_id, iid, facts) values (7, $1, $2) on conflict (project_id, iid) do nothing',
    [iid, facts],
  );
}

const hostile = {
  cause: 'health',
  object: 'Pod/web<img>',
  sentence: 'The container web crashes: <script>alert(1)</script>\u202e',
  evidence: ['Pulled: image registry.example.com/acme/cart:1a2b3c4d', 'Back-off <b>restarting</b> failed container'],
  logs: [
    'listening on :8080',
    'panic: </pre><script>alert(2)</script>',
    `${'at-a-line-without-blanks/'.repeat(12)}end`,
  ],
};

/** One that failed, while its next commit waits, with what the cluster says and a history; all by hostile people. */
export async function seedDetail(
  q: Queryable,
  input: { slug: string; observed?: string; webUrl?: string },
): Promise<void> {
  const { slug, observed = 'r1' } = input;
  await seedPreview(q, {
    ...input,
    phase: 'failed',
    title: 'A <b>cart</b> that remembers\u202e',
    url: `https://${slug}.preview.example.com`,
  });
  await q.query(
    `update preview set cause = 'health', wanted_revision = 'r1', ready_at = '2026-01-01T10:00:00Z' where slug = $1`,
    [slug],
  );
  const next = {
    sha: 'b'.repeat(40),
    waitingFor: 'pipeline',
    since: Date.UTC(2026, 0, 2, 9, 30),
    detail: 'The job <b>x</b> failed.',
    link: 'https://gitlab.example.com/acme/cart/-/jobs/9',
    stuck: true,
  };
  await q.query('update preview_member set deployed_sha = $2, wanted_sha = $2, next = $3 where slug = $1', [
    slug,
    'a'.repeat(40),
    next,
  ]);
  await q.query(
    `insert into observation (slug, incarnation, cluster, revision, branch_commit, start_number, counter, state, objects, diagnosis)
     values ($1, 1, 'default', $2, 'c', 1, 1, 'degraded', '[]', $3)`,
    [slug, observed, JSON.stringify(hostile)],
  );
  await q.query(
    `insert into preview_event (slug, incarnation, at, kind, from_phase, to_phase, actor, detail) values
       ($1, 1, '2026-01-01T09:58:00Z', 'created', null, 'waiting', null, null),
       ($1, 1, '2026-01-01T09:59:00Z', 'deploying', 'waiting', 'deploying', null, $2),
       ($1, 1, '2026-01-01T10:00:00Z', 'ready', 'deploying', 'ready', null, $2),
       ($1, 1, '2026-01-01T11:00:00Z', 'ordered', null, null, '<b>eve</b>', 'extend 2d'),
       ($1, 1, '2026-01-02T09:31:00Z', 'failed', 'deploying', 'failed', null, 'health: The container web crashes')`,
    [slug, 'a'.repeat(40)],
  );
}

/** Keys of the jobs that wait, sorted. */
export async function jobKeys(q: Queryable): Promise<string[]> {
  const answer = await q.query<{ key: string }>('select key from graphile_worker.jobs order by key');
  return answer.rows.map((row) => row.key);
}
