import type { Application } from '../../application/application.js';
import { AppError, isAppError } from '../../error/app-error.js';
import type { Bundle } from '../bundle.js';
import type { Manifest } from '../manifest.js';
import type { SourceTree } from './checkout.js';
import { childApplications, inChild, isApplication, refused } from './child-applications.js';
import { describeSource, type SourceDescription } from './describe-source.js';
import { type RenderDeps, type Rendered, renderSource } from './render-source.js';

/** One repository, fetched on demand. */
interface SourceRepository extends SourceTree {
  /** Brings a commit with its whole tree; returns at once when it is there. */
  fetchSha(sha: string, options: { fallbackRef?: string; signal?: AbortSignal }): Promise<void>;
}

export interface SourceDeps extends RenderDeps {
  open(repository: string): Promise<SourceRepository>;
  /** What was made before, by everything that it was made from; null: nothing is kept of it. */
  recall(key: string): Promise<Manifest[] | null>;
  /** Runs a call when its turn comes: what a source consists of is held in memory while it is made. */
  inTurn<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T>;
  /** Keeps it as long as there is room. Never fails a preview. */
  remember(key: string, manifests: readonly Manifest[]): Promise<void>;
}

export interface SourceOptions {
  /** Patterns of repositories that may be deployed from; null: any. */
  allowed: readonly string[] | null;
  /** Of fetching and making all that one preview yields. */
  timeoutMs: number;
}

/** Yields the manifests of Applications, each source made once while it is kept. */
export interface SourceLoader {
  /**
   * The Application's own manifests first, then those of each Application that its source declares, one level deep.
   * Throws `source-*` errors, and Git's own when the repository cannot be reached.
   */
  load(application: Application, signal: AbortSignal): Promise<readonly Bundle[]>;
}

export function createSourceLoader(deps: SourceDeps, options: SourceOptions): SourceLoader {
  async function manifestsOf(application: Application, signal: AbortSignal): Promise<Manifest[]> {
    const description = describeSource(application, options.allowed);
    const { shared, own } = keysOf(description);
    for (const key of [shared, own]) {
      const known = key === null ? null : await deps.recall(key);
      if (known !== null) return known;
    }
    const { tool, manifests } = await make(deps, description, { allowed: options.allowed, signal });
    await deps.remember(tool === 'helm' || shared === null ? own : shared, manifests);
    return manifests;
  }

  async function bundlesOf(application: Application, signal: AbortSignal): Promise<Bundle[]> {
    const manifests = await manifestsOf(application, signal);
    const own = manifests.filter((manifest) => !isApplication(manifest));
    const bundles: Bundle[] = [{ child: null, spec: application.spec, wave: 0, manifests: own }];
    for (const { application: child, wave } of childApplications(application, manifests)) {
      const { name } = child.metadata;
      const yielded = await manifestsOf(child, signal).catch((error: unknown) => {
        throw isAppError(error) ? inChild(name, error) : error;
      });
      const nested = yielded.find(isApplication);
      if (nested !== undefined) {
        throw refused(nested.metadata.name, `the Application ${name} declares it, which is one too deep`);
      }
      bundles.push({ child: name, spec: child.spec, wave, manifests: yielded });
    }
    return bundles;
  }

  return {
    load: (application, signal) => withinTime(options.timeoutMs, signal, (limited) => bundlesOf(application, limited)),
  };
}

/**
 * Everything that the manifests follow from. `shared` by all previews of that source and those settings, null for a chart;
 * a chart's follow from the name of the release and its namespace as well.
 */
function keysOf({ place, name, namespace, ...how }: SourceDescription): { shared: string | null; own: string } {
  const { fallbackRef: _, ...where } = { fallbackRef: null, ...place };
  return {
    shared: how.tool === 'helm' ? null : JSON.stringify([where, how]),
    own: JSON.stringify([where, how, name, namespace]),
  };
}

async function make(
  deps: SourceDeps,
  description: SourceDescription,
  limits: { allowed: readonly string[] | null; signal: AbortSignal },
): Promise<Rendered> {
  const { place } = description;
  const render = (tree: SourceTree | null) =>
    deps.inTurn(limits.signal, () => renderSource(deps, description, tree, limits));
  if (place.from === 'charts') return render(null);
  const repository = await deps.open(place.repository);
  const options = {
    signal: limits.signal,
    ...(place.fallbackRef === null ? {} : { fallbackRef: place.fallbackRef }),
  };
  // Before its turn: what Git fetches lies on disk, and a server that hangs must not hold up the others.
  await repository.fetchSha(place.revision, options);
  try {
    return await render(repository);
  } catch (error) {
    if (!isAppError(error, 'git-object-missing')) throw error;
    // The local copy began afresh in between: once more.
    await repository.fetchSha(place.revision, options);
    return render(repository);
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
      publicMessage: `The preview's source was not fetched and made within ${timeoutMs / 1000} s; it is tried again.`,
      data: { timeoutMs },
      cause: error,
    });
  }
}
