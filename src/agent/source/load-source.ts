import type { Application } from '../../application/application.js';
import { AppError, isAppError } from '../../error/app-error.js';
import type { Bundle } from '../bundle.js';
import type { Manifest } from '../manifest.js';
import { type DirectorySource, describeSource } from './describe-source.js';
import { readDirectory, type SourceTree } from './read-directory.js';

/** One repository, fetched on demand. */
interface SourceRepository extends SourceTree {
  /** Brings a commit with its whole tree; returns at once when it is there. */
  fetchSha(sha: string, options: { fallbackRef?: string; signal?: AbortSignal }): Promise<void>;
}

export interface SourceDeps {
  open(repository: string): Promise<SourceRepository>;
}

export interface SourceOptions {
  /** Patterns of repositories that may be deployed from. */
  allowed: readonly string[];
  /** Of fetching and reading one source. */
  timeoutMs: number;
  /** Of parsed manifests that are kept. */
  cacheBytes: number;
}

/** Yields the manifests of Applications, each source read once while it is kept. */
export interface SourceLoader {
  /** Throws `source-*` errors, and Git's own when the repository cannot be reached. */
  load(application: Application, signal: AbortSignal): Promise<readonly Bundle[]>;
}

/** Fetched commits stay on disk; this keeps the parsed manifests of those that were used last. */
export function createSourceLoader(deps: SourceDeps, options: SourceOptions): SourceLoader {
  const cache = new Map<string, { manifests: Manifest[]; bytes: number }>();
  let kept = 0;

  function keep(key: string, manifests: Manifest[]): void {
    const bytes = JSON.stringify(manifests).length;
    if (cache.has(key) || bytes > options.cacheBytes) return;
    cache.set(key, { manifests, bytes });
    kept += bytes;
    for (const [oldest, entry] of cache) {
      if (kept <= options.cacheBytes) break;
      cache.delete(oldest);
      kept -= entry.bytes;
    }
  }

  return {
    async load(application, signal) {
      const source = describeSource(application, options.allowed);
      const own = (manifests: Manifest[]) => [{ child: null, spec: application.spec, wave: 0, manifests }];
      const key = JSON.stringify([source.repository, source.revision, source.path, source.recurse]);
      const known = cache.get(key);
      if (known !== undefined) {
        // Used last: the end of the map is what is dropped last.
        cache.delete(key);
        cache.set(key, known);
        return own(known.manifests);
      }
      const manifests = await withinTime(options.timeoutMs, signal, (limited) => read(deps, source, limited));
      keep(key, manifests);
      return own(manifests);
    },
  };
}

async function read(deps: SourceDeps, source: DirectorySource, signal: AbortSignal): Promise<Manifest[]> {
  const repository = await deps.open(source.repository);
  const options = { signal, ...(source.fallbackRef === null ? {} : { fallbackRef: source.fallbackRef }) };
  await repository.fetchSha(source.revision, options);
  try {
    return await readDirectory(repository, { ...source, signal });
  } catch (error) {
    if (!isAppError(error, 'git-object-missing')) throw error;
    // The local copy began afresh in between: once more.
    await repository.fetchSha(source.revision, options);
    return readDirectory(repository, { ...source, signal });
  }
}

async function withinTime<T>(
  timeoutMs: number,
  signal: AbortSignal,
  call: (limited: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    return await call(AbortSignal.any([signal, timeout]));
  } catch (error) {
    if (signal.aborted || !timeout.aborted) throw error;
    throw new AppError({
      code: 'source-timeout',
      disposition: 'retry',
      publicMessage: `The preview's source was not fetched within ${timeoutMs / 1000} s; it is tried again.`,
      data: { timeoutMs },
      cause: error,
    });
  }
}
