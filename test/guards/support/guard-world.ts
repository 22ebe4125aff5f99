import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import type { AgentOptions } from '../../../src/agent/agent-options.js';
import { type RunningAgent, runAgent } from '../../../src/agent/run.js';
import { newApiToken } from '../../../src/config/api-token.js';
import type { ManagerConfig, ProjectConfig } from '../../../src/config/manager-config.js';
import { type Manager, serve } from '../../../src/manager/serve.js';
import { createAgentMetrics } from '../../../src/metrics/agent-metrics.js';
import { type GitServer, startGitServer } from '../../../src/sandbox/git-server.js';
import type { Project } from '../../../src/sandbox/gitlab/model.js';
import { type GitLab, startGitLab } from '../../../src/sandbox/gitlab/start-gitlab.js';
import { openTestCluster, type TestCluster } from '../../support/cluster.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { createPerson, type Person, temporaryFolder } from '../../support/git-client.js';
import { quietPort } from '../../support/quiet-port.js';
import { createLogBook, type LogBook } from './log-book.js';

export const branchName = 'dynamic-envs';
const shopPath = 'acme/shop';
const environmentsPath = 'platform/environments';
const hourMs = 3_600_000;

/** What the previews of these tests deploy: one object, so that a world is made and mended quickly. */
const manifest = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: site}\ndata: {greeting: hello}\n';

/** The real parts, in this process, with everything that a test may break. */
export interface GuardWorld {
  git: GitServer;
  gitlab: GitLab;
  shop: Project;
  cluster: TestCluster;
  /** Of the database that the manager uses now. */
  pool: pg.Pool;
  /** The database that it begins with. */
  database: TestDatabase;
  /** Which one the next start of the manager uses. */
  useDatabase(database: TestDatabase): void;
  /** Lines of the manager's and the agent's logs. */
  log: LogBook;
  /** What the manager was last started or reloaded with; change a copy. */
  config: ManagerConfig;
  agentOptions: AgentOptions;
  /** Of the agent that runs now. */
  agentMetrics(): Promise<string>;
  apiToken: string;
  /** Bearer token of an agent of another cluster. */
  foreignAgentToken: string;
  /** The manager that runs now. */
  manager(): Manager;
  startManager(change?: Partial<ManagerConfig>): Promise<void>;
  stopManager(): Promise<void>;
  /** Puts another configuration in force, as SIGHUP does. */
  reload(change: Partial<ManagerConfig>): Promise<void>;
  startAgent(change?: Partial<AgentOptions>): Promise<void>;
  stopAgent(): Promise<void>;
  /** A new clone of the branch, as a person has it. */
  person(): Promise<Person>;
  close(): Promise<void>;
}

