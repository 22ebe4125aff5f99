import { createHash } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';
import type { Difference, GitObject, ObjectType } from './git-object.js';

const typeNumbers: Record<ObjectType, number> = { commit: 1, tree: 2, blob: 3 };
const differenceType = 7;

export interface PackFile {
  pack: Buffer;
  /** Name of the pack: the hexadecimal checksum that ends it. */
  checksum: string;
  /** Where each object starts, with the checksum of its bytes: what an index is made of. */
  entries: Array<{ oid: string; offset: number; crc: number }>;
}

/** Objects as one pack file. Differences make it a thin one, which the receiver completes from what it has. */
export function encodePack(objects: readonly (GitObject | Difference)[]): PackFile {
  const head = Buffer.alloc(12);
  head.write('PACK', 'latin1');
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(objects.length, 8);
  const parts: Buffer[] = [head];
  const entries: PackFile['entries'] = [];
  let offset = head.length;
  for (const object of objects) {
    const bytes = encodeObject(object);
    entries.push({ oid: object.oid, offset, crc: crc32(bytes) });
    parts.push(bytes);
    offset += bytes.length;
  }
  const checksum = createHash('sha1');
  for (const part of parts) checksum.update(part);
  const digest = checksum.digest();
  return { pack: Buffer.concat([...parts, digest]), checksum: digest.toString('hex'), entries };
}

/** Index of a pack, version 2: sorted names, so that an object is found without reading the pack. */
export function encodeIndex(file: PackFile): Buffer {
  const sorted = [...file.entries].sort((one, other) => (one.oid < other.oid ? -1 : 1));
  const head = Buffer.alloc(8 + 256 * 4);
  head.writeUInt32BE(0xff744f63, 0);
  head.writeUInt32BE(2, 4);
  let counted = 0;
  for (let byte = 0; byte < 256; byte += 1) {
    while (counted < sorted.length && Number.parseInt(sorted[counted]?.oid.slice(0, 2) ?? '', 16) <= byte) counted += 1;
    head.writeUInt32BE(counted, 8 + byte * 4);
  }
  const names = Buffer.from(sorted.map((each) => each.oid).join(''), 'hex');
  const numbers = Buffer.alloc(sorted.length * 8);
  for (const [index, each] of sorted.entries()) {
    numbers.writeUInt32BE(each.crc, index * 4);
    numbers.writeUInt32BE(each.offset, (sorted.length + index) * 4);
  }
  const body = Buffer.concat([head, names, numbers, Buffer.from(file.checksum, 'hex')]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

function encodeObject(object: GitObject | Difference): Buffer {
  if ('content' in object) {
    const head = objectHead(typeNumbers[object.type], object.content.length);
    return Buffer.concat([head, deflateSync(object.content, { level: 1 })]);
  }
  const head = objectHead(differenceType, object.bytes.length);
  return Buffer.concat([head, Buffer.from(object.base, 'hex'), deflateSync(object.bytes, { level: 1 })]);
}

/** Type and length in Git's variable-length form: four bits beside the type, then seven a byte. */
function objectHead(type: number, length: number): Buffer {
  const bytes = [(type << 4) | (length & 0x0f)];
  for (let rest = Math.floor(length / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80;
    bytes.push(rest & 0x7f);
  }
  return Buffer.from(bytes);
}
