import { annotation } from '../application/application.js';
import { AppError, isAppError } from '../error/app-error.js';
import { previewHost } from './branch/preview-host.js';
import type { WantedPreview } from './branch/read-file.js';
import type { Bundle } from './bundle.js';
import { type Desired, desiredItems } from './desired-items.js';
import { checkFence, type FenceDeps } from './fence/check-fence.js';
import type { PreviewIdentity } from './marks.js';
import { applicationOptions, objectOptions } from './plan/sync-options.js';
import type { SourceLoader } from './source/load-source.js';

export interface LoadDesiredDeps {
  source: SourceLoader;
  cluster: FenceDeps;
}

interface LoadDesiredInput {
  wanted: WantedPreview;
  identity: PreviewIdentity;
  kinds: { allow: readonly string[]; deny: readonly string[] };
  /** Hosts that previews may use. */
  hosts: readonly string[];
  signal: AbortSignal;
}

/**
 * All that the file asks for: its source, within the fence, with its order, options and hooks. Throws what source, fence
 * and options refuse.
 */
export async function loadDesired(deps: LoadDesiredDeps, input: LoadDesiredInput): Promise<Desired> {
  const { wanted } = input;
  const { namespace } = wanted.application.spec.destination;
  const bundles = await deps.source.load(wanted.application, input.signal);
  // Together: what two Applications declare is declared twice, and the limits hold for the preview as a whole.
  const manifests = bundles.flatMap((bundle) => bundle.manifests);
  const fenced = checkFence(deps.cluster, manifests, {
    slug: wanted.slug,
    namespace,
    host: previewHost(annotation(wanted.application, 'url'), input.hosts),
    allowKinds: input.kinds.allow,
    denyKinds: input.kinds.deny,
  });
  await fenced.catch((error: unknown) => {
    throw missingKind(error, bundles);
  });
  return desiredItems(bundles, { identity: input.identity, namespace, asleep: isAsleep(wanted) });
}

/** A kind that the cluster does not serve is waited for where every object of it says so. */
function missingKind(error: unknown, bundles: readonly Bundle[]): unknown {
  if (!isAppError(error, 'kube-unknown-kind')) return error;
  const { apiVersion, kind } = error.data;
  const waited = bundles.every(({ spec, manifests }) => {
    const { options } = applicationOptions(spec.syncPolicy);
    return manifests
      .filter((manifest) => manifest.apiVersion === apiVersion && manifest.kind === kind)
      .every((manifest) => objectOptions(manifest, options).options.skipMissingKind);
  });
  if (!waited) return error;
  return new AppError({
    code: error.code,
    disposition: 'wait',
    publicMessage: `The preview waits until the cluster has the kind ${String(kind)} of ${String(apiVersion)}, as SkipDryRunOnMissingResource=true asks for.`,
    data: error.data,
    cause: error,
  });
}

/** Declared asleep in Git: workloads are scaled to zero, and no hook runs. */
export function isAsleep({ application }: WantedPreview): boolean {
  return annotation(application, 'asleep') === 'true';
}
