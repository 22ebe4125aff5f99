import type { Logger } from 'pino';
import { Counter, Gauge, Registry } from 'prom-client';
import { addProcessMetrics } from './process-metrics.js';
import { addSampledGauge, type Sample } from './sampled-gauge.js';
import { createStageTimer, type StageTimer } from './stage-seconds.js';

/** What is asked for at each scrape; each must end when its signal fires. */
export interface ManagerSamples {
  /** Previews that are not stopped. */
  previews(signal: AbortSignal): Promise<readonly Sample<'project' | 'phase'>[]>;
  /** Jobs that are due, by task: 0 where there are none. */
  queueDepth(signal: AbortSignal): Promise<readonly Sample<'stage'>[]>;
  /** Age in seconds of the oldest change that is not in Git (`git`) or not told to GitLab (`feedback`); 0: all are. */
  oldestUnpublished(signal: AbortSignal): Promise<readonly Sample<'projection'>[]>;
  /** 1 where deletions are held or nothing may be written, else 0. */
  breaker(signal: AbortSignal): Promise<readonly Sample<'where' | 'reason'>[]>;
  agentLastSeen(signal: AbortSignal): Promise<readonly Sample<'cluster'>[]>;
}

/** The manager's metrics. Its functions never throw, so that counting never breaks what is counted. */
export interface ManagerMetrics extends StageTimer {
  countDelivery(input: { event: string; outcome: string }): void;
  /** `published`, `raced` (the branch moved on: it is built again), `refused` by the server, or `failed`. */
  countPush(input: { outcome: string }): void;
  /** `stored`, `known`, `refused` (of another cluster's preview), `unknown`, `invalid`. */
  countObservation(input: { outcome: string }): void;
  /** `call` is the name of the API call, never its path; `status` is 0 when there was no answer. */
  countGitlabRequest(input: { call: string; status: number }): void;
  /** The last read of the configuration was refused. */
  setConfigRefused(refused: boolean): void;
  /** GitLab refuses the token itself. */
  setGitlabTokenRefused(refused: boolean): void;
  /** The text of a scrape. */
  render(): Promise<{ contentType: string; body: string }>;
}

const sampleTimeoutMs = 2_000;

export function createManagerMetrics(samples: ManagerSamples, options: { log: Logger }): ManagerMetrics {
  const registry = new Registry();
  addProcessMetrics(registry);
  const stages = createStageTimer(registry);
  const deliveries = new Counter({
    name: 'mayfly_deliveries_total',
    help: 'Webhook deliveries, by event and what was done with them.',
    labelNames: ['event', 'outcome'],
    registers: [registry],
  });
  const pushes = new Counter({
    name: 'mayfly_git_push_total',
    help: 'Pushes of the branch, by outcome.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const observations = new Counter({
    name: 'mayfly_observations_total',
    help: 'Observations of agents, by what was done with them.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const requests = new Counter({
    name: 'mayfly_gitlab_requests_total',
    help: 'Requests to GitLab, by call and status; 0 when there was no answer.',
    labelNames: ['call', 'status'],
    registers: [registry],
  });
  const refused = new Gauge({
    name: 'mayfly_config_refused',
    help: '1 when the last reload found an invalid file and the old configuration was kept.',
    registers: [registry],
  });
  const tokenRefused = new Gauge({
    name: 'mayfly_gitlab_token_refused',
    help: '1 while GitLab refuses the token: it expired or was revoked, and nothing can be seen or told.',
    registers: [registry],
  });
  const readers = addManagerSamples(registry, samples, options.log);
  return {
    ...stages,
    countDelivery: ({ event, outcome }) => deliveries.inc({ event, outcome }),
    countPush: ({ outcome }) => pushes.inc({ outcome }),
    countObservation: ({ outcome }) => observations.inc({ outcome }),
    countGitlabRequest: ({ call, status }) => requests.inc({ call, status: String(status) }),
    setConfigRefused: (value) => refused.set(value ? 1 : 0),
    setGitlabTokenRefused: (value) => tokenRefused.set(value ? 1 : 0),
    async render() {
      await Promise.all(readers.map((read) => read()));
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}

/** Answers what reads each of them anew. */
function addManagerSamples(registry: Registry, samples: ManagerSamples, log: Logger): (() => Promise<void>)[] {
  const bounds = { timeoutMs: sampleTimeoutMs, log };
  const previews = {
    name: 'mayfly_previews',
    help: 'Previews that are not stopped, by project and phase.',
    labels: ['project', 'phase'] as const,
    read: samples.previews,
  };
  const queue = {
    name: 'mayfly_queue_depth',
    help: 'Jobs that are due and not done, by stage.',
    labels: ['stage'] as const,
    read: samples.queueDepth,
  };
  const unpublished = {
    name: 'mayfly_oldest_unpublished_seconds',
    help: 'Age of the oldest change that a projection does not show yet; 0 when it shows all.',
    labels: ['projection'] as const,
    read: samples.oldestUnpublished,
  };
  const breaker = {
    name: 'mayfly_breaker_open',
    help: '1 where deletions are held, or nothing may be written, until a person looks.',
    labels: ['where', 'reason'] as const,
    read: samples.breaker,
  };
  const agents = {
    name: 'mayfly_agent_last_seen_seconds',
    help: 'Seconds since the agent of a cluster was heard of.',
    labels: ['cluster'] as const,
    read: samples.agentLastSeen,
  };
  return [
    addSampledGauge(registry, { gauge: previews, ...bounds }),
    addSampledGauge(registry, { gauge: queue, ...bounds }),
    addSampledGauge(registry, { gauge: unpublished, ...bounds }),
    addSampledGauge(registry, { gauge: breaker, ...bounds }),
    addSampledGauge(registry, { gauge: agents, ...bounds }),
  ];
}
