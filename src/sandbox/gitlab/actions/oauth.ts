import { createHash, randomBytes } from 'node:crypto';
import type { GitLabContext } from '../context.js';
import type { OAuthApp, Token } from '../model.js';
import { nextId } from '../state.js';
import { userOf } from './access.js';
import { createToken } from './users.js';

const codeLifeMs = 10 * 60_000;
const tokenLifeMs = 2 * 60 * 60_000;

export interface NewOAuthApp {
  name: string;
  redirectUris: string[];
  scopes?: string[];
}

export function createOAuthApp(ctx: GitLabContext, input: NewOAuthApp): OAuthApp {
  const app: OAuthApp = {
    id: nextId(ctx.state, 'oauth-app'),
    name: input.name,
    clientId: randomBytes(32).toString('hex'),
    clientSecret: `gloas-${randomBytes(32).toString('hex')}`,
    redirectUris: input.redirectUris,
    scopes: input.scopes ?? ['openid', 'profile', 'email', 'read_api'],
  };
  ctx.state.oauthApps.set(app.clientId, app);
  return app;
}

/** What a person agreed to, until the code is exchanged. */
export interface Grant {
  clientId: string;
  userId: number;
  redirectUri: string;
  scopes: string[];
  codeChallenge: string | null;
  nonce: string | null;
  expiresAt: number;
}

export interface Grants {
  codes: Map<string, Grant>;
  refresh: Map<string, Grant>;
}

export function issueCode(ctx: GitLabContext, grants: Grants, grant: Omit<Grant, 'expiresAt'>): string {
  const code = randomBytes(32).toString('hex');
  grants.codes.set(code, { ...grant, expiresAt: ctx.clock() + codeLifeMs });
  return code;
}

/** The grant of a code, once; null when the code, the client or the PKCE verifier does not fit. */
export function redeemCode(
  ctx: GitLabContext,
  grants: Grants,
  input: { code: string; clientId: string; redirectUri: string; verifier: string | null },
): Grant | null {
  const grant = grants.codes.get(input.code);
  grants.codes.delete(input.code);
  if (grant === undefined || grant.expiresAt <= ctx.clock()) return null;
  if (grant.clientId !== input.clientId || grant.redirectUri !== input.redirectUri) return null;
  if (grant.codeChallenge === null) return grant;
  const challenge = createHash('sha256')
    .update(input.verifier ?? '')
    .digest('base64url');
  return challenge === grant.codeChallenge ? grant : null;
}

/** An access token that lives two hours, and the refresh token for the next. */
export function issueTokens(
  ctx: GitLabContext,
  grants: Grants,
  grant: Grant,
): { token: Token; refreshToken: string; expiresInSeconds: number } {
  const expiresAt = ctx.clock() + tokenLifeMs;
  const user = userOf(ctx, grant.userId);
  const value = randomBytes(32).toString('hex');
  const token = createToken(ctx, { user, name: 'oauth', scopes: grant.scopes, expiresAt, value, oauth: true });
  const refreshToken = randomBytes(32).toString('hex');
  grants.refresh.set(refreshToken, grant);
  return { token, refreshToken, expiresInSeconds: tokenLifeMs / 1000 };
}
