import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isAuthentic } from '../../../src/manager/receive/verify.js';

const rawBody = Buffer.from('{"object_kind":"push"}');
const nowMs = Date.UTC(2026, 2, 4, 10);
const key = Buffer.alloc(32, 7);
const signingToken = `whsec_${key.toString('base64')}`;

function signed(change: { body?: Buffer; atMs?: number; key?: Buffer } = {}) {
  const timestamp = String(Math.floor((change.atMs ?? nowMs) / 1_000));
  const mac = createHmac('sha256', change.key ?? key)
    .update(`msg-1.${timestamp}.${(change.body ?? rawBody).toString()}`)
    .digest('base64');
  return { 'webhook-id': 'msg-1', 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${mac}` };
}

describe('X-Gitlab-Token', () => {
  const secrets = { tokens: ['new-secret', 'old-secret'], signingTokens: [] };
  const check = (token: string | undefined, given = secrets) =>
    isAuthentic(given, { headers: { 'x-gitlab-token': token }, rawBody, nowMs });

  it('is right when it equals any of the secrets', () => {
    expect(check('new-secret')).toBe(true);
    expect(check('old-secret')).toBe(true);
  });

  it.each([['another'], ['new-secre'], ['new-secret2'], [''], [undefined]])('%j is wrong', (token) => {
    expect(check(token)).toBe(false);
  });

  it('never matches where no secret is configured', () => {
    expect(check('', { tokens: [''], signingTokens: [] })).toBe(false);
    expect(check('x', { tokens: [], signingTokens: [] })).toBe(false);
  });
});

describe('a signature', () => {
  const secrets = { tokens: ['secret'], signingTokens: ['whsec_b3RoZXI=', signingToken] };
  const check = (headers: Record<string, string>, body = rawBody) =>
    isAuthentic(secrets, { headers, rawBody: body, nowMs });

  it('is right with any of the signing tokens', () => {
    expect(check(signed())).toBe(true);
  });

  it('may be one of several', () => {
    const headers = signed();
    const several = `v1,AAAA v2,xyz ${headers['webhook-signature']}`;
    expect(check({ ...headers, 'webhook-signature': several })).toBe(true);
  });

  it('covers every byte of the body', () => {
    expect(check(signed(), Buffer.from('{"object_kind":"push"} '))).toBe(false);
  });

  it('covers id and time', () => {
    expect(check({ ...signed(), 'webhook-id': 'msg-2' })).toBe(false);
    expect(check({ ...signed(), 'webhook-timestamp': String(nowMs / 1_000 + 1) })).toBe(false);
  });

  it('is wrong with another key', () => {
    expect(check(signed({ key: Buffer.alloc(32, 8) }))).toBe(false);
  });

  it('lives five minutes, in both directions', () => {
    expect(check(signed({ atMs: nowMs - 299_000 }))).toBe(true);
    expect(check(signed({ atMs: nowMs + 299_000 }))).toBe(true);
    expect(check(signed({ atMs: nowMs - 301_000 }))).toBe(false);
    expect(check(signed({ atMs: nowMs + 301_000 }))).toBe(false);
  });

  it('that is wrong is not made good by the secret', () => {
    const headers = signed({ key: Buffer.alloc(32, 8) });
    expect(check({ ...headers, 'x-gitlab-token': 'secret' })).toBe(false);
    expect(check({ 'x-gitlab-token': 'secret' })).toBe(true);
  });
});
