import type { GitLab } from '../gitlab/client.js';
import { hasRegistryTag } from '../gitlab/registry.js';
import { lookForImage } from '../registry/look-for-image.js';
import type { Registries } from '../registry/registries.js';
import type { ImageDeps } from './images/look-for-images.js';

/**
 * Looks for an image where it must be: GitLab's own registry is asked through GitLab's API, with the token that reads
 * the projects; every other one by itself. `ownRegistry`: its host; null: the configuration names none.
 */
export function imageFinder(
  gitlab: GitLab,
  registries: Registries,
  ownRegistry: () => string | null,
): ImageDeps['hasImage'] {
  return ({ projectId, host, repository, tag, signal }) =>
    host === ownRegistry()
      ? hasRegistryTag(gitlab, { projectId, repository, tag, signal })
      : lookForImage(registries, { host, repository, tag, signal });
}
