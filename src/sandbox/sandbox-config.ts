import { join } from 'node:path';
import type { AgentOptions } from '../agent/agent-options.js';
import type { ManagerConfig, ProjectConfig } from '../config/manager-config.js';
import type { ClusterNames } from './cluster-names.js';
import { applicationProject, environmentsProject } from './seed-files.js';

/** Addresses and secrets of the sandbox's parts, as they came up. */
export interface SandboxParts {
  dataDir: string;
  gitlabUrl: string;
  gitlabToken: string;
  gitUrl: string;
  previewUrlTemplate: string;
  kubeconfigPath: string;
  names: ClusterNames;
  webhookSecret: string;
  agentToken: string;
  ports: { manager: number; metrics: number; dashboard: number };
}

const cluster = 'default';
const branch = 'dynamic-envs';
const applications = 'apps';
const hour = 3_600_000;

/** What `mayfly.yaml` would hold for the sandbox. */
export function sandboxManagerConfig(parts: SandboxParts): ManagerConfig {
  return {
    gitlab: {
      url: parts.gitlabUrl,
      token: parts.gitlabToken,
      webhookSecrets: [parts.webhookSecret],
      signingTokens: [],
      registry: null,
    },
    branch: {
      repository: `${parts.gitUrl}/${environmentsProject}.git`,
      name: branch,
      token: parts.gitlabToken,
      applications,
      templates: 'templates',
      author: { name: 'Mayfly', email: 'mayfly@example.com' },
    },
    publicUrl: `http://127.0.0.1:${parts.ports.manager}`,
    database: null,
    dataDir: join(parts.dataDir, 'manager'),
    listen: {
      host: '127.0.0.1',
      port: parts.ports.manager,
      metricsPort: parts.ports.metrics,
      dashboardPort: parts.ports.dashboard,
    },
    log: { level: 'info' },
    projects: [sandboxProject(parts)],
    groups: [],
    limits: { previews: 200 },
    api: { tokens: [] },
    registries: [],
    agents: [{ name: cluster, token: parts.agentToken, namespacePrefix: parts.names.namespacePrefix }],
  };
}

function sandboxProject(parts: SandboxParts): ProjectConfig {
  return {
    name: 'shop',
    path: applicationProject,
    preview: {
      name: '{{project}}-{{iid}}',
      template: 'application',
      url: parts.previewUrlTemplate,
      source: { path: 'deploy/preview', recurse: true, chart: null, fixed: null },
      values: {},
      cluster,
    },
    follow: {
      labels: { any: [], all: [], none: ['no-preview'] },
      targetBranches: ['*'],
      sourceBranches: ['*'],
      authors: { any: [], none: [] },
      drafts: true,
      forks: 'approved',
      forkRepositories: [],
      optIn: false,
      optInLabel: 'preview',
    },
    gate: { pipeline: 'success', image: [], approval: 'none' },
    // Short enough that `/preview extend 2d` is seen to move the end.
    lifetime: {
      ttlMs: 24 * hour,
      maxMs: 14 * 24 * hour,
      warnMs: 12 * hour,
      keepAfterMergeMs: 0,
      sleep: { afterMs: null, awake: null },
    },
    limits: { previews: 20 },
    feedback: { note: true, commitStatus: { name: 'mayfly/preview', blocking: false }, logs: 'auto' },
    probe: null,
    commands: { level: 30 },
    settable: [],
    deployTimeoutMs: hour / 6,
    webhookSecrets: [],
  };
}

/** What `agent.yaml` would hold for the sandbox. */
export function sandboxAgentOptions(parts: SandboxParts): AgentOptions {
  return {
    name: cluster,
    manager: { url: `http://127.0.0.1:${parts.ports.manager}`, token: parts.agentToken },
    branch: {
      repository: `${parts.gitUrl}/${environmentsProject}.git`,
      name: branch,
      applications,
      token: parts.gitlabToken,
    },
    engine: 'builtin',
    ...parts.names,
    hosts: ['*.localhost'],
    probe: { allowLoopback: true },
    repositories: [{ pattern: `${parts.gitUrl}/acme/*`, token: parts.gitlabToken }],
    podSecurity: 'baseline',
    teardownTimeoutMs: 300_000,
    concurrency: 10,
    dataDir: join(parts.dataDir, 'agent'),
    kubeconfig: { path: parts.kubeconfigPath },
    pollIntervalMs: 15_000,
  };
}
