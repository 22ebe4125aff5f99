import {
  createBenchWorld,
  createLoadProject,
  environmentsGitDir,
  loadPath,
  loadProject,
} from './support/bench-world.js';
import { watchBranch } from './support/branch-watch.js';
import { openPipelineJobs, seedBranch } from './support/pipeline-jobs.js';
import { report, round, summarize, within } from './support/report.js';

// A merge request opens → its file is in the branch at the Git server, with 10 and with 1,000 other files there, and
// with a GitLab that answers at once or after 100 ms; beside it the pipeline job of today, on a branch with 10 files.
// They take turns, so that a busy machine slows all of them alike. Argument: rounds of each.
const rounds = Number(process.argv[2] ?? 30);
const aimMs = 150;

const few = await openSeries(10);
const many = await openSeries(1_000);
const jobs = await openPipelineJobs(10);
try {
  const jobMs: number[] = [];
  await turns(0, async () => {
    jobMs.push(...(await jobs.atOnce(1)).each);
  });
  const [medianMs, manyFilesMs] = [await few.tell(0), await many.tell(0)];
  await turns(100, async () => undefined);
  await few.tell(100);
  await many.tell(100);
  const job = summarize(jobMs);
  report('pipeline-job', { atOnce: 1, files: 10, ...job, lost: await jobs.lost() });
  report('open-to-commit-compared', {
    medianMs,
    manyFilesToFew: round(manyFilesMs / medianMs),
    pipelineJobMs: job.median,
    pipelineJobToMayfly: round(job.median / medianMs),
    lost: 0,
  });
} finally {
  await jobs.close();
  await many.close();
  await few.close();
}

async function turns(apiLatencyMs: number, beside: () => Promise<void>): Promise<void> {
  few.begin(apiLatencyMs);
  many.begin(apiLatencyMs);
  for (let i = 0; i < rounds; i += 1) {
    await few.open(`round-${apiLatencyMs}-${i}`);
    await many.open(`round-${apiLatencyMs}-${i}`);
    await beside();
  }
}

/** A Mayfly whose branch has that many files from before. */
async function openSeries(files: number) {
  const world = await createBenchWorld({ manager: loadProject });
  await createLoadProject(world);
  await seedBranch(world.environments, files);
  await world.startManager();
  const branch = watchBranch(environmentsGitDir(world), 'dynamic-envs');
  let results: { file: string; durationMs: number }[] = [];
  const open = async (title: string): Promise<void> => {
    const startedAt = performance.now();
    const { iid } = await world.gitlab.createMergeRequest(loadPath, { sourceBranch: title, title });
    const file = `apps/load-${iid}.yml`;
    results.push({ file, durationMs: (await within(file, 60_000, branch.seen(file))) - startedAt });
  };
  // The first ones write the branch's own file, and warm up what a manager that runs has warm.
  for (let i = 0; i < 5; i += 1) await open(`warm-up-${i}`);
  return {
    open,
    begin(apiLatencyMs: number): void {
      results = [];
      if (apiLatencyMs > 0) world.gitlab.faults.add({ kind: 'latency', ms: apiLatencyMs });
    },
    /** Prints what was measured since `begin`; answers the median. */
    async tell(apiLatencyMs: number): Promise<number> {
      const found = new Set((await branch.content()).files);
      const lost = results.filter(({ file }) => !found.has(file)).length;
      const figures = summarize(results.map(({ durationMs }) => durationMs));
      report('open-to-commit', { aimMs: aimMs + apiLatencyMs, files, apiLatencyMs, ...figures, lost });
      return figures.median;
    },
    async close(): Promise<void> {
      branch.close();
      await world.close();
    },
  };
}
