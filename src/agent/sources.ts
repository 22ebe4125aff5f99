import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Mirror, openMirror } from '../git/mirror.js';
import type { Logger } from '../log/create-logger.js';
import type { AgentOptions } from './agent-options.js';
import { credentialFor } from './source/credential.js';
import type { SourceDeps } from './source/load-source.js';

/** The mirrors of the repositories that previews are deployed from, opened when they are first needed. */
export interface Sources extends SourceDeps {
  close(): Promise<void>;
}

export function createSources(options: Pick<AgentOptions, 'repositories' | 'dataDir'>, log: Logger): Sources {
  const mirrors = new Map<string, Promise<Mirror>>();

  function open(repository: string): Promise<Mirror> {
    const known = mirrors.get(repository);
    if (known !== undefined) return known;
    const opened = openMirror({
      directory: join(options.dataDir, 'sources', createHash('sha256').update(repository).digest('hex').slice(0, 32)),
      url: repository,
      auth: credentialFor(repository, options.repositories),
      log,
    });
    mirrors.set(repository, opened);
    // A failure is not kept: the next one opens it again.
    opened.catch(() => mirrors.delete(repository));
    return opened;
  }

  return {
    open,
    async close() {
      for (const opened of await Promise.allSettled(mirrors.values())) {
        if (opened.status === 'fulfilled') await opened.value.close();
      }
    },
  };
}
