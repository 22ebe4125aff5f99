import { repositoryIsAllowed } from '../../application/repository.js';

/** An entry of the agent's list of repositories. */
export interface RepositoryEntry {
  pattern: string;
  username?: string;
  token?: string;
}

/** A credential and the one origin that it may be sent to. */
export interface SourceCredential {
  origin: string;
  token: string;
  username?: string;
}

/** The credential of the first entry that covers the repository and has one; null: none is sent. */
export function credentialFor(repository: string, entries: readonly RepositoryEntry[]): SourceCredential | null {
  for (const { pattern, token, username } of entries) {
    if (token === undefined || !URL.canParse(repository)) continue;
    if (!repositoryIsAllowed(repository, [pattern])) continue;
    // The pattern matched, so scheme, host and port are the pattern's own.
    return { origin: new URL(repository).origin, token, ...(username === undefined ? {} : { username }) };
  }
  return null;
}
