import { Counter, Gauge, Registry } from 'prom-client';
import { addProcessMetrics } from './process-metrics.js';
import { createStageTimer, type StageTimer } from './stage-seconds.js';

/** The agent's metrics. Its functions never throw. */
export interface AgentMetrics extends StageTimer {
  /** How many previews are in each state, all states at once. */
  setPreviews(counts: ReadonlyMap<string, number>): void;
  /** How many namespaces of ours nothing will ever remove by itself. */
  setOrphans(count: number): void;
  /** Why deletions are held; null: they are not. */
  setBreaker(reason: string | null): void;
  /** Objects of which a watch had not told what the API server answered to a list. */
  countMissed(input: { kind: string; count: number }): void;
  /** The text of a scrape. */
  render(): Promise<{ contentType: string; body: string }>;
}

export function createAgentMetrics(): AgentMetrics {
  const registry = new Registry();
  addProcessMetrics(registry);
  const stages = createStageTimer(registry);
  const previews = new Gauge({
    name: 'mayfly_agent_previews',
    help: 'Previews in this cluster, by the state that was last observed.',
    labelNames: ['state'],
    registers: [registry],
  });
  const orphans = new Gauge({
    name: 'mayfly_agent_orphans',
    help: 'Namespaces of this installation without inventory and file; a person removes them.',
    registers: [registry],
  });
  const breaker = new Gauge({
    name: 'mayfly_breaker_open',
    help: '1 where deletions are held, or nothing may be written, until a person looks.',
    labelNames: ['where', 'reason'],
    registers: [registry],
  });
  const missed = new Counter({
    name: 'mayfly_agent_watch_missed_total',
    help: 'Objects that were not as their watch had told, found by the regular comparison with the API server.',
    labelNames: ['kind'],
    registers: [registry],
  });
  function setBreaker(reason: string | null): void {
    breaker.reset();
    breaker.set({ where: 'agent', reason: reason ?? 'none' }, reason === null ? 0 : 1);
  }
  setBreaker(null);
  return {
    ...stages,
    setPreviews(counts) {
      previews.reset();
      for (const [state, count] of counts) previews.set({ state }, count);
    },
    setOrphans: (count) => orphans.set(count),
    setBreaker,
    countMissed: ({ kind, count }) => missed.inc({ kind }, count),
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
