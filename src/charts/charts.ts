import { Agent } from 'undici';
import type { ChartCredential, ChartRequest } from './fetch-input.js';
import { fetchFromIndex } from './http-repository.js';
import { fetchFromRegistry } from './oci-registry.js';
import { type ChartFile, unpackChart } from './unpack-chart.js';

export interface ChartsOptions {
  /** The credential for a chart, by its repository's address and its own below that; null: none is sent. */
  credentialFor(addresses: readonly string[]): ChartCredential | null;
  /** Whether something may be fetched from an address that a repository's index names. */
  allows(address: string): boolean;
  /** Of packages that are kept in memory. Default 64 MiB. */
  cacheBytes?: number;
}

export interface Charts {
  /** The files of one version of a chart, by their path within it. Throws `source-*` errors. */
  fetch(input: ChartRequest): Promise<ChartFile[]>;
  /** The same of a package at hand. */
  unpack(content: Uint8Array): Promise<ChartFile[]>;
  close(): Promise<void>;
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
        credential: options.credentialFor([input.repository, `${input.repository}/${input.chart}`]),
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
    unpack: unpackChart,
    close: () => dispatcher.destroy(),
  };
}
