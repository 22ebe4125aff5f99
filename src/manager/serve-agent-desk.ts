import type pg from 'pg';
import type { ManagerConfig } from '../config/manager-config.js';
import { forgetPreview, listOrphans, orderPause, orderRemoval, orderUnblock } from '../store/agent-orders.js';
import { inTransaction } from '../store/pool.js';
import { findPreview } from '../store/web-previews.js';
import type { AgentDesk } from './web/needs.js';

/** An agent that was seen within this time is alive, and its cluster is not gone. */
const minSilentMs = 5 * 60_000;

/** Orders of people to agents, as the API gives them. */
export function agentDesk(pool: pg.Pool, config: () => Pick<ManagerConfig, 'agents' | 'projects'>): AgentDesk {
  return {
    async pause({ kind, scope, by }) {
      const agents = config().agents.map((agent) => agent.name);
      const order = { kind, clusters: agents, slug: null, project: null, by };
      if (scope === 'all') return { agents, ...(await orderPause(pool, order)) };
      if ('agent' in scope) {
        if (!agents.includes(scope.agent)) return { unknown: `agent ${scope.agent}` };
        return { agents: [scope.agent], ...(await orderPause(pool, { ...order, clusters: [scope.agent] })) };
      }
      if ('project' in scope) {
        const project = config().projects.find(({ name }) => name === scope.project);
        if (project === undefined) return { unknown: `project ${scope.project}` };
        // Every agent: the project's next preview may be anywhere.
        return { agents, ...(await orderPause(pool, { ...order, project })) };
      }
      const preview = await findPreview(pool, scope.slug);
      if (preview === null) return { unknown: `preview ${scope.slug}` };
      const clusters = [preview.cluster];
      return { agents: clusters, ...(await orderPause(pool, { ...order, clusters, slug: scope.slug })) };
    },
    orphans: () => listOrphans(pool),
    removeOrphans: (input) => orderRemoval(pool, input),
    unblock: (input) => inTransaction(pool, (transaction) => orderUnblock(transaction, input)),
    forget: (input) => inTransaction(pool, (transaction) => forgetPreview(transaction, { ...input, minSilentMs })),
  };
}
