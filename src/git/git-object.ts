import { createHash } from 'node:crypto';

export type ObjectType = 'commit' | 'tree' | 'blob';

export interface GitObject {
  oid: string;
  type: ObjectType;
  content: Buffer;
}

/** An object that is sent as what differs from one that the receiver has, or that comes before it in the pack. */
export interface Difference {
  oid: string;
  base: string;
  bytes: Buffer;
}

export interface TreeEntry {
  name: string;
  /** `100644` a file, `040000` a folder, `100755`, `120000` a link, `160000` a submodule. */
  mode: string;
  oid: string;
  type: 'blob' | 'tree' | 'commit';
}

export interface Signature {
  name: string;
  email: string;
  /** Milliseconds since the epoch; Git keeps whole seconds. */
  atMs: number;
}

export interface CommitInfo {
  oid: string;
  tree: string;
  parents: string[];
  author: Signature;
  message: string;
}

/** Gives content its name, the SHA-1 that Git knows it by. */
export function createObject(type: ObjectType, content: Buffer): GitObject {
  const oid = createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex');
  return { oid, type, content };
}

export function parseTree(content: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const end = content.indexOf(0, space);
    const mode = content.toString('latin1', at, space).padStart(6, '0');
    const name = content.toString('utf8', space + 1, end);
    entries.push({ name, mode, oid: content.toString('hex', end + 1, end + 21), type: typeOf(mode) });
    at = end + 21;
  }
  return entries;
}

/** One entry in the form that it has inside a tree. */
export function encodeEntry(entry: TreeEntry): Buffer {
  const head = Buffer.from(`${entry.mode.replace(/^0/, '')} ${entry.name}\0`, 'utf8');
  return Buffer.concat([head, Buffer.from(entry.oid, 'hex')]);
}

/** Where in the order of its tree an entry stands. */
export function sortKey(entry: Pick<TreeEntry, 'name' | 'type'>): Buffer {
  return Buffer.from(entry.type === 'tree' ? `${entry.name}/` : entry.name, 'utf8');
}

export function encodeCommit(commit: Omit<CommitInfo, 'oid'>): Buffer {
  const seconds = Math.floor(commit.author.atMs / 1000);
  const who = `${signatureText(commit.author.name)} <${signatureText(commit.author.email)}> ${seconds} +0000`;
  const parents = commit.parents.map((oid) => `parent ${oid}\n`).join('');
  return Buffer.from(`tree ${commit.tree}\n${parents}author ${who}\ncommitter ${who}\n\n${commit.message}`, 'utf8');
}

export function parseCommit(oid: string, content: Buffer): CommitInfo {
  const text = content.toString('utf8');
  const split = text.indexOf('\n\n');
  const head = split < 0 ? text : text.slice(0, split);
  const commit: CommitInfo = {
    oid,
    tree: '',
    parents: [],
    author: { name: '', email: '', atMs: 0 },
    message: split < 0 ? '' : text.slice(split + 2),
  };
  for (const line of head.split('\n')) {
    if (line.startsWith('tree ')) commit.tree = line.slice(5);
    if (line.startsWith('parent ')) commit.parents.push(line.slice(7));
    if (line.startsWith('author ')) commit.author = parseSignature(line.slice(7));
  }
  return commit;
}

function parseSignature(text: string): Signature {
  const match = /^(?<name>.*?) ?<(?<email>[^>]*)> (?<seconds>\d+)/.exec(text);
  const seconds = Number.parseInt(match?.groups?.seconds ?? '0', 10);
  return { name: match?.groups?.name ?? '', email: match?.groups?.email ?? '', atMs: seconds * 1000 };
}

/** Git allows neither angle brackets nor line ends in names. */
function signatureText(text: string): string {
  return text.replace(/[<>\n\0]/g, '').trim();
}

function typeOf(mode: string): TreeEntry['type'] {
  if (mode === '040000') return 'tree';
  return mode === '160000' ? 'commit' : 'blob';
}
