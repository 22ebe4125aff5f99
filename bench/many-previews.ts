import { type AgentWorld, createAgentWorld } from './support/agent-world.js';
import { applyByKubectl } from './support/apply-by-kubectl.js';
import { bringUp } from './support/bring-up.js';
import { openRealCluster } from './support/real-cluster.js';
import { report, round, skip } from './support/report.js';

// One commit with many new previews of five objects → the agent has told that all of them are ready, in a cluster that
// holds nothing else; and the same objects by `kubectl apply`, which is the limit. Arguments: how many, one or several.
const counts = process.argv.slice(2).map(Number);
const scenario = 'many-previews';

for (const count of counts.length === 0 ? [100, 300] : counts) {
  const cluster = await openRealCluster();
  if ('missing' in cluster) {
    skip(scenario, cluster.missing);
    break;
  }
  try {
    const world = await createAgentWorld(cluster.kubeconfig);
    try {
      await measure(world, count, cluster.kubeconfig);
    } finally {
      await world.close();
    }
  } finally {
    await cluster.close();
  }
}

async function measure(world: AgentWorld, count: number, kubeconfig: string): Promise<void> {
  const startedAt = performance.now();
  const figures = await bringUp(world, count);
  const limit = await applyByKubectl(kubeconfig, count);
  report(scenario, { ...figures, ...limit, tookMs: round(performance.now() - startedAt) });
}
