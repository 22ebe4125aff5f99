import type { RequestListener, ServerResponse } from 'node:http';
import type { Logger } from 'pino';

/** One condition of being ready. */
export interface ReadinessCheck {
  /** Such as `database`. */
  name: string;
  /** Resolves to null when all is well, else to what is wrong and what to do. Must end when the signal fires. */
  run(signal: AbortSignal): Promise<string | null>;
  /** It is told, and does not stand in the way of being ready. Default false. */
  isAdvice?: boolean;
}

export interface ProbeDeps {
  checks: readonly ReadinessCheck[];
  metrics(): Promise<{ contentType: string; body: string }>;
  log: Logger;
}

const checkTimeoutMs = 3_000;

/**
 * `GET /healthz` (200 while the process answers), `GET /readyz` (200 when every check that counts passes, else 503, with each
 * check's reason as JSON) and `GET /metrics`. For a port that only the platform reaches.
 */
export function createProbes(deps: ProbeDeps): RequestListener {
  return (request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    answer(deps, path, response).catch((error: unknown) => {
      deps.log.error({ err: error, path }, 'probe failed');
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  };
}

async function answer(deps: ProbeDeps, path: string, response: ServerResponse): Promise<void> {
  if (path === '/healthz') return send(response, 200, 'text/plain; charset=utf-8', 'ok\n');
  if (path === '/readyz') {
    const checks = await Promise.all(deps.checks.map((check) => runCheck(check)));
    const ready = checks.every((check, index) => check.ok || deps.checks[index]?.isAdvice === true);
    return send(response, ready ? 200 : 503, 'application/json', JSON.stringify({ ready, checks }));
  }
  if (path === '/metrics') {
    const { contentType, body } = await deps.metrics();
    return send(response, 200, contentType, body);
  }
  return send(response, 404, 'text/plain; charset=utf-8', 'Here are /healthz, /readyz and /metrics.\n');
}

async function runCheck(check: ReadinessCheck): Promise<{ name: string; ok: boolean; reason: string | null }> {
  const signal = AbortSignal.timeout(checkTimeoutMs);
  const late = new Promise<string>((resolve) => {
    signal.addEventListener('abort', () => resolve(`no answer within ${checkTimeoutMs / 1_000} s`), { once: true });
  });
  // A check that fails is an answer: what it failed of may hold an address, so only its kind is told.
  const outcome = check
    .run(signal)
    .catch((error: unknown) => `failed: ${error instanceof Error ? error.name : 'error'}`);
  const reason = await Promise.race([outcome, late]);
  return { name: check.name, ok: reason === null, reason };
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
  response.end(body);
}
