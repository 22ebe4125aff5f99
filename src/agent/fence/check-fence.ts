import { AppError } from '../../error/app-error.js';
import { displayName, type Manifest, manifestKey } from '../manifest.js';
import { annotationRule } from './annotation-rule.js';
import type { FenceContext, FenceRule } from './fence-rule.js';
import { clusterScoped, kindRule } from './kind-rule.js';
import { metadataRule } from './metadata-rule.js';
import { routeRule } from './route-rule.js';
import { serviceRule } from './service-rule.js';
import { workloadRule } from './workload-rule.js';

export interface FenceDeps {
  /** Whether objects of the kind live in namespaces; rejects for a kind that the cluster does not serve. */
  isNamespaced(apiVersion: string, kind: string): Promise<boolean>;
}

export interface Refusal {
  /** `Kind/name`. */
  object: string;
  reason: string;
}

const rules: readonly FenceRule[] = [kindRule, metadataRule, annotationRule, serviceRule, routeRule, workloadRule];

/** Objects of one preview at most. */
export const maxObjects = 200;

/**
 * Judges everything that a preview asks for before anything of it is applied. Throws `fence-refused` with every
 * refusal in `data.refusals`; one refused object refuses the whole.
 */
export async function checkFence(
  deps: FenceDeps,
  manifests: readonly Manifest[],
  context: FenceContext,
): Promise<void> {
  if (manifests.length > maxObjects) {
    throw refused(context, [{ object: `${manifests.length} objects`, reason: `a preview has at most ${maxObjects}` }]);
  }
  const refusals: Refusal[] = [...duplicates(manifests)];
  for (const manifest of manifests) {
    const reasons = rules.flatMap((rule) => rule(manifest, context));
    // The API server is asked about kinds that pass by name alone: a refused kind need not even exist there.
    if (reasons.length === 0 && !(await deps.isNamespaced(manifest.apiVersion, manifest.kind))) {
      reasons.push(clusterScoped(manifest.kind));
    }
    refusals.push(...reasons.map((reason) => ({ object: nameOf(manifest), reason })));
  }
  if (refusals.length > 0) throw refused(context, refusals);
}

function duplicates(manifests: readonly Manifest[]): Refusal[] {
  const seen = new Set<string>();
  const twice = manifests.filter((manifest) => {
    const key = manifestKey(manifest);
    const known = seen.has(key);
    seen.add(key);
    return known;
  });
  return twice.map((manifest) => ({ object: nameOf(manifest), reason: 'it is declared twice' }));
}

function nameOf(manifest: Manifest): string {
  return displayName({ kind: manifest.kind, name: manifest.metadata.name });
}

function refused(context: FenceContext, refusals: Refusal[]): AppError {
  const shown = refusals.slice(0, 5).map(({ object, reason }) => `${object}: ${reason}`);
  const more = refusals.length > shown.length ? `; and ${refusals.length - shown.length} more` : '';
  return new AppError({
    code: 'fence-refused',
    disposition: 'stall',
    publicMessage: `Preview ${context.slug} asks for what a preview may not have. ${shown.join('; ')}${more}. Change the manifests and push again.`,
    data: { refusals: refusals.slice(0, 50), object: refusals[0]?.object ?? null },
  });
}
