import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { newApiToken } from '../../src/config/api-token.js';
import { type GitServer, startGitServer } from '../../src/sandbox/git-server.js';
import type { User } from '../../src/sandbox/gitlab/model.js';
import { type GitLab, startGitLab } from '../../src/sandbox/gitlab/start-gitlab.js';
import { applicationFiles } from '../../src/sandbox/seed-files.js';
import { type Program, startProgram } from './program.js';
import { quietPort } from './quiet-port.js';
import { until } from './until.js';

export interface WorldOptions {
  /** Of the database that the manager uses. */
  databaseUrl: string;
  /** Of the agent's cluster; absent: no agent is started. */
  kubeconfig?: string;
  /** Merged into the project of `mayfly.yaml`. */
  project?: Record<string, unknown>;
  /** Merged into `mayfly.yaml`. */
  manager?: Record<string, unknown>;
  /** Files of the application's repository; default: the sandbox's. */
  files?: Record<string, string>;
  /** false: GitLab tells nothing. */
  webhooks?: boolean;
}

/** GitLab's stand-in and a Git server in this process; the manager and the agent in processes of their own. */
export interface World {
  directory: string;
  git: GitServer;
  gitlab: GitLab;
  /** The user whom Mayfly's token belongs to. */
  bot: User;
  managerUrl: string;
  metricsUrl: string;
  apiToken: string;
  namespacePrefix: string;
  agentNamespace: string;
  /** URL of the repository that holds the branch. */
  environments: string;
  managerFile: string;
  agentFile: string;
  /** Every program that was started, the newest last. */
  programs: readonly Program[];
  /** Resolves when it is ready. */
  startManager(): Promise<Program>;
  /** `kubeconfig`: instead of the one of the options. */
  startAgent(kubeconfig?: string): Promise<Program>;
  /** GET of the manager's API. */
  api<T>(path: string): Promise<T>;
  writeManagerConfig(change: (config: Record<string, unknown>) => Record<string, unknown>): Promise<void>;
  close(): Promise<void>;
}

export const shopPath = 'acme/shop';
export const environmentsPath = 'platform/environments';

export async function createWorld(options: WorldOptions): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'mayfly-world-'));
  const programs: Program[] = [];
  const gitRoot = join(directory, 'git');
  await mkdir(gitRoot);
  let notice: (repository: string) => void = () => undefined;
  const git = await startGitServer({ root: gitRoot, onPush: (repository) => notice(repository) });
  const gitlab = await startGitLab({ gitRoot, gitUrl: git.url });
  notice = (repository) => void gitlab.noticePush(repository.replace(/\.git$/, ''));
  const shop = await gitlab.createProject({
    path: shopPath,
    visibility: 'private',
    files: options.files ?? applicationFiles,
  });
  const envs = await gitlab.createProject({
    path: environmentsPath,
    visibility: 'private',
    files: { 'README.md': '# environments\n' },
  });
  const bot = gitlab.addUser({ username: 'mayfly', name: 'Mayfly', project: shop, accessLevel: 40 });
  gitlab.addUser({ username: 'mayfly', name: 'Mayfly', project: envs, accessLevel: 40 });
  const botToken = gitlab.tokenFor(bot);
  const ports = {
    main: await quietPort(),
    metrics: await quietPort(),
    dashboard: await quietPort(),
    agent: await quietPort(),
  };
  const managerUrl = `http://127.0.0.1:${ports.main}`;
  const suffix = randomBytes(3).toString('hex');
  const namespacePrefix = `pv-${suffix}-`;
  const agentNamespace = `mayfly-${suffix}`;
  const environments = git.repositoryUrl(environmentsPath);
  const secrets = { webhook: randomBytes(16).toString('hex'), agent: randomBytes(16).toString('hex') };
  const { token: apiToken, hash } = newApiToken();

  let config: Record<string, unknown> = {
    gitlab: { url: gitlab.url, token: botToken, webhookSecret: secrets.webhook },
    branch: { repository: environments, token: botToken },
    publicUrl: managerUrl,
    database: options.databaseUrl,
    dataDir: join(directory, 'manager'),
    listen: { host: '127.0.0.1', port: ports.main, metricsPort: ports.metrics, dashboardPort: ports.dashboard },
    log: { level: 'debug' },
    projects: [
      {
        name: 'shop',
        path: shopPath,
        preview: { url: 'https://{{slug}}.preview.example.com', source: { path: 'deploy/preview' } },
        follow: { targetBranches: ['*'] },
        ...options.project,
      },
    ],
    api: { tokens: [{ name: 'test', hash, scope: 'operate' }] },
    agents: [{ name: 'default', token: secrets.agent, namespacePrefix }],
    ...options.manager,
  };
  const managerFile = join(directory, 'mayfly.yaml');
  const agentFile = join(directory, 'agent.yaml');
  await writeFile(managerFile, stringify(config));
  const agentListen = { host: '127.0.0.1', metricsPort: await quietPort() };
  const writeAgentFile = (kubeconfig: string | undefined) =>
    writeFile(
      agentFile,
      stringify({
        name: 'default',
        manager: { url: managerUrl, token: secrets.agent },
        branch: { repository: environments, token: botToken },
        namespacePrefix,
        agentNamespace,
        hosts: ['*.preview.example.com'],
        repositories: [{ url: `${git.url}/acme/*`, token: botToken }],
        dataDir: join(directory, 'agent'),
        listen: agentListen,
        log: { level: 'debug' },
        ...(kubeconfig === undefined ? {} : { kubeconfig }),
      }),
    );
  await writeAgentFile(options.kubeconfig);
  for (const project of options.webhooks === false ? [] : [shop, envs]) {
    gitlab.addHook(project, { url: `${managerUrl}/webhooks/gitlab`, token: secrets.webhook });
  }

  const start = (args: string[]): Program => {
    const program = startProgram(args);
    programs.push(program);
    return program;
  };
  const world: World = {
    directory,
    git,
    gitlab,
    bot,
    managerUrl,
    metricsUrl: `http://127.0.0.1:${ports.metrics}`,
    apiToken,
    namespacePrefix,
    agentNamespace,
    environments,
    managerFile,
    agentFile,
    programs,
    async startManager() {
      const program = start(['serve', '--config', managerFile]);
      await readyOr(program, 'the manager', async () => {
        const answer = await fetch(`${world.metricsUrl}/readyz`);
        return answer.ok;
      });
      return program;
    },
    async startAgent(kubeconfig) {
      if (kubeconfig !== undefined) await writeAgentFile(kubeconfig);
      const program = start(['agent', '--config', agentFile]);
      await readyOr(program, 'the agent', () => program.logLines().some((line) => line.msg === 'agent ready'));
      return program;
    },
    async api<T>(path: string) {
      const answer = await fetch(`${managerUrl}/api/v1${path}`, { headers: { authorization: `Bearer ${apiToken}` } });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as T;
    },
    async writeManagerConfig(change) {
      config = change(config);
      await writeFile(managerFile, stringify(config));
    },
    async close() {
      await Promise.all(programs.map((program) => program.kill('SIGKILL')));
      await gitlab.close();
      await git.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return world;
}

/** Waits until it is ready, and fails at once, with its output, when it ended instead. */
async function readyOr(program: Program, what: string, isReady: () => boolean | Promise<boolean>): Promise<void> {
  let code: number | NodeJS.Signals | undefined;
  program.ended.then((value) => {
    code = value;
  });
  await until(what, async () => code !== undefined || (await isReady()), {
    deadlineMs: 90_000,
    explain: program.output,
  });
  if (code !== undefined) throw new Error(`${what} ended with ${code}:\n${program.output()}`);
}
