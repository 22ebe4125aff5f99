import type pg from 'pg';
import type { Logger } from 'pino';
import { findApiToken } from '../config/api-token.js';
import type { ManagerConfig, ProjectConfig } from '../config/manager-config.js';
import type { ManagerMetrics } from '../metrics/manager-metrics.js';
import type { Settable } from '../preview/setting.js';
import { acceptances, isAtOrAfter, recordGone, storePoll } from '../store/agents.js';
import { loadInstallation } from '../store/branch-installation.js';
import type { BranchListener } from '../store/branch-listener.js';
import { databaseTrouble } from '../store/database-trouble.js';
import { saveDeliveries } from '../store/deliveries.js';
import { storeObservations } from '../store/observations.js';
import { inTransaction } from '../store/pool.js';
import { readPreviews } from '../store/previews.js';
import { readyForVisitor, wakeForVisitor } from '../store/visitors.js';
import { acceptDeletions, acceptHeads, loadBreaker } from '../store/web-breaker.js';
import { giveOrder } from '../store/web-orders.js';
import { findPreview, listEvents, listPreviews } from '../store/web-previews.js';
import { agentsRouter } from './agents/router.js';
import type { GitLabTrouble } from './gitlab-access.js';
import type { IntakePressure } from './intake-pressure.js';
import type { ProjectsInForce } from './projects-in-force.js';
import { batchDeliveries } from './receive/batch.js';
import { createReceiver, type ReceiveDeps } from './receive/router.js';
import type { WebhookSecrets } from './receive/verify.js';
import { agentDesk } from './serve-agent-desk.js';
import type { GitLabCalls } from './serve-gitlab.js';
import type { HttpParts } from './serve-http.js';
import { readbackJob } from './serve-tasks.js';
import { createApi } from './web/api.js';
import type { BreakerDesk, PreviewReader, RenderDesk } from './web/needs.js';
import { createPages } from './web/pages.js';
import { createWakePages } from './web/wake.js';

export interface RouteDeps {
  pool: pg.Pool;
  calls: GitLabCalls;
  config: () => ManagerConfig;
  projects: () => ProjectsInForce;
  listener: BranchListener;
  pressure: IntakePressure;
  metrics: ManagerMetrics;
  rendering: RenderDesk;
  /** What is wrong with the way to GitLab; null: nothing. */
  trouble: () => GitLabTrouble | null;
  /** Ends streams when the manager stops. */
  signal: AbortSignal;
  log: Logger;
}

const readyTimeoutMs = 2_000;

/** Everything that is reached over HTTP. */
export function createRoutes(deps: RouteDeps): HttpParts {
  const { pool, log } = deps;
  const previews: PreviewReader = {
    list: (query) => listPreviews(pool, { ...query, limits: deps.projects().slotLimits() }),
    find: (slug) => findPreview(pool, slug, deps.projects().slotLimits()),
    events: (query) => listEvents(pool, query),
  };
  const breaker: BreakerDesk = {
    load: async () => ({ ...(await loadBreaker(pool)), gitlab: deps.trouble() }),
    accept: (input) => inTransaction(pool, (transaction) => acceptDeletions(transaction, input)),
    acceptHeads: (input) => acceptHeads(pool, input),
  };
  return {
    receiver: createReceiver(receiveDeps(deps), { log }),
    agents: agentRoutes(deps),
    api: createApi({
      authenticate: (token) => findApiToken(deps.config().api.tokens, token),
      previews,
      giveOrder: (order) => giveOrder(pool, order),
      settableOf: (project) => settableOf(deps, project),
      breaker,
      agents: agentDesk(pool, deps.config),
      rendering: deps.rendering,
      trouble: deps.trouble,
      log,
    }),
    wake: createWakePages({
      wake: (slug) => wakeForVisitor(pool, slug),
      ready: (slug) => readyForVisitor(pool, slug),
      publicUrl: () => deps.config().publicUrl,
      log,
    }),
    pages: createPages({ previews, breaker, log }),
    probes: {
      checks: [
        { name: 'database', run: () => checkDatabase(pool) },
        // Webhooks are taken and people served all the same: out of service, it would only miss more.
        { name: 'gitlab', isAdvice: true, run: async () => deps.trouble()?.text ?? null },
      ],
      metrics: () => deps.metrics.render(),
      log,
    },
  };
}

