import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Application, annotation } from '../application/application.js';
import { incarnationOf } from '../application/file.js';
import { openConnection } from '../kube/connection.js';
import { createKubeClient } from '../kube/kube-client.js';
import type { Logger } from '../log/create-logger.js';
import type { AgentOptions } from './agent-options.js';
import { previewHost } from './branch/preview-host.js';
import type { Bundle } from './bundle.js';
import { type Cluster, createCluster } from './cluster.js';
import { desiredItems } from './desired-items.js';
import { checkFence, type FenceDeps } from './fence/check-fence.js';
import { isStandardNamespaced } from './fence/standard-kinds.js';
import { openLocalTree } from './local-tree.js';
import { diffLive, type ObjectDiff } from './plan/diff-live.js';
import { createSourceLoader } from './source/load-source.js';
import { openSources } from './sources.js';

export interface BuildInput {
  application: Application;
  /** A folder to be read in place of the Application's repository. Null: the repository is fetched. */
  local: string | null;
  /** What an agent's configuration says; null: every repository may be fetched, without a credential. */
  agent: Pick<AgentOptions, 'repositories' | 'hosts' | 'kinds' | 'programs'> | null;
  /** Folders between colons, where `kustomize` and `helm` are looked for. */
  searchPath: string;
  /** The cluster to compare with; null: none is asked for anything. */
  cluster: AgentOptions['kubeconfig'] | null;
  log: Logger;
  signal: AbortSignal;
}

export interface Built {
  /** What passed the fence, the Application's own manifests first. */
  bundles: readonly Bundle[];
  /** Null where no cluster was asked. */
  diff: readonly ObjectDiff[] | null;
}

const buildTimeoutMs = 120_000;

/**
 * What an Application yields, as the agent would make it, fenced: its own manifests and those of its children. Nothing is
 * written, neither to a cluster nor to an agent's cache. Throws what the agent would report: `source-*`, `fence-refused`.
 */
export async function build(input: BuildInput): Promise<Built> {
  const dataDir = await mkdtemp(join(tmpdir(), 'mayfly-build-'));
  try {
    const bundles = await loadBundles(input, dataDir);
    const options = input.cluster;
    if (options === null) {
      await fence({ isNamespaced: isStandardNamespaced }, input, bundles);
      return { bundles, diff: null };
    }
    const connection = await openConnection(options === undefined ? {} : { kubeconfig: options });
    try {
      const cluster = createCluster(createKubeClient(connection), input.log);
      await fence(cluster.objects, input, bundles);
      return { bundles, diff: await compare(cluster, input, bundles) };
    } finally {
      await connection.close();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function loadBundles({ application, local, agent, ...rest }: BuildInput, dataDir: string) {
  const sources = await openSources(
    {
      repositories: agent?.repositories ?? [],
      dataDir,
      ...(agent?.programs === undefined ? {} : { programs: agent.programs }),
      searchPath: rest.searchPath,
      anyRepository: agent === null,
    },
    rest.log,
  );
  try {
    const own = application.spec.source.repoURL;
    const tree = local === null ? null : openLocalTree(resolve(local));
    const open = async (url: string) => (tree !== null && url === own ? tree : sources.open(url));
    const allowed = agent === null ? null : agent.repositories.map(({ pattern }) => pattern);
    const loader = createSourceLoader({ ...sources, open }, { allowed, timeoutMs: buildTimeoutMs });
    return await loader.load(application, rest.signal);
  } finally {
    await sources.close();
  }
}

async function fence(deps: FenceDeps, { application, agent }: BuildInput, bundles: readonly Bundle[]): Promise<void> {
  const url = annotation(application, 'url');
  const own = url !== undefined && URL.canParse(url) ? [new URL(url).hostname] : [];
  await checkFence(
    deps,
    bundles.flatMap(({ manifests }) => manifests),
    {
      slug: application.metadata.name,
      namespace: application.spec.destination.namespace,
      host: previewHost(url, agent?.hosts ?? own),
      allowKinds: agent?.kinds?.allow ?? [],
      denyKinds: agent?.kinds?.deny ?? [],
    },
  );
}

async function compare(cluster: Cluster, { application, signal }: BuildInput, bundles: readonly Bundle[]) {
  const identity = {
    installation: annotation(application, 'installation') ?? 'none',
    slug: application.metadata.name,
    incarnation: incarnationOf(application) ?? 1,
  };
  const { namespace } = application.spec.destination;
  const asleep = annotation(application, 'asleep') === 'true';
  const { items } = desiredItems(bundles, { identity, namespace, asleep });
  return diffLive(cluster.objects, items, signal);
}
