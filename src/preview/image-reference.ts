import { branchSlug, fill } from './naming.js';

/** What may stand in an entry of `gate.image`. */
export const imageVariables = ['slug', 'project', 'iid', 'sha', 'shortSha', 'branchSlug'] as const;

/** A tag of a repository in a registry. */
export interface ImageReference {
  /** With its port, in lower case: `registry.example.com:5000`. */
  host: string;
  /** `acme/shop/web`. */
  repository: string;
  tag: string;
}

/** Of whom an image is asked for. */
export interface ImageSubject {
  /** null while the preview has no name yet. */
  slug: string | null;
  project: string;
  iid: number;
  sha: string;
  sourceBranch: string;
}

const longestRepository = 255;
const hostPattern = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::[0-9]{1,5})?$/;
const pathPart = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryPattern = new RegExp(`^${pathPart}(?:/${pathPart})*$`);
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/**
 * Reads `host/repository:tag` by the rules of the OCI distribution specification; null for everything else: no host,
 * no tag, a digest, a capital letter in the repository.
 */
export function parseImage(text: string): ImageReference | null {
  const slash = text.indexOf('/');
  const colon = text.lastIndexOf(':');
  if (slash < 1 || colon < slash) {
    return null;
  }
  const host = text.slice(0, slash).toLowerCase();
  const repository = text.slice(slash + 1, colon);
  const tag = text.slice(colon + 1);
  // A first part without dot and port would be a folder of some default registry, and there is none.
  const isHost = hostPattern.test(host) && (/[.:]/.test(host) || host === 'localhost');
  const isValid = repository.length <= longestRepository && repositoryPattern.test(repository) && tagPattern.test(tag);
  return isHost && isValid ? { host, repository, tag } : null;
}

/** The image that a template means; null: the preview has no name yet, and the template uses it. */
export function renderImage(template: string, subject: ImageSubject): string | null {
  if (subject.slug === null && /\{\{\s*slug\s*\}\}/.test(template)) {
    return null;
  }
  return fill(template, {
    slug: subject.slug ?? '',
    project: subject.project,
    iid: String(subject.iid),
    sha: subject.sha,
    // As GitLab's CI_COMMIT_SHORT_SHA.
    shortSha: subject.sha.slice(0, 8),
    branchSlug: branchSlug(subject.sourceBranch),
  });
}
