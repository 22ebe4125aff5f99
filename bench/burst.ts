import {
  createBenchWorld,
  createLoadProject,
  environmentsGitDir,
  loadPath,
  loadProject,
} from './support/bench-world.js';
import { watchBranch } from './support/branch-watch.js';
import { openPipelineJobs } from './support/pipeline-jobs.js';
import { report, round, within } from './support/report.js';

// Many merge requests open at once → the file of each is in the branch at the Git server. Then the pipeline job of
// today. Argument: how many of those at once; default 20, for 100 of them take minutes.
const jobsAtOnce = Number(process.argv[2] ?? 20);
const aims = new Map([
  [100, 1_000],
  [1_000, 5_000],
]);
const totals = new Map<number, number>();

for (const count of new Set([jobsAtOnce, ...aims.keys()])) {
  const measured = await burst(count);
  totals.set(count, measured.totalMs);
  report('burst', { count, aimMs: aims.get(count) ?? null, ...measured });
}
const jobs = await openPipelineJobs(10);
try {
  const { totalMs } = await jobs.atOnce(jobsAtOnce);
  const mayflyMs = totals.get(jobsAtOnce) ?? Number.NaN;
  const ratio = round(totalMs / mayflyMs);
  const lost = await jobs.lost();
  report('burst-compared', { count: jobsAtOnce, mayflyMs, pipelineJobsMs: totalMs, pipelineJobsToMayfly: ratio, lost });
} finally {
  await jobs.close();
}

async function burst(count: number) {
  const world = await createBenchWorld({ manager: loadProject });
  try {
    await createLoadProject(world);
    await world.startManager();
    const branch = watchBranch(environmentsGitDir(world), 'dynamic-envs');
    const open = async (title: string): Promise<string> => {
      const { iid } = await world.gitlab.createMergeRequest(loadPath, { sourceBranch: title, title });
      return `apps/load-${iid}.yml`;
    };
    for (let i = 0; i < 5; i += 1) await within('a warm-up', 60_000, branch.seen(await open(`warm-up-${i}`)));
    const before = await branch.content();
    const startedAt = performance.now();
    const files = await Promise.all(Array.from({ length: count }, (_, i) => open(`burst-${i}`)));
    const openedMs = Math.round(performance.now() - startedAt);
    const seen = await within('all commits', 120_000, Promise.all(files.map((file) => branch.seen(file))));
    const after = await branch.content();
    branch.close();
    const found = new Set(after.files);
    const lost = files.filter((file) => !found.has(file)).length;
    // One commit a preview, or something was done twice.
    const extraCommits = after.commits - before.commits - count;
    return { totalMs: Math.round(Math.max(...seen) - startedAt), openedMs, extraCommits, lost: lost + extraCommits };
  } finally {
    await world.close();
  }
}
