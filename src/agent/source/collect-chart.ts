import { z } from 'zod';
import { chartVersion } from '../../application/validate.js';
import { type Checkout, resolve, type SourceFile } from './checkout.js';
import { chartPlace, refuseForeign } from './describe-source.js';
import type { ParseDeps } from './parse-documents.js';
import { unusable } from './source-error.js';

/** How charts are had; their files by the path within the chart. */
export interface ChartDeps {
  fetch(input: { repository: string; chart: string; version: string; signal: AbortSignal }): Promise<SourceFile[]>;
  /** Opens a package. */
  unpack(content: Uint8Array): Promise<SourceFile[]>;
}

export interface ChartInput {
  /** The chart's folder in the repository. */
  path: string;
  /** Patterns of repositories; null: any. */
  allowed: readonly string[] | null;
  signal: AbortSignal;
}

const dependencySchema = z.object({
  name: z.string().regex(/^[A-Za-z0-9._-]+$/),
  version: z.string().default(''),
  repository: z.string().default(''),
});
const chartSchema = z.object({ name: z.string(), dependencies: z.array(dependencySchema).nullish() });
const lockSchema = z.object({ dependencies: z.array(dependencySchema).nullish() });

type Dependency = z.output<typeof dependencySchema>;

const maxDepth = 3;

/**
 * A chart's folder with everything that it depends on in its `charts/`: what lies there already, what another folder of
 * the repository has (`file://`), or what an allowed repository has at one version, exact or fixed by `Chart.lock`.
 */
export async function collectChart(
  deps: ParseDeps & { charts: ChartDeps },
  checkout: Checkout,
  input: ChartInput,
  depth = 0,
): Promise<SourceFile[]> {
  const root = resolve(input.path)?.join('/') ?? '';
  const files = await checkout.collect(root);
  const chart = await readYaml(deps, checkout, { path: join(root, 'Chart.yaml'), signal: input.signal }, chartSchema);
  const missing = (chart?.dependencies ?? []).filter((dependency) => !isVendored(files, root, dependency.name));
  if (missing.length === 0) return files;
  if (depth >= maxDepth) throw unusable('source-too-large', 'its charts depend on each other too deep', root);
  const lock = await readYaml(deps, checkout, { path: join(root, 'Chart.lock'), signal: input.signal }, lockSchema);
  for (const dependency of missing) {
    const found = await bring(deps, checkout, { ...input, path: root }, dependency, lock?.dependencies ?? [], depth);
    const folder = join(root, `charts/${dependency.name}-${dependency.version.replace(/[^0-9A-Za-z.-]/g, '')}`);
    files.push(...found.map(({ path, content }) => ({ path: join(folder, path), content })));
  }
  return files;
}

/** As a folder or a package of that name. */
function isVendored(files: readonly SourceFile[], root: string, name: string): boolean {
  const charts = join(root, 'charts/');
  return files.some(({ path }) => {
    if (!path.startsWith(charts)) return false;
    const rest = path.slice(charts.length);
    if (rest === `${name}/Chart.yaml`) return true;
    return rest.startsWith(`${name}-`) && /^-v?\d[^/]*(\.tgz|\/Chart\.yaml)$/.test(rest.slice(name.length));
  });
}

async function bring(
  deps: ParseDeps & { charts: ChartDeps },
  checkout: Checkout,
  input: ChartInput,
  dependency: Dependency,
  locked: readonly Dependency[],
  depth: number,
): Promise<SourceFile[]> {
  const { name, repository } = dependency;
  const where = `the dependency ${name} of the chart in ${input.path || '.'}`;
  if (repository.startsWith('file://')) {
    const folder = resolve(`${input.path}/${repository.slice('file://'.length)}`)?.join('/');
    if (folder === undefined || (await checkout.kindOf(folder)) !== 'folder') {
      throw unusable('source-path-missing', `${where} is not in the repository`, input.path);
    }
    const files = await collectChart(deps, checkout, { ...input, path: folder }, depth + 1);
    return files.map(({ path, content }) => ({ path: folder === '' ? path : path.slice(folder.length + 1), content }));
  }
  if (!/^(https?|oci):\/\//.test(repository)) {
    throw unusable(
      'source-unsupported',
      `${where} is neither in charts/ nor at an address; put it into charts/`,
      input.path,
    );
  }
  const fixed = locked.find((each) => each.name === name && each.repository === repository)?.version;
  const version = fixed ?? dependency.version;
  if (!chartVersion.test(version)) {
    throw unusable(
      'source-unsupported',
      `${where} asks for a range of versions, ${version.slice(0, 100)}; commit its Chart.lock, or name one version`,
      input.path,
    );
  }
  const place = chartPlace(repository, name, { targetRevision: version });
  refuseForeign(place, input.allowed);
  return deps.charts.fetch({ repository: place.repository, chart: name, version, signal: input.signal });
}

async function readYaml<T>(
  deps: ParseDeps,
  checkout: Checkout,
  { path, signal }: { path: string; signal: AbortSignal },
  schema: z.ZodType<T>,
): Promise<T | null> {
  if ((await checkout.kindOf(path)) !== 'file') return null;
  const text = new TextDecoder().decode(await checkout.read(path));
  const [document] = await deps.parse({ as: 'documents', files: [{ path, text }] }, signal);
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw unusable('source-invalid', `${path}: ${issue?.path.map(String).join('.')}: ${issue?.message}`, path);
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
