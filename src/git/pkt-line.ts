import { protocolError } from './git-errors.js';

/** One packet of Git's wire format; `data` is empty for the three that only separate. */
export interface Packet {
  kind: 'data' | 'flush' | 'delimiter' | 'end';
  data: Buffer;
}

export const flushPacket = Buffer.from('0000');
export const delimiterPacket = Buffer.from('0001');

const empty = Buffer.alloc(0);
const separators = new Map<number, Packet['kind']>([
  [0, 'flush'],
  [1, 'delimiter'],
  [2, 'end'],
]);

/** A line as a packet: four hexadecimal digits of length, then the text. */
export function packet(text: string): Buffer {
  const body = Buffer.from(text, 'utf8');
  return Buffer.concat([Buffer.from((body.length + 4).toString(16).padStart(4, '0')), body]);
}

/** Cuts a stream into packets. Rejects with `git-protocol` for what is not Git's wire format or ends inside a packet. */
export async function* readPackets(body: AsyncIterable<Uint8Array>): AsyncGenerator<Packet> {
  let rest: Buffer = empty;
  for await (const chunk of body) {
    rest = rest.length === 0 ? asBuffer(chunk) : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= 4) {
      const length = packetLength(rest.subarray(at, at + 4));
      const separator = separators.get(length);
      if (separator !== undefined) {
        at += 4;
        yield { kind: separator, data: empty };
        continue;
      }
      if (rest.length - at < length) break;
      yield { kind: 'data', data: rest.subarray(at + 4, at + length) };
      at += length;
    }
    rest = rest.subarray(at);
  }
  if (rest.length > 0) throw protocolError('the answer ended inside a packet');
}

/** Text of a packet without its line end. */
export function lineOf(data: Buffer): string {
  const text = data.toString('utf8');
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}

function packetLength(digits: Buffer): number {
  const text = digits.toString('latin1');
  const length = /^[0-9a-fA-F]{4}$/.test(text) ? Number.parseInt(text, 16) : 3;
  if (length === 3) throw protocolError('the answer is not in the format of Git');
  return length;
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
