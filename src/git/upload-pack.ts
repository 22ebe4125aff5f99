import { cleanLine } from './clean-words.js';
import { protocolError, refusedError } from './git-errors.js';
import { delimiterPacket, flushPacket, lineOf, type Packet, packet, readPackets } from './pkt-line.js';
import type { Transport } from './transport.js';

/** What is wanted, beside what is already here. */
export interface PackRequest {
  wants: string[];
  /** Commits whose own trees are here in full. Their parents may be missing. */
  haves: string[];
  /** Commits of history to send; null: all that is not had. */
  depth: number | null;
  /** `tree:0`: commits alone; `blob:none`: commits and trees. */
  filter?: 'tree:0' | 'blob:none';
}

interface CallLimits {
  timeoutMs: number;
  maxBytes: number;
  signal?: AbortSignal | undefined;
}

/** Commit that a full ref name stands at, such as `refs/heads/main`; null when there is no such ref. One round trip. */
export async function readRef(transport: Transport, ref: string, limits: CallLimits): Promise<string | null> {
  const body = Buffer.concat([
    packet('command=ls-refs\n'),
    delimiterPacket,
    packet(`ref-prefix ${ref}\n`),
    flushPacket,
  ]);
  return transport.call({ service: 'git-upload-pack', body, ...limits }, async (answer) => {
    let found: string | null = null;
    for await (const each of readPackets(answer)) {
      if (each.kind !== 'data') continue;
      const [oid, name] = textOf(each).split(' ');
      if (name === ref && oid !== undefined && /^[0-9a-f]{40}$/.test(oid)) found = oid;
    }
    return found;
  });
}

/** Whether the server can leave out trees and blobs. */
export async function canFilter(transport: Transport, limits: CallLimits): Promise<boolean> {
  return transport.call({ service: 'git-upload-pack', ...limits }, async (answer) => {
    let filters = false;
    for await (const each of readPackets(answer)) {
      const line = each.kind === 'data' ? lineOf(each.data) : '';
      if (line.startsWith('fetch=')) filters = line.slice('fetch='.length).split(' ').includes('filter');
    }
    return filters;
  });
}

/**
 * Asks for objects in one round trip; the answer is a pack file. Rejects with `git-refused` when the server has not
 * what is wanted or may not give it.
 */
export async function fetchPack(transport: Transport, request: PackRequest, limits: CallLimits): Promise<Buffer> {
  const body = requestBody(request);
  return transport.call({ service: 'git-upload-pack', body, ...limits }, async (answer) => {
    const chunks: Buffer[] = [];
    let inPack = false;
    for await (const each of readPackets(answer)) {
      if (each.kind !== 'data') continue;
      if (inPack) takeBand(each.data, chunks);
      else inPack = textOf(each) === 'packfile';
    }
    if (!inPack) throw protocolError('it holds no pack');
    return Buffer.concat(chunks);
  });
}

function requestBody({ wants, haves, depth, filter }: PackRequest): Buffer {
  const lines = [packet('command=fetch\n'), delimiterPacket, packet('ofs-delta\n'), packet('no-progress\n')];
  for (const oid of wants) lines.push(packet(`want ${oid}\n`));
  // Every commit that is here counts as cut from its parents: only its own tree is promised to be complete.
  for (const oid of haves) lines.push(packet(`shallow ${oid}\n`));
  if (depth !== null) lines.push(packet(`deepen ${depth}\n`));
  if (filter !== undefined) lines.push(packet(`filter ${filter}\n`));
  for (const oid of haves) lines.push(packet(`have ${oid}\n`));
  return Buffer.concat([...lines, packet('done\n'), flushPacket]);
}

/** Band 1 is the pack, 2 is talk, 3 is the server's last words. */
function takeBand(data: Buffer, chunks: Buffer[]): void {
  const band = data[0];
  if (band === 1) chunks.push(data.subarray(1));
  if (band === 3) throw refusedError(cleanLine(data.subarray(1).toString('utf8'), 500));
}

function textOf(each: Packet): string {
  const line = lineOf(each.data);
  if (line.startsWith('ERR ')) throw refusedError(cleanLine(line.slice(4), 500));
  return line;
}
