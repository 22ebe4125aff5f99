import type { KubeConnection } from './connection.js';
import { sendJson } from './send-json.js';

const timeoutMs = 2_500;

/** Resolves when the API server answers, which needs no right of its own. Throws `kube-*` errors. */
export async function askVersion(connection: KubeConnection, signal: AbortSignal): Promise<void> {
  await sendJson(connection, { method: 'GET', path: '/version', timeoutMs, signal });
}
