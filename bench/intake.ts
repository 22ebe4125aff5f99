import pg from 'pg';
import {
  createBenchWorld,
  createLoadProject,
  environmentsGitDir,
  loadPath,
  loadProject,
} from './support/bench-world.js';
import { watchBranch } from './support/branch-watch.js';
import { keyPrefix, sendDeliveries } from './support/deliveries.js';
import { report, summarize, until } from './support/report.js';

// Webhook intake: 500 deliveries a second for 30 s, then as fast as it takes them, then some of them once more. Each
// has a key of its own and speaks of one of 500 merge requests; afterwards each is stored once, each merge request was
// read after the last delivery that spoke of it, and each preview has one commit. Argument: seconds.
const load = { warmUp: 500, perSecond: 500, floodSize: 10_000, connections: 32, repeated: 200 };
const seconds = Number(process.argv[2] ?? 30);
const mergeRequests = 500;

const world = await createBenchWorld({ manager: loadProject });
try {
  await createLoadProject(world);
  const project = world.gitlab.project(loadPath);
  for (let i = 0; i < mergeRequests; i += 1) {
    await world.gitlab.createMergeRequest(project, { sourceBranch: `branch-${i}`, title: `Change ${i}` });
  }
  await world.startManager();
  const database = new pg.Client({ connectionString: world.databaseUrl });
  await database.connect();
  const count = async (sql: string): Promise<number> => Number((await database.query(sql)).rows[0]?.count);
  const idle = (what: string) =>
    until(
      what,
      async () =>
        (await count('select count(*) from graphile_worker.jobs where run_at <= now()')) === 0 ? true : undefined,
      { everyMs: 200, timeoutMs: 180_000 },
    );
  const committed = 'select count(*) from preview where committed_blob is not null';
  await until('the catch-up', async () => ((await count(committed)) === mergeRequests ? true : undefined), {
    everyMs: 200,
    timeoutMs: 180_000,
  });
  await idle('the jobs of the catch-up');

  const bodies = [...project.mergeRequests.values()].map(({ iid }) => ({
    object_kind: 'merge_request',
    event_type: 'merge_request',
    project: { id: project.id, path_with_namespace: project.path },
    object_attributes: { iid, target_project_id: project.id, action: 'update', state: 'opened' },
  }));
  const token = [...project.hooks.values()][0]?.token ?? '';
  const figures = await sendDeliveries({ ...load, url: world.managerUrl, token, bodies, seconds });
  const sent = load.warmUp + load.perSecond * seconds + load.floodSize;
  await idle('what follows from the deliveries');
  const stored = await count(`select count(*) from delivery where key like '${keyPrefix}%'`);
  const undecided = await count(
    'select count(*) from merge_request where asked_at is not null or read_started_at is null',
  );
  const twice = (await count('select count(*) from preview')) - mergeRequests;
  const branch = watchBranch(environmentsGitDir(world), 'dynamic-envs');
  const { commits } = await branch.content();
  branch.close();
  report('intake', {
    steady: { aimP99Ms: 10, perSecond: load.perSecond, seconds, ...summarize(figures.steadyMs) },
    flood: { perSecond: figures.floodPerSecond, ...summarize(figures.floodMs) },
    sent,
    stored,
    undecided,
    twice,
    // One is that of the branch's own file.
    extraCommits: commits - mergeRequests - 1,
    lost: Math.abs(sent - stored) + figures.failed + undecided + twice,
  });
  await database.end();
} finally {
  await world.close();
}
