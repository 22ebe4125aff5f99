import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { repositoryIsAllowed } from '../application/repository.js';
import { createCharts } from '../charts/charts.js';
import { type Mirror, openMirror } from '../git/mirror.js';
import type { Logger } from '../log/create-logger.js';
import { createRenderers } from '../renderers/renderers.js';
import { createTurnstile } from '../renderers/turnstile.js';
import { emptyWorkspaces } from '../renderers/workspace.js';
import type { AgentOptions } from './agent-options.js';
import { createParser } from './parser.js';
import { openRendered } from './rendered.js';
import { credentialFor } from './source/credential.js';
import type { SourceDeps } from './source/load-source.js';

/** Everything that previews' manifests are fetched from and made with, opened when it is first needed. */
export interface Sources extends SourceDeps {
  close(): Promise<void>;
}

interface SourcesOptions extends Pick<AgentOptions, 'repositories' | 'dataDir' | 'programs' | 'searchPath'> {
  /** Whether what a repository names may be anywhere; for a person's own look. Default false. */
  anyRepository?: boolean;
}

const renderedMemoryBytes = 8 * 1024 * 1024;
const renderedDiskBytes = 512 * 1024 * 1024;
/** Sources that are read into memory at once; each may be a chart of 64 MiB. */
const sourcesAtOnce = 2;

/** One at a time for each `dataDir`. */
export async function openSources(options: SourcesOptions, log: Logger): Promise<Sources> {
  const { repositories, dataDir } = options;
  const mirrors = new Map<string, Promise<Mirror>>();
  const work = join(dataDir, 'work');
  await emptyWorkspaces(work);
  const patterns = repositories.map(({ pattern }) => pattern);
  const charts = createCharts({
    credentialFor: (addresses) => credentialFor(addresses, repositories),
    allows: (address) => options.anyRepository === true || repositoryIsAllowed(address, patterns),
  });
  const renderers = createRenderers({
    programs: { ...options.programs, searchPath: options.searchPath ?? '' },
    directory: work,
  });
  const parser = createParser();
  const rendered = openRendered({
    directory: join(dataDir, 'rendered'),
    memoryBytes: renderedMemoryBytes,
    diskBytes: renderedDiskBytes,
    log,
  });

  function open(repository: string): Promise<Mirror> {
    const known = mirrors.get(repository);
    if (known !== undefined) return known;
    const opened = openMirror({
      directory: join(dataDir, 'sources', createHash('sha256').update(repository).digest('hex').slice(0, 32)),
      url: repository,
      auth: credentialFor(repository, repositories),
      log,
    });
    mirrors.set(repository, opened);
    // A failure is not kept: the next one opens it again.
    opened.catch(() => mirrors.delete(repository));
    return opened;
  }

  return {
    open,
    inTurn: createTurnstile(sourcesAtOnce),
    charts,
    ...renderers,
    ...rendered,
    parse: parser.parse,
    async close() {
      await parser.close();
      await charts.close();
      for (const opened of await Promise.allSettled(mirrors.values())) {
        if (opened.status === 'fulfilled') await opened.value.close();
      }
    },
  };
}
