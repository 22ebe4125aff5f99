import { createHash } from 'node:crypto';
import { Agent } from 'undici';
import { chartError } from './chart-error.js';
import { fetchFromIndex } from './http-repository.js';
import { fetchFromRegistry } from './oci-registry.js';
import { type ChartFile, unpackChart } from './unpack-chart.js';

/** What opens a chart repository, and the one origin that it may be sent to. */
export interface ChartCredential {
  origin: string;
  token: string;
  username?: string;
  /** Where a registry's tokens are issued, when that is another host: the credential is sent there too. */
  realm?: string;
}

export interface ChartsOptions {
  /** The credential for a repository, `https://…` or `oci://…`; null: none is sent. */
  credentialFor(repository: string): ChartCredential | null;
  /** Whether something may be fetched from an address that a repository's index names. */
  allows(address: string): boolean;
  /** Of packages that are kept in memory. Default 64 MiB. */
  cacheBytes?: number;
}

export interface ChartRequest {
  /** `https://…`, the folder of an `index.yaml`; or `oci://…`, what the chart's name is appended to. */
  repository: string;
  chart: string;
  version: string;
  signal: AbortSignal;
}

export interface Charts {
  /** The files of one version of a chart, by their path within it. Throws `source-*` errors. */
  fetch(input: ChartRequest): Promise<ChartFile[]>;
  close(): Promise<void>;
}

/** How a package is had from one kind of repository. */
export interface FetchInput extends ChartRequest {
  dispatcher: Agent;
  credential: ChartCredential | null;
  allows(address: string): boolean;
}

/** A version of a chart is taken to be the same for ever: it is fetched once while there is room for it. */
export function createCharts(options: ChartsOptions): Charts {
  const dispatcher = new Agent({ connections: 8, headersTimeout: 30_000, bodyTimeout: 30_000 });
  const cacheBytes = options.cacheBytes ?? 64 * 1024 * 1024;
  const packages = new Map<string, Buffer>();
  let kept = 0;

  function keep(key: string, content: Buffer): void {
    if (content.byteLength > cacheBytes || packages.has(key)) return;
    packages.set(key, content);
    kept += content.byteLength;
    for (const [oldest, old] of packages) {
      if (kept <= cacheBytes) break;
      packages.delete(oldest);
      kept -= old.byteLength;
    }
  }

  return {
    async fetch(input) {
      const key = JSON.stringify([input.repository, input.chart, input.version]);
      const known = packages.get(key);
      if (known !== undefined) return unpackChart(known);
      const from = {
        ...input,
        dispatcher,
        credential: options.credentialFor(input.repository),
        allows: options.allows,
      };
      const content = input.repository.startsWith('oci://')
        ? await fetchFromRegistry(from)
        : await fetchFromIndex(from);
      const files = await unpackChart(content);
      // What cannot be unpacked is not worth keeping.
      keep(key, content);
      return files;
    },
    close: () => dispatcher.destroy(),
  };
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
