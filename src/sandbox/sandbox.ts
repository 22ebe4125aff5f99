import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runAgent } from '../agent/run.js';
import { isAppError } from '../error/app-error.js';
import { openConnection } from '../kube/connection.js';
import { sendJson } from '../kube/send-json.js';
import type { Logger } from '../log/create-logger.js';
import { serve } from '../manager/serve.js';
import { choosePorts } from './choose-ports.js';
import { startCluster } from './cluster/start-cluster.js';
import { startGitServer } from './git-server.js';
import { startGitLab } from './gitlab/start-gitlab.js';
import { type ReadCluster, startPreviewSite } from './preview-site.js';
import {
  type SandboxParts,
  sandboxAgentOptions,
  sandboxManagerConfig,
  sandboxNamespacePrefix,
} from './sandbox-config.js';
import { applicationProject, environmentsProject } from './seed-files.js';
import { hookProjects, seedGitLab } from './seed-gitlab.js';
import { tellStory } from './story.js';

export interface SandboxOptions {
  /** Keeps the state for the next start; null: a temporary folder, removed at the end. */
  dataDir: string | null;
  /** Of a real cluster; null: the stand-in. */
  kubeconfig: string | null;
  /** Called with a line for each step of each preview's life; null: nobody listens. */
  tell: ((line: string) => void) | null;
}

/** What scripts need to drive the sandbox; printed by `--json`. */
export interface SandboxAddresses {
  gitlab: string;
  token: string;
  project: string;
  git: string;
  manager: string;
  dashboard: string;
  kubeconfig: string;
  database: string;
}

export interface Sandbox {
  addresses: SandboxAddresses;
  stop(): Promise<void>;
}

type Release = () => Promise<void>;

const startAttempts = 3;

/**
 * Starts everything a newcomer lacks, and Mayfly itself, in this process: what was started is ended in reverse order,
 * also when a later part fails to start.
 */
export async function startSandbox(options: SandboxOptions, log: Logger): Promise<Sandbox> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(options, log);
    } catch (error) {
      // Another program took a port between its choice and its use: the next choice knows.
      if (attempt === startAttempts || !isPortTaken(error)) throw error;
      log.info({ attempt }, 'a port was taken meanwhile, starting again');
    }
  }
}

function isPortTaken(error: unknown): boolean {
  return isAppError(error, 'port-taken') || (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE');
}

async function startOnce(options: SandboxOptions, log: Logger): Promise<Sandbox> {
  const releases: Release[] = [];
  const stop = once(async () => {
    for (const release of releases.reverse()) await release();
  });
  try {
    return { addresses: await startParts(options, log, releases), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(options: SandboxOptions, log: Logger, releases: Release[]): Promise<SandboxAddresses> {
  const dataDir = await openDataDir(options.dataDir, releases);
  const keeps = options.dataDir !== null;
  const ports = await choosePorts(dataDir);
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
  const kubeconfigPath = await startOrFindCluster(options, dataDir, keeps, log, releases);
  const site = await startPreviewSite(await clusterReader(kubeconfigPath, releases), {
    port: ports.previews,
    namespacePrefix: sandboxNamespacePrefix,
  });
  releases.push(() => site.close());
  const mayflyToken = await seedGitLab(gitlab);
  const parts: SandboxParts = {
    dataDir,
    gitlabUrl: gitlab.url,
    gitlabToken: mayflyToken,
    gitUrl: git.url,
    previewUrlTemplate: site.urlTemplate,
    kubeconfigPath,
    webhookSecret: randomBytes(24).toString('hex'),
    agentToken: randomBytes(24).toString('hex'),
    ports,
  };
  const config = sandboxManagerConfig(parts);
  hookProjects(gitlab, { url: `${config.publicUrl}/webhooks/gitlab`, token: parts.webhookSecret });
  const manager = await serve(config, { log: log.child({ part: 'manager' }) });
  releases.push(() => manager.stop());
  if (options.tell !== null) releases.push(await tellStory(manager.databaseUrl, options.tell, log));
  const agent = runAgent(sandboxAgentOptions(parts), { log: log.child({ part: 'agent' }) });
  releases.push(() => agent.stop());
  await agent.ready;
  return {
    gitlab: gitlab.url,
    token: gitlab.token,
    project: applicationProject,
    git: `${git.url}/${environmentsProject}.git`,
    manager: config.publicUrl,
    dashboard: manager.dashboardUrl,
    kubeconfig: kubeconfigPath,
    database: manager.databaseUrl,
  };
}

async function openDataDir(dataDir: string | null, releases: Release[]): Promise<string> {
  if (dataDir !== null) {
    await mkdir(dataDir, { recursive: true });
    return resolve(dataDir);
  }
  const temporary = await mkdtemp(join(tmpdir(), 'mayfly-sandbox-'));
  releases.push(() => rm(temporary, { recursive: true, force: true, maxRetries: 5 }));
  return temporary;
}

async function startOrFindCluster(
  options: SandboxOptions,
  dataDir: string,
  keeps: boolean,
  log: Logger,
  releases: Release[],
): Promise<string> {
  if (options.kubeconfig !== null) return resolve(options.kubeconfig);
  const cluster = await startCluster({
    log: log.child({ part: 'cluster' }),
    ...(keeps ? { dataFile: join(dataDir, 'cluster.jsonl') } : {}),
  });
  releases.push(() => cluster.close());
  const path = join(dataDir, 'kubeconfig');
  await cluster.writeKubeconfig(path);
  return path;
}

/** Reads a path of the API; null for what is not there. */
async function clusterReader(kubeconfigPath: string, releases: Release[]): Promise<ReadCluster> {
  const connection = await openConnection({ kubeconfig: { path: kubeconfigPath } });
  releases.push(() => connection.close());
  return async (path) => {
    try {
      return await sendJson(connection, { method: 'GET', path, timeoutMs: 5_000 });
    } catch (error) {
      if (isAppError(error, 'kube-not-found')) return null;
      throw error;
    }
  };
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= run();
    return running;
  };
}
