import { randomBytes } from 'node:crypto';
import { conflict } from '../api-error.js';
import type { GitLabContext } from '../context.js';
import type { AccessLevel, Project, Token, User } from '../model.js';
import { nextId } from '../state.js';

export interface NewUser {
  username: string;
  name?: string;
  email?: string;
  admin?: boolean;
  bot?: boolean;
}

export function createUser(ctx: GitLabContext, input: NewUser): User {
  if (ctx.index.userIds.has(input.username)) throw conflict('Username has already been taken');
  const words = input.username.split(/[-_.]/).filter((word) => word !== '');
  const user: User = {
    id: nextId(ctx.state, 'user'),
    username: input.username,
    name: input.name ?? words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(' '),
    email: input.email ?? `${input.username}@example.com`,
    admin: input.admin ?? false,
    bot: input.bot ?? false,
    createdAt: ctx.clock(),
  };
  ctx.state.users.set(user.id, user);
  ctx.index.userIds.set(user.username, user.id);
  return user;
}

export interface NewToken {
  user: User;
  name?: string;
  scopes?: string[];
  /** Epoch milliseconds; default: never. */
  expiresAt?: number | null;
  value?: string;
  oauth?: boolean;
}

export function createToken(ctx: GitLabContext, input: NewToken): Token {
  const token: Token = {
    id: nextId(ctx.state, 'token'),
    value: input.value ?? `glpat-${randomBytes(15).toString('base64url')}`,
    name: input.name ?? 'token',
    userId: input.user.id,
    scopes: input.scopes ?? ['api'],
    createdAt: ctx.clock(),
    expiresAt: input.expiresAt ?? null,
    revoked: false,
    oauth: input.oauth ?? false,
  };
  ctx.state.tokens.set(token.value, token);
  return token;
}

export function addMember(
  ctx: GitLabContext,
  project: Project,
  user: User,
  accessLevel: AccessLevel,
  inherited = false,
): void {
  project.members.set(user.id, { userId: user.id, accessLevel, inherited, createdAt: ctx.clock() });
}