export async function createGuardWorld(): Promise<GuardWorld> {
  const folder = await temporaryFolder('guards');
  const gitRoot = join(folder.path, 'git');
  await mkdir(gitRoot);
  let notice: (repository: string) => void = () => undefined;
  const git = await startGitServer({ root: gitRoot, onPush: (repository) => notice(repository) });
  const gitlab = await startGitLab({ gitRoot, gitUrl: git.url });
  notice = (repository) => void gitlab.noticePush(repository.replace(/\.git$/, '')).catch(() => undefined);
  const files = { 'deploy/preview/site.yaml': manifest };
  const shop = await gitlab.createProject({ path: shopPath, visibility: 'private', files });
  const environments = await gitlab.createProject({
    path: environmentsPath,
    visibility: 'private',
    files: { 'README.md': '# environments\n' },
  });
  const bot = gitlab.addUser({ username: 'mayfly', name: 'Mayfly', project: shop, accessLevel: 40 });
  gitlab.addUser({ username: 'mayfly', name: 'Mayfly', project: environments, accessLevel: 40 });
  const database = await createTestDatabase();
  const cluster = await openTestCluster();
  const log = createLogBook();
  const suffix = randomBytes(3).toString('hex');
  const secret = randomBytes(16).toString('hex');
  const agentToken = randomBytes(16).toString('hex');
  const foreignAgentToken = randomBytes(16).toString('hex');
  const api = newApiToken();
  const ports = { port: await quietPort(), metricsPort: await quietPort(), dashboardPort: await quietPort() };
  const url = `http://127.0.0.1:${ports.port}`;
  const repository = git.repositoryUrl(environmentsPath);
  const agentsName = `default-${suffix}`;
  const namespacePrefix = `g${suffix}-`;
  const botToken = gitlab.tokenFor(bot);
  for (const project of [shop, environments]) gitlab.addHook(project, { url: `${url}/webhooks/gitlab`, token: secret });

  let config: ManagerConfig = {
    gitlab: { url: gitlab.url, token: botToken, webhookSecrets: [secret], signingTokens: [], registry: null },
    branch: {
      repository,
      name: branchName,
      token: botToken,
      applications: 'apps',
      templates: 'templates',
      author: { name: 'Mayfly', email: 'mayfly@example.com' },
    },
    publicUrl: url,
    database: database.url,
    dataDir: join(folder.path, 'manager'),
    listen: { host: '127.0.0.1', ...ports },
    log: { level: 'info' },
    projects: [shopConfig(agentsName)],
    groups: [],
    limits: { previews: 200 },
    api: { tokens: [{ name: 'olga', hash: api.hash, scope: 'operate' }] },
    registries: [],
    agents: [
      { name: agentsName, token: agentToken, namespacePrefix },
      { name: `elsewhere-${suffix}`, token: foreignAgentToken, namespacePrefix },
    ],
  };
  const agentOptions: AgentOptions = {
    name: agentsName,
    manager: { url, token: agentToken },
    branch: { repository, name: branchName, applications: 'apps', token: botToken },
    engine: 'builtin',
    namespacePrefix,
    agentNamespace: `mayfly-${suffix}`,
    hosts: ['*.preview.test'],
    repositories: [{ pattern: `${git.url}/acme/*`, token: botToken }],
    podSecurity: 'baseline',
    teardownTimeoutMs: 300_000,
    concurrency: 10,
    dataDir: join(folder.path, 'agent'),
    kubeconfig: { path: cluster.kubeconfig },
    pollIntervalMs: 250,
  };
  let manager: Manager | null = null;
  let agent: RunningAgent | null = null;
  let metrics = createAgentMetrics();
  const persons: Person[] = [];

  const world: GuardWorld = {
    git,
    gitlab,
    shop,
    cluster,
    database,
    pool: database.pool,
    useDatabase(next) {
      config = { ...config, database: next.url };
      world.pool = next.pool;
    },
    log,
    get config() {
      return config;
    },
    agentOptions,
    agentMetrics: async () => (await metrics.render()).body,
    apiToken: api.token,
    foreignAgentToken,
    manager() {
      if (manager === null) throw new Error('no manager runs');
      return manager;
    },
    async startManager(change = {}) {
      config = { ...config, ...change };
      const patience = { timeoutMs: 2_000, retry: { maxAttempts: 1 } };
      manager = await serve(config, { log: log.logger('manager'), reload: async () => config, patience });
    },
    async stopManager() {
      await manager?.stop();
      manager = null;
    },
    async reload(change) {
      config = { ...config, ...change };
      const mark = log.mark();
      process.emit('SIGHUP');
      await log.waitFor('configuration reloaded', mark);
    },
    async startAgent(change = {}) {
      metrics = createAgentMetrics();
      agent = runAgent({ ...agentOptions, ...change }, { log: log.logger('agent'), metrics });
      await agent.ready;
    },
    async stopAgent() {
      await agent?.stop();
      agent = null;
    },
    async person() {
      const person = await createPerson(repository);
      persons.push(person);
      await person.pull(branchName);
      return person;
    },
    async close() {
      await world.stopAgent();
      await world.stopManager();
      if (cluster.isReal) await removeNamespaces(cluster, suffix);
      await cluster.close();
      await gitlab.close();
      await git.close();
      await database.drop();
      for (const each of [...persons, folder]) await each.remove();
    },
  };
  return world;
}

function shopConfig(cluster: string): ProjectConfig {
  return {
    name: 'shop',
    path: shopPath,
    preview: {
      name: '{{project}}-{{iid}}',
      template: 'application',
      url: 'https://{{slug}}.preview.test',
      source: { path: 'deploy/preview', recurse: false, chart: null, fixed: null },
      values: {},
      cluster,
    },
    follow: {
      labels: { any: [], all: [], none: ['no-preview'] },
      targetBranches: ['*'],
      sourceBranches: ['*'],
      authors: { any: [], none: [] },
      drafts: true,
      forks: 'never',
      forkRepositories: [],
      optIn: false,
      optInLabel: 'preview',
    },
    gate: { pipeline: 'none', image: [], approval: 'none' },
    lifetime: {
      ttlMs: 72 * hourMs,
      maxMs: 10_000 * hourMs,
      warnMs: 0,
      keepAfterMergeMs: 0,
      sleep: { afterMs: null, awake: null },
    },
    limits: { previews: 50 },
    feedback: { note: true, commitStatus: { name: 'mayfly/preview', blocking: false }, logs: 'auto' },
    probe: null,
    commands: { level: 30 },
    settable: [],
    deployTimeoutMs: hourMs,
    webhookSecrets: [],
  };
}

/** A real cluster is shared with other tests: what this world made is deleted, without waiting for its end. */
async function removeNamespaces({ client }: TestCluster, suffix: string): Promise<void> {
  const { items } = await client.list({ apiVersion: 'v1', kind: 'Namespace', namespace: null });
  for (const { metadata } of items) {
    const isMine = metadata.name.startsWith(`g${suffix}-`) || metadata.name === `mayfly-${suffix}`;
    if (!isMine || metadata.deletionTimestamp !== undefined) continue;
    await client.remove({ apiVersion: 'v1', kind: 'Namespace', name: metadata.name }).catch(() => undefined);
  }
}
