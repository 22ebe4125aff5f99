import { createHash } from 'node:crypto';
import type { Agent } from 'undici';
import { chartError } from './chart-error.js';

/** What opens a chart repository, and the one origin that it may be sent to. */
export interface ChartCredential {
  origin: string;
  token: string;
  username?: string;
  /** Where a registry's tokens are issued, when that is another host: the credential is sent there too. */
  realm?: string;
}

export interface ChartRequest {
  /** `https://…`, the folder of an `index.yaml`; or `oci://…`, what the chart's name is appended to. */
  repository: string;
  chart: string;
  version: string;
  signal: AbortSignal;
}

/** How a package is had from one kind of repository. */
export interface FetchInput extends ChartRequest {
  dispatcher: Agent;
  credential: ChartCredential | null;
  allows(address: string): boolean;
}

export function basicAuthorization({ username, token }: ChartCredential): string {
  return `Basic ${Buffer.from(`${username ?? 'oauth2'}:${token}`).toString('base64')}`;
}

/** Throws `source-digest` unless the content is what its SHA-256, in hexadecimal digits, says. */
export function checkDigest(content: Buffer, expected: string, what: string): void {
  const actual = createHash('sha256').update(content).digest('hex');
  if (actual === expected.replace(/^sha256:/, '').toLowerCase()) return;
  throw chartError('source-digest', `${what} is not what its repository's digest says`);
}