function settableOf(deps: RouteDeps, project: string): Settable {
  const projects = deps.projects();
  const known = [...projects.all(), ...projects.groups()];
  return known.find(({ config }) => config.name === project)?.policy.settable ?? {};
}

function receiveDeps(deps: RouteDeps): ReceiveDeps {
  const { config } = deps;
  const store = batchDeliveries((deliveries) =>
    saveDeliveries(deps.pool, { deliveries, readback: readbackJob(config().branch.name) }),
  );
  return {
    commonSecrets: () => commonSecrets(config()),
    allSecrets: () => ({
      tokens: [...commonSecrets(config()).tokens, ...config().projects.flatMap((project) => project.webhookSecrets)],
      signingTokens: config().gitlab.signingTokens,
    }),
    findProject(projectId, path) {
      const known = deps.projects().byId(projectId)?.config;
      // A project whose id GitLab has not told yet is known by its path.
      const found = known ?? config().projects.find((project) => project.path === path);
      return found === undefined ? null : { secrets: ownSecrets(found) };
    },
    isEnvironments: (_projectId, path, branch) =>
      branch === config().branch.name && path !== null && path === pathOf(config().branch.repository),
    store: (delivery) => deps.pressure.during(() => store(delivery)),
    observe({ event, outcome, durationMs }) {
      deps.metrics.countDelivery({ event, outcome });
      deps.metrics.observeStage({ stage: 'receive', durationMs });
    },
  };
}

function agentRoutes(deps: RouteDeps) {
  const { pool, listener } = deps;
  return agentsRouter({
    tokens: () => new Map(deps.config().agents.map((agent) => [agent.name, agent.token])),
    storePoll: (cluster, poll) => storePoll(pool, cluster, poll),
    recordGone: (input) => recordGone(pool, input),
    isAtOrAfter: (commit, generation) => isAtOrAfter(pool, commit, generation),
    storeObservations: (cluster, observations) => storeObservations(pool, cluster, observations),
    readPreviews: (pairs) => readPreviews(pool, pairs),
    acceptances: (pairs) => acceptances(pool, pairs),
    hasEnded: deps.calls.hasEnded,
    branchHead: async () => (await loadInstallation(pool))?.branchHead ?? null,
    onBranchHead: listener.subscribe,
    observed: (outcome) => deps.metrics.countObservation({ outcome }),
    signal: deps.signal,
    log: deps.log,
  });
}

function commonSecrets(config: ManagerConfig): WebhookSecrets {
  return { tokens: config.gitlab.webhookSecrets, signingTokens: config.gitlab.signingTokens };
}

function ownSecrets(project: ProjectConfig): WebhookSecrets | null {
  return project.webhookSecrets.length === 0 ? null : { tokens: project.webhookSecrets, signingTokens: [] };
}

/** `acme/environments` of `https://gitlab.example.com/acme/environments.git`. */
function pathOf(repository: string): string {
  return new URL(repository).pathname.replace(/^\/+/, '').replace(/(\.git)?\/*$/, '');
}

async function checkDatabase(pool: pg.Pool): Promise<string | null> {
  const timeout = AbortSignal.timeout(readyTimeoutMs);
  const late = new Promise<string>((resolve) => {
    timeout.addEventListener('abort', () => resolve(databaseTrouble(undefined)), { once: true });
  });
  return Promise.race([pool.query('select 1').then(() => null, databaseTrouble), late]);
}
