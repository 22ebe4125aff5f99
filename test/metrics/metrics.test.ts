import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createAgentMetrics } from '../../src/metrics/agent-metrics.js';
import { createManagerMetrics, type ManagerSamples } from '../../src/metrics/manager-metrics.js';

const log = pino({ level: 'silent' });

const nothing: ManagerSamples = {
  previews: async () => [],
  queueDepth: async () => [],
  oldestUnpublished: async () => [],
  breaker: async () => [],
  agentLastSeen: async () => [],
};

async function scrape(metrics: { render(): Promise<{ body: string }> }): Promise<string[]> {
  return (await metrics.render()).body.split('\n').filter((line) => line.startsWith('mayfly_'));
}

describe('metrics of the manager', () => {
  it('count and time what they are told', async () => {
    const metrics = createManagerMetrics(nothing, { log });
    metrics.countDelivery({ event: 'merge_request', outcome: 'stored' });
    metrics.countPush({ outcome: 'published' });
    metrics.countGitlabRequest({ call: 'merge-request', status: 429 });
    metrics.observeStage({ stage: 'decide', durationMs: 7 });
    metrics.setConfigRefused(true);
    const lines = await scrape(metrics);
    expect(lines).toEqual(
      expect.arrayContaining([
        'mayfly_deliveries_total{event="merge_request",outcome="stored"} 1',
        'mayfly_git_push_total{outcome="published"} 1',
        'mayfly_gitlab_requests_total{call="merge-request",status="429"} 1',
        'mayfly_stage_seconds_bucket{le="0.005",stage="decide"} 0',
        'mayfly_stage_seconds_bucket{le="0.01",stage="decide"} 1',
        'mayfly_stage_seconds_sum{stage="decide"} 0.007',
        'mayfly_config_refused 1',
      ]),
    );
  });

  it('read gauges anew at each scrape, so that what is gone is gone', async () => {
    let phase = 'deploying';
    const metrics = createManagerMetrics(
      {
        ...nothing,
        previews: async () => [{ labels: { project: 'shop', phase }, value: 1 }],
      },
      { log },
    );
    expect(await scrape(metrics)).toContain('mayfly_previews{project="shop",phase="deploying"} 1');
    phase = 'ready';
    const lines = await scrape(metrics);
    expect(lines).toContain('mayfly_previews{project="shop",phase="ready"} 1');
    expect(lines.join()).not.toContain('deploying');
  });

  it('tell all others when one cannot be read, and count that', async () => {
    let works = true;
    const metrics = createManagerMetrics(
      {
        ...nothing,
        previews: async () => {
          if (!works) throw new Error('database is gone');
          return [{ labels: { project: 'shop', phase: 'ready' }, value: 3 }];
        },
        agentLastSeen: async () => [{ labels: { cluster: 'default' }, value: 4 }],
      },
      { log },
    );
    expect(await scrape(metrics)).toContain('mayfly_scrape_errors_total{metric="mayfly_previews"} 0');
    works = false;
    const lines = await scrape(metrics);
    expect(lines).toContain('mayfly_agent_last_seen_seconds{cluster="default"} 4');
    expect(lines).toContain('mayfly_scrape_errors_total{metric="mayfly_previews"} 1');
    expect(lines.filter((line) => line.startsWith('mayfly_previews'))).toEqual([]);
  });

  it('share one reading between scrapes at the same time', async () => {
    let readings = 0;
    const metrics = createManagerMetrics(
      {
        ...nothing,
        previews: async () => {
          readings += 1;
          return [];
        },
      },
      { log },
    );
    await Promise.all([metrics.render(), metrics.render(), metrics.render()]);
    expect(readings).toBe(1);
  });

  it('do not wait for a reading that never ends', async () => {
    const metrics = createManagerMetrics({ ...nothing, queueDepth: () => new Promise(() => undefined) }, { log });
    expect(await scrape(metrics)).toContain('mayfly_scrape_errors_total{metric="mayfly_queue_depth"} 1');
  });

  it('are separate for each manager of a process', async () => {
    const [one, two] = [createManagerMetrics(nothing, { log }), createManagerMetrics(nothing, { log })];
    one.countPush({ outcome: 'published' });
    expect((await scrape(two)).join()).not.toContain('mayfly_git_push_total{');
  });
});

describe('metrics of the agent', () => {
  it('tell states, the breaker and the time of a reconcile', async () => {
    const metrics = createAgentMetrics();
    metrics.setPreviews(
      new Map([
        ['healthy', 2],
        ['degraded', 1],
      ]),
    );
    metrics.setPreviews(new Map([['healthy', 3]]));
    metrics.setBreaker('limit');
    metrics.observeStage({ stage: 'reconcile', durationMs: 400 });
    const lines = await scrape(metrics);
    expect(lines).toEqual(
      expect.arrayContaining([
        'mayfly_agent_previews{state="healthy"} 3',
        'mayfly_breaker_open{where="agent",reason="limit"} 1',
        'mayfly_stage_seconds_count{stage="reconcile"} 1',
      ]),
    );
    expect(lines.join()).not.toMatch(/degraded|reason="none"/);
    metrics.setBreaker(null);
    expect(await scrape(metrics)).toContain('mayfly_breaker_open{where="agent",reason="none"} 0');
  });
});
