import { isAppError } from '../error/app-error.js';
import type { KubeCall, KubeConnection } from './connection.js';
import { statusError, unavailableError } from './kube-errors.js';

/** Largest answer that is read: a page of a list. */
const maxBytes = 64 * 1024 * 1024;

/** Calls the API server and returns its JSON. Throws the `kube-*` error of a refusal, `kube-unavailable` for none. */
export async function sendJson(connection: KubeConnection, call: KubeCall): Promise<unknown> {
  const text = await sendText(connection, call, maxBytes);
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw unavailableError(nameOf(call), 'the answer is not JSON', error);
  }
}

/** The same for a plain answer, such as a log, cut after `limitBytes`. */
export async function sendText(connection: KubeConnection, call: KubeCall, limitBytes: number): Promise<string> {
  const answer = await connection.send(call);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer.body) {
      const part = Buffer.from(chunk as Uint8Array);
      chunks.push(part);
      bytes += part.length;
      if (bytes > limitBytes) break;
    }
  } catch (error) {
    if (call.signal?.aborted) throw call.signal.reason;
    if (isAppError(error)) throw error;
    throw unavailableError(nameOf(call), 'the answer broke off', error);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (answer.statusCode < 300) return text;
  throw statusError(nameOf(call), answer.statusCode, parseStatus(text));
}

function nameOf(call: KubeCall): string {
  return `${call.method} ${call.path.split('?')[0] ?? ''}`;
}

function parseStatus(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { kind: 'Status', message: text.slice(0, 500) };
  }
}
