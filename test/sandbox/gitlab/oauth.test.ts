import { createHash, createPublicKey, createVerify, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { api, testGitLab } from './gitlab-fixture.js';

it('signs a person in with a code, PKCE and a signed identity, once for each code', async () => {
  const gitlab = await testGitLab();
  const project = await gitlab.createProject({ path: 'acme/shop' });
  const alice = gitlab.addUser({ username: 'alice', project });
  const redirectUri = 'http://127.0.0.1:9/callback';
  const app = gitlab.addOAuthApp({ name: 'Mayfly', redirectUris: [redirectUri] });
  const verifier = randomBytes(32).toString('base64url');
  const asked = new URLSearchParams({
    client_id: app.clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid profile email read_api',
    state: 'abc',
    nonce: 'n-1',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const page = await fetch(`${gitlab.url}/oauth/authorize?${asked}`);
  expect(await page.text()).toContain('Sign in to Mayfly');
  const elsewhere = new URLSearchParams(asked);
  elsewhere.set('redirect_uri', 'http://evil.example/');
  expect((await fetch(`${gitlab.url}/oauth/authorize?${elsewhere}`)).status).toBe(400);

  const agreed = new URLSearchParams(asked);
  agreed.set('user', String(alice.id));
  const agree = { method: 'POST', body: agreed, redirect: 'manual' } as const;
  const back = new URL((await fetch(`${gitlab.url}/oauth/authorize`, agree)).headers.get('location') ?? '');
  expect(back.searchParams.get('state')).toBe('abc');
  const exchange = async (codeVerifier: string, code: string) => {
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      client_id: app.clientId,
      client_secret: app.clientSecret,
      code_verifier: codeVerifier,
    });
    const answer = await fetch(`${gitlab.url}/oauth/token`, { method: 'POST', body });
    return { status: answer.status, body: (await answer.json()) as Record<string, string> };
  };
  const code = back.searchParams.get('code') ?? '';
  const tokens = await exchange(verifier, code);
  expect(tokens.status).toBe(200);
  expect((await exchange(verifier, code)).status).toBe(400);

  const [header = '', payload = '', signature = ''] = (tokens.body.id_token ?? '').split('.');
  const keys = (await (await fetch(`${gitlab.url}/oauth/discovery/keys`)).json()) as { keys: { kty: string }[] };
  const key = createPublicKey({ key: keys.keys[0] ?? {}, format: 'jwk' });
  const verified = createVerify('RSA-SHA256').update(`${header}.${payload}`).verify(key, signature, 'base64url');
  expect(verified).toBe(true);
  const identity = JSON.parse(Buffer.from(payload, 'base64url').toString());
  expect(identity).toMatchObject({ iss: gitlab.url, aud: app.clientId, sub: String(alice.id), nonce: 'n-1' });
  const bearer = { headers: { authorization: `Bearer ${tokens.body.access_token}` } };
  const info = await (await fetch(`${gitlab.url}/oauth/userinfo`, bearer)).json();
  expect(info).toMatchObject({ nickname: 'alice', groups: ['acme'] });
  const token = tokens.body.access_token ?? '';
  expect((await api(gitlab, '/projects/1', { token })).status).toBe(200);
  const note = { body: { body: 'x' }, token };
  await gitlab.createMergeRequest(project, {});
  expect((await api(gitlab, '/projects/1/merge_requests/1/notes', note)).status).toBe(403);

  const again = new URL((await fetch(`${gitlab.url}/oauth/authorize`, agree)).headers.get('location') ?? '');
  expect((await exchange('wrong', again.searchParams.get('code') ?? '')).status).toBe(400);
});
