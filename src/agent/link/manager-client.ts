import { Agent, request } from 'undici';
import type { z } from 'zod';
import { AppError, isAppError } from '../../error/app-error.js';
import { explainAnswerSchema } from '../../protocol/explain.js';
import type { ObservationMessage } from '../../protocol/observations.js';
import { type Poll, type PollAnswer, pollAnswerSchema } from '../../protocol/poll.js';
import { followHints } from './hints.js';

export interface ManagerOptions {
  /** Of the manager's agent endpoint: HTTPS, or plain HTTP on this machine. */
  url: string;
  token: string;
}

/** What the agent says to its manager, and hears. All calls throw `manager-*` errors. */
export interface ManagerClient {
  poll(body: Poll, signal: AbortSignal): Promise<PollAnswer>;
  observe(observations: ObservationMessage[], signal: AbortSignal): Promise<void>;
  /** Why each is to go, in the order asked; null where nobody can say. `lives`: it is to go on. */
  explain(
    deletions: { slug: string; incarnation: number }[],
    signal: AbortSignal,
  ): Promise<{ explanation: string | null; lives: boolean }[]>;
  /** Calls `onHint` with the branch's head, now and at each change; resolves when the signal aborts. */
  followHints(onHint: (head: string | null) => void, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

const nothingSaid: PollAnswer = { orders: [], unheard: [] };
const callMs = 10_000;
const maxAnswerBytes = 4 * 1024 * 1024;
const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Opens the manager of this agent. Throws `manager-address` for one that the token may not be sent to. */
export function createManagerClient(options: ManagerOptions): ManagerClient {
  const base = addressOf(options.url);
  const agent = new Agent({ connections: 4, keepAliveTimeout: 60_000 });
  const headers = { authorization: `Bearer ${options.token}`, accept: 'application/json' };

  async function post<T>(
    path: string,
    body: unknown,
    schema: z.ZodType<T> | null,
    signal: AbortSignal,
  ): Promise<T | null> {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(callMs)]);
    try {
      const answer = await request(base + path, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: limited,
        dispatcher: agent,
      });
      if (answer.statusCode >= 300) {
        await answer.body.dump();
        throw refused(path, answer.statusCode);
      }
      if (schema === null) {
        await answer.body.dump();
        return null;
      }
      return schema.parse(JSON.parse(await readLimited(answer.body)));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw isAppError(error) ? error : unreachable(path, error);
    }
  }

  return {
    poll: async (body, signal) => (await post('/agent/v1/poll', body, pollAnswerSchema, signal)) ?? nothingSaid,
    observe: async (observations, signal) =>
      void (await post('/agent/v1/observations', { observations }, null, signal)),
    async explain(deletions, signal) {
      const answer = await post('/agent/v1/explain', { deletions }, explainAnswerSchema, signal);
      const said = new Map((answer?.deletions ?? []).map((each) => [`${each.slug}#${each.incarnation}`, each]));
      return deletions.map(({ slug, incarnation }) => {
        const { explanation = null, lives = false } = said.get(`${slug}#${incarnation}`) ?? {};
        return { explanation, lives };
      });
    },
    followHints: (onHint, signal) => followHints({ url: `${base}/agent/v1/hints`, headers, agent }, onHint, signal),
    close: () => agent.destroy(),
  };
}

async function readLimited(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxAnswerBytes) throw unreachable('answer', new Error('too large'));
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function addressOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const safe = url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && loopback.test(url.hostname)));
  if (!safe || url.username !== '' || url.search !== '') {
    throw new AppError({
      code: 'manager-address',
      disposition: 'stall',
      publicMessage: 'manager.url must be an https address (http only on this machine), without user name or query.',
    });
  }
  return (url.origin + url.pathname).replace(/\/+$/, '');
}

function refused(path: string, status: number): AppError {
  const transient = status === 429 || status >= 500;
  return new AppError({
    code:
      status === 401 || status === 403 ? 'manager-unauthorized' : transient ? 'manager-unreachable' : 'manager-refused',
    disposition: transient ? 'retry' : 'stall',
    publicMessage: `The manager answered ${path} with status ${status}; check the agent's token and that both programs are of the same version.`,
    data: { path, status },
  });
}

function unreachable(path: string, cause: unknown): AppError {
  return new AppError({
    code: 'manager-unreachable',
    disposition: 'retry',
    publicMessage: `The manager cannot be reached (${path}); observations are kept and sent later.`,
    data: { path },
    cause,
  });
}
