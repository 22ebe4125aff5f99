import { shopPath } from '../test/support/world.js';
import { createBenchWorld, environmentsGitDir } from './support/bench-world.js';
import { type BranchWatch, watchBranch } from './support/branch-watch.js';
import { type DeploymentWatch, watchDeployments } from './support/deployment-watch.js';
import { fiveObjects } from './support/five-objects.js';
import { openRealCluster, type RealCluster } from './support/real-cluster.js';
import { report, round, skip, summarize, within } from './support/report.js';

// A commit of the branch is at the Git server → the Deployment of its preview exists in a real API server. Five
// objects, each time from a commit of the application's repository that nobody has fetched yet; with no other preview,
// and with 300 that live. Arguments: rounds, and how many others.
const rounds = Number(process.argv[2] ?? 20);
const others = Number(process.argv[3] ?? 300);
const scenario = 'commit-to-deployment';

const cluster = await openRealCluster();
if ('missing' in cluster) skip(scenario, cluster.missing);
else {
  try {
    await measure(cluster);
  } finally {
    await cluster.close();
  }
}

async function measure({ kubeconfig, isLent }: RealCluster): Promise<void> {
  const limits = { previews: 10_000 };
  const world = await createBenchWorld({ kubeconfig, project: { limits }, manager: { limits } });
  const deployments = await watchDeployments(kubeconfig);
  try {
    const { gitlab } = world;
    await gitlab.push(shopPath, { branch: 'main', files: { ...fiveObjects, 'deploy/preview/site.yaml': null } });
    await world.startManager();
    await world.startAgent();
    const branch = watchBranch(environmentsGitDir(world), 'dynamic-envs');
    const open = async (title: string, files?: Record<string, string>): Promise<string> => {
      const made = files === undefined ? {} : { files };
      const { iid } = await gitlab.createMergeRequest(shopPath, { sourceBranch: title, title, ...made });
      return `shop-${iid}`;
    };
    const deploy = async (title: string): Promise<number> => {
      const slug = await open(title, { 'note.txt': `${title}\n` });
      return spanOf({ branch, deployments, slug, prefix: world.namespacePrefix });
    };
    for (let i = 0; i < 3; i += 1) await deploy(`warm-up-${i}`);
    await series(deployments, { others: 3, deploy, name: 'alone' });
    const slugs = await Promise.all(Array.from({ length: others }, (_, i) => open(`other-${i}`)));
    const all = Promise.all(slugs.map((slug) => deployments.seen(world.namespacePrefix + slug)));
    await within('the other previews', 600_000, all);
    await settled(deployments);
    await series(deployments, { others: others + rounds + 3, deploy, name: 'crowded' });
    branch.close();
  } finally {
    await world.close();
    if (isLent) await deployments.removeNamespaces(world.namespacePrefix);
    await deployments.close();
  }
}

async function spanOf(input: {
  branch: BranchWatch;
  deployments: DeploymentWatch;
  slug: string;
  prefix: string;
}): Promise<number> {
  const { branch, deployments, slug, prefix } = input;
  const committedAt = await within(`the commit of ${slug}`, 60_000, branch.seen(`apps/${slug}.yml`));
  return (await within(`the Deployment of ${slug}`, 60_000, deployments.seen(prefix + slug))) - committedAt;
}

async function series(
  deployments: DeploymentWatch,
  input: { others: number; name: string; deploy: (title: string) => Promise<number> },
): Promise<void> {
  const before = await deployments.requests();
  const times: number[] = [];
  for (let i = 0; i < rounds; i += 1) times.push(await input.deploy(`${input.name}-${i}`));
  const after = await deployments.requests();
  // Controllers and the simulated node ask as well; what one preview costs is told by its own resources.
  const perPreview = [...after].map(([key, count]) => [key, round((count - (before.get(key) ?? 0)) / rounds)] as const);
  report(scenario, {
    aimMs: 400,
    objects: 5,
    others: input.others,
    ...summarize(times),
    requestsPerPreview: Object.fromEntries(perPreview.filter(([key, count]) => count >= 0.9 && ofAgent(key))),
    lost: 0,
  });
}

/** Only the agent applies, makes namespaces, and keeps its memory in ConfigMaps (each namespace also gets one by itself). */
function ofAgent(key: string): boolean {
  return key.startsWith('APPLY') || /^(POST|GET|PATCH|PUT) (namespaces|configmaps)$/.test(key);
}

/** Waits until the cluster is done with what was just made: until fewer than 20 requests come in a second. */
async function settled(deployments: DeploymentWatch): Promise<void> {
  const total = async () => [...(await deployments.requests()).values()].reduce((sum, count) => sum + count, 0);
  for (let before = await total(); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const now = await total();
    if (now - before < 40) return;
    before = now;
  }
}
