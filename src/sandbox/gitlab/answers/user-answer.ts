import type { GitLabContext } from '../context.js';
import { avatarUrl, userUrl } from '../links.js';
import type { Member, Token, User } from '../model.js';
import { apiTime } from '../time-format.js';

/** A user as other answers name it. */
export function basicUser(ctx: GitLabContext, user: User) {
  return {
    id: user.id,
    username: user.username,
    public_email: null,
    name: user.name,
    state: 'active',
    locked: false,
    avatar_url: avatarUrl(ctx, user),
    web_url: userUrl(ctx, user),
  };
}

export function basicUserById(ctx: GitLabContext, id: number | null) {
  const user = ctx.state.users.get(id ?? -1);
  return user === undefined ? null : basicUser(ctx, user);
}

export function basicUsersByIds(ctx: GitLabContext, ids: number[]) {
  return ids.map((id) => basicUserById(ctx, id)).filter((user) => user !== null);
}

/** The author of a note, with the two fields more that GitLab's example of a note shows. */
export function noteAuthor(ctx: GitLabContext, id: number) {
  const user = ctx.state.users.get(id);
  if (user === undefined) return null;
  return { ...basicUser(ctx, user), email: user.email, created_at: apiTime(user.createdAt) };
}

/** `GET /user`: oneself. */
export function currentUser(ctx: GitLabContext, user: User) {
  return {
    ...basicUser(ctx, user),
    created_at: apiTime(user.createdAt),
    bio: '',
    location: '',
    bot: user.bot,
    email: user.email,
    commit_email: user.email,
    is_admin: user.admin,
    can_create_project: true,
    two_factor_enabled: false,
    external: false,
    private_profile: false,
    confirmed_at: apiTime(user.createdAt),
    last_activity_on: apiTime(user.createdAt).slice(0, 10),
    identities: [],
  };
}

export function memberAnswer(ctx: GitLabContext, member: Member) {
  const user = ctx.state.users.get(member.userId);
  if (user === undefined) return null;
  return {
    ...basicUser(ctx, user),
    access_level: member.accessLevel,
    email: user.email,
    created_at: apiTime(member.createdAt),
    expires_at: null,
    group_saml_identity: null,
    membership_state: 'active',
  };
}

export function tokenAnswer(token: Token, now: number) {
  const expired = token.expiresAt !== null && token.expiresAt <= now;
  return {
    id: token.id,
    name: token.name,
    description: null,
    revoked: token.revoked,
    created_at: apiTime(token.createdAt),
    scopes: token.scopes,
    user_id: token.userId,
    last_used_at: apiTime(now),
    active: !token.revoked && !expired,
    expires_at: token.expiresAt === null ? null : apiTime(token.expiresAt).slice(0, 10),
  };
}
