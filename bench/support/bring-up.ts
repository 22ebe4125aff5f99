import type { AgentWorld } from './agent-world.js';
import { round, summarize } from './report.js';

/** Slugs of the previews of a bench: `load-0000` and so on. */
export function slugsOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `load-${String(index).padStart(4, '0')}`);
}

/**
 * One commit with new previews; waits until all were told to be ready, and until the cluster is done with them.
 * `requestsPerPreview` is what the API server answered, controllers and the simulated node included, without what it
 * answers when nothing happens.
 */
export async function bringUp(world: AgentWorld, count: number): Promise<Record<string, unknown> & { lost: number }> {
  const { cluster, agent } = world;
  const slugs = slugsOf(count);
  const idle = await cluster.quiet(40);
  const [before, beforeAt, agentBefore] = [await cluster.requests(), performance.now(), await agent.use()];
  const ready = world.heard(slugs, 'healthy', 600_000);
  const committedAt = await world.add(slugs);
  const times = (await ready).map((at) => at - committedAt);
  await cluster.quiet(idle + 2);
  const [after, afterAt, agentAfter] = [await cluster.requests(), performance.now(), await agent.use()];
  const background = (idle * (afterAt - beforeAt)) / 1_000;
  const own = Object.entries(agentAfter.requests).map(([method, sum]) => {
    return [method, round((sum - (agentBefore.requests[method] ?? 0)) / count)] as const;
  });
  const standing = [...cluster.deployments.values()].filter(({ available }) => available).length;
  return {
    aimMs: count * 80,
    objects: 5,
    ...summarize(times),
    requestsPerPreview: round((after - before - background) / count),
    aimRequests: 45,
    agentRequestsPerPreview: Object.fromEntries(own),
    agentCpuMsPerPreview: round((agentAfter.cpuMs - agentBefore.cpuMs) / count),
    agentRssMb: round(agentAfter.rss / 1_048_576),
    complaints: agent.complaints().length,
    lost: count - standing,
  };
}
