import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ApiTokenConfig } from './manager-config.js';

/** Both halves of a new token for the API: one for the caller, one for `api.tokens`. */
export interface NewApiToken {
  /** Shown once, kept by the caller alone. */
  token: string;
  /** `sha256:…`; no secret, for the token cannot be found from it. */
  hash: string;
}

/** A token of 256 random bits; that many need no slow hash. */
export function newApiToken(): NewApiToken {
  const token = `mayfly_${randomBytes(32).toString('base64url')}`;
  return { token, hash: hashApiToken(token) };
}

function hashApiToken(token: string): string {
  return `sha256:${createHash('sha256').update(token).digest('hex')}`;
}

/** Whose token it is; null when it is nobody's. Takes the same time whichever entry matches. */
export function findApiToken(
  tokens: readonly ApiTokenConfig[],
  presented: string,
): { name: string; scope: 'read' | 'operate' } | null {
  const hash = Buffer.from(hashApiToken(presented));
  let found: { name: string; scope: 'read' | 'operate' } | null = null;
  for (const entry of tokens) {
    const expected = Buffer.from(entry.hash);
    // Hashes of one form have one length; timingSafeEqual throws on others.
    if (expected.length === hash.length && timingSafeEqual(expected, hash)) {
      found = { name: entry.name, scope: entry.scope };
    }
  }
  return found;
}
