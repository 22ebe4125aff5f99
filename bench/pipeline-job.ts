import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startGitServer } from '../src/sandbox/git-server.js';
import { report, summarize } from './support/report.js';

// The peer of open-to-commit and burst: the job that people write in their pipeline today, one and 100 at once, on the
// same Git server. A runner's start, which takes seconds, is not counted.
const script = fileURLToPath(new URL('./pipeline-job.sh', import.meta.url));
const root = await mkdtemp(join(tmpdir(), 'mayfly-bench-job-'));
await mkdir(join(root, 'git'));
const git = await startGitServer({ root: join(root, 'git') });
try {
  await git.create('platform/environments.git');
  const url = git.repositoryUrl('platform/environments');
  await seed(url);
  const single: number[] = [];
  for (let i = 0; i < 10; i += 1) single.push(await job(url, `one-${i}`));
  report('pipeline-job', { atOnce: 1, ...summarize(single), lost: 0 });
  const startedAt = performance.now();
  const many = await Promise.all(Array.from({ length: 100 }, (_, i) => job(url, `many-${i}`)));
  report('pipeline-job', {
    atOnce: 100,
    totalMs: Math.round(performance.now() - startedAt),
    ...summarize(many),
    lost: 0,
  });
} finally {
  await git.close();
  await rm(root, { recursive: true, force: true });
}

/** Runs one to its end; answers its milliseconds. */
function job(url: string, slug: string): Promise<number> {
  return command(script, [url, 'dynamic-envs', slug, '0'.repeat(40)]);
}

async function seed(url: string): Promise<void> {
  const steps = [
    'git init -q -b dynamic-envs .',
    'git -c user.name=bench -c user.email=bench@example.com commit -q --allow-empty -m Begin',
    `git push -q ${url} dynamic-envs`,
  ];
  const folder = await mkdtemp(join(root, 'seed-'));
  await command('sh', ['-ec', `cd ${folder}; ${steps.join('; ')}`]);
}

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
