import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** What proves that a delivery comes from GitLab. Several of each are good while one replaces another. */
export interface WebhookSecrets {
  /** Values of `X-Gitlab-Token`. */
  tokens: readonly string[];
  /** `whsec_<base64>`: keys of signed webhooks. */
  signingTokens: readonly string[];
}

/** The headers that matter, as Node gives them: lower case. */
export interface DeliveryHeaders {
  'x-gitlab-token'?: string | undefined;
  'x-gitlab-event'?: string | undefined;
  'idempotency-key'?: string | undefined;
  'webhook-id'?: string | undefined;
  'webhook-timestamp'?: string | undefined;
  'webhook-signature'?: string | undefined;
}

/** A signature is good this long before and after its time stamp. */
const toleranceMs = 5 * 60_000;

/**
 * Whether one of `secrets` vouches for the delivery. A signature is judged over the raw bytes; where one is sent and
 * signing tokens are known it alone decides, so that a leaked `X-Gitlab-Token` cannot stand in for it.
 */
export function isAuthentic(
  secrets: WebhookSecrets,
  delivery: { headers: DeliveryHeaders; rawBody: Uint8Array; nowMs: number },
): boolean {
  const { headers } = delivery;
  if (headers['webhook-signature'] !== undefined && secrets.signingTokens.length > 0) {
    return isSigned(secrets.signingTokens, delivery);
  }
  const token = headers['x-gitlab-token'];
  if (token === undefined || token === '') return false;
  return anyOf(secrets.tokens, (secret) => isEqual(secret, token));
}

function isSigned(
  signingTokens: readonly string[],
  delivery: { headers: DeliveryHeaders; rawBody: Uint8Array; nowMs: number },
): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': header } = delivery.headers;
  if (id === undefined || timestamp === undefined || header === undefined || !/^\d{1,12}$/.test(timestamp))
    return false;
  if (Math.abs(delivery.nowMs - Number(timestamp) * 1_000) > toleranceMs) return false;
  const given = header.split(' ').filter((one) => one.startsWith('v1,'));
  return anyOf(signingTokens, (signingToken) => {
    const key = Buffer.from(signingToken.replace(/^whsec_/, ''), 'base64');
    const mac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(delivery.rawBody).digest('base64');
    return anyOf(given, (one) => isEqual(`v1,${mac}`, one));
  });
}

/** Tries all of them, so that the time says nothing of which one matched. */
function anyOf<T>(candidates: readonly T[], matches: (candidate: T) => boolean): boolean {
  return candidates.reduce((found, candidate) => matches(candidate) || found, false);
}

/** In constant time; digests are compared because `timingSafeEqual` refuses unequal lengths. */
function isEqual(expected: string, given: string): boolean {
  if (expected === '') return false;
  return timingSafeEqual(digest(expected), digest(given));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
