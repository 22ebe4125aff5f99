import type { Application } from '../../application/application.js';
import { applicationFrom } from '../../application/validate.js';
import { AppError, isAppError } from '../../error/app-error.js';
import { fields, groupOf, type Manifest } from '../manifest.js';

/** An Application that a preview's source declares. */
export interface Child {
  application: Application;
  wave: number;
}

const maxChildren = 20;
const waveAnnotation = 'argocd.argoproj.io/sync-wave';

export function isApplication(manifest: Manifest): boolean {
  return manifest.kind === 'Application' && groupOf(manifest.apiVersion) === 'argoproj.io';
}

/**
 * The child Applications among a preview's manifests, checked: each has the project and the destination of the
 * preview's own, and an exact revision. `HEAD`, or none, of the repository that declares the child is the revision at
 * which that repository is: a file cannot hold the id of its own commit. Throws `source-child` with the child's name.
 */
export function childApplications(parent: Application, manifests: readonly Manifest[]): Child[] {
  const children = manifests.filter(isApplication);
  if (children.length > maxChildren) {
    throw refused('', `the source declares ${children.length} Applications; there may be ${maxChildren}`);
  }
  const names = children.map(({ metadata }) => metadata.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw refused(twice, 'it is declared twice');
  return children.map((manifest) => ({ application: readChild(parent, manifest), wave: waveOf(manifest) }));
}

function readChild(parent: Application, manifest: Manifest): Application {
  const { name } = manifest.metadata;
  const spec = fields(manifest.spec);
  const { namespace, project } = { ...parent.spec.destination, project: parent.spec.project };
  const destination = fields(spec.destination);
  const foreign = [
    ...(spec.project === project ? [] : [`spec.project is not ${project}, the preview's own`]),
    ...('server' in destination
      ? ['spec.destination.server may not be set; name the cluster, as the preview does']
      : []),
    ...(destination.name === parent.spec.destination.name
      ? []
      : [`spec.destination.name is not ${parent.spec.destination.name}, the preview's own`]),
    ...(destination.namespace === namespace
      ? []
      : [`spec.destination.namespace is not ${namespace}, the preview's own`]),
  ];
  if (foreign.length > 0) throw refused(name, foreign.join('; '));
  const source = fields(spec.source);
  const own = source.repoURL === parent.spec.source.repoURL && source.chart === undefined;
  const moving = source.targetRevision === undefined || source.targetRevision === 'HEAD';
  const revision = own && moving ? { targetRevision: parent.spec.source.targetRevision } : {};
  try {
    return applicationFrom({
      apiVersion: manifest.apiVersion,
      kind: manifest.kind,
      // Only the place of the preview's own revision is the child's too; nothing else of Mayfly's is taken from a source.
      metadata: { name, annotations: own ? sourceRef(parent) : {} },
      spec: spec.source === undefined ? spec : { ...spec, source: { ...source, ...revision } },
    });
  } catch (error) {
    if (!isAppError(error, 'application-invalid')) throw error;
    const { problems } = error.data;
    throw refused(name, Array.isArray(problems) ? problems.join('; ') : 'it is not valid');
  }
}

function sourceRef(parent: Application): Record<string, string> {
  const key = 'mayfly.dev/source-ref';
  const value = parent.metadata.annotations[key];
  return value === undefined ? {} : { [key]: value };
}

function waveOf({ metadata }: Manifest): number {
  const value = metadata.annotations?.[waveAnnotation];
  if (value === undefined) return 0;
  if (/^-?\d{1,6}$/.test(value)) return Number(value);
  throw refused(metadata.name, `${waveAnnotation} is not a whole number`);
}

/** The words of a child's own failure, with its name. */
export function inChild(name: string, error: AppError): AppError {
  return new AppError({
    code: error.code,
    disposition: error.disposition,
    publicMessage: `Application ${name}: ${error.publicMessage}`,
    data: { ...error.data, child: name },
    cause: error,
  });
}

export function refused(name: string, what: string): AppError {
  return new AppError({
    code: 'source-child',
    disposition: 'stall',
    publicMessage: `The Application ${name} that the preview's source declares is refused: ${what}.`,
    data: { child: name },
  });
}
