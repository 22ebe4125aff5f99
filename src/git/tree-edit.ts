import { encodeEntry, sortKey, type TreeEntry } from './git-object.js';

/** A tree in which one entry was put, replaced or removed. */
export interface TreeEdit {
  content: Buffer;
  /** The same as what differs from the old tree, in the form that packs use. */
  difference: Buffer;
}

/**
 * Puts, replaces or (with null) removes one entry without parsing the others; null when nothing changes. The cost is
 * one pass over the bytes, whatever the entries mean.
 */
export function editTree(tree: Buffer, name: string, entry: TreeEntry | null): TreeEdit | null {
  const place = findPlace(tree, name, entry);
  const inserted = entry === null ? Buffer.alloc(0) : encodeEntry(entry);
  if (inserted.equals(tree.subarray(place.start, place.end))) return null;
  const content = Buffer.concat([tree.subarray(0, place.start), inserted, tree.subarray(place.end)]);
  const difference = Buffer.concat([
    sizeBytes(tree.length),
    sizeBytes(content.length),
    copyCommands(0, place.start),
    insertCommands(inserted),
    copyCommands(place.end, tree.length - place.end),
  ]);
  return { content, difference };
}

/** Where the entry of this name lies, or, with an empty range, where it belongs. */
function findPlace(tree: Buffer, name: string, entry: TreeEntry | null): { start: number; end: number } {
  const wanted = Buffer.from(name, 'utf8');
  const key = entry === null ? null : sortKey(entry);
  let place: number | null = null;
  for (let start = 0; start < tree.length; ) {
    const space = tree.indexOf(0x20, start);
    const nul = tree.indexOf(0, space);
    const end = nul + 21;
    if (tree.compare(wanted, 0, wanted.length, space + 1, nul) === 0) return { start, end };
    if (place === null && key !== null && compareEntry(tree, start, space, nul, key) > 0) place = start;
    start = end;
  }
  return { start: place ?? tree.length, end: place ?? tree.length };
}

/** Order of an entry of the tree against a key: by bytes, a folder (mode `40000`) as if its name ended in `/`. */
function compareEntry(tree: Buffer, start: number, space: number, nul: number, key: Buffer): number {
  const folder = space - start === 5;
  const order = tree.compare(key, 0, Math.min(key.length, nul - space - 1), space + 1, nul);
  if (order !== 0 || !folder) return order;
  // The name is a prefix of the key: its unwritten `/` decides.
  const next = key[nul - space - 1];
  if (next === undefined) return 1;
  return 0x2f - next;
}

function sizeBytes(size: number): Buffer {
  const bytes: number[] = [];
  let rest = size;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(bytes);
}

/** A copy takes at most 65,535 bytes: a size that every Git reads. */
function copyCommands(offset: number, length: number): Buffer {
  const commands: Buffer[] = [];
  for (let at = 0; at < length; ) {
    const size = Math.min(0xffff, length - at);
    const command = Buffer.alloc(7);
    // The marks say that four bytes of offset and two of size follow.
    command[0] = 0x80 | 0x0f | 0x30;
    command.writeUInt32LE(offset + at, 1);
    command.writeUInt16LE(size, 5);
    commands.push(command);
    at += size;
  }
  return Buffer.concat(commands);
}

function insertCommands(bytes: Buffer): Buffer {
  const commands: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 127) {
    const part = bytes.subarray(at, at + 127);
    commands.push(Buffer.from([part.length]), part);
  }
  return Buffer.concat(commands);
}
