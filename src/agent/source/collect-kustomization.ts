import { type Checkout, resolve, type SourceFile } from './checkout.js';
import {
  type Kustomization,
  type KustomizationReferences,
  kustomizationSchema,
  looksRemote,
  referencesOf,
  refusePlugin,
} from './kustomization.js';
import { withOptions } from './kustomize-options.js';
import { unsupported, unusable } from './source-error.js';
import type { KustomizeOptions } from './source-options.js';

const kustomizationNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

const maxKustomizations = 50;

/** The documents of one file. */
export type ReadDocuments = (path: string, text: string) => Promise<unknown[]>;

/** By path: what was checked and is written afresh, and what is handed on as it is. */
interface Collected {
  checked: Map<string, Uint8Array>;
  plain: Map<string, Uint8Array>;
}

/**
 * Everything that a kustomization needs, and nothing else: it and those that it names, each checked field by field and
 * written afresh as JSON, so that Kustomize reads exactly what was checked; and the files that they name. What is not in
 * the repository is refused, whatever it looks like. Throws `source-*` errors.
 */
export async function collectKustomization(
  documents: ReadDocuments,
  checkout: Checkout,
  directory: string,
  options: KustomizeOptions,
): Promise<SourceFile[]> {
  const root = folderBelow('', directory);
  const files: Collected = { checked: new Map(), plain: new Map() };
  const folders = [root];
  const seen = new Set(folders);
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    if (seen.size > maxKustomizations) throw unusable('source-too-large', 'it has too many kustomizations', folder);
    const { name, kustomization } = await readKustomization(documents, checkout, folder);
    const whole = folder === root ? withOptions(kustomization, options) : kustomization;
    files.checked.set(join(folder, name), encode([whole]));
    for (const next of await collectReferences(documents, checkout, folder, referencesOf(whole), files)) {
      if (!seen.has(next)) folders.push(next);
      seen.add(next);
    }
  }
  // As it stands in the repository it would be read in place of what was checked.
  const twice = [...files.checked.keys()].find((path) => files.plain.has(path));
  if (twice !== undefined) throw unsupported(`${twice}, which configures Kustomize, as a file of content too`);
  return [...files.plain, ...files.checked].map(([path, content]) => ({ path, content }));
}

/** The file of a folder that makes it Kustomize's; null when there is none. */
export async function findKustomization(checkout: Checkout, folder: string): Promise<string | null> {
  const entries = (await checkout.list(folder)) ?? [];
  const found = entries.filter(({ name }) => kustomizationNames.includes(name));
  if (found.length > 1) throw unusable('source-invalid', `the folder ${folder || '.'} has two kustomizations`, folder);
  return found[0]?.name ?? null;
}

async function readKustomization(
  read: ReadDocuments,
  checkout: Checkout,
  folder: string,
): Promise<{ name: string; kustomization: Kustomization }> {
  const name = await findKustomization(checkout, folder);
  if (name === null) {
    throw unusable('source-path-missing', `the folder ${folder || '.'} has no kustomization.yaml`, folder);
  }
  const path = join(folder, name);
  const documents = await read(path, decode(await checkout.read(path)));
  if (documents.length !== 1) throw unusable('source-invalid', `${path} is not one document`, path);
  const parsed = kustomizationSchema.safeParse(documents[0]);
  if (parsed.success) return { name, kustomization: await withCheckedPlugins(read, parsed.data, path) };
  const [issue] = parsed.error.issues;
  const at = (issue?.path ?? []).map(String).join('.');
  if (issue?.code === 'unrecognized_keys') {
    throw unsupported(`${[at, issue.keys[0] ?? ''].filter((part) => part !== '').join('.')} in ${path}`);
  }
  throw unusable('source-invalid', `${path}: ${at}: ${issue?.message ?? 'it is not valid'}`, path);
}

