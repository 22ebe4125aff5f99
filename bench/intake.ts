import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { Agent, request } from 'undici';
import { createBenchWorld, createLoadProject, loadProject } from './support/bench-world.js';
import { report, summarize, until } from './support/report.js';

// Webhook intake: 500 deliveries a second for 30 s, then as fast as it takes them. Every delivery has a key of its own
// and speaks of one of 500 merge requests; afterwards each must be stored once and each merge request decided.
const perSecond = 500;
const seconds = Number(process.argv[2] ?? 30);
const mergeRequests = 500;
const floodSize = 10_000;
const connections = 32;

const world = await createBenchWorld({ manager: loadProject });
const agent = new Agent({ connections, pipelining: 1 });
try {
  await createLoadProject(world);
  const project = world.gitlab.project('acme/load');
  const hook = [...project.hooks.values()][0];
  const token = hook?.token ?? '';
  for (let i = 0; i < mergeRequests; i += 1) {
    await world.gitlab.createMergeRequest(project, { sourceBranch: `branch-${i}`, title: `Change ${i}` });
  }
  await world.startManager();
  const database = new pg.Client({ connectionString: world.databaseUrl });
  await database.connect();
  const count = async (sql: string): Promise<number> => Number((await database.query(sql)).rows[0]?.count);
  await until(
    'the catch-up',
    async () => ((await count('select count(*) from preview')) >= mergeRequests ? true : undefined),
    { everyMs: 100, timeoutMs: 120_000 },
  );
  const before = await count('select count(*) from delivery');

  const bodies = [...project.mergeRequests.values()].map((mergeRequest) => ({
    object_kind: 'merge_request',
    event_type: 'merge_request',
    project: { id: project.id, path_with_namespace: project.path },
    object_attributes: { iid: mergeRequest.iid, target_project_id: project.id, action: 'update', state: 'opened' },
  }));
  let failed = 0;
  async function deliver(index: number): Promise<number> {
    const body = bodies[index % bodies.length];
    const updated_at = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const payload = JSON.stringify({ ...body, object_attributes: { ...body?.object_attributes, updated_at } });
    const startedAt = performance.now();
    const answer = await request(`${world.managerUrl}/webhooks/gitlab`, {
      method: 'POST',
      dispatcher: agent,
      headers: {
        'content-type': 'application/json',
        'x-gitlab-event': 'Merge Request Hook',
        'x-gitlab-token': token,
        'idempotency-key': randomUUID(),
      },
      body: payload,
    });
    await answer.body.dump();
    if (answer.statusCode !== 202) failed += 1;
    return performance.now() - startedAt;
  }

  const steady = await steadily(deliver);
  const flood = await flooding(deliver);
  const sent = steady.length + flood.latencies.length;
  await until(
    'all jobs to be done',
    async () =>
      (await count(
        "select count(*) from graphile_worker.jobs where task_identifier = 'decide' and run_at <= now()",
      )) === 0
        ? true
        : undefined,
    { everyMs: 100, timeoutMs: 120_000 },
  );
  const stored = (await count('select count(*) from delivery')) - before;
  const undecided = await count('select count(*) from merge_request where asked_at > read_started_at');
  report('intake', {
    steady: { perSecond, seconds, ...summarize(steady) },
    flood: { perSecond: Math.round(flood.perSecond), ...summarize(flood.latencies) },
    sent,
    stored,
    undecided,
    lost: sent - stored + failed + undecided,
  });
  await database.end();
} finally {
  await agent.close();
  await world.close();
}

/** An open loop: the next delivery is sent when its time has come, whether or not those before it were answered. */
async function steadily(deliver: (index: number) => Promise<number>): Promise<number[]> {
  const total = perSecond * seconds;
  const running: Promise<number>[] = [];
  const startedAt = performance.now();
  while (running.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1_000) * perSecond));
    while (running.length < due) running.push(deliver(running.length));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return Promise.all(running);
}

async function flooding(deliver: (index: number) => Promise<number>) {
  const latencies: number[] = [];
  const startedAt = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (next < floodSize) {
        next += 1;
        latencies.push(await deliver(next));
      }
    }),
  );
  return { latencies, perSecond: floodSize / ((performance.now() - startedAt) / 1_000) };
}
