import { createHash, timingSafeEqual } from 'node:crypto';

export type Access = 'none' | 'read' | 'write';

/** What a request may do. `token` is the password of basic authentication, or null; the user name counts for nothing. */
export type AccessRule = (request: { repository: string; token: string | null }) => Access;

/** Anybody may do all: for a server that only this machine reaches. */
export function openToAll(): Access {
  return 'write';
}

/** Tokens as a hosted Git has them: those of `write` may read too; a request without one may do nothing. */
export function byTokens(tokens: { read: readonly string[]; write: readonly string[] }): AccessRule {
  return ({ token }) => {
    if (token === null) return 'none';
    if (tokens.write.some((known) => same(known, token))) return 'write';
    return tokens.read.some((known) => same(known, token)) ? 'read' : 'none';
  };
}

/** Password of a basic `Authorization` header, or the token of a bearer's; null when there is none. */
export function tokenOf(authorization: string | undefined): string | null {
  const [scheme, value] = (authorization ?? '').split(' ', 2);
  if (value === undefined) return null;
  if (scheme?.toLowerCase() === 'bearer') return value;
  if (scheme?.toLowerCase() !== 'basic') return null;
  const plain = Buffer.from(value, 'base64').toString('utf8');
  const password = plain.slice(plain.indexOf(':') + 1);
  return password === '' ? null : password;
}

function same(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
