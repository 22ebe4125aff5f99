import { AppError } from '../../error/app-error.js';
import type { Manifest } from '../manifest.js';
import { manifestDocuments } from './manifest-documents.js';

/** A repository at hand: what was fetched of it can be read. */
export interface SourceTree {
  /** Entries of a folder of a commit; null when there is no such folder. */
  readTree(commit: string, path: string): Promise<{ name: string; mode: string; oid: string }[] | null>;
  readBlob(oid: string): Promise<Uint8Array>;
}

export interface DirectoryInput {
  /** For messages. */
  repository: string;
  revision: string;
  /** Folder in the repository; `.` is its root. */
  path: string;
  /** Folders below it too. */
  recurse: boolean;
  signal: AbortSignal;
}

const maxFiles = 500;
const maxFileBytes = 1024 * 1024;
const maxTotalBytes = 8 * 1024 * 1024;
const maxFolders = 200;

const manifestName = /\.(ya?ml|json)$/;
/** Files by which Argo CD recognises another tool's folder. */
const otherTools: Record<string, string> = {
  'kustomization.yaml': 'Kustomize',
  'kustomization.yml': 'Kustomize',
  Kustomization: 'Kustomize',
  'Chart.yaml': 'Helm',
};

/** The objects of a folder of manifests at one commit, in the order of their paths. Throws `source-*` errors. */
export async function readDirectory(tree: SourceTree, input: DirectoryInput): Promise<Manifest[]> {
  const files = await listFiles(tree, input);
  const manifests: Manifest[] = [];
  let total = 0;
  for (const file of files) {
    input.signal.throwIfAborted();
    const content = await tree.readBlob(file.oid);
    total += content.byteLength;
    if (content.byteLength > maxFileBytes || total > maxTotalBytes) throw tooLarge(file.path);
    manifests.push(...manifestDocuments(file.path, new TextDecoder().decode(content)));
  }
  if (manifests.length === 0) {
    throw failed('source-empty', `${placeOf(input)} holds no manifest (*.yaml, *.yml, *.json)`, input.path);
  }
  return manifests;
}

async function listFiles(tree: SourceTree, input: DirectoryInput): Promise<{ path: string; oid: string }[]> {
  const files: { path: string; oid: string }[] = [];
  const folders = [cleanPath(input.path)];
  for (let seen = 0; folders.length > 0; seen += 1) {
    const folder = folders.shift() ?? '';
    input.signal.throwIfAborted();
    const entries = await tree.readTree(input.revision, folder);
    if (entries === null) throw failed('source-path-missing', `${placeOf(input)} is not there`, folder);
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.mode === '040000') {
        if (input.recurse) folders.push(path);
      } else if (isManifest(entry, path, input.recurse)) {
        files.push({ path, oid: entry.oid });
      }
    }
    if (files.length > maxFiles || seen > maxFolders) throw tooLarge(folder);
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function isManifest(entry: { name: string; mode: string }, path: string, recurse: boolean): boolean {
  const tool = otherTools[entry.name];
  if (tool !== undefined) {
    throw failed('source-unsupported', `${path} makes it a source of ${tool}, which this version cannot build`, path);
  }
  const wanted = manifestName.test(entry.name);
  // A link's target may lie anywhere; what is meant must stand there itself.
  if (entry.mode === '120000' && (wanted || recurse)) {
    throw failed('source-link', `${path} is a symbolic link; put the file itself there`, path);
  }
  return wanted && entry.mode.startsWith('100');
}

function cleanPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw failed('source-path-missing', `the path ${path} leaves the repository`, path);
  return parts.join('/');
}

function placeOf(input: DirectoryInput): string {
  return `the folder ${input.path} of ${input.repository} at ${input.revision.slice(0, 8)}`;
}

function tooLarge(path: string): AppError {
  return failed(
    'source-too-large',
    `there are more manifests than ${maxFiles} files or ${maxTotalBytes / 1024 / 1024} MiB, or a file above ${maxFileBytes / 1024 / 1024} MiB`,
    path,
  );
}

function failed(code: string, what: string, path: string): AppError {
  return new AppError({
    code,
    disposition: 'stall',
    publicMessage: `The preview's manifests cannot be used: ${what}.`,
    data: { path },
  });
}
