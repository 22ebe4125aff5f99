import { randomUUID } from 'node:crypto';
import { type Agent, request } from 'undici';
import type { GitLabContext } from '../context.js';
import type { Hook } from './hook.js';
import { signDelivery } from './sign-delivery.js';

/** One webhook that was, or was to be, sent. */
export interface Delivery {
  id: number;
  hookId: number;
  projectId: number;
  event: string;
  idempotencyKey: string;
  body: string;
  /** Codes of all attempts; null: no answer in time, or no connection. */
  answers: (number | null)[];
  /** Dropped by the trouble that was asked for, or because the hook is disabled. */
  lost: boolean;
}

/** Sends it once; gives the code of the answer, null when there was none in time. */
export async function deliver(
  ctx: GitLabContext,
  agent: Agent,
  hook: Hook,
  delivery: Delivery,
): Promise<number | null> {
  try {
    const headers = deliveryHeaders(ctx, hook, delivery);
    const answer = await request(hook.url, { method: 'POST', dispatcher: agent, headers, body: delivery.body });
    await answer.body.dump();
    return answer.statusCode;
  } catch (error) {
    // Whatever broke the delivery, GitLab notes it and goes on; nothing is sent again.
    ctx.log?.debug({ err: error, hook: hook.id }, 'webhook delivery failed');
    return null;
  }
}

function deliveryHeaders(ctx: GitLabContext, hook: Hook, delivery: Delivery): Record<string, string> {
  const timestamp = Math.floor(ctx.clock() / 1000);
  const key = delivery.idempotencyKey;
  const signature = hook.signingToken === null ? null : signDelivery(hook.signingToken, key, timestamp, delivery.body);
  return {
    'content-type': 'application/json',
    'user-agent': 'GitLab/18.6.0',
    'idempotency-key': key,
    'x-gitlab-event': delivery.event,
    'x-gitlab-webhook-uuid': randomUUID(),
    'x-gitlab-instance': ctx.publicUrl(),
    'x-gitlab-event-uuid': randomUUID(),
    ...(hook.token === null ? {} : { 'x-gitlab-token': hook.token }),
    ...(signature === null
      ? {}
      : { 'webhook-id': key, 'webhook-timestamp': String(timestamp), 'webhook-signature': signature }),
  };
}
