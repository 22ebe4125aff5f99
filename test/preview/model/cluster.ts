import type { Observation } from '../../../src/preview/facts.js';
import { keyOf, type World } from './world.js';

/** What an agent sees and remembers. */
export type AgentWorld = Pick<World, 'now' | 'branch' | 'cluster'>;

/** One step of the agent for one slug: it looks at the branch and does the next thing, if there is one. */
export function stepAgent(world: AgentWorld, slug: string, fails: boolean): void {
  const { running, tornDown, everHealthy } = world.cluster;
  const file = world.branch.get(slug);
  const current = running.get(slug);
  if (current === undefined) {
    if (file !== undefined && file.incarnation > (tornDown.get(slug) ?? 0)) {
      running.set(slug, { incarnation: file.incarnation, revision: file.revision, state: 'applying' });
      report(world, slug, file.incarnation, 'applying', file.revision);
    }
    return;
  }
  if (file === undefined || file.incarnation !== current.incarnation) {
    if (current.state === 'terminating') {
      running.delete(slug);
      tornDown.set(slug, current.incarnation);
      report(world, slug, current.incarnation, 'gone', null);
    } else {
      running.set(slug, { ...current, state: 'terminating' });
      report(world, slug, current.incarnation, 'terminating', null);
    }
    return;
  }
  if (current.state === 'terminating') {
    // A teardown that has begun goes on: what comes back is another incarnation.
    running.delete(slug);
    tornDown.set(slug, current.incarnation);
    report(world, slug, current.incarnation, 'gone', null);
    return;
  }
  const runs = file.application.metadata.annotations['mayfly.dev/asleep'] === 'true' ? 'suspended' : 'healthy';
  const state = file.revision === current.revision ? (fails && runs === 'healthy' ? 'degraded' : runs) : 'applying';
  if (state === current.state && file.revision === current.revision) {
    return;
  }
  running.set(slug, { ...current, revision: file.revision, state });
  if (state === 'healthy') {
    everHealthy.add(`${slug} ${current.incarnation} ${file.revision}`);
  }
  report(world, slug, current.incarnation, state, file.revision);
}

function report(
  world: AgentWorld,
  slug: string,
  incarnation: number,
  state: Observation['state'],
  revision: string | null,
): void {
  const cause = state === 'degraded' ? ('health' as const) : null;
  const one = { slug, incarnation, observation: { revision, state, message: null, cause, at: world.now } };
  world.cluster.reports.push(one);
  world.cluster.last.set(`${slug} ${incarnation}`, one);
}

/** The oldest report arrives at the manager: the agent keeps them in order until they are taken. */
export function deliverReport(world: World): void {
  const next = world.cluster.reports.shift();
  if (next === undefined) {
    return;
  }
  world.database.observations.set(keyOf(next), next.observation);
  const row = world.database.rows.find((one) => keyOf(one) === keyOf(next));
  if (row !== undefined) {
    world.database.queue.add(row.subject);
  }
}

/** The agent polls at the branch's head: what stops, has no file and does not live there is gone. */
export function poll(world: World): void {
  if (world.cluster.reports.length > 0) {
    return;
  }
  for (const row of world.database.rows) {
    const isRemoved = world.branch.get(row.slug)?.incarnation !== row.incarnation;
    const lives = world.cluster.running.get(row.slug)?.incarnation === row.incarnation;
    if (row.phase === 'stopping' && isRemoved && !lives && !world.database.needsCommit.has(row.subject)) {
      const observation = { revision: null, state: 'gone' as const, message: null, cause: null, at: world.now };
      world.database.observations.set(keyOf(row), observation);
      world.database.queue.add(row.subject);
    }
  }
}
