import { AppError, isAppError } from '../../error/app-error.js';
import { fields, type Manifest, type ObjectReference, text } from '../manifest.js';

export interface CopySecretDeps {
  get(reference: ObjectReference, signal: AbortSignal): Promise<Manifest>;
}

/** Types that hold an identity of the cluster itself: nobody's to hand on. */
const refusedTypes: ReadonlySet<string> = new Set([
  'kubernetes.io/service-account-token',
  'bootstrap.kubernetes.io/token',
]);

/**
 * Reads a secret and answers the copy that a preview gets: its type and its data, and nothing else of it. `immutable`
 * is left out, or a change of the source could not be followed. Throws `secret-missing` and `secret-refused` (stall).
 */
export async function copySecret(
  deps: CopySecretDeps,
  source: { slug: string; namespace: string; name: string },
  signal: AbortSignal,
): Promise<Manifest> {
  const { slug, namespace, name } = source;
  let found: Manifest;
  try {
    found = await deps.get({ apiVersion: 'v1', kind: 'Secret', name, namespace }, signal);
  } catch (error) {
    if (isAppError(error, 'kube-not-found')) throw missingSecret(slug, name, namespace);
    throw error;
  }
  const type = text(found.type) || 'Opaque';
  if (refusedTypes.has(type)) {
    throw new AppError({
      code: 'secret-refused',
      disposition: 'stall',
      publicMessage: `Preview ${slug} cannot have a copy of the secret ${name}: it is of type ${type}, which holds an identity of the cluster. Take it out of \`secrets\` of its project.`,
      data: { object: `Secret/${name}` },
    });
  }
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type, data: fields(found.data) };
}

/** The secret that a preview asks for is not where secrets are copied from, or nothing is copied from anywhere. */
export function missingSecret(slug: string, name: string, namespace: string | null): AppError {
  const where =
    namespace === null
      ? 'the agent copies no secrets. Set `secretsFrom` in agent.yaml'
      : `there is none in the namespace ${namespace}. Create it there`;
  return new AppError({
    code: 'secret-missing',
    disposition: 'stall',
    publicMessage: `Preview ${slug} asks for a copy of the secret ${name}, and ${where}, or take it out of \`secrets\` of its project.`,
    data: { object: `Secret/${name}`, namespace },
  });
}
