import type { Manifest } from '../manifest.js';
import { type Checkout, resolve } from './checkout.js';
import { compileGlob } from './match-glob.js';
import type { ParseDeps } from './parse-documents.js';
import { unusable } from './source-error.js';

export interface DirectoryInput {
  /** What is read, for messages: `the folder deploy of … at …`. */
  place: string;
  /** Folder in the repository; `.` is its root. */
  path: string;
  /** Folders below it too; links to folders are not followed. */
  recurse: boolean;
  /** Argo CD's patterns over the path below the folder. Null: every manifest, and none is left out. */
  include: string | null;
  exclude: string | null;
}

/** Within one folder of manifests. */
export const directoryLimits = { files: 500, fileBytes: 1024 * 1024, totalBytes: 8 * 1024 * 1024 };

const manifestName = /\.(ya?ml|json)$/;
/** Files that mean another tool than this one. */
const otherTools: Record<string, string> = {
  'kustomization.yaml': 'a source of Kustomize',
  'kustomization.yml': 'a source of Kustomize',
  Kustomization: 'a source of Kustomize',
  'Chart.yaml': 'a chart of Helm',
};
/** Argo CD leaves out files that hold this. */
const skipMark = '+argocd:skip-file-rendering';

/** The objects of a folder of manifests, in the order of their paths. Throws `source-*` errors. */
export async function readDirectory(
  deps: ParseDeps,
  checkout: Checkout,
  input: DirectoryInput,
  signal: AbortSignal,
): Promise<Manifest[]> {
  const files: { path: string; text: string }[] = [];
  for (const path of await listManifests(checkout, input)) {
    const text = new TextDecoder().decode(await checkout.read(path));
    if (!text.includes(skipMark)) files.push({ path, text });
  }
  const manifests = (await deps.parse({ as: 'manifests', files }, signal)) as Manifest[];
  if (manifests.length === 0) {
    throw unusable('source-empty', `${input.place} holds no manifest (*.yaml, *.yml, *.json)`, input.path);
  }
  return manifests;
}

async function listManifests(checkout: Checkout, input: DirectoryInput): Promise<string[]> {
  const root = resolve(input.path)?.join('/');
  if (root === undefined) {
    throw unusable('source-path-missing', `the path ${input.path} leaves the repository`, input.path);
  }
  const chosen = chooser(input);
  const files: string[] = [];
  const folders = [''];
  while (folders.length > 0) {
    const folder = folders.shift() ?? '';
    const entries = await checkout.list(join(root, folder));
    if (entries === null) throw unusable('source-path-missing', `${input.place} is not there`, input.path);
    for (const { name, kind } of entries) {
      const below = join(folder, name);
      if (kind === 'folder') {
        if (input.recurse) folders.push(below);
      } else if (
        kind !== 'submodule' &&
        chosen(below) &&
        (await isManifest(checkout, join(root, below), kind, input))
      ) {
        files.push(join(root, below));
      }
    }
  }
  return files.sort();
}

function chooser({ include, exclude }: DirectoryInput): (path: string) => boolean {
  const compiled = [include, exclude].map((pattern) => {
    if (pattern === null || pattern === '') return null;
    const matches = compileGlob(pattern);
    if (matches !== null) return matches;
    throw unusable('source-invalid', `the pattern ${pattern.slice(0, 200)} of spec.source.directory is not valid`, '');
  });
  const [included = null, excluded = null] = compiled;
  return (path) => (included === null || included(path)) && !(excluded?.(path) ?? false);
}

async function isManifest(
  checkout: Checkout,
  path: string,
  kind: 'file' | 'link',
  input: DirectoryInput,
): Promise<boolean> {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const tool = otherTools[name];
  if (tool !== undefined) {
    throw unusable('source-unsupported', `${path} makes its folder ${tool}; leave it out by directory.exclude`, path);
  }
  if (name.endsWith('.jsonnet')) {
    throw unusable(
      'source-unsupported',
      `${path} is Jsonnet, which is not built; leave it out by directory.exclude`,
      path,
    );
  }
  if (!manifestName.test(name)) {
    if (kind === 'link' && input.recurse) await checkout.kindOf(path);
    return false;
  }
  if (kind === 'file') return true;
  const target = await checkout.kindOf(path);
  if (target === null) throw unusable('source-link', `the symbolic link ${path} leads nowhere`, path);
  return target === 'file';
}

function join(folder: string, name: string): string {
  return folder === '' || name === '' ? folder + name : `${folder}/${name}`;
}
