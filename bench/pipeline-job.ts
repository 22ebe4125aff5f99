import { openPipelineJobs } from './support/pipeline-jobs.js';
import { report, summarize } from './support/report.js';

// The peer of open-to-commit and burst, alone: the job that people write in their pipeline today, one and many at once.
// A runner's start, which takes seconds, is not counted. Argument: how many at once (100 take minutes: each push that
// wins makes all the others begin again).
const many = Number(process.argv[2] ?? 20);
const jobs = await openPipelineJobs(10);
try {
  const single: number[] = [];
  for (let i = 0; i < 10; i += 1) single.push(...(await jobs.atOnce(1)).each);
  report('pipeline-job', { atOnce: 1, ...summarize(single), lost: await jobs.lost() });
  const { each, totalMs } = await jobs.atOnce(many);
  report('pipeline-job', { atOnce: many, totalMs, ...summarize(each), lost: await jobs.lost() });
} finally {
  await jobs.close();
}
