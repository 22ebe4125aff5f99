import { createSign, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import express, { type Request, type Response, Router } from 'express';
import { userOf } from '../actions/access.js';
import { type Grant, type Grants, issueCode, issueTokens, redeemCode } from '../actions/oauth.js';
import type { GitLabContext } from '../context.js';
import { avatarUrl, userUrl } from '../links.js';
import type { OAuthApp, User } from '../model.js';
import { actingUser } from '../pages/acting-user.js';
import { refuseForeignOrigins } from '../pages/refuse-foreign-origins.js';
import type { RenderPage } from '../pages/render-page.js';
import { frameView } from '../pages/views.js';

interface Keys {
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
}

/** OAuth 2 with PKCE and OpenID Connect, as far as signing in needs it. */
export function createOAuthRoutes(ctx: GitLabContext, renderPage: RenderPage): Router {
  const router = Router();
  const grants: Grants = { codes: new Map(), refresh: new Map() };
  let made: Keys | null = null;
  const keys = (): Keys => {
    // Made when first needed: most who start the stand-in never sign in.
    made ??= { kid: randomUUID(), ...generateKeyPairSync('rsa', { modulusLength: 2048 }) };
    return made;
  };
  router.use('/oauth', express.urlencoded({ extended: false }), express.json());
  describeIssuer(router, ctx, keys);
  router.get('/oauth/authorize', (request, response) => askPerson(ctx, renderPage, request, response));
  router.post('/oauth/authorize', refuseForeignOrigins(ctx.publicUrl), (request, response) => {
    const asked = askedGrant(ctx, field(request.body));
    const user = ctx.state.users.get(Number(request.body?.user));
    if (asked === null || user === undefined) {
      response.status(400).type('text/plain').send('The client or the address to return to is not known.\n');
      return;
    }
    const target = new URL(asked.grant.redirectUri);
    target.searchParams.set('code', issueCode(ctx, grants, { ...asked.grant, userId: user.id }));
    if (asked.state !== '') target.searchParams.set('state', asked.state);
    response.redirect(303, target.href);
  });
  router.post('/oauth/token', (request, response) => {
    const grant = grantOf(ctx, grants, request);
    if (grant === null) {
      response.status(400).json({ error: 'invalid_grant', error_description: 'The provided grant is invalid.' });
      return;
    }
    const { token, refreshToken, expiresInSeconds } = issueTokens(ctx, grants, grant);
    response.set('cache-control', 'no-store').json({
      access_token: token.value,
      token_type: 'Bearer',
      expires_in: expiresInSeconds,
      refresh_token: refreshToken,
      scope: grant.scopes.join(' '),
      created_at: Math.floor(ctx.clock() / 1000),
      ...(grant.scopes.includes('openid') ? { id_token: idToken(ctx, keys(), grant) } : {}),
    });
  });
  userInfo(router, ctx);
  return router;
}

function userInfo(router: Router, ctx: GitLabContext): void {
  router.all('/oauth/userinfo', (request, response) => {
    const bearer = /^Bearer (.+)$/i.exec(request.get('authorization') ?? '')?.[1];
    const token = ctx.state.tokens.get(bearer ?? '');
    const user = ctx.state.users.get(token?.userId ?? -1);
    if (token === undefined || user === undefined || (token.expiresAt ?? Number.POSITIVE_INFINITY) <= ctx.clock()) {
      response.status(401).set('www-authenticate', 'Bearer error="invalid_token"').json({ error: 'invalid_token' });
      return;
    }
    response.json({ ...claims(ctx, user), groups: groupsOf(ctx, user) });
  });
}

function field(source: unknown): (name: string) => string {
  const record = typeof source === 'object' && source !== null ? (source as Record<string, unknown>) : {};
  return (name) => (typeof record[name] === 'string' ? record[name] : '');
}

function describeIssuer(router: Router, ctx: GitLabContext, keys: () => Keys): void {
  router.get('/.well-known/openid-configuration', (_request, response) => {
    const issuer = ctx.publicUrl();
    response.json({
      issuer,
      authorization_endpoint: `${issuer}/oauth/authorize`,
      token_endpoint: `${issuer}/oauth/token`,
      userinfo_endpoint: `${issuer}/oauth/userinfo`,
      jwks_uri: `${issuer}/oauth/discovery/keys`,
      scopes_supported: ['api', 'read_api', 'read_user', 'openid', 'profile', 'email'],
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      code_challenge_methods_supported: ['S256'],
    });
  });
  router.get('/oauth/discovery/keys', (_request, response) => {
    const { kid, publicKey } = keys();
    response.json({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }] });
  });
}

