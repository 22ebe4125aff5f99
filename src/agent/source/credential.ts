import { repositoryIsAllowed } from '../../application/repository.js';

/** An entry of the agent's list of repositories. */
export interface RepositoryEntry {
  pattern: string;
  username?: string;
  token?: string;
  /** Where a registry's tokens are issued, when that is another host. */
  realm?: string;
}

/** A credential and the one origin that it may be sent to. */
export interface SourceCredential {
  origin: string;
  token: string;
  username?: string;
  realm?: string;
}

const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * The credential of the first entry that covers one of a repository's addresses and has one; null: none is sent. The
 * origin of an `oci://` address is the registry's over HTTPS, or over HTTP on this machine.
 */
export function credentialFor(
  repository: string | readonly string[],
  entries: readonly RepositoryEntry[],
): SourceCredential | null {
  const addresses = typeof repository === 'string' ? [repository] : repository;
  for (const { pattern, token, username, realm } of entries) {
    const address = addresses.find((each) => repositoryIsAllowed(each, [pattern]));
    const origin = address === undefined ? null : originOf(address);
    if (token === undefined || origin === null) continue;
    // The pattern matched, so scheme, host and port are the pattern's own.
    return {
      origin,
      token,
      ...(username === undefined ? {} : { username }),
      ...(realm === undefined ? {} : { realm }),
    };
  }
  return null;
}

function originOf(address: string): string | null {
  const text = address.replace(/^oci:\/\//i, 'https://');
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (text !== address && loopback.test(url.hostname)) url.protocol = 'http:';
  return url.origin;
}
