import { type Application, annotation } from '../../application/application.js';
import { repositoryIsAllowed } from '../../application/repository.js';
import { AppError } from '../../error/app-error.js';

/** Where the manifests of a preview are. */
export interface DirectorySource {
  repository: string;
  revision: string;
  path: string;
  recurse: boolean;
  /** Where the revision can be found when the server does not serve it by its id. */
  fallbackRef: string | null;
}

/** Keys of `spec.source` that are understood; any other would be silently ignored. */
const knownKeys: ReadonlySet<string> = new Set(['repoURL', 'targetRevision', 'path', 'directory']);
const knownDirectoryKeys: ReadonlySet<string> = new Set(['recurse']);

/**
 * The source that an Application names. Throws `source-refused` for a repository off the agent's list, and
 * `source-unsupported` with the key's name for what this version does not build.
 */
export function describeSource(application: Application, allowed: readonly string[]): DirectorySource {
  const { source } = application.spec;
  if ('sources' in application.spec) throw unsupported('spec.sources; name one source in spec.source');
  const unknown = Object.keys(source).find((key) => !knownKeys.has(key));
  if (unknown !== undefined) throw unsupported(`spec.source.${unknown}`);
  const option = Object.keys(source.directory ?? {}).find((key) => !knownDirectoryKeys.has(key));
  if (option !== undefined) throw unsupported(`spec.source.directory.${option}`);
  if (!repositoryIsAllowed(source.repoURL, allowed)) {
    throw new AppError({
      code: 'source-refused',
      disposition: 'stall',
      publicMessage: `The repository ${source.repoURL.slice(0, 300)} is not among those that the agent may deploy from; an operator can add it to repositories in agent.yaml.`,
      data: { repository: source.repoURL.slice(0, 300) },
    });
  }
  return {
    repository: source.repoURL,
    revision: source.targetRevision,
    path: source.path ?? '.',
    recurse: source.directory?.recurse ?? false,
    fallbackRef: annotation(application, 'source-ref') ?? null,
  };
}

function unsupported(what: string): AppError {
  return new AppError({
    code: 'source-unsupported',
    disposition: 'stall',
    publicMessage: `The Application asks for what this version does not support: ${what}.`,
    data: { what },
  });
}
