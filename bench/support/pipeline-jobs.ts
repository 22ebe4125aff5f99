import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startGitServer } from '../../src/sandbox/git-server.js';
import { watchBranch } from './branch-watch.js';

const script = fileURLToPath(new URL('../pipeline-job.sh', import.meta.url));

export interface JobRuns {
  /** Runs that many at the same time. Answers the milliseconds of each, and of all of them. */
  atOnce(count: number): Promise<{ each: number[]; totalMs: number }>;
  /** Jobs that ended well without their file in the branch. */
  lost(): Promise<number>;
  close(): Promise<void>;
}

/** The job that people write in their pipeline today, on a Git server of its own with some files in the branch. */
export async function openPipelineJobs(files: number): Promise<JobRuns> {
  const root = await mkdtemp(join(tmpdir(), 'mayfly-bench-job-'));
  await mkdir(join(root, 'git'));
  const git = await startGitServer({ root: join(root, 'git') });
  await git.create('platform/environments.git');
  const url = git.repositoryUrl('platform/environments');
  await seedBranch(url, files);
  const slugs: string[] = [];
  const job = (): Promise<number> => {
    slugs.push(`job-${slugs.length}`);
    return command(script, [url, 'dynamic-envs', slugs.at(-1) ?? '', '0'.repeat(40)]);
  };
  return {
    async atOnce(count) {
      const startedAt = performance.now();
      const each = await Promise.all(Array.from({ length: count }, job));
      return { each, totalMs: Math.round(performance.now() - startedAt) };
    },
    async lost() {
      const branch = watchBranch(join(root, 'git/platform/environments.git'), 'dynamic-envs');
      const found = new Set((await branch.content()).files);
      branch.close();
      return slugs.filter((slug) => !found.has(`apps/${slug}.yml`)).length;
    },
    async close() {
      await git.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Makes the branch, with that many files in it, as people have who used it before. */
export async function seedBranch(url: string, files: number): Promise<void> {
  const clone = await mkdtemp(join(tmpdir(), 'mayfly-bench-clone-'));
  const text = `i=0; while [ $i -lt ${files} ]; do printf '# file %s of before\\nkind: List\\n' $i >apps/other-$i.yml; i=$((i+1)); done`;
  const commit = 'git -c user.name=bench -c user.email=bench@example.com commit -q --allow-empty -m Begin';
  const steps = ['git init -q -b dynamic-envs .', 'mkdir apps', text, 'git add .', commit];
  try {
    await command('sh', ['-ec', `cd ${clone}; ${steps.join('; ')}; git push -q ${url} dynamic-envs`]);
  } finally {
    await rm(clone, { recursive: true, force: true });
  }
}

/** Runs one to its end; answers its milliseconds. */
function command(file: string, args: string[]): Promise<number> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve(performance.now() - startedAt);
      else reject(new Error(`${file} ended with ${code}`));
    });
  });
}
