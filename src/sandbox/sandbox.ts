import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runAgent } from '../agent/run.js';
import { isAppError } from '../error/app-error.js';
import type { Logger } from '../log/create-logger.js';
import { serve } from '../manager/serve.js';
import { choosePorts } from './choose-ports.js';
import { claimDataDir } from './claim-data-dir.js';
import { clusterReader, openCluster } from './open-cluster.js';
import { startPreviewSite } from './preview-site.js';
import { type SandboxParts, sandboxAgentOptions, sandboxManagerConfig } from './sandbox-config.js';
import { applicationProject, environmentsProject } from './seed-files.js';
import { hookProjects, seedGitLab } from './seed-gitlab.js';
import { startForge } from './start-forge.js';
import { tellStory } from './story.js';

export interface SandboxOptions {
  /** Keeps the state for the next start; null: a temporary folder, removed at the end. */
  dataDir: string | null;
  /** Of a real cluster, where a sandbox without `dataDir` removes what it made; null: the stand-in. */
  kubeconfig: string | null;
  /** Called with a line for each step of each preview's life; null: nobody listens. */
  tell: ((line: string) => void) | null;
  /** Folders between colons, where `kustomize` and `helm` are looked for. Default: none. */
  searchPath?: string;
  /** Gives the start up between two parts. */
  signal?: AbortSignal;
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
    const failures: unknown[] = [];
    // What cannot be ended must not keep the rest from ending.
    for (const release of releases.reverse()) await release().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
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
  options.signal?.throwIfAborted();
  const { git, gitlab } = await startForge({ dataDir, keeps, ports, log }, releases);
  const cluster = await openCluster({ kubeconfig: options.kubeconfig, dataDir, keeps, log }, releases);
  const site = await startPreviewSite(clusterReader(cluster.connection), {
    port: ports.previews,
    namespacePrefix: cluster.names.namespacePrefix,
    wakeUrl: `http://127.0.0.1:${ports.manager}/wake/`,
  });
  releases.push(() => site.close());
  const parts: SandboxParts = {
    dataDir,
    gitlabUrl: gitlab.url,
    gitlabToken: await seedGitLab(gitlab),
    gitUrl: git.url,
    previewUrlTemplate: site.urlTemplate,
    kubeconfigPath: cluster.kubeconfigPath,
    names: cluster.names,
    webhookSecret: randomBytes(24).toString('hex'),
    agentToken: randomBytes(24).toString('hex'),
    ports,
  };
  const config = sandboxManagerConfig(parts);
  hookProjects(gitlab, { url: `${config.publicUrl}/webhooks/gitlab`, token: parts.webhookSecret });
  options.signal?.throwIfAborted();
  const manager = await serve(config, { log: log.child({ part: 'manager' }) });
  releases.push(() => manager.stop());
  if (options.tell !== null) releases.push(await tellStory(manager.databaseUrl, options.tell, log));
  options.signal?.throwIfAborted();
  const agent = runAgent(
    { ...sandboxAgentOptions(parts), searchPath: options.searchPath ?? '' },
    { log: log.child({ part: 'agent' }) },
  );
  releases.push(() => agent.stop());
  await agent.ready;
  return {
    gitlab: gitlab.url,
    token: gitlab.token,
    project: applicationProject,
    git: `${git.url}/${environmentsProject}.git`,
    manager: config.publicUrl,
    dashboard: manager.dashboardUrl,
    kubeconfig: cluster.kubeconfigPath,
    database: manager.databaseUrl,
  };
}

async function openDataDir(dataDir: string | null, releases: Release[]): Promise<string> {
  if (dataDir !== null) {
    const claimed = await claimDataDir(dataDir);
    releases.push(claimed.release);
    return claimed.path;
  }
  const temporary = await mkdtemp(join(tmpdir(), 'mayfly-sandbox-'));
  releases.push(() => rm(temporary, { recursive: true, force: true, maxRetries: 5 }));
  return temporary;
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= run();
    return running;
  };
}
