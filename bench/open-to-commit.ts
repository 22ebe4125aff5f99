import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createBenchWorld, createLoadProject, loadProject } from './support/bench-world.js';
import { report, summarize, until } from './support/report.js';

// A merge request opens → its file is in the branch at the Git server, with few and with many other files there, and
// with a GitLab that answers at once or after 100 ms.
const run = promisify(execFile);
const rounds = Number(process.argv[2] ?? 30);

for (const files of [10, 1_000]) {
  for (const latencyMs of [0, 100]) await measure(files, latencyMs);
}

async function measure(files: number, latencyMs: number): Promise<void> {
  const world = await createBenchWorld({ manager: loadProject });
  try {
    await createLoadProject(world);
    await fill(world.environments, files);
    await world.startManager();
    const project = world.gitlab.project('acme/load');
    await open(world, project.path, 'warm-up');
    if (latencyMs > 0) world.gitlab.faults.add({ kind: 'latency', ms: latencyMs });
    const times: number[] = [];
    for (let i = 0; i < rounds; i += 1) times.push(await open(world, project.path, `round-${i}`));
    const { stdout } = await run('git', [
      '--git-dir',
      repository(world),
      'ls-tree',
      '--name-only',
      'dynamic-envs',
      'apps/',
    ]);
    const found = stdout.split('\n').filter((name) => name.startsWith('apps/load-')).length;
    report('open-to-commit', { files, apiLatencyMs: latencyMs, ...summarize(times), lost: rounds + 1 - found });
  } finally {
    await world.close();
  }
}

type World = Awaited<ReturnType<typeof createBenchWorld>>;

function repository(world: World): string {
  return join(world.directory, 'git', 'platform/environments.git');
}

/** Opens one and answers after how many milliseconds the branch has moved. */
async function open(world: World, path: string, branch: string): Promise<number> {
  const head = await headOf(world);
  const startedAt = performance.now();
  await world.gitlab.createMergeRequest(path, { sourceBranch: branch, title: branch });
  await until(`the commit of ${branch}`, async () => ((await headOf(world)) === head ? undefined : true), {
    everyMs: 2,
  });
  return performance.now() - startedAt;
}

/** As any client of the server sees it: over HTTP. */
async function headOf(world: World): Promise<string | null> {
  const answer = await fetch(`${world.environments}/info/refs?service=git-upload-pack`);
  return /(?<oid>[0-9a-f]{40}) refs\/heads\/dynamic-envs/.exec(await answer.text())?.groups?.oid ?? null;
}

/** Puts that many files into the branch, as people would who used it before. */
async function fill(url: string, files: number): Promise<void> {
  const clone = await mkdtemp(join(tmpdir(), 'mayfly-bench-clone-'));
  try {
    const git = (...args: string[]) =>
      run('git', ['-C', clone, '-c', 'user.name=bench', '-c', 'user.email=bench@example.com', ...args]);
    await git('init', '-q', '-b', 'dynamic-envs');
    await mkdir(join(clone, 'apps'));
    for (let i = 0; i < files; i += 1) {
      await writeFile(join(clone, 'apps', `other-${i}.yml`), `# somebody's file ${i}\nkind: List\n`);
    }
    await git('add', '.');
    await git('commit', '-q', '-m', 'Files from before');
    await git('push', '-q', url, 'dynamic-envs');
  } finally {
    await rm(clone, { recursive: true, force: true });
  }
}
