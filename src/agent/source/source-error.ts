import { AppError } from '../../error/app-error.js';

/** A source that a person must mend: `what` completes the sentence, `path` says where. */
export function unusable(code: string, what: string, path: string): AppError {
  return new AppError({
    code,
    disposition: 'stall',
    publicMessage: `The preview's manifests cannot be used: ${what}.`,
    data: { path },
  });
}

/** What an Application asks for and this version does not do, by its key. */
export function unsupported(what: string): AppError {
  return new AppError({
    code: 'source-unsupported',
    disposition: 'stall',
    publicMessage: `The Application asks for what this version does not support: ${what}.`,
    data: { what },
  });
}

/** A repository that the agent's operator did not list. */
export function notAllowed(repository: string): AppError {
  const shown = repository.slice(0, 300);
  return new AppError({
    code: 'source-refused',
    disposition: 'stall',
    publicMessage: `The repository ${shown} is not among those that the agent may deploy from; an operator can add it to repositories in agent.yaml.`,
    data: { repository: shown },
  });
}
