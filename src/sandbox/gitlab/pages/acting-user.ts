import type { Request } from 'express';
import type { GitLabContext } from '../context.js';
import type { User } from '../model.js';

const cookieName = 'sandbox_user';

/** Who clicks in the pages: the user that the cookie names, else the first person who is no administrator, else root. */
export function actingUser(ctx: GitLabContext, request: Request): User {
  const cookie = new RegExp(`(?:^|;\\s*)${cookieName}=(\\d+)`).exec(request.get('cookie') ?? '')?.[1];
  const people = [...ctx.state.users.values()].filter(({ bot }) => !bot);
  const chosen = people.find(({ id }) => id === Number(cookie));
  const user = chosen ?? people.find(({ admin }) => !admin) ?? people[0];
  if (user === undefined) throw new Error('a stand-in without users');
  return user;
}

export function actingCookie(userId: number): string {
  return `${cookieName}=${userId}; Path=/; HttpOnly; SameSite=Strict`;
}
