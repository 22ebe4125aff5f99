import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createBenchWorld, createLoadProject, loadProject } from './support/bench-world.js';
import { report, until } from './support/report.js';

// Many merge requests open at once → the file of each is in the branch at the Git server.
const run = promisify(execFile);

for (const count of [100, 1_000]) {
  const world = await createBenchWorld({ manager: loadProject });
  try {
    await createLoadProject(world);
    await world.startManager();
    const project = world.gitlab.project('acme/load');
    const gitDir = join(world.directory, 'git', 'platform/environments.git');
    const committed = async (): Promise<number> => {
      const { stdout } = await run('git', ['--git-dir', gitDir, 'ls-tree', '-r', '--name-only', 'dynamic-envs'], {
        maxBuffer: 16 * 1024 * 1024,
      });
      return stdout.split('\n').filter((name) => name.startsWith('apps/load-')).length;
    };
    await world.gitlab.createMergeRequest(project, { sourceBranch: 'warm-up', title: 'warm-up' });
    await until('the first commit', async () => ((await committed()) === 1 ? true : undefined), { everyMs: 20 });
    const startedAt = performance.now();
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        world.gitlab.createMergeRequest(project, { sourceBranch: `burst-${i}`, title: `Burst ${i}` }),
      ),
    );
    await until('all commits', async () => ((await committed()) === count + 1 ? true : undefined), {
      everyMs: 20,
      timeoutMs: 120_000,
    });
    const totalMs = Math.round(performance.now() - startedAt);
    const { stdout } = await run('git', ['--git-dir', gitDir, 'rev-list', '--count', 'dynamic-envs']);
    report('burst', { count, totalMs, commits: Number(stdout), lost: count + 1 - (await committed()) });
  } finally {
    await world.close();
  }
}
