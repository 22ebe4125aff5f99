import { type Manifest, text } from '../manifest.js';
import { type Checkout, resolve, type SourceFile } from './checkout.js';
import { type ChartDeps, collectChart } from './collect-chart.js';
import type { SourceDescription } from './describe-source.js';
import { openPackages, refuseForeignSchemas } from './open-packages.js';
import type { ParseDeps } from './parse-documents.js';
import { unusable } from './source-error.js';
import type { HelmOptions } from './source-options.js';

/** What `helm template` is asked for. Paths are among the files. */
interface HelmRequest {
  files: readonly SourceFile[];
  chart: string;
  releaseName: string;
  namespace: string;
  valueFiles: readonly string[];
  values: string | null;
  parameters: readonly { name: string; value: string; forceString: boolean }[];
  fileParameters: readonly { name: string; path: string }[];
  skipCrds: boolean;
  skipTests: boolean;
  skipSchemaValidation: boolean;
  kubeVersion: string | null;
  apiVersions: readonly string[];
  signal: AbortSignal;
}

export interface HelmDeps extends ParseDeps {
  charts: ChartDeps;
  helm(request: HelmRequest): Promise<string>;
}

/** Where a chart's files of values are looked for: its repository, or the package that it came in. */
interface ChartSource {
  files: SourceFile[];
  /** Folder of the chart among the files. */
  chart: string;
  /** A file beside those; null: it is not there. */
  read(path: string): Promise<Uint8Array | null>;
}

/** The objects of a chart, its hooks among them with their annotations; tests of the chart are left out. */
export async function renderHelm(
  deps: HelmDeps,
  description: SourceDescription,
  checkout: Checkout | null,
  limits: { allowed: readonly string[] | null; signal: AbortSignal },
): Promise<Manifest[]> {
  const { helm, place, name, namespace } = description;
  const found = await openChart(deps, description, checkout, limits);
  const source = { ...found, files: await openPackages(deps.charts.unpack, found.files, found.chart) };
  refuseForeignSchemas(source.files);
  const extra = new Map<string, Uint8Array>();
  const valueFiles = await bringFiles(source, helm.valueFiles ?? [], helm.ignoreMissingValueFiles === true, extra);
  const fileParameters = [];
  for (const parameter of helm.fileParameters ?? []) {
    const [path = ''] = await bringFiles(source, [parameter.path], false, extra);
    fileParameters.push({ name: parameter.name, path });
  }
  const known = new Set(source.files.map(({ path }) => path));
  const added = [...extra].filter(([path]) => !known.has(path)).map(([path, content]) => ({ path, content }));
  const output = await deps.helm({
    files: [...source.files, ...added],
    chart: source.chart,
    releaseName: helm.releaseName ?? name,
    namespace,
    valueFiles,
    values: valuesOf(helm),
    parameters: (helm.parameters ?? []).map((each) => ({ ...each, forceString: each.forceString === true })),
    fileParameters,
    skipCrds: helm.skipCrds === true,
    skipTests: helm.skipTests === true,
    skipSchemaValidation: helm.skipSchemaValidation === true,
    kubeVersion: helm.kubeVersion ?? null,
    apiVersions: helm.apiVersions ?? [],
    signal: limits.signal,
  });
  const files = [{ path: 'that Helm made', text: output }];
  const made = (await deps.parse({ as: 'manifests', files }, limits.signal)) as Manifest[];
  const manifests = made.filter((manifest) => !isTest(manifest));
  if (manifests.length > 0) return manifests;
  throw unusable('source-empty', `the chart ${place.from === 'git' ? place.path : place.chart} yields no object`, '');
}

/** `valuesObject` wins where both stand, as in Argo CD. */
function valuesOf({ values, valuesObject }: HelmOptions): string | null {
  if (valuesObject !== undefined) return JSON.stringify(valuesObject);
  return values === undefined || values.trim() === '' ? null : values;
}

async function openChart(
  deps: HelmDeps,
  { place }: SourceDescription,
  checkout: Checkout | null,
  { allowed, signal }: { allowed: readonly string[] | null; signal: AbortSignal },
): Promise<ChartSource> {
  if (place.from === 'charts') {
    const { repository, chart, version } = place;
    const found = await deps.charts.fetch({ repository, chart, version, signal });
    const files = found.map(({ path, content }) => ({ path: `chart/${path}`, content }));
    return {
      files,
      chart: 'chart',
      read: async (path) => files.find((file) => file.path === path)?.content ?? null,
    };
  }
  if (checkout === null) throw new TypeError('a chart in Git needs its repository');
  const chart = resolve(place.path)?.join('/') ?? '';
  return {
    files: await collectChart(deps, checkout, { path: chart, allowed, signal }),
    chart,
    read: async (path) => ((await checkout.kindOf(path)) === 'file' ? checkout.read(path) : null),
  };
}

/** Relative to the chart, or with a slash in front to the root of its repository. Returns the paths that are there. */
async function bringFiles(
  source: ChartSource,
  paths: readonly string[],
  mayMiss: boolean,
  extra: Map<string, Uint8Array>,
): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    if (/[:?*$\\]/.test(path)) {
      throw unusable(
        'source-unsupported',
        `the file of values ${path} is no plain path in the chart's repository`,
        path,
      );
    }
    const segments = resolve(path.startsWith('/') ? path : `${source.chart}/${path}`);
    if (segments === null) throw unusable('source-path-missing', `the path ${path} leaves the repository`, path);
    const place = segments.join('/');
    const content = await source.read(place);
    if (content === null && mayMiss) continue;
    if (content === null) throw unusable('source-path-missing', `the file of values ${path} is not there`, path);
    extra.set(place, content);
    found.push(place);
  }
  return found;
}

function isTest({ metadata }: Manifest): boolean {
  const hooks = text(metadata.annotations?.['helm.sh/hook'])
    .split(',')
    .map((hook) => hook.trim())
    .filter((hook) => hook !== '');
  return hooks.length > 0 && hooks.every((hook) => /^test(-success|-failure)?$/.test(hook));
}
