import { type Application, annotation } from '../../application/application.js';
import { repositoryIsAllowed } from '../../application/repository.js';
import { notAllowed, unsupported } from './source-error.js';
import { type DirectoryOptions, type HelmOptions, type KustomizeOptions, readOptions } from './source-options.js';

/** A folder of a Git repository at one commit. */
export interface GitPlace {
  from: 'git';
  repository: string;
  revision: string;
  path: string;
  /** Where the revision can be found when the server does not serve it by its id. */
  fallbackRef: string | null;
}

/** One version of a chart in a chart repository. */
export interface ChartPlace {
  from: 'charts';
  /** `https://…`, the folder of an `index.yaml`; or `oci://…`, what the chart's name is appended to. */
  repository: string;
  chart: string;
  version: string;
}

/** What an Application's source is, and how manifests are made of it. */
export interface SourceDescription {
  place: GitPlace | ChartPlace;
  /** `detect`: what lies in the folder says it. */
  tool: 'detect' | 'directory' | 'kustomize' | 'helm';
  directory: DirectoryOptions;
  kustomize: KustomizeOptions;
  helm: HelmOptions;
  /** What a release is called when the Application gives it no name. */
  name: string;
  /** The preview's. */
  namespace: string;
}

/** Keys of `spec.source` that are understood; any other would be silently ignored. */
const knownKeys: ReadonlySet<string> = new Set([
  'repoURL',
  'targetRevision',
  'path',
  'chart',
  'directory',
  'kustomize',
  'helm',
]);
const tools = ['directory', 'kustomize', 'helm'] as const;

/**
 * The source that an Application names; `allowed` are patterns of repositories, null: any. Throws `source-refused` for
 * a repository off that list, and `source-unsupported` with the key's name for what this version does not build.
 */
export function describeSource(application: Application, allowed: readonly string[] | null): SourceDescription {
  const { source, destination } = application.spec;
  if ('sources' in application.spec) throw unsupported('spec.sources; name one source in spec.source');
  const unknown = Object.keys(source).find((key) => !knownKeys.has(key));
  if (unknown !== undefined) throw unsupported(`spec.source.${unknown}`);
  const named = tools.filter((tool) => source[tool] !== undefined && source[tool] !== null);
  if (named.length > 1) throw unsupported(`spec.source.${named.join(' beside spec.source.')}; keep one of them`);
  const [tool = 'detect'] = named;
  if (source.chart !== undefined && tool !== 'detect' && tool !== 'helm') {
    throw unsupported(`spec.source.${tool} beside spec.source.chart`);
  }
  const place = source.chart === undefined ? gitPlace(application) : chartPlace(source.repoURL, source.chart, source);
  refuseForeign(place, allowed);
  return {
    place,
    tool: place.from === 'charts' ? 'helm' : tool,
    directory: readOptions('directory', source.directory),
    kustomize: readOptions('kustomize', source.kustomize),
    helm: readOptions('helm', source.helm),
    name: application.metadata.name,
    namespace: destination.namespace,
  };
}

/** As Argo CD writes it: a registry has no scheme; with `oci://` it is taken as well. */
export function chartPlace(repoUrl: string, chart: string, { targetRevision }: { targetRevision: string }): ChartPlace {
  const repository = (repoUrl.includes('://') ? repoUrl : `oci://${repoUrl}`).replace(/\/+$/, '');
  return { from: 'charts', repository, chart, version: targetRevision };
}

/** The address of a chart counts as well: `oci://registry.example.com/charts/*` covers each of that registry's folder. */
export function refuseForeign(place: GitPlace | ChartPlace, allowed: readonly string[] | null): void {
  const addresses =
    place.from === 'charts' ? [place.repository, `${place.repository}/${place.chart}`] : [place.repository];
  const known = allowed === null || addresses.some((address) => repositoryIsAllowed(address, allowed));
  // Before the name becomes part of an address.
  const clean = place.from === 'git' || /^[a-z0-9]+(([._-]+|\/)[a-z0-9]+)*$/i.test(place.chart);
  if (!known || !clean) throw notAllowed(addresses.at(-1) ?? place.repository);
}

function gitPlace(application: Application): GitPlace {
  const { source } = application.spec;
  return {
    from: 'git',
    repository: source.repoURL,
    revision: source.targetRevision,
    path: source.path ?? '.',
    fallbackRef: annotation(application, 'source-ref') ?? null,
  };
}

/** `the folder deploy of https://… at 1a2b3c4d`, for messages. */
export function describePlace(place: GitPlace | ChartPlace): string {
  if (place.from === 'charts') return `the chart ${place.chart} ${place.version} of ${place.repository}`;
  return `the folder ${place.path} of ${place.repository} at ${place.revision.slice(0, 8)}`;
}