/** null when the client is not known or asks to return elsewhere: such a request is never redirected. */
function askedGrant(
  ctx: GitLabContext,
  get: (name: string) => string,
): { app: OAuthApp; grant: Omit<Grant, 'expiresAt' | 'userId'>; state: string } | null {
  const app = ctx.state.oauthApps.get(get('client_id'));
  const redirectUri = get('redirect_uri');
  if (app === undefined || !app.redirectUris.includes(redirectUri)) return null;
  const scopes = get('scope')
    .split(' ')
    .filter((scope) => app.scopes.includes(scope));
  const codeChallenge = get('code_challenge') || null;
  const nonce = get('nonce') || null;
  return { app, grant: { clientId: app.clientId, redirectUri, scopes, codeChallenge, nonce }, state: get('state') };
}

function askPerson(ctx: GitLabContext, renderPage: RenderPage, request: Request, response: Response): void {
  const user = actingUser(ctx, request);
  const asked = askedGrant(ctx, field(request.query));
  if (asked === null) {
    const message = 'The client or the address to return to is not known.';
    const view = { ...frameView({ ctx, user }, 'Not done', null), message, back: '/' };
    response.status(400).type('html').send(renderPage('message', view));
    return;
  }
  const names = ['client_id', 'redirect_uri', 'scope', 'state', 'nonce', 'code_challenge'];
  const get = field(request.query);
  const frame = frameView({ ctx, user }, `Sign in to ${asked.app.name}`, null);
  const kept = names.map((name) => ({ name, value: get(name) }));
  // Browsers hold the redirect after a form to the form's policy too.
  const formAction = `form-action 'self' ${new URL(asked.grant.redirectUri).origin}`;
  response.set('content-security-policy', `default-src 'none'; style-src 'self'; script-src 'self'; ${formAction}`);
  response.type('html').send(renderPage('authorize', { ...frame, app: asked.app.name, kept }));
}

function grantOf(ctx: GitLabContext, grants: Grants, request: Request): Grant | null {
  const get = field(request.body);
  const basic = /^Basic (.+)$/i.exec(request.get('authorization') ?? '')?.[1];
  const [basicId, basicSecret] = Buffer.from(basic ?? '', 'base64')
    .toString('utf8')
    .split(':')
    .map(decodeURIComponent);
  const clientId = get('client_id') || (basicId ?? '');
  const app = ctx.state.oauthApps.get(clientId);
  if (app === undefined || app.clientSecret !== (get('client_secret') || basicSecret)) return null;
  if (get('grant_type') === 'refresh_token') {
    const grant = grants.refresh.get(get('refresh_token')) ?? null;
    grants.refresh.delete(get('refresh_token'));
    return grant?.clientId === clientId ? grant : null;
  }
  if (get('grant_type') !== 'authorization_code') return null;
  const verifier = get('code_verifier') || null;
  return redeemCode(ctx, grants, { code: get('code'), clientId, redirectUri: get('redirect_uri'), verifier });
}

function claims(ctx: GitLabContext, user: User) {
  return {
    sub: String(user.id),
    name: user.name,
    nickname: user.username,
    preferred_username: user.username,
    email: user.email,
    email_verified: true,
    profile: userUrl(ctx, user),
    picture: avatarUrl(ctx, user),
  };
}

function groupsOf(ctx: GitLabContext, user: User): string[] {
  const groups = new Set<string>();
  for (const project of ctx.state.projects.values()) {
    if (project.members.has(user.id)) groups.add(project.path.slice(0, project.path.lastIndexOf('/')));
  }
  return [...groups];
}

function idToken(ctx: GitLabContext, keys: Keys, grant: Grant): string {
  const now = Math.floor(ctx.clock() / 1000);
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = part({ typ: 'JWT', alg: 'RS256', kid: keys.kid });
  const body = part({
    iss: ctx.publicUrl(),
    aud: grant.clientId,
    iat: now,
    exp: now + 120,
    auth_time: now,
    ...(grant.nonce === null ? {} : { nonce: grant.nonce }),
    ...claims(ctx, userOf(ctx, grant.userId)),
  });
  const signature = createSign('RSA-SHA256').update(`${header}.${body}`).sign(keys.privateKey, 'base64url');
  return `${header}.${body}.${signature}`;
}