/** Adds the files; returns the folders. */
async function collectReferences(
  documents: ReadDocuments,
  checkout: Checkout,
  folder: string,
  references: KustomizationReferences,
  files: Collected,
): Promise<string[]> {
  const folders: string[] = [];
  for (const reference of [...references.resources, ...references.folders]) {
    const path = folderBelow(folder, reference);
    const kind = await checkout.kindOf(path);
    if (kind === 'folder') folders.push(path);
    else if (kind === 'file' && references.resources.includes(reference)) {
      files.plain.set(ownFile(folder, reference), await checkout.read(path));
    } else throw missing(folder, reference);
  }
  for (const reference of references.files) {
    const path = ownFile(folder, reference);
    if ((await checkout.kindOf(path)) !== 'file') throw missing(folder, reference);
    files.plain.set(path, await checkout.read(path));
  }
  for (const reference of references.plugins.filter((entry) => !isInline(entry))) {
    await collectPlugin(documents, checkout, folder, reference, files);
  }
  return folders;
}

async function collectPlugin(
  documents: ReadDocuments,
  checkout: Checkout,
  folder: string,
  reference: string,
  files: Collected,
): Promise<void> {
  const path = ownFile(folder, reference);
  if ((await checkout.kindOf(path)) !== 'file') throw missing(folder, reference);
  files.checked.set(path, encode(await checkedPlugins(documents, path, decode(await checkout.read(path)))));
}

/** Transformers and generators that stand in the kustomization itself, checked and written afresh. */
async function withCheckedPlugins(
  documents: ReadDocuments,
  kustomization: Kustomization,
  path: string,
): Promise<Kustomization> {
  const check = async (entries: readonly string[] | null | undefined) => {
    const checked: string[] = [];
    for (const entry of entries ?? []) {
      checked.push(isInline(entry) ? decode(encode(await checkedPlugins(documents, path, entry))) : entry);
    }
    return checked;
  };
  return {
    ...kustomization,
    generators: await check(kustomization.generators),
    transformers: await check(kustomization.transformers),
    validators: await check(kustomization.validators),
  };
}

function isInline(entry: string): boolean {
  return entry.includes('\n') || entry.startsWith('{');
}

async function checkedPlugins(read: ReadDocuments, path: string, text: string): Promise<unknown[]> {
  const documents = await read(path, text);
  for (const document of documents) {
    const reason = refusePlugin(document);
    if (reason !== null) throw unsupported(`${path}: ${reason}; Kustomize runs no plugin or function here`);
  }
  return documents;
}

/** The path of a folder or file that a kustomization may name anywhere in its repository. */
function folderBelow(folder: string, reference: string): string {
  if (looksRemote(reference)) {
    throw unusable(
      'source-remote',
      `the kustomization in ${folder || '.'} names ${reference.slice(0, 200)}; nothing is fetched from elsewhere, so bring it into the repository`,
      folder,
    );
  }
  const segments = reference.startsWith('/') ? null : resolve(`${folder}/${reference}`);
  if (segments === null) {
    throw unusable('source-path-missing', `the path ${reference.slice(0, 200)} leaves the repository`, folder);
  }
  return segments.join('/');
}

/** Kustomize reads files only from a kustomization's own folder and below. */
function ownFile(folder: string, reference: string): string {
  const path = folderBelow(folder, reference);
  if (folder === '' || path.startsWith(`${folder}/`)) return path;
  throw unusable(
    'source-path-missing',
    `the kustomization in ${folder} reads ${reference.slice(0, 200)}, which is outside its folder`,
    folder,
  );
}

function missing(folder: string, reference: string) {
  return unusable(
    'source-path-missing',
    `the kustomization in ${folder || '.'} names ${reference.slice(0, 200)}, which is not in the repository; nothing is fetched from elsewhere`,
    folder,
  );
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function encode(documents: readonly unknown[]): Uint8Array {
  return new TextEncoder().encode(documents.map((document) => JSON.stringify(document)).join('\n---\n'));
}

function decode(content: Uint8Array): string {
  return new TextDecoder().decode(content);
}
