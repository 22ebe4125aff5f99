import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isAppError } from '../../../src/error/app-error.js';
import { listen } from '../../../src/manager/web/listen.js';
import { createProbes, type ReadinessCheck } from '../../../src/manager/web/probes.js';
import { createManagerMetrics } from '../../../src/metrics/manager-metrics.js';

const log = pino({ level: 'silent' });

async function start(checks: ReadinessCheck[]): Promise<string> {
  const empty = async () => [];
  const metrics = createManagerMetrics(
    { previews: empty, queueDepth: empty, oldestUnpublished: empty, breaker: empty, agentLastSeen: empty },
    { log },
  );
  const probes = createProbes({ checks, metrics: metrics.render, log });
  const listening = await listen(probes, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => listening.stop(0));
  return `http://127.0.0.1:${listening.port}`;
}

describe('probes', () => {
  it('say that the process lives, whatever its services do', async () => {
    const url = await start([{ name: 'database', run: async () => 'is away' }]);
    const answer = await fetch(`${url}/healthz`);
    expect([answer.status, await answer.text()]).toEqual([200, 'ok\n']);
  });

  it('say ready when every check passes', async () => {
    const url = await start([{ name: 'database', run: async () => null }]);
    const answer = await fetch(`${url}/readyz`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ ready: true, checks: [{ name: 'database', ok: true, reason: null }] });
  });

  it('tell what is wrong without being unready where it is mere advice', async () => {
    const url = await start([
      { name: 'database', run: async () => null },
      { name: 'gitlab', isAdvice: true, run: async () => 'refuses the token' },
    ]);
    const answer = await fetch(`${url}/readyz`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      ready: true,
      checks: [{ ok: true }, { ok: false, reason: 'refuses the token' }],
    });
  });

  it('say what is not ready and why, without what an error holds', async () => {
    const url = await start([
      { name: 'database', run: () => Promise.reject(new TypeError('postgres://user:secret@db')) },
      { name: 'queue', run: async () => 'is stopping' },
      { name: 'branch', run: async () => null },
    ]);
    const answer = await fetch(`${url}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({
      ready: false,
      checks: [
        { name: 'database', ok: false, reason: 'failed: TypeError' },
        { name: 'queue', ok: false, reason: 'is stopping' },
        { name: 'branch', ok: true, reason: null },
      ],
    });
  });

  it('do not wait for a check that never ends', async () => {
    const url = await start([{ name: 'database', run: () => new Promise(() => undefined) }]);
    const answer = await fetch(`${url}/readyz`);
    expect(await answer.json()).toMatchObject({ checks: [{ ok: false, reason: 'no answer within 3 s' }] });
  });

  it('serve the metrics, and nothing else', async () => {
    const url = await start([]);
    const metrics = await fetch(`${url}/metrics`);
    expect(metrics.headers.get('content-type')).toContain('text/plain');
    expect(await metrics.text()).toContain('# TYPE mayfly_stage_seconds histogram');
    expect((await fetch(`${url}/`)).status).toBe(404);
  });
});

describe('listening', () => {
  it('says which address is taken and what to do', async () => {
    const first = await listen((_request, response) => response.end(), { host: '127.0.0.1', port: 0 });
    onTestFinished(() => first.stop(0));
    const error: unknown = await listen(() => undefined, { host: '127.0.0.1', port: first.port }).catch(
      (e: unknown) => e,
    );
    expect(isAppError(error, 'port-taken') && error.publicMessage).toBe(
      `The address 127.0.0.1:${first.port} is in use by another program. Stop that program, or choose another port under \`listen\`.`,
    );
  });

  it('lets a running request end before it stops', async () => {
    let release: () => void = () => undefined;
    const arrived = deferred();
    const listening = await listen(
      (_request, response) => {
        release = () => response.end('done');
        arrived.resolve();
      },
      { host: '127.0.0.1', port: 0 },
    );
    const answer = fetch(`http://127.0.0.1:${listening.port}/`);
    await arrived.promise;
    const stopped = listening.stop(30_000);
    release();
    expect(await (await answer).text()).toBe('done');
    await stopped;
  });
});

function deferred() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
