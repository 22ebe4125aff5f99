import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../log/create-logger.js';
import type { SandboxPorts } from './choose-ports.js';
import { type GitServer, startGitServer } from './git-server.js';
import { type GitLab, startGitLab } from './gitlab/start-gitlab.js';

/** The Git server and the GitLab that hears of its pushes, over the same repositories. */
export async function startForge(
  { dataDir, keeps, ports, log }: { dataDir: string; keeps: boolean; ports: SandboxPorts; log: Logger },
  releases: (() => Promise<void>)[],
): Promise<{ git: GitServer; gitlab: GitLab }> {
  const gitRoot = join(dataDir, 'git');
  await mkdir(gitRoot, { recursive: true });
  let noticePush: (repository: string) => void = () => undefined;
  const git = await startGitServer({
    root: gitRoot,
    port: ports.git,
    onPush: (repository) => noticePush(repository),
  });
  releases.push(() => git.close());
  const gitlab = await startGitLab({
    port: ports.gitlab,
    gitRoot,
    gitUrl: git.url,
    log: log.child({ part: 'gitlab' }),
    ...(keeps ? { dataFile: join(dataDir, 'gitlab.json') } : {}),
  });
  releases.push(() => gitlab.close());
  noticePush = (repository) => {
    gitlab.noticePush(repository.replace(/\.git$/, '')).catch((error: unknown) => {
      log.warn({ err: error, repository }, 'a push was not noticed');
    });
  };
  return { git, gitlab };
}
