import { isAppError } from '../error/app-error.js';
import { cleanLines } from './clean-words.js';
import type { Difference, GitObject } from './git-object.js';
import { encodePack } from './pack-file.js';
import { flushPacket, lineOf, packet, readPackets } from './pkt-line.js';
import type { Transport } from './transport.js';

export interface PushRequest {
  /** Without `refs/heads/`. */
  branch: string;
  /** Where the branch must stand; null: it must not be there. */
  expected: string | null;
  head: string;
  objects: ReadonlyArray<GitObject | Difference>;
  signal?: AbortSignal;
  /** Default 30,000. */
  timeoutMs?: number;
}

/**
 * `rejected`: the server said no, in `words` (a hook's, or Git's own); the branch is as it was. Whether a race was
 * lost or a hook refused is told by looking where the branch stands, not by the words.
 * `unclear`: no answer, or half of one; the push may have landed.
 */
export type PushResult =
  | { outcome: 'pushed' }
  | { outcome: 'rejected'; words: string }
  | { outcome: 'unclear'; why: string };

const zeros = '0'.repeat(40);
const maxWords = 2000;

/**
 * Pushes commits by compare-and-swap, in one round trip: the server moves the branch only if it stands at `expected`.
 * Rejects with `git-unauthorized`, `git-not-found` or `git-protocol` when the server did not take the request at all.
 */
export async function pushCommits(transport: Transport, push: PushRequest): Promise<PushResult> {
  const ref = `refs/heads/${push.branch}`;
  const command = `${push.expected ?? zeros} ${push.head} ${ref}\0report-status side-band-64k agent=mayfly\n`;
  const body = Buffer.concat([packet(command), flushPacket, encodePack(push.objects).pack]);
  const call = {
    service: 'git-receive-pack',
    body,
    timeoutMs: push.timeoutMs ?? 30_000,
    maxBytes: 1024 * 1024,
  } as const;
  try {
    return await transport.call({ ...call, signal: push.signal }, (answer) => readReport(answer, ref));
  } catch (error) {
    if (isAppError(error, 'git-unreachable')) return { outcome: 'unclear', why: error.publicMessage };
    throw error;
  }
}

/** Band 1 holds the report, itself in packets; band 2 what hooks print; band 3 a fatal error. */
async function readReport(answer: AsyncIterable<Uint8Array>, ref: string): Promise<PushResult> {
  const report: Buffer[] = [];
  let words = '';
  try {
    for await (const { kind, data } of readPackets(answer)) {
      if (kind !== 'data') continue;
      if (data[0] === 1) report.push(data.subarray(1));
      else words = `${words}${data.subarray(1).toString('utf8')}`.slice(0, maxWords * 2);
    }
    return await judge(report, ref, words);
  } catch (error) {
    // The server has had the whole push: an answer that cannot be read says nothing of what it did.
    if (isAppError(error, 'git-protocol')) return { outcome: 'unclear', why: error.publicMessage };
    throw error;
  }
}

async function judge(report: Buffer[], ref: string, words: string): Promise<PushResult> {
  let unpacked = '';
  let verdict = '';
  for await (const { kind, data } of readPackets(asStream(report))) {
    const line = kind === 'data' ? lineOf(data) : '';
    if (line.startsWith('unpack ')) unpacked = line.slice('unpack '.length);
    if (line === `ok ${ref}` || line.startsWith(`ng ${ref} `)) verdict = line;
  }
  if (verdict === `ok ${ref}` && unpacked === 'ok') return { outcome: 'pushed' };
  const reason = verdict.startsWith('ng ') ? verdict.slice(`ng ${ref} `.length) : unpacked;
  if (reason === '') return { outcome: 'unclear', why: 'The Git server ended without a report.' };
  return { outcome: 'rejected', words: cleanLines(words.trim() === '' ? reason : words, maxWords) };
}

async function* asStream(chunks: Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}
