import { createHmac } from 'node:crypto';

/** `webhook-signature` by the Standard Webhooks scheme, from a token `whsec_<base64 of the key>`. */
export function signDelivery(signingToken: string, id: string, timestampSeconds: number, body: string): string {
  const key = Buffer.from(signingToken.replace(/^whsec_/, ''), 'base64');
  const digest = createHmac('sha256', key).update(`${id}.${timestampSeconds}.${body}`).digest('base64');
  return `v1,${digest}`;
}
