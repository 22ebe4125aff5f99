import { unusable } from './source-error.js';

/** A repository at hand: what was fetched of it can be read. */
export interface SourceTree {
  /** Entries of a folder of a commit; null when there is no such folder. */
  readTree(commit: string, path: string): Promise<{ name: string; mode: string; oid: string }[] | null>;
  readBlob(oid: string): Promise<Uint8Array>;
}

/** A file as it is written for a program: always a plain one, whatever it was in Git. */
export interface SourceFile {
  /** From the root of the repository or package, with `/`, without `..`. */
  path: string;
  content: Uint8Array;
}

/** What of a source may be read at most. */
export interface SourceLimits {
  files: number;
  fileBytes: number;
  totalBytes: number;
}

interface CheckoutEntry {
  name: string;
  /** `link`: it is looked at only when it is followed, which `kindOf` and `read` do. */
  kind: 'file' | 'folder' | 'link' | 'submodule';
}

/**
 * One commit of a repository, read by path. Symbolic links are followed as long as they stay inside the repository; one
 * that leaves it, and a path that does, is refused with `source-link` or `source-path-missing`.
 */
export interface Checkout {
  kindOf(path: string): Promise<'file' | 'folder' | null>;
  /** Entries of a folder in the order of their names; null when there is no such folder. */
  list(path: string): Promise<readonly CheckoutEntry[] | null>;
  /** Rejects with `source-path-missing` or, past the limits, `source-too-large`. */
  read(path: string): Promise<Uint8Array>;
  /** Every file below a folder. */
  collect(path: string): Promise<SourceFile[]>;
}

interface Found {
  kind: 'file' | 'folder' | 'submodule';
  /** Where it really is, all links resolved. */
  path: string;
  oid: string;
}

const maxLinks = 20;
const maxFolders = 500;
const maxLinkBytes = 4_096;

export function createCheckout(
  tree: SourceTree,
  revision: string,
  limits: SourceLimits,
  signal: AbortSignal,
): Checkout {
  const folders = new Map<string, Awaited<ReturnType<SourceTree['readTree']>>>();
  let total = 0;
  let files = 0;

  async function entriesOf(path: string) {
    const known = folders.get(path);
    if (known !== undefined) return known;
    signal.throwIfAborted();
    if (folders.size >= maxFolders) throw tooLarge(path, limits);
    const entries = await tree.readTree(revision, path);
    folders.set(path, entries);
    return entries;
  }

  async function find(path: string): Promise<Found | null> {
    let wanted = segmentsOf(path);
    let found: Found = { kind: 'folder', path: '', oid: '' };
    for (let links = 0, at = 0; at < wanted.length; at += 1) {
      const name = wanted[at] ?? '';
      if (name === '..') {
        // Only a link's target has it, and there it means the folder above where the walk really is.
        if (found.path === '') throw badLink(path, 'leaves the repository');
        found = { kind: 'folder', path: parentOf(found.path), oid: '' };
        continue;
      }
      const entry = (await entriesOf(found.path))?.find((each) => each.name === name);
      if (entry === undefined) return null;
      if (entry.mode === '120000') {
        links += 1;
        if (links > maxLinks) throw badLink(path, 'is one of too many links in a row');
        wanted = [...(await targetOf(entry.oid, path)), ...wanted.slice(at + 1)];
        at = -1;
        continue;
      }
      const below = found.path === '' ? name : `${found.path}/${name}`;
      found = { kind: kindOfMode(entry.mode), path: below, oid: entry.oid };
      if (found.kind !== 'folder' && at < wanted.length - 1) return null;
    }
    return found;
  }

  /** Segments from the folder that the link is in. */
  async function targetOf(oid: string, path: string): Promise<string[]> {
    const content = await tree.readBlob(oid);
    const target = new TextDecoder().decode(content.subarray(0, maxLinkBytes));
    if (target.startsWith('/') || content.byteLength >= maxLinkBytes) throw badLink(path, 'leaves the repository');
    return target.split('/').filter((part) => part !== '' && part !== '.');
  }

  async function read(path: string): Promise<Uint8Array> {
    const found = await find(path);
    if (found === null || found.kind !== 'file') {
      throw unusable('source-path-missing', `the file ${path} is not there`, path);
    }
    signal.throwIfAborted();
    const content = await tree.readBlob(found.oid);
    total += content.byteLength;
    files += 1;
    if (content.byteLength > limits.fileBytes || total > limits.totalBytes || files > limits.files) {
      throw tooLarge(path, limits);
    }
    return content;
  }

  async function list(path: string): Promise<CheckoutEntry[] | null> {
    const found = await find(path);
    if (found === null || found.kind !== 'folder') return null;
    const entries = (await entriesOf(found.path)) ?? [];
    return entries
      .map(({ name, mode }) => ({ name, kind: mode === '120000' ? ('link' as const) : kindOfMode(mode) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async function kindOf(path: string): Promise<'file' | 'folder' | null> {
    const found = await find(path);
    if (found?.kind === 'submodule') throw unusable('source-unsupported', `${path} is a submodule`, path);
    return found?.kind ?? null;
  }

  async function collect(path: string): Promise<SourceFile[]> {
    const collected: SourceFile[] = [];
    const waiting = [segmentsOf(path).join('/')];
    // A link to a folder above it would go round for ever: the limits end it.
    for (let seen = 0; waiting.length > 0; seen += 1) {
      const folder = waiting.shift() ?? '';
      if (seen > maxFolders) throw tooLarge(folder, limits);
      for (const entry of (await list(folder)) ?? []) {
        const below = folder === '' ? entry.name : `${folder}/${entry.name}`;
        const kind = await kindOf(below);
        if (kind === 'folder') waiting.push(below);
        else if (kind === 'file') collected.push({ path: below, content: await read(below) });
        else throw badLink(below, 'leads nowhere');
      }
    }
    return collected;
  }

  return { kindOf, list, read, collect };
}

/** The path below the root as its segments; null when it leaves it. */
export function resolve(path: string): string[] | null {
  const segments: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') segments.push(part);
    else if (segments.pop() === undefined) return null;
  }
  return segments;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function segmentsOf(path: string): string[] {
  const segments = resolve(path);
  if (segments === null || path.includes('\0')) {
    throw unusable('source-path-missing', `the path ${path} leaves the repository`, path);
  }
  return segments;
}

function kindOfMode(mode: string): 'file' | 'folder' | 'submodule' {
  if (mode === '040000' || mode === '40000') return 'folder';
  return mode === '160000' ? 'submodule' : 'file';
}

function badLink(path: string, what: string) {
  return unusable('source-link', `the symbolic link ${path} ${what}; put the file itself there`, path);
}

function tooLarge(path: string, { files, fileBytes, totalBytes }: SourceLimits) {
  const mebibytes = (bytes: number) => `${Math.round((bytes / 1024 / 1024) * 10) / 10} MiB`;
  return unusable(
    'source-too-large',
    `its source has more than ${files} files, ${mebibytes(totalBytes)} or ${maxFolders} folders, or a file above ${mebibytes(fileBytes)}`,
    path,
  );
}
