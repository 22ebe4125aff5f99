import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { annotate } from '../../src/application/annotate.js';
import { printApplication } from '../../src/application/file.js';
import { startGitServer } from '../../src/sandbox/git-server.js';
import { type FakeManager, startFakeManager } from '../../test/agent/support/fake-manager.js';
import { createPerson, type Person, temporaryFolder } from '../../test/support/git-client.js';
import { type AgentProcess, startAgentProcess } from './agent-process.js';
import { type ClusterView, openClusterView } from './cluster-view.js';
import { fiveObjects } from './five-objects.js';

const branchName = 'dynamic-envs';
const sourcePath = 'deploy/preview';

/** One agent as a program, the branch that it follows, a manager's stand-in that hears it, and a real API server. */
export interface AgentWorld {
  agent: AgentProcess;
  cluster: ClusterView;
  manager: FakeManager;
  namespaceOf(slug: string): string;
  /** One commit with new files; resolves with the moment (`performance.now()`) at which the Git server has it. */
  add(slugs: readonly string[]): Promise<number>;
  /** One commit without the files of these, each explained. */
  remove(slugs: readonly string[]): Promise<number>;
  /** Resolves with the moments at which each was heard to be in the state for the first time since now. */
  heard(slugs: readonly string[], state: 'healthy' | 'gone', timeoutMs: number): Promise<number[]>;
  close(): Promise<void>;
}

export async function createAgentWorld(kubeconfig: string): Promise<AgentWorld> {
  const id = randomBytes(3).toString('hex');
  const folder = await temporaryFolder('bench-agent');
  const root = join(folder.path, 'git');
  await mkdir(root);
  const git = await startGitServer({ root });
  const manager = await startFakeManager();
  for (const path of ['platform/environments', 'acme/shop']) await git.create(path);
  const shopUrl = git.repositoryUrl('acme/shop');
  const branch = await createPerson(git.repositoryUrl('platform/environments'));
  const shop = await createPerson(shopUrl);
  for (const [path, text] of Object.entries(fiveObjects)) await shop.write(path, text);
  const sha = await shop.push('main', 'the application');
  await branch.write('mayfly.yml', `installation: bench-${id}\nlayout: 1\n`);
  await branch.write('apps/.gitkeep', '');
  await branch.push(branchName, 'begin');
  const cluster = await openClusterView(kubeconfig, `bench-${id}`);
  const configFile = join(folder.path, 'agent.yaml');
  const namespacePrefix = `b${id}-`;
  await writeFile(
    configFile,
    stringify({
      name: 'bench',
      manager: { url: manager.url, token: manager.token },
      branch: { repository: git.repositoryUrl('platform/environments') },
      namespacePrefix,
      agentNamespace: `mayfly-${id}`,
      hosts: ['*.preview.example.com'],
      repositories: [`${git.url}/acme/*`],
      limits: { previews: 10_000 },
      dataDir: join(folder.path, 'agent'),
      kubeconfig,
    }),
  );
  const agent = await startAgentProcess(configFile, cluster.server);
  const file = (slug: string) =>
    fileOf({ slug, namespace: namespacePrefix + slug, shopUrl, sha, installation: `bench-${id}` });
  const push = (message: string) => pushed(branch, manager, message);
  return {
    agent,
    cluster,
    manager,
    namespaceOf: (slug) => namespacePrefix + slug,
    async add(slugs) {
      for (const slug of slugs) await branch.write(`apps/${slug}.yml`, file(slug));
      return push('add');
    },
    async remove(slugs) {
      for (const slug of slugs) manager.explanations.set(`${slug}#1`, 'merged');
      await branch.git('rm', '--quiet', ...slugs.map((slug) => `apps/${slug}.yml`));
      return push('remove');
    },
    heard: (slugs, state, timeoutMs) => hear(manager, new Set(slugs), state, timeoutMs),
    async close() {
      await agent.kill();
      await cluster.removeNamespaces([namespacePrefix, `mayfly-${id}`]);
      await cluster.close();
      await manager.close();
      await git.close();
      for (const each of [branch, shop, folder]) await each.remove();
    },
  };
}

/** The manager tells its agents of the new head, as it does when it has pushed one. */
async function pushed(branch: Person, manager: FakeManager, message: string): Promise<number> {
  const head = await branch.push(branchName, message);
  const at = performance.now();
  manager.hint(head);
  return at;
}

function fileOf(input: {
  slug: string;
  namespace: string;
  shopUrl: string;
  sha: string;
  installation: string;
}): string {
  const { slug, namespace, shopUrl, sha, installation } = input;
  return printApplication(
    annotate(
      {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        metadata: { name: slug, annotations: {} },
        spec: {
          project: 'default',
          destination: { name: 'bench', namespace },
          source: { repoURL: shopUrl, targetRevision: sha, path: sourcePath },
        },
      },
      { installation, incarnation: 1, mergeRequest: 'acme/shop!1', url: `https://${slug}.preview.example.com` },
    ),
  );
}

/** What arrives is looked at every few milliseconds: the agent's messages are not slowed by it. */
function hear(manager: FakeManager, waiting: Set<string>, state: string, timeoutMs: number): Promise<number[]> {
  const times: number[] = [];
  const endAt = performance.now() + timeoutMs;
  let next = manager.observations.length;
  return new Promise((resolve, reject) => {
    const timer = setInterval(() => {
      const now = performance.now();
      for (; next < manager.observations.length; next += 1) {
        const heard = manager.observations[next];
        if (heard?.state === state && waiting.delete(heard.slug)) times.push(now);
      }
      if (waiting.size > 0 && now < endAt) return;
      clearInterval(timer);
      if (waiting.size === 0) return resolve(times);
      const [slug = ''] = waiting;
      const last = JSON.stringify(manager.newest(slug));
      reject(new Error(`${waiting.size} were not heard to be ${state}; of ${slug} was heard ${last}`));
    }, 5);
  });
}
