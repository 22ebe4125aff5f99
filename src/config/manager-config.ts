import type { LogLevel } from '../log/create-logger.js';
import type { SleepPolicy } from '../preview/policy.js';

/** `mayfly.yaml`, validated and complete: every default is filled in, durations are milliseconds, lists are lists. */
export interface ManagerConfig {
  /** `webhookSecrets` and `signingTokens`: any of them is accepted; one of the lists may be empty. */
  gitlab: {
    url: string;
    token: string;
    webhookSecrets: string[];
    signingTokens: string[];
    /** Host of GitLab's own container registry; null: images are looked for in `registries` alone. */
    registry: string | null;
  };
  branch: BranchConfig;
  /** Without a slash at its end. */
  publicUrl: string;
  /** null: an embedded PostgreSQL under `dataDir`. */
  database: string | null;
  /** Absolute. */
  dataDir: string;
  listen: ListenConfig;
  log: { level: LogLevel };
  projects: ProjectConfig[];
  groups: GroupConfig[];
  limits: { previews: number };
  api: { tokens: ApiTokenConfig[] };
  /** The only hosts, and hosts of token services, that the image gate contacts. */
  registries: RegistryEntry[];
  agents: AgentEntry[];
}

interface BranchConfig {
  repository: string;
  name: string;
  token: string | null;
  /** Folders, without a slash at either end. */
  applications: string;
  templates: string;
  author: { name: string; email: string };
}

/** Ports; 0 takes any free one. The dashboard listens on 127.0.0.1 alone. */
export interface ListenConfig {
  host: string;
  port: number;
  metricsPort: number;
  dashboardPort: number;
}

export interface ProjectConfig {
  name: string;
  path: string;
  preview: {
    name: string;
    template: string;
    url: string | null;
    source: SourceConfig;
    values: Record<string, unknown>;
    cluster: string;
  };
  follow: {
    labels: { any: string[]; all: string[]; none: string[] };
    targetBranches: string[];
    sourceBranches: string[];
    authors: { any: string[]; none: string[] };
    drafts: boolean;
    forks: 'never' | 'approved' | 'always';
    /** That a fork's preview may be deployed from, beside the project's own. */
    forkRepositories: string[];
    optIn: boolean;
    optInLabel: string;
  };
  gate: {
    pipeline: 'none' | 'success' | { jobs: string[] };
    /** Templates. */
    image: string[];
    approval: 'none' | 'member';
  };
  lifetime: { ttlMs: number; maxMs: number; warnMs: number; keepAfterMergeMs: number; sleep: SleepPolicy };
  /** `resources` absent: what the agent's own configuration says. */
  limits: { previews: number; resources?: { cpu?: string; memory?: string; pods?: number } };
  /** Secrets that are copied into each preview's namespace. Default: none. */
  secrets?: { copy: string; forks: boolean }[];
  feedback: {
    note: boolean;
    commitStatus: { name: string; blocking: boolean };
    logs: 'auto' | 'note' | 'dashboard';
  };
  /** What the agent asks of a preview's URL; null: nothing. */
  probe: { path: string; expect: number; withinMs: number } | null;
  /** GitLab's access level that commands need. */
  commands: { level: number };
  /** Keys of `preview.values`. */
  settable: string[];
  deployTimeoutMs: number;
  /** Instead of the common ones; empty: those are used. */
  webhookSecrets: string[];
}

/** Projects whose merge requests on one branch share one preview. */
export interface GroupConfig {
  name: string;
  /** Names of projects, the first of which is deployed where `preview.source` names nothing else. */
  projects: string[];
  /** Names of those whose merge requests from forks may join. Default: none. */
  forks?: string[];
  link: 'branch';
  /** Keys that hold instead of each project's own. */
  gate: {
    pipeline?: ProjectConfig['gate']['pipeline'] | undefined;
    image?: string[] | undefined;
    approval?: ProjectConfig['gate']['approval'] | undefined;
  };
  /** Its previews are made like those of a project of its name. */
  settings: ProjectConfig;
}

export interface SourceConfig {
  path: string;
  recurse: boolean;
  /** Name of a Helm chart in `fixed.repository`, whose `revision` is its version then; null: a folder, `path`. */
  chart: string | null;
  /** null: the target project's repository at the merge request's sha. */
  fixed: { repository: string; revision: string } | null;
}

export interface ApiTokenConfig {
  name: string;
  /** `sha256:` and 64 hexadecimal digits. */
  hash: string;
  scope: 'read' | 'operate';
}

interface RegistryEntry {
  /** In lower case, with its port where it has one. */
  host: string;
  /** null: nobody signs in. */
  credential: { username: string; password: string } | null;
  /** It may have a private or loopback address. */
  private: boolean;
  /** Plain HTTP. */
  insecure: boolean;
}

interface AgentEntry {
  name: string;
  token: string;
  namespacePrefix: string;
}
