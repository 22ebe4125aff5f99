import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import type { AgentOptions } from '../../../src/agent/agent-options.js';
import { type RunningAgent, runAgent } from '../../../src/agent/run.js';
import { annotate } from '../../../src/application/annotate.js';
import type { Application } from '../../../src/application/application.js';
import { printApplication } from '../../../src/application/file.js';
import { revisionOf } from '../../../src/application/revision.js';
import { isAppError } from '../../../src/error/app-error.js';
import type { KubeObject } from '../../../src/kube/kube-object.js';
import { startGitServer } from '../../../src/sandbox/git-server.js';
import { openTestCluster, type TestCluster } from '../../support/cluster.js';
import { createPerson, type Person, temporaryFolder } from '../../support/git-client.js';
import { eventually } from './eventually.js';
import { type FakeManager, startFakeManager } from './fake-manager.js';

export const branchName = 'dynamic-envs';

/** One preview's file, as a test wants it. */
export interface FileInput {
  slug: string;
  incarnation?: number;
  /** Of the shop's repository. */
  sha: string;
  path?: string;
  recurse?: boolean;
  cluster?: string;
  namespace?: string;
  installation?: string;
  asleep?: boolean;
  repository?: string;
  url?: string;
  /** JSON of `mayfly.dev/probe`. */
  probe?: string;
  source?: Record<string, unknown>;
  /** More of the Application's `spec`: `syncPolicy`, `ignoreDifferences`. */
  spec?: Record<string, unknown>;
  /** Texts of the annotations. */
  resources?: string;
  secrets?: string;
  /** Default: `acme/shop!42`. */
  mergeRequest?: string;
}

/** A cluster, the two repositories, a manager that says what the test wants, and agents to start. */
export interface World {
  cluster: TestCluster;
  manager: FakeManager;
  options: AgentOptions;
  installation: string;
  /** A person who writes the branch of Applications. */
  branch: Person;
  /** A person who writes the application's repository. */
  shop: Person;
  shopUrl: string;
  namespaceOf(slug: string): string;
  /** Writes files and removes others, pushes, hints; the answer is the commit. */
  publish(change: { files?: FileInput[]; remove?: string[]; message?: string }): Promise<string>;
  /** Pushes manifests to the shop's repository; the answer is the sha. */
  pushManifests(files: Record<string, string>): Promise<string>;
  revision(file: FileInput): string;
  start(): Promise<RunningAgent>;
  /** An object of a preview; null when there is none. */
  find(slug: string, apiVersion: string, kind: string, name: string): Promise<KubeObject | null>;
  namespace(slug: string): Promise<KubeObject | null>;
  waitForState(slug: string, state: string, options?: { incarnation?: number; revision?: string }): Promise<void>;
  close(): Promise<void>;
}

