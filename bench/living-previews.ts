import type { KubeConnection } from '../src/kube/connection.js';
import { sendJson } from '../src/kube/send-json.js';
import { type AgentWorld, createAgentWorld } from './support/agent-world.js';
import { bringUp, slugsOf } from './support/bring-up.js';
import { limitOfDeletion } from './support/limit-of-deletion.js';
import { openRealCluster } from './support/real-cluster.js';
import { report, round, skip, summarize, until, within } from './support/report.js';

// What a crowd of living previews costs while nothing happens, how soon it is mended when something is deleted or
// changed by hand, and how soon 100 of them are gone. Argument: how many live (1,000), which is measured as well.
const count = Number(process.argv[2] ?? 1_000);
const settleMs = 60_000;
/** One regular comparison of the watches with the API server lies within. */
const steadyMs = 180_000;
const driftRounds = 20;
const inARow = 5;
const removed = Math.min(100, count - 1);

const cluster = await openRealCluster();
if ('missing' in cluster) skip('living-previews', cluster.missing);
else {
  try {
    const world = await createAgentWorld(cluster.kubeconfig);
    try {
      report('many-previews', await timed(() => bringUp(world, count)));
      report('steady', await timed(() => steady(world)));
      report('drift', await timed(() => drift(world)));
      report(
        'delete',
        await timed(async () => ({
          ...(await remove(world)),
          ...(await limitOfDeletion(cluster.kubeconfig, removed)),
        })),
      );
    } finally {
      await world.close();
    }
  } finally {
    await cluster.close();
  }
}

type Figures = Record<string, unknown> & { lost: number };

async function timed(measure: () => Promise<Figures>): Promise<Figures> {
  const startedAt = performance.now();
  const figures = await measure();
  return { ...figures, tookMs: round(performance.now() - startedAt) };
}

/** Nothing happens: what the agent uses all the same. */
async function steady({ agent, cluster: view }: AgentWorld): Promise<Figures> {
  await view.quiet(20);
  // What the burst has left behind is collected in its first minute, at once.
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const [before, startedAt] = [await agent.use(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, steadyMs));
  const [after, seconds] = [await agent.use(), (performance.now() - startedAt) / 1_000];
  return {
    living: count,
    rssMb: round(after.rss / 1_048_576),
    aimRssMb: 250,
    heapMb: { used: round(after.heapUsed / 1_048_576), total: round(after.heapTotal / 1_048_576) },
    cpuPercent: round((after.cpuMs - before.cpuMs) / seconds / 10),
    aimCpuPercent: 1,
    requestsPerSecond: round((sumOf(after.requests) - sumOf(before.requests)) / seconds),
    aimRequestsPerSecond: 1,
    lost: count - view.deployments.size,
  };
}

function sumOf(requests: Record<string, number>): number {
  return Object.values(requests).reduce((all, each) => all + each, 0);
}

/** From the moment at which the API server has taken the deletion, or the other number, until it is as it was. */
async function drift(world: AgentWorld): Promise<Figures> {
  const slugs = slugsOf(count);
  const at = (index: number) => slugs[index % count] ?? '';
  const deleted: number[] = [];
  const scaled: number[] = [];
  for (let i = 0; i < driftRounds; i += 1) deleted.push(await deleteOne(world, at(i)));
  for (let i = 0; i < driftRounds; i += 1) scaled.push(await scaleOne(world, at(driftRounds + i)));
  const row: number[] = [];
  for (let i = 0; i < inARow; i += 1) row.push(await deleteOne(world, at(2 * driftRounds)));
  return {
    living: count,
    aimMs: 150,
    deleted: summarize(deleted),
    scaled: summarize(scaled),
    inARow: row.map(round),
    aimFifthMs: 1_000,
    lost: count - world.cluster.deployments.size,
  };
}

async function deleteOne({ cluster: view, namespaceOf }: AgentWorld, slug: string): Promise<number> {
  const namespace = namespaceOf(slug);
  const before = view.deployments.get(namespace)?.uid;
  const back = view.deployment(`the Deployment of ${slug}`, (seen) => {
    return seen.namespace === namespace && seen.uid !== before;
  });
  const gone = view.gone(namespace);
  await view.client.remove({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop', namespace });
  const [goneAt, backAt] = await Promise.all([gone, back]);
  return backAt - goneAt;
}

async function scaleOne({ cluster: view, namespaceOf }: AgentWorld, slug: string): Promise<number> {
  const namespace = namespaceOf(slug);
  let scaledAt = Number.NaN;
  const back = view.deployment(`the old number of ${slug}`, (seen) => {
    if (seen.namespace !== namespace) return false;
    if (seen.replicas === 3) scaledAt = performance.now();
    return seen.replicas === 1 && !Number.isNaN(scaledAt);
  });
  await scaleByHand(view.client.connection, `/apis/apps/v1/namespaces/${namespace}/deployments/shop`);
  return (await back) - scaledAt;
}

/** As `kubectl scale` does. */
async function scaleByHand(connection: KubeConnection, path: string): Promise<void> {
  await sendJson(connection, {
    method: 'PATCH',
    path: `${path}/scale?fieldManager=kubectl`,
    contentType: 'application/merge-patch+json',
    body: { spec: { replicas: 3 } },
    timeoutMs: 10_000,
  });
}

/** One commit without the files of explained previews, until the API server holds nothing of them. */
async function remove(world: AgentWorld): Promise<Figures> {
  const { cluster: view } = world;
  const slugs = slugsOf(removed);
  const [before, agentBefore] = [await view.requests(), await world.agent.use()];
  const gone = world.heard(slugs, 'gone', 300_000);
  const committedAt = await world.remove(slugs);
  const workloads = until('the workloads to go', () => (view.deployments.size === count - removed ? true : undefined), {
    timeoutMs: 300_000,
  }).then(() => performance.now() - committedAt);
  const times = (await within('all to be gone', 300_000, gone)).map((at) => at - committedAt);
  const [after, agentAfter] = [await view.requests(), await world.agent.use()];
  const left = await view.count('v1', 'Namespace');
  return {
    aimMs: removed * 160,
    living: count,
    ...summarize(times),
    requestsPerPreview: round((after - before) / removed),
    agentRequestsPerPreview: round((sumOf(agentAfter.requests) - sumOf(agentBefore.requests)) / removed),
    workloadsGoneMs: round(await workloads),
    lost: Math.abs(count - removed - left) + Math.abs(count - removed - view.deployments.size),
  };
}
