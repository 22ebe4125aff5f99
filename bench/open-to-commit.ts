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

// A merge request opens → its file is in the branch at the Git server, with few and with many other files there, and
// with a GitLab that answers at once or after 100 ms. Then the pipeline job of today, on a branch with as many files.
// Argument: rounds of each.
const rounds = Number(process.argv[2] ?? 30);
const medians = new Map<string, number>();

for (const files of [10, 1_000]) {
  for (const apiLatencyMs of [0, 100]) {
    const measured = await measure(files, apiLatencyMs);
    medians.set(`${files} ${apiLatencyMs}`, measured.median);
    report('open-to-commit', { files, apiLatencyMs, ...measured });
  }
}
const few = medians.get('10 0') ?? Number.NaN;
const many = medians.get('1000 0') ?? Number.NaN;
const job = await measureJob();
report('open-to-commit-compared', {
  aimMs: 150,
  medianMs: few,
  manyFilesToFew: round(many / few),
  pipelineJobMs: job.median,
  pipelineJobToMayfly: round(job.median / few),
  lost: job.lost,
});

async function measure(files: number, apiLatencyMs: number) {
  const world = await createBenchWorld({ manager: loadProject });
  try {
    await createLoadProject(world);
    await seedBranch(world.environments, files);
    await world.startManager();
    const branch = watchBranch(environmentsGitDir(world), 'dynamic-envs');
    const open = async (title: string): Promise<{ file: string; durationMs: number }> => {
      const startedAt = performance.now();
      const { iid } = await world.gitlab.createMergeRequest(loadPath, { sourceBranch: title, title });
      const file = `apps/load-${iid}.yml`;
      return { file, durationMs: (await within(file, 60_000, branch.seen(file))) - startedAt };
    };
    // The first ones write the branch's own file, and warm up what a manager that runs has warm.
    for (let i = 0; i < 5; i += 1) await open(`warm-up-${i}`);
    if (apiLatencyMs > 0) world.gitlab.faults.add({ kind: 'latency', ms: apiLatencyMs });
    const results: { file: string; durationMs: number }[] = [];
    for (let i = 0; i < rounds; i += 1) results.push(await open(`round-${i}`));
    const found = new Set((await branch.content()).files);
    branch.close();
    const lost = results.filter(({ file }) => !found.has(file)).length;
    return { ...summarize(results.map(({ durationMs }) => durationMs)), lost };
  } finally {
    await world.close();
  }
}

async function measureJob() {
  const jobs = await openPipelineJobs(10);
  try {
    const times: number[] = [];
    for (let i = 0; i < Math.min(rounds, 20); i += 1) times.push(...(await jobs.atOnce(1)).each);
    return { ...summarize(times), lost: await jobs.lost() };
  } finally {
    await jobs.close();
  }
}
