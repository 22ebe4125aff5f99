import type { Manifest } from '../manifest.js';
import { type Checkout, createCheckout, resolve, type SourceFile, type SourceTree } from './checkout.js';
import { collectKustomization, findKustomization } from './collect-kustomization.js';
import { describePlace, type SourceDescription } from './describe-source.js';
import { directoryLimits, readDirectory } from './read-directory.js';
import { type HelmDeps, renderHelm } from './render-helm.js';
import { unusable } from './source-error.js';

export interface RenderDeps extends HelmDeps {
  /** Runs `kustomize build` on a folder of the files; the answer is what it printed. */
  kustomize(input: { files: readonly SourceFile[]; directory: string; signal: AbortSignal }): Promise<string>;
}

/** What a source yields, and by which tool. */
export interface Rendered {
  tool: 'directory' | 'kustomize' | 'helm';
  manifests: Manifest[];
}

/** Of what is read for a program: a chart or some kustomizations. */
const programLimits = { files: 2_000, fileBytes: 4 * 1024 * 1024, totalBytes: 32 * 1024 * 1024 };

/** The objects of a source whose files are at hand; `tree` is null for a chart of a chart repository. */
export async function renderSource(
  deps: RenderDeps,
  description: SourceDescription,
  tree: SourceTree | null,
  limits: { allowed: readonly string[] | null; signal: AbortSignal },
): Promise<Rendered> {
  const { place } = description;
  if (place.from === 'charts' || tree === null) {
    return { tool: 'helm', manifests: await renderHelm(deps, description, null, limits) };
  }
  const open = (bounds: typeof programLimits) => createCheckout(tree, place.revision, bounds, limits.signal);
  const checkout = open(programLimits);
  const folder = resolve(place.path)?.join('/');
  if (folder === undefined || (await checkout.kindOf(folder)) !== 'folder') {
    throw unusable('source-path-missing', `${describePlace(place)} is not there`, place.path);
  }
  await refuseOverrides(checkout, folder);
  const tool = description.tool === 'detect' ? await detect(checkout, folder) : description.tool;
  switch (tool) {
    case 'helm':
      return { tool, manifests: await renderHelm(deps, description, checkout, limits) };
    case 'kustomize': {
      const files = await collectKustomization(
        (path, text) => deps.parse({ as: 'documents', files: [{ path, text }] }, limits.signal),
        checkout,
        folder,
        description.kustomize,
      );
      const output = await deps.kustomize({ files, directory: folder, signal: limits.signal });
      const made = [{ path: 'that Kustomize made', text: output }];
      const manifests = (await deps.parse({ as: 'manifests', files: made }, limits.signal)) as Manifest[];
      if (manifests.length > 0) return { tool, manifests };
      throw unusable('source-empty', `${describePlace(place)} yields no object`, place.path);
    }
    case 'directory': {
      const { recurse = false, include = null, exclude = null } = description.directory;
      const input = { place: describePlace(place), path: folder, recurse, include, exclude };
      return { tool, manifests: await readDirectory(deps, open(directoryLimits), input, limits.signal) };
    }
    default:
      return tool satisfies never;
  }
}

/** By the files that Argo CD goes by. */
async function detect(checkout: Checkout, folder: string): Promise<Rendered['tool']> {
  const entries = (await checkout.list(folder)) ?? [];
  if (entries.some(({ name }) => name === 'Chart.yaml')) return 'helm';
  return (await findKustomization(checkout, folder)) === null ? 'directory' : 'kustomize';
}

/** Argo CD would let such a file change the source's settings. */
async function refuseOverrides(checkout: Checkout, folder: string): Promise<void> {
  const found = ((await checkout.list(folder)) ?? []).find(({ name }) => /^\.argocd-source(-.*)?\.yaml$/.test(name));
  if (found === undefined) return;
  const path = folder === '' ? found.name : `${folder}/${found.name}`;
  throw unusable('source-unsupported', `${path} overrides the source's settings; write them into the template`, path);
}
