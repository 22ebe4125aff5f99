import { answerPoll } from '../../src/manager/agents/poll.js';
import { isAtOrAfter, recordGone, storePoll } from '../../src/store/agents.js';
import { storeObservations } from '../../src/store/observations.js';
import type { AgentWorld } from '../preview/model/cluster.js';
import type { RealWorld } from './real-world.js';

type Report = AgentWorld['cluster']['reports'][number];

const numbers = new WeakMap<Report, number>();

/** What the agent has not had answered yet; each has its place in the order in which it was seen. */
export function deliverable(world: RealWorld): readonly Report[] {
  for (const report of world.agent.reports) {
    if (numbers.has(report)) continue;
    world.reported += 1;
    numbers.set(report, world.reported);
  }
  return world.agent.reports;
}

/** A report arrives. `answerIsLost`: it will come again. */
export async function storeReport(world: RealWorld, report: Report, answerIsLost: boolean): Promise<void> {
  const { slug, incarnation, observation } = report;
  const { revision, state, cause } = observation;
  const seq: [number, number] = [1, numbers.get(report) ?? 0];
  const diagnosis = cause === null ? null : { cause, sentence: 'A pod does not start.' };
  const of = { slug, incarnation, revision, state, diagnosis, branchCommit: world.watch.head, seq, objects: [] };
  await storeObservations(world.branch.database.pool, 'default', [of]);
  if (!answerIsLost) world.agent.reports.splice(world.agent.reports.indexOf(report), 1);
}

/** The agent polls at the branch's head, when all that it saw was told. */
export async function poll(world: RealWorld): Promise<void> {
  if (world.agent.reports.length > 0) return;
  const { pool } = world.branch.database;
  const living = [...world.agent.running].map(([slug, { incarnation, state }]) => ({ slug, incarnation, state }));
  await answerPoll(
    {
      storePoll: (cluster, answered) => storePoll(pool, cluster, { ...answered, ...nothingMore }),
      recordGone: (input) => recordGone(pool, input),
      isAtOrAfter: (commit, generation) => isAtOrAfter(pool, commit, generation),
      log: world.log,
    },
    { cluster: 'default', poll: { branchCommit: world.watch.head, living, ...nothingMore } },
  );
}

const breaker = { open: false, reason: null, pending: [] };
const nothingMore = { orphans: [], breaker, acknowledged: [], outcomes: [], paused: [] };