export async function createWorld(overrides: Partial<AgentOptions> = {}): Promise<World> {
  const id = randomBytes(4).toString('hex');
  const cluster = await openTestCluster();
  const folder = await temporaryFolder('agent');
  const repositories = await temporaryFolder('repositories');
  const server = await startGitServer({ root: repositories.path });
  const manager = await startFakeManager();
  for (const path of ['platform/environments', 'acme/shop']) await server.create(path);
  const branch = await createPerson(server.repositoryUrl('platform/environments'));
  const shop = await createPerson(server.repositoryUrl('acme/shop'));
  const shopUrl = server.repositoryUrl('acme/shop');
  const installation = `test-${id}`;
  await branch.write('mayfly.yml', `installation: ${installation}\nlayout: 1\n`);
  await branch.write('apps/.gitkeep', '');
  await branch.push(branchName, 'begin');
  const running = new Set<RunningAgent>();
  const options: AgentOptions = {
    name: `a${id}`,
    manager: { url: manager.url, token: manager.token },
    branch: { repository: server.repositoryUrl('platform/environments'), name: branchName, applications: 'apps' },
    engine: 'builtin',
    namespacePrefix: `p${id}-`,
    agentNamespace: `mayfly-${id}`,
    hosts: ['*.preview.test'],
    repositories: [{ pattern: `${server.url}/acme/*` }],
    podSecurity: 'baseline',
    teardownTimeoutMs: 300_000,
    concurrency: 10,
    dataDir: folder.path,
    kubeconfig: { path: cluster.kubeconfig },
    pollIntervalMs: 15_000,
    ...overrides,
  };
  const namespaceOf = (slug: string) => options.namespacePrefix + slug;

  function application(file: FileInput): Application {
    const base: Application = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: file.slug, annotations: {} },
      spec: {
        project: 'default',
        destination: { name: file.cluster ?? options.name, namespace: file.namespace ?? namespaceOf(file.slug) },
        source: {
          repoURL: file.repository ?? shopUrl,
          targetRevision: file.sha,
          path: file.path ?? 'deploy',
          ...(file.recurse === undefined ? {} : { directory: { recurse: file.recurse } }),
          ...file.source,
        },
        ...file.spec,
      },
    };
    return annotate(base, {
      installation: file.installation ?? installation,
      incarnation: file.incarnation ?? 1,
      mergeRequest: file.mergeRequest ?? 'acme/shop!42',
      url: file.url ?? `https://${file.slug}.preview.test`,
      asleep: file.asleep,
      probe: file.probe,
      resources: file.resources,
      secrets: file.secrets,
    });
  }

  async function get(reference: { apiVersion: string; kind: string; name: string; namespace?: string }) {
    try {
      return await cluster.client.get(reference);
    } catch (error) {
      if (isAppError(error, 'kube-not-found')) return null;
      throw error;
    }
  }

  const world: World = {
    cluster,
    manager,
    options,
    installation,
    branch,
    shop,
    shopUrl,
    namespaceOf,
    async publish({ files = [], remove = [], message }) {
      for (const file of files) await branch.write(`apps/${file.slug}.yml`, printApplication(application(file)));
      for (const slug of remove) await branch.git('rm', '--quiet', `apps/${slug}.yml`);
      const head = await branch.push(branchName, message ?? 'change');
      manager.hint(head);
      return head;
    },
    async pushManifests(files) {
      for (const [path, text] of Object.entries(files)) await shop.write(path, text);
      return shop.push('main', 'manifests');
    },
    revision: (file) => revisionOf(application(file)),
    async start() {
      const agent = runAgent(options, { log: pino({ level: process.env.TEST_LOG ?? 'silent' }) });
      running.add(agent);
      await agent.ready;
      return agent;
    },
    find: (slug, apiVersion, kind, name) => get({ apiVersion, kind, name, namespace: namespaceOf(slug) }),
    namespace: (slug) => get({ apiVersion: 'v1', kind: 'Namespace', name: namespaceOf(slug) }),
    async waitForState(slug, state, { incarnation, revision } = {}) {
      await eventually(`${slug} is ${state}`, () => {
        const newest = manager.newest(slug, incarnation);
        return newest?.state === state && (revision === undefined || newest.revision === revision);
      }).catch((error: unknown) => {
        throw new Error(`${error}; it is ${JSON.stringify(manager.newest(slug, incarnation))}`);
      });
    },
    async close() {
      for (const agent of running) await agent.stop().catch(() => undefined);
      if (cluster.isReal) await removeNamespaces(cluster, id);
      await manager.close();
      await server.close();
      await cluster.close();
      for (const each of [branch, shop, folder, repositories]) await each.remove();
    },
  };
  return world;
}

/** The real cluster is shared with other tests: what this one made is deleted, without waiting for its end. */
async function removeNamespaces(cluster: TestCluster, id: string): Promise<void> {
  const { items } = await cluster.client.list({ apiVersion: 'v1', kind: 'Namespace', namespace: null });
  const mine = items.filter(({ metadata }) => metadata.name.startsWith(`p${id}-`) || metadata.name === `mayfly-${id}`);
  for (const { metadata } of mine) {
    if (metadata.deletionTimestamp !== undefined) continue;
    await cluster.client.remove({ apiVersion: 'v1', kind: 'Namespace', name: metadata.name }).catch(() => undefined);
  }
}

/** A small shop: five objects. */
export function shopManifests(
  input: { tag?: string; replicas?: number; colour?: string; image?: string } = {},
): string {
  const { tag = '1.0', replicas = 1, colour = 'green' } = input;
  return `apiVersion: v1
kind: ServiceAccount
metadata: {name: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: site}
data: {colour: "${colour}"}
---
apiVersion: v1
kind: Secret
metadata: {name: settings}
stringData: {key: value}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec:
  selector: {app: shop}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      serviceAccountName: shop
      containers: [{name: shop, image: "shop:${tag}"}]
`;
}
